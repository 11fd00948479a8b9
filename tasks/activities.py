"""The activities of parlours: recorded with date, category and attendance, voided with a reason, read (D0-R13)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.case import Site
from models.registry import Person
from models.site_life import Activity
from policies.errors import Refused
from policies.sections import Category
from policies.site_scheme import SiteScheme
from policies.vocabulary import Door
from rules.duty import monday_of
from runtime.resources import Resources
from tasks.act import Act, acting
from tasks.cases import local_day, person_of
from tasks.documents import attach
from tasks.life_commands import KEEPERS, ActivityEntry, RecordActivities, VoidActivity
from tasks.living import check_active, check_may_record, keep, lock_site, scheme_for, site_named
from tasks.row_faults import RowFaults

PHOTO = "activity"
"""What the documents call the file of an activity."""


@dataclass(frozen=True)
class RecordedActivity:
    """What became of an entry."""

    id: int
    """By which it can be voided."""
    site: str
    """The site's number."""
    held_on: date
    title: str
    late_days: int
    """Days between the activity and its record beyond those that count as in time; 0: in time."""
    known: bool
    """It was recorded before."""

    def __str__(self) -> str:
        told = f"{self.site} {self.held_on}“{self.title}”登记号{self.id}"
        if self.known:
            return f"{told}(此前已登记,未重复登记)"
        return f"{told}(超过登记期限{self.late_days}日)" if self.late_days else told


def activities_between(
    session: Session, *, first: date, last: date, village_ids: Sequence[int] | None = None
) -> list[Activity]:
    """
    Return the activities held from the first day to the last, both included; those that were voided are left out.

    Args:
        village_ids: of these villages only; None: of all.

    Returns:
        Ordered by day and id, each with its site.
    """
    query = (
        select(Activity)
        .join(Site, Site.id == Activity.site_id)
        .where(Activity.held_on >= first, Activity.held_on <= last, Activity.voided_at.is_(None))
        .options(joinedload(Activity.site))
        .order_by(Activity.held_on, Activity.id)
    )
    if village_ids is None:
        query = query.where(Activity.week >= monday_of(first), Activity.week <= monday_of(last))  # which has an index
    else:
        query = query.where(Site.village_id.in_(village_ids))
    return list(session.scalars(query))


def record_activities(
    resources: Resources,
    command: RecordActivities,
    *,
    door: Door,
    key: str,
    at: datetime,
    rows: Sequence[int] | None = None,
) -> list[RecordedActivity]:
    """
    Record activities: all of them, or none when one is faulty (D0-R4, D0-R13, D0-R18).

    Safe to repeat because the same key records the same entries only once; of a sheet, what stands on record just so is
    passed over. The day of the activity and the day of its
    record are kept apart: a late entry counts in the week in which the activity was held.

    Args:
        door: by which door it came.
        key: what records them, at most 90 characters.
        rows: of a sheet, the number of each entry's row.

    Returns:
        What became of each entry, in their order.

    Raises:
        Refused: by nobody who may; a day to come, or one on which the site was not active; an unknown category (with
            the choices); the same activity twice; a file that is not there. Every fault is told, of a sheet by row and
            column.
    """
    with acting(resources, at=at) as act:
        by = person_of(act.session, command.by)
        faults = RowFaults(len(command.activities), rows)
        found: dict[int, Site] = {}
        for index, entry in enumerate(command.activities):
            with faults.at(index, "客堂间编号"):
                found[index] = site_named(act.session, entry.site)
        for site in sorted({each.id: each for each in found.values()}.values(), key=lambda each: each.case_id):
            lock_site(act.session, site)
        recorded: list[RecordedActivity] = []
        new: set[int] = set()
        for index, site in found.items():
            named = f"{key}:{rows[index] if rows is not None else index + 1}"
            if (known := _recorded_by(act.session, named)) is not None:
                recorded.append(_told(known, site, late_days=0, known=True))
                continue
            entry = command.activities[index]
            twin = _twin(act.session, site, entry)
            if rows is not None and twin is not None and _same(act, site, twin, entry) and twin.id not in new:
                # A sheet that an office goes on filling in holds what was recorded from it before.
                recorded.append(_told(twin, site, late_days=0, known=True))
                continue
            if rows is not None and twin is None:
                with faults.at(index, "活动名称"):
                    _check_not_voided(act, site, entry)
            activity = _examined(act, site, by, entry, twin, faults, index)
            if activity is not None:
                recorded.append(_keep(act, site, by, activity, key=named, door=door))
                new.add(recorded[-1].id)
        faults.refuse_if_any("活动")
        return recorded


@dataclass(frozen=True)
class _Examined:
    entry: ActivityEntry
    category: Category
    late_days: int


def _examined(
    act: Act, site: Site, by: Person, entry: ActivityEntry, twin: Activity | None, faults: RowFaults, index: int
) -> _Examined | None:
    """Hold an entry against register and edition; None: it is faulty."""
    scheme: SiteScheme | None = None
    category: Category | None = None
    dated, single = False, False
    with faults.at(index, "客堂间编号"):
        scheme = scheme_for(act.resources, site, act).edition.for_sites
        check_may_record(act.session, site, by, roles=KEEPERS, deed="登记活动", on=act.day)
    with faults.at(index, "活动日期"):
        _check_day(act, site, entry.held_on)
        dated = True
    if scheme is not None:
        with faults.at(index, "类别"):
            category = category_named(scheme, entry.category)
    with faults.at(index, "活动名称"):
        _check_single(site, twin)
        single = True
    if scheme is None or category is None or not dated or not single:
        return None
    weekly = scheme.weekly_activities
    allowed = weekly.record_within_days if weekly is not None else None
    late = 0 if allowed is None else max((act.day - entry.held_on).days - allowed, 0)
    return _Examined(entry, category, late)


