"""Acceptance and evaluation: who must put what right, what each side says, what a missing side does (D2-R9, D2-R11)."""

from fractions import Fraction

import pytest

from policies.errors import Refused
from policies.vocabulary import EvaluationPanel, Gate, Verdict
from tasks.case_file import as_markdown, case_file
from tests.desks import OpenTown, variant
from tests.projects import CATEGORIES, EDITIONS, PROPOSER, Projects, confirmed
from tests.township import RESPONSIBLE, REVIEWER

LINPING, EXAMPLE = "linping-2022", "example-micro-2026"
RESIDENTS, EXPERTS, THIRD = "居民评议", "专家评议", "第三方评估"


def opened(open_town: OpenTown, gate: Gate, edition: str = LINPING) -> Projects:
    """A project that waits at a gate."""
    projects = confirmed(open_town(edition, EDITIONS[edition]))
    projects.to_gate(gate)
    return projects


def with_missing(open_town: OpenTown, rule: str) -> Projects:
    """A project that waits for its evaluation under Linping's text with another rule for a missing side."""
    edition = variant(LINPING, f"linping-{rule}", ("    missing: redistribute", f"    missing: {rule}"))
    CATEGORIES[edition.edition.id] = CATEGORIES[LINPING]
    projects = confirmed(open_town(edition, EDITIONS[LINPING]))
    projects.to_gate(Gate.EVALUATION)
    return projects


def test_a_project_is_accepted_on_a_paper_and_not_without(open_town: OpenTown) -> None:
    projects = opened(open_town, Gate.ACCEPTANCE)
    projects.spend("2,800.50")
    with pytest.raises(Refused, match=r"验收合格须附依据材料\(村务监督意见或验收单\)"):
        projects.decide(Verdict.ACCEPTED)
    assert projects.town.gate() is Gate.ACCEPTANCE
    projects.decide(Verdict.ACCEPTED, proof="验收单.pdf")
    kept = projects.town.decisions()[-1].details
    (paper,) = [row for row in projects.town.state()["documents"] if "acceptance" in row]
    assert kept["reference"] == "验收单.pdf"
    assert kept["sha256"] in paper
    assert projects.faults() == []


def test_who_accepts_is_told_what_was_planned_done_and_spent(open_sqlite: OpenTown) -> None:
    projects = opened(open_sqlite, Gate.MILESTONE)
    projects.spend("2,800.50")
    projects.progress("全部栽好", percent=100)
    projects.finish_steps()
    (letter, _) = [each for each in projects.town.entries("task_waiting") if each.context["gate"] == "项目验收"]
    assert letter.context["facts"] == [
        "节点“整地”：期限2022年6月5日，完成于2022年5月16日",
        "节点“栽种”：期限2022年6月25日，完成于2022年5月16日",
        "“花苗”：预算3,000.00元，已支出2,800.50元，尚余199.50元",
        "“铺装”：预算1,500.00元，已支出0.00元，尚余1,500.00元",
        "最近进展（2022年5月16日，总体100%）：全部栽好",
    ]


@pytest.mark.parametrize("edition", EDITIONS)
def test_what_is_not_good_enough_is_put_right_and_looked_at_again(open_town: OpenTown, edition: str) -> None:
    projects = opened(open_town, Gate.ACCEPTANCE, edition)
    by = projects.acceptor()
    with pytest.raises(Refused, match="须写明理由"):
        projects.decide(Verdict.RECTIFY, by=by)
    projects.decide(Verdict.RECTIFY, by=by, reason="花池积水,须加排水口")
    item = projects.town.item()
    assert item is not None
    assert (item.gate, item.round) == (Gate.ACCEPTANCE, 2)
    letters = projects.town.entries("rectification_asked")
    assert [each.to_name for each in letters] == ["苏提议", "周责任"]
    assert letters[0].context["reason"] == "花池积水,须加排水口"
    assert letters[0].context["due_on"] == item.due_on.isoformat()
    projects.progress("已加排水口", percent=100)
    projects.decide(Verdict.ACCEPTED, by=by, proof="验收单.pdf")
    assert projects.town.gate() is Gate.EVALUATION


def test_the_result_is_the_weighted_sum_of_what_the_sides_say(open_town: OpenTown) -> None:
    projects = opened(open_town, Gate.EVALUATION)
    left = projects.evaluate({RESIDENTS: (30, 2_501), EXPERTS: (3, 240)})
    assert left == (EvaluationPanel.THIRD_PARTY,)
    projects.evaluate({THIRD: (1, 77)})
    assert projects.project().result == ""
    projects.decide(Verdict.COMPLETED)
    expected = Fraction(40, 100) * Fraction(2_501, 30) + Fraction(30, 100) * 80 + Fraction(30, 100) * 77
    project = projects.project()
    assert (Fraction(project.result), project.grade) == (expected, "good")
    assert projects.town.decisions()[-1].details["missing"] == []
    (letter, _) = projects.town.entries("project_evaluated")
    assert (letter.context["points"], letter.context["grade"]) == ("80.45", "良好")
    page = as_markdown(case_file(projects.resources, projects.number, at=projects.town.now()))
    assert "| 评估结果 | 80.45分,良好 |" in page


