"""
What every letter is made of: its facts, from which personal numbers are masked, and who writes about which case.

The letters themselves stand beside it, one module per matter.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from policies.vocabulary import Letter
from rules.masking import mask_text

Count = Annotated[int, Field(ge=0, strict=True)]
Fen = Annotated[int, Field(gt=0, strict=True)]
Name = Annotated[str, Field(min_length=1)]
# A database refuses NUL, and it would do so after the letter has left.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def _fit_to_print(value: Any) -> Any:
    if isinstance(value, str):
        return _printed(value)
    if isinstance(value, (tuple, list)):
        return tuple(_fit_to_print(item) for item in value)
    return value


# Most of what a letter says, all letters of an hour say: office, gate, policy.
@lru_cache(maxsize=4096)
def _printed(text: str) -> str:
    return mask_text(text if text.isprintable() else _CONTROLS.sub("", text)).strip()


class LetterContext(BaseModel):
    """The facts of one letter."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    letter_kind: ClassVar[Letter]

    @model_validator(mode="before")
    @classmethod
    def _masked(cls, data: Any) -> Any:
        return {key: _fit_to_print(value) for key, value in data.items()} if isinstance(data, Mapping) else data


class CaseLetter(LetterContext):
    """The facts of a letter about a case: which it is and who writes."""

    township: Name
    """Of the office, e.g. ``示例镇``."""
    office: Name
    """Who signs, e.g. ``示例镇社区办``."""
    scheme_title: Name
    """Title of the edition, without 《》."""
    case_number: Name
    matter: Name
    """The case as the subject of a sentence, e.g. ``周荡村第三村民小组王小明户的“客堂间”建设申请``."""
    short: Name
    """The same for a subject line, e.g. ``王小明户申请``."""
    party_label: Name
    """What the one whose case it is is called, e.g. ``申请户``."""
    party: Name
    """Who that is, e.g. ``周荡村第三村民小组王小明户``."""
