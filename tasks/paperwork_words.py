"""How printed documents say things: days, amounts, shares, numbered rows, what every document begins with."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.work_item import WorkItem
from policies.errors import Refused
from policies.vocabulary import Gate
from rules.money import in_capitals, in_yuan
from rules.periods import shanghai_day
from runtime.resources import edition_of
from tasks.cases import open_item
from tasks.mail import chinese_date, office_of

Facts = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """How a document is made."""

    on: date
    """The day, Shanghai; it stands on the document."""
    office_phone: str
    """The office's public telephone; empty: none is printed."""
    member: str
    """Of scoring sheets, whose page; empty: everybody's."""


def common(case: Case, made: Made) -> Facts:
    """Return what every document says of its case."""
    office = office_of(case)
    return {
        "镇街": office.removesuffix("社区办"),
        "社区办": office,
        "政策": edition_of(case).title,
        "案件编号": case.number,
        "案件名称": case.title,
        "制表日期": chinese_date(made.on),
    }


def day(moment: datetime) -> str:
    """Return the day of a moment as official texts write it, e.g. ``2022年3月4日``."""
    return chinese_date(shanghai_day(moment))


def money(name: str, fen: int | None) -> Facts:
    """Return an amount in figures and in capitals, under `name` and ``name大写``; both empty without one."""
    if fen is None:
        return {name: "", f"{name}大写": ""}
    return {name: in_yuan(fen), f"{name}大写": in_capitals(fen)}


def numbered(rows: Iterable[Facts]) -> list[Facts]:
    """Return the rows with 序号 from 1."""
    return [{"序号": str(number), **row} for number, row in enumerate(rows, 1)]


def spoken_percent(share: Fraction) -> str:
    """Return a share as people write it: ``35%`` when it is a whole number of hundredths, else ``1/3``."""
    hundredths = share * 100
    return f"{hundredths.numerator}%" if hundredths.denominator == 1 else f"{share.numerator}/{share.denominator}"


def latest_item(session: Session, case: Case, gate: Gate) -> WorkItem | None:
    """Return the last round of a gate; None when the case has not come to it."""
    return session.scalars(
        select(WorkItem).where(WorkItem.case_id == case.id, WorkItem.gate == gate).order_by(WorkItem.round.desc())
    ).first()


def reached(session: Session, case: Case, gate: Gate, *, missing: str) -> WorkItem:
    """
    Return the last round of a gate whose document is asked for.

    Args:
        missing: what can not be printed before, e.g. ``尚未遴选,没有评分表可印``.

    Raises:
        Refused: the case has not come to the gate; says where it stands.
    """
    item = latest_item(session, case, gate)
    if item is not None:
        return item
    waits = open_item(session, case)
    stands = f"现处于“{waits.gate.label}”环节" if waits is not None else f"现为“{case.status.label}”"
    raise Refused("default", f"{missing};案件 {case.number} {stands},进入“{gate.label}”环节后再印")
