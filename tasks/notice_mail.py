"""Who hears of a public notice and of objections against it, and what they are told (D2-R10)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.case import Case, Site
from models.notice import Notice, Objection
from models.registry import holders_below
from models.work_item import Decision, WorkItem
from notifications.letters import TaskWaiting
from notifications.mime import checked_address, masked_address
from notifications.notice_letters import (
    NoticeClosed,
    NoticeProlonged,
    NoticePublished,
    ObjectionAnswered,
    ObjectionReceived,
)
from notifications.outbox import Recipient
from policies.errors import Permanent
from policies.vocabulary import (
    CaseKind,
    CaseStatus,
    Door,
    Gate,
    ObjectionChannel,
    ObjectionFinding,
    Outcome,
    ProjectStanding,
    Role,
)
from rules.masking import mask_text
from rules.periods import SHANGHAI, end_of, shanghai_day
from tasks.act import Act
from tasks.call_projects import projects_of
from tasks.cases import deciders, leader_of
from tasks.mail import About, about, applicants, chinese_date, concerned, due_note, holders_of, send, to_person

LATE = timedelta(seconds=60)
"""An end that is written later than this after the last day is told as late."""
ANONYMOUS = "(匿名)"
WHOLE = "整个公示"


class AboutNotice(About):
    """What every letter about a notice says of it."""

    notice_title: str
    place: str
    page: str


def about_notice(act: Act, notice: Notice) -> AboutNotice:
    """Return what every letter about a notice says of it."""
    base = act.resources.settings.notices_url.rstrip("/")
    return AboutNotice(
        **about(notice.case),
        notice_title=notice.case.title,
        place=notice.place,
        page=f"{base}/{notice.page}" if base else "",
    )


def told_of(act: Act, notice: Notice) -> list[Recipient]:
    """
    Return those concerned, each once: who is behind its items, the villages' responsible members, the office.

    Of a selection also those who were not chosen: the period is the time in which they can object.
    """
    session, case = act.session, notice.case
    ids = [item["case"] for item in notice.items if item["case"] is not None]
    people = _leaders_of(session, ids) if ids else []
    if case.parent is not None:
        if case.parent.kind is CaseKind.CALL:
            proposals = projects_of(session, case.parent)
            people += [to_person(each.leader) for each in proposals if each.standing is not ProjectStanding.WITHDRAWN]
        people += applicants(session, case.parent) + concerned(act, case.parent)
    else:
        people += [to_person(each) for each in holders_below(session, Role.VILLAGE_RESPONSIBLE, case.unit, on=act.day)]
    people += holders_of(act, case, Role.OFFICE_REVIEWER)
    return list({each.person_id or each.address: each for each in people}.values())


def _leaders_of(session: Session, cases: Sequence[int]) -> list[Recipient]:
    # Who leads a listed parlour today, not who once applied for it.
    listed = session.scalars(select(Site).where(Site.case_id.in_(cases)).options(joinedload(Site.leader)))
    leads = {site.case_id: site.leader for site in listed}
    return [
        to_person(leader)
        for each in session.scalars(select(Case).where(Case.id.in_(cases)).order_by(Case.id))
        if (leader := leads.get(each.id) or leader_of(session, each)) is not None
    ]


def tell_published(act: Act, notice: Notice) -> None:
    """Tell those concerned that the notice was published."""
    letter = NoticePublished(
        **about_notice(act, notice),
        published_on=shanghai_day(notice.published_at),
        ends_on=notice.ends_on,
        period=notice.period,
        items=tuple(item["label"] for item in notice.items),
        channels=tuple(ObjectionChannel(code).label for code in notice.channels),
        contact=notice.contact,
        sha256=notice.sha256,
    )
    send(act, notice.case, letter, told_of(act, notice), event="published")


def tell_prolonged(act: Act, notice: Notice) -> None:
    """Tell those concerned of the latest prolongation."""
    last = notice.prolonged[-1]
    letter = NoticeProlonged(
        **about_notice(act, notice), by=last["by"], reason=last["reason"], from_day=last["from"], to_day=last["to"]
    )
    send(act, notice.case, letter, told_of(act, notice), event=f"prolonged-{len(notice.prolonged)}")


def tell_closed(act: Act, notice: Notice) -> None:
    """Tell those concerned what came of the notice; one that closed late says so."""
    case, found = notice.case, objections_of(act.session, notice)
    if case.outcome is None or notice.closed_at is None:
        raise LookupError(f"notice {case.number} is not closed")
    ended_by_time = notice.closed_at == end_of(notice.ends_on)
    letter = NoticeClosed(
        **about_notice(act, notice),
        outcome=case.outcome.label,
        because=case.because,
        ended_on=notice.ends_on if ended_by_time else shanghai_day(notice.closed_at),
        cancelled=case.outcome is Outcome.RETRACTED and not ended_by_time,
        received=len(found),
        upheld=sum(each.finding is ObjectionFinding.UPHELD for each in found),
        not_upheld=sum(each.finding is ObjectionFinding.NOT_UPHELD for each in found),
        late_note=late_text(act.session, notice),
    )
    send(act, case, letter, told_of(act, notice), event="notice-closed")


def tell_received(act: Act, notice: Notice, objection: Objection) -> None:
    """
    Tell the office of an objection; give who objects a receipt, if there is an e-mail address.

    Of one that was keyed in after the notice had been closed, the head hears too: no review will come of it.
    """
    letter = ObjectionReceived(
        **about_notice(act, notice),
        seq=objection.seq,
        channel=objection.channel.label,
        who=who_of(objection),
        contact=masked_contact(objection.contact),
        against=against_of(notice, objection),
        content=objection.content,
        received=moment_of(objection),
        open_count=sum(each.finding is None for each in objections_of(act.session, notice)),
        for_objector=False,
        ended_note=_ended_note(notice, objection),
    )
    event = f"objection-{objection.seq}"
    office = holders_of(act, notice.case, Role.OFFICE_REVIEWER)
    if added_later(objection):
        office += holders_of(act, notice.case, Role.OFFICE_HEAD)
    send(act, notice.case, letter, office, event=event)
    if (to := objector(objection)) is not None:
        send(act, notice.case, letter.model_copy(update={"for_objector": True}), [to], event=event)


def tell_answer(act: Act, notice: Notice, objection: Objection, to: Recipient) -> None:
    """Answer who objected, by letter."""
    send(act, notice.case, _answer(act, notice, objection), [to], event=f"objection-{objection.seq}-answered")


def tell_upheld_later(act: Act, notice: Notice, objection: Objection) -> None:
    """Tell the office's head what may follow from an objection upheld on a notice that was closed as cleared."""
    letter = _answer(act, notice, objection, what_follows=_what_follows(act.session, notice, objection))
    to = holders_of(act, notice.case, Role.OFFICE_HEAD)
    send(act, notice.case, letter, to, event=f"objection-{objection.seq}-upheld")


