"""A notice is published, stands until its last day, and closes by itself; what it says is never changed silently."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select, text

from models.notice import Notice
from models.registry import Unit
from policies.errors import Refused
from policies.vocabulary import CaseStatus, Door, Gate, NoticeKind, Outcome, TimerKind, Verdict
from tasks import notice_days
from tasks.act import acting
from tasks.deadlines import fire_due
from tasks.due_instants import due_instants
from tasks.history import verify
from tasks.notice_changes import follow_calendar
from tasks.notice_commands import PublishNotice
from tasks.notice_seal import digest_of
from tasks.notices import NoticeItem, open_notice, publish_notice
from tests.broken import break_rows
from tests.desks import OpenTown, publish_2027
from tests.notices import LINPING, MICRO, Board
from tests.township import HEAD_OF_OFFICE, RESPONSIBLE, STRANGER, at

THE_DAY = "2022-03-04 10:00"
"""On which the real notice of Linping was published."""
LAST, ENDS = "2022-03-14 23:59", "2022-03-15 00:00"


@pytest.fixture
def both(open_town: OpenTown) -> Board:
    """A notice board on the day, once per kind of database."""
    return Board(open_town("zhujiajiao-2018", THE_DAY))


@pytest.fixture
def board(open_sqlite: OpenTown) -> Board:
    """The same on SQLite."""
    return Board(open_sqlite("zhujiajiao-2018", THE_DAY))


def faults(board: Board) -> list[str]:
    with board.town.resources.database.read() as session:
        return [str(fault) for fault in verify(session)]


def sound(board: Board) -> None:
    assert faults(board) == []
    keys = [entry.dedup_key for entry in board.town.entries()]
    assert len(keys) == len(set(keys))


# -- the period ----------------------------------------------------------------------------------------------------


def test_the_notice_of_2022_stands_until_the_end_of_14_march_and_closes_by_itself(both: Board) -> None:
    number = both.publish(LINPING)
    assert number == "LPG-2022-0001"
    assert both.notice().period == (
        "公示期10日,自公布次日(2022年3月5日)起算,按自然日计算,末日遇休息日、法定节假日顺延至其后首个工作日,"
        "至2022年3月14日24时止"
    )
    assert both.town.gate() is Gate.NOTICE_PERIOD
    both.town.pass_until(LAST)
    assert both.outcome() is None
    both.town.pass_until(ENDS)
    assert both.outcome() is Outcome.CLEARED
    (ended,) = both.town.decisions()
    assert (ended.verdict, ended.door, ended.effective_at) == (Verdict.ENDED, Door.LAPSE, at(ENDS))
    assert both.notice().closed_at == at(ENDS)
    assert ended.details["open_objections"] == ended.details["upheld_objections"] == 0
    sound(both)


@pytest.mark.parametrize(
    ("edition", "published", "last", "words"),
    [
        (MICRO, "2026-03-02 10:00", "2026-03-06", "公示期5个工作日,自公布当日(2026年3月2日)起算,当日计入,按工作日计算"),
        (MICRO, "2026-03-07 10:00", "2026-03-13", "公布当日(2026年3月7日)不是工作日,自其后首个工作日起算"),
        # Seven days of the National Day: 8 October, a Saturday, is a make-up workday.
        (
            LINPING,
            "2022-09-21 10:00",
            "2022-10-08",
            "末日遇休息日、法定节假日顺延至其后首个工作日,至2022年10月8日24时止",
        ),
        (LINPING, "2022-03-05 23:59", "2022-03-15", "自公布次日(2022年3月6日)起算"),
    ],
)
def test_the_period_is_counted_by_the_edition_and_says_how(
    open_sqlite: OpenTown, edition: str, published: str, last: str, words: str
) -> None:
    board = Board(open_sqlite("zhujiajiao-2018", published))
    board.publish(edition)
    assert board.notice().ends_on == date.fromisoformat(last)
    assert words in board.notice().period
    item = board.town.item()
    assert item is not None
    assert item.due_on == date.fromisoformat(last)


def test_a_last_day_in_a_year_without_arrangement_is_told_as_provisional(open_sqlite: OpenTown) -> None:
    board = Board(open_sqlite("zhujiajiao-2018", "2026-12-28 10:00"))
    board.publish(LINPING)
    assert "2027年放假安排尚未公布,末日为暂定" in board.notice().period


def test_a_provisional_last_day_moves_on_when_the_arrangement_makes_it_a_day_off(open_town: OpenTown) -> None:
    board = Board(open_town("zhujiajiao-2018", "2026-12-31 10:00"))
    board.publish(LINPING)
    assert board.notice().ends_on == date(2027, 1, 11)
    sealed = board.notice().sha256
    board.town.pass_until("2027-01-05 10:00")
    publish_2027(board.town)
    board.town.rehearsal.sweep()
    notice = board.notice()
    assert (notice.ends_on, notice.sha256) == (date(2027, 1, 12), sealed)
    assert notice.prolonged[0]["reason"] == "2027年放假安排公布,末日依规定顺延"
    assert board.town.told("notice_prolonged") == ["周责任", "沈审核", "施审核"]
    board.town.rehearsal.sweep()
    assert len(board.notice().prolonged) == 1
    board.prolong("2027-01-13")
    board.prolong("2027-01-14")
    board.town.pass_until("2027-01-15 00:00")
    assert board.outcome() is Outcome.CLEARED
    sound(board)


@pytest.mark.parametrize("act", ["objects", "handles", "prolongs"])
def test_who_comes_on_the_last_day_by_the_arrangement_is_heard_before_the_sweep(open_town: OpenTown, act: str) -> None:
    board = Board(open_town("zhujiajiao-2018", "2026-12-31 10:00"))
    board.publish(LINPING)
    seq = board.object()
    publish_2027(board.town)
    board.town.clock.move_to(at("2027-01-12 10:00"))  # no sweep since; the 11th turned out to be a day off
    if act == "objects":
        assert board.object(content="末日提出") == 2
    elif act == "handles":
        board.handle(seq, "异议不成立")
    else:
        board.prolong("2027-01-14")
    assert board.notice().ends_on == date(2027, 1, 14 if act == "prolongs" else 12)
    assert board.town.gate() is Gate.NOTICE_PERIOD, "the period has not ended"
    assert board.notice().prolonged[0]["reason"] == "2027年放假安排公布,末日依规定顺延"
    sound(board)


UNREADABLE = {
    "notices": "items = '['",
    "work_items": "opened_at = 'gestern'",
    "cases": "kind = 'anschlag'",
}
"""What of a notice somebody may make unreadable; its case is the first."""


@pytest.mark.parametrize("table", UNREADABLE)
def test_a_notice_that_can_not_be_read_keeps_no_other_from_following_the_arrangement(
    open_sqlite: OpenTown, table: str
) -> None:
    board = Board(open_sqlite("zhujiajiao-2018", "2026-12-31 10:00"))
    _, other = (board.publish(LINPING, key=key, title=f"第{key}件") for key in ("1", "2"))
    before = board.notice(other).ends_on
    break_rows(board.town, f"UPDATE {table} SET {UNREADABLE[table]} WHERE id = 1")
    publish_2027(board.town)
    assert follow_calendar(board.town.resources, at=board.town.now()) == 1
    assert board.notice(other).ends_on > before


def test_a_notice_whose_last_day_can_not_be_moved_stops_no_other(
    open_sqlite: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = Board(open_sqlite("zhujiajiao-2018", "2026-12-31 10:00"))
    first, second = (board.publish(LINPING, key=key, title=f"第{key}件") for key in ("1", "2"))
    before = {number: board.notice(number).ends_on for number in (first, second)}
    move = notice_days.prolong

    def broken(act: Any, item: Any, *given: Any, **more: Any) -> None:
        if item.case.number == first:
            raise LookupError("no policy")
        move(act, item, *given, **more)

    monkeypatch.setattr(notice_days, "prolong", broken)
    publish_2027(board.town)
    assert follow_calendar(board.town.resources, at=board.town.now()) == 1
    assert board.notice(first).ends_on == before[first]
    assert board.notice(second).ends_on > before[second]


def test_no_notice_ends_before_its_day_by_the_arrangement_though_none_was_moved(
    open_town: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = Board(open_town("zhujiajiao-2018", "2026-12-31 10:00"))
    numbers = [board.publish(LINPING, key=key, title=f"第{key}件") for key in ("1", "2")]
    publish_2027(board.town)
    board.town.clock.move_to(at("2027-01-12 00:00"))

    def fails(*_: Any, **__: Any) -> Any:
        raise ArithmeticError("no calendar")

    with monkeypatch.context() as broken:
        broken.setattr(notice_days, "last_day_of", fails)
        counts = fire_due(board.town.resources, at=board.town.now())
        assert (counts.lapses, counts.recomputed) == (0, 0)
        assert [each.partition(":")[0] for each in counts.failures] == numbers
        assert all("期限未能重算,期满处理推迟到下次巡检" in each for each in counts.failures)
    counts = fire_due(board.town.resources, at=board.town.now())
    assert (counts.lapses, counts.recomputed, counts.failures) == (0, 2, [])
    assert {board.notice(number).ends_on for number in numbers} == {date(2027, 1, 12)}
    board.town.clock.move_to(at("2027-01-13 00:00"))
    assert fire_due(board.town.resources, at=board.town.now()).lapses == 2


def test_the_instant_of_the_end_is_known_as_soon_as_the_notice_is_published(board: Board) -> None:
    board.publish(LINPING)
    board.publish(LINPING, key="two")
    now = board.town.now()
    assert due_instants(board.town.resources, at=now) == [at(ENDS)]
    assert due_instants(board.town.resources, at=now, within=timedelta(days=1)) == []
    assert due_instants(board.town.resources, at=at(ENDS)) == []


# -- who publishes what --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"by": RESPONSIBLE}, "周责任(P010)不担任朱家角镇的社区办审核员或社区办负责人,不能发布公示"),
        ({"by": STRANGER}, "路人甲(P099)不担任"),
        ({"edition": "xuhang-2013"}, "“xuhang-2013”不是规定了公示办法的政策,可填:"),
        ({"edition": "no-such"}, "linping-2022"),
        ({"edition": MICRO}, "不在施行期内"),
        ({"unit": "ZD01"}, "登记簿中没有镇或村(居)“ZD01”"),
    ],
)
def test_a_notice_that_may_not_be_published_is_refused(board: Board, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(Refused, match=told.replace("(", r"\(").replace(")", r"\)")):
        board.publish(**({"edition": LINPING} | changes))


def test_the_head_of_the_office_publishes_for_a_village_too(board: Board) -> None:
    number = board.publish(LINPING, by=HEAD_OF_OFFICE, unit="周荡村")
    assert board.town.case(number).kind.value == "notice"
    assert board.notice().kind is NoticeKind.GENERAL
    assert board.town.told("notice_published") == ["周责任", "沈审核", "施审核"]


def test_the_same_key_publishes_once(both: Board) -> None:
    assert both.publish(LINPING) == both.publish(LINPING)
    assert both.town.told("notice_published") == ["周责任", "沈审核", "施审核"]
    sound(both)


def test_the_same_key_at_once_publishes_once(both: Board) -> None:
    barrier = Barrier(3)
    command = PublishNotice(
        unit="Z", edition=LINPING, by="P001", title="公示", text="内容", contact="社区办", place="公开栏"
    )

    def publish(_: int) -> str:
        barrier.wait(timeout=30)
        return publish_notice(both.town.resources, command, door=Door.CLI, key="once", at=both.town.now())

    with ThreadPoolExecutor(3) as threads:
        numbers = set(threads.map(publish, range(3)))
    assert numbers == {"LPG-2022-0001"}
    both.town.number = numbers.pop()
    sound(both)


def test_a_telephone_of_a_person_is_refused_and_never_published(board: Board) -> None:
    with pytest.raises(ValidationError, match="请勿填写手机号"):
        board.publish(LINPING, text="联系人王五13812345678")
    resources = board.town.resources
    with acting(resources, at=board.town.now()) as act:
        case = open_notice(
            act,
            parent=None,
            unit=act.session.scalars(select(Unit).where(Unit.code == "Z")).one(),
            edition=resources.editions[LINPING],
            kind=NoticeKind.GENERAL,
            title="公示",
            text="联系人王五13812345678",
            items=[NoticeItem("王五 13812345678")],
            contact="社区办",
            place="公开栏",
            key="masked",
            actor="系统",
        )
    notice = board.notice(case.number)
    assert "13812345678" not in notice.text + notice.items[0]["label"]
    assert faults(board) == []


def test_the_people_behind_the_items_hear_of_the_notice(board: Board) -> None:
    board.town.stand_at(at("2018-10-08 10:00"))
    parent = board.town.apply()
    board.town.stand_at(at(THE_DAY))
    resources = board.town.resources
    with acting(resources, at=board.town.now()) as act:
        case = board.town.case(parent)
        open_notice(
            act,
            parent=None,
            unit=act.session.scalars(select(Unit).where(Unit.code == "Z")).one(),
            edition=resources.editions[LINPING],
            kind=NoticeKind.SELECTION,
            title="公示",
            text="拟实施",
            items=[NoticeItem("户主1户", case.id)],
            contact="社区办",
            place="公开栏",
            key="concerned",
            actor="系统",
        )
    assert board.town.told("notice_published") == ["陆负责", "周责任", "沈审核", "施审核"]


# -- retracted -----------------------------------------------------------------------------------------------------


def test_a_notice_is_retracted_with_a_reason_and_everybody_hears_of_it(both: Board) -> None:
    both.publish(LINPING)
    with pytest.raises(Refused, match="须写明理由"):
        both.decide(Verdict.RETRACTED)
    both.town.clock.move_to(at("2022-03-08 09:00"))
    both.decide(Verdict.RETRACTED, reason="名单有误")
    assert both.outcome() is Outcome.RETRACTED
    assert both.town.case().because == "名单有误"
    assert both.notice().closed_at == at("2022-03-08 09:00")
    closed = both.town.entries("notice_closed")
    assert [entry.to_name for entry in closed] == ["周责任", "沈审核", "施审核"]
    assert "已于2022年3月8日撤销" in closed[0].sent_text
    assert both.town.told("case_closed") == []
    both.town.pass_until("2022-03-20 10:00")
    assert len(both.town.decisions()) == 1
    sound(both)


def test_nobody_else_retracts_and_nobody_at_all_after_the_end(board: Board) -> None:
    board.publish(LINPING)
    with pytest.raises(Refused, match="无权办理"):
        board.decide(Verdict.RETRACTED, reason="不要了", by=RESPONSIBLE)
    board.town.clock.move_to(at(ENDS))
    with pytest.raises(Refused, match="已于2022年3月14日期满"):
        board.decide(Verdict.RETRACTED, reason="名单有误")
    board.town.rehearsal.carry(board.town.number)
    assert board.outcome() is Outcome.CLEARED


# -- prolonged -----------------------------------------------------------------------------------------------------


def test_a_prolonged_notice_closes_at_its_new_end(both: Board) -> None:
    both.publish(LINPING)
    sealed = both.notice().sha256
    both.town.pass_until("2022-03-14 12:00")
    reminded = len(both.town.told("reminder"))
    assert both.prolong("2022-03-18") == date(2022, 3, 18)
    notice = both.notice()
    assert (notice.ends_on, notice.sha256) == (date(2022, 3, 18), sealed)
    assert [(each["from"], each["to"], each["reason"]) for each in notice.prolonged] == [
        ("2022-03-14", "2022-03-18", "连日暴雨")
    ]
    assert due_instants(both.town.resources, at=both.town.now()) == [at("2022-03-19 00:00")]
    assert both.town.told("notice_prolonged") == ["周责任", "沈审核", "施审核"]
    both.town.pass_until("2022-03-18 23:59")
    assert both.outcome() is None
    assert len(both.town.told("reminder")) == 2 * reminded
    both.town.pass_until("2022-03-19 00:00")
    assert both.outcome() is Outcome.CLEARED
    assert both.notice().closed_at == at("2022-03-19 00:00")
    sound(both)


@pytest.mark.parametrize(
    ("until", "told"),
    [
        ("2022-03-14", "须晚于现末日2022年3月14日"),
        ("2022-03-10", "须晚于现末日2022年3月14日"),
        ("2022-03-25", "一次最多延期10日,由2022年3月14日延至2022年3月25日为11日,最晚可延至2022年3月24日"),
        ("2022-03-19", "2022年3月19日是休息日或法定节假日,公示不能在该日届满,请改填2022年3月21日"),
    ],
)
def test_a_last_day_that_is_not_allowed_is_refused(board: Board, until: str, told: str) -> None:
    board.publish(LINPING)
    with pytest.raises(Refused, match=told):
        board.prolong(until)
    assert board.notice().ends_on == date(2022, 3, 14)


def test_a_notice_is_prolonged_only_so_often_and_only_while_it_stands(board: Board) -> None:
    board.publish(LINPING)
    with pytest.raises(Refused, match="无权办理公示"):
        board.prolong("2022-03-16", by=RESPONSIBLE)
    board.prolong("2022-03-16")
    board.prolong("2022-03-17")
    with pytest.raises(Refused, match="本政策规定公示最多延期2次,已延期2次"):
        board.prolong("2022-03-18")
    board.town.clock.move_to(at("2022-03-18 00:00"))
    with pytest.raises(Refused, match="已于2022年3月17日期满"):
        board.prolong("2022-03-18")


# -- late ----------------------------------------------------------------------------------------------------------


def test_after_a_downtime_it_closes_at_once_with_the_true_date_and_is_told_as_late(both: Board) -> None:
    both.publish(LINPING)
    both.town.sleep_until("2022-03-17 08:12")
    assert both.outcome() is Outcome.CLEARED
    (ended,) = both.town.decisions()
    assert (ended.effective_at, ended.decided_at) == (at(ENDS), at("2022-03-17 08:12"))
    assert both.notice().closed_at == at(ENDS)
    told = "公示期已于2022年3月14日24时届满,因系统停运,至2022-03-17 08:12补记,效力自期满之时起算"
    (letter, *_) = both.town.entries("notice_closed")
    assert told in letter.sent_text
    assert "已于2022年3月14日24时期满" in letter.sent_text
    page = both.town.resources.settings.notices_folder / both.notice().page
    assert told in page.read_text(encoding="utf-8")
    assert any("56小时后补记" in row.summary for row in both.town.history())
    both.town.rehearsal.sweep()
    assert len(both.town.decisions()) == 1
    sound(both)


def test_minutes_late_are_told_too_and_seconds_are_not(board: Board) -> None:
    board.publish(LINPING)
    board.town.clock.move_to(at(ENDS) + timedelta(minutes=3))
    board.town.rehearsal.sweep()
    assert "至2022-03-15 00:03补记" in board.town.decisions()[0].reason
    number = board.publish(LINPING, key="again")
    board.town.clock.move_to(at("2022-03-26 00:00") + timedelta(seconds=30))
    board.town.rehearsal.sweep()
    assert board.town.case(number).status is CaseStatus.CLOSED
    assert "补记" not in board.town.decisions()[0].reason


# -- never changed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE notices SET text = '拟装路灯三十盏'", "公示内容与公布时的摘要"),
        ("UPDATE cases SET title = '别的' WHERE kind = 'notice'", "公示内容与公布时的摘要"),
        ("UPDATE notices SET ends_on = '2022-03-10'", "公示延期后的末日与办理记录不符"),
        ("UPDATE notices SET prolonged = '[]'", "公示的延期与办理记录不符"),
        ("DELETE FROM notices", "公示已被删除"),
    ],
)
def test_a_notice_changed_behind_the_products_back_is_named(both: Board, change: str, told: str) -> None:
    both.publish(LINPING)
    both.prolong("2022-03-16")
    assert faults(both) == []
    with both.town.resources.database.write() as session:
        session.execute(text(change))
    found = [fault for fault in faults(both) if "表 notices" in fault]
    assert found
    assert all(fault.startswith(f"案件 {both.town.number}:") for fault in found)
    assert any(told in fault for fault in found), found


def test_a_seal_made_anew_does_not_help(board: Board) -> None:
    board.publish(LINPING)
    with board.town.resources.database.write() as session:
        notice = session.scalars(select(Notice)).one()
        notice.text = "拟装路灯三十盏"
        notice.sha256 = digest_of(notice)
    assert any("公示内容的摘要与办理记录不符" in fault for fault in faults(board))


# -- many, and at once ---------------------------------------------------------------------------------------------


def test_timers_are_moved_not_doubled_by_a_prolongation(board: Board) -> None:
    board.publish(LINPING)
    board.prolong("2022-03-16")
    lapses = [timer for timer in board.town.timers() if timer.kind is TimerKind.LAPSE]
    assert [timer.fires_at for timer in lapses] == [at("2022-03-17 00:00")]
