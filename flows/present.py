"""
Showing a suspended run's person the gate that waits now, without running the case again.

The bulk driver carries a thousand cases in one run; their own runs stay suspended, and only the forms in them change:
a new key, a new schema, a new name, by four small calls a case instead of a process. A form that was opened before is
refused by Prefect, because it does not fit the new schema, or by its key.
"""

from datetime import datetime
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State, StateType
from prefect.exceptions import ObjectNotFound
from prefect.input.run_input import keyset_from_base_key
from prefect.states import Completed, Suspended

from flows.answers import answer_to
from flows.artifacts import show
from flows.forms import form_for
from runtime.resources import Resources
from tasks.asks import new_ask, open_asks
from tasks.case_file import CaseFile, case_file
from tasks.procedure import end_shown


def present(client: SyncPrefectClient, resources: Resources, number: str, *, at: datetime) -> CaseFile | None:
    """
    Bring the suspended run of a case to where the case is.

    Returns:
        The case as it is shown now. None when the run is not suspended (it is about to look for itself, or must be
        woken): then nothing was changed.
    """
    file = case_file(resources, number, at=at)
    if file.flow_run_id is None:
        return None
    run_id = UUID(file.flow_run_id)
    try:
        state = client.read_flow_run(run_id).state
    except ObjectNotFound:
        return None
    if state is None or state.type is not StateType.PAUSED:
        return None
    if file.awaited is None:
        if not file.outcome:
            return None
        ended: State[None] = Completed(message=f"{number} 办结:{file.outcome}")
        client.set_flow_run_state(run_id, ended, force=True)
    else:
        ask = new_ask(resources, file.awaited.work_item, file.flow_run_id, at=at)
        if ask is None:
            return None
        keyset = keyset_from_base_key(f"suspended-{ask.key}")
        form_for(resources, file, file.awaited).keep(keyset, run_id)
        waiting: State[None] = Suspended(pause_key=ask.key)
        waiting.state_details.run_input_keyset = {str(name): key for name, key in keyset.items()}
        client.set_flow_run_state(run_id, waiting, force=True)
        # Somebody may have answered the old form between our look and our change: the case is run to take it in.
        if any(answer_to(client, old) for old in open_asks(resources, number) if old.id != ask.id):
            client.resume_flow_run(run_id, run_input={})
    show(client, resources, file, file.flow_run_id)
    if file.awaited is None:
        end_shown(resources, number)
    return file
