"""
Units of the registry that nobody can serve, mostly because somebody has tampered with their rows: each is told.

Used where something is done for many towns; read only.
"""

from datetime import datetime
from functools import partial
from itertools import pairwise

from sqlalchemy import Select, and_, select, union_all
from sqlalchemy.orm import Session

from models.registry import Unit
from policies.vocabulary import UnitKind
from runtime.resources import Resources
from tasks.audit_rows import is_whole, read_or, unit_shown, unreadable_values
from tasks.each_town import Unreadable, serve_each
from tasks.openings import town_edition


class UnreadableUnit(Unreadable):
    """
    A unit that can not be read, or one above it. Says which column of which row it is.

    Args:
        shown: name and code, as they stand there.
        where: the rows, in Chinese.
    """

    def __init__(self, shown: str, where: str) -> None:
        super().__init__(shown, where)
        self.shown = shown
        self.where = where

    def __str__(self) -> str:
        return f"登记簿中的单位无法读取,已被改动:{self.where};请对照备份更正"


def units_of(session: Session, query: Select[tuple[Unit]]) -> list[Unit | UnreadableUnit]:
    """
    Return the units of a query, in its order; one that can not be read has its place among them.

    Args:
        query: selects `Unit`.
    """

    def one_by_one() -> list[Unit | UnreadableUnit]:
        return [_read(session, unit_id) for unit_id in session.scalars(query.with_only_columns(Unit.id)).all()]

    found = read_or(lambda: list(session.scalars(query)), one_by_one)
    return [
        each if isinstance(each, UnreadableUnit) or is_whole(each) else unreadable(session, each.id) for each in found
    ]


def _read(session: Session, unit_id: int) -> Unit | UnreadableUnit:
    query = select(Unit).where(Unit.id == unit_id)
    return read_or(lambda: session.scalars(query).one(), lambda: unreadable(session, unit_id))


def unreadable(session: Session, unit_id: int) -> UnreadableUnit:
    """Return what stands for a unit that can not be read: a unit is read with all above it."""
    where, seen = list[str](), set[int]()
    above: int | None = unit_id
    while isinstance(above, int) and above not in seen:
        seen.add(above)
        if said := unreadable_values(session, Unit, above):
            where.append(f"表 {Unit.__tablename__} 第 {above} 行:{'、'.join(said)}")
        parent = select(Unit.parent_id).where(Unit.id == above)
        above = read_or(partial(session.scalar, parent), lambda: None)
    return UnreadableUnit(unit_shown(session, unit_id), "；".join(where) or f"表 {Unit.__tablename__} 第 {unit_id} 行")


def of_no_kind(session: Session) -> list[UnreadableUnit]:
    """Return the units that go by an edition, as towns do, but are of no kind there is: nobody finds them as towns."""
    words = sorted(UnitKind, key=lambda kind: kind.value)
    # What lies between the words, because every sweep asks: an index finds that, and not what is none of them.
    gaps = [Unit.kind < words[0], Unit.kind > words[-1]]
    gaps += [and_(Unit.kind > low, Unit.kind < high) for low, high in pairwise(words)]
    query = union_all(*(select(Unit.id).where(gap, Unit.edition_id.is_not(None)) for gap in gaps))
    return [unreadable(session, unit_id) for unit_id in sorted(session.scalars(query))]


def of_no_edition(resources: Resources, session: Session) -> list[Unit | UnreadableUnit]:
    """Return the towns that the registry has go by an edition which is not there, e.g. because its file was taken."""
    lost = Unit.edition_id.not_in(resources.editions)  # of one that names none nothing is asked
    return units_of(session, select(Unit).where(Unit.kind == UnitKind.TOWN, lost).order_by(Unit.code))


def tell_unserved(resources: Resources, at: datetime, failures: list[str] | None = None) -> str:
    """
    Tell of towns for which no duty is done: units of no kind there is, and towns whose edition is not there.

    Args:
        at: not looked at.
        failures: gets them, in Chinese; None: they are raised in the end.

    Returns:
        Empty: nothing is done.
    """
    with resources.database.read() as session:
        found = [*of_no_kind(session), *of_no_edition(resources, session)]
    named = [(each.shown, each) if isinstance(each, UnreadableUnit) else (each.name, each) for each in found]
    serve_each("各项例行事项", named, lambda town: town_edition(resources, town), failures=failures)
    return ""
