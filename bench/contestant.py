"""What takes part in a comparison, and the process in which it does so."""

import contextlib
import gc
import importlib
import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bench.meter import cpu_of_this, cpu_of_tree, peak_of_this
from runtime import leash
from runtime.stopping import stop_signals


@dataclass(frozen=True)
class Place:
    """
    Where a contestant works.

    Args:
        folder: its own, empty.
        postgres: key words of a connection to an empty database of its own; None: SQLite below `folder`.
        server: the database server's process, whose CPU counts with the contestant's.
        options: what this contest asks for, e.g. how many items are open.
    """

    folder: Path
    postgres: dict[str, str] | None = None
    server: int | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The SQLAlchemy address of its database."""
        if self.postgres is None:
            return f"sqlite:///{self.folder / 'work.db'}"
        return "postgresql+psycopg://{user}@/{dbname}?host={host}".format(**self.postgres)


@dataclass(frozen=True)
class Spent:
    """What a round took, in seconds."""

    cpu: float
    wall: float


class Contestant(Protocol):
    """
    One way of doing the work, in a process of its own.

    One that has more to tell has `notes`, lines beside its figures, and `figures`, by name; one with processes of its
    own has `close`; one whose work is but a part of its rounds has `spent`, which tells what that part took.
    """

    def prepare(self, units: int) -> None:
        """Lay out what the next round works on; not measured."""

    def run(self, units: int) -> list[float]:
        """Do the work; return how long each decision took to the next open gate, in seconds, or nothing."""

    def stored(self) -> int:
        """Return the bytes that its database takes."""

    def check(self) -> None:
        """Raise when the work of the last round was not done."""


def main() -> None:
    """Take part: one line in, one line out, until the input ends."""
    # Libraries may print; only this speaks to the bench.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module, _, name = sys.argv[1].partition(":")
    given = json.loads(sys.argv[2])
    given["folder"] = Path(given["folder"])
    place = Place(**given)
    # Whoever started us may be stopped, or killed: what we started must not stay behind.
    with contextlib.ExitStack() as leaving:
        leaving.enter_context(contextlib.suppress(KeyboardInterrupt, BrokenPipeError))
        leaving.enter_context(stop_signals())
        leash.bind(os.getppid(), signal.SIGTERM)
        contestant: Contestant = getattr(importlib.import_module(module), name)(place)
        leaving.callback(getattr(contestant, "close", lambda: None))
        print("{}", file=answers, flush=True)
        for line in sys.stdin:
            print(json.dumps(_round(contestant, place, int(line))), file=answers, flush=True)


def _round(contestant: Contestant, place: Place, units: int) -> dict[str, Any]:
    def cpu() -> float:
        return cpu_of_this() + (cpu_of_tree(place.server) if place.server else 0.0)

    contestant.prepare(units)
    before = contestant.stored()
    gc.collect()
    used, begun = cpu(), time.perf_counter()
    waits = contestant.run(units)
    spent = Spent(wall=time.perf_counter() - begun, cpu=cpu() - used)
    contestant.check()
    return {
        **asdict(getattr(contestant, "spent", lambda: spent)()),
        "waits": waits,
        "bytes": contestant.stored() - before,
        "peak": peak_of_this(),
        "notes": getattr(contestant, "notes", []),
        "figures": getattr(contestant, "figures", {}),
    }


if __name__ == "__main__":
    main()
