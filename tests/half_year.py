"""A town whose parlours did in half a year what D1-R7 tells: 83 sessions, 9,261 people; and what must not count."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from models.registry import Person, Unit
from models.site_life import Activity, PublicityItem, PublicitySite, Theme
from policies.vocabulary import Door, UnitKind
from tasks.act import acting
from tasks.living import keep, lock_site, site_named
from tests.parlours import add_site, add_village
from tests.township import REVIEWER, Township, at, township


@dataclass(frozen=True)
class Held:
    """An activity that was held."""

    site: str
    on: date
    category: str
    people: int


def hold(town: Township, held: Sequence[Held], *, voided: bool = False) -> None:
    """Record activities as the office does, each on the evening of its day; `voided`: and void them."""
    with acting(town.resources, at=town.now()) as act:
        person = act.session.scalars(select(Person).where(Person.code == REVIEWER)).one()
        for number in sorted({each.site for each in held}):
            site = site_named(act.session, number)
            case = lock_site(act.session, site)
            rows = [
                Activity(
                    site_id=site.id,
                    key=f"test:{number}:{town.now().isoformat()}:{place}",
                    held_on=each.on,
                    week=each.on - timedelta(days=each.on.weekday()),
                    category=each.category,
                    title="活动",
                    attendance=each.people,
                    organiser="陆负责",
                    summary="",
                    recorded_at=town.now(),
                    recorded_by_id=person.id,
                    door=Door.CLI,
                    voided_at=town.now() if voided else None,
                    voided_by_id=person.id if voided else None,
                    voided_because="重复登记" if voided else "",
                )
                for place, each in enumerate(held)
                if each.site == number
            ]
            act.session.add_all(rows)
            keep(act, case, rows, actor=person.display, summary=f"登记活动{len(rows)}次")
    town.clock.move_to(town.now() + timedelta(seconds=1))


def report_theme(town: Township, site: str, month: date, *, late: bool = False) -> None:
    """Report a site's theme for a month."""
    with acting(town.resources, at=town.now()) as act:
        found = site_named(act.session, site)
        case = lock_site(act.session, found)
        person = act.session.scalars(select(Person).where(Person.code == REVIEWER)).one()
        theme = Theme(
            site_id=found.id,
            month=month,
            title="编织",
            plan="",
            recorded_at=town.now(),
            recorded_by_id=person.id,
            door=Door.CLI,
            late=late,
        )
        act.session.add(theme)
        keep(act, case, [theme], actor=person.display, summary="报送主题")


def publish(town: Township, channel: str, on: date, *sites: str, voided: bool = False) -> None:
    """Publish an item about sites of the first town."""
    with acting(town.resources, at=town.now()) as act:
        above = act.session.scalars(select(Unit).where(Unit.code == "Z")).one()
        person = act.session.scalars(select(Person).where(Person.code == REVIEWER)).one()
        item = PublicityItem(
            unit_id=above.id,
            key=f"test:{channel}:{on}:{sites}:{voided}",
            channel=channel,
            published_on=on,
            title="报道",
            reference="第1版",
            recorded_at=town.now(),
            recorded_by_id=person.id,
            voided_at=town.now() if voided else None,
        )
        act.session.add(item)
        act.session.flush()
        for number in sites:
            site = site_named(act.session, number)
            act.session.add(PublicitySite(item_id=item.id, site_id=site.id))
            act.session.flush()
            keep(act, lock_site(act.session, site), [item], actor=person.display, summary="登记宣传报道")


def add_town(town: Township, code: str, name: str, *, edition: str, village: str) -> None:
    """Add another town with one village."""
    with town.resources.database.write() as session:
        district = session.scalars(select(Unit).where(Unit.kind == UnitKind.DISTRICT)).one()
        other = Unit(code=code, kind=UnitKind.TOWN, name=name, parent_id=district.id, edition_id=edition)
        session.add(other)
        session.flush()
        session.add(Unit(code=village, kind=UnitKind.VILLAGE, name=f"{name}一村", parent_id=other.id))


@dataclass
class HalfYear:
    """The town, its parlours, and what they held in the half year."""

    town: Township
    sites: dict[str, str]
    """Village's code and a letter, to the parlour's number; ``ZD-idle`` held nothing."""
    held: list[Held]


def half_year(open_town: Callable[..., Township], *, edition: str = "xuhang-2013", year: int = 2014) -> HalfYear:
    """
    Let three villages hold 83 activities with 9,261 people from January to June.

    Beside it, and not to be counted: a voided record, one of July, one of the December before, and one of another town
    of the same district. Themes were reported and items published, within and without. It is July now.

    Args:
        year: no leap year.
    """
    town = open_town(edition, f"{year - 1}-10-08 09:00")
    categories = [each.code for each in town.edition().for_sites.activity_categories]
    add_village(town, "LH", "伏虎村")
    add_village(town, "QX", "曲溪村")
    add_town(town, "Y", "邻镇", edition=edition, village="YA")
    since: datetime = town.now()
    sites = {
        place: add_site(town, village=place.partition("-")[0], since=since)
        for place in ("ZD-a", "ZD-b", "ZD-idle", "LH-a", "LH-b", "QX-a", "YA-a")
    }
    active = [sites[place] for place in ("ZD-a", "ZD-b", "LH-a", "LH-b", "QX-a")]
    held = [
        Held(
            site=active[n // 3 % 5],
            on=date(year, 1, 1) + timedelta(days=n * 180 // 82),
            category=categories[n * 3 % 7 % len(categories)],
            people=70 + n,
        )
        for n in range(83)
    ]
    # 70 + 71 + … + 152 = 9,213; the last day had 48 more.
    held[-1] = Held(held[-1].site, held[-1].on, held[-1].category, held[-1].people + 48)
    town.clock.move_to(at(f"{year}-07-05 10:00"))
    hold(town, held)
    hold(town, [Held(active[0], date(year, 3, 3), categories[-1], 500)], voided=True)
    hold(
        town,
        [
            Held(active[1], date(year, 7, 1), categories[-1], 41),
            Held(active[1], date(year - 1, 12, 31), categories[-1], 43),
        ],
    )
    hold(town, [Held(sites["YA-a"], date(year, 3, 4), categories[-1], 47)])
    for place, month, late in (("ZD-a", 1, False), ("ZD-b", 1, True), ("LH-a", 6, False), ("ZD-a", 7, False)):
        report_theme(town, sites[place], date(year, month, 1), late=late)
    channel = town.resources.editions[edition].edition.for_sites.publicity_channels[0].code
    publish(town, channel, date(year, 1, 1), sites["ZD-a"], sites["LH-a"])
    publish(town, channel, date(year, 6, 30), sites["LH-b"])
    publish(town, channel, date(year, 7, 1), sites["ZD-a"])
    publish(town, channel, date(year, 2, 1), sites["ZD-a"], voided=True)
    return HalfYear(town, sites, held)


@contextmanager
def kept_half_year(
    url: str, home: Path, *, template: Path | None = None, edition: str = "xuhang-2013", year: int = 2014
) -> Iterator[HalfYear]:
    """
    Make the half year once for many tests that only read.

    Args:
        url: of an empty migrated database.
        template: a migrated SQLite file to be copied there first.
    """
    if template is not None:
        shutil.copyfile(template, url.removeprefix("sqlite:///"))
    with ExitStack() as stack:

        def open_town(edition: str, now: str) -> Township:
            return stack.enter_context(township(url, home, edition=edition, now=now))

        yield half_year(open_town, edition=edition, year=year)
