"""
By hand with SQLAlchemy's ORM and a state machine of `transitions`: what a careful developer writes first.

Does not: chain its history, remind or escalate, check who may decide, keep the policy by which a case was opened.
"""

import time

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bench.contestant import Place
from bench.contestants import SIGNATURES
from bench.contestants.orm_rows import Base, Case, History, Letter, Signature, Step, applied, connected, now, trigger
from bench.letter import GATES
from bench.storage import bytes_of


class Orm:
    """SQLAlchemy and transitions."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.engine = connected(place.url)
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
            case = applied(number)
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
                trigger(case, "顾组长", "carried")

    def _decide(self, case_id: int, verdict: str) -> None:
        with Session(self.engine) as session, session.begin():
            case = session.get_one(Case, case_id, with_for_update=self.place.postgres is not None)
            case.tell("沈审核", f"{case.state}:{verdict}")
            trigger(case, "沈审核", verdict)

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
