"""How a school's case comes about from its history: what each event means to it, from the application to the contest.

Folding is total: whatever was accepted once stays loadable, in whatever order it stands; every refusal is made before, by the
acts and in ``receiving``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, Final

from services.post.history import Recorded, Standing
from services.school.domain.changes import evolve_changes
from services.school.domain.folded import SchoolCase
from services.school.domain.parts import ASKING, MATCHED, ChosenAddress, Decision, Request, SchoolState
from services.school.domain.service import evolve_service
from services.school.domain.standing import not_needed_by
from services.wire.events import (
    ApplicationFiled,
    ApplicationFoundIncomplete,
    ApplicationSupplemented,
    ApplicationWithdrawn,
    AttendanceRequired,
    CaseClosed,
    ConfirmationCorrected,
    ConfirmationEnded,
    ConfirmationGiven,
    ConsentRecorded,
    ConsentWithdrawn,
    DeadlinePassed,
    DecisionNotified,
    DeliveryAddressChanged,
    DeliveryAddressChosen,
    DocumentsEvaluated,
    DuplicateLinked,
    DuplicateReopened,
    EligibilityScreened,
    IdentityNotMatched,
    InformationRequested,
    MissingItem,
    PersonDataCorrected,
    PupilCameOfAge,
    PupilLeftSchool,
    RefusalContested,
    RefusalSetAside,
    RefusalUpheld,
    Rejected,
    ReminderSent,
    RepresentativeChanged,
    RequestClosed,
    RequestCorrected,
    RequestReturned,
    RequestWithdrawn,
    ReturnGround,
    SchoolDecisionMade,
    SignatureRejected,
    SignatureValidated,
    VariantChosen,
)
from services.wire.hashing import Digest

__all__ = ["ASKING", "ChosenAddress", "Request", "SchoolCase", "SchoolState", "evolve", "fold"]

_TO_DECIDE: Final = (SchoolState.READY_FOR_DECISION, SchoolState.NEGATIVE_ANSWER, SchoolState.NOT_ELIGIBLE_AT_INTAKE)
_RETURNED_FOR: Final = {
    ReturnGround.UNSIGNED: MissingItem.SIGNATURE,
    ReturnGround.NOT_LATVIAN: MissingItem.LANGUAGE,
    ReturnGround.NO_CONSENT: MissingItem.CONSENT,
    ReturnGround.NO_ADDRESS: MissingItem.ADDRESS,
}
"""What the application lacks where a request is returned; a copy of it that was left out is the school's to send again."""


def fold(history: Sequence[Recorded]) -> SchoolCase:
    """Return the case after its accepted events; refused, parked and voided ones count for nothing."""
    return reduce(evolve, (event for event in history if event.standing is Standing.ACCEPTED), SchoolCase())


def evolve(case: SchoolCase, event: Recorded) -> SchoolCase:
    """Return the case after one accepted event; an event that means nothing to it leaves it as it is."""
    service, changes = evolve_service(case.service, event), evolve_changes(case.changes, event)
    if service is not case.service or changes is not case.changes:
        case = replace(case, service=service, changes=changes)
    step = _EVOLVE.get(type(event.facts))
    if step is None:
        return case
    after = step(case, event.facts, event)
    since = (case.ready_since or event.recorded_on) if after.state in _TO_DECIDE else None
    return replace(after, ready_since=since) if since != after.ready_since else after


def _filed(case: SchoolCase, facts: ApplicationFiled, event: Recorded) -> SchoolCase:
    return replace(
        case,
        application=facts,
        application_body=event.body,
        variant=facts.variant,
        exception_declared=facts.exception_declared,
        copy_until=facts.recommendation_until,
    )


def _variant_chosen(case: SchoolCase, facts: VariantChosen, _: Recorded) -> SchoolCase:
    # What only the other route needs is asked for no longer; the documents are evaluated anew by this one (A3.4).
    return replace(
        case,
        variant=facts.variant,
        exception_declared=case.exception_declared or facts.exception_declared,
        lacking=case.lacking - not_needed_by(facts.variant),
        evaluated=None,
    )


