"""
Waking: asks Prefect to run a case again. The only place, beside the driver, that talks to Prefect about runs.

Level-triggered: called after every decision, and by the sweep for every case that needs it; calling it once too often
does nothing, and a call that is lost is made up for.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled

from policies.errors import Refused, Temporary
from policies.vocabulary import CaseKind
from runtime.clock import machine_now
from runtime.resources import Resources
from tasks.asks import (
    CaseRun,
    UnreadableRun,
    claim_run,
    release_run,
    request_run,
    run_of,
    runs_to_check,
    runs_to_wake,
    tended,
)
from tasks.in_brief import in_brief

DEPLOYMENTS = {
    CaseKind.SITE: "site-lifecycle/客堂间办理",
    CaseKind.CALL: "call-lifecycle/微项目征集办理",
    CaseKind.PROJECT: "project-lifecycle/微项目办理",
    CaseKind.NOTICE: "public-notice/公示办理",
    CaseKind.CAMPAIGN: "campaign-lifecycle/督查办理",
    CaseKind.INSPECTION: "inspection-lifecycle/单点督查办理",
    CaseKind.ANNUAL_EVALUATION: "annual-evaluation/年度考核办理",
    CaseKind.JOINT_MEETING: "joint-meeting/联席会议办理",
    CaseKind.RESOLUTION: "resolution-follow-up/议定事项办理",
    CaseKind.SERVICE_ORDER: "service-order/服务点单办理",
    CaseKind.SITE_CHANGE: "site-change/客堂间变更办理",
}
"""Never renamed while a case is open: its suspended run belongs to it."""
PAGE = 200
PAUSE = timedelta(minutes=5)
MOST_PAUSES = 12
"""After the n-th run of a case failed, the sweep waits n pauses, at the most this many."""
UNSEEN_FOR = timedelta(seconds=60)
"""How long a requested run may take to appear before it is asked for again."""

_AWAY = (httpx.HTTPError, RuntimeError)
"""What Prefect's client raises when the server can not be reached."""
_BUSY = frozenset({408, 429, 502, 503, 504})
"""Answers by which a server, or what stands before it, says of itself that it can not now."""

log = logging.getLogger(__name__)


class Woken(StrEnum):
    """What waking a case came to."""

    CLOSED = "closed"
    STARTED = "started"
    RESUMED = "resumed"
    UNDER_WAY = "under_way"
    REPLACED = "replaced"
    UNREADABLE = "unreadable"
    """Somebody has tampered with the case's row."""


def wake(resources: Resources, number: str, *, at: datetime) -> Woken:
    """
    Ask Prefect to carry the case on.

    Raises:
        Temporary: Prefect can not be reached; the sweep will wake the case.
    """
    try:
        run = run_of(resources, number)
    except Refused as unreadable:  # what was done before stands; the sweep tells of the case until it is mended
        log.warning("%s", unreadable)
        return Woken.UNREADABLE
    if run is None or run.settled:
        return Woken.CLOSED
    with reached() as client:
        desk = _Desk(client, resources, at)
        return desk.wake(run, desk.read(run.flow_run_id))


def wake_each(resources: Resources, numbers: Iterable[str], *, at: datetime) -> None:
    """Ask Prefect to carry these cases on; what it does not start now, the sweep does."""
    for number in numbers:
        with suppress(Temporary):
            wake(resources, number, at=at)


