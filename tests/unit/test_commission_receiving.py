"""What the commission takes from a school, and what it shows of a case."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid5

import pytest

from services.commission.domain.applying import fold
from services.commission.domain.parts import CommissionState
from services.commission.domain.receiving import CommissionDomain, must_park
from services.post.history import BEFORE, CaseRow, Deadline, Domain, New, RejectionCode, Standing
from services.wire.events import (
    AddressKind,
    Answer,
    Asks,
    AttendanceRequired,
    ConfirmationEnded,
    ConfirmationGiven,
    CorrectedField,
    DeadlineName,
    DeadlinePassed,
    Delivery,
    DeliveryAddressChanged,
    DocumentKind,
    DocumentsDispatched,
    ExpertiseFileExamined,
    InformationRequested,
    Intake,
    IrpIssued,
    IrpKind,
    Opinion,
    RecommendationExpired,
    RecommendationIssued,
    RecommendationRefused,
    RefusalGround,
    Rejected,
    RejectedCode,
    ReminderSent,
    RequestCorrected,
    Requester,
    RequestRegistered,
    RequestRegisteredPersonal,
    RequestWithdrawn,
    Source,
    Variant,
)
from tests.commission_stories import DIRECT, HOLD, STORIES
from tests.given_when_then import Told, body, given, received, recorded, standing
from tests.people import CONSENT, PUPIL, REQUESTED_A2, REQUESTED_B2

_DOMAIN: Domain = CommissionDomain()
_ASKED = received(REQUESTED_A2)
_REGISTERED = RequestRegistered(
    source=Source.SCHOOL, asks=Asks.RECOMMENDATION, intake=Intake.EXCHANGE, received_on=date(2026, 8, 19), parts=()
)
_EXAMINED = ExpertiseFileExamined(file_found=True, opinion=Opinion.VALID, opinion_until=None, examined_on=date(2026, 8, 20))
_ISSUED = RecommendationIssued(issued_on=date(2026, 8, 26), valid_from=date(2026, 8, 26), valid_until=None, parts=())
_REFUSED = RecommendationRefused(issued_on=date(2026, 8, 26), grounds=(RefusalGround.NEED_NOT_FOUND,))
_YES = ConfirmationGiven(answer=Answer.YES, wording=1, basis=body(4))
_REJECTED = Rejected(code=RejectedCode.WRONG_REPLY)
_ANSWERED = (_ASKED, _REGISTERED, _EXAMINED, _ISSUED, _YES)


def judge(incoming: Told, *events: object) -> RejectionCode | None:
    return _DOMAIN.judge(given(fold, *events).history, recorded(incoming, len(events) + 1))


def row(*events: object) -> CaseRow:
    return _DOMAIN.row(given(fold, *events).history)


def test_case_of_a_school_is_made_from_its_id_and_its_channel() -> None:
    """Two schools with one id have two cases: none can write into the other's."""
    school_case = UUID("01912345-0000-7000-8000-000000000001")
    first = _DOMAIN.case_of(school_case, channel="school-0099900011.to-commission")
    assert first == uuid5(school_case, "school-0099900011.to-commission")
    assert first != _DOMAIN.case_of(school_case, channel="school-0099900022.to-commission")


@pytest.mark.parametrize("request_facts", [REQUESTED_A2, REQUESTED_B2])
def test_request_opens_a_case(request_facts: InformationRequested) -> None:
    assert judge(received(request_facts)) is None


@pytest.mark.shows("I3")
def test_second_request_in_a_case_is_refused() -> None:
    """Domain I3: one assessment, one answer."""
    assert judge(_ASKED, _ASKED) is RejectionCode.WRONG_STATE
    assert judge(_ASKED, *_ANSWERED) is RejectionCode.WRONG_STATE


def test_request_after_a_refused_one_is_taken() -> None:
    refused = standing(replace(REQUESTED_A2, consent_given=False), Standing.REFUSED)
    assert judge(_ASKED, refused) is None


