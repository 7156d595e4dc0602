"""The school's decision: what has to be true of a grant and of a refusal, how it is notified, and what a contest makes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.post.history import BEFORE, New
from services.school.domain import refusals, refusals_deciding
from services.school.domain.case import SchoolState, fold
from services.school.domain.deciding import contest, decide, notify, set_aside, uphold
from services.school.domain.decisions import may_request, remind
from services.school.domain.refusals_deciding import NotReadyToDecideError
from services.school.input import AddressForm, ContestInput, NotificationInput, RulingInput
from services.wire.events import (
    Answer,
    ApplicationFoundIncomplete,
    ApplicationSupplemented,
    AttendanceRequired,
    Authority,
    ConfirmationCorrected,
    ConfirmationEnded,
    DecisionGround,
    DecisionNotified,
    DecisionNotifiedPersonal,
    DecisionOutcome,
    Delivery,
    EligibilityOutcome,
    EligibilityReason,
    EligibilityScreenedPersonal,
    Enrolment,
    Known,
    MissingItem,
    PupilCameOfAge,
    RefusalContested,
    RefusalContestedPersonal,
    RefusalSetAside,
    RefusalSetAsidePersonal,
    RefusalUpheld,
    RefusalUpheldPersonal,
    RepresentativeChanged,
    RequestWithdrawn,
    SchoolDecisionMadePersonal,
    Variant,
)
from tests.given_when_then import Told, body, given, received
from tests.judged import (
    BENCH,
    BIRTH_DATE,
    EVALUATED,
    FILED_A1,
    GRANTED,
    NO,
    READY_A2,
    REFUSED,
    SCREENED,
    SIGNED,
    YES,
    decision_form,
)
from tests.people import ADDRESS_CHOSEN, CONSENT, FILED_A2, FILED_B2, FILED_ELECTRONIC, HOME, REQUESTED_A2, REQUESTED_B2

_GRANT = decision_form(DecisionOutcome.GRANTED)
_NOW = replace(SCREENED, as_of=date(2026, 8, 28))
_PERSONAL = SchoolDecisionMadePersonal(number="1-7/12", reasons="Pamatojums", instruction=None)
_INSTRUCTED = replace(_PERSONAL, instruction="Mēneša laikā dibinātājam")
_ASKED = (FILED_A2, CONSENT, ADDRESS_CHOSEN, REQUESTED_A2)
_REFUSED_BY_COMMISSION = (*_ASKED, received(NO, answers=4))
_ON_NO = decision_form(DecisionOutcome.REFUSED, DecisionGround.NO_RECOMMENDATION)
_REFUSED = replace(REFUSED, basis=body(5))
_READY_A1 = (FILED_A1, SCREENED, EVALUATED)


def refuse(*grounds: DecisionGround, **changes: Any) -> Any:  # a form
    return decision_form(DecisionOutcome.REFUSED, *grounds, **changes)


def state(*events: object) -> SchoolState:
    return given(fold, *events).case.state


@pytest.mark.shows("A3.4", "A5.a2")
def test_school_grants_after_the_yes_when_everything_was_evaluated() -> None:
    """E02: the conditions again as of the day of the decision, and the decision, resting on the commission's answer."""
    again = New(facts=_NOW, personal=EligibilityScreenedPersonal(birth_date=BIRTH_DATE, eligible_on=None))
    granted = replace(GRANTED, basis=body(5))
    given(fold, *READY_A2).when(decide, _GRANT, BENCH).then(again, New(facts=granted, personal=_PERSONAL))
    assert state(*READY_A2, _NOW, granted) is SchoolState.GRANTED


@pytest.mark.shows("A3.4", "A5.a1", "A5.b1")
@pytest.mark.parametrize("variant", [Variant.A1, Variant.B1, Variant.DIRECT])
def test_school_grants_on_both_copies_without_asking_anybody(variant: Variant) -> None:
    """E01: no answer of the commission, and nothing that the decision rests on."""
    ready = (replace(FILED_A1, variant=variant), SCREENED, _NOW, EVALUATED)
    given(fold, *ready).when(decide, _GRANT, BENCH).then(New(facts=GRANTED, personal=_PERSONAL))


