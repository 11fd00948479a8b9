"""The declarative base: naming, column types, and what every table shares. Nothing is opened at import."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import CheckConstraint, DateTime, Dialect, Enum, Integer, MetaData, String, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeEngine

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """A moment: aware in Python, UTC in the database. A naive value is refused."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the native type: PostgreSQL keeps the zone, SQLite has none."""
        return dialect.type_descriptor(DateTime(timezone=dialect.name != "sqlite"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware moment to UTC; ValueError when it is naive."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment, aware in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """JSON kept as its canonical text, so that a hash over it is the same on every database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return the canonical text."""
        return None if value is None else canonical(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Return the value."""
        return None if value is None else json.loads(value)


def canonical(value: Any) -> str:
    """Return `value` as JSON text with sorted keys and no blanks: equal values, equal text."""
    return _CANONICAL.encode(value)


# `json.dumps` makes one for every call that asks for more than its defaults.
_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def word_type(words: type[StrEnum]) -> Enum:
    """Return the column type of one closed list of words, kept by value under a CHECK."""
    return Enum(
        words,
        native_enum=False,
        create_constraint=True,
        values_callable=lambda listed: [word.value for word in listed],
        length=40,
        name="".join("_" + letter.lower() if letter.isupper() else letter for letter in words.__name__).lstrip("_"),
    )


Key = Annotated[int, mapped_column(Integer, primary_key=True, autoincrement=True)]
Digest = Annotated[str, mapped_column(String(64))]
Short = Annotated[str, mapped_column(String(100))]
Long = Annotated[str, mapped_column(Text)]
Moment = Annotated[datetime, mapped_column(Instant)]
Data = Annotated[dict[str, Any], mapped_column(Json)]
Listing = Annotated[list[Any], mapped_column(Json)]


class Base(DeclarativeBase):
    """All tables of the business database."""

    metadata = MetaData(naming_convention=NAMING)


def one_of(name: str, condition: str) -> CheckConstraint:
    """Return a named CHECK; the name says what must hold."""
    return CheckConstraint(condition, name=name)


Facts = Mapping[str, Any]
