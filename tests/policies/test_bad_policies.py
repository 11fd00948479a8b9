"""Every kind of unsound policy text is refused, by file, path and value, in Chinese, all faults at once."""

import pickle
import re
import shutil
from pathlib import Path

import pytest

from policies.errors import BadPolicy
from policies.load import EDITIONS, BadPolicies, faults_of, load_all, load_edition, parse_edition

GOOD = (EDITIONS / "zhujiajiao-2018.yaml").read_text(encoding="utf-8")
NAME = "zhujiajiao-2018.yaml"


def changed(old: str, new: str) -> bytes:
    assert old in GOOD, old
    return GOOD.replace(old, new, 1).encode()


def refused(text: bytes, name: str = NAME) -> tuple[BadPolicy, ...]:
    with pytest.raises(BadPolicy) as caught:
        parse_edition(text, name)
    return faults_of(caught.value)


# what was changed, to what: path of the fault, its value, words of the reason
FAULTS = {
    "an unknown key": ("  urging:", "  urgent: 1\n  urging:", "site.urgent", 1, "未知的键"),
    "a missing section": (
        "  returns:\n    at_most: 3\n    source: default\n",
        "",
        "site.returns",
        None,
        "缺少此项",
    ),
    "a category without a name": (
        "      name: 助老服务\n",
        "",
        "site.activity_categories[0].name",
        None,
        "缺少此项",
    ),
    "a blank name": ("name: 助老服务", 'name: "  "', "site.activity_categories[0].name", "  ", "不得只有空白"),
    "an empty name": ("name: 助老服务", 'name: ""', "site.activity_categories[0].name", "", "不得为空"),
    "an endless name": (
        "name: 助老服务",
        f"name: {'助' * 101}",
        "site.activity_categories[0].name",
        "助" * 101,
        "不得超过100字",
    ),
    "a name that is a number": (
        "name: 助老服务",
        "name: 2018",
        "site.activity_categories[0].name",
        2018,
        "须为文字",
    ),
    "a number in quotes": ("at_most: 3\n", 'at_most: "3"\n', "site.returns.at_most", "3", "须为整数"),
    "an octal number": ("at_most: 3\n", "at_most: 010\n", "site.returns.at_most", "010", "须为整数"),
    "a fraction of a day": (
        "due: {days: 10,",
        "due: {days: 10.5,",
        "site.gates.office_review.due.days",
        10.5,
        "须为整数",
    ),
    "no days at all": (
        "due: {days: 10,",
        "due: {days: 0,",
        "site.gates.office_review.due.days",
        0,
        "不得小于1",
    ),
    "a negative bound": ("at_least: 10\n", "at_least: -1\n", "site.standards[1].at_least", -1, "不得小于0"),
    "yes for true": (
        "recommendation_required: true",
        "recommendation_required: yes",
        "site.leader.recommendation_required",
        "yes",
        "须为 true 或 false",
    ),
    "a date in quotes": (
        "from: 2018-08-01\n  until",
        'from: "2018-08-01"\n  until',
        "in_force.from",
        "2018-08-01",
        "须为日期",
    ),
    "a number for a date": ("from: 2018-08-01\n  until", "from: 86400\n  until", "in_force.from", 86400, "须为日期"),
    "a day that does not exist": (
        "until: 2018-12-01",
        "until: 2018-11-31",
        "site.phases[1].until",
        "2018-11-31",
        "没有这一天",
    ),
    "an unquoted share": ('city: "70/100"', "city: 70/100", "site.targets.shares.city", None, "带引号的分数"),
    "a share as a decimal": ('city: "70/100"', "city: 0.7", "site.targets.shares.city", 0.7, "带引号的分数"),
    "a share in per cent": ('city: "70/100"', "city: 70%", "site.targets.shares.city", "70%", "带引号的分数"),
    "a share above one": ('city: "70/100"', 'city: "7/1"', "site.targets.shares.city", "7/1", "不得大于1"),
    "a share of nothing": ('city: "70/100"', 'city: "0/1"', "site.targets.shares.city", "0/1", "带引号的分数"),
    "a share by zero": ('city: "70/100"', 'city: "1/0"', "site.targets.shares.city", "1/0", "带引号的分数"),
    "an unknown grade": ('city: "70/100"', 'county: "70/100"', "site.targets.shares.county", "county", "可选"),
    "an unknown role": (
        "decided_by: office_reviewer",
        "decided_by: mayor",
        "site.gates.office_review.decided_by",
        "mayor",
        "office_reviewer",
    ),
    "an unknown unit of days": (
        "due: {days: 10, unit: working_days",
        "due: {days: 10, unit: days",
        "site.gates.office_review.due.unit",
        "days",
        "working_days",
    ),
    "another source than default": (
        "at_most: 3\n    source: default",
        "at_most: 3\n    source: ours",
        "site.returns.source",
        "ours",
        "default",
    ),
    "an unknown kind of standard": ("- kind: area", "- kind: garden", "site.standards[2]", None, "未知的种类"),
    "a standard without kind": (
        "- kind: area\n      code",
        "- code",
        "site.standards[2]",
        None,
        "缺少 kind",
    ),
    "a fault inside a standard": (
        "at_least_square_metres: 20",
        "at_least_square_metres: 二十",
        "site.standards[2].at_least_square_metres",
        "二十",
        "须为整数",
    ),
    "a missing clause": ("at_most: 3\n    source: default", "at_most: 3", "site.returns", None, "二者取一"),
    "clause and source both": (
        "at_most: 3\n    source: default",
        "at_most: 3\n    source: default\n    clause: 一",
        "site.returns",
        None,
        "二者取一",
    ),
    "a blank clause": (
        "at_most: 3\n    source: default",
        'at_most: 3\n    clause: " "',
        "site.returns.clause",
        " ",
        "不得只有空白",
    ),
    "a reminder on the day the period starts": (
        "due: {days: 10, unit: working_days, source: default}\n      remind: {days_before: [3, 1]",
        "due: {days: 10, unit: working_days, source: default}\n      remind: {days_before: [10, 1]",
        "site.gates.office_review",
        None,
        "提醒须早于期限:提前10个工作日",
    ),
    "reminders out of order": (
        "remind: {days_before: [2, 1]",
        "remind: {days_before: [1, 2]",
        "site.gates.village_forward.remind",
        None,
        "从早到晚",
    ),
    "no reminder": (
        "remind: {days_before: [2, 1]",
        "remind: {days_before: []",
        "site.gates.village_forward.remind.days_before",
        None,
        "至少写1项",
    ),
    "a reminder on the due day itself": (
        "remind: {days_before: [2, 1]",
        "remind: {days_before: [2, 0]",
        "site.gates.village_forward.remind.days_before[1]",
        0,
        "不得小于1",
    ),
    "an escalation after the lapse": (
        "escalate: {to: village_responsible, after_days: 0",
        "escalate: {to: village_responsible, after_days: 1",
        "site.gates.household_consent",
        None,
        "永远不会发出",
    ),
    "a lapse that the gate can not take": (
        "verdict: not_carried",
        "verdict: approved",
        "site.gates",
        None,
        "不能因期限届满而作出“批准”",
    ),
    "a gate that is missing": (
        "    undelivered_letter:\n      source: default\n      decided_by: office_reviewer\n"
        "      due: {days: 3, unit: working_days, source: default}\n"
        "      remind: {days_before: [1], source: default}\n"
        "      escalate: {to: office_head, after_days: 1, source: default}\n",
        "",
        "site.gates.undelivered_letter",
        None,
        "缺少此项",
    ),
    "a phase that ends before it begins": (
        "until: 2018-09-01",
        "until: 2018-08-01",
        "site.phases[0]",
        None,
        "阶段的结束须晚于开始",
    ),
    "phases that overlap": ("until: 2018-09-01", "until: 2018-09-02", "site", None, "重叠"),
    "a text that ends before it is in force": (
        "until: null\n  source",
        "until: 2018-08-01\n  source",
        "in_force",
        None,
        "失效日须晚于生效日",
    ),
    "bounds the wrong way round": ("at_most: 30", "at_most: 9", "site.standards[1]", None, "下限不得大于上限"),
    "a standard without bounds": (
        "      at_least: 1\n",
        "",
        "site.standards[0]",
        None,
        "至少写一个",
    ),
    "a code written twice": (
        "code: medical",
        "code: elderly",
        "site",
        None,
        "activity_categories 的代码重复:elderly",
    ),
    "a code with capitals": (
        "code: elderly",
        "code: Elderly",
        "site.activity_categories[0].code",
        "Elderly",
        "小写字母",
    ),
    "a leader source written twice": (
        "      - representative\n",
        "      - group_head\n",
        "site.leader",
        None,
        "负责人来源重复:村(居)民小组长",
    ),
    "a case prefix in small letters": ("case_prefix: ZJJ", "case_prefix: zjj", "site.case_prefix", "zjj", "大写字母"),
    "a list for a group of keys": ("in_force:\n", "in_force: []\nin_old:\n", "in_force", [], "须为一组键值"),
    "one value for a list": (
        "any_of: [living_room]",
        "any_of: living_room",
        "site.standards[3].any_of",
        "living_room",
        "须为列表",
    ),
    "a key written twice": (
        "    at_most: 3\n",
        "    at_most: 3\n    at_most: 4\n",
        "site.returns.at_most",
        None,
        "键重复",
    ),
    "a key that is a number": ("    at_most: 3\n", "    at_most: 3\n    4: 5\n", "site.returns", "4", "键须为文字"),
    "a YAML tag": ("at_most: 3\n", "at_most: !!python/none 3\n", "site.returns.at_most", None, "标签"),
    "an id that is not the file's name": ("id: zhujiajiao-2018", "id: other-2018", "id", "other-2018", "文件名"),
    "a day of the month that February lacks": (
        "due_day_of_month_before: 25",
        "due_day_of_month_before: 29",
        "site.monthly_theme.due_day_of_month_before",
        29,
        "不得大于28",
    ),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_policy_is_refused_for(what: str) -> None:
    old, new, path, value, words = FAULTS[what]
    faults = refused(changed(old, new))
    fault = next((one for one in faults if one.path == path), None)
    assert fault is not None, [(one.path, one.reason) for one in faults]
    assert words in fault.reason
    if value is not None:
        assert fault.value == value
    assert fault.file == NAME
    assert str(fault).startswith(f"政策文件 {NAME} 的 {path} 有误:")
    assert re.search(r"(?i)\b(input|should|must|valid|field|extra)\b", fault.reason) is None, "not in Chinese"


def test_money_and_its_gate_come_together_or_not_at_all() -> None:
    start, end = GOOD.index("  subsidy:\n    amount_yuan"), GOOD.index("  activity_categories:")
    (fault,) = refused((GOOD[:start] + GOOD[end:]).encode())
    assert (fault.path, "同时有或同时无" in fault.reason) == ("site", True)


def test_an_alias_is_refused_because_the_text_must_say_what_it_means() -> None:
    text = changed(
        "due: {days: 5, unit: working_days, source: default}",
        "due: &five {days: 5, unit: working_days, source: default}",
    )
    aliased = text.decode().replace("due: {days: 10, unit: working_days, source: default}", "due: *five", 1).encode()
    (fault,) = refused(aliased)
    assert fault.path == "site.gates.office_review.due"
    assert "锚点与别名" in fault.reason


def test_all_faults_are_listed_at_once_in_reading_order() -> None:
    text = changed("at_most: 3\n", "at_most: 0\n").decode().replace("case_prefix: ZJJ", "case_prefix: 1", 1).encode()
    assert [fault.path for fault in refused(text)] == ["site.case_prefix", "site.returns.at_most"]


def test_a_fault_in_the_only_entry_of_a_list_is_not_also_called_an_empty_list() -> None:
    example = (EDITIONS / "example-2026.yaml").read_text(encoding="utf-8")
    text = example.replace("accepts_applications: true", "accepts_applications: 1").encode()
    (fault,) = refused(text, "example-2026")
    assert fault.path == "site.phases[0].accepts_applications"


def test_several_duplicate_keys_are_listed_with_their_lines() -> None:
    text = (GOOD + "id: again\ntitle: again\n").encode()
    faults = refused(text)
    last = len(GOOD.splitlines())
    assert [(fault.path, fault.reason[: len(f"第{last + 1}行")]) for fault in faults] == [
        ("id", f"第{last + 1}行"),
        ("title", f"第{last + 2}行"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.encode("gb18030"), "第1行不是 UTF-8 编码"),
        (b"", "文件是空的"),
        (b"# nothing\n", "文件是空的"),
        (b"- a\n- b\n", "全文须为一组键值"),
        (b"id: a\n  title: b\n", "YAML 语法有误:第2行"),
        (b"id: 'a\n", "YAML 语法有误"),
        (b"id: a\n---\nid: b\n", "一个文件只能有一份文档"),
        (b"id: a\x07\n", "控制字符"),
        (b"%YAML 9\n", "YAML 语法有误"),
    ],
)
def test_a_text_that_is_no_document_is_refused_as_a_whole(text: bytes, words: str) -> None:
    (fault,) = refused(text)
    assert words in fault.reason


