"""The letters of a service order: placed, answered, delivered, disputed (D1-R5)."""

from datetime import date
from typing import Annotated

from pydantic import Field

from notifications.context import CaseLetter, Count, Name
from policies.vocabulary import Letter

Rating = Annotated[int, Field(ge=1, strict=True)]


class OrderPlaced(CaseLetter):
    """To the provider: a site orders, please answer. To the site's leader: the order is on file."""

    letter_kind = Letter.ORDER_PLACED
    for_site: bool
    """The receipt instead of the request."""
    item: Name
    provider: Name
    site: Name
    """The site's number."""
    address: Name
    leader: Name
    wished_on: date
    people: Count
    note: str
    due_on: date
    """By when the provider is to answer."""
    due_note: str


class OrderAnswered(CaseLetter):
    """To leader and village: the provider takes the order for a day, or declines it with the reason."""

    letter_kind = Letter.ORDER_ANSWERED
    item: Name
    provider: Name
    taken: bool
    wished_on: date
    promised_on: date | None
    """None: declined."""
    reason: str
    """Why it was declined; of a taken order a remark, may be empty."""


class OrderDelivered(CaseLetter):
    """To the leader: the provider says that it delivered; please confirm and rate."""

    letter_kind = Letter.ORDER_DELIVERED
    item: Name
    provider: Name
    delivered_on: date
    served: Count
    """People, as the provider says."""
    proof: str
    best_rating: Rating
    lapses: bool
    """Silence counts as a delivery without a rating."""
    due_on: date
    due_note: str


class OrderDisputed(CaseLetter):
    """To provider and office: the site says that it was not delivered as agreed; it is to be delivered again."""

    letter_kind = Letter.ORDER_DISPUTED
    item: Name
    provider: Name
    site: Name
    by: Name
    claimed_on: date
    """When it was delivered, as the provider said."""
    reason: Name
    due_on: date


CONTEXTS = (OrderPlaced, OrderAnswered, OrderDelivered, OrderDisputed)
