"""A further worker refuses to start where it could not work, and says what to do; no server is needed for that."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from runtime.asking import Unanswered
from runtime.children import Child
from runtime.clock import machine_now
from runtime.environment import api_url, prefect_environment
from runtime.further import MARK_FILE, FurtherWorker, is_here, mark_of
from runtime.refusals import StackFailed
from runtime.settings import PROJECT, Settings
from runtime.stack import MOST_RESTARTS, Stack

ELSEWHERE = "http://192.0.2.7:4200/api"
"""An address for documentation: nobody has it."""


def settings(home: Path, **changes: Any) -> Settings:
    return Settings(home=home, _env_file=None, **changes)


@pytest.fixture
def emptied() -> Iterator[str]:
    """A server that is healthy, and knows nothing."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = {"/api/health": b"true", "/pages/api/health": b"<!DOCTYPE html>"}.get(self.path)
            self.send_response(200 if known else 404)
            self.end_headers()
            self.wfile.write(known or b"{}")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()
        thread.join()


def test_the_server_elsewhere_is_asked_and_linked_to(tmp_path: Path) -> None:
    chosen = settings(tmp_path, prefect_api_url=f"{ELSEWHERE}/")
    assert api_url(chosen) == prefect_environment(chosen)["PREFECT_API_URL"] == ELSEWHERE
    assert chosen.ui_url == "http://192.0.2.7:4200"


@pytest.mark.parametrize("address", ["http://web:4200", "http://web:4200/", "http://web:4200/api/"])
def test_the_path_of_the_api_may_be_left_out(tmp_path: Path, address: str) -> None:
    assert api_url(settings(tmp_path, prefect_api_url=address)) == "http://web:4200/api"


@pytest.mark.parametrize(("host", "url"), [("::1", "http://[::1]:4200"), ("fd00::7", "http://[fd00::7]:4200")])
def test_an_ipv6_address_stands_in_brackets(tmp_path: Path, host: str, url: str) -> None:
    chosen = settings(tmp_path, host=host)
    assert (api_url(chosen), chosen.ui_url) == (f"{url}/api", url)


def test_an_sqlite_database_is_refused_on_another_machine(tmp_path: Path) -> None:
    with pytest.raises(StackFailed, match=r"不能使用 SQLite 业务数据库.*PostgreSQL.*KETANG_DATABASE_URL"):
        FurtherWorker(settings(tmp_path, prefect_api_url=ELSEWHERE)).start()


def test_a_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(StackFailed, match=f"连不上 Prefect 服务器 http://127.0.0.1:{port}/api.*ketang up"):
        FurtherWorker(settings(tmp_path, prefect_api_url=f"http://127.0.0.1:{port}/api")).start()


def test_a_server_without_the_pool_is_refused(tmp_path: Path, emptied: str) -> None:
    with pytest.raises(StackFailed, match=r"没有工作池“ketang”.*KETANG_WORK_POOL"):
        FurtherWorker(settings(tmp_path, prefect_api_url=emptied)).start()


def test_an_address_where_pages_are_is_no_server(tmp_path: Path, emptied: str) -> None:
    elsewhere = emptied.replace("/api", "/pages")
    with pytest.raises(StackFailed, match=r"连不上 Prefect 服务器 .*/pages/api.*KETANG_PREFECT_API_URL"):
        FurtherWorker(settings(tmp_path, prefect_api_url=elsewhere)).start()


def test_up_refuses_to_start_a_server_beside_the_one_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(StackFailed, match="本机只能运行 ketang worker"):
        Stack(settings(tmp_path, prefect_api_url=ELSEWHERE)).start()


def child(stack: Stack, code: str) -> Child:
    log = stack.settings.home / "worker.log"
    return Child("工作进程", [sys.executable, "-c", code], environment=dict(os.environ), folder=PROJECT, log=log)


def ended(stack: Stack, *_: Any, **__: Any) -> Child:
    return child(stack, "raise SystemExit(1)")


def lingering(stack: Stack, *_: Any, **__: Any) -> Child:
    return child(stack, "import time; time.sleep(600)")


