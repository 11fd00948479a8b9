"""
The Resume forms, one per gate, made for one case at one moment: who may decide, what is missing, what may be chosen.

Every field has a default that decides nothing, so that a wake (an empty input) passes every form. What the schema can
not judge is judged by the command that the answer becomes; a refusal comes back in the next form's description.
"""

from typing import Any, ClassVar
from uuid import UUID

from prefect.input import RunInput
from prefect.input.run_input import Keyset
from pydantic import Field, create_model
from sqlalchemy.orm import Session

from flows import (
    call_forms,
    change_forms,
    evaluation_forms,
    inspection_forms,
    meeting_forms,
    notice_forms,
    project_forms,
    service_forms,
    site_forms,
)
from flows.fields import NOBODY, Builder, Fields, choice, verdict_fields
from models.case import Case
from policies.vocabulary import Gate, Verdict
from rules.periods import SHANGHAI
from rules.transitions import for_people
from runtime.resources import Resources
from tasks.case_file import Awaited, CaseFile, situation
from tasks.cases import leader_of, load_case
from tasks.mail import chinese_date

LONGEST = 120
"""Characters of the last decision that the first field tells; the head tells more."""
STOPS = ("。", "!", "?", "…")


class GateForm(RunInput):
    """A form whose schema is kept before the run suspends, so that a suspended run always has one."""

    gate: ClassVar[Gate]

    @classmethod
    def keep(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> None:
        """Store schema and description under the key that the run (None: this one) is about to suspend with."""
        RunInput.save.__func__(cls, keyset, flow_run_id)  # type: ignore[attr-defined]

    @classmethod
    def save(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> None:
        """Do nothing: `keep` was there first."""


def form_for(resources: Resources, file: CaseFile, awaited: Awaited) -> type[GateForm]:
    """
    Return the form of the gate that waits.

    Args:
        file: the case as it stands: the head of the form.
        awaited: the gate.
    """
    able = tuple(dict.fromkeys(awaited.people + awaited.helpers + awaited.above))
    with resources.database.read() as session:
        case = load_case(session, file.number, lock=False)
        leader = leader_of(session, case)
        if leader is not None and Verdict.WITHDRAWN in for_people(awaited.gate) and leader.display not in able:
            able = (*able, leader.display)  # the applicant may withdraw at any gate
        who = Field(NOBODY, title="办理人", description=in_short(file, awaited))
        fields: dict[str, Any] = {"by": (choice(NOBODY, able), who)}
        fields |= BUILDERS.get(awaited.gate, plain)(session, case, awaited)
    form = create_model(f"{awaited.gate.name.title().replace('_', '')}Form", __base__=GateForm, **fields)
    form.gate = awaited.gate
    form._description = describe(file, awaited)
    return form


def plain(session: Session, case: Case, awaited: Awaited) -> Fields:
    """Return the fields of a gate that needs nothing but a verdict and its reason."""
    return verdict_fields(awaited)


BUILDERS: dict[Gate, Builder] = {
    **site_forms.BUILDERS,
    **call_forms.BUILDERS,
    **project_forms.BUILDERS,
    **notice_forms.BUILDERS,
    **inspection_forms.BUILDERS,
    **evaluation_forms.BUILDERS,
    **meeting_forms.BUILDERS,
    **service_forms.BUILDERS,
    **change_forms.BUILDERS,
}
"""What each gate's form asks for beside who decides; the others ask for a verdict."""


def titled(title: str) -> Any:
    """Return the default of a flow's parameter that gives it a title; Prefect would show the parameter's name."""
    return Field(json_schema_extra={"title": title})


def in_short(file: CaseFile, awaited: Awaited) -> str:
    """
    Return what stands at the first field, in plain text: what was refused, what is asked, since when, until when, why.

    Prefect's classic UI leaves the head no height on an ordinary screen when the form is long; a field's description
    always has its own. Its V2 UI runs the lines together.
    """
    until = "预计至" if awaited.gate.waits_for_a_case else "已逾期,期限至" if awaited.late else "期限至"
    lines = [f"⚠️ 上次提交未被接受:{awaited.refusal}"] if awaited.refusal else []
    lines.append(
        f"{file.number}“{awaited.gate.label}”(第{awaited.round}轮)自{chinese_date(awaited.since)}起办理,"
        f"{until}{chinese_date(awaited.due_on)}"
    )
    if told := file.last_decision:
        lines.append(f"上一步{told if len(told) <= LONGEST else told[: LONGEST - 1] + '…'}")
    lines.append("全部情况见案件页面 Artifacts 中的案卷")
    return "\n\n".join(line if line.endswith(STOPS) else f"{line}。" for line in lines)


def describe(file: CaseFile, awaited: Awaited) -> str:
    """Return the head of the form, Markdown: what is refused, what is asked, what is known."""
    lines = [f"## {awaited.gate.label} · {file.number} {file.title}", ""]
    if awaited.refusal:
        lines += [f"> ⚠️ **上次提交未被接受**:{awaited.refusal}", ""]
    # A list, because the cells of a table do not wrap in the form and a long warning would run out of sight.
    rows = (*file.parties, *file.facts)
    lines += [situation(file), "", *(f"- **{name}**:{value}" for name, value in rows), "", "最近记录:", ""]
    lines += [
        f"- {moment.astimezone(SHANGHAI):%m-%d} {actor}:{summary}" for moment, actor, summary in file.timeline[-4:]
    ]
    return "\n".join(lines)
