"""
DBOS: one durable workflow a case that waits for messages; each call from outside is a message, durable once it is sent.

The polling interval on SQLite is its default of one second; on PostgreSQL it listens. What the steps write
(signatures, history, steps with due dates, letters) are rows in SQLAlchemy. Does not: chain its history, remind or
escalate, check who may decide, keep the policy of a case.
"""

import threading
import time
from datetime import datetime, timedelta
from typing import ClassVar

from dbos import DBOS, DBOSConfig, SetWorkflowID
from sqlalchemy import Text, UniqueConstraint, create_engine, event, func, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from bench.contestant import Place
from bench.contestants import SIGNATURES
from bench.contestants.orm_rows import now, prepared
from bench.letter import GATES, letters
from bench.storage import bytes_of

PERIOD = timedelta(days=10)
LONG = 3600 * 24 * 400
VERDICTS = ("carried", "forwarded", "approved", "completed", "completed")


class Base(DeclarativeBase):
    """The tables."""


class Step(Base):
    """A gate that waits, or waited."""

    __tablename__ = "steps"
    __table_args__ = (UniqueConstraint("number", "gate"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str]
    gate: Mapped[str]
    due_at: Mapped[datetime] = mapped_column(index=True)
    verdict: Mapped[str | None]


class Signature(Base):
    """A household agrees."""

    __tablename__ = "signatures"
    number: Mapped[str] = mapped_column(primary_key=True)
    household: Mapped[str] = mapped_column(primary_key=True)
    signed_at: Mapped[datetime]


class History(Base):
    """What happened."""

    __tablename__ = "history"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    what: Mapped[str] = mapped_column(Text)


class Letter(Base):
    """A letter that waits for the post."""

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str]
    address: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    sent_at: Mapped[datetime | None]


class Desk:
    """What the steps write with, and who waits for a gate to open."""

    engine = create_engine("sqlite://")
    opened: ClassVar[dict[tuple[str, str], threading.Event]] = {}

    @classmethod
    def wait_for(cls, number: str, gate: str) -> threading.Event:
        """Return what is set when a gate of a case opens."""
        return cls.opened.setdefault((number, gate), threading.Event())


@DBOS.step()
def begin(number: str, fields: dict[str, object]) -> None:
    """Take up the application."""
    with Session(Desk.engine) as session, session.begin():
        session.add(History(number=number, at=now(), actor=str(fields["leader"]), what="提出申请"))


@DBOS.step()
def open_gate(number: str, gate: str) -> None:
    """Open a gate and queue its letters."""
    due = now() + PERIOD
    with Session(Desk.engine) as session, session.begin():
        session.add(Step(number=number, gate=gate, due_at=due))
        session.add_all(
            Letter(number=number, address=to, subject=subject, body=text, html=html)
            for to, subject, text, html in letters(number, gate, due.date())
        )
    Desk.wait_for(number, gate).set()


@DBOS.step()
def sign(number: str, household: str) -> None:
    """Enter a signature."""
    with Session(Desk.engine) as session, session.begin():
        session.add(Signature(number=number, household=household, signed_at=now()))
        session.add(History(number=number, at=now(), actor="顾组长", what=f"登记农户答复:{household}同意"))


@DBOS.step()
def close_gate(number: str, gate: str, verdict: str) -> None:
    """Close a gate."""
    with Session(Desk.engine) as session, session.begin():
        session.execute(update(Step).where(Step.number == number, Step.gate == gate).values(verdict=verdict))
        if gate != GATES[0]:
            session.add(History(number=number, at=now(), actor="沈审核", what=f"{gate}:{verdict}"))


@DBOS.workflow()
def site_case(number: str, fields: dict[str, object]) -> str:
    """Carry a case to its end."""
    begin(number, fields)
    open_gate(number, GATES[0])
    for _ in range(SIGNATURES):
        sign(number, DBOS.recv("signature", timeout_seconds=LONG))
    close_gate(number, GATES[0], VERDICTS[0])
    for gate in GATES[1:]:
        open_gate(number, gate)
        close_gate(number, gate, DBOS.recv(gate, timeout_seconds=LONG))
    return "listed"


class Dbos:
    """DBOS."""

    def __init__(self, place: Place) -> None:
        self.place = place
        system = f"sqlite:///{place.folder / 'dbos.db'}" if place.postgres is None else place.url
        config: DBOSConfig = {"name": "bench", "system_database_url": system, "log_level": "ERROR"}
        DBOS(config=config)
        DBOS.launch()
        Desk.engine = create_engine(place.url)
        if place.postgres is None:
            event.listen(Desk.engine, "connect", prepared)
            event.listen(Desk.engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        Base.metadata.create_all(Desk.engine)
        self.cases = 0

    def prepare(self, units: int) -> None:
        """Nothing: it knows no registry."""

    def run(self, units: int) -> list[float]:
        """Carry the cases, one after the other."""
        return [wait for _ in range(units) for wait in self._case()]

    def _case(self) -> list[float]:
        waits = []
        self.cases += 1
        number = f"KT-2026-{self.cases:06d}"
        fields: dict[str, object] = {
            "household": f"{number}-001",
            "leader": "陆负责",
            "leader_source": "党员",
            "recommended_by": "周荡村党支部",
            "volunteers": 12,
            "area": "25",
            "facilities": "客厅、卫生间",
            "confirmations": "安全",
            "speciality": "编织",
            "agrees": True,
        }
        with SetWorkflowID(number):
            handle = DBOS.start_workflow(site_case, number, fields)
        Desk.wait_for(number, GATES[0]).wait()
        for n in range(1, SIGNATURES + 1):
            begun = time.perf_counter()
            DBOS.send(number, f"{number}-{n:03d}", "signature")
        Desk.wait_for(number, GATES[1]).wait()
        waits.append(time.perf_counter() - begun)
        for gate, following, verdict in zip(GATES[1:], (*GATES[2:], ""), VERDICTS[1:], strict=True):
            begun = time.perf_counter()
            DBOS.send(number, verdict, gate)
            if following:
                Desk.wait_for(number, following).wait()
            else:
                handle.get_result(polling_interval_sec=0.05)
            waits.append(time.perf_counter() - begun)
        return waits

    def check(self) -> None:
        """See that every case was listed and everything written."""
        with Session(Desk.engine) as session:
            counts = [
                session.scalar(statement)
                for statement in (
                    select(func.count(Step.id)).where(Step.verdict.is_not(None)),
                    select(func.count()).select_from(Signature),
                    select(func.count(History.id)),
                    select(func.count(Letter.id)),
                )
            ]
        assert counts == [self.cases * each for each in (5, 20, 25, 10)], counts

    def stored(self) -> int:
        """Return the databases' bytes."""
        return bytes_of(self.place)