@pytest.mark.shows("D5.1", "I2")
@pytest.mark.parametrize(
    "wrong",
    [
        replace(REQUESTED_A2, consent_given=False),
        replace(REQUESTED_A2, asks=Asks.IRP_AND_RECOMMENDATION),
        replace(REQUESTED_B2, asks=Asks.RECOMMENDATION),
        replace(REQUESTED_A2, variant=Variant.A1),
    ],
)
def test_request_without_consent_or_for_what_its_variant_does_not_ask_is_refused(wrong: InformationRequested) -> None:
    """Domain A.5 step 2, D.5 1."""
    assert judge(received(wrong)) is RejectionCode.WRONG_STATE


@pytest.mark.parametrize("foreign", [CONSENT, _YES, _ISSUED, _REGISTERED])
def test_school_cannot_write_what_is_the_commissions_or_its_own_record(foreign: object) -> None:
    assert judge(received(foreign), _ASKED) is RejectionCode.NOT_YOURS


def test_refusal_of_the_answer_is_taken_and_shown_with_its_code() -> None:
    rejected = received(_REJECTED, answers=5)
    assert judge(rejected, *_ANSWERED) is None
    assert row(*_ANSWERED, rejected).state == "AnswerRejected: WrongReply"


def test_refusal_of_a_second_answer_is_taken_and_changes_nothing_of_the_first() -> None:
    """Two answers are a careless program's; the school takes one, and so does the case here."""
    first, second = received(_REJECTED, answers=5), received(_REJECTED, answers=6)
    assert judge(first, *_ANSWERED, _YES) is None
    assert judge(second, *_ANSWERED, _YES, first) is None
    assert row(*_ANSWERED, _YES, second).state == "Answered"
    assert row(*_ANSWERED, _YES, first).state == "AnswerRejected: WrongReply"


@pytest.mark.shows("D5.16")
def test_refusal_of_what_the_commission_never_answered_is_refused() -> None:
    assert judge(received(_REJECTED, answers=5)) is RejectionCode.UNKNOWN_CASE
    assert judge(received(_REJECTED, answers=2), *_ANSWERED) is RejectionCode.WRONG_REPLY
    assert judge(received(_REJECTED), _ASKED) is RejectionCode.WRONG_REPLY


def test_refusals_that_name_no_answer_change_nothing() -> None:
    """The commission's own refusal of a request, and a received one of something else."""
    assert row(*_ANSWERED, Told(facts=_REJECTED, answers=5)).state == "Answered"
    assert row(_ASKED, received(_REJECTED)).state == "Received"


@pytest.mark.parametrize(
    "newer",
    [
        replace(REQUESTED_A2, variant=Variant.UNKNOWN),
        replace(REQUESTED_A2, asks=Asks.UNKNOWN),
        replace(REQUESTED_A2, requester=Requester.UNKNOWN),
        replace(REQUESTED_A2, address=AddressKind.UNKNOWN),
    ],
)
def test_symbol_of_a_newer_release_parks(newer: InformationRequested) -> None:
    assert _DOMAIN.must_park(newer)


def test_known_symbols_do_not_park() -> None:
    assert not must_park(REQUESTED_A2)
    assert not must_park(_REJECTED)


def test_row_shows_each_state_of_the_way_to_the_answer() -> None:
    """Domain D.3, from Registered to Answered."""
    states = [row(*_ANSWERED[:count]).state for count in range(len(_ANSWERED) + 1)]
    assert states == ["Empty", "Received", "Registered", "FileChecked", "Prepared", "Answered"]
    assert row(_ASKED, _REGISTERED, _EXAMINED, _REFUSED).state == CommissionState.REFUSED.value


def fire(deadline: str, *events: object) -> tuple[New, ...]:
    return tuple(_DOMAIN.fire(given(fold, *events).history, deadline))


def test_row_shows_when_the_answer_is_due_until_it_is_given() -> None:
    due = Deadline(name="CommissionReply", due_on=date(2026, 9, 18))
    shown = CaseRow(state="Received", variant="A2", opened_on=date(2026, 8, 18), due_on=due.due_on, deadlines=(due,))
    assert row(_ASKED) == shown
    assert row(*_ANSWERED) == CaseRow(state="Answered", variant="A2", opened_on=date(2026, 8, 19))
    assert row() == CaseRow(state="Empty")


