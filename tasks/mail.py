"""Who hears of what in a case: letters are written to the outbox in the transaction of what they tell of."""

from collections.abc import Iterable, Sequence
from datetime import date
from hashlib import sha256
from typing import TypedDict

from sqlalchemy import Exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.case import Case, SiteApplication
from models.outbox import OutboxEntry
from models.registry import Household, Person, holders_below
from models.work_item import Decision, WorkItem
from notifications.context import CaseLetter
from notifications.letters import LetterUndelivered
from notifications.outbox import Posting, Recipient, enqueue_for_cases, enqueue_many
from policies.vocabulary import (
    CaseKind,
    DayUnit,
    Facility,
    Gate,
    Letter,
    LetterStatus,
    Role,
    UnitKind,
    Verdict,
    WorkItemStatus,
)
from rules.eligibility import ApplicationFacts, examine
from rules.periods import plan
from runtime.resources import edition_of
from tasks import items
from tasks.act import Act
from tasks.cases import entitled, leader_of, policy_of, site_of


class About(TypedDict):
    """What every letter of a case says of it."""

    township: str
    office: str
    scheme_title: str
    case_number: str
    matter: str
    short: str
    party_label: str
    party: str


class AboutSite(About):
    """What the letters of a parlour's case say of it."""

    plaque_text: str
    village: str
    group: str
    household_head: str


def about(case: Case) -> About:
    """Return what every letter of a case says of it."""
    match case.kind:
        case CaseKind.SITE:
            head, party = case.household.head_name, f"{case.village.name}{_group(case)}{case.household.head_name}户"
            matter, short, label = (
                f"{party}的“{edition_of(case).for_sites.plaque_text}”建设申请",
                f"{head}户申请",
                "申请户",
            )
        case CaseKind.CALL:
            party, label = case.unit.name, "征集单位"
            matter = short = f"微项目征集“{case.title}”"
        case CaseKind.PROJECT:
            party, label = case.unit.name, "所在村(居)"
            matter, short = f"{party}微项目“{case.title}”", f"微项目“{case.title}”"
        case CaseKind.NOTICE:
            party, label = case.unit.name, "公示单位"
            matter = short = f"公示“{case.title}”"
        case CaseKind.INSPECTION | CaseKind.SERVICE_ORDER | CaseKind.SITE_CHANGE:
            party, label = case.unit.name, "所在村(居)民小组"
            matter = short = f"{case.kind.label}“{case.title}”"
        case CaseKind.CAMPAIGN | CaseKind.ANNUAL_EVALUATION | CaseKind.JOINT_MEETING | CaseKind.RESOLUTION:
            party, label = case.unit.name, "承办单位"
            matter = short = f"{case.kind.label}“{case.title}”"
    # After the household, which comes with its group and all units above: none of them is asked for again.
    office = office_of(case)
    return About(
        township=office.removesuffix("社区办"),
        office=office,
        scheme_title=edition_of(case).title,
        case_number=case.number,
        matter=matter,
        short=short,
        party_label=label,
        party=party,
    )


def about_site(case: Case) -> AboutSite:
    """Return what the letters of a parlour's case say of it."""
    return AboutSite(
        **about(case),
        plaque_text=edition_of(case).for_sites.plaque_text,
        village=case.village.name,
        group=_group(case),
        household_head=case.household.head_name,
    )


def office_of(case: Case) -> str:
    """Return the name of the community office whose case it is."""
    town = case.unit.above(UnitKind.TOWN).name if case.unit.kind is not UnitKind.DISTRICT else case.unit.name
    return f"{town}社区办"


def _group(case: Case) -> str:
    return case.group.name.removeprefix(case.village.name) or case.group.name


def to_person(person: Person) -> Recipient:
    """Return a person as the recipient of a letter."""
    return Recipient(name=person.name, address=person.email, person_id=person.id, household_id=None)


def to_household(household: Household) -> Recipient:
    """Return a household's head as the recipient of a letter."""
    return Recipient(name=household.head_name, address=household.email, person_id=None, household_id=household.id)


