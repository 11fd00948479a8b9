"""What tests of themes, weeks and publicity do the same: record, rest a site, read marks, count statements."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from sqlalchemy import event, func, insert, select

from models.case import Case
from models.outbox import OutboxEntry
from models.registry import Household, Person, Unit
from models.site_life import DutyRound, SiteSpell
from policies.life_words import DutyKind
from policies.vocabulary import Door, SiteStatus
from tasks.act import acting
from tasks.activities import RecordedActivity, record_activities
from tasks.history import verify
from tasks.life_commands import ActivityEntry, RecordActivities, ReportThemes, ThemeEntry
from tasks.living import change_status, lock_site, site_named
from tasks.themes import ReportedTheme, submit_themes
from tests.parlours import add_site, site_of
from tests.township import REVIEWER, Township


def faults(town: Township) -> list[str]:
    """What `ketang audit verify` finds."""
    with town.resources.database.read() as session:
        return [str(each) for each in verify(session)]


def change(town: Township, number: str, status: SiteStatus, *, on: date) -> None:
    """Let a site be in another status from a day on."""
    with acting(town.resources, at=town.now()) as act:
        site = site_named(act.session, number)
        lock_site(act.session, site)
        change_status(act, site, status, on=on, because="修缮", actor="丁主任(P003)", by_case=None)


def report(town: Township, number: str, month: str, title: str = "春耕", *, by: str = REVIEWER) -> ReportedTheme:
    """Report a site's theme."""
    entry = ThemeEntry.model_validate({"site": number, "month": month, "title": title})
    command = ReportThemes(by=by, themes=[entry])
    (reported,) = submit_themes(town.resources, command, door=Door.CLI, at=town.now())
    return reported


def entry_of(number: str, on: str, **more: Any) -> ActivityEntry:
    """An activity that meets every rule, with some of it changed."""
    fields = {"site": number, "held_on": on, "category": "文体服务", "title": "灯谜会", "attendance": 30} | more
    return ActivityEntry.model_validate(fields)


def record(town: Township, *entries: ActivityEntry, key: str = "", by: str = REVIEWER) -> list[RecordedActivity]:
    """Record activities."""
    command = RecordActivities(by=by, activities=list(entries))
    named = key or f"test:{entries[0].site}:{entries[0].held_on}:{entries[0].title}"
    return record_activities(town.resources, command, door=Door.CLI, key=named, at=town.now())


def add_many(town: Township, count: int) -> None:
    """List so many more sites in a moment, like one that is listed as it should be; their histories are empty."""
    pattern = site_of(town, add_site(town))
    with town.resources.database.write() as session:
        case, last = session.get_one(Case, pattern.case_id), session.scalars(select(func.max(Case.id))).one()
        place, house, who = (
            session.get_one(Unit, pattern.group_id),
            session.get_one(Household, pattern.household_id),
            session.get_one(Person, pattern.leader_id),
        )
        spell = session.scalars(select(SiteSpell).where(SiteSpell.site_id == pattern.id)).one()
        numbers = range(last + 1_000, last + 1_000 + count)

        def copies(row: Any, change: Callable[[int], dict[str, Any]]) -> None:
            facts = {each.key: getattr(row, each.key) for each in row.__mapper__.column_attrs}
            session.execute(insert(type(row)), [facts | {"id": number} | change(number) for number in numbers])

        copies(place, lambda n: {"code": f"X{n}", "name": f"{n}组"})
        copies(house, lambda n: {"number": f"X{n}-001", "group_id": n})
        copies(who, lambda n: {"code": f"X{n}", "name": f"负责人{n}", "email": f"x{n}@site.example"})
        copies(
            case,
            lambda n: {
                "number": f"KT-2026-{n}",
                "opening_key": f"x{n}",
                "unit_id": n,
                "group_id": n,
                "household_id": n,
            },
        )
        copies(
            pattern,
            lambda n: {
                "case_id": n,
                "number": f"KT-2026-{n}-S",
                "group_id": n,
                "household_id": n,
                "leader_id": n,
            },
        )
        copies(spell, lambda n: {"site_id": n, "case_id": n})


def marked(town: Township, duty: DutyKind) -> list[tuple[str, str, int, int, bool]]:
    """The marks of a duty: period, step, number, days late, merged; in the order of their due days."""
    with town.resources.database.read() as session:
        rows = session.scalars(
            select(DutyRound).where(DutyRound.duty == duty).order_by(DutyRound.period, DutyRound.due_on)
        )
        return [(f"{each.period}", each.step.value, each.seq, each.late_days, each.merged) for each in rows]


def letter(town: Township, kind: str, to: str = "") -> OutboxEntry:
    """The only letter of a kind, or of those to one person."""
    (found,) = [each for each in town.entries(kind) if to in ("", each.to_name)]
    return found


@contextmanager
def counted(town: Township) -> Iterator[list[str]]:
    """Collect the SQL statements of the block."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    engine = town.resources.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
