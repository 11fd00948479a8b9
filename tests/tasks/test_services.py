"""The catalogue and the orders from it: what is taken in, what is refused with clause and figures, who got how much."""

from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import select, text

from examples.generate import WORKBOOK
from examples.services import CATALOGUE, rows
from models.case import Case
from models.service import Provider, ServiceItem
from policies.errors import Refused
from policies.vocabulary import Door, SiteStatus, Verdict
from runtime.resources import open_resources
from runtime.settings import Settings
from tasks.act import acting
from tasks.living import change_status, lock_site, site_named
from tasks.registry import import_registry
from tasks.service_catalogue import catalogue, catalogue_rows
from tasks.service_commands import PlaceOrder
from tasks.service_orders import import_orders, place_order
from tasks.service_shares import item_table, shares_of, site_table, told
from tasks.service_sheets import ORDER_HEADS, read_orders, write_sheet
from tasks.services import import_catalogue
from tests.desks import OpenTown
from tests.parlours import add_site, add_village
from tests.services import CONTACT, ROWS, ServiceTown, services_in
from tests.township import HEAD_OF_OFFICE, LIAISON, RESPONSIBLE, REVIEWER, STRANGER, at


@pytest.fixture
def there(open_sqlite: OpenTown) -> ServiceTown:
    """The example's town with one parlour and a catalogue of three items, on SQLite."""
    return services_in(open_sqlite)


def items_of(there: ServiceTown) -> list[ServiceItem]:
    with there.resources.database.read() as session:
        return list(session.scalars(select(ServiceItem).order_by(ServiceItem.code)))


# -- the catalogue ----------------------------------------------------------------------------------------------------


def test_a_sheet_is_brought_in_and_again_changes_nothing(open_town: OpenTown) -> None:
    there = services_in(open_town)
    assert [(each.code, each.per_year, each.active, each.category) for each in items_of(there)] == [
        ("WT01", None, True, "convenience"),
        ("YL01", 2, True, "convenience"),
        ("YL02", None, True, "convenience"),
    ]
    assert str(there.bring()) == "新增0项,变更0项,未变3项"
    changed = there.bring([(*ROWS[0][:7], "5", "", "停供"), ROWS[2]])
    assert (changed.added, changed.changed, changed.unchanged) == (0, 1, 1)
    assert [(each.code, each.per_year, each.active) for each in items_of(there)] == [
        ("WT01", None, True),
        ("YL01", 5, False),
        ("YL02", None, True),
    ]


def test_a_sheet_with_three_faults_names_all_three_and_brings_nothing_in(there: ServiceTown) -> None:
    rows = [
        ("YL", "卫生服务中心", "Z", "F999", "YL03", "义诊", "便民服务", "12", "", ""),
        ("YL", "卫生服务中心", "Z", "F999", "YL04", "讲座", "唱歌跳舞", "十次", "", ""),
        ROWS[2],
    ]
    with pytest.raises(Refused) as caught:
        there.bring(rows)
    told = caught.value.reason.splitlines()
    assert told[0] == "服务目录“目录.csv”有4处有误,一项也没有导入:"
    assert told[1] == "1. 第2行“联系人”登记簿中没有在职人员“F999”,请填写登记簿中的人员编号"
    assert told[3].startswith("3. 第3行“类别”“唱歌跳舞”不在《")
    assert "可填:助老服务、助医服务、便民服务、文体服务" in told[3]
    assert told[4].startswith("4. 第3行“每年次数”“十次”不是次数")
    assert [each.code for each in items_of(there)] == ["WT01", "YL01", "YL02"]


FAULTY = (
    (2, "朱家尖镇", "“朱家尖镇”不是登记簿中的镇(街道),可填:朱家角镇(Z)"),
    (4, "", "“项目编码”"),
    (5, "义诊13812345678", "请勿填写手机号"),
    (7, "0", "“0”不是次数"),
    (9, "暂停", "“暂停”不是状态,可填:供应、停供"),
    (0, "X" * 21, "“单位编码”"),
    (1, "卫生院", "第3行“单位名称”卫生服务中心与第2行同一单位(YL)的卫生院不同"),
    (4, "YL02", "第3行“项目编码”YL02与第2行重复"),
)
"""Place of the cell in the first row, what is written there, what is told."""


def test_every_faulty_cell_is_named(there: ServiceTown) -> None:
    for place, cell, reason in FAULTY:
        row = list(ROWS[0])
        row[place] = cell
        with pytest.raises(Refused) as caught:
            there.bring([row, *ROWS[1:]])
        assert reason in caught.value.reason
        assert "13812345678" not in caught.value.reason
    assert str(there.bring()) == "新增0项,变更0项,未变3项"


