"""
Bringing the suspended runs of cases that were carried without Prefect to where the cases are.

Who dies over it leaves them noted as tended (`tasks.asks.tend`), and the sweep wakes them.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from uuid import UUID

from prefect.client.orchestration import get_client

from flows.artifacts import show_progress
from flows.present import present
from flows.waking import wake
from policies.errors import Temporary
from runtime.resources import Resources
from tasks.asks import tend, tended
from tasks.drivers import BulkReport
from tasks.procedure import show_later

AT_ONCE = 3
"""Cases that are shown at a time."""
NOTED_AT_ONCE = 20
"""So many shown cases are noted as shown by one statement."""

log = logging.getLogger(__name__)


def show_all(resources: Resources, report: BulkReport, *, at: datetime) -> None:
    """
    Bring the runs of the cases that were carried to where the cases are; one that can not be is woken.

    A few at a time, because the server and this process do half of the work each. Called again it goes on with those
    that are left.
    """
    numbers = [number for number in report.carried if number not in report.shown]
    tend(resources, numbers, at=resources.clock.now())  # anew: carrying them all may have taken long
    parts = [part for part in (numbers[first::AT_ONCE] for first in range(AT_ONCE)) if part]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        shown = [pool.submit(copy_context().run, _show_part, resources, report, part, at) for part in parts]
    villages: dict[str, UUID] = {}
    for part in shown:
        told, to_wake = part.result()
        villages |= told
        for number in to_wake:
            _wake(resources, number, at=at)
            report.shown.add(number)
    with get_client(sync_client=True) as client:
        # Once, however many of its cases were carried.
        for village, run in villages.items():
            try:
                show_progress(client, resources, village, run)
            except Exception:  # a table that can not be shown keeps no other from being shown
                log.exception("the progress of village %s can not be shown", village)


def _wake(resources: Resources, number: str, *, at: datetime) -> None:
    """Wake a case that can not be shown; when that can not be done either, let the sweep do it."""
    try:
        wake(resources, number, at=at)
    except Temporary as delay:
        log.warning("%s:%s", number, delay)
        show_later(resources, number)
    except Exception:  # one that can not be woken must not leave the others with forms of gates gone by
        log.exception("case %s can not be woken", number)
        show_later(resources, number)
    tended(resources, [number])


def _show_part(
    resources: Resources, report: BulkReport, numbers: Sequence[str], at: datetime
) -> tuple[dict[str, UUID], list[str]]:
    """Show some of the cases; return a run of each village among them, and the cases that can not be shown."""
    villages: dict[str, UUID] = {}
    to_wake, to_note = list[str](), list[str]()
    with get_client(sync_client=True) as client:
        for number in numbers:
            try:
                shown = present(client, resources, number, at=at)
            except Exception:  # one that can not be shown must not leave the others with forms of gates gone by
                log.exception("case %s can not be shown", number)
                shown = None
            if shown is None or shown.flow_run_id is None:
                to_wake.append(number)
                continue
            villages[shown.village_code] = UUID(shown.flow_run_id)
            to_note.append(number)
            if len(to_note) == NOTED_AT_ONCE:
                _note_shown(resources, report, to_note)
                to_note = []
    _note_shown(resources, report, to_note)
    return villages, to_wake


def _note_shown(resources: Resources, report: BulkReport, numbers: Sequence[str]) -> None:
    tended(resources, numbers)
    report.shown.update(numbers)
