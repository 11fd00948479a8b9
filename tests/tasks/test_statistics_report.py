"""The statistics as files: numbers that are numbers, charts with Chinese labels that need no font of ours."""

import base64
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from policies.errors import Refused
from rules.statistics import PeriodChoice, Span, chosen
from tasks.statistics import statistics
from tasks.statistics_charts import Series, bars, columns, width_of
from tasks.statistics_figures import QuotaLine, Statistics, TargetLine, Wanted
from tasks.statistics_page import as_html, as_markdown
from tasks.statistics_report import FOLDER, write_book, write_page, write_report
from tests.half_year import HalfYear, kept_half_year

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SVG = "{http://www.w3.org/2000/svg}"
SHEETS = ["总表", "按月", "按周", "按类别", "按村(居)", "按客堂间", "建设目标"]


@pytest.fixture(scope="module")
def half(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HalfYear]:
    """The half year of D1-R7 in the scheme with targets, only to be read."""
    home = tmp_path_factory.mktemp("half_year")
    url = f"sqlite:///{home / 'ketang.db'}"
    with kept_half_year(url, home, template=sqlite_template, edition="zhujiajiao-2018", year=2019) as made:
        yield made


@pytest.fixture(scope="module")
def figures(half: HalfYear) -> Statistics:
    """Its first half of the year."""
    return counted(half)


def counted(half: HalfYear, **wanted: Any) -> Statistics:
    period = chosen(PeriodChoice.FIRST_HALF, on=half.town.now().date())
    return statistics(half.town.resources, Wanted(period, town="Z", **wanted), at=half.town.now())


