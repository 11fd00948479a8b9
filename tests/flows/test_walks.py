"""Walks: a list of what people do and what time does, and where the case is then."""

import pytest

from policies.errors import Refused
from policies.vocabulary import Answer, CaseStatus, Door, Gate, Outcome, SiteStatus, Verdict
from tests.desks import OpenTown
from tests.township import LIAISON, RESPONSIBLE, REVIEWER, Township

LEADER, HOUSEHOLD, HEAD, VILLAGE, CONTACT = "陆负责", "户主1", "顾组长", "周责任", "李联络"
REVIEWERS = ["沈审核", "施审核"]


def letters(*groups: tuple[str, list[str]]) -> list[tuple[str, str]]:
    return [(letter, name) for letter, names in groups for name in names]


STRAIGHT = [
    ("application_received", [LEADER, HOUSEHOLD, VILLAGE]),
    ("consent_asked", [HEAD, HOUSEHOLD]),
    ("consent_complete", [LEADER, HOUSEHOLD, VILLAGE]),
    ("forward_waiting", [VILLAGE]),
    ("review_waiting", REVIEWERS),
    ("approved", [LEADER, HOUSEHOLD, VILLAGE]),
    ("plaque_due", REVIEWERS),
]
SUBSIDY = [("subsidy_due", REVIEWERS), ("subsidy_paid", [LEADER, HOUSEHOLD, VILLAGE])]
CLOSED = [("case_closed", [LEADER, HOUSEHOLD, VILLAGE])]
XUHANG = [(letter, [CONTACT if name == VILLAGE else name for name in names]) for letter, names in STRAIGHT + CLOSED]

EDITIONS = [
    pytest.param("zhujiajiao-2018", "2018-10-08 10:00", STRAIGHT + SUBSIDY + CLOSED, "ZJJ-2018-0001", id="zhujiajiao"),
    pytest.param("example-2026", "2026-03-02 10:00", STRAIGHT + SUBSIDY + CLOSED, "KT-2026-0001", id="example"),
    pytest.param("xuhang-2013", "2013-03-04 10:00", XUHANG, "XH-2013-0001", id="xuhang"),
]


@pytest.mark.parametrize(("edition", "now", "expected", "number"), EDITIONS)
def test_an_application_is_carried_from_the_form_to_the_list(
    open_town: OpenTown, edition: str, now: str, expected: list[tuple[str, list[str]]], number: str
) -> None:
    town = open_town(edition, now)
    gates = []
    for act in (
        town.apply,
        town.everybody_agrees,
        lambda: town.decide(Verdict.FORWARDED, by=town.forwarder()),
        lambda: town.decide(Verdict.APPROVED, by=REVIEWER),
        town.finish_works,
        *([town.finish_subsidy] if town.edition().site.subsidy else []),
    ):
        act()
        gates.append(town.gate())

    subsidy = [Gate.SUBSIDY] if town.edition().site.subsidy else []
    way = [Gate.HOUSEHOLD_CONSENT, Gate.VILLAGE_FORWARD, Gate.OFFICE_REVIEW, Gate.PLAQUE, *subsidy]
    assert gates == [*way, None]
    case = town.case()
    assert (case.number, case.status, case.outcome) == (number, CaseStatus.CLOSED, Outcome.LISTED)
    assert town.letters() == letters(*expected)
    assert {entry.status.value for entry in town.entries()} == {"sent"}
    (site,) = town.state()["sites"]
    assert SiteStatus.ACTIVE in site
    assert f"{number}-S" in site
    verdicts = [Verdict.CARRIED, Verdict.FORWARDED, Verdict.APPROVED, Verdict.COMPLETED]
    assert [each.verdict for each in town.decisions()] == verdicts + [Verdict.COMPLETED] * len(subsidy)


