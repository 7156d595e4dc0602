"""What makes an application whole or ends it: signatures, what is missing, supplements, closing, duplicates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from services.post.history import BEFORE, New
from services.school.domain import completing, refusals, refusals_completing, refusals_deciding
from services.school.domain.case import SchoolState, fold
from services.school.domain.decisions import record_consent, request_information, withdraw_consent
from services.school.input import ConsentSupplied, IncompleteInput, SignatureInput, SupplementInput
from services.wire.events import (
    ApplicationFoundIncomplete,
    ApplicationFoundIncompletePersonal,
    ApplicationSupplemented,
    ApplicationSupplementedPersonal,
    Attachment,
    CaseClosed,
    ClosingCause,
    ConsentWithdrawn,
    ConsentWithdrawnPersonal,
    Container,
    IdentityNotMatched,
    MissingItem,
    RequestWithdrawn,
    SignatureFault,
    SignatureLevel,
    SignatureRejected,
    SignatureRejectedPersonal,
    SignatureValidatedPersonal,
    Variant,
)
from tests.given_when_then import body, given, received
from tests.judged import FILED_A1, FILED_ON_PAPER, GRANTED, LM, NO, SIGNED, YES
from tests.people import (
    ADDRESS_CHOSEN,
    ADDRESS_CHOSEN_PERSONAL,
    CONSENT,
    FILED_A2,
    FILED_B2,
    FILED_ELECTRONIC,
    FILED_PERSONAL,
    REQUESTED_A2,
)

_OPENED: Any = {"application": FILED_PERSONAL, "address": ADDRESS_CHOSEN_PERSONAL}
_CHECKED: Any = {
    "level": SignatureLevel.QUALIFIED,
    "container": Container.ASIC_E,
    "signer_matches": True,
    "time_stamped": True,
    "signed_on": date(2026, 8, 17),
    "report": "Pārbaudīts",
}
_UNSIGNED = SignatureRejected(reason=SignatureFault.UNSIGNED)
_WITHOUT_CONSENT = ApplicationFoundIncomplete(missing=(MissingItem.CONSENT,), due_on=date(2026, 8, 31))
_TERM_OVER = date(2026, 9, 1)


def state(*events: object) -> SchoolState:
    return given(fold, *events).case.state


def ask(*events: object) -> Any:  # a When of a school's case
    return given(fold, *events).when(request_information, date(2026, 8, 18), LM, **_OPENED)


def incomplete(*missing: MissingItem) -> IncompleteInput:
    return IncompleteInput(missing=missing, told_on=date(2026, 8, 17), letter="Vēstule")


def supplied(*items: MissingItem, until: date | None = None) -> SupplementInput:
    return SupplementInput(supplied=items, received_on=date(2026, 8, 20), recommendation_until=until, content="Papildinājums")


def supplemented(*items: MissingItem) -> ApplicationSupplemented:
    return ApplicationSupplemented(supplied=items, received_on=date(2026, 8, 20), recommendation_until=None, parts=())


@pytest.mark.shows("D5.25", "A2.10")
@pytest.mark.parametrize(
    ("found", "fault"),
    [
        ({"level": SignatureLevel.ADVANCED}, SignatureFault.NOT_QUALIFIED),
        ({"time_stamped": False}, SignatureFault.NO_TIME_STAMP),
        ({"signer_matches": False}, SignatureFault.OTHER_SIGNER),
        (dict.fromkeys(_CHECKED) | {"fault": SignatureFault.OLD_CONTAINER}, SignatureFault.OLD_CONTAINER),
    ],
)
def test_what_is_not_qualified_stamped_and_the_requesters_is_no_submission(found: Any, fault: SignatureFault) -> None:
    form = SignatureInput(**(_CHECKED | found | {"report": "Pārbaudīts"}))
    rejected = New(facts=SignatureRejected(reason=fault), personal=SignatureRejectedPersonal(report="Pārbaudīts"))
    given(fold, FILED_ELECTRONIC).when(completing.record_signature, form).then(rejected)
    assert state(FILED_ELECTRONIC, CONSENT, ADDRESS_CHOSEN, rejected.facts) is SchoolState.SIGNATURE_REJECTED


@pytest.mark.shows("D5.25")
def test_rejected_application_waits_for_a_valid_signature_and_asks_nobody() -> None:
    whole = (FILED_ELECTRONIC, CONSENT, ADDRESS_CHOSEN)
    ask(*whole, _UNSIGNED).refused(refusals.SignatureRejectedError, "qualified")
    valid = New(facts=SIGNED, personal=SignatureValidatedPersonal(report="Pārbaudīts"))
    given(fold, *whole, _UNSIGNED).when(completing.record_signature, SignatureInput(**_CHECKED)).then(valid)
    assert state(*whole, _UNSIGNED, SIGNED) is SchoolState.READY_TO_REQUEST


@pytest.mark.shows("A2.10", "D5.25")
def test_nobody_is_asked_before_the_signature_of_an_electronic_application_was_checked() -> None:
    whole = (FILED_ELECTRONIC, CONSENT, ADDRESS_CHOSEN)
    ask(*whole).refused(refusals.SignatureNotValidatedError, "came electronically")
    for signed in (SIGNED, supplemented(MissingItem.SIGNATURE)):
        case = given(fold, *whole, signed).case
        (request,) = request_information(case, date(2026, 8, 18), LM, **_OPENED)
        assert request.facts == REQUESTED_A2


def test_signature_on_paper_heals_what_the_electronic_one_lacked() -> None:
    given(fold, FILED_ELECTRONIC, _UNSIGNED).when(completing.supplement, supplied(MissingItem.SIGNATURE)).then(
        New(facts=supplemented(MissingItem.SIGNATURE), personal=ApplicationSupplementedPersonal(content="Papildinājums"))
    )
    healed = (FILED_ELECTRONIC, CONSENT, ADDRESS_CHOSEN, _UNSIGNED, supplemented(MissingItem.SIGNATURE))
    assert state(*healed) is SchoolState.READY_TO_REQUEST


def test_signature_is_recorded_once_and_only_of_an_electronic_document() -> None:
    form = SignatureInput(**_CHECKED)
    unsigned = SignatureInput(fault=SignatureFault.UNSIGNED, report="Nav")
    given(fold, FILED_ELECTRONIC, SIGNED).when(completing.record_signature, form).refused(
        refusals_completing.SignatureRecordedError
    )
    again = given(fold, FILED_ELECTRONIC, _UNSIGNED).when(completing.record_signature, unsigned)
    again.refused(refusals_completing.SignatureRecordedError)
    on_paper = given(fold, FILED_ON_PAPER).when(completing.record_signature, form)
    on_paper.refused(refusals_completing.SignatureOnPaperError, "paper")


def test_findings_that_no_form_lets_through_are_a_bug() -> None:
    broken = SignatureInput.model_construct(
        fault=None, level=SignatureLevel.QUALIFIED, container=None, signer_matches=True, time_stamped=True, signed_on=None
    )
    with pytest.raises(ValueError, match="without a fault"):
        completing.record_signature(given(fold, FILED_ELECTRONIC).case, broken)


@pytest.mark.shows("D5.1")
def test_requester_is_told_once_that_the_consent_is_missing_and_has_ten_working_days() -> None:
    """E07: from Monday 17.08.2026 the tenth working day is Monday 31.08."""
    told = New(facts=_WITHOUT_CONSENT, personal=ApplicationFoundIncompletePersonal(letter="Vēstule"))
    before = (FILED_A2, ADDRESS_CHOSEN)
    given(fold, *before).when(completing.find_incomplete, incomplete(MissingItem.CONSENT)).then(told)
    again = given(fold, *before, _WITHOUT_CONSENT).when(completing.find_incomplete, incomplete(MissingItem.CONSENT))
    again.refused(refusals_completing.FoundIncompleteAlreadyError, "2026-08-31")
    assert state(*before) is SchoolState.RECEIVED
    assert state(*before, _WITHOUT_CONSENT) is SchoolState.INCOMPLETE
    ask(*before, _WITHOUT_CONSENT).refused(refusals.ConsentMissingError)


@pytest.mark.shows("D5.1", "I2")
def test_consent_that_is_supplied_opens_the_way_to_the_commission() -> None:
    consented = (FILED_A2, ADDRESS_CHOSEN, _WITHOUT_CONSENT, CONSENT)
    assert state(*consented) is SchoolState.READY_TO_REQUEST


@pytest.mark.shows("D5.1", "A5.1")
def test_who_declines_to_consent_can_go_the_way_of_a1_in_the_same_case() -> None:
    """E07, twin: the copies come, and nobody has to be asked."""
    switched = (FILED_A2, ADDRESS_CHOSEN, _WITHOUT_CONSENT, supplemented(MissingItem.RECOMMENDATION_COPY))
    assert state(*switched) is SchoolState.READY_FOR_DECISION
    ask(*switched, CONSENT).refused(refusals.CopiesHeldError)


@pytest.mark.shows("D5.2")
def test_missing_address_is_asked_for_and_never_guessed() -> None:
    told = ApplicationFoundIncomplete(missing=(MissingItem.ADDRESS,), due_on=date(2026, 8, 31))
    assert state(FILED_A2, CONSENT, told) is SchoolState.INCOMPLETE
    ask(FILED_A2, CONSENT, told).refused(refusals.AddressMissingError)
    assert state(FILED_A2, CONSENT, told, ADDRESS_CHOSEN) is SchoolState.READY_TO_REQUEST


@pytest.mark.shows("A5.4", "D5.26")
@pytest.mark.parametrize(
    ("filed", "item"),
    [
        (replace(FILED_A2, exception_declared=False), MissingItem.EXCEPTION_DECLARATION),
        (replace(FILED_B2, states_opinion=False), MissingItem.OPINION_STATEMENT),
        (replace(FILED_A2, states_irp=False), MissingItem.IRP_STATEMENT),
        (replace(FILED_A2, attachments=()), MissingItem.IRP),
        (FILED_A2, MissingItem.LANGUAGE),
        (FILED_A2, MissingItem.REPRESENTATION),
    ],
)
def test_whatever_is_missing_is_found_supplied_and_then_no_longer_missing(filed: Any, item: MissingItem) -> None:
    """A.5, step 2, and A5.4: the statements, the plan's copy; and what only a person sees, as the language."""
    found = ApplicationFoundIncomplete(missing=(item,), due_on=date(2026, 8, 31))
    whole = (filed, CONSENT, ADDRESS_CHOSEN)
    assert state(*whole, found) is SchoolState.INCOMPLETE
    assert given(fold, *whole, found).case.missing == (item,)
    assert state(*whole, found, supplemented(item)) is SchoolState.READY_TO_REQUEST