def _check_day(act: Act, site: Site, day: date) -> None:
    if day > act.day:
        raise Refused("default", f"活动日期{day}还没有到(今天是{act.day}),请在活动举办之后登记")
    check_active(act.session, site, on=day, deed="举办活动")


def category_named(scheme: SiteScheme, text: str) -> Category:
    """Return the category of activities that `text` names by code or name; Refused with the choices."""
    wanted = text.strip()
    found = next((each for each in scheme.activity_categories if wanted in (each.code, each.name)), None)
    if found is None:
        choices = "、".join(each.name for each in scheme.activity_categories)
        clauses = dict.fromkeys(each.where for each in scheme.activity_categories)
        raise Refused(";".join(clauses), f"“{wanted}”不是本方案的活动类别,请从中选择:{choices}")
    return found


def _twin(session: Session, site: Site, entry: ActivityEntry) -> Activity | None:
    return session.scalars(
        select(Activity).where(
            Activity.site_id == site.id,
            Activity.held_on == entry.held_on,
            Activity.title == entry.title,
            Activity.voided_at.is_(None),
        )
    ).first()


def _check_not_voided(act: Act, site: Site, entry: ActivityEntry) -> None:
    """Refuse a row of a sheet that an office goes on filling in, when what it says was voided meanwhile."""
    voided = act.session.scalars(
        select(Activity)
        .where(
            Activity.site_id == site.id,
            Activity.held_on == entry.held_on,
            Activity.title == entry.title,
            Activity.attendance == entry.attendance,
            Activity.voided_at.is_not(None),
        )
        .order_by(Activity.id.desc())
    ).first()
    if voided is not None and _same(act, site, voided, entry):
        raise Refused(
            "default",
            f"客堂间 {site.number} {voided.held_on}的“{voided.title}”(登记号{voided.id})登记后已作废,理由:"
            f"{voided.voided_because};请从表中删去该行,确须重新登记的请逐场填写",
        )


def _same(act: Act, site: Site, twin: Activity, entry: ActivityEntry) -> bool:
    """Return whether what is on record says the same as the entry, not only its day and title."""
    scheme = scheme_for(act.resources, site, act).edition.for_sites
    named = {
        text for each in scheme.activity_categories if each.code == twin.category for text in (each.code, each.name)
    }
    return twin.attendance == entry.attendance and entry.category in named


def _check_single(site: Site, twin: Activity | None) -> None:
    if twin is not None:
        raise Refused(
            "default",
            f"客堂间 {site.number} {twin.held_on}的“{twin.title}”已经登记(登记号{twin.id},{twin.attendance}人);"
            "同日另有一场的,请在名称中写明场次;登记错的,请先作废再重新登记",
        )


def _keep(act: Act, site: Site, by: Person, examined: _Examined, *, key: str, door: Door) -> RecordedActivity:
    entry = examined.entry
    document = None
    if entry.photo:
        folder = act.resources.settings.documents_folder
        document = attach(act.session, site.case, folder=folder, reference=entry.photo, kind=PHOTO, by=by, at=act.at)
    activity = Activity(
        site_id=site.id,
        key=key,
        held_on=entry.held_on,
        week=monday_of(entry.held_on),
        category=examined.category.code,
        title=entry.title,
        attendance=entry.attendance,
        organiser=entry.organiser or site.leader.name,
        summary=entry.summary,
        document_id=document.id if document is not None else None,
        recorded_at=act.at,
        recorded_by_id=by.id,
        door=door,
    )
    act.session.add(activity)
    summary = f"登记{entry.held_on}活动“{entry.title}”({examined.category.name}),参加{entry.attendance}人"
    if examined.late_days:
        summary += f",超过登记期限{examined.late_days}日"
    told = {"door": door.value, "document": document.sha256 if document is not None else None}
    keep(act, site.case, [activity], actor=by.display, summary=summary, data=told)
    return _told(activity, site, late_days=examined.late_days, known=False)


def _recorded_by(session: Session, key: str) -> Activity | None:
    return session.scalars(select(Activity).where(Activity.key == key)).one_or_none()


def _told(activity: Activity, site: Site, *, late_days: int, known: bool) -> RecordedActivity:
    return RecordedActivity(
        id=activity.id,
        site=site.number,
        held_on=activity.held_on,
        title=activity.title,
        late_days=late_days,
        known=known,
    )


def void_activity(resources: Resources, command: VoidActivity, *, door: Door, at: datetime) -> str:
    """
    Let an activity that was recorded by mistake count no more; it stays on record with the reason (D0-R13).

    Returns:
        Which one it was, in Chinese.

    Raises:
        Refused: there is none of that number, it was voided before, or the person may not.
    """
    with acting(resources, at=at) as act:
        by = person_of(act.session, command.by)
        activity = act.session.get(Activity, command.activity)
        if activity is None:
            raise Refused("default", f"没有登记号为{command.activity}的活动,请用 ketang activity list 核对")
        site = activity.site
        lock_site(act.session, site)
        act.session.refresh(activity)
        check_may_record(act.session, site, by, roles=KEEPERS, deed="作废活动登记", on=act.day)
        named = f"{site.number} {activity.held_on}“{activity.title}”(登记号{activity.id})"
        if activity.voided_at is not None:
            raise Refused(
                "default",
                f"{named}已于{local_day(activity.voided_at)}作废,理由:{activity.voided_because};不必再次作废",
            )
        activity.voided_at, activity.voided_by_id, activity.voided_because = act.at, by.id, command.reason
        keep(
            act,
            site.case,
            [activity],
            actor=by.display,
            summary=f"作废{activity.held_on}活动“{activity.title}”的登记,理由:{command.reason}",
            data={"door": door.value},
        )
        return named
