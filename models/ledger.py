"""
The dedicated ledger (专款专用), double entry (D0-R15, D2-R13).

An entry is one act of money, its lines are the accounts it touches; the lines of an entry always sum to zero.
A positive amount goes into an account, a negative one out of it.
"""

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Key, Moment, one_of, word_type
from policies.vocabulary import AccountKind, LedgerLevel, LedgerMove

KIND_OF = {
    LedgerLevel.DISTRICT: AccountKind.SOURCE,
    LedgerLevel.TOWN_BUDGET: AccountKind.SOURCE,
    LedgerLevel.DONOR: AccountKind.SOURCE,
    LedgerLevel.TOWN: AccountKind.HOLDING,
    LedgerLevel.VILLAGE: AccountKind.HOLDING,
    LedgerLevel.SPENT: AccountKind.PURPOSE,
}
"""What an account of each level stands for."""


class LedgerAccount(Base):
    """Where money comes from, where it stands, and what it was spent on; each belongs to one case."""

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        UniqueConstraint("code"),
        one_of("sources_never_above_zero", "kind <> 'source' OR balance_fen <= 0"),
        one_of("others_never_below_zero", "kind = 'source' OR balance_fen >= 0"),
        one_of("within_cap", "cap_fen IS NULL OR balance_fen <= cap_fen"),
        one_of("cap_on_purposes", "cap_fen IS NULL OR (kind = 'purpose' AND cap_fen >= 0)"),
    )

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(String(80), comment="level:case:source:purpose, what is empty left out")
    name: Mapped[str] = mapped_column(String(140), comment="never changed once an entry names the account")
    kind: Mapped[AccountKind] = mapped_column(word_type(AccountKind), comment="follows from the level")
    level: Mapped[LedgerLevel] = mapped_column(word_type(LedgerLevel))
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True, comment="the case whose money it is")
    source: Mapped[str] = mapped_column(
        String(40), default="", comment="code of the source the money came from; empty: sources are not kept apart"
    )
    purpose: Mapped[str] = mapped_column(String(40), default="", comment="code of the spending purpose or budget line")
    cap_fen: Mapped[int | None] = mapped_column(BigInteger, comment="a budget line's ceiling; null: no ceiling")
    balance_fen: Mapped[int] = mapped_column(BigInteger, default=0, comment="the sum of its lines; a source's is <= 0")


class LedgerEntry(Base):
    """One act of money, appended only; its lines sum to zero."""

    __tablename__ = "ledger_entries"
    __table_args__ = (UniqueConstraint("key"), Index("ix_ledger_entries_case", "case_id"))

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), comment="the case whose history tells of it")
    key: Mapped[str] = mapped_column(String(100), comment="the same act is booked only once")
    move: Mapped[LedgerMove] = mapped_column(word_type(LedgerMove))
    memo: Mapped[str] = mapped_column(Text, default="")
    document_id: Mapped[int | None] = mapped_column(ForeignKey("documents.id"), comment="the voucher")
    booked_at: Mapped[Moment]
    booked_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    lines: Mapped[list["LedgerLine"]] = relationship(order_by="LedgerLine.account_id")

    @property
    def amount_fen(self) -> int:
        """How much was moved: the sum of what went into accounts."""
        return sum(line.amount_fen for line in self.lines if line.amount_fen > 0)


class LedgerLine(Base):
    """What one entry does to one account, appended only."""

    __tablename__ = "ledger_lines"
    __table_args__ = (
        UniqueConstraint("entry_id", "account_id"),
        one_of("not_zero", "amount_fen <> 0"),
        Index("ix_ledger_lines_account", "account_id"),
    )

    id: Mapped[Key]
    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entries.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("ledger_accounts.id"))
    amount_fen: Mapped[int] = mapped_column(BigInteger, comment="above zero: into the account; below: out of it")
    account: Mapped[LedgerAccount] = relationship()


def account_code(level: LedgerLevel, number: str, *, source: str = "", purpose: str = "") -> str:
    """Return the code of an account: what it stands for, by the case's number."""
    return ":".join(part for part in (level.value, number, source, purpose) if part)
