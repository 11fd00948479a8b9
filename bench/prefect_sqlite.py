"""
Work 10: Prefect's own database on SQLite under load: four people open cases and decide them, four runs at once.

Counted is what the server's log says of locked databases, which it is asked to tell, and how often people were answered
503. The desk's server, whose writers wait for each other, beside the stock one; everything else is the same.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from contextvars import copy_context

import runtime.stack
from bench.contest import Entry, Score, compete
from bench.contestant import Place
from bench.live_desk import GATES, Office
from bench.prefect_api import Api
from bench.table import Report, target
from policies.errors import Temporary

OURS, STOCK = "Ketang, writers wait", "stock server"
AT_ONCE = 4
LOOK_SECONDS = 0.3
LOCKED = "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) database is locked"
REFUSED = "Encountered retryable exception in request"
FIGURES = {
    "“database is locked” in the server's log": "",
    "requests answered 503": "",
    "answers 503 to people": "",
    "runs carried to a form or to their end": "",
    "slowest answer to a person": "s",
}


class Person:
    """
    Somebody who opens cases and decides them until time is up.

    Args:
        office: where.
        groups: whose households apply.
        until: by `time.monotonic`.
    """

    def __init__(self, office: Office, groups: list[str], until: float) -> None:
        self.office = office
        self.groups = groups
        self.until = until
        self.api = Api(office.stack.api_url)
        self.done = 0

    def work(self) -> None:
        """Open one case after the other."""
        for group in self.groups:
            if self._over():
                return
            # A server that is busy for too long is told of as it is to a person; the case is left lying.
            with suppress(Temporary):
                self._case(self.office.apply(group))
        raise AssertionError("there were too few parlours")

    def _case(self, number: str) -> None:
        key, run = "", self.office.run(number)
        for gate in GATES:
            key = self._next_form(run, but=key)
            if not key:
                return
            for which, fields in enumerate(self.office.forms(number, gate)):
                if which and not (key := self._next_form(run, but=key)):
                    return
                self.api.resume(run, fields)
        while not self._over() and not self.api.ended(run):
            time.sleep(LOOK_SECONDS)
        self.done += 1

    def _next_form(self, run: str, *, but: str) -> str:
        """Return the key of the form that comes after another one; empty when time is up before."""
        while not self._over():
            if (key := self.api.form(run)) not in ("", but):
                self.done += 1
                return key
            time.sleep(LOOK_SECONDS)
        return ""

    def _over(self) -> bool:
        return time.monotonic() > self.until


class Load:
    """Four people who open cases and decide them, one after the other, each at another parlour."""

    module = runtime.stack.SQLITE_SERVER

    def __init__(self, place: Place) -> None:
        self.figures: dict[str, float] = {}
        self._closed = ExitStack()
        runtime.stack.SQLITE_SERVER = self.module
        # The server keeps what it refuses to itself unless it is asked.
        os.environ["PREFECT_SERVER_LOG_RETRYABLE_ERRORS"] = "true"
        try:
            self.office = Office(place, self._closed, worker_limit=AT_ONCE)
        except BaseException:
            self.close()
            raise

    def prepare(self, units: int) -> None:
        """Have parlours enough."""
        self.groups = self.office.town.add_groups(units * AT_ONCE, households=1)
        self.log = self.office.stack.logs / "server.log"
        self.read = self.log.stat().st_size

    def run(self, units: int) -> list[float]:
        """Work for so many seconds."""
        until = time.monotonic() + units
        people = [Person(self.office, self.groups[n::AT_ONCE], until) for n in range(AT_ONCE)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            # Each with where the API answers, which is not handed on to threads by itself.
            for done in [pool.submit(copy_context().run, person.work) for person in people]:
                done.result()
        told = self.log.read_bytes()[self.read :].decode("utf-8", "replace")
        self.figures = {
            "“database is locked” in the server's log": told.count(LOCKED),
            "requests answered 503": told.count(REFUSED),
            "answers 503 to people": sum(person.api.busy for person in people),
            "runs carried to a form or to their end": sum(person.done for person in people),
            "slowest answer to a person": max(person.api.slowest for person in people),
        }
        return []

    def stored(self) -> int:
        """Return nothing."""
        return 0

    def check(self) -> None:
        """See that somebody got through."""
        assert self.figures["runs carried to a form or to their end"], self.figures

    def close(self) -> None:
        """End the stack."""
        self._closed.close()


class StockLoad(Load):
    """The same with the server as Prefect starts it."""

    module = "prefect"


def contest(report: Report, *, seconds: int, say: Callable[[str], None]) -> None:
    """Load one server, then the other one for a third of the time: it only stands beside."""
    scores: dict[str, Score] = {}
    for name, maker, part in ((OURS, "Load", 1.0), (STOCK, "StockLoad", 1 / 3)):
        entry = Entry(name, f"bench.prefect_sqlite:{maker}")
        units = max(1, round(seconds * part))
        scores |= compete([entry], units=units, rounds=1, work=f"{name}, {units} s", say=say, warm_up=False)
    work = f"Prefect's SQLite, {AT_ONCE} runs at once, {seconds} s"
    report.add_figures(work, scores, FIGURES)
    for metric, *_ in zip(FIGURES, range(2), strict=False):
        spread = scores[OURS].figure(metric)
        assert spread is not None
        report.targets.append(target(f"Prefect's SQLite, {seconds} s: {metric}", spread[0], "<=", 0))
