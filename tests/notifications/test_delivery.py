"""Delivery: on real databases to a real SMTP server, no letter is lost and none is doubled in the books."""

import asyncio
import logging
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import trustme
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import OperationalError

from models.engine import Database
from models.outbox import OutboxEntry
from models.registry import Household, Person, Unit
from notifications.mime import Mailbox
from notifications.outbox import NO_ADDRESS, Posting, Recipient, enqueue, enqueue_many
from notifications.render import Renderer
from notifications.smtp import SmtpTransport
from notifications.transport import FolderTransport, Over, Transport
from policies.errors import Refused
from policies.vocabulary import Letter, LetterStatus, UnitKind
from runtime.clock import Clock, MovedClock
from tasks import outbox_claims
from tasks.outbox import (
    AFTER_AN_OUTAGE,
    BATCH,
    BEGINNING,
    MOST_ATTEMPTS,
    DeliveryReport,
    deliver,
    lease_of,
    next_attempt,
    pending_counts,
    requeue,
)
from tasks.outbox_claims import MARKING
from tests.desks import opened
from tests.notifications.examples import EXAMPLES
from tests.notifications.mailserver import HeloOnly, MailServer, Mumbling, Unforgetting, running

AT = datetime(2026, 2, 3, 1, 0, tzinfo=UTC)
OFFICE = Mailbox(address="shequ@town.example", name="示例镇社区办")
LETTER = EXAMPLES["forward_waiting"]
LEASE = lease_of(SmtpTransport(OFFICE, host="127.0.0.1", timeout_seconds=10))
LINK = "http://127.0.0.1:4200/runs/flow-run/0b3e"


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(Path(__file__).parents[2] / "templates")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def server() -> Iterator[MailServer]:
    with running(MailServer()) as there:
        yield there


def smtp(server: MailServer, **more: Any) -> SmtpTransport:
    usual = {"sender": OFFICE, "security": "none", "timeout_seconds": 10}
    return SmtpTransport(host="127.0.0.1", port=server.port, **(usual | more))


def write(database: Database, count: int = 1, *, start: int = 0, **to: Any) -> list[int]:
    postings = [
        Posting(LETTER, Recipient(f"收信人{number}", f"r{number}@example.com", **to), f"forward:{number}")
        for number in range(start, start + count)
    ]
    with database.write() as session:
        return [entry.id for entry in enqueue_many(session, case_id=None, postings=postings, at=AT)]


def entries(database: Database) -> list[OutboxEntry]:
    with database.read() as session:
        return list(session.scalars(select(OutboxEntry).order_by(OutboxEntry.id)))


def run(
    database: Database,
    transport: Transport,
    renderer: Renderer,
    *,
    at: datetime = AT,
    clock: Clock | None = None,
    **more: Any,
) -> DeliveryReport:
    clock = clock or MovedClock(at)

    def links(cases: Collection[int | None]) -> dict[int | None, str]:
        return dict.fromkeys(cases, LINK)

    return deliver(database, transport=transport, renderer=renderer, now=clock.now, links_of=links, **more)


# -- the outbox -------------------------------------------------------------------------------------------------------