def _answer(act: Act, notice: Notice, objection: Objection, *, what_follows: str = "") -> ObjectionAnswered:
    return ObjectionAnswered(
        **about_notice(act, notice),
        seq=objection.seq,
        against=against_of(notice, objection),
        content=objection.content,
        received=moment_of(objection),
        finding=objection.finding.label if objection.finding else "",
        reasons=objection.reasons,
        what_follows=what_follows,
    )


def _ended_note(notice: Notice, objection: Objection) -> str:
    """Return what the office must know of an objection keyed in after its notice was closed; empty otherwise."""
    if not added_later(objection) or notice.case.outcome is None:
        return ""
    return (
        f"这件公示已{ended_in_words(notice)};异议在公示期内收到,{minute(objection.recorded_at)}才登记,为补登。"
        "公示结果不因补登自动改变,也不再设复核环节。请用“处理异议”(Deployments 页面)或"
        " ketang notice handle、answer 认定并答复;异议成立的,报社区办负责人研究。"
    )


def _what_follows(session: Session, notice: Notice, objection: Objection) -> str:
    """Return what the head may do: stop the projects concerned as far as they are open, or publish anew."""
    wanted = [objection.against_case_id] if objection.against_case_id else [each["case"] for each in notice.items]
    query = select(Case).where(Case.id.in_([each for each in wanted if each]), Case.kind == CaseKind.PROJECT)
    concerned_projects = session.scalars(query.order_by(Case.id)).all()
    running = [each for each in concerned_projects if each.status is CaseStatus.OPEN]
    ended = [each for each in concerned_projects if each.status is CaseStatus.CLOSED]
    told = f"这件公示已{ended_in_words(notice)},结果不因此自动改变。"
    anew = "另行发布公示(发布公示,或 ketang notice publish)"
    if running:
        named = "、".join(f"{each.number}“{each.title}”" for each in running)
        told += f"社区办负责人可以终止实施所涉项目 {named}(ketang project stop),或者{anew}。"
    else:
        told += f"社区办负责人可以{anew}。"
    if ended:
        named = "、".join(
            f"{each.number}“{each.title}”({each.outcome.label if each.outcome else ''})" for each in ended
        )
        told += f"所涉项目 {named} 已办结,不能再终止实施。"
    return told


