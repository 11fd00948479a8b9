"""The forms of a project's gates: what they ask for, what they start from, and what an answer does."""

from datetime import date
from typing import Any

import pytest
from prefect.utilities.schema_tools.validation import validate

from flows.answers import apply
from flows.forms import form_for
from policies.vocabulary import Gate, Verdict
from tasks.asks import claim_run, new_ask
from tasks.case_file import case_file
from tasks.cases import Asked
from tests.desks import OpenTown
from tests.projects import CATEGORIES, EDITIONS, Projects, confirmed

LINPING = "linping-2022"
LEADER, REVIEWER, VILLAGE, HEAD = "苏提议(P040)", "沈审核(P001)", "周责任(P010)", "丁主任(P003)"
MATERIALS = CATEGORIES[LINPING][0]


@pytest.fixture
def projects(open_sqlite: OpenTown) -> Projects:
    """A confirmed project that waits for its plan."""
    return confirmed(open_sqlite(LINPING, EDITIONS[LINPING]))


def form(projects: Projects) -> Any:
    """The form of the gate that waits."""
    file = case_file(projects.resources, projects.number, at=projects.town.now())
    assert file.awaited is not None
    return form_for(projects.resources, file, file.awaited)


def answer(projects: Projects, **filled: Any) -> str:
    """Fill in the form of the gate that waits; the refusal, if there is one."""
    made = form(projects)
    filled = made.model_validate(filled).model_dump(mode="json", include=set(filled))
    # As the server does before it resumes the run.
    validate(filled, made.model_json_schema(), raise_on_error=True)
    item = projects.town.item()
    assert item is not None
    run = claim_run(projects.resources, projects.number, "run")
    ask = new_ask(projects.resources, item.id, run, at=projects.town.now())
    assert ask is not None
    asked = Asked(work_item=item.id, ask=ask.id)
    refusal = apply(projects.resources, projects.number, item.gate, filled, asked, at=projects.town.now())
    projects.carry()
    return refusal


def test_every_form_takes_an_empty_input_and_every_field_has_a_chinese_title(projects: Projects) -> None:
    way = (Gate.PLAN_REVIEW, Gate.FUNDING, Gate.MILESTONE, Gate.ACCEPTANCE, Gate.EVALUATION, Gate.SETTLEMENT)
    for gate in (None, *way):
        if gate is not None:
            advance(projects, gate)
        made = form(projects)
        made.model_validate({})
        schema = made.model_json_schema()
        validate({}, schema, raise_on_error=True)
        models = [schema, *schema.get("$defs", {}).values()]
        titles = [field["title"] for model in models for field in model["properties"].values()]
        assert titles
        assert not [title for title in titles if title.isascii()]


def advance(projects: Projects, gate: Gate) -> None:
    """Carry the project to the next gate."""
    acts = {
        Gate.PLAN_REVIEW: projects.plan,
        Gate.FUNDING: lambda: projects.decide(Verdict.APPROVED),
        Gate.MILESTONE: projects.fund,
        Gate.ACCEPTANCE: projects.finish_steps,
        Gate.EVALUATION: lambda: projects.decide(Verdict.ACCEPTED, proof="验收单.pdf"),
        Gate.SETTLEMENT: lambda: projects.evaluate({"居民评议": (10, 900)}, complete=True),
    }
    acts[gate]()
    assert projects.town.gate() is gate


