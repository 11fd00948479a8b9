"""The refined plan: what is refused and with which figures, how often it goes back, what its approval opens (D2-R9)."""

import pytest

from policies.errors import Refused
from policies.vocabulary import CaseStatus, Gate, Outcome, Verdict
from tests.desks import OpenTown, variant
from tests.projects import CATEGORIES, EDITIONS, PROPOSER, Projects, confirmed
from tests.township import LEADER, RESPONSIBLE, REVIEWER

LINPING, EXAMPLE = "linping-2022", "example-micro-2026"
MATERIALS, ACTIVITIES = CATEGORIES[LINPING]


def opened(open_town: OpenTown, edition: str = LINPING) -> Projects:
    return confirmed(open_town(edition, EDITIONS[edition]))


@pytest.fixture
def projects(open_sqlite: OpenTown) -> Projects:
    """A confirmed project that waits for its plan."""
    return opened(open_sqlite)


def rows(projects: Projects, table: str) -> int:
    return len(projects.town.state()[table])


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        pytest.param(
            [("花苗", MATERIALS, "5000.01")], r"预算合计5,000\.01元,超过核定的5,000\.00元,超出0\.01元", id="above"
        ),
        pytest.param([("花苗", "请客吃饭", "100")], "用途“请客吃饭”不在范围内,可选:微自治组织建立", id="category"),
        pytest.param(
            [("花苗", MATERIALS, "800"), ("误工补贴", "志愿者补贴", "200.01")],
            r"“志愿者补贴”预算200\.01元,至多为预算合计1,000\.01元的五分之一即200\.00元",
            id="share",
        ),
        pytest.param([("花苗", MATERIALS, "0")], r"预算第1行“花苗”为0\.00元,须大于0元", id="nothing"),
        pytest.param([("花苗", MATERIALS, "1"), ("花苗", ACTIVITIES, "2")], "预算分项“花苗”重复", id="twice"),
        pytest.param(
            [("花苗", MATERIALS, "1"), ("1", ACTIVITIES, "2")],
            "预算第2行的分项名称“1”只有数字,会与行号混淆",
            id="digits",
        ),
        pytest.param([("花苗", MATERIALS, "一百")], "“一百”不是金额", id="no-amount"),
    ],
)
def test_a_budget_that_does_not_fit_is_refused_with_its_figures(
    projects: Projects, lines: list[tuple[str, str, str]], told: str
) -> None:
    with pytest.raises(Refused, match=told):
        projects.plan(lines=lines)
    assert (projects.town.gate(), rows(projects, "plans")) == (Gate.PLAN, 0)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        pytest.param([("栽种", 20)], "进度节点有1个,至少须2个", id="too-few"),
        pytest.param([("整地", 0), ("栽种", 20)], r"第1个节点“整地”\(2022年5月16日\)须在2022年5月16日之后", id="today"),
        pytest.param(
            [("整地", 10), ("栽种", 181)],
            r"“栽种”\(2022年11月13日\)晚于2022年11月12日:自2022年5月16日起至多180日",
            id="late",
        ),
        pytest.param([("整地", 20), ("栽种", 19)], "第2个节点“栽种”.*早于前一节点“整地”", id="order"),
    ],
)
def test_steps_that_do_not_fit_are_refused_with_their_days(
    projects: Projects, steps: list[tuple[str, int]], told: str
) -> None:
    with pytest.raises(Refused, match=told):
        projects.plan(steps=steps)
    assert rows(projects, "plans") == 0


def test_the_last_step_may_lie_on_the_last_day_and_the_budget_may_be_all_that_was_granted(projects: Projects) -> None:
    assert projects.plan(steps=(("整地", 180), ("栽种", 180)), lines=[("花苗", MATERIALS, "5,000")]) == 500_000
    assert projects.town.gate() is Gate.PLAN_REVIEW


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"content": "新建房屋一间"}, "不得用于“房屋建设”:见项目内容中的“新建房屋”", id="content"),
        pytest.param({"steps": [("商业推广", 20)]}, "不得用于“营利活动”", id="step"),
        pytest.param(
            {"lines": [("发放奖金", "物资购置", "100")]}, "不得用于“人员工资福利”:见预算中的“发放奖金”", id="line"
        ),
    ],
)
def test_a_plan_does_not_bring_in_what_no_project_may_be_for(
    open_sqlite: OpenTown, changes: dict[str, object], told: str
) -> None:
    projects = opened(open_sqlite, EXAMPLE)
    with pytest.raises(Refused, match=told):
        projects.plan(**changes)  # type: ignore[arg-type]
    assert rows(projects, "plans") == 0


@pytest.mark.parametrize("by", [LEADER, RESPONSIBLE, REVIEWER])
def test_only_the_projects_leader_hands_in_its_plan(projects: Projects, by: str) -> None:
    with pytest.raises(Refused, match=r"须由微项目负责人办理,现为苏提议\(P040\)"):
        projects.plan(by=by)


