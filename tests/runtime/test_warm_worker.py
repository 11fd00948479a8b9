"""The worker whose flow runs are forks of a warm process, on a real Prefect server with small flows of its own."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.children import until
from runtime.settings import Settings
from runtime.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

VERSION = 'VERSION = "first"'
FLOWS = f"""
import json, os, random, signal, sys, time
from pathlib import Path
from prefect import flow, get_run_logger

{VERSION}
HOME = Path(os.environ["KETANG_HOME"])

def note(name, **told):
    (HOME / name).with_suffix(".part").write_text(json.dumps(told))
    (HOME / name).with_suffix(".part").rename(HOME / name)

def stopped(flow, flow_run, state):
    note(flow_run.parameters["name"] + "." + state.name.lower())

@flow(on_cancellation=[stopped], on_crashed=[stopped])
def tell(name: str, seconds: float = 0, end: str = "") -> None:
    get_run_logger().info("told by %s", name)
    print("written by", name)
    note(
        name, pid=os.getpid(), parent=os.getppid(), folder=os.getcwd(), version=VERSION, number=random.random(),
        arguments=sys.argv, setting=os.environ.get("KETANG_TOLD"), home=os.environ["KETANG_HOME"],
        stdin=os.readlink("/proc/self/fd/0"), mask=[signal.getsignal(n) is signal.SIG_IGN for n in (1, 2, 15)],
    )
    time.sleep(seconds)
    if end == "leave":
        os._exit(3)
    if end == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
"""
DEPLOYMENTS = """
name: warm-test
definitions:
  pools:
  - &pool
    name: ketang
    job_variables: &variables
      command: "python -m prefect.engine"
      working_dir: "{{ $KETANG_PROJECT }}"
  - &other
    name: ketang
    job_variables:
      <<: *variables
      env: {PYTHONHASHSEED: "7"}
pull:
- prefect.deployments.steps.set_working_directory:
    directory: "{{ $KETANG_PROJECT }}"
