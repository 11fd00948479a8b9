"""The warm process by itself, without Prefect: what it forks, what it refuses, what is known when it dies."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runtime.fingerprint import fingerprint
from runtime.settings import PROJECT
from runtime.warm import Gone, Job, Line, Warm, connection

SCRIPT = """
import json, os, select, signal, socket, sys, threading, time
from runtime.fitness import open_descriptors, unfit
from runtime.warm import Gone, Job, Line, Warm, serve

allowed = open_descriptors()
changed = sys.argv[1]

def act(job):
    what = job.environment["what"]
    if what == "exit": return 7
    if what == "kill": os.kill(os.getpid(), signal.SIGKILL)
    if what == "raise": raise RuntimeError("broken")
    if what == "open": return len([f for f in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{f}")])
    if what == "wait": time.sleep(0.5)
    return 0

def current(): return not os.path.exists(changed)

def end_of(line):
    said = Line()
    while not said.ended and not said.refused:
        said.take(os.read(line, 100))
    return {"born": said.pid is not None, "status": said.status, "refused": said.refused}

def job(what): return Job(environment={"what": what}, folder="/", output=True)

warm = Warm.forked(lambda control: serve(control, act=act, current=current, allowed=allowed), allowed=allowed)
while not warm.ready:
    select.select([warm.control], [], [])
    warm.check()
told = {what: end_of(warm.ask(job(what))) for what in ("exit", "kill", "raise", "fine")}
first = warm.ask(job("wait"))
alone, beside = end_of(warm.ask(job("open"))), end_of(first)
told["descriptors"] = alone["status"] - len(allowed)
open(changed, "w").close()
told["changed"] = end_of(warm.ask(job("fine")))
os.unlink(changed)
orphan = warm.ask(job("wait"))
while not (data := os.read(orphan, 100)): pass
warm.end()
told["orphan"] = end_of(orphan)
try:
    warm.ask(job("fine"))
except Gone:
    told["gone"] = True

told["unfit"] = [unfit(allowed=allowed)]
with socket.socket():
    told["unfit"].append(unfit(allowed=allowed))
with open(__file__ if "__file__" in globals() else sys.executable):
    told["unfit"].append(unfit(allowed=allowed))
stop = threading.Event()
threading.Thread(target=stop.wait, name="helper").start()
told["unfit"].append(unfit(allowed=allowed))
stop.set()
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What happened to the jobs of a warm process that was forked off a new interpreter."""
    changed = tmp_path_factory.mktemp("warm") / "changed"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(changed)], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.parametrize(("what", "status"), [("fine", 0), ("exit", 7), ("kill", -9), ("raise", 1)])
def test_a_job_is_born_and_its_end_is_told(told: dict[str, Any], what: str, status: int) -> None:
    assert told[what] == {"born": True, "status": status, "refused": ""}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_child_holds_nothing_of_the_warm_process_but_its_own_line(told: dict[str, Any]) -> None:
    assert told["descriptors"] <= 1


def test_nothing_is_forked_once_the_code_has_changed(told: dict[str, Any]) -> None:
    assert told["changed"] == {"born": False, "status": None, "refused": "the code has changed"}


def test_a_child_that_outlives_the_warm_process_still_tells_how_it_left(told: dict[str, Any]) -> None:
    assert told["orphan"]["status"] == 0


def test_a_dead_warm_process_takes_no_job(told: dict[str, Any]) -> None:
    assert told["gone"] is True


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_with_a_thread_a_socket_or_a_file_is_not_fit_to_be_forked(told: dict[str, Any]) -> None:
    fit, with_socket, with_file, with_thread = told["unfit"]
    assert fit == ""
    assert with_socket.startswith("open: socket:")
    assert with_file.startswith("open: /")
    assert "helper" in with_thread


def test_a_line_that_ends_without_a_word_is_a_process_that_was_killed() -> None:
    line = Line()
    line.take(b"born 12\nle")
    assert (line.pid, line.ended) == (12, False)
    line.take(b"")
    assert (line.status, line.ended) == (-9, True)


def test_a_job_with_a_large_environment_is_taken_at_once() -> None:
    ours, theirs = connection()
    with ours, theirs:
        ours.setblocking(False)
        assert ours.send(bytes(100_000)) == 100_000


def test_a_warm_process_that_the_system_does_not_let_start_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "missing"))
    with pytest.raises(Gone, match=r"can not be started.*missing"):
        Warm.started("cli.warm_flow", folder=tmp_path)


def test_a_job_for_which_there_is_no_descriptor_left_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left() -> tuple[int, int]:
        raise OSError(errno.EMFILE, "Too many open files")

    ours, theirs = connection()
    with theirs:
        monkeypatch.setattr(os, "pipe", none_left)
        with pytest.raises(Gone, match="Too many open files"):
            Warm(0, ours).ask(Job(environment={}, folder="/", output=True))


BROKEN = """
import os
from runtime.fitness import open_descriptors
from runtime.warm import Warm

def broken(control): raise RuntimeError("broken at once")

warm = Warm.forked(broken, allowed=open_descriptors())
print(os.waitstatus_to_exitcode(os.waitpid(warm.pid, 0)[1]))
"""


def test_a_warm_process_that_breaks_tells_why() -> None:
    done = subprocess.run([sys.executable, "-c", BROKEN], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
    assert "RuntimeError: broken at once" in done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "one.py").write_text("ONE = 1", encoding="utf-8")
    (tmp_path / "prefect.yaml").write_text("name: x", encoding="utf-8")
    return tmp_path


def test_the_fingerprint_changes_with_any_file_that_a_run_may_read(folder: Path) -> None:
    seen = [fingerprint(folder)]
    assert fingerprint(folder) == seen[0]

    (folder / "flows" / "one.py").write_text("ONE = 2", encoding="utf-8")
    seen.append(fingerprint(folder))
    (folder / "flows" / "two.py").write_text("TWO = 2", encoding="utf-8")
    seen.append(fingerprint(folder))
    (folder / "prefect.yaml").write_text("name: y", encoding="utf-8")
    seen.append(fingerprint(folder))
    (folder / "flows" / "two.py").replace(folder / "flows" / "three.py")
    seen.append(fingerprint(folder))
    assert len(set(seen)) == len(seen)


def test_the_fingerprint_is_not_changed_by_what_the_product_writes(folder: Path) -> None:
    before = fingerprint(folder)
    (folder / "flows" / "__pycache__").mkdir()
    (folder / "flows" / "__pycache__" / "one.pyc").write_bytes(b"x")
    (folder / "var").mkdir()
    (folder / "var" / "ketang.db").write_bytes(b"x")
    assert fingerprint(folder) == before
