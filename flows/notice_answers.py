"""What was filled into a form of public notices becomes the command that every door calls."""

from flows.site_answers import Answering
from policies.vocabulary import Gate
from tasks.commands import Command

ANSWERS: dict[Gate, Answering] = {}
"""By gate; the others are a verdict."""
COMMANDS: dict[Gate, type[Command]] = {}
"""Whose titles name a faulty field of the form."""
