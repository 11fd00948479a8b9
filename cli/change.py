"""``ketang change``: changes of listed parlours, by the same command as the form."""

from datetime import datetime
from typing import Annotated

import typer

from cli.context import carry_on, opened, told
from cli.listing import MOST, Everything, Most, legible, show_case, show_cases
from policies.errors import Refused
from policies.vocabulary import CaseKind, Door
from tasks import changes
from tasks.cases import load_case
from tasks.change_commands import ApplyForChange

app = typer.Typer(no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="变更的案件编号,例如 KTBG-2026-0001", metavar="案件编号")]
Several = list[str]


@app.command("apply", help="申请变更:更换负责人、迁址、申请暂停运行、注销;只写所申请事项的各项。")
def apply(
    site: Annotated[str, typer.Argument(help="客堂间:名册中的编号或户号", metavar="客堂间")],
    kind: Annotated[str, typer.Option(help="变更事项:更换负责人、迁址、申请暂停运行、注销")],
    by: Annotated[str, typer.Option("--by", help="申请人:人员编号或姓名", metavar="人员")],
    reason: Annotated[str, typer.Option(help="变更理由")],
    leader: Annotated[str, typer.Option(help="更换负责人:新负责人的人员编号")] = "",
    leader_source: Annotated[str, typer.Option(help="更换负责人:新负责人来源,例如 党员骨干")] = "",
    recommended_by: Annotated[str, typer.Option(help="更换负责人:推荐组织")] = "",
    leader_agrees: Annotated[bool, typer.Option(help="更换负责人:新负责人本人同意")] = False,
    household: Annotated[str, typer.Option(help="迁址:迁入户号")] = "",
    household_agrees: Annotated[bool, typer.Option(help="迁址:迁入户户主自愿")] = False,
    volunteers: Annotated[int, typer.Option(help="迁址:志愿者人数")] = 0,
    area: Annotated[str, typer.Option(help="迁址:新址活动空间面积(平方米)")] = "0",
    facility: Annotated[Several, typer.Option(help="迁址:新址现有设施,可重复")] = [],  # noqa: B006 - typer copies it
    confirm: Annotated[Several, typer.Option(help="迁址:须书面确认的标准,可重复")] = [],  # noqa: B006 - as above
    rests_from: Annotated[datetime | None, typer.Option(help="暂停首日", formats=["%Y-%m-%d"])] = None,
    rests_until: Annotated[datetime | None, typer.Option(help="暂停末日", formats=["%Y-%m-%d"])] = None,
    key: Annotated[str, typer.Option(help="同一标识只受理一次;留空则按客堂间、事项和时间")] = "",
) -> None:
    with told(ApplyForChange), opened() as resources:
        at = resources.clock.now()
        command = ApplyForChange.model_validate(
            {
                "site": site,
                "by": by,
                "kind": kind,
                "reason": reason,
                "leader": leader,
                "leader_source": leader_source,
                "recommended_by": recommended_by,
                "leader_agrees": leader_agrees,
                "household": household,
                "household_agrees": household_agrees,
                "volunteers": volunteers,
                "area_square_metres": area,
                "facilities": facility,
                "confirmations": confirm,
                "rests_from": rests_from.date() if rests_from else None,
                "rests_until": rests_until.date() if rests_until else None,
            }
        )
        opening = f"cli:{key or f'{command.site}:{command.kind.value}:{at.isoformat()}'}"
        number = changes.apply_for_change(resources, command, door=Door.CLI, key=opening, at=at)
        typer.echo(f"已受理,案件编号 {number}")
        carry_on(resources, number)


@app.command("list", help="列出变更,新的在前。")
def list_changes(everything: Everything = False, most: Most = MOST) -> None:
    show_cases(CaseKind.SITE_CHANGE, what="变更", everything=everything, most=most)


@app.command(
    "show", help="查看一项变更:申请内容、意见、等待谁、办理记录。办理用 ketang case decide、consent、work、withdraw。"
)
def show(number: Number) -> None:
    with opened() as resources:
        with legible(number), resources.database.read() as session:
            if load_case(session, number, lock=False).kind is not CaseKind.SITE_CHANGE:
                raise Refused("default", f"案件 {number} 不是客堂间变更;请用 ketang case show {number} 查看")
        show_case(resources, number)
