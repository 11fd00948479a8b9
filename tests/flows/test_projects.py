"""A confirmed project on its way: plan, money, steps, acceptance, evaluation, what is left; under both editions."""

import pytest

from policies.vocabulary import CaseStatus, Gate, Outcome, Verdict
from tasks.case_file import as_markdown, case_file
from tests.desks import OpenTown
from tests.projects import EDITIONS, GRANTED, PROPOSER, Projects
from tests.township import RESPONSIBLE

LEADER, VILLAGE, REVIEWERS = "苏提议", "周责任", ["沈审核", "施审核"]


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_confirmed_project_is_carried_to_the_archive(open_town: OpenTown, edition: str) -> None:
    town = open_town(edition, EDITIONS[edition])
    projects = Projects(town)
    gates = [town.gate()]

    assert projects.plan() == 450_000
    gates.append(town.gate())
    projects.decide(Verdict.APPROVED)
    gates.append(town.gate())
    projects.fund()
    gates.append(town.gate())
    assert (projects.pool(), projects.left()) == (2_000_000 - GRANTED, GRANTED)
    projects.progress()
    projects.record("整地", by=PROPOSER)
    gates.append(town.gate())
    assert projects.spend("2,800.50") == GRANTED - 280_050
    assert projects.spend("1500", line="铺装", key="2") == GRANTED - 430_050
    projects.progress("全部栽好", percent=100, by=RESPONSIBLE)
    projects.record("栽种", by=PROPOSER)
    gates.append(town.gate())
    projects.decide(Verdict.ACCEPTED, by=projects.acceptor(), proof="验收单.pdf")
    gates.append(town.gate())
    projects.evaluate({"居民评议": (10, 900), "专家评议": (3, 240)}, complete=True)
    gates.append(town.gate())
    projects.record("退回结余资金", by=RESPONSIBLE, proof="退款回单.pdf")
    gates.append(town.gate())

    way = [Gate.PLAN, Gate.PLAN_REVIEW, Gate.FUNDING, Gate.MILESTONE, Gate.MILESTONE, Gate.ACCEPTANCE]
    assert gates == [*way, Gate.EVALUATION, Gate.SETTLEMENT, None]
    case = town.case()
    assert (case.status, case.outcome) == (CaseStatus.CLOSED, Outcome.COMPLETED)
    assert (projects.left(), projects.pool()) == (0, 2_000_000 - 430_050)
    assert projects.faults() == []
    (returned,) = town.entries("surplus_returned")[:1]
    assert returned.context["amount_fen"] == 69_950
    assert any("退回结余资金699.50元(人民币陆佰玖拾玖元伍角)" in told for told in projects.told())
    both = [LEADER, VILLAGE]
    assert [town.told(letter) for letter in ("plan_approved", "funds_arrived", "project_evaluated")] == [both] * 3
    assert town.told("surplus_returned") == [LEADER, VILLAGE, *REVIEWERS]
    assert town.told("case_closed") == both
    assert {entry.status.value for entry in town.entries()} == {"sent"}
    page = as_markdown(case_file(town.resources, town.number, at=town.now()))
    for fact in ("已支出2,800.50元,尚余199.50元", "完成于", "全部栽好", "评估 居民评议", "评估结果"):
        assert fact in page
