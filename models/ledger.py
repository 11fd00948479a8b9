"""The dedicated ledger (专款专用): money moves from one account to another, so a sum is always zero (D0-R15)."""

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, Moment, Short, one_of, word_type
from policies.vocabulary import LedgerLevel, LedgerMove


class LedgerAccount(Base):
    """Where money stands: the district's grant, the town's account, a village's account for one case, what is spent."""

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        UniqueConstraint("code"),
        one_of("never_below_zero", "level = 'district' OR balance_fen >= 0"),
    )

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(String(80), comment="level:case:purpose")
    name: Mapped[Short]
    level: Mapped[LedgerLevel] = mapped_column(word_type(LedgerLevel))
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(40), default="", comment="code of the spending purpose")
    balance_fen: Mapped[int] = mapped_column(BigInteger, default=0, comment="the district's goes below zero: it grants")


class LedgerEntry(Base):
    """One movement of money, appended only."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        UniqueConstraint("key"),
        one_of("positive", "amount_fen > 0"),
        one_of("two_accounts", "from_id <> to_id"),
        Index("ix_ledger_entries_case", "case_id"),
    )

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    key: Mapped[str] = mapped_column(String(100), comment="the same movement is booked only once")
    move: Mapped[LedgerMove] = mapped_column(word_type(LedgerMove))
    from_id: Mapped[int] = mapped_column(ForeignKey("ledger_accounts.id"))
    to_id: Mapped[int] = mapped_column(ForeignKey("ledger_accounts.id"))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    memo: Mapped[str] = mapped_column(Text, default="")
    document_id: Mapped[int | None] = mapped_column(ForeignKey("documents.id"))
    booked_at: Mapped[Moment]
    booked_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
