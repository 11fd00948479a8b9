"""The catalogue of services: brought in from a sheet, all of it or nothing (D1-R5); read in tasks.service_catalogue."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError
from sqlalchemy import exists, select, text
from sqlalchemy.orm import Session

from models.case import Case
from models.registry import Person, Unit
from models.service import Provider, ServiceItem, ServiceOrder
from models.work_item import WorkItem
from policies.errors import Refused
from policies.vocabulary import CaseStatus, Gate, Role, UnitKind, WorkItemStatus
from rules.masking import mask_text
from runtime.resources import Resources
from tasks import order_case
from tasks.act import Act, acting
from tasks.cases import holds_any, load_case, open_item, person_of
from tasks.faults import faults_of
from tasks.service_commands import CatalogueRow
from tasks.sheets import rows_of

T = TypeVar("T")

CLAUSE = "服务目录填写要求"
HEADS = {
    "单位编码": "provider",
    "单位名称": "provider_name",
    "镇(街道)": "town",
    "联系人": "contact",
    "项目编码": "code",
    "项目名称": "name",
    "类别": "category",
    "每年次数": "per_year",
    "说明": "description",
    "状态": "state",
}
"""One row an item; what it says of its provider stands in every row of that provider, the same each time."""
OPTIONAL = ("每年次数", "说明", "状态")
SUPPLIED, WITHDRAWN = "供应", "停供"
UNLIMITED = "不限"
MOST_A_YEAR = 100_000
Row = tuple[int, dict[str, str]]


@dataclass(frozen=True)
class CatalogueReport:
    """What an import did, counted by items."""

    added: int
    changed: int
    unchanged: int

    def __str__(self) -> str:
        return f"新增{self.added}项,变更{self.changed}项,未变{self.unchanged}项"


@dataclass(frozen=True)
class _Wanted:
    """A row that holds against registry and edition."""

    provider: str
    provider_name: str
    town: Unit
    contact: Person
    code: str
    name: str
    category: str
    per_year: int | None
    description: str
    active: bool


def import_catalogue(
    resources: Resources, folder: Path, sheet: str, *, by: str | None, at: datetime
) -> CatalogueReport:
    """
    Bring a catalogue from a sheet (XLSX or CSV) into the database: all of it, or nothing when a cell is faulty.

    Items and providers are matched by their codes; what the sheet leaves out stays as it is. An item that is changed
    or withdrawn (停供) takes no new orders on its old terms; those that run go on with the provider who has them, and
    hear of a new contact. Safe to repeat because a row that says what is known changes nothing.

    Args:
        folder: where the sheet is; heads as in `HEADS`.
        by: who brings it in, of the office of every town in it; None: whoever sets the installation up.

    Raises:
        Refused: no such sheet, a head is missing, nobody of the office, or faulty cells; every one is named by row and
            column.
    """
    rows = list(rows_of(folder, sheet, tuple(HEADS), OPTIONAL))
    if not rows:
        raise Refused(CLAUSE, f"服务目录“{sheet}”没有任何内容")
    with acting(resources, at=at) as act:
        _alone(act.session)
        # Before anything is judged: whoever orders at this moment has done so, or waits and sees what comes in.
        act.session.scalars(select(ServiceItem.id).order_by(ServiceItem.id).with_for_update()).all()
        wanted = _checked(act, rows, sheet)
        if by is not None:
            _check_office(act, by, [each.town for each in wanted])
        report, moved = _bring(act.session, wanted)
    for provider in moved:
        _tell_new_contact(resources, provider, at=at)
    return report


def _alone(session: Session) -> None:
    # On SQLite the write transaction is alone already; on PostgreSQL two imports would add the same code twice.
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE providers, service_items IN SHARE ROW EXCLUSIVE MODE"))


def _check_office(act: Act, by: str, towns: Sequence[Unit]) -> None:
    person = person_of(act.session, by)
    for town in {each.id: each for each in towns}.values():
        if not holds_any(act.session, person, {Role.OFFICE_REVIEWER, Role.OFFICE_HEAD}, town.lineage(), on=act.day):
            raise Refused(
                CLAUSE, f"{person.display}无权维护{town.name}的服务目录:须由该镇社区办审核员或社区办负责人办理"
            )


def _checked(act: Act, rows: Sequence[Row], sheet: str) -> list[_Wanted]:
    """Hold every row against form, registry, edition and the rows above it; Refused with every fault."""
    faults, wanted = list[str](), list[_Wanted]()
    items: dict[str, int] = {}
    providers: dict[str, Row] = {}
    for number, cells in rows:
        found, against = _read(act, cells)
        code, provider = cells["项目编码"], cells["单位编码"]
        if code and code in items:
            against.append(f"“项目编码”{code}与第{items[code]}行重复,每个项目一行")
        items.setdefault(code, number)
        above, known = providers.setdefault(provider, (number, cells))
        against += [
            f"“{head}”{cells[head]}与第{above}行同一单位({provider})的{known[head]}不同,须填写一致"
            for head in ("单位名称", "镇(街道)", "联系人")
            if provider and cells[head] != known[head]
        ]
        # A fault of one cell may quote another one, whose own fault is that it holds a personal number.
        faults += [mask_text(f"第{number}行{fault}") for fault in against]
        if found is not None:
            wanted.append(found)
    if faults:
        listed = "".join(f"\n{number}. {fault}" for number, fault in enumerate(faults, 1))
        raise Refused(CLAUSE, f"服务目录“{sheet}”有{len(faults)}处有误,一项也没有导入:{listed}")
    return wanted


def _read(act: Act, cells: dict[str, str]) -> tuple[_Wanted | None, list[str]]:
    """Hold one row against form, registry and edition; return what it says, or everything that is wrong."""
    faults: list[str] = []
    try:
        CatalogueRow.model_validate({HEADS[head]: cell for head, cell in cells.items()})
    except ValidationError as error:
        faults += faults_of(error, CatalogueRow)

    def tried(column: str, step: Callable[[], T]) -> T | None:
        if any(fault.startswith(f"“{column}”") for fault in faults):
            return None
        try:
            return step()
        except Refused as refusal:
            faults.append(f"“{column}”{refusal.reason}")
            return None

    town = tried("镇(街道)", lambda: _town(act.session, cells["镇(街道)"]))
    contact = tried("联系人", lambda: person_of(act.session, cells["联系人"]))
    category = tried("类别", lambda: _category(act.resources, town, cells["类别"])) if town is not None else None
    per_year = tried("每年次数", lambda: (_per_year(cells.get("每年次数", "")),))
    active = tried("状态", lambda: _active(cells.get("状态", "")))
    if town is not None:
        tried("单位编码", lambda: _same_town(act.session, cells["单位编码"], town))
    tried("项目编码", lambda: _same_provider(act.session, cells["项目编码"], cells["单位编码"]))
    if faults or town is None or contact is None or category is None or per_year is None or active is None:
        return None, faults
    return (
        _Wanted(
            provider=cells["单位编码"],
            provider_name=cells["单位名称"],
            town=town,
            contact=contact,
            code=cells["项目编码"],
            name=cells["项目名称"],
            category=category,
            per_year=per_year[0],
            description=cells.get("说明", ""),
            active=active,
        ),
        [],
    )


def _town(session: Session, name: str) -> Unit:
    towns = session.scalars(select(Unit).where(Unit.kind == UnitKind.TOWN).order_by(Unit.code)).all()
    found = [each for each in towns if name in (each.code, each.name)]
    if len(found) != 1:
        choices = "、".join(f"{each.name}({each.code})" for each in towns) or "(登记簿中尚无镇、街道)"
        raise Refused(CLAUSE, f"“{name}”不是登记簿中的镇(街道),可填:{choices}")
    return found[0]


def _category(resources: Resources, town: Unit, name: str) -> str:
    loaded = resources.editions.get(town.edition_id or "")
    if loaded is None or loaded.edition.site is None:
        raise Refused(CLAUSE, f"{town.name}登记的适用政策“{town.edition_id or '(空)'}”不是客堂间的政策,无从核对类别")
    categories = loaded.edition.for_sites.activity_categories
    for each in categories:
        if name in (each.code, each.name):
            return each.code
    raise Refused(
        CLAUSE,
        f"“{name}”不在《{loaded.edition.title}》的活动类别之内,可填:{'、'.join(each.name for each in categories)}",
    )


def _per_year(cell: str) -> int | None:
    if cell in ("", UNLIMITED):
        return None
    if not cell.isdecimal() or not 1 <= int(cell) <= MOST_A_YEAR:
        raise Refused(CLAUSE, f"“{cell}”不是次数,须为1至{MOST_A_YEAR}的整数,不限的留空或填“{UNLIMITED}”")
    return int(cell)


def _active(cell: str) -> bool:
    if cell not in ("", SUPPLIED, WITHDRAWN):
        raise Refused(CLAUSE, f"“{cell}”不是状态,可填:{SUPPLIED}、{WITHDRAWN};留空就是{SUPPLIED}")
    return cell != WITHDRAWN


def _same_town(session: Session, code: str, town: Unit) -> None:
    known = session.scalars(select(Provider).where(Provider.code == code)).one_or_none()
    if known is None or known.unit_id == town.id:
        return
    ordered = exists().where(ServiceOrder.item_id == ServiceItem.id, ServiceItem.provider_id == known.id)
    if session.scalar(select(ordered)):
        raise Refused(CLAUSE, f"{code}({known.name})已有{known.unit.name}的点单,不能改到{town.name};请另立新的单位编码")


def _same_provider(session: Session, code: str, provider: str) -> None:
    """Refuse another provider for an item that was ordered: those orders are the first one's, also in the figures."""
    known = session.scalars(select(ServiceItem).where(ServiceItem.code == code)).one_or_none()
    if known is None or known.provider.code == provider:
        return
    orders = session.scalars(
        select(Case.number).join(ServiceOrder, ServiceOrder.case_id == Case.id).where(ServiceOrder.item_id == known.id)
    ).all()
    if orders:
        raise Refused(
            CLAUSE,
            f"{code}({known.name})已由{known.provider.name}承接点单{len(orders)}张(如 {orders[0]}),"
            f"不能改由{provider}提供;请将该项目{WITHDRAWN},另立新的项目编码",
        )


