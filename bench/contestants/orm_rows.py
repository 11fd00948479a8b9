"""The rows and the machine of "SQLAlchemy + transitions"; apart, so that a flow of stock Prefect loads no more."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, create_engine, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from transitions import Machine

from bench.letter import GATES, letters
from runtime.clock import machine_now

PERIOD = timedelta(days=10)


class Base(DeclarativeBase):
    """The tables."""


class Signature(Base):
    """A household agrees."""

    __tablename__ = "signatures"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    household: Mapped[str] = mapped_column(String(40), primary_key=True)
    signed_at: Mapped[datetime]


class Step(Base):
    """A gate that waits, or waited."""

    __tablename__ = "steps"
    __table_args__ = (
        UniqueConstraint("case_id", "gate"),
        Index(
            "steps_due",
            "due_at",
            sqlite_where=text("decided_at IS NULL"),
            postgresql_where=text("decided_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    gate: Mapped[str] = mapped_column(String(30))
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(40))
    verdict: Mapped[str | None] = mapped_column(String(20))


class History(Base):
    """What happened."""

    __tablename__ = "history"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(40))
    what: Mapped[str] = mapped_column(Text)


class Letter(Base):
    """A letter that waits for the post."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_due", "id", sqlite_where=text("sent_at IS NULL"), postgresql_where=text("sent_at IS NULL")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    address: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(300))
    body: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    sent_at: Mapped[datetime | None]


class Case(Base):
    """An application, and the model of the machine."""

    __tablename__ = "cases"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    state: Mapped[str] = mapped_column(String(30))
    household: Mapped[str] = mapped_column(String(40))
    leader: Mapped[str] = mapped_column(String(40))
    leader_source: Mapped[str] = mapped_column(String(40))
    recommended_by: Mapped[str] = mapped_column(String(40))
    volunteers: Mapped[int]
    area: Mapped[str] = mapped_column(String(10))
    facilities: Mapped[str] = mapped_column(Text)
    confirmations: Mapped[str] = mapped_column(Text)
    speciality: Mapped[str] = mapped_column(String(40))
    agrees: Mapped[bool]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    steps: Mapped[list[Step]] = relationship()
    signatures: Mapped[list[Signature]] = relationship()
    history: Mapped[list[History]] = relationship(lazy="write_only")
    letters: Mapped[list[Letter]] = relationship(lazy="write_only")

    def tell(self, actor: str, what: str) -> None:
        """Add to the history."""
        self.history.add(History(at=now(), actor=actor, what=what))  # type: ignore[attr-defined]

    def open_step(self, *_: Any) -> None:
        """Open the step of the state that was entered, with its letters."""
        due = now() + PERIOD
        self.steps.append(Step(gate=self.state, opened_at=now(), due_at=due))
        for address, subject, body, html in letters(self.number, self.state, due.date()):
            self.letters.add(Letter(address=address, subject=subject, body=body, html=html))  # type: ignore[attr-defined]

    def close_step(self, by: str, verdict: str) -> None:
        """Close the step of the state that is left."""
        step = next(step for step in self.steps if step.gate == self.state)
        step.decided_at, step.decided_by, step.verdict = now(), by, verdict

    def finish(self, *_: Any) -> None:
        """Close the case."""
        self.closed_at = now()


# One machine for all cases, as its authors advise where there are many: a machine of one's own costs milliseconds.
machine = Machine(
    model=None,
    states=[*GATES, "listed"],
    initial=GATES[0],
    auto_transitions=False,
    transitions=[
        {"trigger": "decide", "source": gate, "dest": after, "before": "close_step", "after": then}
        for gate, after, then in zip(GATES, (*GATES[1:], "listed"), ("open_step",) * 4 + ("finish",), strict=True)
    ],
)


def now() -> datetime:
    """Return the moment, as the columns keep it."""
    return machine_now().replace(tzinfo=None)


def connected(url: str) -> Engine:
    """Return an engine as durable as the others' databases."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", prepared)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def applied(number: str) -> Case:
    """Return an application that was handed in."""
    return Case(
        number=number,
        state=GATES[0],
        household=f"{number}-001",
        leader="陆负责",
        leader_source="党员",
        recommended_by="周荡村党支部",
        volunteers=12,
        area="25",
        facilities="客厅、卫生间",
        confirmations="安全",
        speciality="编织",
        agrees=True,
        opened_at=now(),
    )


def trigger(case: Case, by: str, verdict: str) -> None:
    """Take a decision: close the step, and open the next one with its letters."""
    machine.add_model(case, initial=case.state)
    try:
        case.decide(by, verdict)  # type: ignore[attr-defined]
    finally:
        machine.remove_model(case)


def prepared(connection: Any, _record: Any) -> None:
    """Set a SQLite connection up."""
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
