"""Rightful refusals: what a clerk may be told no for, by act and by what stands in the case; written from the procedure.

The product decides in ``decisions``; here the same is said a second time, the other way round: with no refusal in the set the act
has to be done. Which of several reasons is told first is the product's choice.
Source: domain.md, sections C and D; the guidance, sections 3 to 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Final
from uuid import UUID

from services.commission.application import Commission
from services.commission.domain.case import CommissionCase
from services.commission.input import ExaminationInput
from services.post.cases import history_of, open_facts
from services.post.office import Office
from services.post.opening import NotReadableError
from services.school.domain.case import SchoolCase, fold
from services.wire.channels import mailbox_of
from services.wire.errors import RefusedError
from services.wire.events import Asks, AssessmentCause, Intake, Opinion
from services.wire.hashing import Digest

__all__ = [
    "DOMAINS",
    "REFUSALS",
    "beyond",
    "commission_refusals",
    "elsewhere",
    "school_refusals",
    "unread_refusals",
]

DOMAINS: Final = ("services.school.domain.refusals", "services.commission.domain.refusals")
"""Where the refusals of the procedure stand: the beginnings of their modules' names."""

_FIRST_WAY: Final = frozenset(
    {
        "ApplicationFiled",
        "ConsentRecorded",
        "SignatureValidated",
        "DeliveryAddressChosen",
        "InformationRequested",
        "RequestRegistered",
        "ExpertiseFileExamined",
        "IrpIssued",
        "RecommendationIssued",
        "RecommendationRefused",
        "DocumentsDispatched",
        "ConfirmationGiven",
        "Rejected",
        "DeadlinePassed",
    }
)
"""The events of the way to the first answer; what is right to refuse after others, ``FOR_ITS_FORM`` and the domains say."""


def _leaves(error: type[RefusedError]) -> Iterator[type[RefusedError]]:
    yield error
    for each in error.__subclasses__():
        yield from _leaves(each)


REFUSALS: Final = frozenset(each.__name__ for each in _leaves(RefusedError) if each.__module__.startswith(DOMAINS))
"""The names of all that the procedure refuses, on either side."""


def school_refusals(office: Office, case_id: UUID, act: str, today: date) -> set[str]:
    """Return the names of the refusals that would be right for an act of a school in a case, on a day of its clock."""
    case = _folded(office, case_id)
    # One that the commission refused counts for nothing; what it has answered is not asked again.
    is_asked = any(request.is_open or request.answer is not None for request in case.requests)
    match act:
        case "records a consent":
            return {"ConsentRecordedError"} if case.consent_body is not None else set()
        case "records an address":
            # The same choice a second time; which choice stood is not told by the facts.
            return {"AddressUnchangedError"} if case.address is not None else set()
        case "checks the signature":
            wanted = case.application is not None and case.application.intake is Intake.SIGNED_ELECTRONIC
            return set() if wanted and case.signature is None else {"SignatureOnPaperError", "SignatureRecordedError"}
        case _:
            reasons = {
                "SignatureNotValidatedError": case.application is not None
                and case.application.intake is Intake.SIGNED_ELECTRONIC
                and case.signature is None,
                "ConsentMissingError": case.consent_body is None,
                "AddressMissingError": case.address is None,
                "RequestOpenError": is_asked,
                "RequestBeforeApplicationError": case.application is not None and today < case.application.received_on,
                "PupilAskedAboutError": _is_asked_elsewhere(office, case_id, case),
            }
            return {name for name, is_there in reasons.items() if is_there}


