"""Entries that are recorded all or none: every fault of each is found and told at once, by row and column."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from policies.errors import Refused


class RowFaults:
    """
    What stands against several entries.

    Args:
        count: how many entries there are.
        rows: of a sheet, the number of each entry's row; None: they were typed in.
    """

    def __init__(self, count: int, rows: Sequence[int] | None) -> None:
        self._alone = count == 1 and rows is None
        self._rows = rows
        self._found: list[str] = []

    def named(self, index: int) -> str:
        """Return how people call that entry: ``第3行`` of a sheet, ``第2项`` of a form."""
        return f"第{self._rows[index]}行" if self._rows is not None else f"第{index + 1}项"

    @contextmanager
    def at(self, index: int, column: str) -> Iterator[None]:
        """
        Keep a refusal of the block as a fault of that entry, and go on after the block.

        Raises:
            Refused: the refusal itself, when there is but this one entry.
        """
        try:
            yield
        except Refused as refusal:
            if self._alone:
                raise
            because = "" if refusal.clause == "default" else f"(依据:{refusal.clause})"
            self._found.append(f"{self.named(index)}“{column}”:{refusal.reason}{because}")

    def refuse_if_any(self, what: str) -> None:
        """Refuse everything when there is a fault; `what` is not recorded."""
        if self._found:
            listed = "".join(f"\n{number}. {fault}" for number, fault in enumerate(self._found, 1))
            raise Refused("default", f"有{len(self._found)}处有误,{what}均未登记:{listed}")
