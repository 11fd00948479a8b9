"""``ketang theme``, ``activity``, ``publicity``: recorded, listed and refused from the command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli import activity, context, publicity, theme
from runtime.resources import Resources
from tests.broken import break_rows
from tests.half_year import add_town
from tests.parlours import add_site
from tests.township import REVIEWER, Township, at, township


@pytest.fixture
def town(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Township]:
    """The example's town in March 2026; the commands work on its own resources, opened once."""
    with township(sqlite_url, tmp_path, edition="example-2026", now="2026-03-02 09:00") as town:

        @contextmanager
        def opened() -> Iterator[Resources]:
            yield town.resources

        monkeypatch.setattr(context, "open_resources", opened)
        yield town


def said(app: typer.Typer, *words: str) -> str:
    told = CliRunner().invoke(app, list(words))
    return told.stdout if told.exit_code == 0 else f"{told.exit_code}:{told.output}"


def test_a_theme_is_submitted_listed_and_missed(town: Township, tmp_path: Path) -> None:
    first, second = add_site(town), add_site(town)
    words = ("submit", "--by", REVIEWER, "--site", first, "--title", "春耕")
    assert "2026年4月主题“春耕”已登记" in said(theme.app, *words, "--month", "2026-04")
    assert "“月份”不是一个月份,请写作 2026-03(现值:四月)" in said(theme.app, *words, "--month", "四月")
    sheet = tmp_path / "主题.csv"
    sheet.write_text(f"客堂间编号,月份,主题\n{first},2026-05,插秧\n", encoding="utf-8")
    assert "已登记1个主题" in said(theme.app, "import", "--by", REVIEWER, str(sheet))
    town.clock.move_to(at("2026-03-26 09:00"))
    assert "须报或已报2个,已报1个,未报1个" in said(theme.app, "list")
    missing = said(theme.app, "missing", "--month", "2026-04", "--town", "Z")
    assert (second in missing, f"\n{first}" in missing) == (True, False)
    assert "没有须报月度主题的镇" in said(theme.app, "missing", "--town", "XX")


def test_a_town_that_can_not_be_read_hides_no_other_from_the_lists(town: Township) -> None:
    add_town(town, "A", "安镇", edition="example-2026", village="AV")
    add_site(town)
    break_rows(town, "UPDATE units SET beautiful_village = 'schön' WHERE code = 'A'")
    town.clock.move_to(at("2026-03-26 09:00"))
    for app, words in ((theme.app, ["list"]), (activity.app, ["missing"])):
        told = CliRunner().invoke(app, words)
        assert told.exit_code == 0
        assert told.stdout.startswith("朱家角镇")
        assert "安镇(A)  登记簿中的单位无法读取,已被改动:表 units 第" in told.stderr
        assert "列 beautiful_village 现为“schön”" in told.stderr


def test_an_activity_is_recorded_imported_voided_and_listed(town: Township, tmp_path: Path) -> None:
    number, idle = add_site(town), add_site(town)
    town.clock.move_to(at("2026-03-12 09:00"))
    words = ("record", "--by", REVIEWER, "--site", number, "--on", "2026-03-02", "--category", "文体服务")
    assert "已登记" in said(activity.app, *words, "--title", "歌会", "--attendance", "20")
    assert "已经登记" in said(activity.app, *words, "--title", "歌会", "--attendance", "20")
    sheet = tmp_path / "活动.csv"
    sheet.write_text(
        f"客堂间编号,活动日期,类别,活动名称,参加人数\n{number},2026-03-05,助老服务,理发,8\n", encoding="utf-8"
    )
    assert "已登记1场活动" in said(activity.app, "import", "--by", REVIEWER, str(sheet))
    assert "已登记0场活动,另有1场此前已由同一份表登记" in said(activity.app, "import", "--by", REVIEWER, str(sheet))
    assert "2场,28人次" in said(activity.app, "list", "--from", "2026-03-01", "--village", "周荡村")
    assert "没有村(居)“XX”" in said(activity.app, "list", "--village", "XX")
    assert "已作废" in said(activity.app, "void", "--by", REVIEWER, "1", "--reason", "重复")
    assert "1场,8人次" in said(activity.app, "list")
    missing = said(activity.app, "missing")
    assert "2026年3月2日至3月8日:2个客堂间,1个没有达到每周1次" in missing
    assert (idle in missing, number in missing) == (True, False)


def test_publicity_is_recorded_voided_and_listed(town: Township) -> None:
    number = add_site(town)
    words = ("record", "--by", REVIEWER, "--channel", "镇级网站", "--title", "元宵", "--site", number)
    assert f"涉及{number}" in said(publicity.app, *words, "--on", "2026-03-01")
    assert "刊发日期" in said(publicity.app, *words)
    assert "二者取一" in said(publicity.app, "record", "--by", REVIEWER)
    assert "镇级网站1篇" in said(publicity.app, "list")
    assert "已作废" in said(publicity.app, "void", "--by", REVIEWER, "1", "--reason", "转载")
    assert "没有登记宣传报道" in said(publicity.app, "list")
