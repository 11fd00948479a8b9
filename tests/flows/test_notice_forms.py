"""The Resume forms of a notice: what they offer, what an answer does, and what is refused in the next form."""

from typing import Any

import pytest
from prefect.input.run_input import RunInput
from pydantic import ValidationError

from flows.answers import apply
from flows.fields import NOBODY, UNDECIDED
from flows.forms import form_for
from models.work_item import Ask
from policies.vocabulary import Gate, ObjectionFinding, Outcome
from tasks.case_file import case_file
from tasks.cases import Asked
from tests.desks import OpenTown
from tests.notices import LINPING, Board
from tests.township import at

ENDS = "2022-03-15 00:00"
BY = "沈审核(P001)"


@pytest.fixture
def board(open_sqlite: OpenTown) -> Board:
    """A notice that stands."""
    board = Board(open_sqlite("zhujiajiao-2018", "2022-03-04 10:00"))
    board.publish(LINPING)
    return board


def form(board: Board) -> type[RunInput]:
    file = case_file(board.town.resources, board.town.number, at=board.town.now())
    assert file.awaited is not None
    return form_for(board.town.resources, file, file.awaited)


def answer(board: Board, **fields: Any) -> str:
    """Fill in the form as the UI does and carry out the answer; return why it was refused."""
    filled = form(board)(**fields).model_dump(mode="json")
    item = board.town.item()
    assert item is not None
    with board.town.resources.database.write() as session:
        ask = Ask(
            case_id=item.case_id,
            work_item_id=item.id,
            flow_run_id="run",
            key=f"{item.gate.slug}-{len(board.town.history())}-{hash(str(fields))}",
            asked_at=board.town.now(),
        )
        session.add(ask)
        session.flush()
        asked = Asked(work_item=item.id, ask=ask.id)
    refusal = apply(board.town.resources, board.town.number, item.gate, filled, asked, at=board.town.now())
    if not refusal:
        with board.town.resources.database.read() as session:
            assert session.get_one(Ask, asked.ask).consumed_at is not None
    board.town.rehearsal.carry(board.town.number)
    return refusal


def options(board: Board, field: str) -> list[str]:
    schema = form(board).model_json_schema()["properties"][field]
    return list(schema.get("enum") or [schema["const"]])


def test_an_empty_answer_passes_the_form_and_does_nothing(board: Board) -> None:
    assert "未选择办理人" in answer(board)
    assert "未选择办理事项" in answer(board, by=BY)
    assert board.objections() == []


def test_the_form_offers_what_can_be_done_now(board: Board) -> None:
    assert options(board, "action") == [UNDECIDED, "登记异议", "延期", "撤销公示"]
    assert options(board, "channel") == [NOBODY, "书面", "来电", "来访", "网络"]
    assert options(board, "against") == ["整个公示", "1. 东段十二盏", "2. 西段八盏"]
    board.object()
    assert options(board, "action") == [UNDECIDED, "登记异议", "处理异议", "延期", "撤销公示"]
    board.handle(1, "异议成立")
    assert options(board, "action") == [UNDECIDED, "登记异议", "登记告知", "延期", "撤销公示"]
    assert options(board, "objection") == [NOBODY, "第1件 王五 对整个公示"]


def test_an_objection_is_recorded_handled_and_answered_by_the_form(board: Board) -> None:
    board.town.clock.move_to(at("2022-03-08 10:00"))
    recorded = {
        "by": BY,
        "action": "登记异议",
        "channel": "来访",
        "name": "王五",
        "content": "路灯正对卧室",
        "against": "2. 西段八盏",
        "received_at": "2022-03-07 16:30",
    }
    assert answer(board, **recorded) == ""
    (objection,) = board.objections()
    assert (objection.details["item"], objection.received_at) == (2, at("2022-03-07 16:30"))
    chosen = "第1件 王五 对西段八盏"
    handled = {"by": BY, "action": "处理异议", "objection": chosen, "finding": "异议不成立", "reasons": "已调低"}
    assert answer(board, **handled) == ""
    assert answer(board, by=BY, action="登记告知", objection=chosen, how="当面告知") == ""
    (objection,) = board.objections()
    assert (objection.finding, objection.answered_by) == (ObjectionFinding.NOT_UPHELD, "当面告知")