def test_a_household_that_objects_blocks_until_it_changes_its_mind(town: Township) -> None:
    town.apply()
    everybody = [f"ZD01-{number:03d}" for number in range(1, 5)]
    counted = town.answer(dict.fromkeys(everybody[:3], Answer.AGREE) | {everybody[3]: Answer.OBJECT})
    assert (counted.agreeing, counted.carried, len(counted.objecting)) == (3, False, 1)
    assert town.gate() is Gate.HOUSEHOLD_CONSENT

    counted = town.answer({everybody[0]: Answer.OBJECT, everybody[3]: Answer.AGREE})
    assert (counted.agreeing, counted.carried) == (3, False), "the first one may change its answer too"
    counted = town.answer({everybody[0]: Answer.AGREE})

    assert counted.carried
    assert town.gate() is Gate.VILLAGE_FORWARD
    with pytest.raises(Refused, match=r"“农户同意”已由顾组长\(P020\)于.*全体同意"):
        town.answer({everybody[3]: Answer.OBJECT})


def test_nobody_but_the_count_declares_the_households_agreed(town: Township) -> None:
    town.apply()
    for verdict in (Verdict.CARRIED, Verdict.NOT_CARRIED):
        with pytest.raises(Refused, match="不能由人填报"):
            town.decide(verdict, by="P020")
    assert town.gate() is Gate.HOUSEHOLD_CONSENT
    assert town.decisions() == []


def test_missing_and_objecting_households_are_returned_with_the_list_and_asked_again(both: Township) -> None:
    town = both
    town.apply()
    town.answer({"ZD01-001": Answer.AGREE, "ZD01-002": Answer.OBJECT, "ZD01-003": Answer.AGREE})
    town.pass_until("2018-11-08 08:00")

    assert town.gate() is Gate.CORRECTION
    (lapse,) = town.decisions()
    assert (lapse.verdict, lapse.door, lapse.decided_by_id) == (Verdict.NOT_CARRIED, Door.LAPSE, None)
    assert lapse.details["missing"] == ["ZD01-004 户主4"]
    assert lapse.details["objecting"] == ["ZD01-002 户主2"]
    assert (lapse.details["entitled"], lapse.details["agreeing"]) == (4, 2)
    missing = town.entries("consent_missing")
    assert [entry.to_name for entry in missing] == [LEADER, HOUSEHOLD, HEAD, VILLAGE]
    assert all("ZD01-004 户主4" in entry.sent_text and "ZD01-002 户主2" in entry.sent_text for entry in missing)

    town.resubmit(volunteers=15)
    assert (town.gate(), town.item().round) == (Gate.HOUSEHOLD_CONSENT, 2)
    assert town.told("consent_asked") == [HEAD, HOUSEHOLD] * 2
    town.answer(dict.fromkeys(["ZD01-001", "ZD01-002", "ZD01-003"], Answer.AGREE))
    assert town.gate() is Gate.HOUSEHOLD_CONSENT, "answers of the first round do not count in the second"
    town.answer({"ZD01-004": Answer.AGREE})
    assert town.gate() is Gate.VILLAGE_FORWARD


def test_a_correction_that_never_comes_ends_the_case(both: Township) -> None:
    town = both
    town.apply()
    town.pass_until("2018-12-31 12:00")

    case = town.case()
    assert (case.status, case.outcome) == (CaseStatus.CLOSED, Outcome.LAPSED)
    assert "2018年12月10日期满未办理" in case.because
    assert [each.verdict for each in town.decisions()] == [Verdict.NOT_CARRIED, Verdict.LAPSED]
    assert town.told("case_closed") == [LEADER, HOUSEHOLD, VILLAGE]
    assert town.gate() is None
    with pytest.raises(Refused, match=r"已办结\(逾期终止\)"):
        town.resubmit()


def test_the_village_returns_and_the_corrected_file_comes_back_to_it(town: Township) -> None:
    town.to_gate(Gate.VILLAGE_FORWARD)
    with pytest.raises(Refused, match="须写明理由"):
        town.decide(Verdict.RETURNED, by=RESPONSIBLE)
    town.decide(Verdict.RETURNED, by=RESPONSIBLE, reason="特色主题不清楚")

    assert town.gate() is Gate.CORRECTION
    returned = town.entries("returned")
    assert [entry.to_name for entry in returned] == [LEADER, HOUSEHOLD], "who returned it has nothing to correct"
    assert all("特色主题不清楚" in entry.sent_text for entry in returned)
    town.resubmit(speciality="书画")
    assert (town.gate(), town.item().round) == (Gate.VILLAGE_FORWARD, 2)
    assert town.told("consent_asked") == [HEAD, HOUSEHOLD], "the households are not asked again"


