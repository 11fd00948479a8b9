"""Two who book at once, on both databases: no fen is granted, spent or returned twice."""

from policies.errors import Refused
from policies.vocabulary import Door, Gate, Verdict
from tasks import decisions, funds, plans, works
from tasks.commands import Decide, RecordWorks, WorkRecord
from tasks.project_commands import SpendOnProject, SubmitPlan
from tests.calls import LINPING, OpenCallTown
from tests.desks import OpenTown
from tests.flows.test_two_at_once import Act, at_once
from tests.projects import CATEGORIES, EDITIONS, GRANTED, PROPOSER, Projects, confirmed
from tests.township import RESPONSIBLE, REVIEWER

MATERIAL = CATEGORIES[LINPING][0]


def spending(projects: Projects, yuan: str, *, key: str) -> Act:
    command = SpendOnProject(
        case=projects.number,
        by=RESPONSIBLE,
        line="花苗",
        amount_yuan=yuan,
        memo="购置",
        proof=projects.town.proof(f"发票{key}.jpg"),
        spent_on=projects.day(0),
    )
    at = projects.town.now()
    return lambda: funds.spend(projects.resources, command, at=at, key=key)


def recording(projects: Projects, point: str, *, by: str) -> Act:
    record = WorkRecord(point=point, done_on=projects.day(0), proof=projects.town.proof("回单.pdf"))
    command = RecordWorks(case=projects.number, by=by, works=[record])
    at = projects.town.now()
    return lambda: works.record_works(projects.resources, command, door=Door.CLI, at=at)


def planning(projects: Projects, content: str) -> Act:
    command = SubmitPlan.model_validate(
        {
            "case": projects.number,
            "by": PROPOSER,
            "content": content,
            "expected_benefit": "环境改善",
            "milestones": [{"name": name, "due_on": projects.day(20)} for name in ("整地", "栽种")],
            "lines": [{"name": "花苗", "category": MATERIAL, "amount_yuan": "100"}],
        }
    )
    at = projects.town.now()
    return lambda: plans.submit_plan(projects.resources, command, door=Door.CLI, at=at)


def test_of_two_plans_handed_in_at_once_one_stands(open_town: OpenTown) -> None:
    projects = confirmed(open_town(LINPING, EDITIONS[LINPING]))
    results = at_once([planning(projects, "整地"), planning(projects, "栽种")])
    assert sorted(type(each).__name__ for each in results) == ["Refused", "int"]
    assert len(projects.town.state()["plans"]) == 1
    projects.carry()
    assert projects.town.gate() is Gate.PLAN_REVIEW
    assert projects.faults() == []


def approving(projects: Projects) -> Act:
    command = Decide(case=projects.number, by=REVIEWER, verdict=Verdict.APPROVED.label)
    at = projects.town.now()
    return lambda: decisions.decide(projects.resources, command, door=Door.CLI, at=at)


def test_of_two_plans_approved_at_once_one_waits_when_there_is_only_enough_for_one(
    open_call_town: OpenCallTown,
) -> None:
    town = open_call_town(LINPING)
    titles = {"长廊": {"amount_yuan": "4000"}, "路灯": {"proposer": "DLH1", "village": "LH", "amount_yuan": "3500"}}
    numbers = town.to_notice(titles, {"长廊": 100, "路灯": 90})
    notice = town.item(town.notices()[-1].number)
    assert notice is not None
    town.clock.move_to(notice.due_at)
    town.rehearsal.sweep()
    both = [
        Projects(town, call=town.number, number=numbers[title], leader=leader)
        for title, leader in (("长廊", "DZD1"), ("路灯", "DLH1"))
    ]
    both[0].receive("7,499.99")
    for project in both:
        project.plan(lines=[("材料", MATERIAL, "3,500")])
    results = at_once([approving(project) for project in both])
    (refused,) = [each for each in results if isinstance(each, Refused)]
    assert "尚差0.01元" in refused.reason
    assert sorted(len(project.lines()) for project in both) == [0, 1]
    assert both[0].faults() == []


def test_a_line_is_not_overspent_by_four_who_book_at_once(open_town: OpenTown) -> None:
    projects = confirmed(open_town(LINPING, EDITIONS[LINPING]))
    projects.to_gate(Gate.MILESTONE)
    results = at_once([spending(projects, "1,200", key=str(number)) for number in range(4)])
    assert sorted(type(each).__name__ for each in results) == ["Refused", "Refused", "int", "int"]
    assert (projects.lines()[0].spent_fen, projects.left()) == (240_000, GRANTED - 240_000)
    assert projects.faults() == []


def test_a_late_invoice_and_the_return_of_the_rest_at_once_leave_nothing_and_lose_nothing(open_town: OpenTown) -> None:
    projects = confirmed(open_town(LINPING, EDITIONS[LINPING]))
    projects.to_gate(Gate.MILESTONE)
    projects.stop()
    results = at_once([spending(projects, "300", key="1"), recording(projects, "退回结余资金", by=RESPONSIBLE)])
    spent = projects.lines()[0].spent_fen
    # The invoice is either booked before the rest went back, or refused because it has gone.
    assert (spent == 30_000) is (not isinstance(results[0], Refused))
    assert (projects.left(), projects.pool()) == (0, 2_000_000 - spent)
    projects.carry()
    assert projects.town.gate() is None
    assert projects.faults() == []
