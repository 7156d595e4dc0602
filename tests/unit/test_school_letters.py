"""Closed letters of the commission in the care of the school: taken in where the requester chose it, handed over unopened."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date

import pytest

from services.post.history import New
from services.school.domain import refusals, refusals_serving
from services.school.domain.case import fold
from services.school.domain.letters import hand_over_letter, receive_letter
from services.school.input import HandOverForm, SealedItemForm
from services.wire.events import (
    AddressKind,
    ApplicationWithdrawn,
    Authority,
    RepresentativeChanged,
    SealedItemHandedOver,
    SealedItemHandedOverPersonal,
    SealedItemReceived,
    SealedItemReceivedPersonal,
)
from tests.given_when_then import body, given
from tests.people import ADDRESS_CHOSEN, CONSENT, FILED_A2, REQUESTED_A2
from tests.serving import form_of

_TO_SCHOOL = replace(ADDRESS_CHOSEN, address=AddressKind.SCHOOL)
_ASKED = (FILED_A2, CONSENT, _TO_SCHOOL, replace(REQUESTED_A2, address=AddressKind.SCHOOL))
_CAME = SealedItemReceived(on=date(2026, 9, 10))
_RECEIVED = New(facts=_CAME, personal=SealedItemReceivedPersonal(number="N-44"))


def came(number: str = "N-44") -> SealedItemForm:
    return form_of(SealedItemForm, {"number": number, "on": "2026-09-10"})


def handed(number: str = "N-44", on: str = "2026-09-11") -> HandOverForm:
    return form_of(HandOverForm, {"number": number, "on": on, "to_whom": "Andris Izdomenieks"})


@pytest.mark.shows("D5.18")
def test_a_letter_is_taken_in_only_where_the_requester_chose_the_school() -> None:
    given(fold, *_ASKED).when(receive_letter, came(), {}).then(_RECEIVED)
    home = (FILED_A2, CONSENT, ADDRESS_CHOSEN, REQUESTED_A2)
    given(fold, *home).when(receive_letter, came(), {}).refused(refusals_serving.AddressNotSchoolError, "unopened")
    given(fold, FILED_A2).when(receive_letter, came(), {}).refused(refusals_serving.AddressNotSchoolError)
    given(fold).when(receive_letter, came(), {}).refused(refusals.NoApplicationError)


@pytest.mark.shows("D5.18")
def test_a_letter_that_was_on_its_way_is_taken_in_after_a_withdrawal_and_after_another_choice() -> None:
    withdrawn = ApplicationWithdrawn(received_on=date(2026, 9, 9))
    given(fold, *_ASKED, withdrawn).when(receive_letter, came(), {}).then(_RECEIVED)
    guardian = RepresentativeChanged(authority=Authority.GUARDIAN, from_on=date(2026, 9, 9))
    given(fold, *_ASKED, guardian).when(receive_letter, came(), {}).then(_RECEIVED)


@pytest.mark.shows("D5.18", "I6")
def test_nothing_is_recorded_of_a_letter_but_its_number_its_days_and_to_whom_it_went() -> None:
    kept = {
        each.name
        for kind in (SealedItemReceived, SealedItemReceivedPersonal, SealedItemHandedOver, SealedItemHandedOverPersonal)
        for each in fields(kind)
    }
    assert kept == {"on", "number", "of", "to_whom"}


@pytest.mark.shows("D5.18")
def test_a_letter_is_handed_over_once_and_not_before_it_came() -> None:
    told, numbers = given(fold, *_ASKED, _CAME), {body(5): "N-44"}
    gone = SealedItemHandedOver(on=date(2026, 9, 11), of=body(5))
    made = New(facts=gone, personal=SealedItemHandedOverPersonal(to_whom="Andris Izdomenieks"))
    told.when(hand_over_letter, handed(), numbers).then(made)
    told.when(hand_over_letter, handed(on="2026-09-09"), numbers).refused(refusals_serving.HandedBeforeReceivedError)
    told.when(hand_over_letter, handed("N-45"), numbers).refused(refusals_serving.LetterUnknownError)
    given(fold, *_ASKED, _CAME, gone).when(hand_over_letter, handed(), numbers).refused(refusals_serving.LetterUnknownError)
    given(fold, *_ASKED).when(hand_over_letter, handed(), {}).refused(refusals_serving.LetterUnknownError)


def test_a_letter_is_recorded_once_and_a_second_one_waits_beside_it() -> None:
    numbers = {body(5): "N-44"}
    given(fold, *_ASKED, _CAME).when(receive_letter, came(), numbers).refused(refusals_serving.LetterReceivedError)
    second = given(fold, *_ASKED, _CAME, _CAME, SealedItemHandedOver(on=date(2026, 9, 11), of=body(5)))
    made = New(
        facts=SealedItemHandedOver(on=date(2026, 9, 11), of=body(6)),
        personal=SealedItemHandedOverPersonal(to_whom="Andris Izdomenieks"),
    )
    second.when(hand_over_letter, handed("N-45"), {body(5): "N-44", body(6): "N-45"}).then(made)
