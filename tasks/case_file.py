"""The case file: what was asked, what happened, what is awaited from whom until when. Read only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models.case import Case, Consent, Site
from models.history import HistoryRow
from models.registry import Unit
from models.work_item import WorkItem
from policies.vocabulary import (
    BeautifulVillage,
    CaseKind,
    CaseStatus,
    CombinedWith,
    Facility,
    Gate,
    SiteStatus,
    UnitKind,
    WorkItemStatus,
)
from rules.periods import SHANGHAI
from rules.quota import targets
from rules.transitions import ALSO_GIVEN_BY, GIVEN_BY
from runtime.resources import Resources, edition_of
from tasks import (
    call_facts,
    campaign_case,
    change_case,
    evaluation_case,
    inspection_case,
    meeting_case,
    notice_facts,
    order_case,
    project_facts,
    resolution_case,
)
from tasks.archive_audit import archived
from tasks.cases import application_of, deciders, entitled, load_case, open_item
from tasks.checklists import done, points
from tasks.ledger_figures import money_lines
from tasks.mail import chinese_date, due_note, names_of, warnings_of
from tasks.rolls import count_answers, households_of


@dataclass(frozen=True)
class Awaited:
    """The gate that waits."""

    work_item: int
    gate: Gate
    round: int
    role: str
    people: tuple[str, ...]
    """Who may decide."""
    helpers: tuple[str, ...]
    """Who else may record single points of the list."""
    above: tuple[str, ...]
    """Who gives the verdicts that are another role's."""
    since: date
    due_on: date
    due_note: str
    late: bool
    refusal: str
    warnings: tuple[str, ...]
    open_points: tuple[str, ...]
    done_points: tuple[str, ...]
    agreeing: int
    missing: tuple[str, ...]
    objecting: tuple[str, ...]
    agreed: tuple[str, ...]


@dataclass(frozen=True)
class CaseFile:
    """Everything about a case that a person may see."""

    number: str
    title: str
    scheme: str
    kind: CaseKind
    village: str
    """Name of the village; of the unit, when the case is not a village's."""
    village_code: str
    group: str
    household: str
    parties: tuple[tuple[str, str], ...]
    """Whose case it is, as labelled rows."""
    opened_on: date
    status: str
    outcome: str
    because: str
    facts: tuple[tuple[str, str], ...]
    awaited: Awaited | None
    undelivered: tuple[str, ...]
    money: tuple[tuple[str, str], ...]
    timeline: tuple[tuple[datetime, str, str], ...]
    last_decision: str
    """As the history tells it; empty while there is none."""
    flow_run_id: str | None
    archived: str
    """Name of the archive file that holds the details; empty: they are here."""


def case_file(resources: Resources, number: str, *, at: datetime) -> CaseFile:
    """Return the case's file as it stands; Refused when there is no such case."""
    with resources.database.read() as session:
        case = load_case(session, number, lock=False)
        item = open_item(session, case)
        query = select(HistoryRow).where(HistoryRow.case_id == case.id).order_by(HistoryRow.seq)
        rows = session.scalars(query).all()
        undelivered = session.scalars(
            select(WorkItem).where(
                WorkItem.case_id == case.id,
                WorkItem.gate == Gate.UNDELIVERED_LETTER,
                WorkItem.status == WorkItemStatus.OPEN,
            )
        )
        edition = edition_of(case)
        return CaseFile(
            number=case.number,
            title=case.title,
            scheme=edition.title,
            kind=case.kind,
            **_place(case),
            opened_on=case.opened_at.astimezone(SHANGHAI).date(),
            status=case.status.label,
            outcome=case.outcome.label if case.outcome else "",
            because=case.because,
            facts=(*FACTS[case.kind](session, case), *call_facts.waited_for(session, case, item)),
            awaited=_awaited(session, case, item, at) if item else None,
            undelivered=tuple(f"信函{each.subject_id}(第{each.round}次)" for each in undelivered),
            money=money_lines(session, case),
            timeline=tuple((row.at, row.actor, row.summary) for row in rows),
            last_decision=_last_decision(rows),
            flow_run_id=case.flow_run_id,
            archived=record.file if (record := archived(session, case.id)) is not None else "",
        )


def _last_decision(rows: Sequence[HistoryRow]) -> str:
    beside = f"“{Gate.UNDELIVERED_LETTER.label}”"
    told = (row.summary for row in reversed(rows) if row.kind == "decision_taken")
    return next((summary for summary in told if not summary.startswith(beside)), "")


class _Place(TypedDict):
    village: str
    village_code: str
    group: str
    household: str
    parties: tuple[tuple[str, str], ...]


