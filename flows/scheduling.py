"""
Runs of 到期结办, scheduled for the instants at which time decides: one run per instant, however many gates end then.

Called whenever a case waits, and by the sweep for the next day; asking once too often does nothing.
"""

from datetime import datetime, timedelta

from prefect.states import Scheduled

from flows.waking import reached
from rules.periods import SHANGHAI
from runtime.clock import machine_now
from runtime.resources import Resources
from tasks.due_instants import due_instants

CLOSE_OUT = "close-out/到期结办"
A_DAY = timedelta(days=1)


def schedule_close_outs(
    resources: Resources, *, at: datetime, number: str | None = None, within: timedelta | None = None
) -> int:
    """
    Ask Prefect for a run at each instant at which an open gate lapses.

    Safe to repeat because an instant has one run: its idempotency key is made of it.

    Args:
        number: only the gates of this case; None: all.
        within: no further ahead than this; None: however far.

    Returns:
        For how many instants a run stands.

    Raises:
        Temporary: Prefect can not be reached; the sweep comes anyway.
    """
    instants = due_instants(resources, at=at, number=number, within=within)
    if not instants:
        return 0
    # Prefect goes by the machine's time, from which our clock may be shifted, by whole seconds.
    ahead = timedelta(seconds=round((resources.clock.now() - machine_now()).total_seconds()))
    with reached() as client:
        deployment = client.read_deployment_by_name(CLOSE_OUT)
        for instant in instants:
            shown, starts = f"{instant.astimezone(SHANGHAI):%Y-%m-%d %H:%M}", instant - ahead
            client.create_flow_run_from_deployment(
                deployment.id,
                parameters={"moment": shown},
                state=Scheduled(scheduled_time=starts),
                idempotency_key=f"close-out-{starts.isoformat()}",
                name=f"到期结办 {shown}",
                tags=["到期结办"],
            )
    return len(instants)
