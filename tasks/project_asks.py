"""The letters that open the gates of a call and of its projects."""

from models.case import Case
from models.work_item import WorkItem
from notifications.letters import TaskWaiting
from policies.vocabulary import Gate
from tasks.act import Act
from tasks.cases import deciders
from tasks.mail import about, due_note, send, to_person

WHAT_TO_DO: dict[Gate, str] = {}
"""What is asked at each gate, as a sentence; a gate that waits for another case asks nobody."""


def ask_call(act: Act, case: Case, item: WorkItem) -> None:
    """Write the letters that open a gate of a call."""
    ask(act, case, item)


def ask_project(act: Act, case: Case, item: WorkItem) -> None:
    """Write the letters that open a gate of a project."""
    ask(act, case, item)


def ask(act: Act, case: Case, item: WorkItem, facts: tuple[str, ...] = ()) -> None:
    """Ask those who decide at `item`, by letter; nobody at a gate that waits for another case."""
    if item.gate.waits_for_a_case:
        return
    letter = TaskWaiting(
        **about(case),
        gate=item.gate.label,
        what_to_do=WHAT_TO_DO[item.gate],
        facts=facts,
        due_on=item.due_on,
        due_note=due_note(item),
    )
    to = [to_person(each) for each in deciders(act.session, item, on=act.day)]
    send(act, case, letter, to, event=f"{item.gate.value}-{item.round}")
