"""A linked case follows what stands in the earlier one: what is missing, what is due, what it allows, and how it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.commission.domain import decisions, refusals
from services.commission.domain.applying import fold
from services.commission.domain.linking import on_the_way, seen_with
from services.commission.domain.receiving import CommissionDomain
from services.commission.input import ClosingInput
from services.post.history import CaseRow, New, Outlook
from services.wire.events import (
    Answer,
    AssessmentCause,
    AssessmentClosed,
    AssessmentLinked,
    AttendanceLapsed,
    AttendanceRequired,
    ConfirmationCorrected,
    ConfirmationEnded,
    CorrectedField,
    ExtensionCause,
    IdentityNotMatched,
    PupilAttended,
    RefusalContested,
    RefusalSetAside,
    RequestCorrected,
    TermExtended,
)
from tests.commission_stories import (
    A2,
    ACTS,
    ASKED_TO_COME,
    B2,
    CLOSED,
    CORRECTED_CODE,
    DIRECT,
    EXAMINED,
    HOLD,
    IRP,
    ISSUED,
    LINKED,
    NO,
    NO_OPINION,
    PRIMARY,
    REFUSED,
    REGISTERED,
    SENT,
    STORIES,
    WITHDRAWN,
    YES,
    case_after,
    case_of,
    fold_with,
)
from tests.given_when_then import body, given, received

_DOMAIN = CommissionDomain()
_TODAY = date(2026, 9, 21)
_ANSWER_AGAIN = "the school has an answer that is no longer the right one: answer again"
_ALONE = "nothing comes any more of the earlier case on which it rested: examine the file here"
_WAITS = "it rests on an earlier case of the pupil, which is not decided yet"
_CONTEST = (RefusalContested(on=date(2026, 9, 7)), RefusalSetAside(on=date(2026, 9, 21)))
# A requester's own application that was refused, contested, and decided anew: nobody corrects an answer in that case.
_DIRECT_NO = (DIRECT, EXAMINED, REFUSED)
_DECIDED_ANEW = (*_DIRECT_NO, *_CONTEST, replace(ISSUED, issued_on=date(2026, 9, 22)))
_NO_HERE = (*LINKED, replace(NO, basis=body(3)))
_YES_HERE = (*LINKED, replace(YES, basis=body(3)))
_ANSWERED = ClosingInput(cause=AssessmentCause.ANSWERED)


def _outlook(linked: tuple[object, ...], primary: tuple[object, ...]) -> Outlook:
    return _DOMAIN.outlook_with(given(fold, *linked).history, given(fold, *primary).history, _TODAY)


def _row(linked: tuple[object, ...], primary: tuple[object, ...]) -> CaseRow:
    return _DOMAIN.row_with(given(fold, *linked).history, given(fold, *primary).history)


def _offered(outlook: Outlook) -> set[str]:
    return {each.act for each in outlook.allowed}


@pytest.mark.shows("D5.6", "D5.13", "D5.14")
def test_an_answer_that_a_direct_application_decided_anew_makes_wrong_is_shown_is_due_and_is_healed_by_answering() -> None:
    """E09 and E13: nobody is answered in the earlier case, so no act there tells this school."""
    outlook, row = _outlook(_NO_HERE, _DECIDED_ANEW), _row(_NO_HERE, _DECIDED_ANEW)
    assert _ANSWER_AGAIN in outlook.missing
    assert "answer" in _offered(outlook)
    assert (row.state, row.due_on) == ("Linked", date(2026, 9, 22))
    assert [each.name for each in row.deadlines] == ["AnswerAgain"]
    given(fold_with(*_DECIDED_ANEW), *_NO_HERE).when(decisions.close_assessment, _ANSWERED).refused(refusals.CloseCauseError)
    (told,) = ACTS["answer"](given(fold_with(*_DECIDED_ANEW), *_NO_HERE).case)
    assert told.facts == ConfirmationCorrected(answer=Answer.YES, wording=1, corrects=body(4), basis=body(6))
    healed = (*_NO_HERE, told.facts)
    assert _outlook(healed, _DECIDED_ANEW).missing == ()
    assert _row(healed, _DECIDED_ANEW).deadlines == ()
    closed = New(facts=AssessmentClosed(cause=AssessmentCause.ANSWERED))
    given(fold_with(*_DECIDED_ANEW), *healed).when(decisions.close_assessment, _ANSWERED).then(closed)


@pytest.mark.shows("D5.6", "D5.14")
def test_an_answer_is_corrected_also_where_its_linked_case_was_closed_meanwhile() -> None:
    case = given(fold_with(*_DECIDED_ANEW), *_NO_HERE, CLOSED)
    assert _ANSWER_AGAIN in _outlook((*_NO_HERE, CLOSED), _DECIDED_ANEW).missing
    (told,) = ACTS["answer"](case.case)
    assert isinstance(told.facts, ConfirmationCorrected)
    case.when(decisions.close_assessment, _ANSWERED).refused(refusals.ClosedError)


@pytest.mark.shows("D5.6", "D5.14")
@pytest.mark.parametrize(("primary", "refusal"), [(_CONTEST[:1], refusals.ContestedError), (_CONTEST, refusals.CloseCauseError)])
def test_while_the_refusal_behind_an_answer_is_under_review_its_linked_case_is_neither_closed_nor_answered_again(
    primary: tuple[object, ...], refusal: type[refusals.FormRefusedError]
) -> None:
    case = given(fold_with(*_DIRECT_NO, *primary), *_NO_HERE)
    case.when(decisions.close_assessment, _ANSWERED).refused(refusal)
    case.when(ACTS["answer"]).refused(refusals.AlreadyAnsweredError)
    assert [each for each in _outlook(_NO_HERE, (*_DIRECT_NO, *primary)).missing if "it is decided there" in each]
    # Who got no answer and has withdrawn waits for no contest of another.
    over = given(fold_with(*_DIRECT_NO, *primary), *LINKED, WITHDRAWN)
    assert over.when(decisions.close_assessment, ClosingInput(cause=AssessmentCause.WITHDRAWN)).case.closed is None
    assert decisions.close_assessment(over.case, ClosingInput(cause=AssessmentCause.WITHDRAWN))


@pytest.mark.shows("D5.6", "D5.14")
def test_a_refusal_that_was_set_aside_and_refused_again_makes_no_answer_wrong() -> None:
    again = (*_DIRECT_NO, *_CONTEST, REFUSED)
    assert _outlook(_NO_HERE, again).missing == ()
    assert decisions.close_assessment(given(fold_with(*again), *_NO_HERE).case, _ANSWERED)


@pytest.mark.shows("D5.6")
def test_what_is_decided_on_a_later_request_of_the_earlier_case_touches_no_answer_to_one_before() -> None:
    """A school that asks anew is assessed anew; the other school's answer was the answer to its own request."""
    later = (*PRIMARY, REFUSED, replace(NO, basis=body(4)), WITHDRAWN, CLOSED, A2, REGISTERED, EXAMINED, ISSUED)
    no = (*LINKED, replace(NO, basis=body(4)))
    assert _outlook(no, later).missing == ()
    given(fold_with(*later), *no).when(ACTS["answer"]).refused(refusals.AlreadyAnsweredError)
    assert decisions.close_assessment(given(fold_with(*later), *no).case, _ANSWERED)


