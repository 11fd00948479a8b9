"""``ketang … list``: cases of one kind, a line each, the newest first."""

from typing import Annotated

import typer
from sqlalchemy import select

from cli.context import opened
from models.case import Case
from policies.vocabulary import CaseKind, CaseStatus
from tasks.case_file import case_file, waits_for

Everything = Annotated[bool, typer.Option("--all", help="包括已办结的")]


def show_cases(*kinds: CaseKind, what: str, everything: bool) -> None:
    """
    Print the open cases of some kinds with what they wait for; of several kinds, the kind as well.

    Args:
        what: how the office calls them, for when there are none.
        everything: also those that are closed.
    """
    with opened() as resources:
        at = resources.clock.now()
        query = select(Case.number).where(Case.kind.in_(kinds)).order_by(Case.id.desc())
        if not everything:
            query = query.where(Case.status == CaseStatus.OPEN)
        with resources.database.read() as session:
            numbers = session.scalars(query).all()
        for number in numbers:
            file = case_file(resources, number, at=at)
            kind = f"{file.kind.label}  " if len(kinds) > 1 else ""
            typer.echo(f"{file.number}  {kind}{file.village}  {file.title}  {waits_for(file)}")
        if not numbers:
            typer.echo(f"没有{what}。" if everything else f"没有在办的{what}(加 --all 查看已办结的)。")
