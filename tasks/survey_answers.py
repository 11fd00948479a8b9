"""
What the survey of opinion amounts to: its entries, each proposal's finding, who is set aside (D2-R9).

Read by the survey's commands, by its end in time, and by pages. The entries stand in the projects' histories.
"""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.history import HistoryRow
from models.project import Project
from models.work_item import WorkItem
from policies.errors import Refused
from policies.micro_scheme import SurveyRule
from policies.vocabulary import ProjectStanding
from rules.survey import Opinion, SurveyFinding, finding
from runtime.resources import edition_of
from tasks.act import Act
from tasks.call_projects import counted, named, stand, standing

RECORDED, CORRECTED = "survey_recorded", "survey_corrected"


@dataclass(frozen=True)
class Entry:
    """One entry of a survey as it counts now."""

    number: int
    channel: str
    held_on: date
    in_favour: int
    against: int
    indifferent: int


def rule_of(case: Case) -> SurveyRule:
    """Return the survey's rule; LookupError when the edition has no survey."""
    rule = edition_of(case).for_projects.survey
    if rule is None:
        raise LookupError(f"edition {case.edition_id} has no survey")
    return rule


def entries_of(session: Session, case: Case) -> list[Entry]:
    """Return the entries of a project's survey as they count now, corrections applied, by number."""
    rows = session.scalars(
        select(HistoryRow)
        .where(HistoryRow.case_id == case.id, HistoryRow.kind.in_((RECORDED, CORRECTED)))
        .order_by(HistoryRow.seq)
    )
    found = {data["entry"]: data for data in (data_of(row) for row in rows)}
    return [
        Entry(
            number=number,
            channel=data["channel"],
            held_on=date.fromisoformat(data["held_on"]),
            in_favour=data["in_favour"],
            against=data["against"],
            indifferent=data["indifferent"],
        )
        for number, data in sorted(found.items())
    ]


def found(project: Project, rule: SurveyRule) -> SurveyFinding:
    """Return what the survey says of a proposal as it stands."""
    return finding(rule, in_favour=project.in_favour, against=project.against, indifferent=project.indifferent)


def check_complete(act: Act, case: Case) -> None:
    """Refuse to complete a survey while a proposal has too few answers; names each with its figures."""
    if missing := too_few(act.session, case):
        raise Refused(rule_of(case).where, f"调研还不能完成:{';'.join(missing)}。请补充调研后再提交")


def settle(act: Act, case: Case) -> None:
    """
    Set aside the proposals that the survey does not support, each with the worked reason.

    Where the survey only informs the panel, one with too few answers is screened; the reason says so.
    """
    rule = rule_of(case)
    for project in standing(act.session, case, ProjectStanding.PROPOSED):
        opinion = found(project, rule)
        if not opinion.goes_on:
            stand(act, project, ProjectStanding.NOT_SUPPORTED, opinion.reason)
        elif not opinion.supported:
            stand(act, project, ProjectStanding.PROPOSED, f"{opinion.reason},调研仅供评审参考,进入筛选")


def told_to_panel(case: Case, project: Project) -> str:
    """Return what the survey says of a proposal, for the panel; empty when the edition has no survey."""
    rule = edition_of(case).for_projects.survey
    return found(project, rule).reason if rule is not None else ""


def entries_told(session: Session, case: Case) -> str:
    """Return the entries of all proposals that take part, as a form's hint: number, channel and counts."""
    told = [
        f"{named(project)}第{each.number}号({each.channel},{each.in_favour}/{each.against}/{each.indifferent})"
        for project in standing(session, case, ProjectStanding.PROPOSED)
        for each in entries_of(session, project.case)
    ]
    return ";".join(told) or "(尚无)"


def end_window(act: Act, item: WorkItem) -> tuple[str, dict[str, Any]]:
    """Count the proposals at the end of a call's window; return why it ended and what the decision keeps (D2-R9)."""
    proposals = counted(act.session, item.case)
    return f"征集期满,有效申报{proposals}个", {"proposals": proposals}


def end_survey(act: Act, item: WorkItem) -> tuple[str, dict[str, Any]]:
    """Settle a survey that time has ended; return why it ended and what the decision keeps (D2-R9)."""
    settle(act, item.case)
    left = standing(act.session, item.case, ProjectStanding.PROPOSED)
    return f"调研期满,{len(left)}个项目进入筛选", {"supported": [each.case.number for each in left]}


def too_few(session: Session, case: Case) -> list[str]:
    """Return the proposals that have too few answers, each with its figures; empty: the survey may be completed."""
    rule = rule_of(case)
    opinions = [(each, found(each, rule)) for each in standing(session, case, ProjectStanding.PROPOSED)]
    return [
        f"{named(project)}{opinion.reason}"
        for project, opinion in opinions
        if opinion.opinion is Opinion.TOO_FEW_ANSWERS
    ]


def data_of(row: HistoryRow) -> dict[str, Any]:
    """Return what a history row keeps, as JSON values."""
    data: dict[str, Any] = json.loads(row.data)
    return data
