"""Files that belong to cases, the register of parlours, and the sweep that must be seen to run."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from models.case import WorkDone
from policies.errors import Refused
from policies.vocabulary import Door, Verdict
from runtime.homelock import HomeLock
from tasks import works
from tasks.commands import RecordWorks, WorkRecord
from tasks.deadlines import SILENT_AFTER, SweepCounts, beat, sweep_silence
from tasks.documents import changed_documents
from tasks.sites import sites
from tests.township import RESPONSIBLE, REVIEWER, Township, township


@pytest.fixture
def town(sqlite_url: str, tmp_path: Path) -> Iterator[Township]:
    with township(sqlite_url, tmp_path, edition="zhujiajiao-2018", now="2018-10-08 10:00") as there:
        yield there


def build(town: Township) -> None:
    town.apply()
    town.everybody_agrees()
    town.decide(Verdict.FORWARDED, by=RESPONSIBLE)
    town.decide(Verdict.APPROVED, by=REVIEWER)
    town.finish_works()
    town.finish_subsidy()


def faults(town: Township) -> list[str]:
    with town.resources.database.read() as session:
        return list(changed_documents(session, folder=town.resources.settings.documents_folder))


def test_a_proof_that_was_changed_or_taken_away_is_named(town: Township) -> None:
    build(town)
    assert faults(town) == []
    files = sorted(path for path in town.resources.settings.documents_folder.rglob("*") if path.is_file())
    files[0].write_bytes(files[0].read_bytes() + b"!")
    files[1].unlink()
    found = sorted(faults(town))
    assert len(found) == 2
    assert any(files[0].name in each and "已被改动" in each for each in found)
    assert any(files[1].name in each and "已不在" in each for each in found)


@pytest.mark.parametrize("reference", ["没有.jpg", "../ketang.db", "/etc/passwd", "."])
def test_a_proof_must_be_a_file_of_the_documents_folder(town: Township, reference: str) -> None:
    town.apply()
    town.everybody_agrees()
    town.decide(Verdict.FORWARDED, by=RESPONSIBLE)
    town.decide(Verdict.APPROVED, by=REVIEWER)
    record = WorkRecord(point="plaque", done_on=date(2018, 10, 8), proof=reference)
    command = RecordWorks(case=town.number, by=REVIEWER, works=[record])
    with pytest.raises(Refused, match="资料文件夹"):
        works.record_works(town.resources, command, door=Door.CLI, at=town.now())
    with town.resources.database.read() as session:
        assert session.scalars(select(WorkDone)).all() == []


def test_a_listed_parlour_stands_in_the_register_with_its_money(town: Township) -> None:
    assert sites(town.resources) == []
    build(town)
    (listed,) = sites(town.resources)
    assert (listed.village, listed.group, listed.household) == ("周荡村", "第一组", "ZD01-001 户主1")
    assert listed.balance_fen == 1_000_000
    assert sites(town.resources, village="ZD") == [listed]
    assert sites(town.resources, village="LH") == []


def test_a_sweep_that_does_not_run_is_told(town: Township) -> None:
    assert "还没有运行过,到期提醒和期满处理会推迟;请检查 ketang up" in sweep_silence(town.resources, at=town.now())
    beat(town.resources, started_at=town.now(), finished_at=town.now(), counts=SweepCounts())
    assert sweep_silence(town.resources, at=town.now() + SILENT_AFTER) == ""
    late = sweep_silence(town.resources, at=town.now() + SILENT_AFTER + timedelta(seconds=1))
    assert "自2018-10-08 10:00以来没有运行" in late


def test_nobody_is_told_to_start_a_stack_that_runs(town: Township) -> None:
    lock = HomeLock(town.resources.settings.home)
    lock.take()
    lock.tell(api_url="http://127.0.0.1:4200/api", ui_url="http://127.0.0.1:4200")
    try:
        told = sweep_silence(town.resources, at=town.now())
    finally:
        lock.free()
    assert "还没有运行过;客堂刚启动的,五分钟内会运行" in told
    assert "到期提醒" not in told
