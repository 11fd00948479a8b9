"""What a reader sees of a Word document: paragraphs and the cells of tables, in the order of the page."""

from pathlib import Path

from docx import Document
from docx.table import Table
from docx.text.paragraph import Paragraph


class Paper:
    """A document opened again."""

    def __init__(self, path: Path) -> None:
        self.document = Document(str(path))
        self.tables = [[[cell.text for cell in row.cells] for row in table.rows] for table in self.document.tables]
        blocks = list(self.document.iter_inner_content())
        self.paragraphs = [each.text for each in blocks if isinstance(each, Paragraph)]
        lines = []
        for block in blocks:
            if isinstance(block, Table):
                lines += ["|".join(dict.fromkeys(cell.text for cell in row.cells)) for row in block.rows]
            else:
                lines.append(block.text)
        self.text = "\n".join(lines)

    def table(self, head: str) -> list[list[str]]:
        """The rows of the table whose head holds this text, without the head."""
        return next(rows[1:] for rows in self.tables if head in rows[0])

    def value(self, label: str) -> str:
        """What stands beside a label."""
        for rows in self.tables:
            for row in rows:
                if label in row:
                    return row[row.index(label) + 1]
        raise AssertionError(f"{label} is not on the paper:\n{self.text}")
