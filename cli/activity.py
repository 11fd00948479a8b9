"""``ketang activity``: the parlours' activities, recorded, voided, listed; by the same commands as the forms."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from sqlalchemy import select

from cli.context import find_sheet, opened, told
from cli.listing import legible_towns
from models.registry import Unit
from models.site_life import Activity
from policies.errors import Refused
from policies.vocabulary import Door, UnitKind
from rules.duty import WEEK, monday_of, spoken_week
from rules.periods import shanghai_day
from runtime.resources import Resources
from tasks.activities import activities_between, record_activities, void_activity
from tasks.call_sheets import sheet_key
from tasks.life_commands import ActivityEntry, RecordActivities, VoidActivity
from tasks.life_sheets import read_activities
from tasks.living import towns_named
from tasks.week_reports import week_of

app = typer.Typer(no_args_is_help=True)

By = Annotated[str, typer.Option("--by", help="经办人:负责人、村(居)责任人、联络员或社区办的人员编号", metavar="人员")]
DAY = ["%Y-%m-%d"]


@app.command("record", help="登记一场活动;一场只登记一次。")
def record(
    by: By,
    site: Annotated[str, typer.Option(help="客堂间编号,例如 KT-2026-0001-S", metavar="编号")],
    on: Annotated[datetime, typer.Option(help="活动日期:实际举办的日期", formats=DAY)],
    category: Annotated[str, typer.Option(help="类别:政策列出的活动类别之一")],
    title: Annotated[str, typer.Option(help="活动名称")],
    attendance: Annotated[int, typer.Option(help="参加人数", min=0)],
    organiser: Annotated[str, typer.Option(help="组织者;不写就是客堂间负责人")] = "",
    summary: Annotated[str, typer.Option(help="活动简述")] = "",
    photo: Annotated[str, typer.Option(help="照片或材料:资料文件夹内的文件名", metavar="文件")] = "",
) -> None:
    with told(ActivityEntry), opened() as resources:
        at = resources.clock.now()
        entry = ActivityEntry.model_validate(
            {
                "site": site,
                "held_on": on.date(),
                "category": category,
                "title": title,
                "attendance": attendance,
                "organiser": organiser,
                "summary": summary,
                "photo": photo,
            }
        )
        with told(RecordActivities):
            command = RecordActivities(by=by, activities=[entry])
        for each in record_activities(resources, command, door=Door.CLI, key=f"cli:{uuid4()}", at=at):
            typer.echo(f"已登记:{each}")


@app.command("import", help="由活动表批量登记;一处有误则全部不登记,同一份表只登记一次。")
def import_sheet(by: By, sheet: Annotated[Path, typer.Argument(help="活动表(XLSX 或 CSV)", metavar="活动表")]) -> None:
    with told(RecordActivities), opened() as resources:
        path = find_sheet(resources.settings, sheet)
        found = read_activities(path.parent, path.name)
        done = record_activities(
            resources,
            RecordActivities(by=by, activities=[entry for _, entry in found]),
            door=Door.SHEET,
            key=sheet_key(path.parent, path.name),
            at=resources.clock.now(),
            rows=[row for row, _ in found],
        )
        again = sum(1 for each in done if each.known)
        typer.echo(f"已登记{len(done) - again}场活动" + (f",另有{again}场此前已由同一份表登记" if again else ""))


@app.command("void", help="作废登记错的活动:保留记录,不再计入。")
def void(
    by: By,
    activity: Annotated[int, typer.Argument(help="活动登记号", metavar="登记号", min=1)],
    reason: Annotated[str, typer.Option("--reason", help="作废理由")],
) -> None:
    with told(VoidActivity), opened() as resources:
        command = VoidActivity(by=by, activity=activity, reason=reason)
        named = void_activity(resources, command, door=Door.CLI, at=resources.clock.now())
        typer.echo(f"已作废:{named}")


@app.command("list", help="列出一段时间的活动和场次、人次合计;作废的不列。")
def list_activities(
    since: Annotated[datetime | None, typer.Option("--from", help="首日;不写为30天前", formats=DAY)] = None,
    until: Annotated[datetime | None, typer.Option(help="末日;不写为今天", formats=DAY)] = None,
    village: Annotated[str, typer.Option(help="村(居)的编码或名称;不写为全部", metavar="村(居)")] = "",
) -> None:
    with opened() as resources:
        today = shanghai_day(resources.clock.now())
        last = until.date() if until else today
        first = since.date() if since else last - timedelta(days=30)
        with resources.database.read() as session:
            ids = None
            if village:
                ids = session.scalars(
                    select(Unit.id).where(
                        Unit.kind == UnitKind.VILLAGE, (Unit.code == village) | (Unit.name == village)
                    )
                ).all()
                if not ids:
                    raise Refused("default", f"登记簿中没有村(居)“{village}”,请填写编码或名称")
            found = activities_between(session, first=first, last=last, village_ids=ids)
            names = _categories(resources)
            for each in found:
                typer.echo(_line(each, names))
        people = sum(each.attendance for each in found)
        typer.echo(f"{first}至{last}:{len(found)}场,{people}人次")


@app.command("missing", help="列出某一周没有达到规定次数的客堂间。")
def missing(
    week: Annotated[datetime | None, typer.Option(help="该周的任意一天;不写为上一周", formats=DAY)] = None,
) -> None:
    with opened() as resources:
        today = shanghai_day(resources.clock.now())
        monday = monday_of(week.date()) if week else monday_of(today) - WEEK
        with resources.database.read() as session:
            owing = [
                (town.unit.name, policy.at_least, week_of(session, town.unit, monday))
                for town in legible_towns(towns_named(resources, session, on=today))
                if (policy := town.scheme.weekly_activities) is not None
            ]
        for name, at_least, lines in owing:
            short = [line for line in lines if line.recorded < at_least]
            typer.echo(
                f"{name} {spoken_week(monday)}:{len(lines)}个客堂间,{len(short)}个没有达到每周{at_least}次"
                + ("" if monday + WEEK <= today else "(该周尚未结束)")
            )
            for line in short:
                owed = line.owed
                typer.echo(f"{owed.number}  {owed.place}  {owed.leader}  已记录{line.recorded}次")
        if not owing:
            typer.echo("没有规定每周活动的镇(街道)。")


def _categories(resources: Resources) -> dict[str, str]:
    schemes = [each.edition.site for each in resources.editions.values() if each.edition.site is not None]
    return {category.code: category.name for scheme in schemes for category in scheme.activity_categories}


def _line(activity: Activity, names: dict[str, str]) -> str:
    return (
        f"{activity.id}  {activity.held_on}  {activity.site.number}  "
        f"{names.get(activity.category, activity.category)}  {activity.title}  {activity.attendance}人  "
        f"{shanghai_day(activity.recorded_at)}登记"
    )
