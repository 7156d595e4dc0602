"""The one letter of two requests: held where either school says so, protected, and sent to where the requester confirms."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from services.commission.domain import decisions, refusals
from services.commission.domain.applying import fold
from services.commission.domain.case import CommissionCase, Kin
from services.commission.domain.linking import seen_among
from services.commission.domain.receiving import CommissionDomain
from services.commission.input import ClosingInput, DispatchInput, RedispatchInput
from services.policy.rules import RULES
from services.post.history import BEFORE, Outlook
from services.wire.events import (
    AddressKind,
    AssessmentCause,
    AssessmentClosed,
    Delivery,
    DeliveryCause,
    DeliveryFailed,
    DocumentsDispatched,
    IdentityNotMatched,
    Redispatched,
    RequestWithdrawn,
)
from tests.commission_stories import A2, CORRECTED_CODE, HOLD, ISSUED, LINKED, MOVED, PRIMARY, REGISTERED, SENT, YES, case_after
from tests.given_when_then import body, given, received
from tests.people import HOME

_DOMAIN = CommissionDomain()
_TODAY = date(2026, 9, 21)
_NUMBER = UUID(int=7)
_PREPARED = (*PRIMARY, ISSUED)
_HELD = received(HOLD.facts, recorded_on=date(2026, 8, 24))
_MOVED = received(replace(MOVED.facts, address=AddressKind.E_ADDRESS), recorded_on=date(2026, 8, 24))  # type: ignore[type-var]  # a change of address
_SENT_ON = date(2026, 8, 27)


def _among(primary: tuple[object, ...], *linked: object) -> CommissionCase:
    return seen_among(case_after(*primary), [Kin(number=_NUMBER, case=case_after(*LINKED, *linked))])


def _send(case: CommissionCase, by: Delivery = Delivery.REGISTERED, **form: Any) -> DocumentsDispatched:
    letter = DispatchInput(number="S-1", by=by, sent_on=_SENT_ON, **form)
    (sent,) = decisions.dispatch_documents(case, letter, RULES[0], address=HOME)
    assert isinstance(sent.facts, DocumentsDispatched)
    return sent.facts


def _said_among(primary: tuple[object, ...], *linked: object) -> tuple[Outlook, list[str]]:
    histories = {_NUMBER: given(fold, *LINKED, *linked).history}
    outlook = _DOMAIN.outlook_among(given(fold, *primary).history, histories, {}, _TODAY)
    return outlook, [each for each in outlook.missing if str(_NUMBER) in each]


@pytest.mark.shows("D5.6", "D5.19", "D5.30")
def test_the_one_letter_waits_where_the_school_of_a_linked_case_asks_to_send_nothing() -> None:
    """E13: the guardian changed, or the pupil died, and the other school alone knows of it."""
    with pytest.raises(refusals.DispatchOnHoldError, match="another case of this pupil"):
        _send(_among(_PREPARED, _HELD))
    outlook, said = _said_among(_PREPARED, _HELD)
    (waits,) = said
    assert waits.startswith(
        f"the school of the linked case {_NUMBER} asks to send nothing for now: wait for its word, or confirm"
    )
    assert "dispatch" not in {each.act for each in outlook.allowed}
    missing = DeliveryFailed(on=date(2026, 9, 1), cause=DeliveryCause.REPORTED_MISSING)
    again, _ = _said_among((*_PREPARED, SENT, missing), _HELD)
    assert "redispatch" not in {each.act for each in again.allowed}
    # It took its word back; and a code that was corrected since names another child, whose hold is none of this one's.
    assert _send(_among(_PREPARED, _HELD, MOVED))
    assert _send(_among(_PREPARED, _HELD, CORRECTED_CODE))
    assert _send(_among((*_PREPARED, CORRECTED_CODE), _HELD))
    assert _said_among((*_PREPARED, CORRECTED_CODE), _HELD)[1] == []


@pytest.mark.shows("D5.6", "D5.30")
def test_no_letter_goes_out_about_a_pupil_of_whose_death_a_linked_case_tells() -> None:
    """Nobody confirms an address then."""
    died = AssessmentClosed(cause=AssessmentCause.DIED)
    with pytest.raises(refusals.DiedElsewhereError):
        _send(_among(_PREPARED, _HELD, died), address_confirmed_on=_SENT_ON)
    outlook, said = _said_among(_PREPARED, died)
    assert said == [f"the linked case {_NUMBER} was closed because the pupil died: close this one too"]
    assert {each.act for each in outlook.allowed}.isdisjoint({"dispatch", "redispatch"})
    assert _said_among((*_PREPARED, died), died)[1] == []
    assert decisions.close_assessment(_among(_PREPARED, died), ClosingInput(cause=AssessmentCause.DIED))


@pytest.mark.shows("D5.6", "D5.10", "D5.30")
@pytest.mark.parametrize("corrected_in", ["earlier", "linked"])
def test_the_death_of_what_may_be_another_child_stops_no_letter_for_ever(corrected_in: str) -> None:
    """The code by which it was linked was corrected after its answer: a person asks the family."""
    died = AssessmentClosed(cause=AssessmentCause.DIED)
    primary = (*_PREPARED, CORRECTED_CODE) if corrected_in == "earlier" else _PREPARED
    linked = (YES, died) if corrected_in == "earlier" else (YES, CORRECTED_CODE, died)
    with pytest.raises(refusals.DispatchOnHoldError):
        _send(_among(primary, *linked))
    assert _send(_among(primary, *linked), address_confirmed_on=_SENT_ON)
    outlook, (said,) = _said_among(primary, *linked)
    assert "ask whether it is this one" in said
    assert "dispatch" not in {each.act for each in outlook.allowed}
    # Nor is an address of that child's any of this one's.
    with pytest.raises(refusals.NoSuchAddressError):
        _send(_among(primary, *linked), address_confirmed_on=_SENT_ON, address_of=str(_NUMBER))
    # A later request of that school begins anew, and rests on nothing.
    assert not _among(primary, *linked, A2).kin


@pytest.mark.shows("D5.6", "D5.19")
def test_a_wrong_clock_of_the_other_school_holds_no_letter_for_ever() -> None:
    """It says that it wrote in the year 9999, and nobody confirms anything after that."""
    held = _among(_PREPARED, received(HOLD.facts, recorded_on=date.max))
    assert _send(held, address_confirmed_on=_SENT_ON)
    with pytest.raises(refusals.DateOrderError):
        _send(held, address_confirmed_on=date(2026, 8, 26))


@pytest.mark.shows("I5", "D5.6", "D5.19")
def test_nothing_goes_to_an_address_that_the_school_of_a_linked_case_holds_whoever_confirms_it() -> None:
    """With a hold stands the address to which nothing goes any more: that of the former guardian."""
    confirmed: dict[str, Any] = {"address_confirmed_on": _SENT_ON, "address_of": str(_NUMBER)}
    with pytest.raises(refusals.NoSuchAddressError, match="nothing goes to the address there"):
        _send(_among(_PREPARED, _HELD), **confirmed)
    assert _send(_among(_PREPARED, _HELD, MOVED), **confirmed)


@pytest.mark.shows("I5", "D5.6", "D5.19")
def test_an_address_that_was_told_after_the_requester_confirmed_one_was_not_confirmed() -> None:
    with pytest.raises(refusals.DateOrderError, match="The confirmation"):
        _send(_among(_PREPARED, _MOVED), Delivery.E_ADDRESS, address_confirmed_on=date(2026, 8, 23), address_of=str(_NUMBER))


@pytest.mark.shows("D5.6", "D5.19")
def test_a_hold_that_its_school_never_takes_back_gives_way_to_an_address_that_was_confirmed_since() -> None:
    held = _among(_PREPARED, _HELD)
    assert _send(held, address_confirmed_on=date(2026, 8, 24)).address_from == body(1)
    with pytest.raises(refusals.DateOrderError, match="The confirmation"):
        _send(held, address_confirmed_on=date(2026, 8, 23))
    # The own school's hold is taken back by its own word alone.
    with pytest.raises(refusals.DispatchOnHoldError):
        _send(_among((*_PREPARED, HOLD), _HELD), address_confirmed_on=date(2026, 8, 24))


@pytest.mark.shows("I5", "D5.6", "D5.19")
def test_a_letter_goes_to_the_address_that_another_school_told_only_where_the_requester_confirmed_it() -> None:
    moved = _among(_PREPARED, _MOVED)
    assert _said_among(_PREPARED, _MOVED)[1] == [
        f"the school of the linked case {_NUMBER} told another address: ask the requester where the letter goes"
    ]
    assert _send(moved).address_from == body(1)
    sent = _send(moved, Delivery.E_ADDRESS, address_confirmed_on=_SENT_ON, address_of=str(_NUMBER))
    # The word of the other school is the fourth event of its case.
    assert (sent.address, sent.address_from) == (AddressKind.E_ADDRESS, decisions.address_body(moved.kin[0].case))
    with pytest.raises(refusals.DispatchWayError):
        _send(moved, address_confirmed_on=_SENT_ON, address_of=str(_NUMBER))
    with pytest.raises(refusals.NoSuchAddressError):
        _send(moved, address_confirmed_on=_SENT_ON, address_of=str(UUID(int=8)))
    for sent_to in (sent, _send(moved)):
        assert _said_among((*_PREPARED, sent_to), _MOVED)[1] == []
    assert _said_among((*_PREPARED, _send(moved)), received(MOVED.facts, recorded_on=date(2026, 9, 1)))[1]


@pytest.mark.shows("D5.6", "D5.17")
def test_what_the_own_school_had_said_before_a_letter_went_elsewhere_is_no_change_after_it() -> None:
    elsewhere = replace(SENT, address_from=body(99))
    assert not case_after(*_PREPARED, MOVED, elsewhere).is_address_changed_since
    assert case_after(*_PREPARED, MOVED, elsewhere, MOVED).is_address_changed_since
    again = Redispatched(**{each.name: getattr(elsewhere, each.name) for each in fields(elsewhere)})
    assert not case_after(*_PREPARED, MOVED, SENT, again).is_address_changed_since
    assert case_after(*_PREPARED, MOVED, SENT).is_address_changed_since


@pytest.mark.shows("D5.6", "D5.19")
def test_a_letter_is_protected_where_either_school_says_that_an_address_is() -> None:
    with pytest.raises(refusals.ProtectedAddressError):
        _send(_among(_PREPARED, MOVED), Delivery.ORDINARY)
    assert _send(_among(_PREPARED), Delivery.ORDINARY)


def _beside(case: tuple[object, ...], *other: object) -> CommissionCase:
    return seen_among(case_after(*case), [], [Kin(number=_NUMBER, case=case_after(*other))])


def _said_beside(case: tuple[object, ...], *other: object) -> tuple[Outlook, list[str]]:
    beside = {_NUMBER: given(fold, *other).history}
    outlook = _DOMAIN.outlook_among(given(fold, *case).history, {}, beside, _TODAY)
    return outlook, [each for each in outlook.missing if str(_NUMBER) in each]


@pytest.mark.shows("D5.6", "D5.19")
@pytest.mark.parametrize("other", [(A2, _HELD), (A2, REGISTERED, _HELD), (*_PREPARED, SENT, YES, _HELD)])
def test_a_letter_waits_where_the_school_of_a_case_of_the_pupil_that_nobody_linked_asks_to_send_nothing(
    other: tuple[Any, ...],
) -> None:
    """The guardian changed, the second school alone knows of it, and no clerk has looked at its request yet."""
    with pytest.raises(refusals.DispatchOnHoldError):
        _send(_beside(_PREPARED, *other))
    outlook, (said,) = _said_beside(_PREPARED, *other)
    assert said.startswith(
        f"the school of the case {_NUMBER}, which has this pupil's code and is not linked, asks to send nothing for now: wait"
    )
    assert "dispatch" not in {each.act for each in outlook.allowed}
    # A person asks the requester; the address of a case that nobody linked is none of this letter's.
    sent = _send(_beside(_PREPARED, *other), address_confirmed_on=_SENT_ON)
    assert sent.address_from == body(1)
    with pytest.raises(refusals.NoSuchAddressError):
        _send(_beside(_PREPARED, *other), address_confirmed_on=_SENT_ON, address_of=str(_NUMBER))
    with pytest.raises(refusals.DateOrderError):
        _send(_beside(_PREPARED, *other), address_confirmed_on=date(2026, 8, 23))
    assert _said_beside((*_PREPARED, sent), *other)[1] == []
    # It took its word back.
    assert _send(_beside(_PREPARED, *other, MOVED))


@pytest.mark.shows("D5.7", "D5.8", "D5.19")
@pytest.mark.parametrize("over", [received(RequestWithdrawn(basis=BEFORE)), AssessmentClosed(cause=AssessmentCause.ANSWERED)])
def test_what_a_school_held_of_a_request_that_is_over_holds_a_letter_only_if_it_said_so_since(
    over: object,
) -> None:
    """Before, the new representative applies at another school; since, the pupil may have died or left."""
    before = received(HOLD.facts, recorded_on=date(2026, 8, 10))
    assert _send(_beside(_PREPARED, A2, REGISTERED, before, over))
    assert _said_beside(_PREPARED, A2, REGISTERED, before, over)[1] == []
    with pytest.raises(refusals.DispatchOnHoldError):
        _send(_beside(_PREPARED, A2, REGISTERED, _HELD, over))
    # Nobody found is not over: the school corrects it, and it may be the name alone.
    with pytest.raises(refusals.DispatchOnHoldError):
        _send(_beside(_PREPARED, A2, REGISTERED, IdentityNotMatched(basis=body(2)), before))


@pytest.mark.shows("D5.10", "D5.30")
def test_the_death_of_who_has_the_same_code_is_asked_about_before_a_letter_goes_out() -> None:
    """No clerk has said that it is the same child, so it stops nothing for ever."""
    other = (A2, REGISTERED, AssessmentClosed(cause=AssessmentCause.DIED))
    with pytest.raises(refusals.DispatchOnHoldError):
        _send(_beside(_PREPARED, *other))
    _, (said,) = _said_beside(_PREPARED, *other)
    assert "a code alone names both: ask whether it is this one" in said
    assert _send(_beside(_PREPARED, *other), address_confirmed_on=_SENT_ON)


@pytest.mark.shows("D5.19")
def test_a_letter_is_protected_where_the_school_of_a_case_that_nobody_linked_says_that_an_address_is() -> None:
    with pytest.raises(refusals.ProtectedAddressError):
        _send(_beside(_PREPARED, A2, MOVED), Delivery.ORDINARY)
    assert _said_beside(_PREPARED, A2, MOVED)[1] == []
    assert "the address is protected: no ordinary letter goes there" in _said_beside(_PREPARED, A2, MOVED)[0].missing


@pytest.mark.shows("D5.6", "D5.19")
def test_that_the_requester_was_asked_stands_in_the_record_and_ends_the_advice_to_ask() -> None:
    """On the day of the letter nobody can tell by days alone which was first."""
    held = received(HOLD.facts, recorded_on=_SENT_ON)
    sent = _send(_among(_PREPARED, held), address_confirmed_on=_SENT_ON)
    assert sent.address_confirmed_on == _SENT_ON
    assert _said_among((*_PREPARED, sent), held)[1] == []
    assert _said_among((*_PREPARED, replace(sent, address_confirmed_on=None)), held)[1]
    # Told later than they were asked, it is asked anew.
    later = received(HOLD.facts, recorded_on=date(2026, 9, 1))
    assert _said_among((*_PREPARED, sent), later)[1]


@pytest.mark.shows("D5.6", "D5.17", "D5.19")
def test_a_letter_goes_again_to_another_address_that_was_told_since_where_the_requester_confirms_it() -> None:
    moved = received(MOVED.facts, recorded_on=date(2026, 9, 1))
    case = _among((*_PREPARED, SENT), moved)
    form: dict[str, Any] = {"by": Delivery.REGISTERED, "sent_on": date(2026, 9, 3), "duplicate": False}

    def send_again(**more: Any) -> Any:
        letter = RedispatchInput(**form, **more)
        (sent,) = decisions.redispatch_documents(case, letter, RULES[0], address=HOME, number="S-1")
        return sent.facts

    with pytest.raises(refusals.NothingToRepeatError):
        send_again()
    with pytest.raises(refusals.DateOrderError):
        send_again(address_confirmed_on=date(2026, 8, 31))
    sent = send_again(address_confirmed_on=date(2026, 9, 2), address_of=str(_NUMBER))
    assert sent.address_confirmed_on == date(2026, 9, 2)
    assert sent.address_from == decisions.address_body(case.kin[0].case)
    assert _said_among((*_PREPARED, SENT), moved)[1]
    assert _said_among((*_PREPARED, SENT, sent), moved)[1] == []
    # A wrong clock of the other school asks for no more than one word of the requester.
    future = received(MOVED.facts, recorded_on=date(2030, 1, 1))
    assert _said_among((*_PREPARED, SENT), future)[1]
    assert _said_among((*_PREPARED, replace(SENT, address_confirmed_on=SENT.sent_on)), future)[1] == []
    # Nothing more is asked for where the case is closed.
    assert _said_among((*_PREPARED, SENT, AssessmentClosed(cause=AssessmentCause.ANSWERED)), moved)[1] == []


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"address_of": str(_NUMBER)}, "is missing"),
        ({"address_confirmed_on": date(2026, 8, 28)}, "lies after sent_on"),
    ],
)
def test_an_address_of_another_case_needs_the_day_on_which_it_was_confirmed(form: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        DispatchInput(number="S-1", by=Delivery.REGISTERED, sent_on=_SENT_ON, **form)