deployments:
- {name: tell, entrypoint: warmflows.tell, work_pool: *pool}
- {name: other, entrypoint: warmflows.tell, work_pool: *other}
"""


class Told(Stack):
    """A stack whose worker does not look for due runs by itself: it has to be told of each."""

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"PREFECT_WORKER_QUERY_SECONDS": "3600"}


class Desk:
    """A person at the stack who starts small flows and reads what they told."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.ask = stack, stack._ask
        self.home = stack.settings.home
        self.runs = 0

    def start(self, deployment: str = "tell", **wanted: Any) -> tuple[str, str]:
        """Start a run; return its id and the name by which it tells."""
        self.runs += 1
        name = f"told-{self.runs}"
        found = self.ask("GET", f"/deployments/name/tell/{deployment}")["id"]
        body = {"parameters": {"name": name, **wanted}, "job_variables": {"env": {"KETANG_TOLD": name}}}
        return str(self.ask("POST", f"/deployments/{found}/create_flow_run", body)["id"]), name

    def told(self, name: str) -> dict[str, Any]:
        path = self.home / name
        assert until(path.exists, seconds=60), name
        told: dict[str, Any] = json.loads(path.read_text())
        return told

    def state(self, run: str, *wanted: str) -> str:
        """Wait for one of the states; return it."""

        def name() -> str:
            return str(self.ask("GET", f"/flow_runs/{run}")["state"]["name"])

        assert until(lambda: name() in wanted, seconds=60), name()
        return name()

    def warm(self) -> dict[str, Any]:
        """Start runs until one is a fork of the warm process; return what it told."""
        told: list[dict[str, Any]] = []

        def forked() -> bool:
            run, name = self.start()
            told.append(self.told(name))
            self.state(run, "Completed")
            return told[-1]["parent"] != self.worker

        assert until(forked, seconds=90), told
        return told[-1]

    @property
    def worker(self) -> int:
        assert self.stack.worker is not None
        return self.stack.worker.pid


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "warmflows.py").write_text(FLOWS, encoding="utf-8")
    (folder / "prefect.yaml").write_text(DEPLOYMENTS, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def stack(
    project: Path, tmp_path_factory: pytest.TempPathFactory, prepared: Callable[[Stack], Stack]
) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("home")
    with prepared(Told(Settings(_env_file=None, home=home, port=0), project=project)) as stack:
        yield stack


@pytest.fixture
def desk(stack: Stack) -> Desk:
    stack.start_worker()
    return Desk(stack)


@pytest.fixture(autouse=True)
def _own_names(stack: Stack) -> Iterator[None]:
    yield
    for path in stack.settings.home.glob("told-*"):
        path.unlink()


def test_a_run_is_a_fork_in_the_right_place_with_its_own_environment(desk: Desk, project: Path) -> None:
    warm = desk.warm()["parent"]
    run, name = desk.start()
    told = desk.told(name)
    assert told["parent"] == warm
    assert told["folder"] == str(project)
    assert told["setting"] == name
    assert told["home"] == str(desk.home)
    assert told["arguments"][0].endswith("prefect/engine.py")
    assert told["stdin"] == "/dev/null"
    assert told["mask"] == [False, False, False], "the warm process ignores signals, its children must not"
    desk.state(run, "Completed")
    assert desk.ask("GET", f"/flow_runs/{run}")["infrastructure_pid"] == str(told["pid"])
    lines = {"logs": {"flow_run_id": {"any_": [run]}}}
    assert until(lambda: f"told by {name}" in str(desk.ask("POST", "/logs/filter", lines)), seconds=30)
    assert f"written by {name}" in (desk.stack.logs / "worker.log").read_text()


def test_the_warm_process_has_one_thread_and_no_socket_but_the_workers(desk: Desk) -> None:
    warm = Path("/proc", str(desk.warm()["parent"]))
    assert len(list((warm / "task").iterdir())) == 1
    opened = [str(each.readlink()) for each in (warm / "fd").iterdir()]
    assert sum(each.startswith("socket:") for each in opened) == 1
    assert not any(".db" in each or "eventpoll" in each for each in opened)


def test_two_runs_at_once_are_two_processes_that_share_nothing(desk: Desk) -> None:
    (first, one), (second, two) = desk.start(seconds=1), desk.start(seconds=1)
    told, also = desk.told(one), desk.told(two)
    assert told["pid"] != also["pid"]
    assert told["number"] != also["number"], "random numbers start anew in each"
    assert [desk.state(each, "Completed", "Crashed") for each in (first, second)] == ["Completed", "Completed"]


@pytest.mark.parametrize("end", ["leave", "killed"])
def test_a_run_that_dies_has_crashed_with_its_hook_and_harms_no_other(desk: Desk, end: str) -> None:
    (other, _), (run, name) = desk.start(seconds=2), desk.start(end=end)
    assert desk.state(run, "Completed", "Crashed") == "Crashed"
    desk.told(f"{name}.crashed")
    assert desk.state(other, "Completed", "Crashed") == "Completed"


def test_a_cancelled_run_ends_with_its_hook(desk: Desk) -> None:
    run, name = desk.start(seconds=600)
    told = desk.told(name)
    desk.ask("POST", f"/flow_runs/{run}/set_state", {"state": {"type": "CANCELLING", "name": "Cancelling"}})
    desk.state(run, "Cancelled")
    desk.told(f"{name}.cancelling")
    assert until(lambda: not Path("/proc", str(told["pid"])).exists(), seconds=30)


def test_another_interpreter_is_started_where_a_fork_would_not_do(desk: Desk) -> None:
    run, name = desk.start("other")
    assert desk.told(name)["parent"] == desk.worker
    desk.state(run, "Completed")


def test_runs_go_on_without_the_warm_process_and_it_is_started_again(desk: Desk) -> None:
    warm = desk.warm()["parent"]
    under_way, name = desk.start(seconds=3)
    assert desk.told(name)["parent"] == warm
    os.kill(warm, signal.SIGKILL)
    following, _ = desk.start()
    assert [desk.state(each, "Completed", "Crashed") for each in (under_way, following)] == ["Completed", "Completed"]
    assert desk.warm()["parent"] != warm


def test_changed_code_is_not_served_from_memory(desk: Desk, project: Path) -> None:
    before = desk.warm()
    assert before["version"] == "first"
    path = project / "warmflows.py"
    path.write_text(FLOWS.replace(VERSION, 'VERSION = "second"'), encoding="utf-8")
    run, name = desk.start()
    assert desk.told(name)["version"] == "second"
    desk.state(run, "Completed")
    after = desk.warm()
    assert after["parent"] != before["parent"]
    assert after["version"] == "second"


def test_a_worker_that_is_asked_to_end_lets_its_runs_end_first(desk: Desk) -> None:
    run, name = desk.start(seconds=3)
    told = desk.told(name)
    worker = desk.stack.worker
    assert worker is not None
    os.kill(worker.pid, signal.SIGTERM)
    assert worker.wait(60)
    assert desk.state(run, "Completed", "Crashed") == "Completed"
    assert not Path("/proc", str(told["pid"])).exists()
    assert until(lambda: not worker.offspring(), seconds=10), "the warm process ends with the worker"
