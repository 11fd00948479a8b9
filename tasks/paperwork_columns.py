"""
Room for the columns that a loop made: Word gives each the width of the one in the template, and runs off the page.

For tables in which ``{%tc for … %}`` repeats a cell; every other table stays as its template has it.
"""

from collections.abc import Sequence
from itertools import groupby

from docx.document import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.table import CT_Tbl, CT_Tc
from docx.shared import Length


def fit_columns(document: Document) -> None:
    """Share the room that is left among repeated columns, in every table that is wider than the text."""
    section = document.sections[0]
    page, left, right = section.page_width, section.left_margin, section.right_margin
    if page is None or left is None or right is None:
        return
    for table in document.tables:
        _fit(table._tbl, room=Length(page - left - right))


def _fit(table: CT_Tbl, *, room: Length) -> None:
    rows: list[Sequence[CT_Tc]] = [row.tc_lst for row in table.tr_lst]
    widths = [cell.width for cell in rows[0]] if rows else []
    known = [width for width in widths if width is not None]
    if len(known) != len(widths) or sum(known) <= room:
        return
    fitted = _shared(known, room)
    grid = table.tblGrid
    for column in list(grid):
        grid.remove(column)
    for width in fitted:
        column = OxmlElement("w:gridCol")
        column.set(qn("w:w"), str(Length(width).twips))
        grid.append(column)
    for cells in rows:
        if len(cells) == len(fitted):
            for cell, width in zip(cells, fitted, strict=True):
                cell.width = Length(width)


def _shared(widths: Sequence[int], room: int) -> list[int]:
    """Return the widths with the longest run of equal ones narrowed, so that all fill the room."""
    runs = [list(places) for _, places in groupby(range(len(widths)), key=lambda place: widths[place])]
    repeated = max(runs, key=lambda places: (len(places), widths[places[0]]))
    left = room - sum(width for place, width in enumerate(widths) if place not in repeated)
    if left <= 0:
        return [width * room // sum(widths) for width in widths]
    return [left // len(repeated) if place in repeated else width for place, width in enumerate(widths)]
