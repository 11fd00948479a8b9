"""
By hand with SQLAlchemy's ORM and a state machine of `transitions`: what a careful developer writes first.

Does not: chain its history, remind or escalate, check who may decide, keep the policy by which a case was opened.
"""

import time
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, create_engine, event, func, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from transitions import Machine

from bench.contestant import Place
from bench.contestants import SIGNATURES
from bench.letter import GATES, letters
from bench.storage import bytes_of
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


class Orm:
    """SQLAlchemy and transitions."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.engine = create_engine(place.url)
        if place.postgres is None:
            event.listen(self.engine, "connect", _prepared)
            event.listen(self.engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        Base.metadata.create_all(self.engine)
        self.cases = 0

    def prepare(self, units: int) -> None:
        """Nothing: it knows no registry."""

    def run(self, units: int) -> list[float]:
        """Carry the cases, one after the other."""
        return [wait for _ in range(units) for wait in self._case()]

    def _case(self) -> list[float]:
        waits = []
        case_id = self._apply()
        for n in range(1, SIGNATURES + 1):
            begun = time.perf_counter()
            self._sign(case_id, f"G{case_id}-{n:03d}")
        waits.append(time.perf_counter() - begun)
        for verdict in ("forwarded", "approved", "completed", "completed"):
            begun = time.perf_counter()
            self._decide(case_id, verdict)
            waits.append(time.perf_counter() - begun)
        return waits

    def _apply(self) -> int:
        self.cases += 1
        number = f"KT-2026-{self.cases:06d}"
        with Session(self.engine) as session, session.begin():
            case = Case(
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
            session.add(case)
            case.tell("陆负责", "提出申请")
            case.open_step()
            session.flush()
            return case.id

    def _sign(self, case_id: int, household: str) -> None:
        with Session(self.engine) as session, session.begin():
            case = session.get_one(Case, case_id, with_for_update=self.place.postgres is not None)
            if case.state != GATES[0]:
                raise ValueError(case.state)
            session.add(Signature(case_id=case_id, household=household, signed_at=now()))
            session.flush()
            case.tell("顾组长", f"登记农户答复:{household}同意")
            signed = session.scalar(select(func.count()).where(Signature.case_id == case_id))
            if signed == SIGNATURES:
                self._trigger(case, "顾组长", "carried")

    def _decide(self, case_id: int, verdict: str) -> None:
        with Session(self.engine) as session, session.begin():
            case = session.get_one(Case, case_id, with_for_update=self.place.postgres is not None)
            case.tell("沈审核", f"{case.state}:{verdict}")
            self._trigger(case, "沈审核", verdict)

    @staticmethod
    def _trigger(case: Case, by: str, verdict: str) -> None:
        machine.add_model(case, initial=case.state)
        try:
            case.decide(by, verdict)  # type: ignore[attr-defined]
        finally:
            machine.remove_model(case)

    def check(self) -> None:
        """See that every case was listed and everything written."""
        with Session(self.engine) as session:
            counts = [
                session.scalar(statement)
                for statement in (
                    select(func.count()).where(Case.state == "listed"),
                    select(func.count()).where(Step.decided_at.is_not(None)),
                    select(func.count(History.id)),
                    select(func.count(Letter.id)),
                )
            ]
        assert counts == [self.cases * each for each in (1, 5, 25, 10)], counts

    def stored(self) -> int:
        """Return the database's bytes."""
        return bytes_of(self.place)


def _prepared(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
