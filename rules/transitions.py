"""
Which verdicts a gate knows, who may give them, and which need a reason.

Used by the one command that records decisions, whatever the door. What follows from a verdict is the procedure's
business, what time decides is the edition's.
"""

from dataclasses import dataclass

from policies.errors import Refused
from policies.vocabulary import Door, Gate, Role, Verdict


@dataclass(frozen=True)
class Verdicts:
    """The verdicts of one gate."""

    by_people: frozenset[Verdict]
    """A person gives them, by any door that people use."""
    by_machine: frozenset[Verdict]
    """Only time (a lapse) or the system (a count that is complete) gives them."""


VERDICTS: dict[Gate, Verdicts] = {
    Gate.HOUSEHOLD_CONSENT: Verdicts(
        by_people=frozenset({Verdict.WITHDRAWN}),
        by_machine=frozenset({Verdict.CARRIED, Verdict.NOT_CARRIED}),
    ),
    Gate.VILLAGE_FORWARD: Verdicts(
        by_people=frozenset({Verdict.FORWARDED, Verdict.RETURNED, Verdict.WITHDRAWN}),
        by_machine=frozenset(),
    ),
    Gate.OFFICE_REVIEW: Verdicts(
        by_people=frozenset({Verdict.APPROVED, Verdict.RETURNED, Verdict.REJECTED, Verdict.WITHDRAWN}),
        by_machine=frozenset(),
    ),
    Gate.CORRECTION: Verdicts(
        by_people=frozenset({Verdict.RESUBMITTED, Verdict.WITHDRAWN}),
        by_machine=frozenset({Verdict.LAPSED}),
    ),
    Gate.PLAQUE: Verdicts(by_people=frozenset({Verdict.COMPLETED, Verdict.WITHDRAWN}), by_machine=frozenset()),
    Gate.SUBSIDY: Verdicts(by_people=frozenset({Verdict.COMPLETED}), by_machine=frozenset()),
    Gate.CALL_WINDOW: Verdicts(by_people=frozenset({Verdict.WITHDRAWN}), by_machine=frozenset({Verdict.ENDED})),
    Gate.SURVEY: Verdicts(
        by_people=frozenset({Verdict.COMPLETED, Verdict.WITHDRAWN}), by_machine=frozenset({Verdict.ENDED})
    ),
    Gate.SCREENING: Verdicts(by_people=frozenset({Verdict.COMPLETED, Verdict.WITHDRAWN}), by_machine=frozenset()),
    Gate.SELECTION_NOTICE: Verdicts(
        by_people=frozenset(), by_machine=frozenset({Verdict.CLEARED, Verdict.AMENDED, Verdict.RETRACTED})
    ),
    Gate.PROJECTS: Verdicts(by_people=frozenset(), by_machine=frozenset({Verdict.COMPLETED})),
    Gate.SELF_CHECK: Verdicts(by_people=frozenset({Verdict.COMPLETED}), by_machine=frozenset()),
    Gate.SELECTION: Verdicts(
        by_people=frozenset({Verdict.WITHDRAWN}), by_machine=frozenset({Verdict.SELECTED, Verdict.NOT_SELECTED})
    ),
    Gate.PLAN: Verdicts(by_people=frozenset({Verdict.SUBMITTED, Verdict.ABANDONED}), by_machine=frozenset()),
    Gate.PLAN_REVIEW: Verdicts(
        by_people=frozenset({Verdict.APPROVED, Verdict.RETURNED, Verdict.ABANDONED}), by_machine=frozenset()
    ),
    Gate.FUNDING: Verdicts(by_people=frozenset({Verdict.COMPLETED, Verdict.ABANDONED}), by_machine=frozenset()),
    Gate.MILESTONE: Verdicts(by_people=frozenset({Verdict.COMPLETED, Verdict.ABANDONED}), by_machine=frozenset()),
    Gate.ACCEPTANCE: Verdicts(
        by_people=frozenset({Verdict.ACCEPTED, Verdict.RECTIFY, Verdict.ABANDONED}), by_machine=frozenset()
    ),
    Gate.EVALUATION: Verdicts(by_people=frozenset({Verdict.COMPLETED}), by_machine=frozenset()),
    Gate.SETTLEMENT: Verdicts(by_people=frozenset({Verdict.COMPLETED}), by_machine=frozenset()),
    Gate.NOTICE_PERIOD: Verdicts(by_people=frozenset({Verdict.RETRACTED}), by_machine=frozenset({Verdict.ENDED})),
    Gate.OBJECTION_REVIEW: Verdicts(
        by_people=frozenset({Verdict.CLEARED, Verdict.AMENDED, Verdict.RETRACTED}), by_machine=frozenset()
    ),
    Gate.INSPECTIONS: Verdicts(by_people=frozenset(), by_machine=frozenset({Verdict.COMPLETED})),
    Gate.CAMPAIGN_REPORT: Verdicts(by_people=frozenset({Verdict.COMPLETED}), by_machine=frozenset()),
    Gate.INSPECTION_VISIT: Verdicts(
        by_people=frozenset({Verdict.PASSED, Verdict.RECTIFY, Verdict.REVOKE, Verdict.CALLED_OFF}),
        by_machine=frozenset(),
    ),
    Gate.RECTIFICATION: Verdicts(by_people=frozenset({Verdict.REPORTED}), by_machine=frozenset({Verdict.LAPSED})),
    Gate.RE_INSPECTION: Verdicts(
        by_people=frozenset({Verdict.PASSED, Verdict.RECTIFY, Verdict.REVOKE, Verdict.CALLED_OFF}),
        by_machine=frozenset(),
    ),
    Gate.REVOCATION_NOTICE: Verdicts(
        by_people=frozenset(), by_machine=frozenset({Verdict.CLEARED, Verdict.AMENDED, Verdict.RETRACTED})
    ),
    Gate.FIGURES_REVIEW: Verdicts(
        by_people=frozenset({Verdict.APPROVED, Verdict.RECOMPUTED, Verdict.CALLED_OFF}), by_machine=frozenset()
    ),
    Gate.RESULTS_NOTICE: Verdicts(
        by_people=frozenset(), by_machine=frozenset({Verdict.CLEARED, Verdict.AMENDED, Verdict.RETRACTED})
    ),
    Gate.MEETING: Verdicts(
        by_people=frozenset({Verdict.HELD, Verdict.POSTPONED, Verdict.CALLED_OFF}), by_machine=frozenset()
    ),
    Gate.RESOLUTIONS: Verdicts(by_people=frozenset(), by_machine=frozenset({Verdict.COMPLETED})),
    Gate.FOLLOW_UP: Verdicts(
        by_people=frozenset({Verdict.COMPLETED, Verdict.POSTPONED, Verdict.ABANDONED}), by_machine=frozenset()
    ),
    Gate.SERVICE_OFFER: Verdicts(
        by_people=frozenset({Verdict.TAKEN, Verdict.DECLINED, Verdict.WITHDRAWN}),
        by_machine=frozenset({Verdict.LAPSED}),
    ),
    Gate.SERVICE_DELIVERY: Verdicts(
        by_people=frozenset({Verdict.DELIVERED, Verdict.FAILED, Verdict.WITHDRAWN}), by_machine=frozenset()
    ),
    Gate.SERVICE_CONFIRMATION: Verdicts(
        by_people=frozenset({Verdict.CONFIRMED, Verdict.DISPUTED}), by_machine=frozenset({Verdict.LAPSED})
    ),
    Gate.CHANGE_OPINION: Verdicts(
        by_people=frozenset({Verdict.SUPPORTED, Verdict.OPPOSED, Verdict.WITHDRAWN}), by_machine=frozenset()
    ),
    Gate.CHANGE_REVIEW: Verdicts(
        by_people=frozenset({Verdict.APPROVED, Verdict.REJECTED, Verdict.WITHDRAWN}), by_machine=frozenset()
    ),
    Gate.CHANGE_WORKS: Verdicts(by_people=frozenset({Verdict.COMPLETED, Verdict.WITHDRAWN}), by_machine=frozenset()),
    Gate.SUSPENSION: Verdicts(by_people=frozenset({Verdict.RESUMED}), by_machine=frozenset({Verdict.ENDED})),
    Gate.UNDELIVERED_LETTER: Verdicts(
        by_people=frozenset({Verdict.RESENT, Verdict.TOLD_OTHERWISE}), by_machine=frozenset()
    ),
}
BY_PEOPLE = tuple(verdict for verdict in Verdict if any(verdict in gate.by_people for gate in VERDICTS.values()))
"""The verdicts that people give at one gate or another."""