def _place(case: Case) -> _Place:
    if case.kind is not CaseKind.SITE:
        unit = case.unit
        parties = [("单位", unit.name)]
        if case.parent is not None:
            parties.append(("所属案件", f"{case.parent.number} {case.parent.title}"))
        return _Place(village=unit.name, village_code=unit.code, group="", household="", parties=tuple(parties))
    group = case.group.name.removeprefix(case.village.name) or case.group.name
    household = f"{case.household.number} {case.household.head_name}"
    return _Place(
        village=case.village.name,
        village_code=case.village.code,
        group=group,
        household=household,
        parties=(("村(居)、组", f"{case.village.name} {group}"), ("申请户", household)),
    )


def _site_facts(session: Session, case: Case) -> tuple[tuple[str, str], ...]:
    application = application_of(session, case)
    return (
        ("负责人", f"{application.leader.display}({application.leader_source.label})"),
        ("推荐组织", application.recommended_by or "—"),
        ("志愿者", f"{application.volunteers}人"),
        ("活动空间", f"{application.area_square_metres.normalize():f}平方米"),
        ("现有设施", "、".join(Facility(code).label for code in application.facilities) or "—"),
        ("特色主题", application.speciality),
        ("结合建设", "、".join(CombinedWith(code).label for code in application.combined_with) or "—"),
        ("提示", ";".join(warnings_of(application, case)) or "无"),
        ("挂牌前须补齐", "、".join(names_of(application.deficiencies, case)) or "无"),
    )


FACTS: dict[CaseKind, Callable[[Session, Case], tuple[tuple[str, str], ...]]] = {
    CaseKind.SITE: _site_facts,
    CaseKind.CALL: call_facts.of_call,
    CaseKind.PROJECT: project_facts.of_project,
    CaseKind.NOTICE: notice_facts.of_notice,
    CaseKind.CAMPAIGN: campaign_case.facts,
    CaseKind.INSPECTION: inspection_case.facts,
    CaseKind.ANNUAL_EVALUATION: evaluation_case.facts,
    CaseKind.JOINT_MEETING: meeting_case.facts,
    CaseKind.RESOLUTION: resolution_case.facts,
    CaseKind.SERVICE_ORDER: order_case.facts,
    CaseKind.SITE_CHANGE: change_case.facts,
}
"""What a page says of each kind of case, as labelled rows."""


def _awaited(session: Session, case: Case, item: WorkItem, at: datetime) -> Awaited:
    consent = item.gate is Gate.HOUSEHOLD_CONSENT
    counted = count_answers(session, item) if consent else None
    finished = done(session, item)
    steps = points(session, item)
    asked = (
        session.scalars(select(Consent.household_id).where(Consent.work_item_id == item.id)).all() if consent else ()
    )
    on = at.astimezone(SHANGHAI).date()
    # Where another case decides, nobody is waited for: whose case it is may only take it back.
    able = {} if item.gate.waits_for_a_case else {each.id: each for each in deciders(session, item, on=on)}
    others = {
        each.id: each
        for point in steps
        if point.role is not item.role and point.code not in finished
        for each in entitled(session, case, point.role, on=on)
    }
    unsettled = {*counted.missing, *counted.objecting} if counted else set()
    return Awaited(
        work_item=item.id,
        gate=item.gate,
        round=item.round,
        role=item.role.label,
        people=tuple(each.display for each in able.values()),
        helpers=tuple(each.display for each in others.values() if each.id not in able),
        above=tuple(
            each.display
            for (gate, _), role in (GIVEN_BY | ALSO_GIVEN_BY).items()
            if gate is item.gate
            for each in entitled(session, case, role, on=on)
        ),
        since=item.opened_at.astimezone(SHANGHAI).date(),
        due_on=item.due_on,
        due_note=due_note(item),
        late=at >= item.due_at,
        refusal=item.refusal,
        warnings=names_of(application_of(session, case).warnings, case) if case.kind is CaseKind.SITE else (),
        open_points=tuple(point.name for point in steps if point.code not in finished),
        done_points=tuple(
            f"{point.name}({chinese_date(finished[point.code].done_on)})" for point in steps if point.code in finished
        ),
        agreeing=counted.agreeing if counted else 0,
        missing=households_of(session, item, tuple(counted.missing)) if counted else (),
        objecting=households_of(session, item, tuple(counted.objecting)) if counted else (),
        agreed=households_of(session, item, [each for each in asked if each not in unsettled]),
    )


def waits_for(file: CaseFile) -> str:
    """Return in a few words what the case waits for, from whom, until when; how it ended when it does not wait."""
    awaited = file.awaited
    if awaited is None:
        return f"{file.outcome}(已归档)" if file.archived else file.outcome or "处理中"
    late = " 已逾期" if awaited.late else ""
    people = f":{'、'.join(awaited.people)}" if awaited.people else ""
    return f"等待{awaited.gate.label}(至{awaited.due_on}{late}){people}"


