"""The run of a period's end: letters, pages and runs each for itself."""

import pytest

from flows import close_out, sending
from flows.close_out import close_all
from tests.desks import OpenTown
from tests.notices import LINPING, Board
from tests.township import at

ENDS = "2022-08-16 00:00"


def test_runs_that_can_not_be_shown_hold_no_letter_back(open_sqlite: OpenTown, monkeypatch: pytest.MonkeyPatch) -> None:
    town = open_sqlite(LINPING, "2022-08-01 10:00")
    number = Board(town).publish(LINPING)
    before = len(town.entries())
    town.clock.move_to(at(ENDS))
    standing: list[set[str]] = []

    def show_all(*_: object, **__: object) -> None:
        standing.append({entry.status.value for entry in town.entries()})
        raise RuntimeError("a table of progress broke")

    monkeypatch.setattr(close_out, "show_all", show_all)
    told, failures = close_all(town.resources, at=town.now())

    assert len(town.entries()) > before
    assert standing == [{"sent"}], "the letters had left before"
    assert told[-1].startswith("寄出")
    assert failures == ["更新各案件页面未能办理,下次巡检再办:RuntimeError:a table of progress broke"]
    assert town.case(number).outcome is not None


def test_a_part_that_breaks_keeps_no_other_from_being_done(
    open_sqlite: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = open_sqlite(LINPING, "2022-08-01 10:00")
    number = Board(town).publish(LINPING)
    town.clock.move_to(at(ENDS))

    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("broke")

    monkeypatch.setattr(close_out, "follow_calendar", breaks)
    monkeypatch.setattr(sending, "pages_wait", breaks)
    monkeypatch.setattr(sending, "write_pages", breaks)
    monkeypatch.setattr(close_out, "show_all", breaks)
    told, failures = close_all(town.resources, at=town.now())

    assert town.case(number).outcome is not None
    assert {entry.status.value for entry in town.entries()} == {"sent"}
    assert told[-1].startswith("寄出")
    parts = ("公示末日顺延", "查看公示页面", "更新公示页面", "更新各案件页面")
    assert failures == [f"{part}未能办理,下次巡检再办:RuntimeError:broke" for part in parts]
