"""What may be asked for about a listed parlour, by whom; the doors; two at once."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, text, update

from flows.answers import apply
from flows.forms import form_for
from models.case import Case
from models.registry import Household, Person
from models.site_life import SiteSpell
from policies.errors import Refused
from policies.load import EDITIONS, parse_edition
from policies.vocabulary import CaseKind, CaseStatus, Door, Gate, SiteStatus, Verdict
from tasks import applications, changes, decisions
from tasks.asks import claim_run, new_ask
from tasks.case_file import case_file
from tasks.cases import Asked
from tasks.change_commands import ApplyForChange
from tasks.change_rests import begin_due_rests
from tasks.commands import ApplyForSite, Decide
from tasks.site_page import site_page
from tests.changes import NEW_LEADER, a_site, approve, ask_for, fields, leader_code, sound, support
from tests.desks import OpenTown
from tests.flows.test_two_at_once import at_once
from tests.parlours import add_site, add_village, site_of
from tests.township import GROUP_HEAD, HEAD_OF_OFFICE, LIAISON, RESPONSIBLE, REVIEWER, STRANGER, Township, at


@pytest.fixture
def town(open_sqlite: OpenTown) -> Township:
    """The example town on a Monday in March."""
    return open_sqlite("example-2026", "2026-03-02 09:00")


def refused(town: Township, number: str, kind: str, **more: Any) -> str:
    """Why a change is refused; nothing was written."""
    before = town.state()
    with pytest.raises(Refused) as refusal:
        ask_for(town, number, kind, **more)
    assert town.state() == before
    return str(refusal.value)


def test_village_and_office_may_apply_in_the_leaders_stead_and_nobody_else(town: Township) -> None:
    number = a_site(town)
    for by in (RESPONSIBLE, LIAISON, REVIEWER, HEAD_OF_OFFICE):
        ask_for(town, number, "更换负责人", by=by, key=by)
        assert town.gate() is Gate.CHANGE_OPINION
        town.withdraw(by=by)
    assert {"周责任", "负责人" + leader_code(town, number)[1:]} <= set(town.told("change_received"))
    for by in (STRANGER, GROUP_HEAD):
        told = refused(town, number, "注销", by=by)
        assert "无权为客堂间" in told
        assert "村(居)委会责任人、联络员、社区办审核员、社区办负责人" in told


def test_a_leader_of_another_site_may_not_apply(town: Township) -> None:
    number, other = a_site(town), add_site(town)
    assert "无权" in refused(town, number, "注销", by=leader_code(town, other))


def test_a_new_leader_must_meet_the_rule_of_leaders(town: Township) -> None:
    number = a_site(town)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"leader": ""}, "“新负责人”为空"),
        ({"leader_source": ""}, "“新负责人来源”为空"),
        ({"leader": "P404"}, "没有在职人员“P404”"),
        ({"recommended_by": ""}, "推荐组织一栏为空"),
        ({"leader_agrees": False}, "负责人须本人愿意"),
        ({"rests_from": "2026-04-01"}, "却填写了“申请暂停运行”的内容:暂停首日"),
        ({"household": "ZD01-001"}, "却填写了“迁址”的内容:迁入户号"),
    ]
    for more, told in cases:
        assert told in refused(town, number, "更换负责人", **more)


def test_a_source_that_the_edition_does_not_know_is_refused(open_sqlite: OpenTown) -> None:
    town = open_sqlite("zhujiajiao-2018", "2018-10-08 10:00")
    number = a_site(town)
    told = refused(town, number, "更换负责人", leader_source="热心社区志愿者")
    assert "负责人来源为“热心社区志愿者”" in told
    assert "二、1" in told


def test_the_leader_there_is_can_not_be_the_new_one(town: Township) -> None:
    number = a_site(town)
    assert "现在就是客堂间" in refused(town, number, "更换负责人", leader=leader_code(town, number))


def test_a_new_place_is_held_against_the_standards(town: Township) -> None:
    number = a_site(town)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"household": ""}, "迁入户号,现为空"),
        ({"household": "没有"}, "没有户号“没有”"),
        ({"household_agrees": False}, "未勾选“迁入户户主自愿”"),
        ({"volunteers": 0}, "志愿者"),
        ({"area_square_metres": "0"}, "现为0平方米"),
        ({"leader": NEW_LEADER}, "却填写了“更换负责人”的内容:新负责人"),
    ]
    for more, told in cases:
        assert told in refused(town, number, "迁址", **more)


def test_a_site_moves_within_its_village_into_a_household_that_has_none(town: Township) -> None:
    number, other = a_site(town), add_site(town)
    add_village(town, "LH", "林家村")
    elsewhere = add_site(town, village="LH")
    places = {each: place_of(town, each) for each in (number, other, elsewhere)}
    assert "无须迁址" in refused(town, number, "迁址", household=places[number])
    assert f"已建成客堂间 {other}" in refused(town, number, "迁址", household=places[other])
    told = refused(town, number, "迁址", household=places[elsewhere])
    assert "属于林家村" in told
    assert "只能在本村(居)内迁址" in told
    applied = town.apply(household="ZD01-002")
    assert f"已有在办申请 {applied}" in refused(town, number, "迁址", household="ZD01-002")
    moving = ask_for(town, number, "迁址", household="ZD01-003")
    assert f"拟迁入(案件 {moving})" in refused(town, other, "迁址", household="ZD01-003")
    with pytest.raises(Refused, match=f"拟迁入\\(案件 {moving}\\)"):
        town.apply(household="ZD01-003", key="x")
    with town.resources.database.write() as session:
        session.scalars(select(Household).where(Household.number == "ZD01-004")).one().active = False
    assert "已不在册" in refused(town, other, "迁址", household="ZD01-004")


def place_of(town: Township, number: str) -> str:
    with town.resources.database.read() as session:
        household_id = site_of(town, number).household_id
        return session.scalars(select(Household.number).where(Household.id == household_id)).one()


def test_a_rest_is_neither_past_nor_too_long(town: Township) -> None:
    number = a_site(town)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"rests_from": None}, "须填写暂停首日和暂停末日"),
        ({"rests_from": "2026-03-01"}, "暂停首日2026-03-01早于今天(2026-03-02)"),
        ({"rests_from": "2026-05-01"}, "暂停末日2026-04-30早于暂停首日2026-05-01"),
        ({"rests_from": "2026-03-02", "rests_until": "2026-08-29"}, "申请暂停181日(2026-03-02至2026-08-29),最长180日"),
    ]
    for more, told in cases:
        assert told in refused(town, number, "申请暂停运行", **more)


def test_a_rest_may_be_as_long_as_the_edition_allows(town: Township) -> None:
    ask_for(town, a_site(town), "申请暂停运行", rests_from="2026-03-02", rests_until="2026-08-28")
    assert town.gate() is Gate.CHANGE_OPINION


def test_a_rest_that_is_over_can_not_be_approved(town: Township) -> None:
    number = a_site(town)
    ask_for(town, number, "申请暂停运行", rests_from="2026-03-02", rests_until="2026-03-03")
    support(town)
    town.pass_until("2026-03-04 09:00")
    with pytest.raises(Refused, match="申请的暂停期已于2026-03-03届满"):
        approve(town)


def test_a_site_has_one_open_change_of_a_kind(town: Township) -> None:
    number = a_site(town)
    first = ask_for(town, number, "注销")
    assert f"已有在办的“注销”(案件 {first})" in refused(town, number, "注销", key="second")
    ask_for(town, number, "更换负责人")
    ask_for(town, number, "申请暂停运行", rests_from="2026-03-02")
    support(town)
    approve(town)
    assert site_of(town, number).status is SiteStatus.SUSPENDED
    town.decide(Verdict.RESUMED, by=REVIEWER)
    ask_for(town, number, "申请暂停运行", key="later")


def test_of_two_applications_at_once_one_stands(open_town: OpenTown) -> None:
    both = open_town("example-2026", "2026-03-02 09:00")
    number, other = a_site(both), add_site(both)

    def applying(site: str, kind: str, key: str) -> Any:
        command = ApplyForChange.model_validate(fields(both, site, kind))
        return lambda: changes.apply_for_change(both.resources, command, door=Door.CLI, key=key, at=both.now())

    house = ApplyForSite.model_validate(both.application(household="ZD01-001"))

    def building() -> str:
        return applications.apply_for_site(both.resources, house, door=Door.CLI, key="house", at=both.now())

    results = at_once(
        [applying(number, "迁址", "a"), applying(number, "迁址", "b"), applying(other, "迁址", "c"), building]
    )
    assert len([each for each in results if isinstance(each, str)]) == 1
    assert len([each for each in results if isinstance(each, Refused)]) == 3
    same = at_once([applying(number, "注销", "same")] * 3)
    assert len(set(same)) == 1
    with both.resources.database.read() as session:
        closing = session.scalars(select(Case).where(Case.kind == CaseKind.SITE_CHANGE, Case.opening_key == "same"))
        assert len(closing.all()) == 1
    sound(both)


def form(town: Township) -> Any:
    """The form of the gate that waits."""
    file = case_file(town.resources, town.number, at=town.now())
    assert file.awaited is not None
    made = form_for(town.resources, file, file.awaited)
    made.model_validate({})
    titles = [field["title"] for field in made.model_json_schema()["properties"].values()]
    assert not [title for title in titles if title.isascii()]
    return made


def answer(town: Township, by: str, **filled: Any) -> str:
    """Fill in the form of the gate that waits; the refusal, if there is one."""
    with town.resources.database.read() as session:
        display = session.scalars(select(Person).where(Person.code == by)).one().display
    filled = form(town).model_validate({"by": display} | filled).model_dump(mode="json", include={"by", *filled})
    item = town.item()
    assert item is not None
    ask = new_ask(town.resources, item.id, claim_run(town.resources, town.number, "run"), at=town.now())
    assert ask is not None
    asked = Asked(work_item=item.id, ask=ask.id)
    refusal = apply(town.resources, town.number, item.gate, filled, asked, at=town.now())
    town.rehearsal.carry(town.number)
    return refusal


def test_a_move_is_carried_to_its_end_by_its_forms_alone(town: Township) -> None:
    number = a_site(town)
    ask_for(town, number, "迁址", area_square_metres="18")
    assert "未选择决定" in answer(town, RESPONSIBLE)
    assert answer(town, RESPONSIBLE, verdict="同意变更") == ""
    assert answer(town, GROUP_HEAD, agreeing=[f"ZD01-00{n} 户主{n}" for n in range(1, 5)]) == ""
    assert "批准前须逐条确认" in answer(town, REVIEWER, verdict="批准")
    assert answer(town, REVIEWER, verdict="批准", acknowledged=["活动空间"]) == ""
    assert "未登记任何完成事项" in answer(town, REVIEWER)
    works = [
        {"point": work.name, "done_on": "2026-03-02", "proof": town.proof(f"{work.code}.jpg")}
        for work in town.edition().site.works
    ]
    assert answer(town, REVIEWER, works=works) == ""
    assert place_of(town, number) == "ZD01-001"
    sound(town)


def test_a_rest_is_broken_off_by_its_form(town: Township) -> None:
    number = a_site(town)
    ask_for(town, number, "申请暂停运行", rests_from="2026-03-02")
    assert answer(town, RESPONSIBLE, verdict="不同意变更", reason="活动正热") == ""
    assert answer(town, REVIEWER, verdict="批准") == ""
    assert site_of(town, number).status is SiteStatus.SUSPENDED
    assert answer(town, REVIEWER, verdict="恢复运行", reason="负责人来电") == ""
    assert site_of(town, number).status is SiteStatus.ACTIVE


def test_an_applicant_withdraws_by_the_form(town: Township) -> None:
    number = a_site(town)
    ask_for(town, number, "注销")
    assert "须填写理由" in answer(town, leader_code(town, number), verdict="撤回申请")
    assert answer(town, leader_code(town, number), verdict="撤回申请", reason="再办一年") == ""
    assert town.gate() is None
    assert site_of(town, number).status is SiteStatus.ACTIVE


def test_the_page_of_a_site_says_what_is_on_record_and_nothing_else(town: Township) -> None:
    number = a_site(town)
    empty = site_page(town.resources, number, at=town.now())
    assert empty.count("\n无\n") == 7
    assert "| 状态 | 运行中(自2026-03-02) |" in empty
    assert "| 补贴结余 | 无补贴 |" in empty
    ask_for(town, number, "申请暂停运行", rests_from="2026-03-02")
    support(town)
    approve(town)
    shown = site_page(town.resources, place_of(town, number), at=town.now(), year=2025)
    assert f"| {town.number} | 申请暂停运行 | 2026-03-02 | 2026-03-02 | 等待暂停运行(至2026-04-30) |" in shown
    assert f"| 暂停运行 | 2026-03-02 | 至今 | 家中有事 | {town.number} |" in shown
    assert "## 2025年活动" in shown
    with pytest.raises(Refused, match="名册中没有客堂间"):
        site_page(town.resources, "KT-1999-0001-S", at=town.now())


def test_a_policy_that_says_nothing_of_changes_lets_nobody_apply(open_sqlite: OpenTown) -> None:
    text = (EDITIONS / "example-2026.yaml").read_text(encoding="utf-8").replace("id: example-2026", "id: silent", 1)
    before, _, after = text.partition("  changes:\n")
    silent = parse_edition(f"{before}  urging:{after.partition('  urging:')[2]}".encode(), "silent.yaml")
    town = open_sqlite(silent, "2026-03-02 09:00")
    assert "没有规定客堂间的变更" in refused(town, a_site(town), "注销")


def two_to_rest(town: Township) -> tuple[list[str], list[str]]:
    """Let the day come on which two sites rest; return their numbers and those of the cases."""
    numbers = [a_site(town), a_site(town)]
    cases = [ask_for(town, each, "申请暂停运行", key=each) for each in numbers]
    for case in cases:
        town.number = case
        support(town)
        approve(town)
    town.clock.move_to(at("2026-04-01 00:05"))
    return numbers, cases


def test_a_rest_that_can_not_begin_stops_no_other(town: Township) -> None:
    numbers, cases = two_to_rest(town)
    with town.resources.database.write() as session:
        # Behind the product's back: a site without a spell that goes on.
        broken = site_of(town, numbers[0]).id
        session.execute(update(SiteSpell).where(SiteSpell.site_id == broken).values(until=date(2026, 3, 3)))
    told = begin_due_rests(town.resources, town.now())
    assert f"客堂间暂停1处:{cases[1]}" in told
    assert f"未能暂停,下次巡检再办:{cases[0]}(NoResultFound" in told
    assert site_of(town, numbers[1]).status is SiteStatus.SUSPENDED
    assert begin_due_rests(town.resources, town.now()).startswith("客堂间到日未能暂停")


def test_a_case_whose_number_can_not_be_read_keeps_no_other_from_resting(town: Township) -> None:
    numbers, cases = two_to_rest(town)
    with town.resources.database.write() as session:
        forged = text("UPDATE cases SET number = CAST(x'ff41' AS TEXT) WHERE number = :number")
        session.execute(forged, {"number": cases[0]})
    told = begin_due_rests(town.resources, town.now())
    assert f"客堂间暂停1处:{cases[1]}" in told
    assert "未能暂停,下次巡检再办:\\xffA(" in told
    assert site_of(town, numbers[1]).status is SiteStatus.SUSPENDED


def test_a_closing_and_the_end_of_a_rest_at_once_leave_the_site_closed(open_town: OpenTown) -> None:
    both = open_town("example-2026", "2026-03-02 09:00")
    number = a_site(both)
    rest = ask_for(both, number, "申请暂停运行", rests_from="2026-03-02")
    support(both)
    approve(both)
    closing = ask_for(both, number, "注销")
    support(both)

    def deciding(case: str, verdict: Verdict) -> Any:
        command = Decide(case=case, by=REVIEWER, verdict=verdict.label)
        return lambda: decisions.decide(both.resources, command, door=Door.CLI, at=both.now())

    results = at_once([deciding(closing, Verdict.APPROVED), deciding(rest, Verdict.RESUMED)])
    assert not isinstance(results[0], Refused)
    both.rehearsal.sweep()
    assert site_of(both, number).status is SiteStatus.CLOSED
    assert {both.case(each).status for each in (rest, closing)} == {CaseStatus.CLOSED}
    sound(both)
