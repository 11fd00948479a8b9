"""D1-R7: 83 sessions and 9,261 people from January to June, from rows; and what stands, is idle, was told and shown."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import event, select

from models.registry import Unit
from policies.errors import Refused
from policies.vocabulary import BeautifulVillage, SiteStatus, UnitKind
from rules.statistics import PeriodChoice, Span, Sum, added, chosen
from tasks.act import acting
from tasks.case_file import progress
from tasks.history import verify
from tasks.living import change_status, lock_site, site_named
from tasks.statistics import statistics, towns_with_sites
from tasks.statistics_figures import Statistics, Wanted
from tests.desks import OpenTown
from tests.half_year import HalfYear, Held, half_year, hold, kept_half_year
from tests.parlours import add_site
from tests.township import Township, at


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HalfYear]:
    """The half year of D1-R7 in its own scheme, once per kind of database: only to be read."""
    home = tmp_path_factory.mktemp("half_year")
    with ExitStack() as stack:
        if request.param == "postgresql":
            url = stack.enter_context(request.getfixturevalue("postgres_server").database())
            yield stack.enter_context(kept_half_year(url, home))
        else:
            template = request.getfixturevalue("sqlite_template")
            yield stack.enter_context(kept_half_year(f"sqlite:///{home / 'ketang.db'}", home, template=template))


@pytest.fixture
def changing(open_town: OpenTown) -> HalfYear:
    """The same, to be changed."""
    return half_year(open_town)


@pytest.fixture
def here(open_sqlite: OpenTown) -> HalfYear:
    """The same on SQLite."""
    return half_year(open_sqlite)


@pytest.fixture
def aiming(open_town: OpenTown) -> HalfYear:
    """The same in a scheme with targets by share, once per kind of database."""
    return half_year(open_town, edition="zhujiajiao-2018", year=2019)


def first_half(there: Township, **wanted: Any) -> Statistics:
    """The first half of the year, asked in July."""
    period = chosen(PeriodChoice.FIRST_HALF, on=there.now().date())
    return statistics(there.resources, Wanted(period, **{"town": "Z", **wanted}), at=there.now())


def days(there: Township, first: date, last: date, **wanted: Any) -> Statistics:
    period = chosen(PeriodChoice.CUSTOM, on=there.now().date(), first=first, last=last)
    return statistics(there.resources, Wanted(period, **{"town": "Z", **wanted}), at=there.now())


def total_of(held: list[Held]) -> Sum:
    return Sum(len(held), sum(each.people for each in held))


def test_the_half_years_83_sessions_and_9261_people_come_out_of_their_rows(both: HalfYear) -> None:
    figures = first_half(both.town)
    assert figures.total.now == Sum(83, 9261)
    assert figures.total.now.average == Fraction(9261, 83)
    assert figures.period.now.text == "2014年1月至6月"
    # Every way of cutting it adds up to the same.
    assert added(each.sums.now for each in figures.categories) == Sum(83, 9261)
    assert added(each.sums.now for each in figures.villages) == Sum(83, 9261)
    assert added(each.sums for each in figures.sites) == Sum(83, 9261)
    for span in Span:
        assert added(each for _, each in figures.told_by(span)) == Sum(83, 9261), span
    assert list(_faults(both.town)) == []


def _faults(town: Township) -> Iterator[str]:
    with town.resources.database.read() as session:
        yield from (str(each) for each in verify(session))


def test_months_categories_villages_and_parlours_have_what_was_held_in_them(both: HalfYear) -> None:
    figures = first_half(both.town)
    months = Counter(each.on.month for each in both.held)
    assert [each.sessions for _, each in figures.series] == [months[month] for month in range(1, 7)]
    assert [part.label for part, _ in figures.series][:2] == ["2014年1月", "2014年2月"]
    scheme = both.town.resources.editions["xuhang-2013"].edition.for_sites
    names = {each.code: each.name for each in scheme.activity_categories}
    assert [each.name for each in figures.categories] == list(names.values())
    for code, name in names.items():
        line = next(each for each in figures.categories if each.name == name)
        assert line.sums.now == total_of([each for each in both.held if each.category == code])
        assert added(each.by_category.get(name, Sum()) for each in figures.villages) == line.sums.now
    by_site = {each.number: each for each in figures.sites}
    for place, number in both.sites.items():
        if place == "YA-a":
            assert number not in by_site
            continue
        assert by_site[number].sums == total_of([each for each in both.held if each.site == number])
    assert [each.name for each in figures.villages] == ["伏虎村", "曲溪村", "周荡村"]
    mine = {both.sites[place] for place in ("LH-a", "LH-b")}
    assert figures.villages[0].sums.now == total_of([each for each in both.held if each.site in mine])


def test_voided_records_other_periods_and_other_towns_do_not_count(both: HalfYear) -> None:
    town = both.town
    march = days(town, date(2014, 3, 1), date(2014, 3, 31))
    assert march.total.now == total_of([each for each in both.held if each.on.month == 3])
    assert days(town, date(2014, 7, 1), date(2014, 7, 31)).total.now == Sum(1, 41)
    assert first_half(town).total.before == Sum(1, 43), "the December before is the period before"
    assert first_half(town, town="Y").total.now == Sum(1, 47)
    next_year = days(town, date(2015, 1, 1), date(2015, 6, 30))
    assert (next_year.total.now, next_year.total.year_before) == (Sum(), Sum(83, 9261))
    assert next_year.total.before == Sum(1, 41)


def test_the_first_and_the_last_day_count(both: HalfYear) -> None:
    first, last = both.held[0], both.held[-1]
    assert (first.on, last.on) == (date(2014, 1, 1), date(2014, 6, 30))
    assert days(both.town, first.on, first.on).total.now == Sum(1, 70)
    assert days(both.town, last.on, last.on).total.now == Sum(1, 200)
    assert days(both.town, date(2014, 1, 2), date(2014, 6, 29)).total.now == Sum(81, 9261 - 270)


def test_one_village_and_one_category_are_shown_alone(both: HalfYear) -> None:
    mine = {both.sites[place] for place in ("ZD-a", "ZD-b")}
    village = first_half(both.town, town="", village="周荡村")
    assert village.total.now == total_of([each for each in both.held if each.site in mine])
    assert (village.village, [each.code for each in village.villages]) == ("周荡村", ["ZD"])
    culture = first_half(both.town, category="文化娱乐")
    assert culture.total.now == total_of([each for each in both.held if each.category == "culture"])
    assert [each.name for each in culture.categories] == ["文化娱乐"]
    both_at_once = first_half(both.town, village="ZD", category="culture")
    assert both_at_once.total.now == total_of(
        [each for each in both.held if each.category == "culture" and each.site in mine]
    )


def test_parlours_in_operation_are_told_from_those_that_rested_and_those_without_activities(
    changing: HalfYear,
) -> None:
    town = changing.town
    with acting(town.resources, at=town.now()) as act:
        site = site_named(act.session, changing.sites["LH-a"])
        lock_site(act.session, site)
        change_status(act, site, SiteStatus.SUSPENDED, on=date(2014, 6, 30), because="修缮", actor="x", by_case=None)
    late = add_site(town, village="QX")  # listed in July
    figures = first_half(town)
    assert (figures.ran, figures.running) == (6, 5)
    assert [each.number for each in figures.idle] == [changing.sites["ZD-idle"]]
    assert late not in {each.number for each in figures.sites}
    villages = {each.code: (each.running, each.ran, each.idle) for each in figures.villages}
    assert villages == {"LH": (1, 2, 0), "QX": (1, 1, 0), "ZD": (3, 3, 1)}
    july = days(town, date(2014, 7, 1), date(2014, 7, 31))
    assert (july.ran, july.running) == (6, 6), "the resting one did not run on any day of July"
    assert len(july.idle) == 5


def test_themes_and_publicity_of_the_period_are_counted(both: HalfYear) -> None:
    town = both.town
    figures = first_half(town)
    assert [(each.month.month, each.reported, each.late) for each in figures.themes] == [(1, 2, 1), (6, 1, 0)]
    assert {each.code: each.themes for each in figures.villages} == {"LH": 1, "QX": 0, "ZD": 2}
    assert dict(figures.publicity) == {"镇级报刊": 2, "镇级网站": 0, "村报": 0, "公开栏": 0}
    assert dict(first_half(town, village="ZD").publicity)["镇级报刊"] == 1


def test_targets_by_grade_are_held_against_what_stands_on_the_last_day(aiming: HalfYear) -> None:
    town = aiming.town
    with town.resources.database.write() as session:
        village = session.scalars(select(Unit).where(Unit.code == "LH")).one()
        for number, grade in enumerate([BeautifulVillage.DISTRICT] * 3 + [BeautifulVillage.TOWN] * 2):
            group = Unit(code=f"LHX{number}", kind=UnitKind.GROUP, name=f"{number}组", parent_id=village.id)
            group.beautiful_village = grade
            session.add(group)
        mine = site_named(session, aiming.sites["LH-a"]).group
        session.get_one(Unit, mine.id).beautiful_village = BeautifulVillage.CITY
    figures = first_half(town)
    lines = {(each.village, each.grade): each for each in figures.targets}
    city, district = lines["伏虎村", "市级"], lines["伏虎村", "区级"]
    assert (city.groups, city.target, city.stands, city.short, city.share) == (1, 1, 1, 0, 1)
    assert (district.groups, district.target, district.stands, district.share) == (3, 2, 0, 0), "half of 3, rounded up"
    assert lines["伏虎村", "镇级"].target == 1
    assert lines["周荡村", "市级"].short == 1
    assert lines["伏虎村", "无"].target == 0
    assert figures.achieved == Fraction(1, 5)
    assert [bool(each.target) for each in figures.targets] == sorted(
        (bool(each.target) for each in figures.targets), reverse=True
    )
    # The same as the progress that the pages of cases show.
    shown = [(each.grade, each.groups, each.target, each.listed) for each in progress(town.resources, "LH")]
    assert shown == [
        (each.grade, each.groups, each.target, each.stands)
        for grade in BeautifulVillage
        for each in figures.targets
        if each.village == "伏虎村" and each.grade == grade.label
    ]
    before = days(town, date(2018, 9, 1), date(2018, 9, 30))
    assert sum(each.stands for each in before.targets) == 0, "nothing stood before it was listed"


def test_a_scheme_with_a_yearly_number_shows_it_and_no_targets(both: HalfYear) -> None:
    figures = first_half(both.town)
    assert figures.targets == ()
    assert figures.achieved is None
    assert figures.quota is not None
    assert (figures.quota_year, {each.village: each.short for each in figures.quotas}) == (
        2014,
        {"伏虎村": 2, "曲溪村": 2, "周荡村": 2},
    )


def test_what_an_earlier_edition_called_a_category_keeps_its_name(here: HalfYear) -> None:
    hold(here.town, [Held(here.sites["ZD-a"], date(2014, 5, 5), code, 10) for code in ("elderly", "unheard_of")])
    figures = first_half(here.town)
    assert [each.name for each in figures.categories][-2:] == ["助老服务", "unheard_of"]
    assert figures.total.now == Sum(85, 9281)


def test_the_queries_do_not_grow_with_the_parlours(here: HalfYear) -> None:
    town = here.town
    few = _statements(town)
    for _ in range(12):
        add_site(town, village="LH", since=at("2014-01-01 09:00"))
    assert len(first_half(town).sites) == 18
    assert _statements(town) == few
    assert few <= 14


def _statements(town: Township) -> int:
    with counted(town) as statements:
        first_half(town)
    return len(statements)


@contextmanager
def counted(town: Township) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_c: object, _cu: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    engine = town.resources.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"town": ""}, "名册中有2个镇.*:邻镇、朱家角镇"),
        ({"town": "没有镇"}, "登记簿中没有镇.*“没有镇”"),
        ({"village": "ZZ"}, "登记簿中没有村.*“ZZ”"),
        ({"town": "Y", "village": "ZD"}, "周荡村属于朱家角镇,不属于“Y”"),
        ({"category": "打牌"}, "没有活动类别“打牌”;可以统计:宣传培训、议事共商"),
    ],
)
def test_what_is_not_tboth_is_refused_by_name(both: HalfYear, wanted: dict[str, str], told: str) -> None:
    with pytest.raises(Refused, match=told):
        first_half(both.town, **wanted)


def test_without_parlours_there_is_nothing_to_count(open_sqlite: OpenTown) -> None:
    town = open_sqlite("xuhang-2013", "2013-10-08 09:00")
    assert towns_with_sites(town.resources) == []
    with pytest.raises(Refused, match="名册中还没有客堂间"):
        first_half(town, town="")
    assert first_half(town).total.now == Sum()


def test_both_towns_have_parlours(both: HalfYear) -> None:
    assert towns_with_sites(both.town.resources) == ["Y", "Z"]
    assert first_half(both.town).town_code == "Z"
