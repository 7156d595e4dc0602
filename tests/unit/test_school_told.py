"""What the commission says beside its answer, and what becomes of a school's case by it; nothing of it decides for the school."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.post.history import BEFORE, New, RejectionCode
from services.school.domain import refusals
from services.school.domain.case import SchoolState, fold
from services.school.domain.decisions import choose_address, record_consent, remind, request_information
from services.school.domain.receiving import SchoolDomain, must_park
from services.school.domain.standing import items_there
from services.school.input import AddressForm, AddressSupplied, ConsentSupplied
from services.wire.events import (
    AddressKind,
    Answer,
    ApplicationWithdrawn,
    AttendanceRequired,
    CaseClosed,
    ClosingCause,
    ConfirmationCorrected,
    ConfirmationEnded,
    CorrectedField,
    DeliveryAddressChanged,
    DeliveryAddressChangedPersonal,
    DeliveryAddressChosen,
    IdentityNotMatched,
    InformationRequestedPersonal,
    LeavingCause,
    MissingItem,
    PersonDataCorrected,
    PupilLeftSchool,
    RefusalContested,
    Rejected,
    RejectedCode,
    ReminderSent,
    RequestClosed,
    RequestCorrected,
    RequestReturned,
    RequestWithdrawn,
    ReturnGround,
    Variant,
)
from tests.given_when_then import Told, body, given, received, recorded
from tests.judged import EVALUATED, FILED_A1, GRANTED, LM, NO, READY_A2, SCREENED, YES
from tests.people import ADDRESS_CHOSEN, ADDRESS_CHOSEN_PERSONAL, CONSENT, FILED_A2, FILED_PERSONAL, HOME, REQUESTED_A2, brought

_DOMAIN = SchoolDomain(lambda _: None)
_WHOLE = (FILED_A2, CONSENT, ADDRESS_CHOSEN)
_ASKED = (*_WHOLE, REQUESTED_A2)
_OPENED: Any = {"application": FILED_PERSONAL, "address": ADDRESS_CHOSEN_PERSONAL}
_ATTENDANCE = AttendanceRequired(basis=body(97))
_NOT_MATCHED = IdentityNotMatched(basis=body(97))
_CLOSED = RequestClosed(basis=body(97))
_ENDED = ConfirmationEnded(ended_on=date(2026, 12, 1), basis=body(97))
_WITHDRAWN = (
    ApplicationWithdrawn(received_on=date(2026, 8, 27)),
    Told(facts=RequestWithdrawn(basis=body(5)), answers=4),
)


def returned(*grounds: ReturnGround) -> RequestReturned:
    return RequestReturned(grounds=grounds, basis=body(97))


def corrected(answer: Answer, corrects: int) -> Told:
    return received(ConfirmationCorrected(answer=answer, wording=1, corrects=body(corrects), basis=body(98)), answers=4)


def state(*events: object) -> SchoolState:
    return given(fold, *events).case.state


def judge(incoming: Told, *events: object) -> RejectionCode | None:
    return _DOMAIN.judge(given(fold, *events).history, recorded(incoming, len(events) + 1))


def ask(*events: object) -> Any:  # a When of a school's case
    return given(fold, *events).when(request_information, date(2026, 8, 18), LM, **_OPENED)


_SAID = (YES, _ATTENDANCE, _NOT_MATCHED, _CLOSED, returned(ReturnGround.UNSIGNED))


@pytest.mark.shows("D5.16")
@pytest.mark.parametrize("facts", [*_SAID, _ENDED], ids=lambda each: type(each).__name__)
def test_what_names_no_request_of_the_case_is_refused(facts: object) -> None:
    for answers in (None, 1, 77):
        assert judge(received(facts, answers=answers), *_ASKED) is RejectionCode.WRONG_REPLY
    assert judge(received(facts, answers=4)) is RejectionCode.UNKNOWN_CASE


@pytest.mark.parametrize("facts", _SAID, ids=lambda each: type(each).__name__)
def test_a_request_that_awaits_an_answer_takes_what_is_said_of_it_and_an_answered_one_does_not(facts: object) -> None:
    assert judge(received(facts, answers=4), *_ASKED) is None
    assert judge(received(facts, answers=4), *_ASKED, received(NO, answers=4)) is RejectionCode.WRONG_STATE
    for over in (_CLOSED, returned(ReturnGround.NO_CONSENT)):
        assert judge(received(facts, answers=4), *_ASKED, received(over, answers=4)) is RejectionCode.WRONG_STATE


@pytest.mark.shows("D5.3", "D5.4", "A5.3")
def test_case_is_on_hold_while_the_pupil_has_to_come_and_is_never_refused_for_it() -> None:
    held = (*_ASKED, received(_ATTENDANCE, answers=4))
    assert state(*held) is SchoolState.ON_HOLD_ATTENDANCE
    assert state(*held, received(YES, answers=4)) is SchoolState.READY_FOR_DECISION
    assert state(*held, received(NO, answers=4)) is SchoolState.NEGATIVE_ANSWER
    assert state(*held, received(_CLOSED, answers=4)) is SchoolState.READY_TO_REQUEST


@pytest.mark.shows("D5.10", "D5.9")
def test_pupil_who_is_not_found_leaves_the_case_incomplete_until_the_request_is_corrected() -> None:
    """E16: the same request goes on; nobody is looked for by a name."""
    unknown = (*_ASKED, received(_NOT_MATCHED, answers=4))
    assert state(*unknown) is SchoolState.INCOMPLETE
    assert given(fold, *unknown).case.missing == (MissingItem.IDENTITY,)
    ask(*unknown).refused(refusals.RequestOpenError)
    sent = Told(facts=RequestCorrected(changed=(CorrectedField.CODE,), basis=body(6)), answers=4)
    assert state(*unknown, sent) is SchoolState.AWAITING_COMMISSION
    assert judge(received(YES, answers=4), *unknown, sent) is None


@pytest.mark.shows("D5.9")
def test_particulars_that_were_missing_are_there_once_they_are_corrected() -> None:
    case = given(fold, FILED_A2, PersonDataCorrected(changed=(CorrectedField.CODE,), on=date(2026, 8, 20))).case
    assert MissingItem.PERSON_DATA not in case.missing
    contact = PersonDataCorrected(changed=(CorrectedField.CONTACT,), on=date(2026, 8, 20))
    assert given(fold, FILED_A2, contact).case.missing == given(fold, FILED_A2).case.missing


@pytest.mark.shows("D5.26", "I3")
@pytest.mark.parametrize(
    ("ground", "item"),
    [(ReturnGround.UNSIGNED, MissingItem.SIGNATURE), (ReturnGround.NOT_LATVIAN, MissingItem.LANGUAGE)],
)
def test_returned_request_leaves_incomplete_what_the_commission_named_and_can_be_made_again(
    ground: ReturnGround, item: MissingItem
) -> None:
    back = (*_ASKED, received(returned(ground), answers=4))
    assert (state(*back), given(fold, *back).case.missing) == (SchoolState.INCOMPLETE, (item,))
    ask(*back).refused(refusals.StillMissingError)
    mended = (*back, brought(item, on=date(2026, 8, 30)))
    assert state(*mended) is SchoolState.READY_TO_REQUEST
    assert ask(*mended).case.is_asked is False
    assert state(*mended, REQUESTED_A2) is SchoolState.AWAITING_COMMISSION


@pytest.mark.shows("D5.1", "D5.2")
def test_consent_and_address_that_the_commission_did_not_find_are_said_anew() -> None:
    back = (*_ASKED, received(returned(ReturnGround.NO_CONSENT, ReturnGround.NO_ADDRESS), answers=4))
    case = given(fold, *back).case
    assert (case.consent_body, case.address, case.state) == (None, None, SchoolState.INCOMPLETE)
    assert state(*back, CONSENT, ADDRESS_CHOSEN) is SchoolState.READY_TO_REQUEST


def test_copy_that_the_school_left_out_is_the_schools_to_send_again() -> None:
    back = (*_ASKED, received(returned(ReturnGround.NO_APPLICATION_COPY), answers=4))
    assert state(*back) is SchoolState.READY_TO_REQUEST


@pytest.mark.shows("D5.7")
def test_answer_that_crossed_the_withdrawal_is_kept_and_decides_nothing() -> None:
    """E14: the case stays Withdrawn, whatever the commission says afterwards."""
    crossing = (*_ASKED, *_WITHDRAWN)
    for facts in (YES, NO, _ATTENDANCE, _NOT_MATCHED, _CLOSED, returned(ReturnGround.UNSIGNED)):
        assert judge(received(facts, answers=4), *crossing) is None
        assert state(*crossing, received(facts, answers=4)) is SchoolState.WITHDRAWN
    answered = (*crossing, received(YES, answers=4))
    assert judge(received(_CLOSED, answers=4), *answered) is None
    assert judge(received(_CLOSED, answers=4), *answered, received(_CLOSED, answers=4)) is RejectionCode.WRONG_STATE


@pytest.mark.shows("D5.8", "D5.30")
def test_case_ends_where_the_pupil_leaves_or_it_is_closed() -> None:
    left = PupilLeftSchool(on=date(2026, 9, 1), cause=LeavingCause.TRANSFERRED)
    assert state(*_ASKED, left) is SchoolState.TRANSFERRED
    endings = {cause: state(FILED_A2, CaseClosed(on=date(2026, 9, 1), cause=cause)) for cause in ClosingCause}
    assert endings == {
        ClosingCause.UNKNOWN: SchoolState.CLOSED,
        ClosingCause.NOT_SUPPLEMENTED: SchoolState.CLOSED,
        ClosingCause.WITHDRAWN: SchoolState.WITHDRAWN,
        ClosingCause.TRANSFERRED: SchoolState.TRANSFERRED,
        ClosingCause.LEFT_COUNTRY: SchoolState.CLOSED,
        ClosingCause.DIED: SchoolState.CLOSED,
        ClosingCause.DUPLICATE: SchoolState.DUPLICATE,
    }


@pytest.mark.shows("D5.13")
def test_answer_is_corrected_by_what_names_it_and_by_nothing_else() -> None:
    answered = (*_ASKED, received(NO, answers=4))
    assert judge(corrected(Answer.YES, 5), *answered) is None
    assert judge(corrected(Answer.YES, 4), *answered) is RejectionCode.WRONG_REPLY
    assert judge(corrected(Answer.YES, 5), *_ASKED) is RejectionCode.WRONG_REPLY
    twice = (*answered, corrected(Answer.YES, 5))
    assert judge(corrected(Answer.NO, 5), *twice) is RejectionCode.WRONG_REPLY
    assert judge(corrected(Answer.NO, 6), *twice) is None
    assert (state(*answered), state(*twice)) == (SchoolState.NEGATIVE_ANSWER, SchoolState.READY_FOR_DECISION)
    # Whatever order an older release took: a correction of nothing changes nothing.
    assert state(*answered, corrected(Answer.YES, 77)) is SchoolState.NEGATIVE_ANSWER


@pytest.mark.shows("D5.12", "D5.13")
def test_yes_that_ended_flags_what_rests_on_it_and_ends_once() -> None:
    ended = received(_ENDED, answers=4)
    assert judge(ended, *_ASKED, received(YES, answers=4)) is None
    assert judge(ended, *_ASKED, received(YES, answers=4), ended) is RejectionCode.WRONG_STATE
    assert judge(ended, *_ASKED, received(NO, answers=4)) is RejectionCode.WRONG_STATE
    assert judge(ended, *_ASKED) is RejectionCode.WRONG_STATE
    granted = given(fold, *READY_A2, replace(GRANTED, basis=body(5)), ended)
    assert (granted.case.state, granted.case.flags) == (SchoolState.GRANTED, ("BasisEnded",))
    assert (granted.case.basis_holds(date(2026, 11, 30)), granted.case.basis_holds(date(2026, 12, 1))) == (True, False)
    assert _DOMAIN.row(granted.history).state == "Granted: BasisEnded"
    withdrawn = given(fold, *READY_A2, GRANTED, ended, ApplicationWithdrawn(received_on=date(2026, 12, 2)))
    assert withdrawn.case.flags == ()


def test_symbols_of_a_newer_release_wait_for_it() -> None:
    assert must_park(corrected(Answer.UNKNOWN, 5).facts)
    assert must_park(returned(ReturnGround.UNSIGNED, ReturnGround.UNKNOWN))
    assert not must_park(returned(ReturnGround.UNSIGNED))


def test_person_of_a_copy_that_went_to_the_commission_is_found_by_the_code() -> None:
    copy = InformationRequestedPersonal(
        pupil=FILED_PERSONAL.application.pupil,
        representative=None,
        address=HOME,
        application=FILED_PERSONAL.application,
    )
    assert _DOMAIN.codes_of(copy) == ("03021829015",)
    assert _DOMAIN.codes_of(ADDRESS_CHOSEN_PERSONAL) == ()


@pytest.mark.shows("D5.15")
def test_commission_is_reminded_after_its_term_and_once_a_day() -> None:
    due_on, later = date(2026, 9, 18), date(2026, 9, 19)
    first = New(facts=ReminderSent(number=1, due_on=due_on), in_reply_to=body(4))
    given(fold, *_ASKED).when(remind, due_on).refused(refusals.ReplyNotDueError, "2026-09-18")
    given(fold, *_ASKED).when(remind, later).then(first)
    reminded = (*_ASKED, Told(facts=first.facts, answers=4, recorded_on=later))
    given(fold, *reminded).when(remind, later).refused(refusals.RemindedAlreadyError)
    second = New(facts=ReminderSent(number=2, due_on=due_on), in_reply_to=body(4))
    given(fold, *reminded).when(remind, date(2026, 9, 28)).then(second)


@pytest.mark.shows("D5.15")
def test_late_yes_is_as_good_as_any_and_ends_the_reminding() -> None:
    answered = (*_ASKED, Told(facts=ReminderSent(number=1, due_on=date(2026, 9, 18)), answers=4), received(YES, answers=4))
    assert state(*answered) is SchoolState.READY_FOR_DECISION
    for events in (answered, _WHOLE, (*_ASKED, received(_ATTENDANCE, answers=4)), (*_ASKED, received(_NOT_MATCHED, answers=4))):
        given(fold, *events).when(remind, date(2026, 9, 19)).refused(refusals.NothingToRemindError)


_OTHER_PLACE = AddressForm(text="Skolas iela 1, Paraugpilsēta", postal_code="LV-1099")


def choice(**changes: Any) -> AddressSupplied:
    said: Any = {"choice": AddressKind.SCHOOL, "protected": True, "address": _OTHER_PLACE, "confirmed_on": date(2026, 8, 19)}
    return AddressSupplied(**(said | changes))


def same_choice(**changes: Any) -> AddressSupplied:
    home = AddressForm(text=HOME.text, postal_code=HOME.postal_code)
    return choice(choice=AddressKind.HOME, protected=False, address=home, **changes)


@pytest.mark.shows("I5")
@pytest.mark.parametrize("on_hold", [True, False])
def test_choice_after_the_request_is_told_to_the_commission_also_after_its_answer(*, on_hold: bool) -> None:
    """Crossing: address change and dispatch. What comes too late is for the commission to answer."""
    changed = New(
        facts=DeliveryAddressChanged(address=AddressKind.SCHOOL, address_protected=True, dispatch_on_hold=on_hold, basis=BEFORE),
        personal=DeliveryAddressChangedPersonal(address=replace(HOME, text="Skolas iela 1, Paraugpilsēta")),
        in_reply_to=body(4),
    )
    for events in (_ASKED, (*_ASKED, received(YES, answers=4))):
        made = choose_address(given(fold, *events).case, choice(dispatch_on_hold=on_hold))
        assert (type(made[0].facts), made[1:]) == (DeliveryAddressChosen, (changed,))


def test_same_choice_is_made_once_before_and_after_the_request() -> None:
    for events in (_WHOLE, _ASKED):
        again = given(fold, *events).when(choose_address, same_choice(), standing=ADDRESS_CHOSEN_PERSONAL)
        again.refused(refusals.AddressUnchangedError)
    held = Told(
        facts=DeliveryAddressChanged(address=AddressKind.HOME, address_protected=False, dispatch_on_hold=True, basis=body(5)),
        answers=4,
    )
    on_hold = (*_ASKED, ADDRESS_CHOSEN, held)
    again = given(fold, *on_hold).when(choose_address, same_choice(dispatch_on_hold=True), standing=ADDRESS_CHOSEN_PERSONAL)
    again.refused(refusals.AddressUnchangedError)
    released = choose_address(given(fold, *on_hold).case, same_choice(), standing=ADDRESS_CHOSEN_PERSONAL)
    assert released[1].facts.dispatch_on_hold is False


def test_nothing_is_held_back_before_anything_was_asked_for() -> None:
    given(fold, *_WHOLE).when(choose_address, choice(dispatch_on_hold=True)).refused(refusals.NothingToHoldError)
    back = (*_ASKED, received(returned(ReturnGround.NO_APPLICATION_COPY), answers=4))
    given(fold, *back).when(choose_address, choice(dispatch_on_hold=True)).refused(refusals.NothingToHoldError)


def test_where_nobody_is_asked_no_address_is_chosen_and_nobody_agrees_to_it() -> None:
    given(fold, FILED_A1).when(choose_address, choice()).refused(refusals.VariantNotHandledError)
    agreed = ConsentSupplied(received_on=date(2026, 8, 19), by="Andris Izdomenieks")
    given(fold, FILED_A1).when(record_consent, agreed).refused(refusals.VariantNotHandledError)
    unknown = replace(FILED_A2, variant=Variant.UNKNOWN)
    assert choose_address(given(fold, unknown).case, choice())


def test_decision_keeps_what_it_rests_on() -> None:
    given(fold, *READY_A2, GRANTED).when(request_information, date(2026, 9, 1), LM, **_OPENED).refused(
        refusals.DecidedAlreadyError
    )
    assert fold(given(fold, Told(facts=EVALUATED), SCREENED).history).state is SchoolState.EMPTY


def test_request_that_the_commission_could_not_read_is_made_again() -> None:
    rejected = received(Rejected(code=RejectedCode.UNREADABLE), answers=4)
    assert state(*_ASKED, rejected) is SchoolState.REQUEST_REJECTED
    assert ask(*_ASKED, rejected).case.is_asked is False


@pytest.mark.shows("I3")
def test_nobody_is_asked_about_a_pupil_about_whom_another_case_asked_already() -> None:
    elsewhere = given(fold, *_WHOLE).when(request_information, date(2026, 8, 18), LM, **_OPENED, is_asked_elsewhere=True)
    elsewhere.refused(refusals.PupilAskedAboutError)


def test_history_that_lost_its_beginning_stays_loadable() -> None:
    """Folding is total: a notification or a contest without its decision changes nothing, and nothing is there."""
    case = given(fold, RefusalContested(on=date(2026, 10, 1)), received(_NOT_MATCHED, answers=77)).case
    assert (case.decision, case.state, items_there(case)) == (None, SchoolState.EMPTY, frozenset())
    ended = given(fold, *_ASKED, *_WITHDRAWN)
    assert _DOMAIN.row(ended.history).deadlines == ()
    assert not _DOMAIN.must_park(_CLOSED)
