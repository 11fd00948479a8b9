"""Duties of all towns in one run: each town is served by itself, and one that can not be stops no other."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from policies.errors import BadPolicy, Refused
from tasks.in_brief import in_brief

T = TypeVar("T")
R = TypeVar("R")
log = logging.getLogger(__name__)


class SomeFailed(RuntimeError):
    """Some could not be served; all the others were. Shown in Chinese."""


class Unreadable(Exception):
    """Stands for one that can not be read among those to be served. Shown in Chinese."""


SWEPT = "下次巡检再办"
"""When most of what failed is tried again."""


def serve_each(
    duty: str,
    served: Iterable[tuple[str, T | Unreadable]],
    serve: Callable[[T], R],
    *,
    failures: list[str] | None,
    again: str = SWEPT,
) -> list[R]:
    """
    Do something for each of many, and go on when it fails.

    Args:
        duty: what is done, in Chinese.
        served: whom it is done for, each with its name in Chinese; one that can not be read fails like any other.
        serve: does it, in transactions of its own.
        failures: gets what failed, in Chinese; None: it is raised in the end.
        again: when it is tried again, in Chinese.

    Raises:
        SomeFailed: some could not be served, and `failures` is None.
    """
    done, failed = [], []
    for name, each in served:
        try:
            if isinstance(each, Unreadable):
                raise each  # noqa: TRY301 - told like what fails below
            done.append(serve(each))
        except Exception as error:  # one that is broken must not keep the others waiting; told by the caller
            log.exception("%s can not be done for %s", duty, name)
            failed.append(failure(f"{name}的{duty}", error, again=again))
    if failures is not None:
        failures += failed
    elif failed:
        raise SomeFailed("；".join(failed))
    return done


def failure(what: str, error: Exception, *, again: str = SWEPT) -> str:
    """Return in Chinese what could not be done, when it is tried again, and why."""
    why = str(error) if isinstance(error, (Refused, BadPolicy, Unreadable)) else in_brief(error)
    return f"{what}未能办理,{again}:{why}"
