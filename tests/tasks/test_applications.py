"""Applications: what an edition asks of them, and who may not apply."""

from datetime import timedelta

import pytest

from policies.errors import BadPolicy, Refused
from policies.vocabulary import Answer, Gate, Verdict
from tests.desks import OpenTown, variant
from tests.township import LIAISON, RESPONSIBLE, REVIEWER, Township, at

WARNED = [
    pytest.param({"volunteers": 9}, "志愿者人数", "volunteers_usual", "二、2", id="nine-volunteers"),
    pytest.param({"volunteers": 31}, "志愿者人数", "volunteers_usual", "二、2", id="thirty-one-volunteers"),
    pytest.param({"area_square_metres": "18"}, "活动空间", "area", "三、1", id="eighteen-square-metres"),
]


@pytest.mark.parametrize(("facts", "name", "code", "clause"), WARNED)
def test_what_is_off_the_usual_must_be_acknowledged_before_approval(
    town: Township, facts: dict[str, object], name: str, code: str, clause: str
) -> None:
    town.apply(**facts)
    town.everybody_agrees()
    town.decide(Verdict.FORWARDED, by=RESPONSIBLE)
    assert all(name in entry.sent_text for entry in town.entries("review_waiting"))

    with pytest.raises(Refused, match=f"批准前须逐条确认已知悉以下提示:{name}") as refused:
        town.decide(Verdict.APPROVED, by=REVIEWER)
    assert refused.value.clause == clause
    with pytest.raises(Refused, match="批准前须逐条确认"):
        town.decide(Verdict.APPROVED, by=REVIEWER, acknowledged=["别的提示"])
    town.decide(Verdict.APPROVED, by=REVIEWER, acknowledged=[name])

    assert town.gate() is Gate.PLAQUE
    assert town.decisions()[-1].acknowledged == [code]


@pytest.mark.parametrize("facts", [{"volunteers": 10}, {"volunteers": 30}, {"area_square_metres": "20"}])
def test_the_bounds_themselves_are_usual(town: Township, facts: dict[str, object]) -> None:
    town.apply(**facts)
    (application,) = town.state()["site_applications"]
    assert "volunteers_usual" not in str(application)
    town.everybody_agrees()
    town.decide(Verdict.FORWARDED, by=RESPONSIBLE)
    town.decide(Verdict.APPROVED, by=REVIEWER)
    assert town.gate() is Gate.PLAQUE


def test_one_of_two_warnings_acknowledged_is_not_enough(town: Township) -> None:
    town.apply(volunteers=9, area_square_metres="18")
    town.everybody_agrees()
    town.decide(Verdict.FORWARDED, by=RESPONSIBLE)
    with pytest.raises(Refused, match="以下提示:活动空间"):
        town.decide(Verdict.APPROVED, by=REVIEWER, acknowledged=["志愿者人数"])
    assert town.gate() is Gate.OFFICE_REVIEW


def test_nobody_is_refused_with_every_reason_at_once(town: Township) -> None:
    before = town.state()
    with pytest.raises(Refused) as refused:
        town.apply(volunteers=0, leader_source="热心社区志愿者", recommended_by="", leader_agrees=False)
    told = str(refused.value)
    assert all(part in told for part in ("现有0人", "热心社区志愿者", "推荐组织一栏为空", "负责人须本人愿意"))
    assert "二、1" in refused.value.clause
    assert "二、2" in refused.value.clause
    assert town.state() == before


def test_the_household_itself_must_be_willing(town: Township) -> None:
    with pytest.raises(Refused, match="未勾选“户主自愿”"):
        town.apply(household_agrees=False)


def test_a_missing_facility_is_cured_before_the_plaque(town: Township) -> None:
    town.apply(facilities=["客厅", "卫生间", "电视机", "桌椅", "书报"])
    town.everybody_agrees()
    town.decide(Verdict.FORWARDED, by=RESPONSIBLE)
    town.decide(Verdict.APPROVED, by=REVIEWER)
    assert all("空调(电风扇)" in entry.sent_text for entry in town.entries("plaque_due"))

    town.finish_works()
    assert town.gate() is Gate.PLAQUE, "the three works are done, the deficiency is not"
    with pytest.raises(Refused, match=r"尚有未完成事项:补齐:空调\(电风扇\)") as refused:
        town.decide(Verdict.COMPLETED, by=REVIEWER)
    assert refused.value.clause == "三、1"
    left = town.record({"补齐:空调(电风扇)": REVIEWER})
    assert left == ()
    assert town.gate() is Gate.SUBSIDY