def test_a_telephone_is_refused_by_the_form(board: Board) -> None:
    told = answer(board, by=BY, action="登记异议", channel="来电", content="太亮", contact="138 1234 5678")
    assert "“联系方式”" in told
    assert "5678" not in told
    assert board.objections() == []


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"action": "登记异议"}, "未选择提出方式"),
        ({"action": "登记异议", "channel": "书面"}, "“异议内容”"),
        ({"action": "登记异议", "channel": "书面", "content": "太亮", "received_at": "昨天"}, "“收到时间”"),
        ({"action": "延期", "reason": "暴雨"}, "“延期至”"),
        ({"action": "延期", "until": "2022-03-16"}, "“理由”"),
        ({"action": "延期", "until": "2022-03-19", "reason": "暴雨"}, "是休息日"),
        ({"action": "撤销公示"}, "须写明理由"),
    ],
)
def test_a_faulty_answer_is_refused_by_the_title_of_its_field(board: Board, fields: dict[str, Any], told: str) -> None:
    assert told in answer(board, by=BY, **fields)
    assert board.town.gate() is Gate.NOTICE_PERIOD
    assert board.objections() == []


def test_the_form_prolongs_and_retracts(board: Board) -> None:
    assert answer(board, by=BY, action="延期", until="2022-03-16", reason="暴雨") == ""
    assert board.notice().ends_on.isoformat() == "2022-03-16"
    assert answer(board, by=BY, action="撤销公示", reason="方案作废") == ""
    assert board.outcome() is Outcome.RETRACTED


def test_an_answer_that_comes_after_the_end_is_told_that_the_notice_is_over(board: Board) -> None:
    board.town.clock.move_to(at(ENDS))
    assert "已于2022年3月14日期满" in answer(board, by=BY, action="延期", until="2022-03-16", reason="暴雨")
    assert board.outcome() is Outcome.CLEARED


def test_a_review_handles_several_and_decides_at_once(board: Board) -> None:
    board.object()
    board.object(content="太亮", name="")
    board.town.pass_until(ENDS)
    first, second = "第1件 王五 对整个公示", "第2件 (匿名) 对整个公示"
    handled = [
        {"objection": first, "finding": "异议成立", "reasons": "改装灯罩"},
        {"objection": second, "finding": "异议不成立", "reasons": "亮度合规"},
    ]
    answered = [{"objection": first, "how": "当面告知"}]
    told = answer(board, by=BY, handled=handled, answered=answered, verdict="调整后重新公示", reason="改装灯罩")
    assert "异议第2件尚未答复" in told
    assert [each.finding for each in board.objections()] == [None, None], "all of a form, or nothing of it"
    answered.append({"objection": second, "how": "在公开栏答复"})
    told = answer(board, by=BY, handled=handled, answered=answered, verdict="调整后重新公示", reason="改装灯罩")
    assert told == ""
    assert board.outcome() is Outcome.AMENDED


def test_a_review_may_handle_now_and_decide_later(board: Board) -> None:
    board.object(contact="wang@example.com")
    board.town.pass_until(ENDS)
    assert "没有处理任何异议,也未选择决定" in answer(board, by=BY)
    chosen = "第1件 王五 对整个公示"
    assert answer(board, by=BY, handled=[{"objection": chosen, "finding": "异议不成立", "reasons": "亮度合规"}]) == ""
    assert "handled" not in form(board).model_fields
    with pytest.raises(ValidationError):
        form(board)(by=BY, verdict="期满结束")
    assert answer(board, by=BY, verdict="公示通过") == ""
    assert board.outcome() is Outcome.CLEARED
