"""
Listed parlours: found by what people call them, changed and written about in the history of the case that listed them.

That case is closed; its row is the lock of everything that belongs to the site. Whoever holds another case locked
takes this one after it, never before.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, union
from sqlalchemy.orm import Session

from models.base import Base
from models.case import Case, Site
from models.registry import Household, Person, Unit
from models.site_life import SiteSpell, spell_on
from policies.errors import Refused
from policies.load import LoadedEdition
from policies.site_scheme import SiteScheme
from policies.vocabulary import CaseKind, Door, Role, SiteStatus, UnitKind
from runtime.resources import Resources
from tasks.act import Act
from tasks.broken_units import UnreadableUnit, units_of
from tasks.cases import holds_any, load_case
from tasks.each_town import Unreadable
from tasks.history import append, place_facts
from tasks.openings import edition_in_use, next_number, publish
from tasks.sealed_rows import KEPT, facts_of


def site_named(session: Session, text: str) -> Site:
    """
    Return the listed parlour that `text` names: its number, the number of its case, or that of its household.

    Raises:
        Refused: none, or several (a household may have had one before).
    """
    wanted = text.strip().partition(" ")[0]
    # Three look-ups, because a condition over three tables makes the database read all of one.
    ids = union(
        select(Site.id).where(Site.number == wanted),
        select(Site.id).join(Case, Case.id == Site.case_id).where(Case.number == wanted),
        select(Site.id).join(Household, Household.id == Site.household_id).where(Household.number == wanted),
    )
    found = session.scalars(select(Site).where(Site.id.in_(ids)).order_by(Site.id)).all()
    running = [site for site in found if site.status in (SiteStatus.ACTIVE, SiteStatus.SUSPENDED)]
    if len(found) == 1 or len(running) == 1:
        return (running or list(found))[0]
    if found:
        raise Refused(
            "default", f"“{text}”对应{len(found)}个客堂间,请改填编号:{'、'.join(each.number for each in found)}"
        )
    raise Refused("default", f"名册中没有客堂间“{text}”,请填写名册中的编号,例如 KT-2026-0001-S")


def lock_site(session: Session, site: Site) -> Case:
    """Lock everything that belongs to a site until the transaction ends, read it anew, and return its case."""
    case = load_case(session, site.case.number)
    session.refresh(site)
    return case


def keep(
    act: Act,
    case: Case,
    rows: Sequence[Base],
    *,
    actor: str,
    summary: str,
    data: dict[str, Any] | None = None,
    removed: Sequence[Base] = (),
) -> None:
    """
    Tell the history of `case`, held locked, that these rows were written, with all they say.

    To be called after every change of a row of `tasks.sealed_rows.SEALED`, in its transaction; else the audit finds
    the row changed behind the product's back.

    Args:
        rows: new or changed; flushed here.
        actor: who, as `Person.display` shows.
        summary: one Chinese sentence.
        data: what else belongs to the fact.
        removed: deleted here: the record says that they are gone.
    """
    gone = [{"table": row.__tablename__, "row": facts_of(row)["id"], "facts": None} for row in removed]
    for row in removed:
        act.session.delete(row)
    act.session.flush()
    kept = []
    for row in rows:
        act.session.refresh(row)  # as the database keeps it: defaults, rounded moments
        kept.append({"table": row.__tablename__, "row": facts_of(row)["id"], "facts": facts_of(row)})
    append(
        act.session,
        case,
        kind=KEPT,
        actor=actor,
        summary=summary,
        at=act.at,
        data={"rows": gone + kept, **(data or {})},
    )


def change_status(
    act: Act, site: Site, status: SiteStatus, *, on: date, because: str, actor: str, by_case: Case | None
) -> None:
    """
    Let a site, held locked, be in another status from a day on.

    Args:
        on: first day of the new status; a spell that began on it is replaced, an earlier one ends before it. Of a site
            that was active until then the spell goes on: two that adjoin would look like a week that was not whole.
        because: why, as records show it.
        by_case: the case that brought it about.
    """
    last = act.session.scalars(select(SiteSpell).where(SiteSpell.site_id == site.id, SiteSpell.until.is_(None))).one()
    before, site.status = site.status, status
    rows: list[Base] = [site, last]
    removed: list[Base] = []
    if last.since >= on and (earlier := _active_until(act.session, site, last.since, status)) is not None:
        earlier.until = None
        rows, removed = [site, earlier], [last]
    elif last.since >= on:
        last.status, last.because, last.case_id = status, because, by_case.id if by_case else None
    else:
        last.until = on
        spell = SiteSpell(
            site_id=site.id, status=status, since=on, because=because, case_id=by_case.id if by_case else None
        )
        act.session.add(spell)
        rows.append(spell)
    keep(
        act,
        site.case,
        rows,
        actor=actor,
        summary=f"客堂间 {site.number}:{before.label} → {status.label},自{on}起" + (f",{because}" if because else ""),
        data={"before": before.value, "status": status.value, "by": by_case.number if by_case else None},
        removed=removed,
    )


def _active_until(session: Session, site: Site, day: date, status: SiteStatus) -> SiteSpell | None:
    """Return the active spell that ended as `day` began, for a site that is to be active again from then on."""
    # Of no other status: a rest is ended by the case that its spell names.
    if status is not SiteStatus.ACTIVE:
        return None
    return session.scalars(
        select(SiteSpell).where(SiteSpell.site_id == site.id, SiteSpell.until == day, SiteSpell.status == status)
    ).one_or_none()


def check_active(session: Session, site: Site, *, on: date, deed: str) -> None:
    """Refuse unless the site was active on that day; says since when it is what."""
    spell = spell_on(session, site, on)
    if spell is None:
        raise Refused("default", f"客堂间 {site.number} 在{on}尚未列入名册,不能{deed}")
    if spell.status is not SiteStatus.ACTIVE:
        raise Refused("default", f"客堂间 {site.number} 自{spell.since}起{spell.status.label},{on}不能{deed}")


def check_may_record(
    session: Session, site: Site, person: Person, *, roles: Sequence[Role], deed: str, on: date
) -> None:
    """
    Refuse unless the person leads the site or holds one of `roles` for it (for its group or a unit above it).

    Raises:
        Refused: names who may.
    """
    if person.id == site.leader_id:
        return
    if not holds_any(session, person, set(roles), site.group.lineage(), on=on):
        able = "、".join(role.label for role in roles)
        raise Refused(
            "default",
            f"{person.display}无权为客堂间 {site.number} {deed}:须由负责人{site.leader.display}或其{able}办理",
        )


def scheme_for(resources: Resources, site: Site, act: Act) -> LoadedEdition:
    """Return the edition that the site's town uses now: what a site owes follows it (Refused: none in force)."""
    return edition_in_use(resources, site.group.above(UnitKind.TOWN), act.at)


