"""
Objections against public notices: recorded as they come in, handled with reasons, answered (D2-R10).

One that reached the office in time counts, also when it is keyed in after the last day. After the notice was closed as
cleared it is recorded, handled and answered all the same, but changes the outcome no more: what follows is the head's.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.notice import Notice, Objection
from models.registry import Person
from models.work_item import WorkItem
from notifications.mime import masked_address
from policies.errors import Refused
from policies.notice_scheme import NoticeScheme
from policies.vocabulary import CaseKind, CaseStatus, Door, Gate, ObjectionChannel, ObjectionFinding, Outcome, Role
from rules.periods import SHANGHAI, end_of
from runtime.resources import Resources, edition_of
from tasks import notice_mail
from tasks.act import Act, acting
from tasks.archive_audit import archived
from tasks.cases import (
    Asked,
    already_decided,
    deciders,
    entitled,
    holds_any,
    item_asked,
    load_case,
    notice_of,
    open_item,
    person_of,
    policy_of,
)
from tasks.due_days import is_over
from tasks.history import append
from tasks.lapses import lapse
from tasks.mail import chinese_date
from tasks.notice_commands import AnswerObjection, HandleObjection, HandleObjections, RecordObjection
from tasks.notice_seal import answered_facts, fingerprint, handled_facts

OFFICE = {Role.OFFICE_HEAD, Role.OFFICE_REVIEWER}


def record_objection(
    resources: Resources, command: RecordObjection, *, door: Door, key: str, at: datetime, asked: Asked | None = None
) -> int:
    """
    Record an objection, tell the office, give who objects a receipt (D2-R10).

    Safe to repeat because a `key` records one objection.

    Args:
        key: what recorded it, at most 100 characters.
        asked: the form it came in on; None: by another door.

    Returns:
        Its number within the notice.

    Raises:
        Refused: no notice, it is closed otherwise than as cleared or archived, the edition does not take this channel,
            the item is not in the notice, or it was not received within the period; says the moment.
    """
    with acting(resources, at=at) as act:
        case = load_notice(act.session, command.case)
        known = act.session.scalars(select(Objection).where(Objection.key == key)).one_or_none()
        if known is not None and known.notice.case_id == case.id:
            return known.seq
        if known is not None:
            raise Refused("default", f"标识“{key}”已用于公示 {known.notice.case.number} 的异议,请换一个标识")
        if asked is not None:
            item_asked(act.session, case, asked, at=at)
        person = check_office(act, case, command.by)
        notice, scheme = notice_of(act.session, case), edition_of(case).for_notices
        _refuse_closed(act, case)
        _check_channel(command.channel, scheme)
        if (standing := open_item(act.session, case)) is not None and standing.gate is Gate.NOTICE_PERIOD:
            is_over(act, standing)  # its last day may have moved on since the sweep came by
        received_at = command.received_at or at
        _check_received(notice, scheme, received_at, at)
        item = _item_of(act.session, notice, command.against)
        found = notice_mail.objections_of(act.session, notice)
        objection = Objection(
            notice_id=notice.id,
            seq=len(found) + 1,
            key=key,
            channel=command.channel,
            name=command.name,
            contact=command.contact.strip(),
            content=command.content,
            against_case_id=notice.items[item - 1]["case"] if item else None,
            received_at=received_at,
            recorded_at=at,
            recorded_by_id=person.id,
            details={"item": item, "door": door.value} | ({"after_close": True} if _is_cleared(case) else {}),
        )
        act.session.add(objection)
        act.session.flush()
        act.session.refresh(objection)
        notice.changed_seq += 1
        append(
            act.session,
            case,
            kind="objection_recorded",
            actor=person.display,
            summary=f"登记异议第{objection.seq}件{_late(notice, objection)}:{notice_mail.who_of(objection)}于"
            f"{notice_mail.moment_of(objection)}以{objection.channel.label}方式提出,"
            f"对象为{notice_mail.against_of(notice, objection)}",
            at=at,
            data={
                "objection": objection.id,
                "seq": objection.seq,
                "received_at": objection.received_at.isoformat(),
                "recorded_at": objection.recorded_at.isoformat(),
                "ended_at": end_of(notice.ends_on).isoformat(),
                "fingerprint": fingerprint(objection),
            },
        )
        notice_mail.tell_received(act, notice, objection)
        return objection.seq


def handle_objections(
    resources: Resources, command: HandleObjections, *, door: Door, at: datetime, asked: Asked | None = None
) -> tuple[str, ...]:
    """
    Handle objections and note answers: during the period, in the review, or when keyed in after a clearing.

    An objection whose author left an e-mail address is answered by letter at once.

    Returns:
        The objections that still wait for something, each in one line.

    Raises:
        Refused: nothing to do, no such objection, handled or answered already, or the notice is closed and none was
            keyed in afterwards that waits.
    """
    if not command.handled and not command.answered:
        raise Refused("default", "没有填写要处理的异议,请填写异议序号、认定和理由")
    with acting(resources, at=at) as act:
        case = load_notice(act.session, command.case)
        if asked is not None:
            item_asked(act.session, case, asked, at=at)
        handle_in(act, case, command, door=door)
        notice = notice_of(act.session, case)
        return tuple(notice_mail.line_of(notice, each) for each in waiting_of(act.session, notice))


def waiting_of(session: Session, notice: Notice) -> list[Objection]:
    """Return the objections that wait for a finding or for an answer, in order."""
    found = notice_mail.objections_of(session, notice)
    return [each for each in found if each.finding is None or each.answered_at is None]


def handle_in(act: Act, case: Case, command: HandleObjections, *, door: Door) -> None:
    """Handle objections and note answers, in the caller's transaction; the case is locked."""
    person = check_office(act, case, command.by)
    notice = notice_of(act.session, case)
    if case.status is CaseStatus.CLOSED and not waiting_of(act.session, notice):
        raise Refused("default", _told_closed(case) + ",没有待处理或待答复的异议")
    item = open_item(act.session, case)
    if item is not None and item.gate is Gate.NOTICE_PERIOD and is_over(act, item):
        # What was open at the legal end is reviewed, however fast somebody handles it now.
        lapse(act, item)
    for handling in command.handled:
        _handle(act, notice, handling, person, door)
    for answer in command.answered:
        _answer(act, notice, answer, person)
    notice.changed_seq += 1
    act.session.flush()


