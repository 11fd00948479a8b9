"""
The page of an official document (GB/T 9704-2012), as far as forms keep to it; for `templates.author` only.

A4, 天头 37 mm, 订口 28 mm, text block 156 x 225 mm, title 二号, body 三号 仿宋; tables are smaller, or no row would
fit.
"""

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.section import WD_ORIENTATION
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK, WD_LINE_SPACING
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt
from docx.table import Table, _Cell, _Row
from docx.text.paragraph import Paragraph
from docx.text.run import Run

TITLE_FONT, BODY_FONT, HEAD_FONT, LATIN_FONT = "方正小标宋简体", "仿宋", "黑体", "Times New Roman"
INSTEAD = {
    TITLE_FONT: "小标宋体,华文中宋,宋体,SimSun,Noto Serif CJK SC",
    BODY_FONT: "仿宋_GB2312,FangSong,华文仿宋,STFangsong,Noto Serif CJK SC",
    HEAD_FONT: "SimHei,Noto Sans CJK SC",
}
"""What a machine without the font takes."""
TITLE, BODY, SMALL = Pt(22), Pt(16), Pt(12)
"""二号, 三号, 小四."""
WIDTH_MM = 156
"""Of the text block."""

CENTRE, RIGHT, LEFT = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.RIGHT, WD_ALIGN_PARAGRAPH.LEFT