@dataclass(frozen=True)
class Town:
    """A town, and the edition of the parlours it uses."""

    unit: Unit
    loaded: LoadedEdition

    @property
    def scheme(self) -> SiteScheme:
        """What the edition asks of sites."""
        return self.loaded.edition.for_sites


Having = Callable[[LoadedEdition], ColumnElement[bool] | None]
"""Returns what must hold of a `Unit`, a town that uses this edition; None: nothing can, no such town is wanted."""


def towns(resources: Resources, session: Session, *, on: date, having: Having | None = None) -> Iterator[Town]:
    """
    As `towns_named`, where there is nobody to be kept waiting by a town that can not be read.

    Raises:
        Unreadable: one can not be.
    """
    for _, town in towns_named(resources, session, on=on, having=having):
        if isinstance(town, Unreadable):
            raise town
        yield town


def towns_named(
    resources: Resources, session: Session, *, on: date, having: Having | None = None
) -> list[tuple[str, Town | Unreadable]]:
    """
    Return the towns that use an edition of the parlours which is in force on that day, by their code, with their names.

    One whose row can not be read, or that of a unit above it, has its place among them: see `tasks.each_town`.

    Args:
        having: only these, asked for edition by edition, but of all towns by one statement: what every sweep asks must
            not cost more where there are more towns.
    """
    known = {id_: each for id_, each in resources.editions.items() if _in_use(each, on=on)}
    query = select(Unit).where(Unit.kind == UnitKind.TOWN).order_by(Unit.code)
    if having is not None:
        wanted = [
            and_(Unit.edition_id == id_, condition)
            for id_, loaded in known.items()
            if (condition := having(loaded)) is not None
        ]
        if not wanted:
            return []
        query = query.where(or_(*wanted))
    found: list[tuple[str, Town | Unreadable]] = []
    for each in units_of(session, query):
        if isinstance(each, UnreadableUnit):
            found.append((each.shown, each))
        elif (loaded := known.get(each.edition_id or "")) is not None:
            found.append((each.name, Town(each, loaded)))
    return found


def there_is(query: Select[Any]) -> ColumnElement[bool]:
    """Return the condition that a query, which may name a row outside of it, finds something."""
    # Not EXISTS: PostgreSQL would rather read all there is once than look up a little for each of many rows.
    return query.limit(1).scalar_subquery().is_not(None)


def _in_use(loaded: LoadedEdition, *, on: date) -> bool:
    return loaded.edition.site is not None and loaded.edition.in_force.covers(on)


def open_case(
    act: Act,
    *,
    kind: CaseKind,
    loaded: LoadedEdition,
    prefix: str,
    key: str,
    title: str,
    unit: Unit,
    actor: str,
    door: Door,
    summary: str,
    parent: Case | None = None,
    place: Household | None = None,
    data: dict[str, Any] | None = None,
) -> Case:
    """
    Open a case of a site's life, pinned to the edition, with the first row of its history.

    The caller has looked for `key` before (`opened_by`), under a lock that two openings of the same key share.

    Args:
        prefix: letters before its number.
        key: what opens it, at most 100 characters.
        unit: whose people decide in it.
        place: of a move, the household that it goes to; its group's households are asked.
    """
    published = publish(act.session, loaded, at=act.at)
    case = Case(
        number=next_number(act.session, prefix, act.day.year),
        kind=kind,
        edition_id=published.id,
        edition_sha256=published.sha256,
        opening_key=key,
        title=title,
        unit_id=unit.id,
        parent_id=parent.id if parent is not None else None,
        village_id=place.group.above(UnitKind.VILLAGE).id if place is not None else None,
        group_id=place.group_id if place is not None else None,
        household_id=place.id if place is not None else None,
        year=act.day.year,
        opened_at=act.at,
    )
    case.edition, case.unit, case.parent = published, unit, parent
    act.session.add(case)
    act.session.flush()
    append(
        act.session,
        case,
        kind="case_opened",
        actor=actor,
        summary=summary,
        at=act.at,
        data={
            "door": door.value,
            "edition": published.id,
            "sha256": published.sha256,
            "parent": parent.number if parent is not None else None,
            **(place_facts(case) if place is not None else {}),
            **(data or {}),
        },
    )
    return case
