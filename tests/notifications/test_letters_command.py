"""``ketang letters`` as the office uses it."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner, Result

from cli.letters import app
from cli.up import tell_mail_fault
from models.engine import Database
from models.outbox import OutboxEntry
from models.registry import Person
from models.work_item import WorkItem
from notifications.outbox import Posting, Recipient, enqueue_many
from policies.vocabulary import LetterStatus
from runtime.settings import Settings
from tests.notifications.examples import EXAMPLES
from tests.township import GROUP_HEAD, township

AT = datetime(2026, 2, 3, 1, 0, tzinfo=UTC)


@pytest.fixture
def ketang(
    sqlite_database: Database, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Result]]:
    """Run a command on an office with one letter that can go and one that can not."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KETANG_HOME", str(tmp_path / "var"))
    monkeypatch.setenv("KETANG_DATABASE_URL", sqlite_url)
    postings = [
        Posting(EXAMPLES["forward_waiting"], Recipient("周责任", "zhou@village.example"), "a"),
        Posting(EXAMPLES["consent_asked.household"], Recipient("孙三", None), "b"),
    ]
    with sqlite_database.write() as session:
        enqueue_many(session, case_id=None, postings=postings, at=AT)

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, list(words))

    return run


def test_the_list_shows_who_waits_for_what_and_why(ketang: Callable[..., Result]) -> None:
    shown = ketang("list").stdout
    for expected in ("周责任", "孙三", "待村(居)委会上报", "没有电子邮箱", "待寄 1 封", "无法寄达 1 封"):
        assert expected in shown
    only = ketang("list", "--status", "无法寄达").stdout
    assert "孙三" in only
    assert "周责任" not in only


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("list", "--status", "丢失"), "待寄(queued)"),
        (("list", "--case", "KT-1"), "KT-1"),
        (("deliver", "--case", "KT-1"), "KT-1"),
        (("show", "99"), "99"),
        (("resend", "1"), "待寄"),
        (("resend", "2"), "登记簿"),
    ],
)
def test_what_can_not_be_done_is_told_in_chinese(
    words: tuple[str, ...], reason: str, ketang: Callable[..., Result], sqlite_database: Database
) -> None:
    result = ketang(*words)
    assert result.exit_code == 1
    assert "未办理" in result.stderr
    assert reason in result.stderr
    with sqlite_database.read() as session:
        assert [entry.attempts for entry in session.query(OutboxEntry)] == [0, 0]


def test_delivery_without_a_server_writes_files_and_the_letter_is_kept(
    ketang: Callable[..., Result], tmp_path: Path
) -> None:
    before = ketang("show", "1").stdout
    assert "已寄 1 封" in ketang("deliver").stdout
    assert len(list((tmp_path / "var" / "letters").glob("*.eml"))) == 1
    after = ketang("show", "1").stdout
    assert "z***@village.example" in after
    assert "zhou@village.example" not in after
    assert before.partition("主")[2] == after.partition("主")[2]


def test_a_delivery_that_is_kept_back_exits_with_1_and_says_why(ketang: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "var").mkdir(exist_ok=True)
    (tmp_path / "var" / "letters").write_text("a file")
    result = ketang("deliver")
    assert result.exit_code == 1
    assert "无法建立:已有同名的文件" in result.stderr
    assert "稍后再寄 1 封" in result.stdout
    # A second time nothing is due, and what waits is told all the same.
    again = ketang("deliver")
    assert (again.exit_code, again.stderr) == (0, "")
    first, second = again.stdout.splitlines()
    assert "稍后再寄 0 封" in first
    assert re.fullmatch(
        r"共有1封待寄,最早的20\d\d-\d\d-\d\d \d\d:\d\d以后自动再寄。原因见 ketang letters list --status 待寄", second
    )
    assert "周责任" in ketang("list", "--status", "待寄").stdout


def test_what_goes_wrong_is_logged_in_a_file_and_told_in_chinese(
    ketang: Callable[..., Result], sqlite_database: Database, tmp_path: Path
) -> None:
    with sqlite_database.write() as session:
        session.get_one(OutboxEntry, 1).to_address = "zhou at village"
    result = ketang("deliver")
    assert result.exit_code == 0
    assert result.stdout == (
        "已寄 0 封,稍后再寄 0 封,无法寄达 1 封。\n无法寄达的信函编号:1,原因见 ketang letters list --status 无法寄达\n"
    )
    assert result.stderr == ""
    assert "outbox entry 1" in (tmp_path / "var" / "logs" / "letters.log").read_text(encoding="utf-8")
    assert "周责任" in ketang("list", "--status", "无法寄达").stdout


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, ""),
        ({"mail_from": "社区办"}, "KETANG_MAIL_FROM 的地址“社区办”不合规范"),
        ({"mail_reply_to": "a@b c"}, "KETANG_MAIL_REPLY_TO 的地址“a@b c”不合规范"),
    ],
)
def test_a_setting_that_keeps_all_letters_back_is_named_at_the_start(
    settings: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tell_mail_fault(Settings(_env_file=None, **settings))
    told = capsys.readouterr().out
    assert said in told
    assert bool(told) == bool(said)


def test_a_list_that_was_cut_says_so(ketang: Callable[..., Result]) -> None:
    cut = ketang("list", "--most", "1").stdout
    assert "以上是最新的1封,还有更早的:加 --most 列出更多" in cut
    assert "周责任" not in cut
    assert "还有更早的" not in ketang("list", "--most", "2").stdout


def test_a_dead_letter_is_sent_again_to_the_corrected_address(
    ketang: Callable[..., Result], sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        person = Person(code="P1", name="孙三", email="sun@village.example")
        session.add(person)
        session.flush()
        session.get_one(OutboxEntry, 2).person_id = person.id
    assert "已重新列入待寄" in ketang("resend", "2").stdout
    assert "已寄 2 封" in ketang("deliver").stdout


def test_a_letter_of_which_the_office_keeps_a_work_item_is_sent_again_through_it(
    ketang: Callable[..., Result], sqlite_database: Database, sqlite_url: str, tmp_path: Path
) -> None:
    with township(sqlite_url, tmp_path / "var", edition="zhujiajiao-2018", now="2018-10-08 09:00") as there:
        with sqlite_database.write() as session:
            session.execute(update(Person).where(Person.code == GROUP_HEAD).values(email="gu at village"))
        number = there.apply()
    assert ketang("deliver", "--case", number).exit_code == 0
    with sqlite_database.read() as session:
        item = session.scalars(select(WorkItem).where(WorkItem.subject_id.is_not(None))).first()
        assert item is not None
    result = ketang("resend", str(item.subject_id))
    assert result.exit_code == 1
    assert f"ketang case settle {number} --letter {item.subject_id}" in result.stderr
    with sqlite_database.read() as session:
        assert session.get_one(OutboxEntry, item.subject_id).status is LetterStatus.DEAD