@pytest.mark.shows("D5.6", "D5.12", "D5.13")
def test_a_yes_whose_end_was_told_is_not_answered_again() -> None:
    ended = (*_YES_HERE, ConfirmationEnded(ended_on=date(2026, 10, 1), basis=body(7)))
    assert "answer" not in _offered(_outlook(ended, STORIES["Revoked"]))
    assert _outlook(ended, STORIES["Revoked"]).missing == ()
    assert _outlook(ended, STORIES["Corrected"]).missing == ()


@pytest.mark.shows("D5.6", "D5.7", "D5.10")
@pytest.mark.parametrize(
    "primary",
    [
        (*PRIMARY, WITHDRAWN),
        (*PRIMARY[:2], IdentityNotMatched(basis=body(2))),
        STORIES["Returned"],
        STORIES["Revoked"],
        (*PRIMARY, ISSUED, HOLD, WITHDRAWN),
        (*PRIMARY, CORRECTED_CODE),
    ],
    ids=["withdrawn", "nobody found", "returned", "revoked", "kept back", "code corrected"],
)
def test_where_nothing_comes_of_the_earlier_case_any_more_the_file_may_be_examined_here(primary: tuple[object, ...]) -> None:
    outlook = _outlook(LINKED, primary)
    assert _ALONE in outlook.missing
    assert {"examine", "look-up", "link"} <= _offered(outlook)
    assert "answer" not in _offered(outlook)
    # An older program, or a store that has not all back, may not see the earlier one at all.
    assert seen_with(case_after(*LINKED), None) == replace(case_after(*LINKED), linked=None)
    assert _ALONE not in _outlook((*LINKED, WITHDRAWN), primary).missing


