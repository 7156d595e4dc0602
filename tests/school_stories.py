"""A history that reaches each state of a school's case, and each act with a form that is whole, for the table of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from services.policy.rules import RULES
from services.school.domain import (
    agreements,
    assistants,
    changing,
    choosing,
    completing,
    deciding,
    decisions,
    duplicates,
    judging,
    leaving,
    letters,
    reports,
)
from services.school.domain.case import SchoolCase, fold
from services.school.domain.duplicates import seen_with
from services.school.input import (
    AddressSupplied,
    AssistantForm,
    ConsentSupplied,
    ContestInput,
    CorrectionForm,
    CvForm,
    DuplicateInput,
    HandOverForm,
    HoursForm,
    IncompleteInput,
    LeavingForm,
    NotificationInput,
    OpposingForm,
    ReopeningForm,
    RepresentativeForm,
    RulingInput,
    SealedItemForm,
    ServiceForm,
    SignatureInput,
    SupplementInput,
    VariantForm,
    WithdrawalForm,
)
from services.wire.events import (
    AddressKind,
    ApplicationFoundIncomplete,
    ApplicationWithdrawn,
    AttendanceRequired,
    Authority,
    CaseClosed,
    ClosingCause,
    DecisionGround,
    DecisionOutcome,
    DuplicateCause,
    DuplicateLinked,
    DuplicateReopened,
    EligibilityOutcome,
    EligibilityReason,
    EvaluatedKind,
    IdentityNotMatched,
    LeavingCause,
    MissingItem,
    Particulars,
    PupilCameOfAge,
    PupilLeftSchool,
    RefusalContested,
    Rejected,
    RejectedCode,
    RepresentativeChanged,
    SealedItemReceived,
    ServiceCause,
    ServiceEnded,
    ServiceSuspended,
    SignatureFault,
    SignatureRejected,
)
from tests.given_when_then import body, given, received
from tests.judged import (
    BENCH,
    BIRTH_DATE,
    EVALUATED,
    FILED_A1,
    GENERAL_SCHOOL,
    GRANTED,
    NO,
    READY_A2,
    REFUSED,
    SCREENED,
    decision_form,
    evaluation_form,
    screening_form,
)
from tests.people import (
    ADDRESS_CHOSEN,
    ADDRESS_CHOSEN_PERSONAL,
    CONSENT,
    FATHER,
    FILED_A2,
    FILED_ELECTRONIC,
    FILED_PERSONAL,
    HOME,
    PUPIL,
    REQUESTED_A2,
    application_json,
)
from tests.serving import AGREED, CONDITIONS, CV, PROPOSED, agreement, amendment, form_of

__all__ = ["ACTS", "STORIES", "TODAY", "case_after"]

TODAY: Final = date(2026, 12, 1)
_RULES: Final = RULES[0]
_STANDING: Final = Particulars(pupil=PUPIL, representative=FATHER, contact="+37120000099")
_WHOLE: Final = (FILED_A2, CONSENT, ADDRESS_CHOSEN)
_ASKED: Final = (*_WHOLE, REQUESTED_A2)
_FOUND: Final = ApplicationFoundIncomplete(missing=(MissingItem.CONSENT,), due_on=date(2026, 8, 31))
_INELIGIBLE: Final = replace(SCREENED, outcome=EligibilityOutcome.INELIGIBLE, reasons=(EligibilityReason.NOT_ENROLLED,))
_REFUSED: Final = (*_ASKED, received(NO, answers=4), replace(REFUSED, basis=body(5)))
_COPIES_GRANTED: Final = (FILED_A1, SCREENED, EVALUATED, GRANTED)
_ACTIVE: Final = (*_COPIES_GRANTED, PROPOSED, CV, AGREED)
_SUSPENDED: Final = ServiceSuspended(on=date(2026, 11, 2), cause=ServiceCause.ASSISTANT_ABSENT)

STORIES: Final[dict[str, tuple[object, ...]]] = {
    "Empty": (),
    "Received": (FILED_A2,),
    "Incomplete, by the school": (FILED_A2, ADDRESS_CHOSEN, _FOUND),
    "Incomplete, by the commission": (*_ASKED, received(IdentityNotMatched(basis=body(97)), answers=4)),
    "Received, electronically and not checked": (FILED_ELECTRONIC,),
    "ReadyToRequest, electronically and not checked": (FILED_ELECTRONIC, *_WHOLE[1:]),
    "SignatureRejected": (FILED_ELECTRONIC, *_WHOLE[1:], SignatureRejected(reason=SignatureFault.UNSIGNED)),
    "NotEligibleAtIntake": (*_WHOLE, _INELIGIBLE),
    "Duplicate": (FILED_A2, DuplicateLinked(primary=body(77), cause=DuplicateCause.SAME_PUPIL)),
    "Duplicate, left alone": (FILED_A2, DuplicateLinked(primary=body(1), cause=DuplicateCause.OTHER_PARENT)),
    "ReadyToRequest, reopened": (
        *_WHOLE,
        DuplicateLinked(primary=body(1), cause=DuplicateCause.OTHER_PARENT),
        DuplicateReopened(received_on=date(2026, 8, 28)),
    ),
    "ReadyToRequest": _WHOLE,
    "AwaitingCommission": _ASKED,
    "AwaitingCommission, of a pupil who came of age": (*_ASKED, PupilCameOfAge()),
    "AwaitingCommission, after a change of guardian": (
        *_ASKED,
        RepresentativeChanged(authority=Authority.GUARDIAN, from_on=date(2026, 8, 30)),
    ),
    "AwaitingCommission, with a letter for the requester": (
        *_WHOLE[:2],
        replace(ADDRESS_CHOSEN, address=AddressKind.SCHOOL),
        replace(REQUESTED_A2, address=AddressKind.SCHOOL),
        SealedItemReceived(on=date(2026, 9, 10)),
    ),
    "OnHoldAttendance": (*_ASKED, received(AttendanceRequired(basis=body(97)), answers=4)),
    "RequestRejected": (*_ASKED, received(Rejected(code=RejectedCode.UNREADABLE), answers=4)),
    "ReadyForDecision, after a yes": READY_A2,
    "ReadyForDecision, with copies": (FILED_A1, SCREENED, EVALUATED),
    "NegativeAnswer": (*_ASKED, received(NO, answers=4)),
    "Granted": _COPIES_GRANTED,
    "Refused": _REFUSED,
    "Contested": (*_REFUSED, RefusalContested(on=date(2026, 10, 19))),
    "AgreementPending": (*_COPIES_GRANTED, PROPOSED, CV),
    "Active": _ACTIVE,
    "AgreementPending, of a pupil who came of age": (*_COPIES_GRANTED, PROPOSED, CV, PupilCameOfAge()),
    "Suspended": (*_ACTIVE, _SUSPENDED),
    "Ended": (*_ACTIVE, ServiceEnded(on=date(2026, 11, 30), cause=ServiceCause.TERM_ENDED)),
    "Withdrawn": (*_ASKED, ApplicationWithdrawn(received_on=date(2026, 8, 27))),
    "Transferred": (*_WHOLE, PupilLeftSchool(on=date(2026, 9, 1), cause=LeavingCause.TRANSFERRED)),
    "Closed": (FILED_A2, ADDRESS_CHOSEN, _FOUND, CaseClosed(on=date(2026, 9, 1), cause=ClosingCause.NOT_SUPPLEMENTED)),
}


_PRIMARIES: Final[Mapping[str, tuple[object, ...]]] = {
    "Duplicate, left alone": (*_ASKED, ApplicationWithdrawn(received_on=date(2026, 8, 27))),
}
"""The other case of a duplicate's story."""


