"""
The statistics as a workbook: numbers as numbers, and charts that the reader's own Excel or WPS draws.

Called by `tasks.statistics_report`. The charts are the spreadsheet's, so they have its fonts, can be changed by hand,
and follow the numbers.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.chart.label import DataLabelList
from openpyxl.worksheet.worksheet import Worksheet

from rules.statistics import Span, Sum, added, change, one_decimal
from tasks.register_book import Cell, Column, add_sheet, counts, days, new_book, texts
from tasks.statistics_figures import Statistics

RED, BLUE, PALE = "B5281E", "2F5D8A", "D9CFC4"
_SHEETS = {
    Span.WEEK: "按周",
    Span.MONTH: "按月",
    Span.QUARTER: "按季度",
    Span.HALF_YEAR: "按半年",
    Span.YEAR: "按年",
}
_MOST_BARS = 60
"""A chart of more villages than this can not be read; the table has them all."""
_ONE_PAGE = 40
"""Rows of a table that can be read with its charts on one printed page."""


def make_book(figures: Statistics) -> Workbook:
    """Return the workbook: 总表, 按月 (and by the wanted stretches), 按周, 按类别, 按村(居), 按客堂间, 建设目标."""
    book = new_book()
    _overview(book, figures)
    for span in sorted({Span.MONTH, Span.WEEK, figures.by}, key=list(_SHEETS).index, reverse=True):
        _by_span(book, figures, span)
    _by_category(book, figures)
    _by_village(book, figures)
    _by_site(book, figures)
    _targets(book, figures)
    return book


def _average(head: str = "场均人次") -> Column:
    return Column(head, 10, "0.0")


def _share(head: str) -> Column:
    return Column(head, 11, "0.0%")


def _mixed(head: str) -> Column:
    """Return a column of whole numbers, averages and texts."""
    return Column(head, 16, "General")


def _overview(book: Workbook, figures: Statistics) -> None:
    total, period = figures.total, figures.period
    columns = [
        texts("指标", 26),
        _mixed("本期"),
        _mixed("上期"),
        _share("比上期"),
        _mixed("上年同期"),
        _share("比上年同期"),
        texts("说明", 46),
    ]

    def compared(name: str, now: int, before: int, year_before: int, note: str = "") -> list[Cell]:
        changes = (_percent(change(now, before)), _percent(change(now, year_before)))
        return [name, now, before, changes[0], year_before, changes[1], note]

    def alone(name: str, value: Cell, note: str = "") -> list[Cell]:
        return [name, value, None, None, None, None, note]

    rows: list[list[Cell]] = [
        ["统计期间", period.now.text, period.before.text, None, period.year_before.text, None, "按活动举办日期统计"],
        alone("统计范围", f"{figures.town}{figures.village}"),
        alone("活动类别", figures.category or "全部"),
        compared(
            "活动场次",
            total.now.sessions,
            total.before.sessions,
            total.year_before.sessions,
            "作废的记录不计",
        ),
        compared("参加人次", total.now.attendance, total.before.attendance, total.year_before.attendance),
        [
            "场均人次",
            _rounded(total.now.average),
            _rounded(total.before.average),
            None,
            _rounded(total.year_before.average),
            None,
            "人次除以场次,只在显示时四舍五入到一位小数",
        ],
        alone(f"期末运行的{figures.plaque}", figures.running, f"{period.now.last}正在运行的"),
        alone(f"期内运行过的{figures.plaque}", figures.ran, "至少有一日正在运行的"),
        alone("其中期内无活动的", len(figures.idle), "按客堂间一表中场次为0的"),
        alone("报送的月度主题", sum(each.reported for each in figures.themes), "期内各月的主题"),
        alone("其中逾期报送的", sum(each.late for each in figures.themes)),
        alone("宣传报道", sum(count for _, count in figures.publicity), "期内刊发的"),
        *(alone(f"其中{name}", count) for name, count in figures.publicity),
        alone("政策", f"《{figures.scheme}》" if figures.scheme else "未指定"),
        alone("制表日期", figures.made_on.isoformat()),
    ]
    sheet = add_sheet(book, "总表", columns, rows, last=())
    sheet.auto_filter.ref = None


def _by_span(book: Workbook, figures: Statistics, span: Span) -> None:
    columns = [
        texts("期间", 30),
        days("起"),
        days("止"),
        counts("活动场次", summed=True),
        counts("参加人次", summed=True),
        _average(),
    ]
    series = figures.told_by(span)
    rows: list[list[Cell]] = [
        [part.label, part.period.first, part.period.last, *_numbers(each)] for part, each in series
    ]
    total = added(each for _, each in series)
    sheet = add_sheet(book, _SHEETS[span], columns, rows, last=["合计", None, None, *_numbers(total)])
    _chart(sheet, "活动场次", len(rows), [(4, RED)], at=0)
    _chart(sheet, "参加人次", len(rows), [(5, BLUE)], at=1)


def _by_category(book: Workbook, figures: Statistics) -> None:
    columns = [
        texts("活动类别", 22),
        counts("活动场次", summed=True),
        _share("占场次"),
        counts("参加人次", summed=True),
        _share("占人次"),
        _average(),
        counts("上期场次", summed=True),
        counts("上期人次", summed=True),
        counts("上年同期场次", summed=True),
        counts("上年同期人次", summed=True),
    ]
    total = figures.total

    def row(name: str, now: Sum, *earlier: Sum) -> list[Cell]:
        before = [number for each in earlier for number in (each.sessions, each.attendance)]
        return [
            name,
            now.sessions,
            _percent(_part(now.sessions, total.now.sessions)),
            now.attendance,
            _percent(_part(now.attendance, total.now.attendance)),
            _rounded(now.average),
            *before,
        ]

    rows = [row(each.name, each.sums.now, each.sums.before, each.sums.year_before) for each in figures.categories]
    last = row("合计", total.now, total.before, total.year_before)
    sheet = add_sheet(book, "按类别", columns, rows, last=last)
    _chart(sheet, "各类活动场次", len(rows), [(2, RED)], at=0)
    _chart(sheet, "各类活动参加人次", len(rows), [(4, BLUE)], at=1)


def _by_village(book: Workbook, figures: Statistics) -> None:
    names = [each.name for each in figures.categories]
    columns = [
        texts("村(居)", 18),
        counts("期末运行", summed=True),
        counts("期内运行过", summed=True),
        counts("期内无活动", summed=True),
        counts("活动场次", summed=True),
        counts("参加人次", summed=True),
        _average(),
        counts("上期场次", summed=True),
        counts("上期人次", summed=True),
        _share("场次比上期"),
        _share("人次比上期"),
        counts("上年同期场次", summed=True),
        counts("上年同期人次", summed=True),
        counts("月度主题", summed=True),
        *(Column(f"{name}场次", 12, "0", summed=True) for name in names),
    ]
    rows: list[list[Cell]] = []
    for each in figures.villages:
        sums = each.sums
        rows.append(
            [
                each.name,
                each.running,
                each.ran,
                each.idle,
                *_numbers(sums.now),
                sums.before.sessions,
                sums.before.attendance,
                _percent(change(sums.now.sessions, sums.before.sessions)),
                _percent(change(sums.now.attendance, sums.before.attendance)),
                sums.year_before.sessions,
                sums.year_before.attendance,
                each.themes,
                *(each.by_category[name].sessions if name in each.by_category else 0 for name in names),
            ]
        )
    total = figures.total
    last: list[Cell] = [
        sum(value for row in rows if isinstance(value := row[place], int)) if column.summed else None
        for place, column in enumerate(columns)
    ]
    last[0] = "合计"
    last[6] = _rounded(total.now.average)
    last[9] = _percent(change(total.now.sessions, total.before.sessions))
    last[10] = _percent(change(total.now.attendance, total.before.attendance))
    sheet = add_sheet(book, "按村(居)", columns, rows, last=last)
    _chart(sheet, "各村(居)活动场次", len(rows), [(5, RED)], at=0, lying=True)
    _chart(sheet, "各村(居)参加人次", len(rows), [(6, BLUE)], at=1, lying=True)


def _by_site(book: Workbook, figures: Statistics) -> None:
    columns = [
        texts("编号", 20),
        texts("村(居)"),
        texts("村(居)民小组"),
        texts("户", 24),
        texts("特色主题", 14),
        texts("期末状态", 10),
        counts("活动场次", summed=True),
        counts("参加人次", summed=True),
        _average(),
        days("最近活动"),
    ]
    rows: list[list[Cell]] = [
        [
            each.number,
            each.village,
            each.group,
            each.household,
            each.speciality,
            "运行" if each.running else "未运行",
            *_numbers(each.sums),
            each.last_on,
        ]
        for each in figures.sites
    ]
    total = added(each.sums for each in figures.sites)
    last: list[Cell] = ["合计", f"共{len(rows)}处", None, None, None, None, *_numbers(total)]
    add_sheet(book, "按客堂间", columns, rows, last=last)


def _targets(book: Workbook, figures: Statistics) -> None:
    columns = [
        texts("村(居)、等级", 24),
        texts("村(居)"),
        texts("美丽乡村等级", 14),
        counts("村(居)民小组", summed=True),
        counts("目标", summed=True),
        counts("已建成", summed=True),
        counts("尚差", summed=True),
        _share("完成率"),
    ]
    last: list[Cell]
    rows: list[list[Cell]] = [
        [
            f"{each.village}·{each.grade}" if each.target else f"{each.village}·不设目标",
            each.village,
            each.grade,
            each.groups,
            each.target,
            each.stands,
            each.short,
            _percent(each.share),
        ]
        for each in figures.targets
    ]
    if rows:
        summed = [
            sum(value for row in rows[: len(figures.aimed)] if isinstance(value := row[place], int))
            for place in range(3, 7)
        ]
        last = ["合计(设目标的)", None, None, *summed, _percent(figures.achieved)]
        sheet = add_sheet(book, "建设目标", columns, rows, last=last)
        _chart(sheet, "建设目标与已建成", len(figures.aimed), [(5, PALE), (6, RED)], at=0, lying=True, below=len(rows))
    elif figures.quota is None:
        add_sheet(book, "建设目标", [texts("建设目标", 60)], [["所用政策没有规定建设目标"]], last=())
    if (quota := figures.quota) is not None:
        heads = [
            texts("村(居)", 18),
            counts("年度"),
            counts("至少"),
            counts("至多"),
            counts("已建成", summed=True),
            counts("尚差", summed=True),
        ]
        least, most = quota.per_village_per_year_at_least, quota.per_village_per_year_at_most
        lines: list[list[Cell]] = [
            [each.village, figures.quota_year, least, most, each.built, each.short] for each in figures.quotas
        ]
        built = sum(each.built for each in figures.quotas)
        last = ["合计", None, None, None, built, sum(each.short for each in figures.quotas)]
        sheet = add_sheet(book, "年度建设数量" if rows else "建设目标", heads, lines, last=last)
        _chart(
            sheet, f"{figures.quota_year}年建成数量(每村{least}至{most}个)", len(lines), [(5, RED)], at=0, lying=True
        )


def _numbers(each: Sum) -> tuple[Cell, Cell, Cell]:
    return each.sessions, each.attendance, _rounded(each.average)


def _rounded(average: Fraction | None) -> Decimal | None:
    return None if average is None else one_decimal(average)


def _percent(share: Fraction | None) -> Decimal | None:
    return None if share is None else one_decimal(share * 100).scaleb(-2)


def _part(count: int, of: int) -> Fraction | None:
    return Fraction(count, of) if of else None


def _chart(
    sheet: Worksheet,
    title: str,
    count: int,
    series: Sequence[tuple[int, str]],
    *,
    at: int,
    lying: bool = False,
    below: int = 0,
) -> None:
    """
    Add a bar chart of the sheet's rows below its table.

    Args:
        count: rows of the table that are shown, the first ones; the labels are in its first column.
        series: column and colour of each.
        at: 0, 1, ...: its place beside the others.
        lying: bars lie, for rows whose names are long.
        below: rows of the table, if it has more than are shown.
    """
    if not 0 < count <= (_MOST_BARS if lying else 2 * _MOST_BARS):
        return
    chart = BarChart()
    chart.type, chart.title, chart.style = ("bar" if lying else "col"), title, 10
    if chart.title is not None:
        chart.title.overlay = False
    for column, colour in series:
        chart.add_data(Reference(sheet, min_col=column, min_row=1, max_row=count + 1), titles_from_data=True)
        chart.series[-1].graphicalProperties.solidFill = colour
    chart.set_categories(Reference(sheet, min_col=1, min_row=2, max_row=count + 1))
    chart.gapWidth = 60
    chart.x_axis.delete = chart.y_axis.delete = False  # newer spreadsheets hide them else
    chart.y_axis.number_format = "#,##0"
    if lying:
        chart.x_axis.scaling.orientation = "maxMin"  # from top to bottom, as the table
        chart.y_axis.crosses = "max"
    chart.dataLabels = DataLabelList(
        showVal=True, showSerName=False, showCatName=False, showLegendKey=False, showPercent=False
    )
    if len(series) == 1 or chart.legend is None:
        chart.legend = None
    else:
        chart.legend.position = "t"
    chart.width, chart.height = 22, 8
    if lying:
        chart.height = min(max(count * len(series) * 7 // 10 + 4, 8), 40)
    rows = max(count, below)
    sheet.add_chart(chart, f"A{rows + 5 + at * (chart.height * 2 + 2)}")
    if rows <= _ONE_PAGE:
        sheet.page_setup.fitToHeight = 1  # a page break would go through a chart
