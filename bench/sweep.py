"""
Work 2: the sweep. A fixed number of gates is due for a reminder among ever more open ones.

The open cases are copies of one real case, made by INSERT … SELECT with their households, work items and timers,
without their history. The limit is set-based SQL on the same tables: a letter, a line of history and the mark on the
timer of each due item in three statements and one commit; it seals nothing, locks no case, asks nobody's role, and its
letters say nothing. Beside it the same with every row that the desk writes: the letters' facts, found by joins, who
holds the role, and the heads of the histories, which stand on the cases; the chain's hashes are left out.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    Integer,
    Table,
    bindparam,
    column,
    event,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.engine import Connection

from bench.contest import Entry, Score, compete
from bench.contestant import Place
from bench.copies import clone, series, text_of
from bench.postgres import Postgres
from bench.site import SiteDesk
from bench.table import Report, target
from bench.town import EDITION, Town
from models.base import Instant
from models.case import Case
from models.history import HistoryRow
from models.outbox import OutboxEntry
from models.registry import Household
from models.work_item import Timer, WorkItem
from policies.vocabulary import Letter, LetterStatus, TimerKind
from tasks.deadlines import fire_due

FAR = timedelta(days=3650)
SAME_ROWS = "set-based SQL, the same rows"


class Sweep:
    """The desk's sweep."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.town = Town(place)
        self.open, self.due, self.rounds = (int(place.options[name]) for name in ("open", "due", "rounds"))
        self.done = 0
        self.notes: list[str] = []
        at = self.town.resources.clock.now()
        self.first = at + timedelta(days=1)
        desk = SiteDesk(self.town, at=at, edition=self.town.resources.editions[EDITION].edition)
        (group,) = self.town.add_groups(1, households=1)
        number = desk.apply(group)
        desk.carry(number)
        desk.sign(number, f"{group}-001")
        desk.carry(number)
        with self.town.resources.database.engine.begin() as connection:
            self._copy(connection)
        with self.town.resources.database.engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        ) as connection:
            connection.execute(text("ANALYZE"))

    def moment(self, round_: int) -> datetime:
        """When the items of a round are due."""
        return self.first + timedelta(hours=round_)

    def _copy(self, connection: Connection) -> None:
        numbers = series(self.open)
        base = 1_000_000
        item = connection.execute(select(WorkItem.id).order_by(WorkItem.id.desc()).limit(1)).scalar_one()
        case = connection.execute(select(Case.id)).scalar_one()
        household = connection.execute(select(Household.id)).scalar_one()
        n = column("n", Integer)
        name = literal("B").concat(text_of(n))
        clone(connection, Household, household, numbers, {"id": base + n, "number": name})
        clone(
            connection,
            Case,
            case,
            numbers,
            {"id": base + n, "number": name, "opening_key": name, "household_id": base + n},
        )
        clone(connection, WorkItem, item, numbers, {"id": base + n, "case_id": base + n})
        # Spread over the whole table, as they would be.
        stride = self.open // (self.due * self.rounds)
        place = (n - 1) // stride
        timers = connection.execute(
            select(Timer.id, Timer.kind).where(Timer.work_item_id == item).order_by(Timer.fires_at)
        ).all()
        first = next(timer.id for timer in timers if timer.kind is TimerKind.REMINDER)
        last = connection.execute(select(func.max(Timer.id))).scalar_one()
        table = cast("Table", Timer.__table__)
        for rank, timer in enumerate(timers, start=1):
            changes: dict[str, Any] = {"id": last + (n - 1) * len(timers) + rank, "work_item_id": base + n}
            changes["fires_at"] = literal(self.first + FAR, table.c.fires_at.type)
            if timer.id != first:
                clone(connection, Timer, timer.id, numbers, changes)
                continue
            picked = ((n - 1) % stride == 0) & (place < self.due * self.rounds)
            clone(connection, Timer, timer.id, numbers, changes, where=~picked)
            for round_ in range(self.rounds):
                changes["fires_at"] = literal(self.moment(round_), table.c.fires_at.type)
                clone(connection, Timer, timer.id, numbers, changes, where=picked & (place % self.rounds == round_))
        # The case that was copied takes no part.
        connection.execute(update(Timer).where(Timer.work_item_id == item).values(fires_at=self.first + FAR))

    def prepare(self, units: int) -> None:
        """Say how the database looks for what is due, once; let PostgreSQL come to its checkpoint."""
        if not self.notes:
            self.notes = self._plan()
        engine = self.town.resources.database.engine
        if engine.dialect.name == "postgresql":
            # Five minutes lie between two sweeps, and a checkpoint, after which a page's first change is written whole.
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("CHECKPOINT"))

    def _plan(self) -> list[str]:
        seen: list[tuple[str, Any]] = []
        engine = self.town.resources.database.engine

        def see(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            if "min(timers.fires_at)" in statement:
                seen.append((statement, parameters))

        event.listen(engine, "before_cursor_execute", see)
        fire_due(self.town.resources, at=self.first - timedelta(hours=1))
        event.remove(engine, "before_cursor_execute", see)
        explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(explain + seen[0][0], seen[0][1]).all()
        return [f"EXPLAIN, sweep, {engine.dialect.name}, {self.open:,} open:", *(f"    {row[-1]}" for row in rows)]

    def run(self, units: int) -> list[float]:
        """Do what is due."""
        counts = fire_due(self.town.resources, at=self.moment(self.done))
        assert not counts.failures, counts.failures[:3]
        return []

    def check(self) -> None:
        """See that this round's items were reminded, each once, and no others."""
        self.done += 1
        with self.town.resources.database.read() as session:
            letters = session.scalar(select(func.count()).where(OutboxEntry.letter == Letter.REMINDER))
            marked = session.scalar(
                select(func.count()).where(Timer.fired_at.is_not(None), Timer.fires_at >= self.first)
            )
        assert (letters, marked) == (self.done * self.due, self.done * self.due), (letters, marked)

    def stored(self) -> int:
        """Return nothing: an item's letter is weighed with the site case."""
        return 0


class SetBased(Sweep):
    """Three statements."""

    def run(self, units: int) -> list[float]:
        """Write the letters, the history, the marks."""
        at = self.moment(self.done)
        due = (Timer.fired_at.is_(None), Timer.fires_at <= at)
        name = literal("reminder:").concat(text_of(Timer.id))
        facts = select(
            Case.id, literal(Letter.REMINDER, OutboxEntry.letter.type), literal("周责任"), literal("p010@v.example"),
            literal({}, OutboxEntry.context.type), name, name,
            literal(LetterStatus.QUEUED, OutboxEntry.status.type), literal(at, OutboxEntry.created_at.type),
            literal(at, OutboxEntry.created_at.type), literal(0), literal(""), literal(""), literal(""),
        ).select_from(Timer).join(WorkItem, WorkItem.id == Timer.work_item_id).join(Case).where(*due)  # fmt: skip
        letters = [
            "case_id", "letter", "to_name", "to_address", "context", "dedup_key", "message_id", "status", "created_at",
            "next_attempt_at", "attempts", "last_error", "sent_subject", "sent_text",
        ]  # fmt: skip
        told = (
            select(
                Case.id,
                Case.history_seq + 1 + Timer.seq,
                literal(at, HistoryRow.at.type),
                literal("reminded"),
                literal("系统"),
                literal("提醒办理"),
                literal("{}"),
                literal("0" * 64),
                literal("0" * 64),
            )
            .select_from(Timer)
            .join(WorkItem, WorkItem.id == Timer.work_item_id)
            .join(Case)
            .where(*due)
        )
        history = ["case_id", "seq", "at", "kind", "actor", "summary", "data", "previous", "hash"]
        with self.town.resources.database.engine.begin() as connection:
            connection.execute(insert(OutboxEntry).from_select(letters, facts))
            connection.execute(insert(HistoryRow).from_select(history, told))
            connection.execute(update(Timer).where(*due).values(fired_at=at))
        return []


DUE = """
FROM timers JOIN work_items ON work_items.id = timers.work_item_id JOIN cases ON cases.id = work_items.case_id
JOIN editions ON editions.id = cases.edition_id JOIN households ON households.id = cases.household_id
JOIN units village ON village.id = cases.village_id JOIN units town ON town.id = village.parent_id
JOIN role_holdings ON role_holdings.unit_id = village.id AND role_holdings.role = work_items.role
JOIN people ON people.id = role_holdings.person_id
WHERE timers.fired_at IS NULL AND timers.fires_at <= :at
"""
LETTERS = """
INSERT INTO outbox (case_id, letter, person_id, to_name, to_address, context, dedup_key, message_id, status, created_at,
    next_attempt_at, attempts, last_error, sent_subject, sent_text)
SELECT cases.id, 'reminder', people.id, people.name, people.email, CAST(json_object(
    'township', town.name, 'office', town.name || '社区办', 'scheme_title', editions.title,
    'case_number', cases.number, 'short', households.head_name || '户申请', 'party_label', '申请户',
    'matter', village.name || households.head_name || '户的“客堂间”建设申请',
    'party', village.name || households.head_name || '户', 'gate', work_items.gate, 'due_on', work_items.due_on,
    'days_left', 3, 'due_note', '期限3日，按工作日（含调休上班日）计算，自次日起算。', 'late_note', '',
    'waiting_for', '', 'ends_itself', 0) AS TEXT),
    cases.number || '-timer-' || timers.id, 'timer-' || timers.id, 'queued', :at, :at, 0, '', '', ''
"""
HISTORY = """
INSERT INTO history (case_id, seq, at, kind, actor, summary, data, previous, hash)
SELECT cases.id, cases.history_seq + 1, :at, 'reminded', '系统',
    '提醒办理“' || work_items.gate || '”:' || people.name || '(' || people.code || ')',
    CAST(json_object('work_item', work_items.id, 'timer', timers.id, 'should_fire_at', timers.fires_at) AS TEXT),
    cases.history_head, :hash
"""
HEADS = "UPDATE cases SET history_seq = history_seq + 1, history_head = :hash WHERE id IN (SELECT cases.id {DUE})"
MARKS = "UPDATE timers SET fired_at = :at WHERE fired_at IS NULL AND fires_at <= :at"


class SameRows(Sweep):
    """Four statements that write every row which the desk writes, with what the letters say; no hash is computed."""

    def run(self, units: int) -> list[float]:
        """Write the letters, the history and its heads, the marks."""
        engine = self.town.resources.database.engine
        values = {"at": self.moment(self.done), "hash": "0" * 64}
        with engine.begin() as connection:
            for statement in (LETTERS + DUE, HISTORY + DUE, HEADS.format(DUE=DUE), MARKS):
                if engine.dialect.name == "postgresql":
                    statement = statement.replace("json_object(", "json_build_object(")
                prepared = text(statement).bindparams(bindparam("at", type_=Instant()))
                connection.execute(prepared, {name: value for name, value in values.items() if f":{name}" in statement})
        return []


def contest(
    report: Report,
    postgres: Postgres,
    *,
    open_items: Sequence[int],
    due: int,
    rounds: int,
    say: Callable[[str], None],
) -> None:
    """Let both sweep each database."""
    for kind, server in (("SQLite", None), ("PostgreSQL", postgres)):
        entries = []
        for count in open_items:
            for name, maker in (("set-based SQL", "SetBased"), (SAME_ROWS, "SameRows"), ("Ketang", "Sweep")):
                say(f"sweep, {kind}: {name}, {count:,} open")
                entries.append(
                    Entry(
                        f"{name}, {count:,} open",
                        f"bench.sweep:{maker}",
                        postgres=server.database() if server else None,
                        server=server.pid if server else None,
                        options={"open": count, "due": due, "rounds": rounds + 1},
                    )
                )
        scores = compete(entries, units=due, rounds=rounds, work=f"sweep, {kind}", say=say)
        least, most = open_items[0], open_items[-1]
        report.add(f"sweep, {due} due, {kind}", "item", scores, limit=f"set-based SQL, {least:,} open")
        _targets(report, scores, least, most, kind)


def _targets(report: Report, scores: dict[str, Score], least: int, most: int, kind: str) -> None:
    few, many = scores[f"Ketang, {least:,} open"], scores[f"Ketang, {most:,} open"]
    for figure, of in (("time", lambda each: each.wall), ("CPU", lambda each: each.cpu)):
        report.targets.append(
            target(
                f"sweep, {kind}: {figure} with {most:,} open against {least:,}, the same due",
                many.against(few, of)[0],
                "<=",
                1.5,
            )
        )
    for limit in ("set-based SQL", SAME_ROWS):
        ratio = many.against(scores[f"{limit}, {most:,} open"], lambda each: each.wall)[0]
        report.targets.append(target(f"sweep, {kind}: time against {limit}, {most:,} open", ratio, "<=", 3.0))
    for count in (least, most):
        report.notes += scores[f"Ketang, {count:,} open"].notes
