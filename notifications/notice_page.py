"""
Public notices as web pages: what each page shows, and its HTML, by jinja2, compiled once.

Called by `tasks.notice_pages`, which knows the database and the folder. Pages carry no scripts and load nothing.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from notifications.render import day, titled, weekday


@dataclass(frozen=True)
class Prolongation:
    """One prolongation."""

    from_day: date
    to_day: date
    decided_on: date
    reason: str


@dataclass(frozen=True)
class NoticePage:
    """What the page of one notice shows; every text is escaped by the template."""

    number: str
    kind: str
    times: int
    """The n-th notice of the same matter."""
    title: str
    unit: str
    office: str
    scheme_title: str
    paragraphs: tuple[str, ...]
    items: tuple[str, ...]
    published_on: date
    ends_on: date
    period: str
    prolonged: tuple[Prolongation, ...]
    channels: tuple[str, ...]
    contact: str
    phone: str
    """The office's public telephone; empty: none is shown."""
    place: str
    sha256: str
    state: str
    """Where it stands, by one word."""
    standing: bool
    """It still takes objections."""
    result: str
    """What came of it; empty while it is open."""
    closed_on: date | None
    """The day on which its case was closed."""
    objections: str
    """How many came in and what was found, without names; empty while the notice stands."""
    late_note: str


@dataclass(frozen=True)
class IndexEntry:
    """One line of the index."""

    number: str
    title: str
    unit: str
    published_on: date
    ends_on: date
    state: str
    page: str


class NoticeRenderer:
    """
    The compiled templates of the notice board.

    Args:
        templates: folder that holds ``notices/page.html`` and ``notices/index.html``.
    """

    def __init__(self, templates: Path) -> None:
        environment = Environment(
            loader=FileSystemLoader(templates, encoding="utf-8"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.filters.update(day=day, weekday=weekday, titled=titled)
        self._page = environment.get_template("notices/page.html")
        self._index = environment.get_template("notices/index.html")

    def page(self, notice: NoticePage) -> str:
        """Return the page of a notice."""
        return self._page.render(notice=notice)

    def index(self, *, standing: list[IndexEntry], over: list[IndexEntry]) -> str:
        """Return the index: notices that stand, and those that are over, each newest first."""
        return self._index.render(standing=standing, over=over)


@lru_cache(maxsize=4)
def notice_renderer(templates: Path) -> NoticeRenderer:
    """Return the renderer of a templates folder, compiled once."""
    return NoticeRenderer(templates)
