"""What a school takes from the commission, and what it shows of a case."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from services.post.history import CaseRow, Deadline, Domain, RejectionCode, Standing
from services.school.domain.case import SchoolState, fold
from services.school.domain.receiving import SchoolDomain, must_park
from services.wire.events import Answer, ConfirmationGiven, Rejected, RejectedCode
from tests.given_when_then import Told, body, given, received, recorded, standing
from tests.people import ADDRESS_CHOSEN, CONSENT, FILED_A2, REQUESTED_A2

_OWN = UUID("01912345-0000-7000-8000-000000000001")
_COMMISSIONS = UUID("01912345-0000-5000-8000-000000000002")
_DOMAIN: Domain = SchoolDomain({_COMMISSIONS: _OWN}.get)
_YES = ConfirmationGiven(answer=Answer.YES, wording=1, basis=body(99))
_NO = replace(_YES, answer=Answer.NO, wording=2)
_REFUSED = Rejected(code=RejectedCode.WRONG_STATE)
_ASKED = (FILED_A2, CONSENT, ADDRESS_CHOSEN, REQUESTED_A2)


def judge(incoming: Told, *events: object) -> RejectionCode | None:
    return _DOMAIN.judge(given(fold, *events).history, recorded(incoming, len(events) + 1))


def row(*events: object) -> CaseRow:
    return _DOMAIN.row(given(fold, *events).history)


def test_commissions_case_is_looked_up_and_an_unknown_one_stays_unknown() -> None:
    channel = "school-0099900011.from-commission"
    assert _DOMAIN.case_of(_COMMISSIONS, channel=channel) == _OWN
    assert _DOMAIN.case_of(UUID(int=7), channel=channel) == UUID(int=7)


@pytest.mark.parametrize("answer", [_YES, _NO])
def test_answer_to_the_request_is_taken(answer: ConfirmationGiven) -> None:
    assert judge(received(answer, answers=4), *_ASKED) is None


def test_answer_in_an_unknown_case_is_refused() -> None:
    assert judge(received(_YES, answers=4)) is RejectionCode.UNKNOWN_CASE


@pytest.mark.parametrize("answers", [None, 1, 77])
def test_answer_that_names_no_request_of_the_case_is_refused(answers: int | None) -> None:
    """Domain D.5, 16: kept, not applied."""
    assert judge(received(_YES, answers=answers), *_ASKED) is RejectionCode.WRONG_REPLY


def test_a_request_whose_application_is_lost_stands_by_itself_and_is_answered() -> None:
    assert judge(received(_YES, answers=1), REQUESTED_A2) is None
    assert given(fold, REQUESTED_A2, received(_YES, answers=1)).case.state is SchoolState.READY_FOR_DECISION
    shown = row(REQUESTED_A2)
    assert (shown.state, shown.variant, shown.opened_on) == ("AwaitingCommission", "A2", REQUESTED_A2.received_on)
    assert shown == row(*_ASKED)


def test_answer_before_any_request_is_refused() -> None:
    assert judge(received(_YES, answers=1), FILED_A2) is RejectionCode.WRONG_REPLY


@pytest.mark.parametrize("second", [_YES, _NO])
def test_second_answer_never_replaces_the_first(second: ConfirmationGiven) -> None:
    assert judge(received(second, answers=4), *_ASKED, received(_NO, answers=4)) is RejectionCode.WRONG_STATE


def test_answer_is_taken_after_one_that_was_not_accepted() -> None:
    wrong = standing(_NO, Standing.REFUSED, answers=1)
    assert judge(received(_YES, answers=4), *_ASKED, wrong) is None


def test_answer_to_a_request_that_the_commission_refused_is_out_of_step() -> None:
    assert judge(received(_YES, answers=4), *_ASKED, received(_REFUSED, answers=4)) is RejectionCode.WRONG_STATE


def test_answer_to_the_second_request_is_taken_after_the_first_was_refused() -> None:
    again = (*_ASKED, received(_REFUSED, answers=4), REQUESTED_A2)
    assert judge(received(_YES, answers=6), *again) is None
    assert row(*again, received(_YES, answers=6)).state == "ReadyForDecision"


@pytest.mark.parametrize("foreign", [FILED_A2, CONSENT, REQUESTED_A2])
def test_commission_cannot_write_what_is_the_schools_to_say(foreign: object) -> None:
    assert judge(received(foreign), *_ASKED) is RejectionCode.NOT_YOURS


def test_refusal_of_the_request_is_taken_and_shown_with_its_code() -> None:
    rejected = received(_REFUSED, answers=4)
    assert judge(rejected, *_ASKED) is None
    assert row(*_ASKED, rejected).state == "RequestRejected: WrongState"
    assert row(*_ASKED, rejected).due_on is None


def test_refusal_of_what_the_school_never_wrote_is_refused() -> None:
    assert judge(received(_REFUSED, answers=77), *_ASKED) is RejectionCode.WRONG_REPLY
    assert judge(received(_REFUSED, answers=5), *_ASKED, received(_YES, answers=4)) is RejectionCode.WRONG_REPLY


def test_commission_cannot_refuse_a_request_that_it_has_answered() -> None:
    assert judge(received(_REFUSED, answers=4), *_ASKED, received(_YES, answers=4)) is RejectionCode.WRONG_STATE


def test_schools_own_refusal_of_an_answer_changes_nothing() -> None:
    own = Told(facts=_REFUSED, answers=5)
    assert row(*_ASKED, standing(_NO, Standing.REFUSED, answers=1), own).state == "AwaitingCommission"


def test_symbol_of_a_newer_release_parks() -> None:
    assert must_park(replace(_YES, answer=Answer.UNKNOWN))
    assert not must_park(_YES)
    assert not must_park(_REFUSED)


def test_row_shows_each_state_of_the_way_to_the_answer() -> None:
    """Domain D.2, from Received to the answer."""
    events = (*_ASKED, received(_YES, answers=4))
    states = [row(*events[:count]).state for count in range(len(events) + 1)]
    assert states == ["Empty", "Received", "Received", "ReadyToRequest", "AwaitingCommission", "ReadyForDecision"]
    assert row(*_ASKED, received(_NO, answers=4)).state == SchoolState.NEGATIVE_ANSWER.value


def test_row_shows_when_the_answer_is_due_until_it_is_there() -> None:
    due = Deadline(name="CommissionReply", due_on=date(2026, 9, 18))
    shown = CaseRow(state="AwaitingCommission", variant="A2", opened_on=date(2026, 8, 17), due_on=due.due_on, deadlines=(due,))
    assert row(*_ASKED) == shown
    due = Deadline(name="SchoolDecision", due_on=date(2026, 9, 18))
    assert row(*_ASKED, received(_YES, answers=4)).deadlines == (due,)
    assert row() == CaseRow(state="Empty")


def test_fold_never_refuses_whatever_the_order() -> None:
    """A history that some release accepted stays loadable for ever."""
    events = (received(_YES, answers=1), REQUESTED_A2, received(_REFUSED), _YES, CONSENT, ADDRESS_CHOSEN, FILED_A2, object())
    assert given(fold, *events).case.state is SchoolState.AWAITING_COMMISSION
