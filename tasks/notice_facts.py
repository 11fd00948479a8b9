"""What a page says of a public notice, as labelled rows."""

from sqlalchemy.orm import Session

from models.case import Case
from tasks.cases import notice_of

Rows = tuple[tuple[str, str], ...]


def of_notice(session: Session, case: Case) -> Rows:
    """Return the facts of a notice: what it says, where, until when."""
    notice = notice_of(session, case)
    return (
        ("公示内容", notice.text),
        ("公示地点", notice.place),
        ("联系方式", notice.contact),
        ("公示至", notice.ends_on.isoformat()),
    )
