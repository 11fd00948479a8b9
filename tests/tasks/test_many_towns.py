"""A sweep costs what is due, however many towns there are; and each town is still found when its day has come."""

from collections import Counter
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from flows import deadline_sweep
from flows.deadline_sweep import sweep_directly
from models.registry import Person, RoleHolding, Unit
from policies.load import LoadedEdition
from policies.vocabulary import Role
from rules.periods import shanghai_day
from tasks import theme_rounds, week_reports
from tasks.each_town import Unreadable
from tasks.living import Town, towns, towns_named
from tests.desks import OpenTown, variant
from tests.duties import counted
from tests.half_year import add_town
from tests.parlours import add_site
from tests.township import REVIEWER, Township, at

EXAMPLE = "example-2026"
LISTED = at("2026-03-02 10:00")


@pytest.fixture
def no_prefect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are looked after some at a time, however many there are; here nothing carries them."""
    monkeypatch.setattr(deadline_sweep, "wake_all", lambda *_, **__: Counter())
    monkeypatch.setattr(deadline_sweep, "schedule_close_outs", lambda *_, **__: None)


def add_towns(town: Township, first: int, last: int) -> None:
    """Add towns with an office and one village: each third with an old parlour, with one listed now, with none."""
    for n in range(first, last + 1):
        edition = "zhujiajiao-2018" if n % 10 == 0 else EXAMPLE
        add_town(town, f"T{n:03d}", f"第{n}镇", edition=edition, village=f"T{n:03d}V")
        with town.resources.database.write() as session:
            unit = session.scalars(select(Unit).where(Unit.code == f"T{n:03d}")).one()
            reviewer = session.scalars(select(Person).where(Person.code == REVIEWER)).one()
            held = RoleHolding(
                person_id=reviewer.id, role=Role.OFFICE_REVIEWER, unit_id=unit.id, since=date(2010, 1, 1)
            )
            session.add(held)
        if n % 3:
            add_site(town, village=f"T{n:03d}V", since=LISTED if n % 3 == 1 else None)


def sweep(town: Township, moment: str) -> list[str]:
    """Sweep at a moment; return what was done, in Chinese."""
    town.clock.move_to(at(moment))
    counts, told = sweep_directly(town.resources)
    assert counts.failures == []
    return told


def statements(town: Township, moment: str) -> int:
    """Sweep when nothing is due; return how many statements it took."""
    with counted(town) as seen:
        told = sweep(town, moment)
    assert told[0] == "提醒0件,督办0件,期满0件,重算0件"
    assert all(each.startswith(("寄出0封", "唤醒0件")) for each in told[1:]), told
    return len(seen)


@pytest.mark.usefixtures("no_prefect")
def test_a_sweep_with_nothing_due_asks_no_more_in_more_towns(open_town: OpenTown) -> None:
    town = open_town(EXAMPLE, "2026-05-11 10:00")
    add_site(town, since=LISTED)
    asked = []
    for hour, first, last in ((10, 1, 0), (11, 1, 9), (12, 10, 42)):
        add_towns(town, first, last)
        for _ in range(3):  # until there is nothing left to do
            sweep(town, f"2026-05-12 {hour}:00")
        asked.append(statements(town, f"2026-05-12 {hour}:05"))
    assert len(set(asked)) == 1, asked


@pytest.mark.usefixtures("no_prefect")
def test_of_many_towns_the_one_that_was_missed_is_found(open_town: OpenTown) -> None:
    town = open_town(EXAMPLE, "2026-05-11 10:00")
    add_towns(town, 1, 9)
    for _ in range(3):
        sweep(town, "2026-05-12 10:00")
    add_site(town, village="T003V", since=LISTED)  # as if its mark had never been set: it was listed in time
    told = sweep(town, "2026-05-12 10:05")
    assert any(each.startswith("补办例行联席会议1次:") for each in told), told
    assert any(each.startswith("第3镇") and "主题" in each for each in told), told
    assert any(each.startswith("第3镇") and "活动通报" in each for each in told), told
    assert not any(f"第{n}镇" in each for each in told for n in (1, 2, 4, 5, 6, 7, 8, 9)), told


# -- the towns that one statement finds are those that would be found by looking at each ------------------------------

FOUND: dict[Any, str] = {theme_rounds: "rounds", week_reports: "weeks"}
"""What is found due in a town, by the part that finds it."""
DAYS = (
    *("2026-03-14", "2026-03-15", "2026-03-16", "2026-03-18", "2026-03-22", "2026-03-26", "2026-03-30", "2026-04-06"),
    *("2026-04-14", "2026-04-15", "2026-04-16", "2026-04-17", "2026-04-20", "2026-04-24", "2026-04-26", "2026-04-27"),
    *("2026-05-04", "2026-05-15", "2026-05-16", "2026-05-18", "2026-05-19", "2026-05-25", "2026-06-01", "2026-06-08"),
)
"""Around the days of asking, reminding and reporting, Mondays, and days on which editions begin."""
BEGINNINGS = ("2026-03-15", "2026-04-06", "2026-04-17", "2026-05-16", "2026-06-01")
CODES = tuple(f"T{n:03d}" for n in range(1, 8))
FIRST_LISTED = {"2026-04-15": "T003", "2026-05-15": "T006"}
"""Towns that have no parlour until a day of asking."""


def due(town: Township, part: Any, *, on: date) -> list[tuple[str, object]]:
    """What is due of themes, or of weeks, town by town."""
    with town.resources.database.read() as session:
        runs = [part._due_in(session, each, on=on) for _, each in part._asked(town.resources, session, on=on)]
        return [(run.town.unit.code, getattr(run, FOUND[part])) for run in runs if run is not None]


def every_town(*args: Any, having: object = None, **named: Any) -> list[tuple[str, Town | Unreadable]]:
    """Look at each town, whether anything of it could be due or not."""
    return towns_named(*args, **named)


def serve_one(town: Township, part: Any, code: str, *, on: date) -> None:
    """Let one town do what is due in it, and the others fall behind."""
    with town.resources.database.read() as session:
        its = next((each for each in towns(town.resources, session, on=on) if each.unit.code == code), None)
        run = part._due_in(session, its, on=on) if its is not None else None
    if run is not None:
        part._carry_out(town.resources, run, at=town.now())


def test_what_is_due_is_found_as_if_each_town_were_looked_at(
    open_sqlite: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 10:00")
    later = [variant(EXAMPLE, f"example-{day}", ("from: 2026-01-01", f"from: {day}")) for day in BEGINNINGS]
    more = {each.edition.id: each for each in later}
    town.resources = replace(town.resources, editions={**town.resources.editions, **more})
    dice = Random(20261122)
    add_towns(town, 1, len(CODES))
    seen: Counter[tuple[str, int]] = Counter()
    for day in DAYS:
        town.clock.move_to(at(f"{day} 10:00"))
        today = shanghai_day(town.now())
        if day in FIRST_LISTED:
            add_site(town, village=f"{FIRST_LISTED[day]}V")
        without = {code for first, code in FIRST_LISTED.items() if day <= first}
        for code in dice.sample([each for each in CODES if each not in without], 3):
            match dice.choice(("list", "change", "themes", "weeks")):
                case "list" if edition_of(town, code).edition.in_force.covers(today):
                    add_site(town, village=f"{code}V")
                case "change":
                    change_edition(town, code, dice.choice(["xuhang-2013", EXAMPLE, *newest(later, today)]))
                case "themes":
                    serve_one(town, theme_rounds, code, on=today)
                case "weeks":
                    serve_one(town, week_reports, code, on=today)
                case _:
                    pass
        for part in FOUND:
            narrowed = due(town, part, on=today)
            with monkeypatch.context() as patched:
                patched.setattr(part, "towns_named", every_town)
                assert narrowed == due(town, part, on=today), (today, part.__name__)
            seen[part.__name__, len(narrowed)] += 1
    for part in FOUND:
        assert len([number for name, number in seen if name == part.__name__]) > 3, seen


def edition_of(town: Township, code: str) -> LoadedEdition:
    """The edition that a town uses."""
    with town.resources.database.read() as session:
        unit = session.scalars(select(Unit).where(Unit.code == code)).one()
        return town.resources.editions[unit.edition_id or ""]


def newest(editions: list[LoadedEdition], today: date) -> list[str]:
    """The two editions that were the last to come into force."""
    begun = [each for each in editions if each.edition.in_force.covers(today)]
    return [each.edition.id for each in begun[-2:]]


def change_edition(town: Township, code: str, edition: str) -> None:
    """Let a town use another edition from now on."""
    with town.resources.database.write() as session:
        session.scalars(select(Unit).where(Unit.code == code)).one().edition_id = edition
