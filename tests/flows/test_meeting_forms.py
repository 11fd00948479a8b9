"""The forms of a meeting's gates: what they ask for, and what an answer does."""

import re
from typing import Any

import pytest
from prefect.utilities.callables import parameter_schema

from flows.answers import apply
from flows.forms import form_for
from flows.meeting_office import call_meeting
from policies.vocabulary import CaseStatus, Gate, Outcome
from tasks.asks import claim_run, new_ask
from tasks.case_file import case_file
from tasks.cases import Asked
from tests.desks import OpenTown
from tests.meetings import EDITIONS, EXAMPLE, INVITED, call, faults, meeting, resolutions, seats, settle
from tests.township import Township, at

OFFICE, HEAD = "沈审核(P001)", "丁主任(P003)"


@pytest.fixture
def here(open_sqlite: OpenTown) -> Township:
    """The example's town with a meeting that is called."""
    town = settle(open_sqlite(EXAMPLE, EDITIONS[EXAMPLE]))
    call(town)
    return town


def form(town: Township, number: str) -> Any:
    """The form of the gate that waits."""
    file = case_file(town.resources, number, at=town.now())
    assert file.awaited is not None
    return form_for(town.resources, file, file.awaited)


def answer(town: Township, number: str = "", *, by: str = OFFICE, **filled: Any) -> str:
    """Fill in the form of the gate that waits; the refusal, if there is one."""
    number = number or town.number
    made = form(town, number)
    made.model_validate({})
    schema = made.model_json_schema()
    models = [schema, *schema.get("$defs", {}).values()]
    assert not [
        field["title"] for model in models for field in model["properties"].values() if field["title"].isascii()
    ]
    # What people fill in passes the form's own schema first.
    filled = made.model_validate({"by": by} | filled).model_dump(mode="json", include={"by", *filled})
    item = town.item(number)
    assert item is not None
    ask = new_ask(town.resources, item.id, claim_run(town.resources, number, "run"), at=town.now())
    assert ask is not None
    asked = Asked(work_item=item.id, ask=ask.id)
    refusal = apply(town.resources, number, item.gate, filled, asked, at=town.now())
    town.rehearsal.carry(number)
    return refusal


def test_a_meeting_is_arranged_held_and_followed_up_by_its_forms_alone(here: Township) -> None:
    number = here.number
    assert "未选择事项" in answer(here)
    assert "“登记签到和纪要”不用填写地点" in answer(here, action="登记签到和纪要", place="四楼")
    assert "“开会时刻”“下午”不是时刻,请写作 时:分" in answer(here, action="完善会议安排", begins="下午")
    assert answer(here, action="完善会议安排", place="四楼会议室", agenda=["一", ""], begins="15:00") == ""
    assert (meeting(here, number).place, meeting(here, number).agenda) == ("四楼会议室", ["一"])
    assert "延期须填写新的开会日期" in answer(here, action="延期", reason="防汛")
    assert "延期须写明理由" in answer(here, action="延期", meets_on="2026-04-22")
    assert "“新的开会日期”" in answer(here, action="延期", meets_on="下周", reason="防汛")
    assert answer(here, action="延期", meets_on="2026-04-22", reason="防汛") == ""
    assert (here.item(number).round, meeting(here, number).meets_at) == (2, at("2026-04-22 15:00"))  # type: ignore[union-attr]

    here.clock.move_to(at("2026-04-22 17:00"))
    everybody = _offered(here, number)
    assert len(everybody) == len(INVITED)
    assert "还缺:" in answer(here, action="会议已召开", held_on="2026-04-22")
    assert answer(here, action="登记签到和纪要", held_on="2026-04-22", attended=everybody[:5]) == ""
    assert [seat for _, _, seat in seats(here, number)].count("attended") == 5
    decided = [
        {"text": "更换音响", "responsible": "周责任", "due_on": "2026-04-30"},
        {"text": "", "responsible": "", "due_on": ""},
    ]
    faulty = [decided[0] | {"due_on": "月底"}]
    more = {"rest_absent": True, "minutes": "会议听取了汇报。"}
    assert "“议定事项第1项”" in answer(here, action="会议已召开", resolutions=faulty, **more)
    assert answer(here, action="会议已召开", resolutions=decided, **more) == ""
    assert here.gate(number) is Gate.RESOLUTIONS

    [each] = resolutions(here, number)
    task, leader = each.case.number, "周责任(P010)"
    assert "未选择决定" in answer(here, task, by=leader)
    assert "“已完成”须填写完成日期、落实结果" in answer(here, task, by=leader, verdict="已完成")
    assert "“延期”不用填写落实结果" in answer(here, task, by=HEAD, verdict="延期", result="已换")
    assert "延期须写明理由" in answer(here, task, by=HEAD, verdict="延期", due_on="2026-05-20")
    assert "须由社区办负责人办理" in answer(here, task, by=leader, verdict="延期", due_on="2026-05-20", reason="缺货")
    assert answer(here, task, by=HEAD, verdict="延期", due_on="2026-05-20", reason="缺货") == ""
    assert here.item(task).round == 2  # type: ignore[union-attr]
    assert answer(here, task, by=leader, verdict="已完成", done_on="2026-04-22", result="已更换") == ""
    assert here.case(number).status is CaseStatus.CLOSED
    assert faults(here) == []


def test_the_form_that_calls_a_meeting_is_filled_in_with_what_it_accepts() -> None:
    schema = parameter_schema(call_meeting).model_dump()["definitions"]["CallMeeting"]["properties"]["begins"]
    assert schema["default"] == "14:00"
    assert re.fullmatch(schema["pattern"], schema["default"])


def test_a_meeting_is_called_off_by_form(here: Township) -> None:
    number = here.number
    assert "不再召开须写明理由" in answer(here, action="不再召开")
    assert answer(here, action="不再召开", reason="人员不齐") == ""
    assert here.case(number).outcome is Outcome.CALLED_OFF
    assert len(here.told("meeting_called_off")) == len(INVITED)


def _offered(town: Township, number: str) -> list[str]:
    offered: list[str] = form(town, number).model_json_schema()["properties"]["attended"]["items"]["enum"]
    return offered
