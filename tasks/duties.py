"""
What parlours owe again and again: who owes it, which steps the office has done, and its letters in batches.

Used by `tasks.themes` and `tasks.week_reports`; set-based, so that one run serves ten thousand parlours. A step is done
when its mark stands (`models.site_life.DutyRound`); the mark is set last, and the letters before it repeat nothing
because of their keys: a run that died in between is simply done again.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from models.case import Case, Site
from models.engine import insert_unless_there
from models.registry import Person, RoleHolding, Unit, held_on
from models.site_life import DutyRound, SiteSpell
from notifications.outbox import Posting, Recipient, enqueue_many
from policies.life_scheme import MonthlyTheme
from policies.life_words import DutyKind, DutyStep
from policies.vocabulary import Role, SiteStatus, UnitKind
from rules.duty import Round, Step, late_days, theme_asked, theme_due
from rules.periods import shanghai_day
from runtime.resources import Resources
from tasks.act import Act, acting
from tasks.living import Town, there_is
from tasks.mail import chinese_date

BATCH = 500
"""Letters written in one transaction."""
LONGEST_LIST = 300
"""Lines in a letter's list; who hears of more is told where the whole list is."""
AFTER_THE_HOUR = timedelta(hours=9)
"""The schedules come at 8:00; the sweep stands in for one that has not come an hour later."""
Marks = Mapping[int, Mapping[date, Collection[tuple[DutyStep, int]]]]
"""By town and period, the steps that were done."""


@dataclass(frozen=True)
class Owed:
    """A parlour that owes something, and its leader."""

    site_id: int
    number: str
    village_id: int
    village: str
    group_id: int
    group: str
    leader_id: int
    leader: str
    leader_code: str
    email: str | None
    active: bool

    @property
    def place(self) -> str:
        """Village and group, as lists name them."""
        return f"{self.village}{self.group.removeprefix(self.village)}"

    @property
    def reachable(self) -> bool:
        """Whether a letter can reach the leader."""
        return self.active and bool((self.email or "").strip())

    @property
    def line(self) -> str:
        """The parlour as lists name it."""
        return f"{self.number}（{self.place}，负责人{self.leader}）"

    def to(self) -> Recipient:
        """Return the leader as the recipient of a letter."""
        return Recipient(name=self.leader, address=self.email, person_id=self.leader_id)


_village, _group = aliased(Unit, name="village"), aliased(Unit, name="place")
OWED_COLUMNS: tuple[Any, ...] = (
    Site.id,
    Site.number,
    _village.id,
    _village.name,
    _group.id,
    _group.name,
    Person.id,
    Person.name,
    Person.code,
    Person.email,
    Person.active,
)


def owing(town_id: int, *, first: date, last: date) -> Select[tuple[int]]:
    """Return the ids of a town's sites that one active spell covers from the first day to the last, both included."""
    return (
        select(Site.id)
        .join(Unit, Unit.id == Site.village_id)
        .join(SiteSpell, SiteSpell.site_id == Site.id)
        .where(
            Unit.parent_id == town_id,
            SiteSpell.status == SiteStatus.ACTIVE,
            SiteSpell.since <= first,
            (SiteSpell.until.is_(None)) | (SiteSpell.until > last),
        )
    )


def owing_theme(town_unit_id: int, month: date, theme_policy: MonthlyTheme) -> Select[tuple[int]]:
    """
    Return the ids of a town's sites that owe a theme for `month`: active from the day of asking to the due day.

    Source: D0-R12; policy `monthly_theme`.
    """
    return owing(town_unit_id, first=theme_asked(month, theme_policy), last=theme_due(month, theme_policy))


def owing_week(town_unit_id: int, monday: date) -> Select[tuple[int]]:
    """Return the ids of a town's sites that owe activities in a week: active on all its days (D0-R13)."""
    return owing(town_unit_id, first=monday, last=monday + timedelta(days=6))


def with_leaders(ids: Select[tuple[int]], *more: Any) -> Select[Any]:
    """Return the query of `OWED_COLUMNS` of these sites, and of `more`, by village and number."""
    return (
        select(*OWED_COLUMNS, *more)
        .select_from(Site)
        .join(_village, _village.id == Site.village_id)
        .join(_group, _group.id == Site.group_id)
        .join(Person, Person.id == Site.leader_id)
        .where(Site.id.in_(ids))
        .order_by(_village.code, Site.number)
    )


def listed_since(session: Session, town_id: int) -> date | None:
    """Return the day on which the first of a town's parlours was listed; None: it has none."""
    return session.scalar(
        select(func.min(SiteSpell.since))
        .join(Site, Site.id == SiteSpell.site_id)
        .join(Unit, Unit.id == Site.village_id)
        .where(Unit.parent_id == town_id)
    )