@pytest.mark.shows("D5.6", "D5.8", "D5.19")
def test_a_new_guardian_who_applies_at_another_school_does_not_wait_for_a_letter_that_the_former_school_holds_back() -> None:
    """Nobody says an address there any more: the recommendation would come to no one, whichever answer both schools have."""
    kept = (*PRIMARY, ISSUED, HOLD, WITHDRAWN)
    given(fold, *kept).when(ACTS["dispatch"]).refused(refusals.DispatchOnHoldError)
    given(fold_with(*kept), *LINKED).when(ACTS["dispatch"]).refused(refusals.NothingToDispatchError)
    again = (A2, REGISTERED, EXAMINED)
    given(fold, *again[:2]).when(decisions.link_assessment, primary=case_after(*kept)).refused(refusals.LinkOrderError)
    assert not decisions.is_decided_elsewhere(case_after(*again), case_after(*kept))
    # What was sent before is there; and one that may still be sent from there is shared as before.
    for sent in ((*PRIMARY, ISSUED, SENT, HOLD, WITHDRAWN), (*PRIMARY, ISSUED, HOLD), (*PRIMARY, ISSUED, WITHDRAWN)):
        assert decisions.is_decided_elsewhere(case_after(*again), case_after(*sent))
        assert seen_with(case_after(*LINKED), case_after(*sent)).linked == body(1)


@pytest.mark.shows("D5.6")
def test_a_linked_case_waits_for_the_earlier_and_is_answered_once_that_is_decided() -> None:
    waiting, decided = _outlook(LINKED, PRIMARY), _outlook(LINKED, (*PRIMARY, ISSUED))
    assert waiting.missing == (_WAITS,)
    assert not {"answer", "examine", "link"} & _offered(waiting)
    assert decided.missing == ("the school has not been answered",)
    assert "answer" in _offered(decided)


@pytest.mark.shows("D5.6", "D5.10")
def test_who_was_told_that_nobody_is_found_is_answered_only_after_the_correction() -> None:
    """The earlier case came back to life meanwhile, by its own school's correction."""
    not_found = (*LINKED, IdentityNotMatched(basis=body(2)))
    given(fold_with(*PRIMARY, ISSUED), *not_found).when(ACTS["answer"]).refused(refusals.NotIdentifiedError)


@pytest.mark.shows("D5.6", "D5.29")
def test_a_yes_in_b2_rests_on_the_plan_of_the_earlier_case() -> None:
    registered = replace(REGISTERED, asks=B2.facts.asks)  # type: ignore[attr-defined]  # a request's facts
    linked, primary = (B2, registered, LINKED[-1]), (B2, registered, EXAMINED)
    assert ACTS["answer"](given(fold_with(*primary, IRP, ISSUED), *linked).case)
    given(fold_with(*primary, ISSUED), *linked).when(ACTS["answer"]).refused(refusals.IrpMissingError)


@pytest.mark.shows("D5.6", "D5.13")
def test_what_ended_here_before_the_case_was_linked_says_nothing_of_its_answer() -> None:
    """Revoked before it was answered, and linked then: the yes of the earlier case holds."""
    revoked = replace(STORIES["Revoked"][-2], effective_on=date(2026, 9, 1))  # type: ignore[type-var]  # a revocation
    linked = (*STORIES["Prepared"], revoked, AssessmentLinked(primary=body(1)))
    assert _row(linked, (*PRIMARY, ISSUED)).state == "Linked"
    (told,) = ACTS["answer"](given(fold_with(*PRIMARY, ISSUED), *linked).case)
    answered = (*linked, told.facts)
    row = _row(answered, (*PRIMARY, ISSUED))
    assert (row.state, row.deadlines) == ("Answered", ())
    assert _outlook(answered, (*PRIMARY, ISSUED)).missing == ()