GIVEN_BY: dict[tuple[Gate, Verdict], Role] = {
    (gate, verdict): Role.OFFICE_HEAD
    for verdict, gates in {
        Verdict.ABANDONED: (Gate.PLAN_REVIEW, Gate.FUNDING, Gate.MILESTONE, Gate.ACCEPTANCE, Gate.FOLLOW_UP),
        Verdict.POSTPONED: (Gate.FOLLOW_UP,),
        Verdict.REVOKE: (Gate.INSPECTION_VISIT, Gate.RE_INSPECTION),
    }.items()
    for gate in gates
}
"""Verdicts that another role gives than the one which decides at the gate."""
ALSO_GIVEN_BY: dict[tuple[Gate, Verdict], Role] = {
    (Gate.PLAN, Verdict.ABANDONED): Role.OFFICE_HEAD,
    (Gate.FOLLOW_UP, Verdict.COMPLETED): Role.OFFICE_REVIEWER,
    # A firm that does not work in the system answers the office by telephone.
    (Gate.SERVICE_OFFER, Verdict.TAKEN): Role.OFFICE_REVIEWER,
    (Gate.SERVICE_OFFER, Verdict.DECLINED): Role.OFFICE_REVIEWER,
    (Gate.SERVICE_DELIVERY, Verdict.DELIVERED): Role.OFFICE_REVIEWER,
    (Gate.SERVICE_DELIVERY, Verdict.FAILED): Role.OFFICE_REVIEWER,
    # Who ordered or applied may have gone, with the site or alone: what they asked for must still come to an end.
    (Gate.SERVICE_OFFER, Verdict.WITHDRAWN): Role.OFFICE_REVIEWER,
    (Gate.SERVICE_DELIVERY, Verdict.WITHDRAWN): Role.OFFICE_REVIEWER,
    (Gate.CHANGE_WORKS, Verdict.WITHDRAWN): Role.OFFICE_REVIEWER,
}
"""Verdicts that another role may give as well: a leader who never answers must not hold up the whole call."""
_REASONED = frozenset(
    {
        Verdict.RETURNED,
        Verdict.REJECTED,
        Verdict.WITHDRAWN,
        Verdict.TOLD_OTHERWISE,
        Verdict.AMENDED,
        Verdict.RETRACTED,
        Verdict.RECTIFY,
        Verdict.ABANDONED,
        Verdict.REVOKE,
        Verdict.RECOMPUTED,
        Verdict.CALLED_OFF,
        Verdict.POSTPONED,
        Verdict.DECLINED,
        Verdict.FAILED,
        Verdict.DISPUTED,
        Verdict.OPPOSED,
        Verdict.REPORTED,
    }
)


