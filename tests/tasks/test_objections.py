"""Objections: recorded when they came in time, handled with reasons, answered; a review that fits them."""

from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import text

from policies.errors import Refused
from policies.vocabulary import Gate, ObjectionFinding, Outcome, Verdict
from rules.periods import end_of
from tasks.case_file import as_markdown, case_file
from tasks.deadlines import fire_due
from tasks.history import verify
from tasks.objections import contact_of
from tests.calls import OpenCallTown
from tests.desks import OpenTown
from tests.notices import LINPING, MICRO, Board
from tests.township import HEAD_OF_OFFICE, RESPONSIBLE, STRANGER, at

THE_DAY = "2022-03-04 10:00"
ENDS = "2022-03-15 00:00"


@pytest.fixture
def both(open_town: OpenTown) -> Board:
    """A notice that stands, once per kind of database."""
    board = Board(open_town("zhujiajiao-2018", THE_DAY))
    board.publish(LINPING)
    return board


@pytest.fixture
def board(open_sqlite: OpenTown) -> Board:
    """The same on SQLite."""
    board = Board(open_sqlite("zhujiajiao-2018", THE_DAY))
    board.publish(LINPING)
    return board


def sound(board: Board) -> None:
    with board.town.resources.database.read() as session:
        assert [str(fault) for fault in verify(session)] == []
    keys = [entry.dedup_key for entry in board.town.entries()]
    assert len(keys) == len(set(keys))


def to(board: Board, address: str) -> list[EmailMessage]:
    return [message for message in board.town.eml() if address in str(message["To"])]


# -- recorded ------------------------------------------------------------------------------------------------------


def test_who_objects_by_mail_gets_a_receipt_and_an_answer_and_the_office_hears_of_it(both: Board) -> None:
    assert both.object(contact="wang@example.com", against="1. 东段十二盏") == 1
    (objection,) = both.objections()
    assert objection.details["item"] == 1
    assert both.town.told("objection_received") == ["沈审核", "施审核", "王五"]
    (receipt,) = to(both, "wang@example.com")
    assert "已收到您的异议" in str(receipt["Subject"])
    assert "flow-run" not in str(receipt.get_body(("plain",)))
    both.handle(1, "异议不成立", reasons="灯罩朝下,不照卧室")
    (_, answer) = to(both, "wang@example.com")
    plain = answer.get_body(("plain",))
    assert plain is not None
    assert "认定：异议不成立" in plain.get_content()
    assert "灯罩朝下,不照卧室" in plain.get_content()
    (handled,) = both.objections()
    assert (handled.finding, handled.answered_by) == (ObjectionFinding.NOT_UPHELD, "电子邮件(w***@example.com)")
    sound(both)


def test_a_telephone_is_kept_but_shown_to_nobody(board: Board) -> None:
    board.object(contact="13812345678", name="王五")
    board.object(contact="长江路18号501室", name="赵六", content="太亮")
    assert [each.contact for each in board.objections()] == ["13812345678", "长江路18号501室"]
    shown = as_markdown(case_file(board.town.resources, board.town.number, at=board.town.now()))
    shown += "".join(str(entry.context) + entry.sent_text for entry in board.town.entries())
    shown += "".join(row.summary + row.data for row in board.town.history())
    for path in board.town.resources.settings.notices_folder.glob("*.html"):
        shown += path.read_text(encoding="utf-8")
    assert "13812345678" not in shown
    assert "501室" not in shown
    assert "长江***" in shown
    with pytest.raises(ValidationError, match="请勿填写手机号"):
        board.object(content="请打13812345678")


