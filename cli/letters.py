"""``ketang letters``: the outbox, what a letter says, deliver now, send a dead one again. Mounted by `cli.main`."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import defer

from cli.context import opened
from models.case import Case
from models.outbox import OutboxEntry
from models.work_item import WorkItem
from notifications.mime import masked_address
from policies.errors import Refused
from policies.vocabulary import LetterStatus, Verdict, WorkItemStatus
from rules.periods import SHANGHAI, shanghai_day
from tasks.archive_audit import archived
from tasks.audit_rows import UNREADABLE, is_of_value
from tasks.listing import letters_waiting
from tasks.outbox import pending_counts, requeue
from tasks.post import letters_later, post_letters

app = typer.Typer(no_args_is_help=True)

_EntryId = Annotated[int, typer.Argument(metavar="编号", help="信函编号,见 ketang letters list。")]
_CaseNumber = Annotated[str | None, typer.Option("--case", metavar="案件编号", help="只限这一案件的信函。")]


@app.command("list", help="列出信函,新的在前。")
def list_letters(
    case: _CaseNumber = None,
    status: Annotated[
        str | None,
        typer.Option("--status", help=f"只看这一状态:{'、'.join(word.label for word in LetterStatus)}。"),
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="最多列出多少封。")] = 100,
) -> None:
    """List letters, newest first, with the count by status."""
    with opened() as resources, resources.database.read() as session:
        # Without their facts, which may be what can not be read of a dead one.
        query = select(OutboxEntry, Case.number).options(defer(OutboxEntry.context))
        query = query.outerjoin(Case, Case.id == OutboxEntry.case_id)
        counted = None
        if case is not None:
            counted = session.scalar(select(Case.id).where(Case.number == case))
            if counted is None:
                raise Refused("default", f"没有编号为“{case}”的案件,请核对案件编号")
            query = query.where(OutboxEntry.case_id == counted)
        if status is not None:
            query = query.where(OutboxEntry.status == _status(status))
        table = Table("编号", "案件", "信函", "收信人", "状态", "次数", "写成于", "原因", box=box.SIMPLE)
        found = session.execute(query.order_by(OutboxEntry.id.desc()).limit(most + 1)).all()
        for entry, number in found[:most]:
            table.add_row(
                str(entry.id),
                number or "—",
                entry.letter.label,
                escape(entry.to_name),
                entry.status.label,
                str(entry.attempts),
                f"{entry.created_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
                escape(entry.last_error),
            )
        console = Console(width=max(Console().width, 120))
        console.print(table)
        if len(found) > most:
            typer.echo(
                f"以上是最新的{most}封,还有更早的:加 --most 列出更多,或用 --status、--case 只看一种状态、一个案件的。"
            )
        if counted is not None and (record := archived(session, counted)) is not None:
            typer.echo(f"案件 {case} 已归档,归档以前的信函在归档文件 {record.file} 中。")
        counts = letters_waiting(session) if counted is None else pending_counts(session, case_id=counted)
        console.print(",".join(f"{word.label} {count} 封" for word, count in counts.items()), highlight=False)


@app.command("show", help="查看一封信函:已寄的照原文,其余照现在会写成的样子。")
def show_letter(entry_id: _EntryId) -> None:
    """Print one letter as text: as it was sent, or as it would be written now."""
    with opened() as resources, resources.database.read() as session:
        try:
            entry = session.get(OutboxEntry, entry_id)
        except UNREADABLE as error:
            if not is_of_value(error):
                raise
            raise Refused("default", f"信函 {entry_id} 已被改动,无法读取,原因见 ketang letters list") from error
        if entry is None:
            raise Refused("default", f"没有编号为 {entry_id} 的信函,请用 ketang letters list 查看编号")
        subject, text = entry.sent_subject, entry.sent_text
        if entry.status is not LetterStatus.SENT:
            run_id = session.scalar(select(Case.flow_run_id).where(Case.id == entry.case_id))
            written = resources.renderer.render(
                entry.letter,
                entry.context,
                to_name=entry.to_name,
                link="" if entry.household_id is not None else resources.link_of(run_id),
                written_on=shanghai_day(entry.created_at),
            )
            subject, text = written.subject, written.text
        address = masked_address(entry.to_address) if entry.to_address else "无电子邮箱"
        typer.echo(f"收信人:{entry.to_name}({address})")
        typer.echo(f"状  态:{entry.status.label}{f',{entry.last_error}' if entry.last_error else ''}")
        typer.echo(f"标  识:{entry.message_id}")
        typer.echo(f"主  题:{subject}\n")
        typer.echo(text)


@app.command("deliver", help="立即投递到期的信函;无法寄达的,转社区办处理。")
def deliver_letters(case: _CaseNumber = None) -> None:
    """Deliver what is due; exit code 1 when the server or the settings kept letters back."""
    with opened() as resources, _logged(resources.settings.home / "logs"):
        report = post_letters(resources, at=resources.clock.now(), number=case)
        waiting = letters_later(resources, at=resources.clock.now(), number=case)
    typer.echo(f"已寄 {report.sent} 封,稍后再寄 {report.retried} 封,无法寄达 {len(report.dead)} 封。")
    if report.dead:
        typer.echo(f"无法寄达的信函编号:{'、'.join(map(str, report.dead))},原因见 {_listed(LetterStatus.DEAD, case)}")
    if waiting.count:
        typer.echo(f"{waiting.told}。原因见 {_listed(LetterStatus.QUEUED, case)}")
    if report.trouble:
        typer.secho(f"投递中止:{report.trouble}", fg="red", err=True)
        raise typer.Exit(1)


@app.command("resend", help="重新寄送一封无法寄达的信函,寄往登记簿现有的地址。")
def resend_letter(entry_id: _EntryId) -> None:
    """Queue a dead letter again; the next delivery sends it."""
    with opened() as resources, resources.database.write() as session:
        waiting = session.scalar(
            select(Case.number)
            .join(WorkItem, WorkItem.case_id == Case.id)
            .where(WorkItem.subject_id == entry_id, WorkItem.status == WorkItemStatus.OPEN)
        )
        if waiting is not None:
            # Who sends it again, and why, belongs into the case's records.
            raise Refused(
                "default",
                f"信函 {entry_id} 已转社区办处理,请由经办人办理:"
                f"ketang case settle {waiting} --letter {entry_id} --verdict {Verdict.RESENT.label}",
            )
        entry = requeue(session, entry_id, at=resources.clock.now())
        typer.echo(f"信函 {entry.id}({entry.letter.label},致{entry.to_name})已重新列入待寄。")


@contextmanager
def _logged(folder: Path) -> Iterator[None]:
    """Within the block, the log goes into a file of this folder: the terminal is told what came of it, in Chinese."""
    handler: logging.Handler = logging.NullHandler()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(folder / "letters.log", encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    except OSError:
        pass  # a folder that can not be written keeps no letter back
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def _listed(status: LetterStatus, case: str | None) -> str:
    return f"ketang letters list --status {status.label}" + (f" --case {case}" if case else "")


def _status(text: str) -> LetterStatus:
    found = LetterStatus.by_label(text)
    if found is None:
        known = "、".join(f"{word.label}({word.value})" for word in LetterStatus)
        raise Refused("default", f"没有“{text}”这一信函状态,可用的有:{known}")
    return found
