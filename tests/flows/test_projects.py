"""A confirmed project on its way: plan, money, steps, acceptance, evaluation, what is left; under both editions."""

from datetime import date

import pytest

from policies.errors import Refused
from policies.vocabulary import CaseStatus, Gate, Outcome, Verdict
from tasks.case_file import as_markdown, case_file
from tasks.procedure import Waiting
from tests.calls import OpenCallTown
from tests.desks import OpenTown
from tests.projects import CATEGORIES, EDITIONS, GRANTED, PROPOSER, Projects, confirmed
from tests.township import RESPONSIBLE, REVIEWER

LINPING, EXAMPLE = "linping-2022", "example-micro-2026"
LEADER, VILLAGE, REVIEWERS = "苏提议", "周责任", ["沈审核", "施审核"]


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_confirmed_project_is_carried_to_the_archive(open_town: OpenTown, edition: str) -> None:
    town = open_town(edition, EDITIONS[edition])
    projects = confirmed(town)
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


def test_carrying_a_project_again_at_every_gate_changes_nothing(open_sqlite: OpenTown) -> None:
    town = open_sqlite(LINPING, EDITIONS[LINPING])
    projects = confirmed(town)
    walk = [
        projects.plan,
        lambda: projects.decide(Verdict.RETURNED, reason="预算偏高"),
        projects.plan,
        lambda: projects.decide(Verdict.APPROVED),
        lambda: projects.record("镇拨付到村(居)委会", by=REVIEWER),
        lambda: projects.record("村(居)委会确认到账", by=RESPONSIBLE),
        lambda: projects.spend("1,200"),
        projects.progress,
        lambda: projects.record("整地", by=PROPOSER),
        lambda: town.pass_until("2022-07-04 12:00"),
        lambda: projects.record("栽种", by=PROPOSER),
        lambda: projects.decide(Verdict.RECTIFY, reason="积水"),
        lambda: projects.decide(Verdict.ACCEPTED, proof="验收单.pdf"),
        lambda: projects.evaluate({"居民评议": (10, 900)}),
        lambda: projects.decide(Verdict.COMPLETED),
        lambda: projects.record("退回结余资金", by=RESPONSIBLE),
    ]
    for act in walk:
        act()
        town.rehearsal.sweep()
        stands = town.state()
        for _ in range(2):
            again = projects.carry()
            assert (again.gate if isinstance(again, Waiting) else None) is town.gate()
        town.rehearsal.sweep()
        assert town.state() == stands
    assert town.case().outcome is Outcome.COMPLETED
    assert projects.faults() == []


def test_a_step_that_is_late_is_reminded_and_escalated_by_the_day_the_plan_names(open_sqlite: OpenTown) -> None:
    town = open_sqlite(LINPING, EDITIONS[LINPING])
    projects = confirmed(town)
    projects.to_gate(Gate.MILESTONE)
    item = town.item()
    assert item is not None
    assert (item.due_on, item.due_named) == (date(2022, 6, 5), True)
    town.pass_until("2022-06-05 23:00")
    assert town.told("reminder") == ["苏提议"] * 2
    assert town.told("escalation") == []
    town.pass_until("2022-06-06 12:00")
    assert town.told("escalation") == ["周责任"]
    projects.record("整地", by=PROPOSER)
    following = town.item()
    assert following is not None
    assert (following.round, following.due_on) == (2, date(2022, 6, 25))


