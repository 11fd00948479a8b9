"""
``ketang policy``: look at the shipped policy files, check one before it is published, print the schema.

Mounted by `cli.main`. Reads files only; publishing and pinning to cases happen elsewhere.
"""

import json
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console, RenderableType
from rich.table import Table

from cli.policy_life_rules import add_life_rules
from cli.policy_rules import add_notice_rules, add_project_rules, fraction, where_of
from policies.edition import Edition
from policies.errors import BadPolicy
from policies.load import EDITIONS, LoadedEdition, edition_schema, faults_of, load_all, load_edition
from policies.notice_scheme import NoticePeriod
from policies.sections import InForce, Timing
from policies.site_scheme import (
    AreaStandard,
    ConfirmationStandard,
    CountStandard,
    FacilityStandard,
    SiteScheme,
    Standard,
)
from policies.vocabulary import Gate
from rules.money import in_yuan
from rules.window import spoken_day, spoken_window

app = typer.Typer(no_args_is_help=True)

_Folder = Annotated[Path, typer.Option("--folder", help="存放政策文件的文件夹。")]


@app.command("list", help="列出全部政策文件。")
def list_editions(folder: _Folder = EDITIONS) -> None:
    """List every edition in the folder."""
    table = _table("编号", "名称", "镇(街道)", "文号", "施行期间", "SHA-256")
    for edition_id, loaded in _load_all(folder).items():
        edition = loaded.edition
        table.add_row(
            edition_id,
            edition.title,
            edition.township,
            edition.document_number or "—",
            _in_force(edition.in_force),
            loaded.sha256[:12],
        )
    _show(table)


@app.command("show", help="查看一份政策文件的全部规定及其条款。")
def show_edition(
    edition_id: Annotated[str, typer.Argument(metavar="ID", help="政策编号,例如 zhujiajiao-2018。")],
    folder: _Folder = EDITIONS,
) -> None:
    """Show every rule of one edition with its clause."""
    editions = _load_all(folder)
    if edition_id not in editions:
        typer.echo(f"没有编号为“{edition_id}”的政策文件,现有:{'、'.join(editions) or '无'}", err=True)
        raise typer.Exit(1)
    _show_edition(editions[edition_id])


@app.command("check", help="检查一份政策文件,一次列出全部错误。")
def check_edition(file: Annotated[Path, typer.Argument(metavar="FILE", help="要检查的政策文件。")]) -> None:
    """Check one file and list every fault; exit 1 when there is any."""
    try:
        loaded = load_edition(file)
    except BadPolicy as error:
        raise _refused(error) from None
    typer.echo(f"{file}:无误。编号 {loaded.edition.id},SHA-256 {loaded.sha256}")


@app.command("schema", help="输出政策文件的 JSON Schema,供编辑器使用。")
def print_schema() -> None:
    """Print the JSON schema of a policy file."""
    typer.echo(json.dumps(edition_schema(), ensure_ascii=False, indent=2))


def _load_all(folder: Path) -> dict[str, LoadedEdition]:
    try:
        return load_all(folder)
    except BadPolicy as error:
        raise _refused(error) from None


def _refused(error: BadPolicy) -> typer.Exit:
    faults = faults_of(error)
    for fault in faults:
        typer.echo(str(fault), err=True)
    typer.echo(f"共{len(faults)}处错误,请改正后再检查。", err=True)
    return typer.Exit(1)


def _show_edition(loaded: LoadedEdition) -> None:
    edition = loaded.edition
    typer.echo(f"{edition.title}({edition.township})")
    typer.echo(f"编号 {edition.id} · 文号 {edition.document_number or '无'} · 原文 {edition.source_document}")
    typer.echo(f"施行 {_in_force(edition.in_force)} · {_numbers(edition)}")
    typer.echo(f"SHA-256 {loaded.sha256}\n")

    rules = _table("事项", "规定", "依据")
    if edition.site is not None:
        _site_rules(rules, edition.site)
    if edition.micro_project is not None:
        add_project_rules(rules, edition.micro_project)
    if edition.notices is not None:
        add_notice_rules(rules, edition.notices)
    rules.add_row("补正次数", f"至多{edition.scheme.returns.at_most}次", where_of(edition.scheme.returns))
    rules.add_row("催办间隔", f"至少{edition.urging.at_least_hours_between}小时", where_of(edition.urging))
    if retention := edition.retention:
        spans = "、".join(f"{kind.label}{years}年" for kind, years in retention.years.items())
        rules.add_row("办结后归档", f"至少保留:{spans}", where_of(retention))
    _show(rules)

    gates = _table("环节", "由谁办理", "期限", "提醒", "督办", "届满即", "依据")
    for gate in Gate:
        try:
            gates.add_row(*_gate(gate, edition.timing(gate)))
        except KeyError:
            continue
    _show(gates)
    if edition.site is not None:
        rule = edition.site.gates.household_consent.rule
        typer.echo(f"农户同意:本组全部农户的 {fraction(rule.at_least)} 同意方为通过({where_of(rule)})")


