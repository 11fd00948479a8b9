"""What memory programs take: a process with all it started, now and at its peak."""

import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.meter import family_of

LOOK_SECONDS = 0.3


@dataclass(frozen=True)
class Memory:
    """
    Bytes of several processes together.

    Args:
        rss: what each has resident, summed: pages that two of them share count twice.
        pss: each page once, divided among all processes of the machine that have it.
    """

    rss: int = 0
    pss: int = 0


def memory_of(*pids: int) -> Memory:
    """Return what processes and all their living descendants take."""
    rss = pss = 0
    for pid in set().union(*map(family_of, pids)):
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue  # it has ended
        taken = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in rollup.splitlines()[1:]}
        rss += taken.get("Rss", 0)
        pss += taken.get("Pss", 0)
    return Memory(rss, pss)


class Peak:
    """Looks, within its block, at what processes take, again and again."""

    def __init__(self, *pids: int) -> None:
        self._pids = pids
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.most = Memory()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while True:
            now = memory_of(*self._pids)
            self.most = Memory(max(self.most.rss, now.rss), max(self.most.pss, now.pss))
            if self._over.wait(LOOK_SECONDS):
                return
