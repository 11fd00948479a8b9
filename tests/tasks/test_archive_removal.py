"""What takes archived cases out asks again, takes a matter as a whole or not at all, and can not be abused."""

import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, false, func, select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from models.archive import ArchivedCase
from models.case import Case
from models.history import HistoryRow
from models.inspection import Campaign
from models.outbox import OutboxEntry
from policies.errors import Refused
from policies.vocabulary import LetterStatus, Verdict
from tasks import archive_audit, archive_removal
from tasks.act import Act, acting
from tasks.archive_audit import ARCHIVED, sealed_facts
from tasks.archive_check import check_archive
from tasks.archive_tables import rows_by_case
from tasks.archives import list_archive
from tasks.cases import load_case
from tasks.history import append
from tasks.living import keep as tell
from tests.archives import Ended, Office, forge
from tests.desks import OpenTown
from tests.inspections import conclude, inspections, open_campaign, visit
from tests.notices import Board
from tests.parlours import add_site
from tests.township import Township, at

LATER = {"before": date(2031, 1, 1)}


class Campaigned(Office):
    """A campaign of 2026 with its two inspections, in 2032."""

    def __init__(self, town: Township) -> None:
        super().__init__(town)
        for _ in range(2):
            add_site(town)
        self.top = open_campaign(town)
        self.below = inspections(town, self.top)
        for each in self.below:
            visit(town, each, Verdict.PASSED)
        conclude(town, self.top)
        self.settle()
        town.clock.move_to(at("2032-03-02 10:00"))

    @property
    def matter(self) -> list[str]:
        """The campaign and its inspections."""
        return [self.top, *self.below]

    def change(self, number: str) -> None:
        """Let a case be another than the file says."""
        with self.resources.database.write() as session:
            session.execute(update(Case).where(Case.number == number).values(title="另有说明"))

    def archived(self) -> set[str]:
        """Which cases are out."""
        with self.resources.database.read() as session:
            return set(session.scalars(select(Case.number).join(ArchivedCase, ArchivedCase.case_id == Case.id)))


@pytest.fixture
def office(open_town: OpenTown) -> Campaigned:
    return Campaigned(open_town("example-2026", "2026-03-02 10:00"))


@pytest.fixture
def ended(open_sqlite: OpenTown) -> Ended:
    return Ended(open_sqlite("zhujiajiao-2018", "2018-10-08 10:00"))


@pytest.fixture
def both(open_town: OpenTown) -> Ended:
    return Ended(open_town("zhujiajiao-2018", "2018-10-08 10:00"))


# -- a matter as a whole -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 1])
def test_a_matter_of_which_one_case_changed_stays_whole_and_the_next_archive_takes_it(
    office: Campaigned, tmp_path: Path, place: int
) -> None:
    changed = office.matter[place]
    path = office.written(tmp_path / changed, **LATER)
    office.change(changed)
    removed = office.remove(path)
    causes = dict(removed.left)
    assert set(causes) >= set(office.matter)
    assert causes.pop(changed) == "归档以后记录又有变化(表 cases),请重新归档后再移出"
    assert {causes[each] for each in office.matter if each != changed} == {f"与案件 {changed} 属同一事项,须一并移出"}
    assert not office.archived() & set(office.matter)
    again = office.written(tmp_path / changed / "again", **LATER)
    assert check_archive(again).faults == ()
    assert office.remove(again).left == []
    assert office.archived() >= set(office.matter)
    assert office.faults() == []


