"""``ketang theme``: the parlours' themes by month, by the same commands as the forms."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from cli.context import find_sheet, opened, told
from cli.listing import legible_towns
from policies.errors import Refused
from policies.vocabulary import Door
from rules.duty import month_of, months_on, spoken_month
from rules.periods import shanghai_day
from tasks.life_commands import ReportThemes, ThemeEntry
from tasks.life_sheets import read_themes
from tasks.living import towns_named
from tasks.themes import ThemeLine, submit_themes, themes_of

app = typer.Typer(no_args_is_help=True)

By = Annotated[str, typer.Option("--by", help="经办人:负责人、村(居)责任人、联络员或社区办的人员编号", metavar="人员")]
Town = Annotated[str, typer.Option(help="镇(街道)的编码或名称;不写为全部", metavar="镇")]
Month = Annotated[str, typer.Option(help="月份,写作 2026-03;不写为下个月", metavar="月份")]


@app.command("submit", help="登记一个客堂间某月的主题;该月开始以前可以更改。")
def submit(
    by: By,
    site: Annotated[str, typer.Option(help="客堂间编号,例如 KT-2026-0001-S", metavar="编号")],
    month: Annotated[str, typer.Option(help="月份,写作 2026-03", metavar="月份")],
    title: Annotated[str, typer.Option(help="主题")],
    plan: Annotated[str, typer.Option(help="计划,可以不写")] = "",
) -> None:
    with told(ThemeEntry), opened() as resources:
        entry = ThemeEntry.model_validate({"site": site, "month": month, "title": title, "plan": plan})
        with told(ReportThemes):
            command = ReportThemes(by=by, themes=[entry])
        for each in submit_themes(resources, command, door=Door.CLI, at=resources.clock.now()):
            typer.echo(str(each))


@app.command("import", help="由主题表批量登记;一处有误则全部不登记。表头:客堂间编号、月份、主题、计划。")
def import_sheet(by: By, sheet: Annotated[Path, typer.Argument(help="主题表(XLSX 或 CSV)", metavar="主题表")]) -> None:
    with told(ReportThemes), opened() as resources:
        path = find_sheet(resources.settings, sheet)
        found = read_themes(path.parent, path.name)
        command = ReportThemes(by=by, themes=[entry for _, entry in found])
        rows = [row for row, _ in found]
        done = submit_themes(resources, command, door=Door.SHEET, at=resources.clock.now(), rows=rows)
        typer.echo(f"已登记{len(done)}个主题")


@app.command("list", help="列出某月各客堂间的主题:已报、逾期报送、未报。")
def list_themes(town: Town = "", month: Month = "") -> None:
    _show(town, month, missing=False)


@app.command("missing", help="列出某月尚未报送主题的客堂间。")
def missing(town: Town = "", month: Month = "") -> None:
    _show(town, month, missing=True)


def _show(town: str, month: str, *, missing: bool) -> None:
    with told(ThemeEntry), opened() as resources:
        at = resources.clock.now()
        wanted = _month(month, shanghai_day(at))
        with resources.database.read() as session:
            asked = [
                (each.unit.name, themes_of(session, each.unit, wanted, policy))
                for each in legible_towns(towns_named(resources, session, on=shanghai_day(at)))
                if (policy := each.scheme.monthly_theme) is not None
                and (not town or town in (each.unit.code, each.unit.name))
            ]
        if town and not asked:
            raise Refused("default", f"没有须报月度主题的镇(街道)“{town}”,请填写登记簿中的编码或名称")
        for name, lines in asked:
            have = sum(1 for line in lines if line.theme)
            typer.echo(f"{name} {spoken_month(wanted)}:须报或已报{len(lines)}个,已报{have}个,未报{len(lines) - have}个")
            for line in lines:
                if not (missing and line.theme):
                    typer.echo(_line(line))
        if not asked:
            typer.echo("没有须报月度主题的镇(街道)。")


def _line(line: ThemeLine) -> str:
    about = f"  {line.theme}({line.reported_on})" if line.theme else ""
    return f"{line.owed.number}  {line.owed.place}  {line.owed.leader}  {line.standing}{about}"


def _month(text: str, today: date) -> date:
    if not text:
        return months_on(month_of(today), 1)
    return ThemeEntry.model_validate({"site": "-", "month": text, "title": "-"}).month