class Sheet:
    """
    One template while it is written, from top to bottom.

    Args:
        name: what the file says of itself; a Chinese title.
        wide: turned on its side, for tables with many columns.
    """

    def __init__(self, name: str, *, wide: bool = False) -> None:
        self.document: WordDocument = Document()
        self.width_mm = 225 if wide else WIDTH_MM
        self._page(wide=wide)
        self._style()
        self._page_number()
        properties = self.document.core_properties
        properties.title, properties.author, properties.comments = name, "", ""
        properties.created = properties.modified = datetime(2026, 1, 1, tzinfo=UTC)

    def title(self, text: str) -> Paragraph:
        """Add a title: 二号, centred."""
        return self._line(text, size=TITLE, font=TITLE_FONT, align=CENTRE, after=Pt(12))

    def heading(self, text: str) -> Paragraph:
        """Add a heading: 三号 黑体."""
        paragraph = self._line(text, font=HEAD_FONT, before=Pt(6))
        paragraph.paragraph_format.keep_with_next = True
        return paragraph

    def text(self, text: str) -> Paragraph:
        """Add a paragraph of the body, its first line moved in by two signs."""
        paragraph = self._line(text)
        paragraph.paragraph_format.first_line_indent = Pt(32)
        return paragraph

    def line(self, text: str, *, align: WD_ALIGN_PARAGRAPH = LEFT) -> Paragraph:
        """Add a line of small text above or below a table."""
        return self._line(text, size=SMALL, align=align, before=Pt(4))

    def control(self, tag: str) -> None:
        """Add a tag that only steers: ``for``, ``if`` and their ends; its paragraph is not printed."""
        self._line(f"{{%p {tag} %}}", size=SMALL)

    def page_break(self) -> None:
        """Begin a new page."""
        self.document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)

    def signed(self, *names: str, day: str) -> None:
        """Add who issues it and the 成文日期, on the right, four signs in."""
        for number, text in enumerate((*names, day)):
            paragraph = self._line(text, align=RIGHT, before=Pt(24) if number == 0 else Pt(0))
            paragraph.paragraph_format.right_indent = Pt(64)
            paragraph.paragraph_format.keep_with_next = text is not day

    def facts(self, rows: Sequence[tuple[str, str]], *, label_mm: int = 34) -> None:
        """Add a table of labels and values, one each row."""
        table = self._table([label_mm, self.width_mm - label_mm])
        for label, value in rows:
            cells = _row(table).cells
            _fill(cells[0], label, align=CENTRE, font=HEAD_FONT)
            _fill(cells[1], value)

    def pairs(self, rows: Sequence[tuple[str, str, str, str]], *, label_mm: int = 30) -> None:
        """Add a table of labels and values, two pairs each row."""
        value_mm = (self.width_mm - 2 * label_mm) // 2
        table = self._table([label_mm, value_mm, label_mm, self.width_mm - 2 * label_mm - value_mm])
        for row in rows:
            cells = _row(table).cells
            for place, text in enumerate(row):
                is_label = place % 2 == 0
                _fill(cells[place], text, align=CENTRE if is_label else LEFT, font=HEAD_FONT if is_label else BODY_FONT)

    def listing(
        self, heads: Sequence[tuple[str, int]], *, each: str, cells: Sequence[str], tall: bool = False, below: str = ""
    ) -> None:
        """
        Add a table with a head that stands on every page and one row for each of a list.

        Args:
            heads: column heads and their widths in mm; they fill the text block.
            each: the loop, e.g. ``户 in 农户``.
            cells: what stands in a row.
            tall: rows have room for a signature.
            below: a last row across the table; empty: none.
        """
        if sum(width for _, width in heads) != self.width_mm or len(heads) != len(cells):
            raise ValueError(f"{heads} do not fill the page")
        table = self._table([width for _, width in heads])
        self._head(table, [head for head, _ in heads])
        _tag_row(table, f"{{%tr for {each} %}}")
        row = _row(table, height=Mm(12) if tall else None)
        for place, text in enumerate(cells):
            _fill(row.cells[place], text, align=CENTRE if heads[place][1] <= 24 else LEFT)
        _tag_row(table, "{%tr endfor %}")
        if below:
            last = _row(table)
            _fill(last.cells[0].merge(last.cells[-1]), below)

    def matrix(
        self,
        heads: Sequence[tuple[str, int]],
        *,
        columns: str,
        head: str,
        column_mm: int,
        tail: Sequence[tuple[str, int]],
        each: str,
        cells: Sequence[str],
        inner: str,
        inner_cell: str,
        tail_cells: Sequence[str],
    ) -> None:
        """
        Add a table whose columns, too, are a list: columns before, one for each, columns after.

        Args:
            heads: the columns before: head and width in mm.
            columns: the loop over columns in the head, e.g. ``项 in 评分标准``.
            head: what stands in such a head.
            column_mm: the room of all such columns together.
            tail: the columns after.
            each: the loop over rows.
            cells: what stands in the columns before.
            inner: the loop over columns in a row.
            inner_cell: what stands in such a cell.
            tail_cells: what stands in the columns after.
        """
        # Word's loop over columns is a cell before and a cell after; both vanish, and the middle one takes their room.
        loop_mm = [1, column_mm - 2, 1]
        widths = [width for _, width in heads] + loop_mm + [width for _, width in tail]
        table = self._table(widths)
        texts = [text for text, _ in heads]
        self._head(table, [*texts, f"{{%tc for {columns} %}}", head, "{%tc endfor %}", *(text for text, _ in tail)])
        _tag_row(table, f"{{%tr for {each} %}}")
        row = _row(table, height=Mm(12))
        for place, text in enumerate([*cells, f"{{%tc for {inner} %}}", inner_cell, "{%tc endfor %}", *tail_cells]):
            _fill(row.cells[place], text, align=CENTRE if place != 1 else LEFT)
        _tag_row(table, "{%tr endfor %}")

    def written(self) -> bytes:
        """Return the file; the same template gives the same bytes on every day."""
        self._drop_thumbnail()
        first = io.BytesIO()
        self.document.save(first)
        whole = io.BytesIO()
        with ZipFile(first) as source, ZipFile(whole, "w") as target:
            for name in sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
                target.writestr(ZipInfo(name, (1980, 1, 1, 0, 0, 0)), source.read(name), ZIP_DEFLATED)
        return whole.getvalue()

    # -- the parts ----------------------------------------------------------------------------------------------------

    def _page(self, *, wide: bool) -> None:
        section = self.document.sections[0]
        section.page_width, section.page_height = (Mm(297), Mm(210)) if wide else (Mm(210), Mm(297))
        section.orientation = WD_ORIENTATION.LANDSCAPE if wide else WD_ORIENTATION.PORTRAIT
        # On its side, the page turns with its margins: the binding edge is above.
        edges = (Mm(28), Mm(35), Mm(26), Mm(37)) if wide else (Mm(37), Mm(26), Mm(35), Mm(28))
        section.top_margin, section.right_margin, section.bottom_margin, section.left_margin = edges
        section.footer_distance = Mm(25)

    def _style(self) -> None:
        normal = self.document.styles["Normal"]
        normal.font.name, normal.font.size = LATIN_FONT, BODY
        fonts = normal.element.get_or_add_rPr().get_or_add_rFonts()
        fonts.set(qn("w:eastAsia"), BODY_FONT)
        for part in self.document.part.package.iter_parts():
            if part.partname == "/word/fontTable.xml":
                part._blob = _font_table()

    def _page_number(self) -> None:
        paragraph = self.document.sections[0].footer.paragraphs[0]
        paragraph.alignment = CENTRE
        for kind, text in ((None, "— "), ("begin", ""), ("instr", "PAGE"), ("end", ""), (None, " —")):
            run = paragraph.add_run(text if kind is None else "")
            _dress(run, size=Pt(14), font="宋体")
            if kind == "instr":
                field = OxmlElement("w:instrText")
                field.text = text
                run._r.append(field)
            elif kind is not None:
                mark = OxmlElement("w:fldChar")
                mark.set(qn("w:fldCharType"), kind)
                run._r.append(mark)

    def _drop_thumbnail(self) -> None:
        relations = self.document.part.package.rels
        for key in [key for key, each in relations.items() if each.reltype == RELATIONSHIP_TYPE.THUMBNAIL]:
            del relations[key]

    def _line(
        self,
        text: str,
        *,
        size: Pt = BODY,
        font: str = BODY_FONT,
        align: WD_ALIGN_PARAGRAPH = LEFT,
        before: Pt | None = None,
        after: Pt | None = None,
    ) -> Paragraph:
        paragraph = self.document.add_paragraph()
        _dress(paragraph.add_run(text), size=size, font=font)
        paragraph.alignment = align
        shape = paragraph.paragraph_format
        shape.space_before, shape.space_after = before or Pt(0), after or Pt(0)
        if size is SMALL:
            shape.line_spacing = 1.3
        else:
            shape.line_spacing_rule, shape.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(34 if size is TITLE else 28)
        return paragraph

    def _table(self, widths_mm: Sequence[int]) -> Table:
        table: Table = self.document.add_table(rows=0, cols=len(widths_mm))
        table.style = "Table Grid"
        table.alignment = WD_TABLE_ALIGNMENT.CENTER
        table.autofit = False
        for column, width in zip(table.columns, widths_mm, strict=True):
            column.width = Mm(width)
        return table

    def _head(self, table: Table, texts: Sequence[str]) -> None:
        row = _row(table)
        row._tr.get_or_add_trPr().append(parse_xml(f"<w:tblHeader {nsdecls('w')}/>"))
        for cell, text in zip(row.cells, texts, strict=True):
            _fill(cell, text, align=CENTRE, font=HEAD_FONT)