def test_request_is_refused_while_something_that_was_asked_for_is_missing() -> None:
    found = ApplicationFoundIncomplete(missing=(MissingItem.LANGUAGE,), due_on=date(2026, 8, 31))
    ask(FILED_A2, CONSENT, ADDRESS_CHOSEN, found).refused(refusals.StillMissingError, "Latvian")


def test_request_states_what_was_supplied_as_it_states_what_was_filed() -> None:
    filed = replace(FILED_A2, states_opinion=False)
    added = (filed, CONSENT, ADDRESS_CHOSEN, supplemented(MissingItem.OPINION_STATEMENT))
    (request,) = request_information(given(fold, *added).case, date(2026, 8, 18), LM, **_OPENED)
    assert request.facts == replace(REQUESTED_A2, due_on=request.facts.due_on)


def test_nothing_is_said_or_supplied_before_the_application_came() -> None:
    early = IncompleteInput(missing=(MissingItem.CONSENT,), told_on=date(2026, 8, 16), letter="Vēstule")
    given(fold, FILED_A2).when(completing.find_incomplete, early).refused(refusals_deciding.DateOrderError)
    brought = SupplementInput(supplied=(MissingItem.IRP,), received_on=date(2026, 8, 16), content="Kopija")
    given(fold, FILED_A2).when(completing.supplement, brought).refused(refusals_deciding.DateOrderError)


