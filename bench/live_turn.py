"""
What the contestants of the live work have in common: a server, a worker, a mail server, and a case that somebody
carries from form to form.

One decision is one form filled in through Prefect's API, as its UI does. It is measured until the next gate is open
and its letters were accepted by the mail server; its CPU until the processes it started have ended. Opening a case,
and an answer that a gate wants beforehand, are not decisions.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from bench.contestant import Place, Spent
from bench.letter import GATES
from bench.mailbox import mailbox
from bench.memory import Peak
from bench.meter import cpu_of_tree, family_of
from bench.prefect_api import Api

LOOK_SECONDS = 0.02
FORM_LOOK_SECONDS = 0.05
BROKEN_LOOK_SECONDS = 5
LINGER_SECONDS = 10
PATIENCE_SECONDS = 180
SETTLE_SECONDS = 0.5
"""For what the server does behind its answers: events, task runs, logs."""

Form = dict[str, Any]


class Live(ABC):
    """A contestant whose decisions go through a Prefect server and come out of a worker."""

    api: Api
    server: int
    worker: int
    """Process ids."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.figures: dict[str, float] = {}
        self.gate = len(GATES)
        """How many gates of the case are behind us; all: the next decision wants a new case."""
        self.run_id = ""
        self._spent = Spent(0.0, 0.0)
        self._case_seconds = 0.0
        self._closed = ExitStack()
        try:
            self.mail = self._closed.enter_context(mailbox())
            self.begin(self._closed)
        except BaseException:
            self.close()
            raise

    @abstractmethod
    def begin(self, until: ExitStack) -> None:
        """Start server and worker; they end with `until`."""

    @abstractmethod
    def open_case(self) -> str:
        """Hand in an application and start its run; return the run's id."""

    @abstractmethod
    def form(self, gate: int) -> list[Form]:
        """Return what is filled in at a gate: the last form is the decision."""

    @abstractmethod
    def reached(self, gate: int) -> bool:
        """Return whether a gate is open, or the case at its end, and every letter of the case accepted."""

    @abstractmethod
    def books(self) -> tuple[int, int]:
        """Return the bytes of the business database and of Prefect's."""

    @abstractmethod
    def sent(self) -> int:
        """Return how many letters the business database believes accepted."""

    def prepare(self, units: int) -> None:
        """See that a run waits for the form of the next decision."""
        assert units == 1, units
        self.figures = {}
        if self.gate == len(GATES):
            self._before = self.books()
            begun, processes = time.perf_counter(), family_of(self.worker)
            self.run_id = self.open_case()
            self.gate = 0
            self._until(lambda: self.reached(0), LOOK_SECONDS)
            self._until(self._ready, FORM_LOOK_SECONDS)
            self._case_seconds = time.perf_counter() - begun
            self.figures["application to first form"] = self._case_seconds
            self._quiet(processes)
        for fields in self.form(self.gate)[:-1]:
            key, processes = self._ready(), family_of(self.worker)
            begun = time.perf_counter()
            self.api.resume(self.run_id, fields)
            self._until(lambda key=key: self._ready() not in ("", key), FORM_LOOK_SECONDS)  # type: ignore[misc]
            self._case_seconds += time.perf_counter() - begun
            self._quiet(processes)
        self._decision = self.form(self.gate)[-1]

    def run(self, units: int) -> list[float]:
        """Decide."""
        busy = self.api.busy
        before, processes = self._cpu(), family_of(self.worker)
        with Peak(self.server, self.worker) as peak:
            begun = time.perf_counter()
            self.api.resume(self.run_id, self._decision)
            self.gate += 1
            self._until(lambda: self.reached(self.gate), LOOK_SECONDS)
            wait = time.perf_counter() - begun
            last = self.gate == len(GATES)
            self._until(lambda: self.api.ended(self.run_id) if last else self._ready(), FORM_LOOK_SECONDS)
            ready = time.perf_counter() - begun
            self._quiet(processes)
        server, worker = (after - since for after, since in zip(self._cpu(), before, strict=True))
        self._spent = Spent(cpu=server + worker, wall=wait)
        self._case_seconds += ready
        self.figures |= {
            "CPU of the worker per decision": worker,
            "CPU of the server per decision": server,
            "decision to next form": ready,
            "memory of server, worker and run, RSS": peak.most.rss,
            "memory of server, worker and run, PSS": peak.most.pss,
            "answers 503 per decision": self.api.busy - busy,
        }
        if last:
            business, prefect = (now - then for now, then in zip(self.books(), self._before, strict=True))
            self.figures |= {
                "cases per minute, one after the other": 60 / self._case_seconds,
                "bytes of Prefect's database per case": prefect,
                "bytes of the business database per case": business,
            }
        return [wait]

    def spent(self) -> Spent:
        """Return what the last decision took."""
        return self._spent

    def stored(self) -> int:
        """Return nothing: it is counted by the case."""
        return 0

    def check(self) -> None:
        """See that the mail server has accepted as many letters as the books say."""
        assert self.mail.accepted == self.sent(), (self.mail.accepted, self.sent())

    def close(self) -> None:
        """End everything that was started."""
        self._closed.close()

    def _ready(self) -> str:
        return self.api.form(self.run_id)

    def _cpu(self) -> tuple[float, float]:
        database = cpu_of_tree(self.place.server) if self.place.server else 0.0
        return cpu_of_tree(self.server) + database, cpu_of_tree(self.worker)

    def _quiet(self, before: set[int]) -> None:
        """
        Wait until the run's processes are gone and the server has written what it writes later.

        Args:
            before: the worker's processes; one that came since and stays is no run's.
        """
        begun = time.monotonic()
        while family_of(self.worker) - before and time.monotonic() - begun < LINGER_SECONDS:
            time.sleep(FORM_LOOK_SECONDS)
        time.sleep(SETTLE_SECONDS)

    def _until(self, condition: Callable[[], object], pause: float) -> None:
        """Look until something is so; RuntimeError when the run has broken, TimeoutError when nothing comes."""
        begun = looked = time.monotonic()
        while not condition():
            time.sleep(pause)
            now = time.monotonic()
            if now - looked > BROKEN_LOOK_SECONDS:
                looked = now
                self.api.form(self.run_id)
            if now - begun > PATIENCE_SECONDS:
                state = self.api.ask("GET", f"/flow_runs/{self.run_id}")["state"]
                raise TimeoutError(f"gate {self.gate}: nothing came within {PATIENCE_SECONDS} s; the run: {state}")