def _handle(act: Act, notice: Notice, command: HandleObjection, person: Person, door: Door) -> None:
    objection = _objection(act.session, notice, command.objection)
    if objection.finding is not None:
        raise Refused(
            "default",
            f"异议第{objection.seq}件已认定为“{objection.finding.label}”({_when(objection.handled_at)}),不能再次认定",
        )
    refuse_named([objection], command.reasons)
    objection.finding, objection.reasons = command.finding, command.reasons
    objection.handled_at, objection.handled_by_id = act.at.astimezone(UTC), person.id
    append(
        act.session,
        notice.case,
        kind="objection_handled",
        actor=person.display,
        summary=f"异议第{objection.seq}件:{command.finding.label},理由:{command.reasons}",
        at=act.at,
        data={**handled_facts(objection), "door": door.value},
    )
    if notice_mail.added_later(objection) and objection.finding is ObjectionFinding.UPHELD:
        notice_mail.tell_upheld_later(act, notice, objection)
    to = notice_mail.objector(objection)
    if to is not None and to.address is not None:
        notice_mail.tell_answer(act, notice, objection, to)
        _note_answer(act, notice, objection, f"电子邮件({masked_address(to.address)})", act.at, person)


def refuse_named(found: Sequence[Objection], reasons: str) -> None:
    """Refuse reasons that name who objected: letters tell them to others, and a page makes them public."""
    for each in found:
        if len(each.name) > 1 and each.name in reasons:
            raise Refused(
                "default",
                f"理由中写有第{each.seq}件异议的异议人“{each.name}”;理由会写入结果通知和公示网页,请改称“异议人”",
            )