def test_a_letter_is_written_or_undone_with_the_act_that_causes_it(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as session:  # noqa: PT012
        enqueue(session, case_id=None, letter=LETTER, to=Recipient("王", "w@example.com"), dedup_key="a", at=AT)
        raise ZeroDivisionError
    assert entries(database) == []


def test_the_same_cause_writes_its_letter_once(database: Database) -> None:
    def again() -> OutboxEntry | None:
        with database.write() as session:
            return enqueue(
                session, case_id=None, letter=LETTER, to=Recipient("王", "w@example.com"), dedup_key="a", at=AT
            )

    first = again()
    assert first is not None
    assert first.status is LetterStatus.QUEUED
    assert again() is None
    assert [entry.id for entry in entries(database)] == [first.id]


def test_many_letters_take_one_insert_and_leave_out_those_written_before(database: Database) -> None:
    write(database, 2)
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    written = write(database, 40)
    assert len(written) == 38
    assert len([each for each in statements if each.startswith("INSERT")]) == 1
    assert written == sorted(written)


def test_a_letter_without_an_address_is_dead_at_once_and_the_caller_learns_it(database: Database) -> None:
    with database.write() as session:
        entry = enqueue(session, case_id=None, letter=LETTER, to=Recipient("孙三", "  "), dedup_key="a", at=AT)
    assert entry is not None
    assert (entry.status, entry.last_error, entry.to_address) == (LetterStatus.DEAD, NO_ADDRESS, None)


def test_the_same_key_at_another_office_is_another_message(database: Database) -> None:
    elsewhere = type(LETTER)(**(LETTER.model_dump() | {"office": "邻镇社区办"}))
    with database.write() as session:
        ours = enqueue(session, case_id=None, letter=LETTER, to=Recipient("王", "w@a.example"), dedup_key="a", at=AT)
        session.flush()
        session.delete(ours)
        session.flush()
        theirs = enqueue(
            session, case_id=None, letter=elsewhere, to=Recipient("王", "w@a.example"), dedup_key="a", at=AT
        )
    assert ours is not None
    assert theirs is not None
    assert ours.message_id != theirs.message_id


# -- what is sent -----------------------------------------------------------------------------------------------------


def test_a_letter_arrives_and_the_books_keep_what_it_said(
    database: Database, renderer: Renderer, server: MailServer
) -> None:
    write(database)
    assert run(database, smtp(server), renderer) == DeliveryReport(sent=1)
    message = server.received[0]
    entry = entries(database)[0]
    assert (entry.status, entry.sent_at, entry.attempts, entry.last_error) == (LetterStatus.SENT, AT, 1, "")
    assert message["Message-ID"] == f"<{entry.message_id}>"
    assert entry.message_id.endswith("@town.example")
    assert message["Subject"] == entry.sent_subject
    plain = message.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().replace("\r\n", "\n") == entry.sent_text
    assert LINK in entry.sent_text
    assert server.recipients == ["r0@example.com"]


def test_a_household_gets_no_link_to_a_desk_it_can_not_open(
    sqlite_database: Database, renderer: Renderer, server: MailServer
) -> None:
    with sqlite_database.write() as session:
        town = Unit(code="Z", kind=UnitKind.TOWN, name="示例镇")
        group = Unit(code="Z1", kind=UnitKind.GROUP, name="第一组", parent=town)
        session.add(group)
        session.flush()
        household = Household(number="Z1-001", group_id=group.id, head_name="赵一")
        session.add(household)
        session.flush()
        to = Recipient("赵一", "zhao@example.com", household_id=household.id)
        enqueue(session, case_id=None, letter=LETTER, to=to, dedup_key="a", at=AT)
    write(sqlite_database)
    run(sqlite_database, smtp(server), renderer)
    assert ["flow-run" in entry.sent_text for entry in entries(sqlite_database)] == [False, True]
    shown = {str(message["To"]): message.get_body(("html",)).get_content() for message in server.received}
    assert {to: "flow-run" in body for to, body in shown.items()} == {
        "赵一 <zhao@example.com>": False,
        "收信人0 <r0@example.com>": True,
    }


def test_nothing_due_opens_no_connection(database: Database, renderer: Renderer, server: MailServer) -> None:
    write(database)
    assert run(database, smtp(server), renderer, at=AT - timedelta(seconds=1)) == DeliveryReport()
    assert server.connections == 0


def test_delivery_works_on_the_thread_of_a_running_event_loop(
    sqlite_database: Database, renderer: Renderer, server: MailServer
) -> None:
    write(sqlite_database)

    async def sync_step_of_an_async_flow() -> DeliveryReport:
        return run(sqlite_database, smtp(server), renderer)

    assert asyncio.run(sync_step_of_an_async_flow()).sent == 1


def test_only_the_letters_of_one_case_up_to_a_limit(database: Database, renderer: Renderer, server: MailServer) -> None:
    write(database, 5)
    assert run(database, smtp(server), renderer, case_id=7) == DeliveryReport()
    assert run(database, smtp(server), renderer, limit=3).sent == 3
    assert run(database, smtp(server), renderer).sent == 2


def test_the_due_letters_are_found_by_their_index(sqlite_database: Database, renderer: Renderer) -> None:
    asked: list[tuple[str, Any]] = []
    event.listen(sqlite_database.engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
    run(sqlite_database, FolderTransport(Path("unused"), OFFICE), renderer)
    statement, values = next(pair for pair in asked if pair[0].startswith("SELECT outbox.id"))
    with sqlite_database.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    assert "ix_outbox_due" in str(plan)


# -- encryption and login ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_letters_go_encrypted(
    security: Any, sqlite_database: Database, renderer: Renderer, server_tls: ssl.SSLContext, ca_file: Path
) -> None:
    write(sqlite_database, 2)
    with running(MailServer(tls=server_tls, implicit=security == "tls")) as server:
        report = run(sqlite_database, smtp(server, security=security, ca_file=ca_file), renderer)
    assert report == DeliveryReport(sent=2)
    assert server.encrypted == [True, True]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_an_unknown_certificate_keeps_letters_back(
    security: Any, sqlite_database: Database, renderer: Renderer, server_tls: ssl.SSLContext
) -> None:
    write(sqlite_database)
    with running(MailServer(tls=server_tls, implicit=security == "tls")) as server:
        report = run(sqlite_database, smtp(server, security=security), renderer)
    assert "KETANG_SMTP_CA_FILE" in report.trouble
    assert server.received == []
    assert entries(sqlite_database)[0].status is LetterStatus.QUEUED


def test_without_starttls_nothing_goes_in_the_clear(
    sqlite_database: Database, renderer: Renderer, server: MailServer
) -> None:
    write(sqlite_database)
    report = run(sqlite_database, smtp(server, security="starttls"), renderer)
    assert "KETANG_SMTP" in report.trouble
    assert server.received == []
    assert entries(sqlite_database)[0].status is LetterStatus.QUEUED


def test_a_missing_certificate_file_is_named(sqlite_database: Database, renderer: Renderer, server: MailServer) -> None:
    write(sqlite_database)
    report = run(sqlite_database, smtp(server, security="tls", ca_file=Path("/nowhere/ca.pem")), renderer)
    assert "/nowhere/ca.pem" in report.trouble
    assert entries(sqlite_database)[0].status is LetterStatus.QUEUED


def test_the_office_logs_in(
    sqlite_database: Database, renderer: Renderer, server_tls: ssl.SSLContext, ca_file: Path
) -> None:
    write(sqlite_database)
    with running(MailServer(tls=server_tls, login=("shequ", "geheim"))) as server:
        transport = smtp(server, security="starttls", ca_file=ca_file, user="shequ", password="geheim")
        assert run(sqlite_database, transport, renderer).sent == 1
    assert server.logins[-1] == "shequ"


def test_a_wrong_password_is_the_settings_fault_and_no_letter_pays_for_it(
    sqlite_database: Database,
    renderer: Renderer,
    server_tls: ssl.SSLContext,
    ca_file: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    write(sqlite_database, 3)
    with running(MailServer(tls=server_tls, login=("shequ", "geheim"))) as server:
        transport = smtp(server, security="starttls", ca_file=ca_file, user="shequ", password="falsch-falsch")
        report = run(sqlite_database, transport, renderer)
    assert (report.sent, report.retried, report.dead) == (0, 3, ())
    assert "KETANG_SMTP_PASSWORD" in report.trouble
    assert [(entry.status, entry.attempts) for entry in entries(sqlite_database)] == [(LetterStatus.QUEUED, 0)] * 3
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "falsch-falsch" not in caplog.text


def test_a_server_that_wants_a_login_nobody_gave_is_a_settings_fault(
    sqlite_database: Database, renderer: Renderer, server_tls: ssl.SSLContext, ca_file: Path
) -> None:
    write(sqlite_database, 3)
    with running(MailServer(tls=server_tls, login=("shequ", "geheim"))) as server:
        report = run(sqlite_database, smtp(server, security="starttls", ca_file=ca_file), renderer)
    assert "530" in report.trouble
    assert {entry.status for entry in entries(sqlite_database)} == {LetterStatus.QUEUED}


def test_a_sender_address_that_is_none_keeps_letters_back(
    sqlite_database: Database, renderer: Renderer, server: MailServer
) -> None:
    write(sqlite_database)
    transport = SmtpTransport(Mailbox("社区办", "社区办"), host="127.0.0.1", port=server.port, security="none")
    assert "KETANG_MAIL_FROM" in run(sqlite_database, transport, renderer).trouble
    assert entries(sqlite_database)[0].status is LetterStatus.QUEUED


@pytest.mark.parametrize("setting", ["社区办", "社区办@示例镇.中国", "shequ@示例 镇.中国", "shequ@a b", ""])
def test_a_wrong_sender_address_leaves_no_trace_in_the_letters(
    setting: str, database: Database, renderer: Renderer, server: MailServer, tmp_path: Path
) -> None:
    write(database, 2)
    names = [entry.message_id for entry in entries(database)]
    wrong = Mailbox(setting, "社区办")
    for transport in (smtp(server, sender=wrong), FolderTransport(tmp_path, wrong)):
        report = run(database, transport, renderer, at=AT)
        assert f"KETANG_MAIL_FROM 的地址“{setting}”不合规范" in report.trouble
        with database.write() as session:
            session.execute(update(OutboxEntry).values(next_attempt_at=AT))
    assert [entry.message_id for entry in entries(database)] == names
    assert run(database, smtp(server), renderer) == DeliveryReport(sent=2)
    assert sorted(server.ids) == sorted(f"<{name}@town.example>" for name in names)


def test_a_wrong_reply_address_keeps_letters_back_and_is_named(
    sqlite_database: Database, renderer: Renderer, server: MailServer
) -> None:
    write(sqlite_database)
    wrong = Mailbox(OFFICE.address, OFFICE.name, reply_to="社区办@示例镇.中国")
    report = run(sqlite_database, smtp(server, sender=wrong), renderer)
    assert "KETANG_MAIL_REPLY_TO 的地址“社区办@示例镇.中国”不合规范" in report.trouble
    assert run(sqlite_database, smtp(server), renderer, at=AT + AFTER_AN_OUTAGE).sent == 1


def test_an_office_at_a_chinese_domain_sends_its_letters(
    database: Database, renderer: Renderer, server: MailServer
) -> None:
    write(database)
    assert run(database, smtp(server, sender=Mailbox("shequ@示例镇.中国", "社区办")), renderer).sent == 1
    (message,) = server.received
    assert message["Message-ID"].endswith("@xn--fsq092htur.xn--fiqs8s>")
    assert message["From"].addresses[0].addr_spec == "shequ@xn--fsq092htur.xn--fiqs8s"


@pytest.mark.parametrize("domain", ["社区办", "示例镇.中国", "a b", ""])
@pytest.mark.parametrize("dead", [False, True], ids=["queued", "dead"])
def test_a_name_that_an_earlier_release_spoiled_is_mended_before_the_letter_leaves(
    domain: str, dead: bool, database: Database, renderer: Renderer, server: MailServer
) -> None:
    ids = write(database, 2)
    good = entries(database)[0].message_id
    with database.write() as session:
        spoiled = session.get_one(OutboxEntry, ids[0])
        spoiled.message_id = f"{good}@{domain}"
        spoiled.status = LetterStatus.DEAD if dead else LetterStatus.QUEUED
        session.get_one(OutboxEntry, ids[1]).message_id = "0b3e@elsewhere.example"
    if dead:
        with database.write() as session:
            requeue(session, ids[0], at=AT)
    # The process dies once the server has the letters: they are repeated under the very same names.
    with pytest.raises(PowerCut):
        run(MortalDatabase(database, at_write=2), smtp(server), renderer)
    moved = Mailbox("shequ@elsewhere.example", "示例镇社区办")
    assert run(database, smtp(server, sender=moved), renderer, at=AT + LEASE) == DeliveryReport(sent=2)
    assert Counter(server.ids) == {f"<{good}@town.example>": 2, "<0b3e@elsewhere.example>": 2}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("MAIL", "553 Mail from must equal authorized user"),
        ("MAIL", "501 mail from address must be same as authorization address"),
        ("MAIL", "550 no"),
        ("RCPT", "553 5.7.1 <shequ@town.example>: Sender address rejected: not owned by user li@town.example"),
        ("RCPT", "550 5.1.8 domain of sender address does not exist"),
        ("DATA", "550 5.7.60 SMTP; Client does not have permissions to send as this sender"),
    ],
)
def test_a_sender_that_the_server_refuses_is_the_settings_fault_and_no_letter_dies(
    word: str, said: str, sqlite_database: Database, renderer: Renderer, caplog: pytest.LogCaptureFixture
) -> None:
    write(sqlite_database, 5)
    with running(MailServer(sender_refused=(word, said))) as server:
        report = run(sqlite_database, smtp(server), renderer)
        assert (report.sent, report.retried, report.dead) == (0, 5, ())
        for told in ("KETANG_MAIL_FROM", "“shequ@town.example”", said):
            assert told in report.trouble
        assert {(entry.status, entry.attempts) for entry in entries(sqlite_database)} == {(LetterStatus.QUEUED, 0)}
        assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1
        server.sender_refused = None
        assert run(sqlite_database, smtp(server), renderer, at=AT + AFTER_AN_OUTAGE) == DeliveryReport(sent=5)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("MAIL", "552 5.3.4 message size exceeds the limit"),
        ("RCPT", "550 5.1.1 no such user"),
        ("DATA", "554 5.7.1 spam"),
    ],
)
def test_what_is_refused_of_one_letter_is_no_fault_of_the_sender(
    word: str, said: str, sqlite_database: Database, renderer: Renderer
) -> None:
    ids = write(sqlite_database, 2)
    with running(MailServer(sender_refused=(word, said))) as server:
        assert run(sqlite_database, smtp(server, connections=1), renderer) == DeliveryReport(dead=tuple(ids))


