"""Letters: what was issued goes to the address of the application, or to a later one; it arrives, or is sent again.

Pure functions from a case to the events of the act; every refusal is a leaf of ``refusals``. The address and the number are
opened personal parts, given as arguments: no other address can be entered, so the school never gets what is not for it.
Source: domain.md A.5, section 1 (notification), I5, I6, and D.5, 17 and 19.
"""

from __future__ import annotations

from uuid import UUID

from services.commission.domain import guards, refusals
from services.commission.domain.case import CommissionCase, Kin
from services.commission.domain.ordering import in_order
from services.commission.domain.parts import Outcome
from services.commission.input import DeliveryFailureInput, DeliveryInput, DispatchInput, RedispatchInput
from services.policy.rules import Rules
from services.policy.terms import Way
from services.post.history import New
from services.wire.events import (
    Address,
    AddressKind,
    Delivery,
    DeliveryConfirmed,
    DeliveryFailed,
    DocumentKind,
    DocumentsDispatched,
    DocumentsDispatchedPersonal,
    RecommendationIssued,
    Redispatched,
    RedispatchedPersonal,
)
from services.wire.hashing import Digest

__all__ = ["address_body", "confirm_delivery", "dispatch_documents", "note_failure", "redispatch_documents", "said_by"]


def said_by(case: CommissionCase, form: DispatchInput | RedispatchInput) -> tuple[UUID | None, CommissionCase]:
    """Return the linked case, with its number, that says where the letter goes; None and the case itself where that says it.

    Raises: NoSuchAddressError.
    """
    each = _told_by(case, form)
    return (each.number, each.case) if each is not None else (None, case)


def _told_by(case: CommissionCase, form: DispatchInput | RedispatchInput) -> Kin | None:
    if form.address_of is None:
        return None
    number = UUID(form.address_of)
    for each in case.kin:
        # D.5, 10: what may be another child's address is none of this letter's. D.5, 19: what a school holds is the address of
        # a former representative, to which nothing goes whoever confirms it; until it tells another, this case's own is left.
        if each.number == number and each.is_sure and not each.case.is_on_hold:
            return each
    raise refusals.NoSuchAddressError


def address_body(case: CommissionCase) -> Digest:
    """Return the event whose personal part says where letters go: a later change, the request, or the direct application.

    Raises: NoRequestError.
    """
    said = case.address or case.request
    if said is not None:
        return said.body
    if case.is_direct and case.registered_body is not None:
        return case.registered_body
    raise refusals.NoRequestError


def dispatch_documents(case: CommissionCase, form: DispatchInput, rules: Rules, *, address: Address) -> tuple[New, ...]:
    """Return the event of the documents sent: those that were issued, to the address that ``address_body`` says.

    ``rules`` are those of ``form.sent_on``; ``address`` is that of the case that ``said_by`` says.
    Raises: NoRequestError, LinkedError, NothingToDispatchError, AlreadyDispatchedError, ClosedError, DiedElsewhereError,
    DispatchOnHoldError, NoSuchAddressError, DispatchWayError, ProtectedAddressError, DateOrderError.
    """
    outcome = guards.may_dispatch(case, is_confirmed=_is_confirmed(case, form))
    _, said = said_by(case, form)
    in_order(form.sent_on, "The day of sending", outcome.facts.issued_on, "the day of issue")
    facts = DocumentsDispatched(
        kinds=_kinds(case, outcome),
        by=_way(case, _kind(said), form.by),
        address=_kind(said),
        address_from=address_body(said),
        sent_on=form.sent_on,
        notified_on=rules.deemed_notified(Way(form.by.value), form.sent_on),
        duplicate=False,
        address_confirmed_on=form.address_confirmed_on,
    )
    return (New(facts=facts, personal=DocumentsDispatchedPersonal(number=form.number, address=address)),)


