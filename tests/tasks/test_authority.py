"""Who may act: the role, the village, the day; 转办 and 催办; the frozen roll."""

from datetime import date

import pytest

from models.registry import Household, Person, Unit
from policies.errors import Refused
from policies.vocabulary import Answer, Gate, Role, Verdict
from tests.desks import OpenTown
from tests.township import (
    GROUP_HEAD,
    HEAD_OF_OFFICE,
    LEADER,
    RESPONSIBLE,
    REVIEWER,
    SECOND_REVIEWER,
    STRANGER,
    Township,
    at,
)

TAKEN = {
    Gate.VILLAGE_FORWARD: (Verdict.FORWARDED, r"须由村\(居\)委会责任人办理,现为周责任\(P010\)"),
    Gate.OFFICE_REVIEW: (Verdict.APPROVED, r"须由社区办审核员办理,现为沈审核\(P001\)、施审核\(P002\)"),
}


@pytest.mark.parametrize("gate", TAKEN)
def test_nobody_decides_but_the_role_of_the_gate(town: Township, gate: Gate) -> None:
    town.to_gate(gate)
    verdict, told = TAKEN[gate]
    before = town.state()
    wrong = {STRANGER, LEADER, GROUP_HEAD, HEAD_OF_OFFICE} | {
        Gate.VILLAGE_FORWARD: {REVIEWER},
        Gate.OFFICE_REVIEW: {RESPONSIBLE},
    }[gate]
    for code in sorted(wrong):
        with pytest.raises(Refused, match=rf"\({code}\)无权办理.*{told}"):
            town.decide(verdict, by=code)
    assert town.state() == before


def test_the_responsible_member_of_another_village_has_no_say(town: Township) -> None:
    town.add_village("YY")
    town.add_group("YY01", village="YY")
    town.add_person("P510", "外村人", Role.VILLAGE_RESPONSIBLE, "YY")
    town.add_person("P520", "外组长", Role.GROUP_HEAD, "YY01")
    town.apply()
    with pytest.raises(Refused, match=r"外组长\(P520\)无权办理"):
        town.answer({"ZD01-001": Answer.AGREE}, by="P520")
    town.everybody_agrees()
    with pytest.raises(Refused, match=r"外村人\(P510\)无权办理"):
        town.decide(Verdict.FORWARDED, by="P510")
    with pytest.raises(Refused, match="与案件 ZJJ-2018-0001 无关,不能催办"):
        town.urge(by="P510")


def test_a_role_counts_to_the_day_before_it_ends(town: Township) -> None:
    town.to_gate(Gate.OFFICE_REVIEW)
    town.end_role(REVIEWER, date(2018, 10, 10))
    town.clock.move_to(at("2018-10-10 00:00"))
    with pytest.raises(Refused, match=r"沈审核\(P001\)无权办理.*现为施审核\(P002\)"):
        town.decide(Verdict.APPROVED, by=REVIEWER)
    town.stand_at(at("2018-10-09 23:59"))
    town.decide(Verdict.APPROVED, by=REVIEWER)
    assert town.gate() is Gate.PLAQUE


def test_somebody_who_left_decides_nothing(town: Township) -> None:
    town.to_gate(Gate.VILLAGE_FORWARD)
    with town.resources.database.write() as session:
        session.query(Person).filter(Person.code == RESPONSIBLE).one().active = False
    with pytest.raises(Refused, match="没有在职人员“P010”"):
        town.decide(Verdict.FORWARDED, by=RESPONSIBLE)


def test_while_a_post_is_vacant_those_decide_to_whom_the_gate_escalates(town: Township) -> None:
    town.end_role(RESPONSIBLE, date(2018, 10, 1))
    town.to_gate(Gate.VILLAGE_FORWARD)
    assert town.told("forward_waiting") == ["沈审核", "施审核"]
    with pytest.raises(Refused, match="无权办理"):
        town.decide(Verdict.FORWARDED, by=RESPONSIBLE)
    town.decide(Verdict.FORWARDED, by=REVIEWER)
    assert town.gate() is Gate.OFFICE_REVIEW


def test_after_handing_over_the_old_one_is_refused_and_the_new_one_decides(town: Township) -> None:
    town.to_gate(Gate.OFFICE_REVIEW)
    town.hand_over(by=REVIEWER, to=SECOND_REVIEWER)
    assert town.entries("handed_over")[0].to_name == "施审核"
    with pytest.raises(Refused, match=r"沈审核\(P001\)无权办理.*\(已转办\)办理,现为施审核\(P002\)"):
        town.decide(Verdict.APPROVED, by=REVIEWER)
    with pytest.raises(Refused, match=r"沈审核\(P001\)无权办理"):
        town.hand_over(by=REVIEWER, to=REVIEWER)
    with pytest.raises(Refused, match=r"已在施审核\(P002\)名下,无须转办"):
        town.hand_over(by=SECOND_REVIEWER, to=SECOND_REVIEWER)
    town.decide(Verdict.APPROVED, by=SECOND_REVIEWER)
    assert town.gate() is Gate.PLAQUE
    (handed,) = [row.summary for row in town.history() if row.kind == "handed_over"]
    assert handed == "“社区办审核”由沈审核(P001)、施审核(P002)转办给施审核(P002),理由:出差"


