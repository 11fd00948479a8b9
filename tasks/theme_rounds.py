"""
The office asks for the themes of the month to come, reminds, and reports who has none (D0-R12): all towns in one run.

Called by its daily flow, and by the sweep when that did not come. Set-based: what is missing is read at once, letters
are written in batches, and the marks come last, with the letters to the villages.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import Session

from models.case import Site
from models.site_life import Theme
from notifications.life_letters import ThemeAsked, ThemeMissing, ThemesMissing
from notifications.outbox import Posting, enqueue_many
from policies.life_scheme import MonthlyTheme
from policies.life_words import DutyKind, DutyStep
from policies.load import LoadedEdition
from policies.vocabulary import SiteStatus
from rules.duty import (
    Round,
    late_days,
    month_of,
    months_from,
    months_on,
    round_of,
    spoken_month,
    theme_asked,
    theme_due,
    theme_steps,
)
from rules.periods import shanghai_day
from rules.window import spoken_day
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
    left_undone,
    listed_by,
    listed_since,
    mark,
    marked_since,
    marks,
    office_of,
    owing_theme,
    post_in_batches,
    shortened,
    unreachable_lines,
    with_leaders,
)
from tasks.each_town import Unreadable, serve_each
from tasks.living import Town, towns_named

LISTING = "ketang theme missing"


@dataclass(frozen=True)
class ThemeRound:
    """What one run did about a town's themes of a month."""

    town: str
    month: date
    step: str
    """In Chinese, as the vocabulary says it."""
    late_days: int
    merged: int
    """Missed steps that it stands for."""
    owing: int
    missing: int
    unreachable: int
    """Leaders whom no e-mail reaches."""

    def __str__(self) -> str:
        late = (
            f"(迟{self.late_days}日" + (f",合并错过的{self.merged}步)" if self.merged else ")")
            if self.late_days
            else ""
        )
        told = f"{self.town}{spoken_month(self.month)}主题{self.step}{late}:应报{self.owing}个,未报{self.missing}个"
        return told + (f",{self.unreachable}名负责人收不到邮件,已列表告知村(居)" if self.unreachable else "")


@dataclass(frozen=True)
class _Run:
    """What is due in one town: the months that run on, and those that passed while nobody was told."""

    town: Town
    policy: MonthlyTheme
    rounds: Mapping[date, Round]
    over: Mapping[date, Round]


@dataclass(frozen=True)
class _Found:
    """Of one month: how many owe a theme, and who has none and could still report one."""

    owing: int
    missing: Sequence[Owed]


def ask_for_themes(resources: Resources, *, at: datetime, failures: list[str] | None = None) -> list[ThemeRound]:
    """
    Do everything about the themes of all towns that is due today and was not done: ask, remind, report.

    Source: D0-R12, D0-R17; policy `monthly_theme`. Missed steps of a month are merged into the latest one, which says
    that it is late; a month that passed meanwhile is only marked.

    Safe to repeat, and to run twice at once: letters have keys, and the marks are set once.

    Args:
        failures: gets the towns in which it can not be done, in Chinese; None: they are raised in the end.

    Returns:
        What this run did, month by month; empty: nothing was due.
    """
    return _all(resources, on=shanghai_day(at), at=at, failures=failures)


def catch_up_themes(resources: Resources, at: datetime, failures: list[str] | None = None) -> str:
    """Do what the daily schedule should have done by now and did not; return it in Chinese, or ""."""
    return "；".join(str(each) for each in _all(resources, on=day_caught_up(at), at=at, failures=failures))


def _all(resources: Resources, *, on: date, at: datetime, failures: list[str] | None) -> list[ThemeRound]:
    def serve(town: Town) -> list[ThemeRound]:
        with resources.database.read() as session:
            run = _due_in(session, town, on=on)
        return _carry_out(resources, run, at=at) if run is not None else []

    with resources.database.read() as session:
        asked = _asked(resources, session, on=on)
    return [each for done in serve_each("月度主题", asked, serve, failures=failures) for each in done]


def _asked(resources: Resources, session: Session, *, on: date) -> list[tuple[str, Town | Unreadable]]:
    """Return the towns in which something may be due, with their names."""
    return towns_named(resources, session, on=on, having=lambda loaded: _may_be_due(loaded, on=on))


