"""``ketang evaluation``: the yearly evaluation of sites and villages, by the same commands as the forms."""

from typing import Annotated

import typer

from cli.context import carry_on, opened, told
from cli.listing import MOST, Everything, Most, show_case, show_cases
from models.evaluation import EvaluationResult
from policies.errors import Refused
from policies.vocabulary import CaseKind, Door
from tasks.cases import load_case
from tasks.year_commands import OpenEvaluation
from tasks.year_evaluation import open_evaluation
from tasks.year_results import evaluation_of, name_of, results_of
from tasks.year_words import award_of, score_lines, site_line, village_line

app = typer.Typer(no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="考核的案件编号,例如 KTKH-2027-0001", metavar="考核编号")]


@app.command("open", help="开启一个年度的考核;每个镇(街道)每年一次,平时由系统到期自动开启。")
def open_year(
    by: Annotated[str, typer.Option("--by", help="经办人:人员编号或姓名", metavar="人员")],
    town: Annotated[str, typer.Option(help="镇(街道)的编码或名称")],
    year: Annotated[int, typer.Option(help="考核年度,须已结束")],
    key: Annotated[str, typer.Option(help="同一标识只开启一次;留空则按镇和年度")] = "",
) -> None:
    with told(OpenEvaluation), opened() as resources:
        command = OpenEvaluation(town=town, year=year, by=by)
        at = resources.clock.now()
        opening = f"cli:{key or f'{town}:{year}:{at.isoformat()}'}"
        number = open_evaluation(resources, command, door=Door.CLI, key=opening, at=at)
        typer.echo(f"已开启{year}年度考核,案件编号 {number}")
        carry_on(resources, number)


@app.command("list", help="列出年度考核,新的在前。")
def list_evaluations(everything: Everything = False, most: Most = MOST) -> None:
    show_cases(CaseKind.ANNUAL_EVALUATION, what="年度考核", everything=everything, most=most)


@app.command("show", help="查看一次考核:名次、等待谁、办理记录。")
def show(number: Number) -> None:
    with opened() as resources:
        show_case(resources, number)


@app.command("results", help="列出名次;写明客堂间或村(居)的,逐项说明得分怎样算出。")
def results(
    number: Number,
    of: Annotated[str, typer.Option("--of", help="只看这个客堂间(编号)或村(居)(编码或名称)", metavar="对象")] = "",
    round_: Annotated[int, typer.Option("--round", help="第几次计算;不写为最近一次", min=0)] = 0,
) -> None:
    with opened() as resources, resources.database.read() as session:
        case = load_case(session, number, lock=False)
        if case.kind is not CaseKind.ANNUAL_EVALUATION:
            raise Refused("default", f"案件 {case.number} 是“{case.kind.label}”,不是年度考核")
        evaluation = evaluation_of(session, case)
        found = results_of(session, evaluation, round_=round_ or None)
        wanted = [each for each in found if not of or of.strip() in _names(each)]
        if not wanted:
            raise Refused(
                "default",
                f"考核 {case.number} 第{round_ or evaluation.round}次计算中没有"
                + (f"“{of}”的结果;请填写客堂间编号、村(居)编码或名称" if of else "结果"),
            )
        state = "已公示确定" if evaluation.final else "未确定"
        typer.echo(f"{case.title},第{round_ or evaluation.round}次计算(共{evaluation.round}次),{state}")
        for each in wanted:
            typer.echo(site_line(case, each) if each.site is not None else village_line(case, each))
            if of:
                typer.echo("\n".join(f"  {line}" for line in score_lines(case, each)))
        if not of:
            typer.echo(f"拟计入以奖代拨合计{award_of([each for each in found if each.site is not None])}")


def _names(result: EvaluationResult) -> set[str]:
    """Return by what people name a result's site or village."""
    if result.site is None:
        return {result.village.code, result.village.name}
    return {name_of(result), result.site.number.removesuffix("-S")}
