"""A site case by the desk's own commands, act by act, as people would do it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from bench.town import CASE_PROCEDURES, GROUP_HEAD, LEADER, RESPONSIBLE, REVIEWER, Town
from policies.edition import Edition
from policies.vocabulary import Answer, Door, Verdict
from rules.periods import shanghai_day
from tasks import applications, consents, decisions, works
from tasks.commands import ApplyForSite, Decide, HouseholdAnswer, RecordAnswers, RecordWorks, WorkRecord
from tasks.drivers import carry_with_relatives

Act = Callable[[], object]


class SiteDesk:
    """What people do in a site case."""

    def __init__(self, town: Town, *, at: datetime, edition: Edition) -> None:
        self.town = town
        self.resources = town.resources
        self.at = at
        self.edition = edition

    def application(self, household: str) -> dict[str, Any]:
        """The fields of an application that meets every standard."""
        scheme = self.edition.for_sites
        return {
            "household": household,
            "household_agrees": True,
            "leader": LEADER,
            "leader_source": next(iter(scheme.leader.sources)).label,
            "recommended_by": "周荡村党支部",
            "leader_agrees": True,
            "volunteers": 12,
            "area_square_metres": "25",
            "facilities": ["客厅", "卫生间", "电视机", "空调", "桌椅", "书报"],
            "confirmations": [each.name for each in scheme.standards if each.kind == "confirmation"],
            "speciality": "编织",
            "combined_with": [],
        }

    def carry(self, number: str) -> None:
        """Run the procedure to the next gate."""
        carry_with_relatives(self.resources, number, CASE_PROCEDURES, at=self.at)

    def apply(self, group: str) -> str:
        """Hand in the application; return the case's number."""
        command = ApplyForSite.model_validate(self.application(f"{group}-001"))
        return applications.apply_for_site(self.resources, command, door=Door.FORM, key=group, at=self.at)

    def sign(self, number: str, *households: str) -> None:
        """Enter households' signatures in one act."""
        command = RecordAnswers(
            case=number,
            by=GROUP_HEAD,
            answers=[HouseholdAnswer(household=each, answer=Answer.AGREE.label) for each in households],
        )
        consents.record_answers(self.resources, command, door=Door.FORM, at=self.at)

    def decisions(self, number: str) -> list[list[Act]]:
        """The acts of the four decisions after the signatures; the last act of each closes its gate."""
        day = shanghai_day(self.at)

        def decide(verdict: Verdict, by: str) -> Act:
            command = Decide(case=number, by=by, verdict=verdict.label)
            return lambda: decisions.decide(self.resources, command, door=Door.FORM, at=self.at)

        def record(points: list[str], by: str) -> Act:
            done = [WorkRecord(point=point, done_on=day, proof="照片.jpg") for point in points]
            command = RecordWorks(case=number, by=by, works=done)
            return lambda: works.record_works(self.resources, command, door=Door.FORM, at=self.at)

        return [
            [decide(Verdict.FORWARDED, RESPONSIBLE)],
            [decide(Verdict.APPROVED, REVIEWER)],
            [record([work.name for work in self.edition.for_sites.works], REVIEWER)],
            [record(["区拨付到镇", "镇下拨到村(居)委会"], REVIEWER), record(["村(居)委会确认到账"], RESPONSIBLE)],
        ]