def _due_in(session: Session, town: Town, *, on: date) -> _Run | None:
    policy, this = town.scheme.monthly_theme, month_of(on)
    if policy is None:
        return None
    done = marks(session, DutyKind.THEME, [town.unit.id], since=this).get(town.unit.id, {})
    rounds = dict(_rounds([this, months_on(this, 1)], policy, done, on=on))
    since = listed_since(session, town.unit.id) if rounds else None
    if since is None:
        return None
    if not (rounds := {month: each for month, each in rounds.items() if theme_asked(month, policy) >= since}):
        return None
    before = last_marked(session, DutyKind.THEME, town.unit.id)
    if before is None and changed_over(session, town):
        # What would have been asked for before the town came to the duty is not owed: marked, and never told.
        asked = [month for month in rounds if theme_asked(month, policy) < on]
        return _Run(town, policy, {}, {each: Round(told=None, merged=theme_steps(each, policy)) for each in asked})
    begun = max(since, town.loaded.edition.in_force.from_)
    rounds = {
        month: each
        for month, each in rounds.items()
        # An edition carries on what was asked for by the one before it.
        if theme_asked(month, policy) >= begun or (before is not None and before >= months_on(month, -1))
    }
    return _Run(town, policy, rounds, dict(_passed(session, town, policy, begun=begun, on=on))) if rounds else None


def _may_be_due(loaded: LoadedEdition, *, on: date) -> ColumnElement[bool] | None:
    """Return what holds of every town for which `_due_in` finds something, and of few others."""
    policy = loaded.edition.for_sites.monthly_theme
    if policy is None:
        return None
    months = []
    for month in (month_of(on), months_on(month_of(on), 1)):
        asked = theme_asked(month, policy)
        if steps := [each for each in theme_steps(month, policy) if each.due_on <= on]:
            due = [left_undone(DutyKind.THEME, month, steps), listed_by(asked)]
            if asked < loaded.edition.in_force.from_:
                due.append(
                    or_(marked_since(DutyKind.THEME, months_on(month, -1)), ~marked_since(DutyKind.THEME)),
                )
            months.append(and_(*due))
    return or_(*months) if months else None


def _rounds(
    months: Iterable[date], policy: MonthlyTheme, done: Mapping[date, Iterable[tuple[DutyStep, int]]], *, on: date
) -> Iterator[tuple[date, Round]]:
    for month in months:
        if (round_ := round_of(theme_steps(month, policy), done=set(done.get(month, ())), on=on)) is not None:
            yield month, round_


def _passed(
    session: Session, town: Town, policy: MonthlyTheme, *, begun: date, on: date
) -> Iterator[tuple[date, Round]]:
    """Yield the months that are over with steps not done: too late to tell, they are marked as merged."""
    first = last_marked(session, DutyKind.THEME, town.unit.id) or begun
    before = [month for month in months_from(first, months_on(month_of(on), -1)) if theme_asked(month, policy) >= begun]
    if before:
        done = marks(session, DutyKind.THEME, [town.unit.id], since=before[0]).get(town.unit.id, {})
        for month, round_ in _rounds(before, policy, done, on=on):
            told = (round_.told,) if round_.told is not None else ()
            yield month, Round(told=None, merged=(*round_.merged, *told))


def _carry_out(resources: Resources, run: _Run, *, at: datetime) -> list[ThemeRound]:
    today = shanghai_day(at)
    told = {month: each for month, each in run.rounds.items() if each.told is not None}
    with resources.database.read() as session:
        found = {month: _found(session, run, month) for month in told}
    skipped = [spoken_month(month) + "的主题" for month in run.over]
    note = late_note([each.told for each in told.values() if each.told], on=today, skipped=skipped)
    to_tell = {month: found[month].missing for month, each in told.items() if each.tells_leaders}
    late = {month: found[month].missing for month, each in told.items() if each.escalates}
    post_in_batches(resources, list(_to_leaders(run, told, to_tell, note, today)), at=at)
    rounds: list[ThemeRound] = []
    with acting(resources, at=at) as act:
        first = False
        for month, round_ in {**run.over, **run.rounds}.items():
            counts = {}
            if round_.told is not None:
                unreachable = len({each.leader_id for each in found[month].missing if not each.reachable})
                counts = {"owing": found[month].owing, "missing": len(found[month].missing), "unreachable": unreachable}
            if not mark(act, DutyKind.THEME, run.town.unit.id, month, round_, counts=counts):
                continue
            first = True
            if round_.told is not None:
                rounds.append(
                    ThemeRound(
                        town=run.town.unit.name,
                        month=month,
                        step=round_.told.step.label,
                        late_days=late_days(round_.told, on=act.day),
                        merged=len(round_.merged),
                        **counts,
                    )
                )
        if first:
            listed = _to_villages(act.session, run, told, to_tell, late, note, today)
            enqueue_many(act.session, case_id=None, postings=listed, at=at)
    # A town in which nobody owes anything has nothing to be told of.
    return [each for each in rounds if each.owing]


