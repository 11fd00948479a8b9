"""The catalogue of services as it stands: listed with what is left of it this year, and written as its sheet."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from models.registry import Unit
from models.service import Provider, ServiceItem
from runtime.resources import Resources
from tasks.cases import local_day
from tasks.service_rows import taken_in_year
from tasks.services import HEADS, SUPPLIED, UNLIMITED, WITHDRAWN


@dataclass(frozen=True)
class Listed:
    """An item of the catalogue as it stands."""

    code: str
    name: str
    category: str
    provider: str
    town: str
    contact: str
    per_year: int | None
    taken: int
    """Deliveries and running orders of this year."""
    description: str
    active: bool

    @property
    def capacity(self) -> str:
        """How much of it is left this year, in words."""
        if self.per_year is None:
            return f"不限(今年已点{self.taken}次)"
        return f"每年{self.per_year}次(今年还可点{max(self.per_year - self.taken, 0)}次)"


def catalogue(resources: Resources, *, at: datetime, town: str = "", everything: bool = False) -> list[Listed]:
    """
    Return the items of the catalogue by town, provider and code.

    Args:
        at: whose year the orders are counted in.
        town: only this one's, by code or name.
        everything: also those withdrawn.
    """
    year = local_day(at).year
    with resources.database.read() as session:
        query = (
            select(ServiceItem)
            .join(Provider, Provider.id == ServiceItem.provider_id)
            .join(Unit, Unit.id == Provider.unit_id)
            .order_by(Unit.code, Provider.code, ServiceItem.code)
        )
        if not everything:
            query = query.where(ServiceItem.active)
        if town:
            query = query.where((Unit.code == town) | (Unit.name == town))
        return [
            Listed(
                code=each.code,
                name=each.name,
                category=_category_name(resources, each),
                provider=f"{each.provider.name}({each.provider.code})",
                town=each.provider.unit.name,
                contact=each.provider.contact.display,
                per_year=each.per_year,
                taken=taken_in_year(session, each, year),
                description=each.description,
                active=each.active,
            )
            for each in session.scalars(query)
        ]


def _category_name(resources: Resources, item: ServiceItem) -> str:
    loaded = resources.editions.get(item.provider.unit.edition_id or "")
    known = loaded.edition.site.activity_categories if loaded is not None and loaded.edition.site is not None else ()
    return next((each.name for each in known if each.code == item.category), item.category)


def catalogue_rows(resources: Resources) -> list[list[str]]:
    """Return the whole catalogue as rows of its sheet, heads first; the import reads them again unchanged."""
    with resources.database.read() as session:
        query = select(ServiceItem).join(Provider).order_by(Provider.code, ServiceItem.code)
        return [list(HEADS)] + [
            [
                each.provider.code,
                each.provider.name,
                each.provider.unit.code,
                each.provider.contact.code,
                each.code,
                each.name,
                _category_name(resources, each),
                UNLIMITED if each.per_year is None else str(each.per_year),
                each.description,
                SUPPLIED if each.active else WITHDRAWN,
            ]
            for each in session.scalars(query)
        ]