def _answer(act: Act, notice: Notice, command: AnswerObjection, person: Person) -> None:
    objection = _objection(act.session, notice, command.objection)
    if objection.finding is None or objection.handled_at is None:
        raise Refused(
            "default", f"异议第{objection.seq}件尚未认定,请先作出“成立”或“不成立”的认定并写明理由,再告知异议人"
        )
    if objection.answered_at is not None:
        raise Refused(
            "default",
            f"异议第{objection.seq}件已于{_when(objection.answered_at)}以“{objection.answered_by}”答复,无须重复登记",
        )
    told_at = command.answered_at or act.at
    if told_at > act.at or told_at < objection.received_at:
        raise Refused("default", f"告知时间{_when(told_at)}不在异议收到之后、现在之前,请核对")
    _note_answer(act, notice, objection, command.how, told_at, person)


def _note_answer(act: Act, notice: Notice, objection: Objection, how: str, told_at: datetime, person: Person) -> None:
    objection.answered_at, objection.answered_by = told_at.astimezone(UTC), how
    append(
        act.session,
        notice.case,
        kind="objection_answered",
        actor=person.display,
        summary=f"答复异议第{objection.seq}件:{how},{_when(told_at)}",
        at=act.at,
        data=answered_facts(objection),
    )


def contact_of(resources: Resources, number: str, seq: int, *, by: str, at: datetime) -> str:
    """
    Return how to reach who objected, unmasked, for whoever must answer; that it was looked up stands in the history.

    Only for a door that shows it to that person and keeps it nowhere.

    Returns:
        E-mail address, telephone or postal address.

    Raises:
        Refused: no such objection, no contact was left, or the person is not the office's.
    """
    with acting(resources, at=at) as act:
        case = load_notice(act.session, number)
        person = check_office(act, case, by)
        objection = _objection(act.session, notice_of(act.session, case), seq)
        if not objection.contact:
            raise Refused("default", f"异议第{seq}件没有留下联系方式;请以其他方式告知,例如在公示地点张贴答复")
        append(
            act.session,
            case,
            kind="contact_looked_up",
            actor=person.display,
            summary=f"为答复查阅异议第{seq}件的联系方式",
            at=at,
            data={"objection": objection.id, "person": person.id},
        )
        return objection.contact


def load_notice(session: Session, number: str) -> Case:
    """Return the case of a notice, locked; Refused when it is something else."""
    case = load_case(session, number)
    if case.kind is not CaseKind.NOTICE:
        raise Refused("default", f"案件 {case.number} 是“{case.kind.label}”,不是公示,请填写公示的案件编号")
    return case


def check_office(act: Act, case: Case, by: str) -> Person:
    """Return who acts for the office; Refused unless they decide in this notice or hold an office role for it."""
    person = person_of(act.session, by)
    item = open_item(act.session, case)
    able = {each.id for each in deciders(act.session, item, on=act.day)} if item is not None else set()
    if person.id not in able and not holds_any(act.session, person, OFFICE, case.unit.lineage(), on=act.day):
        policy = policy_of(case, Gate.NOTICE_PERIOD)
        names = "、".join(each.display for each in entitled(act.session, case, policy.decided_by, on=act.day))
        raise Refused(
            policy.where,
            f"{person.display}无权办理公示 {case.number}:须由{policy.decided_by.label}办理,"
            f"现为{names or '(登记簿中尚无人担任)'}",
        )
    return person


