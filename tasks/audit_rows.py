"""
Reading records that may have been tampered with, read only.

For the audit of the history and of the ledger, and wherever one row that can not be read must keep no other from its
turn: lists, the sweep, archives.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Boolean, Column, Date, Enum, Integer, LargeBinary, Select, String, Text, cast, select
from sqlalchemy.exc import DataError, DBAPIError, MultipleResultsFound, NoResultFound, OperationalError
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.base import Base, Instant
from models.case import Case
from models.registry import Unit
from policies.errors import BadPolicy
from rules.masking import mask_text

T = TypeVar("T")
U = TypeVar("U")
R = TypeVar("R", bound=Base)

# Not a word of its list, no moment, no JSON, a number or bytes for a day, a day beyond all calendars; SQLite says
# OperationalError of text that is not UTF-8, PostgreSQL DataError of "infinity". What is referred to and not there is
# None, or no result.
UNREADABLE = (
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    AttributeError,
    NoResultFound,
    MultipleResultsFound,
    OperationalError,
    DataError,
)
"""What reading a row that somebody has tampered with may raise; `is_of_value` tells whether that was the cause."""
_PLAIN = (type(None), bool, int, float, str, bytes)
"""What stands where something else is meant, so that it lacks what that has."""
_NO_TEXT = "Could not decode"
"""So begins what SQLite says of such a text; its other operational errors are of the database itself."""
_READERS = {"sqlalchemy", "psycopg", "enum", "json", "models", "policies"}
"""Packages that turn kept values into Python's."""
_TYPES = {Boolean: bool, Integer: int, String: str, Instant: datetime, Date: date, LargeBinary: bytes}
"""What values are in Python, by the type of their column; an enumeration's are of its own."""
_AT_ONCE = 200
_LONGEST = 60


@dataclass(frozen=True)
class AuditFault:
    """One row that is not what was once written."""

    case_number: str
    """Empty for a row that no longer belongs to any case."""
    table: str
    row: int
    reason: str

    def __str__(self) -> str:
        case = f"案件 {self.case_number}:" if self.case_number else ""
        return f"{case}表 {self.table} 第 {self.row} 行:{self.reason}"


def rows_of(session: Session, table: type[R], query: Select[tuple[R]], *, number: str) -> Iterator[R | AuditFault]:
    """
    Yield the rows of a query; a row so damaged that it can not be read is a fault, not the audit's end.

    Args:
        query: selects `table`, in order.
        number: the case's, for the faults.
    """

    def one_by_one() -> list[R | AuditFault]:
        ids = session.scalars(query.with_only_columns(_key(table))).all()
        return [_read(session, table, row_id, number) for row_id in ids]

    for row in read_or(lambda: list(session.scalars(query)), one_by_one):
        if not isinstance(row, AuditFault) and not is_whole(row):
            row = fault_of(session, table, row.__mapper__.primary_key_from_instance(row)[0], number=number)
        yield row


def in_pages(session: Session, table: type[R], query: Select[tuple[R]]) -> Iterator[R | AuditFault]:
    """
    As `rows_of`, for any number of rows: of `table`, in the order of their ids, some hundred in memory at once.

    Args:
        query: without an order; the faults are the case's whose row it is, of other tables nobody's.
    """
    key, last = _key(table), 0
    while ids := session.scalars(query.with_only_columns(key).where(key > last).order_by(key).limit(_AT_ONCE)).all():
        yield from rows_of(session, table, select(table).where(key.in_(ids)).order_by(key), number="")
        last = ids[-1]


def read_or(read: Callable[[], T], otherwise: Callable[[], U]) -> T | U:
    """
    Return what `read` returns; what `otherwise` returns, when `read` meets a value that somebody has tampered with.

    So many are read at once, and only where one of them can not be, each by itself.

    Raises:
        Exception: as `read`, whatever else it meets: a database that can not be read now, a mistake.
    """
    try:
        return read()
    except (BadPolicy, *UNREADABLE) as error:
        if not is_of_value(error):
            raise
    return otherwise()


def is_of_value(error: Exception) -> bool:
    """Return whether an error came of what was read: not of a database that can not be read now, nor of a mistake."""
    match error:
        case DataError() | BadPolicy():
            return True
        case DBAPIError():
            return str(error.orig).startswith(_NO_TEXT)
        case AttributeError():
            return isinstance(error.obj, _PLAIN)
        case _:
            return isinstance(error, UNREADABLE)


