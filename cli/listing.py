"""``ketang … list``: cases of one kind, a line each, the newest first."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from cli.context import opened
from policies.errors import BadPolicy, Refused
from policies.vocabulary import CaseKind
from tasks.audit_rows import is_of_value
from tasks.case_file import case_file, waits_for
from tasks.listing import Listed, list_cases

Everything = Annotated[bool, typer.Option("--all", help="包括已办结的")]
MOST = 100
Most = Annotated[int, typer.Option("--most", min=1, help="最多列出多少件。")]


@contextmanager
def legible(number: str) -> Iterator[None]:
    """
    Within the block a case is read and shown.

    Raises:
        Refused: its records can not be read, because somebody has tampered with them; says how to find out where.
    """
    try:
        yield
    except (Refused, BadPolicy):
        raise
    except Exception as error:
        if not is_of_value(error):
            raise
        told = f"案件 {number} 的记录无法读取,已被改动;请运行 ketang audit verify {number},查明是哪张表哪一列"
        raise Refused("default", told) from error


@contextmanager
def by_itself(number: str) -> Iterator[None]:
    """Within the block one line of a list is printed; when that case can not be read, a line that says so."""
    try:
        with legible(number):
            yield
    except (Refused, BadPolicy) as error:
        typer.secho(f"{number}  {error}", fg="red")


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
        listed = list_cases(resources, most=most, kinds=kinds, everything=everything)
        for number in listed.numbers:
            with by_itself(number):
                file = case_file(resources, number, at=at)
                kind = f"{file.kind.label}  " if len(kinds) > 1 else ""
                typer.echo(f"{file.number}  {kind}{file.village}  {file.title}  {waits_for(file)}")
        if not listed.numbers:
            typer.echo(f"没有{what}。" if everything else f"没有在办的{what}(加 --all 查看已办结的)。")
        say_if_more(listed)