def test_what_is_there_is_not_asked_for() -> None:
    case = given(fold, FILED_A2, CONSENT).when(completing.find_incomplete, incomplete(MissingItem.CONSENT, MissingItem.IRP))
    case.refused(refusals_completing.NotMissingError, "consent")


def test_copy_that_cannot_be_read_is_missing_though_it_was_attached() -> None:
    found = ApplicationFoundIncomplete(missing=(MissingItem.IRP,), due_on=date(2026, 8, 31))
    assert given(fold, FILED_A2, CONSENT, ADDRESS_CHOSEN, found).case.missing == (MissingItem.IRP,)


def test_nothing_is_asked_of_the_requester_while_the_commission_has_the_request() -> None:
    asked = (FILED_A2, CONSENT, ADDRESS_CHOSEN, REQUESTED_A2)
    form = incomplete(MissingItem.LANGUAGE)
    given(fold, *asked).when(completing.find_incomplete, form).refused(refusals.RequestOpenError)
    no = given(fold, *asked, received(NO, answers=4)).when(completing.find_incomplete, form)
    no.refused(refusals.RequestOpenError)
    found = New(
        facts=ApplicationFoundIncomplete(missing=(MissingItem.LANGUAGE,), due_on=date(2026, 8, 31)),
        personal=ApplicationFoundIncompletePersonal(letter="Vēstule"),
    )
    yes = (*asked, received(YES, answers=4))
    given(fold, *yes).when(completing.find_incomplete, form).then(found)
    assert state(*yes, found.facts) is SchoolState.INCOMPLETE