_INELIGIBLE_NOW = replace(SCREENED, as_of=date(2026, 8, 27), outcome=EligibilityOutcome.INELIGIBLE, enrolled=Enrolment.NOWHERE)
_NOT_EVALUATED = replace(EVALUATED, complete=False)


@pytest.mark.shows("A3.4", "D5.12", "D5.25")
@pytest.mark.parametrize(
    ("events", "error"),
    [
        ((FILED_A2,), NotReadyToDecideError),
        (_ASKED, NotReadyToDecideError),
        ((FILED_ELECTRONIC, *READY_A2[1:5], SCREENED, EVALUATED), refusals.SignatureNotValidatedError),
        ((FILED_A1, SCREENED), refusals_deciding.NotEvaluatedError),
        ((FILED_A1, SCREENED, _NOT_EVALUATED), refusals_deciding.NotEvaluatedError),
        ((FILED_A1, EVALUATED), refusals_deciding.NotScreenedError),
        ((FILED_A1, EVALUATED, replace(SCREENED, as_of=date(2026, 8, 20))), refusals_deciding.NotScreenedError),
        ((*_READY_A1, _INELIGIBLE_NOW), refusals_deciding.NotEligibleError),
        (
            (replace(FILED_A1, recommendation_until=date(2026, 8, 27)), SCREENED, EVALUATED),
            refusals_deciding.BasisEndedError,
        ),
        ((*_REFUSED_BY_COMMISSION, SIGNED, SCREENED, EVALUATED), refusals_deciding.RecommendationMissingError),
        ((*READY_A2, GRANTED), refusals.DecidedAlreadyError),
        ((), refusals.NoApplicationError),
    ],
)
def test_nothing_is_granted_while_a_guard_does_not_hold(events: tuple[object, ...], error: Any) -> None:
    given(fold, *events).when(decide, _GRANT, BENCH).refused(error)


@pytest.mark.shows("A1.1")
@pytest.mark.parametrize("outcome", [EligibilityOutcome.INELIGIBLE, EligibilityOutcome.UNDETERMINED])
def test_both_evaluations_have_to_stand_before_a_grant(outcome: EligibilityOutcome) -> None:
    """A.1: as of the application and as of the decision; what is not known is no yes."""
    at_filing = replace(SCREENED, outcome=outcome, reasons=(EligibilityReason.MISSING_BENEFIT,))
    later = replace(SCREENED, as_of=date(2026, 8, 20))
    case = given(fold, FILED_A1, at_filing, later, EVALUATED).when(decide, _GRANT, BENCH)
    case.refused(refusals_deciding.NotEligibleError, "2026-08-17")


def test_recommendation_holds_on_its_last_day() -> None:
    last_day = (replace(FILED_A1, recommendation_until=date(2026, 8, 28)), SCREENED, EVALUATED)
    assert len(given(fold, *last_day).when(decide, _GRANT, BENCH)._decided()) == 2  # noqa: SLF001


@pytest.mark.shows("D5.13")
def test_nothing_is_granted_on_a_yes_that_holds_no_longer() -> None:
    ended = received(ConfirmationEnded(ended_on=date(2026, 8, 28), basis=body(99)), answers=4)
    given(fold, *READY_A2, ended).when(decide, _GRANT, BENCH).refused(refusals_deciding.BasisEndedError)
    (new,) = decide(given(fold, *READY_A2, ended).case, _ON_NO, BENCH)[1:]
    assert new.facts.outcome is DecisionOutcome.REFUSED


