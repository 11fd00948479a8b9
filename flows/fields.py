"""The fields that forms are made of; every one has a default that decides nothing."""

import types
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema
from sqlalchemy.orm import Session

from models.case import Case
from policies.vocabulary import Gate
from rules.transitions import for_people, needs_reason
from tasks.case_file import Awaited
from tasks.commands import NOT_PERSONAL

UNDECIDED = "(暂不决定)"
NOBODY = "(请选择)"
Fields = dict[str, Any]
"""Name, and type with default, as `pydantic.create_model` takes them."""
Builder = Callable[[Session, Case, Awaited], Fields]
"""Makes the fields of a gate's form for one case at one moment."""


def choice(default: str, options: tuple[str, ...]) -> Any:
    """Return the type of a field with one choice; `default` decides nothing."""
    return Literal.__getitem__((default, *options))


def several(options: tuple[str, ...]) -> Any:
    """Return the type of a field with several choices."""
    if not options:
        return list[str]
    # With its list spelled out, because a single option would become a "const", for which the UI offers no choice.
    listed = WithJsonSchema({"type": "string", "enum": list(options)})
    return types.GenericAlias(list, (Annotated[Literal.__getitem__(options), listed],))


def text(title: str, *, default: str = "", description: str = "", longest: int = 500) -> tuple[Any, Any]:
    """Return a field of free text, in which no personal number may stand."""
    field = Field(
        default, title=title, description=description or None, max_length=longest, json_schema_extra=dict(NOT_PERSONAL)
    )
    return (str, field)


def verdict_fields(awaited: Awaited) -> Fields:
    """Return the fields of a verdict: which, and why."""
    verdicts = for_people(awaited.gate)
    reasoned = "、".join(each.label for each in verdicts if needs_reason(awaited.gate, each))
    fields: Fields = {
        "verdict": (choice(UNDECIDED, tuple(each.label for each in verdicts)), Field(UNDECIDED, title="决定")),
        "reason": text("理由", description=f"{reasoned}时必须填写" if reasoned else "可以不填"),
    }
    if awaited.gate is Gate.OFFICE_REVIEW and awaited.warnings:
        fields["acknowledged"] = (
            several(awaited.warnings),
            Field(default_factory=list, title="已知悉的提示", description="批准前须逐条选中"),
        )
    return fields
