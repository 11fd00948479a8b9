"""``ketang archive``: closed cases into a file, the check of such a file, and what is in it out of the database."""

from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.context import opened, told
from policies.errors import Refused
from policies.vocabulary import CaseKind
from tasks.archive_check import case_of, check_archive
from tasks.archive_choice import Wanted
from tasks.archive_file import reading
from tasks.archive_page import page_of
from tasks.archive_removal import remove_archived
from tasks.archives import list_archive, make_archive

app = typer.Typer(no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE.zip", help="归档文件")]
By = Annotated[str, typer.Option("--by", help="归档人:社区办负责人或审核员的人员编号或姓名", metavar="人员")]


@app.command("make", help="把办结已久的案件写成一个归档文件;数据库中什么也不少。")
def make(
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="写到这个文件夹;不会覆盖已有文件")],
    before: Annotated[datetime, typer.Option("--before", formats=["%Y-%m-%d"], help="只取这一天以前办结的")],
    by: By,
    kind: Annotated[list[str], typer.Option("--kind", help="只取这种案件(连同其下的案件),可重复;不写为全部")] = [],  # noqa: B006 - typer copies it
    town: Annotated[str, typer.Option("--town", help="只取这个镇(或村)的案件:单位编码")] = "",
    staying: Annotated[
        bool, typer.Option("--staying", help="也抄录不能移出数据库的案件(客堂间、专款);移出时只移走其中早已寄出的信函")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只列出哪些可以归档,哪些不能、为什么")] = False,
) -> None:
    with opened() as resources:
        wanted = Wanted(before=before.date(), kinds=tuple(_kind(each) for each in kind), town=town, staying=staying)
        made = make_archive(resources, to=to, wanted=wanted, by=by, at=resources.clock.now(), dry_run=dry_run)
    for number in made.going:
        typer.echo(f"可以归档:{number}")
    causes = defaultdict[str, list[str]](list)
    for matter, number, cause in made.left:
        causes[matter].append(cause if number == matter else f"其下 {number}:{cause}")
    for matter, found in causes.items():
        more = f"(等{len(found)}项)" if len(found) > 3 else ""
        typer.echo(f"不归档:{matter}  {';'.join(found[:3])}{more}")
    if made.path is None:
        typer.echo(f"可以归档的案件{made.cases}件,不归档的事项{len(causes)}项。" + ("" if dry_run else "没有写文件。"))
        return
    typer.echo(f"已归档{made.cases}件案件:{made.path}(同处另有 {made.path.name}.sha256,请一并另存一份)")
    typer.echo(f"数据库未改动。核对、另存之后,用 ketang archive remove {made.path} --by {by} 移出。")


@app.command("verify", help="核对一个归档文件:每个文件、每条办理记录、每项封存的记录。不需要数据库;有误则退出码为 1。")
def verify(file: File) -> None:
    with told():
        checked = check_archive(file)
    for fault in checked.faults:
        typer.secho(fault, fg="red", err=True)
    if checked.faults:
        typer.secho(f"核对有误:{len(checked.faults)}处。请改用另一份副本,并查明原因。", fg="red", err=True)
        raise typer.Exit(1)
    typer.echo(f"核对无误:{checked.cases}件案件。SHA-256 {checked.sha256}")


@app.command("list", help="列出归档文件里的案件。")
def list_cases(file: File) -> None:
    with told():
        head, cases = list_archive(file)
    typer.echo(head)
    for each in cases:
        stays = "  仍留在数据库中" if each.stays else ""
        typer.echo(f"{each.number}  {each.kind}  {each.title}  {each.outcome}  {each.closed_at}办结{stays}")


@app.command("show", help="查看归档文件里的一个案件:写出它的案卷网页,可以打印。")
def show(
    file: File,
    number: Annotated[str, typer.Argument(metavar="CASE", help="案件编号")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.html", help="写到这个文件;不写为显示在屏幕上")
    ] = None,
) -> None:
    with told(), reading(file) as archive:
        case = case_of(archive, number)
        page = page_of(case["tables"], case["refers"])
        if out is None:
            typer.echo(page)
            return
        if out.exists():
            raise Refused("default", f"文件 {out} 已存在,不会覆盖;请换一个文件名")
        out.write_text(page, encoding="utf-8")
    typer.echo(f"已写出:{out}")


@app.command("remove", help="先核对归档文件,再把其中的案件移出数据库;登记、统计、决定仍留存。中断后再运行即接着移。")
def remove(file: File, by: By) -> None:
    with opened() as resources:
        removed = remove_archived(resources, file, by=by, at=resources.clock.now())
    for number, cause in removed.left:
        typer.echo(f"未移出:{number}  {cause}")
    for number, count in removed.letters.items():
        typer.echo(f"案件 {number} 留在数据库中,移出早已寄出的信函{count}封")
    typer.echo(
        f"已移出{len(removed.cases)}件案件的记录{removed.rows}行"
        f"(以前移出的{removed.before}件,未移出的{len(removed.left)}件)。"
    )


def _kind(text: str) -> CaseKind:
    kind = CaseKind.by_label(text)
    if kind is None:
        known = "、".join(f"{each.value}({each.label})" for each in CaseKind)
        raise Refused("default", f"没有“{text}”这种案件,可以写:{known}")
    return kind
