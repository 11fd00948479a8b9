"""
What a command, a flow or a sweep works with: opened once by an entry point, closed by it, passed to every task.

Nothing here decides anything; nothing is opened at import.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from models.case import Case
from models.engine import Database, open_engine
from notifications.render import Renderer
from notifications.smtp import SmtpTransport
from notifications.transport import FolderTransport, Transport
from policies.edition import Edition
from policies.errors import BadPolicy
from policies.load import LoadedEdition, load_all, load_calendar, parse_edition
from rules.calendar import WorkCalendar
from runtime.clock import Clock, SystemClock, TrainingClock
from runtime.settings import PROJECT, Settings


@dataclass(frozen=True)
class Resources:
    """The opened resources of one process."""

    settings: Settings
    database: Database
    clock: Clock
    editions: Mapping[str, LoadedEdition]
    calendar: WorkCalendar
    renderer: Renderer

    def transport(self) -> Transport:
        """Return how letters leave: SMTP when a server is set, else ``.eml`` files in the letters folder."""
        settings = self.settings
        if not settings.smtp_host:
            return FolderTransport(settings.letters_folder, settings.mailbox)
        return SmtpTransport(
            settings.mailbox,
            host=settings.smtp_host,
            port=settings.smtp_port,
            security=settings.smtp_security,
            user=settings.smtp_user,
            password=settings.smtp_password.get_secret_value(),
            ca_file=settings.smtp_ca_file,
            connections=settings.smtp_connections,
            timeout_seconds=settings.smtp_timeout_seconds,
        )

    def link_of(self, flow_run_id: str | None) -> str:
        """Return the address at which a decider finds the form: the run's page in the Prefect UI."""
        return f"{self.settings.ui_url}/runs/flow-run/{flow_run_id}" if flow_run_id else ""


_PINNED: dict[str, Edition] = {}
"""By the digest of its text, which is all that a case needs to know of its edition: what has it, is it."""


def _pinned(sha256: str, text: bytes, name: str) -> Edition:
    found = hashlib.sha256(text).hexdigest()
    if found != sha256:
        raise BadPolicy(name, "", found, f"数据库中保存的政策全文与立案时的摘要 {sha256[:12]}… 不符,已被改动,请核查")
    return parse_edition(text, name).edition


def edition_of(case: Case) -> Edition:
    """
    Return the edition pinned to `case`: the text as it was published, whatever the files say today.

    Raises:
        BadPolicy: the text kept in the database is not the one the case was opened by.
    """
    known = _PINNED.get(case.edition_sha256)
    if known is None:
        known = _pinned(case.edition_sha256, case.edition.text, f"{case.edition_id}.yaml")
        _PINNED[case.edition_sha256] = known
    return known


def _clock(settings: Settings) -> Clock:
    if settings.training:
        return TrainingClock(settings.clock_offset, file=settings.clock_file)
    return SystemClock(settings.clock_offset)


@contextmanager
def open_resources(settings: Settings | None = None, *, clock: Clock | None = None) -> Iterator[Resources]:
    """
    Open everything a process needs; close it at the end of the block.

    Raises:
        BadPolicy: a policy file is unusable; nothing starts with a rule that can not be trusted.
    """
    settings = settings or Settings()
    engine = open_engine(settings.database)
    try:
        yield Resources(
            settings=settings,
            database=Database(engine),
            clock=clock or _clock(settings),
            editions=load_all(),
            calendar=WorkCalendar(load_calendar()),
            renderer=Renderer(PROJECT / "templates"),
        )
    finally:
        engine.dispose()