def test_the_office_looks_a_telephone_up_to_answer_and_that_is_recorded(both: Board) -> None:
    both.object(contact="13812345678", name="王五")
    both.object(content="太亮", name="")
    resources, number, now = both.town.resources, both.town.number, both.town.now()
    with pytest.raises(Refused, match="无权办理公示"):
        contact_of(resources, number, 1, by=STRANGER, at=now)
    with pytest.raises(Refused, match="没有留下联系方式"):
        contact_of(resources, number, 2, by=HEAD_OF_OFFICE, at=now)
    assert contact_of(resources, number, 1, by=HEAD_OF_OFFICE, at=now) == "13812345678"
    last = both.town.history()[-1]
    assert (last.kind, last.actor) == ("contact_looked_up", "丁主任(P003)")
    assert "138" not in last.summary + last.data
    sound(both)


def test_an_anonymous_objection_against_the_whole_is_taken(board: Board) -> None:
    board.object(name="", channel="网络")
    (objection,) = board.objections()
    assert (objection.name, objection.against_case_id, objection.details["item"]) == ("", None, 0)
    assert any("(匿名)" in row.summary and "整个公示" in row.summary for row in board.town.history())


def test_the_same_key_records_once(both: Board) -> None:
    assert both.object(key="paper-7") == both.object(key="paper-7") == 1
    assert len(both.objections()) == 1
    assert both.object(key="paper-8") == 2
    both.publish(LINPING, key="another")
    with pytest.raises(Refused, match="标识“paper-7”已用于公示 LPG-2022-0001 的异议"):
        both.object(key="paper-7")
    sound(both)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"received_at": "2022-03-07 12:00"}, "收到时间2022-03-07 12:00晚于现在"),
        ({"received_at": "2022-03-04 09:59"}, "收到时间2022-03-04 09:59早于公示发布"),
        ({"against": "3"}, "公示中没有事项“3”,可填序号或名称:1. 东段十二盏;2. 西段八盏"),
        ({"by": STRANGER}, "无权办理公示"),
        ({"by": RESPONSIBLE}, "须由社区办审核员办理"),
        ({"case": "LPG-2022-0009"}, "没有编号为“LPG-2022-0009”的案件"),
    ],
)
def test_an_objection_that_can_not_be_is_refused(board: Board, changes: dict[str, Any], told: str) -> None:
    board.town.clock.move_to(at("2022-03-07 10:00"))
    with pytest.raises(Refused, match=told):
        board.object(**changes)
    assert board.objections() == []


def test_a_channel_that_the_edition_does_not_take_is_refused(open_sqlite: OpenTown) -> None:
    board = Board(open_sqlite("zhujiajiao-2018", "2026-03-02 10:00"))
    board.publish(MICRO)
    with pytest.raises(Refused, match="不以“来访”方式受理异议,可选:书面、来电、网络"):
        board.object(channel="来访")
    assert board.object(channel="来电") == 1


def test_something_else_than_a_notice_takes_no_objections(open_sqlite: OpenTown) -> None:
    board = Board(open_sqlite("zhujiajiao-2018", "2018-10-08 10:00"))
    board.town.apply()
    with pytest.raises(Refused, match="是“客堂间创建”,不是公示"):
        board.object()


def test_one_received_after_the_last_day_is_refused_with_the_moment(board: Board) -> None:
    board.object()
    board.town.pass_until("2022-03-16 09:00")
    assert board.town.gate() is Gate.OBJECTION_REVIEW
    with pytest.raises(Refused, match="异议于2022-03-15 00:00收到,公示期已于2022年3月14日24时届满,逾期不予受理"):
        board.object(content="迟了", received_at="2022-03-15 00:00")
    assert board.object(content="没迟", received_at="2022-03-14 23:59") == 2


def test_one_received_in_time_is_keyed_in_before_time_closes_the_notice(both: Board) -> None:
    """The last day is over, but nobody has written that yet."""
    both.town.clock.move_to(at(ENDS) + timedelta(minutes=4))
    assert both.object(received_at="2022-03-14 17:00", carry=False) == 1
    both.town.rehearsal.sweep()
    assert both.town.gate() is Gate.OBJECTION_REVIEW
    assert both.town.decisions()[0].details["open_objections"] == 1
    assert any("(公示期满后补登)" in row.summary for row in both.town.history())
    sound(both)