def test_an_unreadable_or_empty_sheet_is_refused(there: ServiceTown) -> None:
    folder, now = there.resources.settings.documents_folder, there.town.now()
    short = there.sheet([], name="短.csv", heads=["项目编码", "项目名称"])
    for sheet, reason in ((short, "缺少表头:单位编码"), (there.sheet([]), "没有任何内容"), ("无.csv", "没有表格")):
        with pytest.raises(Refused, match=reason):
            import_catalogue(there.resources, folder, sheet, by=REVIEWER, at=now)


def test_only_the_towns_office_brings_a_catalogue_in(there: ServiceTown) -> None:
    with pytest.raises(Refused, match="无权维护朱家角镇的服务目录"):
        there.bring(by=RESPONSIBLE)
    there.bring(by=HEAD_OF_OFFICE)


def test_an_item_that_was_ordered_keeps_its_provider(there: ServiceTown) -> None:
    moved = ("WT", "文体服务中心", "Z", "F002", *ROWS[0][4:])
    there.place()
    with pytest.raises(Refused, match="已由卫生服务中心承接点单1张"):
        there.bring([moved])
    assert there.bring([("WT", "文体服务中心", "Z", "F002", *ROWS[1][4:])]).changed == 1, "never ordered"


def test_a_provider_whose_items_are_all_withdrawn_offers_nothing(there: ServiceTown) -> None:
    there.bring([(*row[:9], "停供") for row in ROWS[:2]])
    with there.resources.database.read() as session:
        assert dict(session.execute(select(Provider.code, Provider.active)).tuples().all()) == {"YL": False, "WT": True}
    assert [each.code for each in catalogue(there.resources, at=there.town.now())] == ["WT01"]
    assert len(catalogue(there.resources, at=there.town.now(), everything=True)) == 3


def test_what_is_written_out_is_read_again_unchanged(there: ServiceTown) -> None:
    folder = there.resources.settings.documents_folder
    write_sheet(folder / "导出.xlsx", catalogue_rows(there.resources), title="服务目录")
    report = import_catalogue(there.resources, folder, "导出.xlsx", by=REVIEWER, at=there.town.now())
    assert str(report) == "新增0项,变更0项,未变3项"
    with pytest.raises(Refused, match="已有文件"):
        write_sheet(folder / "导出.xlsx", [["甲"]], title="服务目录")
    write_sheet(folder / "公式.xlsx", [["甲"], ["=1+1"]], title="服务目录")
    assert load_workbook(folder / "公式.xlsx").worksheets[0]["A2"].data_type == "s"


def test_the_catalogue_tells_what_is_left_of_this_year(there: ServiceTown) -> None:
    there.place()
    there.decide(Verdict.WITHDRAWN, by=there.led_by, reason="不需要了")
    there.place()
    left = {each.code: each.capacity for each in catalogue(there.resources, town="Z", at=there.town.now())}
    assert left == {"WT01": "不限(今年已点0次)", "YL01": "每年2次(今年还可点1次)", "YL02": "不限(今年已点0次)"}


def test_the_example_catalogue_is_what_its_script_writes_and_comes_into_the_example_township(
    sqlite_url: str, tmp_path: Path
) -> None:
    shipped = [
        [cell or "" for cell in line] for line in load_workbook(CATALOGUE).worksheets[0].iter_rows(values_only=True)
    ]
    assert shipped == rows()
    settings = Settings(_env_file=None, home=tmp_path, database_url=sqlite_url)
    now = at("2026-03-02 09:00")
    with open_resources(settings) as resources:
        import_registry(resources.database, WORKBOOK, at=now, editions=set(resources.editions))
        report = import_catalogue(resources, CATALOGUE.parent, CATALOGUE.name, by=None, at=now)
        assert (report.added, report.changed) == (5, 0)
        assert len({each.provider for each in catalogue(resources, at=now)}) == 2


# -- orders -----------------------------------------------------------------------------------------------------------


def test_an_order_too_near_is_refused_with_the_earliest_day(there: ServiceTown) -> None:
    with pytest.raises(Refused) as caught:
        there.place(wished_on=there.day(6))
    assert caught.value.reason == ("希望日期2026年3月8日距今天6日,须至少提前7日点单;请改为2026年3月9日或以后")
    there.place(wished_on=there.day(7))


def test_a_site_has_at_most_three_open_orders(there: ServiceTown) -> None:
    first = there.place(item="YL02")
    there.place(item="YL02")
    there.place(item="WT01")
    with pytest.raises(Refused) as caught:
        there.place(item="YL02")
    assert f"已有3张在办点单({first}、" in caught.value.reason
    assert "至多3张" in caught.value.reason
    there.decide(Verdict.DECLINED, by="F002", reason="演员生病")
    there.place(item="YL02")