def test_a_fan_is_as_good_as_an_air_conditioner(town: Township) -> None:
    town.apply(facilities=["客厅", "卫生间", "电视机", "电风扇", "桌椅", "书报"])
    assert "cooling" not in str(town.state()["site_applications"])


@pytest.mark.parametrize("now", ["2018-08-31 23:59", "2018-12-01 00:00", "2019-03-01 10:00"])
def test_outside_the_window_the_window_is_named(open_sqlite: OpenTown, now: str) -> None:
    town = open_sqlite("zhujiajiao-2018", now)
    before = town.state()
    with pytest.raises(Refused, match="2018年9月1日至11月30日") as refused:
        town.apply()
    assert refused.value.clause == "五、2"
    assert town.state() == before


@pytest.mark.parametrize("now", ["2018-09-01 00:00", "2018-11-30 23:59"])
def test_the_first_and_the_last_day_lie_in_the_window(open_sqlite: OpenTown, now: str) -> None:
    town = open_sqlite("zhujiajiao-2018", now)
    assert town.apply() == "ZJJ-2018-0001"


def test_before_the_edition_is_in_force_nobody_applies(open_sqlite: OpenTown) -> None:
    with pytest.raises(Refused, match="不在施行期内"):
        open_sqlite("example-2026", "2025-12-31 23:00").apply()


def test_a_household_applies_once(town: Township) -> None:
    number = town.apply()
    with pytest.raises(Refused, match=f"户号“ZD01-001”已有在办申请 {number}"):
        town.apply(key="second")
    town.everybody_agrees(number=number)
    town.decide(Verdict.FORWARDED, by=RESPONSIBLE, number=number)
    town.decide(Verdict.APPROVED, by=REVIEWER, number=number)
    town.finish_works()
    town.finish_subsidy()
    with pytest.raises(Refused, match=f"已建成客堂间 {number}-S,不能重复申请"):
        town.apply(key="third")


def test_the_same_key_opens_one_case_however_often_it_is_tried(both: Township) -> None:
    first = both.apply(key="run-1")
    before = both.state()
    assert both.apply(key="run-1", volunteers=20) == first
    assert both.state() == before


def test_unknown_household_and_person_are_named(town: Township) -> None:
    with pytest.raises(Refused, match="没有户号“ZD99-001”"):
        town.apply(household="ZD99-001")
    with pytest.raises(Refused, match="没有在职人员“P777”"):
        town.apply(leader="P777")


def test_an_edition_changed_after_it_was_published_opens_no_case(town: Township) -> None:
    town.apply()
    changed = variant("zhujiajiao-2018", "zhujiajiao-2018", ("amount_yuan: 10000", "amount_yuan: 20000"))
    object.__setattr__(town.resources, "editions", {**town.resources.editions, "zhujiajiao-2018": changed})
    with pytest.raises(BadPolicy, match="公布后不得改动"):
        town.apply(household="ZD01-002")


STANDARDS = ["悬挂1块统一标识的铭牌", "1间宽敞的农家客堂间"]


@pytest.mark.parametrize("missing", STANDARDS)
def test_xuhang_asks_for_its_three_things(open_sqlite: OpenTown, missing: str) -> None:
    town = open_sqlite("xuhang-2013", "2013-03-04 10:00")
    with pytest.raises(Refused, match=f"未确认“{missing}”") as refused:
        town.apply(confirmations=[each for each in STANDARDS if each != missing])
    assert refused.value.clause == "主要做法、1"
    with pytest.raises(Refused, match="热心的社区志愿者现有0人,应为1人以上"):
        town.apply(volunteers=0)
    assert town.apply(volunteers=1, area_square_metres="12", facilities=[]) == "XH-2013-0001"


def five_cases_at_review(town: Township) -> list[str]:
    numbers = []
    for household in range(1, 6):
        number = town.apply(household=f"ZD01-{household:03d}")
        town.everybody_agrees(number=number)
        town.decide(Verdict.FORWARDED, by=LIAISON, number=number)
        numbers.append(number)
    return numbers


