"""Closed cases go to a file that is verified without the database, and leave it without anybody losing anything."""

import json
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models import Base
from models.archive import ArchivedCase
from models.case import Case, Consent
from models.history import HistoryRow
from models.outbox import OutboxEntry
from models.work_item import Decision
from policies.errors import Refused
from policies.vocabulary import CaseKind, Door, Letter, LetterStatus, Outcome, Verdict
from tasks import archive_file
from tasks.archive_check import check_archive
from tasks.archive_choice import Wanted
from tasks.archive_file import MANIFEST, ArchiveWriter, reading, writing
from tasks.archive_tables import APART, GOES, SHARED, owners
from tasks.archives import Made, data_name, document_name, list_archive, make_archive, page_name
from tasks.asks import run_of, runs_behind
from tasks.case_file import as_markdown, case_file, waits_for
from tasks.commands import Decide
from tasks.documents import changed_documents
from tasks.office_acts import settle_undelivered
from tasks.paperwork import DocumentKind, make_document
from tests.archives import BEFORE, YEARS_LATER, Ended, Office, forge, in_case
from tests.broken import break_rows
from tests.calls import LINPING, OpenCallTown
from tests.desks import OpenTown, keep
from tests.township import GROUP_HEAD, LEADER, RESPONSIBLE, REVIEWER, SECOND_REVIEWER, at, township


@pytest.fixture
def both(open_town: OpenTown) -> Ended:
    return Ended(open_town("zhujiajiao-2018", "2018-10-08 10:00"))


@pytest.fixture(scope="module")
def built(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ended, Path]]:
    """The town on SQLite, and an archive of everything in it; made once."""
    home = tmp_path_factory.mktemp("ended")
    shutil.copyfile(sqlite_template, home / "ketang.db")
    with township(f"sqlite:///{home}/ketang.db", home, edition="zhujiajiao-2018", now="2018-10-08 10:00") as town:
        ended = Ended(town)
        ended.bring_back = keep(town)
        yield ended, ended.written(home / "archives", staying=True)


@pytest.fixture
def ended(built: tuple[Ended, Path]) -> Ended:
    """The town on SQLite as it was."""
    built[0].bring_back()
    return built[0]


def test_every_table_belongs_to_a_case_or_is_shared_or_is_named_as_apart() -> None:
    tables = set(Base.metadata.tables)
    assert tables == {"cases", *owners(), *SHARED, *APART}
    assert not set(owners()) & {*SHARED, *APART}
    assert set(GOES) <= set(owners())
    # What the rule makes of the tables that refer to more than one thing.
    of = {name: column.name for name, column in owners().items()}
    assert (of["site_spells"], of["evaluation_results"], of["inspections"]) == ("site_id", "evaluation_id", "case_id")
    assert (of["ledger_lines"], of["works_done"], of["outbox"]) == ("entry_id", "work_item_id", "case_id")


def test_what_ended_goes_and_the_records_stay_whole(both: Ended, tmp_path: Path) -> None:
    made = both.make(tmp_path)
    assert made.path is not None
    checked = check_archive(made.path)
    assert checked.faults == ()
    assert (made.cases, checked.cases) == (3, 3)
    assert both.faults() == []

    removed = both.remove(made.path)
    assert sorted(removed.cases) == sorted([both.rejected, both.withdrawn, both.notice])
    assert removed.left == []
    assert both.faults() == [], "what is left is sealed by the last row of the history"
    with both.resources.database.read() as session:
        for number in removed.cases:
            case = session.scalars(select(Case).where(Case.number == number)).one()
            assert rows(session, HistoryRow, case) == 1
            assert rows(session, OutboxEntry, case) == 0
            assert rows(session, Decision, case) > 0, "figures and refusals are made of them"
            assert case.outcome is not None
            assert case.flow_run_id is None
            record = session.get_one(ArchivedCase, case.id)
            assert (record.file, record.sha256) == (made.path.name, checked.sha256)
        listed = session.scalars(select(Case).where(Case.number == both.listed)).one()
        assert rows(session, HistoryRow, listed) > 10
        gone = set(session.scalars(select(ArchivedCase.case_id)))
        assert session.scalar(select(func.count()).select_from(Consent)) == 1, "the roll of the listed site"
        assert listed.id not in gone
    assert both.remove(made.path).before == 3, "a second run finds nothing to do"
    assert both.make(tmp_path / "again").cases == 0
    assert check_archive(made.path).faults == (), "the file does not need the database"