def commission_refusals(case: CommissionCase, act: str, today: date, examination: ExaminationInput) -> set[str]:
    """Return the names of the refusals that would be right for an act of the commission in a case, on a day of its clock."""
    request = case.request
    if request is None:
        return {"NoRequestError"}
    seen, outcome = case.examination, case.outcome
    wants_plan = request.facts.asks is Asks.IRP_AND_RECOMMENDATION
    received = case.registered.received_on if case.registered else date.min
    examined, planned = seen.examined_on if seen else date.min, case.irp.issued_on if case.irp else date.min
    earlier = {
        "examines": received,
        "issues a plan": examined,
        "recommends": max(examined, planned),
        "refuses": examined,
        "dispatches": outcome.facts.issued_on if outcome else date.min,
    }
    decides, issues = act in ("issues a plan", "recommends", "refuses"), act == "recommends"
    reasons = {
        "DateOrderError": today < earlier.get(act, date.min),
        "AlreadyRegisteredError": act == "registers" and case.registered is not None,
        "NotRegisteredError": act == "examines" and case.registered is None,
        "ExaminedAlreadyError": act == "examines" and seen is not None and _says_the_same(seen, examination),
        "AlreadyDecidedError": (decides or act == "examines") and outcome is not None,
        "NotExaminedError": decides and seen is None,
        "ExaminedBeforeError": decides and seen is not None and not case.rechecked,
        "IrpNotAskedError": act == "issues a plan" and not wants_plan,
        "IrpIssuedError": act == "issues a plan" and case.irp is not None,
        "OpinionNotValidError": issues and seen is not None and seen.opinion is not Opinion.VALID,
        "IrpMissingError": issues and wants_plan and case.irp is None,
        "IrpWithoutNeedError": issues and wants_plan and case.irp is not None and not case.irp.indicates_need,
        "NothingToDispatchError": act == "dispatches" and outcome is None,
        "AlreadyDispatchedError": act == "dispatches" and case.dispatch is not None,
        "NothingToAnswerError": act == "answers" and outcome is None,
        "AlreadyAnsweredError": act == "answers" and case.answer is not None,
    }
    return {name for name, is_there in reasons.items() if is_there}


def elsewhere(clerk: Commission, case_id: UUID, act: str) -> set[str]:
    """Return the refusal that is right for what another request about the pupil says: decided since this one came, or held."""
    case = clerk.case(case_id)
    if act not in ("issues a plan", "recommends", "refuses", "dispatches") or case.registered is None:
        return set()
    try:
        others = [clerk.case(each) for each in clerk.same_pupil(case_id)]
    except NotReadableError:
        # Of whom it is cannot be opened: nobody can be told that there is another.
        return set()
    if act == "dispatches":
        return {"DispatchOnHoldError"} if any(map(_holds, others)) else set()
    came = case.registered.received_on
    return {"DecidedElsewhereError"} if any(each.outcome and each.outcome.facts.issued_on >= came for each in others) else set()


def _holds(other: CommissionCase) -> bool:
    is_over = other.returned or other.withdrawn or other.not_matched or other.closed is not None
    is_held = other.address is not None and other.address.facts.dispatch_on_hold
    return other.closed is AssessmentCause.DIED or (is_held and not is_over)


def beyond(office: Office, case_id: UUID) -> frozenset[str]:
    """Return every refusal where a case has left the way to the first answer, none where it is on it.

    Beyond that way what is right is said nowhere a second time; that an act is done which its participant lists is asked of
    ``further``, and of the machines over both domains (``tests/procedure``).
    """
    rows = office.database.all("SELECT DISTINCT topic FROM stored_events WHERE originator_id = ?", case_id.hex)
    return REFUSALS if {row["topic"] for row in rows} - _FIRST_WAY else frozenset()


def unread_refusals(office: Office, case_id: UUID, act: str, expired: Mapping[str, AbstractSet[Digest]]) -> set[str]:
    """Return the refusal that is right while the key of a request was in a letter that expired before it was read.

    ``expired`` are the keys of such letters, by mailbox. Whoever lacks a key for another reason has to have another cause.
    """
    keys = expired.get(mailbox_of(office.participant))
    if act not in ("dispatches", "dispatch", "redispatch", "link") or not keys:
        return set()
    for event in office.store.stream(case_id).events:
        body = event.sealed
        facts = open_facts(office, event.channel, event.event_id, body.facts_key, event.facts) if event.facts else None
        key = facts.personal_key if facts is not None else None
        if key is not None and key in keys and office.ring.get(key) is None:
            return {"NotReadableError"}
    return set()


def _folded(office: Office, case_id: UUID) -> SchoolCase:
    return fold(history_of(office, office.store.stream(case_id)))


def _is_asked_elsewhere(office: Office, case_id: UUID, case: SchoolCase) -> bool:
    rows = office.database.all("SELECT case_id FROM cases WHERE case_id <> ?", case_id.hex)
    others = [_folded(office, UUID(row["case_id"])) for row in rows]
    pupil = case.application.pupil if case.application else None
    return any(_is_open(each) and each.application and each.application.pupil == pupil for each in others)


def _is_open(case: SchoolCase) -> bool:
    return any(request.is_open for request in case.requests)


def _says_the_same(seen: object, form: ExaminationInput) -> bool:
    said = (form.file_found, form.opinion, form.opinion_until, form.examined_on)
    return tuple(getattr(seen, name) for name in ("file_found", "opinion", "opinion_until", "examined_on")) == said
