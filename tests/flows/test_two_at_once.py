"""Two writers at once, on both databases: exactly one stands, and the other is told who."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from policies.errors import Refused
from policies.vocabulary import Answer, Door, Gate, Role, Verdict
from tasks import applications, consents, decisions
from tasks.commands import ApplyForSite, Decide, HouseholdAnswer, RecordAnswers
from tasks.deadlines import fire_due
from tasks.history import verify
from tasks.post import post_letters
from tests.desks import OpenTown
from tests.township import GROUP_HEAD, LIAISON, RESPONSIBLE, REVIEWER, SECOND_REVIEWER, Township, at

Act = Callable[[], Any]


def at_once(acts: Sequence[Act]) -> list[Any]:
    """Start all acts at the same moment; return what each returned, or its refusal. Anything else is raised."""
    barrier = Barrier(len(acts))

    def run(act: Act) -> Any:
        barrier.wait(timeout=30)
        try:
            return act()
        except Refused as refusal:
            return refusal

    with ThreadPoolExecutor(len(acts)) as threads:
        return [done.result() for done in [threads.submit(run, act) for act in acts]]


def deciding(town: Township, by: str, verdict: Verdict, *, number: str = "", reason: str = "") -> Act:
    command = Decide(case=number or town.number, by=by, verdict=verdict.label, reason=reason)
    return lambda: decisions.decide(town.resources, command, door=Door.CLI, at=town.now())


def sound(town: Township) -> None:
    with town.resources.database.read() as session:
        assert list(verify(session)) == []
    keys = Counter(entry.dedup_key for entry in town.entries())
    assert set(keys.values()) == {1}


def test_of_two_decisions_on_one_gate_one_stands(both: Township) -> None:
    both.to_gate(Gate.OFFICE_REVIEW)
    results = at_once(
        [
            deciding(both, REVIEWER, Verdict.APPROVED),
            deciding(both, SECOND_REVIEWER, Verdict.REJECTED, reason="不合适"),
            deciding(both, SECOND_REVIEWER, Verdict.RETURNED, reason="请补充"),
            deciding(both, REVIEWER, Verdict.APPROVED),
        ]
    )
    refused = [each for each in results if isinstance(each, Refused)]
    (stands,) = [each for each in results if not isinstance(each, Refused)]
    assert len(refused) == 3
    who = {1: "沈审核(P001)", 2: "施审核(P002)"}[stands.decided_by_id]
    for each in refused:
        assert f"“社区办审核”已由{who}于2018-10-08 10:00办理" in each.reason
        assert stands.verdict.label in each.reason
    reviews = [each for each in both.decisions() if each.work_item.gate is Gate.OFFICE_REVIEW]
    assert [each.verdict for each in reviews] == [stands.verdict]
    sound(both)


def test_the_fourth_and_the_fifth_approval_at_once_are_one_too_many(open_town: OpenTown) -> None:
    town = open_town("xuhang-2013", "2013-03-04 10:00", households=5)
    numbers = []
    for household in range(1, 6):
        numbers.append(town.apply(household=f"ZD01-{household:03d}"))
        town.everybody_agrees(number=numbers[-1])
        town.decide(Verdict.FORWARDED, by=LIAISON, number=numbers[-1])
    for number in numbers[:3]:
        town.decide(Verdict.APPROVED, by=REVIEWER, number=number)

    results = at_once(
        [
            deciding(town, REVIEWER, Verdict.APPROVED, number=numbers[3]),
            deciding(town, SECOND_REVIEWER, Verdict.APPROVED, number=numbers[4]),
        ]
    )
    (refusal,) = [each for each in results if isinstance(each, Refused)]
    assert "已有4个,每村(居)每年至多4个" in refusal.reason
    approved = [each for number in numbers for each in town.decisions(number) if each.verdict is Verdict.APPROVED]
    assert len(approved) == 4
    sound(town)


def applying(town: Township, household: str, key: str) -> Act:
    command = ApplyForSite.model_validate(town.application(household=household))
    return lambda: applications.apply_for_site(town.resources, command, door=Door.CLI, key=key, at=town.now())


def test_eight_households_of_four_villages_that_apply_at_once_get_eight_numbers(open_town: OpenTown) -> None:
    town = open_town("example-2026", "2026-12-31 10:00")
    for code in ("YA", "YB", "YC"):
        town.add_village(code)
        town.add_group(f"{code}01", households=4, village=code)

    def all_apply(first: int) -> list[str]:
        households = [f"{code}01-00{number}" for code in ("ZD", "YA", "YB", "YC") for number in (first, first + 1)]
        return sorted(at_once([applying(town, household, f"key-{household}") for household in households]))

    # First the edition was never used before, then the new year's counter does not exist yet.
    assert all_apply(1) == [f"KT-2026-{number:04d}" for number in range(1, 9)]
    town.clock.move_to(at("2027-01-01 00:00"))
    assert all_apply(3) == [f"KT-2027-{number:04d}" for number in range(1, 9)]
    sound(town)


def test_one_key_that_comes_in_four_times_at_once_opens_one_case(both: Township) -> None:
    numbers = at_once([applying(both, "ZD01-001", "the-same-run")] * 4)
    assert numbers == ["ZJJ-2018-0001"] * 4
    assert len(both.state()["cases"]) == 1
    sound(both)


def test_one_household_that_applies_twice_at_once_has_one_case(both: Township) -> None:
    results = at_once([applying(both, "ZD01-001", f"key-{number}") for number in range(3)])
    assert Counter(type(each) for each in results) == {str: 1, Refused: 2}
    assert all("已有在办申请 ZJJ-2018-0001" in each.reason for each in results if isinstance(each, Refused))


def test_answers_that_two_people_record_at_once_all_count(open_town: OpenTown) -> None:
    town = open_town("zhujiajiao-2018", "2018-10-08 10:00", households=12)
    town.apply()
    town.add_person("P021", "顾副组长", Role.GROUP_HEAD, "ZD01")

    def recording(household: int, by: str) -> Act:
        answer = HouseholdAnswer(household=f"ZD01-{household:03d}", answer=Answer.AGREE.label)
        command = RecordAnswers(case=town.number, by=by, answers=[answer])
        return lambda: consents.record_answers(town.resources, command, door=Door.CLI, at=town.now())

    results = at_once([recording(number, GROUP_HEAD if number % 2 else "P021") for number in range(1, 13)])
    assert sorted(each.agreeing for each in results) == list(range(1, 13))
    assert [each.carried for each in results].count(True) == 1
    (decision,) = town.decisions()
    assert decision.verdict is Verdict.CARRIED
    assert sorted(town.told("consent_complete")) == sorted(["陆负责", "户主1", "周责任"])
    sound(town)


def test_two_sweeps_at_once_fire_each_timer_once(open_town: OpenTown) -> None:
    town = open_town("zhujiajiao-2018", "2018-10-08 10:00", households=6)
    for household in range(1, 7):
        town.apply(household=f"ZD01-{household:03d}")
    before = len(town.entries())
    town.clock.move_to(town.now().replace(month=11, day=8, hour=4))

    counts = at_once([lambda: fire_due(town.resources, at=town.now())] * 3)
    assert [each.failures for each in counts] == [[], [], []]
    assert sum(each.lapses for each in counts) == 6
    assert sum(each.escalations for each in counts) == 6
    letters = Counter(letter for letter, _ in town.letters()[before:])
    assert letters == {"consent_missing": 6 * 3 + 1, "escalation": 6}
    sound(town)


def test_two_passes_and_two_deliverers_at_once_do_everything_once(both: Township) -> None:
    both.to_gate(Gate.OFFICE_REVIEW)
    deciding(both, REVIEWER, Verdict.APPROVED)()
    at_once([lambda: both.rehearsal.carry(both.number)] * 3 + [lambda: post_letters(both.resources, at=both.now())] * 2)
    assert both.gate() is Gate.PLAQUE
    assert both.told("plaque_due") == ["沈审核", "施审核"]
    both.rehearsal.sweep()
    assert {entry.status.value for entry in both.entries()} == {"sent"}
    ids = both.message_ids()
    assert len(ids) == len(set(ids)) == len(both.entries())
    sound(both)


def test_a_decision_and_its_withdrawal_at_once_do_not_both_stand(both: Township) -> None:
    both.to_gate(Gate.VILLAGE_FORWARD)
    results = at_once(
        [
            deciding(both, RESPONSIBLE, Verdict.FORWARDED),
            deciding(both, "P030", Verdict.WITHDRAWN, reason="不办了"),
        ]
    )
    assert Counter(isinstance(each, Refused) for each in results) == {True: 1, False: 1}
    both.rehearsal.carry(both.number)
    stands = next(each for each in results if not isinstance(each, Refused))
    expected = Gate.OFFICE_REVIEW if stands.verdict is Verdict.FORWARDED else None
    assert both.gate() is expected


def test_one_grant_recorded_three_times_at_once_is_booked_once(both: Township) -> None:
    both.to_gate(Gate.SUBSIDY)
    results = at_once([lambda: both.record({"区拨付到镇": REVIEWER})] * 3)
    assert Counter(isinstance(each, Refused) for each in results) == {True: 2, False: 1}
    assert len(both.state()["ledger_entries"]) == 1
    sound(both)