def wake_all(resources: Resources, *, at: datetime, failures: list[str], limit: int = 1000) -> dict[Woken, int]:
    """
    Wake every case whose wake was lost, and look after the runs of those not looked at for longest.

    One that can not be read, or whose waking breaks or is refused by Prefect, keeps no other from being woken.

    Cost: one page of runs per 200 cases looked at; `limit` cases at the most.

    Args:
        at: now.
        failures: takes, in Chinese, which cases could not be woken.
        limit: of those behind, and of those looked after, this many.

    Raises:
        Temporary: Prefect can not be reached.
    """
    counts = dict.fromkeys(Woken, 0)
    behind = {run.number: run for run in runs_to_wake(resources, at=at, limit=limit)}
    checked = {run.number: run for run in runs_to_check(resources, at=at, limit=limit)}
    found = (checked | behind).values()
    wanted = [run for run in found if isinstance(run, CaseRun)]
    _note(failures, (str(run) for run in found if isinstance(run, UnreadableRun)))
    with reached() as client:
        desk = _Desk(client, resources, at)
        known = desk.read_many([run.flow_run_id for run in wanted if run.flow_run_id])
        for run in wanted:
            try:
                flow_run = known.get(run.flow_run_id or "")
                if run.tended_now(at):
                    continue
                lost = flow_run is None or (desk.lost(run, flow_run) and not desk.cooling(run, flow_run))
                if run.behind or run.tended or lost:
                    counts[desk.wake(run, flow_run)] += 1
                if run.tended:
                    tended(resources, [run.number])
            except Exception as error:  # one broken case must not stop the others; the sweep's run shows it
                if _is_away(error):
                    raise
                log.exception("case %s can not be woken", run.number)
                _note(failures, [_told(run, error)])
    return counts