@pytest.mark.shows("A5.b2")
def test_in_b2_the_plans_copy_may_be_outstanding_unless_the_school_settled_otherwise() -> None:
    evaluated = replace(EVALUATED, irp_indicates_need=None, irp_outstanding=True)
    ready = (FILED_B2, CONSENT, ADDRESS_CHOSEN, REQUESTED_B2, received(YES, answers=4), SIGNED, SCREENED, _NOW, evaluated)
    given(fold, *ready).when(decide, _GRANT, BENCH).then(New(facts=replace(GRANTED, basis=body(5)), personal=_PERSONAL))
    strict = replace(BENCH, irp_copy_required=True)
    given(fold, *ready).when(decide, _GRANT, strict).refused(refusals_deciding.IrpCopyOutstandingError)


@pytest.mark.shows("D5.25")
def test_signature_on_paper_stands_for_the_electronic_one() -> None:
    on_paper = ApplicationSupplemented(
        supplied=(MissingItem.SIGNATURE,), received_on=date(2026, 8, 20), recommendation_until=None, parts=()
    )
    unchecked = (*_ASKED, received(YES, answers=4), SCREENED, _NOW, on_paper, EVALUATED)
    given(fold, *unchecked).when(decide, _GRANT, BENCH).then(New(facts=replace(GRANTED, basis=body(5)), personal=_PERSONAL))


@pytest.mark.shows("D5.14", "A3.6")
def test_after_the_no_the_school_still_decides_and_says_how_to_contest() -> None:
    """E09: ground and instruction, and no reason of the commission's, of which the school knows none."""
    given(fold, *_REFUSED_BY_COMMISSION).when(decide, _ON_NO, BENCH).then(New(facts=_REFUSED, personal=_INSTRUCTED))
    own_words = refuse(DecisionGround.NO_RECOMMENDATION, instruction="Rakstiet novada domei")
    (new,) = decide(given(fold, *_REFUSED_BY_COMMISSION).case, own_words, replace(BENCH, instruction=None))
    assert new.personal.instruction == "Rakstiet novada domei"
    silent = given(fold, *_REFUSED_BY_COMMISSION).when(decide, _ON_NO, replace(BENCH, instruction=None))
    silent.refused(refusals_deciding.InstructionMissingError)


@pytest.mark.shows("A3.6")
def test_only_a_condition_that_was_found_unfulfilled_carries_a_refusal() -> None:
    for events in (_READY_A1, READY_A2, (FILED_A1,)):
        for ground in set(DecisionGround) - {DecisionGround.UNKNOWN}:
            case = given(fold, *events).when(decide, refuse(ground), BENCH)
            case.refused(refusals_deciding.GroundNotFoundError, ground.value)


@pytest.mark.shows("D5.23", "D5.6", "A3.6")
@pytest.mark.parametrize(
    ("reason", "ground", "known"),
    [
        (EligibilityReason.ENROLLED_ELSEWHERE, DecisionGround.ENROLLED_ELSEWHERE, {"enrolled": Enrolment.ELSEWHERE}),
        (EligibilityReason.BENEFIT_NOT_AWARDED, DecisionGround.BENEFIT_NOT_AWARDED, {"benefit": Known.NO}),
    ],
)
def test_who_is_not_eligible_at_intake_is_refused_by_that_condition(reason: Any, ground: Any, known: Any) -> None:
    """E10 and E13: no message to the commission, and a decision with its ground."""
    failed = replace(SCREENED, outcome=EligibilityOutcome.INELIGIBLE, reasons=(reason,), **known)
    (again, new) = decide(given(fold, FILED_A2, failed).case, refuse(ground), BENCH)
    assert again.facts == replace(failed, as_of=date(2026, 8, 28))
    assert (new.facts.grounds, new.facts.basis) == ((ground,), None)


def test_decision_is_not_older_than_the_application() -> None:
    early = decision_form(DecisionOutcome.GRANTED, decided_on=date(2026, 8, 16))
    given(fold, *_READY_A1).when(decide, early, BENCH).refused(refusals_deciding.DateOrderError)


