"""What a township's database and letters folder hold: read by tests, changed by nobody here."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models.case import Case
from models.history import HistoryRow
from models.outbox import OutboxEntry
from models.work_item import Decision, Timer, WorkItem
from policies.vocabulary import Gate
from runtime.resources import Resources


class Records:
    """What is on record."""

    resources: Resources
    number: str

    def gate(self, number: str = "") -> Gate | None:
        """The gate that waits."""
        item = self.item(number)
        return item.gate if item else None

    def item(self, number: str = "") -> WorkItem | None:
        """The work item that waits."""
        with self.resources.database.read() as session:
            return session.scalars(
                select(WorkItem)
                .join(Case)
                .where(
                    Case.number == (number or self.number),
                    WorkItem.status == "open",
                    WorkItem.gate != Gate.UNDELIVERED_LETTER,
                )
            ).one_or_none()

    def case(self, number: str = "") -> Case:
        """The case."""
        with self.resources.database.read() as session:
            return session.scalars(select(Case).where(Case.number == (number or self.number))).one()

    def entries(self, letter: str = "") -> list[OutboxEntry]:
        """Every outbox entry, or those of one letter, in order."""
        with self.resources.database.read() as session:
            rows = session.scalars(select(OutboxEntry).order_by(OutboxEntry.id)).all()
            return [row for row in rows if letter in ("", row.letter.value)]

    def letters(self) -> list[tuple[str, str]]:
        """Letter and recipient of every outbox entry, in order."""
        return [(row.letter.value, row.to_name) for row in self.entries()]

    def told(self, letter: str) -> list[str]:
        """Who got the letter, in order."""
        return [row.to_name for row in self.entries(letter)]

    def eml(self) -> list[EmailMessage]:
        """Every letter file in the folder, by name."""
        files = sorted(self.resources.settings.letters_folder.glob("*.eml"))
        return [message_from_bytes(each.read_bytes(), policy=policy.default) for each in files]

    def message_ids(self) -> list[str]:
        """The Message-ID of every letter file."""
        files = self.resources.settings.letters_folder.glob("*.eml")
        return [str(BytesHeaderParser().parsebytes(each.read_bytes())["Message-ID"]) for each in files]

    def history(self, number: str = "") -> list[HistoryRow]:
        """The case's history."""
        with self.resources.database.read() as session:
            query = select(HistoryRow).join(Case).where(Case.number == (number or self.number))
            return list(session.scalars(query.order_by(HistoryRow.seq)))

    def decisions(self, number: str = "") -> list[Decision]:
        """The case's decisions, in order."""
        with self.resources.database.read() as session:
            query = select(Decision).join(Case, Case.id == Decision.case_id)
            query = query.where(Case.number == (number or self.number)).options(joinedload(Decision.work_item))
            return list(session.scalars(query.order_by(Decision.id)))

    def timers(self, number: str = "") -> list[Timer]:
        """The timers of the gate that waits, in the order in which they are due."""
        item = self.item(number)
        with self.resources.database.read() as session:
            query = select(Timer).where(Timer.work_item_id == (item.id if item else 0))
            return list(session.scalars(query.order_by(Timer.fires_at, Timer.id)))

    def state(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""
        with self.resources.database.read() as session:
            return {
                table.name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key.columns))]
                for table in Case.metadata.sorted_tables
            }
