"""What a page says of a call, as labelled rows: what is called for, and how its proposals stand."""

from fractions import Fraction

from sqlalchemy.orm import Session

from models.case import Case
from models.project import Project
from models.work_item import WorkItem
from policies.vocabulary import Gate, ProjectStanding
from rules.money import in_yuan
from rules.scoring import shown
from tasks import selection
from tasks.call_projects import kinds_told, named, panel_of, projects_of, roll_of, signed_in
from tasks.call_report import report_of
from tasks.cases import call_of, open_item
from tasks.survey_answers import too_few

Rows = tuple[tuple[str, str], ...]
REPORTED = (("attainment", "达成情况"), ("problems", "存在的问题"), ("next_steps", "下一步打算"))


def of_call(session: Session, case: Case) -> Rows:
    """Return the facts of a call: what is asked for and until when, its proposals, what is missing."""
    call, projects = call_of(session, case), projects_of(session, case)
    rows = [
        ("征集内容", call.purpose),
        ("申报期", f"{call.opens_on}至{call.closes_on}"),
        ("征集类别", kinds_told(case, call.kinds)),
        ("预算总额", in_yuan(call.budget_fen)),
        ("评审组", "、".join(each.display for each in panel_of(session, case).values())),
        ("申报项目", f"{len(projects)}个,合计{in_yuan(sum(each.amount_fen for each in projects))}"),
        *((each.case.number, _line(each)) for each in projects),
    ]
    if roll := roll_of(session, case):
        rows.append(("表决会议", f"应到{len(roll)}人,实到{len(signed_in(session, case))}人"))
    item = open_item(session, case)
    lacks: tuple[str, ...] = ()
    if item is not None and item.gate is Gate.SURVEY:
        lacks = tuple(too_few(session, case))
    elif item is not None and item.gate is Gate.SCREENING:
        lacks = selection.missing(session, case)
    if lacks:
        rows.append(("尚缺", ";".join(lacks)))
    if (report := report_of(session, case)) is not None:
        rows += [(label, str(report[name])) for name, label in REPORTED]
    return tuple(rows)


def _line(project: Project) -> str:
    parts = [
        f"“{project.case.title}”",
        project.case.unit.name,
        project.leader.name,
        in_yuan(project.amount_fen),
    ]
    if answers := project.in_favour + project.against + project.indifferent:
        parts.append(f"意见{answers}份、赞成{project.in_favour}份")
    if project.score:
        parts.append(f"{shown(Fraction(project.score))}分")
    if project.rank is not None:
        parts.append(f"第{project.rank}名")
    parts.append(project.standing.label)
    return ",".join(parts)


def waited_for(session: Session, case: Case, item: WorkItem | None) -> Rows:
    """
    Return what a proposal that was not settled yet waits for: its call's gate and until when.

    Args:
        item: the gate of the case that waits.
    """
    call = case.parent
    if call is None or item is None or item.gate is not Gate.SELECTION:
        return ()
    above = open_item(session, call)
    if above is None:
        return (("等待", f"征集 {call.number} 进入下一环节"),)
    return (("等待", f"征集 {call.number} 的“{above.gate.label}”,至{above.due_on}"),)


def choices(session: Session, case: Case) -> tuple[str, ...]:
    """Return the proposals that still take part, as forms offer them."""
    return tuple(named(each) for each in projects_of(session, case) if each.standing is ProjectStanding.PROPOSED)