def notified(by: Delivery, sent_on: date, notified_on: date, due_on: date | None) -> DecisionNotified:
    return DecisionNotified(by=by, sent_on=sent_on, notified_on=notified_on, contest_due_on=due_on)


@pytest.mark.shows("D5.14")
@pytest.mark.parametrize(
    ("by", "notified_on", "due_on"),
    [
        (Delivery.ORDINARY, date(2026, 9, 18), date(2026, 10, 19)),
        (Delivery.REGISTERED, date(2026, 9, 17), date(2026, 10, 19)),
        (Delivery.E_ADDRESS, date(2026, 9, 14), date(2026, 10, 14)),
        (Delivery.IN_PERSON, date(2026, 9, 10), date(2026, 10, 12)),
    ],
)
def test_refusal_counts_as_notified_by_the_way_it_went_and_is_contested_in_a_month(
    by: Delivery, notified_on: date, due_on: date
) -> None:
    """E09: an ordinary letter of 10.09. is notified on the 8th day; 18.10.2026 is a Sunday, so until Monday 19.10."""
    address = AddressForm(text=HOME.text, postal_code=HOME.postal_code)
    form = NotificationInput(by=by, sent_on=date(2026, 9, 10), address=address)
    facts = notified(by, date(2026, 9, 10), notified_on, due_on)
    new = New(facts=facts, personal=DecisionNotifiedPersonal(address=HOME))
    given(fold, *_REFUSED_BY_COMMISSION, _REFUSED).when(notify, form).then(new)


@pytest.mark.shows("D5.19")
def test_no_ordinary_letter_goes_to_a_protected_address() -> None:
    """Nor once whoever chose it is the requester no longer: until another is chosen it stays protected."""
    protected = (FILED_A2, CONSENT, replace(ADDRESS_CHOSEN, address_protected=True), *_REFUSED_BY_COMMISSION[3:], _REFUSED)
    another = RepresentativeChanged(authority=Authority.GUARDIAN, from_on=date(2026, 9, 1))
    address = AddressForm(text=HOME.text, postal_code=HOME.postal_code)
    ordinary = NotificationInput(by=Delivery.ORDINARY, sent_on=date(2026, 9, 10), address=address)
    for events in (protected, (*protected, another)):
        case = given(fold, *events)
        case.when(notify, ordinary).refused(refusals_deciding.ProtectedAddressError, "registered")
        for by in (Delivery.REGISTERED, Delivery.E_ADDRESS, Delivery.IN_PERSON):
            assert notify(case.case, NotificationInput(by=by, sent_on=date(2026, 9, 10), address=address))
    elsewhere = given(fold, *protected, another, ADDRESS_CHOSEN)
    assert notify(elsewhere.case, ordinary)


_ELSEWHERE = replace(
    SCREENED,
    outcome=EligibilityOutcome.INELIGIBLE,
    reasons=(EligibilityReason.ENROLLED_ELSEWHERE,),
    enrolled=Enrolment.ELSEWHERE,
)


_CONTEST = (RefusalContested(on=date(2026, 9, 10)), RefusalSetAside(on=date(2026, 9, 20)))


@pytest.mark.shows("D5.6", "D5.7", "A3.6")
@pytest.mark.parametrize("said", [(), (received(AttendanceRequired(basis=body(97)), answers=4),)])
def test_who_is_enrolled_elsewhere_is_refused_before_the_answer_and_the_commission_learns_no_cause(said: Any) -> None:
    """E13: the other school had asked; its request is taken back as after a withdrawal, and a yes that crossed it is kept."""
    waiting = (*_ASKED, *said, _ELSEWHERE)
    given(fold, *_ASKED, *said, SCREENED).when(decide, refuse(DecisionGround.ENROLLED_ELSEWHERE), BENCH).refused(
        NotReadyToDecideError
    )
    given(fold, *waiting).when(decide, _GRANT, BENCH).refused(refusals_deciding.RecommendationMissingError)
    events = decide(given(fold, *waiting).case, refuse(DecisionGround.ENROLLED_ELSEWHERE), BENCH)
    taken_back = New(facts=RequestWithdrawn(basis=BEFORE), in_reply_to=body(4))
    assert [type(each.facts) for each in events] == [type(_ELSEWHERE), type(REFUSED), RequestWithdrawn]
    assert events[-1] == taken_back
    refused = (*waiting, *(each.facts for each in events[:-1]), Told(facts=events[-1].facts, answers=4))
    assert state(*refused) is SchoolState.REFUSED
    crossed = given(fold, *refused, received(YES, answers=4)).case
    assert (crossed.state, crossed.request and crossed.request.answer) == (SchoolState.REFUSED, Answer.YES)


