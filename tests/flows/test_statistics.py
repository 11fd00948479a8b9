"""活动统计 as the office starts it: which towns, which files, what the UI shows; and the same from the command line."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import yaml
from openpyxl import load_workbook
from prefect.utilities.callables import parameter_schema
from pydantic import ValidationError
from typer.testing import CliRunner, Result

from cli import statistics as command
from flows.statistics import StatisticsEntry, activity_statistics, make_reports, village_table
from policies.errors import Refused
from runtime.clock import MovedClock
from runtime.settings import PROJECT
from tasks.statistics_report import FOLDER
from tests.half_year import HalfYear, kept_half_year


@pytest.fixture(scope="module")
def half(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HalfYear]:
    """The half year of D1-R7, only to be read."""
    home = tmp_path_factory.mktemp("half_year")
    with kept_half_year(f"sqlite:///{home / 'ketang.db'}", home, template=sqlite_template) as made:
        yield made


def test_without_a_town_every_town_with_parlours_gets_its_report(half: HalfYear) -> None:
    made = make_reports(half.town.resources, StatisticsEntry(period="上半年"), at=half.town.now())
    assert [(each.town, each.total.now.sessions, each.total.now.attendance) for each, _ in made] == [
        ("邻镇", 1, 47),
        ("朱家角镇", 83, 9261),
    ]
    for figures, report in made:
        assert {report.book.parent, report.page.parent} == {half.town.resources.settings.documents_folder / FOLDER}
        assert load_workbook(report.book)["总表"].cell(5, 2).value == figures.total.now.sessions
        assert report.page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_each_month_it_is_the_month_before_that_is_told(half: HalfYear) -> None:
    deployment = next(
        each
        for each in yaml.safe_load((PROJECT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
        if each["name"] == "活动统计"
    )
    (schedule,) = deployment["schedules"]
    assert (schedule["cron"], schedule["timezone"], schedule["active"]) == ("0 8 1 * *", "Asia/Shanghai", True)
    entry = StatisticsEntry.model_validate(deployment["parameters"]["wanted"])
    made = make_reports(half.town.resources, entry, at=half.town.now())
    assert {each.period.now.text for each, _ in made} == {"2014年6月"}
    june = [each for each in half.held if each.on.month == 6]
    mine = next(each for each, _ in made if each.town_code == "Z")
    assert (mine.total.now.sessions, mine.total.now.attendance) == (len(june), sum(each.people for each in june))
    assert [part.period.first.weekday() for part, _ in mine.series][1:] == [0] * 5, "a month is told by weeks"


def test_a_village_of_one_town_leaves_the_others_alone(half: HalfYear) -> None:
    ((figures, _),) = make_reports(
        half.town.resources, StatisticsEntry(period="上半年", village="周荡村", by="季度"), at=half.town.now()
    )
    assert [part.label for part, _ in figures.series] == ["2014年第一季度", "2014年第二季度"]
    rows = village_table(figures)
    assert [row["村(居)"] for row in rows] == ["周荡村", "合计"]
    assert rows[0]["活动场次"] == rows[1]["活动场次"] == figures.total.now.sessions


def test_what_does_not_fit_is_refused_before_any_file_is_written(half: HalfYear) -> None:
    folder = half.town.resources.settings.documents_folder / FOLDER
    before = sorted(folder.glob("*")) if folder.exists() else []
    for entry in (
        StatisticsEntry(period="自定", first=date(2014, 5, 1)),
        StatisticsEntry(period="上月", first=date(2014, 5, 1)),
        StatisticsEntry(category="打牌"),
        StatisticsEntry(town="没有镇"),
    ):
        with pytest.raises(Refused):
            make_reports(half.town.resources, entry, at=half.town.now())
    assert sorted(folder.glob("*")) == before if folder.exists() else before == []
    with pytest.raises(ValidationError):
        StatisticsEntry(period="去年今日")  # type: ignore[arg-type]


def test_the_form_speaks_chinese(half: HalfYear) -> None:
    schema = parameter_schema(activity_statistics).model_dump_for_openapi()
    fields = schema["definitions"]["StatisticsEntry"]["properties"]
    assert [each["title"] for each in fields.values()] == [
        "期间",
        "起始日",
        "截止日",
        "分段",
        "镇(街道)",
        "村(居)",
        "活动类别",
    ]
    assert "required" not in schema["definitions"]["StatisticsEntry"], "every field has a default"


# -- the command line ----------------------------------------------------------------------------------------------


@pytest.fixture
def office(half: HalfYear, monkeypatch: pytest.MonkeyPatch) -> HalfYear:
    """The same, as the command line opens it; it has no clock of its own, so July 2014 it is."""
    settings = half.town.resources.settings
    monkeypatch.setenv("KETANG_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("KETANG_HOME", str(settings.home))
    monkeypatch.setattr("runtime.resources._clock", lambda settings: MovedClock(half.town.now()))
    return half


def ketang_statistics(*words: str) -> Result:
    return CliRunner().invoke(command.app, list(words), terminal_width=140)


def test_the_command_line_shows_the_figures_as_tables(office: HalfYear) -> None:
    told = ketang_statistics("show", "--period", "上半年", "--town", "Z")
    assert told.exit_code == 0, told.output
    assert "共开展活动83场，参加9,261人次，场均111.6人次" in told.stdout
    assert re.search(r"2014年6月 .*\d", told.stdout)
    assert re.search(r"合计 +83 +9,261 +111\.6", told.stdout)
    assert "2014年建设数量" in told.stdout
    days = ketang_statistics("show", "--first", "2014-07-01", "--last", "2014-07-04", "--town", "Z", "--by", "月")
    assert "共开展活动1场，参加41人次" in days.stdout


def test_the_command_line_writes_what_is_asked_and_says_where(office: HalfYear, tmp_path: Path) -> None:
    book, page = tmp_path / "六月.xlsx", tmp_path / "六月.html"
    told = ketang_statistics(
        "export", "--xlsx", str(book), "--html", str(page), "--period", "上半年", "--village", "ZD"
    )
    assert told.exit_code == 0, told.output
    assert (f"已写出:{book}" in told.stdout, f"已写出:{page}" in told.stdout) == (True, True)
    assert load_workbook(book).sheetnames[0] == "总表"
    assert "周荡村" in page.read_text(encoding="utf-8")
    again = ketang_statistics("export", "--xlsx", str(book), "--village", "ZD")
    assert (again.exit_code, "已有文件" in again.output) == (1, True)
    assert "活动统计" in ketang_statistics("export", "--town", "Z").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--period", "去年今日"], "没有“去年今日”这种期间;可以写:本月、上月"),
        (["--by", "天", "--town", "Z"], "没有“天”这种分段;可以写:周、月、季度、半年、年"),
        (["--first", "2014-05-01", "--town", "Z"], "起始日和截止日都须填写"),
        ([], "请写明统计哪一个:邻镇、朱家角镇"),
    ],
)
def test_the_command_line_says_what_to_write_instead(office: HalfYear, words: list[str], told: str) -> None:
    refused = ketang_statistics("show", *words)
    assert refused.exit_code == 1
    assert told in refused.output.replace("\n", "")
