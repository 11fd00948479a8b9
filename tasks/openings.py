"""What every opening of a case needs: the edition that is in use, published, and the next number."""

from datetime import date, datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from models.case import Case, CaseCounter, PublishedEdition
from models.engine import insert_unless_there
from models.registry import Unit
from policies.errors import BadPolicy, Refused
from policies.load import LoadedEdition
from runtime.resources import Resources
from tasks.cases import local_day

_OPENED = select(Case).where(Case.opening_key == bindparam("key"))


def town_edition(resources: Resources, town: Unit) -> LoadedEdition:
    """Return the edition that the registry names for the town; Refused when it names none, or one that is not there."""
    loaded = resources.editions.get(town.edition_id or "")
    if loaded is None:
        known = "、".join(sorted(id_ for id_, each in resources.editions.items() if each.edition.site is not None))
        raise Refused(
            "default", f"{town.name}登记的适用政策“{town.edition_id or '(空)'}”不存在,请在登记簿中改为:{known}"
        )
    return loaded


def edition_in_use(resources: Resources, town: Unit, at: datetime) -> LoadedEdition:
    """Return the edition by which the town opens new cases; Refused when it has none or it is not in force."""
    loaded = town_edition(resources, town)
    if loaded.edition.site is None:
        raise Refused("default", f"《{loaded.edition.title}》不是客堂间的政策,请在登记簿中改正{town.name}的适用政策")
    check_in_force(loaded, local_day(at))
    return loaded


def check_in_force(loaded: LoadedEdition, today: date) -> None:
    """Refuse to open a case by an edition that is not in force on that day."""
    in_force = loaded.edition.in_force
    if not in_force.covers(today):
        until = f"至{in_force.until}前" if in_force.until else "起"
        raise Refused(in_force.where, f"《{loaded.edition.title}》自{in_force.from_}{until}施行,{today}不在施行期内")


def publish(session: Session, loaded: LoadedEdition, *, at: datetime) -> PublishedEdition:
    """
    Return the edition as published, recording it the first time it is used.

    Raises:
        BadPolicy: the file differs from what was published under the same id.
    """
    published = session.get(PublishedEdition, loaded.edition.id)
    if published is None:
        # Two villages may open the first case by this edition at once.
        insert_unless_there(
            session,
            PublishedEdition,
            id=loaded.edition.id,
            sha256=loaded.sha256,
            title=loaded.edition.title,
            text=loaded.text,
            published_at=at,
        )
        published = session.get_one(PublishedEdition, loaded.edition.id)
    check_unchanged(published, loaded)
    return published


def check_unchanged(published: PublishedEdition, loaded: LoadedEdition) -> None:
    """Raise BadPolicy when the file is not, byte by byte, what was published."""
    if published.sha256 != loaded.sha256:
        raise BadPolicy(
            loaded.path or f"{loaded.edition.id}.yaml",
            "",
            loaded.sha256,
            f"该政策已于{local_day(published.published_at)}公布(摘要 {published.sha256[:12]}…),公布后不得改动;"
            "如政策有变,请另立一份新的政策文件",
        )


def next_number(session: Session, prefix: str, year: int) -> str:
    """Return the next case number of that prefix and year, e.g. ``KT-2026-0007``."""
    counter = session.get(CaseCounter, (prefix, year), with_for_update=True, populate_existing=True)
    if counter is None:
        # Two villages may open the year's first case at once.
        insert_unless_there(session, CaseCounter, prefix=prefix, year=year, last=0)
        counter = session.get_one(CaseCounter, (prefix, year), with_for_update=True, populate_existing=True)
    counter.last += 1
    session.flush()
    return f"{prefix}-{year}-{counter.last:04d}"


def opened_by(session: Session, key: str) -> Case | None:
    """Return the case that `key` opened before, or None."""
    return session.scalars(_OPENED, {"key": key}).one_or_none()