def test_the_years_deliveries_are_counted_by_the_day_of_the_delivery(there: ServiceTown) -> None:
    there.place()
    there.take()
    there.deliver()
    there.confirm()
    there.place()
    with pytest.raises(Refused, match="“健康讲座”\\(YL01\\)每年供应2次,2026年已送达和在办的共2次"):
        there.place()
    there.place(wished_on=date(2027, 1, 5))
    there.decide(Verdict.WITHDRAWN, by=there.led_by, reason="换人")
    there.bring([(*ROWS[0][:7], "3", *ROWS[0][8:])])
    there.place()


def test_a_resting_site_is_refused(there: ServiceTown) -> None:
    with acting(there.resources, at=there.town.now()) as act:
        site = site_named(act.session, there.site)
        lock_site(act.session, site)
        change_status(act, site, SiteStatus.SUSPENDED, on=act.day, because="修缮", actor="丁主任(P003)", by_case=None)
    with pytest.raises(Refused, match="自2026-03-02起暂停运行,2026-03-02不能点单"):
        there.place()


def test_the_village_and_the_office_order_for_a_site(there: ServiceTown) -> None:
    for by in (RESPONSIBLE, LIAISON, REVIEWER):
        there.place(by=by, item="YL02")
        assert f"({by})" in there.town.history(there.number)[0].actor


def test_what_names_nothing_or_nobody_is_refused(there: ServiceTown) -> None:
    for changes, reason in (
        ({"by": STRANGER}, "无权为客堂间"),
        ({"item": "XX99"}, "服务目录中没有“XX99”,可点:WT01 戏曲演出、YL01 健康讲座、YL02 血压检测"),
        ({"site": "KT-1999-0001-S", "by": LIAISON}, "名册中没有客堂间"),
    ):
        with pytest.raises(Refused) as caught:
            there.place(**changes)
        assert reason in caught.value.reason


def test_an_item_is_named_by_its_code_its_name_or_both_unless_two_have_the_name(there: ServiceTown) -> None:
    for name in ("YL02", "血压检测", "YL02 血压检测"):
        there.place(item=name)
        assert there.order().item_id == items_of(there)[2].id
        there.decide(Verdict.DECLINED, by=CONTACT, reason="试")
    there.bring([("WT", "文体服务中心", "Z", "F002", "WT02", "血压检测", "便民服务", "", "", "")])
    with pytest.raises(Refused, match="请改填项目编码:WT02\\(文体服务中心\\)、YL02\\(卫生服务中心\\)"):
        there.place(item="血压检测")


def test_a_town_whose_edition_says_nothing_of_services_takes_no_order(open_sqlite: OpenTown) -> None:
    there = ServiceTown(open_sqlite("zhujiajiao-2018", "2018-10-08 10:00"))
    there.bring([(*row[:6], "文体服务", *row[7:]) for row in ROWS])
    with pytest.raises(Refused, match="没有规定点单配送"):
        there.place()


def test_one_key_places_one_order(there: ServiceTown) -> None:
    assert there.place(key="a") == there.place(key="a")


def put_orders(there: ServiceTown, *lines: tuple[object, ...]) -> str:
    book = Workbook()
    for line in (tuple(ORDER_HEADS), *lines):
        book.worksheets[0].append(line)
    folder = there.resources.settings.documents_folder
    folder.mkdir(parents=True, exist_ok=True)
    book.save(folder / "点单.xlsx")
    return "点单.xlsx"


def brought(there: ServiceTown, name: str) -> list[str]:
    read = read_orders(there.resources.settings.documents_folder, name)
    return import_orders(there.resources, read, by=LIAISON, sheet=name, key="sheet", at=there.town.now())


def test_a_sheet_of_orders_is_placed_once(open_town: OpenTown) -> None:
    there = services_in(open_town)
    other = add_site(there.town)
    name = put_orders(
        there, (there.site, "YL02", there.day(8), 20, "上午"), (other, "戏曲演出", f"{there.day(9)}", "30", None)
    )
    numbers = brought(there, name)
    assert len(numbers) == 2
    assert brought(there, name) == numbers
    assert [there.order(each).people for each in numbers] == [20, 30]
    assert there.faults() == []