_CORRECTED = received(RequestCorrected(changed=(CorrectedField.CODE,), basis=body(77)))
_WITHDRAWN = received(RequestWithdrawn(basis=body(77)))
_MOVED = received(
    DeliveryAddressChanged(address=AddressKind.HOME, address_protected=False, dispatch_on_hold=False, basis=body(77))
)
_REMINDED = received(ReminderSent(number=1, due_on=date(2026, 9, 18)))
_FOLLOW_UPS = (_CORRECTED, _WITHDRAWN, _MOVED, _REMINDED)


@pytest.mark.shows("D5.7", "D5.9", "D5.15", "D5.19")
@pytest.mark.parametrize("follow_up", _FOLLOW_UPS)
@pytest.mark.parametrize("story", [name for name, events in STORIES.items() if events and isinstance(events[0], Told)])
def test_what_a_school_says_further_of_its_request_is_taken_in_every_state(follow_up: Told, story: str) -> None:
    """It may have been written before what the commission said came."""
    expected = RejectionCode.WRONG_STATE if follow_up is _WITHDRAWN and story.startswith("Withdrawn") else None
    assert judge(follow_up, *STORIES[story]) is expected


@pytest.mark.parametrize("follow_up", _FOLLOW_UPS)
def test_what_is_said_of_no_request_is_refused(follow_up: Told) -> None:
    assert judge(follow_up) is RejectionCode.UNKNOWN_CASE


@pytest.mark.shows("D5.16")
@pytest.mark.parametrize("follow_up", _FOLLOW_UPS)
def test_what_answers_something_of_another_case_is_refused(follow_up: Told) -> None:
    assert judge(replace(follow_up, answers=99), *_ANSWERED) is RejectionCode.WRONG_REPLY
    assert judge(replace(follow_up, answers=5), *_ANSWERED) is None


def test_a_request_is_withdrawn_once_and_a_reminder_is_counted_once() -> None:
    assert judge(_WITHDRAWN, _ASKED, _WITHDRAWN) is RejectionCode.WRONG_STATE
    assert judge(_REMINDED, _ASKED, _REMINDED) is RejectionCode.WRONG_STATE
    second = received(ReminderSent(number=2, due_on=date(2026, 9, 18)))
    assert judge(second, _ASKED, _REMINDED) is None


@pytest.mark.shows("I3")
@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("Returned", None),
        ("IdentityNotMatched", None),
        ("Closed, attendance lapsed", None),
        ("Withdrawn", None),
        ("Registered", RejectionCode.WRONG_STATE),
        ("Linked", RejectionCode.WRONG_STATE),
        ("AttendanceRequired", RejectionCode.WRONG_STATE),
        ("Refused", RejectionCode.WRONG_STATE),
        ("Closed", RejectionCode.WRONG_STATE),
        ("Revoked", RejectionCode.WRONG_STATE),
    ],
)
def test_a_school_may_ask_anew_when_its_request_is_over_without_an_answer(story: str, expected: RejectionCode | None) -> None:
    assert judge(_ASKED, *STORIES[story]) is expected


@pytest.mark.parametrize("told", [1, 3, 5, 6, 7])
def test_word_that_anything_told_was_refused_is_taken(told: int) -> None:
    """Not of the answer alone: a school may refuse any of it."""
    events = (*STORIES["Revoked"], AttendanceRequired(basis=body(1)))
    is_told = told == 6
    assert (judge(received(_REJECTED, answers=told), *events) is None) == is_told
    assert judge(received(_REJECTED, answers=9), *events) is None


def test_symbols_of_a_newer_release_in_what_is_said_further_park() -> None:
    assert must_park(RequestCorrected(changed=(CorrectedField.NAME, CorrectedField.UNKNOWN), basis=body(1)))
    assert not must_park(_CORRECTED.facts)
    assert must_park(
        DeliveryAddressChanged(address=AddressKind.UNKNOWN, address_protected=False, dispatch_on_hold=False, basis=body(1))
    )
    assert not must_park(_MOVED.facts)


