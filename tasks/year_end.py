"""What the end of a year shows: villages that built fewer sites than they owe (D1-R2). Called by the sweep."""

from collections.abc import Iterator
from datetime import date, datetime

from sqlalchemy import select

from models.engine import insert_unless_there
from models.registry import Unit, holders
from models.sweep import SweepBeat
from notifications.letters import QuotaShortfall
from notifications.outbox import enqueue
from policies.edition import Edition
from policies.vocabulary import Role, UnitKind
from rules.periods import shanghai_day
from rules.quota import shortfall
from runtime.resources import Resources
from tasks.act import Act, acting
from tasks.applications import approved_in_year
from tasks.broken_units import UnreadableUnit, of_no_kind, units_of
from tasks.each_town import serve_each
from tasks.mail import to_person
from tasks.openings import town_edition


def report_shortfalls(resources: Resources, *, at: datetime, failures: list[str] | None = None) -> int:
    """
    Tell the office and the villages concerned who built too few in the year before, once.

    Also when the sweep was down over the new year: the report is then made at its first pass. A town for which it can
    not be made keeps no other from its own, and is tried again by every pass.
    Safe to repeat because the report of a town leaves its mark in the transaction of its letters.

    Args:
        failures: gets the towns for which it can not be made, in Chinese; None: they are raised in the end.

    Returns:
        How many villages were reported now.

    Raises:
        SomeFailed: it could not be made for some, and `failures` is None.
    """
    year = shanghai_day(at).year - 1
    whole = f"quota-{year}"
    with resources.database.read() as session:
        if session.get(SweepBeat, whole) is not None:
            return 0
        towns = select(Unit).where(Unit.kind == UnitKind.TOWN).order_by(Unit.code)
        asked = [
            (each.shown, each) if isinstance(each, UnreadableUnit) else (each.name, each.id)
            for each in units_of(session, towns)
        ]
        unfound = of_no_kind(session)

    def serve(town_id: int) -> list[str]:
        with acting(resources, at=at) as act:
            town = act.session.get_one(Unit, town_id)
            mark = f"{whole}-{town.code}"
            if act.session.get(SweepBeat, mark) is not None:
                return []
            reported = [each.code for each in _report(act, town, year)]
            _mark(act, mark, reported)
            return reported

    done = serve_each("年度建设数量通报", asked, serve, failures=failures)
    reported = [code for codes in done for code in codes]
    if len(done) == len(asked) and not unfound:
        with acting(resources, at=at) as act:
            _mark(act, whole, reported)
    return len(reported)


def _mark(act: Act, name: str, villages: list[str]) -> None:
    counts = {"villages": villages}
    insert_unless_there(act.session, SweepBeat, name=name, started_at=act.at, finished_at=act.at, counts=counts)


def _report(act: Act, town: Unit, year: int) -> Iterator[Unit]:
    if town.edition_id is None:
        return
    loaded = town_edition(act.resources, town)
    if loaded.edition.site is None or loaded.edition.site.quota is None:
        return
    edition, quota = loaded.edition, loaded.edition.site.quota
    if not _in_force(edition, year):
        return
    villages = act.session.scalars(
        select(Unit).where(Unit.parent_id == town.id, Unit.kind == UnitKind.VILLAGE).order_by(Unit.code)
    ).all()
    built = {village: approved_in_year(act.session, village, edition, year) for village in villages}
    short = [village for village in villages if shortfall(quota, built=built[village])]
    if not short:
        return
    letter = QuotaShortfall(
        township=town.name,
        office=f"{town.name}社区办",
        scheme_title=edition.title,
        plaque_text=edition.for_sites.plaque_text,
        year=year,
        at_least=quota.per_village_per_year_at_least,
        villages=tuple(f"{village.name}:建成{built[village]}个" for village in short),
    )
    people = {
        person.id: person
        for role, unit in [
            (Role.OFFICE_HEAD, town),
            (Role.OFFICE_REVIEWER, town),
            *((role, village) for village in short for role in (Role.VILLAGE_RESPONSIBLE, Role.LIAISON)),
        ]
        for person in holders(act.session, role=role, unit_id=unit.id, on=act.day)
    }
    for person in people.values():
        key = f"quota:{edition.id}:{town.code}:{year}:p{person.id}"
        enqueue(act.session, case_id=None, letter=letter, to=to_person(person), dedup_key=key, at=act.at)
    yield from short


def _in_force(edition: Edition, year: int) -> bool:
    """Return whether the edition was in force on a day of that year."""
    first, until = edition.in_force.from_, edition.in_force.until
    return first <= date(year, 12, 31) and (until is None or until > date(year, 1, 1))
