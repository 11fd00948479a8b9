"""
The results as Markdown: ``python -m bench.report`` turns ``bench/results.json`` into the tables of docs/performance.md.

``python -m bench.report --write docs/performance.md`` puts them between the two marks in that file.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.table import LEAST, MOST, short

RESULTS = Path(__file__).with_name("results.json")
BEGIN, END = "<!-- results: begin (python -m bench.report --write …) -->", "<!-- results: end -->"
HEADS = ("contestant", "CPU ms", "CPU × limit", "wall × limit", "a second", "p50 / p95 ms", "bytes", "peak MB")
COMPARISONS = {"<=": "≤", ">=": "≥"}

Values = dict[str, dict[str, tuple[float, str]]]
"""Value and unit by contestant and metric."""


def main() -> int:
    """Print the tables, or put them into a file."""
    parser = argparse.ArgumentParser(prog="bench.report", description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS, help="what to show")
    parser.add_argument("--write", type=Path, help="the file to put it into, between its marks")
    given = parser.parse_args()
    text = markdown(json.loads(given.results.read_text(encoding="utf-8")))
    if given.write is None:
        print(text)
        return 0
    page = given.write.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        print(f"{given.write} has no lines {BEGIN!r} and {END!r}", file=sys.stderr)
        return 1
    given.write.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")
    return 0


def markdown(results: dict[str, Any]) -> str:
    """Return all works' tables, and the targets."""
    works: dict[str, Values] = {}
    for row in results["rows"]:
        values = works.setdefault(row["work"], {}).setdefault(row["contestant"], {})
        values[row["metric"]] = (row["value"], row["unit"])
    parts = [part for work, values in works.items() for part in _work(work, values)]
    met = {True: "met", False: "**not met**"}
    targets = (
        (each["name"], f"{each['value']:g}", f"{COMPARISONS[each['comparison']]} {each['target']:g}", met[each["met"]])
        for each in results["targets"]
    )
    return "\n".join([*parts, "### Targets\n", _table(("target", "reached", "asked", ""), targets)])


def _work(work: str, contestants: Values) -> list[str]:
    parts = [f"**{work}**\n"]
    rows = [row for row in (_contest(name, values) for name, values in contestants.items()) if any(row[1:])]
    if rows:
        parts.append(_table(HEADS, rows))
    names = list(contestants)
    shown = {metric for values in contestants.values() for metric in _Contest(values).used}
    further = dict.fromkeys(
        metric
        for values in contestants.values()
        for metric in values
        if metric not in shown and not metric.endswith((LEAST, MOST))
    )
    if further:
        lines = ((metric, *(_figure(contestants[name], metric) for name in names)) for metric in further)
        parts.append(_table(("", *names), lines))
    return parts


class _Contest:
    """The columns that all contests have, found among a contestant's values."""

    def __init__(self, values: dict[str, tuple[float, str]]) -> None:
        self.values = values
        self.used: set[str] = set()
        self.cells = (
            self._cell(lambda metric: metric.startswith("CPU per ")),
            self._cell(lambda metric: metric.startswith("CPU against ")),
            self._cell(lambda metric: metric.startswith("wall time against ")),
            self._cell(lambda metric: metric.endswith("s per second")),
            " / ".join(
                filter(None, (self._middle("decision to next gate, p50"), self._middle("decision to next gate, p95")))
            ),
            self._cell(lambda metric: metric.startswith("database bytes per "), spread=False),
            self._middle("peak memory"),
        )

    def _cell(self, wanted: Callable[[str], bool], *, spread: bool = True) -> str:
        metric = next((metric for metric in self.values if wanted(metric) and not metric.endswith((LEAST, MOST))), None)
        if metric is None:
            return ""
        self.used.add(metric)
        return _span(self.values, metric) if spread else f"{self.values[metric][0]:,.0f}"

    def _middle(self, metric: str) -> str:
        if metric not in self.values:
            return ""
        self.used.add(metric)
        return short(self.values[metric][0])


def _contest(name: str, values: dict[str, tuple[float, str]]) -> tuple[str, ...]:
    return (name, *_Contest(values).cells)


def _figure(values: dict[str, tuple[float, str]], metric: str) -> str:
    if metric not in values:
        return ""
    unit = values[metric][1]
    return _span(values, metric) + (f" {unit}" if unit not in {"ratio", ""} else "")


def _span(values: dict[str, tuple[float, str]], metric: str) -> str:
    """Return the median, with the least and the most of the rounds where they differ."""
    value, unit = values[metric]
    least, most = (values.get(f"{metric} {suffix}", (value, unit))[0] for suffix in (LEAST, MOST))
    return short(value) if least == most else f"{short(value)} ({short(least)}–{short(most)})"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
