"""What people are told to do next after the decision and when persons change, and which acts the guards allow then."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.school.domain.awaiting import awaited
from services.school.domain.case import fold
from services.school.domain.outlook import outlook_of
from services.wire.events import (
    AddressKind,
    ApplicationWithdrawn,
    Authority,
    DeliveryAddressChanged,
    DisabilityGroup,
    EligibilityOutcome,
    EligibilityScreened,
    Enrolment,
    Known,
    MissingItem,
    OpposingStatementRecorded,
    PupilCameOfAge,
    RepresentativeChanged,
    SealedItemHandedOver,
    SealedItemReceived,
    ServiceCause,
    ServiceEnded,
    ServiceSuspended,
)
from tests.given_when_then import Told, body, given
from tests.people import ADDRESS_CHOSEN, CONSENT, FILED_A2, REQUESTED_A2, brought
from tests.serving import ACTIVE, ASKED, GRANTED, PENDING, PROPOSED, REFUSED

_DAY = date(2026, 10, 2)


def waits_for(*events: object) -> list[str]:
    return list(awaited(given(fold, *events).case))


def allowed(*events: object) -> set[str]:
    return {each.act for each in outlook_of(given(fold, *events).case, _DAY).allowed}


@pytest.mark.shows("A3.5", "A3.7")
def test_after_a_grant_an_assistant_a_cv_and_an_agreement_are_waited_for() -> None:
    assert waits_for(*GRANTED) == ["an assistant is to be proposed"]
    assert waits_for(*GRANTED, PROPOSED) == ["the CV of the assistant is to be annexed"]
    assert waits_for(*PENDING) == ["the agreement of requester, assistant and school is to be concluded"]
    assert waits_for(*ACTIVE) == []
    assert waits_for(*GRANTED[:5], REFUSED) == []
    assert "an assistant is to be proposed" in outlook_of(given(fold, *GRANTED).case, _DAY).missing


@pytest.mark.shows("D5.21")
def test_a_pupil_of_age_is_waited_for() -> None:
    came = PupilCameOfAge()
    unsigned, unscreened = waits_for(*ACTIVE, came)
    assert "has not signed" in unsigned
    assert "group of disability" in unscreened
    signed = brought(MissingItem.SIGNATURE, on=_DAY)
    assert waits_for(*ACTIVE, came, signed) == [unscreened]
    screened = EligibilityScreened(
        rule_set=1,
        rule_set_version=1,
        as_of=_DAY,
        outcome=EligibilityOutcome.ELIGIBLE,
        reasons=(),
        age=18,
        child_with_disability=Known.NOT_KNOWN,
        group=DisabilityGroup.FIRST,
        benefit=Known.YES,
        opinion=Known.YES,
        enrolled=Enrolment.HERE,
    )
    assert waits_for(*ACTIVE, came, signed, screened) == []
    assert "screen" in allowed(*ACTIVE, came)
    assert "screen" not in allowed(*ACTIVE)


@pytest.mark.shows("D5.19")
def test_letters_that_are_held_wait_for_an_address() -> None:
    held = DeliveryAddressChanged(address=AddressKind.HOME, address_protected=False, dispatch_on_hold=True, basis=body(5))
    guardian = RepresentativeChanged(authority=Authority.GUARDIAN, from_on=_DAY)
    (sentence,) = waits_for(*ASKED, guardian, Told(facts=held, answers=4))
    assert "confirm an address" in sentence
    lifted = replace(held, dispatch_on_hold=False)
    assert waits_for(*ASKED, guardian, Told(facts=held, answers=4), Told(facts=lifted, answers=4)) == []


@pytest.mark.shows("D5.20")
def test_a_parent_who_opposes_is_told_of_and_every_act_stays_allowed() -> None:
    opposed = OpposingStatementRecorded(received_on=_DAY)
    (sentence,) = waits_for(*ASKED, opposed)
    assert "stops nothing" in sentence
    assert allowed(*ASKED, opposed) == allowed(*ASKED)


@pytest.mark.shows("D5.18")
def test_a_closed_letter_waits_also_in_a_case_that_has_ended() -> None:
    to_school = replace(ADDRESS_CHOSEN, address=AddressKind.SCHOOL)
    asked = (FILED_A2, CONSENT, to_school, replace(REQUESTED_A2, address=AddressKind.SCHOOL))
    came, withdrawn = SealedItemReceived(on=_DAY), ApplicationWithdrawn(received_on=_DAY)
    (sentence,) = waits_for(*asked, came, withdrawn)
    assert "unopened" in sentence
    assert allowed(*asked, came, withdrawn) == {"receive-sealed", "hand-over"}
    assert waits_for(*asked, came, SealedItemHandedOver(on=_DAY, of=body(5))) == []


def test_each_state_of_a_service_allows_the_acts_that_lead_on_from_it() -> None:
    later = {"propose-assistant", "annex-cv", "conclude", "amend", "suspend", "resume", "end-service", "report-hours", "withdraw"}
    assert allowed(*ASKED) & later == {"withdraw"}
    assert allowed(*GRANTED) & later == {"propose-assistant", "conclude", "withdraw"}
    assert allowed(*PENDING) & later == {"propose-assistant", "annex-cv", "conclude", "withdraw"}
    assert allowed(*ACTIVE) & later == later - {"resume", "withdraw"}
    still = ServiceSuspended(on=_DAY, cause=ServiceCause.PUPIL_ABSENT)
    assert allowed(*ACTIVE, still) & later == later - {"suspend", "withdraw"}
    ended = ServiceEnded(on=_DAY, cause=ServiceCause.OTHER)
    assert allowed(*ACTIVE, ended) & later == {"report-hours"}
    always = {"leave", "correct", "change-representative", "oppose", "came-of-age"}
    assert allowed(*ASKED) & always == always
    assert allowed(*ACTIVE, ended) & always == set()