def ended_in_words(notice: Notice) -> str:
    """Return when the period of a closed notice ended, when its case was closed, and as what."""
    case = notice.case
    outcome, closed = case.outcome.label if case.outcome else "", minute(case.closed_at) if case.closed_at else ""
    return f"于{chinese_date(notice.ends_on)}24时期满,{closed}办结({outcome})"


def added_later(objection: Objection) -> bool:
    """Return whether an objection was keyed in after its notice had been closed; its fingerprint seals that."""
    return bool(objection.details.get("after_close"))


def ask_for_review(act: Act, notice: Notice, item: WorkItem) -> None:
    """Ask the office to review what was objected, when the period is over."""
    letter = TaskWaiting(
        **about(notice.case),
        gate=item.gate.label,
        what_to_do="公示期已满。请逐件处理异议、答复异议人,然后作出“公示通过”“调整后重新公示”或“撤销公示”的决定。",
        facts=tuple(line_of(notice, each) for each in objections_of(act.session, notice)),
        due_on=item.due_on,
        due_note=due_note(item),
    )
    to = [to_person(each) for each in deciders(act.session, item, on=act.day)]
    send(act, notice.case, letter, to, event=f"{item.gate.value}-{item.round}")


def late_text(session: Session, notice: Notice) -> str:
    """Return what is said of a period whose end was written late; empty when it was in time, or is not over."""
    ended = session.scalars(
        select(Decision)
        .join(WorkItem, WorkItem.id == Decision.work_item_id)
        .where(WorkItem.case_id == notice.case_id, WorkItem.gate == Gate.NOTICE_PERIOD, Decision.door == Door.LAPSE)
    ).one_or_none()
    if ended is None:
        return ""
    return told_late(notice, ended.effective_at, ended.decided_at)


def told_late(notice: Notice, ended_at: datetime, written_at: datetime) -> str:
    """Return how a late end is told; empty when it is not late."""
    if written_at - ended_at <= LATE:
        return ""
    written = f"{written_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    return f"公示期已于{chinese_date(notice.ends_on)}24时届满,因系统停运,至{written}补记,效力自期满之时起算"


def objections_of(session: Session, notice: Notice) -> list[Objection]:
    """Return the objections against a notice, in order."""
    query = select(Objection).where(Objection.notice_id == notice.id).order_by(Objection.seq)
    return list(session.scalars(query))


def line_of(notice: Notice, objection: Objection) -> str:
    """Return an objection in one line: who, when, against what, where it stands."""
    if objection.finding is None:
        state = "待处理"
    else:
        state = objection.finding.label + (",已答复" if objection.answered_at else ",待答复")
    if added_later(objection):
        state += ";公示办结后补登"
    return (
        f"第{objection.seq}件({objection.channel.label},{moment_of(objection)},{who_of(objection)})"
        f"对{against_of(notice, objection)}:{state}"
    )


def who_of(objection: Objection) -> str:
    """Return who objects, as records show it."""
    return objection.name or ANONYMOUS


def against_of(notice: Notice, objection: Objection) -> str:
    """Return what is objected against: an item's label, or the whole."""
    place = objection.details.get("item", 0)
    return str(notice.items[place - 1]["label"]) if place else WHOLE


def moment_of(objection: Objection) -> str:
    """Return when an objection reached the office, in Shanghai."""
    return minute(objection.received_at)


def minute(moment: datetime) -> str:
    """Return a moment to the minute, in Shanghai."""
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def objector(objection: Objection) -> Recipient | None:
    """Return who objects as the recipient of a letter; None when the contact is no e-mail address."""
    try:
        address = checked_address(objection.contact)
    except Permanent:
        return None
    return Recipient(name=objection.name or "异议人", address=address)


def masked_contact(contact: str) -> str:
    """Return so much of a contact as may be shown: of an address its domain, of a number some digits."""
    if not contact:
        return ""
    if "@" in contact:
        return masked_address(contact)
    masked = mask_text(contact)
    return masked if masked != contact else f"{contact[:2]}***"
