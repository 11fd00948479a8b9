"""``ketang demo``: complete cases through the live stack, person by person. Stands for what people do in the UI."""

import typer

app = typer.Typer(name="demo", help="演示:在真实的流程引擎上走完一个完整的案件。", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep ``demo`` a group of commands."""