@pytest.mark.parametrize("edition", [LINPING, EXAMPLE])
def test_projects_of_a_call_go_their_own_ways_and_the_call_waits_for_the_last(
    call_town_on_sqlite: OpenCallTown, edition: str
) -> None:
    town = call_town_on_sqlite(edition)
    titles = {"长廊": {"amount_yuan": "4000"}, "路灯": {"proposer": "DLH1", "village": "LH", "amount_yuan": "3500"}}
    numbers = town.to_notice(titles, {"长廊": 100, "路灯": 90})
    notice = town.item(town.notices()[-1].number)
    assert notice is not None
    town.clock.move_to(notice.due_at)
    town.rehearsal.sweep()
    call = town.number
    done, stopped = (
        Projects(town, call=call, number=numbers[title], leader=leader, responsible=responsible)
        for title, leader, responsible in (("长廊", "DZD1", "P010"), ("路灯", "DLH1", "P012"))
    )
    done.receive("7,400")
    material = CATEGORIES[edition][0]
    for project in (done, stopped):
        assert town.gate(project.number) is Gate.PLAN
        project.plan(lines=[("材料", material, "3,500")])
    done.decide(Verdict.APPROVED)
    done.fund()
    told = r"核定3,500\.00元,.*已到账7,400\.00元,已批准方案的项目共4,000\.00元,尚差100\.00元"
    with pytest.raises(Refused, match=told):
        stopped.decide(Verdict.APPROVED)
    done.receive("100", source="社会捐赠", name="某某公司", key="2")
    stopped.decide(Verdict.APPROVED)
    stopped.fund()

    stopped.spend("500", line="材料")
    stopped.stop()
    stopped.record("退回结余资金", by="P012")
    assert town.case(stopped.number).outcome is Outcome.WITHDRAWN
    assert (town.gate(call), done.pool()) == (Gate.PROJECTS, 300_000)
    with pytest.raises(Refused, match=f"尚有1个项目未办结:{done.number},项目资金可能还要使用"):
        done.return_funds()

    done.spend("3,500", line="材料")
    done.finish_steps()
    done.decide(Verdict.ACCEPTED, by=done.acceptor(), proof="验收单.pdf")
    done.evaluate({"居民评议": (10, 950), "专家评议": (3, 270)}, complete=True)
    done.record("退回结余资金", by="P010")
    assert town.case(done.number).outcome is Outcome.COMPLETED
    assert (town.gate(call), done.pool()) == (Gate.SELF_CHECK, 350_000)
    town.self_check()
    assert town.case(call).outcome is Outcome.CONCLUDED
    with pytest.raises(Refused, match="无权退回项目资金"):
        done.return_funds(by="P010")
    assert done.return_funds() == 350_000
    assert done.pool() == 0
    with pytest.raises(Refused, match="没有结余"):
        done.return_funds(key="2")
    assert done.faults() == []


def test_a_stopped_project_makes_room_for_another_plan_once_its_money_is_back(
    call_town_on_sqlite: OpenCallTown,
) -> None:
    town = call_town_on_sqlite(LINPING)
    titles = {"长廊": {"amount_yuan": "4000"}, "路灯": {"proposer": "DLH1", "village": "LH", "amount_yuan": "3500"}}
    numbers = town.to_notice(titles, {"长廊": 100, "路灯": 90})
    notice = town.item(town.notices()[-1].number)
    assert notice is not None
    town.clock.move_to(notice.due_at)
    town.rehearsal.sweep()
    stopped, next_one = (
        Projects(town, call=town.number, number=numbers[title], leader=leader, responsible=responsible)
        for title, leader, responsible in (("长廊", "DZD1", "P010"), ("路灯", "DLH1", "P012"))
    )
    stopped.receive("4,000")
    for project in (stopped, next_one):
        project.plan(lines=[("材料", CATEGORIES[LINPING][0], "3,500")])
    stopped.decide(Verdict.APPROVED)
    stopped.fund()
    stopped.spend("500", line="材料")
    stopped.stop()
    with pytest.raises(Refused, match=r"已批准方案的项目共4,000\.00元,尚差3,500\.00元"):
        next_one.decide(Verdict.APPROVED)
    stopped.record("退回结余资金", by="P010")
    next_one.decide(Verdict.APPROVED)  # 500.00 were spent, 3,500.00 are back: exactly enough
    next_one.fund()
    assert (next_one.pool(), next_one.left()) == (0, 350_000)
    assert next_one.faults() == []
