"""Letters of the commission: to which address, by which way, whether they came, and sent again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.commission.domain import decisions, refusals
from services.commission.domain.applying import fold
from services.commission.domain.outlook import outlook_of
from services.commission.input import DeliveryInput, DispatchInput, RedispatchInput
from services.policy.rules import RULES
from services.post.history import New
from services.wire.events import (
    Address,
    AddressKind,
    Delivery,
    DeliveryAddressChanged,
    DeliveryCause,
    DeliveryConfirmed,
    DeliveryFailed,
    Redispatched,
    RedispatchedPersonal,
)
from tests.commission_stories import A2, ACTS, DIRECT, DISPATCHED, EXAMINED, FORMS, HOLD, ISSUED, MOVED, SENT, STORIES, case_after
from tests.given_when_then import body, given, received
from tests.people import HOME

_SHELTER = Address(text="Citas ielas 1", postal_code="LV-1099")
_MISSING = DeliveryFailed(on=date(2026, 9, 28), cause=DeliveryCause.REPORTED_MISSING)
_AGAIN = RedispatchInput(by=Delivery.REGISTERED, sent_on=date(2026, 9, 29), duplicate=True)
_REDISPATCHED = Redispatched(
    kinds=SENT.kinds,
    by=Delivery.REGISTERED,
    address=AddressKind.HOME,
    address_from=body(1),
    sent_on=date(2026, 9, 29),
    notified_on=date(2026, 10, 6),
    duplicate=True,
)


@pytest.mark.parametrize(
    ("by", "sent_on", "notified_on"),
    [
        (Delivery.REGISTERED, date(2026, 12, 28), date(2027, 1, 4)),
        (Delivery.ORDINARY, date(2026, 9, 10), date(2026, 9, 18)),
    ],
)
def test_the_day_of_notification_follows_from_the_way(by: Delivery, sent_on: date, notified_on: date) -> None:
    form = DispatchInput(number="S-1", by=by, sent_on=sent_on)
    (sent,) = decisions.dispatch_documents(case_after(*STORIES["Prepared"]), form, RULES[0], address=HOME)
    assert sent.facts.notified_on == notified_on


@pytest.mark.shows("I5", "D5.19")
def test_letters_go_to_a_later_address_if_the_requester_chose_one() -> None:
    case = case_after(*STORIES["Prepared"], MOVED)
    assert decisions.address_body(case) == body(5)
    (sent,) = decisions.dispatch_documents(case, FORMS["dispatch"], RULES[0], address=_SHELTER)
    assert sent.facts.address_from == body(5)
    assert sent.personal.address == _SHELTER
    with pytest.raises(refusals.NoRequestError):
        decisions.address_body(case_after())


@pytest.mark.shows("D5.19")
def test_nothing_is_sent_while_the_requester_asks_to_send_nothing() -> None:
    given(fold, *STORIES["Prepared"], HOLD).when(ACTS["dispatch"]).refused(refusals.DispatchOnHoldError)
    given(fold, *DISPATCHED, _MISSING, HOLD).when(ACTS["redispatch"]).refused(refusals.DispatchOnHoldError)
    assert ACTS["dispatch"](case_after(*STORIES["Prepared"], HOLD, MOVED))
    assert not case_after(*DISPATCHED, HOLD).is_address_changed_since


@pytest.mark.shows("I6")
def test_a_school_receives_the_recommendation_only_where_its_address_was_chosen() -> None:
    chosen = received(replace(A2.facts, address=AddressKind.SCHOOL))  # type: ignore[type-var]  # a request's facts
    (sent,) = ACTS["dispatch"](case_after(chosen, *STORIES["Prepared"][1:]))
    assert sent.facts.address is AddressKind.SCHOOL
    (home,) = ACTS["dispatch"](case_after(*STORIES["Prepared"]))
    assert home.facts.address is AddressKind.HOME


@pytest.mark.shows("D5.17")
def test_a_letter_that_did_not_come_is_sent_again_under_its_number_and_nothing_is_issued_anew() -> None:
    """Domain E19: the notification counts from the new sending; there is no second recommendation."""
    personal = RedispatchedPersonal(number="S-1", address=HOME)
    lost = given(fold, *DISPATCHED, _MISSING)
    again = lost.when(decisions.redispatch_documents, _AGAIN, RULES[0], address=HOME, number="S-1")
    again.then(New(facts=_REDISPATCHED, personal=personal))
    case = case_after(*DISPATCHED, _MISSING, _REDISPATCHED)
    assert case.dispatch is not None
    assert case.dispatch.first == body(5)
    given(fold, *DISPATCHED, _MISSING, _REDISPATCHED).when(ACTS["redispatch"]).refused(refusals.NothingToRepeatError)
    given(fold, *DISPATCHED, _MISSING).when(ACTS["recommend"]).refused(refusals.AlreadyDecidedError)
    given(fold, *DISPATCHED).when(ACTS["redispatch"]).refused(refusals.NothingToRepeatError)
    early = _AGAIN.model_copy(update={"sent_on": date(2026, 8, 26)})
    lost.when(decisions.redispatch_documents, early, RULES[0], address=HOME, number="S-1").refused(refusals.DateOrderError)


@pytest.mark.shows("D5.17")
def test_an_address_that_changed_after_the_dispatch_is_shown_and_sent_to_again() -> None:
    """The crossing of address change and dispatch."""
    crossed = (*DISPATCHED, MOVED)
    assert "the address has changed after the dispatch: send again" in outlook_of(case_after(*crossed), date(2026, 9, 1)).missing
    (again,) = decisions.redispatch_documents(case_after(*crossed), _AGAIN, RULES[0], address=_SHELTER, number="S-1")
    assert again.facts.address_from == body(6)
    given(fold, *crossed, again.facts).when(ACTS["redispatch"]).refused(refusals.NothingToRepeatError)


def test_what_is_known_of_a_letter_is_recorded_once() -> None:
    came = DeliveryConfirmed(on=date(2026, 10, 5), cause=DeliveryCause.RECEIPT_SIGNED)
    given(fold, *DISPATCHED).when(ACTS["deliver-confirmed"]).then(New(facts=came))
    given(fold, *DISPATCHED, came).when(ACTS["deliver-confirmed"]).refused(refusals.DeliveryNotedError)
    missing = DeliveryFailed(on=date(2026, 10, 5), cause=DeliveryCause.REPORTED_MISSING)
    given(fold, *DISPATCHED).when(ACTS["delivery-failed"]).then(New(facts=missing))
    given(fold, *DISPATCHED, missing).when(ACTS["delivery-failed"]).refused(refusals.DeliveryNotedError)
    # It came after all.
    assert ACTS["deliver-confirmed"](case_after(*DISPATCHED, missing))
    given(fold, *STORIES["Prepared"]).when(ACTS["delivery-failed"]).refused(refusals.NotDispatchedError)
    early = DeliveryInput(on=date(2026, 8, 26), cause=DeliveryCause.OPENED)
    given(fold, *DISPATCHED).when(decisions.confirm_delivery, early).refused(refusals.DateOrderError)


@pytest.mark.parametrize("story", ["Revoked", "Expired"])
def test_what_holds_no_longer_is_not_sent_again(story: str) -> None:
    given(fold, *STORIES[story], _MISSING).when(ACTS["redispatch"]).refused(refusals.NothingToDispatchError)


def test_letters_that_nobody_sent_change_nothing() -> None:
    """A history that another release wrote stays loadable."""
    came = DeliveryConfirmed(on=date(2026, 10, 5), cause=DeliveryCause.OPENED)
    assert case_after(A2, came, _MISSING) == case_after(A2)
    case = case_after(A2, ISSUED, _REDISPATCHED)
    assert case.dispatch is not None
    assert case.dispatch.first == body(3)


def test_an_e_address_that_was_chosen_later_is_written_to_as_such() -> None:
    electronic = received(
        DeliveryAddressChanged(address=AddressKind.E_ADDRESS, address_protected=False, dispatch_on_hold=False, basis=body(77))
    )
    given(fold, *STORIES["Prepared"], electronic).when(ACTS["dispatch"]).refused(refusals.DispatchWayError)


_PROTECTED = received(replace(A2.facts, address_protected=True))  # type: ignore[type-var]  # a request's facts
_BACK = received(
    DeliveryAddressChanged(address=AddressKind.HOME, address_protected=False, dispatch_on_hold=False, basis=body(77))
)
_ORDINARY = DispatchInput(number="S-1", by=Delivery.ORDINARY, sent_on=date(2026, 9, 29))
_NO_ORDINARY = "the address is protected: no ordinary letter goes there"


@pytest.mark.shows("D5.19", "I5")
def test_no_ordinary_letter_goes_to_a_protected_address_whoever_said_last_that_it_is_one() -> None:
    """Domain C3, special risk: a shelter, a shared home; the requester may have said so when applying, or after moving."""
    sends = (decisions.dispatch_documents, _ORDINARY, RULES[0])
    protected, moved = (_PROTECTED, *STORIES["Prepared"][1:]), (*STORIES["Prepared"], MOVED)
    given(fold, *protected).when(*sends, address=HOME).refused(refusals.ProtectedAddressError)
    given(fold, *moved).when(*sends, address=_SHELTER).refused(refusals.ProtectedAddressError)
    assert ACTS["dispatch"](case_after(*moved))
    # What counts is the newest word: back at home the box is one's own again.
    assert decisions.dispatch_documents(case_after(*protected, _BACK), _ORDINARY, RULES[0], address=HOME)
    assert _NO_ORDINARY in outlook_of(case_after(*moved), date(2026, 9, 1)).missing
    assert _NO_ORDINARY not in outlook_of(case_after(*protected, _BACK), date(2026, 9, 1)).missing


@pytest.mark.shows("D5.17", "D5.19")
def test_what_is_sent_again_to_a_protected_address_goes_to_the_addressee_alone_too() -> None:
    again = _AGAIN.model_copy(update={"by": Delivery.ORDINARY})
    crossed = given(fold, *DISPATCHED, MOVED)
    crossed.when(decisions.redispatch_documents, again, RULES[0], address=_SHELTER, number="S-1").refused(
        refusals.ProtectedAddressError
    )
    assert decisions.redispatch_documents(crossed.case, _AGAIN, RULES[0], address=_SHELTER, number="S-1")
    assert _NO_ORDINARY in outlook_of(crossed.case, date(2026, 9, 1)).missing
    arrived = (*DISPATCHED, MOVED, replace(SENT, address_from=body(6)))
    assert _NO_ORDINARY not in outlook_of(case_after(*arrived), date(2026, 9, 1)).missing


@pytest.mark.shows("D5.19")
@pytest.mark.parametrize("by", [Delivery.REGISTERED, Delivery.IN_PERSON])
def test_the_author_of_an_application_with_a_protected_address_may_fetch_what_was_issued(by: Delivery) -> None:
    case = case_after(replace(DIRECT, address_protected=True), EXAMINED, ISSUED)
    assert decisions.dispatch_documents(case, _ORDINARY.model_copy(update={"by": by}), RULES[0], address=HOME)
    with pytest.raises(refusals.ProtectedAddressError):
        decisions.dispatch_documents(case, _ORDINARY, RULES[0], address=HOME)
    electronic = replace(DIRECT, address=AddressKind.E_ADDRESS, address_protected=True)
    form = _ORDINARY.model_copy(update={"by": Delivery.E_ADDRESS})
    assert decisions.dispatch_documents(case_after(electronic, EXAMINED, ISSUED), form, RULES[0], address=HOME)