def _found(session: Session, run: _Run, month: date) -> _Found:
    query = with_leaders(owing_theme(run.town.unit.id, month, run.policy), Theme.id, Site.status).outerjoin(
        Theme, (Theme.site_id == Site.id) & (Theme.month == month)
    )
    rows = session.execute(query).all()
    width = len(OWED_COLUMNS)
    # Who rests or was closed since the due day can not report any more, and is not asked to.
    missing = [Owed(*row[:width]) for row in rows if row[width] is None and row[width + 1] is SiteStatus.ACTIVE]
    return _Found(len(rows), missing)


def _key(letter: str, run: _Run, told: Mapping[date, Round], person_id: int | None) -> str:
    month = max(told)
    step = told[month].told
    named = f"{step.step}{step.seq}" if step is not None else ""
    return f"{letter}:{run.town.unit.code}:{month:%Y-%m}:{named}:p{person_id}"


def _to_leaders(
    run: _Run, told: Mapping[date, Round], to_tell: Mapping[date, Sequence[Owed]], note: str, today: date
) -> Iterator[Posting]:
    """Yield one letter a leader, however many parlours and months."""
    missing: defaultdict[int, list[tuple[date, Owed]]] = defaultdict(list)
    for month, sites in to_tell.items():
        for leader, theirs in by_leader(sites).items():
            missing[leader] += [(month, each) for each in theirs]
    only_asked = {month for month in to_tell if (step := told[month].told) and step.step is DutyStep.ASK}
    for leader, items in missing.items():
        owed = items[0][1]
        if not owed.active:
            continue  # who left the registry is told of to the village
        months = sorted({month for month, _ in items})
        letter: ThemeAsked | ThemeMissing
        if len(months) == 1 and months[0] in only_asked:
            letter = ThemeAsked(
                **office_of(run.town, note),
                month=spoken_month(months[0]),
                due_on=theme_due(months[0], run.policy),
                sites=tuple(f"{each.number}（{each.place}）" for _, each in items),
            )
        else:
            letter = ThemeMissing(
                **office_of(run.town, note),
                months="、".join(map(spoken_month, months)),
                sites=tuple(_owed_line(each, month, run.policy, today) for month, each in items),
            )
        yield Posting(letter, owed.to(), _key("theme", run, told, leader))


def _owed_line(owed: Owed, month: date, policy: MonthlyTheme, today: date) -> str:
    due = theme_due(month, policy)
    over = f"，已逾期{(today - due).days}日" if today > due else ""
    return f"{owed.number}（{owed.place}）：{spoken_month(month)}主题，应于{spoken_day(due)}前报送{over}"


def _to_villages(
    session: Session,
    run: _Run,
    told: Mapping[date, Round],
    to_tell: Mapping[date, Sequence[Owed]],
    late: Mapping[date, Sequence[Owed]],
    note: str,
    today: date,
) -> list[Posting]:
    """Return one letter for everybody who answers for a village: who is late, and who must be told in person."""
    lines: defaultdict[int, list[str]] = defaultdict(list)
    concerned: dict[int, Owed] = {}
    for month, sites in late.items():
        for each in sites:
            lines[each.site_id].append(f"{each.line}：{spoken_month(month)}主题")
            concerned[each.site_id] = each
    unreached = {each.site_id: each for sites in to_tell.values() for each in sites if not each.reachable}
    months = "、".join(map(spoken_month, sorted({*late, *to_tell})))
    postings = []
    for recipient, theirs in hearers(
        session, run.town.unit, (concerned | unreached).values(), run.policy.escalate.to, on=today
    ):
        letter = ThemesMissing(
            **office_of(run.town, note),
            months=months,
            sites=shortened([line for each in theirs for line in lines[each.site_id]], LISTING),
            unreachable=shortened(unreachable_lines(each for each in theirs if each.site_id in unreached), LISTING),
        )
        postings.append(Posting(letter, recipient, _key("themes", run, told, recipient.person_id)))
    return postings
