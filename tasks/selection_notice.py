"""What the public notice of a selection says: the projects chosen, with amounts, and those that were not, with why."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.notice import Notice
from models.project import Project
from models.work_item import WorkItem
from policies.vocabulary import NoticeKind, ProjectStanding
from rules.money import in_capitals, in_yuan
from runtime.resources import edition_of
from tasks.act import Act
from tasks.call_projects import projects_of, standing
from tasks.cases import call_of
from tasks.history import SYSTEM, append
from tasks.mail import chinese_date
from tasks.notices import NoticeItem, open_notice


def publish(act: Act, case: Case, item: WorkItem) -> Case:
    """
    Publish the notice of a call's selection; safe to repeat because a round publishes one (D2-R9, D2-R10).

    Args:
        case: the call, locked.
        item: the gate SELECTION_NOTICE that opens; its round tells a notice from the one before.

    Returns:
        The notice's case.
    """
    call = call_of(act.session, case)
    again = f"（第{item.round}次）" if item.round > 1 else ""
    notice = open_notice(
        act,
        parent=case,
        unit=case.unit,
        edition=case.edition,
        kind=NoticeKind.SELECTION,
        title=f"“{case.title}”拟入选微项目的公示{again}",
        text="\n".join(paragraphs(act.session, case, again=_again(act.session, case))),
        items=[NoticeItem(label=chosen(each), case_id=each.case_id) for each in in_rank(act.session, case)],
        contact=call.contact,
        place=call.place,
        key=f"{case.number}:selection:{item.round}",
        actor=SYSTEM,
    )
    append(
        act.session,
        case,
        kind="selection_noticed",
        actor=SYSTEM,
        summary=f"拟入选项目开始公示{again}:{notice.number}",
        at=act.at,
        data={
            "notice": notice.number,
            "round": item.round,
            "selected": [each.case.number for each in in_rank(act.session, case)],
        },
    )
    return notice


def in_rank(session: Session, case: Case) -> list[Project]:
    """Return the proposals that are to be carried out, in rank."""
    return sorted(standing(session, case, ProjectStanding.SELECTED), key=lambda each: (each.rank or 0, each.id))


def _again(session: Session, case: Case) -> str:
    """Return why the list is noticed again, and whether it is another one; empty the first time."""
    last = session.scalars(
        select(Notice).join(Case, Case.id == Notice.case_id).where(Case.parent_id == case.id).order_by(Notice.id.desc())
    ).first()
    if last is None:
        return ""
    before, now = {each["case"] for each in last.items}, {each.case_id for each in in_rank(session, case)}
    return f"因异议成立，{'名单已作调整，' if before != now else '名单不变，'}重新公示。"


def paragraphs(session: Session, case: Case, *, again: str) -> Iterator[str]:
    """
    Yield the notice's paragraphs.

    Args:
        again: the sentence that says why it is noticed again; empty the first time.
    """
    call, selected = call_of(session, case), in_rank(session, case)
    total = sum(each.amount_fen for each in selected)
    closed = f"{chinese_date(call.opens_on)}至{chinese_date(call.closes_on)}"
    yield (
        f"根据《{edition_of(case).title}》，{case.unit.name}于{closed}征集微项目“{case.title}”。"
        f"经{'社情民意调研、' if edition_of(case).for_projects.survey else ''}协商筛选，"
        f"下列{len(selected)}个项目拟予实施，共{in_yuan(total)}（{in_capitals(total)}），现予公示" + f"。{again}"
    )
    yield from (chosen(each) + "。" for each in selected)
    left = [
        each
        for each in projects_of(session, case)
        if each.standing not in (ProjectStanding.SELECTED, ProjectStanding.WITHDRAWN)
    ]
    if left:
        yield "下列申报项目未入选："
        yield from (
            f"{each.case.unit.name}“{each.case.title}”：{each.standing.label}"
            + (f"（{each.standing_because}）" if each.standing_because else "")
            + "。"
            for each in left
        )


def chosen(project: Project) -> str:
    """Return a chosen project as the notice lists it: rank, title, village, proposer, amount (also in capitals)."""
    return (
        f"第{project.rank}名 “{project.case.title}”，{project.case.unit.name}，提议人{project.leader.name}，"
        f"{in_yuan(project.amount_fen)}（{in_capitals(project.amount_fen)}）"
    )
