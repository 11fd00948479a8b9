"""What the forms of the gates of meetings become."""

from flows.site_answers import Answering
from policies.vocabulary import Gate
from tasks.commands import Command

COMMANDS: dict[Gate, type[Command]] = {}
"""Whose titles name a faulty field of the form."""
ANSWERS: dict[Gate, Answering] = {}
"""By gate; at the others an answer is a verdict."""