def test_a_notice_that_is_closed_takes_none_and_says_so(board: Board) -> None:
    board.town.clock.move_to(at(ENDS))
    fire_due(board.town.resources, at=board.town.now())
    # Written as ended without objections, but its case is not closed yet: it must not be cleared over an objection.
    with pytest.raises(Refused, match="“公示期”已由期限届满于2022-03-15 00:00办理,结果为“期满结束”"):
        board.object(received_at="2022-03-14 17:00", carry=False)
    board.town.rehearsal.carry(board.town.number)
    assert board.outcome() is Outcome.CLEARED
    with pytest.raises(Refused, match="异议于2022-03-15 00:00收到,公示期已于2022年3月14日24时届满,逾期不予受理"):
        board.object(received_at="2022-03-15 00:00")
    assert board.objections() == []


def test_a_notice_that_was_retracted_or_amended_takes_none_whenever_it_was_received(board: Board) -> None:
    board.decide(Verdict.RETRACTED, reason="方案作废")
    board.town.clock.move_to(at("2022-03-07 10:00"))
    with pytest.raises(Refused, match=r"已于2022-03-04 10:00办结\(公示已撤销\),不能再登记异议;请另行受理"):
        board.object(received_at="2022-03-04 10:00")
    assert board.objections() == []


# -- keyed in after the notice was closed as cleared ---------------------------------------------------------------


def cleared(board: Board, when: str = "2022-03-16 09:00") -> None:
    board.town.pass_until(when)
    assert board.outcome() is Outcome.CLEARED


def later(board: Board, **changes: Any) -> int:
    """Key in one that was received in time, and let the sweep do what it does."""
    seq = board.object(received_at="2022-03-14 17:00", **changes)
    board.town.rehearsal.sweep()
    return seq


def test_one_received_in_time_is_recorded_after_the_notice_was_cleared_and_the_head_hears(both: Board) -> None:
    cleared(both)
    assert later(both, against="1", contact="wang@example.com") == 1
    recorded = both.town.history()[-1]
    assert recorded.kind == "objection_recorded"
    for moment in (
        "2022年3月14日24时期满",
        "2022-03-15 00:00办结(公示通过)",
        "至2022-03-16 09:00才登记",
        "03-14 17:00",
    ):
        assert moment in recorded.summary
    assert both.town.told("objection_received") == ["沈审核", "施审核", "丁主任", "王五"]
    head = next(each for each in both.town.entries("objection_received") if each.to_name == "丁主任")
    assert "公示已办结，补登异议，请处理" in head.sent_subject
    assert "已于2022年3月14日24时期满,2022-03-15 00:00办结(公示通过)" in head.sent_text
    assert "Resume" not in head.sent_text
    (receipt,) = to(both, "wang@example.com")
    plain = receipt.get_body(("plain",))
    assert plain is not None
    assert "补登" not in str(receipt["Subject"]) + plain.get_content()
    assert both.outcome() is Outcome.CLEARED
    assert both.town.item() is None
    page = (both.town.resources.settings.notices_folder / both.notice().page).read_text(encoding="utf-8")
    assert "公示期间收到异议1件:成立0件,不成立0件,处理中1件;其中1件在公示办结以后补登。" in page
    assert "公示结果：公示通过" in page
    sound(both)