@pytest.mark.shows("D5.15")
def test_a_term_that_is_over_is_recorded_once_and_refuses_nothing() -> None:
    """A late answer is fully valid."""
    taken = (_ASKED, _REGISTERED)
    passed = DeadlinePassed(deadline=DeadlineName.COMMISSION_TERM, due_on=date(2026, 9, 21))
    assert fire("CommissionTerm", *taken) == (New(facts=passed),)
    assert fire("CommissionTerm", *taken, passed) == ()
    assert fire("CommissionReply", _ASKED) == (
        New(facts=DeadlinePassed(deadline=DeadlineName.COMMISSION_REPLY, due_on=date(2026, 9, 18))),
    )
    assert fire("CommissionTerm", *_ANSWERED) == ()
    assert row(*taken, passed).state == "Registered"


@pytest.mark.shows("D5.12")
def test_the_end_of_a_recommendation_is_told_before_and_recorded_after() -> None:
    answered = STORIES["Answered"]
    until = date(2028, 2, 3)
    deadlines = {each.name: each.due_on for each in row(*answered).deadlines}
    # From 5 December 2027, sixty days before: the deadline fires when the day before it is over.
    assert deadlines == {"RecommendationExpiryWarning": date(2027, 12, 4), "RecommendationExpiry": until}
    assert fire("RecommendationExpiryWarning", *answered) == ()
    passed, expired, told = fire("RecommendationExpiry", *answered)
    assert passed.facts == DeadlinePassed(deadline=DeadlineName.RECOMMENDATION_EXPIRY, due_on=until)
    assert expired.facts == RecommendationExpired(of=body(4), on=until)
    assert told == New(facts=ConfirmationEnded(ended_on=until + timedelta(days=1), basis=BEFORE), in_reply_to=body(1))
    assert fire("RecommendationExpiry", *answered, passed.facts, expired.facts, replace(told.facts, basis=body(8))) == ()


@pytest.mark.shows("D5.12", "D5.13")
def test_what_a_restore_lost_of_the_end_of_a_recommendation_is_made_up_for() -> None:
    """A disk was lost between the entries of one decision, as they went out; what came back is not repeated."""
    answered, until = STORIES["Answered"], date(2028, 2, 3)
    passed = DeadlinePassed(deadline=DeadlineName.RECOMMENDATION_EXPIRY, due_on=until)
    expired = RecommendationExpired(of=body(4), on=until)
    told = New(facts=ConfirmationEnded(ended_on=date(2028, 2, 4), basis=BEFORE), in_reply_to=body(1))
    assert fire("RecommendationExpiry", *answered, passed) == (New(facts=expired), told)
    # The end itself is there, and the school still believes in its yes.
    assert row(*answered, passed, expired).deadlines == (Deadline(name="RecommendationExpiry", due_on=until),)
    again = ConfirmationEnded(ended_on=date(2028, 2, 4), basis=body(8))
    assert fire("RecommendationExpiry", *answered, passed, expired) == (New(facts=again, in_reply_to=body(1)),)
    assert row(*answered, passed, expired, again).deadlines == ()
    revoked = STORIES["Revoked"][:-1]
    assert fire("RecommendationExpiry", *revoked) == (
        New(facts=ConfirmationEnded(ended_on=date(2026, 10, 1), basis=body(7)), in_reply_to=body(1)),
    )
    # Nobody waits for word of a yes that was never given.
    assert row(*STORIES["Prepared"], revoked[-1]).deadlines[1:] == ()


@pytest.mark.shows("D5.3")
def test_a_school_hears_of_a_summons_of_which_a_restore_lost_the_word_and_kept_the_summons() -> None:
    told = STORIES["AttendanceRequired"]
    assert [each.name for each in row(*told).deadlines if each.name == "WordOwed"] == []
    lost = told[:-1]
    assert Deadline(name="WordOwed", due_on=date(2026, 8, 20)) in row(*lost).deadlines
    assert fire("WordOwed", *lost) == (New(facts=told[-1], in_reply_to=body(1)),)
    assert fire("WordOwed", *told) == ()
    # Who has withdrawn waits for nothing, nor a direct application's requester, who has the letter.
    withdrawn = received(RequestWithdrawn(basis=BEFORE))
    assert "WordOwed" not in {each.name for each in row(*lost, withdrawn).deadlines}
    assert "WordOwed" not in {each.name for each in row(DIRECT, *lost[2:]).deadlines}


