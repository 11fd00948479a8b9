"""
The limit: sqlite3 and psycopg by hand, prepared statements, one connection, every call its own transaction.

Does not: chain its history, remind or escalate, check who may decide, keep the policy by which a case was opened.
"""

import sqlite3
import time
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from bench.contestant import Place
from bench.contestants import SIGNATURES
from bench.letter import GATES, letters
from bench.storage import bytes_of
from runtime.clock import machine_now

SCHEMA = """
CREATE TABLE cases (
    id {key}, number TEXT NOT NULL UNIQUE, state TEXT NOT NULL, signed INTEGER NOT NULL DEFAULT 0,
    household TEXT NOT NULL, leader TEXT NOT NULL, leader_source TEXT NOT NULL, recommended_by TEXT NOT NULL,
    volunteers INTEGER NOT NULL, area TEXT NOT NULL, facilities TEXT NOT NULL, confirmations TEXT NOT NULL,
    speciality TEXT NOT NULL, agrees INTEGER NOT NULL, opened_at TEXT NOT NULL, closed_at TEXT
);
CREATE TABLE steps (
    id {key}, case_id INTEGER NOT NULL REFERENCES cases (id), gate TEXT NOT NULL, opened_at TEXT NOT NULL,
    due_at TEXT NOT NULL, decided_at TEXT, decided_by TEXT, verdict TEXT, UNIQUE (case_id, gate)
);
CREATE INDEX steps_due ON steps (due_at) WHERE decided_at IS NULL;
CREATE TABLE signatures (
    case_id INTEGER NOT NULL REFERENCES cases (id), household TEXT NOT NULL, signed_at TEXT NOT NULL,
    PRIMARY KEY (case_id, household)
);
CREATE TABLE history (
    id {key}, case_id INTEGER NOT NULL REFERENCES cases (id), at TEXT NOT NULL, actor TEXT NOT NULL, what TEXT NOT NULL
);
CREATE INDEX history_case ON history (case_id);
CREATE TABLE outbox (
    id {key}, case_id INTEGER NOT NULL REFERENCES cases (id), address TEXT NOT NULL, subject TEXT NOT NULL,
    body TEXT NOT NULL, html TEXT NOT NULL, sent_at TEXT
);
CREATE INDEX outbox_due ON outbox (id) WHERE sent_at IS NULL;
"""
PERIOD = timedelta(days=10)


