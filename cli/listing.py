"""``ketang … list``: cases of one kind, a line each, the newest first."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from cli.context import opened
from policies.errors import BadPolicy, Refused
from policies.vocabulary import CaseKind
from runtime.resources import Resources
from tasks.audit_rows import UNREADABLE, is_of_reading, is_of_value
from tasks.case_file import as_markdown, case_file, waits_for
from tasks.each_town import Unreadable
from tasks.in_brief import in_brief
from tasks.listing import Listed, list_cases
from tasks.living import Town

Everything = Annotated[bool, typer.Option("--all", help="包括已办结的")]
MOST = 100
log = logging.getLogger(__name__)
Most = Annotated[int, typer.Option("--most", min=1, help="最多列出多少件。")]


@contextmanager
def legible(number: str) -> Iterator[None]:
    """
    Within the block a case is read, and what is shown of it is made up; it is printed outside.

    Raises:
        Refused: its records can not be read, because somebody has tampered with them; says how to find out where. Or it
            can not be told whether that is why.
    """
    try:
        yield
    except UNREADABLE as error:
        if not is_of_value(error):
            raise
        told = f"案件 {number} 的记录无法读取,已被改动;请运行 ketang audit verify {number},查明是哪张表哪一列"
        if not is_of_reading(error):
            # Nobody is accused of what may be a mistake of ours; and a list goes on all the same.
            log.exception("case %s can not be shown", number)
            because = in_brief(error)
            told = (
                f"案件 {number} 无法显示({because}):可能是记录已被改动,也可能是程序有误;"
                f"请运行 ketang audit verify {number},核对无误的,请把此条告诉系统维护人员"
            )
        raise Refused("default", told) from error


def show_line(number: str, line_of: Callable[[str], str]) -> None:
    """
    Print one line of a list; when that case can not be read, a line that says so.

    Args:
        number: the case's.
        line_of: reads the case and returns the line; empty: the list leaves it out.
    """
    try:
        with legible(number):
            line = line_of(number)
    except (Refused, BadPolicy) as error:
        typer.secho(f"{number}  {error}", fg="red")
        return
    if line:
        typer.echo(line)


def legible_towns(found: Iterable[tuple[str, Town | Unreadable]]) -> Iterator[Town]:
    """Yield the towns; of each that can not be read, print a line that says so."""
    for name, town in found:
        if isinstance(town, Unreadable):
            typer.secho(f"{name}  {town}", fg="red", err=True)
        else:
            yield town


def show_case(resources: Resources, number: str) -> None:
    """
    Print a case's file.

    Raises:
        Refused: there is no such case, or its records can not be read.
    """
    with legible(number):
        shown = as_markdown(case_file(resources, number, at=resources.clock.now()))
    typer.echo(shown)


def say_if_more(listed: Listed) -> None:
    """Say that a list was cut, and how to see more of it."""
    if listed.more:
        typer.echo(
            f"以上是最新的{len(listed.numbers)}件,还有更早的:加 --most 列出更多,或用 ketang register cases 导出台账。"
        )


def show_cases(*kinds: CaseKind, what: str, everything: bool, most: int = MOST) -> None:
    """
    Print the open cases of some kinds with what they wait for; of several kinds, the kind as well.

    Args:
        what: how the office calls them, for when there are none.
        everything: also those that are closed.
        most: no more than the newest so many.
    """
    with opened() as resources:
        at = resources.clock.now()

        def line_of(number: str) -> str:
            file = case_file(resources, number, at=at)
            kind = f"{file.kind.label}  " if len(kinds) > 1 else ""
            return f"{file.number}  {kind}{file.village}  {file.title}  {waits_for(file)}"

        listed = list_cases(resources, most=most, kinds=kinds, everything=everything)
        for number in listed.numbers:
            show_line(number, line_of)
        if not listed.numbers:
            typer.echo(f"没有{what}。" if everything else f"没有在办的{what}(加 --all 查看已办结的)。")
        say_if_more(listed)
