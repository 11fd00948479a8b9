"""``ketang document``: the Word documents that people print and sign, and the templates they are made from."""

from pathlib import Path
from typing import Annotated

import typer

from cli.context import opened, told
from policies.errors import Refused
from runtime.settings import Settings
from tasks.paperwork import FORMS, DocumentKind, Form, check_templates, copy_templates, make_document
from tasks.paperwork_fields import Fields, Rows

app = typer.Typer(no_args_is_help=True)


@app.command("list", help="列出可以打印的文书:种类、用于哪种案件、用哪个模板。")
def list_documents() -> None:
    for (kind, case_kind), form in FORMS.items():
        typer.echo(f"{kind.value:<12}{case_kind.label}案件  {form.title}(模板 {form.template})")


@app.command("make", help="照案件的现状写出一份 Word 文书,打印、签名、盖章。")
def make(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="种类:ketang document list 列出的代码或名称")],
    number: Annotated[str, typer.Argument(metavar="CASE", help="案件编号")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.docx", help="要写的文件;不写为资料文件夹里案件的文件夹。")
    ] = None,
    member: Annotated[str, typer.Option("--member", help="评分表只印这位评审(人员编号);不写为全部评审。")] = "",
) -> None:
    with opened() as resources:
        path = make_document(resources, _kind(kind), number, at=resources.clock.now(), out=out, member=member)
    typer.echo(f"已写出:{path}")


@app.command("tags", help="列出一种文书的模板里可以用的标签。")
def tags(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="种类,或模板的文件名,例如 proposal")],
) -> None:
    with told():
        forms = _forms(kind)
    for form in forms:
        typer.echo(f"{form.template}({form.title})")
        _show(form.fields, "")


@app.command("templates", help="把系统自带的模板复制到一个文件夹,用 WPS 修改后用设置 KETANG_TEMPLATES 启用。")
def templates(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="文件夹;不会覆盖已有文件。")],
) -> None:
    with told():
        paths = copy_templates(folder)
    for path in paths:
        typer.echo(str(path))
    typer.echo(f"已复制{len(paths)}个模板。修改后在 .env 里写:KETANG_TEMPLATES={folder.resolve()}")


@app.command("check", help="检查正在使用的模板:打得开、标签都认识;有误即指出,退出码为 1。")
def check() -> None:
    with told():
        found = check_templates(Settings())
    for path, fault in found:
        typer.secho(fault or f"{path}:无误", fg="red" if fault else None, err=bool(fault))
    if any(fault for _, fault in found):
        raise typer.Exit(1)


def _kind(text: str) -> DocumentKind:
    kind = DocumentKind.by_label(text.replace("-", "_"))
    if kind is None:
        known = "、".join(f"{each.value}({each.label})" for each in DocumentKind)
        raise Refused("default", f"没有“{text}”这种文书;可以打印:{known}")
    return kind


def _forms(text: str) -> list[Form]:
    by_template = {form.template: form for form in FORMS.values()}
    named = by_template.get(f"{text.removesuffix('.docx')}.docx")
    if named is not None:
        return [named]
    kind = _kind(text)
    return list({form.template: form for (each, _), form in FORMS.items() if each is kind}.values())


def _show(fields: Fields, indent: str) -> None:
    for name, field in fields.items():
        if isinstance(field, Rows):
            typer.echo(f"{indent}  {name}(多行):{field.note};每行有:")
            _show(field.fields, f"{indent}    ")
        else:
            typer.echo(f"{indent}  {name}:{field}")