@pytest.mark.parametrize("stays", ["the top", "a case beneath"])
def test_what_is_left_of_a_matter_half_of_which_is_out_is_archived_by_itself(
    office: Campaigned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stays: str
) -> None:
    changed = office.top if stays == "the top" else office.below[1]
    path = office.written(tmp_path, **LATER)
    office.change(changed)
    with monkeypatch.context() as patch:
        patch.setattr(archive_removal, "_by_matter", lambda archive: [[number] for number in archive.cases])
        patch.setattr(archive_removal, "unarchived_below", lambda _: select(Case).where(false()))
        office.remove(path)
    assert set(office.matter) - office.archived() == {changed}
    again = office.written(tmp_path / "again", **LATER)
    assert [each.number for each in list_archive(again)[1]] == [changed]
    assert check_archive(again).faults == ()
    assert office.remove(again).cases == [changed]
    assert office.faults() == []


def test_a_case_opened_beneath_since_keeps_its_matter(office: Campaigned, tmp_path: Path) -> None:
    path = office.written(tmp_path, **LATER)
    number = office.below[0]
    with office.resources.database.write() as session:
        ids = dict(session.execute(select(Case.number, Case.id)).tuples().all())
        other = next(id for each, id in ids.items() if each not in office.matter)
        session.execute(update(Case).where(Case.id == other).values(parent_id=ids[number]))
    assert "其下另有案件" in dict(office.remove(path).left)[number]
    assert not office.archived() & set(office.matter)


# -- asked again before anything goes ----------------------------------------------------------------------------------


def test_retention_is_asked_again(ended: Ended, tmp_path: Path) -> None:
    path = ended.written(tmp_path)
    ended.town.stand_at(ended.town.now().replace(year=2022, month=1, day=10))
    removed = ended.remove(path)
    assert removed.cases == [ended.notice], "three years are over for notices only"
    assert "客堂间创建办结后至少保留5年,2023-10-08起才可归档" in dict(removed.left)[ended.withdrawn]


