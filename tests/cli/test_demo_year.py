"""The simulated year: what it comes to is known, letter by letter; nothing is left open and the records are whole."""

from collections import Counter
from datetime import datetime, time
from pathlib import Path

import pytest

from cli.demo_year import FIRST, YearDemo, YearFigures
from cli.up import offer_example
from policies.vocabulary import CaseKind, Letter, Outcome
from rules.periods import SHANGHAI
from runtime.clock import MovedClock
from runtime.resources import open_resources
from runtime.settings import Settings


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> tuple[YearFigures, list[str]]:
    """The year as it was lived through, and its timeline."""
    home = tmp_path_factory.mktemp("year")
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