def test_a_report_that_can_not_be_delivered_either_keeps_no_case_from_the_archive(
    open_sqlite: OpenTown, tmp_path: Path
) -> None:
    town = open_sqlite("zhujiajiao-2018", "2018-10-08 10:00")
    town.set_email(GROUP_HEAD, None)
    town.set_email(SECOND_REVIEWER, "kein Postfach")
    town.apply()
    town.rehearsal.sweep()
    dead = [each for each in town.entries() if each.status is LetterStatus.DEAD]
    assert [(each.letter, each.to_name) for each in dead] == [
        (Letter.CONSENT_ASKED, "顾组长"),
        (Letter.LETTER_UNDELIVERED, "施审核"),
    ]
    settle = Decide(case=town.number, by=REVIEWER, verdict=Verdict.TOLD_OTHERWISE.label, reason="已电话告知")
    settle_undelivered(town.resources, settle, entry=dead[0].id, door=Door.CLI, at=town.now())
    town.withdraw()
    office = Office(town)
    town.clock.move_to(at(YEARS_LATER))
    office.settle()
    made = office.make(tmp_path)
    assert (made.cases, made.left) == (1, [])
    assert office.remove(office_file(made)).cases == [town.number]


def office_file(made: Made) -> Path:
    assert made.path is not None
    return made.path


def test_what_is_closed_while_the_archive_begins_is_not_called_tampered_with(ended: Ended, tmp_path: Path) -> None:
    closed = ended.town.case(ended.rejected).closed_at
    assert closed is not None
    wanted, begun = Wanted(before=BEFORE), closed - timedelta(minutes=2)
    made = make_archive(ended.resources, to=tmp_path, wanted=wanted, by=REVIEWER, at=begun, dry_run=True)
    causes = [cause for _, number, cause in made.left if number == ended.rejected]
    assert len(causes) == 1
    assert "至少保留" in causes[0]