def test_a_refusal_can_be_contested_until_its_deadline() -> None:
    (due,) = row(*STORIES["Answered, no"]).deadlines
    assert due == Deadline(name="Contest", due_on=date(2026, 10, 5))
    (passed,) = fire("Contest", *STORIES["Answered, no"])
    assert passed.facts == DeadlinePassed(deadline=DeadlineName.CONTEST, due_on=due.due_on)
    assert row(*STORIES["Contested"]).deadlines == ()


def test_no_term_runs_in_a_case_that_is_over() -> None:
    for story in ("Empty", "Returned", "Withdrawn", "Closed", "Dispatched, direct"):
        names = {each.name for each in row(*STORIES[story]).deadlines}
        assert not {"CommissionTerm", "CommissionReply"} & names
    assert row(*STORIES["Closed, attendance lapsed"]).state == "Closed: AttendanceLapsed"
    answered_unregistered = (_ASKED, _YES)
    assert row(*answered_unregistered).deadlines == ()


def test_the_pupil_of_a_registered_request_is_found_by_code() -> None:
    registered = RequestRegisteredPersonal(register_number="R-17", pupil=PUPIL)
    assert _DOMAIN.codes_of(registered) == (PUPIL.personal_code,)
    assert _DOMAIN.codes_of(replace(registered, pupil=None)) == ()
    assert _DOMAIN.codes_of(CONSENT) == ()


def test_the_outlook_says_what_is_missing() -> None:
    def missing(story: str, *more: object, today: date = date(2026, 9, 1)) -> set[str]:
        return set(CommissionDomain().outlook(given(fold, *STORIES[story], *more).history, today).missing)

    assert missing("Empty") == set()
    assert missing("Received") == {"the request is not in the register"}
    assert missing("Registered", today=date(2026, 9, 22)) == {"the term has passed on 2026-09-21; a late answer is still valid"}
    assert missing("IdentityNotMatched") == {"nobody was found by the request; the school has to correct it"}
    assert missing("AttendanceRequired") == {"the pupil has to come, by 2026-09-21"}
    assert missing("FileChecked", _CORRECTED) == {"the particulars have changed since the file was examined: examine it again"}
    assert missing("Prepared") == {"the school has not been answered", "what was issued has not been sent"}
    assert missing("Dispatched", _CORRECTED) == {
        "the school has not been answered",
        "the school has corrected particulars: compare what was issued",
    }
    assert missing("Dispatched, not arrived") >= {"the letter did not come: send it again"}
    assert missing("Prepared", HOLD) >= {"the requester asks to send nothing for now"}
    assert missing("Withdrawn") == {"the school has withdrawn its request: send what was issued, and close"}
    assert missing("Prepared, set aside before") >= {"the school has an answer that is no longer the right one: answer again"}
    assert missing("Answered", today=date(2027, 12, 5)) == {"the recommendation ends on 2028-02-03"}
    assert missing("Answered", today=date(2027, 12, 4)) == set()
    assert missing("Closed") == set()


def test_fold_never_refuses_whatever_the_order() -> None:
    """A history that some release accepted stays loadable for ever."""
    sent = DocumentsDispatched(
        kinds=(DocumentKind.RECOMMENDATION,),
        by=Delivery.ORDINARY,
        address=AddressKind.HOME,
        address_from=body(1),
        sent_on=date(2026, 8, 27),
        notified_on=date(2026, 9, 4),
        duplicate=False,
    )
    plan = IrpIssued(kind=IrpKind.DISABILITY, issued_on=date(2026, 8, 25), indicates_need=True)
    events = (received(_REJECTED, answers=2), _YES, sent, plan, _REFUSED, _ISSUED, _EXAMINED, object(), _REGISTERED)
    assert given(fold, *events).case.state is CommissionState.EMPTY
    assert given(fold, *events, _ASKED).case.state is CommissionState.PREPARED
