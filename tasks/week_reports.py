"""
The office reports weeks without activities to leaders and villages (D0-R4, D0-R13): all towns in one run.

Called by its flow on Mondays, and by the sweep when that did not come. Set-based, as `tasks.theme_rounds`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from models.case import Site
from models.registry import Unit
from models.site_life import Activity
from notifications.life_letters import WeekMissing, WeeksMissing
from notifications.outbox import Posting, enqueue_many
from policies.life_scheme import WeeklyActivities
from policies.life_words import DutyKind
from policies.load import LoadedEdition
from rules.duty import WEEK, Round, late_days, monday_of, spoken_week, week_steps, weeks_from
from rules.periods import shanghai_day
from runtime.resources import Resources
from tasks.act import acting
from tasks.duties import (
    OWED_COLUMNS,
    Owed,
    by_leader,
    changed_over,
    day_caught_up,
    hearers,
    last_marked,
    late_note,
    listed_by,
    listed_since,
    mark,
    marked_since,
    marks,
    office_of,
    owing_week,
    post_in_batches,
    shortened,
    unreachable_lines,
    with_leaders,
)
from tasks.each_town import Unreadable, serve_each
from tasks.living import Town, towns_named

LISTING = "ketang activity missing"


@dataclass(frozen=True)
class WeekLine:
    """A parlour in a week, as lists show it."""

    owed: Owed
    recorded: int
    """Activities of the week on record; voided ones do not count."""


@dataclass(frozen=True)
class WeekRound:
    """What one run did about a town's weeks."""

    town: str
    weeks: tuple[date, ...]
    """Their Mondays; more than one when Mondays were missed."""
    late_days: int
    """Of the first of them."""
    missing: int
    """Parlours with a week that lacks activities."""
    unreachable: int
    """Leaders whom no e-mail reaches."""

    def __str__(self) -> str:
        said = "、".join(map(spoken_week, self.weeks))
        late = f"(迟{self.late_days}日)" if self.late_days else ""
        told = f"{self.town}{said}活动通报{late}:{self.missing}个客堂间缺活动记录"
        return told + (f",{self.unreachable}名负责人收不到邮件,已列表告知村(居)" if self.unreachable else "")


@dataclass(frozen=True)
class _Run:
    town: Town
    policy: WeeklyActivities
    weeks: tuple[date, ...]
    """Empty: the town has come to the duty only now, and owes nothing for the week that runs."""


def report_weeks(resources: Resources, *, at: datetime, failures: list[str] | None = None) -> list[WeekRound]:
    """
    Report the weeks that are over and were not reported, of all towns: to each leader once, to each village once.

    Source: D0-R13; policy `weekly_activities`. Several missed weeks go into one letter, which says that it is late.

    Safe to repeat, and to run twice at once: letters have keys, and the marks are set once.

    Args:
        failures: gets the towns in which it can not be done, in Chinese; None: they are raised in the end.

    Returns:
        What this run did, town by town; empty: nothing was due.
    """
    return _all(resources, on=shanghai_day(at), at=at, failures=failures)


def catch_up_weeks(resources: Resources, at: datetime, failures: list[str] | None = None) -> str:
    """Do what the Monday's schedule should have done by now and did not; return it in Chinese, or ""."""
    return "；".join(str(each) for each in _all(resources, on=day_caught_up(at), at=at, failures=failures))


def week_of(session: Session, town: Unit, monday: date) -> list[WeekLine]:
    """Return every parlour of a town that owes activities in a week, with what is on record, by village and number."""
    counted = (
        select(Activity.site_id, func.count().label("recorded"))
        .where(Activity.week == monday, Activity.voided_at.is_(None), Activity.site_id.in_(owing_week(town.id, monday)))
        .group_by(Activity.site_id)
        .subquery()
    )
    query = with_leaders(owing_week(town.id, monday), counted.c.recorded).outerjoin(
        counted, counted.c.site_id == Site.id
    )
    width = len(OWED_COLUMNS)
    return [WeekLine(Owed(*row[:width]), row[width] or 0) for row in session.execute(query)]


def _all(resources: Resources, *, on: date, at: datetime, failures: list[str] | None) -> list[WeekRound]:
    def serve(town: Town) -> WeekRound | None:
        with resources.database.read() as session:
            run = _due_in(session, town, on=on)
        return _carry_out(resources, run, at=at) if run is not None else None

    with resources.database.read() as session:
        asked = _asked(resources, session, on=on)
    return [done for done in serve_each("每周活动检查", asked, serve, failures=failures) if done is not None]


def _asked(resources: Resources, session: Session, *, on: date) -> list[tuple[str, Town | Unreadable]]:
    """Return the towns in which something may be due, with their names."""
    return towns_named(resources, session, on=on, having=lambda loaded: _may_be_due(loaded, on=on))


