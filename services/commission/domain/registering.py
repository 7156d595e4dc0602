"""Taking up what is asked for: registration, direct applications, returning, linking, more time, and the end of an assessment.

Pure functions from a case to the events of the act; every refusal is a leaf of ``refusals``.
Source: domain.md A.5, D.3, and D.5, 6, 7, 10 and 30.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from services.commission.domain import guards, refusals
from services.commission.domain.case import CommissionCase
from services.commission.domain.closing import closed_with_word
from services.commission.domain.linking import on_the_way
from services.commission.domain.parts import Contest
from services.commission.domain.terms import LONGEST_MONTHS, term_of
from services.commission.input import (
    AddressInput,
    ClosingInput,
    DirectInput,
    ExtensionInput,
    PersonInput,
    RegistrationInput,
    ReturnInput,
)
from services.policy.calendar import add_months
from services.post.history import New
from services.wire.errors import RefusedError
from services.wire.events import (
    Address,
    Asks,
    AssessmentCause,
    AssessmentClosed,
    AssessmentLinked,
    IdentityNotMatched,
    Intake,
    Person,
    RequestRegistered,
    RequestRegisteredPersonal,
    RequestReturned,
    ReturnGround,
    Source,
    TermExtended,
)

__all__ = [
    "close_assessment",
    "extend_term",
    "is_decided_elsewhere",
    "link_assessment",
    "register_direct",
    "register_request",
    "return_request",
    "say_not_matched",
]

_OF_A_SCHOOL: Final = (ReturnGround.NO_APPLICATION_COPY, ReturnGround.NO_CONSENT)


def register_request(case: CommissionCase, form: RegistrationInput, *, pupil: Person | None = None) -> tuple[New, ...]:
    """Return the event of a school's request entered in the register; ``pupil`` is of whom it is, as far as it can be opened.

    Raises: NoRequestError, NoSchoolError, AlreadyRegisteredError.
    """
    request = guards.may_register(case)
    # The day on which the school says it wrote is not compared: a wrong clock there must not keep a request out here.
    facts = RequestRegistered(
        source=Source.SCHOOL, asks=request.facts.asks, intake=Intake.EXCHANGE, received_on=form.received_on, parts=()
    )
    return (New(facts=facts, personal=RequestRegisteredPersonal(register_number=form.register_number, pupil=pupil)),)


def register_direct(case: CommissionCase, form: DirectInput) -> tuple[New, ...]:
    """Return the event of a requester's own application to the commission (A.5, a.1 and b.1, step 1).

    Raises: AlreadyBegunError.
    """
    guards.may_register_direct(case)
    facts = RequestRegistered(
        source=Source.REQUESTER,
        asks=form.asks,
        intake=form.intake,
        received_on=form.received_on,
        requester=form.requester,
        address=form.address.choice,
        address_protected=form.address.protected,
        parts=(),
    )
    personal = RequestRegisteredPersonal(
        register_number=form.register_number,
        pupil=_person(form.pupil),
        representative=_person(form.representative) if form.representative is not None else None,
        contact=form.phone or form.email,
        address=_address(form.address.address),
        check_digit_note=_check_digit_note(form),
    )
    return (New(facts=facts, personal=personal),)


def return_request(case: CommissionCase, form: ReturnInput) -> tuple[New, ...]:
    """Return the events of a request that cannot be taken up; a school is told the grounds, an author by letter (D.3).

    Raises: NoRequestError, NotRegisteredError, ClosedError, WithdrawnError, NotIdentifiedError, LinkedError,
    AlreadyDecidedError; ReturnGroundError for grounds that a direct application cannot have.
    """
    registered = guards.may_return(case)
    if case.request is not None:
        facts = RequestReturned(grounds=form.grounds, basis=registered)
        closed = AssessmentClosed(cause=AssessmentCause.RETURNED)
        return (New(facts=facts, in_reply_to=case.request.body), New(facts=closed))
    # A.5, a.1 and b.1: whoever applies alone needs no school's copy, and consents by applying.
    if any(ground in _OF_A_SCHOOL for ground in form.grounds):
        raise refusals.ReturnGroundError
    return (New(facts=AssessmentClosed(cause=AssessmentCause.RETURNED, grounds=form.grounds)),)


def say_not_matched(case: CommissionCase) -> tuple[New, ...]:
    """Return the event that tells a school that nobody was found; its correction brings the case back (D.5, 10; E16).

    Raises: as ``return_request``; NoSchoolError, NotMatchedAlreadyError.
    """
    request, registered = guards.may_say_not_matched(case)
    # By what nobody was found: a school that corrects it meanwhile sees that this is not about its correction.
    sought_by = case.corrections[-1].body if case.corrections else request.body
    return (New(facts=IdentityNotMatched(basis=registered), in_reply_to=sought_by),)


def link_assessment(case: CommissionCase, *, primary: CommissionCase) -> tuple[New, ...]:
    """Return the event that makes the assessment of an earlier case, or of one that was decided first, that of this one too.

    Two requests about one pupil have one assessment (D.5, 6; E13); what has happened of it by now follows. That both are of one
    pupil is for the caller, who can open what is personal.
    Raises: as ``return_request``; LinkedAlreadyError, LinkOrderError, LinkAsksError.
    """
    guards.may_link(case)
    here, there, named_by = case.registered, primary.registered, primary.named_by
    # The earlier valid application is assessed; one that is over or linked itself has no assessment to share, and what
    # cannot be sent from there would never come.
    is_over = primary.is_kept_back or (primary.is_request_over and primary.standing is None)
    if here is None or there is None or named_by is None or is_over or primary.linked is not None or primary.ending is not None:
        raise refusals.LinkOrderError
    # One that came later and was decided first, while nobody was found by this one, has the one recommendation (D.5, 6 and 10).
    if here.received_on < there.received_on and primary.outcome is None:
        raise refusals.LinkOrderError
    # D.3: in b.2 a yes needs the plan, which only its own assessment makes.
    if case.asks is Asks.IRP_AND_RECOMMENDATION and primary.asks is not case.asks:
        raise refusals.LinkAsksError
    return (New(facts=AssessmentLinked(primary=named_by)), *on_the_way(replace(case, linked=named_by, primary=primary)))


def is_decided_elsewhere(case: CommissionCase, other: CommissionCase) -> bool:
    """Tell whether the one assessment of two requests about a pupil was made in another case since this one came.

    Then this one is linked to that, and decides nothing by itself (D.5, 6; E13); a request that came after an outcome was issued
    is another matter, as a renewal is, and so is one that cannot be linked. That both are of one pupil is for the caller.
    """
    here, outcome = case.registered, other.outcome
    if here is None or outcome is None or outcome.facts.issued_on < here.received_on:
        return False
    try:
        link_assessment(case, primary=other)
    except RefusedError:
        return False
    return True


def extend_term(case: CommissionCase, form: ExtensionInput) -> tuple[New, ...]:
    """Return the event of a longer term, four months from receipt at most (L-9).

    Raises: NoRequestError, NotRegisteredError, ClosedError, WithdrawnError, TermNotRunningError, TermTooLongError,
    TermNotLongerError.
    """
    registered = guards.may_extend(case)
    if form.until > add_months(registered.received_on, LONGEST_MONTHS):
        raise refusals.TermTooLongError
    if form.until <= term_of(case, registered):
        raise refusals.TermNotLongerError
    return (New(facts=TermExtended(until=form.until, cause=form.cause)),)


def close_assessment(case: CommissionCase, form: ClosingInput) -> tuple[New, ...]:
    """Return the events of an assessment that is done; a school that waits for an answer is told that none will come.

    Raises: NoRequestError, ClosedError, ContestedError; CloseCauseError, NotSentError.
    """
    guards.may_close(case)
    _shows(case, form.cause)
    return closed_with_word(case, form.cause)


def _shows(case: CommissionCase, cause: AssessmentCause) -> None:
    """Raise unless the case shows the cause, and nothing issued lies unsent (A.5, step 4)."""
    # D.5, 30: closed whatever was under way, and nothing is sent any more.
    if cause is AssessmentCause.DIED:
        return
    # A refusal that was set aside is decided anew first, and the answer that rests on it corrected; so also where both are of the
    # earlier case.
    is_set_aside = case.decided is not None and case.decided.contest is Contest.SET_ASIDE
    is_answered = case.answer is not None and not case.is_answer_stale and not is_set_aside
    # Of a linked case what was issued goes out with the earlier one (E13).
    is_sent = case.dispatch is not None or case.linked is not None
    shown = {
        AssessmentCause.ANSWERED: is_answered,
        AssessmentCause.DISPATCHED: case.is_direct and is_sent,
        # Also where a no was given and set aside: nobody waits for the decision that would take its place.
        AssessmentCause.WITHDRAWN: case.withdrawn and (case.answer is None or case.outcome is None),
        AssessmentCause.NOT_IDENTIFIED: case.not_matched or (case.is_direct and case.examination is None),
    }
    if not shown[cause]:
        raise refusals.CloseCauseError
    # D.5, 19: what is held after a withdrawal has nobody left at the school who would say where to send it.
    is_held = case.is_on_hold and case.withdrawn
    if case.outcome is not None and case.ending is None and case.dispatch is None and not is_held:
        raise refusals.NotSentError


def _check_digit_note(form: DirectInput) -> str | None:
    """Return who compared a code whose check digit does not fit, and with what; None where nobody had to (domain.md C2)."""
    named = {"pupil": form.pupil, "representative": form.representative}
    notes = (f"{who}: {each.check_digit_override}" for who, each in named.items() if each and each.check_digit_override)
    return "; ".join(notes) or None


def _person(form: PersonInput) -> Person:
    return Person(
        given_name=form.given_name,
        family_name=form.family_name,
        personal_code=form.personal_code,
        declared_address=_address(form.declared_address),
    )


def _address(form: AddressInput) -> Address:
    return Address(text=form.text, postal_code=form.postal_code, varis_code=form.varis_code)
