"""The agreement of requester, assistant and school, its amendments, and the pauses and the end of the service (A3.5, A6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Final

from services.policy.hours import Agreed, most_hours_per_week, week_is_within, weekly_cap
from services.policy.rules import InstitutionKind, Rules
from services.post.history import New
from services.school.domain import refusals_changing, refusals_serving
from services.school.domain.allowing import require_going_on, require_granted
from services.school.domain.assistants import require_evidence
from services.school.domain.folded import SchoolCase
from services.school.domain.parts import Decision
from services.school.input import AgreementForm, AmendmentForm, ServiceForm
from services.wire.events import (
    AgreementAmended,
    AgreementAmendedPersonal,
    AgreementConcluded,
    AgreementConcludedPersonal,
    Answer,
    MissingItem,
    Party,
    ServiceEnded,
    ServiceEndedPersonal,
    ServiceResumed,
    ServiceResumedPersonal,
    ServiceSuspended,
    ServiceSuspendedPersonal,
)

__all__ = ["GUARDS", "Conditions", "amend_agreement", "conclude_agreement", "end_service", "resume_service", "suspend_service"]

_PARTIES: Final = (Party.REQUESTER, Party.ASSISTANT, Party.SCHOOL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What an agreement is held against besides its case.

    ``rules`` of the day of the agreement; ``kind`` of the school, None if nobody has described it; ``others`` are the hours of
    the pupil's agreements in other cases of this school; ``strict_experience`` as the setting says.
    """

    rules: Rules
    kind: InstitutionKind | None
    others: tuple[Agreed, ...] = ()
    strict_experience: bool = False


def conclude_agreement(case: SchoolCase, form: AgreementForm, conditions: Conditions, *, number: int) -> tuple[New, ...]:
    """Return the event of an agreement concluded; ``number`` is the school's next running number.

    Raises: a leaf of the refusals for the first condition that is not met.
    """
    decided = _may_conclude(case)
    facts = _terms(form, number)
    for standing in case.service.agreements:
        if asdict(replace(facts, agreement=standing.number)) == asdict(standing.newest):
            raise refusals_serving.AgreementStandsError(standing.number)
    _check_terms(case, form, conditions, others=case.service.agreed)
    _check_order(form, decided)
    # D.5, 12 and 13: from its end on no new agreement rests on a recommendation; one that runs is for the school to decide on.
    answered_no = case.request is not None and case.request.answer is Answer.NO
    if answered_no or not case.basis_holds(max(form.from_on, form.concluded_on)):
        raise refusals_serving.BasisLostError
    return (New(facts=facts, personal=AgreementConcludedPersonal(text=form.text)),)


def amend_agreement(case: SchoolCase, form: AmendmentForm, conditions: Conditions) -> tuple[New, ...]:
    """Return the event of an agreement amended, or its assistant replaced; it is checked like a new one, but for its basis.

    Raises: AgreementUnknownError; AgreementStandsError; as ``conclude_agreement``.
    """
    decided = _may_amend(case)
    agreement = case.service.agreement(form.agreement)
    if agreement is None:
        raise refusals_serving.AgreementUnknownError(form.agreement)
    facts = AgreementAmended(**asdict(_terms(form, form.agreement)))
    if asdict(facts) == asdict(agreement.newest):
        raise refusals_serving.AgreementStandsError(form.agreement)
    # The versions before hold until this one does: they count for the days before it.
    kept = replace(agreement, versions=(*agreement.versions, facts)).agreed()
    before = tuple(each for each in kept if each.valid_from < form.from_on)
    _check_terms(case, form, conditions, others=(*case.service.agreed_but(form.agreement), *before))
    _check_order(form, decided)
    return (New(facts=facts, personal=AgreementAmendedPersonal(text=form.text)),)


def suspend_service(case: SchoolCase, form: ServiceForm) -> tuple[New, ...]:
    """Return the event of a service that stands still.

    Raises: as ``require_going_on``; NoAgreementError; BeforeServiceError; SuspendedAlreadyError.
    """
    _check_begun(form, _may_suspend(case))
    return (New(facts=ServiceSuspended(on=form.on, cause=form.cause), personal=ServiceSuspendedPersonal(note=form.note)),)


def resume_service(case: SchoolCase, form: ServiceForm) -> tuple[New, ...]:
    """Return the event of a service that goes on.

    Raises: as ``require_going_on``; NoAgreementError; NotSuspendedError; ResumedBeforeSuspendedError.
    """
    since = _may_resume(case)
    if form.on < since:
        raise refusals_serving.ResumedBeforeSuspendedError(since)
    return (New(facts=ServiceResumed(on=form.on, cause=form.cause), personal=ServiceResumedPersonal(note=form.note)),)


