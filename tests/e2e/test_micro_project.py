"""``ketang demo micro-project`` on a training stack: what it leaves in Prefect, in the post, on pages, in the books."""

import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select

from models.case import Case
from models.notice import Notice
from models.outbox import OutboxEntry
from policies.vocabulary import CaseKind, LetterStatus
from runtime.stack import Stack
from tests.e2e.live import Office, Played, at_the_api, office_at
from tests.notifications import mailserver
from tests.notifications.mailserver import MailServer

pytestmark = [pytest.mark.e2e, pytest.mark.endurance, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def post() -> Iterator[MailServer]:
    """The mail server of this office."""
    with mailserver.running(MailServer()) as server:
        yield server


@pytest.fixture(scope="module")
def office(prepared: Callable[[Stack], Stack], post: MailServer) -> Iterator[Office]:
    """An office to learn in, whose clock can be moved."""
    stack = prepared(
        Stack.temporary(
            training=True, smtp_host="127.0.0.1", smtp_port=post.port, smtp_security="none", smtp_connections=1
        )
    )
    with stack, office_at(stack) as office, at_the_api(stack):
        yield office


@pytest.fixture(scope="module")
def played(office: Office, post: MailServer) -> Played:
    """A call that was carried from its opening to its archive."""
    done = office.ketang("demo", "micro-project")
    assert done.returncode == 0, done.stdout + done.stderr
    (number,) = re.findall(r"演示完成:(\S+) 已总结归档,10个申报、3个完成,专户余额0\.00元", done.stdout)
    return Played(number, done.stdout, Counter(message["Message-ID"] for message in post.received))


def test_every_case_of_the_call_has_a_run_that_is_completed(office: Office, played: Played) -> None:
    with office.resources.database.read() as session:
        cases = dict(session.execute(select(Case.number, Case.kind)).tuples().all())
    assert Counter(cases.values()) == {CaseKind.CALL: 1, CaseKind.PROJECT: 10, CaseKind.NOTICE: 2}
    for number in cases:
        run = office.carrier(number)
        assert run is not None
        assert run.type == "COMPLETED", (number, run)
        assert run.message.startswith(f"{number} 办结:"), run.message


def test_every_letter_reached_the_mail_server_once(office: Office, played: Played) -> None:
    with office.resources.database.read() as session:
        letters = session.scalars(select(OutboxEntry)).all()
    assert {letter.status for letter in letters} == {LetterStatus.SENT}
    assert played.received == Counter(f"<{letter.message_id}>" for letter in letters)
    assert set(played.received.values()) == {1}


def test_both_notices_stand_on_their_pages_as_closed(office: Office, played: Played) -> None:
    folder = office.resources.settings.notices_folder
    with office.resources.database.read() as session:
        first, second = (folder / page for page in session.scalars(select(Notice.page).order_by(Notice.id)))
    texts = [page.read_text(encoding="utf-8") for page in (first, second, folder / "index.html")]
    assert "调整后重新公示" in texts[0]
    assert "公示通过" in texts[1]
    assert "戏台帷幕" in texts[0]
    assert "便民晾衣架" in texts[1]
    assert all(page.name in texts[2] for page in (first, second))


def test_the_records_and_the_money_agree(office: Office, played: Played) -> None:
    assert office.ketang("audit", "verify").stdout.startswith("核对无误")
    assert office.ketang("ledger", "verify").returncode == 0
    assert office.ketang("notice", "verify").returncode == 0
    shown = office.ketang("ledger", "show", played.number).stdout
    assert "5,100.00元" in shown, shown
