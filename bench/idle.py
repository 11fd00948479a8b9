"""
Work 9: what the desk's stack takes while nobody does anything, with no case open and with many that wait for a form.

CPU is the kernel's books of server and worker with all they started, over a stretch without a scheduled run; the sweep
of every five minutes is measured by itself and added by its share. The stack has been started before, as an office's.
The waiting cases are laid out: opened and carried to their first gate in process, each with a run that is suspended by
the API as its own would have suspended itself.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack

from bench.contest import Entry, compete
from bench.contestant import Place, Spent
from bench.live_desk import SWEEP, Office
from bench.memory import memory_of
from bench.meter import cpu_of_tree, family_of
from bench.table import Report, target
from tasks.post import post_letters

OURS = "Ketang"
SWEEP_SECONDS = 300
BEGIN_SECONDS = 15
"""How long after the instant of a scheduled run its processes are gone, and how long a start goes on being busy."""
PATIENCE_SECONDS = 120
TOTAL, RSS, PSS = "server, worker and the sweep's share", "memory, RSS", "memory, PSS"
FIGURES = {
    "core of the server": "core",
    "core of the worker": "core",
    "core of the sweep every five minutes": "core",
    TOTAL: "core",
    RSS: "MB",
    PSS: "MB",
}


class Idle:
    """A stack with as many waiting cases as `options` says."""

    def __init__(self, place: Place) -> None:
        self._closed = ExitStack()
        try:
            self.office = Office(place, self._closed)
            with self.office.unswept():
                for group in self.office.town.add_groups(int(place.options["cases"]), households=1):
                    number = self.office.desk.apply(group)
                    self.office.desk.carry(number)
                    self.office.lay_out_run(number)
            while post_letters(self.office.resources, at=self.office.now()).sent:
                pass
            # Its first start writes the schema of Prefect's database, and keeps what memory that takes; no other does.
            self.office.restart()
        except BaseException:
            self.close()
            raise

    def prepare(self, units: int) -> None:
        """Wait until nothing scheduled is in the way."""
        time.sleep(BEGIN_SECONDS)
        while not BEGIN_SECONDS < time.time() % SWEEP_SECONDS < SWEEP_SECONDS - units:
            time.sleep(1)

    def run(self, units: int) -> list[float]:
        """Look on for so many seconds; then have one sweep."""
        begun, before = time.monotonic(), self._cpu()
        time.sleep(units)
        seconds = time.monotonic() - begun
        server, worker = ((after - since) / seconds for after, since in zip(self._cpu(), before, strict=True))
        memory = memory_of(self.office.server, self.office.worker)
        sweep = max(0.0, self._sweep() - (server + worker) * self.swept) / SWEEP_SECONDS
        self.spent_cpu = server + worker + sweep
        self.figures = {
            "core of the server": server,
            "core of the worker": worker,
            "core of the sweep every five minutes": sweep,
            TOTAL: self.spent_cpu,
            RSS: memory.rss,
            PSS: memory.pss,
        }
        return []

    def _sweep(self) -> float:
        """Return the CPU seconds until a sweep is over and its process gone, and note how long that was."""
        idle, before, begun = len(family_of(self.office.worker)), sum(self._cpu()), time.monotonic()
        api = self.office.api
        run = api.start(api.deployment(*SWEEP), {})
        while not api.ended(run) or len(family_of(self.office.worker)) > idle:
            time.sleep(0.5)
            assert time.monotonic() - begun < PATIENCE_SECONDS, "the sweep does not end"
        self.swept = time.monotonic() - begun
        return sum(self._cpu()) - before

    def _cpu(self) -> tuple[float, float]:
        return cpu_of_tree(self.office.server), cpu_of_tree(self.office.worker)

    def spent(self) -> Spent:
        """Return the cores taken; nothing else is to be divided by anything."""
        return Spent(cpu=self.spent_cpu, wall=1.0)

    def stored(self) -> int:
        """Return nothing."""
        return 0

    def check(self) -> None:
        """See that the stack lives."""
        self.office.stack.check()

    def close(self) -> None:
        """End it."""
        self._closed.close()


def contest(report: Report, *, cases: tuple[int, ...], seconds: int, say: Callable[[str], None]) -> None:
    """Look on, one stack after the other: side by side they would share pages that an office's stack has alone."""
    for waiting in cases:
        name = f"{OURS}, {waiting:,} cases wait" if waiting else f"{OURS}, no case open"
        entry = Entry(name, "bench.idle:Idle", options={"cases": waiting})
        scores = compete([entry], units=seconds, rounds=1, work=f"idle, {waiting} cases", say=say, warm_up=False)
        report.add_figures("idle", scores, FIGURES)
        # PSS, because the worker's processes are forks: what they share would count twice.
        for metric, unit, aim in ((TOTAL, "core", 0.06), (PSS, "MB", 400)):
            spread = scores[name].figure(metric)
            assert spread is not None
            value = spread[0] / (2**20 if unit == "MB" else 1)
            report.targets.append(target(f"idle, {name.partition(', ')[2]}: {metric}, {unit}", value, "<=", aim))