def _validated(case: SchoolCase, facts: SignatureValidated, _: Recorded) -> SchoolCase:
    return replace(case, signature=facts, signature_is_valid=True, lacking=case.lacking - {MissingItem.SIGNATURE})


def _signature_rejected(case: SchoolCase, facts: SignatureRejected, _: Recorded) -> SchoolCase:
    return replace(case, signature=facts, signature_is_valid=False)


def _consented(case: SchoolCase, facts: ConsentRecorded, event: Recorded) -> SchoolCase:
    return replace(case, consent_body=event.body, consented_on=facts.received_on, lacking=case.lacking - {MissingItem.CONSENT})


def _consent_withdrawn(case: SchoolCase, facts: ConsentWithdrawn, _: Recorded) -> SchoolCase:
    # It stops further requests and undoes none (domain.md C3): what was asked stays asked.
    return replace(case, consent_body=None, consent_ended_on=facts.received_on)


def _address_chosen(case: SchoolCase, facts: DeliveryAddressChosen, event: Recorded) -> SchoolCase:
    chosen = ChosenAddress(
        body=event.body, kind=facts.address, protected=facts.address_protected, confirmed_on=facts.confirmed_on
    )
    return replace(case, address=chosen, address_protected=chosen.protected, lacking=case.lacking - {MissingItem.ADDRESS})


def _found_incomplete(case: SchoolCase, facts: ApplicationFoundIncomplete, _: Recorded) -> SchoolCase:
    missing = frozenset(facts.missing)
    return replace(case, found=facts, lacking=case.lacking | missing, supplied=case.supplied - missing)


def _supplemented(case: SchoolCase, facts: ApplicationSupplemented, _: Recorded) -> SchoolCase:
    items = frozenset(facts.supplied)
    # A signature on paper heals what the electronic one lacked; new documents are to be evaluated (A3.4).
    signed = None if MissingItem.SIGNATURE in items else case.signature_is_valid
    renews = MissingItem.VALID_RECOMMENDATION in items
    # Another copy of the same recommendation that says nothing of its end leaves the end that is known.
    until = facts.recommendation_until if renews else facts.recommendation_until or case.copy_until
    return replace(
        case,
        supplement=facts,
        copy_until=until,
        is_renewed=case.is_renewed or renews,
        signature_is_valid=signed,
        lacking=case.lacking - items,
        supplied=case.supplied | items,
        evaluated=None,
    )


def _screened(case: SchoolCase, facts: EligibilityScreened, _: Recorded) -> SchoolCase:
    return replace(case, screenings=(*case.screenings, facts))


def _evaluated(case: SchoolCase, facts: DocumentsEvaluated, _: Recorded) -> SchoolCase:
    indication = {MissingItem.IRP_INDICATION}
    # A plan without the indication leaves the application incomplete (A4.5; domain.md D.5, 24).
    lacking = case.lacking | indication if facts.irp_indicates_need is False else case.lacking - indication
    return replace(case, evaluated=facts, lacking=lacking)


def _linked(case: SchoolCase, facts: DuplicateLinked, _: Recorded) -> SchoolCase:
    return replace(case, duplicate_of=facts.primary)


def _reopened(case: SchoolCase, _facts: DuplicateReopened, _: Recorded) -> SchoolCase:
    # A term to complete it ran while nobody could: what is lacking is told once more, with a term of its own (D.5, 1; E07).
    return replace(case, duplicate_of=None, found=None)


def _requested(case: SchoolCase, facts: InformationRequested, event: Recorded) -> SchoolCase:
    told = case.address.body if case.address is not None else None
    return replace(case, requests=(*case.requests, Request(body=event.body, facts=facts, address_told=told)))


def _answered(case: SchoolCase, facts: ConfirmationGiven, event: Recorded) -> SchoolCase:
    return _amend(case, event.in_reply_to, answer=facts.answer, answer_body=event.body)


def _answer_corrected(case: SchoolCase, facts: ConfirmationCorrected, event: Recorded) -> SchoolCase:
    # By the answer that it corrects; whatever ended with the earlier one has ended with it.
    request = next((each for each in case.requests if each.answer_body == facts.corrects), None)
    body = request.body if request is not None else None
    return _amend(case, body, answer=facts.answer, answer_body=event.body, is_corrected=True, ended_on=None)