def test_only_what_is_missing_is_supplied_or_a_newer_copy() -> None:
    given(fold, FILED_A2).when(completing.supplement, supplied(MissingItem.LANGUAGE)).refused(
        refusals_completing.NotAskedForError, "Latvian"
    )
    newer = New(facts=supplemented(MissingItem.IRP), personal=ApplicationSupplementedPersonal(content="Papildinājums"))
    given(fold, FILED_A2).when(completing.supplement, supplied(MissingItem.IRP)).then(newer)
    again = given(fold, FILED_A2, newer.facts).when(completing.supplement, supplied(MissingItem.IRP))
    again.refused(refusals_completing.SuppliedAlreadyError)


@pytest.mark.shows("A5.b1")
def test_supplemented_plan_comes_after_the_decision_without_reopening_it() -> None:
    """E04: the social service adds to the plan, and the grant stands."""
    newer = supplemented(MissingItem.IRP)
    assert state(FILED_A1, GRANTED, newer) is SchoolState.GRANTED
    assert given(fold, FILED_A1, GRANTED).when(completing.supplement, supplied(MissingItem.IRP)).case.decision is not None


@pytest.mark.shows("D5.1")
def test_case_is_closed_without_examination_after_its_term_and_no_day_before() -> None:
    """E07, twin: closed, not refused; nothing was sent to the commission."""
    found = (FILED_A2, ADDRESS_CHOSEN, _WITHOUT_CONSENT)
    on_the_day = given(fold, *found).when(completing.close_unsupplemented, date(2026, 8, 31))
    on_the_day.refused(refusals_completing.CompletionRunsError, "2026-08-31")
    closed = CaseClosed(on=_TERM_OVER, cause=ClosingCause.NOT_SUPPLEMENTED)
    given(fold, *found).when(completing.close_unsupplemented, _TERM_OVER).then(New(facts=closed))
    assert state(*found, closed) is SchoolState.CLOSED
    late = given(fold, *found, closed).when(completing.close_unsupplemented, _TERM_OVER)
    late.refused(refusals.CaseEndedError, "Closed")


@pytest.mark.shows("D5.10")
def test_request_that_waits_for_particulars_is_taken_back_when_its_case_is_closed() -> None:
    unknown = received(IdentityNotMatched(basis=body(97)), answers=4)
    found = ApplicationFoundIncomplete(missing=(MissingItem.IDENTITY,), due_on=date(2026, 8, 31))
    case = (FILED_A2, CONSENT, ADDRESS_CHOSEN, REQUESTED_A2, unknown, found)
    assert state(*case) is SchoolState.INCOMPLETE
    given(fold, *case).when(completing.close_unsupplemented, _TERM_OVER).then(
        New(facts=CaseClosed(on=_TERM_OVER, cause=ClosingCause.NOT_SUPPLEMENTED)),
        New(facts=RequestWithdrawn(basis=BEFORE), in_reply_to=body(4)),
    )


def test_case_in_which_nobody_was_told_anything_is_not_closed() -> None:
    for events in ((FILED_A2,), (FILED_A2, ADDRESS_CHOSEN, _WITHOUT_CONSENT, CONSENT)):
        case = given(fold, *events).when(completing.close_unsupplemented, _TERM_OVER)
        case.refused(refusals_completing.NotFoundIncompleteError)


