"""
The desk itself, in process: the same commands and the same procedure as the live driver runs.

Beside the case it writes the hash chain, reminders, escalations and lapses, the letters that each step causes
(rendered, built as MIME, marked as delivered), the frozen roll, documents' hashes and the ledger; it checks who may do
what, and counts periods by the edition pinned to the case.
"""

import time
from functools import partial

from sqlalchemy import func, select

from bench.contestant import Place
from bench.contestants import SIGNATURES
from bench.site import Act, SiteDesk
from bench.storage import bytes_of
from bench.town import CASE_PROCEDURES, EDITION, Town
from models.case import Case
from policies.vocabulary import Outcome
from tasks.drivers import carry_in_bulk
from tasks.post import post_letters


class Rehearsal:
    """Case by case; after each call that closes a gate the procedure runs to the next one."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.town = Town(place)
        self.at = self.town.resources.clock.now()
        self.desk = SiteDesk(self.town, at=self.at, edition=self.town.resources.editions[EDITION].edition)
        self.groups: list[str] = []
        self.listed = 0

    def prepare(self, units: int) -> None:
        """Enter the households."""
        self.groups = self.town.add_groups(units, households=SIGNATURES)
        self.listed += units

    def run(self, units: int) -> list[float]:
        """Carry the cases, one after the other."""
        return [wait for group in self.groups for wait in self._case(group)]

    def _case(self, group: str) -> list[float]:
        waits: list[float] = []

        def step(*acts: Act) -> None:
            for act in acts[:-1]:
                act()
            begun = time.perf_counter()
            acts[-1]()
            self.desk.carry(number)
            waits.append(time.perf_counter() - begun)
            post_letters(self.town.resources, at=self.at, number=number)

        number = self.desk.apply(group)
        self.desk.carry(number)
        households = [f"{group}-{n:03d}" for n in range(1, SIGNATURES + 1)]
        step(*((lambda each=each: self.desk.sign(number, each)) for each in households))
        for acts in self.desk.decisions(number):
            step(*acts)
        return waits

    def check(self) -> None:
        """See that every case was listed."""
        with self.town.resources.database.read() as session:
            done = session.scalar(select(func.count()).where(Case.outcome == Outcome.LISTED))
        assert done == self.listed, f"{done} of {self.listed}"

    def stored(self) -> int:
        """Return the database's bytes."""
        return bytes_of(self.place)


class Bulk(Rehearsal):
    """All cases of the round step by step, each step a list: one pass a case and gate, letters posted once a list."""

    def run(self, units: int) -> list[float]:
        """Carry the cases, gate by gate."""
        numbers = {self.desk.apply(group): group for group in self.groups}
        self._list([(number, lambda: None) for number in numbers])
        self._list(
            [
                (number, partial(self.desk.sign, number, f"{group}-{n:03d}"))
                for number, group in numbers.items()
                for n in range(1, SIGNATURES + 1)
            ]
        )
        for stage in zip(*(self.desk.decisions(number) for number in numbers), strict=True):
            self._list([(number, act) for number, acts in zip(numbers, stage, strict=True) for act in acts])
        return []

    def _list(self, acts: list[tuple[str, Act]]) -> None:
        rows = [(f"第{n}行", number, act) for n, (number, act) in enumerate(acts, start=2)]
        report = carry_in_bulk(self.town.resources, rows, CASE_PROCEDURES, at=self.at)
        assert not report.refused, report.refused
