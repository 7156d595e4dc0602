"""What the commission takes from a school, and what it shows of a case."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid5

import pytest

from services.commission.domain.case import CommissionState, fold
from services.commission.domain.receiving import CommissionDomain, must_park
from services.post.history import CaseRow, Deadline, Domain, RejectionCode, Standing
from services.wire.events import (
    AddressKind,
    Answer,
    Asks,
    ConfirmationGiven,
    Delivery,
    DocumentKind,
    DocumentsDispatched,
    ExpertiseFileExamined,
    InformationRequested,
    Intake,
    IrpIssued,
    Opinion,
    RecommendationIssued,
    RecommendationRefused,
    RefusalGround,
    Rejected,
    RejectedCode,
    Requester,
    RequestRegistered,
    Source,
    Variant,
)
from tests.given_when_then import Told, body, given, received, recorded, standing
from tests.people import CONSENT, REQUESTED_A2, REQUESTED_B2

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


def test_second_request_in_a_case_is_refused() -> None:
    """Domain I3: one assessment, one answer."""
    assert judge(_ASKED, _ASKED) is RejectionCode.WRONG_STATE
    assert judge(_ASKED, *_ANSWERED) is RejectionCode.WRONG_STATE


def test_request_after_a_refused_one_is_taken() -> None:
    refused = standing(replace(REQUESTED_A2, consent_given=False), Standing.REFUSED)
    assert judge(_ASKED, refused) is None


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


def test_refusal_of_an_earlier_answer_is_taken_and_changes_nothing_of_the_newest() -> None:
    """Two answers are a careless program's; both refusals come when both are given, and each is true."""
    first, second = received(_REJECTED, answers=5), received(_REJECTED, answers=6)
    assert judge(first, *_ANSWERED, _YES) is None
    assert judge(second, *_ANSWERED, _YES, first) is None
    assert row(*_ANSWERED, _YES, first).state == "Answered"


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
    assert must_park(newer)


def test_known_symbols_do_not_park() -> None:
    assert not must_park(REQUESTED_A2)
    assert not must_park(_REJECTED)


def test_row_shows_each_state_of_the_way_to_the_answer() -> None:
    """Domain D.3, from Registered to Answered."""
    states = [row(*_ANSWERED[:count]).state for count in range(len(_ANSWERED) + 1)]
    assert states == ["Empty", "Received", "Registered", "FileChecked", "Prepared", "Answered"]
    assert row(_ASKED, _REGISTERED, _EXAMINED, _REFUSED).state == CommissionState.REFUSED.value


def test_row_shows_when_the_answer_is_due_until_it_is_given() -> None:
    due = Deadline(name="commissionReplyDue", due_on=date(2026, 9, 18))
    shown = CaseRow(state="Received", variant="A2", opened_on=date(2026, 8, 18), due_on=due.due_on, deadlines=(due,))
    assert row(_ASKED) == shown
    assert row(*_ANSWERED) == CaseRow(state="Answered", variant="A2", opened_on=date(2026, 8, 19))
    assert row() == CaseRow(state="Empty")


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
    plan = IrpIssued(issued_on=date(2026, 8, 25), indicates_need=True)
    events = (received(_REJECTED, answers=2), _YES, sent, plan, _REFUSED, _ISSUED, _EXAMINED, object(), _REGISTERED)
    assert given(fold, *events).case.state is CommissionState.EMPTY
    assert given(fold, *events, _ASKED).case.state is CommissionState.ANSWERED
