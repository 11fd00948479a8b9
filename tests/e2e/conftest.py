"""Fixtures: one stack with the example township and a mail server, shared by most of these tests."""

import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from runtime.stack import Stack
from tests.e2e.live import Office, Played, at_the_api, office_at
from tests.notifications import mailserver
from tests.notifications.mailserver import MailServer

LAST = "test_personal_numbers.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Search for personal numbers after all else has left its traces."""
    items.sort(key=lambda item: item.path.name == LAST)


@pytest.fixture(scope="session")
def mail() -> Iterator[MailServer]:
    """The office's mail server."""
    with mailserver.running(MailServer()) as server:
        yield server


@pytest.fixture(scope="session")
def shared_office(prepared: Callable[[Stack], Stack], mail: MailServer) -> Iterator[Office]:
    """The office of the example township at a stack of its own."""
    stack = prepared(
        Stack.temporary(smtp_host="127.0.0.1", smtp_port=mail.port, smtp_security="none", smtp_connections=1)
    )
    with stack, office_at(stack) as office:
        yield office


@pytest.fixture
def office(shared_office: Office) -> Iterator[Office]:
    """The office with a worker at work, whatever the test before did to it."""
    shared_office.stack.start_worker()
    with at_the_api(shared_office.stack):
        yield shared_office


@pytest.fixture(scope="session")
def played(shared_office: Office, mail: MailServer) -> Played:
    """A case carried from the form to the list by ``ketang demo site``."""
    shared_office.stack.start_worker()
    before = len(mail.received)
    done = shared_office.ketang("demo", "site")
    assert done.returncode == 0, done.stdout + done.stderr
    (number,) = re.findall(r"演示完成:(\S+) 已建成挂牌", done.stdout)
    return Played(number, done.stdout, Counter(message["Message-ID"] for message in mail.received[before:]))