@pytest.mark.shows("D5.6", "D5.15", "I3")
def test_after_a_refusal_was_set_aside_the_commission_is_asked_anew_and_waited_for() -> None:
    """E13: the register was wrong. What was taken back with the refusal stands in nobody's way, and the answer is due again."""
    refused = replace(_REFUSED, grounds=(DecisionGround.ENROLLED_ELSEWHERE,), basis=None)
    set_aside_since = (refused, *_CONTEST, SCREENED)
    taken_back = Told(facts=RequestWithdrawn(basis=body(6)), answers=4)
    asked_before = (*_ASKED, _ELSEWHERE, refused, taken_back, *_CONTEST, SCREENED)
    for events in (asked_before, (*_ASKED[:-1], _ELSEWHERE, *set_aside_since)):
        before = given(fold, *events).case
        assert (before.state, before.is_asked) == (SchoolState.READY_FOR_DECISION, False)
        may_request(before, date(2026, 10, 1))
        given(fold, *events).when(decide, _GRANT, BENCH).refused(refusals_deciding.RecommendationMissingError)
        asked_anew = (*events, REQUESTED_A2)
        after = given(fold, *asked_anew).case
        assert (after.state, after.is_asked) == (SchoolState.AWAITING_COMMISSION, True)
        with pytest.raises(refusals.RequestOpenError):
            may_request(after, date(2026, 10, 1))
        assert remind(after, date(2026, 10, 1))
        number = len(asked_anew)
        assert state(*asked_anew, received(YES, answers=number)) is SchoolState.READY_FOR_DECISION
        asks_to_come = received(AttendanceRequired(basis=body(97)), answers=number)
        assert state(*asked_anew, asks_to_come) is SchoolState.ON_HOLD_ATTENDANCE
    # Nor does it look as if an answer were awaited where something else is.
    assert state(*asked_before, PupilCameOfAge()) is SchoolState.INCOMPLETE
    # A yes that crossed the withdrawal answers what was asked: it is decided on.
    crossed = given(fold, *asked_before, received(YES, answers=4)).case
    assert (crossed.state, crossed.is_asked) == (SchoolState.READY_FOR_DECISION, True)


def test_grant_is_notified_too_and_nothing_is_contested_by_a_day() -> None:
    form = NotificationInput(by=Delivery.IN_PERSON, sent_on=date(2026, 8, 28))
    facts = notified(Delivery.IN_PERSON, date(2026, 8, 28), date(2026, 8, 28), None)
    new = New(facts=facts, personal=DecisionNotifiedPersonal(address=None))
    given(fold, *_READY_A1, GRANTED).when(notify, form).then(new)
    given(fold, *_READY_A1, GRANTED, facts).when(notify, form).refused(refusals_deciding.NotifiedAlreadyError)
    given(fold, *_READY_A1).when(notify, form).refused(refusals_deciding.NoDecisionError)
    early = NotificationInput(by=Delivery.IN_PERSON, sent_on=date(2026, 8, 27))
    given(fold, *_READY_A1, GRANTED).when(notify, early).refused(refusals_deciding.DateOrderError)


_SENT = notified(Delivery.ORDINARY, date(2026, 9, 10), date(2026, 9, 18), date(2026, 10, 19))
_TOLD = (*_REFUSED_BY_COMMISSION, _REFUSED, _SENT)
_CONTESTED = RefusalContested(on=date(2026, 10, 19))


