"""Who hears of the final results of a year's evaluation, and what they are told (D0-R14)."""

from collections import defaultdict

from sqlalchemy import select

from models.case import Case
from models.evaluation import EvaluationResult
from models.registry import Person, RoleHolding, held_on, holders
from notifications.evaluation_letters import EvaluationTold
from policies.vocabulary import Role
from rules.grading import spoken_points
from rules.money import in_yuan
from tasks.act import Act
from tasks.mail import about, send, to_person
from tasks.year_results import evaluation_of, results_of
from tasks.year_words import award_of, grade_of, graded, points_of, score_lines, site_line, village_line

LISTED = 100
"""So many lines a letter has at the most; the register has all."""


def tell_results(act: Act, case: Case, *, notice: str) -> None:
    """
    Write the final results to every leader, to the villages' responsible members, and to the office.

    Args:
        notice: number of the notice that was cleared.
    """
    evaluation = evaluation_of(act.session, case)
    found = results_of(act.session, evaluation)
    sites = [each for each in found if each.site is not None]
    villages = [each for each in found if each.site is None]
    of_village: dict[int, list[EvaluationResult]] = defaultdict(list)
    for each in sites:
        of_village[each.village_id].append(each)
        _tell_leader(act, case, each, evaluation.year, len(sites), notice)
    responsible = _responsible(act, [each.village_id for each in villages])
    for each in villages:
        letter = EvaluationTold(
            **about(case),
            year=evaluation.year,
            who=each.village.name,
            result=f"得{points_of(case, each)}，在{len(villages)}个村（居）中列第{each.rank}名",
            notice=notice,
            scores=score_lines(case, each),
            consequence=f"所辖客堂间拟计入以奖代拨{in_yuan(each.award_fen)}，为建议数，以实际拨付为准；"
            f"计入村级年度考核{spoken_points(each.assessment_tenths)}分。",
            villages=(),
            sites=_listed([site_line(case, one) for one in of_village[each.village_id]]),
        )
        # Somebody may be responsible for two villages: a letter for each.
        to = [to_person(person) for person in responsible[each.village_id]]
        send(act, case, letter, to, event=f"result-{each.village.code}")
    office = {
        person.id: person
        for role in (Role.OFFICE_HEAD, Role.OFFICE_REVIEWER)
        for person in holders(act.session, role=role, unit_id=case.unit_id, on=act.day)
    }
    letter = EvaluationTold(
        **about(case),
        year=evaluation.year,
        who=case.unit.name,
        result=f"客堂间{graded(case, sites)}；村（居）{graded(case, villages)}",
        notice=notice,
        scores=(),
        consequence=f"拟计入以奖代拨合计{award_of(sites)}，为建议数；各村（居）计入村级年度考核的分数见下。",
        villages=_listed([village_line(case, each) for each in villages]),
        sites=_listed([site_line(case, each) for each in sites]),
    )
    send(act, case, letter, [to_person(each) for each in office.values()], event="result")


def _tell_leader(act: Act, case: Case, result: EvaluationResult, year: int, among: int, notice: str) -> None:
    if result.site is None:
        raise LookupError(f"result {result.id} is a village's")
    village = result.village.name
    letter = EvaluationTold(
        **about(case),
        year=year,
        who=f"客堂间 {result.site.number}（{village}）",
        result=f"得{points_of(case, result)}，在{among}个客堂间中列第{result.rank}名",
        notice=notice,
        scores=score_lines(case, result),
        consequence=f"按“{grade_of(case, result)}”等次，拟计入{village}以奖代拨{in_yuan(result.award_fen)}，"
        "为建议数，以实际拨付为准。",
        villages=(),
        sites=(),
    )
    # Somebody may lead two sites: a letter for each.
    send(act, case, letter, [to_person(result.site.leader)], event=f"result-{result.site.number}")


def _responsible(act: Act, villages: list[int]) -> dict[int, list[Person]]:
    """Return who is responsible in each village today, in one query."""
    rows = act.session.execute(
        select(RoleHolding.unit_id, Person)
        .join(Person, Person.id == RoleHolding.person_id)
        .where(
            RoleHolding.role == Role.VILLAGE_RESPONSIBLE,
            RoleHolding.unit_id.in_(villages),
            held_on(act.day),
            Person.active,
        )
        .order_by(Person.code)
    )
    found: dict[int, list[Person]] = defaultdict(list)
    for unit_id, person in rows.tuples():
        found[unit_id].append(person)
    return found


def _listed(lines: list[str]) -> tuple[str, ...]:
    left = len(lines) - LISTED
    return (*lines[:LISTED], f"其余{left}个见考核台账") if left > 0 else tuple(lines)
