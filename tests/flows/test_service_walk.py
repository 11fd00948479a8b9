"""An order from the catalogue to its end: delivered and confirmed, declined, disputed, late, withdrawn."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from flows.answers import apply
from flows.forms import form_for
from models.service import Provider, ServiceItem
from policies.errors import Refused
from policies.vocabulary import Door, Gate, Outcome, Role, Verdict
from tasks.activities import activities_between
from tasks.asks import claim_run, new_ask
from tasks.case_file import as_markdown, case_file
from tasks.cases import Asked
from tasks.service_orders import place_order
from tests.desks import OpenTown
from tests.flows.test_two_at_once import at_once
from tests.parlours import add_site
from tests.services import CONTACT, OTHER_CONTACT, ROWS, ServiceTown, services_in
from tests.township import HEAD_OF_OFFICE, RESPONSIBLE, REVIEWER, at

BOTH = pytest.mark.parametrize("edition", ["example-2026", "xuhang-2013"])


@BOTH
def test_an_order_is_taken_delivered_confirmed_and_rated(open_town: OpenTown, edition: str) -> None:
    there = services_in(open_town, edition)
    town, wished = there.town, there.day(10)
    number = there.place()
    assert town.gate(number) is Gate.SERVICE_OFFER
    asked, receipt = (each.context for each in sorted(town.entries("order_placed"), key=lambda each: each.to_name))
    assert (asked["for_site"], receipt["for_site"]) == (False, True)
    assert (asked["item"], asked["people"], asked["note"]) == ("健康讲座", 20, "上午九点")
    assert there.site in asked["site"]
    assert "周荡村" in asked["address"]
    assert asked["due_on"] == receipt["due_on"] == f"{there.day(7)}", "five working days"

    there.take()
    assert there.order().promised_on == wished
    assert town.item(number).due_on == wished  # type: ignore[union-attr]
    assert set(town.told("order_answered")) == {"周责任", town.entries("order_answered")[0].to_name}
    assert town.told("task_waiting") == ["卫联系"]

    town.clock.move_to(at(f"{wished} 15:00"))
    there.deliver(18, proof=town.proof("签到表.jpg"))
    assert town.gate(number) is Gate.SERVICE_CONFIRMATION
    assert (there.context("order_delivered")["served"], there.context("order_delivered")["proof"]) == (18, "签到表.jpg")
    ending = there.confirm(5, served=17, comment="讲得清楚")
    assert ending.outcome is Outcome.DELIVERED  # type: ignore[union-attr]
    assert town.case(number).because == "服务17人,评价5分(满分5分):讲得清楚"
    order = there.order()
    assert (order.delivered_on, order.served, order.rating, order.comment) == (wished, 17, 5, "讲得清楚")
    closed = {each.to_name for each in town.entries("case_closed")}
    assert {"卫联系", "周责任"} < closed
    page = as_markdown(case_file(there.resources, number, at=town.now()))
    for fact in ("YL01 健康讲座(便民服务)", "卫生服务中心,联系人卫联系(F001)", "评价 | 5分(满分5分):讲得清楚"):
        assert fact in page
    assert there.faults() == []


def test_what_the_provider_declines_ends_with_its_reason(open_sqlite: OpenTown) -> None:
    there = services_in(open_sqlite, "xuhang-2013")
    number = there.place()
    with pytest.raises(Refused, match="须写明理由"):
        there.decide(Verdict.DECLINED, by=CONTACT)
    with pytest.raises(Refused, match="须写明承诺日期"):
        there.decide(Verdict.TAKEN, by=CONTACT)
    there.decide(Verdict.DECLINED, by=CONTACT, reason="当天下乡义诊")
    assert there.town.case(number).outcome is Outcome.DECLINED
    letter = there.context("order_answered")
    assert (letter["taken"], letter["reason"], letter["promised_on"]) == (False, "当天下乡义诊", None)
    assert there.faults() == []


@BOTH
def test_nobody_answers_so_the_provider_is_reminded_and_the_office_told_and_it_stays_open(
    open_sqlite: OpenTown, edition: str
) -> None:
    there = services_in(open_sqlite, edition)
    town, number = there.town, there.place()
    town.pass_until(f"{there.day(12)} 10:00")
    assert town.told("reminder") == ["卫联系", "卫联系"]
    assert town.told("escalation") == ["沈审核", "施审核"]
    assert town.gate(number) is Gate.SERVICE_OFFER
    assert "已逾期" in as_markdown(case_file(there.resources, number, at=town.now()))
    with pytest.raises(Refused, match="早于今天"):
        there.take()
    there.take(there.day(3), by=REVIEWER)
    assert town.decisions(number)[0].decided_by_id is not None
    assert there.context("order_answered")["promised_on"] == f"{there.day(3)}"
    assert there.context("order_answered")["wished_on"] == f"{there.day(-2)}"


def test_a_disputed_delivery_is_made_again_within_the_editions_days(open_town: OpenTown) -> None:
    there = services_in(open_town)
    town, number = there.town, there.place()
    there.take()
    town.clock.move_to(at(f"{there.day(10)} 15:00"))
    there.deliver()
    there.decide(Verdict.DISPUTED, by=there.led_by, reason="只来了半小时")
    item = town.item(number)
    assert item is not None
    assert (item.gate, item.round) == (Gate.SERVICE_DELIVERY, 2)
    assert item.due_on == date(2026, 4, 13), "thirty days from 12 March end on a Saturday"
    assert there.order().promised_on == item.due_on
    assert there.order().delivered_on is None
    assert town.told("order_disputed") == ["卫联系", "沈审核", "施审核"]
    letter = there.context("order_disputed")
    assert (letter["reason"], letter["claimed_on"], letter["due_on"]) == ("只来了半小时", "2026-03-12", "2026-04-13")
    assert town.told("task_waiting") == ["卫联系"], "the dispute's letter asks for the second delivery"

    town.clock.move_to(at("2026-03-20 15:00"))
    with pytest.raises(Refused, match="客堂间当日才指出未按约送达"):
        there.deliver(30, on=date(2026, 3, 11))
    there.deliver(30)
    assert len(town.told("order_delivered")) == 2
    there.confirm(2)
    assert town.case(number).outcome is Outcome.DELIVERED
    assert [each.verdict for each in town.decisions(number)] == [
        Verdict.TAKEN,
        Verdict.DELIVERED,
        Verdict.DISPUTED,
        Verdict.DELIVERED,
        Verdict.CONFIRMED,
    ]
    assert there.faults() == []


def test_silence_of_the_site_counts_as_delivered_without_a_rating(open_sqlite: OpenTown) -> None:
    there = services_in(open_sqlite, "xuhang-2013")
    town, number = there.town, there.place()
    there.take()
    there.deliver()
    assert there.context("order_delivered")["lapses"] is True
    due = town.item(number).due_on  # type: ignore[union-attr]
    town.pass_until(f"{due + timedelta(days=1)} 00:00")
    case = town.case(number)
    assert case.outcome is Outcome.DELIVERED
    assert "期满未确认,视为已送达,没有评价" in case.because
    assert (there.order().rating, there.order().served) == (None, None)
    assert town.told("escalation") == ["沈审核", "施审核"]
    with pytest.raises(Refused, match="已办结"):
        there.confirm()
    assert there.faults() == []


def test_who_confirms_before_the_sweep_but_after_the_last_day_is_too_late(open_sqlite: OpenTown) -> None:
    there = services_in(open_sqlite)
    town, number = there.town, there.place()
    there.take()
    there.deliver()
    due = town.item(number).due_on  # type: ignore[union-attr]
    town.clock.move_to(at(f"{due + timedelta(days=1)} 00:00"))
    with pytest.raises(Refused, match="期满"):
        there.confirm()
    there.carry()
    assert town.case(number).outcome is Outcome.DELIVERED
    assert there.order().rating is None


@pytest.mark.parametrize("taken", [False, True])
def test_the_leader_alone_withdraws_before_the_delivery(open_sqlite: OpenTown, taken: bool) -> None:
    there = services_in(open_sqlite)
    town, number = there.town, there.place()
    if taken:
        there.take()
    with pytest.raises(Refused, match="只有申请的负责人"):
        there.decide(Verdict.WITHDRAWN, by=RESPONSIBLE, reason="换了日子")
    there.decide(Verdict.WITHDRAWN, by=there.led_by, reason="换了日子")
    assert town.case(number).outcome is Outcome.WITHDRAWN
    assert "卫联系" in town.told("case_closed")
    assert there.faults() == []


def test_after_the_delivery_nobody_withdraws(open_sqlite: OpenTown) -> None:
    there = services_in(open_sqlite)
    there.place()
    there.take()
    there.deliver()
    with pytest.raises(Refused, match="“服务确认”环节不能作出“撤回申请”"):
        there.decide(Verdict.WITHDRAWN, by=there.led_by, reason="换了日子")


def test_what_the_provider_can_not_deliver_ends_and_the_office_hears_of_it(open_sqlite: OpenTown) -> None:
    there = services_in(open_sqlite)
    town, number = there.town, there.place()
    there.take()
    there.decide(Verdict.FAILED, by=CONTACT, reason="演员生病")
    assert town.case(number).outcome is Outcome.ABANDONED
    assert {"卫联系", "沈审核", "施审核", "周责任"} < set(town.told("case_closed"))
    assert there.faults() == []


def test_an_undelivered_promise_is_reported_after_its_day(open_sqlite: OpenTown) -> None:
    there = services_in(open_sqlite)
    town = there.town
    there.place()
    there.take()
    town.pass_until(f"{there.day(11)} 10:00")
    assert town.told("escalation") == ["沈审核", "施审核"]
    assert [each.context["gate"] for each in town.entries("reminder")] == ["服务送达"] * 3
    assert town.gate(there.number) is Gate.SERVICE_DELIVERY


def test_of_two_orders_at_once_one_gets_the_last_delivery(open_town: OpenTown) -> None:
    there = services_in(open_town)
    other = add_site(there.town)
    there.place()
    now = there.town.now()

    def ordering(site: str) -> Any:
        command = there.command(site=site)
        return lambda: place_order(there.resources, command, door=Door.CLI, key=f"at once {site}", at=now)

    results = at_once([ordering(there.site), ordering(other)])
    (refused,) = [each for each in results if isinstance(each, Refused)]
    assert "每年供应2次,2026年已送达和在办的共2次,已经用完" in refused.reason
    assert there.faults() == []


def test_an_order_and_a_new_provider_of_its_item_at_once_agree_who_delivers(open_town: OpenTown) -> None:
    there = services_in(open_town)
    moved, command, now = ("WT", *ROWS[2][1:4], *ROWS[0][4:]), there.command(), there.town.now()
    placed, _ = at_once(
        [
            lambda: place_order(there.resources, command, door=Door.CLI, key="one", at=now),
            lambda: there.bring([moved]),
        ]
    )
    opened = next(row for row in there.town.history(placed) if row.kind == "case_opened")
    with there.resources.database.read() as session:
        provider = session.scalars(select(Provider.code).join(ServiceItem).where(ServiceItem.code == "YL01")).one()
    assert json.loads(opened.data)["provider"] == provider
    assert there.faults() == []


def test_of_two_orders_at_once_by_one_key_one_stands(open_town: OpenTown) -> None:
    there = services_in(open_town)
    command, now = there.command(), there.town.now()
    ordering = [lambda: place_order(there.resources, command, door=Door.CLI, key="one", at=now)] * 3
    assert len(set(at_once(ordering))) == 1


def test_a_promise_for_the_next_year_needs_a_free_delivery_of_that_year(open_town: OpenTown) -> None:
    there = services_in(open_town)
    town = there.town
    town.clock.move_to(at("2026-12-21 09:00"))
    there.place(wished_on=date(2027, 1, 4))
    there.place(wished_on=date(2027, 1, 5))
    there.place(wished_on=date(2026, 12, 30))
    with pytest.raises(Refused, match="2027年已送达和在办的共2次"):
        there.take(date(2027, 1, 6))
    there.take(date(2026, 12, 31))
    assert there.order().promised_on == date(2026, 12, 31)


def test_the_office_answers_when_the_contact_has_left_and_a_new_contact_is_asked(open_sqlite: OpenTown) -> None:
    there = services_in(open_sqlite)
    town, number = there.town, there.place()
    town.end_role(CONTACT, there.day())
    moved = [tuple(OTHER_CONTACT if cell == CONTACT else cell for cell in row) for row in ROWS]
    there.bring(moved)
    assert town.told("order_placed").count("文联系") == 1
    with pytest.raises(Refused, match="须由服务单位联系人或社区办审核员办理"):
        there.take(by=CONTACT)
    there.take(by=OTHER_CONTACT)
    assert town.gate(number) is Gate.SERVICE_DELIVERY
    assert there.faults() == []


def test_a_change_of_the_catalogue_does_not_hurt_an_open_order(open_sqlite: OpenTown) -> None:
    there = services_in(open_sqlite)
    number = there.place()
    there.bring([("YL", "卫生服务中心", "Z", CONTACT, "YL01", "讲座", "便民服务", "1", "改了", "停供")])
    there.take()
    there.deliver()
    there.confirm()
    assert there.town.case(number).outcome is Outcome.DELIVERED
    assert there.town.case(number).title.startswith("健康讲座"), "as it was ordered"
    with pytest.raises(Refused, match="“讲座”\\(YL01\\)已停止供应"):
        there.place()


def test_carrying_an_order_again_at_any_gate_changes_nothing(open_sqlite: OpenTown) -> None:
    there = services_in(open_sqlite, "example-2026")
    there.place()
    steps = [there.take, there.deliver, lambda: there.decide(Verdict.DISPUTED, by=there.led_by, reason="没来")]
    for step in (*steps, there.deliver, there.confirm):
        before = there.town.state()
        there.carry()
        assert there.town.state() == before
        step()


@BOTH
def test_a_confirmed_delivery_becomes_an_activity_of_the_site_when_the_leader_wants_it(
    open_sqlite: OpenTown, edition: str
) -> None:
    there = services_in(open_sqlite, edition)
    town, number = there.town, there.place()
    there.take()
    there.deliver(18, proof=town.proof("照片.jpg"))
    there.confirm(5, served=17, as_activity=True)
    with there.resources.database.read() as session:
        (activity,) = activities_between(session, first=there.day(), last=there.day())
        assert (activity.title, activity.category, activity.attendance) == ("健康讲座", "convenience", 17)
        assert (activity.organiser, activity.site.number) == ("卫生服务中心", there.site)
        assert activity.summary == f"点单配送 {number},讲得好"
    (noted,) = [row for row in town.history(number) if row.kind == "order_as_activity"]
    assert noted.summary.startswith("已登记为客堂间活动")
    assert there.faults() == []

    there.place(item="YL01")
    there.take()
    there.deliver()
    there.confirm(as_activity=True)
    (noted,) = [row for row in town.history(there.number) if row.kind == "order_as_activity"]
    assert noted.summary.startswith("未能登记为客堂间活动,请另行登记:")
    assert "已经登记" in noted.summary
    assert town.case(there.number).outcome is Outcome.DELIVERED


def test_what_is_no_activity_of_the_edition_is_not_recorded_as_one(open_sqlite: OpenTown) -> None:
    there = services_in(open_sqlite)
    with there.resources.database.write() as session:
        session.execute(text("UPDATE service_items SET category = 'gone'"))
    there.place()
    there.take()
    there.deliver()
    assert "as_activity" not in form(there).model_json_schema()["properties"]
    with pytest.raises(Refused, match="不在本方案的活动类别之内"):
        there.confirm(as_activity=True)
    there.confirm()


def form(there: ServiceTown) -> Any:
    """The form of the gate that waits."""
    file = case_file(there.resources, there.number, at=there.town.now())
    assert file.awaited is not None
    return form_for(there.resources, file, file.awaited)


def answer(there: ServiceTown, **filled: Any) -> str:
    """Fill in the form of the gate that waits; the refusal, if there is one."""
    filled = form(there).model_validate(filled).model_dump(mode="json", include=set(filled))
    item = there.town.item(there.number)
    assert item is not None
    ask = new_ask(there.resources, item.id, claim_run(there.resources, there.number, "run"), at=there.town.now())
    assert ask is not None
    asked = Asked(work_item=item.id, ask=ask.id)
    refusal = apply(there.resources, there.number, item.gate, filled, asked, at=there.town.now())
    there.carry()
    return refusal


def test_an_order_is_carried_by_its_forms_alone(open_sqlite: OpenTown) -> None:
    there = services_in(open_sqlite)
    there.place()
    provider, leader = "卫联系(F001)", f"负责人{there.led_by[1:]}({there.led_by})"

    def seen() -> None:
        made = form(there)
        made.model_validate({})
        titles = [field["title"] for field in made.model_json_schema()["properties"].values()]
        assert not [title for title in titles if title.isascii()]

    seen()
    assert "未选择决定" in answer(there, by=provider)
    assert "“承诺日期”" in answer(there, by=provider, verdict="接单", promised_on="下周")
    assert "太晚" in answer(there, by=provider, verdict="接单", promised_on="2027-03-12")
    assert answer(there, by=provider, verdict="接单", promised_on="2026-03-13", reason="前一天有义诊") == ""
    assert there.context("order_answered")["reason"] == "前一天有义诊"
    seen()
    assert "“服务人数”" in answer(there, by=provider, verdict="已送达")
    assert "晚于今天" in answer(there, by=provider, verdict="已送达", served=3, delivered_on="2026-03-20")
    assert answer(there, by="沈审核(P001)", verdict="已送达", served=22) == ""
    seen()
    assert form(there).model_json_schema()["properties"]["served"]["default"] == 22
    assert "评价0分不在范围内,须为1至5分" in answer(there, by=leader, verdict="确认送达")
    assert answer(there, by=leader, verdict="确认送达", rating=3) == ""
    assert (there.order().rating, there.order().served) == (3, 22)
    assert there.town.case(there.number).outcome is Outcome.DELIVERED


def test_who_is_no_part_of_an_order_decides_nothing_in_it(open_sqlite: OpenTown) -> None:
    there = services_in(open_sqlite)
    town = there.town
    town.add_person("P070", "外人", Role.LIAISON, "ZD")
    there.place()
    with pytest.raises(Refused, match="现为卫联系\\(F001\\)、沈审核\\(P001\\)、施审核\\(P002\\)"):
        there.take(by=HEAD_OF_OFFICE)
    with pytest.raises(Refused, match="现处于“接单”环节,不能办理“服务确认”"):
        there.confirm()
    there.take()
    there.deliver()
    with pytest.raises(Refused, match="须由客堂间负责人办理"):
        there.confirm(by="P070")
