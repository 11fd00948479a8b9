"""What the forms of the gates of changes become."""

from flows.site_answers import Answering, record_works
from policies.vocabulary import Gate
from tasks.commands import Command, WorkRecord

COMMANDS: dict[Gate, type[Command]] = {
    Gate.CHANGE_WORKS: WorkRecord,
}
"""Whose titles name a faulty field of the form."""
ANSWERS: dict[Gate, Answering] = {
    Gate.CHANGE_WORKS: record_works,
}
"""By gate; at the others an answer is a verdict."""
