"""
Run the bench: ``make bench``, or ``make bench QUICK=1`` for the same table with smaller numbers.

``make bench ONLY=letters`` runs one work. Nothing here is a test: the machine may be busy, so read ratios and their
spread.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from bench import (
    bulk,
    close_out,
    growth,
    idle,
    letters,
    live,
    live_sheet,
    postgres,
    prefect_sqlite,
    site_case,
    sweep,
    themes,
)
from bench.table import Report
from runtime.stopping import stop_signals

RESULTS = Path(__file__).with_name("results.json")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Scale:
    """How much of everything."""

    rounds: int
    cases: int
    open_items: tuple[int, ...]
    due: int
    letters: int
    notices: int
    decisions: int
    sites: int
    live: int
    """Decisions, on each of `live_on`."""
    live_on: tuple[str, ...]
    sheet: int
    """Decisions of one sheet through Prefect, on each of `live_on`."""
    idle: int
    """Seconds, with each of `idle_cases` waiting; the sweep of every five minutes must not fall into them."""
    idle_cases: tuple[int, ...]
    prefect_sqlite: int
    """Seconds of load; for the stock server a third."""
    growth: dict[str, tuple[int, ...]]
    """Cases, by the kind of database."""


FULL = Scale(
    rounds=7,
    cases=40,
    open_items=(10_000, 100_000, 1_000_000),
    due=500,
    letters=2000,
    notices=1000,
    decisions=1000,
    sites=10_000,
    live=30,
    live_on=("SQLite", "PostgreSQL"),
    sheet=1000,
    idle=240,
    idle_cases=(0, 200),
    prefect_sqlite=600,
    growth=dict.fromkeys(("SQLite", "PostgreSQL"), (1000, 10_000, 100_000, 1_000_000)),
)
QUICK = Scale(
    rounds=5,
    cases=6,
    open_items=(10_000, 100_000),
    due=40,
    letters=500,
    notices=30,
    decisions=30,
    sites=1000,
    live=3,
    live_on=("SQLite",),
    sheet=30,
    idle=30,
    idle_cases=(50,),
    prefect_sqlite=20,
    growth={"SQLite": (1000, 10_000), "PostgreSQL": (1000, 10_000)},
)


def main() -> int:
    """Run what was asked for, print the table, write the file."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller numbers")
    parser.add_argument(
        "--only",
        default="",
        help="site, sweep, letters, closing, bulk, growth, themes, live, live_sheet, idle, prefect_sqlite; with commas",
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file to write")
    given = parser.parse_args()
    scale = QUICK if given.quick else FULL
    only = set(filter(None, given.only.split(",")))
    report = Report()

    def say(text: str) -> None:
        print(f"bench: {text}", file=sys.stderr, flush=True)

    with stop_signals(), TemporaryDirectory(prefix="ketang-bench-") as folder, postgres.running() as server:
        os.environ["BENCH_FOLDER"] = folder
        works: dict[str, Callable[[], None]] = {
            "site": lambda: site_case.contest(report, server, cases=scale.cases, rounds=scale.rounds, say=say),
            "sweep": lambda: sweep.contest(
                report, server, open_items=scale.open_items, due=scale.due, rounds=scale.rounds, say=say
            ),
            "letters": lambda: letters.contest(report, letters=scale.letters, rounds=scale.rounds, say=say),
            "closing": lambda: close_out.contest(report, server, notices=scale.notices, rounds=scale.rounds, say=say),
            "bulk": lambda: bulk.contest(report, server, decisions=scale.decisions, rounds=scale.rounds, say=say),
            "growth": lambda: growth.contest(
                report, server, cases=scale.growth, rounds=min(scale.rounds, 5) if not given.quick else 3, say=say
            ),
            "themes": lambda: themes.contest(report, server, sites=scale.sites, rounds=scale.rounds, say=say),
            "live": lambda: live.contest(
                report, server, decisions=scale.live, kinds=scale.live_on, plain=not given.quick, say=say
            ),
            "live_sheet": lambda: live_sheet.contest(
                report, server, decisions=scale.sheet, kinds=scale.live_on, rounds=3, say=say
            ),
            "idle": lambda: idle.contest(report, cases=scale.idle_cases, seconds=scale.idle, say=say),
            "prefect_sqlite": lambda: prefect_sqlite.contest(report, seconds=scale.prefect_sqlite, say=say),
        }
        if unknown := only - works.keys():
            parser.error(f"no such work: {', '.join(sorted(unknown))}")
        for name, work in works.items():
            if not only or name in only:
                begun = time.monotonic()
                work()
                say(f"{name}: {time.monotonic() - begun:.0f} s")
                report.write(given.results)  # what is measured stays, whatever becomes of the next work
    report.print(Console(width=190))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("bench: stopped")
