"""How long closed cases stay in the desk's database before they may go to an archive file. Part of an edition."""

from typing import Self

from pydantic import Field, model_validator

from policies.sections import Positive, Sourced
from policies.vocabulary import CaseKind


class Retention(Sourced):
    """Years by kind of case; a kind that is not named stays for ever."""

    years: dict[CaseKind, Positive] = Field(min_length=1)
    """How many full years after the day it was closed a case stays at the least."""

    @model_validator(mode="after")
    def _within_reason(self) -> Self:
        if too_long := [kind.value for kind, years in self.years.items() if years > 100]:
            raise ValueError(f"保存年限最多100年:{'、'.join(too_long)}")
        return self