def listed_by(day: date, *spell: ColumnElement[bool]) -> ColumnElement[bool]:
    """
    Return the condition that a parlour of the town `Unit` was listed by that day, whatever became of it.

    Args:
        spell: what must hold besides of the `SiteSpell` that had begun by then.
    """
    village = aliased(Unit)
    return there_is(
        select(SiteSpell.id)
        .join(Site, Site.id == SiteSpell.site_id)
        .join(village, village.id == Site.village_id)
        .where(village.parent_id == Unit.id, SiteSpell.since <= day, *spell)
        .correlate(Unit)
    )


def marked_since(duty: DutyKind, period: date = date.min) -> ColumnElement[bool]:
    """Return the condition that the office of the town `Unit` did something about that period, or a later one."""
    return there_is(_marks_of(duty, DutyRound.id).where(DutyRound.period >= period))


def left_undone(duty: DutyKind, period: date, steps: Collection[Step]) -> ColumnElement[bool]:
    """Return the condition that one of these steps of a period is not done for the town `Unit`."""
    these = or_(*(and_(DutyRound.step == each.step, DutyRound.seq == each.seq) for each in steps))
    done = _marks_of(duty, func.count()).where(DutyRound.period == period, these)
    return done.scalar_subquery() < len(steps)


def _marks_of(duty: DutyKind, what: Any) -> Select[Any]:
    query = select(what).select_from(DutyRound)
    return query.where(DutyRound.unit_id == Unit.id, DutyRound.duty == duty).correlate(Unit)


def changed_over(session: Session, town: Town) -> bool:
    """Return whether a parlour of the town was listed by another edition than the one the town uses now."""
    return bool(
        session.scalar(
            select(Site.id)
            .join(Case, Case.id == Site.case_id)
            .join(Unit, Unit.id == Site.village_id)
            .where(Unit.parent_id == town.unit.id, Case.edition_id != town.loaded.edition.id)
            .limit(1)
        )
    )


def marks(session: Session, duty: DutyKind, towns: Collection[int], *, since: date) -> Marks:
    """Return the steps of a duty that were done for these towns, of the periods that began on or after `since`."""
    found: defaultdict[int, defaultdict[date, set[tuple[DutyStep, int]]]] = defaultdict(lambda: defaultdict(set))
    query = select(DutyRound.unit_id, DutyRound.period, DutyRound.step, DutyRound.seq).where(
        DutyRound.duty == duty, DutyRound.unit_id.in_(towns), DutyRound.period >= since
    )
    for unit_id, period, step, seq in session.execute(query).tuples():
        found[unit_id][period].add((step, seq))
    return found


def last_marked(session: Session, duty: DutyKind, town_id: int) -> date | None:
    """Return the latest period of which the office has done anything; None: none yet."""
    return session.scalar(
        select(func.max(DutyRound.period)).where(DutyRound.duty == duty, DutyRound.unit_id == town_id)
    )


def mark(
    act: Act, duty: DutyKind, town_id: int, period: date, round_: Round, *, counts: Mapping[str, int] | None = None
) -> bool:
    """
    Set the marks of a round: its steps are done, those it stands for as `merged`.

    Returns:
        Whether this run did it; False when another one was first (its letters are the same).
    """
    first = False
    for step, merged in (*((each, True) for each in round_.merged), (round_.told, False)):
        if step is None:
            continue
        set_now = insert_unless_there(
            act.session,
            DutyRound,
            unit_id=town_id,
            duty=duty,
            period=period,
            step=step.step,
            seq=step.seq,
            due_on=step.due_on,
            done_at=act.at,
            late_days=late_days(step, on=act.day),
            merged=merged,
            counts={} if merged else dict(counts or {}),
        )
        first = first or set_now
    return first


def day_caught_up(at: datetime) -> date:
    """Return the latest day whose schedule should have come by now, the hour of grace over."""
    return shanghai_day(at - AFTER_THE_HOUR)


def late_note(steps: Iterable[Step], *, on: date, skipped: Sequence[str] = ()) -> str:
    """
    Return what a letter says when it goes out later than it should have; empty when it is in time.

    Args:
        steps: the steps it tells.
        skipped: periods, as people say them, that passed while nobody could be told.
    """
    late = [step.due_on for step in steps if step.due_on < on]
    if not late:
        return ""
    said = f"本函应于{chinese_date(min(late))}发出，因系统停运推迟至今天"
    if skipped:
        said += f"；{'、'.join(skipped)}也在停运期间错过，现已过期，不再补报"
    return said