@pytest.mark.shows("D5.1")
def test_consent_withdrawn_stops_further_requests_and_undoes_none() -> None:
    """C3: what was asked stays lawful, and its answer is as good as any."""
    form = ConsentSupplied(received_on=date(2026, 8, 19), by="Andris Izdomenieks")
    withdrawn = ConsentWithdrawn(received_on=date(2026, 8, 19))
    whole = (FILED_A2, CONSENT, ADDRESS_CHOSEN)
    given(fold, *whole).when(withdraw_consent, form).then(
        New(facts=withdrawn, personal=ConsentWithdrawnPersonal(by="Andris Izdomenieks"))
    )
    ask(*whole, withdrawn).refused(refusals.ConsentMissingError)
    given(fold, *whole, withdrawn).when(withdraw_consent, form).refused(refusals.ConsentNotGivenError)
    assert state(*whole, withdrawn) is SchoolState.RECEIVED
    assert state(*whole, REQUESTED_A2, withdrawn) is SchoolState.AWAITING_COMMISSION
    assert state(*whole, REQUESTED_A2, withdrawn, received(YES, answers=4)) is SchoolState.READY_FOR_DECISION
    assert given(fold, *whole, withdrawn).when(record_consent, form).case.consent_body is None


@pytest.mark.shows("A5.a1", "A5.b1", "A2.8", "A2.9", "A4.5")
@pytest.mark.parametrize("variant", [Variant.A1, Variant.B1, Variant.DIRECT])
def test_where_the_requester_brings_both_copies_nobody_is_asked(variant: Variant) -> None:
    filed = replace(FILED_A1, variant=variant)
    assert state(filed) is SchoolState.READY_FOR_DECISION
    ask(filed, CONSENT, ADDRESS_CHOSEN).refused(refusals.VariantNotHandledError)
    for attachment, item in (
        (Attachment.IRP, MissingItem.RECOMMENDATION_COPY),
        (Attachment.RECOMMENDATION_COPY, MissingItem.IRP),
    ):
        lacking = replace(filed, attachments=(attachment,))
        assert given(fold, lacking).case.missing == (item,)
        assert state(lacking) is SchoolState.RECEIVED
        assert state(lacking, supplemented(item)) is SchoolState.READY_FOR_DECISION


@pytest.mark.shows("D5.12")
def test_recommendation_that_was_over_before_the_application_is_none() -> None:
    filed = replace(FILED_A1, recommendation_until=date(2026, 8, 16))
    assert given(fold, filed).case.missing == (MissingItem.VALID_RECOMMENDATION,)
    assert state(replace(filed, recommendation_until=date(2026, 8, 17))) is SchoolState.READY_FOR_DECISION
    case = given(fold, filed)
    renewal = supplied(MissingItem.VALID_RECOMMENDATION, until=date(2027, 8, 31))
    facts = replace(supplemented(MissingItem.VALID_RECOMMENDATION), recommendation_until=date(2027, 8, 31))
    personal = ApplicationSupplementedPersonal(content="Papildinājums")
    case.when(completing.supplement, renewal).then(New(facts=facts, personal=personal))
    assert state(filed, facts) is SchoolState.READY_FOR_DECISION


@pytest.mark.shows("D5.12")
def test_another_copy_that_says_nothing_of_an_end_leaves_the_end_that_is_known() -> None:
    case = given(fold, FILED_A1, supplemented(MissingItem.RECOMMENDATION_COPY)).case
    assert case.copy_until == FILED_A1.recommendation_until
    assert not case.is_renewed


@pytest.mark.shows("D5.12")
def test_a_recommendation_that_renews_says_until_when_and_is_not_over() -> None:
    for until, told in ((None, "is missing"), (date(2026, 8, 19), "lies before the day of receipt")):
        with pytest.raises(ValidationError, match=told):
            supplied(MissingItem.VALID_RECOMMENDATION, until=until)
    with pytest.raises(ValidationError, match="does not belong here"):
        supplied(MissingItem.IRP, until=date(2027, 8, 31))
    assert supplied(MissingItem.RECOMMENDATION_COPY, until=date(2027, 8, 31)).recommendation_until is not None
    assert supplied(MissingItem.RECOMMENDATION_COPY).recommendation_until is None


def test_way_that_a_newer_release_names_is_received_and_goes_nowhere() -> None:
    assert state(replace(FILED_A2, variant=Variant.UNKNOWN, recommendation_until=None)) is SchoolState.RECEIVED
