"""The forms of letters: what was sent, whether it came, and what was sent again."""

from __future__ import annotations

from typing import Annotated

from services.policy.fields import ActDay, DocumentNumber
from services.policy.forms import Form, known, one_of
from services.wire.events import Delivery, DeliveryCause

__all__ = ["DeliveryFailureInput", "DeliveryInput", "DispatchInput", "RedispatchInput"]


class DispatchInput(Form):
    """Documents sent; the day of notification follows from the way and the day of sending."""

    number: DocumentNumber
    by: Annotated[Delivery, known(Delivery)]
    sent_on: ActDay


class RedispatchInput(Form):
    """The same documents sent again, under the number that they have; ``duplicate``: it is a certified duplicate (D.5, 17)."""

    by: Annotated[Delivery, known(Delivery)]
    sent_on: ActDay
    duplicate: bool


class DeliveryInput(Form):
    """A letter came; how that is known."""

    on: ActDay
    cause: Annotated[DeliveryCause, one_of(DeliveryCause.RECEIPT_SIGNED, DeliveryCause.HANDED_OVER, DeliveryCause.OPENED)]


class DeliveryFailureInput(Form):
    """A letter did not come; how that is known."""

    on: ActDay
    cause: Annotated[
        DeliveryCause,
        one_of(
            DeliveryCause.RETURNED,
            DeliveryCause.REPORTED_MISSING,
            DeliveryCause.WRONG_ADDRESS,
            DeliveryCause.E_ADDRESS_INACTIVE,
        ),
    ]
