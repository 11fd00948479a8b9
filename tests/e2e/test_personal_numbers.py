"""After everything: what Prefect, the logs and the letters have kept of the registry's phones and identity numbers."""

from pathlib import Path

import pytest
from sqlalchemy import select

from models.registry import Household, Person
from tests.e2e.live import Office
from tests.notifications.mailserver import MailServer

pytestmark = [pytest.mark.e2e, pytest.mark.endurance, pytest.mark.timeout(600)]


def numbers(office: Office) -> set[str]:
    with office.resources.database.read() as session:
        return {
            number
            for table in (Person, Household)
            for row in session.execute(select(table.phone, table.id_number))
            for number in row
            if number
        }


def kept(office: Office, mail: MailServer) -> dict[str, bytes]:
    """Return everything that was written outside the business database, by where."""
    home = office.stack.settings.home
    files: list[Path] = [path for folder in ("prefect", "logs") for path in (home / folder).rglob("*")]
    found = {str(path.relative_to(home)): path.read_bytes() for path in files if path.is_file()}
    letters = "\n".join(
        part.get_content() for message in mail.received for part in message.walk() if not part.is_multipart()
    )
    return found | {"letters": letters.encode()}


def test_no_phone_and_no_identity_number_has_left_the_business_database(office: Office, mail: MailServer) -> None:
    wanted, everything = numbers(office), kept(office, mail)
    assert len(wanted) > 400
    reviewer = office.cast("ZD05-001").reviewer.partition("(")[0].encode()
    for place in ("prefect/prefect.db", "letters"):
        assert reviewer in everything[place], f"names are found in {place}, so numbers would be"
    assert any(place.startswith("logs/") for place in everything)
    spread = {(place, number) for place, text in everything.items() for number in wanted if number.encode() in text}
    assert spread == set()
