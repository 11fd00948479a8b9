"""
Work 6: the monthly theme. One run asks the leaders of every listed parlour for the theme of the month to come.

The parlours are copies of one that went the whole way, each with a group, a household and a leader of its own. Every
round is a month later, and everybody has reported meanwhile. The limit is set-based SQL on the same tables: one
INSERT … SELECT of a letter for each parlour without a theme; its letters have no facts but the leader's name.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, column, exists, func, insert, literal, select, text
from sqlalchemy.engine import Connection

from bench.contest import Entry, compete
from bench.contestant import Place
from bench.copies import clone, series, text_of
from bench.postgres import Postgres
from bench.site import SiteDesk
from bench.table import Report
from bench.town import Town
from models.case import Case, Site
from models.outbox import OutboxEntry
from models.registry import Household, Person, Unit
from models.site_life import SiteSpell, Theme
from policies.vocabulary import Door, Letter, LetterStatus, SiteStatus
from tasks.theme_rounds import ask_for_themes

EDITION = "example-2026"
SHANGHAI = ZoneInfo("Asia/Shanghai")
LISTED = datetime(2026, 3, 2, 10, tzinfo=SHANGHAI)
BASE = 1_000_000


class Themes:
    """The desk's run."""

    def __init__(self, place: Place) -> None:
        self.town = Town(place, edition=EDITION, opened=LISTED)
        self.sites = int(place.options["sites"])
        self.rounds = 0
        self.before = 0
        desk = SiteDesk(self.town, at=LISTED, edition=self.town.resources.editions[EDITION].edition)
        (group,) = self.town.add_groups(1, households=1)
        number = desk.apply(group)
        desk.carry(number)
        desk.sign(number, f"{group}-001")
        for acts in desk.decisions(number):
            desk.carry(number)
            for act in acts:
                act()
        desk.carry(number)
        engine = self.town.resources.database.engine
        with engine.begin() as connection:
            self._copy(connection)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))

    def _copy(self, connection: Connection) -> None:
        numbers, n = series(self.sites - 1), column("n", Integer)
        site = connection.execute(select(Site)).one()
        spell = connection.execute(select(SiteSpell.id)).scalar_one()
        key, name = BASE + n, literal("B").concat(text_of(n))
        email = name.concat("@site.example")
        clone(connection, Unit, site.group_id, numbers, {"id": key, "code": name, "name": name})
        clone(connection, Household, site.household_id, numbers, {"id": key, "number": name, "group_id": key})
        clone(connection, Person, site.leader_id, numbers, {"id": key, "code": name, "name": name, "email": email})
        case = {"id": key, "number": name, "opening_key": name, "group_id": key, "household_id": key}
        clone(connection, Case, site.case_id, numbers, case)
        listed = {
            "id": key,
            "number": name,
            "case_id": key,
            "group_id": key,
            "household_id": key,
            "leader_id": key,
        }
        clone(connection, Site, site.id, numbers, listed)
        clone(connection, SiteSpell, spell, numbers, {"id": key, "site_id": key, "case_id": key})

    @property
    def at(self) -> datetime:
        """The morning of this round: of the day on which the theme of the next month is asked for."""
        return datetime(2026 + (3 + self.rounds - 1) // 12, (3 + self.rounds - 1) % 12 + 1, 15, 8, tzinfo=SHANGHAI)

    @property
    def month(self) -> date:
        """The month that is asked for."""
        here = self.at
        return date(here.year + here.month // 12, here.month % 12 + 1, 1)

    def prepare(self, units: int) -> None:
        """Count the letters there are."""
        with self.town.resources.database.read() as session:
            self.before = session.scalar(select(func.count(OutboxEntry.id))) or 0

    def run(self, units: int) -> list[float]:
        """Ask."""
        rounds = ask_for_themes(self.town.resources, at=self.at)
        assert rounds[-1].missing == units, rounds
        return []

    def check(self) -> None:
        """See that every leader was asked; then let everybody report."""
        with self.town.resources.database.write() as session:
            letters = session.scalar(select(func.count(OutboxEntry.id))) or 0
            assert letters - self.before == self.sites, (letters, self.before)
            reported: dict[str, Any] = {
                "site_id": Site.id,
                "month": literal(self.month, Theme.month.type),
                "title": literal("春耕"),
                "plan": literal(""),
                "recorded_at": literal(self.at, Theme.recorded_at.type),
                "recorded_by_id": Site.leader_id,
                "door": literal(Door.FORM, Theme.door.type),
                "late": literal(False),
            }
            session.execute(insert(Theme).from_select(list(reported), select(*reported.values())))
        self.rounds += 1

    def stored(self) -> int:
        """Return nothing: a letter is weighed with its case."""
        return 0


class SetBased(Themes):
    """One statement."""

    def run(self, units: int) -> list[float]:
        """Write the letters."""
        at, month = self.at, literal(self.month, Theme.month.type)
        name = literal(f"theme:{self.month:%Y-%m}:").concat(text_of(Site.id))
        facts: dict[str, Any] = {
            "letter": literal(Letter.THEME_ASKED, OutboxEntry.letter.type),
            "person_id": Person.id,
            "to_name": Person.name,
            "to_address": Person.email,
            "context": literal({}, OutboxEntry.context.type),
            "dedup_key": name,
            "message_id": name,
            "status": literal(LetterStatus.QUEUED, OutboxEntry.status.type),
            "created_at": literal(at, OutboxEntry.created_at.type),
            "next_attempt_at": literal(at, OutboxEntry.created_at.type),
            "attempts": literal(0),
            "last_error": literal(""),
            "sent_subject": literal(""),
            "sent_text": literal(""),
        }
        reported = exists().where(Theme.site_id == Site.id, Theme.month == month)
        owing = (
            select(*facts.values())
            .select_from(Site)
            .join(Person, Person.id == Site.leader_id)
            .where(Site.status == SiteStatus.ACTIVE, ~reported)
        )
        with self.town.resources.database.engine.begin() as connection:
            connection.execute(insert(OutboxEntry).from_select(list(facts), owing))
        return []


def contest(report: Report, postgres: Postgres, *, sites: int, rounds: int, say: Callable[[str], None]) -> None:
    """Let both ask, on each database."""
    for kind, server in (("SQLite", None), ("PostgreSQL", postgres)):
        entries = [
            Entry(
                name,
                f"bench.themes:{maker}",
                postgres=server.database() if server else None,
                server=server.pid if server else None,
                options={"sites": sites},
            )
            for name, maker in (("set-based SQL", "SetBased"), ("Ketang", "Themes"))
        ]
        scores = compete(entries, units=sites, rounds=rounds, work=f"themes, {kind}", say=say)
        report.add(f"themes asked of {sites:,} sites, {kind}", "site", scores, limit="set-based SQL")