def opened(place: Place) -> Any:
    """Make the tables and return the connection, as durable as the desk's."""
    if place.postgres is None:
        connection = sqlite3.connect(place.folder / "work.db", isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.executescript(SCHEMA.format(key="INTEGER PRIMARY KEY"))
        return connection
    server = psycopg.connect(make_conninfo(**place.postgres), autocommit=True, prepare_threshold=1)
    server.execute(SCHEMA.format(key="BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"))
    return server


class Raw:
    """By hand."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.connection = opened(place)
        self._mark = "?" if place.postgres is None else "%s"
        self._begin = "BEGIN IMMEDIATE" if place.postgres is None else "BEGIN"
        self.cases = 0

    def _do(self, statement: str, *values: object) -> Any:
        return self.connection.execute(statement.replace("?", self._mark), values)

    def prepare(self, units: int) -> None:
        """Nothing: it knows no registry."""

    def run(self, units: int) -> list[float]:
        """Carry the cases, one after the other."""
        return [wait for _ in range(units) for wait in self._case()]

    def _case(self) -> list[float]:
        waits = []
        case_id = self._apply()
        for n in range(1, SIGNATURES + 1):
            begun = time.perf_counter()
            self._sign(case_id, f"G{case_id}-{n:03d}")
        waits.append(time.perf_counter() - begun)
        for gate, following, verdict in zip(
            GATES[1:], (*GATES[2:], ""), ("forwarded", "approved", "completed", "completed"), strict=True
        ):
            begun = time.perf_counter()
            self._decide(case_id, gate, following, verdict)
            waits.append(time.perf_counter() - begun)
        return waits

    def _apply(self) -> int:
        self.cases += 1
        number, now = f"KT-2026-{self.cases:06d}", machine_now()
        self.connection.execute(self._begin)
        row = self._do(
            "INSERT INTO cases (number, state, household, leader, leader_source, recommended_by, volunteers, area,"
            " facilities, confirmations, speciality, agrees, opened_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            number, GATES[0], f"{number}-001", "陆负责", "党员", "周荡村党支部", 12, "25", "客厅、卫生间", "安全",
            "编织", 1, now.isoformat(),
        ).fetchone()  # fmt: skip
        self._tell(row[0], now, "陆负责", "提出申请")
        self._open(row[0], number, GATES[0], now)
        self.connection.execute("COMMIT")
        return int(row[0])

    def _sign(self, case_id: int, household: str) -> None:
        now = machine_now()
        self.connection.execute(self._begin)
        self._do("INSERT INTO signatures VALUES (?, ?, ?)", case_id, household, now.isoformat())
        number, signed = self._do(
            "UPDATE cases SET signed = signed + 1 WHERE id = ? AND state = ? RETURNING number, signed",
            case_id, GATES[0],
        ).fetchone()  # fmt: skip
        self._tell(case_id, now, "顾组长", f"登记农户答复:{household}同意")
        if signed == SIGNATURES:
            self._close(case_id, number, GATES[0], GATES[1], "carried", "顾组长", now)
        self.connection.execute("COMMIT")

    def _decide(self, case_id: int, gate: str, following: str, verdict: str) -> None:
        now = machine_now()
        self.connection.execute(self._begin)
        (number,) = self._do("SELECT number FROM cases WHERE id = ? AND state = ?", case_id, gate).fetchone()
        self._tell(case_id, now, "沈审核", f"{gate}:{verdict}")
        self._close(case_id, number, gate, following, verdict, "沈审核", now)
        self.connection.execute("COMMIT")

    def _close(
        self, case_id: int, number: str, gate: str, following: str, verdict: str, by: str, now: datetime
    ) -> None:
        self._do(
            "UPDATE steps SET decided_at = ?, decided_by = ?, verdict = ?"
            " WHERE case_id = ? AND gate = ? AND decided_at IS NULL",
            now.isoformat(), by, verdict, case_id, gate,
        )  # fmt: skip
        if following:
            self._do("UPDATE cases SET state = ? WHERE id = ?", following, case_id)
            self._open(case_id, number, following, now)
        else:
            self._do("UPDATE cases SET state = 'listed', closed_at = ? WHERE id = ?", now.isoformat(), case_id)

    def _open(self, case_id: int, number: str, gate: str, now: datetime) -> None:
        due = now + PERIOD
        self._do(
            "INSERT INTO steps (case_id, gate, opened_at, due_at) VALUES (?, ?, ?, ?)",
            case_id, gate, now.isoformat(), due.isoformat(),
        )  # fmt: skip
        for letter in letters(number, gate, due.date()):
            self._do(
                "INSERT INTO outbox (case_id, address, subject, body, html) VALUES (?, ?, ?, ?, ?)", case_id, *letter
            )

    def _tell(self, case_id: int, now: datetime, actor: str, what: str) -> None:
        self._do(
            "INSERT INTO history (case_id, at, actor, what) VALUES (?, ?, ?, ?)", case_id, now.isoformat(), actor, what
        )

    def check(self) -> None:
        """See that every case was listed and everything written."""
        counts = [
            self._do(statement).fetchone()[0]
            for statement in (
                "SELECT count(*) FROM cases WHERE state = 'listed'",
                "SELECT count(*) FROM steps WHERE decided_at IS NOT NULL",
                "SELECT count(*) FROM history",
                "SELECT count(*) FROM outbox",
            )
        ]
        assert counts == [self.cases * each for each in (1, 5, 25, 10)], counts

    def stored(self) -> int:
        """Return the database's bytes."""
        return bytes_of(self.place)