def applicants(session: Session, case: Case) -> list[Recipient]:
    """Return whose case it is: the leader, and a site's household when it has an e-mail address."""
    leader = leader_of(session, case)
    told = [to_person(leader)] if leader is not None else []
    if (
        case.kind is CaseKind.SITE
        and case.household.email
        and case.household.email not in {each.address for each in told}
    ):
        told.append(to_household(case.household))
    if case.kind is CaseKind.SITE_CHANGE and leader is not None:
        # The village may have applied for a leader who is away.
        site_leader = site_of(session, case).leader
        told += [to_person(site_leader)] if site_leader.id != leader.id and site_leader.active else []
    return told


def moves_from(session: Session, case: Case) -> str:
    """Return from where a listed parlour moves in; empty in the case of a new one."""
    if case.kind is not CaseKind.SITE_CHANGE:
        return ""
    site = site_of(session, case)
    return f"{site.village.name}{site.group.name.removeprefix(site.village.name)}{site.household.head_name}户"


def send(act: Act, case: Case, letter: CaseLetter, to: Iterable[Recipient], *, event: str) -> None:
    """
    Write a letter to each recipient into the outbox.

    A person without an e-mail address can not be reached so: the office gets a work item to tell them otherwise.
    Households are told through their group head, whose letter lists those without an address.

    Args:
        event: what happened, unique in the case; the same event writes the same letter to a person only once.
    """
    postings = postings_of(case.number, letter, to, event=event)
    if all((each.to.address or "").strip() for each in postings):
        enqueue_for_cases(act.session, [(case.id, each) for each in postings], at=act.at)
        return
    for entry in enqueue_many(act.session, case_id=case.id, postings=postings, at=act.at):
        if entry.status is LetterStatus.DEAD and entry.person_id is not None:
            report_undelivered(act, case, entry)


def postings_of(number: str, letter: CaseLetter, to: Iterable[Recipient], *, event: str) -> list[Posting]:
    """Return a letter of the case `number` to each recipient, each under the key by which it is written only once."""
    cause = f"{number}:{event}:{letter.letter_kind.value}"
    return [Posting(letter, recipient, f"{cause}:{_who(recipient)}") for recipient in to]


def _who(recipient: Recipient) -> str:
    """Return who gets a letter, as a short key; somebody outside the registry is known by nothing but the address."""
    if recipient.person_id is not None:
        return f"p{recipient.person_id}"
    if recipient.household_id is not None:
        return f"h{recipient.household_id}"
    return f"a{sha256((recipient.address or recipient.name).encode()).hexdigest()[:16]}"


def is_reported(entry_id: int | InstrumentedAttribute[int]) -> Exists:
    """Return the condition that the office knows of this dead letter; one that died again after 重新寄送 is news."""
    return (
        select(WorkItem.id)
        .outerjoin(Decision, Decision.work_item_id == WorkItem.id)
        .where(
            WorkItem.subject_id == entry_id,
            (WorkItem.status == WorkItemStatus.OPEN) | (Decision.verdict != Verdict.RESENT),
        )
        .exists()
    )


def report_undelivered(act: Act, case: Case, entry: OutboxEntry) -> WorkItem | None:
    """
    Open a work item for the office: this letter can not be delivered, somebody must be told otherwise.

    Returns:
        The item; None when it was reported before, or when the letter itself only reported such a failure (the work
        item of that failure stands; a report of a report would never end).
    """
    if entry.letter is Letter.LETTER_UNDELIVERED:
        return None
    if act.session.scalar(select(is_reported(entry.id))):
        return None
    round_ = items.next_round(act, case, Gate.UNDELIVERED_LETTER)
    item = items.create(act, case, Gate.UNDELIVERED_LETTER, round_, subject=entry)
    letter = LetterUndelivered(
        **about(case),
        letter=entry.letter.label,
        to_name=entry.to_name,
        error=entry.last_error,
        due_on=item.due_on,
    )
    send(act, case, letter, holders_of(act, case, item.role), event=f"undelivered-{entry.id}-{round_}")
    return item


def holders_of(act: Act, case: Case, role: Role) -> list[Recipient]:
    """Return the holders of a role for this case, as recipients."""
    return [to_person(each) for each in entitled(act.session, case, role, on=act.day)]


