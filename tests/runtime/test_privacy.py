"""What the desk writes is for its own account, but for the public notices; asked of the files themselves."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.further import FurtherWorker
from runtime.privacy import make_home, make_public, tighten, tighten_database
from runtime.refusals import StackFailed
from runtime.settings import Settings
from runtime.stack import Stack

OURS = ("ketang.db", "ketang.db-wal", "documents", "letters", "logs", "prefect", "ketang-20340105-090000.zip")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def settings(home: Path, **others: Any) -> Settings:
    return Settings(_env_file=None, home=home, port=0, **others)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home as it was made with the usual umask: everybody reads everything."""
    home = tmp_path / "var"
    for name in (".", "documents", "letters", "logs", "prefect", "notices", "theirs"):
        (home / name).mkdir()
        (home / name).chmod(0o755)
    for name in ("ketang.db", "ketang.db-wal", "ketang-20340105-090000.zip", "notices/index.html"):
        (home / name).touch()
        (home / name).chmod(0o644)
    return home


@pytest.fixture(params=[0o022, 0o077], ids=["usual umask", "strict umask"])
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def test_a_home_of_before_is_tightened_and_its_notices_stay_within_reach(home: Path) -> None:
    tightened, failed = tighten(settings(home))
    assert (sorted(tightened), failed) == (sorted(OURS), [])
    assert {mode(home / name) & 0o077 for name in OURS} == {0}
    assert (mode(home / "documents"), mode(home / "ketang.db")) == (0o700, 0o600)
    assert [mode(home / name) for name in (".", "notices", "notices/index.html")] == [0o711, 0o755, 0o644]
    assert mode(home / "theirs") == 0o755, "what is not the desk's is left alone"
    assert tighten(settings(home)) == ([], [])


def test_the_notices_of_a_home_that_was_closed_to_everybody_can_be_reached_again(home: Path) -> None:
    for each in (home, home / "notices"):
        each.chmod(0o700)
    tighten(settings(home))
    assert (mode(home), mode(home / "notices")) == (0o711, 0o755)


def test_a_home_whose_notices_are_elsewhere_stays_closed(home: Path, tmp_path: Path) -> None:
    (tmp_path / "www").mkdir(mode=0o750)
    home.chmod(0o700)
    tighten(settings(home, notices_folder=tmp_path / "www"))
    assert (mode(home), mode(tmp_path / "www")) == (0o700, 0o750)


def test_a_folder_that_is_shared_with_a_group_on_purpose_is_closed_to_others_only(home: Path) -> None:
    (home / "documents").chmod(0o2775)
    tighten(settings(home))
    assert mode(home / "documents") == 0o2770


def test_a_database_beside_the_home_is_tightened_once_it_is_known_to_be_ours(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "office.db"
    file.touch(0o644)
    chosen = settings(home, database_url=f"sqlite:///{file}")
    assert "office.db" not in tighten(chosen)[0]
    assert mode(file) == 0o644
    assert tighten_database(chosen) == (["office.db"], [])
    assert mode(file) == 0o600


@pytest.mark.parametrize("further", [False, True])
def test_a_file_that_is_no_database_is_left_as_it_is_and_told(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, further: bool
) -> None:
    file = tmp_path / "accounts"
    file.write_text("root:x:0:0\n" * 100, encoding="ascii")
    file.chmod(0o644)
    monkeypatch.setattr(Stack, "_ask", lambda _stack, _method, path, *_: True if path == "/health" else {})
    chosen = settings(home, database_url=f"sqlite:///{file}")
    with pytest.raises(StackFailed, match="业务数据库不能使用\\(这个文件不是数据库"):
        (FurtherWorker if further else Stack)(chosen).start()
    assert mode(file) == 0o644
    assert file.read_text(encoding="ascii") == "root:x:0:0\n" * 100
    assert sorted(path.name for path in tmp_path.iterdir()) == ["accounts", "var"]


def test_what_a_link_in_the_home_leads_to_is_left_alone(home: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs").touch(0o644)
    (home / "ketang-theirs").symlink_to(tmp_path / "theirs")
    tighten(settings(home))
    assert mode(tmp_path / "theirs") == 0o644


def test_no_folder_is_made_for_a_database_outside_the_home(home: Path, tmp_path: Path) -> None:
    chosen = settings(home, database_url=f"sqlite:///{tmp_path / 'mistyped' / 'office.db'}")
    with pytest.raises(StackFailed, match=f"文件夹不存在:{tmp_path / 'mistyped'}。.*KETANG_DATABASE_URL"):
        Stack(chosen).start()
    assert not (tmp_path / "mistyped").exists()
    make_home(settings(home, database_url=f"sqlite:///{home / 'data' / 'office.db'}"))
    assert (home / "data").is_dir()


@pytest.mark.usefixtures("_umask")
def test_a_folder_for_the_public_is_open_to_everybody_when_it_is_made_and_left_alone_later(tmp_path: Path) -> None:
    folder = tmp_path / "www" / "notices"
    make_public(folder)
    assert (mode(folder.parent), mode(folder)) == (0o711, 0o755)
    folder.chmod(0o750)
    make_public(folder)
    assert mode(folder) == 0o750


def test_what_belongs_to_another_account_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change = Path.chmod

    def refused(path: Path, mode: int) -> None:
        if path.name == "documents":
            raise PermissionError(1, "Operation not permitted")
        change(path, mode)

    monkeypatch.setattr(Path, "chmod", refused)
    assert tighten(settings(home))[1] == ["documents"]


@pytest.mark.parametrize("further", [False, True])
def test_it_is_tightened_before_anything_starts(home: Path, *, further: bool) -> None:
    said: list[str] = []
    # Neither comes up: the one has no such address to listen on, the other no server.
    chosen = settings(home, host="192.0.2.1").model_copy(update={"port": 9})
    stack = FurtherWorker(chosen, say=said.append) if further else Stack(chosen, say=said.append)
    with pytest.raises(StackFailed, match=r"192\.0\.2\.1"):
        stack.start()
    assert mode(home / "ketang.db") == 0o600
    assert any("已收紧权限" in line and "ketang.db" in line for line in said)
