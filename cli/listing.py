"""``ketang … list``: cases of one kind, a line each, the newest first."""

from typing import Annotated

import typer

from cli.context import opened
from policies.vocabulary import CaseKind
from tasks.case_file import case_file, waits_for
from tasks.listing import Listed, list_cases

Everything = Annotated[bool, typer.Option("--all", help="包括已办结的")]
MOST = 100
Most = Annotated[int, typer.Option("--most", min=1, help="最多列出多少件。")]


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
            file = case_file(resources, number, at=at)
            kind = f"{file.kind.label}  " if len(kinds) > 1 else ""
            typer.echo(f"{file.number}  {kind}{file.village}  {file.title}  {waits_for(file)}")
        if not listed.numbers:
            typer.echo(f"没有{what}。" if everything else f"没有在办的{what}(加 --all 查看已办结的)。")
        say_if_more(listed)