def test_no_view_of_the_database_is_open_while_the_file_is_brought_to_the_disk(
    both: Ended, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = dict[str, int]()

    def noting(name: str, deed: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*given: Any) -> Any:
            held[name] = both.resources.database.engine.pool.checkedout()  # type: ignore[attr-defined]
            return deed(*given)

        return noted

    monkeypatch.setattr(ArchiveWriter, "close", noting("manifest", ArchiveWriter.close))
    monkeypatch.setattr(archive_file, "sha256_of", noting("hash", archive_file.sha256_of))
    assert check_archive(both.written(tmp_path)).faults == ()
    assert held == {"manifest": 0, "hash": 0}


def rows(session: Session, table: Any, case: Case) -> int:
    return session.scalar(select(func.count()).select_from(table).where(table.case_id == case.id)) or 0


def test_the_file_holds_everything_to_be_read_with_a_zip_program(ended: Ended, tmp_path: Path) -> None:
    path = ended.written(tmp_path, staying=True)
    with reading(path) as archive:
        names = set(archive.stream.namelist())
        told = json.loads(archive.read(data_name(ended.listed)))["tables"]
        assert {data_name(ended.listed), page_name(ended.notice), "README.txt", "SHA256SUMS"} <= names
        assert "editions/zhujiajiao-2018.yaml" in names
        documents = {document_name(ended.listed, row) for row in told["documents"]}
        assert documents
        assert documents <= names
        assert any(name.startswith(f"notices/{ended.notice}/") for name in names)
        page = archive.read(page_name(ended.rejected)).decode()
    assert all(word in page for word in ("选址不当", "农户答复(签名)", "户主2", "同意", "不予批准", "沈审核(P001)"))
    assert "户主" in page
    assert "13900005678" not in page
    with ended.resources.database.read() as session:
        letters = session.scalars(
            select(OutboxEntry.sent_subject)
            .join(Case, Case.id == OutboxEntry.case_id)
            .where(Case.number == ended.rejected, OutboxEntry.status == LetterStatus.SENT)
        ).all()
    assert letters
    assert all(subject in page for subject in letters)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    head, cases = list_archive(path)
    assert "沈审核(P001)" in head
    assert {each.number: each.stays for each in cases}[ended.listed] is True


def test_the_same_records_make_the_same_bytes_and_no_file_is_overwritten(ended: Ended, tmp_path: Path) -> None:
    first, second = ended.written(tmp_path / "a"), ended.written(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    with pytest.raises(Refused, match="已存在,归档不会覆盖"):
        ended.make(tmp_path / "a")
    assert sorted(each.name for each in (tmp_path / "a").iterdir()) == [first.name, f"{first.name}.sha256"]


def test_an_archive_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    class Stop(Exception): ...

    def write() -> None:
        with writing(tmp_path / "a.zip") as archive:
            archive.add("x", b"x")
            raise Stop

    with pytest.raises(Stop):
        write()
    assert list(tmp_path.iterdir()) == []


# -- who stays, and why ------------------------------------------------------------------------------------------------


def causes(ended: Ended, tmp_path: Path, **wanted: Any) -> dict[str, str]:
    made = ended.make(tmp_path, dry_run=True, **wanted)
    assert not list(tmp_path.iterdir())
    found: dict[str, str] = {}
    for matter, _, cause in made.left:
        found[matter] = f"{found.get(matter, '')};{cause}"
    return found


def test_a_site_that_can_not_be_read_keeps_no_other_case_from_the_archive(ended: Ended, tmp_path: Path) -> None:
    whole = ended.make(tmp_path, dry_run=True).going
    break_rows(ended.town, "UPDATE sites SET number = CAST(x'e5a4' AS TEXT)")
    made = ended.make(tmp_path, dry_run=True)
    assert made.going == whole
    assert any("客堂间名册第 1 行无法读取,已被改动:列 number 现为" in cause for _, _, cause in made.left)


def test_a_site_and_its_money_keep_their_case(ended: Ended, tmp_path: Path) -> None:
    found = causes(ended, tmp_path)
    assert set(found) == {ended.listed}
    assert f"客堂间 {ended.listed}-S 的名册、主题、活动以此案的办理记录为据" in found[ended.listed]
    assert "有专款台账" in found[ended.listed]
    copied = ended.written(tmp_path / "copies", staying=True)
    removed = ended.remove(copied)
    assert ended.listed not in removed.cases
    with ended.resources.database.read() as session:
        case = session.scalars(select(Case).where(Case.number == ended.listed)).one()
        assert removed.letters[ended.listed] > 5
        assert rows(session, OutboxEntry, case) == 0, "letters that left five years ago are in the file"
        assert rows(session, HistoryRow, case) > 10
    assert ended.town.history(ended.listed)[-1].kind == "letters_archived"
    assert ended.remove(copied).letters == {ended.listed: 0}
    assert ended.faults() == []


def test_the_edition_says_how_long_a_case_stays(ended: Ended, tmp_path: Path) -> None:
    ended.town.stand_at(ended.town.now().replace(year=2022, month=1, day=10))
    found = causes(ended, tmp_path, before=date(2022, 1, 1))
    assert ended.notice not in found, "three years are over"
    assert "客堂间创建办结后至少保留5年,2023-10-08起才可归档(依据:系统默认规定)" in found[ended.withdrawn]
    found = causes(ended, tmp_path, before=date(2018, 10, 1))
    assert found == {}, "nothing was closed then"


def test_only_the_kinds_and_the_unit_asked_for_are_taken(ended: Ended, tmp_path: Path) -> None:
    assert ended.make(tmp_path, dry_run=True, kinds=(CaseKind.NOTICE,)).going == [ended.notice]
    assert ended.make(tmp_path, dry_run=True, town="ZD").going == [ended.rejected, ended.withdrawn]
    with pytest.raises(Refused, match="没有编码为“XX”的单位"):
        ended.make(tmp_path, dry_run=True, town="XX")


def test_a_letter_on_its_way_and_a_faulty_record_keep_a_case(ended: Ended, tmp_path: Path) -> None:
    with ended.resources.database.write() as session:
        ids = dict(session.execute(select(Case.number, Case.id)).tuples().all())
        one = select(OutboxEntry.id).where(OutboxEntry.case_id == ids[ended.rejected]).limit(1).scalar_subquery()
        session.execute(
            update(OutboxEntry).where(OutboxEntry.id == one).values(status=LetterStatus.QUEUED, sent_at=None)
        )
        session.execute(text(f"UPDATE notices SET text = 'x' WHERE case_id = {ids[ended.notice]}"))
        session.execute(update(Case).where(Case.number == ended.withdrawn).values(carried_seq=0))
    found = causes(ended, tmp_path)
    assert "有1封信函尚未寄出" in found[ended.rejected]
    assert "核查有误,须先查明:公示内容与公布时的摘要" in found[ended.notice]
    assert "流程尚未收尾" in found[ended.withdrawn]


def test_only_the_office_archives(ended: Ended, tmp_path: Path) -> None:
    for by in (LEADER, RESPONSIBLE):
        with pytest.raises(Refused, match="无权归档:须由社区办负责人或社区办审核员办理"):
            ended.make(tmp_path, by=by)


# -- taking out --------------------------------------------------------------------------------------------------------


def test_a_removal_that_is_cut_off_goes_on_and_only_what_is_archived_can_go(both: Ended, tmp_path: Path) -> None:
    path = both.written(tmp_path)

    class Killed(BaseException): ...

    def killed(_: str) -> None:
        raise Killed

    with pytest.raises(Killed):
        both.remove(path, killed)
    assert both.faults() == []
    again = both.remove(path)
    assert (again.before, len(again.cases)) == (1, 2)
    assert both.faults() == []
    # What is left can not be touched either.
    for statement in (
        "DELETE FROM history",  # also the rows that came after the archive
        "DELETE FROM archived_cases",
        "UPDATE archived_cases SET file = 'x'",
        f"DELETE FROM history WHERE case_id = (SELECT id FROM cases WHERE number = '{both.listed}')",
    ):
        with pytest.raises(DBAPIError, match="append-only"), both.resources.database.write() as session:
            session.execute(text(statement))


def test_what_changed_since_it_was_archived_stays(ended: Ended, tmp_path: Path) -> None:
    path = ended.written(tmp_path)
    with ended.resources.database.write() as session:
        session.execute(update(Case).where(Case.number == ended.withdrawn).values(title="另有说明"))
    removed = ended.remove(path)
    assert removed.left == [(ended.withdrawn, "归档以后记录又有变化(表 cases),请重新归档后再移出")]
    assert len(removed.cases) == 2


def test_nothing_is_taken_out_by_a_damaged_file(ended: Ended, tmp_path: Path) -> None:
    path = ended.written(tmp_path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(Refused, match="什么也没有移出"):
        ended.remove(path)
    with ended.resources.database.read() as session:
        assert session.scalar(select(func.count()).select_from(ArchivedCase)) == 0


def test_an_archived_case_is_shown_listed_and_not_woken(ended: Ended, tmp_path: Path) -> None:
    path = ended.written(tmp_path)
    ended.remove(path)
    file = case_file(ended.resources, ended.rejected, at=ended.town.now())
    page = as_markdown(file)
    assert f"已归档({path.name})" in page
    assert f"用 ketang archive show {path.name} {ended.rejected} 查看" in page
    assert waits_for(file).endswith("(已归档)")
    run = run_of(ended.resources, ended.rejected)
    assert run is not None
    assert run.settled
    assert runs_behind(ended.resources, limit=10) == []
    with pytest.raises(Refused, match=f"已归档到 {path.name},不再打印文书"):
        make_document(ended.resources, DocumentKind.CONSENT, ended.rejected, at=ended.town.now())
    with pytest.raises(Refused, match="已办结"):
        ended.town.withdraw()
    with ended.resources.database.read() as session:
        assert list(changed_documents(session, folder=ended.resources.settings.documents_folder)) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE cases SET because = 'x' WHERE id = 1", "表 cases 第 1 行:与归档时留存的内容不符"),
        ("UPDATE site_applications SET volunteers = 99 WHERE case_id = 1", "与归档时留存的内容不符"),
        ("DELETE FROM site_applications WHERE case_id = 1", "归档时留存的行已被删除"),
        ("UPDATE archived_cases SET sha256 = 'x' WHERE case_id = 1", "归档登记与办理记录不符"),
        ("DELETE FROM archived_cases WHERE case_id = 1", "序号应为 1"),
        ("DELETE FROM history WHERE case_id = 1", "应有"),
        ("UPDATE history SET data = '{}' WHERE case_id = 1", "内容与其摘要不符"),
        (
            "INSERT INTO archived_cases SELECT id, 'x', 'x', 1, 'x', '2024-01-01', 1 FROM cases WHERE id = 3",
            "序号应为 2,现为 1",
        ),
    ],
)
def test_what_is_left_of_an_archived_case_is_audited(ended: Ended, tmp_path: Path, statement: str, said: str) -> None:
    ended.remove(ended.written(tmp_path))
    with ended.resources.database.write() as session:
        unseal(session.connection())
        session.execute(text(statement))
    found = ended.faults()
    assert len(found) in (1, 2)
    assert any(said in each for each in found), found


def unseal(connection: Connection) -> None:
    for table in ("history", "archived_cases"):
        for verb in ("update", "delete"):
            connection.exec_driver_sql(f"DROP TRIGGER {table}_no_{verb}")


# -- tampering with the file -------------------------------------------------------------------------------------------


@pytest.fixture
def archive(built: tuple[Ended, Path], tmp_path: Path) -> Path:
    """A copy of that archive."""
    shutil.copytree(built[1].parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / built[1].name


def test_an_untouched_archive_of_everything_is_whole(archive: Path) -> None:
    assert check_archive(archive).faults == ()


REJECTED, LISTED = "ZJJ-2018-0001", "ZJJ-2018-0003"


def in_history(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[bytes], bytes]:
    return in_case(lambda tables: (change(tables["history"]), None)[1])


FORGED: dict[str, tuple[str, Callable[[bytes], bytes | None], str]] = {
    "a row of the history changed": (
        REJECTED,
        in_history(lambda found: found[3].update(summary="另一回事")),
        "表 history 第 4 行:内容与其摘要不符",
    ),
    "a row of the history removed": (REJECTED, in_history(lambda found: found.pop(3)), "序号应为 4,现为 5"),
    "the history's tail cut": (REJECTED, in_history(lambda found: found.pop()), "表 history"),
    "a decision turned": (
        REJECTED,
        in_case(lambda tables: tables["decisions"][-1].update(verdict="approved")),
        "表 decisions",
    ),
    "a decision removed": (REJECTED, in_case(lambda tables: tables["decisions"].pop()), "表 decisions 中没有对应的行"),
    "a sum of money changed": (
        LISTED,
        in_case(lambda tables: tables["ledger_lines"][0].update(amount_fen=1)),
        "借贷不平",
    ),
    "a sealed row changed": (LISTED, in_case(lambda tables: tables["sites"][0].update(leader_id=1)), "表 sites"),
    "a sealed row removed": (LISTED, in_case(lambda tables: tables["site_spells"].clear()), "表 site_spells"),
    "an answer turned": (
        REJECTED,
        in_case(lambda tables: tables["consents"][0].update(answer="object")),
        "户 ZD01-001 的答复:列 answer 现为“object”,办理记录为“agree”",
    ),
    "a due day moved": (
        LISTED,
        in_case(lambda tables: tables["work_items"][0].update(due_on="2030-01-01")),
        "列 due_on 现为“2030-01-01”",
    ),
    "what the case says of its end removed": (
        LISTED,
        in_case(lambda tables: tables["cases"][0].pop("history_seq")),
        "记录残缺,无法核对(KeyError)",
    ),
    "a word that is none": (
        REJECTED,
        in_case(lambda tables: tables["decisions"][0].update(verdict="x")),
        "记录无法读取,已被改动",
    ),
    "another case put in its place": (
        REJECTED,
        lambda content: content.replace(b'"number": "ZJJ-2018-0001"', b'"number": "ZJJ-2018-0009"'),
        "不是这个案件的记录",
    ),
    "no JSON": (REJECTED, lambda content: content[:100], "无法读取"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_record_is_found_although_every_hash_of_the_file_fits(archive: Path, name: str) -> None:
    number, change, said = FORGED[name]
    forge(archive, {data_name(number): change})
    found = check_archive(archive).faults
    assert any(number in each and said in each for each in found), found


def renamed(tables: dict[str, Any]) -> None:
    for row in tables["work_items"]:
        row["last_day"] = row.pop("due_on")


def added(tables: dict[str, Any]) -> None:
    for row in tables["consents"]:
        row["certainty"] = 1


def by_another_version(content: bytes) -> bytes:
    return json.dumps(json.loads(content) | {"schema": "0" * 64, "product": "ketang 9.1"}).encode()


@pytest.mark.parametrize("change", [renamed, added])
def test_a_file_of_a_version_with_other_tables_is_not_called_tampered_with(
    archive: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    forge(archive, {data_name(REJECTED): in_case(change)})
    assert any("已被改动" in each for each in check_archive(archive).faults), "by this version's tables it would be"
    forge(archive, {MANIFEST: by_another_version})
    (told,) = check_archive(archive).faults
    assert told.startswith(f"{archive.name} 由另一版本的客堂(ketang 9.1)写出,其数据表的结构与本程序不同")
    assert told.endswith("不能断定有改动;请用写出它的版本核对")


def test_a_file_of_another_version_whose_rows_fit_is_whole_and_its_bytes_are_compared(archive: Path) -> None:
    forge(archive, {MANIFEST: by_another_version})
    assert check_archive(archive).faults == ()
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    assert any("已被改动" in each or "已损坏" in each for each in check_archive(archive).faults)


def test_a_forged_page_document_or_policy_is_found_although_every_hash_fits(ended: Ended, archive: Path) -> None:
    with reading(archive) as there:
        (document, *_) = [name for name in there.stream.namelist() if name.startswith("documents/")]
    forge(
        archive,
        {
            page_name(ended.rejected): lambda content: content.replace("选址不当".encode(), "选址合适".encode()),
            document: lambda content: content + b"x",
            "editions/zhujiajiao-2018.yaml": lambda content: content + b"\n",
        },
    )
    found = "\n".join(check_archive(archive).faults)
    assert f"案卷 {page_name(ended.rejected)} 与记录不符" in found
    assert "与登记时的摘要不符" in found
    assert "所依据政策 zhujiajiao-2018 的全文与立案时的摘要不符" in found


def test_a_member_that_is_missing_changed_or_added_is_named(ended: Ended, archive: Path) -> None:
    with zipfile.ZipFile(archive) as there:
        members = {name: there.read(name) for name in there.namelist()}
    members.pop(page_name(ended.withdrawn))
    members["README.txt"] += b"x"
    members["cases/X.html"] = b"x"
    with zipfile.ZipFile(archive, "w") as there:
        for name, content in members.items():
            there.writestr(name, content)
    found = "\n".join(check_archive(archive).faults)
    assert f"{archive.name}.sha256 所记不符" in found
    assert f"{page_name(ended.withdrawn)}:已被删除" in found
    assert "README.txt:内容与 manifest.json 所记的摘要不符" in found
    assert "cases/X.html:manifest.json 中没有登记" in found


def test_one_byte_changed_anywhere_is_found(archive: Path) -> None:
    content = archive.read_bytes()
    sums = archive.with_name(f"{archive.name}.sha256")
    for place in range(7, len(content), len(content) // 5):
        archive.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
        assert any("文件已被改动" in each for each in check_archive(archive).faults)
    archive.write_bytes(content)
    sums.unlink()
    with zipfile.ZipFile(archive) as there:
        member = there.getinfo(data_name(REJECTED))
    place = member.header_offset + 30 + len(member.filename) + member.compress_size // 2
    archive.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
    assert any(data_name(REJECTED) in each for each in check_archive(archive).faults), "also without the .sha256"


def test_a_file_cut_short_is_told(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-100])
    checked = check_archive(archive)
    assert any("不是完整的 ZIP 文件,可能被截断" in each for each in checked.faults)
    with pytest.raises(Refused, match="没有文件"):
        check_archive(archive.with_name("x.zip"))


def test_a_case_may_be_archived_before_the_day_only(ended: Ended, tmp_path: Path) -> None:
    assert ended.make(tmp_path, dry_run=True, before=date(2018, 10, 8)).going == []


# -- a matter with cases beneath it ------------------------------------------------------------------------------------


def test_a_call_goes_with_its_proposals_and_notices_or_not_at_all(
    call_town_on_sqlite: OpenCallTown, tmp_path: Path
) -> None:
    town = call_town_on_sqlite(LINPING)
    proposed = {"河边长廊": {"amount_yuan": "4000"}, "路灯": {"proposer": "DLH1", "village": "LH"}}
    numbers = town.to_notice(proposed, {"河边长廊": 95, "路灯": 90})
    town.take_back(numbers["河边长廊"])
    office = Office(town)
    office.settle()
    closed = office.make(tmp_path, before=date(2030, 1, 1))
    assert (closed.cases, closed.left) == (0, []), "the call is open: what is closed beneath it stays with it"
    town.take_back(numbers["路灯"], by="DLH1")
    town.pass_until("2022-10-01 09:00")
    town.self_check()
    assert town.case().outcome is Outcome.CONCLUDED
    office.settle()
    town.clock.move_to(at("2032-06-01 09:00"))
    path = office.written(tmp_path, before=date(2030, 1, 1))
    _, cases = list_archive(path)
    assert {each.number for each in cases} >= {town.number, *numbers.values()}
    assert any(each.kind == CaseKind.NOTICE.label for each in cases)
    assert check_archive(path).faults == (), "points and votes of the proposals are told by the call"
    removed = office.remove(path)
    assert (len(removed.cases), removed.left) == (len(cases), [])
    assert office.faults() == []