def test_a_faulty_sheet_of_orders_places_none_and_names_every_row(there: ServiceTown) -> None:
    name = put_orders(
        there,
        (there.site, "YL01", there.day(8), 20),
        (there.site, "YL01", there.day(9), 20),
        (there.site, "YL01", there.day(10), 20),
        (there.site, "YL99", there.day(10), 20),
        (there.site, "YL02", there.day(2), 20),
    )
    with pytest.raises(Refused) as caught:
        brought(there, name)
    reason = caught.value.reason
    assert "有3行有误,一张也没有登记" in reason
    for fault in ("第4行:“健康讲座”(YL01)每年供应2次", "第5行:朱家角镇的服务目录中没有“YL99”", "第6行:希望日期"):
        assert fault in reason
    with there.resources.database.read() as session:
        assert session.scalars(select(Case.number).where(Case.number.startswith("KTPS"))).all() == []
    with pytest.raises(Refused, match=r"第2行:“希望日期”.*第3行:“预计人数”"):
        brought(there, put_orders(there, (there.site, "YL01", "下周", 20), (there.site, "YL01", there.day(8), 0)))


def test_a_changed_order_is_found_by_the_audit(there: ServiceTown) -> None:
    number = there.place()
    there.take()
    with there.resources.database.write() as session:
        session.execute(text("UPDATE service_orders SET rating = 5, promised_on = '2030-01-01'"))
    (fault,) = there.faults()
    assert fault.startswith(f"案件 {number}")
    assert "rating" in fault
    assert "promised_on" in fault


# -- who got how much -------------------------------------------------------------------------------------------------


def test_the_figures_of_a_town(open_town: OpenTown) -> None:
    there = services_in(open_town)
    town = there.town
    add_village(town, "LH", "柳河村")
    second, third = add_site(town), add_site(town, village="LH")
    for site, rating in ((there.site, 5), (there.site, 4), (second, 4)):
        there.place(site=site, item="YL02")
        there.take()
        there.deliver()
        there.confirm(rating, by=there.leader_of(site))
    there.place(site=third, item="YL02")
    there.decide(Verdict.DECLINED, by=CONTACT, reason="路远")
    there.place(site=second, item="WT01")
    town.clock.move_to(at("2026-03-20 09:00"))

    found = shares_of(there.resources, at=town.now())
    rows = {str(row["客堂间"]).partition(" ")[0]: row for row in site_table(found)}
    assert [rows[each]["送达"] for each in (there.site, second, third)] == [2, 1, 0]
    assert [rows[each]["与平均比较"] for each in (there.site, second, third)] == [
        "高于平均1.0次",
        "与平均持平",
        "低于平均1.0次",
    ]
    assert rows[there.site]["平均评价"] == "4.5"
    assert [(row["村(居)"], row["送达"], row["与平均比较"]) for row in site_table(found)[3:]] == [
        ("柳河村", 0, "每处0.0次,低于平均1.0次"),
        ("周荡村", 3, "每处1.5次,高于平均0.5次"),
    ]
    by_name = {row["名称"]: row for row in item_table(found)}
    assert (by_name["YL02 血压检测"]["点单"], by_name["YL02 血压检测"]["不予接单"]) == (4, 1)
    assert by_name["卫生服务中心(YL)"]["平均评价"] == "4.3"
    assert by_name["文体服务中心(WT)"]["逾期"] == 1, "nobody has answered"
    assert told(found).startswith("朱家角镇2026-01-01至2026-12-31:运行中的客堂间3处,平均每处送达1.0次;1处没有得到服务")
    assert third in told(found)

    april = shares_of(there.resources, since=date(2026, 4, 1), until=date(2026, 4, 30), at=town.now())
    assert "平均每处送达0.0次;3处没有得到服务" in told(april)
    early = shares_of(there.resources, until=date(2025, 12, 31), at=town.now())
    assert told(early) == "朱家角镇2025-01-01至2025-12-31没有运行中的客堂间"


def test_figures_of_an_unknown_town_or_a_span_that_ends_before_it_begins_are_refused(there: ServiceTown) -> None:
    with pytest.raises(Refused, match="没有镇\\(街道\\)“北”,可填:朱家角镇\\(Z\\)"):
        shares_of(there.resources, town="北", at=there.town.now())
    with pytest.raises(Refused, match="末日2026-03-01早于首日2026-04-01"):
        shares_of(there.resources, since=date(2026, 4, 1), until=date(2026, 3, 1), at=there.town.now())


def test_a_site_in_another_town_orders_from_its_own_catalogue(there: ServiceTown) -> None:
    command = PlaceOrder.model_validate(there.command().model_dump() | {"item": "ZZ"})
    there.bring([("ZZ", "本镇单位", "朱家角镇", CONTACT, "ZZ", "镇内服务", "便民服务", "", "", "")])
    place_order(there.resources, command, door=Door.CLI, key="zz", at=there.town.now())
    with there.resources.database.write() as session:
        session.execute(text("UPDATE providers SET unit_id = (SELECT id FROM units WHERE code = 'Q')"))
    with pytest.raises(Refused, match="目录为空"):
        place_order(there.resources, command, door=Door.CLI, key="zz2", at=there.town.now())