@pytest.fixture(scope="module")
def book(figures: Statistics, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("book") / "统计.xlsx"
    write_book(figures, path)
    return path


def rows_of(sheet: Worksheet) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def svgs_of(page: str) -> list[ET.Element]:
    return [ET.fromstring(text) for text in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]


def texts_of(svg: ET.Element) -> list[str]:
    return [each.text or "" for each in svg.iter(f"{SVG}text")]


# -- the workbook --------------------------------------------------------------------------------------------------


def test_every_sheet_has_its_sum_of_83_sessions_and_9261_people_as_numbers(book: Path) -> None:
    read = load_workbook(book)
    assert read.sheetnames == SHEETS
    for name in ("按月", "按周", "按类别", "按村(居)", "按客堂间"):
        heads, *rows = rows_of(read[name])
        last = rows[-1]
        assert last[0] == "合计"
        for head, total in (("活动场次", 83), ("参加人次", 9261)):
            place = heads.index(head)
            assert (name, head, last[place]) == (name, head, total)
            assert sum(row[place] for row in rows[:-1]) == total
        assert last[heads.index("场均人次")] == pytest.approx(111.6)
    overview = {row[0]: row[1] for row in rows_of(read["总表"])}
    assert (overview["活动场次"], overview["参加人次"], overview["统计期间"]) == (83, 9261, "2019年1月至6月")
    assert overview["场均人次"] == pytest.approx(111.6)


def test_months_are_dates_and_counts_and_the_head_stays(book: Path) -> None:
    sheet = load_workbook(book)["按月"]
    heads, first, *_ = rows_of(sheet)
    assert heads == ["期间", "起", "止", "活动场次", "参加人次", "场均人次"]
    assert first[:3] == ["2019年1月", datetime(2019, 1, 1), datetime(2019, 1, 31)]  # noqa: DTZ001 - a day of a sheet
    assert (sheet.freeze_panes, sheet.cell(2, 6).number_format) == ("A2", "0.0")
    assert not any(isinstance(cell, str) and cell.startswith("=") for row in rows_of(sheet) for cell in row)


def test_the_charts_are_the_spreadsheets_own_and_name_no_font(book: Path) -> None:
    read = load_workbook(book)
    charts = {name: read[name]._charts for name in SHEETS}
    assert {name: len(each) for name, each in charts.items()} == {
        "总表": 0,
        "按月": 2,
        "按周": 2,
        "按类别": 2,
        "按村(居)": 2,
        "按客堂间": 0,
        "建设目标": 1,
    }
    sessions = charts["按月"][0].series[0]
    assert (sessions.val.numRef.f, sessions.cat.numRef.f) == ("'按月'!$D$2:$D$7", "'按月'!$A$2:$A$7")
    with ZipFile(book) as whole:
        drawn = [whole.read(name).decode() for name in whole.namelist() if name.startswith("xl/charts/chart")]
    assert len(drawn) == 9
    assert not any("latin typeface" in each or ">1</c:delete>" in each for each in drawn)
    assert any("各村(居)活动场次" in each for each in drawn)


def test_the_targets_are_summed_where_there_are_targets(book: Path) -> None:
    heads, *rows = rows_of(load_workbook(book)["建设目标"])
    last = rows[-1]
    assert last[0] == "合计(设目标的)"
    aimed = [row for row in rows[:-1] if row[heads.index("目标")]]
    for head in ("目标", "已建成", "尚差", "村(居)民小组"):
        place = heads.index(head)
        assert last[place] == sum(row[place] for row in aimed), head


def test_a_scheme_with_a_yearly_number_has_it_on_that_sheet(half: HalfYear, tmp_path: Path) -> None:
    scheme = half.town.resources.editions["xuhang-2013"].edition.for_sites
    plain = counted(half)
    yearly = replace(
        plain, targets=(), quota=scheme.quota, quotas=(QuotaLine("周荡村", 1, 1), QuotaLine("伏虎村", 3, 0))
    )
    write_book(yearly, tmp_path / "b.xlsx")
    assert rows_of(load_workbook(tmp_path / "b.xlsx")["建设目标"])[1:] == [
        ["周荡村", 2019, 2, 4, 1, 1],
        ["伏虎村", 2019, 2, 4, 3, 0],
        ["合计", None, None, None, 4, 1],
    ]
    assert "每村（居）每年2至4个（主要做法、1）" in as_html(yearly)
    write_book(replace(plain, targets=()), tmp_path / "c.xlsx")
    assert "没有规定建设目标" in str(rows_of(load_workbook(tmp_path / "c.xlsx")["建设目标"]))


# -- the page ------------------------------------------------------------------------------------------------------


class Seen(HTMLParser):
    """What a page is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said.append(data.strip())


def test_the_page_says_the_figures_in_a_sentence_in_charts_and_in_tables(figures: Statistics) -> None:
    page = as_html(figures)
    assert "2019年1月至6月，朱家角镇“话角里·客堂间”共开展活动83场，参加9,261人次，场均111.6人次" in page
    charts = [texts_of(svg) for svg in svgs_of(page)]
    assert len(charts) == 7
    assert charts[0][0] == "按月活动场次"
    assert set(charts[0]) >= {"1月", "2月", "3月", "4月", "5月", "6月"}
    assert set(charts[1]) >= {f"{each.attendance:,}" for _, each in figures.series}
    assert set(charts[2]) >= {each.name for each in figures.categories}
    assert set(charts[4]) >= {"伏虎村", "曲溪村", "周荡村"}
    assert set(charts[6]) >= {"目标", "已建成", "周荡村·市级"}
    assert {"合计", "9,261", "111.6", "朱家角镇社区办", "2019年7月5日"} <= set(Seen(page).said)


def test_the_page_needs_no_other_file_and_runs_nothing(figures: Statistics) -> None:
    seen = Seen(as_html(figures))
    assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in seen.tags}
    assert not [attrs for _, attrs in seen.tags if {"src", "href"} & set(attrs)]
    policy = next(attrs["content"] for tag, attrs in seen.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_names_are_escaped_in_charts_tables_and_markdown(figures: Statistics) -> None:
    bad = '<b>&"村'
    line = TargetLine(village=bad, grade="市级", groups=1, target=1, stands=1)
    villages = (replace(figures.villages[0], name=bad), *figures.villages[1:])
    page = as_html(replace(figures, villages=villages, targets=(line,)))
    assert "<b>" not in page
    assert bad in Seen(page).said
    assert any(bad in texts_of(svg) for svg in svgs_of(page))
    assert "a\\|b" in as_markdown(replace(figures, villages=(replace(figures.villages[0], name="a|b"),)))


def test_the_artifact_shows_the_charts_as_images_that_hold_themselves(figures: Statistics) -> None:
    text = as_markdown(figures, files=["/资料/统计.xlsx"])
    images = re.findall(r"!\[.*?\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)", text)
    assert len(images) == 7
    first = ET.fromstring(base64.b64decode(images[0]))
    assert "按月活动场次" in texts_of(first)
    assert "| 合计 | 83 | 9,261 | 111.6 |" in text
    assert "`/资料/统计.xlsx`" in text
    assert len(text.encode()) < 100_000


def test_a_village_alone_and_a_category_alone_are_named_in_title_and_sentence(half: HalfYear) -> None:
    page = as_html(counted(half, village="ZD", category="助老服务", by=Span.QUARTER))
    assert "<h1>朱家角镇周荡村“话角里·客堂间”助老服务活动统计</h1>" in page
    assert "按村（居）统计" not in page
    assert "建设目标（全镇）" in page
    assert "2019年第二季度" in page


# -- the charts ----------------------------------------------------------------------------------------------------


def boxes(svg: ET.Element) -> list[tuple[int, int, int, int, str]]:
    """Return where the texts of a chart are at the most: left, right, top, bottom."""
    found = []
    for each in svg.iter(f"{SVG}text"):
        content, x, y = each.text or "", int(each.attrib["x"]), int(each.attrib["y"])
        wide = width_of(content)
        left = {"start": x, "middle": x - wide // 2, "end": x - wide}[each.attrib["text-anchor"]]
        found.append((left, left + wide, y - 10, y + 1, content))  # digits and Chinese signs as they are drawn
    return found


@pytest.mark.parametrize("count", [1, 2, 7, 12, 24, 53])
@pytest.mark.parametrize("most", [0, 3, 83, 9261, 1234567])
def test_no_text_of_a_chart_is_cut_off_or_lies_on_another(count: int, most: int) -> None:
    values = [most * n // count for n in range(1, count + 1)]
    names = [f"徐行镇第{n}村民委员会所辖的自然村落" if n % 3 else f"第{n}村" for n in range(count)]
    for text in (
        columns("按月活动场次", [f"{n}月" for n in range(count)], Series("场次", values, "#b5281e")),
        bars("各村", names, [Series("目标", values, "#d9cfc4"), Series("已建成", values[::-1], "#b5281e")]),
        bars("各村", names, [Series("场次", values, "#b5281e")]),
    ):
        svg = ET.fromstring(text)
        width, height = int(svg.attrib["width"]), int(svg.attrib["height"])
        found = boxes(svg)
        for left, right, top, bottom, content in found:
            assert left >= 0, content
            assert right <= width, content
            assert top >= 0, content
            assert bottom <= height, content
        for place, one in enumerate(found):
            for other in found[place + 1 :]:
                apart = one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]
                assert apart, (one[4], other[4])


def test_bars_are_as_long_as_their_numbers() -> None:
    svg = ET.fromstring(bars("x", ["甲", "乙", "丙"], [Series("场次", [40, 20, 0], "#b5281e")]))
    lengths = [int(each.attrib["width"]) for each in svg.iter(f"{SVG}rect")][1:]
    assert Fraction(lengths[1], lengths[0]) == pytest.approx(Fraction(1, 2), abs=0.01)
    assert lengths[2] == 0


# -- files ---------------------------------------------------------------------------------------------------------


def test_a_report_goes_below_the_documents_folder_and_never_over_another(half: HalfYear, figures: Statistics) -> None:
    settings = half.town.resources.settings
    first, second = (write_report(settings, figures) for _ in range(2))
    name = "朱家角镇-活动统计-2019-01-01至2019-06-30"
    folder = settings.documents_folder / FOLDER
    assert (first.book, first.page) == (folder / f"{name}.xlsx", folder / f"{name}.html")
    assert (second.book, second.page) == (folder / f"{name}-2.xlsx", folder / f"{name}-2.html")
    for write, path in ((write_book, first.book), (write_page, first.page)):
        with pytest.raises(Refused, match="已有文件"):
            write(figures, path)
        with pytest.raises(Refused, match=r"文件名须以 \."):
            write(figures, path.with_suffix(".txt"))


# -- in the browser ------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_the_page_reads_on_a_desk_on_a_telephone_and_on_paper(
    figures: Statistics, browser: "Browser", tmp_path: Path
) -> None:
    path = tmp_path / "统计.html"
    write_page(figures, path)
    for width in (1200, 390):
        tab = browser.new_page(viewport={"width": width, "height": 900})
        tab.goto(path.as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert tab.get_by_text("9,261", exact=True).first.is_visible()
        outside = tab.evaluate(
            """() => [...document.querySelectorAll('svg')].flatMap(svg => {
                const frame = svg.getBoundingClientRect();
                return [...svg.querySelectorAll('text')].filter(text => {
                    const box = text.getBoundingClientRect();
                    return box.left < frame.left - 1 || box.right > frame.right + 1
                        || box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
                }).map(text => text.textContent);
            })"""
        )
        assert outside == []
        overlapping = tab.evaluate(
            """() => [...document.querySelectorAll('svg')].flatMap(svg => {
                const boxes = [...svg.querySelectorAll('text')].map(text => [text.getBBox(), text.textContent]);
                return boxes.flatMap(([a, said], n) => boxes.slice(n + 1).filter(([b]) =>
                    Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x) > 1 &&
                    Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y) > 6
                ).map(([, other]) => `${said} / ${other}`));
            })"""
        )
        assert overlapping == []
        tab.close()
    tab = browser.new_page()
    tab.goto(path.as_uri())
    assert tab.pdf(format="A4", print_background=True).startswith(b"%PDF")
    tab.close()
