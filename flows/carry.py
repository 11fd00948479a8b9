"""
The live driver: a Prefect run that carries one case, waits at its gates and shows where it stands.

Each time the run is executed it starts from its first line: it applies the answers that have come in on forms, lets the
procedure pass over everything that is done, delivers the letters, and suspends at the gate that waits. The database
decides; Prefect waits and wakes. A form's key is never used twice, so suspending always leaves the process here.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from prefect import get_run_logger
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.flow_runs import suspend_flow_run
from prefect.input.run_input import keyset_from_base_key
from prefect.runtime import flow_run
from prefect.states import Completed

from flows.answers import answer_to, apply
from flows.artifacts import show, show_progress
from flows.forms import form_for
from flows.scheduling import schedule_close_outs
from flows.step import as_task
from flows.waking import wake_each
from models.work_item import Ask, WorkItem
from policies.errors import Temporary
from policies.vocabulary import Gate
from runtime.resources import Resources, open_resources
from tasks.asks import claim_run, clear_refusal, new_ask, open_asks, relatives_behind, release_run, use_up
from tasks.case_file import Awaited, CaseFile, case_file
from tasks.cases import Asked, load_case
from tasks.notice_pages import pages_wait, write_pages
from tasks.post import letters_wait, post_letters
from tasks.procedure import Ending, Procedure, end_shown, run_pass


def carry(number: str, procedure: Procedure) -> State[Any]:
    """
    Carry a case to its next gate, where this call leaves the process, or to its end.

    Args:
        number: the case's.
        procedure: which carries it.

    Returns:
        A completed state whose message says how the case ended, or that another run carries it.
    """
    # One client for all that is asked and shown: to open one costs more than a question.
    with open_resources() as resources, get_client(sync_client=True) as client:
        me = str(flow_run.id)
        if (other := _carrier(client, resources, number, me)) != me:
            return Completed(message=f"案件 {number} 由运行 {other} 办理,本次运行到此结束")
        at = resources.clock.now()
        _take_answers(client, resources, number, at=at)
        while True:
            result = run_pass(resources, number, procedure, at=at, perform=as_task)
            if letters_wait(resources, number):
                as_task(lambda: _post(resources, number, at=at), name="寄出信函")
            if pages_wait(resources, number):
                as_task(lambda: _publish(resources), name="更新公示页面")
            file = case_file(resources, number, at=at)
            show(client, resources, file, me)
            show_progress(client, resources, file.village_code, UUID(me))
            # A call decides over its projects, a notice over what it is about: they go on at once.
            wake_each(resources, relatives_behind(resources, number), at=at)
            if isinstance(result, Ending):
                end_shown(resources, number)
                because = f":{result.because}" if result.because else ""
                return Completed(message=f"{number} 办结:{result.outcome.label}{because}")
            if file.awaited is not None and file.awaited.work_item == result.work_item:
                _be_there_in_time(resources, number, at=at)
                return _wait(resources, file, file.awaited, me, at=at)
            # somebody decided while this pass ran: carry on with what they decided


def _carrier(client: SyncPrefectClient, resources: Resources, number: str, me: str) -> str:
    """Return which run carries the case: this one, unless another one that still can does."""
    with resources.database.read() as session:
        load_case(session, number, lock=False)
    carrier = claim_run(resources, number, me)
    if carrier == me:
        return me
    try:
        state = client.read_flow_run(UUID(carrier)).state
    except ObjectNotFound:
        state = None
    if state is None or state.is_final():
        release_run(resources, number, carrier)
        return claim_run(resources, number, me)
    return carrier


def _take_answers(client: SyncPrefectClient, resources: Resources, number: str, *, at: datetime) -> None:
    """Apply every answer that came in on a form of this case, in whichever run it was asked."""
    for ask in open_asks(resources, number):
        filled = answer_to(client, ask)
        if filled is None:
            if ask.flow_run_id == str(flow_run.id) or not _still_open(client, ask):
                use_up(resources, ask.id, at=at)
            continue
        gate = _gate_of(resources, ask)
        refusal = as_task(
            lambda ask=ask, gate=gate, filled=filled: apply(  # type: ignore[misc]
                resources, number, gate, filled, Asked(work_item=ask.work_item_id, ask=ask.id), at=at
            ),
            name=f"登记:{gate.label}",
        )
        if refusal:
            get_run_logger().warning("%s 的提交未被接受:%s", number, refusal)
            use_up(resources, ask.id, at=at, refusal=refusal)
        else:
            use_up(resources, ask.id, at=at)
            clear_refusal(resources, ask.work_item_id)


def _still_open(client: SyncPrefectClient, ask: Ask) -> bool:
    """Return whether somebody may still answer a form that stands in another run."""
    try:
        state = client.read_flow_run(UUID(ask.flow_run_id)).state
    except ObjectNotFound:
        return False
    return state is not None and not state.is_final()


def _gate_of(resources: Resources, ask: Ask) -> Gate:
    with resources.database.read() as session:
        return session.get_one(WorkItem, ask.work_item_id).gate


def _post(resources: Resources, number: str, *, at: datetime) -> str:
    report = post_letters(resources, at=at, number=number)
    get_run_logger().info("%s:%s", number, report.told)
    return report.told


def _publish(resources: Resources) -> str:
    report = write_pages(resources)
    for failure in report.failures:
        get_run_logger().warning("%s;由期限巡检重写", failure)
    return report.told


def _be_there_in_time(resources: Resources, number: str, *, at: datetime) -> None:
    """Have a run scheduled for the instant at which the gate that waits lapses; without it the sweep comes."""
    try:
        schedule_close_outs(resources, at=at, number=number)
    except Temporary as delay:
        get_run_logger().warning("%s", delay)


def _wait(resources: Resources, file: CaseFile, awaited: Awaited, me: str, *, at: datetime) -> State[Any]:
    """Ask for the decision by a form, and leave the process until somebody answers or time wakes the case."""
    ask = new_ask(resources, awaited.work_item, me, at=at)
    if ask is None:
        return Completed(message=f"案件 {file.number} 已由其他运行接续办理,本次运行到此结束")
    form = form_for(resources, file, awaited)
    form.keep(keyset_from_base_key(f"suspended-{ask.key}"))
    suspend_flow_run(wait_for_input=form, key=ask.key, timeout=None)
    raise AssertionError(f"suspend key {ask.key!r} was used before")
