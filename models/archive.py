"""What was taken out of the database into an archive file: which case, which file, how far its history had come."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Digest, Moment


class ArchivedCase(Base):
    """A case whose details are in an archive file only; never changed, for its row lets the history go."""

    __tablename__ = "archived_cases"

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True, autoincrement=False)
    file: Mapped[str] = mapped_column(String(200), comment="name of the archive file, without its folder")
    sha256: Mapped[Digest] = mapped_column(comment="of the whole file")
    last_seq: Mapped[int] = mapped_column(comment="rows of the history that are in the file")
    last_head: Mapped[Digest] = mapped_column(comment="hash of the last of them")
    archived_at: Mapped[Moment] = mapped_column(comment="when it was taken out")
    archived_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