def _is_away(error: Exception) -> bool:
    """Return whether no case could be woken now, and not only the one that was asked for."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in _BUSY
    return isinstance(error, httpx.TransportError)


def _told(run: CaseRun, error: Exception) -> str:
    """Return in Chinese why a case could not be woken; of what all of its kind lack, without its number."""
    if isinstance(error, Temporary):
        return str(error)
    if isinstance(error, httpx.HTTPStatusError):
        return f"{run.number}:流程引擎拒绝续办(答复{error.response.status_code}),下次巡检再试;详见日志"
    return f"{run.number}:{in_brief(error)}"


def _note(failures: list[str], told: Iterable[str]) -> None:
    """Note failures, each once: when Prefect goes away in the middle, all is tried again."""
    failures += [each for each in dict.fromkeys(told) if each not in failures]


@contextmanager
def reached() -> Iterator[SyncPrefectClient]:
    """Yield a client of the Prefect server; Temporary, in Chinese, when there is none or it has no deployments yet."""
    try:
        with get_client(sync_client=True) as client:
            yield client
    except ObjectNotFound as error:
        raise Temporary("流程尚未部署,请先运行 ketang deploy(或 make up)") from error
    except _AWAY as error:
        raise Temporary(f"流程引擎暂时连不上({type(error).__name__}),期限巡检会在恢复后继续办理") from error


class _Desk:
    """One round of waking: the client, the moment, and what was already asked of the server."""

    def __init__(self, client: SyncPrefectClient, resources: Resources, at: datetime) -> None:
        self.client = client
        self.resources = resources
        self.at = at
        self._deployments: dict[CaseKind, UUID] = {}

    def wake(self, run: CaseRun, flow_run: FlowRun | None) -> Woken:
        if run.flow_run_id is None:
            return self._start(run)
        if flow_run is None or self.lost(run, flow_run):
            return self._replace(run, flow_run)
        if flow_run.state_type is not StateType.PAUSED:
            return Woken.UNDER_WAY
        # An input without content passes every form (all fields have defaults) and is not kept as an answer.
        result = self.client.resume_flow_run(flow_run.id, run_input={})
        if result.status is SetStateStatus.ACCEPT:
            return Woken.RESUMED
        now = self.read(run.flow_run_id)
        if now is not None and now.state_type is StateType.PAUSED and self._overdue(now):
            return self._replace(run, now)
        return Woken.UNDER_WAY

    def _start(self, run: CaseRun) -> Woken:
        deployment_id = self._deployment(run.kind)
        attempt = request_run(self.resources, run, at=self.at, patience=UNSEEN_FOR)
        if attempt is None:
            return Woken.UNDER_WAY
        created = self.client.create_flow_run_from_deployment(
            deployment_id,
            parameters={"case_number": run.number},
            idempotency_key=f"{run.number}-{attempt}-{int(self.at.timestamp())}",
            name=run.number,
            tags=[f"案件:{run.number}"],
        )
        # Noted before it begins: a run that queues behind many others must not be asked for again and again.
        claim_run(self.resources, run.number, str(created.id))
        return Woken.STARTED

    def _replace(self, run: CaseRun, flow_run: FlowRun | None) -> Woken:
        if run.flow_run_id is None or not release_run(self.resources, run.number, run.flow_run_id):
            return Woken.UNDER_WAY
        if flow_run is not None and flow_run.state is not None and not flow_run.state.is_final():
            given_up: State[None] = Cancelled(message="该运行已失去执行环境,由新的运行接续办理")
            with suppress(httpx.HTTPError, ObjectNotFound):
                self.client.set_flow_run_state(flow_run.id, given_up, force=True)
        fresh = run_of(self.resources, run.number)
        if fresh is None or fresh.settled:
            return Woken.CLOSED
        started = self._start(fresh)
        return Woken.REPLACED if started is Woken.STARTED else started

    def lost(self, run: CaseRun, flow_run: FlowRun) -> bool:
        """
        Return whether nobody will ever carry on this run.

        It ended although the case is not settled (cancelled, crashed, failed); it is Running or Pending for longer than
        a pass can take; or it waits for a deployment that is no longer there. A run that waits for a worker is not
        lost: the worker may be down for the night.
        """
        state = flow_run.state
        if state is None or state.is_final():
            return True
        match state.type:
            case StateType.RUNNING | StateType.PENDING | StateType.CANCELLING:
                return self._overdue(flow_run)
            case StateType.SCHEDULED | StateType.PAUSED:
                return flow_run.deployment_id != self._deployment(run.kind)
            case _:
                return False

    def cooling(self, run: CaseRun, flow_run: FlowRun) -> bool:
        """
        Return whether a run failed so recently that the next try should wait.

        A failure that lasts would otherwise leave a failed run every five minutes for ever; a decision or
        ``ketang case wake`` tries at once.
        """
        state = flow_run.state
        if state is None or not state.is_failed():
            return False
        return machine_now() - state.timestamp < min(run.attempt, MOST_PAUSES) * PAUSE

    def _deployment(self, kind: CaseKind) -> UUID:
        if kind not in self._deployments:
            try:
                self._deployments[kind] = self.client.read_deployment_by_name(DEPLOYMENTS[kind]).id
            except ObjectNotFound as error:
                lacking = f"流程尚未部署,请先运行 ketang deploy(或 make up):缺少“{DEPLOYMENTS[kind]}”"
                raise Temporary(lacking) from error
        return self._deployments[kind]

    def _overdue(self, flow_run: FlowRun) -> bool:
        state = flow_run.state
        if state is None or state.timestamp is None:
            return False
        # Prefect stamps its states with the machine's time, from which our own clock may be shifted.
        return machine_now() - state.timestamp > timedelta(seconds=self.resources.settings.stuck_after_seconds)

    def read(self, flow_run_id: str | None) -> FlowRun | None:
        if (wanted := _id_of(flow_run_id)) is None:
            return None
        try:
            return self.client.read_flow_run(wanted)
        except ObjectNotFound:
            return None

    def read_many(self, ids: list[str]) -> dict[str, FlowRun]:
        found: dict[str, FlowRun] = {}
        wanted = [run_id for each in ids if (run_id := _id_of(each)) is not None]
        for start in range(0, len(wanted), PAGE):
            page = FlowRunFilter(id=FlowRunFilterId(any_=wanted[start : start + PAGE]))
            found |= {str(run.id): run for run in self.client.read_flow_runs(flow_run_filter=page, limit=PAGE)}
        return found


def _id_of(flow_run_id: str | None) -> UUID | None:
    """Return the id of a run; None when there is none, or what stands there can not be one: a new run replaces it."""
    try:
        return UUID(flow_run_id) if flow_run_id else None
    except ValueError:
        return None
