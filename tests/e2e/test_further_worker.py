"""A second worker on the pool of a stack that runs: it shares the runs, and what dies with it is made up for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from policies.vocabulary import Gate
from runtime.further import FurtherWorker
from runtime.stack import WORKER_NAME
from tests.e2e.live import Office, see

pytestmark = [pytest.mark.e2e, pytest.mark.endurance, pytest.mark.timeout(900)]

SWEEP = "deadline-sweep/期限巡检"


@pytest.fixture
def second(office: Office, tmp_path: Path) -> Iterator[FurtherWorker]:
    """A worker with a home and a name of its own, at the office's server and database."""
    there = office.stack.settings
    changes = {"home": tmp_path, "database_url": there.database, "prefect_api_url": office.stack.api_url}
    with FurtherWorker(there.model_copy(update=changes), name=tmp_path.name) as worker:
        yield worker


def test_both_are_known_to_the_server_and_take_runs(office: Office, second: FurtherWorker) -> None:
    online = {each["name"] for each in office.ask("POST", "/work_pools/ketang/workers/filter", {})}
    assert {WORKER_NAME, second.worker_name} <= online

    assert second.worker is not None
    logs = [office.stack.logs / "worker.log", second.worker.log]
    taken: list[str] = []

    def both_took_some() -> bool:
        taken.append(office.start(SWEEP, {}))
        assert office.ended(taken[-1]).type == "COMPLETED"
        return all(any(run in log.read_text() for run in taken) for log in logs)

    see(both_took_some, "a run in each worker's log")


def test_what_dies_with_a_worker_is_made_up_for_by_the_sweep(office: Office, second: FurtherWorker) -> None:
    office.stack.kill_worker()
    number, cast = office.open_case(Gate.OFFICE_REVIEW)
    run = office.waiting(number, Gate.OFFICE_REVIEW)
    fields = {"by": cast.reviewer, "verdict": "批准", "acknowledged": ["志愿者人数"]}
    assert office.fill_in(run.id, fields)[0] == "ACCEPT"
    see(
        lambda: office.run(run.id).type in {"PENDING", "RUNNING"} or office.run(run.id).key not in ("", run.key),
        "taken",
    )
    second.kill_worker()

    office.stack.start_worker()
    office.sweep(stuck_after=0)
    office.waiting(number, Gate.PLAQUE)
    assert [gate for gate, *_ in office.decided(number)].count(Gate.OFFICE_REVIEW) == 1
    assert office.faults(number) == []


def test_it_is_started_again_when_it_dies_and_its_sweep_stops_no_other(office: Office, second: FurtherWorker) -> None:
    office.stack.kill_worker()
    lost = office.start(SWEEP, {})
    see(lambda: office.run(lost).type == "RUNNING", "a sweep under way")
    assert second.worker is not None
    second.worker.kill()
    second.look_after()
    assert second.worker is not None
    assert second.worker.status is None
    online = {each["name"] for each in second._workers() if each["status"] == "ONLINE"}
    assert WORKER_NAME in online, "to the server the other worker still lives"
    assert office.run(lost).type == "CRASHED", "it was labeled with the name of the worker that died"
    assert office.ended(office.start(SWEEP, {})).type == "COMPLETED"
