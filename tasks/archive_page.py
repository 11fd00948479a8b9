"""
The page of an archived case: all that a person asks of its file, printable, made of the archived rows alone.

Made when an archive is written and again when it is verified: the same rows must give the same page, or one of both
was changed. Whoever changes what it says raises `PAGE`.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from html import escape
from typing import Any

from policies.vocabulary import (
    Answer,
    CaseKind,
    CaseStatus,
    Door,
    Gate,
    Letter,
    LetterStatus,
    Outcome,
    Verdict,
    Word,
)
from rules.periods import SHANGHAI
from tasks.archive_tables import Row, Rows

PAGE = 1
"""Which form of the page this is; a page of another form is not compared."""
_STYLE = (
    "body{font:15px/1.6 serif;max-width:60em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;width:100%;margin:.5em 0 1.5em}"
    "td,th{border:1px solid #888;padding:.2em .5em;text-align:left;vertical-align:top}"
    "pre{white-space:pre-wrap;font:inherit;margin:0}code{word-break:break-all}"
    "@media print{body{margin:0;max-width:none}tr{break-inside:avoid}}"
)
_TOLD = {
    "cases",
    "decisions",
    "work_items",
    "consents",
    "outbox",
    "history",
    "documents",
    "asks",
    "timers",
    "rows_handed_in",
}
_NAMES = {
    "site_applications": "申请",
    "works_done": "清单逐项登记",
    "sites": "客堂间名册",
    "site_spells": "客堂间状态",
    "themes": "月度主题",
    "activities": "活动",
    "publicity_sites": "宣传报道",
    "notices": "公示",
    "objections": "异议",
    "calls": "征集",
    "call_members": "评审组和应到名单",
    "projects": "微项目",
    "interests": "回避",
    "scores": "评分",
    "meeting_votes": "表决",
    "plans": "细化方案",
    "budget_lines": "预算分项",
    "milestones": "进度节点",
    "progress_records": "进展",
    "panel_results": "评估结果",
    "campaigns": "督查",
    "inspections": "单点督查",
    "visits": "检查",
    "visit_findings": "检查点",
    "year_evaluations": "年度考核",
    "evaluation_results": "考核结果",
    "criterion_scores": "逐项得分",
    "meetings": "联席会议",
    "meeting_attendances": "应到名单和出席",
    "resolutions": "议定事项",
    "service_orders": "服务点单",
    "site_changes": "客堂间变更",
    "ledger_accounts": "专款科目",
    "ledger_entries": "专款分录",
    "ledger_lines": "分录各行",
}
"""What people call the tables that stand on the page row by row."""


def page_of(tables: Rows, refers: Rows) -> str:
    """
    Return the page as HTML that needs no other file.

    Raises:
        LookupError: a column is missing; ValueError: a value is none of its list or no moment.
    """
    (case,) = tables["cases"]
    named = _Names(tables, refers)
    outcome = _label(Outcome, case["outcome"]) if case["outcome"] else ""
    facts = [
        ("案件编号", case["number"]),
        ("种类", _label(CaseKind, case["kind"])),
        ("名称", case["title"]),
        ("单位", named.unit(case["unit_id"])),
        ("所属案件", named.case(case["parent_id"])),
        ("申请户", named.household(case["household_id"])),
        ("依据的政策", f"{case['edition_id']}(SHA-256 {case['edition_sha256']})"),
        ("立案", _moment(case["opened_at"])),
        ("办结", _moment(case["closed_at"])),
        ("状态", _label(CaseStatus, case["status"])),
        ("结果", f"{outcome}{',' if case['because'] else ''}{case['because']}"),
        ("办理记录", f"{case['history_seq']}条,末条摘要 {case['history_head']}"),
    ]
    parts = [
        _table(("项目", "内容"), [each for each in facts if each[1]]),
        _section("各环节的决定", ("环节", "结论", "理由", "办理人", "方式", "时间"), _decisions(tables, named)),
        _section("农户答复(签名)", ("户", "答复", "时间", "登记人", "备注"), _consents(tables, named)),
        _section("材料", ("文件", "SHA-256", "字节", "登记时间"), _documents(tables)),
        _section("办理记录", ("序号", "时间", "办理人", "事项", "摘要(SHA-256)"), _history(tables)),
        _section("信函", ("信函", "收信人", "情况", "主题和正文"), _letters(tables)),
        *(_listing(name, tables[name]) for name in _NAMES if tables.get(name)),
        *(_listing(name, rows) for name, rows in sorted(tables.items()) if name not in _NAMES and name not in _TOLD),
    ]
    title = escape(f"{case['number']} {case['title']}")
    return (
        f'<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{title}</h1>\n<p>已归档案件的案卷,由归档文件中的记录写成。</p>\n"
        f"{''.join(part for part in parts if part)}</body></html>\n"
    )


class _Names:
    """What the ids in the rows stand for."""

    def __init__(self, tables: Rows, refers: Rows) -> None:
        self._rows = {name: {row.get("id"): row for row in rows} for name, rows in refers.items()}
        self.items = {row["id"]: row for row in tables.get("work_items", [])}

    def _of(self, table: str, key: Any, show: Callable[[Row], str]) -> str:
        row = self._rows.get(table, {}).get(key)
        return "" if key is None else show(row) if row is not None else f"(编号 {key})"

    def person(self, key: Any) -> str:
        return self._of("people", key, lambda row: f"{row['name']}({row['code']})")

    def unit(self, key: Any) -> str:
        return self._of("units", key, lambda row: f"{row['name']}({row['code']})")

    def household(self, key: Any) -> str:
        return self._of("households", key, lambda row: f"{row['number']} {row['head_name']}")

    def case(self, key: Any) -> str:
        return self._of("cases", key, lambda row: f"{row['number']} {row['title']}")


def _decisions(tables: Rows, named: _Names) -> Iterable[Sequence[str]]:
    for row in tables.get("decisions", []):
        item = named.items[row["work_item_id"]]
        yield (
            f"{_label(Gate, item['gate'])}(第{item['round']}轮)",
            _label(Verdict, row["verdict"]),
            row["reason"],
            named.person(row["decided_by_id"]),
            _label(Door, row["door"]),
            _moment(row["decided_at"]),
        )


def _consents(tables: Rows, named: _Names) -> Iterable[Sequence[str]]:
    for row in tables.get("consents", []):
        answer = _label(Answer, row["answer"]) if row["answer"] else "未答复"
        who = named.person(row["recorded_by_id"])
        yield named.household(row["household_id"]), answer, _moment(row["answered_at"]), who, row["note"]


def _documents(tables: Rows) -> Iterable[Sequence[str]]:
    for row in tables.get("documents", []):
        yield row["reference"], row["sha256"], str(row["size"]), _moment(row["added_at"])


def _history(tables: Rows) -> Iterable[Sequence[str]]:
    for row in tables.get("history", []):
        yield str(row["seq"]), _moment(row["at"]), row["actor"], row["summary"], row["hash"]


def _letters(tables: Rows) -> Iterable[Sequence[str]]:
    for row in tables.get("outbox", []):
        status = f"{_label(LetterStatus, row['status'])} {_moment(row['sent_at'])} {row['last_error']}".strip()
        text = f"{row['sent_subject']}\n\n{row['sent_text']}".strip()
        yield _label(Letter, row["letter"]), row["to_name"], status, text


def _listing(name: str, rows: Sequence[Row]) -> str:
    heads = list(rows[0])
    return _section(_NAMES.get(name, name), heads, [[_plain(row[head]) for head in heads] for row in rows])


def _section(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    listed = list(rows)
    return f"<h2>{escape(title)}</h2>\n{_table(heads, listed)}" if listed else ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join(f"<tr>{''.join(f'<td><pre>{escape(cell)}</pre></td>' for cell in row)}</tr>\n" for row in rows)
    return f"<table><tr>{head}</tr>\n{body}</table>\n"


def _label(words: type[Word], value: str) -> str:
    return words(value).label


def _moment(text: str | None) -> str:
    return f"{datetime.fromisoformat(text).astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}" if text else ""


def _plain(value: Any) -> str:
    return "" if value is None else "是" if value is True else "否" if value is False else str(value)
