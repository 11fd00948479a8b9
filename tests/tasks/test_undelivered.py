"""Letters that do not arrive: the office hears of each once, and settles it one way or the other."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from models.outbox import OutboxEntry
from models.work_item import WorkItem
from policies.errors import Refused
from policies.vocabulary import Door, Gate, Letter, Role, Verdict, WorkItemStatus
from tasks import post
from tasks.commands import Decide
from tasks.history import verify
from tasks.office_acts import settle_undelivered
from tasks.outbox import DeliveryReport
from tests.broken import break_rows
from tests.township import GROUP_HEAD, HEAD_OF_OFFICE, LEADER, RESPONSIBLE, REVIEWER, SECOND_REVIEWER, Township, at


def settle(town: Township, verdict: Verdict, *, entry: int, by: str = REVIEWER, reason: str = "") -> None:
    command = Decide(case=town.number, by=by, verdict=verdict.label, reason=reason)
    settle_undelivered(town.resources, command, entry=entry, door=Door.CLI, at=town.now())


def items(town: Township) -> list[WorkItem]:
    with town.resources.database.read() as session:
        query = session.query(WorkItem).filter(WorkItem.gate == Gate.UNDELIVERED_LETTER)
        return query.order_by(WorkItem.id).all()


def dead(town: Township) -> list[int]:
    return [entry.id for entry in town.entries() if entry.status.value == "dead"]


def test_somebody_without_an_address_is_work_for_the_office(both: Township) -> None:
    town = both
    town.set_email(GROUP_HEAD, None)
    town.apply()
    (item,) = items(town)
    assert (item.role, item.status, item.subject_id) == (Role.OFFICE_REVIEWER, WorkItemStatus.OPEN, dead(town)[0])
    told = town.entries("letter_undelivered")
    assert [entry.to_name for entry in told] == ["沈审核", "施审核"]
    assert "没有电子邮箱" in told[0].sent_text
    assert "征求农户意见" in told[0].sent_text
    assert town.gate() is Gate.HOUSEHOLD_CONSENT, "the case goes on meanwhile"
    town.rehearsal.sweep()
    town.rehearsal.carry(town.number)
    assert len(items(town)) == 1


def test_an_address_that_is_none_is_found_out_on_the_way(both: Township) -> None:
    both.set_email(GROUP_HEAD, "kein Postfach")
    both.apply()
    assert len(items(both)) == len(dead(both)) == 1
    both.rehearsal.sweep()
    assert both.told("letter_undelivered") == ["沈审核", "施审核"]
    assert {entry.status.value for entry in both.entries("letter_undelivered")} == {"sent"}


def test_an_address_that_is_no_text_is_found_out_too_and_stops_no_other_letter(town: Township) -> None:
    town.apply()
    first, *_ = town.entries()
    queued = "status = 'queued', sent_at = NULL, next_attempt_at = created_at"
    break_rows(town, f"UPDATE outbox SET {queued}, to_address = x'01ff' WHERE id = {first.id}")
    assert town.rehearsal.sweep().failures == []
    assert [item.subject_id for item in items(town)] == dead(town) == [first.id]
    assert town.told("letter_undelivered") == ["沈审核", "施审核"]


@pytest.mark.parametrize("broken", ["to_address = 'kein Postfach'", "context = '['"])
def test_a_letter_that_was_sent_says_its_row_and_was_not_lets_no_other_go_out_twice(
    town: Township, broken: str
) -> None:
    town.apply()
    before = town.entries()[:2]
    first, second = (each.id for each in before)
    queued = "status = 'queued', next_attempt_at = created_at"
    break_rows(
        town,
        f"UPDATE outbox SET {queued}, {broken} WHERE id = {first}",
        f"UPDATE outbox SET {queued}, sent_at = NULL WHERE id = {second}",
    )
    for _ in range(2):
        assert town.rehearsal.sweep().failures == []
        town.clock.move_to(town.now() + timedelta(hours=1))
    assert [item.subject_id for item in items(town)] == [first]
    with town.resources.database.read() as session:
        attempts = session.scalar(select(OutboxEntry.attempts).where(OutboxEntry.id == second))
    assert attempts == before[1].attempts + 1


def test_a_case_whose_number_can_not_be_read_keeps_no_other_from_hearing_of_its_dead_letters(town: Township) -> None:
    town.apply()
    broken = town.number
    town.add_group("ZD02")
    town.apply(household="ZD02-001")
    with town.resources.database.write() as session:
        session.execute(text("UPDATE outbox SET status = 'dead', sent_at = NULL, last_error = '信箱已满'"))
        session.execute(
            text("UPDATE cases SET number = CAST(x'ff41' AS TEXT) WHERE number = :number"), {"number": broken}
        )
    told = post.post_letters(town.resources, at=town.now())
    assert told.failures, "the broken one is told"
    assert all(each.startswith("\\xffA:信函") for each in told.failures)
    with town.resources.database.read() as session:
        reported = set(session.scalars(select(WorkItem.subject_id).where(WorkItem.gate == Gate.UNDELIVERED_LETTER)))
        others = select(OutboxEntry.id).where(OutboxEntry.case_id == 2, OutboxEntry.letter != Letter.LETTER_UNDELIVERED)
        assert reported == set(session.scalars(others))


def test_a_dead_letter_of_which_nobody_can_read_whose_it_is_is_told_and_hides_no_other(town: Township) -> None:
    town.apply()
    first, second = (each.id for each in town.entries()[:2])
    break_rows(
        town,
        f"UPDATE outbox SET status = 'dead', sent_at = NULL, last_error = '信箱已满' WHERE id IN ({first}, {second})",
        f"UPDATE outbox SET case_id = CAST(x'e5a4' AS TEXT) WHERE id = {first}",
    )
    (told,) = post.post_letters(town.resources, at=town.now()).failures
    assert told.startswith(f"(所属案件不明):信函 {first} 未能送达,也未能报告")
    assert [item.subject_id for item in items(town)] == [second]


def test_a_letter_that_can_not_be_reported_is_told_by_each_pass_and_stops_nothing(
    both: Township, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_given: Any) -> None:
        raise LookupError("no policy")

    both.set_email(GROUP_HEAD, "kein Postfach")
    with monkeypatch.context() as patched:
        patched.setattr(post, "report_undelivered", broken)
        both.apply()
        report = post.post_letters(both.resources, at=both.now())
        assert report.failures == (f"{both.number}:信函 {dead(both)[0]} 未能送达,也未能报告:LookupError:no policy",)
    assert items(both) == []
    assert post.post_letters(both.resources, at=both.now()).failures == ()
    assert len(items(both)) == 1


def test_a_household_without_an_address_is_told_by_its_group_head(town: Township) -> None:
    town.apply(household="ZD01-002")
    assert items(town) == []
    assert "ZD01-003 户主3" in town.entries("consent_asked")[0].sent_text


def test_the_office_sends_it_again_once_the_address_is_known(both: Township) -> None:
    town = both
    town.set_email(GROUP_HEAD, None)
    town.apply()
    (entry,) = dead(town)
    with pytest.raises(Refused, match="请先在登记簿中补登"):
        settle(town, Verdict.RESENT, entry=entry)
    assert items(town)[0].status is WorkItemStatus.OPEN
    town.set_email(GROUP_HEAD, "gu@village.example")
    with pytest.raises(Refused, match="无权办理"):
        settle(town, Verdict.RESENT, entry=entry, by=RESPONSIBLE)
    settle(town, Verdict.RESENT, entry=entry)
    town.rehearsal.sweep()
    assert dead(town) == []
    assert items(town)[0].status is WorkItemStatus.CLOSED
    assert any(str(each["To"]).endswith("<gu@village.example>") for each in town.eml())
    with pytest.raises(Refused, match="没有待处理的未送达信函"):
        settle(town, Verdict.RESENT, entry=entry)
    with town.resources.database.read() as session:
        assert list(verify(session)) == []


def test_what_dies_again_is_reported_again(both: Township) -> None:
    both.set_email(GROUP_HEAD, None)
    both.apply()
    (entry,) = dead(both)
    both.set_email(GROUP_HEAD, "still none")
    settle(both, Verdict.RESENT, entry=entry)
    both.rehearsal.sweep()
    both.rehearsal.sweep()
    assert [item.status for item in items(both)] == [WorkItemStatus.CLOSED, WorkItemStatus.OPEN]
    assert both.told("letter_undelivered") == ["沈审核", "施审核"] * 2


def test_of_a_letter_that_somebody_tampered_with_the_office_hears_like_of_any_other(both: Township) -> None:
    both.apply()
    with both.resources.database.write() as session:
        changed = {"context": "{", "id": both.entries()[0].id}
        session.execute(text("UPDATE outbox SET status = 'queued', sent_at = NULL, next_attempt_at = created_at"))
        session.execute(text("UPDATE outbox SET context = :context WHERE id = :id"), changed)
    both.rehearsal.sweep()
    both.rehearsal.sweep()
    (item,) = items(both)
    assert item.subject_id == changed["id"]
    with both.resources.database.read() as session:
        query = select(OutboxEntry.sent_text).where(OutboxEntry.letter == Letter.LETTER_UNDELIVERED)
        told = session.scalars(query).all()
    assert [("列 context 现为" in each) for each in told] == [True, True]
    with pytest.raises(Refused, match="已被改动"):
        settle(both, Verdict.RESENT, entry=changed["id"])
    settle(both, Verdict.TOLD_OTHERWISE, entry=changed["id"], reason="已当面告知")
    assert items(both)[0].status is WorkItemStatus.CLOSED


def test_a_case_whose_run_can_not_be_read_costs_its_letters_only_the_link(town: Township) -> None:
    others = town.apply()
    town.add_group("ZD02")
    number = town.apply(household="ZD02-001")
    with town.resources.database.write() as session:
        session.execute(
            text("UPDATE outbox SET status = 'queued', sent_at = NULL, next_attempt_at = created_at, sent_text = ''")
        )
        session.execute(text("UPDATE cases SET flow_run_id = 'its-run'"))
        session.execute(text("UPDATE cases SET flow_run_id = CAST(x'ff' AS TEXT) WHERE number = :n"), {"n": number})
    report = post.post_letters(town.resources, at=town.now())
    assert report.sent == len(town.entries()) > 2
    linked = {entry.context["case_number"] for entry in town.entries() if "its-run" in entry.sent_text}
    assert linked == {others}


def test_the_office_says_how_it_was_told_otherwise(both: Township) -> None:
    both.set_email(GROUP_HEAD, None)
    both.apply()
    (entry,) = dead(both)
    with pytest.raises(Refused, match="须写明理由"):
        settle(both, Verdict.TOLD_OTHERWISE, entry=entry)
    settle(both, Verdict.TOLD_OTHERWISE, entry=entry, reason="已当面告知")
    both.rehearsal.sweep()
    both.rehearsal.carry(both.number)
    assert [item.status for item in items(both)] == [WorkItemStatus.CLOSED], "settled is settled"
    assert both.gate() is Gate.HOUSEHOLD_CONSENT
    assert "已当面告知" in both.history()[-1].summary


def test_a_letter_nobody_settles_is_reported_to_the_head_of_the_office(town: Township) -> None:
    town.set_email(LEADER, None)
    town.apply()
    town.pass_until("2018-10-12 09:00")
    escalations = town.entries("escalation")
    assert [entry.to_name for entry in escalations] == ["丁主任"]
    assert "信函未送达" in escalations[0].sent_text


def test_an_office_without_addresses_does_not_report_to_itself_for_ever(town: Township) -> None:
    for code in (REVIEWER, SECOND_REVIEWER, HEAD_OF_OFFICE, GROUP_HEAD):
        town.set_email(code, None)
    town.apply()
    town.rehearsal.sweep()
    assert len(items(town)) == 1, "the group head's letter; the report of it is not reported"
    assert len(dead(town)) == 3


def test_a_letter_found_dead_by_a_run_that_was_killed_is_reported_by_the_next(
    both: Township, monkeypatch: pytest.MonkeyPatch
) -> None:
    both.set_email(GROUP_HEAD, "kein Postfach")
    deliver = post.deliver

    def killed(*args: Any, **more: Any) -> DeliveryReport:
        deliver(*args, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(post, "deliver", killed)
    with pytest.raises(KeyboardInterrupt):
        both.apply()
    monkeypatch.setattr(post, "deliver", deliver)
    assert (len(dead(both)), items(both)) == (1, [])
    both.rehearsal.sweep()
    assert len(items(both)) == 1


def test_after_the_case_is_closed_its_dead_letters_are_still_to_be_settled(town: Township) -> None:
    town.set_email(LEADER, None)
    town.apply()
    town.withdraw()
    open_items = [item for item in items(town) if item.status is WorkItemStatus.OPEN]
    assert len(open_items) == len(dead(town)) == 2
    for entry in dead(town):
        settle(town, Verdict.TOLD_OTHERWISE, entry=entry, reason="已电话告知")
    town.stand_at(at("2019-03-01 10:00"))
    before = town.letters()
    town.rehearsal.sweep()
    assert town.letters() == before