def _row(table: Table, *, height: Mm | None = None) -> _Row:
    row: _Row = table.add_row()  # type: ignore[no-untyped-call]
    row.height = height or Mm(9)
    row._tr.get_or_add_trPr().append(parse_xml(f"<w:cantSplit {nsdecls('w')}/>"))
    for cell, column in zip(row.cells, table.columns, strict=True):
        cell.width = column.width
    return row


def _tag_row(table: Table, tag: str) -> None:
    """Add a row that only holds a tag across the table; it is not printed."""
    row: _Row = table.add_row()  # type: ignore[no-untyped-call]
    _fill(row.cells[0].merge(row.cells[-1]), tag)


def _fill(cell: _Cell, text: str, *, align: WD_ALIGN_PARAGRAPH = LEFT, font: str = BODY_FONT) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.alignment = align
    paragraph.paragraph_format.space_after = Pt(0)
    _dress(paragraph.add_run(text), size=SMALL, font=font)
    cell._tc.get_or_add_tcPr().append(parse_xml(f'<w:vAlign {nsdecls("w")} w:val="center"/>'))


def _dress(run: Run, *, size: Pt, font: str) -> None:
    run.font.size = size
    run.font.name = LATIN_FONT
    run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)


def _font_table() -> bytes:
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{instead}"/><w:charset w:val="86"/></w:font>'
        for name, instead in INSTEAD.items()
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<w:fonts {nsdecls("w")}>{fonts}</w:fonts>'.encode()
    )