def _ended(case: SchoolCase, facts: ConfirmationEnded, event: Recorded) -> SchoolCase:
    return _amend(case, event.in_reply_to, ended_on=facts.ended_on)


def _attendance_required(case: SchoolCase, _: AttendanceRequired, event: Recorded) -> SchoolCase:
    return _amend(case, event.in_reply_to, attendance_required=True)


def _not_matched(case: SchoolCase, _: IdentityNotMatched, event: Recorded) -> SchoolCase:
    request = next((each for each in case.requests if event.in_reply_to in (each.body, *each.corrections)), None)
    if request is None:
        return case
    # It names the newest word that it knew. One that crossed a correction of the pupil is answered by that already (D.5, 10); who
    # asks, and how they are reached, is no answer to it.
    words = (request.body, *request.corrections)
    if words.index(event.in_reply_to) < words.index(request.sought_by or request.body):
        return case
    amended = _amend(case, request.body, not_matched=True)
    return replace(amended, lacking=case.lacking | {MissingItem.IDENTITY})


def _returned(case: SchoolCase, facts: RequestReturned, event: Recorded) -> SchoolCase:
    lacking = {_RETURNED_FOR[ground] for ground in facts.grounds if ground in _RETURNED_FOR}
    amended = _amend(case, event.in_reply_to, is_returned=True)
    return replace(
        amended,
        lacking=case.lacking | lacking,
        supplied=case.supplied - lacking,
        # What the commission found no word of has to be said anew, and not only to be there.
        consent_body=None if MissingItem.CONSENT in lacking else case.consent_body,
        address=None if MissingItem.ADDRESS in lacking else case.address,
    )


def _closed_by_commission(case: SchoolCase, _: RequestClosed, event: Recorded) -> SchoolCase:
    return _amend(case, event.in_reply_to, is_closed=True)


def _rejected(case: SchoolCase, facts: Rejected, event: Recorded) -> SchoolCase:
    return case if event.own else _amend(case, event.in_reply_to, rejected=facts.code)


def _reminded(case: SchoolCase, facts: ReminderSent, event: Recorded) -> SchoolCase:
    return _amend(case, event.in_reply_to, reminders=facts.number, reminded_on=event.recorded_on)


def _address_changed(case: SchoolCase, facts: DeliveryAddressChanged, event: Recorded) -> SchoolCase:
    # By what it says itself: its basis may be another representative, who has chosen no address yet (domain.md D.5, 19).
    return _amend(case, event.in_reply_to, address_told=event.body, address_changed=facts, is_on_hold=facts.dispatch_on_hold)


def _request_withdrawn(case: SchoolCase, _: RequestWithdrawn, event: Recorded) -> SchoolCase:
    return _amend(case, event.in_reply_to, is_withdrawn=True)


def _request_corrected(case: SchoolCase, facts: RequestCorrected, event: Recorded) -> SchoolCase:
    request = next((each for each in case.requests if each.body == event.in_reply_to), None)
    amended = _amend(case, event.in_reply_to, corrections=(*request.corrections, event.body) if request is not None else ())
    # D.5, 10: whom nobody was found by is still not found by another telephone number or another guardian.
    if not MATCHED.intersection(facts.changed):
        return amended
    amended = _amend(amended, event.in_reply_to, not_matched=False, sought_by=event.body)
    return replace(amended, lacking=case.lacking - {MissingItem.IDENTITY})


def _data_corrected(case: SchoolCase, facts: PersonDataCorrected, _: Recorded) -> SchoolCase:
    mended = {MissingItem.PERSON_DATA, MissingItem.IDENTITY} if MATCHED.intersection(facts.changed) else set()
    return replace(case, lacking=case.lacking - mended)


def _represented(case: SchoolCase, facts: RepresentativeChanged, _: Recorded) -> SchoolCase:
    # Consent and address were another's: whoever is the requester now has to say both anew (domain.md D.5, 19).
    since = facts.from_on
    return replace(case, consent_body=None, address=None, consent_ended_on=since, address_ended_on=since)