def village_of(act: Act, case: Case) -> list[Recipient]:
    """Return who hears of the case in the village: of a site those who forward it, by the edition (D0-R17, D1-R4)."""
    if case.kind is CaseKind.SITE:
        return holders_of(act, case, policy_of(case, Gate.VILLAGE_FORWARD).decided_by)
    if case.kind is CaseKind.SITE_CHANGE:
        return holders_of(act, case, policy_of(case, Gate.CHANGE_OPINION).decided_by)
    return holders_of(act, case, Role.VILLAGE_RESPONSIBLE)


def concerned(act: Act, case: Case) -> list[Recipient]:
    """
    Return who hears how a case ends: whose case it is and the village's people.

    Of a call: the responsible members of every village in its area. Of a notice: those of the case it is about, and
    the office that published it.
    """
    session = act.session
    match case.kind:
        case CaseKind.SITE | CaseKind.PROJECT:
            return applicants(session, case) + village_of(act, case)
        case CaseKind.CALL:
            return [to_person(each) for each in holders_below(session, Role.VILLAGE_RESPONSIBLE, case.unit, on=act.day)]
        case CaseKind.INSPECTION | CaseKind.SERVICE_ORDER | CaseKind.SITE_CHANGE:
            return applicants(session, case) + village_of(act, case)
        case CaseKind.RESOLUTION:
            return applicants(session, case) + holders_of(act, case, Role.OFFICE_REVIEWER)
        case CaseKind.CAMPAIGN | CaseKind.ANNUAL_EVALUATION | CaseKind.JOINT_MEETING:
            below = holders_below(session, Role.VILLAGE_RESPONSIBLE, case.unit, on=act.day)
            return [to_person(each) for each in below] + holders_of(act, case, Role.OFFICE_HEAD)
        case CaseKind.NOTICE:
            above = concerned(act, case.parent) if case.parent is not None else []
            office = holders_of(act, case, Role.OFFICE_REVIEWER)
            return list({each.person_id or each.address: each for each in above + office}.values())


def due_note(item: WorkItem) -> str:
    """Return how the period was counted, as a letter says it; empty when its last day was named, not counted."""
    if item.gate is Gate.NOTICE_PERIOD:
        return "公示期满自动结束,请在期满前登记并处理已收到的异议。"
    if item.due_named:
        return ""
    due = policy_of(item.case, item.gate).due
    unit = "工作日（含调休上班日）" if due.unit is DayUnit.WORKING_DAYS else "自然日（末日遇节假日顺延至下一工作日）"
    note = f"期限{due.days}日，按{unit}计算，自次日起算。"
    if item.provisional:
        note += "所跨年度的放假安排尚未公布，该日期为暂定，公布后自动重算。"
    return note


def facts_of(application: SiteApplication) -> ApplicationFacts:
    """Return the application as the rules examine it."""
    return ApplicationFacts(
        volunteers=application.volunteers,
        area_square_metres=application.area_square_metres,
        facilities=frozenset(Facility(code) for code in application.facilities),
        confirmations=frozenset(application.confirmations),
        leader_source=application.leader_source,
        recommended_by=application.recommended_by,
        leader_agrees=application.leader_agrees,
    )


def warnings_of(application: SiteApplication, case: Case) -> tuple[str, ...]:
    """Return what the reviewer must acknowledge, each with the value and what is usual (D0-R2, D0-R3)."""
    seen = {finding.code: finding for finding in examine(facts_of(application), edition_of(case).for_sites)}
    return tuple(seen[code].message.partition(";")[0] for code in application.warnings if code in seen)


def names_of(codes: Sequence[str], case: Case) -> tuple[str, ...]:
    """Return the names of standards by their codes."""
    known = {standard.code: standard.name for standard in edition_of(case).for_sites.standards}
    return tuple(known.get(code, code) for code in codes)


def deficiencies(application: SiteApplication, case: Case) -> tuple[str, ...]:
    """Return what must be cured before the plaque, by name."""
    return names_of(application.deficiencies, case)


def chinese_date(day: date) -> str:
    """Return a day as official texts write it, without zero padding."""
    return f"{day.year}年{day.month}月{day.day}日"


def due_of(case: Case, gate: Gate, act: Act) -> date:
    """Return the day by which `gate`, opened now, would be due: for the letter that comes before the gate does."""
    return plan(policy_of(case, gate), opened_at=act.at, calendar=act.resources.calendar).due_on
