"""What a joint meeting decided (议定事项): given to somebody with a day, done, or put off by the head (D1-R4)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.meeting import Meeting, Resolution
from models.registry import Person, Unit
from models.work_item import Decision
from policies.errors import Refused
from policies.vocabulary import CaseKind, CaseStatus, Door, Gate, Verdict
from rules.transitions import ALSO_GIVEN_BY, GIVEN_BY, check_verdict
from rules.window import spoken_day
from runtime.resources import Resources
from tasks import items, meeting_mail
from tasks.act import Act
from tasks.cases import Asked, check_authority, load_case, meeting_of, person_of, policy_of, resolution_of
from tasks.deciding import deciding, item_to_decide
from tasks.documents import attach
from tasks.living import keep, open_case
from tasks.meeting_commands import CompleteResolution, PostponeResolution, ResolutionEntry
from tasks.meeting_rules import joint_meeting_of

TITLE_LONGEST = 40


def open_resolution(
    act: Act, case: Case, meeting: Meeting, entry: ResolutionEntry, *, seq: int, by: Person, door: Door
) -> Resolution:
    """
    Give something that the meeting decided to who is responsible: a case of its own, its gate open, the letter written.

    Args:
        case: the meeting's, held locked.
        seq: its number in the meeting, from 1.

    Raises:
        Refused: nobody such in the register, or the day is before the meeting's or over already.
    """
    where = policy_of(case, Gate.FOLLOW_UP).where
    responsible = person_of(act.session, entry.responsible)
    assert meeting.held_on is not None  # noqa: S101 - a meeting that decides something was held
    if entry.due_on < meeting.held_on:
        raise Refused(
            where,
            f"第{seq}项议定事项的完成期限{spoken_day(entry.due_on)}早于会议召开的{spoken_day(meeting.held_on)};请改正",
        )
    rule = joint_meeting_of(case)
    its_case = open_case(
        act,
        kind=CaseKind.RESOLUTION,
        loaded=act.resources.editions[case.edition_id],
        prefix=rule.resolution_prefix,
        key=f"{case.number}:resolution:{seq}",
        title=_title(entry.text),
        unit=_unit_of(meeting, responsible),
        actor=by.display,
        door=door,
        summary=f"{case.title}议定:由{responsible.display}承办,期限至{entry.due_on}",
        parent=case,
        data={"seq": seq, "responsible": responsible.id, "due_on": entry.due_on.isoformat()},
    )
    resolution = Resolution(
        case_id=its_case.id,
        meeting_case_id=case.id,
        seq=seq,
        text=entry.text,
        responsible_id=responsible.id,
        due_on=entry.due_on,
        postponed=[],
    )
    resolution.case, resolution.meeting_case, resolution.responsible = its_case, case, responsible
    act.session.add(resolution)
    keep(act, its_case, [resolution], actor=by.display, summary=f"议定事项第{seq}项:{entry.text}")
    # Not left to the first run: who is responsible is reminded also while Prefect is away.
    items.create(act, its_case, Gate.FOLLOW_UP, 1, last=entry.due_on)
    meeting_mail.assign(act, resolution, round_=1)
    return resolution


def _title(text: str) -> str:
    first = text.strip().splitlines()[0].rstrip("。;；")
    return first if len(first) <= TITLE_LONGEST else f"{first[: TITLE_LONGEST - 1]}…"


def _unit_of(meeting: Meeting, responsible: Person) -> Unit:
    """Return for which unit who is responsible came to the meeting; the town for anybody else."""
    return next((seat.unit for seat in meeting.seats if seat.person_id == responsible.id), meeting.unit)


def resolutions_of(session: Session, meeting_case: Case) -> list[Resolution]:
    """Return what a meeting decided, in its order."""
    return list(
        session.scalars(
            select(Resolution).where(Resolution.meeting_case_id == meeting_case.id).order_by(Resolution.seq)
        )
    )


def running(session: Session, meeting_case: Case) -> list[Resolution]:
    """Return what a meeting decided and is not settled yet."""
    return [each for each in resolutions_of(session, meeting_case) if each.case.status is CaseStatus.OPEN]


def load_resolution(act: Act, number: str) -> Case:
    """Return the case of something that a meeting decided, locked; Refused when it is another kind of case."""
    case = load_case(act.session, number)
    if case.kind is not CaseKind.RESOLUTION:
        raise Refused("default", f"案件 {case.number} 是“{case.kind.label}”,不是议定事项;请填写议定事项的案件编号")
    return case


def complete_resolution(
    resources: Resources, command: CompleteResolution, *, door: Door, at: datetime, asked: Asked | None = None
) -> Decision:
    """
    Record that something which a meeting decided is done: when, and what came of it (D1-R4).

    Args:
        asked: the form it came in on; None: by another door.

    Raises:
        Refused: it is settled already, the person is neither responsible nor of the office, the day is impossible, or
            the file is not there.
    """
    with deciding(resources, at=at) as act:
        case = load_resolution(act, command.case)
        item = item_to_decide(act, case, asked, Gate.FOLLOW_UP)
        by = person_of(act.session, command.by)
        also = ALSO_GIVEN_BY.get((item.gate, Verdict.COMPLETED))
        check_authority(act.session, item, by, on=act.day, also=also)
        resolution = resolution_of(act.session, case)
        held_on = meeting_of(act.session, resolution.meeting_case).held_on
        if command.done_on > act.day:
            raise Refused(
                "default",
                f"完成日期{spoken_day(command.done_on)}还没有到,今天是{spoken_day(act.day)};请在完成后登记",
            )
        if held_on is not None and command.done_on < held_on:
            raise Refused(
                "default", f"完成日期{spoken_day(command.done_on)}早于会议召开的{spoken_day(held_on)};请核对日期"
            )
        late = (command.done_on - resolution.due_on).days
        details: dict[str, object] = {"done_on": command.done_on.isoformat(), "late_days": max(late, 0)}
        if command.proof:
            document = attach(
                act.session,
                case,
                folder=resources.settings.documents_folder,
                reference=command.proof,
                kind="resolution",
                by=by,
                at=at,
            )
            details |= {"document": document.id, "reference": document.reference, "sha256": document.sha256}
        resolution.done_on, resolution.result = command.done_on, command.result
        decision = items.close(act, item, Verdict.COMPLETED, by=by, door=door, reason=command.result, details=details)
        told = f",逾期{late}日" if late > 0 else ""
        keep(act, case, [resolution], actor=by.display, summary=f"于{spoken_day(command.done_on)}完成{told}")
        return decision


def postpone_resolution(
    resources: Resources, command: PostponeResolution, *, door: Door, at: datetime, asked: Asked | None = None
) -> Decision:
    """
    Put off the day by which something that a meeting decided is done, as often as the edition allows.

    Source: policy `joint_meeting.postponed_at_most` (D1-R4).

    Args:
        asked: the form it came in on; None: by another door.

    Raises:
        Refused: it is settled already, the person is not the head of the office, the day is not later, or it was put
            off too often; names the clause and how often.
    """
    with deciding(resources, at=at) as act:
        case = load_resolution(act, command.case)
        item = item_to_decide(act, case, asked, Gate.FOLLOW_UP)
        by = person_of(act.session, command.by)
        given = (item.gate, Verdict.POSTPONED)
        check_authority(act.session, item, by, on=act.day, above=GIVEN_BY.get(given), also=ALSO_GIVEN_BY.get(given))
        check_verdict(item.gate, Verdict.POSTPONED, reason=command.reason)
        rule, resolution = joint_meeting_of(case), resolution_of(act.session, case)
        if len(resolution.postponed) >= rule.postponed_at_most:
            raise Refused(
                rule.where,
                f"议定事项 {case.number} 已延期{len(resolution.postponed)}次,至多{rule.postponed_at_most}次,不能再延期;"
                "请落实后登记结果,确实无法落实的由社区办负责人终止并写明理由",
            )
        before = resolution.due_on
        if command.due_on <= max(before, act.day):
            raise Refused(
                rule.where,
                f"新的完成期限{spoken_day(command.due_on)}须晚于原期限{spoken_day(before)}"
                f"和今天{spoken_day(act.day)};请改填较晚的日期",
            )
        entry = {
            "from": before.isoformat(),
            "to": command.due_on.isoformat(),
            "by": by.id,
            "by_name": by.name,
            "reason": command.reason,
        }
        # A new list: a change inside the old one would not be noticed.
        resolution.postponed, resolution.due_on = [*resolution.postponed, entry], command.due_on
        decision = items.close(
            act,
            item,
            Verdict.POSTPONED,
            by=by,
            door=door,
            reason=command.reason,
            details={"from": before.isoformat(), "to": command.due_on.isoformat()},
        )
        summary = f"完成期限由{before}延至{command.due_on}(第{len(resolution.postponed)}次延期)"
        keep(act, case, [resolution], actor=by.display, summary=summary)
        # Not left to the next run: the new day must not pass before who is responsible hears of it.
        items.create(act, case, Gate.FOLLOW_UP, item.round + 1, last=command.due_on)
        meeting_mail.assign(act, resolution, round_=item.round + 1)
        return decision