def test_the_fifth_approval_of_a_village_in_a_year_is_refused_with_the_figure(open_sqlite: OpenTown) -> None:
    town = open_sqlite("xuhang-2013", "2013-03-04 10:00", households=6)
    *four, fifth = five_cases_at_review(town)
    for number in four:
        town.decide(Verdict.APPROVED, by=REVIEWER, number=number)
    with pytest.raises(Refused, match=r"2013年已有4个,每村\(居\)每年至多4个") as refused:
        town.decide(Verdict.APPROVED, by=REVIEWER, number=fifth)
    assert refused.value.clause == "主要做法、1"
    assert town.gate(fifth) is Gate.OFFICE_REVIEW
    with pytest.raises(Refused, match="每年至多4个"):
        town.apply(household="ZD01-006")

    town.number = four[0]
    town.withdraw()
    town.decide(Verdict.APPROVED, by=REVIEWER, number=fifth)
    assert town.gate(fifth) is Gate.PLAQUE, "a place that was given back is free again"


def test_another_village_has_a_quota_of_its_own(open_sqlite: OpenTown) -> None:
    town = open_sqlite("xuhang-2013", "2013-03-04 10:00", households=5)
    for number in five_cases_at_review(town)[:4]:
        town.decide(Verdict.APPROVED, by=REVIEWER, number=number)
    town.add_village("YY")
    town.add_group("YY01", village="YY")
    assert town.apply(household="YY01-001") == "XH-2013-0006"


def test_a_corrected_file_is_held_to_the_same_standards(town: Township) -> None:
    town.to_gate(Gate.VILLAGE_FORWARD)
    town.decide(Verdict.RETURNED, by=RESPONSIBLE, reason="请核对人数")
    before = town.state()
    with pytest.raises(Refused, match="现有0人"):
        town.resubmit(volunteers=0)
    with pytest.raises(Refused, match=r"须由客堂间负责人办理,现为陆负责\(P030\)"):
        town.resubmit(by=RESPONSIBLE)
    assert town.state() == before
    town.resubmit(volunteers=31)
    town.decide(Verdict.FORWARDED, by=RESPONSIBLE)
    with pytest.raises(Refused, match="以下提示:志愿者人数"):
        town.decide(Verdict.APPROVED, by=REVIEWER)


def test_the_works_need_date_and_proof(town: Township) -> None:
    town.to_gate(Gate.PLAQUE)
    today = town.now().date()
    with pytest.raises(Refused, match=r"完成日期.*晚于今天"):
        town.record({"plaque": REVIEWER}, done_on=today + timedelta(days=1))
    with pytest.raises(Refused, match="早于申请日2018年10月8日"):
        town.record({"plaque": REVIEWER}, done_on=today - timedelta(days=1))
    with pytest.raises(Refused, match="“种树”不是本环节的事项,可登记:挂牌“话角里·客堂间”、制度上墙"):
        town.record({"种树": REVIEWER})
    with pytest.raises(Refused, match=r"路人甲\(P099\)无权办理"):
        town.record({"plaque": "P099"})
    assert town.record({"plaque": REVIEWER}) == ("制度上墙", "添置专用书报架等设施设备")
    with pytest.raises(Refused, match="“挂牌“话角里·客堂间””已登记"):
        town.record({"plaque": REVIEWER})


def test_a_day_begins_at_midnight_in_shanghai(open_sqlite: OpenTown) -> None:
    town = open_sqlite("zhujiajiao-2018", "2018-10-08 01:00")
    town.to_gate(Gate.PLAQUE)
    with pytest.raises(Refused, match="早于申请日2018年10月8日"):
        town.record({"plaque": REVIEWER}, done_on=at("2018-10-07 12:00").date())
    town.record({"plaque": REVIEWER}, done_on=at("2018-10-08 00:00").date())


def test_answers_stand_together_or_not_at_all(town: Township) -> None:
    town.apply()
    before = town.state()
    with pytest.raises(Refused, match=r"不在本组\(第一组\)征求意见的农户名册内:ZD02-001、ZD09-001"):
        town.answer({"ZD01-001": Answer.AGREE, "ZD09-001": Answer.AGREE, "ZD02-001": Answer.OBJECT})
    assert town.state() == before
