"""``ketang meeting``: joint meetings and what they decided, by the same commands as the forms."""

from datetime import date, datetime
from typing import Annotated, Any

import typer

from cli.context import carry_on, opened, told
from cli.listing import MOST, Everything, Most, show_case, show_cases
from policies.errors import Refused
from policies.vocabulary import CaseKind, Door, Verdict
from tasks import decisions, meeting_records, meeting_resolutions, meetings
from tasks.cases import load_case, meeting_of
from tasks.commands import Decide
from tasks.meeting_commands import (
    CallMeeting,
    ChangeMeeting,
    CompleteResolution,
    PostponeMeeting,
    PostponeResolution,
    RecordMeeting,
)

app = typer.Typer(no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="会议的案件编号,例如 KTLX-2026-0001", metavar="会议编号")]
Item = Annotated[str, typer.Argument(help="议定事项的案件编号,例如 KTYD-2026-0001", metavar="事项编号")]
By = Annotated[str, typer.Option("--by", help="办理人:人员编号或姓名", metavar="人员")]
Reason = Annotated[str, typer.Option("--reason", help="理由")]
Day = ["%Y-%m-%d"]
Several = list[str]
PartWay = Annotated[Several, typer.Option(help="人员编号或姓名,可重复", metavar="人员")]
DECIDED = "议定事项,写作 事项=承办人=期限,例如 更换音响=P010=2026-05-08,可重复"


@app.command("call", help="召集联席会议:确定应到名单,通知参会人员。")
def call(
    by: By,
    unit: Annotated[str, typer.Option(help="召集单位:镇(街道)的编码")],
    on: Annotated[datetime, typer.Option(help="开会日期", formats=Day)],
    place: Annotated[str, typer.Option(help="地点")],
    chair: Annotated[str, typer.Option(help="主持人")],
    point: Annotated[Several, typer.Option(help="议程的一项,可重复,按先后排列")],
    begins: Annotated[str, typer.Option("--time", help="开会时刻")] = "14:00",
    title: Annotated[str, typer.Option(help="会议名称;不写则按日期命名")] = "",
    key: Annotated[str, typer.Option(help="同一标识只召集一次;留空则按日期和时间")] = "",
) -> None:
    with told(CallMeeting), opened() as resources:
        at = resources.clock.now()
        command = CallMeeting.model_validate(
            {
                "by": by,
                "unit": unit,
                "title": title,
                "meets_on": on.date(),
                "begins": begins,
                "place": place,
                "chair": chair,
                "agenda": point,
            }
        )
        opening = f"cli:{key or f'{unit}:meeting:{on.date()}:{at.isoformat()}'}"
        number = meetings.call_meeting(resources, command, door=Door.CLI, key=opening, at=at)
        typer.echo(f"已召集会议并通知参会人员,案件编号 {number}")
        carry_on(resources, number)


@app.command("change", help="变更会议:地点、主持人、议程、时刻;--on 延期,--off 不再召开。")
def change(
    number: Number,
    by: By,
    on: Annotated[datetime | None, typer.Option(help="延期至哪一天", formats=Day)] = None,
    off: Annotated[bool, typer.Option("--off", help="不再召开")] = False,
    begins: Annotated[str, typer.Option("--time", help="开会时刻,例如 14:00")] = "",
    place: Annotated[str, typer.Option(help="地点")] = "",
    chair: Annotated[str, typer.Option(help="主持人")] = "",
    point: Annotated[Several, typer.Option(help="议程的一项,可重复;代替原来的议程")] = [],  # noqa: B006 - typer copies it
    reason: Reason = "",
) -> None:
    with opened() as resources:
        at = resources.clock.now()
        fields: dict[str, Any] = {"case": number, "by": by}
        clock = {"begins": begins} if begins else {}
        if (on is not None or off) and (place or chair or point):
            raise Refused("default", "延期、不再召开与变更地点、主持人、议程请分开办理")
        if on is not None and off:
            raise Refused("default", "请写 --on(延期)或 --off(不再召开),二者取一")
        if on is not None:
            with told(PostponeMeeting):
                later = PostponeMeeting.model_validate(fields | clock | {"meets_on": on.date(), "reason": reason})
                meetings.postpone_meeting(resources, later, door=Door.CLI, at=at)
            typer.echo(f"会议延期至{on.date()}")
        elif off:
            with told(Decide):
                verdict = Decide.model_validate(fields | {"verdict": Verdict.CALLED_OFF.label, "reason": reason})
                decisions.decide(resources, verdict, door=Door.CLI, at=at)
            typer.echo("会议不再召开,已通知参会人员")
        else:
            with told(ChangeMeeting):
                arranged = ChangeMeeting.model_validate(
                    fields | clock | {"place": place, "chair": chair, "agenda": point}
                )
                changed = meetings.change_meeting(resources, arranged, door=Door.CLI, at=at)
            with resources.database.read() as session:
                to_come = meeting_of(session, load_case(session, number, lock=False)).meets_at > at
            typer.echo("、".join(changed) + (",已通知参会人员" if to_come else ";会议时间已过,不再通知参会人员"))
        carry_on(resources, number)


