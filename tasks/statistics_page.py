"""
The statistics as people read them: one set of sections, shown as a web page, as Markdown, or in the terminal.

Called by `tasks.statistics_report`, the flow and the command line. The page carries no scripts, loads nothing, and
prints on A4; its charts are inline SVG.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape
from markupsafe import Markup

from notifications.render import day, titled
from rules.masking import mask_text
from rules.statistics import Span, Sum, change, in_percent, one_decimal
from runtime.settings import PROJECT
from tasks.statistics_charts import BLUE, PALE, RED, Series, as_data_uri, bars, columns
from tasks.statistics_figures import SiteLine, Statistics, TargetLine

_MOST_IDLE = 200
"""Parlours without activities that a page lists; the workbook has them all."""
_MOST_BARS = 60
"""Bars of a chart; the table has them all."""


@dataclass(frozen=True)
class Head:
    """The head of a column."""

    name: str
    number: bool = True


@dataclass(frozen=True)
class Section:
    """A part of the report: charts, a table, remarks; any of them may be missing."""

    title: str
    pictures: tuple[str, ...] = ()
    """SVG."""
    heads: tuple[Head, ...] = ()
    rows: Sequence[Sequence[str]] = ()
    last: Sequence[str] = ()
    """The line of sums."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """A report."""

    title: str
    period: str
    summary: str
    office: str
    made_on: date
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = field(default=())
    """How was counted."""


def page_of(figures: Statistics) -> Page:
    """Return the report of these figures."""
    town, now = figures.town, figures.period.now
    return Page(
        title=f"{town}{figures.village}“{figures.plaque}”{figures.category}活动统计",
        period=f"统计期间：{now.text}（{day(now.first)}至{day(now.last)}）",
        summary=summary(figures),
        office=f"{town}社区办",
        made_on=figures.made_on,
        sections=tuple(_sections(figures)),
        notes=tuple(_notes(figures)),
    )


def summary(figures: Statistics) -> str:
    """Return in one sentence what was held, how many came, and how that compares."""
    total, period = figures.total, figures.period
    told = (
        f"{period.now.text}，{figures.town}{figures.village}“{figures.plaque}”共开展{figures.category}活动"
        f"{total.now.sessions:,}场，参加{total.now.attendance:,}人次"
    )
    if total.now.average is not None:
        told += f"，场均{_average(total.now)}人次"
    told += _compared_with(f"上期（{period.before.text}）", total.now, total.before)
    told += _compared_with(f"上年同期（{period.year_before.text}）", total.now, total.year_before)
    told += f"。期末运行{figures.running:,}处，期内运行过{figures.ran:,}处"
    told += f"，其中{len(figures.idle):,}处期内没有{figures.category}活动。" if figures.idle else "。"
    return told


def as_html(figures: Statistics) -> str:
    """Return the report as one web page that needs no other file."""
    page = page_of(figures)
    return _template(PROJECT / "templates").render(page=page)


def as_markdown(figures: Statistics, *, files: Iterable[str] = ()) -> str:
    """
    Return the report as Markdown, its charts as images that need no other file.

    Args:
        files: where the written reports are.
    """
    page = page_of(figures)
    lines = [f"# {page.title}", "", page.period, "", page.summary, ""]
    lines += [f"- 报告文件：`{file}`" for file in files]
    for section in page.sections:
        lines += ["", f"## {section.title}", ""]
        for picture in section.pictures:
            lines += [f"![{section.title}]({as_data_uri(picture)})", ""]
        if section.rows:
            lines += [_line(head.name for head in section.heads)]
            lines += [_line("---:" if head.number else "---" for head in section.heads)]
            lines += [_line(row) for row in (*section.rows, *([section.last] if section.last else []))]
            lines.append("")
        lines += [f"{note}\n" for note in section.notes]
    lines += ["", "## 统计口径", "", *(f"{n}. {note}" for n, note in enumerate(page.notes, 1))]
    return "\n".join(lines) + "\n"


def _sections(figures: Statistics) -> Iterable[Section]:
    yield _overview(figures)
    yield _by_span(figures)
    yield _by_category(figures)
    if not figures.village:
        yield _by_village(figures)
    yield _targets(figures)
    if figures.quota is not None:
        yield _quotas(figures)
    yield _themes(figures)
    yield _publicity(figures)
    yield _idle(figures)


def _overview(figures: Statistics) -> Section:
    total, period = figures.total, figures.period
    names = ("本期", "上期", "比上期", "上年同期", "比上年同期")
    rows = []
    for name, now, before, year_before in (
        ("活动场次", total.now.sessions, total.before.sessions, total.year_before.sessions),
        ("参加人次", total.now.attendance, total.before.attendance, total.year_before.attendance),
    ):
        changes = [in_percent(change(now, each), signed=True) for each in (before, year_before)]
        rows.append((name, f"{now:,}", f"{before:,}", changes[0], f"{year_before:,}", changes[1]))
    averages = [_average(each) for each in (total.now, total.before, total.year_before)]
    rows.append(("场均人次", averages[0], averages[1], "", averages[2], ""))
    return Section(
        "总体情况",
        heads=(Head("指标", number=False), *map(Head, names)),
        rows=rows,
        notes=(f"上期：{period.before.text}；上年同期：{period.year_before.text}。",),
    )


def _by_span(figures: Statistics) -> Section:
    series = figures.series
    labels = [part.short for part, _ in series]
    sums = [each for _, each in series]
    by = f"按{figures.by.label}"
    return Section(
        f"{by}统计",
        pictures=(
            columns(f"{by}活动场次", labels, Series("场次", [each.sessions for each in sums], RED)),
            columns(f"{by}参加人次", labels, Series("人次", [each.attendance for each in sums], BLUE)),
        ),
        heads=(Head("期间", number=False), *_COUNTED),
        rows=[(part.label, *_counted(each)) for part, each in series],
        last=("合计", *_counted(figures.total.now)),
        notes=("图中横轴为每周的第一日。",) if figures.by is Span.WEEK else (),
    )


def _by_category(figures: Statistics) -> Section:
    lines, total = figures.categories, figures.total.now
    labels = [each.name for each in lines]
    return Section(
        "按类别统计",
        pictures=(
            bars("各类活动场次", labels, [Series("场次", [each.sums.now.sessions for each in lines], RED)]),
            bars("各类活动参加人次", labels, [Series("人次", [each.sums.now.attendance for each in lines], BLUE)]),
        ),
        heads=(Head("活动类别", number=False), *_COUNTED, Head("占场次"), Head("占人次"), Head("上期场次")),
        rows=[
            (
                each.name,
                *_counted(each.sums.now),
                _part(each.sums.now.sessions, total.sessions),
                _part(each.sums.now.attendance, total.attendance),
                f"{each.sums.before.sessions:,}",
            )
            for each in lines
        ],
        last=("合计", *_counted(total), "", "", f"{figures.total.before.sessions:,}"),
    )


def _by_village(figures: Statistics) -> Section:
    lines, total = figures.villages, figures.total
    pictures: tuple[str, ...] = ()
    if len(lines) <= _MOST_BARS:
        labels = [each.name for each in lines]
        pictures = (
            bars("各村（居）活动场次", labels, [Series("场次", [each.sums.now.sessions for each in lines], RED)]),
            bars("各村（居）参加人次", labels, [Series("人次", [each.sums.now.attendance for each in lines], BLUE)]),
        )
    heads = ("期末运行", "期内运行过", "无活动", "月度主题")
    return Section(
        "按村（居）统计",
        pictures=pictures,
        heads=(Head("村（居）", number=False), *_COUNTED, Head("上期场次"), Head("增减"), *map(Head, heads)),
        rows=[
            (
                each.name,
                *_counted(each.sums.now),
                f"{each.sums.before.sessions:,}",
                in_percent(change(each.sums.now.sessions, each.sums.before.sessions), signed=True),
                *(f"{number:,}" for number in (each.running, each.ran, each.idle, each.themes)),
            )
            for each in lines
        ],
        last=(
            "合计",
            *_counted(total.now),
            f"{total.before.sessions:,}",
            in_percent(change(total.now.sessions, total.before.sessions), signed=True),
            *(
                f"{number:,}"
                for number in (figures.running, figures.ran, len(figures.idle), sum(each.themes for each in lines))
            ),
        ),
    )


def _targets(figures: Statistics) -> Section:
    title = "建设目标（全镇）" if figures.village else "建设目标"
    if not figures.targets:
        return Section(title, notes=("所用政策没有按美丽乡村等级规定建设目标。",))
    wanted = figures.aimed
    pictures: tuple[str, ...] = ()
    if 0 < len(wanted) <= _MOST_BARS:
        pictures = (
            bars(
                "建设目标与已建成（有客堂间运行的村（居）民小组）",
                [f"{each.village}·{each.grade}" for each in wanted],
                [
                    Series("目标", [each.target for each in wanted], PALE),
                    Series("已建成", [each.stands for each in wanted], RED),
                ],
            ),
        )
    heads = ("村（居）民小组", "目标", "已建成", "尚差", "完成率")
    total = [sum(each) for each in zip(*((x.groups, x.target, x.stands, x.short) for x in wanted), strict=True)]
    return Section(
        title,
        pictures=pictures,
        heads=(Head("村（居）", number=False), Head("等级", number=False), *map(Head, heads)),
        rows=[(each.village, each.grade, *_against(each)) for each in figures.targets],
        last=("合计（设目标的）", "", *(f"{each:,}" for each in total), in_percent(figures.achieved)),
        notes=(
            f"目标按各等级小组数乘以政策规定的比例、向上取整；已建成以{day(figures.period.now.last)}正在运行的为准。"
            "合计的完成率中，一处超出目标的不抵另一处的缺口。",
        ),
    )


def _quotas(figures: Statistics) -> Section:
    quota = figures.quota
    if quota is None:
        return Section("年度建设数量")
    least, most = quota.per_village_per_year_at_least, quota.per_village_per_year_at_most
    return Section(
        f"{figures.quota_year}年建设数量",
        heads=(Head("村（居）", number=False), Head("已建成"), Head("尚差")),
        rows=[(each.village, f"{each.built:,}", f"{each.short:,}") for each in figures.quotas],
        last=(
            "合计",
            f"{sum(each.built for each in figures.quotas):,}",
            f"{sum(each.short for each in figures.quotas):,}",
        ),
        notes=(f"每村（居）每年{least}至{most}个（{quota.where}）；以当年批准的申请计。",),
    )


def _themes(figures: Statistics) -> Section:
    if not figures.themes:
        return Section("月度主题", notes=("期内各月没有报送的主题。",))
    return Section(
        "月度主题",
        heads=(Head("月份", number=False), Head("报送"), Head("其中逾期")),
        rows=[
            (f"{each.month.year}年{each.month.month}月", f"{each.reported:,}", f"{each.late:,}")
            for each in figures.themes
        ],
        last=(
            "合计",
            f"{sum(each.reported for each in figures.themes):,}",
            f"{sum(each.late for each in figures.themes):,}",
        ),
    )


def _publicity(figures: Statistics) -> Section:
    if not figures.publicity:
        return Section("宣传报道", notes=("期内没有宣传报道，政策也没有列出宣传渠道。",))
    return Section(
        "宣传报道",
        heads=(Head("渠道", number=False), Head("篇数")),
        rows=[(name, f"{count:,}") for name, count in figures.publicity],
        last=("合计", f"{sum(count for _, count in figures.publicity):,}"),
    )


def _idle(figures: Statistics) -> Section:
    idle = figures.idle
    title = f"期内没有{figures.category}活动的{figures.plaque}"
    if not idle:
        return Section(title, notes=("没有。期内运行过的都开展了活动。" if figures.ran else "期内没有运行的。",))
    shown = idle[:_MOST_IDLE]
    rest = len(idle) - len(shown)
    return Section(
        title,
        heads=tuple(Head(name, number=False) for name in ("编号", "村（居）", "小组", "特色主题", "期末状态")),
        rows=[_idle_row(each) for each in shown],
        notes=(f"共{len(idle):,}处。" + (f"另有{rest:,}处未列，见表格中“按客堂间”一页。" if rest else ""),),
    )


def _idle_row(line: SiteLine) -> tuple[str, ...]:
    standing = "运行" if line.running else "未运行"
    return (line.number, line.village, line.group, mask_text(line.speciality), standing)


def _notes(figures: Statistics) -> Iterable[str]:
    yield "场次、人次按活动举办的日期统计，与登记的日期无关；作废的记录不计。同一人参加两次活动计2人次。"
    yield "场均人次、增减和占比由整数相除，只在显示时四舍五入到一位小数，不用于再计算。"
    yield (
        f"上期是紧接本期之前、长度相同的期间（{figures.period.before.text}），"
        f"上年同期是上一年的相同日期（{figures.period.year_before.text}）；没有基数的不计算增减。"
    )
    if figures.scheme:
        yield f"活动类别、建设目标依据{titled(figures.scheme)}。"


_COUNTED = (Head("场次"), Head("人次"), Head("场均人次"))


def _counted(each: Sum) -> tuple[str, str, str]:
    return f"{each.sessions:,}", f"{each.attendance:,}", _average(each)


def _average(each: Sum) -> str:
    return "—" if each.average is None else f"{one_decimal(each.average):,f}"


def _part(count: int, of: int) -> str:
    return in_percent(Fraction(count, of) if of else None)


def _compared_with(what: str, now: Sum, before: Sum) -> str:
    """Return a clause of the summary; empty when there is nothing to compare with."""
    if not before.sessions:
        return ""
    told = []
    for more, what_of, unit in (
        (now.sessions - before.sessions, "场次", "场"),
        (now.attendance - before.attendance, "人次", "人次"),
    ):
        told.append(f"{'增加' if more > 0 else '减少'}{abs(more):,}{unit}" if more else f"{what_of}持平")
    return f"；比{what}{'、'.join(told)}"


def _against(line: TargetLine) -> tuple[str, ...]:
    return (*(f"{each:,}" for each in (line.groups, line.target, line.stands, line.short)), in_percent(line.share))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in cells)} |"


@lru_cache(maxsize=4)
def _template(templates: Path) -> Template:
    environment = Environment(
        loader=FileSystemLoader(templates, encoding="utf-8"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    # A picture has been escaped by its own template.
    environment.filters.update(day=day, picture=Markup)
    return environment.get_template("reports/statistics.html")
