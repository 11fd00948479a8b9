"""
Public notices (公示): published once, hashed, never changed; their period is counted on the day of publication.

A notice is a case of its own: alone, or the child of what it is about. Its gate opens in the transaction that publishes
it, so that its end is sure from the first moment, whatever carries it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.case import Case, PublishedEdition
from models.notice import Notice
from models.registry import Unit
from policies.errors import Refused
from policies.load import LoadedEdition
from policies.notice_scheme import NoticePeriod
from policies.vocabulary import CaseKind, Door, Gate, NoticeKind, Role, UnitKind
from rules.calendar import WorkCalendar
from rules.masking import mask_text
from rules.notice_period import period_in_words
from rules.periods import due_on
from runtime.resources import Resources, edition_of
from tasks import items as work_items
from tasks import notice_mail
from tasks.act import Act, acting
from tasks.cases import holds_any, person_of
from tasks.history import append
from tasks.notice_commands import PublishNotice
from tasks.notice_seal import digest_of
from tasks.openings import check_in_force, next_number, publish

OFFICE = {Role.OFFICE_HEAD, Role.OFFICE_REVIEWER}


@dataclass(frozen=True)
class NoticeItem:
    """
    Something in a notice that can be objected against by itself.

    Args:
        label: as the notice prints it.
        case_id: the case it is about; None: none.
    """

    label: str
    case_id: int | None = None


def open_notice(
    act: Act,
    *,
    parent: Case | None,
    unit: Unit,
    edition: PublishedEdition | LoadedEdition,
    kind: NoticeKind,
    title: str,
    text: str,
    items: Sequence[NoticeItem],
    contact: str,
    place: str,
    key: str,
    actor: str,
) -> Case:
    """
    Publish a notice: open its case and its period, seal what it says, write to those concerned.

    Safe to repeat because a `key` opens one notice. What it says is masked first: a page is public, and no telephone
    of a person stands on it.

    Source: D2-R10.

    Args:
        parent: the case it is about, locked; None: a free notice.
        unit: whose office publishes it.
        edition: by which its days count: as it is pinned to the parent, or one in use.
        text: paragraphs by line breaks.
        items: what can be objected against; objections against the whole are always possible.
        key: what opened it, at most 100 characters.
        actor: who published it, as records show them.
    """
    known = act.session.scalars(select(Case).where(Case.opening_key == key)).one_or_none()
    if known is not None:
        return known
    published = publish(act.session, edition, at=act.at) if isinstance(edition, LoadedEdition) else edition
    case = Case(
        number="",
        kind=CaseKind.NOTICE,
        edition_id=published.id,
        edition_sha256=published.sha256,
        opening_key=key,
        title=mask_text(title),
        unit_id=unit.id,
        parent_id=parent.id if parent is not None else None,
        year=act.day.year,
        opened_at=act.at,
    )
    case.edition, case.unit, case.parent = published, unit, parent
    scheme = edition_of(case).for_notices
    case.number = next_number(act.session, scheme.case_prefix, act.day.year)
    act.session.add(case)
    act.session.flush()
    period, calendar = scheme.gates.notice_period.due, act.resources.calendar
    last = last_day_of(period, act.day, calendar)
    notice = Notice(
        case_id=case.id,
        kind=kind,
        edition=_times_noticed(act.session, case),
        text=mask_text(text).strip(),
        items=[{"case": each.case_id, "label": mask_text(each.label)} for each in items],
        channels=[channel.value for channel in scheme.channels],
        contact=mask_text(contact),
        place=mask_text(place),
        published_at=act.at.astimezone(UTC),
        period=period_in_words(period, published_on=act.day, last=last, calendar=calendar),
        sha256="",
        prolonged=[],
        ends_on=last,
        page=f"{case.number.lower()}.html",
    )
    notice.case = case
    notice.sha256 = digest_of(notice)
    act.session.add(notice)
    act.session.flush()
    append(
        act.session,
        case,
        kind="notice_published",
        actor=actor,
        summary=f"发布公示“{case.title}”,{notice.period};内容摘要(SHA-256){notice.sha256}",
        at=act.at,
        data={
            "notice": notice.id,
            "sha256": notice.sha256,
            "ends_on": last.isoformat(),
            "edition": published.id,
            "edition_sha256": published.sha256,
            "parent": parent.number if parent is not None else None,
        },
    )
    work_items.create(act, case, Gate.NOTICE_PERIOD, 1, last=last)
    notice_mail.tell_published(act, notice)
    return case


def publish_notice(resources: Resources, command: PublishNotice, *, door: Door, key: str, at: datetime) -> str:
    """
    Publish a free notice: of any matter, by an edition that says how notices are published (D2-R10).

    Args:
        key: what opened it, e.g. the id of the Prefect run; the same key publishes once.

    Returns:
        The case's number.

    Raises:
        Refused: no such unit or edition, the edition is not in force or knows no notices, the person is not the
            office's.
    """
    with acting(resources, at=at) as act:
        unit = unit_of(act.session, command.unit)
        loaded = resources.editions.get(command.edition.strip())
        usable = "、".join(
            f"{name}(《{each.edition.title}》)" for name, each in resources.editions.items() if each.edition.notices
        )
        if loaded is None or loaded.edition.notices is None:
            raise Refused("default", f"“{command.edition}”不是规定了公示办法的政策,可填:{usable or '(无)'}")
        check_in_force(loaded, act.day)
        person = person_of(act.session, command.by)
        if not holds_any(act.session, person, OFFICE, unit.lineage(), on=act.day):
            raise Refused(
                loaded.edition.notices.gates.notice_period.where,
                f"{person.display}不担任{unit.name}的{Role.OFFICE_REVIEWER.label}或{Role.OFFICE_HEAD.label},不能发布公示",
            )
        # The same key may come in twice at once.
        act.session.get(Unit, unit.id, with_for_update={"of": Unit}, populate_existing=True)
        case = open_notice(
            act,
            parent=None,
            unit=unit,
            edition=loaded,
            kind=NoticeKind.GENERAL,
            title=command.title,
            text=command.text,
            items=[NoticeItem(label) for label in command.items],
            contact=command.contact,
            place=command.place,
            key=key,
            actor=person.display,
        )
        return case.number


def unit_of(session: Session, code: str) -> Unit:
    """Return the town or village of that code or name; Refused when there is none, or several."""
    wanted = code.strip()
    found = session.scalars(
        select(Unit).where(
            (Unit.code == wanted) | (Unit.name == wanted), Unit.kind.in_((UnitKind.TOWN, UnitKind.VILLAGE))
        )
    ).all()
    if len(found) == 1:
        return found[0]
    if found:
        raise Refused("default", f"有{len(found)}个单位叫“{code}”,请改填编码:{'、'.join(each.code for each in found)}")
    raise Refused("default", f"登记簿中没有镇或村(居)“{code}”,请填写其编码或名称")


def last_day_of(period: NoticePeriod, published_on: date, calendar: WorkCalendar) -> date:
    """Return the last day of a notice that is published on a day, counted by the calendar as it is known now."""
    return due_on(
        published_on,
        days=period.days,
        unit=period.unit,
        calendar=calendar,
        start_counted=period.start_counted,
    )


def _times_noticed(session: Session, case: Case) -> int:
    """Return the how-manieth notice of its matter this one is; it is in the database already."""
    if case.parent_id is None:
        return 1
    query = select(func.count(Case.id)).where(Case.parent_id == case.parent_id, Case.kind == CaseKind.NOTICE)
    return session.scalar(query) or 1
