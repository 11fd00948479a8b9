"""A contest: contestants in processes of their own take turns, round by round, so that all meet the same weather."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Entry:
    """
    Who takes part.

    Args:
        name: as the table shows it.
        maker: ``module:Class`` of the contestant.
        postgres: a connection to a database of its own; None: SQLite.
        server: that database's server process.
        options: for the contestant.
        share: how many units it does a round for each unit of the others; slow ones do fewer.
    """

    name: str
    maker: str
    postgres: dict[str, str] | None = None
    server: int | None = None
    options: dict[str, Any] = field(default_factory=dict)
    share: float = 1.0


@dataclass(frozen=True)
class Round:
    """What one round of one contestant came to, for each unit of work; seconds and bytes."""

    cpu: float
    wall: float
    waits: tuple[float, ...]
    stored: float
    peak: int
    notes: tuple[str, ...]
    figures: Mapping[str, float]
    """What only this work measures, by name; not every round need have all."""


@dataclass(frozen=True)
class Score:
    """All the rounds of one contestant."""

    entry: Entry
    rounds: tuple[Round, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What the contestant has to say beside its figures."""
        return self.rounds[-1].notes

    def figure(self, name: str) -> tuple[float, float, float] | None:
        """Return the median, the least and the most of what only this work measures; None when no round has it."""
        values = [each.figures[name] for each in self.rounds if name in each.figures]
        return (median(values), min(values), max(values)) if values else None

    def middle(self, figure: Callable[[Round], float]) -> tuple[float, float, float]:
        """Return the median, the least and the most of a figure over the rounds."""
        values = [figure(each) for each in self.rounds]
        return median(values), min(values), max(values)

    def against(self, other: "Score", figure: Callable[[Round], float]) -> tuple[float, float, float]:
        """Return the median, the least and the most of this score's figure over the other's, round by round."""
        ratios = [figure(ours) / figure(theirs) for ours, theirs in zip(self.rounds, other.rounds, strict=True)]
        return median(ratios), min(ratios), max(ratios)


def compete(
    entries: Sequence[Entry], *, units: int, rounds: int, work: str, say: Callable[[str], None], warm_up: bool = True
) -> dict[str, Score]:
    """
    Let the contestants take turns, each round begun by the next one.

    Args:
        entries: who takes part.
        units: pieces of work a round.
        rounds: that count.
        work: what is done, for `say`.
        say: tells how far it is.
        warm_up: a round goes before those that count.

    Returns:
        The scores, by name.
    """
    kept: dict[str, list[Round]] = {entry.name: [] for entry in entries}
    with ExitStack() as stack:
        running = [(entry, stack.enter_context(_started(entry))) for entry in entries]
        for _, process in running:
            _answer(process)
        for number in range(0 if warm_up else 1, rounds + 1):
            say(f"{work}: round {number} of {rounds}" if number else f"{work}: warming up")
            turn = number % len(running)
            for entry, process in running[turn:] + running[:turn]:
                once = _round(process, max(1, round(units * entry.share)))
                if number:
                    kept[entry.name].append(once)
    return {entry.name: Score(entry, tuple(kept[entry.name])) for entry in entries}


@contextmanager
def _started(entry: Entry) -> Iterator["subprocess.Popen[str]"]:
    # Gone with its contest: a disk need not hold the databases of all of them.
    with ExitStack() as stack:
        folder = TemporaryDirectory(dir=os.environ["BENCH_FOLDER"], ignore_cleanup_errors=True)
        place = {
            "folder": stack.enter_context(folder),
            "postgres": entry.postgres,
            "server": entry.server,
            "options": entry.options,
        }
        command = [sys.executable, "-m", "bench.contestant", entry.maker, json.dumps(place)]
        process = stack.enter_context(
            subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        )
        try:
            yield process
        except BaseException:
            process.terminate()
            raise


def _round(process: "subprocess.Popen[str]", units: int) -> Round:
    assert process.stdin is not None
    print(units, file=process.stdin, flush=True)
    told = _answer(process)
    return Round(
        cpu=told["cpu"] / units,
        wall=told["wall"] / units,
        waits=tuple(told["waits"]),
        stored=told["bytes"] / units,
        peak=told["peak"],
        notes=tuple(told["notes"]),
        figures=told["figures"],
    )


def _answer(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args!r} ended with {process.wait()}")
    told: dict[str, Any] = json.loads(line)
    return told
