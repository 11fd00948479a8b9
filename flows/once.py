"""One command of an administrator as a Prefect run: carried out once, its case woken, a refusal told as an answer."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import ValidationError

from flows.step import as_task, failed
from flows.waking import wake
from policies.errors import BadPolicy, Refused, Temporary
from runtime.resources import Resources, open_resources
from tasks.commands import Command
from tasks.faults import refusal_of

Act = Callable[[Resources, datetime], tuple[str, str]]
"""Carries out a command at a moment; returns the case's number and what was done, in Chinese."""


T = TypeVar("T")


def attempted(name: str, act: Callable[[], T], model: type[Command] | None = None) -> T | Refused | BadPolicy:
    """
    Carry out `act` as a task run called `name`; a refusal is what it answers, and is logged.

    Args:
        model: whose titles name a faulty field; None: nothing is filled in.
    """

    def attempt() -> T | Refused | BadPolicy:
        # A refusal is an answer: a task that raises is shown as broken, in English.
        try:
            return act()
        except (Refused, BadPolicy) as refusal:
            return refusal
        except ValidationError as error:
            if model is None:
                raise
            return refusal_of(error, model)

    outcome = as_task(attempt, name=name)
    if isinstance(outcome, (Refused, BadPolicy)):
        get_run_logger().error("未办理:%s", outcome)
    return outcome


def once(name: str, act: Act, model: type[Command]) -> State[Any]:
    """Carry out a command, wake its case, and end the run with what was done, or why not."""
    with open_resources() as resources:
        at = resources.clock.now()
        outcome = attempted(name, lambda: act(resources, at), model)
        if isinstance(outcome, (Refused, BadPolicy)):
            return failed(f"未办理:{outcome}")
        number, told = outcome
        get_run_logger().info("%s:%s", number, told)
        try:
            wake(resources, number, at=at)
        except Temporary as delay:
            get_run_logger().warning("%s", delay)
        return Completed(message=f"{number}:{told}")
