"""One page of a listed parlour: what stands, what it did in a year, what the office did about it. Read only."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.case import Case, Site
from models.evaluation import EvaluationResult, YearEvaluation
from models.inspection import Inspection
from models.ledger import LedgerAccount
from models.service import ServiceOrder
from models.site_change import SiteChange
from models.site_life import Activity, PublicityItem, PublicitySite, SiteSpell, Theme
from policies.vocabulary import CaseStatus, LedgerLevel
from rules.money import in_yuan
from rules.periods import shanghai_day
from runtime.resources import Resources, edition_of
from tasks.cases import local_day, open_item
from tasks.change_words import placed
from tasks.living import site_named

Rows = list[Sequence[str]]
Part = tuple[str, tuple[str, ...], Callable[[Session, Site, int], Rows]]
"""Its heading, where ``{year}`` stands for the year; its columns; what reads its rows."""


def site_page(resources: Resources, text: str, *, at: datetime, year: int | None = None) -> str:
    """
    Return everything that is on record of a listed parlour, as Markdown.

    Args:
        text: its number, that of its case, or that of its household.
        year: whose themes, activities and reports are shown; None: that of `at`.

    Raises:
        Refused: no such parlour.
    """
    chosen = year or local_day(at).year
    with resources.database.read() as session:
        site = site_named(session, text)
        lines = [f"# {site.number} {site.case.title}", ""]
        lines += _table(("项目", "内容"), _standing(session, site))
        for heading, columns, read in PARTS:
            rows = read(session, site, chosen)
            lines += ["", f"## {heading.format(year=chosen)}", ""]
            lines += _table(columns, rows) if rows else ["无"]
    return "\n".join(lines) + "\n"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    written = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return written + [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _standing(session: Session, site: Site) -> Rows:
    spell = session.scalars(select(SiteSpell).where(SiteSpell.site_id == site.id, SiteSpell.until.is_(None))).one()
    held = session.scalar(
        select(LedgerAccount.balance_fen).where(
            LedgerAccount.case_id == site.case_id, LedgerAccount.level == LedgerLevel.VILLAGE
        )
    )
    return [
        ("所在户", f"{site.household.number} {placed(site.household)}"),
        ("负责人", site.leader.display),
        ("特色主题", site.speciality),
        ("状态", f"{site.status.label}(自{spell.since})"),
        ("列入名册", str(shanghai_day(site.activated_at))),
        ("补贴结余", "无补贴" if held is None else in_yuan(held)),
    ]


def _spells(session: Session, site: Site, year: int) -> Rows:
    spells = session.scalars(select(SiteSpell).where(SiteSpell.site_id == site.id).order_by(SiteSpell.since))
    cases = dict(
        session.execute(
            select(Case.id, Case.number)
            .join(SiteSpell, SiteSpell.case_id == Case.id)
            .where(SiteSpell.site_id == site.id)
        )
        .tuples()
        .all()
    )
    return [
        (
            each.status.label,
            str(each.since),
            f"{each.until}前" if each.until else "至今",
            each.because,
            cases.get(each.case_id or 0, ""),
        )
        for each in spells
    ]


def _themes(session: Session, site: Site, year: int) -> Rows:
    query = select(Theme).where(Theme.site_id == site.id, *_within(Theme.month, year)).order_by(Theme.month)
    return [
        (f"{each.month.month}月", each.title, str(shanghai_day(each.recorded_at)) + ("(逾期)" if each.late else ""))
        for each in session.scalars(query)
    ]


def _activities(session: Session, site: Site, year: int) -> Rows:
    held = session.execute(
        select(Activity.held_on, Activity.attendance).where(
            Activity.site_id == site.id, Activity.voided_at.is_(None), *_within(Activity.held_on, year)
        )
    ).tuples()
    sums: dict[int, tuple[int, int]] = {}
    for day, attendance in held:
        sessions, people = sums.get(day.month, (0, 0))
        sums[day.month] = (sessions + 1, people + attendance)
    rows: Rows = [(f"{month}月", f"{count}场", f"{people}人次") for month, (count, people) in sorted(sums.items())]
    if rows:
        total, people = (sum(each) for each in zip(*sums.values(), strict=True))
        rows.append(("合计", f"{total}场", f"{people}人次"))
    return rows


def _publicity(session: Session, site: Site, year: int) -> Rows:
    channels = {each.code: each.name for each in edition_of(site.case).for_sites.publicity_channels}
    query = (
        select(PublicityItem)
        .join(PublicitySite, PublicitySite.item_id == PublicityItem.id)
        .where(
            PublicitySite.site_id == site.id,
            PublicityItem.voided_at.is_(None),
            *_within(PublicityItem.published_on, year),
        )
        .order_by(PublicityItem.published_on, PublicityItem.id)
    )
    return [
        (str(each.published_on), channels.get(each.channel, each.channel), each.title)
        for each in session.scalars(query)
    ]


def _inspections(session: Session, site: Site, year: int) -> Rows:
    query = select(Case).join(Inspection, Inspection.case_id == Case.id).where(Inspection.site_id == site.id)
    return [
        (each.number, each.title, _opened(each), _state(session, each))
        for each in session.scalars(query.order_by(Case.id))
    ]


def _orders(session: Session, site: Site, year: int) -> Rows:
    query = select(ServiceOrder).where(ServiceOrder.site_id == site.id).order_by(ServiceOrder.id)
    return [
        (
            each.case.number,
            each.item.name,
            str(each.wished_on),
            str(each.delivered_on or ""),
            f"{each.rating}分" if each.rating is not None else "",
            _state(session, each.case),
        )
        for each in session.scalars(query)
    ]


def _changes(session: Session, site: Site, year: int) -> Rows:
    query = select(SiteChange).where(SiteChange.site_id == site.id).order_by(SiteChange.id)
    return [
        (
            each.case.number,
            each.kind.label,
            _opened(each.case),
            str(each.effective_on or ""),
            _state(session, each.case),
        )
        for each in session.scalars(query)
    ]


def _evaluations(session: Session, site: Site, year: int) -> Rows:
    query = (
        select(EvaluationResult, YearEvaluation)
        .join(YearEvaluation, YearEvaluation.id == EvaluationResult.evaluation_id)
        .where(EvaluationResult.site_id == site.id, EvaluationResult.round == YearEvaluation.round)
        .order_by(YearEvaluation.year)
    )
    rows: Rows = []
    for result, evaluation in session.execute(query).tuples():
        policy = edition_of(evaluation.case).for_sites.evaluation
        grades = {each.code: each.name for each in policy.grades} if policy else {}
        rows.append(
            (
                f"{evaluation.year}年",
                f"{result.points_tenths // 10}.{result.points_tenths % 10}分",
                f"第{result.rank}名",
                grades.get(result.grade, result.grade),
                "已确定" if evaluation.final else "未确定",
            )
        )
    return rows


def _opened(case: Case) -> str:
    return str(shanghai_day(case.opened_at))


def _state(session: Session, case: Case) -> str:
    """Return how a case ended, or at which gate it waits."""
    if case.status is CaseStatus.CLOSED:
        return case.outcome.label if case.outcome else case.status.label
    item = open_item(session, case)
    return f"等待{item.gate.label}(至{item.due_on})" if item else case.status.label


def _within(day: InstrumentedAttribute[date], year: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return day >= date(year, 1, 1), day < date(year + 1, 1, 1)


PARTS: tuple[Part, ...] = (
    ("状态", ("状态", "自", "至", "原因", "案件"), _spells),
    ("{year}年月度主题", ("月份", "主题", "报送日期"), _themes),
    ("{year}年活动", ("月份", "场次", "参加人次"), _activities),
    ("{year}年宣传报道", ("日期", "渠道", "标题"), _publicity),
    ("督查", ("案件", "名称", "开始", "结果"), _inspections),
    ("服务点单", ("案件", "服务项目", "希望日期", "送达日期", "评价", "结果"), _orders),
    ("变更", ("案件", "事项", "申请日期", "生效日期", "结果"), _changes),
    ("年度考核", ("年度", "得分", "名次", "等次", "状态"), _evaluations),
)
"""In the order in which they stand on the page."""
