"""The notice board: pages are a projection of the database, whole, escaped, and never in the way of a case."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from flows import close_out
from flows.close_out import close_due
from policies.vocabulary import Outcome, Verdict
from tasks.deadlines import SweepCounts, fire_due
from tasks.history import verify
from tasks.notice_pages import pages_wait, write_pages
from tests.desks import OpenTown
from tests.notices import LINPING, Board
from tests.township import at

if TYPE_CHECKING:
    from playwright.sync_api import Browser

THE_DAY, ENDS = "2022-03-04 10:00", "2022-03-15 00:00"


@pytest.fixture
def both(open_town: OpenTown) -> Board:
    """A notice board, once per kind of database."""
    return Board(open_town("zhujiajiao-2018", THE_DAY))


@pytest.fixture
def board(open_sqlite: OpenTown) -> Board:
    """A notice board with the office's telephone, on SQLite."""
    return Board(open_sqlite("zhujiajiao-2018", THE_DAY, office_phone="021-59240000"))


def folder(board: Board) -> Path:
    return board.town.resources.settings.notices_folder


def page(board: Board, number: str = "") -> str:
    return (folder(board) / board.notice(number).page).read_text(encoding="utf-8")


def index(board: Board) -> str:
    return (folder(board) / "index.html").read_text(encoding="utf-8")


# -- what they show ------------------------------------------------------------------------------------------------


def test_a_page_shows_the_rule_the_contact_the_items_and_the_seal(board: Board) -> None:
    board.publish(LINPING)
    shown = page(board)
    for wanted in (
        "老街路灯改造方案",
        "<p>拟在老街安装路灯二十盏。</p>",
        "<p>施工期间请绕行。</p>",
        "<li>东段十二盏</li>",
        "公示期10日,自公布次日(2022年3月5日)起算",
        "2022年3月14日（星期一）24时",
        "书面、来电、来访、网络",
        "镇社区办,镇政府二楼",
        "021-59240000",
        "镇政务公开栏",
        "朱家角镇社区办",
        board.notice().sha256,
        "公示中",
    ):
        assert wanted in shown, wanted
    assert "<script" not in shown
    assert "http" not in shown.replace('http-equiv="Content-Security-Policy"', "")


def test_pages_can_be_read_by_the_account_of_a_web_server_whatever_the_umask(board: Board) -> None:
    before = os.umask(0o077)
    try:
        board.publish(LINPING)
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (folder(board), *folder(board).glob("*.html"))}
    assert modes.pop(folder(board).name) == 0o755
    assert len(modes) == 2
    assert set(modes.values()) == {0o644}


def test_text_is_escaped(board: Board) -> None:
    board.publish(LINPING, title="<b>大字</b>", text='<script>alert("x")</script> & 其他', items=["<i>"])
    assert "&lt;script&gt;" in page(board)
    assert "<script>" not in page(board) + index(board)
    assert "&lt;b&gt;大字&lt;/b&gt;" in index(board)


def test_a_page_follows_prolonging_objections_review_and_result(board: Board) -> None:
    board.publish(LINPING)
    board.prolong("2022-03-16")
    assert "第1次延期" in page(board)
    assert "由2022年3月14日延期至2022年3月16日24时。理由：连日暴雨" in page(board)
    board.object(name="王五")
    assert "王五" not in page(board)
    board.town.pass_until("2022-03-17 00:00")
    assert "公示期已满，异议复核中" in page(board)
    assert "收到异议1件:成立0件,不成立0件,处理中1件" in page(board)
    board.handle(1, "异议成立")
    board.answer(1)
    board.decide(Verdict.AMENDED, reason="改为十盏,见新的公示")
    assert "公示结果：调整后重新公示:改为十盏,见新的公示" in page(board)
    assert "成立1件" in page(board)
    assert board.notice().page_seq == board.notice().changed_seq


def test_the_index_lists_what_stands_and_what_is_over_newest_first(board: Board) -> None:
    first = board.publish(LINPING, key="1", title="第一件")
    board.town.pass_until("2022-03-10 10:00")
    second = board.publish(LINPING, key="2", title="第二件")
    third = board.publish(LINPING, key="3", title="第三件")
    board.town.pass_until(ENDS)
    standing, _, over = index(board).partition("公示已结束")
    assert standing.index("第三件") < standing.index("第二件")
    assert "第一件" not in standing
    assert f'<a href="{first.lower()}.html">第一件</a>' in over
    assert "公示通过" in over
    assert "2022年3月21日" in standing
    assert {path.name for path in folder(board).glob("*.html")} == {
        "index.html",
        *(f"{number.lower()}.html" for number in (first, second, third)),
    }


# -- how they are written ------------------------------------------------------------------------------------------


def test_pages_are_rebuilt_whole_and_rebuilding_never_alters_what_was_published(both: Board) -> None:
    numbers = [both.publish(LINPING, key=key) for key in ("1", "2")]
    before, sealed = [page(both, number) for number in numbers], both.notice().sha256
    shutil.rmtree(folder(both))
    assert not pages_wait(both.town.resources)
    report = write_pages(both.town.resources, everything=True)
    assert (report.written, report.failures) == (2, [])
    assert [page(both, number) for number in numbers] == before
    assert both.notice().sha256 == sealed
    with both.town.resources.database.read() as session:
        assert list(verify(session)) == []


