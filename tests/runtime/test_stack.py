"""The stack on a real Prefect server and worker, with two small flows of its own."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from runtime.children import Child, living_in_group, until
from runtime.environment import child_environment
from runtime.homelock import HomeLock, HomeTaken, find_running
from runtime.refusals import StackFailed
from runtime.settings import PROJECT, Settings
from runtime.stack import MOST_RESTARTS, Stack

FLOWS = """
import os, sys, time
from pathlib import Path
from prefect import flow

@flow
def tell() -> None:
    names = ["TZ", "KETANG_HOME", "KETANG_DATABASE_URL", "KETANG_PUBLIC_URL"]
    told = {"python": sys.executable} | {name: os.environ[name] for name in names}
    Path(os.environ["KETANG_HOME"], "told.json").write_text(__import__("json").dumps(told))

@flow
def linger(name: str, seconds: float) -> None:
    began = Path(os.environ["KETANG_HOME"], name)
    began.with_suffix(".part").write_text(str(os.getpid()))
    began.with_suffix(".part").rename(began)
    time.sleep(seconds)
"""
DEPLOYMENTS = """
name: stack-test
definitions:
  work_pool: &pool
    name: ketang
    job_variables:
      command: "python -m prefect.engine"
      working_dir: "{{ $KETANG_PROJECT }}"
pull:
- prefect.deployments.steps.set_working_directory:
    directory: "{{ $KETANG_PROJECT }}"
deployments:
- name: tell
  entrypoint: stackflows.tell
  work_pool: *pool
  schedules:
  - {cron: "0 9 1 * *", timezone: Asia/Shanghai, slug: first-of-month}
- name: linger
  entrypoint: stackflows.linger
  work_pool: *pool