def is_of_reading(error: Exception) -> bool:
    """
    Return whether an error came of reading what is kept, and of nothing that our own code made of it.

    For where somebody would be accused. A key that is lacking or a wrong type may be a mistake of ours as well as a
    changed value; which one it was is told by who met it: what turns kept values into Python's, or code that goes by
    them.
    """
    if not is_of_value(error):
        return False
    if isinstance(error, (DBAPIError, BadPolicy)):
        return True
    trace, met_by = error.__traceback__, ""
    while trace is not None:
        met_by, trace = str(trace.tb_frame.f_globals.get("__name__", "")), trace.tb_next
    return met_by.partition(".")[0] in _READERS


def number_of(session: Session, case_id: int) -> str:
    """Return the number of a case of which nothing else may be readable; as it stands there when it is no text."""
    return _shown(session, Case, Case.__mapper__.columns["number"], case_id)


def unit_shown(session: Session, unit_id: int) -> str:
    """Return name and code of a unit of which nothing else may be readable, as they stand there."""
    columns = Unit.__mapper__.columns
    return f"{_shown(session, Unit, columns['name'], unit_id)}({_shown(session, Unit, columns['code'], unit_id)})"


def _key(table: type[Any]) -> InstrumentedAttribute[int]:
    key: InstrumentedAttribute[int] = table.id
    return key


def _shown(session: Session, table: type[Base], column: Column[Any], row_id: int) -> str:
    """Return what stands in a column, whatever it is, as text; empty when nothing does."""
    # SQLite would refuse to make text of bytes that are none; PostgreSQL takes a text for bytes as escaped.
    sqlite = session.get_bind().dialect.name == "sqlite"
    as_kept = cast(column, LargeBinary()) if sqlite else cast(column, Text())
    value = session.scalar(select(as_kept).where(_key(table) == row_id))
    text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value or "")
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def _read(session: Session, table: type[R], row_id: int, number: str) -> R | AuditFault:
    return read_or(lambda: session.get_one(table, row_id), lambda: fault_of(session, table, row_id, number=number))


def fault_of(session: Session, table: type[Base], row_id: int, *, number: str) -> AuditFault:
    """
    Return which values of a row can not be read, and what stands there.

    Args:
        session: a consistent view.
        table: the row's.
        row_id: the row's.
        number: the case's; empty: of nobody, or of the row's own when it is a case.
    """
    said = unreadable_values(session, table, row_id)
    if table is Case and not number:
        number = number_of(session, row_id)
    reason = "无法读取,已被改动" + (f":{'、'.join(said)}" if said else "")
    return AuditFault(number, table.__tablename__, row_id, reason)


def unreadable_values(session: Session, table: type[Base], row_id: int) -> list[str]:
    """Return, in Chinese, which columns of a row of `table` can not be read, and what stands there; none: all can."""
    said = []
    for each in _columns(table):
        if not _fits(session, table, each, row_id):
            said.append(f"列 {each.column.key} 现为{quoted(_shown(session, table, each.column, row_id))}")
    return said


def quoted(value: object) -> str:
    """Return a value as faults name it, in Chinese: without personal numbers, and not at any length."""
    text = "" if value is None else mask_text(str(value))
    if not text:
        return "空"
    return f"“{text if len(text) <= _LONGEST else text[:_LONGEST] + '……'}”"


def _fits(session: Session, table: type[Base], place: "_Place", row_id: int) -> bool:
    value = select(place.column).where(_key(table) == row_id)
    return read_or(lambda: place.takes(session.scalar(value)), lambda: False)


def is_whole(row: Base) -> bool:
    """Return whether numbers are numbers and texts are texts: SQLite keeps anything in any column."""
    return all(each.takes(getattr(row, each.column.key)) for each in _columns(type(row)))


@dataclass(frozen=True)
class _Place:
    """A column, and what its values are in Python."""

    column: Column[Any]
    type: type
    may_be_empty: bool

    def takes(self, value: object) -> bool:
        """Return whether what was read is of the column's type, and there when it has to be."""
        return self.may_be_empty if value is None else isinstance(value, self.type)


@cache
def _columns(table: type[Base]) -> tuple[_Place, ...]:
    return tuple(_Place(each, _type(each), bool(each.nullable)) for each in table.__mapper__.columns)


def _type(column: Column[Any]) -> type:
    if isinstance(column.type, Enum):
        return column.type.enum_class or str
    for kind, values in _TYPES.items():
        if isinstance(column.type, kind):
            return values
    return object  # looked at where it is used
