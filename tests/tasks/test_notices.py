"""A notice is published, stands until its last day, and closes by itself."""

import pytest

from policies.errors import Refused
from policies.vocabulary import Gate, Outcome, Verdict
from tests.desks import OpenTown
from tests.notices import LINPING, MICRO, Board
from tests.township import HEAD_OF_OFFICE, RESPONSIBLE, REVIEWER, STRANGER, Township, at


@pytest.fixture
def linping(open_town: OpenTown) -> Board:
    """The day on which the real notice was published, once per kind of database."""
    return Board(open_town("zhujiajiao-2018", "2022-03-04 10:00"))


@pytest.fixture
def board(open_sqlite: OpenTown) -> Board:
    """The same on SQLite."""
    return Board(open_sqlite("zhujiajiao-2018", "2022-03-04 10:00"))


def test_the_notice_of_2022_stands_until_14_march_and_then_closes_by_itself(linping: Board) -> None:
    number = linping.publish(LINPING)
    assert number == "LPG-2022-0001"
    notice = linping.notice()
    assert notice.period == (
        "公示期10日,自公布次日(2022年3月5日)起算,按自然日计算,末日遇休息日、法定节假日顺延至其后首个工作日,"
        "至2022年3月14日24时止"
    )
    assert linping.town.gate() is Gate.NOTICE_PERIOD
    linping.town.pass_until("2022-03-14 23:59")
    assert linping.outcome() is None
    linping.town.pass_until("2022-03-15 00:00")
    assert linping.outcome() is Outcome.CLEARED
    closed = linping.notice()
    assert closed.closed_at == at("2022-03-15 00:00")


def test_pages_show_the_notice_and_then_its_result(linping: Board) -> None:
    number = linping.publish(LINPING)
    folder = linping.town.resources.settings.notices_folder
    page, index = folder / f"{number.lower()}.html", folder / "index.html"
    assert "老街路灯改造方案" in page.read_text(encoding="utf-8")
    assert "公示中" in index.read_text(encoding="utf-8")
    linping.town.pass_until("2022-03-15 00:00")
    assert "公示通过" in page.read_text(encoding="utf-8")
    assert linping.notice().page_seq == linping.notice().changed_seq


def test_an_objection_leads_to_a_review(linping: Board) -> None:
    linping.publish(LINPING)
    linping.object(contact="wang@example.com")
    linping.town.pass_until("2022-03-15 00:00")
    assert linping.town.gate() is Gate.OBJECTION_REVIEW
    with pytest.raises(Refused, match="第1件尚未处理"):
        linping.decide(Verdict.CLEARED)
    linping.handle(1, "异议不成立")
    linping.decide(Verdict.CLEARED)
    assert linping.outcome() is Outcome.CLEARED
    from tasks.history import verify
    with linping.town.resources.database.read() as session:
        assert [str(f) for f in verify(session)] == []