def test_the_office_returns_up_to_the_limit_and_then_is_refused_with_the_figure(town: Township) -> None:
    town.to_gate(Gate.OFFICE_REVIEW)
    for round_ in (1, 2, 3):
        assert town.item().round == round_
        with pytest.raises(Refused, match="须写明理由"):
            town.decide(Verdict.RETURNED, by=REVIEWER)
        town.decide(Verdict.RETURNED, by=REVIEWER, reason=f"第{round_}次退回")
        assert town.gate() is Gate.CORRECTION
        assert town.told("returned") == [LEADER, HOUSEHOLD, VILLAGE] * round_
        town.resubmit(volunteers=10 + round_)
        assert town.gate() is Gate.OFFICE_REVIEW

    with pytest.raises(Refused, match="已退回补正3次,达到上限3次,不能再退回"):
        town.decide(Verdict.RETURNED, by=REVIEWER, reason="再退一次")
    assert (town.gate(), town.item().round) == (Gate.OFFICE_REVIEW, 4)
    town.decide(Verdict.APPROVED, by=REVIEWER)
    assert town.gate() is Gate.PLAQUE


def test_the_office_rejects_with_its_reason(town: Township) -> None:
    town.to_gate(Gate.OFFICE_REVIEW)
    with pytest.raises(Refused, match="须写明理由"):
        town.decide(Verdict.REJECTED, by=REVIEWER, reason="   ")
    town.decide(Verdict.REJECTED, by=REVIEWER, reason="该住宅已列入拆迁范围")

    case = town.case()
    assert (case.outcome, case.because) == (Outcome.REJECTED, "该住宅已列入拆迁范围")
    assert town.told("rejected") == [LEADER, HOUSEHOLD, VILLAGE]
    assert "该住宅已列入拆迁范围" in town.entries("rejected")[0].sent_text
    assert town.told("case_closed") == [], "the refusal is told once"
    assert town.state()["sites"] == []


GATES = [Gate.HOUSEHOLD_CONSENT, Gate.VILLAGE_FORWARD, Gate.OFFICE_REVIEW, Gate.CORRECTION, Gate.PLAQUE]


@pytest.mark.parametrize("gate", GATES)
def test_the_applicant_withdraws_at_every_gate(town: Township, gate: Gate) -> None:
    if gate is Gate.CORRECTION:
        town.to_gate(Gate.VILLAGE_FORWARD)
        town.decide(Verdict.RETURNED, by=RESPONSIBLE, reason="请补充")
    else:
        town.to_gate(gate)
    with pytest.raises(Refused, match=r"只有申请的负责人陆负责\(P030\)可以撤回"):
        town.withdraw(by=REVIEWER)
    town.withdraw(reason="房屋另有用途")

    case = town.case()
    assert (case.status, case.outcome, case.because) == (CaseStatus.CLOSED, Outcome.WITHDRAWN, "房屋另有用途")
    assert town.told("case_closed") == [LEADER, HOUSEHOLD, VILLAGE]
    assert town.timers() == []
    assert town.apply(key="again").endswith("-0002"), "the household may apply anew"


def test_nobody_withdraws_once_the_money_is_on_its_way(town: Township) -> None:
    town.to_gate(Gate.SUBSIDY)
    with pytest.raises(Refused, match="“补贴拨付”环节不能作出“撤回申请”"):
        town.withdraw()
    assert town.gate() is Gate.SUBSIDY


def test_the_liaison_forwards_in_xuhang_and_nobody_else(open_sqlite: OpenTown) -> None:
    town = open_sqlite("xuhang-2013", "2013-03-04 10:00")
    town.to_gate(Gate.VILLAGE_FORWARD)
    with pytest.raises(Refused, match=r"须由联络员办理,现为李联络\(P011\)"):
        town.decide(Verdict.FORWARDED, by=RESPONSIBLE)
    town.decide(Verdict.FORWARDED, by=LIAISON)
    assert town.gate() is Gate.OFFICE_REVIEW