def test_what_is_not_seen_with_the_earlier_case_says_nothing_of_it() -> None:
    """The plain row and outlook of a history are total, whatever else is there."""
    history = given(fold, *_NO_HERE).history
    assert _DOMAIN.row(history).deadlines == ()
    assert _DOMAIN.outlook(history, _TODAY).missing == ()
    assert case_of("Linked, answer no longer right").is_answer_stale
    assert (_DOMAIN.rests_on(history), _DOMAIN.rests_on(history[:2])) == (body(1), None)
    assert (_DOMAIN.rests_by, _DOMAIN.moves_others(history)) == ("AssessmentLinked", False)
    assert _DOMAIN.moves_others(given(fold, *_DECIDED_ANEW).history)
    # What is for people alone makes no event when its day is over.
    own = given(fold, *STORIES["Prepared, set aside before"]).history
    assert [each.name for each in _DOMAIN.row(own).deadlines if each.due_on == ISSUED.issued_on] == ["AnswerAgain"]
    assert _DOMAIN.fire(own, "AnswerAgain") == ()


# The earlier case asks the pupil to come; the summons is its fourth event.
_SUMMONED = (*PRIMARY[:2], NO_OPINION, ASKED_TO_COME)
_HEARD = New(facts=AttendanceRequired(basis=body(4)), in_reply_to=body(1))


@pytest.mark.shows("A5.3", "D5.3", "D5.4", "D5.6")
def test_the_school_of_a_linked_case_hears_that_the_pupil_is_asked_to_come_once_and_nothing_else() -> None:
    """Its pupil has to come as well, whoever asked first; it rests on the one summons that there is."""
    assert on_the_way(given(fold_with(*_SUMMONED), *LINKED).case) == (_HEARD,)
    assert on_the_way(given(fold_with(*_SUMMONED), *LINKED, _HEARD.facts).case) == ()
    # Asked once more, where the opinion that came of it has ended: told once more.
    again = (*_SUMMONED, PupilAttended(on=date(2026, 8, 24)), replace(ASKED_TO_COME, sent_on=date(2026, 9, 23)))
    (anew,) = on_the_way(given(fold_with(*again), *LINKED, _HEARD.facts).case)
    assert anew.facts == AttendanceRequired(basis=body(6))


@pytest.mark.shows("D5.3", "D5.6")
def test_whoever_looks_at_a_linked_case_sees_that_the_pupil_has_to_come_and_records_nothing_of_it_there() -> None:
    said = "the pupil has to come, by 2026-09-21, as was asked in the earlier case"
    heard = (*LINKED, _HEARD.facts)
    outlook = _outlook(heard, _SUMMONED)
    assert outlook.missing == (said, _WAITS)
    assert not {"attended", "attendance-lapsed", "require-attendance"} & _offered(outlook)
    assert [each.name for each in _row(heard, _SUMMONED).deadlines] == ["CommissionTerm"]
    assert said not in _outlook((*heard, WITHDRAWN), _SUMMONED).missing
    assert said not in _outlook(heard, (*_SUMMONED, PupilAttended(on=date(2026, 8, 24)))).missing


@pytest.mark.shows("D5.3", "D5.6", "D5.7", "D5.10")
@pytest.mark.parametrize("over", [WITHDRAWN, IdentityNotMatched(basis=body(2)), replace(NO, basis=body(9)), CLOSED])
def test_a_school_that_waits_for_no_answer_hears_of_no_summons(over: object) -> None:
    assert on_the_way(given(fold_with(*_SUMMONED), *LINKED, over).case) == ()


@pytest.mark.shows("D5.3", "D5.6")
@pytest.mark.parametrize("then", [PupilAttended(on=date(2026, 8, 24)), AttendanceLapsed(on=date(2026, 8, 24)), REFUSED])
def test_nobody_hears_of_a_summons_that_is_over(then: object) -> None:
    assert on_the_way(given(fold_with(*_SUMMONED, then), *LINKED).case) == ()


@pytest.mark.shows("D5.3", "D5.6")
def test_who_is_linked_to_a_case_in_which_the_pupil_is_asked_to_come_hears_it_at_once() -> None:
    linked = New(facts=AssessmentLinked(primary=body(1)))
    given(fold, A2, REGISTERED).when(decisions.link_assessment, primary=case_after(*_SUMMONED)).then(linked, _HEARD)
    # A requester's own application has no school that would hear anything.
    direct = replace(DIRECT, received_on=date(2026, 8, 19))
    given(fold, direct).when(decisions.link_assessment, primary=case_after(*_SUMMONED)).then(linked)


def _extended(until: date) -> TermExtended:
    return TermExtended(until=until, cause=ExtensionCause.EXPERTISE_AWAITED)