def test_one_keyed_in_later_is_upheld_and_answered_and_the_head_is_told_what_may_follow(both: Board) -> None:
    cleared(both)
    later(both)
    with pytest.raises(Refused, match="第1件尚未认定"):
        both.answer(1)
    (left,) = both.handle(1, "异议成立")
    assert left.endswith("异议成立,待答复;公示办结后补登")
    both.town.rehearsal.sweep()
    assert both.town.told("objection_answered") == ["丁主任"]
    (letter,) = both.town.entries("objection_answered")
    assert "结果不因此自动改变" in letter.sent_text
    assert "社区办负责人可以另行发布公示" in letter.sent_text
    assert "终止实施" not in letter.sent_text
    assert both.answer(1, "当面告知") == ()
    with pytest.raises(Refused, match="没有待处理或待答复的异议"):
        both.handle(1, "异议不成立")
    assert both.outcome() is Outcome.CLEARED
    assert as_markdown(case_file(both.town.resources, both.town.number, at=both.town.now())).count("办结后补登") >= 1
    sound(both)


def test_the_head_is_named_the_project_that_may_be_stopped_and_it_is_stopped(
    call_town_on_sqlite: OpenCallTown,
) -> None:
    town = call_town_on_sqlite()
    projects = town.to_notice({"长廊": {}, "路灯": {}}, {"长廊": 100, "路灯": 90})
    board, published = Board(town), town.notices()[0]
    received_at, town.number = published.opened_at + timedelta(hours=1), published.number
    town.rehearsal.move_to(end_of(board.notice().ends_on) + timedelta(days=1))
    assert board.outcome() is Outcome.CLEARED
    board.object(against="2", channel="来电", received_at=received_at)
    board.handle(1, "异议成立")
    (told,) = [each.context["what_follows"] for each in town.entries("objection_answered")]
    assert f"可以终止实施所涉项目 {projects['路灯']}“路灯”(ketang project stop),或者另行发布公示" in told
    assert projects["长廊"] not in told
    board.object(channel="来电", received_at=received_at, content="都不需要")
    town.decide(Verdict.ABANDONED, by=HEAD_OF_OFFICE, reason="异议成立", number=projects["路灯"])
    board.handle(2, "异议成立")
    told = town.entries("objection_answered")[-1].context["what_follows"]
    assert f"终止实施所涉项目 {projects['长廊']}“长廊”" in told
    assert f"所涉项目 {projects['路灯']}“路灯”(已撤回) 已办结,不能再终止实施" in told
    sound(board)


def test_one_keyed_in_later_and_not_upheld_is_answered_and_tells_the_head_nothing_more(board: Board) -> None:
    cleared(board)
    later(board, contact="wang@example.com")
    assert board.handle(1, "异议不成立") == ()
    board.town.rehearsal.sweep()
    assert board.town.told("objection_answered") == ["王五"]
    sound(board)


def test_one_keyed_in_later_counts_also_when_the_notice_was_cleared_in_a_review(board: Board) -> None:
    board.object()
    board.town.pass_until(ENDS)
    board.handle(1, "异议不成立")
    board.answer(1)
    board.decide(Verdict.CLEARED)
    assert board.outcome() is Outcome.CLEARED
    board.town.clock.move_to(at("2022-03-16 09:00"))
    assert later(board, content="太亮") == 2
    assert [each.details.get("after_close", False) for each in board.objections()] == [False, True]
    with pytest.raises(Refused, match="第1件已认定"):
        board.handle(1, "异议成立")
    sound(board)


def test_a_mark_of_keying_in_later_that_was_taken_off_is_named(board: Board) -> None:
    cleared(board)
    later(board)
    with board.town.resources.database.write() as session:
        session.execute(text("UPDATE objections SET details = '{}'"))
    with board.town.resources.database.read() as session:
        (fault,) = verify(session)
    assert "第1件异议的登记内容与办理记录不符" in str(fault)


# -- handled and answered ------------------------------------------------------------------------------------------


def test_what_was_handled_and_answered_during_the_period_needs_no_review(both: Board) -> None:
    both.object()
    left = both.handle(1, "异议不成立")
    assert left[0].endswith("异议不成立,待答复")
    assert both.answer(1, "当面告知") == ()
    both.town.pass_until(ENDS)
    assert both.outcome() is Outcome.CLEARED
    assert "异议1件" in both.town.entries("notice_closed")[0].sent_text
    sound(both)


