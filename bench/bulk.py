"""
Work 5: a sheet of decisions, one a case, read from a file and taken by the bulk driver: each committed, its case
carried to the next gate, its letters delivered. The Prefect run around it, one for the whole sheet, is left out.

The limit takes as many decisions by hand: a transaction each, with history, the next step and two letters queued.
"""

import csv
from collections.abc import Callable, Sequence

from sqlalchemy import func, select

from bench.contest import Entry, compete
from bench.contestant import Place
from bench.contestants import SIGNATURES
from bench.contestants.raw import Raw
from bench.letter import GATES
from bench.postgres import Postgres
from bench.site import SiteDesk
from bench.storage import bytes_of
from bench.table import Report, target
from bench.town import EDITION, RESPONSIBLE, Town
from flows.bulk import decide_sheet
from models.work_item import WorkItem
from policies.vocabulary import Gate, Verdict, WorkItemStatus
from runtime.resources import Resources
from tasks.post import post_letters

SHEET = "决定.csv"


def to_the_village(town: Town, desk: SiteDesk, units: int) -> list[str]:
    """Carry as many new cases to the village's decision and let their letters go; return their numbers."""
    numbers = []
    for group in town.add_groups(units, households=1):
        number = desk.apply(group)
        desk.carry(number)
        desk.sign(number, f"{group}-001")
        desk.carry(number)
        numbers.append(number)
    while post_letters(town.resources, at=desk.at).sent:
        pass
    return numbers


def write_sheet(resources: Resources, numbers: Sequence[str]) -> None:
    """Write the sheet by which the village forwards these cases into the documents folder."""
    with (resources.settings.documents_folder / SHEET).open("w", encoding="utf-8-sig", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(["案件编号", "办理人", "决定"])
        sheet.writerows([number, RESPONSIBLE, Verdict.FORWARDED.label] for number in numbers)


class Sheet:
    """The desk."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.town = Town(place)
        self.at = self.town.clock.now()
        self.desk = SiteDesk(self.town, at=self.at, edition=self.town.resources.editions[EDITION].edition)
        self.decided = 0

    def prepare(self, units: int) -> None:
        """Carry as many cases to the village's decision, let their letters go, and write the sheet."""
        write_sheet(self.town.resources, to_the_village(self.town, self.desk, units))
        self.decided += units

    def run(self, units: int) -> list[float]:
        """Take the sheet."""
        report = decide_sheet(self.town.resources, SHEET, at=self.at)
        assert report.done == units, report.refused[:3]
        while post_letters(self.town.resources, at=self.at).sent:
            pass
        return []

    def check(self) -> None:
        """See that every case waits at the next gate."""
        with self.town.resources.database.read() as session:
            waiting = session.scalar(
                select(func.count()).where(WorkItem.gate == Gate.OFFICE_REVIEW, WorkItem.status == WorkItemStatus.OPEN)
            )
        assert waiting == self.decided, (waiting, self.decided)

    def stored(self) -> int:
        """Return the database's bytes."""
        return bytes_of(self.place)


class Decisions(Raw):
    """By hand."""

    def prepare(self, units: int) -> None:
        """Carry as many cases to the village's decision."""
        self.open = [self._apply() for _ in range(units)]
        for case_id in self.open:
            for n in range(SIGNATURES):
                self._sign(case_id, f"G{case_id}-{n:03d}")

    def run(self, units: int) -> list[float]:
        """Decide each."""
        for case_id in self.open:
            self._decide(case_id, GATES[1], GATES[2], "forwarded")
        return []

    def check(self) -> None:
        """See that every case waits at the next gate."""
        (done,) = self._do("SELECT count(*) FROM cases WHERE state = ?", GATES[2]).fetchone()
        assert done == self.cases, (done, self.cases)


def contest(report: Report, postgres: Postgres, *, decisions: int, rounds: int, say: Callable[[str], None]) -> None:
    """Take the sheet on each database."""
    for kind, server in (("SQLite", None), ("PostgreSQL", postgres)):
        entries = [
            Entry(
                name,
                f"bench.bulk:{maker}",
                postgres=server.database() if server else None,
                server=server.pid if server else None,
            )
            for name, maker in (("raw, by hand", "Decisions"), ("Ketang", "Sheet"))
        ]
        scores = compete(entries, units=decisions, rounds=rounds, work=f"sheet, {kind}", say=say)
        report.add(f"{decisions:,} decisions from one sheet, {kind}", "decision", scores, limit="raw, by hand")
        rate = scores["Ketang"].middle(lambda each: 1 / each.wall)[0]
        report.targets.append(
            target(f"sheet, {kind}: decisions per second, without the one Prefect run", rate, ">=", 20.0)
        )
