"""An answer that is refused: the gate is asked again, the new form says why, and nothing was changed."""

import pytest

from policies.vocabulary import Gate, Role
from tasks import office_acts
from tasks.commands import HandOver
from tests.e2e.live import Office

pytestmark = [pytest.mark.e2e, pytest.mark.endurance, pytest.mark.timeout(600)]


def test_what_the_form_does_not_offer_is_refused_at_once_and_an_overlooked_warning_is_asked_again(
    office: Office,
) -> None:
    number, cast = office.open_case(Gate.OFFICE_REVIEW)
    first, before = office.waiting(number, Gate.OFFICE_REVIEW), office.books(number)
    assert "上次提交未被接受" not in office.description(first)

    for wrong, field in (
        ({"by": cast.responsible, "verdict": "批准"}, "'by'"),
        ({"by": cast.reviewer, "verdict": "同意上报"}, "'verdict'"),
        ({"by": cast.reviewer, "verdict": "退回补正", "reason": "请致电 138-0000-2861"}, "'reason'"),
        ({"by": cast.reviewer, "verdict": "批准", "acknowledged": ["活动空间"]}, "'acknowledged"),
    ):
        status, reason = office.fill_in(first.id, wrong)
        assert (status, field in reason) == ("REJECT", True), reason
    assert office.waiting(number, Gate.OFFICE_REVIEW) == first

    assert office.fill_in(first.id, {"by": cast.reviewer, "verdict": "批准"}) == ("ACCEPT", "")
    again = office.waiting(number, Gate.OFFICE_REVIEW, but=first.key)
    assert again.id == first.id
    assert "上次提交未被接受**:批准前须逐条确认已知悉以下提示:志愿者人数" in office.description(again)
    assert office.books(number) == before

    answer = {"by": cast.reviewer, "verdict": "批准", "acknowledged": ["志愿者人数"]}
    assert office.fill_in(again.id, answer) == ("ACCEPT", "")
    assert "上次提交未被接受" not in office.description(office.waiting(number, Gate.PLAQUE))


def test_a_person_who_lost_the_role_since_the_form_was_made_is_refused(office: Office) -> None:
    number, cast = office.open_case(Gate.VILLAGE_FORWARD)
    first, before = office.waiting(number, Gate.VILLAGE_FORWARD), office.books(number)
    with office.without_role(cast.responsible, Role.VILLAGE_RESPONSIBLE):
        assert office.fill_in(first.id, {"by": cast.responsible, "verdict": "同意上报"}) == ("ACCEPT", "")
        again = office.waiting(number, Gate.VILLAGE_FORWARD, but=first.key)
        assert f"上次提交未被接受**:{cast.responsible}无权办理案件 {number} 的" in office.description(again)
        # The office's reviewers step in for a vacant post, and only they are offered now.
        status, reason = office.fill_in(again.id, {"by": cast.responsible, "verdict": "同意上报"})
        assert (status, "'by'" in reason) == ("REJECT", True)
    assert office.books(number) == before


def test_the_old_holder_is_refused_after_the_gate_was_handed_over(office: Office) -> None:
    number, cast = office.open_case(Gate.OFFICE_REVIEW)
    first = office.waiting(number, Gate.OFFICE_REVIEW)
    command = HandOver(case=number, by=cast.reviewer, to=cast.second_reviewer, reason="出差")
    office_acts.hand_over(office.resources, command, at=office.now())
    before = office.books(number)

    answer = {"by": cast.reviewer, "verdict": "不予批准", "reason": "场地不符"}
    assert office.fill_in(first.id, answer) == ("ACCEPT", "")
    again = office.waiting(number, Gate.OFFICE_REVIEW, but=first.key)
    description = office.description(again)
    assert f"上次提交未被接受**:{cast.reviewer}无权办理" in description
    assert f"(已转办)办理,现为{cast.second_reviewer}" in description
    assert office.books(number) == before
