"""
The statistics as files: a workbook and a web page, for the office's files, a meeting, or the level above.

Called by the command line and the flow. The database is only read; a file is never overwritten.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from policies.errors import Refused
from runtime.settings import Settings
from tasks.register_book import save_new
from tasks.statistics_book import make_book
from tasks.statistics_figures import Statistics
from tasks.statistics_page import as_html

FOLDER = "活动统计"
"""Where reports are written, below the documents folder."""


@dataclass(frozen=True)
class Report:
    """The files of one report."""

    book: Path
    page: Path


def write_report(settings: Settings, figures: Statistics) -> Report:
    """
    Write workbook and page into new files of the documents folder.

    Not marked by any key, because it only reads: a run that is tried again writes another copy, with a number behind
    its name.
    """
    folder = settings.documents_folder / FOLDER
    period = figures.period.now
    parts = [figures.town, figures.village, figures.category, "活动统计", f"{period.first}至{period.last}"]
    name = "-".join(part.replace("/", "_") for part in parts if part)
    return Report(
        book=_new(folder, name, ".xlsx", lambda path: write_book(figures, path)),
        page=_new(folder, name, ".html", lambda path: write_page(figures, path)),
    )


def write_book(figures: Statistics, path: Path) -> None:
    """Write the workbook; Refused when there is such a file or it is not a workbook's name."""
    save_new(make_book(figures), path)


def write_page(figures: Statistics, path: Path) -> None:
    """Write the web page; Refused when there is such a file or it is not a page's name."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise Refused("default", f"文件名须以 .html 结尾,现为“{path.name}”;请改写文件名")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(as_html(figures))
    except FileExistsError as error:
        raise Refused("default", f"已有文件 {path};请换一个文件名,或先把它移走") from error


def _new(folder: Path, name: str, suffix: str, write: Callable[[Path], None]) -> Path:
    """Write a file under a name nobody uses; an older copy may have been handed in, and must not change."""
    path, number = folder / f"{name}{suffix}", 1
    while path.exists():
        number += 1
        path = folder / f"{name}-{number}{suffix}"
    write(path)
    return path
