"""A school's case as it stands after its events: the value that acts decide on, and what can be asked of it.

How events make it is for ``case``; where it stands is worked out in ``standing``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from services.policy.terms import warned_on
from services.school.domain.changes import Changes
from services.school.domain.parts import ENDED, ChosenAddress, Decision, Request, SchoolState
from services.school.domain.service import Assistance
from services.school.domain.standing import decision_that_stands, missing_items, state_of
from services.wire.events import (
    Answer,
    ApplicationFiled,
    ApplicationFoundIncomplete,
    ApplicationSupplemented,
    ClosingCause,
    DeadlineName,
    DeadlinePassed,
    DecisionOutcome,
    DocumentsEvaluated,
    EligibilityScreened,
    MissingItem,
    SignatureRejected,
    SignatureValidated,
    Variant,
)
from services.wire.hashing import Digest

__all__ = ["SchoolCase"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolCase:
    """The folded case: facts only.

    ``application_body`` and ``consent_body`` name the events that a request rests on; ``variant`` is the route as it was chosen
    last. ``copy_until`` is the last day of the recommendation whose copy came last, None if it has none; ``is_renewed``: it is
    another one than that by which the case came. ``address_protected`` holds until another address is chosen, also where whoever
    chose it is the requester no longer. What was said of consent and address before ``consent_ended_on`` and ``address_ended_on``
    counts no more: the consent was withdrawn, or another represents the pupil.

    ``lacking`` is what a clerk or the commission said is missing and has not come since, ``supplied`` what came; ``found`` is the
    newest letter about it. ``signature_is_valid`` is None where no signature was checked. ``ready_since`` is the day from which
    the school has to decide. ``left_alone_on`` is when the application whose duplicate this one is came to nothing: it is seen
    where a case is looked at (``duplicates``), and never folded.
    """

    application: ApplicationFiled | None = None
    application_body: Digest | None = None
    variant: Variant | None = None
    exception_declared: bool = False
    signature_is_valid: bool | None = None
    signature: SignatureValidated | SignatureRejected | None = None
    consent_body: Digest | None = None
    consented_on: date | None = None
    consent_ended_on: date | None = None
    address: ChosenAddress | None = None
    address_ended_on: date | None = None
    address_protected: bool = False
    found: ApplicationFoundIncomplete | None = None
    supplement: ApplicationSupplemented | None = None
    lacking: frozenset[MissingItem] = frozenset()
    supplied: frozenset[MissingItem] = frozenset()
    screenings: tuple[EligibilityScreened, ...] = ()
    evaluated: DocumentsEvaluated | None = None
    duplicate_of: Digest | None = None
    requests: tuple[Request, ...] = ()
    decisions: tuple[Decision, ...] = ()
    closed: ClosingCause | None = None
    closed_on: date | None = None
    left_alone_on: date | None = None
    withdrawn_on: date | None = None
    left_on: date | None = None
    ready_since: date | None = None
    copy_until: date | None = None
    is_renewed: bool = False
    passed: tuple[DeadlinePassed, ...] = ()
    service: Assistance = field(default_factory=Assistance)
    changes: Changes = field(default_factory=Changes)

    @property
    def request(self) -> Request | None:
        """Return the request by which the case stands: the newest that the commission holds or has answered, if there is one.

        A second one beside it, which the commission has to refuse, must not make the first look as if it were none.
        """
        standing = [each for each in self.requests if each.counts]
        return next(reversed(standing or self.requests), None)

    @property
    def is_asked(self) -> bool:
        """Tell whether the commission holds a request or has answered one; refused, returned and closed ones do not count.

        Nor one that was withdrawn with a refusal that was set aside since: the commission takes another one at once (D.3).
        """
        return self.request is not None and self.request.counts and not self.request.is_given_up

    @property
    def missing(self) -> tuple[MissingItem, ...]:
        """Return what the application lacks."""
        return missing_items(self)

    @property
    def decision(self) -> Decision | None:
        """Return the decision that stands, if there is one."""
        return decision_that_stands(self)

    @property
    def service_state(self) -> SchoolState | None:
        """Return where the service stands, None before there is one."""
        service = self.service
        if service.ended_on is not None:
            return SchoolState.ENDED
        if service.agreements:
            return SchoolState.SUSPENDED if service.is_suspended else SchoolState.ACTIVE
        is_granted = self.decision is not None and not self.decision.is_refusal
        return SchoolState.AGREEMENT_PENDING if is_granted and service.proposals else None

    @property
    def rule_set(self) -> int | None:
        """Return the number of the rules that this case is judged by, once it was: it never changes under others."""
        if self.screenings:
            return self.screenings[0].rule_set
        return self.decisions[0].facts.rule_set if self.decisions else None

    @property
    def state(self) -> SchoolState:
        """Return where the case stands."""
        return state_of(self)

    @property
    def flags(self) -> tuple[str, ...]:
        """Return what a grant, or the way to it, has to be looked at again for; none of it changes anything by itself.

        ``AnswerCorrected``: the yes behind a grant became a no. ``BasisEnded``: the recommendation was revoked or is over
        (domain.md D.5, 12 and 13). ``BasisEndsSoon``: it will be over in the time of the warning.
        """
        is_granted = self.decision is not None and self.decision.facts.outcome is DecisionOutcome.GRANTED
        state = self.state
        if state in ENDED or (not is_granted and state is not SchoolState.READY_FOR_DECISION):
            return ()
        request, until = self.request, self.copy_until
        told = [each.due_on for each in self.passed if each.deadline is DeadlineName.RECOMMENDATION_EXPIRY]
        # What was told of a recommendation that another one has renewed since is told no more.
        over = [day for day in told if until is not None and day in (until, warned_on(until))]
        is_ended = self.answer_ended_on is not None or until in over
        raised = {
            "AnswerCorrected": is_granted and request is not None and request.answer is Answer.NO,
            "BasisEnded": is_ended,
            "BasisEndsSoon": bool(over) and not is_ended,
        }
        return tuple(flag for flag, is_raised in raised.items() if is_raised)

    @property
    def answer_ended_on(self) -> date | None:
        """Return from when the commission's yes holds no longer, None while it does, or where a newer recommendation came since.

        What ends is the recommendation that was answered: one that was renewed, before its end or after, is another (D.5, 12).
        """
        return self.request.ended_on if self.request is not None and not self.is_renewed else None

    def basis_holds(self, on: date) -> bool:
        """Tell whether nothing is known by which the recommendation would be over on a day (domain.md D.5, 12 and 13)."""
        ended_on = self.answer_ended_on
        return not (ended_on is not None and ended_on <= on) and not (self.copy_until is not None and self.copy_until < on)