def test_the_head_of_the_office_hands_over_and_only_to_a_holder_of_the_role(town: Township) -> None:
    town.to_gate(Gate.OFFICE_REVIEW)
    for other in (STRANGER, RESPONSIBLE, HEAD_OF_OFFICE):
        with pytest.raises(Refused, match=r"其不担任社区办审核员,可转给:沈审核\(P001\)、施审核\(P002\)"):
            town.hand_over(by=HEAD_OF_OFFICE, to=other)
    with pytest.raises(Refused, match=r"路人甲\(P099\)无权办理"):
        town.hand_over(by=STRANGER, to=REVIEWER)
    town.hand_over(by=HEAD_OF_OFFICE, to=REVIEWER)
    with pytest.raises(Refused, match="已转办"):
        town.decide(Verdict.APPROVED, by=SECOND_REVIEWER)


def test_a_gate_handed_to_somebody_whose_role_ends_falls_back_to_the_role(town: Township) -> None:
    town.to_gate(Gate.OFFICE_REVIEW)
    town.hand_over(by=HEAD_OF_OFFICE, to=SECOND_REVIEWER)
    town.end_role(SECOND_REVIEWER, date(2018, 10, 9))
    town.clock.move_to(at("2018-10-09 10:00"))
    with pytest.raises(Refused, match=r"施审核\(P002\)无权办理"):
        town.decide(Verdict.APPROVED, by=SECOND_REVIEWER)
    town.decide(Verdict.APPROVED, by=REVIEWER)
    assert town.gate() is Gate.PLAQUE


def test_urging_again_too_soon_is_refused_with_the_moment_from_which_it_is_allowed(both: Township) -> None:
    both.to_gate(Gate.OFFICE_REVIEW)
    assert both.urge(by=LEADER, message="盼早日办理") == ("沈审核(P001)", "施审核(P002)")
    assert both.told("urged") == ["沈审核", "施审核"]
    both.clock.move_to(at("2018-10-09 09:59"))
    with pytest.raises(Refused, match="已于2018-10-08 10:00催办,24小时内不重复催办,可在2018-10-09 10:00之后再催"):
        both.urge(by=RESPONSIBLE)
    both.clock.move_to(at("2018-10-09 10:00"))
    both.urge(by=RESPONSIBLE)
    both.rehearsal.sweep()
    assert both.told("urged") == ["沈审核", "施审核"] * 2
    assert "盼早日办理" in both.entries("urged")[0].sent_text


def test_a_stranger_does_not_urge(town: Township) -> None:
    town.apply()
    with pytest.raises(Refused, match=r"路人甲\(P099\)与案件 ZJJ-2018-0001 无关"):
        town.urge(by=STRANGER)


def test_a_new_gate_may_be_urged_at_once(town: Township) -> None:
    town.apply()
    town.urge(by=LEADER)
    town.everybody_agrees()
    assert town.urge(by=LEADER) == ("周责任(P010)",)


def test_a_name_that_two_people_have_asks_for_the_code(town: Township) -> None:
    town.to_gate(Gate.OFFICE_REVIEW)
    town.add_person("P777", "沈审核", Role.OFFICE_REVIEWER, "Z")
    with pytest.raises(Refused, match="有2人名叫“沈审核”,请改填人员编号:P001、P777"):
        town.decide(Verdict.APPROVED, by="沈审核")
    town.decide(Verdict.APPROVED, by="沈审核(P777)")
    assert town.gate() is Gate.PLAQUE


def test_households_that_come_or_go_after_the_gate_opened_change_nothing(both: Township) -> None:
    town = both
    town.apply()
    with town.resources.database.write() as session:
        group = session.query(Unit).filter(Unit.code == "ZD01").one()
        session.add(Household(number="ZD01-099", group_id=group.id, head_name="新来户"))
        session.query(Household).filter(Household.number == "ZD01-004").one().active = False
    with pytest.raises(Refused, match=r"不在本组.*农户名册内:ZD01-099"):
        town.answer({"ZD01-099": Answer.OBJECT})
    counted = town.answer(dict.fromkeys(["ZD01-001", "ZD01-002", "ZD01-003"], Answer.AGREE))
    assert (counted.entitled, counted.agreeing, counted.carried) == (4, 3, False)
    town.answer({"ZD01-004": Answer.AGREE})
    assert town.gate() is Gate.VILLAGE_FORWARD


def test_the_next_round_asks_the_register_of_its_own_day(town: Township) -> None:
    town.apply()
    with town.resources.database.write() as session:
        group = session.query(Unit).filter(Unit.code == "ZD01").one()
        session.add(Household(number="ZD01-099", group_id=group.id, head_name="新来户"))
        session.query(Household).filter(Household.number == "ZD01-004").one().active = False
    town.pass_until("2018-11-08 09:00")
    assert town.decisions()[0].details["missing"] == [f"ZD01-00{number} 户主{number}" for number in range(1, 5)]
    town.resubmit()
    counted = town.answer(dict.fromkeys(["ZD01-001", "ZD01-002", "ZD01-003"], Answer.AGREE))
    assert (counted.entitled, counted.carried) == (4, False)
    assert town.answer({"ZD01-099": Answer.AGREE}).carried


def test_another_groups_households_are_not_asked(open_sqlite: OpenTown) -> None:
    town = open_sqlite("zhujiajiao-2018", "2018-10-08 10:00", households=1)
    town.add_group("ZD02", households=3)
    town.apply()
    with pytest.raises(Refused, match="不在本组"):
        town.answer({"ZD02-001": Answer.AGREE})
    assert town.answer({"ZD01-001": Answer.AGREE}).entitled == 1