def test_one_that_was_upheld_is_reviewed_although_it_was_answered(board: Board) -> None:
    board.object(contact="wang@example.com")
    board.handle(1, "异议成立")
    board.town.pass_until(ENDS)
    assert board.town.gate() is Gate.OBJECTION_REVIEW
    assert board.town.decisions()[0].details["upheld_objections"] == 1


def test_one_handled_after_the_end_but_before_it_was_written_is_reviewed(board: Board) -> None:
    board.object(contact="wang@example.com")
    board.town.clock.move_to(at(ENDS) + timedelta(minutes=1))
    board.handle(1, "异议不成立")
    assert board.town.gate() is Gate.OBJECTION_REVIEW
    board.decide(Verdict.CLEARED)
    assert board.outcome() is Outcome.CLEARED


def test_a_finding_stands_and_an_answer_follows_it(board: Board) -> None:
    board.object()
    with pytest.raises(Refused, match="没有第2件异议,已登记的有:1"):
        board.handle(2, "异议成立")
    with pytest.raises(ValidationError, match="reasons"):
        board.handle(1, "异议成立", reasons="")
    with pytest.raises(Refused, match="无权办理公示"):
        board.handle(1, "异议成立", by=RESPONSIBLE)
    with pytest.raises(Refused, match="第1件尚未认定"):
        board.answer(1)
    board.handle(1, "异议成立", by=HEAD_OF_OFFICE)
    with pytest.raises(Refused, match=r"第1件已认定为“异议成立”\(2022-03-04 10:00\),不能再次认定"):
        board.handle(1, "异议不成立")
    with pytest.raises(Refused, match="不在异议收到之后、现在之前"):
        board.answer(1, answered_at=at("2022-03-04 10:01"))
    board.answer(1, "书面送达")
    with pytest.raises(Refused, match="已于2022-03-04 10:00以“书面送达”答复"):
        board.answer(1)
    sound(board)


def test_an_answer_that_can_not_be_delivered_comes_back_to_the_office(board: Board) -> None:
    board.object(contact="wang@example.com")
    board.handle(1, "异议不成立")
    gave_up = (
        "UPDATE outbox SET status = 'dead', sent_at = NULL, last_error = '550' WHERE letter = 'objection_answered'"
    )
    with board.town.resources.database.write() as session:
        session.execute(text(gave_up))
    board.town.rehearsal.sweep()
    assert board.town.told("letter_undelivered") == ["沈审核", "施审核"]


# -- reviewed ------------------------------------------------------------------------------------------------------


def test_a_review_that_does_not_fit_is_refused_naming_the_objections(both: Board) -> None:
    both.object(contact="wang@example.com")
    both.object(content="太亮")
    both.town.pass_until(ENDS)
    assert both.town.told("task_waiting") == ["沈审核", "施审核"]
    for verdict in (Verdict.CLEARED, Verdict.AMENDED):
        with pytest.raises(Refused, match="异议第1件、第2件尚未处理"):
            both.decide(verdict, reason="结束")
    both.handle(1, "异议不成立")
    both.handle(2, "异议不成立")
    with pytest.raises(Refused, match="异议第2件尚未答复异议人"):
        both.decide(Verdict.CLEARED)
    both.answer(2)
    with pytest.raises(Refused, match="2件异议均不成立,没有须调整的内容"):
        both.decide(Verdict.AMENDED, reason="调整")
    with pytest.raises(Refused, match="无权办理"):
        both.decide(Verdict.CLEARED, by=RESPONSIBLE)
    both.decide(Verdict.CLEARED)
    assert both.outcome() is Outcome.CLEARED
    sound(both)


