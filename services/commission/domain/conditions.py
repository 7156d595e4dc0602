"""What several guards ask of a case alike: each returns, or raises the rule that says no."""

from __future__ import annotations

from services.commission.domain import refusals
from services.commission.domain.case import CommissionCase
from services.commission.domain.parts import Request, Sent
from services.wire.events import AssessmentCause, ExpertiseFileExamined, RequestRegistered
from services.wire.hashing import Digest

__all__ = [
    "asked_by_school",
    "assessable",
    "begun",
    "dispatched",
    "examined",
    "examined_for_pupil",
    "letters_go_out",
    "never_decided",
    "of_the_living",
    "open_still",
    "registered",
    "undecided",
]


def begun(case: CommissionCase) -> None:
    """Return if there is a request or a direct application."""
    if not case.is_begun:
        raise refusals.NoRequestError


def asked_by_school(case: CommissionCase) -> Request:
    """Return the request of the school that waits for an answer."""
    begun(case)
    if case.request is None:
        raise refusals.NoSchoolError
    return case.request


def registered(case: CommissionCase) -> tuple[RequestRegistered, Digest]:
    """Return the registration and the event that holds it."""
    begun(case)
    if case.registered is None or case.registered_body is None:
        raise refusals.NotRegisteredError
    return case.registered, case.registered_body


def open_still(case: CommissionCase) -> None:
    """Return if nothing has ended it. D.3: nothing goes on in what is closed; D.5, 7: nor on what was withdrawn."""
    if case.closed is not None:
        raise refusals.ClosedError
    if case.withdrawn:
        raise refusals.WithdrawnError


def assessable(case: CommissionCase) -> Digest:
    """Return the registration of an assessment that is made here and now."""
    _, body = registered(case)
    open_still(case)
    # D.5, 10: no fishing by name; D.5, 6: one assessment of one pupil.
    if case.not_matched:
        raise refusals.NotIdentifiedError
    if case.linked is not None:
        raise refusals.LinkedError
    return body


def undecided(case: CommissionCase) -> None:
    """Return if nothing is decided: one recommendation or refusal a case, and what is to be changed has acts of its own."""
    is_ended_unanswered = case.ending is not None and case.answer is None
    if case.outcome is not None and not is_ended_unanswered:
        raise refusals.AlreadyDecidedError


def never_decided(case: CommissionCase) -> None:
    """Return if nothing was decided or answered, also where a refusal was set aside since."""
    if case.answer is not None:
        raise refusals.AlreadyAnsweredError
    undecided(case)


def examined(case: CommissionCase) -> ExpertiseFileExamined:
    """Return the examination of an assessment that is made here and not decided yet."""
    begun(case)
    undecided(case)
    if case.examination is None:
        # In the order of the work: what is over or not registered yet is told before.
        if case.registered_body is not None:
            assessable(case)
        raise refusals.NotExaminedError
    assessable(case)
    return case.examination


def examined_for_pupil(case: CommissionCase) -> ExpertiseFileExamined:
    """Return the same, where it was made by what the school says of the pupil now (D.5, 9 and 10)."""
    examination = examined(case)
    # By a mistyped code it may have been another child's file.
    if not case.rechecked:
        raise refusals.ExaminedBeforeError
    return examination


def dispatched(case: CommissionCase) -> Sent:
    """Return what was sent last."""
    begun(case)
    if case.dispatch is None:
        raise refusals.NotDispatchedError
    return case.dispatch


def of_the_living(case: CommissionCase) -> None:
    """Return if the pupil lives. D.5, 30: closed with the least data; no letter goes out, and nothing is decided any more."""
    if case.closed is AssessmentCause.DIED:
        raise refusals.ClosedError


def letters_go_out(case: CommissionCase, *, is_confirmed: bool) -> None:
    """Return if anything may be sent at all (D.5, 19 and 30)."""
    of_the_living(case)
    # D.5, 30: whichever school told of it, the letter is to the same family.
    if case.died_elsewhere:
        raise refusals.DiedElsewhereError
    # D.5, 19: nothing goes to a former representative.
    if case.is_on_hold:
        raise refusals.DispatchOnHoldError
    # D.5, 19 and 30; E13: the one letter waits for the word of every school that it is for. Where the other school never takes
    # its word back, whoever applied here must not wait for ever: a person asks them.
    if case.held_elsewhere and not is_confirmed:
        died = all(each.case.closed is AssessmentCause.DIED for each in case.held_elsewhere)
        raise refusals.DispatchOnHoldError(is_elsewhere=True, may_have_died=died)