def _bring(session: Session, wanted: Sequence[_Wanted]) -> tuple[CatalogueReport, list[int]]:
    """Write what the rows say; return the counts, and the providers whose contact is another one now."""
    providers = {each.code: each for each in session.scalars(select(Provider).order_by(Provider.id))}
    items = {each.code: each for each in session.scalars(select(ServiceItem).order_by(ServiceItem.id))}
    moved: dict[int, None] = {}
    added = changed = 0
    for row in wanted:
        says = {"name": row.provider_name, "unit_id": row.town.id, "contact_id": row.contact.id}
        provider = providers.get(row.provider)
        other = provider is None
        if provider is None:
            provider = providers[row.provider] = Provider(code=row.provider, **says)
            session.add(provider)
            session.flush()
        elif any(getattr(provider, name) != value for name, value in says.items()):
            other = True
            if provider.contact_id != row.contact.id:
                moved[provider.id] = None
            for name, value in says.items():
                setattr(provider, name, value)
        offers = {
            "name": row.name,
            "category": row.category,
            "provider_id": provider.id,
            "per_year": row.per_year,
            "description": row.description,
            "active": row.active,
        }
        item = items.get(row.code)
        if item is None:
            item = items[row.code] = ServiceItem(code=row.code, **offers)
            session.add(item)
            added += 1
        elif other or any(getattr(item, name) != value for name, value in offers.items()):
            for name, value in offers.items():
                setattr(item, name, value)
            changed += 1
    session.flush()
    for provider in providers.values():
        provider.active = any(item.active for item in items.values() if item.provider_id == provider.id)
    return CatalogueReport(added=added, changed=changed, unchanged=len(wanted) - added - changed), list(moved)


def _tell_new_contact(resources: Resources, provider: int, *, at: datetime) -> None:
    """
    Ask the new contact of a provider at every gate of its orders that waits for the provider.

    Safe to repeat because a person is asked once at a gate; what a crash leaves out, the reminders tell.
    """
    gates = (Gate.SERVICE_OFFER, Gate.SERVICE_DELIVERY)
    with resources.database.read() as session:
        numbers = session.scalars(
            select(Case.number)
            .join(ServiceOrder, ServiceOrder.case_id == Case.id)
            .join(ServiceItem, ServiceItem.id == ServiceOrder.item_id)
            .join(WorkItem, WorkItem.case_id == Case.id)
            .where(
                ServiceItem.provider_id == provider,
                Case.status == CaseStatus.OPEN,
                WorkItem.status == WorkItemStatus.OPEN,
                WorkItem.gate.in_(gates),
            )
            .order_by(Case.id)
        ).all()
    for number in numbers:
        with acting(resources, at=at) as act:
            case = load_case(act.session, number)
            item = open_item(act.session, case)
            if item is not None and item.gate in gates:
                order_case.ask(act, case, item)