def test_a_file_put_in_the_place_of_the_checked_one_takes_nothing_out(
    ended: Ended, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ended.written(tmp_path)

    def checked(asked: Path) -> Any:
        found = check_archive(asked)
        forge(path, {"README.txt": lambda content: content + b"x"})
        return found

    monkeypatch.setattr(archive_removal, "check_archive", checked)
    with pytest.raises(Refused, match="在核对以后又被更换或改动,什么也没有移出"):
        ended.remove(path)
    with ended.resources.database.read() as session:
        assert session.scalar(select(func.count()).select_from(ArchivedCase)) == 0


def test_a_letter_can_not_be_queued_again_while_its_case_is_taken_out(
    both: Ended, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = both.written(tmp_path)
    engine = both.resources.database.engine
    refused = []

    def read(session: Session, case_ids: Any) -> Any:
        found = rows_by_case(session, case_ids)
        with engine.connect() as other:
            try:
                if engine.dialect.name == "sqlite":
                    raw = other.connection.driver_connection
                    assert raw is not None
                    raw.execute("PRAGMA busy_timeout = 0")
                else:
                    other.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
                other.exec_driver_sql(
                    "UPDATE outbox SET status = 'queued', sent_at = NULL "
                    f"WHERE case_id = {case_ids[0]} AND status = 'sent'"
                )
            except DBAPIError as error:
                refused.append(str(error.orig))
            finally:
                other.rollback()
                other.invalidate()
        return found

    monkeypatch.setattr(archive_removal, "rows_by_case", read)
    assert len(both.remove(path).cases) == len(refused) == 3
    assert all("database is locked" in each or "lock timeout" in each for each in refused)


def test_a_letter_that_is_queued_after_all_is_not_deleted(
    both: Ended, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = both.written(tmp_path)

    asked = archive_removal._causes_to_stay

    def asked_and_queued(act: Act, case: Case, *more: Any) -> list[str]:
        causes = asked(act, case, *more)
        one = select(func.min(OutboxEntry.id)).where(OutboxEntry.case_id == case.id).scalar_subquery()
        queued = update(OutboxEntry).where(OutboxEntry.id == one)
        act.session.execute(queued.values(status=LetterStatus.QUEUED, sent_at=None))
        return causes

    with both.resources.database.read() as session:
        before = session.scalar(select(func.count()).select_from(OutboxEntry))
    monkeypatch.setattr(archive_removal, "_causes_to_stay", asked_and_queued)
    removed = both.remove(path)
    assert removed.cases == []
    assert {cause for _, cause in removed.left} == {"移出时记录又有变化(表 outbox),请重新归档后再移出"}
    with both.resources.database.read() as session:
        assert session.scalar(select(func.count()).select_from(OutboxEntry)) == before
    assert both.faults() == []


# -- a full disk says nothing about the file ---------------------------------------------------------------------------


@pytest.mark.parametrize("pages", [8, 187], ids=["before the tables are made", "while the rows go in"])
def test_a_full_disk_is_told_as_such(ended: Ended, tmp_path: Path, pages: int) -> None:
    path = ended.written(tmp_path)

    def bound(raw: Any, _: Any) -> None:
        raw.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(Engine, "connect", bound)
    try:
        with pytest.raises(Refused, match=r"临时文件夹 .+ 所在的磁盘不能写入\(database or disk is full\),没有核对完"):
            check_archive(path)
    finally:
        event.remove(Engine, "connect", bound)
    assert check_archive(path).faults == ()


# -- archiving is no way round the seals -------------------------------------------------------------------------------


def forged_record(session: Session, number: str) -> tuple[Case, ArchivedCase]:
    case = session.scalars(select(Case).where(Case.number == number)).one()
    record = ArchivedCase(
        case_id=case.id,
        file="x.zip",
        sha256="0" * 64,
        last_seq=case.history_seq,
        last_head=case.history_head,
        archived_at=at("2024-01-01 09:00"),
        archived_by_id=1,
    )
    session.add(record)
    session.flush()
    return case, record


def test_a_record_of_an_archive_lets_no_history_go_of_an_open_case_or_a_site(both: Ended) -> None:
    both.town.stand_at(at("2018-10-09 10:00"))
    both.town.add_group("ZD04")
    both.town.apply(household="ZD04-001")
    for number in (both.town.number, both.listed):
        with both.resources.database.write() as session:
            case, _ = forged_record(session, number)
            with pytest.raises(DBAPIError, match="history is append-only"):
                session.execute(text(f"DELETE FROM history WHERE case_id = {case.id}"))
            session.rollback()
    with both.resources.database.write() as session:
        case, _ = forged_record(session, both.withdrawn)
        session.execute(text(f"DELETE FROM history WHERE case_id = {case.id}"))
        assert session.scalar(select(func.count()).where(HistoryRow.case_id == case.id)) == 0
        session.rollback()


def test_the_audit_finds_an_archive_that_can_not_be(ended: Ended) -> None:
    ended.town.stand_at(at("2018-10-09 10:00"))
    ended.town.add_group("ZD04")
    ended.town.apply(household="ZD04-001")
    for number in (ended.town.number, ended.listed):
        with ended.resources.database.write() as session:
            for verb in ("update", "delete"):
                session.execute(text(f"DROP TRIGGER IF EXISTS history_no_{verb}"))
            case, record = forged_record(session, number)
            session.execute(text(f"DELETE FROM history WHERE case_id = {case.id}"))
            facts = sealed_facts(session, record)
            append(session, case, kind=ARCHIVED, actor="x", summary="x", at=ended.town.now(), data=facts)
    found = "\n".join(ended.faults())
    assert f"案件 {ended.town.number}:表 archived_cases" in found
    for cause in ("此案尚未办结", "此案有客堂间", "此案有专款台账"):
        assert f"{cause},不会归档,归档登记系另行添加" in found


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE work_items SET opened_at = 7 WHERE case_id = 1", "归档后留存的记录无法读取,已被改动"),
        ("UPDATE work_items SET opened_at = x'00ff' WHERE case_id = 1", "归档后留存的记录无法读取,已被改动"),
        ("UPDATE cases SET because = x'00ff' WHERE id = 1", "与归档时留存的内容不符,已被改动"),
        ("UPDATE decisions SET decided_at = 7 WHERE case_id = 3", "表 decisions"),
        ("UPDATE history SET at = 7 WHERE case_id = 3 AND seq = 2", "表 history"),
        ("UPDATE history SET summary = x'00ff' WHERE case_id = 3 AND seq = 2", "表 history"),
    ],
)
def test_a_value_of_another_type_does_not_end_the_audit(
    ended: Ended, tmp_path: Path, statement: str, said: str
) -> None:
    ended.remove(ended.written(tmp_path))
    with ended.resources.database.write() as session:
        for table in ("history", "decisions"):
            session.execute(text(f"DROP TRIGGER {table}_no_update"))
        session.execute(text(statement))
        session.execute(text("UPDATE notices SET text = 'x'"))
    found = ended.faults()
    assert any(said in each for each in found), found
    assert any("表 notices" in each for each in found), "what comes after is audited as well"


def test_a_mistake_in_examining_what_is_left_accuses_nobody(
    ended: Ended, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended.remove(ended.written(tmp_path))

    def breaks(*_: Any) -> Any:
        raise KeyError("ours")

    monkeypatch.setattr(archive_audit, "_bound", breaks)
    found = ended.faults()
    assert found
    assert all("核对中断:KeyError:'ours';此案没有核对完" in each for each in found)


def test_a_database_that_can_not_be_read_for_a_moment_accuses_nobody(
    ended: Ended, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended.remove(ended.written(tmp_path))

    def fails(*_: Any) -> Any:
        raise OperationalError("SELECT", {}, sqlite3.OperationalError("disk I/O error"))

    with monkeypatch.context() as patched:
        patched.setattr(archive_audit, "rows_by_case", fails)
        with pytest.raises(OperationalError, match="disk I/O error"):
            ended.faults()
    assert ended.faults() == []


def test_no_objection_is_added_to_an_archived_notice(ended: Ended, tmp_path: Path) -> None:
    path = ended.written(tmp_path)
    ended.remove(path)
    ended.town.number = ended.notice
    with pytest.raises(Refused, match=f"已归档到 {path.name},不能再登记异议;请由社区办以书面另行受理"):
        Board(ended.town).object(received_at=at("2018-10-10 10:00"), carry=False)
    assert ended.faults() == []


def test_rows_written_since_the_archive_are_compared_with_what_was_told_of_them_last(
    office: Campaigned, tmp_path: Path
) -> None:
    office.remove(office.written(tmp_path, **LATER))
    with acting(office.resources, at=office.town.now()) as act:
        case = load_case(act.session, office.top)
        row = act.session.scalars(select(Campaign).where(Campaign.case_id == case.id)).one()
        row.seed = "另一种子"
        tell(act, case, [row], actor="系统", summary="更正")
    assert office.faults() == []
    with office.resources.database.write() as session:
        session.execute(update(Campaign).values(seed="x"))
    assert office.faults() == [f"案件 {office.top}:表 campaigns 第 {row.id} 行:与办理记录不符,已被改动:seed"]


def test_a_row_that_is_again_as_it_was_before_is_sound(office: Campaigned, tmp_path: Path) -> None:
    office.remove(office.written(tmp_path, **LATER))
    for seed in ("甲", "乙", "甲"):
        with acting(office.resources, at=office.town.now()) as act:
            case = load_case(act.session, office.top)
            row = act.session.scalars(select(Campaign).where(Campaign.case_id == case.id)).one()
            row.seed = seed
            tell(act, case, [row], actor="系统", summary="更正")
        assert office.faults() == []
    with office.resources.database.write() as session:
        session.execute(update(Campaign).values(seed="乙"))
    assert office.faults() == [f"案件 {office.top}:表 campaigns 第 {row.id} 行:与办理记录不符,已被改动:seed"]
