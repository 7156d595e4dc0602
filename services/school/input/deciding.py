"""The forms by which a school judges, decides, notifies, and records what became of a contested refusal."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import AfterValidator, model_validator

from services.policy.fields import ActDay, DocumentNumber, FullText
from services.policy.forms import Form, distinct, known
from services.school.input.faults import at, belongs, require, some
from services.school.input.persons import AddressForm
from services.wire.events import (
    DecisionGround,
    DecisionOutcome,
    Delivery,
    DisabilityGroup,
    Enrolment,
    EvaluatedKind,
    Known,
)

__all__ = ["ContestInput", "DecisionInput", "EvaluationInput", "NotificationInput", "RulingInput", "ScreeningInput"]

_PLANS: Final = (EvaluatedKind.SOCIAL_REHABILITATION_PLAN, EvaluatedKind.DISABILITY_IRP)
_BY_POST: Final = (Delivery.REGISTERED, Delivery.ORDINARY)


class ScreeningInput(Form):
    """What is known of the conditions on a day; NotKnown is never a no. The birth date is that of the application."""

    as_of: ActDay
    child_with_disability: Annotated[Known, known(Known)]
    group: Annotated[DisabilityGroup, known(DisabilityGroup)]
    benefit: Annotated[Known, known(Known)]
    opinion: Annotated[Known, known(Known)]
    enrolled: Annotated[Enrolment, known(Enrolment)]


class EvaluationInput(Form):
    """Which documents were evaluated, and whether the plan, of whichever kind, says that an assistant is needed (A4.4, A4.5)."""

    kinds: Annotated[tuple[Annotated[EvaluatedKind, known(EvaluatedKind)], ...], AfterValidator(some)]
    irp_indicates_need: bool | None = None
    evaluated_on: ActDay
    note: FullText | None = None

    @model_validator(mode="after")
    def _plan_is_judged(self) -> Self:
        needed = any(kind in _PLANS for kind in self.kinds)
        require(belongs("irp_indicates_need", self.irp_indicates_need, needed=needed, where="kinds name a plan"))
        return self


class DecisionInput(Form):
    """The school's decision: reasons in words, and for a refusal the grounds; ``instruction`` says how it can be contested."""

    outcome: Annotated[DecisionOutcome, known(DecisionOutcome)]
    grounds: Annotated[tuple[Annotated[DecisionGround, known(DecisionGround)], ...], AfterValidator(distinct)] = ()
    decided_on: ActDay
    number: DocumentNumber
    reasons: FullText
    instruction: FullText | None = None

    @model_validator(mode="after")
    def _grounds_of_a_refusal(self) -> Self:
        needed = self.outcome is DecisionOutcome.REFUSED
        require(belongs("grounds", self.grounds or None, needed=needed, where="outcome is Refused"))
        return self


class NotificationInput(Form):
    """How the decision was sent; a letter has an address."""

    by: Annotated[Delivery, known(Delivery)]
    sent_on: ActDay
    address: AddressForm | None = None

    @model_validator(mode="after")
    def _letter_has_an_address(self) -> Self:
        missing = self.by in _BY_POST and self.address is None
        require(at("is missing; fill it in where by is Registered or Ordinary", "address") if missing else None)
        return self


class ContestInput(Form):
    """A contest of a refusal; ``term_restored`` where it came late and the term was restored, for the reasons in the text."""

    on: ActDay
    term_restored: bool = False
    text: FullText


class RulingInput(Form):
    """What became of a contested refusal, as the one who decided about it wrote."""

    on: ActDay
    text: FullText
