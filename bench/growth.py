"""
Work 8: growth. What an office's everyday acts cost in a district of ever more cases, and how many bytes a case takes.

The districts are generated (`bench.district`), each in a database of its own; their contestants take turns, and every
round does every act. What counts is the cost against the smallest district, act by act.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from bench.contest import Entry, Score, compete
from bench.contestant import Place
from bench.everyday import Everyday
from bench.meter import cpu_of_this, cpu_of_tree
from bench.postgres import Postgres
from bench.storage import bytes_of
from bench.table import Report, Row, rounded, target

BYTES = "database bytes per case"
MAKING = "seconds to make it"


class Office(Everyday):
    """An office whose day is measured."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        begun = time.perf_counter()
        self.cases = self.grow(int(place.options["cases"]))
        # The kernel counts a server's CPU in hundredths of a second: what is short is done more often.
        self.more = int(place.options.get("more", 1))
        self.notes: list[str] = []
        self.figures: dict[str, float] = {
            BYTES: bytes_of(place) / self.cases,
            MAKING: time.perf_counter() - begun,
            "cases": self.cases,
        }

    def prepare(self, units: int) -> None:
        """Lay out nothing: each act does it for itself."""

    def run(self, units: int) -> list[float]:
        """Do the day once."""
        for act in self.acts:
            times = act.times * (1 if act.limited else self.more)
            spent, waited = 0.0, 0.0
            for start in range(0, times, act.times):
                act.prepare()
                cpu, begun = self._cpu(), time.perf_counter()
                for _ in range(min(act.times, times - start)):
                    act.run()
                waited += time.perf_counter() - begun
                spent += self._cpu() - cpu
            self.figures[f"CPU, {act.name}"] = spent / times
            self.figures[f"wall, {act.name}"] = waited / times
        return []

    def _cpu(self) -> float:
        return cpu_of_this() + (cpu_of_tree(self.place.server) if self.place.server else 0.0)

    def check(self) -> None:
        """See nothing: each act asserts what came of it."""

    def stored(self) -> int:
        """Return nothing: the bytes of a case are weighed once."""
        return 0


def contest(
    report: Report,
    postgres: Postgres,
    *,
    cases: Mapping[str, Sequence[int]],
    rounds: int,
    say: Callable[[str], None],
) -> None:
    """
    Let the districts take turns, for each kind of database.

    Args:
        cases: the sizes by the kind of database, ``SQLite`` or ``PostgreSQL``, the smallest first.
    """
    for kind, sizes in cases.items():
        server = postgres if kind == "PostgreSQL" else None
        entries = [
            Entry(
                f"{size:,} cases",
                "bench.growth:Office",
                postgres=server.database() if server else None,
                server=server.pid if server else None,
                options={"cases": size, "more": 3 if server else 1},
            )
            for size in sizes
        ]
        say(f"growth, {kind}: making districts of {', '.join(f'{size:,}' for size in sizes)} cases")
        scores = compete(entries, units=1, rounds=rounds, work=f"growth, {kind}", say=say)
        for entry in entries:
            if entry.postgres is not None:
                postgres.drop(entry.postgres)
        _report(report, kind, list(scores.values()))


def _report(report: Report, kind: str, scores: Sequence[Score]) -> None:
    work, least, most = f"growth, {kind}", scores[0], scores[-1]
    acts = [name.removeprefix("CPU, ") for name in least.rounds[0].figures if name.startswith("CPU, ")]
    lines = [f"{work}: CPU ms an act, and how many times that in the larger districts (CPU; wall)"]
    worst: dict[str, float] = {}
    for act in acts:
        line = f"    {act:44} {_middle(least, f'CPU, {act}') * 1e3:9.2f}"
        for score in scores:
            for measure in ("CPU", "wall"):
                value = _middle(score, f"{measure}, {act}") * 1e3
                times = _against(score, least, f"{measure}, {act}")
                report.rows += [
                    Row(work, score.entry.name, f"{measure}, {act}", rounded(value), "ms"),
                    Row(
                        work, score.entry.name, f"{measure} against {least.entry.name}, {act}", rounded(times), "ratio"
                    ),
                ]
            if score is not least:
                cpu, wall = (_against(score, least, f"{measure}, {act}") for measure in ("CPU", "wall"))
                line += f"   × {cpu:5.2f}; {wall:5.2f}"
        worst[act] = _against(most, least, f"CPU, {act}")
        lines.append(line)
    for score in scores:
        size = _middle(score, BYTES)
        report.rows.append(Row(work, score.entry.name, BYTES, rounded(size), "B"))
        report.rows.append(Row(work, score.entry.name, MAKING, rounded(_middle(score, MAKING)), "s"))
        lines.append(f"    {score.entry.name:>44}: {size:9,.0f} bytes a case, made in {_middle(score, MAKING):,.0f} s")
    report.notes += lines
    for act, ratio in worst.items():
        name = f"growth, {kind}: CPU of {act}, {most.entry.name} against {least.entry.name}"
        report.targets.append(target(name, ratio, "<=", 1.5))


def _middle(score: Score, name: str) -> float:
    return median(each.figures[name] for each in score.rounds)


def _against(score: Score, other: Score, name: str) -> float:
    pairs = zip(score.rounds, other.rounds, strict=True)
    return median(ours.figures[name] / max(theirs.figures[name], 1e-9) for ours, theirs in pairs)
