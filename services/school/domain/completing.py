"""What makes an application whole, or ends it without examination: signatures, what is missing, supplements.

Nothing here refuses the service: an application that is not completed is closed, and the requester can apply anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from services.policy.terms import TermName, last_day
from services.post.history import BEFORE, New
from services.school.domain import refusals, refusals_completing
from services.school.domain.allowing import require_going_on, require_undecided
from services.school.domain.case import SchoolCase
from services.school.domain.parts import SchoolState
from services.school.domain.refusals_deciding import DateOrderError
from services.school.domain.standing import is_answered_yes, items_there
from services.school.input import IncompleteInput, SignatureInput, SupplementInput
from services.wire.events import (
    ApplicationFiled,
    ApplicationFoundIncomplete,
    ApplicationFoundIncompletePersonal,
    ApplicationSupplemented,
    ApplicationSupplementedPersonal,
    CaseClosed,
    ClosingCause,
    Intake,
    MissingItem,
    RequestWithdrawn,
    SignatureFault,
    SignatureLevel,
    SignatureRejected,
    SignatureRejectedPersonal,
    SignatureValidated,
    SignatureValidatedPersonal,
)

__all__ = ["GUARDS", "close_unsupplemented", "find_incomplete", "record_signature", "supplement"]

_CAN_BE_RENEWED: Final = frozenset(
    {MissingItem.IRP, MissingItem.RECOMMENDATION_COPY, MissingItem.VALID_RECOMMENDATION, MissingItem.IRP_STATEMENT}
)
"""What may come though nobody asked for it: copies, also newer ones (E04), and with them the switch to a.1 or b.1 (D.5, 1)."""


def record_signature(case: SchoolCase, form: SignatureInput) -> tuple[New, ...]:
    """Return the event of a signature validated or rejected, as the findings say.

    Valid is what is qualified, time-stamped and by the requester (MK 473, 3; domain.md C2); all else is no submission (D.5, 25).
    Raises: SignatureOnPaperError; SignatureRecordedError; as ``require_undecided``.
    """
    _may_record_signature(case)
    fault = form.fault or _fault_found(form)
    if fault is not None:
        rejected = SignatureRejected(reason=fault)
        if case.signature == rejected:
            raise refusals_completing.SignatureRecordedError
        return (New(facts=rejected, personal=SignatureRejectedPersonal(report=form.report)),)
    # The form makes sure of it: without a fault every finding is there.
    level, container, signed_on = form.level, form.container, form.signed_on
    if level is None or container is None or signed_on is None:
        raise ValueError("a signature without a fault has a level, a container and a day")
    facts = SignatureValidated(level=level, container=container, signer_matches=True, time_stamped=True, signed_on=signed_on)
    return (New(facts=facts, personal=SignatureValidatedPersonal(report=form.report)),)


def find_incomplete(case: SchoolCase, form: IncompleteInput) -> tuple[New, ...]:
    """Return the event by which the requester is told what the application lacks, and until when it can be supplied.

    Raises: NotMissingError; FoundIncompleteAlreadyError; DateOrderError; RequestOpenError while the commission has the request;
    as ``require_undecided``.
    """
    _check_day(_may_find_incomplete(case), form.told_on)
    there = items_there(case) & {MissingItem.CONSENT, MissingItem.ADDRESS}
    if known := there.intersection(form.missing):
        raise refusals_completing.NotMissingError(item for item in form.missing if item in known)
    # D.5, 1: the requester is told once.
    if case.found is not None and case.lacking.intersection(case.found.missing) >= frozenset(form.missing):
        raise refusals_completing.FoundIncompleteAlreadyError(case.found.due_on)
    facts = ApplicationFoundIncomplete(missing=form.missing, due_on=last_day(TermName.COMPLETION, form.told_on))
    return (New(facts=facts, personal=ApplicationFoundIncompletePersonal(letter=form.letter)),)


def supplement(case: SchoolCase, form: SupplementInput) -> tuple[New, ...]:
    """Return the event of what was supplied; copies may also come anew, after the decision too, without reopening it (E04).

    Raises: NotAskedForError; SuppliedAlreadyError; DateOrderError; as ``require_going_on``.
    """
    _check_day(require_going_on(case), form.received_on)
    facts = ApplicationSupplemented(
        supplied=form.supplied, received_on=form.received_on, recommendation_until=form.recommendation_until, parts=()
    )
    if case.supplement == facts:
        raise refusals_completing.SuppliedAlreadyError
    # A signature on paper may be supplied where the electronic one was rejected.
    signature = {MissingItem.SIGNATURE} if case.signature_is_valid is False else set()
    wanted = _CAN_BE_RENEWED.union(case.missing, signature)
    if strange := [item for item in form.supplied if item not in wanted]:
        raise refusals_completing.NotAskedForError(strange)
    return (New(facts=facts, personal=ApplicationSupplementedPersonal(content=form.content)),)


def close_unsupplemented(case: SchoolCase, on: date) -> tuple[New, ...]:
    """Return the events by which a case is closed without examination: it was not completed in its term (E07).

    A request that waits for particulars of the pupil is taken back, so that the commission waits for nothing.

    Raises: NotFoundIncompleteError; CompletionRunsError; as ``require_undecided``.
    """
    _may_close(case, on)
    closed = New(facts=CaseClosed(on=on, cause=ClosingCause.NOT_SUPPLEMENTED))
    request = case.request
    if request is None or not request.is_open:
        return (closed,)
    return (closed, New(facts=RequestWithdrawn(basis=BEFORE), in_reply_to=request.body))


def _fault_found(form: SignatureInput) -> SignatureFault | None:
    # Against somebody else's signature first: it could be as qualified as any.
    if not form.signer_matches:
        return SignatureFault.OTHER_SIGNER
    if form.level is not SignatureLevel.QUALIFIED:
        return SignatureFault.NOT_QUALIFIED
    return None if form.time_stamped else SignatureFault.NO_TIME_STAMP


def _may_record_signature(case: SchoolCase) -> None:
    filed = require_undecided(case)
    if filed.intake is not Intake.SIGNED_ELECTRONIC:
        raise refusals_completing.SignatureOnPaperError
    if case.signature_is_valid:
        raise refusals_completing.SignatureRecordedError


def _check_day(filed: ApplicationFiled, day: date) -> None:
    if day < filed.received_on:
        raise DateOrderError("The application", filed.received_on)


def _may_find_incomplete(case: SchoolCase) -> ApplicationFiled:
    filed = require_undecided(case)
    request = case.request
    # The commission has it: only what its answer leaves open, or a pupil whom it does not find, is asked for meanwhile.
    if request is not None and case.is_asked and not (request.not_matched or is_answered_yes(case)):
        raise refusals.RequestOpenError
    return filed


def _may_close(case: SchoolCase, on: date) -> None:
    require_undecided(case)
    if case.found is None or case.state is not SchoolState.INCOMPLETE:
        raise refusals_completing.NotFoundIncompleteError
    if on <= case.found.due_on:
        raise refusals_completing.CompletionRunsError(case.found.due_on)


GUARDS: Final[Mapping[str, Callable[[SchoolCase, date], object]]] = {
    "signature": lambda case, _: _may_record_signature(case),
    "incomplete": lambda case, _: _may_find_incomplete(case),
    "supplement": lambda case, _: require_going_on(case),
    "close": _may_close,
}
"""What each act here asks of a case on a day, before anybody fills in a form."""
