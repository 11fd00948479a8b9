"""A further worker refuses to start where it could not work, and says what to do; no server is needed for that."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from runtime.clock import machine_now
from runtime.environment import api_url, prefect_environment
from runtime.further import FurtherWorker, is_here
from runtime.settings import Settings
from runtime.stack import Stack, StackFailed

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


def test_only_a_sweep_that_is_under_way_for_too_long_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ages = {"young": 60, "old": 3600}
    told: list[tuple[str, str]] = []

    def answer(_stack: Stack, _method: str, path: str, body: Any = None) -> Any:
        if path == "/flow_runs/filter":
            assert body["flows"] == {"name": {"any_": ["deadline-sweep"]}}
            return [
                {"id": name, "state": {"timestamp": (machine_now() - timedelta(seconds=age)).isoformat()}}
                for name, age in ages.items()
            ]
        told.append((path, body["state"]["type"]))
        return {}

    monkeypatch.setattr(Stack, "_ask", answer)
    assert FurtherWorker(settings(tmp_path)).give_up_lost_sweeps() == 1
    assert told == [("/flow_runs/old/set_state", "CRASHED")]


@pytest.mark.parametrize(
    ("url", "here"),
    [("", True), ("http://localhost:4200/api", True), ("http://127.0.0.1:1/api", True), (ELSEWHERE, False)],
)
def test_addresses_of_this_machine_are_known(url: str, *, here: bool) -> None:
    assert is_here(url) is here