def contesting(on: date, *, term_restored: bool = False) -> ContestInput:
    return ContestInput(on=on, text="Apstrīdu", term_restored=term_restored)


@pytest.mark.shows("D5.14")
def test_refusal_is_contested_until_the_last_day_of_the_term() -> None:
    new = New(facts=_CONTESTED, personal=RefusalContestedPersonal(text="Apstrīdu"))
    given(fold, *_TOLD).when(contest, contesting(date(2026, 10, 19))).then(new)
    late = given(fold, *_TOLD).when(contest, contesting(date(2026, 10, 20)))
    late.refused(refusals_deciding.ContestLateError, "2026-10-19")
    restored = given(fold, *_TOLD).when(contest, contesting(date(2026, 10, 20), term_restored=True))
    restored.then(New(facts=RefusalContested(on=date(2026, 10, 20)), personal=new.personal))
    assert state(*_TOLD, _CONTESTED) is SchoolState.CONTESTED


def test_only_a_refusal_is_contested_once_and_not_before_it_was_made() -> None:
    form = contesting(date(2026, 10, 19))
    given(fold, *_READY_A1, GRANTED).when(contest, form).refused(refusals_deciding.NotRefusedError)
    given(fold, *_READY_A1).when(contest, form).refused(refusals_deciding.NotRefusedError)
    given(fold, *_TOLD, _CONTESTED).when(contest, form).refused(refusals_deciding.ContestedAlreadyError)
    early = given(fold, *_TOLD).when(contest, contesting(date(2026, 8, 27)))
    early.refused(refusals_deciding.DateOrderError)
    untold = given(fold, *_REFUSED_BY_COMMISSION, _REFUSED).when(contest, form)
    untold.then(New(facts=_CONTESTED, personal=RefusalContestedPersonal(text="Apstrīdu")))


def test_contested_refusal_stands_or_is_set_aside_and_decided_anew() -> None:
    """D.2: after it was set aside the case is ready for another decision."""
    ruling = RulingInput(on=date(2026, 11, 2), text="Lēmums")
    contested = (*_TOLD, _CONTESTED)
    upheld, aside = RefusalUpheld(on=ruling.on), RefusalSetAside(on=ruling.on)
    given(fold, *contested).when(uphold, ruling).then(New(facts=upheld, personal=RefusalUpheldPersonal(text="Lēmums")))
    given(fold, *contested).when(set_aside, ruling).then(New(facts=aside, personal=RefusalSetAsidePersonal(text="Lēmums")))
    assert state(*contested, upheld) is SchoolState.REFUSED
    assert state(*contested, aside) is SchoolState.READY_FOR_DECISION
    assert state(*contested, aside, _REFUSED) is SchoolState.REFUSED
    for events in (_TOLD, (*contested, upheld), (*contested, aside), _READY_A1):
        for rule in (uphold, set_aside):
            given(fold, *events).when(rule, ruling).refused(refusals_deciding.NotContestedError)
    early = RulingInput(on=date(2026, 10, 18), text="Lēmums")
    given(fold, *contested).when(uphold, early).refused(refusals_deciding.DateOrderError)


def test_case_that_was_set_aside_can_be_completed_before_it_moves_others() -> None:
    aside = (*_TOLD, _CONTESTED, RefusalSetAside(on=date(2026, 11, 2)))
    found = ApplicationFoundIncomplete(missing=(MissingItem.RECOMMENDATION_COPY,), due_on=date(2026, 11, 16))
    copy = ApplicationSupplemented(
        supplied=(MissingItem.RECOMMENDATION_COPY,), received_on=date(2026, 11, 9), recommendation_until=None, parts=()
    )
    assert state(*aside, found) is SchoolState.NEGATIVE_ANSWER
    assert state(*aside, found, copy) is SchoolState.READY_FOR_DECISION


