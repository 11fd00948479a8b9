"""D1-R5 at the edges: sheets as offices fill them in, days as people write them, a parlour that closes in between."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from openpyxl import Workbook
from pydantic import ValidationError

from policies.errors import Refused
from policies.vocabulary import SiteStatus, Verdict
from tasks.act import acting
from tasks.case_file import as_markdown, case_file
from tasks.faults import refusal_of
from tasks.living import change_status, lock_site, site_named
from tasks.service_commands import OrderRow, TakeOrder
from tasks.service_orders import import_orders
from tasks.service_shares import shares_of, told
from tasks.service_sheets import ORDER_HEADS, read_orders
from tests.desks import OpenTown
from tests.duties import add_many
from tests.parlours import add_site
from tests.services import CONTACT, ROWS, ServiceTown, services_in
from tests.township import LIAISON


@pytest.fixture
def there(open_sqlite: OpenTown) -> ServiceTown:
    """The example's town with one parlour and a catalogue of three items, on SQLite."""
    return services_in(open_sqlite)


def brought(there: ServiceTown, key: str, *lines: tuple[object, ...]) -> list[str]:
    """Bring a sheet of orders by the liaison, as a run of the form does."""
    book = Workbook()
    for line in (tuple(ORDER_HEADS), *lines):
        book.worksheets[0].append(list(line))
    folder = there.resources.settings.documents_folder
    folder.mkdir(parents=True, exist_ok=True)
    book.save(folder / "点单.xlsx")
    rows = read_orders(folder, "点单.xlsx")
    return import_orders(there.resources, rows, by=LIAISON, sheet="点单.xlsx", key=key, at=there.town.now())


def become(there: ServiceTown, status: SiteStatus) -> None:
    with acting(there.resources, at=there.town.now()) as act:
        site = site_named(act.session, there.site)
        lock_site(act.session, site)
        change_status(act, site, status, on=act.day, because="督查", actor="丁主任(P003)", by_case=None)


def test_no_personal_number_is_repeated_by_the_fault_of_another_row(there: ServiceTown) -> None:
    number = "138 1234 5678"
    for place in (0, 1, 2, 4):
        faulty = list(ROWS[0])
        faulty[place] += f" {number}"
        for rows in ([faulty, ROWS[1]], [ROWS[1], faulty], [faulty, [*faulty[:3], "F002", *faulty[4:]]]):
            with pytest.raises(Refused, match="请勿填写手机号") as caught:
                there.bring(rows)
            assert "1234" not in str(caught.value)


def test_days_of_orders_are_read_as_people_write_them(there: ServiceTown) -> None:
    days = ("2026/3/12", "2026年3月12日", date(2026, 3, 12))
    lines = [(there.site, "YL02", day, 20, f"第{index}场") for index, day in enumerate(days, 1)]
    assert {there.order(number).wished_on for number in brought(there, "a", *lines)} == {date(2026, 3, 12)}
    with pytest.raises(Refused, match=r"第2行:“希望日期”不是日期,请写作 2026-03-05\(现值:20260312\)"):
        brought(there, "b", (there.site, "YL02", "20260312", 20))
    for day in ("2026年3月12日", "2026/3/12"):
        command = TakeOrder.model_validate({"case": "KTPS-2026-0001", "by": CONTACT, "promised_on": day})
        assert command.promised_on == date(2026, 3, 12)
    with pytest.raises(ValidationError) as caught:
        TakeOrder.model_validate({"case": "KTPS-2026-0001", "by": CONTACT, "promised_on": "20260312"})
    assert refusal_of(caught.value, TakeOrder).reason == "“承诺日期”不是日期,请写作 2026-03-05(现值:20260312)"


def test_a_sheet_of_orders_that_is_brought_again_orders_only_what_is_new(there: ServiceTown) -> None:
    first, second = (there.site, "YL02", there.day(8), 20, ""), (there.site, "血压检测", there.day(9), 20, "")
    (one,) = brought(there, "run:1", first)
    assert brought(there, "run:2", first) == [one]
    before, new = brought(there, "run:3", first, second)
    assert (before, new != one) == (one, True)
    with pytest.raises(Refused, match=r"第3行:与第2行完全相同;同日要点两场的,请在“说明”中写明场次"):
        brought(there, "run:4", second, (there.site, "YL02", there.day(9), 20, ""))
    there.number = one
    there.carry()
    there.decide(Verdict.WITHDRAWN, by=there.led_by, reason="改期")
    assert brought(there, "run:5", first) != [one]


def test_who_is_to_serve_a_parlour_that_was_revoked_is_told_so(there: ServiceTown) -> None:
    number = there.place()
    become(there, SiteStatus.REVOKED)
    with pytest.raises(Refused, match=r"已撤牌,不再送服务;请选择“不予接单”并写明理由"):
        there.take()
    assert ",现已撤牌" in as_markdown(case_file(there.resources, number, at=there.town.now()))
    there.decide(Verdict.DECLINED, by=CONTACT, reason="客堂间已撤牌")


def test_a_parlour_that_rests_may_be_promised_a_service(there: ServiceTown) -> None:
    there.place()
    become(there, SiteStatus.SUSPENDED)
    there.take()
    assert there.order().promised_on == there.day(10)


def test_a_sentence_names_twenty_parlours_without_a_service_and_counts_the_others(there: ServiceTown) -> None:
    add_many(there.town, 21)
    sentence = told(shares_of(there.resources, at=there.town.now()))
    assert "23处没有得到服务:" in sentence
    assert sentence.endswith("等")
    assert sentence.count("KT-2026-") == 20


def test_a_day_more_than_a_year_off_is_refused_as_mistyped(there: ServiceTown) -> None:
    for year in (2206, 9999):
        with pytest.raises(Refused, match=f"希望日期{year}年12月31日距今天超过一年,请核对年份"):
            there.place(wished_on=date(year, 12, 31))
    there.place(wished_on=there.day(366))


def test_a_sheet_of_orders_that_comes_twice_at_once_orders_once(open_town: OpenTown) -> None:
    there = services_in(open_town)
    other = add_site(there.town)
    lines = [(there.site, "YL02", there.day(8), 20), (other, "WT01", there.day(8), 20)]
    rows = [(2 + index, OrderRow(site=s, item=i, wished_on=d, people=n)) for index, (s, i, d, n) in enumerate(lines)]

    def place(way: int) -> list[str]:
        ordered = rows if way else rows[::-1]
        return import_orders(
            there.resources, ordered, by=LIAISON, sheet="点单.xlsx", key=f"run:{way}", at=there.town.now()
        )

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(place, range(2))
    assert sorted(one) == sorted(two)


def test_a_provider_may_explain_as_much_as_the_form_takes(there: ServiceTown) -> None:
    there.place()
    there.take(note="改" * 500)
    assert there.context("order_answered")["reason"] == "改" * 500