@app.command("sign", help="登记签到:出席、请假、缺席、列席。")
def sign(
    number: Number,
    by: By,
    attended: PartWay = [],  # noqa: B006 - typer copies it
    leave: PartWay = [],  # noqa: B006 - typer copies it
    absent: PartWay = [],  # noqa: B006 - typer copies it
    rest_absent: Annotated[bool, typer.Option("--rest-absent", help="其余未登记的都记为缺席")] = False,
    guests: Annotated[str, typer.Option(help="列席人员:单位和姓名")] = "",
    held_on: Annotated[datetime | None, typer.Option("--on", help="召开日期", formats=Day)] = None,
) -> None:
    _record(
        {
            "case": number,
            "by": by,
            "attended": attended,
            "on_leave": leave,
            "absent": absent,
            "rest_absent": rest_absent,
            "guests": guests,
            "held_on": held_on.date() if held_on else None,
        }
    )


@app.command("minutes", help="登记会议纪要:正文,或资料文件夹内的文件。")
def minutes(
    number: Number,
    by: By,
    text: Annotated[str, typer.Option(help="纪要正文")] = "",
    proof: Annotated[str, typer.Option(help="纪要文件:资料文件夹内的文件名", metavar="文件")] = "",
) -> None:
    _record({"case": number, "by": by, "minutes": text, "proof": proof})


@app.command("hold", help="会议已召开:签到和纪要齐全后办结,并逐项交办议定事项。")
def hold(
    number: Number,
    by: By,
    held_on: Annotated[datetime | None, typer.Option("--on", help="召开日期;已登记的不用写", formats=Day)] = None,
    decided: Annotated[Several, typer.Option(help=DECIDED)] = [],  # noqa: B006 - typer copies it
    nothing: Annotated[bool, typer.Option("--nothing-decided", help="会议没有议定事项")] = False,
) -> None:
    with told(RecordMeeting):
        entries = [_entry(each) for each in decided]
    _record(
        {
            "case": number,
            "by": by,
            "held_on": held_on.date() if held_on else None,
            "resolutions": entries,
            "nothing_decided": nothing,
            "complete": True,
        }
    )


@app.command("resolve", help="办理议定事项:登记落实结果;--until 延期,--abandon 终止。")
def resolve(
    number: Item,
    by: By,
    result: Annotated[str, typer.Option(help="落实结果")] = "",
    on: Annotated[datetime | None, typer.Option(help="完成日期", formats=Day)] = None,
    proof: Annotated[str, typer.Option(help="证明材料:资料文件夹内的文件名", metavar="文件")] = "",
    until: Annotated[datetime | None, typer.Option(help="延期至哪一天", formats=Day)] = None,
    abandon: Annotated[bool, typer.Option("--abandon", help="终止,不再落实")] = False,
    reason: Reason = "",
) -> None:
    with opened() as resources:
        at = resources.clock.now()
        fields: dict[str, Any] = {"case": number, "by": by}
        if sum((on is not None or bool(result), until is not None, abandon)) != 1:
            raise Refused("default", "请写 --on 和 --result(已完成)、--until(延期)或 --abandon(终止),三者取一")
        if until is not None:
            with told(PostponeResolution):
                later = PostponeResolution.model_validate(fields | {"due_on": until.date(), "reason": reason})
                meeting_resolutions.postpone_resolution(resources, later, door=Door.CLI, at=at)
            typer.echo(f"完成期限延至{until.date()}")
        elif abandon:
            with told(Decide):
                verdict = Decide.model_validate(fields | {"verdict": Verdict.ABANDONED.label, "reason": reason})
                decisions.decide(resources, verdict, door=Door.CLI, at=at)
            typer.echo("议定事项已终止")
        else:
            with told(CompleteResolution):
                done_on: date | None = on.date() if on else None
                done = CompleteResolution.model_validate(
                    fields | {"done_on": done_on, "result": result, "proof": proof}
                )
                meeting_resolutions.complete_resolution(resources, done, door=Door.CLI, at=at)
            typer.echo("已登记落实结果")
        carry_on(resources, number)


@app.command("list", help="列出联席会议和未办结的议定事项,新的在前。")
def list_meetings(everything: Everything = False, most: Most = MOST) -> None:
    show_cases(CaseKind.JOINT_MEETING, CaseKind.RESOLUTION, what="联席会议和议定事项", everything=everything, most=most)


@app.command("show", help="查看一次会议或一个议定事项:安排、签到、纪要、落实情况、办理记录。")
def show(number: Number) -> None:
    with opened() as resources:
        show_case(resources, number)


def _record(fields: dict[str, Any]) -> None:
    with told(RecordMeeting), opened() as resources:
        command = RecordMeeting.model_validate(fields)
        left = meeting_records.record_meeting(resources, command, door=Door.CLI, at=resources.clock.now())
        if command.complete:
            typer.echo(f"会议已办结,纪要已印发,议定事项{len(command.resolutions)}项")
        else:
            typer.echo("已登记;" + (f"尚缺:{'、'.join(left)}" if left else "签到和纪要已经齐全,可以办结"))
        carry_on(resources, command.case)


def _entry(text: str) -> dict[str, str]:
    parts = [part.strip() for part in text.rsplit("=", 2)]
    if len(parts) != 3 or not all(parts):
        raise Refused("default", f"“{text}”不是议定事项,请写作 事项=承办人=期限,例如 更换音响=P010=2026-05-08")
    return {"text": parts[0], "responsible": parts[1], "due_on": parts[2]}