def _due_in(session: Session, town: Town, *, on: date) -> _Run | None:
    policy, last = town.scheme.weekly_activities, monday_of(on) - WEEK
    if policy is None or last in marks(session, DutyKind.ACTIVITY, [town.unit.id], since=last).get(town.unit.id, {}):
        return None
    if (since := listed_since(session, town.unit.id)) is None:
        return None
    first, from_ = since, town.loaded.edition.in_force.from_
    before = last_marked(session, DutyKind.ACTIVITY, town.unit.id)
    if before is not None:
        first = max(first, before + timedelta(days=1))
    # The week in which an edition follows one that asked for activities too is owed like any other.
    if before is None or before + 2 * WEEK < from_:
        first = max(first, from_)
    if not (weeks := tuple(weeks_from(first, monday_of(on)))):
        return None
    return _Run(town, policy, () if before is None and changed_over(session, town) else weeks)


def _may_be_due(loaded: LoadedEdition, *, on: date) -> ColumnElement[bool] | None:
    """Return what holds of every town for which `_due_in` finds something, and of few others."""
    if loaded.edition.for_sites.weekly_activities is None:
        return None
    # The last week that is over is always among those that are due.
    last, from_ = monday_of(on) - WEEK, loaded.edition.in_force.from_
    due = [~marked_since(DutyKind.ACTIVITY, last), listed_by(last)]
    if from_ > last:
        due.append(marked_since(DutyKind.ACTIVITY, from_ - 2 * WEEK))
    return and_(*due)


def _carry_out(resources: Resources, run: _Run, *, at: datetime) -> WeekRound | None:
    today = shanghai_day(at)
    if not run.weeks:
        _begin(resources, run, at=at)
        return None
    with resources.database.read() as session:
        lines = {monday: week_of(session, run.town.unit, monday) for monday in run.weeks}
    short = {monday: [each for each in lines[monday] if each.recorded < run.policy.at_least] for monday in run.weeks}
    steps = {monday: week_steps(monday)[0] for monday in run.weeks}
    note = late_note(steps.values(), on=today)
    weeks: defaultdict[int, list[str]] = defaultdict(list)
    missing: dict[int, Owed] = {}
    for monday, found in short.items():
        for each in found:
            missing[each.owed.site_id] = each.owed
            weeks[each.owed.site_id].append(f"{spoken_week(monday)}（已记录{each.recorded}次）")
    said = "、".join(spoken_week(monday) for monday, found in short.items() if found)
    post_in_batches(resources, list(_to_leaders(run, missing, weeks, said, note)), at=at)
    with acting(resources, at=at) as act:
        set_now = [
            mark(
                act,
                DutyKind.ACTIVITY,
                run.town.unit.id,
                monday,
                Round(told=steps[monday], merged=()),
                counts={"owing": len(lines[monday]), "missing": len(short[monday])},
            )
            for monday in run.weeks
        ]
        if any(set_now):
            listed = _to_villages(act.session, run, missing, weeks, said, note, today)
            enqueue_many(act.session, case_id=None, postings=listed, at=at)
    if not any(set_now) or not any(lines.values()):
        return None
    return WeekRound(
        town=run.town.unit.name,
        weeks=run.weeks,
        late_days=late_days(steps[run.weeks[0]], on=today),
        missing=len(missing),
        unreachable=len({each.leader_id for each in missing.values() if not each.reachable}),
    )


def _begin(resources: Resources, run: _Run, *, at: datetime) -> None:
    """Mark the week in which a town comes to the duty: it is not reported, the next one is the first."""
    monday = monday_of(shanghai_day(at))
    with acting(resources, at=at) as act:
        mark(act, DutyKind.ACTIVITY, run.town.unit.id, monday, Round(told=None, merged=week_steps(monday)))


def _to_leaders(
    run: _Run, missing: Mapping[int, Owed], weeks: Mapping[int, Sequence[str]], said: str, note: str
) -> Iterator[Posting]:
    """Yield one letter a leader, however many parlours and weeks."""
    for leader, theirs in by_leader(missing.values()).items():
        if not theirs[0].active:
            continue  # who left the registry is told of to the village
        letter = WeekMissing(
            **office_of(run.town, note),
            weeks=said,
            at_least=run.policy.at_least,
            sites=tuple(f"{each.number}（{each.place}）：{'、'.join(weeks[each.site_id])}" for each in theirs),
        )
        yield Posting(letter, theirs[0].to(), _key("week", run, leader))


def _to_villages(
    session: Session,
    run: _Run,
    missing: Mapping[int, Owed],
    weeks: Mapping[int, Sequence[str]],
    said: str,
    note: str,
    today: date,
) -> list[Posting]:
    postings = []
    for recipient, theirs in hearers(session, run.town.unit, missing.values(), run.policy.report_to, on=today):
        letter = WeeksMissing(
            **office_of(run.town, note),
            weeks=said,
            at_least=run.policy.at_least,
            sites=shortened([f"{each.line}：{'、'.join(weeks[each.site_id])}" for each in theirs], LISTING),
            unreachable=shortened(unreachable_lines(theirs), LISTING),
        )
        postings.append(Posting(letter, recipient, _key("weeks", run, recipient.person_id)))
    return postings


def _key(letter: str, run: _Run, person_id: int | None) -> str:
    return f"{letter}:{run.town.unit.code}:{run.weeks[-1]}:p{person_id}"