def office_of(town: Town, note: str) -> dict[str, str]:
    """Return what every letter about a town's duties says of who writes."""
    return {
        "township": town.unit.name,
        "office": f"{town.unit.name}社区办",
        "scheme_title": town.loaded.edition.title,
        "plaque_text": town.scheme.plaque_text,
        "late_note": note,
    }


def shortened(lines: Sequence[str], command: str) -> tuple[str, ...]:
    """Return the lines of a list, cut where a letter can not be read any more."""
    if len(lines) <= LONGEST_LIST:
        return tuple(lines)
    rest = f"另有{len(lines) - LONGEST_LIST}个，全部名单见流程台的表格，或用命令 {command} 查看"
    return (*lines[:LONGEST_LIST], rest)


def unreachable_lines(owed: Iterable[Owed]) -> list[str]:
    """Return the leaders whom no e-mail reaches, a line each with their parlours."""
    lines: dict[int, tuple[str, list[str]]] = {}
    for each in owed:
        if not each.reachable:
            why = "没有电子邮箱" if each.active else "已不在职，请更换负责人"
            _, numbers = lines.setdefault(each.leader_id, (f"{each.place}负责人{each.leader}（{why}）", []))
            if each.number not in numbers:
                numbers.append(each.number)
    return [f"{who}：{'、'.join(numbers)}" for who, numbers in lines.values()]


def by_leader(owed: Iterable[Owed]) -> dict[int, list[Owed]]:
    """Return the parlours by their leader."""
    found: defaultdict[int, list[Owed]] = defaultdict(list)
    for each in owed:
        found[each.leader_id].append(each)
    return found


def post_in_batches(resources: Resources, postings: Sequence[Posting], *, at: datetime) -> int:
    """
    Write letters that belong to no case, so many a transaction; return how many were written now.

    Safe to repeat because of their keys.
    """
    written = 0
    for start in range(0, len(postings), BATCH):
        with acting(resources, at=at) as act:
            batch = postings[start : start + BATCH]
            written += len(enqueue_many(act.session, case_id=None, postings=batch, at=at))
    return written


def hearers(
    session: Session, town: Unit, owed: Iterable[Owed], role: Role, *, on: date
) -> list[tuple[Recipient, list[Owed]]]:
    """
    Return who hears of these parlours, each once with all of theirs: the holders of `role` nearest above the site.

    Where nobody holds it, or none of them has an e-mail address, the town's office hears (D0-R17).
    """
    held = _holders(session, {role, Role.OFFICE_REVIEWER, Role.OFFICE_HEAD}, town, on=on)
    office = next((found for each in (Role.OFFICE_REVIEWER, Role.OFFICE_HEAD) if (found := held(each, [town.id]))), [])
    above = [unit.id for unit in town.lineage()]
    told: dict[int, tuple[Recipient, list[Owed]]] = {}
    known: dict[tuple[int, int], list[Recipient]] = {}
    for each in {one.site_id: one for one in owed}.values():
        place = (each.group_id, each.village_id)
        if place not in known:
            found = held(role, [*place, *above])
            known[place] = found if any(one.address for one in found) else [*found, *office]
        for one in known[place]:
            told.setdefault(one.person_id or 0, (one, []))[1].append(each)
    return list(told.values())


def _holders(
    session: Session, roles: set[Role], town: Unit, *, on: date
) -> Callable[[Role, Sequence[int]], list[Recipient]]:
    villages = select(Unit.id).where(Unit.parent_id == town.id)
    above, village = aliased(Unit), aliased(Unit)
    places = union_all(
        select(above.id).where(above.id.in_([unit.id for unit in town.lineage()])),
        villages,
        select(village.id).where(village.parent_id.in_(villages)),
    )
    query = (
        select(RoleHolding.role, RoleHolding.unit_id, Person.id, Person.name, Person.email)
        .join(Person, Person.id == RoleHolding.person_id)
        .where(
            RoleHolding.role.in_(roles),
            RoleHolding.unit_id.in_(places),
            held_on(on),
            Person.active,
        )
        .order_by(Person.code)
    )
    found: defaultdict[tuple[Role, int], list[Recipient]] = defaultdict(list)
    for role, unit_id, person_id, name, email in session.execute(query).tuples():
        found[role, unit_id].append(Recipient(name=name, address=email, person_id=person_id))

    def held(role: Role, units: Sequence[int]) -> list[Recipient]:
        return next((people for unit in units if (people := found.get((role, unit), []))), [])

    return held


def town_named(session: Session, text: str) -> Unit | None:
    """Return the town that `text` names by code or name; None when it names none."""
    return session.scalars(
        select(Unit).where(Unit.kind == UnitKind.TOWN, (Unit.code == text.strip()) | (Unit.name == text.strip()))
    ).first()
