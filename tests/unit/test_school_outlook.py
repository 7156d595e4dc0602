"""What a school's people are told of a case: what is due, what is missing in words, and which acts it allows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.post.history import Deadline, New
from services.school.acts import ACTS
from services.school.domain import completing, deciding, decisions, duplicates, judging
from services.school.domain.case import SchoolState, fold
from services.school.domain.outlook import outlook_of
from services.school.domain.receiving import SchoolDomain
from services.wire.events import (
    ApplicationFoundIncomplete,
    DeadlineName,
    DeadlinePassed,
    DecisionNotified,
    Delivery,
    EligibilityOutcome,
    EligibilityReason,
    MissingItem,
    RefusalContested,
    ReminderSent,
    Variant,
)
from services.wire.hashing import Digest
from tests.given_when_then import Told, body, given, received
from tests.judged import EVALUATED, FILED_A1, GRANTED, NO, READY_A2, REFUSED, SCREENED, YES
from tests.people import ADDRESS_CHOSEN, CONSENT, FILED_A2, FILED_B2, FILED_ELECTRONIC, FILED_PERSONAL, REQUESTED_A2

_DOMAIN = SchoolDomain(lambda _: None)
_TODAY = date(2026, 8, 28)
_ASKED = (FILED_A2, CONSENT, ADDRESS_CHOSEN, REQUESTED_A2)
_FOUND = ApplicationFoundIncomplete(missing=(MissingItem.CONSENT,), due_on=date(2026, 8, 31))
_SENT = DecisionNotified(
    by=Delivery.ORDINARY, sent_on=date(2026, 9, 10), notified_on=date(2026, 9, 18), contest_due_on=date(2026, 10, 19)
)


def due(*events: object) -> dict[str, date]:
    return {each.name: each.due_on for each in _DOMAIN.row(given(fold, *events).history).deadlines}


def fired(name: DeadlineName, *events: object) -> list[New]:
    return list(_DOMAIN.fire(given(fold, *events).history, name.value))


def missing(*events: object, today: date = _TODAY) -> tuple[str, ...]:
    return _DOMAIN.outlook(given(fold, *events).history, today).missing


def allowed(*events: object) -> set[str]:
    """Return the acts up to the decision that a case allows; those after it and of its persons are told of elsewhere."""
    found = {each.act for each in outlook_of(given(fold, *events).case, _TODAY).allowed}
    return found & {name for guards in (completing, deciding, decisions, duplicates, judging) for name in guards.GUARDS}


@pytest.mark.shows("D5.15")
def test_each_term_stands_in_the_list_while_it_runs() -> None:
    assert due(*_ASKED) == {"CommissionReply": date(2026, 9, 18)}
    assert due(FILED_A2, ADDRESS_CHOSEN, _FOUND) == {"Completion": date(2026, 8, 31)}
    answered = received(YES, answers=4, recorded_on=date(2026, 8, 31))
    assert due(*_ASKED, answered) == {"SchoolDecision": date(2026, 9, 30)}
    assert due(*_ASKED, received(NO, answers=4), REFUSED, _SENT) == {"Contest": date(2026, 10, 19)}
    assert due(*_ASKED, received(NO, answers=4), REFUSED, _SENT, RefusalContested(on=date(2026, 10, 1))) == {}
    assert due(FILED_A2) == {}


def test_term_of_the_decision_runs_from_the_day_on_which_everything_was_there() -> None:
    late = (Told(facts=FILED_A1, recorded_on=date(2026, 8, 17)), Told(facts=SCREENED, recorded_on=date(2026, 8, 25)))
    assert due(*late) == {"SchoolDecision": date(2026, 9, 17)}
    assert due(*late, GRANTED)["RecommendationExpiry"] == date(2027, 7, 2)


def test_clock_before_the_first_terms_makes_nothing_due() -> None:
    assert due(Told(facts=FILED_A1, recorded_on=date(1999, 12, 31))) == {}


@pytest.mark.shows("D5.15")
@pytest.mark.parametrize(
    ("name", "events", "due_on"),
    [
        (DeadlineName.COMMISSION_REPLY, _ASKED, date(2026, 9, 18)),
        (DeadlineName.COMPLETION, (FILED_A2, ADDRESS_CHOSEN, _FOUND), date(2026, 8, 31)),
        (DeadlineName.CONTEST, (*_ASKED, received(NO, answers=4), REFUSED, _SENT), date(2026, 10, 19)),
    ],
)
def test_term_that_passed_is_recorded_once_and_refuses_nothing(
    name: DeadlineName, events: tuple[object, ...], due_on: date
) -> None:
    passed = DeadlinePassed(deadline=name, due_on=due_on)
    assert fired(name, *events) == [New(facts=passed)]
    assert fired(name, *events, passed) == []
    assert given(fold, *events, passed).case.state is given(fold, *events).case.state


def test_term_that_the_case_no_longer_waits_for_makes_nothing() -> None:
    assert fired(DeadlineName.COMMISSION_REPLY, *_ASKED, received(YES, answers=4)) == []
    assert list(_DOMAIN.fire(given(fold, *_ASKED).history, "commissionReplyDue")) == []


@pytest.mark.shows("D5.12")
def test_recommendation_is_warned_of_and_its_end_is_flagged() -> None:
    """Sixty days before 31.08.2027, and then the last day itself."""
    granted = (FILED_A1, SCREENED, EVALUATED, GRANTED)
    warned = DeadlinePassed(deadline=DeadlineName.RECOMMENDATION_EXPIRY, due_on=date(2027, 7, 2))
    assert fired(DeadlineName.RECOMMENDATION_EXPIRY, *granted) == [New(facts=warned)]
    assert given(fold, *granted, warned).case.flags == ("BasisEndsSoon",)
    assert due(*granted, warned) == {"RecommendationExpiry": date(2027, 8, 31)}
    over = DeadlinePassed(deadline=DeadlineName.RECOMMENDATION_EXPIRY, due_on=date(2027, 8, 31))
    assert fired(DeadlineName.RECOMMENDATION_EXPIRY, *granted, warned) == [New(facts=over)]
    assert given(fold, *granted, warned, over).case.flags == ("BasisEnded",)
    assert any("no new agreement" in line for line in missing(*granted, warned, over, today=date(2027, 9, 1)))
    # The worker may not have fired yet.
    assert any("no new agreement" in line for line in missing(*granted, today=date(2027, 9, 1)))
    assert missing(*granted) == ("an assistant is to be proposed",)


def test_of_a_parked_case_the_outlook_says_where_the_day_stands_and_no_birthday() -> None:
    young = replace(
        SCREENED,
        outcome=EligibilityOutcome.INELIGIBLE,
        reasons=(EligibilityReason.TOO_YOUNG,),
    )
    case = given(fold, FILED_A2, young)
    assert _DOMAIN.row(case.history).state == "NotEligibleAtIntake: TooYoung"
    parked = "the age is not reached yet: the evaluation says on which day, and as of that day it can be done anew"
    assert parked in _DOMAIN.outlook(case.history, date(2026, 9, 1)).missing
    never = replace(young, reasons=(EligibilityReason.NOT_ENROLLED,))
    assert _DOMAIN.row(given(fold, FILED_A2, never).history).state == "NotEligibleAtIntake: NotEnrolled"


@pytest.mark.shows("D5.15")
def test_after_the_term_a_reminder_is_next_and_after_that_somebody_to_turn_to_and_never_a_refusal() -> None:
    def told(*events: object, today: date, contact: str | None = "asistenti@vdeavk.example") -> list[str]:
        seen = SchoolDomain(lambda _: None, escalation_contact=contact).outlook(given(fold, *events).history, today)
        answered = given(fold, *events).case.state is not SchoolState.AWAITING_COMMISSION
        assert answered or "decide" not in {each.act for each in seen.allowed}
        return [line for line in seen.missing if "the commission" in line and ("owed" in line or "reminded" in line)]

    due = REQUESTED_A2.due_on
    reminded = Told(facts=ReminderSent(number=1, due_on=due), answers=4, recorded_on=date(2026, 9, 21))
    assert told(*_ASKED, today=due) == []
    assert told(*_ASKED, today=date(2026, 9, 19)) == ["the commission owed its answer until 2026-09-18: remind it"]
    assert told(*_ASKED, reminded, today=date(2026, 9, 21)) == []
    said = "the commission was reminded on 2026-09-21 and has not answered: turn to "
    assert told(*_ASKED, reminded, today=date(2026, 9, 22)) == [said + "asistenti@vdeavk.example"]
    nobody = told(*_ASKED, reminded, today=date(2026, 9, 22), contact=None)
    assert nobody == [said + "the commission's head (the setting escalation_contact names nobody)"]
    assert told(*_ASKED, reminded, received(YES, answers=4), today=date(2026, 9, 22)) == []


@pytest.mark.shows("D5.21")
def test_coming_of_age_is_offered_from_the_birthday_on_and_where_the_birth_date_does_not_open() -> None:
    history = given(fold, FILED_A2).history

    def offers(today: date, personal: dict[Digest, object]) -> bool:
        is_allowed = "came-of-age" in {each.act for each in _DOMAIN.outlook(history, today).allowed}
        return is_allowed and "came-of-age" not in _DOMAIN.not_yet(history, today, personal.get)

    filed: dict[Digest, object] = {body(1): FILED_PERSONAL}
    assert not offers(date(2036, 2, 2), filed)
    assert offers(date(2036, 2, 3), filed)
    assert offers(date(2026, 9, 1), {})


def test_row_of_an_incomplete_application_says_what_it_lacks() -> None:
    """Domain D.2, Incomplete."""
    found = replace(_FOUND, missing=(MissingItem.EXCEPTION_DECLARATION, MissingItem.CONSENT))
    shown = _DOMAIN.row(given(fold, replace(FILED_A2, exception_declared=False), ADDRESS_CHOSEN, found).history)
    assert shown.state == "Incomplete: Consent, ExceptionDeclaration"


def test_what_is_missing_is_told_in_words_with_what_the_school_has_to_do_itself() -> None:
    assert missing(FILED_ELECTRONIC) == (
        "the consent that the school asks the commission",
        "the choice of where the commission sends its letters",
        "the signature is to be checked",
        "the conditions are to be evaluated as of the day of the application",
    )
    undetermined = replace(SCREENED, outcome=EligibilityOutcome.UNDETERMINED, reasons=(EligibilityReason.MISSING_BENEFIT,))
    assert missing(FILED_A1, undetermined) == (
        "whether the special-care benefit has been awarded is not known",
        "all documents are to be evaluated",
    )
    assert missing(*READY_A2) == ()
    assert missing(FILED_A1, SCREENED, replace(EVALUATED, complete=False)) == ("all documents are to be evaluated",)


def test_plan_that_is_outstanding_in_b2_is_told_after_the_grant_too() -> None:
    outstanding = replace(EVALUATED, irp_indicates_need=None, irp_outstanding=True)
    told = "a copy of the plan that the commission made is outstanding"
    assert told in missing(FILED_B2, CONSENT, ADDRESS_CHOSEN, REQUESTED_A2, received(YES, answers=4), outstanding, GRANTED)


def test_nothing_is_missing_where_there_is_no_application_or_nobody_knows_its_way() -> None:
    assert missing() == ()
    assert missing(REQUESTED_A2, received(YES, answers=1)) == ()
    unknown = replace(FILED_A1, variant=Variant.UNKNOWN)
    assert missing(unknown, SCREENED) == ()


def test_acts_are_allowed_where_their_own_guards_do_not_refuse() -> None:
    anew = {"incomplete", "supplement", "link-duplicate", "screen", "evaluate"}
    assert allowed(FILED_ELECTRONIC) == anew | {"signature", "consent", "address"}
    assert allowed(FILED_ELECTRONIC, *_ASKED[1:3]) == anew | {"signature", "withdraw-consent", "address"}
    assert allowed(*_ASKED[:3]) == anew | {"withdraw-consent", "address", "request"}
    assert allowed(*_ASKED) == {"withdraw-consent", "address", "supplement", "screen", "evaluate"}
    assert allowed(FILED_A1) == anew | {"decide"}
    assert allowed(FILED_A1, GRANTED) == {"supplement", "notify"}
    assert allowed(*_ASKED, received(NO, answers=4), REFUSED) == {
        "withdraw-consent",
        "address",
        "supplement",
        "notify",
        "contest",
    }


def test_each_act_that_is_allowed_says_who_does_it() -> None:
    outlook = _DOMAIN.outlook(given(fold, FILED_A1).history, _TODAY)
    assert {each.act: each.by for each in outlook.allowed}["decide"] == "head"
    assert {act.by for act in ACTS.values()} == {"clerk", "head"}


def test_deadline_is_a_value() -> None:
    assert _DOMAIN.row(given(fold, *_ASKED).history).deadlines == (Deadline(name="CommissionReply", due_on=date(2026, 9, 18)),)
