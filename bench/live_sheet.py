"""
Work 11: a sheet of decisions through the one Prefect run that takes it, on a real server and worker.

Each case has a suspended run, whose form, name and case file the sheet's run brings up to date; every letter goes to a
mail server on loopback. Two rates, both from asking for the run: until every decision is taken, its next gate open and
every letter accepted; and until the run has ended, when every form is new as well.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack

from sqlalchemy import func, select

from bench.bulk import SHEET, to_the_village, write_sheet
from bench.contest import Entry, compete
from bench.contestant import Place, Spent
from bench.live_desk import Office
from bench.mailbox import mailbox
from bench.meter import cpu_of_tree
from bench.postgres import Postgres
from bench.table import Report, target
from models.outbox import OutboxEntry
from models.work_item import WorkItem
from policies.vocabulary import Gate, LetterStatus, WorkItemStatus

OURS = "Ketang, one run"
FLOW, DEPLOYMENT = "decide-in-bulk", "批量办理"
LOOK_SECONDS = 0.2
WORKER, SERVER = "CPU of the worker per decision", "CPU of the server per decision"
RATE = "decisions per second until all letters are accepted"
FIGURES = {WORKER: "ms", SERVER: "ms", RATE: "1/s"}


class Sheet:
    """The desk on a stack of its own."""

    def __init__(self, place: Place) -> None:
        self._closed = ExitStack()
        self.place = place
        self.figures: dict[str, float] = {}
        self.decided = 0
        try:
            mail = self._closed.enter_context(mailbox())
            self.office = Office(place, self._closed, smtp_host="127.0.0.1", smtp_port=mail.port, smtp_security="none")
        except BaseException:
            self.close()
            raise

    def prepare(self, units: int) -> None:
        """Carry as many cases to the village's decision, each with a suspended run, and write the sheet."""
        office = self.office
        with office.unswept():
            numbers = to_the_village(office.town, office.desk, units)
            for number in numbers:
                office.lay_out_run(number)
        self.forms = {office.run(number): office.api.form(office.run(number)) for number in numbers}
        write_sheet(office.resources, numbers)
        self.decided += units

    def run(self, units: int) -> list[float]:
        """Have the sheet taken by its deployment."""
        api = self.office.api
        before, begun = self._cpu(), time.perf_counter()
        run = api.start(api.deployment(FLOW, DEPLOYMENT), {"entry": {"sheet": SHEET}})
        told = 0.0
        while not api.ended(run):
            time.sleep(LOOK_SECONDS)
            if not told and self._standing() == (self.decided, 0):
                told = time.perf_counter() - begun
        wall = time.perf_counter() - begun
        state = api.ask("GET", f"/flow_runs/{run}")["state"]
        assert state["type"] == "COMPLETED", state
        server, worker = (after - since for after, since in zip(self._cpu(), before, strict=True))
        self._spent = Spent(cpu=server + worker, wall=wall)
        self.figures = {WORKER: worker / units, SERVER: server / units, RATE: units / (told or wall)}
        return []

    def check(self) -> None:
        """See that every case waits at the next gate with a new form, and that every letter was accepted."""
        assert self._standing() == (self.decided, 0), (self._standing(), self.decided)
        stale = [run for run, key in self.forms.items() if self.office.api.form(run) in ("", key)]
        assert not stale, f"{len(stale)} runs have no new form"

    def _standing(self) -> tuple[int, int]:
        """Return how many cases wait at the next gate, and how many letters are not accepted yet."""
        with self.office.resources.database.glance() as connection:
            waiting = connection.scalar(
                select(func.count()).where(WorkItem.gate == Gate.OFFICE_REVIEW, WorkItem.status == WorkItemStatus.OPEN)
            )
            unsent = connection.scalar(select(func.count()).where(OutboxEntry.status != LetterStatus.SENT))
        return waiting or 0, unsent or 0

    def spent(self) -> Spent:
        """Return what server and worker took."""
        return self._spent

    def stored(self) -> int:
        """Return nothing: the sheet's own row is in the work without a server."""
        return 0

    def close(self) -> None:
        """End everything that was started."""
        self._closed.close()

    def _cpu(self) -> tuple[float, float]:
        database = cpu_of_tree(self.place.server) if self.place.server else 0.0
        return cpu_of_tree(self.office.server) + database, cpu_of_tree(self.office.worker)


def contest(
    report: Report,
    postgres: Postgres,
    *,
    decisions: int,
    kinds: tuple[str, ...],
    rounds: int,
    say: Callable[[str], None],
) -> None:
    """Have sheets taken on each kind of database, Prefect's and the business's alike."""
    for kind in kinds:
        server = postgres if kind == "PostgreSQL" else None
        entry = Entry(
            OURS,
            "bench.live_sheet:Sheet",
            postgres=server.database() if server else None,
            server=server.pid if server else None,
            options={"prefect": server.database()} if server else {},
        )
        scores = compete([entry], units=decisions, rounds=rounds, work=f"live sheet, {kind}", say=say, warm_up=False)
        work = f"{decisions:,} decisions from one sheet, live, {kind}"
        report.add(work, "decision", scores, limit=OURS)
        report.add_figures(work, scores, FIGURES)
        taken = scores[OURS].figure(RATE)
        assert taken is not None
        shown = scores[OURS].middle(lambda each: 1 / each.wall)
        for what, rate in (("all letters accepted", taken[0]), ("all forms shown too", shown[0])):
            name = f"sheet, live, {kind}: decisions per second in one Prefect run, {what}"
            report.targets.append(target(name, rate, ">=", 20.0))