def redispatch_documents(
    case: CommissionCase, form: RedispatchInput, rules: Rules, *, address: Address, number: str
) -> tuple[New, ...]:
    """Return the event of the same documents sent again, under the number that they have: nothing is issued anew (D.5, 17; E19).

    ``number`` is that of the first dispatch; ``rules`` and ``address`` are as for ``dispatch_documents``.
    Raises: NoRequestError, NotDispatchedError, ClosedError, DiedElsewhereError, DispatchOnHoldError, NothingToRepeatError,
    NoSuchAddressError, DispatchWayError, ProtectedAddressError, DateOrderError.
    """
    sent = guards.may_redispatch(case, confirmed=form.sent_on if _is_confirmed(case, form) else None)
    _, said = said_by(case, form)
    in_order(form.sent_on, "The day of sending again", sent.facts.sent_on, "the day of sending")
    facts = Redispatched(
        kinds=sent.facts.kinds,
        by=_way(case, _kind(said), form.by),
        address=_kind(said),
        address_from=address_body(said),
        sent_on=form.sent_on,
        # Counted anew from this sending.
        notified_on=rules.deemed_notified(Way(form.by.value), form.sent_on),
        duplicate=form.duplicate,
        address_confirmed_on=form.address_confirmed_on,
    )
    return (New(facts=facts, personal=RedispatchedPersonal(number=number, address=address)),)


def confirm_delivery(case: CommissionCase, form: DeliveryInput) -> tuple[New, ...]:
    """Return the event of a letter that came.

    Raises: NoRequestError, NotDispatchedError, DeliveryNotedError, DateOrderError.
    """
    sent = guards.may_confirm_delivery(case)
    in_order(form.on, "The arrival", sent.facts.sent_on, "the day of sending")
    return (New(facts=DeliveryConfirmed(on=form.on, cause=form.cause)),)


def note_failure(case: CommissionCase, form: DeliveryFailureInput) -> tuple[New, ...]:
    """Return the event of a letter that did not come (D.5, 17).

    Raises: NoRequestError, NotDispatchedError, DeliveryNotedError, DateOrderError.
    """
    sent = guards.may_note_failure(case)
    in_order(form.on, "This day", sent.facts.sent_on, "the day of sending")
    return (New(facts=DeliveryFailed(on=form.on, cause=form.cause)),)


def _is_confirmed(case: CommissionCase, form: DispatchInput | RedispatchInput) -> bool:
    """Tell whether the requester said where the letter goes since every school that holds it, or told its address, said so.

    Raises: DateOrderError: whoever was asked before that could not know; NoSuchAddressError.
    """
    if form.address_confirmed_on is None:
        return False
    told_by = _told_by(case, form)
    for each in (*case.held_elsewhere, *case.unheard_on(form.sent_on), *((told_by,) if told_by is not None else ())):
        if each.case.address is not None:
            # A clock of the other school that is wrong must not hold the letter for ever: no word came after the letter.
            told_on = min(each.case.address.written_on, form.sent_on)
            in_order(form.address_confirmed_on, "The confirmation", told_on, "the word of the other school")
    return True


def _kinds(case: CommissionCase, outcome: Outcome) -> tuple[DocumentKind, ...]:
    issued = isinstance(outcome.facts, RecommendationIssued) and outcome.is_yes
    plan = (DocumentKind.IRP,) if case.irp is not None else ()
    return (*plan, DocumentKind.RECOMMENDATION if issued else DocumentKind.REFUSAL)


def _kind(case: CommissionCase) -> AddressKind:
    """Return which address was chosen, by the newest word of it."""
    if case.address is not None:
        return case.address.facts.address
    if case.request is not None:
        return case.request.facts.address
    # A direct application says one; the schema allows none, because a school's request says it itself.
    return (case.registered.address if case.registered is not None else None) or AddressKind.HOME


def _way(case: CommissionCase, kind: AddressKind, by: Delivery) -> Delivery:
    """Return the way of a letter if it leads to the chosen address; by hand only to the author of an application (A.5, a.1)."""
    if kind is AddressKind.E_ADDRESS:
        ways: tuple[Delivery, ...] = (Delivery.E_ADDRESS,)
    else:
        ways = (Delivery.REGISTERED, Delivery.ORDINARY)
    if case.is_direct:
        ways = (*ways, Delivery.IN_PERSON)
    if by not in ways:
        raise refusals.DispatchWayError
    # domain.md C3, special risk (D.5, 19): an ordinary letter is put into a box that others open too, and nobody signs for
    # it. A registered one is handed over against a signature; an e-address and a hand are the person's own.
    if by is Delivery.ORDINARY and case.is_address_protected:
        raise refusals.ProtectedAddressError
    return by
