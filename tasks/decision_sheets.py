"""The sheet of decisions (决定表): a row for each case, which decides at the gate that waits."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from policies.errors import Refused
from policies.vocabulary import Gate
from rules.masking import mask_text
from rules.transitions import for_people
from runtime.resources import Resources
from tasks.cases import Asked
from tasks.commands import Decide
from tasks.faults import faults_of, refusal_of
from tasks.sheet_rows import BoundSheet, bind, row_of
from tasks.sheets import read_decisions


def bound_decisions(
    resources: Resources, folder: Path, name: str, *, decide: Callable[[Decide, Asked], object], at: datetime
) -> BoundSheet:
    """
    Read a sheet of decisions below `folder`, and bind its rows to the gates that wait.

    Args:
        decide: carries out one of them.
        at: the moment of all of them.

    Raises:
        Refused: no such file, a head is missing, or rows are faulty; every fault is named by its row and its case. The
            other rows are for the gates that wait now nevertheless, when the sheet is put right.
    """
    read = read_decisions(folder, name)
    rows = [
        row_of(
            number,
            refusal_of(command, Decide) if isinstance(command, ValidationError) else command,
            case=case,
            decide=decide,
        )
        for number, case, command in read
    ]
    bound = bind(resources, folder=folder, name=name, rows=rows, at=at)
    faulty = [(row, case, error) for row, case, error in read if isinstance(error, ValidationError)]
    if faulty:
        told = ";".join(f"第{row}行{_named(case)}:{_told(error, bound.gates.get(case))}" for row, case, error in faulty)
        raise Refused("default", f"表格“{name}”有{len(faulty)}行有误,均未办理:{told}")
    return bound


def _named(case: str) -> str:
    return mask_text(f"(案件 {case})") if case else ""


def _told(error: ValidationError, gate: Gate | None) -> str:
    """Return what is wrong with a row; of a word that is no verdict, which its case waits for."""
    told = list[str]()
    for fault, sentence in zip(error.errors(include_url=False), faults_of(error, Decide), strict=True):
        if gate is not None and fault["loc"] == ("verdict",):
            choices = "、".join(verdict.label for verdict in for_people(gate))
            sentence = mask_text(f"“决定”填的是“{fault['input']}”,现处于“{gate.label}”,可选:{choices}")
        told.append(sentence)
    return ";".join(told)
