"""What a school writes to the commission."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.wire.events.shapes import Address, Application, Particulars, Person
from services.wire.hashing import Digest
from services.wire.vocabulary import AddressKind, Asks, CorrectedField, Requester, Variant

__all__ = [
    "DeliveryAddressChanged",
    "DeliveryAddressChangedPersonal",
    "InformationRequested",
    "InformationRequestedPersonal",
    "ReminderSent",
    "RequestCorrected",
    "RequestCorrectedPersonal",
    "RequestWithdrawn",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationRequested:
    """A school asks the commission, with a copy of the application and nothing else."""

    variant: Variant
    asks: Asks
    requester: Requester
    consent_given: bool
    states_opinion: bool
    states_irp: bool
    address: AddressKind
    address_protected: bool
    received_on: date
    due_on: date
    parts: tuple[Digest, ...]
    application: Digest
    basis: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationRequestedPersonal:
    """What is personal about ``InformationRequested``."""

    pupil: Person
    representative: Person | None
    address: Address
    application: Application


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCorrected:
    """A school corrects what its request said of persons; never a silent edit (domain.md D.5, 9)."""

    changed: tuple[CorrectedField, ...]
    basis: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCorrectedPersonal:
    """What is personal about ``RequestCorrected``."""

    old: Particulars
    new: Particulars


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWithdrawn:
    """A school withdraws its request, for the application was withdrawn, or the pupil left."""

    basis: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAddressChanged:
    """The requester chose another address for the commission's letters, or asks to send none for now."""

    address: AddressKind
    address_protected: bool
    dispatch_on_hold: bool
    basis: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAddressChangedPersonal:
    """What is personal about ``DeliveryAddressChanged``."""

    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderSent:
    """A school reminds the commission of its request; ``number`` counts the reminders of a request."""

    number: int
    due_on: date