def _numbers(edition: Edition) -> str:
    prefixes = []
    if site := edition.site:
        prefixes.append(f"牌匾“{site.plaque_text}” · 案号 {site.case_prefix}-年份-序号")
    if projects := edition.micro_project:
        prefixes.append(f"征集号 {projects.call_prefix}-年份-序号 · 项目号 {projects.project_prefix}-年份-序号")
    if notices := edition.notices:
        prefixes.append(f"公示号 {notices.case_prefix}-年份-序号")
    return " · ".join(prefixes)


def _site_rules(rules: Table, scheme: SiteScheme) -> None:
    for phase in scheme.phases:
        accepts = "受理申请" if phase.accepts_applications else "不受理申请"
        rules.add_row(f"阶段 · {phase.name}", f"{spoken_window(phase)},{accepts}", where_of(phase))
    leader = scheme.leader
    rules.add_row("负责人 · 来源", "、".join(source.label for source in leader.sources), where_of(leader))
    rules.add_row("负责人 · 组织推荐", "须有" if leader.recommendation_required else "不要求", where_of(leader))
    rules.add_row("负责人 · 本人意愿", "须愿意" if leader.own_consent_required else "不要求", where_of(leader))
    for standard in scheme.standards:
        rules.add_row(f"标准 · {standard.name}", _standard(standard), where_of(standard))
    if quota := scheme.quota:
        span = f"每村(居)每年{quota.per_village_per_year_at_least}至{quota.per_village_per_year_at_most}个"
        rules.add_row("年度数量", span, where_of(quota))
    if targets := scheme.targets:
        shares = "、".join(f"{grade.label}{fraction(share)}" for grade, share in targets.shares.items())
        rules.add_row("推进比例", f"{shares}(村(居)民小组总数)", where_of(targets))
    for work in scheme.works:
        rules.add_row("挂牌布置", work.name, where_of(work))
    if subsidy := scheme.subsidy:
        purposes = "、".join(purpose.name for purpose in subsidy.purposes)
        rules.add_row("补贴", f"{in_yuan(subsidy.amount_yuan * 100)},限用于{purposes}", where_of(subsidy))
    for category in scheme.activity_categories:
        rules.add_row("活动类别", category.name, where_of(category))
    for channel in scheme.publicity_channels:
        rules.add_row("宣传载体", channel.name, where_of(channel))
    add_life_rules(rules, scheme)


def _gate(gate: Gate, policy: Timing) -> tuple[str, ...]:
    unit, remind, escalate = policy.due.unit.label, policy.remind, policy.escalate
    late = ""
    if escalate is not None:
        late = f"逾期{escalate.after_days}{unit}" if escalate.after_days else "届满当时"
    counted = ""
    if isinstance(policy.due, NoticePeriod):
        counted = ",首日计入" if policy.due.start_counted else ",首日不计"
    return (
        gate.label,
        policy.decided_by.label,
        f"{policy.due.days}{unit}{counted}",
        f"提前{'、'.join(map(str, remind.days_before))}{unit}" if remind else "—",
        f"{late}报{escalate.to.label}" if escalate else "—",
        policy.lapse.verdict.label if policy.lapse else "继续待办",
        f"{where_of(policy)}(期限:{where_of(policy.due)})",
    )


def _standard(standard: Standard) -> str:
    match standard:
        case CountStandard(at_least=low, at_most=high):
            bounds = (f"{low}人以上" if low is not None else "") + (f"{high}人以下" if high is not None else "")
        case AreaStandard(at_least_square_metres=low):
            bounds = f"不少于{low}平方米"
        case FacilityStandard(any_of=choices):
            bounds = f"须有{'或'.join(choice.label for choice in choices)}"
        case ConfirmationStandard():
            bounds = "由申请人确认"
    return f"{bounds};不符合:{standard.firmness.label}"


def _in_force(span: InForce) -> str:
    return f"{spoken_day(span.from_)}起" + (f"至{spoken_day(span.until)}(不含)" if span.until else "")


def _table(*heads: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold", no_wrap=head == "依据")
    return table


def _show(what: RenderableType) -> None:
    page = StringIO()
    Console(file=page, width=max(Console().width, 120)).print(what)
    typer.echo(page.getvalue().rstrip("\n"))
