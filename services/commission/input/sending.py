"""The forms of letters: what was sent, whether it came, and what was sent again."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import model_validator

from services.commission.input.reading import CaseNumber, at_field
from services.policy.fields import ActDay, DocumentNumber
from services.policy.forms import Form, known, one_of
from services.wire.events import Delivery, DeliveryCause

__all__ = ["DeliveryFailureInput", "DeliveryInput", "DispatchInput", "RedispatchInput"]


class _Letter(Form):
    """What every letter has.

    ``address_confirmed_on`` is the day on which the requester confirmed where it goes, where the school of another case of the
    pupil asks to send nothing, or that of a linked one told another address. ``address_of`` is the number of the linked case
    whose address that is; left out, it is this one's (D.5, 19; E13).
    """

    sent_on: ActDay
    address_confirmed_on: ActDay | None = None
    address_of: CaseNumber | None = None

    @model_validator(mode="after")
    def _is_confirmed(self) -> Self:
        if self.address_of is not None and self.address_confirmed_on is None:
            raise at_field("address_confirmed_on", "is missing; write when the requester confirmed the address of the other case")
        if self.address_confirmed_on is not None and self.address_confirmed_on > self.sent_on:
            raise at_field("address_confirmed_on", "lies after sent_on; check both days")
        return self


class DispatchInput(_Letter):
    """Documents sent; the day of notification follows from the way and the day of sending."""

    number: DocumentNumber
    by: Annotated[Delivery, known(Delivery)]


class RedispatchInput(_Letter):
    """The same documents sent again, under the number that they have; ``duplicate``: it is a certified duplicate (D.5, 17)."""

    by: Annotated[Delivery, known(Delivery)]
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