def allowed(gate: Gate) -> frozenset[Verdict]:
    """Return every verdict that may close `gate`."""
    return VERDICTS[gate].by_people | VERDICTS[gate].by_machine


def for_people(gate: Gate) -> tuple[Verdict, ...]:
    """Return the verdicts a person may give at `gate`, withdrawal last: the choices of a form."""
    given = (verdict for verdict in Verdict if verdict in VERDICTS[gate].by_people)
    return tuple(sorted(given, key=lambda verdict: verdict is Verdict.WITHDRAWN))


def needs_reason(gate: Gate, verdict: Verdict) -> bool:
    """Return whether `verdict` at `gate` must say why."""
    return verdict in allowed(gate) and verdict in _REASONED


def check_verdict(gate: Gate, verdict: Verdict, reason: str) -> None:
    """
    Refuse a verdict that the gate does not know, or one without the reason it needs.

    Raises:
        Refused: names the verdict and the choices, or asks for the reason.
    """
    if verdict not in allowed(gate):
        raise Refused("default", f"“{gate.label}”环节不能作出“{verdict.label}”,可选:{_choices(gate)}")
    if needs_reason(gate, verdict) and not reason.strip():
        raise Refused("default", f"“{gate.label}”作出“{verdict.label}”须写明理由,理由一栏为空;请填写后再提交")


def check_door(gate: Gate, verdict: Verdict, *, door: Door) -> None:
    """
    Refuse a person's verdict that only time or the system may give.

    A lapse or the system may give any verdict the gate knows: the edition says what a passed deadline decides.

    Raises:
        Refused: names the verdict and the choices of a person.
    """
    if door not in (Door.LAPSE, Door.SYSTEM) and verdict in VERDICTS[gate].by_machine:
        raise Refused(
            "default",
            f"“{gate.label}”环节的“{verdict.label}”由系统按登记结果或期限作出,不能由人填报;可选:{_choices(gate)}",
        )


def _choices(gate: Gate) -> str:
    return "、".join(verdict.label for verdict in for_people(gate))