def test_a_page_changed_by_hand_is_written_again_and_changes_nothing(board: Board) -> None:
    board.publish(LINPING)
    before = page(board)
    (folder(board) / board.notice().page).write_text("改过", encoding="utf-8")
    write_pages(board.town.resources, everything=True)
    assert page(board) == before


def test_a_folder_that_can_not_be_written_stops_no_case_and_is_made_up_for(board: Board, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("im Weg")
    settings = board.town.resources.settings
    good = settings.notices_folder
    settings.notices_folder = blocked / "notices"
    board.publish(LINPING)
    report = write_pages(board.town.resources)
    assert report.written == 0
    assert "公示文件夹" in report.failures[0]
    assert "无法写入" in report.failures[0]
    board.town.pass_until(ENDS)
    assert board.outcome() is Outcome.CLEARED
    assert pages_wait(board.town.resources)
    settings.notices_folder = good
    board.town.rehearsal.sweep()
    assert "公示通过" in page(board)
    assert not pages_wait(board.town.resources)


def test_a_single_page_that_can_not_be_written_leaves_the_others(board: Board) -> None:
    first = board.publish(LINPING, key="1")
    board.town.clock.move_to(at("2022-03-05 10:00"))
    in_the_way = folder(board) / "lpg-2022-0002.html"
    (in_the_way / "x").mkdir(parents=True)
    second = board.publish(LINPING, key="2")
    report = write_pages(board.town.resources)
    assert report.failures
    assert "lpg-2022-0002.html 无法写入" in report.failures[0]
    shutil.rmtree(in_the_way)
    board.town.rehearsal.sweep()
    assert "公示中" in page(board, first)
    assert "公示中" in page(board, second)


@pytest.mark.parametrize(
    "broken",
    [
        "UPDATE notices SET items = '[{}]' WHERE page = 'lpg-2022-0001.html'",
        "UPDATE notices SET prolonged = 'no list' WHERE page = 'lpg-2022-0001.html'",
        "UPDATE cases SET edition_sha256 = 'x' WHERE number = 'LPG-2022-0001'",
    ],
)
def test_a_notice_that_can_not_be_shown_leaves_the_others_and_the_index(
    both: Board, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = (both.publish(LINPING, key=key, title=f"第{key}件") for key in ("1", "2"))
    shutil.rmtree(folder(both))
    with both.town.resources.database.write() as session:
        session.execute(text(broken))
        session.execute(text("UPDATE notices SET page_seq = 0"))
    report = write_pages(both.town.resources)
    assert report.written == 1
    (failure,) = report.failures
    assert failure.startswith(f"公示 {first} 的页面 lpg-2022-0001.html 无法生成(")
    (record,) = [each for each in caplog.records if each.name == "tasks.notice_pages"]
    assert record.exc_info is not None
    assert first in record.getMessage()
    assert "第2件" in page(both, second)
    assert "第1件" in index(both)
    assert pages_wait(both.town.resources, first)
    assert not pages_wait(both.town.resources, second)


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ("ends_on = 'x'", "lpg-2022-0001.html"),
        ("ends_on = CAST(x'e5a4' AS TEXT)", "lpg-2022-0001.html"),
        ("page = CAST(x'e5a4' AS TEXT)", ""),
    ],
)
def test_an_index_that_can_not_be_made_is_told_and_the_pages_stay_due(board: Board, change: str, shown: str) -> None:
    first, second = (board.publish(LINPING, key=key) for key in ("1", "2"))
    shutil.rmtree(folder(board))
    with board.town.resources.database.write() as session:
        session.execute(text("UPDATE notices SET page_seq = 0"))
        session.execute(text(f"UPDATE notices SET {change} WHERE page = 'lpg-2022-0001.html'"))
    report = write_pages(board.town.resources)
    assert report.written == 0
    of_page, of_index = report.failures
    assert of_page.startswith(f"公示 {first} 的页面 {shown} 无法生成(")
    assert of_index.startswith("公示目录无法生成(")
    assert "公示中" in page(board, second)
    assert pages_wait(board.town.resources, second)


def test_a_notice_that_can_not_be_shown_does_not_stop_the_sweep(board: Board) -> None:
    first, second = (board.publish(LINPING, key=key) for key in ("1", "2"))
    with board.town.resources.database.write() as session:
        session.execute(text("UPDATE notices SET items = '[{}]', page_seq = 0 WHERE page = 'lpg-2022-0001.html'"))
    board.town.clock.move_to(at(ENDS))
    counts, report, _ = close_due(board.town.resources, at=board.town.now())
    assert any(failure.startswith(f"公示 {first} 的页面") for failure in counts.failures)
    assert second in report.carried
    assert "公示通过" in page(board, second)


# -- two at once ---------------------------------------------------------------------------------------------------


