"""What the forms of the gates of changes ask for."""

from flows.fields import Builder
from policies.vocabulary import Gate

BUILDERS: dict[Gate, Builder] = {}
"""By gate; the others ask for a verdict."""
