"""
Stock Prefect: ``prefect server start``, a flow of ``flow.serve()`` that polls once a second, a process for each resume.

Of the desk's work it leaves out what "SQLAlchemy + transitions" leaves out, whose rows it writes. The server is as it
comes, but that it does not report its use to its makers.
"""

import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bench.contest import ROOT
from bench.contestants import SIGNATURES, serve_flow
from bench.contestants.orm_rows import Base, Case, Letter, connected
from bench.letter import GATES
from bench.live_desk import books
from bench.live_turn import Form, Live
from bench.prefect_api import Api, async_url
from runtime.children import Child
from runtime.children import until as holds

START_SECONDS = 180
END_SECONDS = 10
LISTED = "listed"
FORMS: tuple[Form, ...] = (
    {"agreeing": [f"{n:03d} 户主{n}" for n in range(1, SIGNATURES + 1)], "note": "书面签字"},
    {"by": "周责任", "verdict": "forwarded"},
    {"by": "沈审核", "verdict": "approved"},
    {"by": "沈审核", "works": [f"事项{n}" for n in range(1, 7)]},
    {"by": "周责任", "works": ["区拨付到镇", "镇下拨到村(居)委会", "村(居)委会确认到账"]},
)


class Serve(Live):
    """One case after the other."""

    def begin(self, until: ExitStack) -> None:
        """Start server and runner."""
        self.engine = connected(self.place.url)
        until.callback(self.engine.dispose)
        Base.metadata.create_all(self.engine)
        self.cases = 0
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.api = Api(f"http://127.0.0.1:{port}/api")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")},
            "PREFECT_HOME": str(self.prefect_home),
            "PREFECT_API_URL": self.api.url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_RUNNER_POLL_FREQUENCY": "1",
            "TZ": "Asia/Shanghai",
            serve_flow.DATABASE: self.place.url,
            serve_flow.MAIL_PORT: str(self.mail.port),
        }
        if prefect := self.place.options.get("prefect"):
            environment["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = async_url(prefect)

        def child(name: str, *command: str) -> Child:
            log = self.place.folder / f"{name}.log"
            started = Child(name, [sys.executable, "-m", *command], environment=environment, folder=ROOT, log=log)
            until.callback(started.end, END_SECONDS)
            return started

        server = child("server", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port))
        if not holds(lambda: server.status is not None or self.api.healthy(), seconds=START_SECONDS):
            raise RuntimeError(server.tail())
        runner = child("runner", "bench.contestants.serve_flow")
        served = ("site-case", serve_flow.DEPLOYMENT)
        if not holds(lambda: runner.status is not None or self.api.has_deployment(*served), seconds=START_SECONDS):
            raise RuntimeError(runner.tail())
        self.deployment = self.api.deployment(*served)
        self.server, self.worker = server.pid, runner.pid

    @property
    def prefect_home(self) -> Path:
        """Where the server keeps its database."""
        return self.place.folder / "prefect"

    def open_case(self) -> str:
        """Start a run, which opens the case."""
        self.cases += 1
        self.number = f"KT-2026-{self.cases:06d}"
        return self.api.start(self.deployment, {"number": self.number})

    def form(self, gate: int) -> list[Form]:
        """Return what is filled in at a gate."""
        return [FORMS[gate]]

    def reached(self, gate: int) -> bool:
        """Return whether the case has come to the gate, and the mail server has taken its letters."""
        with Session(self.engine) as session:
            state = session.scalar(select(Case.state).where(Case.number == self.number))
            if state != (GATES[gate] if gate < len(GATES) else LISTED):
                return False
            waiting = select(Letter.id).join(Case, Case.id == Letter.case_id).where(Letter.sent_at.is_(None))
            return session.scalar(waiting.limit(1)) is None

    def books(self) -> tuple[int, int]:
        """Return the bytes of the databases."""
        return books(self.place, self.place.folder / "work.db", self.prefect_home)

    def sent(self) -> int:
        """Count the letters that are marked as accepted."""
        with Session(self.engine) as session:
            return session.scalar(select(func.count()).where(Letter.sent_at.is_not(None))) or 0
