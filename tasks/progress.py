"""What is done for a project while it is carried out: records of progress; and how far it is (D2-R9)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.project import ProgressRecord
from models.registry import Person
from models.work_item import WorkItem
from policies.errors import Refused
from policies.vocabulary import CaseKind, Gate, Role, WorkItemStatus
from runtime.resources import Resources, edition_of
from tasks.act import Act, acting
from tasks.cases import entitled, load_case, local_day, open_item, person_of, project_of
from tasks.documents import attach
from tasks.funds import check_kind
from tasks.history import append
from tasks.mail import chinese_date
from tasks.project_commands import RecordProgress

VILLAGE = (Role.VILLAGE_RESPONSIBLE, Role.LIAISON)


def record_progress(resources: Resources, command: RecordProgress, *, at: datetime) -> None:
    """
    Record what was done for a project, from the arrival of its money until it is accepted (D2-R9).

    Raises:
        Refused: not carried out now, neither its leader nor the village, a day in the future or before the project
            was proposed, or a named file that is not there.
    """
    with acting(resources, at=at) as act:
        case = load_case(act.session, command.case)
        check_kind(case, CaseKind.PROJECT, deed="登记项目进展")
        where = edition_of(case).for_projects.plan.where
        person = _allowed(act, case, command.by)
        _check_stage(act, case, where)
        if command.happened_on > act.day:
            raise Refused(where, f"进展日期{chinese_date(command.happened_on)}晚于今天,请核对")
        if command.happened_on < local_day(case.opened_at):
            raise Refused(
                where,
                f"进展日期{chinese_date(command.happened_on)}早于申报日{chinese_date(local_day(case.opened_at))},请核对",
            )
        document = None
        if command.proof:
            document = attach(
                act.session,
                case,
                folder=resources.settings.documents_folder,
                reference=command.proof,
                kind="progress",
                by=person,
                at=at,
            )
        act.session.add(
            ProgressRecord(
                case_id=case.id,
                happened_on=command.happened_on,
                summary=command.summary,
                percent=command.percent,
                document_id=document.id if document else None,
                recorded_at=at,
                recorded_by_id=person.id,
            )
        )
        append(
            act.session,
            case,
            kind="progress_recorded",
            actor=person.display,
            summary=f"{chinese_date(command.happened_on)}进展(总体{command.percent}%):{command.summary}"
            + (f",材料:{document.reference}" if document else ""),
            at=at,
            data={
                "happened_on": command.happened_on.isoformat(),
                "percent": command.percent,
                "document": document.id if document else None,
                "sha256": document.sha256 if document else "",
            },
        )


def _allowed(act: Act, case: Case, text: str) -> Person:
    person = person_of(act.session, text)
    able = [project_of(act.session, case).leader]
    able += [each for role in VILLAGE for each in entitled(act.session, case, role, on=act.day)]
    if person.id not in {each.id for each in able}:
        names = "、".join(dict.fromkeys(each.display for each in able))
        raise Refused(
            edition_of(case).for_projects.plan.where,
            f"{person.display}无权登记项目进展:须由项目负责人、村(居)委会责任人或联络员登记,现为{names}",
        )
    return person


def _check_stage(act: Act, case: Case, where: str) -> None:
    """Refuse before the project's money has arrived, and after it was accepted or given up."""
    items = act.session.scalars(
        select(WorkItem).where(
            WorkItem.case_id == case.id, WorkItem.gate.in_((Gate.FUNDING, Gate.EVALUATION, Gate.SETTLEMENT))
        )
    ).all()
    funded = any(item.gate is Gate.FUNDING and item.status is WorkItemStatus.CLOSED for item in items)
    if funded and all(item.gate is Gate.FUNDING for item in items):
        return
    item = open_item(act.session, case)
    now = f"现处于“{item.gate.label}”环节" if item else "现无待办环节"
    raise Refused(where, f"项目 {case.number} {now},不能登记进展:实施期自资金到账起,至验收合格或终止实施为止")


def last_progress(session: Session, case: Case) -> ProgressRecord | None:
    """Return what was recorded last; None while nothing was."""
    return session.scalars(
        select(ProgressRecord).where(ProgressRecord.case_id == case.id).order_by(ProgressRecord.id.desc()).limit(1)
    ).one_or_none()
