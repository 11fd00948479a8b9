"""``ketang register``: the office's registers (台账) as workbooks."""

from pathlib import Path
from typing import Annotated

import typer

from cli.context import opened
from policies.errors import Refused
from tasks.register_rows import Wanted
from tasks.registers import RegisterKind, make_register


def register(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="、".join(f"{each.value}({each.label})" for each in RegisterKind))
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.xlsx", help="要写的文件;不会覆盖已有文件。")],
    year: Annotated[int | None, typer.Option("--year", help="只要这一年的(按立案、公示、收到、申报日期)。")] = None,
    village: Annotated[str, typer.Option("--village", metavar="编码", help="只要这个村(居)的。")] = "",
    open_only: Annotated[bool, typer.Option("--open", help="只要还在办理的。")] = False,
) -> None:
    with opened() as resources:
        chosen = RegisterKind.by_label(kind)
        if chosen is None:
            known = "、".join(f"{each.value}({each.label})" for each in RegisterKind)
            raise Refused("default", f"没有“{kind}”这种台账;可以导出:{known}")
        wanted = Wanted(year=year, village=village, open_only=open_only)
        rows = make_register(resources, chosen, out=out, wanted=wanted)
    typer.echo(f"已导出{chosen.label}:{out}" + (f"(共{rows}条)" if rows is not None else ""))
