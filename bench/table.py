"""What came of the contests: rows, targets, the one table, and the file that keeps them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Literal

from rich.console import Console
from rich.table import Table

from bench.contest import Round, Score

LEAST, MOST = "(least of the rounds)", "(most of the rounds)"
SCALES = {"MB": 2**20, "ms": 1e-3}
"""What the contestants' bytes and seconds are divided by."""


@dataclass(frozen=True)
class Row:
    """One figure: a median over the rounds of one run."""

    work: str
    contestant: str
    metric: str
    value: float
    unit: str


@dataclass(frozen=True)
class Target:
    """What has to be reached, and whether it was."""

    name: str
    value: float
    target: float
    comparison: Literal["<=", ">="]
    met: bool


def target(name: str, value: float, comparison: Literal["<=", ">="], aim: float) -> Target:
    """Compare a figure with its aim."""
    return Target(name, rounded(value), aim, comparison, value <= aim if comparison == "<=" else value >= aim)


@dataclass
class Report:
    """The results of a run."""

    rows: list[Row] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    table: Table = field(default_factory=lambda: _table())
    further: Table = field(
        default_factory=lambda: Table(
            "work", "figure", "contestant", "median (least–most)", "", title="Further figures", title_justify="left"
        )
    )

    def add(self, work: str, unit: str, scores: Mapping[str, Score], *, limit: str, memory: bool = False) -> None:
        """
        Add a contest: its figures, each with the least and the most of the rounds, and the ratios to the limit.

        Args:
            work: what was done.
            unit: one piece of it, e.g. ``case``.
            scores: by contestant.
            limit: the contestant with whom all are compared, round by round.
            memory: the contestants are programs of their own, so that their peak memory says something.
        """
        self.table.add_section()
        self.table.add_row(f"[bold]{work}[/bold], one {unit}")
        for name, score in scores.items():
            cpu, wall = score.middle(lambda each: each.cpu * 1e3), score.middle(lambda each: 1 / each.wall)
            cost, time = score.against(scores[limit], _cpu), score.against(scores[limit], _wall)
            figures = [
                (f"CPU per {unit}", cpu, "ms"),
                (f"CPU against {limit}", cost, "ratio"),
                (f"wall time against {limit}", time, "ratio"),
                (f"{unit}s per second", wall, "1/s"),
            ]
            waits = _waits(score)
            if waits:
                figures += [
                    ("decision to next gate, p50", waits[0], "ms"),
                    ("decision to next gate, p95", waits[1], "ms"),
                ]
            stored = score.middle(lambda each: each.stored)
            if stored[0]:
                figures.append((f"database bytes per {unit}", stored, "B"))
            if memory:
                figures.append(("peak memory", score.middle(lambda each: each.peak / 2**20), "MB"))
            for metric, (middle, least, most), measure in figures:
                self.rows += [
                    Row(work, name, metric, rounded(middle), measure),
                    Row(work, name, f"{metric} {LEAST}", rounded(least), measure),
                    Row(work, name, f"{metric} {MOST}", rounded(most), measure),
                ]
            self.table.add_row(
                f"  {name}",
                _span(cpu),
                _span(cost),
                _span(time),
                _span(wall),
                *((_span(waits[0]), _span(waits[1])) if waits else ("", "")),
                f"{stored[0]:,.0f}" if stored[0] else "",
                f"{score.middle(lambda each: each.peak / 2**20)[0]:.0f}" if memory else "",
            )

    def add_figures(self, work: str, scores: Mapping[str, Score], figures: Mapping[str, str]) -> None:
        """
        Add what only this work measures.

        Args:
            work: as for `add`.
            scores: by contestant.
            figures: the unit by the name of each figure; contestants tell bytes for ``MB`` and seconds for ``ms``.
        """
        self.further.add_section()
        for metric, unit in figures.items():
            for name, score in scores.items():
                if (spread := score.figure(metric)) is None:
                    continue
                middle, least, most = (value / SCALES.get(unit, 1) for value in spread)
                self.rows += [
                    Row(work, name, metric, rounded(middle), unit),
                    Row(work, name, f"{metric} {LEAST}", rounded(least), unit),
                    Row(work, name, f"{metric} {MOST}", rounded(most), unit),
                ]
                self.further.add_row(work, metric, name, _span((middle, least, most)), unit)

    def print(self, console: Console) -> None:
        """Print the table, the targets and the notes."""
        if self.table.row_count:
            console.print(self.table)
        if self.further.row_count:
            console.print(self.further)
        targets = Table("target", "reached", "asked", "", title="Targets", title_justify="left")
        for each in self.targets:
            met = "[green]met[/green]" if each.met else "[red]not met[/red]"
            targets.add_row(each.name, f"{each.value:g}", f"{each.comparison} {each.target:g}", met)
        console.print(targets)
        for note in self.notes:
            console.print(note, markup=False, highlight=False)

    def write(self, path: Path) -> None:
        """Write the file."""
        kept = {"rows": [asdict(row) for row in self.rows], "targets": [asdict(each) for each in self.targets]}
        path.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def rounded(value: float) -> float:
    """Keep four figures: what lies behind is noise."""
    return float(f"{value:.4g}")


def _cpu(each: Round) -> float:
    return each.cpu


def _wall(each: Round) -> float:
    return each.wall


def _table() -> Table:
    table = Table(title="Medians (least–most of the rounds)", title_justify="left")
    table.add_column("work and contestant", no_wrap=True)
    for head in (
        "CPU ms",
        "CPU × limit",
        "wall × limit",
        "per second",
        "p50 ms",
        "p95 ms",
        "database B",
        "peak MB",
    ):
        table.add_column(head, justify="right", no_wrap=True)
    return table


def _span(values: tuple[float, float, float]) -> str:
    middle, least, most = values
    return f"{short(middle)} ({short(least)}–{short(most)})"


def short(value: float) -> str:
    """Show a figure in three digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _waits(score: Score) -> tuple[tuple[float, float, float], tuple[float, float, float]] | None:
    if not all(each.waits for each in score.rounds):
        return None

    def spread(of: Callable[[Sequence[float]], float]) -> tuple[float, float, float]:
        values = [of(each.waits) * 1e3 for each in score.rounds]
        # A round of one decision has no percentiles of its own.
        alone = all(len(each.waits) == 1 for each in score.rounds)
        return of(values) if alone else median(values), min(values), max(values)

    return spread(median), spread(lambda waits: _percentile(waits, 0.95))


def _percentile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
