"""
Flow runs that died with a worker.

Prefect takes them for running for ever, and each keeps a slot of the pool: enough of them stop everything, the sweep
too. What is given up here only frees its slot, and is told as crashed. A case whose run is given up gets another one
from the sweep, which also applies the answer that the old one had not come to.

That a run died is known of a worker's own, by its label, when the worker starts: its process is dead then. Of other
workers nothing is known by their being OFFLINE: the server says so of everybody whom it has not heard of for 90
seconds, which after an outage of its own is all of them, and Prefect's worker, whose pauses between tries have grown,
may come back after five minutes only. What was theirs is given up by how long it has been under way, by nothing else,
and only where the server runs: it is the server's clock that says since when.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from runtime.clock import machine_now

SWEEP_FLOW = "deadline-sweep"
CASE_PARAMETER = "case_number"
"""Only the flows that carry a case have it."""
WORKER_LABEL = "prefect.worker.name"
"""Label by which a run tells which worker took it last."""
LOST_SWEEP_SECONDS = 900
LOST_CASE_SECONDS = 900
"""A pass takes seconds. The sweep replaces what takes minutes; it is late because it has no slot itself."""
LOST_RUN_SECONDS = 3600
"""The longest runs, a sheet of a thousand rows or the day's closing, take some minutes."""
MOST = 200
"""As many as the server tells at once; more than any pool has slots."""
CASE_LOST = "工作进程中断,本次运行没有完成;期限巡检会接续办理"
SWEEP_LOST = "巡检没有完成,执行它的工作进程已中断;由下一次巡检补办"
OTHER_LOST = "工作进程中断,本次运行没有完成;定时的会按时再运行,提交的请核对哪些已办成,没有办成的再提交一次"

Ask = Callable[[str, str, object], Any]
"""Takes a method, a path and a body to the API; returns the answer, None for "not found"."""


def give_up_of_worker(ask: Ask, *, pool: str, name: str, alone: bool) -> int:
    """
    Let the runs that died with a worker have crashed; return how many there were.

    Args:
        ask: the API.
        pool: the work pool.
        name: of the worker; it does not run now.
        alone: whether the pool never had another worker, so that all its runs were this one's.
    """
    lost = [run for run in _under_way(ask, pool) if alone or (run.get("labels") or {}).get(WORKER_LABEL) == name]
    for run in lost:
        _give_up(ask, run, CASE_LOST if _of_case(run) else OTHER_LOST)
    return len(lost)


def give_up_overdue(ask: Ask, *, pool: str, sweeps_after: float, cases_after: float, others_after: float) -> int:
    """
    Let runs that have been under way for too long have crashed; return how many there were.

    One sweep runs at a time: if it died with a machine that is gone, no other one would ever run, and it is the sweep
    that makes up for all else that was lost. Giving up one that lives does no harm: two may run at once. Nor does
    giving up a case's run that lives: two may carry a case, and only one of them comes to wait at the next gate.

    To be called on the server's machine: the server has noted, by its clock, since when a run is in its state.

    Args:
        ask: the API.
        pool: the work pool.
        sweeps_after: seconds in its state that a sweep may be.
        cases_after: seconds that a case's run may be; longer than the sweep leaves it alone.
        others_after: seconds that any other run may be.
    """
    under_way = _under_way(ask, pool)
    sweeps = {run["id"] for run in _under_way(ask, pool, flow=SWEEP_FLOW)} if under_way else set()
    now, given_up = machine_now(), 0
    for run in under_way:
        if run["id"] in sweeps:
            after, message = sweeps_after, SWEEP_LOST
        elif _of_case(run):
            after, message = cases_after, CASE_LOST
        else:
            after, message = others_after, OTHER_LOST
        if now - datetime.fromisoformat(run["state"]["timestamp"]) >= timedelta(seconds=after):
            _give_up(ask, run, message)
            given_up += 1
    return given_up


def _under_way(ask: Ask, pool: str, *, flow: str = "") -> list[dict[str, Any]]:
    wanted: dict[str, Any] = {
        "flow_runs": {"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}},
        "work_pools": {"name": {"any_": [pool]}},
        "sort": "START_TIME_ASC",
        "limit": MOST,
    }
    if flow:
        wanted["flows"] = {"name": {"any_": [flow]}}
    found: list[dict[str, Any]] = ask("POST", "/flow_runs/filter", wanted) or []
    return found


def _of_case(run: dict[str, Any]) -> bool:
    return CASE_PARAMETER in (run.get("parameters") or {})


def _give_up(ask: Ask, run: dict[str, Any], message: str) -> None:
    state = {"type": "CRASHED", "message": message}
    ask("POST", f"/flow_runs/{run['id']}/set_state", {"state": state, "force": True})