def as_markdown(file: CaseFile) -> str:
    """Return the case file as Markdown: for the artifact, the form's head, and the CLI."""
    lines = [f"# {file.number} {file.title}", "", situation(file), ""]
    lines += ["| 项目 | 内容 |", "|---|---|"]
    lines += [
        f"| {name} | {_cell(value)} |"
        for name, value in (
            ("政策", f"《{file.scheme}》"),
            *file.parties,
            ("立案日期" if file.kind is not CaseKind.SITE else "申请日期", chinese_date(file.opened_on)),
            *file.facts,
            *file.money,
        )
    ]
    lines += ["", "## 办理记录", "", "| 时间 | 办理人 | 事项 |", "|---|---|---|"]
    lines += [
        f"| {moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M} | {_cell(actor)} | {_cell(summary)} |"
        for moment, actor, summary in file.timeline
    ]
    return "\n".join(lines) + "\n"


def situation(file: CaseFile) -> str:
    """Return in one paragraph what is awaited, from whom, until when."""
    if file.outcome:
        gone = (
            f"\n\n已归档({file.archived}):归档以前的办理记录、信函、签名在归档文件中,"
            f"用 ketang archive show {file.archived} {file.number} 查看"
        )
        because = f"({file.because})" if file.because else ""
        return f"**{file.status}:{file.outcome}**{because}{gone if file.archived else ''}"
    awaited = file.awaited
    if awaited is None:
        return f"**{file.status}**,系统正在处理"
    late = "**已逾期**," if awaited.late else ""
    if awaited.gate.waits_for_a_case:
        return f"**等待“{awaited.gate.label}”**:由系统在相关案件办结后自动接续,预计至{chinese_date(awaited.due_on)}"
    text = (
        f"**等待“{awaited.gate.label}”**(第{awaited.round}轮):{late}由{awaited.role}"
        f"{'、'.join(awaited.people) or '(登记簿中尚无人担任)'}办理,期限至**{chinese_date(awaited.due_on)}**。"
        f"{awaited.due_note}"
    )
    if awaited.gate is Gate.HOUSEHOLD_CONSENT:
        text += f"\n\n已同意{awaited.agreeing}户"
        text += f";未答复{len(awaited.missing)}户:{'、'.join(awaited.missing)}" if awaited.missing else ""
        text += f";不同意{len(awaited.objecting)}户:{'、'.join(awaited.objecting)}" if awaited.objecting else ""
    if awaited.open_points or awaited.done_points:
        helpers = f"(其中须由{'、'.join(awaited.helpers)}登记的,由其本人选择办理人)" if awaited.helpers else ""
        text += f"\n\n待完成{helpers}:{_listed(awaited.open_points)};已完成:{_listed(awaited.done_points)}"
    if file.undelivered:
        text += f"\n\n另有未送达信函待处理:{'、'.join(file.undelivered)}"
    return text


def _listed(names: tuple[str, ...]) -> str:
    return "、".join(names) or "无"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


@dataclass(frozen=True)
class VillageProgress:
    """How many of a village's groups have a site, against the target (D0-R5)."""

    village: str
    village_code: str
    grade: str
    groups: int
    target: int
    listed: int
    running: int


def progress(resources: Resources, village_code: str) -> list[VillageProgress]:
    """
    Return a village's progress per grade of its groups against the targets of the town's edition in use.

    Source: D0-R5 (share of the groups, rounded up), D1-R2 has no target by share: then the target is 0.
    """
    with resources.database.read() as session:
        village = session.scalars(select(Unit).where(Unit.code == village_code)).one()
        loaded = resources.editions.get(village.above(UnitKind.TOWN).edition_id or "")
        grades = _by_grade(
            session,
            select(Unit.beautiful_village, func.count(Unit.id)).where(
                Unit.parent_id == village.id, Unit.kind == UnitKind.GROUP
            ),
        )
        wanted = targets(loaded.edition.for_sites.targets, groups=grades) if loaded and loaded.edition.site else {}
        listed = _by_grade(
            session,
            select(Unit.beautiful_village, func.count(func.distinct(Site.group_id)))
            .join(Unit, Unit.id == Site.group_id)
            .where(Site.village_id == village.id, Site.status == SiteStatus.ACTIVE),
        )
        running = _by_grade(
            session,
            select(Unit.beautiful_village, func.count(Case.id))
            .join(Unit, Unit.id == Case.group_id)
            .where(Case.village_id == village.id, Case.kind == CaseKind.SITE, Case.status == CaseStatus.OPEN),
        )
        return [
            VillageProgress(
                village=village.name,
                village_code=village.code,
                grade=grade.label,
                groups=grades[grade],
                target=wanted.get(grade, 0),
                listed=listed.get(grade, 0),
                running=running.get(grade, 0),
            )
            for grade in BeautifulVillage
            if grade in grades
        ]


def _by_grade(session: Session, query: Select[tuple[BeautifulVillage, int]]) -> dict[BeautifulVillage, int]:
    return dict(session.execute(query.group_by(Unit.beautiful_village)).tuples().all())
