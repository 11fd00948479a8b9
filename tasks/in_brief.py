"""What went wrong, as records, the states of runs and administrators are told it; the log has all of it."""

from sqlalchemy.exc import DBAPIError

from rules.masking import mask_text


def in_brief(error: BaseException) -> str:
    """Return an error without personal numbers, and of a database's only what it is, not the row that it names."""
    said, kind = str(error), type(error)
    if isinstance(error, DBAPIError) and error.orig is not None:
        # What follows the first line is the statement, and on PostgreSQL the whole row that was refused.
        said, kind = str(error.orig).partition("\n")[0], type(error.orig)
    return mask_text(f"{kind.__name__}:{said}")