"""
IN_A_HUNDRED_YEARS = "2126-01-01T00:00:00Z"
SECRET = "office:correct horse"


class Api:
    """A person at the Prefect API of a stack."""

    def __init__(self, stack: Stack) -> None:
        self.ask = stack._ask

    @classmethod
    def at(cls, port: int) -> "Api":
        """Return the API of a stack that runs elsewhere."""
        return cls(Stack(Settings(_env_file=None, port=port)))

    def run(self, deployment: str, *, at: str | None = None, **parameters: object) -> str:
        """Ask for a run, now or at a moment; return its id."""
        name = f"/deployments/name/{deployment}/{deployment}"
        found = self.ask("GET", name)["id"]
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": at} if at else {}}
        body = {"parameters": parameters, "state": state}
        return str(self.ask("POST", f"/deployments/{found}/create_flow_run", body)["id"])

    def state(self, run: str) -> str:
        return str(self.ask("GET", f"/flow_runs/{run}")["state"]["name"])

    def wait_for(self, run: str, state: str, *, seconds: float = 60) -> None:
        assert until(lambda: self.state(run) == state, seconds=seconds), self.state(run)


def project_in(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "stackflows.py").write_text(FLOWS, encoding="utf-8")
    (folder / "prefect.yaml").write_text(DEPLOYMENTS, encoding="utf-8")
    return folder


def known(stack: Stack) -> set[tuple[str, str]]:
    """The workers that the server knows, each as it calls it."""
    return {(each["name"], each["status"]) for each in stack._workers()}


def settings_for(home: Path, **others: Any) -> Settings:
    return Settings(_env_file=None, home=home, port=0, **others)


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] not in "ZX"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project_in(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def stack(home: Path, project: Path, prepared: Callable[[Stack], Stack]) -> Iterator[Stack]:
    with prepared(Stack(settings_for(home, prefect_auth=SecretStr(SECRET)), project=project)) as stack:
        yield stack


@pytest.fixture
def api(stack: Stack) -> Api:
    stack.start_worker()
    return Api(stack)


@pytest.mark.e2e
@pytest.mark.timeout(300)
class TestRunning:
    def test_a_flow_runs_with_our_python_and_our_settings(self, stack: Stack, api: Api, home: Path) -> None:
        api.wait_for(api.run("tell"), "Completed")
        assert json.loads((home / "told.json").read_text()) == {
            "python": sys.executable,
            "TZ": "Asia/Shanghai",
            "KETANG_HOME": str(home),
            "KETANG_DATABASE_URL": f"sqlite:///{home}/ketang.db",
            "KETANG_PUBLIC_URL": stack.ui_url,
        }

    def test_scheduled_runs_appear(self, api: Api) -> None:
        # SQLAlchemy 2.1 would break Prefect's scheduler without a word.
        wanted = {
            "flow_runs": {"state": {"name": {"any_": ["Scheduled"]}}},
            "deployments": {"name": {"any_": ["tell"]}},
        }
        assert until(lambda: api.ask("POST", "/flow_runs/count", wanted) > 0, seconds=30)
        first = api.ask("POST", "/flow_runs/filter", {**wanted, "limit": 1})[0]
        assert first["expected_start_time"][8:19] == "01T01:00:00", "nine o'clock in Shanghai is one o'clock UTC"

    def test_writers_on_sqlite_wait_for_each_other(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        # Without a second try the first "503, database is locked" ends the test.
        monkeypatch.setattr("runtime.asking.BUSY_PAUSES_SECONDS", (None,))
        with ThreadPoolExecutor(8) as people:
            runs = list(people.map(lambda _: api.run("linger", at=IN_A_HUNDRED_YEARS, name="x", seconds=0), range(40)))
        assert len(set(runs)) == 40

    def test_the_api_wants_the_password(self, stack: Stack) -> None:
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{stack.api_url}/admin/version", timeout=10)

    def test_the_classic_ui_is_home(self, stack: Stack) -> None:
        settings = json.load(urllib.request.urlopen(f"{stack.ui_url}/ui-settings", timeout=10))
        assert settings["default_ui"] == "v1"
        assert settings["api_url"] == stack.api_url
        for page in (f"{stack.ui_url}/runs/flow-run/x", f"{stack.new_ui_url}/dashboard"):
            request = urllib.request.Request(page, headers={"Accept": "text/html"})
            assert urllib.request.urlopen(request, timeout=10).url == page

    def test_others_find_where_it_runs(self, stack: Stack, home: Path) -> None:
        running = find_running(home)
        assert running is not None
        assert (running.pid, running.api_url, running.ui_url) == (os.getpid(), stack.api_url, stack.ui_url)

    def test_a_second_stack_on_the_same_home_is_refused(self, stack: Stack, project: Path) -> None:
        second = Stack(settings_for(stack.settings.home), project=project)
        with pytest.raises(StackFailed, match="已有一个客堂在运行") as refusal:
            second.start()
        assert stack.ui_url in str(refusal.value)
        assert "KETANG_HOME" in str(refusal.value)
        stack.check()

    def test_killing_the_worker_kills_the_flow_too_and_a_new_worker_works_on(
        self, stack: Stack, api: Api, home: Path
    ) -> None:
        api.run("linger", name="killed", seconds=600)
        assert until((home / "killed").exists, seconds=30)
        flow_process = int((home / "killed").read_text())
        assert stack.worker is not None
        worker = stack.worker
        assert flow_process in worker.offspring()
        stack.kill_worker()
        assert not alive(flow_process)
        assert living_in_group(worker.pid) == []
        stack.start_worker()
        api.wait_for(api.run("tell"), "Completed")

    def test_a_worker_that_starts_leaves_alone_what_one_does_that_the_server_has_not_heard_of(
        self, stack: Stack, api: Api, home: Path
    ) -> None:
        """As after an outage of the server: it calls every other worker OFFLINE, and they live and work."""
        workers = "/work_pools/ketang/workers"
        ours = api.run("linger", name="ours", seconds=600)
        assert until((home / "ours").exists, seconds=60)
        api.ask("POST", f"{workers}/heartbeat", {"name": "elsewhere"})
        theirs, nobodys = (api.run("linger", at=IN_A_HUNDRED_YEARS, name="x", seconds=0) for _ in range(2))
        for run in (theirs, nobodys):
            api.ask("POST", f"/flow_runs/{run}/set_state", {"state": {"type": "RUNNING"}, "force": True})
        api.ask("PATCH", f"/flow_runs/{theirs}/labels", {"prefect.worker.name": "elsewhere"})
        with contextlib.closing(sqlite3.connect(home / "prefect" / "prefect.db", timeout=30)) as database, database:
            # As the server does itself within half a minute.
            database.execute("UPDATE worker SET status = 'OFFLINE' WHERE name = 'elsewhere'")
        assert ("elsewhere", "OFFLINE") in known(stack)

        stack.kill_worker()
        stack.start_worker()
        assert [api.state(run) for run in (ours, theirs, nobodys)] == ["Crashed", "Running", "Running"]

        # Once it is taken off the list, whatever is under way died with ours.
        api.ask("DELETE", f"{workers}/elsewhere")
        stack.kill_worker()
        stack.start_worker()
        assert [api.state(run) for run in (theirs, nobodys)] == ["Crashed", "Crashed"]

    def test_a_dead_worker_is_started_again(self, stack: Stack, api: Api) -> None:
        dying = stack.worker
        assert dying is not None
        before = dying.pid
        os.kill(before, signal.SIGKILL)
        # Its first thread is a zombie before the last one has ended, and only then it has a status.
        assert until(lambda: dying.status is not None, seconds=30)
        stack.look_after()
        assert stack.worker is not None
        assert stack.worker.pid != before
        api.wait_for(api.run("tell"), "Completed")

    def test_a_worker_that_dies_again_and_again_is_told_with_its_log(
        self, stack: Stack, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stack, "_restarts", deque([time.monotonic()] * MOST_RESTARTS, maxlen=MOST_RESTARTS))
        assert stack.worker is not None
        os.kill(stack.worker.pid, signal.SIGKILL)
        with pytest.raises(StackFailed, match=r"工作进程意外退出.*worker\.log"):
            stack.watch()
        stack.kill_worker()


UP = """
import sys
from pathlib import Path
from runtime.settings import Settings
from runtime.stack import Stack
from runtime.stopping import stop_signals
home, project = sys.argv[1:]
try:
    with stop_signals(), Stack(Settings(_env_file=None, home=Path(home), port=0), project=Path(project)) as stack:
        print(stack.server.pid, stack.worker.pid, stack.settings.port, flush=True)
        stack.watch()