def test_sweeps_and_close_outs_at_once_close_each_notice_once(both: Board) -> None:
    numbers = [both.publish(LINPING, key=str(key), title=f"第{key}件") for key in range(4)]
    both.town.clock.move_to(at(ENDS))
    resources, now = both.town.resources, both.town.now()
    barrier = Barrier(3)

    def close(_: int) -> SweepCounts:
        barrier.wait(timeout=30)
        return close_due(resources, at=now)[0]

    def sweep(_: int) -> SweepCounts:
        barrier.wait(timeout=30)
        return fire_due(resources, at=now)

    with ThreadPoolExecutor(3) as threads:
        acts = [threads.submit(close, 1), threads.submit(close, 2), threads.submit(sweep, 3)]
        counts = [act.result() for act in acts]
    assert [count.failures for count in counts] == [[], [], []]
    assert sum(count.lapses for count in counts) == len(numbers)
    both.town.rehearsal.sweep()
    for number in numbers:
        assert both.town.case(number).outcome is Outcome.CLEARED
        assert [each.verdict for each in both.town.decisions(number)] == [Verdict.ENDED]
        assert sum(row.kind == "case_closed" for row in both.town.history(number)) == 1
        assert "公示通过" in page(both, number)
    keys = [entry.dedup_key for entry in both.town.entries()]
    assert len(keys) == len(set(keys))
    with resources.database.read() as session:
        assert list(verify(session)) == []


def test_writers_at_once_leave_the_latest_state(both: Board) -> None:
    both.publish(LINPING)
    resources = both.town.resources
    barrier = Barrier(4)

    def write(place: int) -> None:
        barrier.wait(timeout=30)
        for _ in range(5):
            with resources.database.write() as session:
                session.execute(text("UPDATE notices SET changed_seq = changed_seq + 1"))
            write_pages(resources)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    assert both.notice().page_seq == both.notice().changed_seq
    assert "公示中" in page(both)


def test_one_case_that_breaks_does_not_keep_the_others_from_closing(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, whole = board.publish(LINPING, key="1"), board.publish(LINPING, key="2")
    board.town.clock.move_to(at(ENDS))
    with board.town.resources.database.write() as session:
        session.execute(text(f"UPDATE notices SET channels = '[]', page = '' WHERE page = '{broken.lower()}.html'"))
        session.execute(text(f"UPDATE cases SET edition_sha256 = 'x' WHERE number = '{broken}'"))
    counts, report, _ = close_due(board.town.resources, at=board.town.now())
    assert any(failure.startswith(broken) for failure in counts.failures)
    assert whole in report.carried
    assert board.town.case(whole).outcome is Outcome.CLEARED
    assert board.town.case(broken).outcome is None


# -- in the browser ------------------------------------------------------------------------------------------------


@pytest.fixture
def served(board: Board) -> Board:
    """A board with a notice that stands and one that is over with a result."""
    board.publish(LINPING, key="1", title="2022年第一批微项目拟入选名单")
    board.object(contact="wang@example.com")
    board.town.pass_until("2022-03-10 10:00")
    board.prolong("2022-03-18")
    board.handle(1, "异议不成立")
    board.town.pass_until("2022-03-19 00:00")
    board.publish(LINPING, key="2")
    return board


@pytest.mark.browser
def test_page_and_index_are_readable_on_a_desk_on_a_telephone_and_on_paper(
    served: Board, browser: "Browser", tmp_path: Path
) -> None:
    for width, height in ((1200, 900), (390, 800)):
        tab = browser.new_page(viewport={"width": width, "height": height})
        tab.goto((folder(served) / "index.html").as_uri())
        tab.get_by_role("link", name="老街路灯改造方案").click()
        assert tab.locator("h1").inner_text() == "老街路灯改造方案"
        assert tab.get_by_text("自公布次日").is_visible()
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        size = tab.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
        assert size >= 16
        tab.get_by_role("link", name="公示目录").click()
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        tab.get_by_role("link", name="2022年第一批微项目拟入选名单").click()
        assert tab.get_by_text("公示结果：公示通过").is_visible()
        tab.screenshot(path=str(tmp_path / f"page-{width}.png"), full_page=True)
        tab.close()
    tab = browser.new_page()
    tab.goto((folder(served) / served.notice().page).as_uri())
    paper = tab.pdf(format="A4", print_background=True)
    assert paper.startswith(b"%PDF")
    assert paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page ") + paper.count(b"/Type /Page/") <= 2
    tab.emulate_media(media="print")
    assert not tab.get_by_role("link", name="公示目录").is_visible()
    tab.close()


def test_ends_that_nobody_has_shown_keep_no_other_case_from_closing(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(close_out, "MOST", 2)
    ended = [board.publish(LINPING, key=str(key)) for key in (1, 2)]
    board.town.clock.move_to(at(ENDS))
    assert set(close_due(board.town.resources, at=board.town.now())[1].carried) == set(ended)
    later = board.publish(LINPING, key="3")
    board.town.clock.move_to(board.town.now() + timedelta(days=30))
    assert set(close_due(board.town.resources, at=board.town.now())[1].carried) == {later}
    assert board.town.case(later).outcome is Outcome.CLEARED