# -- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_letter_refused_for_now_is_tried_again_later(
    database: Database, renderer: Renderer, server: MailServer
) -> None:
    server.refusals["r0@example.com"] = ["451 <r0@example.com> greylisted", "452 full"]
    write(database, 2)
    assert run(database, smtp(server), renderer) == DeliveryReport(sent=1, retried=1)
    entry = entries(database)[0]
    assert (entry.status, entry.attempts, entry.next_attempt_at) == (
        LetterStatus.QUEUED,
        1,
        AT + timedelta(minutes=1),
    )
    assert "451" in entry.last_error
    assert "r0@example.com" not in entry.last_error
    assert run(database, smtp(server), renderer, at=AT + timedelta(seconds=59)) == DeliveryReport()
    assert run(database, smtp(server), renderer, at=AT + timedelta(minutes=1)).retried == 1
    assert run(database, smtp(server), renderer, at=AT + timedelta(minutes=6)).sent == 1
    assert entries(database)[0].attempts == 3
    assert server.recipients == ["r1@example.com", "r0@example.com"]


def test_a_letter_refused_for_good_is_dead_and_the_rest_goes_on(
    database: Database, renderer: Renderer, server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.refusals["r1@example.com"] = ["550 no such user R1@Example.com, call 13812345678"]
    ids = write(database, 3)
    assert run(database, smtp(server), renderer) == DeliveryReport(sent=2, dead=(ids[1],))
    entry = entries(database)[1]
    assert entry.status is LetterStatus.DEAD
    assert "邮件服务器拒收" in entry.last_error
    assert "550" in entry.last_error
    for told in (entry.last_error, caplog.text):
        assert "r1@example.com" not in told.lower()
        assert "13812345678" not in told
    assert run(database, smtp(server), renderer, at=AT + timedelta(days=9)) == DeliveryReport()


def test_what_is_no_address_is_dead_without_asking_the_server(
    database: Database, renderer: Renderer, server: MailServer
) -> None:
    with database.write() as session:
        enqueue(session, case_id=None, letter=LETTER, to=Recipient("王", "王@x"), dedup_key="a", at=AT)
    assert len(run(database, smtp(server), renderer).dead) == 1
    assert "不合规范" in entries(database)[0].last_error


def test_a_letter_that_can_not_be_written_does_not_hold_up_the_others(
    database: Database, renderer: Renderer, server: MailServer
) -> None:
    ids = write(database, 3)
    with database.write() as session:
        session.execute(update(OutboxEntry).where(OutboxEntry.id == ids[1]).values(context={"township": "x"}))
    assert run(database, smtp(server), renderer) == DeliveryReport(sent=2, dead=(ids[1],))
    assert "无法写成" in entries(database)[1].last_error


def test_letters_that_somebody_tampered_with_die_alone(
    database: Database, renderer: Renderer, server: MailServer
) -> None:
    broken = write(database, BATCH + 1)
    write(database, 2, start=BATCH + 1)
    with database.write() as session:
        session.execute(text("UPDATE outbox SET context = '{' WHERE id <= :last"), {"last": broken[-1]})
    assert run(database, smtp(server), renderer) == DeliveryReport(sent=2, dead=tuple(broken))
    assert len(server.received) == 2
    assert run(database, smtp(server), renderer, at=AT + timedelta(days=1)) == DeliveryReport()
    with database.read() as session:
        (why,) = session.scalars(select(OutboxEntry.last_error).where(OutboxEntry.id <= broken[-1]).distinct())
        assert why == "信函无法读取,已被改动:列 context 现为“{”"


def test_a_tampered_letter_keeps_none_of_its_batch(database: Database, renderer: Renderer, server: MailServer) -> None:
    ids = write(database, 3)
    with database.write() as session:
        session.execute(text("UPDATE outbox SET context = '{' WHERE id = :id"), {"id": ids[1]})
    assert run(database, smtp(server), renderer) == DeliveryReport(sent=2, dead=(ids[1],))
    assert sorted(server.recipients) == ["r0@example.com", "r2@example.com"]
    with pytest.raises(Refused, match="已被改动"), database.write() as session:
        requeue(session, ids[1], at=AT)


def test_while_the_server_is_down_everything_stays_queued(
    database: Database, renderer: Renderer, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        server = MailServer(port=closed.getsockname()[1])
    write(database, 60)
    report = run(database, smtp(server), renderer)
    assert (report.sent, report.dead) == (0, ())
    assert "连接不上" in report.trouble
    with database.read() as session:
        assert pending_counts(session)[LetterStatus.QUEUED] == 60
    later = AT + timedelta(days=8)  # the holidays of October: nothing may be given up because the server was away
    run(database, smtp(server), renderer, at=later)
    assert {entry.attempts for entry in entries(database)} == {0}
    with running(server):
        report = run(database, smtp(server), renderer, at=later + AFTER_AN_OUTAGE)
    assert report == DeliveryReport(sent=60)
    assert len(set(server.ids)) == 60


def test_a_dropped_connection_is_opened_again(database: Database, renderer: Renderer) -> None:
    write(database, 12)
    with running(MailServer(drop_after=2)) as server:
        assert run(database, smtp(server, connections=2), renderer) == DeliveryReport(sent=12)
    assert sorted(Counter(server.ids).values()) == [1] * 12
    assert server.connections >= 6


def test_an_old_server_that_knows_no_extensions_gets_every_letter(database: Database, renderer: Renderer) -> None:
    write(database, 3)
    with running(MailServer(speaker=HeloOnly)) as server:
        assert run(database, smtp(server, connections=1), renderer) == DeliveryReport(sent=3)
    assert len(set(server.ids)) == 3


def test_a_refused_letter_that_the_server_will_not_forget_harms_no_other(
    database: Database, renderer: Renderer
) -> None:
    first, *others = write(database, 4)
    refusals = {"r0@example.com": ["550 no such user"]}
    with running(MailServer(speaker=Unforgetting, refusals=refusals)) as server:
        report = run(database, smtp(server, connections=1), renderer)
    assert report == DeliveryReport(sent=3, dead=(first,))
    assert len(set(server.ids)) == len(others)


def test_what_is_no_reply_ends_the_connection_and_keeps_the_letter(database: Database, renderer: Renderer) -> None:
    write(database, 2)
    with running(MailServer(speaker=Mumbling)) as server:
        report = run(database, smtp(server, connections=1), renderer)
    assert (report.sent, report.retried, report.dead) == (0, 2, ())
    assert server.connections == 2


def test_many_letters_share_few_connections_all_of_them_busy(database: Database, renderer: Renderer) -> None:
    write(database, 45)
    with running(MailServer(together=3)) as server:
        assert run(database, smtp(server, connections=3), renderer) == DeliveryReport(sent=45)
    assert server.connections == 3
    assert len(set(server.ids)) == 45


def test_a_server_that_takes_fewer_connections_still_gets_every_letter(database: Database, renderer: Renderer) -> None:
    write(database, 10)
    with running(MailServer(most_connections=1)) as server:
        assert run(database, smtp(server, connections=4), renderer) == DeliveryReport(sent=10)
    assert len(set(server.ids)) == 10


# -- crashes and races ------------------------------------------------------------------------------------------------


class PowerCut(BaseException):
    """The machine goes away."""


class MortalDatabase(Database):
    """A database whose process dies at the n-th transaction."""

    def __init__(self, database: Database, *, at_write: int) -> None:
        super().__init__(database.engine)
        self.left = at_write

    def write(self) -> AbstractContextManager[Any]:
        self.left -= 1
        if self.left == 0:
            raise PowerCut
        return super().write()


@pytest.mark.parametrize("folder", [False, True])
def test_a_crash_between_sending_and_marking_repeats_the_letter_under_the_same_id(
    folder: bool, database: Database, renderer: Renderer, server: MailServer, tmp_path: Path
) -> None:
    def transport(office: Mailbox = OFFICE) -> Transport:
        if folder:
            return FolderTransport(tmp_path / "letters", office)
        return smtp(server, sender=office)

    write(database)
    with pytest.raises(PowerCut):
        run(MortalDatabase(database, at_write=2), transport(), renderer)
    assert entries(database)[0].status is LetterStatus.QUEUED

    free = AT + lease_of(transport())
    assert run(database, transport(), renderer, at=free - timedelta(seconds=1)) == DeliveryReport()
    moved = Mailbox("shequ@elsewhere.example", "示例镇社区办")
    assert run(database, transport(moved), renderer, at=free).sent == 1
    if folder:
        assert len(list((tmp_path / "letters").iterdir())) == 1
    else:
        assert len(server.ids) == 2
        assert len(set(server.ids)) == 1


def test_a_letter_that_kills_its_deliverer_every_time_is_given_up(
    database: Database, renderer: Renderer, server: MailServer
) -> None:
    ids = write(database, 2)
    moment = AT
    with database.write() as session:
        session.execute(update(OutboxEntry).where(OutboxEntry.id == ids[1]).values(next_attempt_at=AT + 99 * LEASE))
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(PowerCut):
            run(MortalDatabase(database, at_write=2), FolderTransport(Path("/proc/none"), OFFICE), renderer, at=moment)
        moment += LEASE
    assert run(database, smtp(server), renderer, at=moment) == DeliveryReport(dead=(ids[0],))
    assert "中断" in entries(database)[0].last_error
    assert run(database, smtp(server), renderer, at=AT + 99 * LEASE).sent == 1


def test_two_deliverers_at_once_send_each_letter_once(
    database: Database, renderer: Renderer, server: MailServer
) -> None:
    write(database, 120)
    gate = threading.Barrier(2)
    reports: list[DeliveryReport] = []

    def work() -> None:
        gate.wait()
        reports.append(run(database, smtp(server), renderer))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(report.sent for report in reports) == 120
    assert sorted(Counter(server.ids).values()) == [1] * 120
    assert {entry.attempts for entry in entries(database)} == {1}


def test_letters_that_went_out_as_the_database_went_away_are_marked_when_it_is_back(
    postgresql_url: str, renderer: Renderer, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(outbox_claims, "sleep", pauses.append)
    # However long the letter takes on a busy machine, the connection is not asked first whether it lives.
    monkeypatch.setattr("models.engine.FRESH_SECONDS", 600)
    with opened(postgresql_url) as database, opened(postgresql_url) as elsewhere:

        def every_connection_is_cut() -> None:
            with elsewhere.glance() as connection:
                connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )

        write(database)
        server.upon_letter = every_connection_is_cut
        assert run(database, smtp(server), renderer) == DeliveryReport(sent=1)
        assert entries(database)[0].status is LetterStatus.SENT
        assert run(database, smtp(server), renderer, at=AT + timedelta(days=1)) == DeliveryReport()
    assert (len(server.ids), len(pauses)) == (1, 1)


def test_letters_that_went_out_while_another_writes_for_long_are_marked_after_it(
    sqlite_url: str, renderer: Renderer, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.engine.BUSY_TIMEOUT_MS", 1)
    with opened(sqlite_url) as database, opened(sqlite_url) as elsewhere, elsewhere.engine.connect() as writer:

        def the_writer_ends(_seconds: float) -> None:
            writer.rollback()

        monkeypatch.setattr(outbox_claims, "sleep", the_writer_ends)
        server.refusals["r1@example.com"] = ["550 no such user"]
        ids = write(database, 2)
        server.upon_letter = lambda: writer.begin() and None
        assert run(database, smtp(server), renderer) == DeliveryReport(sent=1, dead=(ids[1],))
        assert [entry.status for entry in entries(database)] == [LetterStatus.SENT, LetterStatus.DEAD]
    assert len(server.ids) == 1


def test_a_database_that_stays_away_is_told(
    database: Database, renderer: Renderer, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away(MortalDatabase):
        def write(self) -> AbstractContextManager[Any]:
            self.left -= 1
            if self.left < 0:
                raise OperationalError("BEGIN", None, Exception("server closed the connection"))
            return Database.write(self)

    pauses: list[float] = []
    monkeypatch.setattr(outbox_claims, "sleep", pauses.append)
    write(database)
    with pytest.raises(OperationalError):
        run(Away(database, at_write=1), smtp(server), renderer)
    assert tuple(pauses) == outbox_claims.PAUSES
    assert entries(database)[0].status is LetterStatus.QUEUED


@pytest.mark.parametrize(
    ("answer", "status", "left_as"),
    [
        ([], LetterStatus.SENT, (AT + LEASE, AT + 2 * LEASE)),
        (["451 later"], LetterStatus.QUEUED, (None, AT + LEASE + timedelta(minutes=5))),
    ],
    ids=["sent", "put off"],
)
def test_a_deliverer_whose_lease_ran_out_does_not_undo_what_another_did(
    answer: list[str],
    status: LetterStatus,
    left_as: tuple[datetime | None, datetime],
    database: Database,
    renderer: Renderer,
    server: MailServer,
) -> None:
    write(database)

    class Overtaken(SmtpTransport):
        """Before it sends, another deliverer takes the letter over."""

        def open(self, over: Over) -> Any:
            server.refusals["r0@example.com"] = list(answer)
            run(database, smtp(server), renderer, at=AT + LEASE)
            server.refusals["r0@example.com"] = ["550 never"]
            return super().open(over)

    slow = Overtaken(OFFICE, host="127.0.0.1", port=server.port, security="none", timeout_seconds=10)
    assert run(database, slow, renderer) == DeliveryReport()
    entry = entries(database)[0]
    assert (entry.status, entry.attempts) == (status, 2)
    assert (entry.sent_at, entry.next_attempt_at) == left_as


def test_a_letter_that_the_office_sends_anew_meanwhile_is_not_taken_for_sent(
    database: Database, renderer: Renderer, server: MailServer
) -> None:
    (entry_id,) = write(database)

    class Overtaken(SmtpTransport):
        """Before it sends, another deliverer finds the address wrong, and the office corrects it."""

        def open(self, over: Over) -> Any:
            server.refusals["r0@example.com"] = ["550 no such user"]
            assert run(database, smtp(server), renderer, at=AT + LEASE).dead == (entry_id,)
            with database.write() as session:
                requeue(session, entry_id, at=AT + LEASE).to_address = "right@example.com"
            return super().open(over)

    slow = Overtaken(OFFICE, host="127.0.0.1", port=server.port, security="none", timeout_seconds=10)
    run(database, slow, renderer)
    assert entries(database)[0].status is LetterStatus.QUEUED
    assert run(database, smtp(server), renderer, at=AT + LEASE) == DeliveryReport(sent=1)
    assert server.recipients == ["r0@example.com", "right@example.com"]


@pytest.mark.parametrize(
    ("pace", "in_time"),
    [
        ([timedelta(minutes=2)], 3),
        ([timedelta(seconds=1)], 12),
        ([BEGINNING - timedelta(seconds=1), LEASE - BEGINNING - MARKING], 2),
    ],
    ids=["always slow", "steady", "as slow as it is waited for"],
)
def test_from_a_slow_server_no_other_run_takes_over_what_is_under_way(
    pace: list[timedelta], in_time: int, database: Database, renderer: Renderer, server: MailServer
) -> None:
    ids = write(database, 12)
    clock = MovedClock(AT)
    paces = cycle(pace)

    def slowly() -> None:
        clock.advance(next(paces))
        server.upon_letter = None
        assert run(database, smtp(server), renderer, clock=clock).sent == 0
        server.upon_letter = slowly

    server.upon_letter = slowly
    report = run(database, smtp(server, connections=1), renderer, clock=clock)
    assert (report.sent, report.retried) == (in_time, len(ids) - in_time)
    assert report.trouble.startswith("寄送太慢,5分钟内没有寄完") == (in_time < len(ids))
    assert [entry.attempts for entry in entries(database)] == [1] * in_time + [0] * (len(ids) - in_time)
    server.upon_letter = None
    clock.advance(AFTER_AN_OUTAGE)
    assert run(database, smtp(server), renderer, clock=clock).sent == len(ids) - in_time
    assert sorted(Counter(server.ids).values()) == [1] * len(ids)


def test_who_waited_for_a_connection_until_it_was_too_late_begins_no_letter(
    sqlite_database: Database, renderer: Renderer
) -> None:
    write(sqlite_database, 4)
    clock = MovedClock(AT)
    with running(MailServer(most_connections=1, upon_letter=lambda: clock.advance(BEGINNING))) as server:
        report = run(sqlite_database, smtp(server, connections=2), renderer, clock=clock)
    assert (report.sent, report.retried, len(server.ids)) == (1, 3, 1)


def test_a_server_that_looks_long_at_the_text_has_taken_the_letter(
    sqlite_database: Database, renderer: Renderer, server: MailServer
) -> None:
    write(sqlite_database)
    looking = threading.Event()
    server.upon_letter = lambda: looking.wait(3) and None
    assert run(sqlite_database, smtp(server, timeout_seconds=2), renderer) == DeliveryReport(sent=1)
    assert len(server.ids) == 1


def test_a_server_that_never_answers_the_text_is_left(
    sqlite_database: Database, renderer: Renderer, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.smtp.END_OF_TEXT_SECONDS", 1)
    write(sqlite_database)
    asleep = threading.Event()
    server.upon_letter = lambda: asleep.wait(60) and None
    report = run(sqlite_database, smtp(server, timeout_seconds=1), renderer)
    asleep.set()
    assert (report.sent, report.retried, report.trouble) == (0, 1, "")


@pytest.mark.parametrize(
    ("attempts", "age", "wait"),
    [
        (1, timedelta(0), timedelta(minutes=1)),
        (2, timedelta(minutes=1), timedelta(minutes=5)),
        (3, timedelta(minutes=6), timedelta(minutes=15)),
        (4, timedelta(minutes=21), timedelta(hours=1)),
        (5, timedelta(minutes=81), timedelta(hours=4)),
        (6, timedelta(minutes=321), timedelta(days=1)),
        (8, timedelta(days=2, hours=5), timedelta(days=1)),
        (9, timedelta(days=3), None),
        (1, timedelta(days=8), timedelta(minutes=1)),
        (11, timedelta(days=1), timedelta(days=1)),
        (12, timedelta(days=1), None),
    ],
)
def test_waits_grow_until_a_letter_is_given_up(attempts: int, age: timedelta, wait: timedelta | None) -> None:
    again = next_attempt(attempts=attempts, created_at=AT, at=AT + age)
    assert again == (None if wait is None else AT + age + wait)


# -- a dead letter again ----------------------------------------------------------------------------------------------


def test_a_dead_letter_goes_to_the_address_that_the_registry_has_now(
    database: Database, renderer: Renderer, server: MailServer
) -> None:
    with database.write() as session:
        person = Person(code="P1", name="孙三", email=None)
        session.add(person)
        session.flush()
        to = Recipient("孙三", person.email, person_id=person.id)
        entry = enqueue(session, case_id=None, letter=LETTER, to=to, dedup_key="a", at=AT)
        assert entry is not None
        with pytest.raises(Refused, match="登记簿"):
            requeue(session, entry.id, at=AT)
        person.email = "sun@example.com"
    again = AT + timedelta(days=9)
    with database.write() as session:
        requeue(session, entry.id, at=again)
    server.refusals["sun@example.com"] = ["451 later"]
    assert run(database, smtp(server), renderer, at=again).retried == 1
    assert run(database, smtp(server), renderer, at=again + timedelta(minutes=1)).sent == 1
    assert server.recipients == ["sun@example.com"]


def test_only_a_dead_letter_is_sent_again(database: Database, renderer: Renderer, server: MailServer) -> None:
    (entry_id,) = write(database)
    for refusal in ("待寄", "已寄"):
        with pytest.raises(Refused, match=refusal), database.write() as session:
            requeue(session, entry_id, at=AT)
        run(database, smtp(server), renderer)
    with pytest.raises(Refused, match="没有编号为 999"), database.write() as session:
        requeue(session, 999, at=AT)


def test_letters_are_counted_by_status(database: Database, renderer: Renderer, server: MailServer) -> None:
    write(database, 2)
    run(database, smtp(server), renderer)
    write(database, 3, start=2)
    with database.read() as session:
        counts = pending_counts(session)
        assert counts == {LetterStatus.QUEUED: 3, LetterStatus.SENT: 2, LetterStatus.DEAD: 0}
        assert set(pending_counts(session, case_id=7).values()) == {0}


# -- the folder -------------------------------------------------------------------------------------------------------


def test_without_a_server_letters_are_files_that_mail_programs_open(
    sqlite_database: Database, renderer: Renderer, tmp_path: Path
) -> None:
    write(sqlite_database, 3)
    folder = tmp_path / "deep" / "letters"
    assert run(sqlite_database, FolderTransport(folder, OFFICE), renderer) == DeliveryReport(sent=3)
    files = sorted(folder.iterdir())
    assert {file.suffix for file in files} == {".eml"}
    found = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    assert {message["To"].addresses[0].display_name for message in found} == {"收信人0", "收信人1", "收信人2"}
    assert {f"<{file.stem}>" for file in files} == {message["Message-ID"] for message in found}


def test_a_folder_that_can_not_be_written_keeps_letters_back(
    sqlite_database: Database, renderer: Renderer, tmp_path: Path
) -> None:
    (tmp_path / "letters").write_text("a file")
    write(sqlite_database, 2)
    report = run(sqlite_database, FolderTransport(tmp_path / "letters", OFFICE), renderer)
    assert "无法建立" in report.trouble
    assert pending(sqlite_database) == 2


def test_every_kind_of_letter_can_be_delivered(
    sqlite_database: Database, renderer: Renderer, server: MailServer
) -> None:
    postings = [Posting(letter, Recipient("李四", "li@example.com"), name) for name, letter in EXAMPLES.items()]
    with sqlite_database.write() as session:
        enqueue_many(session, case_id=None, postings=postings, at=AT)
    assert run(sqlite_database, smtp(server), renderer) == DeliveryReport(sent=len(EXAMPLES))
    assert {entry.letter for entry in entries(sqlite_database)} == set(Letter)


def pending(database: Database) -> int:
    with database.read() as session:
        return pending_counts(session)[LetterStatus.QUEUED]