except KeyboardInterrupt:
    print("orderly", flush=True)
"""


class Up:
    """The stack as a process of its own, as a person starts it."""

    def __init__(self, home: Path, project: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", UP, str(home), str(project)],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            text=True,
            # As in a shell's background: deaf to SIGINT, which a worker must not inherit.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN) and None,
        )
        assert self.process.stdout is not None
        *self.groups, port = map(int, self.process.stdout.readline().split())
        self.api = Api.at(port)

    def send(self, number: signal.Signals) -> str:
        """Send a signal and return the last words."""
        self.process.send_signal(number)
        return self.process.communicate()[0]

    def leaves_nothing(self) -> bool:
        return until(lambda: not any(living_in_group(group) for group in self.groups), seconds=20)


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_it_stops_in_order_starts_as_it_was_and_dies_as_a_whole(
    tmp_path: Path, project: Path, prepared: Callable[[Stack], Stack]
) -> None:
    home = tmp_path / "home"
    prepared(Stack(settings_for(home), project=project))
    first = Up(home, project)
    run = first.api.run("linger", name="began", seconds=3)
    assert until((home / "began").exists, seconds=60)
    deployment = first.api.ask("GET", "/deployments/name/linger/linger")["id"]
    assert first.send(signal.SIGTERM) == "orderly\n"
    assert first.leaves_nothing()
    assert find_running(home) is None

    second = Up(home, project)
    assert second.api.state(run) == "Completed", "the flow run on its way came to its end"
    assert second.api.ask("GET", "/deployments/name/linger/linger")["id"] == deployment
    if sys.platform != "linux":
        assert second.send(signal.SIGTERM) == "orderly\n"
        return
    assert second.send(signal.SIGKILL) == ""
    assert second.leaves_nothing(), "the leash ends what its holder can not"
    with HomeTakenFreely(home):
        pass


class HomeTakenFreely:
    """Takes a home's lock and gives it back."""

    def __init__(self, home: Path) -> None:
        self.lock = HomeLock(home)

    def __enter__(self) -> None:
        self.lock.take()

    def __exit__(self, *_: object) -> None:
        self.lock.free()


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_a_failing_deployment_is_told_and_everything_is_stopped(
    tmp_path: Path, prepared: Callable[[Stack], Stack]
) -> None:
    project = project_in(tmp_path / "project")
    (project / "stackflows.py").write_text("raise RuntimeError('broken flow file')", encoding="utf-8")
    stack = prepared(Stack.temporary(project=project))
    children: list[Child] = []
    start_child = stack._child

    def remembered(*arguments: Any, **named: Any) -> Child:
        children.append(start_child(*arguments, **named))
        return children[-1]

    stack._child = remembered  # type: ignore[method-assign]
    with pytest.raises(StackFailed, match=r"(?s)部署流程失败.*deploy\.log.*broken flow file"):
        stack.start()
    assert len(children) == 3, "server, work pool, deployment"
    assert not any(living_in_group(child.pid) for child in children)
    assert not stack.settings.home.exists()