class Server:
    """The answers of a Prefect server whose pool has some workers, and some runs under way."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.workers: list[dict[str, Any]] = []
        self.runs: list[dict[str, Any]] = []
        self.sweeps: set[str] = set()
        self.given_up: list[str] = []
        self.away = self.fails = False
        self.before_answer: Callable[[], None] = lambda: None
        monkeypatch.setattr(Stack, "_ask", lambda _stack, *asked: self.answer(*asked))

    def has_worker(self, name: str, *, status: str = "ONLINE", interval: float = 30) -> None:
        heard = {"heartbeat_interval_seconds": interval, "last_heartbeat_time": machine_now().isoformat()}
        self.workers.append({"name": name, "status": status, **heard})

    def has_run(
        self, name: str, *, worker: str = "", minutes: int = 1, case: bool = False, sweep: bool = False
    ) -> None:
        self.runs.append(
            {
                "id": name,
                "labels": {"prefect.worker.name": worker} if worker else {},
                "parameters": {"case_number": "SITE-2026-001"} if case else {"entry": {}},
                "state": {"timestamp": (machine_now() - timedelta(minutes=minutes)).isoformat()},
            }
        )
        if sweep:
            self.sweeps.add(name)

    def answer(self, _method: str, path: str, body: Any = None) -> Any:
        self.before_answer()
        if self.away or (self.fails and path != "/health"):
            raise Unanswered("connection refused")
        match path.split("/")[1:]:
            case ["health"]:
                return True
            case ["work_pools", "ketang", "workers", "filter"]:
                return [dict(each) for each in self.workers]
            case ["flow_runs", "filter"]:
                assert body["work_pools"] == {"name": {"any_": ["ketang"]}}
                assert body.get("flows") in (None, {"name": {"any_": ["deadline-sweep"]}})
                return [run for run in self.runs if "flows" not in body or run["id"] in self.sweeps]
            case ["flow_runs", run, "set_state"]:
                assert body["force"] is True
                assert body["state"]["type"] == "CRASHED"
                self.given_up.append(run)
                return {}
            case _:
                raise AssertionError(path)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setattr("runtime.stack.RESTART_PAUSE_SECONDS", 0)
    return Server(monkeypatch)


def test_only_what_is_under_way_for_too_long_is_given_up(tmp_path: Path, server: Server) -> None:
    for minutes in (14, 16):
        server.has_run(f"sweep of {minutes}", minutes=minutes, sweep=True)
        server.has_run(f"case of {minutes}", minutes=minutes, case=True)
    for minutes in (16, 59, 61):
        server.has_run(f"sheet of {minutes}", minutes=minutes)
    assert Stack(settings(tmp_path)).give_up_lost_runs() == 3
    assert server.given_up == ["sweep of 16", "case of 16", "sheet of 61"]


def test_a_cases_run_is_not_given_up_while_the_sweep_would_leave_it_alone(tmp_path: Path, server: Server) -> None:
    for minutes in (29, 31):
        server.has_run(f"case of {minutes}", minutes=minutes, case=True)
    Stack(settings(tmp_path, stuck_after_seconds=1800)).give_up_lost_runs()
    assert server.given_up == ["case of 31"]


def test_a_further_worker_gives_up_nothing_by_its_own_clock(tmp_path: Path, server: Server) -> None:
    server.has_run("sweep", minutes=600, sweep=True)
    server.has_run("case", minutes=600, case=True)
    assert FurtherWorker(settings(tmp_path)).tend()
    assert server.given_up == []


@pytest.mark.parametrize("other", ["ONLINE", "OFFLINE", "none"])
def test_a_worker_that_starts_gives_up_what_died_with_it_and_all_only_when_there_never_was_another(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    monkeypatch.setattr(Stack, "_child", ended)
    server.has_worker("mine", status="OFFLINE")
    if other != "none":
        server.has_worker("ketang", status=other)
    server.has_run("sheet", worker="mine")
    server.has_run("case", worker="mine", case=True)
    server.has_run("theirs", worker="ketang")
    server.has_run("not labeled yet")
    with pytest.raises(StackFailed, match="意外退出"):
        FurtherWorker(settings(tmp_path), name="mine").start_worker()
    own = ["sheet", "case"]
    assert server.given_up == (own if other != "none" else [*own, "theirs", "not labeled yet"])


def test_a_dead_worker_is_started_again_once_the_server_is_back(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    worker = FurtherWorker(settings(tmp_path), name="mine", say=said.append)
    worker.worker = dead = ended(worker)
    dead.wait(30)
    monkeypatch.setattr(Stack, "_child", lingering)
    heartbeats = iter(range(100))
    monkeypatch.setattr(Stack, "_heartbeat", lambda _stack: str(next(heartbeats)))
    server.away = True
    assert [worker.tend(), worker.tend(), worker.worker] == [False, False, dead]
    assert said == []
    server.away, server.fails = False, True
    assert [worker.tend(), worker.tend(), worker.worker] == [False, False, dead], "it goes away in between"
    server.fails = False
    try:
        assert worker.tend()
        assert worker.worker is not dead
        assert worker.worker.status is None
        assert [line for line in said if "现重新启动" in line] == said[:1]
        assert worker.tend()
    finally:
        worker.kill_worker()


def test_a_worker_that_dies_again_and_again_while_the_server_answers_is_told(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = FurtherWorker(settings(tmp_path), name="mine")
    worker.worker = ended(worker)
    worker.worker.wait(30)
    monkeypatch.setattr(Stack, "_child", ended)
    assert [worker.tend() for _ in range(MOST_RESTARTS - 1)] == [True] * (MOST_RESTARTS - 1)
    with pytest.raises(StackFailed, match="工作进程意外退出"):
        worker.tend()


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_worker_that_does_not_come_up_at_once_ends_nothing(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch, *, stubborn: bool
) -> None:
    """It died again while it started, or was not heard of in time."""
    said: list[str] = []
    stack = Stack(settings(tmp_path), say=said.append)
    stack.worker = ended(stack)
    stack.worker.wait(30)
    monkeypatch.setattr("runtime.stack.STEP_SECONDS", 0.3 if stubborn else 30)
    monkeypatch.setattr(Stack, "_child", lingering if stubborn else ended)
    stack.look_after()
    first = stack.worker
    assert first.status is not None, "it is not left half started"
    assert [line for line in said if "没有就绪" in line] == (said[1:] if stubborn else [])

    monkeypatch.setattr(Stack, "_child", lingering)
    heartbeats = iter(range(1000))
    monkeypatch.setattr(Stack, "_heartbeat", lambda _stack: str(next(heartbeats)))
    try:
        stack.look_after()
        assert stack.worker is not first
        stack.check()
    finally:
        stack.kill_worker()


def test_a_worker_that_does_not_come_up_while_the_server_is_away_is_not_counted(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = FurtherWorker(settings(tmp_path), name="mine")
    worker.worker = ended(worker)
    worker.worker.wait(30)

    def ends_as_the_server_does(stack: Stack, *_: Any, **__: Any) -> Child:
        child = ended(stack)
        child.wait(30)
        server.away = True
        return child

    monkeypatch.setattr(Stack, "_child", ends_as_the_server_does)
    for _ in range(MOST_RESTARTS + 1):
        server.away = False
        worker.tend()


def test_a_log_that_can_not_be_written_is_no_server_that_is_away(tmp_path: Path, server: Server) -> None:
    worker = FurtherWorker(settings(tmp_path), name="mine")
    worker.worker = ended(worker)
    worker.worker.wait(30)
    (tmp_path / "logs").touch()
    assert [worker.tend() for _ in range(MOST_RESTARTS - 1)] == [True] * (MOST_RESTARTS - 1)
    with pytest.raises(StackFailed, match=r"工作进程无法启动.*logs.*请检查磁盘空间"):
        worker.tend()


def test_a_restart_that_failed_is_tried_again_a_little_later_only(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.stack.RESTART_PAUSE_SECONDS", 3600)
    stack = Stack(settings(tmp_path))
    stack.worker = ended(stack)
    stack.worker.wait(30)
    monkeypatch.setattr(Stack, "_child", ended)
    stack.look_after()
    first = stack.worker
    for _ in range(MOST_RESTARTS + 1):
        stack.look_after()
    assert stack.worker is first


@pytest.mark.parametrize("name", ["a/b", "../x", "二 楼", "x" * 61])
def test_a_name_that_can_not_be_one_of_a_file_is_refused(tmp_path: Path, server: Server, name: str) -> None:
    with pytest.raises(StackFailed, match=r"工作进程不能叫“.*--name"):
        FurtherWorker(settings(tmp_path), name=name).start()
    assert list(tmp_path.iterdir()) == []


def test_any_name_of_a_machine_makes_one(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "王's Mac/" + "x" * 64)
    assert FurtherWorker(settings(tmp_path)).worker_name == "ketang-王-s-Mac-" + "x" * 45


def test_a_second_worker_of_a_name_is_refused_on_the_same_machine(tmp_path: Path, server: Server) -> None:
    first, second = (FurtherWorker(settings(tmp_path), name="mine") for _ in range(2))
    first._refuse_same_name()
    with pytest.raises(StackFailed, match=r"名为 mine 的工作进程正在运行.*--name"):
        second._refuse_same_name()
    FurtherWorker(settings(tmp_path), name="other")._refuse_same_name()
    first.stop()
    second._refuse_same_name()


def test_a_worker_of_that_name_on_another_machine_is_known_by_its_heartbeat(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.further.LOOK_SECONDS", 0.3)
    for home in ("stopped", "alive"):  # copied, and the machine's name with them
        (tmp_path / home).mkdir()
        (tmp_path / home / MARK_FILE).write_text("0" * 32)
    server.has_worker(f"mine-{mark_of(tmp_path / 'stopped')}", interval=0.5)
    FurtherWorker(settings(tmp_path / "stopped"), name="mine")._refuse_same_name()

    def beat() -> None:
        server.workers[0]["last_heartbeat_time"] = machine_now().isoformat()

    server.before_answer = beat
    with pytest.raises(StackFailed, match=r"名为 mine 的工作进程正在运行.*--name"):
        FurtherWorker(settings(tmp_path / "alive"), name="mine")._refuse_same_name()


def test_a_worker_of_the_same_name_elsewhere_keeps_its_live_runs_after_an_outage(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stack, "_child", ended)
    first, second = (FurtherWorker(settings(tmp_path / home), name="mine") for home in ("here", "there"))
    first._refuse_same_name()
    # The server was away, and has not heard of the first one since: it takes it for dead, and its run goes on.
    server.has_worker(first.worker_name, status="OFFLINE")
    server.has_run("live", worker=first.worker_name)
    server.has_run("case", worker=first.worker_name, case=True)
    second._refuse_same_name()
    server.has_run("died", worker=second.worker_name)
    server.has_worker(second.worker_name, status="OFFLINE")
    with pytest.raises(StackFailed, match="意外退出"):
        second.start_worker()
    assert server.given_up == ["died"]
    first.stop()
    again = FurtherWorker(settings(tmp_path / "here"), name="mine")
    again._refuse_same_name()
    with pytest.raises(StackFailed, match="意外退出"):
        again.start_worker()
    assert server.given_up == ["died", "live", "case"], "its own, when it is started again itself"


def test_the_mark_of_a_home_stays_and_is_another_one_on_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = mark_of(tmp_path)
    assert mark_of(tmp_path) == mark
    monkeypatch.setattr(socket, "gethostname", lambda: "copied")
    assert mark_of(tmp_path) != mark
    (tmp_path / MARK_FILE).write_text("")  # a disk that was full
    assert mark_of(tmp_path) == mark_of(tmp_path)


@pytest.mark.parametrize(
    ("url", "here"),
    [("", True), ("http://localhost:4200/api", True), ("http://127.0.0.1:1/api", True), (ELSEWHERE, False)],
)
def test_addresses_of_this_machine_are_known(url: str, *, here: bool) -> None:
    assert is_here(url) is here
