"""Time that passes in a training system: from one due moment to the next, as the live sweep would meet them."""

from collections.abc import Iterator
from datetime import datetime

from flows.deadline_sweep import sweep_directly
from rules.periods import SHANGHAI
from runtime.clock import TrainingClock
from runtime.resources import Resources
from tasks.drivers import next_due


def let_time_pass(resources: Resources, clock: TrainingClock, *, until: datetime) -> Iterator[str]:
    """
    Move the clock to `until`, stopping at every moment at which something is due.

    Yields:
        What happened at each stop, in Chinese.
    """
    while (due := next_due(resources)) is not None and due <= until:
        if due > clock.now():
            clock.move_to(due)
        counts, told = sweep_directly(resources)
        yield f"{clock.now().astimezone(SHANGHAI):%Y-%m-%d %H:%M} {'；'.join(told)}"
        if counts.failures:
            break  # what failed is still due: the next sweep tries again, and time must not stand still here for ever
    if until > clock.now():
        clock.move_to(until)
    _, told = sweep_directly(resources)
    yield f"{clock.now().astimezone(SHANGHAI):%Y-%m-%d %H:%M} {'；'.join(told)}"
