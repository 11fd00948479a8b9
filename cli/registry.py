"""
``ketang registry``: bring the registry in, write the empty workbook, look at it, write it out.

Mounted by `cli.main`. Personal numbers are shown masked; only ``export --with-personal`` writes them whole.
"""

from io import StringIO
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.tree import Tree

from cli.context import opened, told
from policies.vocabulary import BeautifulVillage, UnitKind
from tasks.registry import import_registry
from tasks.registry_book import write_template
from tasks.registry_export import export_registry
from tasks.registry_outline import Holder, Node, outline

app = typer.Typer(no_args_is_help=True)


@app.command("import", help="导入登记簿:一个 .xlsx 工作簿,或放着四个 CSV 文件的文件夹。有错就全部列出,一行也不导入。")
def import_file(file: Annotated[Path, typer.Argument(metavar="FILE", help="工作簿或文件夹。")]) -> None:
    with opened() as resources:
        report = import_registry(resources.database, file, at=resources.clock.now(), editions=set(resources.editions))
    table = Table(box=box.SIMPLE_HEAD)
    for head in ("表", "新增", "变更", "未变"):
        table.add_column(head, justify="left" if head == "表" else "right")
    for name, counts in report.sheets.items():
        table.add_row(name, str(counts.added), str(counts.changed), str(counts.unchanged))
    _show(table)
    typer.echo(f"已导入:新增 {report.added} 行,变更 {report.changed} 行,未变 {report.unchanged} 行。")


@app.command("template", help="写出空白登记簿:列名、填写说明、下拉列表,每张表有一行示例(导入时跳过)。")
def template(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="要写的 .xlsx 文件;不会覆盖已有文件。")],
) -> None:
    with told():
        write_template(file)
    typer.echo(f"已写出空白登记簿:{file}")


@app.command("show", help="查看登记的镇村组、户数和任职人员;号码打码显示。")
def show(
    village: Annotated[
        str | None, typer.Option("--village", metavar="CODE", help="只看一个村(居),并列出农户。")
    ] = None,
) -> None:
    with opened() as resources:
        trees = outline(resources.database, at=resources.clock.now(), village=village)
    if not trees:
        typer.echo("还没有登记任何单位;请先用 ketang registry template 写出模板,填好后用 ketang registry import 导入。")
    for tree in trees:
        _show(_tree(tree))


@app.command("export", help="导出登记簿,格式与导入相同。默认把手机、身份证号、电子邮箱打码(打码的不能再导入)。")
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="要写的 .xlsx 文件;不会覆盖已有文件。")],
    with_personal: Annotated[bool, typer.Option("--with-personal", help="个人信息不打码。")] = False,
) -> None:
    with opened() as resources:
        export_registry(resources.database, file, with_personal=with_personal)
    typer.echo(f"已导出登记簿:{file}")
    if with_personal:
        typer.secho(
            "注意:文件中有完整的手机号、身份证号和电子邮箱,只供本办公室使用;请勿转发,用后删除。", fg="yellow", err=True
        )


def _tree(node: Node, parent: Tree | None = None) -> Tree:
    here = Tree(_line(node)) if parent is None else parent.add(_line(node))
    for holder in node.holders:
        here.add(_holder(holder))
    for household in node.register:
        facts = [household.phone or "无手机", "有邮箱" if household.has_email else "无邮箱"]
        place = f" {household.address}" if household.address else ""
        here.add(f"{household.number} {household.head_name}{place}({'、'.join(facts)})")
    for below in node.below:
        _tree(below, here)
    return here


def _line(node: Node) -> str:
    facts = [node.kind.label]
    if node.kind is not UnitKind.GROUP:
        facts.append(f"{node.groups} 个小组")
    facts.append(f"在册 {node.households} 户")
    if node.grade is not BeautifulVillage.NONE:
        facts.append(f"美丽乡村{node.grade.label}")
    if node.kind is UnitKind.TOWN:
        facts.append(f"适用政策 {node.edition}" if node.edition else "未填适用政策,不能受理申请")
    return f"{node.code} {node.name}({','.join(facts)})"


def _holder(holder: Holder) -> str:
    facts = [holder.phone or "无手机", "有邮箱" if holder.has_email else "无邮箱,收不到信函"]
    return f"{holder.role.label}:{holder.name}({holder.code},{'、'.join(facts)})"


def _show(what: RenderableType) -> None:
    """Print through typer, so that a terminal of any width and a pipe get the same whole lines."""
    buffer = StringIO()
    Console(file=buffer, width=160, markup=False, highlight=False).print(what, soft_wrap=True)
    typer.echo(buffer.getvalue().rstrip("\n"))
