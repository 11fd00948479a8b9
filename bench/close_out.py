"""
Work 4: public notices whose period ends at the same instant are closed, each once, with history, letters and pages.

What runs is what the scheduled run of that instant does, without Prefect: fire what is due, carry the cases to their
end, write the pages, deliver the letters. The limit closes as many steps by hand: a transaction and two letters each.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from bench.contest import Entry, compete
from bench.contestant import Place
from bench.contestants.raw import Raw
from bench.letter import GATES, letters
from bench.postgres import Postgres
from bench.storage import bytes_of
from bench.table import Report, target
from bench.town import CASE_PROCEDURES, REVIEWER, Town
from flows.close_out import close_due
from models.case import Case
from models.work_item import WorkItem
from policies.vocabulary import CaseKind, CaseStatus, Door, WorkItemStatus
from runtime.clock import machine_now
from tasks.drivers import carry_with_relatives
from tasks.notice_commands import PublishNotice
from tasks.notice_pages import write_pages
from tasks.notices import publish_notice
from tasks.post import post_letters

OPENED = datetime(2026, 3, 2, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
ASKED = 1000


class Notices:
    """The desk."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.town = Town(place, edition="example-micro-2026", opened=OPENED)
        self.published = 0

    def prepare(self, units: int) -> None:
        """Publish the notices of this round, and let their letters go."""
        resources, at = self.town.resources, self.town.clock.now()
        for _ in range(units):
            self.published += 1
            command = PublishNotice.model_validate(
                {
                    "unit": "Z",
                    "edition": "linping-2022",
                    "by": REVIEWER,
                    "title": f"第{self.published}号路灯改造方案",
                    "text": "拟在老街安装路灯二十盏。\n施工期间请绕行。",
                    "items": ["东段十二盏", "西段八盏"],
                    "contact": "镇社区办,镇政府二楼",
                    "place": "镇政务公开栏",
                }
            )
            number = publish_notice(resources, command, door=Door.CLI, key=f"notice {self.published}", at=at)
            carry_with_relatives(resources, number, CASE_PROCEDURES, at=at)
        while post_letters(resources, at=at).sent:
            pass
        write_pages(resources)
        with resources.database.read() as session:
            (instant,) = session.scalars(
                select(WorkItem.due_at).where(WorkItem.status == WorkItemStatus.OPEN).distinct()
            )
        self.town.clock.move_to(instant)

    def run(self, units: int) -> list[float]:
        """Do what the run of that instant does."""
        at = self.town.clock.now()
        counts, report, _ = close_due(self.town.resources, at=at)
        assert not counts.failures, counts.failures[:3]
        assert counts.lapses == len(report.carried) == units, (counts.lapses, len(report.carried))
        while post_letters(self.town.resources, at=at).sent:
            pass
        return []

    def check(self) -> None:
        """See that all are closed, each by one decision."""
        with self.town.resources.database.read() as session:
            done = session.scalar(
                select(func.count()).where(
                    Case.kind == CaseKind.NOTICE, Case.status == CaseStatus.CLOSED, Case.decision_seq == 1
                )
            )
        assert done == self.published, (done, self.published)
        self.town.clock.move_to(self.town.clock.now() + timedelta(hours=10))

    def stored(self) -> int:
        """Return the database's bytes."""
        return bytes_of(self.place)


class Lapses(Raw):
    """By hand."""

    def prepare(self, units: int) -> None:
        """Open as many cases."""
        self.open = [self._apply() for _ in range(units)]

    def run(self, units: int) -> list[float]:
        """Close each in a transaction, with two letters that tell."""
        now = machine_now()
        for case_id in self.open:
            self.connection.execute(self._begin)
            (number,) = self._do("SELECT number FROM cases WHERE id = ? AND state = ?", case_id, GATES[0]).fetchone()
            self._tell(case_id, now, "系统", "期满")
            self._close(case_id, number, GATES[0], "", "lapsed", "系统", now)
            for letter in letters(number, "closed", now.date()):
                statement = "INSERT INTO outbox (case_id, address, subject, body, html) VALUES (?, ?, ?, ?, ?)"
                self._do(statement, case_id, *letter)
            self.connection.execute("COMMIT")
        return []

    def check(self) -> None:
        """See that all are closed."""
        (done,) = self._do("SELECT count(*) FROM cases WHERE state = 'listed'").fetchone()
        assert done == self.cases, (done, self.cases)


def contest(report: Report, postgres: Postgres, *, notices: int, rounds: int, say: Callable[[str], None]) -> None:
    """Close them on each database."""
    for kind, server in (("SQLite", None), ("PostgreSQL", postgres)):
        entries = [
            Entry(
                name,
                f"bench.close_out:{maker}",
                postgres=server.database() if server else None,
                server=server.pid if server else None,
            )
            for name, maker in (("raw, by hand", "Lapses"), ("Ketang", "Notices"))
        ]
        scores = compete(entries, units=notices, rounds=rounds, work=f"closing, {kind}", say=say)
        report.add(f"{notices:,} notices end at once, {kind}", "notice", scores, limit="raw, by hand")
        seconds = scores["Ketang"].middle(lambda each: each.wall)[0] * ASKED
        how = "" if notices == ASKED else f", at the rate of {notices}"
        report.targets.append(
            target(f"closing, {kind}: seconds for {ASKED:,} notices, each once{how}", seconds, "<=", 30.0)
        )