def test_a_byte_order_mark_does_no_harm() -> None:
    assert parse_edition(b"\xef\xbb\xbf" + GOOD.encode(), NAME).edition.id == "zhujiajiao-2018"


def test_a_pinned_text_is_read_under_its_id_alone() -> None:
    loaded = parse_edition(GOOD.encode(), "zhujiajiao-2018")
    assert loaded.edition == load_edition(EDITIONS / NAME).edition


def test_a_missing_file_and_a_missing_folder_are_policy_faults(tmp_path: Path) -> None:
    with pytest.raises(BadPolicy, match="文件不存在或无法读取"):
        load_edition(tmp_path / "nowhere.yaml")
    with pytest.raises(BadPolicy, match="没有这个文件夹"):
        load_all(tmp_path / "nowhere")


def test_a_folder_is_refused_for_the_faults_of_all_its_files(tmp_path: Path) -> None:
    shutil.copy(EDITIONS / NAME, tmp_path / "renamed.yaml")
    (tmp_path / "empty.yaml").write_bytes(b"")
    shutil.copy(EDITIONS / NAME, tmp_path / NAME)
    with pytest.raises(BadPolicies) as caught:
        load_all(tmp_path)
    assert [Path(fault.file).name for fault in caught.value.faults] == ["empty.yaml", "renamed.yaml"]
    assert str(caught.value).count("\n") == 1


def test_faults_survive_pickling_as_prefect_does_it() -> None:
    with pytest.raises(BadPolicies) as caught:
        parse_edition(changed("at_most: 3\n", "at_most: 0\n    bogus: 1\n"), NAME)
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert [fault.args for fault in again.faults] == [fault.args for fault in caught.value.faults]
