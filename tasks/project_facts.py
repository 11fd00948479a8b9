"""What a page says of a call and of a project, as labelled rows."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.case import Case
from models.project import Project
from rules.money import in_yuan
from runtime.resources import edition_of
from tasks.cases import call_of, project_of

Rows = tuple[tuple[str, str], ...]


def of_call(session: Session, case: Case) -> Rows:
    """Return the facts of a call: what is asked for, until when, within which budget."""
    call, kinds = call_of(session, case), {kind.code: kind.name for kind in edition_of(case).for_projects.kinds}
    proposals = session.scalar(select(func.count(Project.id)).where(Project.call_case_id == case.id))
    return (
        ("征集内容", call.purpose),
        ("征集期", f"{call.opens_on}至{call.closes_on}"),
        ("征集类别", "、".join(kinds[code] for code in call.kinds)),
        ("预算总额", in_yuan(call.budget_fen)),
        ("申报项目", f"{proposals}个"),
    )


def of_project(session: Session, case: Case) -> Rows:
    """Return the facts of a project: what it is, where it stands."""
    project, kinds = project_of(session, case), {kind.code: kind.name for kind in edition_of(case).for_projects.kinds}
    rows = [
        ("提议人", project.leader.display),
        ("类别", kinds.get(project.kind, project.kind)),
        ("内容", project.content),
        ("受益人群", project.beneficiaries),
        ("预期效益", project.expected_benefit),
        ("申请金额", in_yuan(project.amount_fen)),
        ("遴选情况", project.standing.label + (f":{project.standing_because}" if project.standing_because else "")),
    ]
    if project.granted_fen is not None:
        rows.append(("核定金额", in_yuan(project.granted_fen)))
    return tuple(rows)
