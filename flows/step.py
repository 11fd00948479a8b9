"""How a step behaves under Prefect: one task run a step, never cached, retried only when another try can help."""

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.exceptions import FailedRun
from prefect.states import Completed, Failed
from sqlalchemy.exc import OperationalError

from policies.errors import Temporary
from tasks.each_town import failure
from tasks.procedure import Perform

log = logging.getLogger(__name__)
R = TypeVar("R")


def _worth_another_try(_task: Any, _run: Any, state: State[Any]) -> bool:
    try:
        state.result()
    except (Temporary, OperationalError):
        return True
    except Exception:  # noqa: BLE001 - any other failure is final; Prefect re-raises it
        return False
    return False


@task(
    cache_policy=NO_CACHE,  # a cached result would be a stale one after a resume
    persist_result=False,
    retries=3,
    retry_delay_seconds=[1, 5, 20],
    retry_condition_fn=_worth_another_try,
)
def _step(act: Callable[[], R]) -> R:
    return act()


def as_task(step: Callable[[], R], *, name: str) -> R:
    """
    Carry out `step` as a Prefect task run called `name`: the live driver's way.

    A step is one transaction and safe to repeat; it is worth a row in the Prefect UI because it really does something
    in this pass (what was done in earlier passes is read from the database and makes no task run).
    """
    result: R = _step.with_options(task_run_name=name.replace("{", "(").replace("}", ")"))(step)
    return result


class Parts:
    """
    The parts of a run that does many things: one that breaks is told, and keeps no other waiting.

    Args:
        perform: how each is carried out: as a Prefect task, or directly.
        failures: gets what failed, in Chinese.
    """

    def __init__(self, perform: Perform, failures: list[str]) -> None:
        self.failures = failures
        self._perform = perform

    def do(self, part: Callable[[], R], *, name: str, otherwise: R) -> R:
        """
        Carry out a part; return `otherwise` when it breaks.

        Raises:
            Exception: it could not be carried out at all, because Prefect is away.
        """
        broke = False

        def attempt() -> R:
            nonlocal broke
            broke = True
            done = part()
            broke = False
            return done

        try:
            return self._perform(attempt, name=name)
        except Exception as error:
            if not broke:
                raise
            if isinstance(error, Temporary):
                self.failures.append(str(error))
            else:
                log.exception("%s can not be done", name)
                self.failures.append(failure(name, error))
            return otherwise


def failed(message: str) -> State[Any]:
    """Return the end of a run that is to stand in Failed with `message`, and with no traceback beside it."""
    logging.getLogger("prefect.flow_runs").addFilter(_tells_more)
    return Failed(message=message)


def ended(message: str, failures: Sequence[str]) -> State[Any]:
    """Return the end of a run that did all it could; Failed when something could not be done."""
    return failed(f"{message};以下事项处理失败:{'；'.join(failures)}") if failures else Completed(message=message)


def _tells_more(record: logging.LogRecord) -> bool:
    # Prefect's engine reports a flow that returns Failed like one that broke.
    return not (record.exc_info and isinstance(record.exc_info[1], FailedRun))
