"""
Flow runs that died with a worker.

Prefect takes them for running for ever, and each keeps a slot of the pool: enough of them stop everything, the sweep
too. Cases' runs are the sweep's to replace; what is given up here only frees its slot, and is told as crashed.

That a run died is known of a worker's own, by its label, when the worker starts: its process is dead then. Of other
workers nothing is known by their being OFFLINE: the server says so of everybody whom it has not heard of for 90
seconds, which after an outage of its own is all of them, and Prefect's worker, whose pauses between tries have grown,
may come back after five minutes only. What was theirs is given up by how long it has been under way, by nothing else.
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


def give_up_overdue(ask: Ask, *, pool: str, sweeps_after: float, others_after: float) -> int:
    """
    Let runs that have been under way for too long have crashed, but for cases' runs; return how many there were.

    One sweep runs at a time: if it died with a machine that is gone, no other one would ever run, and it is the sweep
    that makes up for all else that was lost. Giving up one that lives does no harm: two may run at once.

    Args:
        ask: the API.
        pool: the work pool.
        sweeps_after: seconds in its state that a sweep may be.
        others_after: seconds that any other run may be.
    """
    under_way = _under_way(ask, pool)
    sweeps = {run["id"] for run in _under_way(ask, pool, flow=SWEEP_FLOW)} if under_way else set()
    now, given_up = machine_now(), 0
    for run in under_way:
        sweep = run["id"] in sweeps
        latest = now - timedelta(seconds=sweeps_after if sweep else others_after)
        if not _of_case(run) and datetime.fromisoformat(run["state"]["timestamp"]) <= latest:
            _give_up(ask, run, SWEEP_LOST if sweep else OTHER_LOST)
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
