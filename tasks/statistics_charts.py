"""
Charts as SVG: bars whose text stays text, drawn by the reader's own machine with its own Chinese fonts.

Called by `tasks.statistics_report`. Nothing is measured with a font of this machine, so none needs to be installed on
it: a Chinese sign is one em wide in every font, and others are taken for wider than they are. All geometry is in
whole units of the picture; it scales with the page.
"""

import unicodedata
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from runtime.settings import PROJECT

RED, BLUE, PALE, GREY, INK = "#b5281e", "#2f5d8a", "#d9cfc4", "#bbbbbb", "#333333"
WIDTH = 760
SIZE = 13
"""Height of the text, in units of the picture."""
_LATIN, _EM = 62, 100
"""Widths in hundredths of the height; the widest digits of the usual fonts have 60."""
_LONGEST = 168
"""Widest label at the left of a bar."""


@dataclass(frozen=True)
class Bar:
    """A rectangle; its note shows when one points at it."""

    x: int
    y: int
    width: int
    height: int
    colour: str
    note: str


@dataclass(frozen=True)
class Text:
    """A line of text; `anchor` as SVG has it."""

    x: int
    y: int
    content: str
    anchor: str = "middle"
    bold: bool = False
    colour: str = INK


@dataclass(frozen=True)
class Line:
    """A straight line."""

    x1: int
    y1: int
    x2: int
    y2: int
    colour: str = "#e4e0da"


@dataclass
class Drawing:
    """A picture: what it shows in words, and its parts, the first ones lowest."""

    title: str
    width: int
    height: int
    lines: list[Line] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)


@dataclass(frozen=True)
class Series:
    """Numbers of one kind, one per label."""

    name: str
    values: Sequence[int]
    colour: str


def width_of(text: str) -> int:
    """Return how wide a text is at the most, in units of the picture."""
    hundredths = sum(_EM if unicodedata.east_asian_width(sign) in "WFA" else _LATIN for sign in text)
    return -(-hundredths * SIZE // 100)


def columns(title: str, labels: Sequence[str], series: Series) -> str:
    """
    Return upright bars, one per label, in their order: for what happens over time.

    Args:
        labels: below the bars; where they would touch, only every second, third, ... is written.
        series: counts >= 0.
    """
    ticks = _ticks(max(series.values, default=0))
    left, top, bottom, height = 24 + width_of(f"{ticks[-1]:,}"), 46, 30, 256
    drawing = Drawing(title, WIDTH, height)
    drawing.texts.append(Text(8, 18, title, "start", bold=True))
    floor, room = height - bottom, height - bottom - top
    for tick in ticks:
        y = floor - room * tick // ticks[-1]
        drawing.lines.append(Line(left, y, WIDTH - 8, y, GREY if tick == 0 else Line.colour))
        drawing.texts.append(Text(left - 8, y + 4, f"{tick:,}", "end"))
    count = max(len(labels), 1)
    slot = (WIDTH - 8 - left) // count
    thick = max(min(slot * 6 // 10, 56), 2)
    step = -(-(max(map(width_of, labels), default=0) + 8) // max(slot, 1))
    written = max(width_of(f"{value:,}") for value in series.values or [0]) + 4 <= slot
    for place, (label, value) in enumerate(zip(labels, series.values, strict=True)):
        middle = left + (WIDTH - 8 - left) * (2 * place + 1) // (2 * count)
        tall = room * value // ticks[-1]
        drawing.bars.append(
            Bar(middle - thick // 2, floor - tall, thick, tall, series.colour, f"{label}:{series.name}{value:,}")
        )
        if written:
            drawing.texts.append(Text(middle, floor - tall - 6, f"{value:,}"))
        if place % step == 0:
            drawing.texts.append(Text(middle, floor + 19, label))
    return _drawn(drawing)


def bars(title: str, labels: Sequence[str], series: Sequence[Series]) -> str:
    """
    Return lying bars, a row per label, with the value behind each: for villages, categories, targets.

    Args:
        labels: at the left, shortened where they are too long.
        series: one or several numbers a row, counts >= 0; several are explained by a legend.
    """
    several = len(series) > 1
    shown = [_shortened(label) for label in labels]
    left = 16 + max(map(width_of, shown), default=0)
    values = [value for each in series for value in each.values]
    right = 16 + max((width_of(f"{value:,}") for value in values), default=0)
    top, thick, gap = (58 if several else 36), (12 if several else 16), 12
    row = thick * len(series) + gap
    drawing = Drawing(title, WIDTH, top + row * len(labels) + 8)
    drawing.texts.append(Text(8, 18, title, "start", bold=True))
    x = left
    for each in series if several else ():
        drawing.bars.append(Bar(x, 32, 12, 12, each.colour, each.name))
        drawing.texts.append(Text(x + 18, 43, each.name, "start"))
        x += 18 + width_of(each.name) + 24
    most, room = max([*values, 1]), WIDTH - left - right
    for place, label in enumerate(shown):
        y = top + row * place
        drawing.texts.append(Text(left - 8, y + (row - gap) // 2 + 5, label, "end"))
        for at, each in enumerate(series):
            value, above = each.values[place], y + thick * at
            note = f"{labels[place]}:{each.name}{value:,}"
            drawing.bars.append(Bar(left, above, room * value // most, thick - 1, each.colour, note))
            drawing.texts.append(Text(left + room * value // most + 6, above + thick // 2 + 4, f"{value:,}", "start"))
    drawing.lines.append(Line(left, top - 4, left, drawing.height - 8, GREY))
    return _drawn(drawing)


def as_data_uri(svg: str) -> str:
    """Return a picture as an address that holds all of it, for the source of an image."""
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"


def _ticks(most: int) -> list[int]:
    """Return three to six round numbers from 0 to at least `most`."""
    step, unit = 1, 1
    while step * 5 < most:
        unit, step = (unit * 10, unit * 10) if step == unit * 5 else (unit, unit * (2 if step == unit else 5))
    return [step * n for n in range(max(-(-most // step), 2) + 1)]


def _shortened(label: str) -> str:
    if width_of(label) <= _LONGEST:
        return label
    while width_of(label) > _LONGEST - SIZE:
        label = label[:-1]
    return f"{label}…"


def _drawn(drawing: Drawing) -> str:
    return _template(PROJECT / "templates").render(drawing=drawing, size=SIZE)


@lru_cache(maxsize=4)
def _template(templates: Path) -> Template:
    environment = Environment(
        loader=FileSystemLoader(templates, encoding="utf-8"),
        autoescape=select_autoescape(["svg"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    return environment.get_template("reports/chart.svg")
