"""Fictional facts of a case on its way to the decision: conditions, documents, decisions, and what the commission says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Final

from services.policy.rules import rules_named
from services.school.domain.deciding import Bench
from services.school.input import DecisionInput, EvaluationInput, ScreeningInput
from services.wire.events import (
    Answer,
    Attachment,
    ConfirmationGiven,
    Container,
    DecisionGround,
    DecisionOutcome,
    DisabilityGroup,
    DocumentsEvaluated,
    EligibilityOutcome,
    EligibilityScreened,
    Enrolment,
    EvaluatedKind,
    Founder,
    Intake,
    Known,
    SchoolDecisionMade,
    SchoolDescribed,
    SchoolKind,
    SignatureLevel,
    SignatureValidated,
    Variant,
)
from tests.given_when_then import body, received
from tests.people import ADDRESS_CHOSEN, CONSENT, FILED_A2, FILED_B2, REQUESTED_A2

__all__ = [
    "BENCH",
    "BIRTH_DATE",
    "EVALUATED",
    "FILED_A1",
    "FILED_ON_PAPER",
    "GENERAL_SCHOOL",
    "GRANTED",
    "LM",
    "NO",
    "READY_A2",
    "REFUSED",
    "SCREENED",
    "SIGNED",
    "SPECIAL_SCHOOL",
    "YES",
    "decision_form",
    "evaluation_form",
    "screening_form",
]

LM: Final = rules_named("lm-2012-08")
BIRTH_DATE: Final = date(2018, 2, 3)
GENERAL_SCHOOL: Final = SchoolDescribed(
    founder=Founder.MUNICIPALITY,
    kind=SchoolKind.GENERAL,
    state_maintained=False,
    technical_staff_financed=False,
    from_on=date(2020, 9, 1),
)
SPECIAL_SCHOOL: Final = replace(
    GENERAL_SCHOOL, founder=Founder.STATE, kind=SchoolKind.SPECIAL, state_maintained=True, technical_staff_financed=True
)
BENCH: Final = Bench(rules=LM, birth_date=BIRTH_DATE, school=GENERAL_SCHOOL, instruction="Mēneša laikā dibinātājam")
YES: Final = ConfirmationGiven(answer=Answer.YES, wording=1, basis=body(99))
NO: Final = replace(YES, answer=Answer.NO, wording=2)
SIGNED: Final = SignatureValidated(
    level=SignatureLevel.QUALIFIED,
    container=Container.ASIC_E,
    signer_matches=True,
    time_stamped=True,
    signed_on=date(2026, 8, 17),
)
FILED_A1: Final = replace(
    FILED_A2,
    intake=Intake.IN_PERSON,
    variant=Variant.A1,
    attachments=(Attachment.IRP, Attachment.RECOMMENDATION_COPY),
    recommendation_until=date(2027, 8, 31),
)
FILED_ON_PAPER: Final = replace(FILED_B2, intake=Intake.POST)
SCREENED: Final = EligibilityScreened(
    rule_set=1,
    rule_set_version=1,
    as_of=FILED_A2.received_on,
    outcome=EligibilityOutcome.ELIGIBLE,
    reasons=(),
    age=8,
    child_with_disability=Known.YES,
    group=DisabilityGroup.NOT_KNOWN,
    benefit=Known.YES,
    opinion=Known.YES,
    enrolled=Enrolment.HERE,
)
EVALUATED: Final = DocumentsEvaluated(
    kinds=(EvaluatedKind.APPLICATION, EvaluatedKind.DISABILITY_IRP, EvaluatedKind.RECOMMENDATION_COPY),
    complete=True,
    irp_indicates_need=True,
    irp_outstanding=False,
    evaluated_on=date(2026, 8, 20),
)
READY_A2: Final = (FILED_A2, CONSENT, ADDRESS_CHOSEN, REQUESTED_A2, received(YES, answers=4), SIGNED, SCREENED, EVALUATED)
GRANTED: Final = SchoolDecisionMade(
    outcome=DecisionOutcome.GRANTED, grounds=(), rule_set=1, rule_set_version=1, decided_on=date(2026, 8, 28), basis=None
)
REFUSED: Final = replace(GRANTED, outcome=DecisionOutcome.REFUSED, grounds=(DecisionGround.NO_RECOMMENDATION,))


def screening_form(**changes: Any) -> ScreeningInput:
    """Return what is known of the pupil on the day of the application, with fields changed."""
    known: dict[str, Any] = {
        "as_of": FILED_A2.received_on,
        "child_with_disability": Known.YES,
        "group": DisabilityGroup.NOT_KNOWN,
        "benefit": Known.YES,
        "opinion": Known.YES,
        "enrolled": Enrolment.HERE,
    }
    return ScreeningInput(**(known | changes))


def evaluation_form(*kinds: EvaluatedKind, **changes: Any) -> EvaluationInput:
    """Return an evaluation of documents."""
    return EvaluationInput(kinds=kinds, **({"evaluated_on": date(2026, 8, 20)} | changes))


def decision_form(outcome: DecisionOutcome, *grounds: DecisionGround, **changes: Any) -> DecisionInput:
    """Return a decision of 28 August, with fields changed."""
    said: dict[str, Any] = {"decided_on": date(2026, 8, 28), "number": "1-7/12", "reasons": "Pamatojums"}
    return DecisionInput(outcome=outcome, grounds=grounds, **(said | changes))