def end_service(case: SchoolCase, form: ServiceForm) -> tuple[New, ...]:
    """Return the event of a service that ends, also one that stands still.

    Raises: as ``require_going_on``; NoAgreementError; BeforeServiceError.
    """
    _check_begun(form, _may_end(case))
    return (New(facts=ServiceEnded(on=form.on, cause=form.cause), personal=ServiceEndedPersonal(note=form.note)),)


def _terms(form: AgreementForm, number: int) -> AgreementConcluded:
    return AgreementConcluded(
        agreement=number,
        assistant=form.assistant,
        hours_per_week=form.hours_per_week,
        duties=form.duties,
        other_duties=form.other_duties,
        from_on=form.from_on,
        until_on=form.until_on,
        signed_by=form.signed_by,
        concluded_on=form.concluded_on,
        parts=(),
    )


def _may_conclude(case: SchoolCase) -> Decision:
    """Return the decision to grant. Whoever came of age meanwhile signs, and is judged as of age (D.5, 21)."""
    decided = require_granted(case)
    if MissingItem.SIGNATURE in case.lacking:
        raise refusals_changing.PupilUnconfirmedError
    if case.changes.needs_screening:
        raise refusals_changing.ScreeningNeededError
    return decided


def _may_amend(case: SchoolCase) -> Decision:
    """Return the decision to grant."""
    decided = _may_conclude(case)
    if not case.service.agreements:
        raise refusals_serving.NoAgreementError
    return decided


def _check_order(form: AgreementForm, decided: Decision) -> None:
    # A3.5: decides, then concludes; and nobody is assisted, or paid for it, from a day on which nothing was granted.
    if min(form.concluded_on, form.from_on) < decided.facts.decided_on:
        raise refusals_serving.AgreementBeforeDecisionError(decided.facts.decided_on)


def _check_terms(case: SchoolCase, form: AgreementForm, conditions: Conditions, *, others: tuple[Agreed, ...]) -> None:
    require_evidence(case, form.assistant, conditions.rules, strict_experience=conditions.strict_experience)
    # A3.5: three sign.
    missing = [party.value for party in _PARTIES if party not in form.signed_by]
    if missing:
        raise refusals_serving.SignaturesMissingError(" and ".join(missing))
    # A6.a to A6.g, A6.i: what the assistant does for this pupil.
    if not form.duties and not form.other_duties:
        raise refusals_serving.DutiesMissingError
    _check_hours(form, conditions, others)


def _check_hours(form: AgreementForm, conditions: Conditions, others: tuple[Agreed, ...]) -> None:
    """Check the sum over all agreements of the pupil at this school that hold on one day (A6.h; D.5, 28)."""
    own = Agreed(hours_per_week=form.hours_per_week, valid_from=form.from_on, valid_until=form.until_on)
    together = (*conditions.others, *others, own)
    within = week_is_within(conditions.rules, together, conditions.kind)
    if within is None:
        raise refusals_serving.SchoolNotDescribedError
    if not within:
        cap = weekly_cap(conditions.rules, conditions.kind or InstitutionKind.OTHER)
        raise refusals_serving.TooManyHoursError(most_hours_per_week(together), cap)


def _may_end(case: SchoolCase) -> date:
    """Return the day on which the service begins."""
    require_going_on(case)
    if not case.service.agreements:
        raise refusals_serving.NoAgreementError
    return min(each.versions[0].from_on for each in case.service.agreements)


def _may_suspend(case: SchoolCase) -> date:
    begins = _may_end(case)
    if case.service.is_suspended:
        raise refusals_serving.SuspendedAlreadyError
    return begins


def _may_resume(case: SchoolCase) -> date:
    """Return the day on which the service was suspended."""
    _may_end(case)
    if not case.service.is_suspended:
        raise refusals_serving.NotSuspendedError
    return case.service.pauses[-1].on


def _check_begun(form: ServiceForm, begins: date) -> None:
    if form.on < begins:
        raise refusals_serving.BeforeServiceError(begins)


GUARDS: Final[Mapping[str, Callable[[SchoolCase, date], object]]] = {
    "conclude": lambda case, _: _may_conclude(case),
    "amend": lambda case, _: _may_amend(case),
    "suspend": lambda case, _: _may_suspend(case),
    "resume": lambda case, _: _may_resume(case),
    "end-service": lambda case, _: _may_end(case),
}
"""What each act here asks of a case on a day, before anybody fills in a form."""
