"""The simulated year: what it comes to is known, letter by letter; nothing is left open and the records are whole."""

import shutil
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path

import pytest
from sqlalchemy import select

from cli.demo_year import FIRST, YearDemo, YearFigures
from cli.up import offer_example
from models.case import Case
from models.registry import Unit
from policies.vocabulary import CaseKind, Letter, Outcome, UnitKind
from rules.periods import SHANGHAI
from runtime.clock import MovedClock
from runtime.resources import open_resources
from runtime.settings import Settings
from tasks.archive_check import check_archive
from tasks.archive_choice import Wanted
from tasks.archive_removal import remove_archived
from tasks.archives import make_archive
from tasks.case_file import as_markdown, case_file
from tasks.documents import changed_documents
from tasks.history import verify, verify_ledger
from tasks.register_rows import Wanted as RegisterWanted
from tasks.registers import RegisterKind, make_register
from tasks.service_shares import shares_of
from tasks.site_page import site_page
from tasks.year_figures import Year, site_figures, sites_in_year


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the year is written."""
    return tmp_path_factory.mktemp("year")


@pytest.fixture(scope="module")
def year(home: Path, sqlite_template: Path) -> tuple[YearFigures, list[str]]:
    """The year as it was lived through, and its timeline."""
    (home / "ketang.db").write_bytes(sqlite_template.read_bytes())
    settings = Settings(home=home, _env_file=None)
    timeline: list[str] = []
    with open_resources(settings, clock=MovedClock(datetime.combine(FIRST, time(7), SHANGHAI))) as resources:
        offer_example(resources)
        return YearDemo(resources, out=timeline.append).run(), timeline


def lines(timeline: list[str], day: str) -> list[str]:
    return [line.removeprefix(day).strip() for line in timeline if line.startswith(day)]


@pytest.mark.timeout(600)
def test_what_the_year_came_to(year: tuple[YearFigures, list[str]]) -> None:
    figures, _ = year
    assert (figures.sites, figures.themes, figures.late_themes) == (6, 65, 1)
    assert (figures.sessions, figures.attendance) == (255, 7550)
    assert (figures.open_cases, figures.dead_letters, figures.faults) == (0, 0, 0)


def test_what_went_out(year: tuple[YearFigures, list[str]]) -> None:
    figures, _ = year
    # Eleven months from April on are asked for, of six parlours; one rests in August.
    assert figures.letters[Letter.THEME_ASKED] == 65
    # One leader is reminded twice, and told of to the village.
    assert (figures.letters[Letter.THEME_MISSING], figures.letters[Letter.THEMES_MISSING]) == (2, 1)
    # A late record and two idle weeks, one by one; six parlours, three villages after the days without a machine.
    assert (figures.letters[Letter.WEEK_MISSING], figures.letters[Letter.WEEKS_MISSING]) == (9, 6)
    assert figures.letters[Letter.SITE_RECTIFICATION] == 2
    assert figures.letters[Letter.EVALUATION_RESULT] == 12


def test_how_the_cases_ended(year: tuple[YearFigures, list[str]]) -> None:
    figures, _ = year
    assert figures.outcomes == Counter(
        {
            (CaseKind.SITE, Outcome.LISTED): 6,
            (CaseKind.CAMPAIGN, Outcome.CONCLUDED): 1,
            (CaseKind.INSPECTION, Outcome.PASSED): 4,
            (CaseKind.JOINT_MEETING, Outcome.CONCLUDED): 4,
            (CaseKind.RESOLUTION, Outcome.COMPLETED): 2,
            (CaseKind.SERVICE_ORDER, Outcome.DELIVERED): 2,
            (CaseKind.SERVICE_ORDER, Outcome.DECLINED): 1,
            (CaseKind.SITE_CHANGE, Outcome.RESUMED): 1,
            (CaseKind.SITE_CHANGE, Outcome.IN_EFFECT): 1,
            (CaseKind.ANNUAL_EVALUATION, Outcome.CONCLUDED): 1,
            (CaseKind.NOTICE, Outcome.CLEARED): 1,
        }
    )


def test_the_evaluation_ranks_what_was_done(year: tuple[YearFigures, list[str]]) -> None:
    figures, _ = year
    points = {number: float(text) for number, text in figures.points.items()}
    # The one that was never idle and twice in the news comes first, the one with idle weeks and a late theme last.
    assert max(points, key=lambda number: points[number]) == "KT-2026-0006-S"
    assert min(points, key=lambda number: points[number]) == "KT-2026-0005-S"
    assert all(80 < each <= 100 for each in points.values())


def test_the_timeline_says_when(year: tuple[YearFigures, list[str]]) -> None:
    _, timeline = year
    assert lines(timeline, "2026-03-15") == [
        "示例镇2026年4月主题通知:应报6个,未报6个",
        "发出:征集月度主题6封",
    ]
    assert lines(timeline, "2026-06-26")[:2] == [
        "示例镇2026年7月主题督办:应报6个,未报1个",
        "发出:月度主题未报督办1封",
    ]
    assert [line for line in timeline if "例行联席会议" in line] == [
        "2026-04-01 例行联席会议 KTLX-2026-0001",
        "2026-07-01 例行联席会议 KTLX-2026-0002",
        "2026-10-08 例行联席会议 KTLX-2026-0003",
        "2027-01-04 例行联席会议 KTLX-2027-0001",
    ], "on the first working day of each quarter"
    caught_up = lines(timeline, "2026-10-27")
    assert caught_up[0] == "停机七天后恢复,错过的事项补办一次"
    assert "活动未记录通报3封" in caught_up[1]
    assert "2027-01-10 启动年度考核 KTKH-2027-0001" in timeline


@pytest.mark.timeout(600)
def test_what_the_year_leaves_goes_to_an_archive_and_everything_goes_on(
    year: tuple[YearFigures, list[str]], home: Path, tmp_path: Path
) -> None:
    figures, _ = year
    shutil.copytree(home, tmp_path / "home")
    settings = Settings(home=tmp_path / "home", _env_file=None)
    with open_resources(settings, clock=MovedClock(datetime(2033, 1, 31, 10, tzinfo=SHANGHAI))) as resources:
        at, demo = resources.clock.now(), YearDemo(resources)
        before = told_of(demo)
        wanted = Wanted(before=date(2030, 1, 1))
        made = make_archive(resources, to=tmp_path, wanted=wanted, by="P001", at=at)
        assert made.path is not None
        assert {matter for matter, _, _ in made.left} == {f"KT-2026-000{n}" for n in range(1, 7)}, "the parlours stay"
        assert made.cases == sum(figures.outcomes.values()) - figures.sites
        removed = remove_archived(resources, made.path, by="P001", at=at)
        assert (len(removed.cases), removed.left) == (made.cases, [])
        assert check_archive(made.path).faults == ()
        after = told_of(demo)
        assert after == before, "registers, figures and pages of the parlours are what they were"
        with resources.database.read() as session:
            assert list(verify(session)) == []
            assert list(verify_ledger(session)) == []
            assert list(changed_documents(session, folder=settings.documents_folder)) == []
            numbers = session.scalars(select(Case.number)).all()
        shown = [as_markdown(case_file(resources, number, at=at)) for number in numbers]
        assert sum(f"已归档({made.path.name})" in page for page in shown) == made.cases
        for kind in RegisterKind:
            make_register(resources, kind, out=tmp_path / f"{kind.value}.xlsx", wanted=RegisterWanted())


def told_of(demo: YearDemo) -> list[object]:
    """What figures and pages tell that must not change when cases are archived."""
    figures = replace(demo.figures(), letters=Counter())  # of which some went with their cases
    sites = [site_page(demo.resources, f"KT-2026-000{n}", at=demo.now(), year=2026) for n in range(1, 7)]
    shares = shares_of(demo.resources, since=date(2026, 1, 1), at=demo.now())
    with demo.resources.database.read() as session:
        town = session.scalars(select(Unit).where(Unit.kind == UnitKind.TOWN)).one()
        scheme = demo.resources.editions[town.edition_id or ""].edition.for_sites
        year = Year(town=town, year=2026, at=demo.now(), scheme=scheme)
        counted = site_figures(session, year, sites_in_year(session, year))
    return [figures, *sites, shares, counted]
