"""What the forms of the gates of changes ask for."""

from pydantic import Field
from sqlalchemy.orm import Session

from flows.fields import Builder, Fields, several, verdict_fields
from flows.site_forms import work_fields
from models.case import Case
from policies.vocabulary import Gate
from tasks.case_file import Awaited
from tasks.cases import change_of
from tasks.change_case import warnings_of


def _review_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    """Ask for the verdict; of a move that is off the usual, also that the reviewer has seen it."""
    fields = verdict_fields(awaited)
    if names := tuple(name for _, name in warnings_of(case, change_of(session, case))):
        fields["acknowledged"] = (
            several(names),
            Field(default_factory=list, title="已知悉的提示", description="批准前须逐条选中"),
        )
    return fields


BUILDERS: dict[Gate, Builder] = {
    Gate.CHANGE_REVIEW: _review_fields,
    Gate.CHANGE_WORKS: work_fields,
}
"""By gate; the others ask for a verdict."""
