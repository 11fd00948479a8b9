"""The schedules of themes and weeks, and the forms by hand: what their runs say and show, without a Prefect server."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml
from prefect.client.schemas.objects import State

from flows import monthly_theme, once, site_records, weekly_activities
from runtime.resources import Resources
from runtime.settings import PROJECT
from tests.broken import break_rows
from tests.desks import OpenTown
from tests.duties import entry_of, record, report
from tests.half_year import add_town
from tests.parlours import add_site, site_of
from tests.township import REVIEWER, Township, at

EXAMPLE = "example-2026"
Shown = list[dict[str, Any]]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """The tables that the runs show; steps are carried out as they are, on the town's own resources."""
    tables: Shown = []
    for module in (monthly_theme, weekly_activities, once):
        monkeypatch.setattr(module, "as_task", lambda step, name: step())
    for module in (monthly_theme, weekly_activities, once, site_records):
        monkeypatch.setattr(module, "get_run_logger", logging.getLogger)
    for module in (monthly_theme, weekly_activities):
        monkeypatch.setattr(module, "create_table_artifact", lambda **table: tables.append(table))
    return tables


def at_hand(monkeypatch: pytest.MonkeyPatch, town: Township) -> None:
    @contextmanager
    def opened() -> Iterator[Resources]:
        yield town.resources

    for module in (monthly_theme, weekly_activities, site_records):
        monkeypatch.setattr(module, "open_resources", opened)


def ran(flow: Any, **parameters: Any) -> str:
    """What the run says at its end."""
    run: Callable[..., State[Any]] = flow.fn
    return str(run(**parameters).message)


def test_the_schedules_come_in_the_morning_of_shanghai() -> None:
    deployments = yaml.safe_load((PROJECT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    crons = {each["name"]: each["schedules"][0] for each in deployments if each.get("schedules")}
    for name, cron in (("月度主题", "0 8 * * *"), ("每周活动检查", "0 8 * * 1")):
        assert (crons[name]["cron"], crons[name]["timezone"], crons[name]["active"]) == (cron, "Asia/Shanghai", True)


def test_the_daily_run_does_what_is_due_and_shows_who_has_and_who_has_not(
    open_sqlite: OpenTown, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    at_hand(monkeypatch, town)
    first, second = add_site(town), add_site(town)
    report(town, first, "2026-04", "清明诗会")
    assert ran(monthly_theme.monthly_theme) == "今日没有要通知、提醒或督办的主题"
    town.clock.move_to(at("2026-03-15 08:00"))
    assert ran(monthly_theme.monthly_theme) == (
        "朱家角镇2026年4月主题通知:应报2个,未报1个。朱家角镇2026年4月:已报1个,未报1个"
    )
    (table,) = shown
    assert table["key"] == "theme-z-2026-04"
    assert [(row["客堂间"], row["状态"], row["主题"]) for row in table["table"]] == [
        (first, "已报", "清明诗会"),
        (second, "未报", ""),
    ]


def test_the_run_on_monday_reports_and_shows_the_week(
    open_sqlite: OpenTown, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 07:00")
    at_hand(monkeypatch, town)
    first, second = add_site(town), add_site(town)
    record(town, entry_of(first, "2026-03-02"))
    town.clock.move_to(at("2026-03-09 08:00"))
    told = ran(weekly_activities.weekly_activities)
    assert told.startswith("朱家角镇2026年3月2日至3月8日活动通报:1个客堂间缺活动记录")
    (table,) = shown
    assert [(row["客堂间"], row["已记录活动"], row["状态"]) for row in table["table"]] == [
        (first, 1, "达到"),
        (second, 0, "未达到"),
    ]


def test_a_town_with_a_row_that_can_not_be_read_keeps_no_other_from_its_table(
    open_sqlite: OpenTown, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    at_hand(monkeypatch, town)
    add_town(town, "A", "安镇", edition=EXAMPLE, village="AV")
    broken, other = add_site(town, village="AV"), add_site(town)
    town.clock.move_to(at("2026-03-16 08:00"))
    break_rows(town, f"UPDATE people SET name = CAST(x'e5a4' AS TEXT) WHERE id = {site_of(town, broken).leader_id}")
    for flow, what in (
        (monthly_theme.monthly_theme, "月度主题表"),
        (weekly_activities.weekly_activities, "每周活动表"),
    ):
        shown.clear()
        state = flow.fn()
        assert state.is_failed()
        assert f"安镇的{what}未能办理,下次运行再列出:" in state.message
        (table,) = shown
        assert [row["客堂间"] for row in table["table"]] == [other]
        assert "朱家角镇" in state.message


@pytest.mark.usefixtures("shown")
def test_themes_activities_and_publicity_come_in_by_form_or_by_sheet(
    open_sqlite: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    at_hand(monkeypatch, town)
    number = add_site(town)
    folder = town.resources.settings.documents_folder
    folder.mkdir(parents=True)
    theme = {"site": number, "month": "2026-04", "title": "春耕"}
    form = site_records.ThemesForm.model_validate({"by": REVIEWER, "themes": [theme]})
    assert ran(site_records.report_themes, entry=form) == f"共1项:{number} 2026年4月主题“春耕”已登记"
    neither = site_records.ThemesForm.model_validate({"by": REVIEWER})
    assert "二者取一" in ran(site_records.report_themes, entry=neither)

    (folder / "活动.csv").write_text(
        f"客堂间编号,活动日期,类别,活动名称,参加人数\n{number},2026-03-02,文体服务,歌会,20\n", encoding="utf-8"
    )
    sheet = site_records.ActivitiesForm(by=REVIEWER, sheet="活动.csv")
    assert "共1项" in ran(site_records.record_activities, entry=sheet)
    assert "此前已登记" in ran(site_records.record_activities, entry=sheet)
    wrong = site_records.ActivitiesForm(by=REVIEWER, activities=[entry_of(number, "2026-03-03")])
    assert "未办理:活动日期2026-03-03还没有到" in ran(site_records.record_activities, entry=wrong)

    item = {"channel": "镇级网站", "published_on": "2026-03-01", "title": "元宵", "sites": [number]}
    publicity = site_records.PublicityForm.model_validate({"by": REVIEWER, "items": [item]})
    assert f"涉及{number}" in ran(site_records.record_publicity, entry=publicity)