def test_a_project_is_carried_by_its_forms_alone(projects: Projects) -> None:
    town = projects.town
    today = projects.day(0).isoformat()
    town.proof("照片.jpg")
    steps = [{"name": "栽种", "due_on": projects.day(30).isoformat()}, {"name": "养护", "due_on": projects.day(60)}]
    lines = [{"name": "花苗", "category": MATERIALS, "amount_yuan": "2,000"}]
    assert answer(projects, by=LEADER, verdict="已提交", milestones=steps, lines=lines) == ""
    assert answer(projects, by=REVIEWER, verdict="批准") == ""
    assert town.gate() is Gate.FUNDING
    done = {"done_on": today, "proof": "照片.jpg"}
    assert answer(projects, by=REVIEWER, works=[{"point": "镇拨付到村(居)委会", **done}]) == ""
    assert answer(projects, by=VILLAGE, works=[{"point": "村(居)委会确认到账", **done}]) == ""
    for step in ("栽种", "养护"):
        assert answer(projects, by=LEADER, works=[{"point": step, **done}]) == ""
    assert answer(projects, by=REVIEWER, verdict="验收合格", proof="照片.jpg") == ""
    panels = [{"panel": "居民评议", "answers": 10, "points_total": 950}]
    assert answer(projects, by=REVIEWER, panels=panels) == ""
    assert town.gate() is Gate.EVALUATION
    assert answer(projects, by=REVIEWER, complete=True) == ""
    assert projects.project().grade == "excellent"
    assert answer(projects, by=VILLAGE, works=[{"point": "退回结余资金", **done}]) == ""
    assert town.gate() is None
    assert {decision.door.value for decision in town.decisions()[1:]} == {"form"}


def test_a_returned_plan_comes_back_with_what_was_handed_in(projects: Projects) -> None:
    projects.plan(content="先整地再栽种", steps=(("整地", 20), ("栽种", 40)))
    projects.decide(Verdict.RETURNED, reason="预算偏高")
    schema = form(projects).model_json_schema()["properties"]
    assert schema["content"]["default"] == "先整地再栽种"
    assert schema["milestones"]["default"][1] == {"name": "栽种", "due_on": projects.day(40).isoformat()}
    assert schema["lines"]["default"][0] == {"name": "花苗", "category": MATERIALS, "amount_yuan": "3000.00"}

    # Only what is changed is sent; the rest stays as it was handed in.
    assert answer(projects, by=LEADER, verdict="已提交", content="先栽种") == ""
    assert projects.town.gate() is Gate.PLAN_REVIEW
    rounds = [row for row in projects.town.history() if row.kind == "plan_submitted"]
    assert len(rounds) == 2
    assert '"content":"先栽种"' in rounds[1].data
    assert '"花苗",300000' in rounds[1].data


def test_what_is_faulty_or_undecided_is_refused_and_named(projects: Projects) -> None:
    assert "未选择决定" in answer(projects, by=LEADER, content="什么也没决定")
    refused = answer(
        projects,
        by=LEADER,
        verdict="已提交",
        milestones=[{"name": "", "due_on": date(2022, 6, 1)}],
        lines=[{"name": "花苗", "category": MATERIALS, "amount_yuan": "100"}],
    )
    assert "进度节点第1项" in refused
    assert projects.town.gate() is Gate.PLAN
    projects.to_gate(Gate.EVALUATION)
    assert "未登记任何一方的评估" in answer(projects, by=REVIEWER)


def test_only_at_a_step_may_the_head_of_the_office_give_the_project_up(projects: Projects) -> None:
    projects.to_gate(Gate.MILESTONE)
    choices = form(projects).model_json_schema()["properties"]["by"]["enum"]
    assert choices == ["(请选择)", LEADER, HEAD]
    work = {"point": "整地", "done_on": projects.day(0), "proof": projects.town.proof("照片.jpg")}
    both = answer(projects, by=HEAD, works=[work], verdict="终止实施", reason="停车场")
    assert "不能同时登记完成事项和终止实施" in both
    assert "须由社区办负责人办理" in answer(projects, by=LEADER, verdict="终止实施", reason="不想做了")
    assert "须写明理由" in answer(projects, by=HEAD, verdict="终止实施")
    assert answer(projects, by=HEAD, verdict="终止实施", reason="该地块将改建停车场") == ""
    assert projects.town.gate() is Gate.SETTLEMENT
