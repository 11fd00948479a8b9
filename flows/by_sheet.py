"""One sheet of rows that decide, one Prefect run, however many cases; the same for every kind of sheet."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prefect import get_run_logger
from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed
from sqlalchemy.exc import OperationalError

from flows.once import attempted
from flows.procedures import PROCEDURES
from flows.sending import post, publish
from flows.showing import show_all
from flows.step import Parts, as_task, failed
from policies.errors import BadPolicy, Refused, Temporary
from runtime.resources import Resources, open_resources
from tasks.drivers import Bulk, BulkReport
from tasks.procedure import Perform, directly
from tasks.sheet_rows import AGAIN, BoundSheet

AWAY = "数据库暂时连不上,此行未办理;请在恢复后再提交一次这份表,已办理的行不会重复办理"
log = logging.getLogger(__name__)
TOLD_AT_MOST = 20
"""Rows that the state of a run tells; its table tells all."""


@dataclass(frozen=True)
class Words:
    """How a kind of sheet is spoken of."""

    step: str
    done: str
    """With a place for their number, like `before` and `refused`."""
    before: str
    refused: str
    why: str
    key: str
    """Of the tables, [a-z0-9-] only."""


def by_sheet(read: Callable[[Resources, datetime], BoundSheet], words: Words) -> State[Any]:
    """
    Carry out a sheet, and end the run with what was done, what had been done before, and what was not, by its row.

    Args:
        read: reads the sheet and binds its rows; Refused when the sheet itself is faulty.
        words: how it is spoken of.
    """
    with open_resources() as resources:
        at = resources.clock.now()
        sheet = attempted("读取表格", lambda: read(resources, at))
        if isinstance(sheet, (Refused, BadPolicy)):
            return failed(f"未办理:{sheet}")
        report = take(resources, sheet, as_task, step=words.step, at=at)
        parts = Parts(as_task, report.failures)
        parts.do(lambda: show_all(resources, report, at=at), name="更新各案件页面", otherwise=None)
    return _told(sheet.name, report, words)


def take(
    resources: Resources, sheet: BoundSheet, perform: Perform = directly, *, step: str, at: datetime
) -> BulkReport:
    """
    Carry out the rows of a sheet, carry the cases on and deliver the letters; the suspended runs are not shown yet.

    A part that was stopped is tried again from where it stood, so that no row is carried out twice.
    """
    bulk = Bulk(resources, sheet.rows, PROCEDURES, at=at, known=sheet.known)
    report, parts = bulk.report, Parts(perform, [])
    report.done_before += sheet.done_before
    try:
        perform(bulk.act, name=step)
    except (Temporary, OperationalError):
        log.exception("rows are left")
        bulk.give_up(AWAY)
    if sheet.unfinished:
        parts.do(lambda: bulk.take_up(sheet.unfinished), name="接续上次办理", otherwise=None)
    parts.do(bulk.carry, name="续办各案件", otherwise=None)
    post(resources, parts, at=at)
    publish(resources, parts)
    report.failures += parts.failures
    return report


def _told(sheet: str, report: BulkReport, words: Words) -> State[Any]:
    parts = [words.done.format(report.done)]
    if report.done_before:
        parts.append(words.before.format(len(report.done_before)))
        table = [{"行": row, "此前的办理": how} for row, how in report.done_before]
        create_table_artifact(
            key=f"{words.key}-done-before", table=table, description=f"{sheet} {words.before.format('的')}"
        )
    message = ",".join([*parts, words.refused.format(len(report.refused))])
    get_run_logger().info(message)
    again = [f"{row} {how}" for row, how in report.done_before if how.endswith(AGAIN)]
    why = [f"{row} {reason}" for row, reason in report.refused]
    if report.refused:
        table = [{"行": row, words.why: reason} for row, reason in report.refused]
        create_table_artifact(
            key=f"{words.key}-refused", table=table, description=f"{sheet} {words.refused.format('')}"
        )
    lines = [*why, *again, *report.failures]
    told = f"{message}:" + ";".join(lines[:TOLD_AT_MOST]) if lines else message
    return failed(told) if report.refused or report.failures else Completed(message=told)