def _refuse_closed(act: Act, case: Case) -> None:
    """
    Refuse when the notice was closed, or is about to be because nothing was open at its end.

    Not one that was cleared: an objection received in time must leave a record, however late it is keyed in. But what
    is archived takes no more rows, which its seal could not tell from forged ones.
    """
    record = archived(act.session, case.id) if case.status is CaseStatus.CLOSED else None
    if record is not None:
        raise Refused(
            "default",
            f"{_told_closed(case)},已归档到 {record.file},不能再登记异议;请由社区办以书面另行受理、处理并告知异议人,"
            "书面材料与归档文件一并保存,需要重新公示的另发公示",
        )
    if _is_cleared(case):
        return
    if case.status is CaseStatus.CLOSED:
        raise Refused("default", _told_closed(case) + ",不能再登记异议;请另行受理,并告知异议人")
    if open_item(act.session, case) is not None:
        return
    procedure = (WorkItem.case_id == case.id, WorkItem.gate != Gate.UNDELIVERED_LETTER)
    last = act.session.scalars(select(WorkItem).where(*procedure).order_by(WorkItem.id.desc()).limit(1)).one()
    counts = last.decision.details if last.decision is not None and last.gate is Gate.NOTICE_PERIOD else {}
    if not counts.get("open_objections") and not counts.get("upheld_objections"):
        raise already_decided(last)


def _is_cleared(case: Case) -> bool:
    """Return whether a notice was closed with nothing found against it."""
    return case.status is CaseStatus.CLOSED and case.outcome is Outcome.CLEARED


def _late(notice: Notice, objection: Objection) -> str:
    """Return what the history says of one keyed in after the last day; empty when it was keyed in before."""
    if notice_mail.added_later(objection):
        return f"(补登:公示已{notice_mail.ended_in_words(notice)},至{_when(objection.recorded_at)}才登记)"
    return "(公示期满后补登)" if objection.recorded_at >= end_of(notice.ends_on) else ""


def _told_closed(case: Case) -> str:
    moment = _when(case.closed_at)
    return f"公示 {case.number} 已于{moment}办结({case.outcome.label if case.outcome else ''})"


def _check_channel(channel: ObjectionChannel, scheme: NoticeScheme) -> None:
    if channel not in scheme.channels:
        taken = "、".join(each.label for each in scheme.channels)
        raise Refused(
            scheme.gates.notice_period.where,
            f"本政策不以“{channel.label}”方式受理异议,可选:{taken};请告知异议人改用这些方式",
        )


def _check_received(notice: Notice, scheme: NoticeScheme, received_at: datetime, at: datetime) -> None:
    where = scheme.gates.notice_period.due.where
    if received_at > at:
        raise Refused("default", f"收到时间{_when(received_at)}晚于现在({_when(at)}),请核对")
    if received_at < notice.published_at:
        raise Refused(where, f"收到时间{_when(received_at)}早于公示发布({_when(notice.published_at)}),请核对")
    if received_at >= end_of(notice.ends_on):
        raise Refused(
            where,
            f"异议于{_when(received_at)}收到,公示期已于{chinese_date(notice.ends_on)}24时届满,逾期不予受理;请告知异议人",
        )


def _item_of(session: Session, notice: Notice, against: str) -> int:
    """Return the place, from 1, of the item that is named by place, label or case number; 0 for the whole."""
    wanted = against.strip()
    if wanted in ("", notice_mail.WHOLE):
        return 0
    numbers = dict(
        session.execute(
            select(Case.id, Case.number).where(Case.id.in_([each["case"] for each in notice.items if each["case"]]))
        )
        .tuples()
        .all()
    )
    for place, item in enumerate(notice.items, start=1):
        names = {str(place), item["label"], f"{place}. {item['label']}", numbers.get(item["case"] or 0)}
        if wanted in names:
            return place
    listed = ";".join(f"{place}. {item['label']}" for place, item in enumerate(notice.items, start=1))
    raise Refused("default", f"公示中没有事项“{against}”,可填序号或名称:{listed or '(未分事项,请留空)'}")


def _objection(session: Session, notice: Notice, seq: int) -> Objection:
    found = {each.seq: each for each in notice_mail.objections_of(session, notice)}
    if seq not in found:
        listed = "、".join(str(each) for each in found) or "(无)"
        raise Refused("default", f"公示 {notice.case.number} 没有第{seq}件异议,已登记的有:{listed}")
    return found[seq]


def _when(moment: datetime | None) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if moment else ""