def test_a_busy_port_is_told_before_anything_starts(tmp_path: Path, project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        stack = Stack(Settings(_env_file=None, home=tmp_path, port=port), project=project)
        with pytest.raises(StackFailed, match=f"端口 {port} 已被别的程序占用.*KETANG_PORT"):
            stack.start()
    assert not (tmp_path / "ketang.db").exists()
    with HomeTakenFreely(tmp_path):
        pass


def test_a_foreign_address_is_told(tmp_path: Path, project: Path) -> None:
    stack = Stack(Settings(_env_file=None, home=tmp_path, host="192.0.2.1", port=free_port()), project=project)
    with pytest.raises(StackFailed, match=r"无法监听 192\.0\.2\.1.*KETANG_HOST"):
        stack.start()


def test_a_folder_without_deployments_is_told(tmp_path: Path) -> None:
    with pytest.raises(StackFailed, match=r"没有找到 prefect\.yaml"):
        Stack(settings_for(tmp_path), project=tmp_path).start()


@pytest.mark.parametrize("secret", ["office", "office:", ":word", "办公室:密码", "office:wo\nrd"])
def test_a_password_that_the_server_can_not_use_is_told_before_anything_starts(
    secret: str, tmp_path: Path, project: Path
) -> None:
    settings = Settings(_env_file=None, home=tmp_path / "home", port=0, prefect_auth=SecretStr(secret))
    with pytest.raises(StackFailed, match="KETANG_PREFECT_AUTH 须写作 用户名:密码") as refused:
        Stack(settings, project=project).start()
    assert secret not in str(refused.value)
    assert not (tmp_path / "home" / "logs").exists()


def test_a_home_is_taken_once_and_freed_with_its_holder(tmp_path: Path) -> None:
    hold = "import sys, pathlib; from runtime.homelock import HomeLock; lock = HomeLock(pathlib.Path(sys.argv[1]))"
    hold += (
        "; lock.take(); lock.tell(api_url='http://a', ui_url='http://u'); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(HomeTaken) as taken:
            HomeLock(tmp_path).take()
        assert taken.value.running == find_running(tmp_path)
        assert taken.value.running is not None
        assert taken.value.running.pid == holder.pid
        holder.kill()
    assert find_running(tmp_path) is None
    with HomeTakenFreely(tmp_path):
        pass


def test_children_get_absolute_settings_and_no_foreign_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_KEY", "pnu_somebody")
    monkeypatch.setenv("PREFECT_SERVER_CSRF_PROTECTION_ENABLED", "true")
    monkeypatch.chdir(tmp_path)
    settings = Settings(
        _env_file=None,
        home=Path("here"),
        host="0.0.0.0",
        port=4300,
        smtp_password=SecretStr("letters"),
        smtp_ca_file=None,
    )
    environment = child_environment(settings)
    assert environment["KETANG_HOME"] == str(tmp_path / "here")
    assert environment["KETANG_SMTP_PASSWORD"] == "letters"
    assert "KETANG_SMTP_CA_FILE" not in environment
    assert environment["PREFECT_API_URL"] == "http://127.0.0.1:4300/api"
    assert environment["PREFECT_SERVER_API_HOST"] == "0.0.0.0"
    assert "PREFECT_API_KEY" not in environment
    assert environment["PREFECT_SERVER_CSRF_PROTECTION_ENABLED"] == "true"
    for name, value in environment.items():
        if name.startswith("KETANG_"):
            monkeypatch.setenv(name, value)
    again = Settings(_env_file=None)
    assert again.home == settings.home
    assert again.smtp_password.get_secret_value() == "letters"
    assert again.database == settings.database


def test_a_temporary_stack_ignores_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KETANG_DATABASE_URL", "sqlite:////somewhere/real.db")
    monkeypatch.setenv("KETANG_SMTP_HOST", "mail.example.org")
    stack = Stack.temporary(worker_limit=1)
    try:
        assert stack.settings.database == f"sqlite:///{stack.settings.home}/ketang.db"
        assert (stack.settings.smtp_host, stack.settings.worker_limit) == ("", 1)
    finally:
        stack.stop()
    assert not stack.settings.home.exists()


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Callable[[str], Child]]:
    started: list[Child] = []

    def start(code: str) -> Child:
        started.append(
            Child(
                "子进程",
                [sys.executable, "-c", code],
                environment=dict(os.environ),
                folder=tmp_path,
                log=tmp_path / "child.log",
            )
        )
        return started[-1]

    yield start
    for one in started:
        one.kill()


STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("ready", flush=True)
time.sleep(600)
"""


def test_a_child_that_will_not_end_is_killed_with_its_offspring(child: Callable[[str], Child]) -> None:
    stubborn = child(STUBBORN)
    assert until(lambda: "ready" in stubborn.tail(), seconds=10)
    assert len(stubborn.offspring()) == 1
    began = time.monotonic()
    stubborn.end(0.2)
    assert time.monotonic() - began < 5
    assert living_in_group(stubborn.pid) == []
    assert stubborn.status == -signal.SIGKILL


OFFICE = """
import signal, subprocess, sys
clerk = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1); print('letter written', flush=True)"])
print("ready", flush=True)
clerk.wait()
signal.pause()
"""


def test_offspring_comes_to_its_own_end_first(child: Callable[[str], Child]) -> None:
    office = child(OFFICE)
    assert until(lambda: "ready" in office.tail(), seconds=10)
    office.end_after_offspring(patience=20, seconds=5)
    assert "letter written" in office.tail()
    assert office.status == -signal.SIGTERM


def test_an_overlong_log_is_put_aside(
    child: Callable[[str], Child], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.children.LOG_LIMIT_BYTES", 10)
    (tmp_path / "child.log").write_text("of the year before", encoding="utf-8")
    assert child("print('new')").wait(10)
    assert (tmp_path / "child.log").read_text(encoding="utf-8") == "new\n"
    assert (tmp_path / "child.log.old").read_text(encoding="utf-8") == "of the year before"
