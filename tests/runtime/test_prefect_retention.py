"""What Prefect's vacuum takes and leaves under the product's settings: its own code, on a real Prefect database."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.environment import child_environment
from runtime.settings import PROJECT, Settings

SCRIPT = """
import asyncio, json
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from prefect import flow
from prefect.client.orchestration import PrefectClient
from prefect.server.api.server import create_app
from prefect.server.database import provide_database_interface
from prefect.server.services.db_vacuum import vacuum_old_flow_runs
from prefect.settings.context import get_current_settings
from prefect.states import Cancelled, Completed, Running, Suspended

OLD = [
    ("suspended", Suspended(), 4000), ("running", Running(), 400), ("completed", Completed(), 31),
    ("cancelled", Cancelled(), 400), ("recent", Completed(), 29),
]

@flow
def waits() -> None: ...

async def main() -> None:
    vacuum = get_current_settings().server.services.db_vacuum
    told = {"types": sorted(vacuum.enabled_vacuum_types), "days": vacuum.retention_period.days}
    db = provide_database_interface()
    async with PrefectClient(create_app(ephemeral=True)) as client:
        deployment = await client.create_deployment(await client.create_flow(waits), "waits", entrypoint="x:y")
        ids = {}
        for name, state, days in OLD:
            run = await client.create_flow_run_from_deployment(deployment)
            for each in (Running(), state):
                await client.set_flow_run_state(run.id, each, force=True)
            ids[name], then = run.id, datetime.now(UTC) - timedelta(days=days)
            row = sa.update(db.FlowRun).where(db.FlowRun.id == run.id)
            moments = dict.fromkeys(("start_time", "created", "expected_start_time", "state_timestamp"), then)
            async with db.session_context(begin_transaction=True) as session:
                await session.execute(row.values(**moments))
                await session.execute(row.where(db.FlowRun.end_time.is_not(None)).values(end_time=then))
        await vacuum_old_flow_runs(db=db)
        async with db.session_context() as session:
            left = set((await session.execute(sa.select(db.FlowRun.id))).scalars())
        told["left"] = [name for name, run_id in ids.items() if run_id in left]
        told["resumed"] = (await client.resume_flow_run(ids["suspended"])).status.value
    print(json.dumps(told))

asyncio.run(main())
"""


@pytest.mark.timeout(180)
def test_runs_that_ended_long_ago_go_and_one_that_waits_can_still_be_resumed(tmp_path: Path) -> None:
    environment = child_environment(Settings(home=tmp_path, prefect_retention_days=30, _env_file=None))
    del environment["PREFECT_API_URL"]  # the server is in this process
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["types"] == ["events", "flow_runs", "orphans"]
    assert told["days"] == 30
    assert told["left"] == ["suspended", "running", "recent"]
    assert told["resumed"] == "ACCEPT"
