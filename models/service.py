"""The catalogue of services, and sites' orders from it (D1-R5)."""

from datetime import date

from sqlalchemy import Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Key, Long, Short, one_of
from models.case import Case, Document, Site
from models.registry import Person, Unit


class Provider(Base):
    """A department or a firm that supplies services; its contact answers the orders."""

    __tablename__ = "providers"
    __table_args__ = (UniqueConstraint("code"),)

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(String(20), comment="the office's own code")
    name: Mapped[Short]
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), comment="the town it serves")
    contact_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    active: Mapped[bool] = mapped_column(default=True)
    unit: Mapped[Unit] = relationship()
    contact: Mapped[Person] = relationship(lazy="joined")


class ServiceItem(Base):
    """A service of the catalogue."""

    __tablename__ = "service_items"
    __table_args__ = (UniqueConstraint("code"), one_of("capacity_counted", "per_year IS NULL OR per_year >= 1"))

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(String(20))
    name: Mapped[Short]
    category: Mapped[str] = mapped_column(String(40), comment="code of the edition's activity categories")
    provider_id: Mapped[int] = mapped_column(ForeignKey("providers.id"), index=True)
    per_year: Mapped[int | None] = mapped_column(comment="deliveries a calendar year; null: no limit")
    description: Mapped[Long]
    active: Mapped[bool] = mapped_column(default=True)
    provider: Mapped[Provider] = relationship(lazy="joined")


class ServiceOrder(Base):
    """A site's order."""

    __tablename__ = "service_orders"
    __table_args__ = (
        UniqueConstraint("case_id"),
        one_of("rating_counted", "rating IS NULL OR rating >= 1"),
        Index("ix_service_orders_site", "site_id"),
        Index("ix_service_orders_item", "item_id"),
    )

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("service_items.id"))
    wished_on: Mapped[date] = mapped_column(Date)
    people: Mapped[int] = mapped_column(comment="expected")
    note: Mapped[Long]
    promised_on: Mapped[date | None] = mapped_column(Date, comment="by the provider")
    delivered_on: Mapped[date | None] = mapped_column(Date)
    served: Mapped[int | None] = mapped_column(comment="people served, as confirmed")
    rating: Mapped[int | None]
    comment: Mapped[str] = mapped_column(Text, default="")
    document_id: Mapped[int | None] = mapped_column(ForeignKey("documents.id"), comment="proof of the delivery")
    case: Mapped[Case] = relationship()
    site: Mapped[Site] = relationship()
    item: Mapped[ServiceItem] = relationship()
    document: Mapped[Document | None] = relationship()