def test_an_upheld_objection_amends_the_notice_or_retracts_it(board: Board) -> None:
    board.object(contact="wang@example.com")
    board.town.pass_until(ENDS)
    board.handle(1, "异议成立")
    with pytest.raises(Refused, match="异议第1件成立,不能作出“公示通过”"):
        board.decide(Verdict.CLEARED)
    with pytest.raises(Refused, match="须写明理由"):
        board.decide(Verdict.AMENDED)
    board.decide(Verdict.AMENDED, reason="东段改为十盏")
    assert board.outcome() is Outcome.AMENDED
    assert "其中成立1件，不成立0件" in board.town.entries("notice_closed")[0].sent_text


def test_reasons_do_not_name_who_objected(board: Board) -> None:
    board.object(name="王五")
    with pytest.raises(Refused, match="理由中写有第1件异议的异议人“王五”"):
        board.handle(1, "异议成立", reasons="王五反映的情况属实")
    assert board.objections()[0].finding is None
    board.handle(1, "异议成立")
    board.answer(1)
    with pytest.raises(Refused, match="请改称“异议人”"):
        board.decide(Verdict.RETRACTED, reason="王五的意见成立")


@pytest.mark.parametrize("when", ["2022-03-08 09:00", ENDS])
def test_a_notice_is_not_retracted_over_an_objection_without_an_answer(board: Board, when: str) -> None:
    board.object()
    board.town.pass_until(when)
    with pytest.raises(Refused, match="异议第1件尚未处理,不能作出“撤销公示”"):
        board.decide(Verdict.RETRACTED, reason="方案作废")
    board.handle(1, "异议成立")
    with pytest.raises(Refused, match="异议第1件尚未答复异议人"):
        board.decide(Verdict.RETRACTED, reason="方案作废")
    board.answer(1)
    board.decide(Verdict.RETRACTED, reason="方案作废")
    assert board.outcome() is Outcome.RETRACTED


def test_a_review_may_retract_whatever_was_found(board: Board) -> None:
    board.object()
    board.town.pass_until(ENDS)
    board.handle(1, "异议不成立")
    board.answer(1)
    board.decide(Verdict.RETRACTED, reason="方案作废")
    assert board.outcome() is Outcome.RETRACTED
    letter = board.town.entries("notice_closed")[0].sent_text
    assert "已于2022年3月14日24时期满，结果为：公示已撤销" in letter


def test_a_review_has_a_deadline_of_its_own_with_reminders_and_an_escalation(board: Board) -> None:
    board.object()
    board.town.pass_until(ENDS)
    item = board.town.item()
    assert item is not None
    assert item.due_on.isoformat() == "2022-03-22"
    reminded = len(board.town.told("reminder"))
    board.town.pass_until("2022-03-23 09:00")
    assert len(board.town.told("reminder")) > reminded
    assert board.town.told("escalation") == ["丁主任"]
    assert board.town.gate() is Gate.OBJECTION_REVIEW


# -- never changed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE objections SET content = '没有意见'", "第1件异议的登记内容与办理记录不符"),
        ("UPDATE objections SET contact = 'other@example.com'", "第1件异议的登记内容与办理记录不符"),
        ("UPDATE objections SET finding = 'not_upheld'", "第1件异议的认定与办理记录不符"),
        ("UPDATE objections SET answered_by = '没有告知'", "第1件异议的答复与办理记录不符"),
        ("DELETE FROM objections", "办理记录中登记的异议已被删除"),
    ],
)
def test_an_objection_changed_behind_the_products_back_is_named(both: Board, change: str, told: str) -> None:
    both.object(contact="wang@example.com")
    both.handle(1, "异议成立")
    sound(both)
    with both.town.resources.database.write() as session:
        session.execute(text(change))
    with both.town.resources.database.read() as session:
        found = [str(fault) for fault in verify(session)]
    assert len(found) == 1
    assert f"案件 {both.town.number}:表 objections 第 1 行:" in found[0]
    assert told in found[0]