def case_after(*story: object) -> SchoolCase:
    """Return the case after a history."""
    return given(fold, *story).case


def case_of(name: str) -> SchoolCase:
    """Return the case of a story, as it stands with the other case."""
    other = _PRIMARIES.get(name)
    return seen_with(case_after(*STORIES[name]), case_after(*other) if other is not None else None)


def _typed(form: Any, **fields: Any) -> Any:
    return form_of(form, fields)


_PLACE: Final = {"text": HOME.text, "postal_code": HOME.postal_code}
_BY: Final = {"received_on": "2026-08-19", "by": "Andris Izdomenieks"}
_PRIMARY: Final[dict[str, Any]] = {"primary": case_after(FILED_A2), "is_itself": False, "is_same_pupil": True}
_FATHER: Final = application_json()["representative"]
_NUMBERS: Final = {body(5): "N-44"}
_SERVICE: Final = _typed(ServiceForm, on="2026-11-30", cause="Other")

ACTS: Final[dict[str, Callable[[SchoolCase], object]]] = {
    "signature": lambda case: completing.record_signature(case, _typed(SignatureInput, fault="Broken", report="Pārbaudīts")),
    "consent": lambda case: decisions.record_consent(case, _typed(ConsentSupplied, **_BY)),
    "withdraw-consent": lambda case: decisions.withdraw_consent(case, _typed(ConsentSupplied, **_BY)),
    "address": lambda case: decisions.choose_address(
        case, _typed(AddressSupplied, choice="School", protected=True, address=_PLACE, confirmed_on="2026-08-19")
    ),
    "incomplete": lambda case: completing.find_incomplete(
        case, _typed(IncompleteInput, missing=["Language"], told_on="2026-08-17", letter="Vēstule")
    ),
    "supplement": lambda case: completing.supplement(
        case, _typed(SupplementInput, supplied=["Irp"], received_on="2026-08-20", content="Papildinājums")
    ),
    "change-variant": lambda case: choosing.choose_variant(
        case, _typed(VariantForm, variant="B2", exception_declared=True, **_BY)
    ),
    "close": lambda case: completing.close_unsupplemented(case, TODAY),
    "link-duplicate": lambda case: duplicates.link_duplicate(
        case,
        _typed(DuplicateInput, primary="01912345-0000-7000-8000-000000000001", cause="SamePupil"),
        **_PRIMARY,
    ),
    "reopen": lambda case: duplicates.reopen_duplicate(case, _typed(ReopeningForm, **_BY), today=TODAY, opened=lambda _: None),
    "screen": lambda case: judging.screen(
        case, screening_form(as_of=date(2026, 8, 21)), rules=_RULES, birth_date=BIRTH_DATE, school=GENERAL_SCHOOL
    ),
    "request": lambda case: decisions.request_information(
        case, TODAY, _RULES, application=FILED_PERSONAL, address=ADDRESS_CHOSEN_PERSONAL, standing=_STANDING
    ),
    "remind": lambda case: decisions.remind(case, TODAY),
    "evaluate": lambda case: judging.evaluate_documents(case, evaluation_form(EvaluatedKind.APPLICATION)),
    "decide": lambda case: deciding.decide(case, decision_form(DecisionOutcome.GRANTED), BENCH),
    "decide, refusing": lambda case: deciding.decide(
        case, decision_form(DecisionOutcome.REFUSED, DecisionGround.NO_RECOMMENDATION), BENCH
    ),
    "notify": lambda case: deciding.notify(case, _typed(NotificationInput, by="InPerson", sent_on="2026-09-10")),
    "contest": lambda case: deciding.contest(case, _typed(ContestInput, on="2026-10-19", text="Apstrīdu")),
    "uphold": lambda case: deciding.uphold(case, _typed(RulingInput, on="2026-11-02", text="Lēmums")),
    "set-aside": lambda case: deciding.set_aside(case, _typed(RulingInput, on="2026-11-02", text="Lēmums")),
    "propose-assistant": lambda case: assistants.propose_assistant(
        case,
        _typed(AssistantForm, given_name="Rita", family_name="Palīgmekle", personal_code="320000-00233", background="Relative"),
        assistant=2,
    ),
    "annex-cv": lambda case: assistants.annex_cv(
        case, _typed(CvForm, assistant=1, work_experience=True, contact_experience=False, cv="CV")
    ),
    "conclude": lambda case: agreements.conclude_agreement(case, agreement(hours_per_week=10), CONDITIONS, number=2),
    "amend": lambda case: agreements.amend_agreement(case, amendment(hours_per_week=20), CONDITIONS),
    "suspend": lambda case: agreements.suspend_service(case, _SERVICE),
    "resume": lambda case: agreements.resume_service(case, _SERVICE),
    "end-service": lambda case: agreements.end_service(case, _SERVICE),
    "report-hours": lambda case: reports.report_hours(
        case, _typed(HoursForm, month="2026-09-01", agreement=1, minutes=600), _RULES
    ),
    "receive-sealed": lambda case: letters.receive_letter(case, _typed(SealedItemForm, number="N-44", on="2026-09-10"), {}),
    "hand-over": lambda case: letters.hand_over_letter(
        case, _typed(HandOverForm, number="N-44", on="2026-09-11", to_whom="Andris Izdomenieks"), _NUMBERS
    ),
    "withdraw": lambda case: leaving.withdraw_application(case, _typed(WithdrawalForm, **_BY)),
    "leave": lambda case: leaving.leave_school(case, _typed(LeavingForm, on="2026-12-01", cause="Transferred")),
    "correct": lambda case: changing.correct_particulars(
        case,
        _typed(CorrectionForm, on="2026-09-03", evidence="Pase", contact={"kind": "Email", "email": "a@example.lv"}),
        standing=_STANDING,
        born_on=BIRTH_DATE,
    ),
    "change-representative": lambda case: changing.change_representative(
        case,
        _typed(
            RepresentativeForm,
            person=_FATHER | {"personal_code": "320000-00165"},
            authority="Guardian",
            from_on="2026-09-03",
            evidence="Bāriņtiesas lēmums",
        ),
        standing=_STANDING,
        address=None,
    ),
    "came-of-age": lambda case: changing.come_of_age(case, TODAY, born_on=date(2008, 10, 2), standing=_STANDING),
    "oppose": lambda case: changing.record_opposition(case, _typed(OpposingForm, text="Iebilstu", **_BY)),
}
