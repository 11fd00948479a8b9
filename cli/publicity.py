"""``ketang publicity``: what was published about the parlours, by the same commands as the forms."""

from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from cli.context import find_sheet, opened, told
from policies.errors import Refused
from policies.vocabulary import Door
from rules.periods import shanghai_day
from runtime.resources import Resources
from tasks.call_sheets import sheet_key
from tasks.life_commands import PublicityEntry, RecordPublicity, VoidPublicity
from tasks.life_sheets import read_publicity
from tasks.publicity import publicity_between, record_publicity, void_publicity

app = typer.Typer(no_args_is_help=True)

By = Annotated[str, typer.Option("--by", help="经办人:负责人、村(居)责任人、联络员或社区办的人员编号", metavar="人员")]
DAY = ["%Y-%m-%d"]


@app.command("record", help="登记一篇宣传报道,或由报道表(--sheet)批量登记;同一份表只登记一次。")
def record(
    by: By,
    channel: Annotated[str, typer.Option(help="宣传渠道:政策列出的渠道之一")] = "",
    on: Annotated[datetime | None, typer.Option(help="刊发日期", formats=DAY)] = None,
    title: Annotated[str, typer.Option(help="标题")] = "",
    reference: Annotated[str, typer.Option(help="出处:网址,或刊期和版面")] = "",
    site: Annotated[list[str], typer.Option(help="涉及的客堂间编号,可重复")] = [],  # noqa: B006 - typer copies it
    sheet: Annotated[Path | None, typer.Option(help="报道表(XLSX 或 CSV)", metavar="文件")] = None,
) -> None:
    with told(PublicityEntry), opened() as resources:
        at = resources.clock.now()
        if (sheet is None) == (not channel):
            raise Refused("default", "请写 --channel 等登记一篇,或写 --sheet 由报道表登记,二者取一")
        rows, key, door = None, f"cli:{uuid4()}", Door.CLI
        if sheet is not None:
            path = find_sheet(resources.settings, sheet)
            found = read_publicity(path.parent, path.name)
            rows, items = [row for row, _ in found], [entry for _, entry in found]
            key, door = sheet_key(path.parent, path.name), Door.SHEET
        else:
            fields = {
                "channel": channel,
                "published_on": on.date() if on else "",
                "title": title,
                "reference": reference,
                "sites": site,
            }
            items = [PublicityEntry.model_validate(fields)]
        with told(RecordPublicity):
            command = RecordPublicity(by=by, items=items)
        for each in record_publicity(resources, command, door=door, key=key, at=at, rows=rows):
            typer.echo(f"已登记:{each}")


@app.command("void", help="作废登记错的报道:保留记录,不再计入。")
def void(
    by: By,
    item: Annotated[int, typer.Argument(help="报道登记号", metavar="登记号", min=1)],
    reason: Annotated[str, typer.Option("--reason", help="作废理由")],
) -> None:
    with told(VoidPublicity), opened() as resources:
        command = VoidPublicity(by=by, item=item, reason=reason)
        named = void_publicity(resources, command, door=Door.CLI, at=resources.clock.now())
        typer.echo(f"已作废:{named}")


@app.command("list", help="按渠道列出一段时间的宣传报道;作废的不列。")
def list_items(
    since: Annotated[datetime | None, typer.Option("--from", help="首日;不写为今年1月1日", formats=DAY)] = None,
    until: Annotated[datetime | None, typer.Option(help="末日;不写为今天", formats=DAY)] = None,
) -> None:
    with opened() as resources:
        today = shanghai_day(resources.clock.now())
        last = until.date() if until else today
        first = since.date() if since else last.replace(month=1, day=1)
        names = _channels(resources)
        counts: dict[str, int] = {}
        with resources.database.read() as session:
            for item in publicity_between(session, first=first, last=last):
                channel = names.get(item.channel, item.channel)
                counts[channel] = counts.get(channel, 0) + 1
                about = "、".join(site.number for site in item.sites)
                typer.echo(
                    f"{item.id}  {item.published_on}  {channel}  {item.title}  {about}"
                    + (f"  {item.reference}" if item.reference else "")
                )
        said = "、".join(f"{channel}{count}篇" for channel, count in counts.items())
        typer.echo(f"{first}至{last}:" + (said or "没有登记宣传报道"))


def _channels(resources: Resources) -> dict[str, str]:
    schemes = [each.edition.site for each in resources.editions.values() if each.edition.site is not None]
    return {channel.code: channel.name for scheme in schemes for channel in scheme.publicity_channels}