def test_a_plan_is_handed_in_with_its_content_not_by_a_bare_verdict(projects: Projects) -> None:
    with pytest.raises(Refused, match="提交方案须填写项目内容、预期效益、进度节点和预算分项"):
        projects.decide(Verdict.SUBMITTED, by=PROPOSER)
    projects.plan()
    with pytest.raises(Refused, match="“细化方案”已由苏提议"):
        projects.plan()


def test_the_plan_goes_back_as_often_as_the_edition_says_and_no_more(open_town: OpenTown) -> None:
    projects = opened(open_town, EXAMPLE)
    for left in (1, 0):
        projects.plan()
        projects.decide(Verdict.RETURNED, reason="预算偏高")
        (*_, letter) = projects.town.entries("plan_returned")
        assert (letter.context["reason"], letter.context["returns_left"]) == ("预算偏高", left)
    projects.plan()
    with pytest.raises(Refused, match="已退回2次,达到上限2次"):
        projects.decide(Verdict.RETURNED, reason="还是偏高")
    projects.decide(Verdict.APPROVED)
    assert projects.town.gate() is Gate.FUNDING
    assert rows(projects, "plans") == 3
    assert projects.town.told("plan_returned") == ["苏提议", "周责任"] * 2


def test_the_approval_opens_the_lines_of_the_last_round_only(open_town: OpenTown) -> None:
    projects = opened(open_town)
    projects.plan()
    assert projects.lines() == ()
    projects.decide(Verdict.RETURNED, reason="铺装不必")
    projects.plan(lines=[("月季", MATERIALS, "1200.50")], steps=(("整地", 5), ("栽种", 6), ("养护", 90)))
    projects.decide(Verdict.APPROVED)
    assert [(line.code, line.name, line.cap_fen, line.spent_fen) for line in projects.lines()] == [
        ("1", "月季", 120_050, 0)
    ]
    assert projects.town.decisions()[-1].details == {"milestones": 3, "total_fen": 120_050}
    (letter, _) = projects.town.entries("plan_approved")
    assert letter.context["lines"] == ["月季（物资购置）1,200.50元"]
    assert projects.faults() == []


def test_the_reviewer_is_told_what_the_plan_says(projects: Projects) -> None:
    projects.plan()
    (letter, _) = [each for each in projects.town.entries("task_waiting") if each.context["gate"] == "方案审核"]
    assert letter.context["facts"][0] == "核定金额5,000.00元，预算合计4,500.00元（人民币肆仟伍佰元整）"
    assert "整地，2022年6月5日前" in letter.context["facts"]


def test_a_project_may_be_given_up_before_its_plan_with_a_reason(projects: Projects) -> None:
    with pytest.raises(Refused, match="须写明理由"):
        projects.decide(Verdict.ABANDONED, by=PROPOSER)
    projects.decide(Verdict.ABANDONED, by=PROPOSER, reason="居民改了主意")
    case = projects.town.case()
    assert (case.status, case.outcome, case.because) == (CaseStatus.CLOSED, Outcome.WITHDRAWN, "居民改了主意")


def test_a_plan_that_never_comes_is_escalated_and_waits(projects: Projects) -> None:
    projects.town.pass_until("2022-06-10 12:00")
    assert projects.town.told("escalation") == ["周责任"]
    assert projects.town.gate() is Gate.PLAN


def test_the_head_of_the_office_ends_a_project_whose_plan_never_comes(projects: Projects) -> None:
    with pytest.raises(Refused, match="须由微项目负责人或社区办负责人办理"):
        projects.decide(Verdict.ABANDONED, by=REVIEWER, reason="联系不上")
    projects.stop("负责人联系不上")
    assert (projects.town.case().outcome, projects.town.case().because) == (Outcome.WITHDRAWN, "负责人联系不上")


def test_a_plan_that_stays_bad_is_ended_by_the_head_of_the_office_not_by_who_reviews_it(projects: Projects) -> None:
    projects.to_gate(Gate.PLAN_REVIEW)
    with pytest.raises(Refused, match="须由社区办负责人办理"):
        projects.stop("方案不可行", by=REVIEWER)
    projects.stop("方案不可行")
    assert projects.town.case().outcome is Outcome.WITHDRAWN
    assert projects.town.told("project_stopped") == ["苏提议", "周责任"]
    assert projects.faults() == []


def test_where_the_edition_says_so_a_plan_that_never_comes_ends_the_project(open_sqlite: OpenTown) -> None:
    edition = variant(
        LINPING,
        "linping-strict",
        (
            "      escalate: {to: village_responsible, after_days: 1, source: default}\n    plan_review:",
            "      escalate: {to: village_responsible, after_days: 0, source: default}\n"
            "      lapse: {verdict: abandoned, source: default}\n    plan_review:",
        ),
    )
    CATEGORIES[edition.edition.id] = CATEGORIES[LINPING]
    town = open_sqlite(edition, EDITIONS[LINPING])
    projects = confirmed(town)
    town.pass_until("2022-06-10 12:00")
    case = town.case(projects.number)
    assert (case.outcome, case.because[:16]) == (Outcome.WITHDRAWN, "至2022年6月7日期满未办理")
    assert town.told("case_closed") == ["苏提议", "周责任"]