@pytest.mark.shows("D5.6", "D5.15")
def test_a_term_that_is_extended_for_the_one_assessment_is_extended_for_every_request_that_rests_on_it() -> None:
    """Four months from its own receipt at most, and never to an earlier day than it has."""
    until = date(2026, 11, 16)
    primary = (*PRIMARY, _extended(until))
    assert on_the_way(given(fold_with(*primary), *LINKED).case) == (New(facts=_extended(until)),)
    assert on_the_way(given(fold_with(*primary), *LINKED, _extended(until)).case) == ()
    assert on_the_way(given(fold_with(*primary), *LINKED, _extended(date(2026, 12, 1))).case) == ()
    assert on_the_way(given(fold_with(*primary), *_YES_HERE).case) == ()
    given(fold, A2, REGISTERED).when(decisions.link_assessment, primary=case_after(*primary)).then(
        New(facts=AssessmentLinked(primary=body(1))), New(facts=_extended(until))
    )
    # An earlier case that was received later, as one may be that was decided first and set aside since.
    longest = (PRIMARY[0], replace(REGISTERED, received_on=date(2026, 9, 18)), EXAMINED, _extended(date(2027, 1, 18)))
    assert on_the_way(given(fold_with(*longest), *LINKED).case) == (New(facts=_extended(date(2026, 12, 19))),)
    assert on_the_way(given(fold_with(*primary, ISSUED), *LINKED).case) == ()
    row = _row((*LINKED, _extended(until)), primary)
    assert (row.state, row.due_on) == ("Linked", until)


@pytest.mark.shows("A5.3", "D5.3", "D5.6", "D5.13")
@pytest.mark.parametrize(
    ("linked", "primary", "owed"),
    [
        (LINKED, _SUMMONED, (_HEARD,)),
        (LINKED, (*PRIMARY, _extended(date(2026, 11, 16))), (New(facts=_extended(date(2026, 11, 16))),)),
        (
            _YES_HERE,
            STORIES["Revoked"],
            (New(facts=ConfirmationEnded(ended_on=date(2026, 10, 1), basis=body(7)), in_reply_to=body(1)),),
        ),
    ],
    ids=["summons", "term", "end"],
)
def test_what_a_linked_school_was_not_told_is_due_at_once_is_told_by_itself_and_once(
    linked: tuple[object, ...], primary: tuple[object, ...], owed: tuple[New, ...]
) -> None:
    """A restore lost the word, or the linked case lacked own events when it was to be written."""
    histories = given(fold, *linked).history, given(fold, *primary).history
    (due_on,) = [each.due_on for each in _row(linked, primary).deadlines if each.name == "WordOwed"]
    assert due_on == date(2026, 8, 18)
    assert _DOMAIN.moves_others(histories[1])
    assert _DOMAIN.fire_among(*histories, "WordOwed") == owed
    assert _DOMAIN.fire(histories[0], "WordOwed") == ()
    told = (*linked, *(each.facts for each in owed))
    assert "WordOwed" not in {each.name for each in _row(told, primary).deadlines}
    assert _DOMAIN.fire_among(given(fold, *told).history, histories[1], "WordOwed") == ()


@pytest.mark.shows("D5.6", "D5.15")
def test_a_term_of_a_linked_case_passes_as_any_other() -> None:
    histories = given(fold, *LINKED).history, given(fold, *PRIMARY).history
    (passed,) = _DOMAIN.fire_among(*histories, "CommissionTerm")
    assert (passed,) == tuple(_DOMAIN.fire(histories[0], "CommissionTerm"))


@pytest.mark.shows("D5.6", "D5.9", "D5.10")
def test_who_corrects_particulars_after_its_answer_is_shown_also_where_that_rests_on_an_earlier_case() -> None:
    """By a code that was mistyped it was perhaps another child's recommendation that the school was told of."""
    compare = "the school has corrected particulars: compare what was issued in the earlier case"
    renamed = received(RequestCorrected(changed=(CorrectedField.NAME,), basis=body(77)))
    for linked in ((*_YES_HERE, CORRECTED_CODE), (*LINKED, renamed)):
        assert compare in _outlook(linked, (*PRIMARY, ISSUED)).missing
    # Also while the refusal behind it is decided anew, and nothing stands.
    assert compare in _outlook((*_NO_HERE, CORRECTED_CODE), (*_DIRECT_NO, *_CONTEST)).missing
    assert compare not in _outlook((*LINKED, renamed), PRIMARY).missing
    assert compare not in _outlook(_YES_HERE, (*PRIMARY, ISSUED)).missing
