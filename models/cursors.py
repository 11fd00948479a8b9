"""PostgreSQL's answers, described no further than SQLAlchemy asks."""

from typing import Any

from psycopg import Cursor


class BriefCursor(Cursor[Any]):
    """A cursor whose results have columns of a name and a type: psycopg's own take longer than many a query."""

    @property
    def description(self) -> Any:
        """Return name, type and five times None for each column; None when there is no result of rows."""
        result = self.pgresult
        if result is None or not result.nfields:
            return None
        nothing = (None,) * 5
        return [((result.fname(each) or b"").decode(), result.ftype(each), *nothing) for each in range(result.nfields)]
