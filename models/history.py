"""What happened in a case, appended only, each row sealed by the hash of the one before."""

from sqlalchemy import DDL, ForeignKey, Integer, String, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Digest, Key, Moment
from models.case import PublishedEdition


class HistoryRow(Base):
    """One fact in a case's history."""

    __tablename__ = "history"
    __table_args__ = (UniqueConstraint("case_id", "seq"),)

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    seq: Mapped[int] = mapped_column(Integer, comment="1, 2, 3 … without a gap")
    at: Mapped[Moment]
    kind: Mapped[str] = mapped_column(String(40), comment="what happened, past tense")
    actor: Mapped[str] = mapped_column(String(140), comment="who, as records show a person; 系统 for time")
    summary: Mapped[str] = mapped_column(Text, comment="one Chinese sentence, no personal numbers")
    data: Mapped[str] = mapped_column(Text, comment="canonical JSON")
    previous: Mapped[Digest] = mapped_column(comment="hash of the row before; empty for the first")
    hash: Mapped[Digest]


_ARCHIVED = (
    "(EXISTS (SELECT 1 FROM archived_cases JOIN cases ON cases.id = archived_cases.case_id "
    "WHERE archived_cases.case_id = OLD.case_id AND OLD.seq <= archived_cases.last_seq "
    "AND cases.status = 'closed') "
    "AND NOT EXISTS (SELECT 1 FROM sites WHERE sites.case_id = OLD.case_id) "
    "AND NOT EXISTS (SELECT 1 FROM ledger_accounts WHERE ledger_accounts.case_id = OLD.case_id))"
)
_MAY_GO = {("DELETE", HistoryRow.__tablename__): _ARCHIVED}
"""
What may be deleted after all: rows of the history that a record says are in an archive file, of a closed case that has
neither a site nor money. `tasks.archive_audit.verify_stub` asks the same.
"""


def append_only_ddl(table: str) -> list[tuple[str, str]]:
    """Return the statements, each with its dialect, that make the database refuse to change rows of `table`."""
    statements = []
    for verb in ("UPDATE", "DELETE"):
        name, may_go = f"{table}_no_{verb.lower()}", _MAY_GO.get((verb, table))
        sqlite_when = f"WHEN NOT {may_go} " if may_go else ""
        unless = f"IF {may_go} THEN RETURN OLD; END IF; " if may_go else ""
        statements += [
            (
                "sqlite",
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table} "
                f"{sqlite_when}BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END",
            ),
            (
                "postgresql",
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN {unless}RAISE EXCEPTION '{table} is append-only'; END $$",
            ),
            (
                "postgresql",
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
            ),
        ]
    return statements


APPEND_ONLY = (
    HistoryRow.__tablename__,
    PublishedEdition.__tablename__,
    "decisions",
    "ledger_entries",
    "ledger_lines",
    "archived_cases",
)


def seal_append_only() -> None:
    """Attach those statements to the tables' creation."""
    for table in APPEND_ONLY:
        for dialect, statement in append_only_ddl(table):
            ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
            event.listen(Base.metadata.tables[table], "after_create", ddl.execute_if(dialect=dialect))
