"""Public notices in tests: the office's acts in a small township, on the real database, clock moved."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from models.case import Case
from models.notice import Notice, Objection
from policies.vocabulary import Door, Outcome, Verdict
from tasks import notice_changes, notices, objections
from tasks.commands import Decide
from tasks.decisions import decide
from tasks.notice_commands import AnswerObjection, HandleObjection, HandleObjections, ProlongNotice, RecordObjection
from tasks.notice_commands import PublishNotice as Publish
from tests.township import REVIEWER, Township, at

LINPING, MICRO = "linping-2022", "example-micro-2026"


class Board:
    """The office's notice board: what people do with notices in a township."""

    def __init__(self, town: Township) -> None:
        self.town = town

    def publish(self, edition: str = LINPING, *, key: str = "one", by: str = REVIEWER, **changes: Any) -> str:
        """Publish a notice and let its run take it up; return its number."""
        fields = {
            "unit": "Z",
            "edition": edition,
            "by": by,
            "title": "老街路灯改造方案",
            "text": "拟在老街安装路灯二十盏。\n施工期间请绕行。",
            "items": ["东段十二盏", "西段八盏"],
            "contact": "镇社区办,镇政府二楼",
            "place": "镇政务公开栏",
        } | changes
        number = notices.publish_notice(
            self.town.resources, Publish.model_validate(fields), door=Door.CLI, key=key, at=self.town.now()
        )
        self.town.number = number
        self.town.rehearsal.carry(number)
        return number

    def object(self, *, key: str = "", carry: bool = True, **changes: Any) -> int:
        """Record an objection; return its number within the notice."""
        fields = {
            "case": self.town.number,
            "by": REVIEWER,
            "channel": "书面",
            "name": "王五",
            "content": "路灯正对卧室",
        } | changes
        seq = objections.record_objection(
            self.town.resources,
            RecordObjection.model_validate(fields),
            door=Door.CLI,
            key=key or f"objection:{fields['content']}:{self.town.now().isoformat()}",
            at=self.town.now(),
        )
        if carry:
            self.town.rehearsal.carry(self.town.number)
        return seq

    def handle(self, seq: int, finding: str, *, reasons: str = "已现场核实", by: str = REVIEWER) -> tuple[str, ...]:
        """Find that an objection is upheld or not."""
        handled = HandleObjection.model_validate({"objection": seq, "finding": finding, "reasons": reasons})
        left = objections.handle_objections(
            self.town.resources,
            HandleObjections(case=self.town.number, by=by, handled=[handled]),
            door=Door.CLI,
            at=self.town.now(),
        )
        self.town.rehearsal.carry(self.town.number)
        return left

    def answer(self, seq: int, how: str = "当面告知", *, answered_at: datetime | None = None) -> tuple[str, ...]:
        """Note that who objected was told."""
        answered = AnswerObjection(objection=seq, how=how, answered_at=answered_at)
        left = objections.handle_objections(
            self.town.resources,
            HandleObjections(case=self.town.number, by=REVIEWER, answered=[answered]),
            door=Door.CLI,
            at=self.town.now(),
        )
        self.town.rehearsal.carry(self.town.number)
        return left

    def prolong(self, until: str, *, reason: str = "连日暴雨", by: str = REVIEWER) -> date:
        """Let the notice stand longer."""
        command = ProlongNotice(case=self.town.number, by=by, until=date.fromisoformat(until), reason=reason)
        last = notice_changes.prolong_notice(self.town.resources, command, at=self.town.now())
        self.town.rehearsal.carry(self.town.number)
        return last

    def decide(self, verdict: Verdict, *, reason: str = "", by: str = REVIEWER) -> None:
        """Decide at the gate that waits."""
        command = Decide(case=self.town.number, by=by, verdict=verdict.label, reason=reason)
        decide(self.town.resources, command, door=Door.CLI, at=self.town.now())
        self.town.rehearsal.carry(self.town.number)

    def notice(self, number: str = "") -> Notice:
        """The notice as it stands."""
        with self.town.resources.database.read() as session:
            query = select(Notice).join(Case).where(Case.number == (number or self.town.number))
            return session.scalars(query).one()

    def objections(self) -> list[Objection]:
        """The objections against it, in order."""
        with self.town.resources.database.read() as session:
            query = select(Objection).join(Notice).join(Case).where(Case.number == self.town.number)
            return list(session.scalars(query.order_by(Objection.seq)))

    def outcome(self) -> Outcome | None:
        """How its case ended; None while it is open."""
        return self.town.case().outcome


def stand(town: Township, when: str) -> None:
    """Move the clock without a sweep."""
    town.clock.move_to(at(when))
