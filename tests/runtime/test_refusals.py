"""Whatever keeps a stack from starting is told in Chinese, with what to do; nothing that was started is left."""

import os
import sys
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from runtime.asking import Unanswered
from runtime.children import Child
from runtime.further import FurtherWorker
from runtime.refusals import StackFailed
from runtime.settings import PROJECT, Settings
from runtime.stack import Stack

AWAY = "postgresql+psycopg://ketang:geheim@127.0.0.1:1/ketang"


def settings(home: Path, **others: Any) -> Settings:
    return Settings(_env_file=None, **{"home": home, "port": 0, **others})


@pytest.mark.parametrize("host", ["no such host", "192.0.2.1", "a..b"])
@pytest.mark.parametrize("port", [0, 4999])
def test_an_address_on_which_nobody_can_listen_is_told(tmp_path: Path, host: str, port: int) -> None:
    with pytest.raises(StackFailed, match=rf"无法监听 {host}.*KETANG_HOST"):
        Stack(settings(tmp_path, host=host, port=port)).start()


@pytest.mark.parametrize("kind", [Stack, FurtherWorker])
def test_a_home_that_can_not_be_written_is_told(tmp_path: Path, kind: type[Stack]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackFailed, match=r"无法读写 .*file.*请检查磁盘空间"):
        kind(settings(tmp_path / "file" / "var")).start()


@pytest.mark.parametrize("kind", [Stack, FurtherWorker])
def test_a_folder_of_everybody_is_no_home_and_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Stack]
) -> None:
    account, everybody = tmp_path / "account", tmp_path / "everybody"
    account.mkdir(mode=0o755)
    everybody.mkdir()
    everybody.chmod(0o1777)
    monkeypatch.setenv("HOME", str(account))
    for home in (account, everybody):
        before = home.stat().st_mode
        with pytest.raises(StackFailed, match=rf"数据文件夹 {home} 不是客堂专用的.*KETANG_HOME"):
            kind(settings(home)).start()
        assert (home.stat().st_mode, list(home.iterdir())) == (before, [])


def test_a_business_database_that_is_away_is_told_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StackFailed, match=r"业务数据库不能使用\(.*KETANG_DATABASE_URL") as refused:
        Stack(settings(tmp_path, database_url=AWAY)).start()
    assert "geheim" not in str(refused.value)


def test_so_is_it_on_a_further_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stack, "_ask", lambda _stack, _method, path, *_: True if path == "/health" else {})
    with pytest.raises(StackFailed, match="业务数据库不能使用"):
        FurtherWorker(settings(tmp_path, database_url=AWAY)).start()


@pytest.mark.parametrize(
    "address", ["geheim", "nosuch://ketang:geheim@db/ketang", "postgresql://ketang:geheim@db/ketang"]
)
@pytest.mark.parametrize("kind", [Stack, FurtherWorker])
def test_an_address_that_is_none_of_a_database_is_told_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Stack], address: str
) -> None:
    monkeypatch.setattr(Stack, "_ask", lambda _stack, _method, path, *_: True if path == "/health" else {})
    with pytest.raises(StackFailed, match=r"KETANG_DATABASE_URL 不是能用的数据库地址.*postgresql\+psycopg") as refused:
        kind(settings(tmp_path, database_url=address)).start()
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    "failure",
    [
        Unanswered("http://127.0.0.1:4200/api: timed out"),
        HTTPError("http://127.0.0.1:4200/api", 500, "Internal Server Error", Message(), None),
    ],
)
def test_a_server_that_fails_once_it_was_healthy_is_told_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    started: list[Child] = []

    def lingering(stack: Stack, *_: Any, **__: Any) -> Child:
        command = [sys.executable, "-c", "import time; time.sleep(600)"]
        log = stack.logs / "server.log"
        started.append(Child("服务器", command, environment=dict(os.environ), folder=PROJECT, log=log))
        return started[-1]

    def answer(_stack: Stack, _method: str, path: str, *_: Any) -> bool:
        if path != "/health":
            raise failure
        return True

    monkeypatch.setattr(Stack, "_child", lingering)
    monkeypatch.setattr(Stack, "_ask", answer)
    with pytest.raises(StackFailed, match=r"没有正常应答\(.*server\.log"):
        Stack(settings(tmp_path)).start()
    assert [each.status is not None for each in started] == [True]


def test_a_first_start_says_that_the_database_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(*_: Any, **__: Any) -> None:
        raise StackFailed("so far")

    said: list[str] = []
    monkeypatch.setattr(Stack, "_child", ended)
    for _ in range(2):
        with pytest.raises(StackFailed, match="so far"):
            Stack(settings(tmp_path), say=said.append).start()
    assert [line for line in said if line.startswith("业务数据库")] == ["业务数据库:已建立。", "业务数据库:已是最新。"]