def _of_age(case: SchoolCase, _facts: PupilCameOfAge, _: Recorded) -> SchoolCase:
    # The pupil is the requester now, and has not signed what somebody else filed (domain.md D.5, 21).
    lacking, supplied = case.lacking | {MissingItem.SIGNATURE}, case.supplied - {MissingItem.SIGNATURE}
    return replace(case, consent_body=None, address=None, lacking=lacking, supplied=supplied)


def _decided(case: SchoolCase, facts: SchoolDecisionMade, event: Recorded) -> SchoolCase:
    return replace(case, decisions=(*case.decisions, Decision(body=event.body, facts=facts)))


def _notified(case: SchoolCase, facts: DecisionNotified, _: Recorded) -> SchoolCase:
    return _amend_decision(case, notified=facts)


def _contested(case: SchoolCase, facts: RefusalContested, _: Recorded) -> SchoolCase:
    return _amend_decision(case, contested_on=facts.on)


def _upheld(case: SchoolCase, _facts: RefusalUpheld, _: Recorded) -> SchoolCase:
    return _amend_decision(case, is_upheld=True)


def _set_aside(case: SchoolCase, _facts: RefusalSetAside, _: Recorded) -> SchoolCase:
    return _amend_decision(case, is_set_aside=True)


def _withdrawn(case: SchoolCase, facts: ApplicationWithdrawn, _: Recorded) -> SchoolCase:
    return replace(case, withdrawn_on=facts.received_on)


def _left(case: SchoolCase, facts: PupilLeftSchool, _: Recorded) -> SchoolCase:
    return replace(case, left_on=facts.on)


def _closed(case: SchoolCase, facts: CaseClosed, _: Recorded) -> SchoolCase:
    return replace(case, closed=facts.cause, closed_on=facts.on)


def _deadline_passed(case: SchoolCase, facts: DeadlinePassed, _: Recorded) -> SchoolCase:
    return replace(case, passed=(*case.passed, facts))


_EVOLVE: Final[dict[type, Callable[[SchoolCase, Any, Recorded], SchoolCase]]] = {
    ApplicationFiled: _filed,
    VariantChosen: _variant_chosen,
    SignatureValidated: _validated,
    SignatureRejected: _signature_rejected,
    ConsentRecorded: _consented,
    ConsentWithdrawn: _consent_withdrawn,
    DeliveryAddressChosen: _address_chosen,
    ApplicationFoundIncomplete: _found_incomplete,
    ApplicationSupplemented: _supplemented,
    EligibilityScreened: _screened,
    DocumentsEvaluated: _evaluated,
    DuplicateLinked: _linked,
    DuplicateReopened: _reopened,
    InformationRequested: _requested,
    ConfirmationGiven: _answered,
    ConfirmationCorrected: _answer_corrected,
    ConfirmationEnded: _ended,
    AttendanceRequired: _attendance_required,
    IdentityNotMatched: _not_matched,
    RequestReturned: _returned,
    RequestClosed: _closed_by_commission,
    Rejected: _rejected,
    ReminderSent: _reminded,
    DeliveryAddressChanged: _address_changed,
    RequestWithdrawn: _request_withdrawn,
    RequestCorrected: _request_corrected,
    PersonDataCorrected: _data_corrected,
    RepresentativeChanged: _represented,
    PupilCameOfAge: _of_age,
    SchoolDecisionMade: _decided,
    DecisionNotified: _notified,
    RefusalContested: _contested,
    RefusalUpheld: _upheld,
    RefusalSetAside: _set_aside,
    ApplicationWithdrawn: _withdrawn,
    PupilLeftSchool: _left,
    CaseClosed: _closed,
    DeadlinePassed: _deadline_passed,
}


def _amend(case: SchoolCase, body: Digest | None, **changes: Any) -> SchoolCase:
    """Return the case with what became of the request that ``body`` names."""
    requests = (replace(each, **changes) if each.body == body else each for each in case.requests)
    return replace(case, requests=tuple(requests))


def _amend_decision(case: SchoolCase, **changes: Any) -> SchoolCase:
    """Return the case with what became of its newest decision."""
    if not case.decisions:
        return case
    return replace(case, decisions=(*case.decisions[:-1], replace(case.decisions[-1], **changes)))
