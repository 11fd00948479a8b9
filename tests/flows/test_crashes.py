"""A process is killed before and after each of its commits and started again: same outcome, same letters."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models.case import Consent, Site, WorkDone
from models.ledger import LedgerAccount
from models.work_item import WorkItem
from policies.errors import Refused
from policies.vocabulary import Answer, Door, Outcome, Verdict
from tasks import applications, works
from tasks.commands import ApplyForSite, RecordWorks, WorkRecord
from tasks.history import verify
from tests.desks import OpenTown, keep
from tests.township import GROUP_HEAD, RESPONSIBLE, REVIEWER, Township, at

START = "2018-10-08 10:00"


class Killed(BaseException):
    """What stops a process without its consent."""


@dataclass
class Killer:
    """Kills at the n-th commit from now: before it, or right after it."""

    at: int = 0
    after: bool = False
    commits: int = 0

    def arm(self, at: int, *, after: bool) -> None:
        self.at, self.after, self.commits = at, after, 0


@contextmanager
def killer_of(town: Township) -> Iterator[Killer]:
    """Stand between the engine and its database."""
    killer, dialect = Killer(), town.resources.database.engine.dialect
    commit = dialect.do_commit

    def do_commit(connection: Any) -> None:
        killer.commits += 1
        if killer.commits == killer.at and not killer.after:
            raise Killed
        commit(connection)
        if killer.commits == killer.at:
            raise Killed

    dialect.do_commit = do_commit  # type: ignore[method-assign]
    try:
        yield killer
    finally:
        dialect.do_commit = commit  # type: ignore[method-assign]


Step = Callable[[Township], object]


def apply(town: Township) -> None:
    command = ApplyForSite.model_validate(town.application())
    town.number = applications.apply_for_site(town.resources, command, door=Door.CLI, key="form-1", at=town.now())
    town.rehearsal.carry(town.number)


def all_works(town: Township) -> None:
    done_on = town.now().date()
    names = [work.name for work in town.edition().site.works]
    records = [WorkRecord(point=name, done_on=done_on, proof=town.proof("照片.jpg")) for name in names]
    works.record_works(
        town.resources, RecordWorks(case=town.number, by=REVIEWER, works=records), door=Door.CLI, at=town.now()
    )
    town.rehearsal.carry(town.number)


STEPS: list[tuple[str, Step]] = [
    ("2018-10-08 10:00", apply),
    ("2018-10-09 10:00", lambda town: town.answer({"ZD01-001": Answer.AGREE, "ZD01-002": Answer.OBJECT})),
    ("2018-10-31 09:00", lambda town: town.rehearsal.sweep()),
    ("2018-11-08 00:00", lambda town: town.rehearsal.sweep()),
    ("2018-11-09 10:00", lambda town: town.resubmit(volunteers=9)),
    ("2018-11-10 10:00", lambda town: town.everybody_agrees()),
    ("2018-11-12 10:00", lambda town: town.decide(Verdict.FORWARDED, by=RESPONSIBLE)),
    ("2018-11-13 10:00", lambda town: town.decide(Verdict.APPROVED, by=REVIEWER, acknowledged=["志愿者人数"])),
    ("2018-11-14 10:00", all_works),
    ("2018-11-15 10:00", lambda town: town.record({"区拨付到镇": REVIEWER})),
    ("2018-11-16 10:00", lambda town: town.record({"镇下拨到村(居)委会": REVIEWER})),
    ("2018-11-19 10:00", lambda town: town.record({"村(居)委会确认到账": RESPONSIBLE})),
]


def attempt(town: Township, step: Step) -> None:
    """Do a step; what is done already is refused, and the case is carried on."""
    try:
        step(town)
    except Refused:
        town.rehearsal.carry(town.number)


def come_by_later(town: Township) -> None:
    """Let the sweep come by when the claims of a killed deliverer have run out, and again while letters wait."""
    town.clock.advance(timedelta(minutes=20))
    town.rehearsal.sweep()
    for _ in range(3):  # a letter that dies in one pass is reported by one that leaves in the next
        if not any(entry.status.value == "queued" for entry in town.entries()):
            return
        town.clock.advance(timedelta(minutes=5))
        town.rehearsal.sweep()


def restart(town: Township) -> None:
    town.resources.database.engine.dispose()


def facts(town: Township) -> dict[str, Any]:
    """What must be the same whatever was killed: all but when letters left and how often they were tried."""
    with town.resources.database.read() as session:

        def rows(*columns: Any) -> Counter[tuple[Any, ...]]:
            return Counter(tuple(row) for row in session.execute(select(*columns)))

        return {
            "letters": Counter(
                (entry.letter.value, entry.to_name, entry.dedup_key, entry.status.value) for entry in town.entries()
            ),
            "history": Counter((row.kind, row.actor, row.summary) for row in town.history()),
            "decisions": [(each.verdict, each.reason, each.decided_at, each.door) for each in town.decisions()],
            "gates": rows(WorkItem.gate, WorkItem.round, WorkItem.status, WorkItem.due_on),
            "answers": rows(Consent.household_id, Consent.work_item_id, Consent.answer),
            "works": rows(WorkDone.code, WorkDone.done_on),
            "money": rows(LedgerAccount.code, LedgerAccount.balance_fen),
            "sites": rows(Site.number),
        }


def check(town: Township, expected: dict[str, Any], where: str) -> None:
    found = facts(town)
    for what, value in expected.items():
        assert found[what] == value, f"{what} differ, killed {where}"
    with town.resources.database.read() as session:
        assert list(verify(session)) == [], where
    ids = town.message_ids()
    sent = [f"<{entry.message_id}>" for entry in town.entries() if entry.status.value == "sent"]
    assert sorted(ids) == sorted(sent), f"one file for each letter, killed {where}"


def undisturbed(town: Township, killer: Killer) -> tuple[list[dict[str, Any]], list[int], list[Callable[[], None]]]:
    """Walk without a kill; return the facts after each step, its commits, and how to come back to before it."""
    after, commits, before = [], [], []
    for moment, step in STEPS:
        town.clock.move_to(at(moment))
        before.append(keep(town, f"step-{len(before)}"))
        killer.arm(0, after=False)
        step(town)
        commits.append(killer.commits)
        come_by_later(town)
        after.append(facts(town))
    return after, commits, before


def test_a_kill_at_any_commit_of_a_whole_walk_changes_nothing(open_sqlite: OpenTown) -> None:
    town = open_sqlite("zhujiajiao-2018", START)
    town.set_email(GROUP_HEAD, "kein Postfach")  # so that a letter dies on the way, and the office must hear of it
    with killer_of(town) as killer:
        after, commits, before = undisturbed(town, killer)
        assert town.case().outcome is Outcome.LISTED
        assert any(status == "dead" for *_, status in after[-1]["letters"])
        check(town, after[-1], "never")
        assert min(commits) >= 2
        kills = 0
        for number, (_, step) in enumerate(STEPS):
            for commit in range(1, commits[number] + 1):
                for late in (False, True):
                    where = f"{'after' if late else 'before'} commit {commit} of step {number + 1}"
                    before[number]()
                    killer.arm(commit, after=late)
                    with pytest.raises(Killed):
                        step(town)
                    killer.arm(0, after=False)
                    restart(town)
                    attempt(town, step)
                    come_by_later(town)
                    check(town, after[number], where)
                    kills += 1
                    if kills % 20 == 0:
                        finish(town, number)
                        check(town, after[-1], where)
        assert kills == 2 * sum(commits)


def finish(town: Township, done: int) -> None:
    for moment, step in STEPS[done + 1 :]:
        town.clock.move_to(at(moment))
        step(town)
        come_by_later(town)


def test_a_walk_that_is_killed_at_every_commit_in_turn_still_arrives(open_town: OpenTown) -> None:
    """The second kill falls into the repair of the first, and so on."""
    town = open_town("zhujiajiao-2018", START)
    town.set_email(GROUP_HEAD, "kein Postfach")
    with killer_of(town) as killer:
        kills = 0
        for number, (moment, step) in enumerate(STEPS):
            town.clock.move_to(at(moment))
            for commit in range(1, 60):
                killer.arm(commit, after=commit % 2 == 0)
                try:
                    attempt(town, step)
                except Killed:
                    kills += 1
                    restart(town)
                else:
                    break
            else:
                raise AssertionError(f"step {number + 1} never came to its end")
            killer.arm(0, after=False)
            come_by_later(town)
        assert kills > len(STEPS)
    assert (town.case().outcome, town.gate()) == (Outcome.LISTED, None)
    check(town, facts(town), "at every commit")
    repaired = by_recipient(town)

    town = open_town("zhujiajiao-2018", START)
    town.set_email(GROUP_HEAD, "kein Postfach")
    finish(town, -1)
    assert repaired == by_recipient(town)
    assert repaired["letter_undelivered", "沈审核", "sent"] == sum(
        status == "dead" for *_, status in repaired.elements()
    )


def by_recipient(town: Township) -> Counter[tuple[str, str, str]]:
    """Count the letters; their numbers may differ, because a database does not use a number twice."""
    return Counter((entry.letter.value, entry.to_name, entry.status.value) for entry in town.entries())
