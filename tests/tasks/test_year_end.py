"""D1-R2: a village that built fewer than it owes in the year is reported, once, also late."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from models.outbox import OutboxEntry
from policies.vocabulary import Letter, Verdict
from tests.broken import break_rows
from tests.township import LIAISON, REVIEWER, Township, at, township


@pytest.fixture
def xuhang(database_url: str, tmp_path: Path) -> Iterator[Township]:
    with township(database_url, tmp_path, edition="xuhang-2013", now="2013-05-06 10:00") as there:
        yield there


def shortfalls(town: Township) -> list[OutboxEntry]:
    with town.resources.database.read() as session:
        query = select(OutboxEntry).where(OutboxEntry.letter == Letter.QUOTA_SHORTFALL).order_by(OutboxEntry.id)
        return list(session.scalars(query))


def build(town: Township, household: str) -> None:
    town.apply(household=household)
    town.everybody_agrees()
    town.decide(Verdict.FORWARDED, by=LIAISON)
    town.decide(Verdict.APPROVED, by=REVIEWER)
    town.finish_works()


def test_too_few_in_the_year_are_reported_to_office_and_village_once(xuhang: Township) -> None:
    build(xuhang, "ZD01-001")
    xuhang.rehearsal.move_to(at("2013-12-31 23:00"))
    assert shortfalls(xuhang) == []
    xuhang.rehearsal.move_to(at("2014-01-09 09:00"))  # the stack was down over the new year
    xuhang.rehearsal.sweep()
    letters = shortfalls(xuhang)
    assert {each.to_name for each in letters} == {"沈审核", "施审核", "丁主任", "周责任", "李联络"}
    assert all(each.context["villages"] == ["周荡村:建成1个"] for each in letters)
    assert all((each.context["year"], each.context["at_least"]) == (2013, 2) for each in letters)
    xuhang.rehearsal.move_to(at("2014-02-09 09:00"))
    assert len(shortfalls(xuhang)) == len(letters)


def test_a_town_whose_kind_was_garbled_over_the_new_year_is_reported_when_it_is_put_right(
    sqlite_url: str, tmp_path: Path
) -> None:
    with township(sqlite_url, tmp_path, edition="xuhang-2013", now="2013-05-06 10:00") as town:
        break_rows(town, "UPDATE units SET kind = 'stadt' WHERE kind = 'town'")
        town.clock.move_to(at("2014-01-02 09:00"))
        assert any("列 kind 现为“stadt”" in each for each in town.rehearsal.sweep().failures)
        assert shortfalls(town) == []
        break_rows(town, "UPDATE units SET kind = 'town' WHERE kind = 'stadt'")
        assert town.rehearsal.sweep().failures == []
        assert all(each.context["villages"] == ["周荡村:建成0个"] for each in shortfalls(town))
        assert len(shortfalls(town)) == 5


def test_enough_in_the_year_is_not_reported(xuhang: Township) -> None:
    build(xuhang, "ZD01-001")
    build(xuhang, "ZD01-002")
    xuhang.rehearsal.move_to(at("2014-01-02 09:00"))
    assert shortfalls(xuhang) == []


def test_an_edition_without_a_quota_reports_nothing(sqlite_url: str, tmp_path: Path) -> None:
    with township(sqlite_url, tmp_path, edition="zhujiajiao-2018", now="2018-10-08 10:00") as town:
        town.rehearsal.move_to(at("2019-01-02 09:00"))
        assert shortfalls(town) == []


def test_a_year_before_the_edition_was_in_force_is_not_reported(xuhang: Township) -> None:
    xuhang.rehearsal.sweep()
    assert shortfalls(xuhang) == []