def corrected(answer: Answer, *, corrects: int) -> Any:  # told
    return received(ConfirmationCorrected(answer=answer, wording=1, corrects=body(corrects), basis=body(98)), answers=4)


@pytest.mark.shows("D5.13", "D5.14")
def test_no_that_became_a_yes_lets_the_school_decide_anew() -> None:
    """E09, variant: the requester contested the commission's refusal, and it was set aside."""
    overtaken = (*_TOLD, corrected(Answer.YES, corrects=5))
    assert state(*overtaken) is SchoolState.READY_FOR_DECISION
    ready = (*overtaken, SIGNED, SCREENED, _NOW, EVALUATED)
    granted = replace(GRANTED, basis=body(8))
    given(fold, *ready).when(decide, _GRANT, BENCH).then(New(facts=granted, personal=_PERSONAL))
    assert state(*ready, granted) is SchoolState.GRANTED


@pytest.mark.shows("D5.6", "D5.13", "D5.14")
@pytest.mark.parametrize("basis", [None, body(5)])
def test_a_refusal_that_never_rested_on_the_no_stands_when_that_becomes_a_yes(basis: Any) -> None:
    """The pupil goes to another school: refused while the answer was awaited, or known; only its contest opens it again."""
    elsewhere = replace(_REFUSED, grounds=(DecisionGround.ENROLLED_ELSEWHERE,), basis=basis)
    told = (*_REFUSED_BY_COMMISSION, elsewhere, _SENT, corrected(Answer.YES, corrects=5))
    assert state(*told) is SchoolState.REFUSED
    given(fold, *told).when(decide, _GRANT, BENCH).refused(refusals.DecidedAlreadyError)
    assert state(*told, _CONTESTED) is SchoolState.CONTESTED
    both = replace(elsewhere, grounds=(DecisionGround.NO_RECOMMENDATION, DecisionGround.ENROLLED_ELSEWHERE))
    assert state(*_REFUSED_BY_COMMISSION, both, _SENT, corrected(Answer.YES, corrects=5)) is SchoolState.READY_FOR_DECISION


@pytest.mark.shows("D5.13")
def test_yes_that_became_a_no_changes_no_grant_and_asks_to_look_at_it_again() -> None:
    granted = replace(GRANTED, basis=body(5))
    case = given(fold, *READY_A2, granted, corrected(Answer.NO, corrects=5)).case
    assert (case.state, case.flags) == (SchoolState.GRANTED, ("AnswerCorrected",))
    undecided = given(fold, *READY_A2, corrected(Answer.NO, corrects=5)).case
    assert (undecided.state, undecided.flags) == (SchoolState.NEGATIVE_ANSWER, ())


@pytest.mark.shows("D5.12", "D5.13")
def test_a_grant_without_agreement_moves_others_once_its_basis_is_over() -> None:
    """No new agreement can rest on it, and a grant that nothing follows would stand for good."""
    filed = replace(FILED_A1, recommendation_until=date(2026, 9, 30))
    granted = given(fold, filed, SCREENED, EVALUATED, GRANTED)
    lost = DecisionGround.NO_RECOMMENDATION
    refusing = decision_form(DecisionOutcome.REFUSED, lost, decided_on=date(2026, 10, 1))
    while_it_holds = decision_form(DecisionOutcome.REFUSED, lost, decided_on=date(2026, 9, 30))
    granted.when(decide, while_it_holds, BENCH).refused(refusals.DecidedAlreadyError)
    granted.when(decide, decision_form(DecisionOutcome.GRANTED, decided_on=date(2026, 10, 1)), BENCH).refused(
        refusals_deciding.BasisEndedError
    )
    *_, made = decide(granted.case, refusing, BENCH)
    again = given(fold, filed, SCREENED, EVALUATED, GRANTED, made.facts)
    assert again.case.state is SchoolState.REFUSED
    again.when(decide, refusing, BENCH).refused(refusals.DecidedAlreadyError)