def test_a_side_may_be_entered_anew_until_the_evaluation_closes(open_town: OpenTown) -> None:
    projects = opened(open_town, Gate.EVALUATION)
    projects.evaluate({RESIDENTS: (10, 500), EXPERTS: (3, 240), THIRD: (1, 80)})
    projects.evaluate({RESIDENTS: (20, 1_800)})
    assert len(projects.town.state()["panel_results"]) == 3
    assert any("居民评议:20份合计1800分,替换原来的10份合计500分" in told for told in projects.told())
    projects.decide(Verdict.COMPLETED)
    assert Fraction(projects.project().result) == Fraction(40 * 90 + 30 * 80 + 30 * 80, 100)
    with pytest.raises(Refused, match="“项目评估”已由沈审核"):
        projects.evaluate({RESIDENTS: (20, 2_000)})


@pytest.mark.parametrize(
    ("said", "told"),
    [
        pytest.param({RESIDENTS: (10, 1_001)}, "居民评议10份合计1001分,每份0至100分,合计须为0至1000分", id="too-many"),
        pytest.param({RESIDENTS: (10, 900), "群众": (1, 1)}, "“群众”不在可选项之内", id="unknown"),
    ],
)
def test_points_that_can_not_be_are_refused_and_nothing_of_the_entry_is_kept(
    open_sqlite: OpenTown, said: dict[str, tuple[int, int]], told: str
) -> None:
    projects = opened(open_sqlite, Gate.EVALUATION)
    with pytest.raises((Refused, ValueError), match=told):
        projects.evaluate(said)
    assert projects.town.state()["panel_results"] == []


def test_a_side_that_the_edition_does_not_ask_is_refused_with_those_it_asks(open_sqlite: OpenTown) -> None:
    projects = opened(open_sqlite, Gate.EVALUATION, EXAMPLE)
    with pytest.raises(Refused, match="本办法不设“第三方评估”,评估方为:居民评议、专家评议"):
        projects.evaluate({RESIDENTS: (5, 450), THIRD: (1, 80)})
    assert projects.town.state()["panel_results"] == []


def test_only_those_who_decide_at_the_gate_enter_what_the_sides_say(open_sqlite: OpenTown) -> None:
    projects = opened(open_sqlite, Gate.EVALUATION)
    for by in (PROPOSER, RESPONSIBLE):
        with pytest.raises(Refused, match="须由社区办审核员办理"):
            projects.evaluate({RESIDENTS: (10, 1_000)}, by=by)
    projects.evaluate({RESIDENTS: (10, 1_000)}, by=REVIEWER)


def test_the_weight_of_a_missing_side_goes_to_the_others(open_town: OpenTown) -> None:
    projects = with_missing(open_town, "redistribute")
    with pytest.raises(Refused, match=r"评估各方都缺.*请至少补齐一方"):
        projects.decide(Verdict.COMPLETED)
    # Nine residents are too few, so that side counts as missing.
    projects.evaluate({RESIDENTS: (9, 900), EXPERTS: (3, 180), THIRD: (1, 80)}, complete=True)
    assert (Fraction(projects.project().result), projects.project().grade) == (Fraction(70), "qualified")
    assert projects.town.decisions()[-1].details["missing"] == ["residents"]


def test_a_missing_side_counts_as_zero(open_town: OpenTown) -> None:
    projects = with_missing(open_town, "zero")
    projects.evaluate({EXPERTS: (3, 180), THIRD: (1, 80)}, complete=True)
    assert (Fraction(projects.project().result), projects.project().grade) == (Fraction(42), "unqualified")
    (letter, _) = projects.town.entries("project_evaluated")
    assert "居民评议缺,按零分计" in letter.context["reckoning"]


def test_a_missing_side_is_insisted_on_by_name(open_town: OpenTown) -> None:
    projects = with_missing(open_town, "refuse")
    with pytest.raises(Refused, match=r"评估缺少居民评议\(至少10份\),按规则不得办结"):
        projects.evaluate({EXPERTS: (3, 180), THIRD: (1, 80)}, complete=True)
    assert projects.town.state()["panel_results"] == [], "the entry and the end of the evaluation stand together"
    projects.evaluate({EXPERTS: (3, 180), THIRD: (1, 80)})
    with pytest.raises(Refused, match="按规则不得办结"):
        projects.decide(Verdict.COMPLETED)
    assert (projects.town.gate(), projects.project().result) == (Gate.EVALUATION, "")
    projects.evaluate({RESIDENTS: (10, 1_000)}, complete=True)
    assert Fraction(projects.project().result) == Fraction(82)
