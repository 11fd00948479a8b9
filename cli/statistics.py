"""``ketang statistics``: sessions and attendance of a period, in the terminal or as a workbook and a web page."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, NamedTuple, TypeVar

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.context import opened
from policies.errors import Refused
from policies.vocabulary import Word
from rules.periods import shanghai_day
from rules.statistics import PeriodChoice, Span, chosen
from runtime.resources import Resources
from tasks.statistics import statistics
from tasks.statistics_figures import Statistics, Wanted
from tasks.statistics_page import page_of
from tasks.statistics_report import write_book, write_page, write_report

app = typer.Typer(no_args_is_help=True)

DAY = ["%Y-%m-%d"]
ChoiceOption = Annotated[
    str,
    typer.Option(
        "--period", metavar="期间", help=f"{'、'.join(each.label for each in PeriodChoice)};不写为上月,写了日期为自定。"
    ),
]
FirstOption = Annotated[datetime | None, typer.Option("--first", formats=DAY, metavar="日期", help="自定的起始日。")]
LastOption = Annotated[
    datetime | None, typer.Option("--last", formats=DAY, metavar="日期", help="自定的截止日,当日计入。")
]
TownOption = Annotated[str, typer.Option("--town", metavar="编码", help="镇(街道);只有一个有客堂间的可以不写。")]
VillageOption = Annotated[str, typer.Option("--village", metavar="编码", help="只统计这个村(居)。")]
CategoryOption = Annotated[str, typer.Option("--category", metavar="类别", help="只统计这类活动。")]
ByOption = Annotated[
    str,
    typer.Option("--by", metavar="分段", help=f"{'、'.join(each.label for each in Span)};不写则按期间长短。"),
]


W = TypeVar("W", bound=Word)


class _Days(NamedTuple):
    period: str
    first: datetime | None
    last: datetime | None


class _Asked(NamedTuple):
    town: str
    village: str
    category: str
    by: str


@app.command("show", help="显示一个期间的活动场次、参加人次、建设目标、主题和宣传。")
def show(
    period: ChoiceOption = "",
    first: FirstOption = None,
    last: LastOption = None,
    town: TownOption = "",
    village: VillageOption = "",
    category: CategoryOption = "",
    by: ByOption = "",
) -> None:
    with opened() as resources:
        figures = _counted(resources, _Days(period, first, last), _Asked(town, village, category, by))
    page = page_of(figures)
    console = Console(width=max(Console().width, 120))
    console.print(f"[bold]{escape(page.title)}[/]\n{escape(page.period)}\n{escape(page.summary)}")
    for section in page.sections:
        table = Table(title=escape(section.title), title_justify="left", box=box.SIMPLE, show_footer=bool(section.last))
        for place, head in enumerate(section.heads):
            footer = section.last[place] if section.last else ""
            table.add_column(head.name, footer=escape(footer), justify="right" if head.number else "left")
        for row in section.rows:
            table.add_row(*map(escape, row))
        if section.rows:
            console.print(table)
        else:
            console.print(f"[italic]{escape(section.title)}[/]")
        for note in section.notes:
            console.print(escape(note))


@app.command("export", help="写出表格(带图表)和网页;都不写文件名时,两样都写进资料文件夹。")
def export(
    xlsx: Annotated[
        Path | None, typer.Option("--xlsx", metavar="FILE.xlsx", help="要写的表格;不会覆盖已有文件。")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE.html", help="要写的网页;不会覆盖已有文件。")
    ] = None,
    period: ChoiceOption = "",
    first: FirstOption = None,
    last: LastOption = None,
    town: TownOption = "",
    village: VillageOption = "",
    category: CategoryOption = "",
    by: ByOption = "",
) -> None:
    with opened() as resources:
        figures = _counted(resources, _Days(period, first, last), _Asked(town, village, category, by))
        written = []
        if xlsx is not None:
            write_book(figures, xlsx)
            written.append(xlsx)
        if html is not None:
            write_page(figures, html)
            written.append(html)
        if not written:
            report = write_report(resources.settings, figures)
            written = [report.book, report.page]
    for path in written:
        typer.echo(f"已写出:{path}")


def _counted(resources: Resources, days: _Days, asked: _Asked) -> Statistics:
    at = resources.clock.now()
    own = days.first is not None or days.last is not None
    choice = _word(PeriodChoice, days.period or (PeriodChoice.CUSTOM if own else PeriodChoice.LAST_MONTH), "期间")
    period = chosen(
        choice,
        on=shanghai_day(at),
        first=days.first.date() if days.first else None,
        last=days.last.date() if days.last else None,
    )
    by = _word(Span, asked.by, "分段") if asked.by else None
    wanted = Wanted(period, town=asked.town, village=asked.village, category=asked.category, by=by)
    return statistics(resources, wanted, at=at)


def _word(words: type[W], text: str, what: str) -> W:
    word = words.by_label(text)
    if word is None:
        raise Refused("default", f"没有“{text}”这种{what};可以写:{'、'.join(each.label for each in words)}")
    return word
