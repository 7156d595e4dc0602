"""A well-formed form for each act of a school, as a clerk would fill it in on that day, in that case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from services.policy.calendar import full_years
from services.school.domain.folded import SchoolCase
from services.school.domain.judging import screened_at_filing
from services.school.domain.standing import items_there
from services.school.input import (
    AddressSupplied,
    AgreementForm,
    AmendmentForm,
    ApplicationInput,
    AssistantForm,
    ConsentSupplied,
    ContestInput,
    CorrectionForm,
    CvForm,
    DecisionInput,
    DuplicateInput,
    EvaluationInput,
    HandOverForm,
    HoursForm,
    IncompleteInput,
    LeavingForm,
    NotificationInput,
    OpposingForm,
    ReopeningForm,
    RepresentativeForm,
    RulingInput,
    SchoolForm,
    ScreeningInput,
    SealedItemForm,
    ServiceForm,
    SignatureInput,
    SupplementInput,
    VariantForm,
    WithdrawalForm,
)
from services.wire.events import (
    AddressKind,
    Answer,
    Attachment,
    Authority,
    Background,
    ContactKind,
    Container,
    DecisionGround,
    DecisionOutcome,
    Delivery,
    DisabilityGroup,
    DuplicateCause,
    Duty,
    Enrolment,
    EvaluatedKind,
    Founder,
    Intake,
    Known,
    LeavingCause,
    MissingItem,
    Party,
    Requester,
    SchoolKind,
    ServiceCause,
    SignatureFault,
    SignatureLevel,
    Variant,
)
from tests.procedure.people import ASSISTANTS, HOMES, Pupil, person
from tests.procedure.picks import Picks

__all__ = ["SCHOOL_FORMS", "Occasion", "application", "description"]

_ASKING: Final = (Variant.A2, Variant.B2)
_BY_OTHER_ACTS: Final = (MissingItem.CONSENT, MissingItem.ADDRESS, MissingItem.IDENTITY, MissingItem.PERSON_DATA)
_PARTIES: Final = (Party.REQUESTER, Party.ASSISTANT, Party.SCHOOL)
_GROUNDS: Final = {ground.value: ground for ground in DecisionGround if ground is not DecisionGround.UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """On what day, in which case and about whom a form is filled in.

    ``cases`` are all cases of the school, ``code`` is the pupil's as it stands, ``letters`` are the numbers of what came closed.
    """

    today: date
    case: SchoolCase
    pupil: Pupil
    cases: tuple[UUID, ...]
    code: str
    letters: tuple[str, ...] = ()


def application(pupil: Pupil, today: date, picks: Picks) -> ApplicationInput:
    """Return an application of any variant, whole at first."""
    variant = picks.of(Variant.A2, Variant.B2, Variant.A2, Variant.A1, Variant.B1, Variant.DIRECT)
    is_of_age = full_years(pupil.born_on, today) >= 18
    consents, chooses, states = not picks.rarely(), not picks.rarely(), not picks.rarely()
    copies = (Attachment.IRP, Attachment.RECOMMENDATION_COPY) if variant not in _ASKING else (Attachment.IRP,)
    address = {"text": HOMES[0], "postal_code": "LV-1099"}
    name = " ".join(pupil.represented_by[0][:2])
    choice = picks.of(AddressKind.HOME, AddressKind.SCHOOL, AddressKind.E_ADDRESS)
    return ApplicationInput.model_validate(
        {
            "received_on": today,
            "intake": picks.of(Intake.IN_PERSON, Intake.SIGNED_ELECTRONIC, Intake.POST),
            "variant": variant,
            "requester": Requester.ADULT_PUPIL if is_of_age else Requester.REPRESENTATIVE,
            "exception_declared": states,
            "states_opinion": states,
            "states_irp": variant is not Variant.B2,
            "consent": {"given": True, "received_on": today, "by": name} if consents else {"given": False},
            "address": {"choice": choice, "protected": False, "address": address} if chooses and variant in _ASKING else None,
            "pupil": {
                **person(*pupil.name, picks.of(pupil.codes[0], pupil.codes[0], pupil.mistyped)),
                "birth_date": pupil.born_on,
            },
            "representative": None if is_of_age else person(*pupil.represented_by[0]),
            "contact": {"kind": ContactKind.PHONE, "phone": "20000099"},
            "attachments": () if picks.rarely() else copies if variant is not Variant.B2 else (),
        }
    )


def description(today: date, *, is_special: bool = False) -> SchoolForm:
    """Return what the school is."""
    return SchoolForm(
        founder=Founder.MUNICIPALITY,
        kind=SchoolKind.SPECIAL if is_special else SchoolKind.GENERAL,
        state_maintained=is_special,
        technical_staff_financed=is_special,
        from_on=today,
    )


def _signature(at: Occasion, picks: Picks) -> SignatureInput:
    if picks.rarely():
        return SignatureInput(fault=picks.of(SignatureFault.BROKEN, SignatureFault.UNSIGNED), report="Pārbaude")
    return SignatureInput(
        level=SignatureLevel.QUALIFIED,
        container=Container.ASIC_E,
        signer_matches=not picks.rarely(),
        time_stamped=True,
        signed_on=at.today,
        report="Pārbaude",
    )


def _address(at: Occasion, picks: Picks) -> AddressSupplied:
    home = {"text": picks.among(HOMES[::-1]), "postal_code": "LV-1099"}
    choice = picks.of(AddressKind.HOME, AddressKind.SCHOOL, AddressKind.E_ADDRESS)
    fields = {"choice": choice, "protected": picks.rarely(), "address": home, "dispatch_on_hold": picks.rarely()}
    return AddressSupplied.model_validate({**fields, "confirmed_on": at.today})


def _incomplete(at: Occasion, picks: Picks) -> IncompleteInput:
    lacks = at.case.missing or (MissingItem.IRP, MissingItem.SIGNATURE, MissingItem.IDENTITY, MissingItem.CONSENT)
    return IncompleteInput(missing=(picks.among(lacks),), told_on=at.today, letter="Lūdzam papildināt")


def _supplement(at: Occasion, picks: Picks) -> SupplementInput:
    wanted = tuple(item for item in at.case.missing if item not in _BY_OTHER_ACTS)
    if at.case.signature_is_valid is False:
        wanted = (*wanted, MissingItem.SIGNATURE)
    copies = (MissingItem.IRP, MissingItem.RECOMMENDATION_COPY)
    supplied = picks.of(wanted or copies, copies, (MissingItem.LANGUAGE,), (MissingItem.VALID_RECOMMENDATION,))
    items = tuple(dict.fromkeys(supplied))
    renews = MissingItem.VALID_RECOMMENDATION in items
    until = at.today + timedelta(days=picks.of(365, 30)) if renews else None
    return SupplementInput(supplied=items, received_on=at.today, recommendation_until=until, content="Papildinājums")


def _screen(at: Occasion, picks: Picks) -> ScreeningInput:
    filed = at.case.application
    first = filed is not None and screened_at_filing(at.case) is None
    of_age = full_years(at.pupil.born_on, at.today) >= 18
    return ScreeningInput(
        as_of=filed.received_on if filed is not None and first else at.today,
        child_with_disability=Known.NO if of_age else Known.YES,
        group=picks.of(DisabilityGroup.SECOND, DisabilityGroup.SECOND, DisabilityGroup.THIRD)
        if of_age
        else DisabilityGroup.NOT_KNOWN,
        benefit=picks.of(Known.YES, Known.YES, Known.YES, Known.NO, Known.NOT_KNOWN),
        opinion=Known.YES,
        enrolled=picks.of(Enrolment.HERE, Enrolment.HERE, Enrolment.HERE, Enrolment.ELSEWHERE),
    )


def _evaluate(at: Occasion, picks: Picks) -> EvaluationInput:
    there, request = items_there(at.case), at.case.request
    kinds = [EvaluatedKind.APPLICATION]
    if MissingItem.IRP in there:
        kinds.append(picks.of(EvaluatedKind.DISABILITY_IRP, EvaluatedKind.SOCIAL_REHABILITATION_PLAN))
    if MissingItem.RECOMMENDATION_COPY in there:
        kinds.append(EvaluatedKind.RECOMMENDATION_COPY)
    if request is not None and request.answer is not None:
        kinds.append(EvaluatedKind.COMMISSION_ANSWER)
    judged = not picks.rarely() if MissingItem.IRP in there else None
    return EvaluationInput(kinds=tuple(kinds), irp_indicates_need=judged, evaluated_on=at.today, note=None)


def _decide(at: Occasion, picks: Picks) -> DecisionInput:
    request, screened = at.case.request, at.case.screenings
    no = request is not None and (request.answer is Answer.NO or request.ended_on is not None)
    reasons = [_GROUNDS[each.value] for each in (screened[-1].reasons if screened else ()) if each.value in _GROUNDS]
    grounds = tuple(dict.fromkeys([*([DecisionGround.NO_RECOMMENDATION] if no else []), *reasons]))
    refuses = picks.of(bool(grounds), bool(grounds), not grounds)
    return DecisionInput(
        outcome=DecisionOutcome.REFUSED if refuses else DecisionOutcome.GRANTED,
        grounds=(grounds or (DecisionGround.NOT_ENROLLED,)) if refuses else (),
        decided_on=at.today,
        number="L-1",
        reasons="Pamatojums",
    )


def _notify(at: Occasion, picks: Picks) -> NotificationInput:
    by = picks.of(Delivery.REGISTERED, Delivery.ORDINARY, Delivery.IN_PERSON, Delivery.E_ADDRESS)
    home = {"text": HOMES[0], "postal_code": "LV-1099"}
    return NotificationInput.model_validate({"by": by, "sent_on": at.today, "address": home})


def _assistant(_: Occasion, picks: Picks) -> AssistantForm:
    given, family, code = picks.among(ASSISTANTS)
    background = picks.of(Background.TEACHER, Background.RELATIVE)
    return AssistantForm(given_name=given, family_name=family, personal_code=code, background=background)


def _number(at: Occasion, picks: Picks) -> int:
    known = [each.facts.assistant for each in at.case.service.proposals]
    return picks.among(known) if known else 1


def _cv(at: Occasion, picks: Picks) -> CvForm:
    works = not picks.rarely()
    return CvForm(assistant=_number(at, picks), work_experience=works, contact_experience=works, cv="Dzīves apraksts")


def _agreed(at: Occasion, picks: Picks) -> dict[str, Any]:  # fields of a form
    return {
        "assistant": _number(at, picks),
        "hours_per_week": picks.of(30, 40, 10, 41),
        "duties": (Duty.A, Duty.B),
        "from_on": at.today,
        "until_on": date(at.today.year + 1, 5, 31) if picks.rarely() else None,
        "signed_by": picks.some(_PARTIES),
        "concluded_on": at.today,
        "text": "Vienošanās",
    }


def _agreement(at: Occasion, picks: Picks) -> AgreementForm:
    return AgreementForm.model_validate(_agreed(at, picks))


def _agreement_number(at: Occasion, picks: Picks) -> int:
    known = [each.number for each in at.case.service.agreements]
    return picks.among(known) if known else 1


def _amendment(at: Occasion, picks: Picks) -> AmendmentForm:
    return AmendmentForm.model_validate({**_agreed(at, picks), "agreement": _agreement_number(at, picks)})


def _service(at: Occasion, picks: Picks) -> ServiceForm:
    return ServiceForm(on=at.today, cause=picks.of(ServiceCause.PUPIL_ABSENT, ServiceCause.OTHER))


def _hours(at: Occasion, picks: Picks) -> HoursForm:
    minutes = picks.of(60, 600, 100_000 // 3, 0)
    return HoursForm(month=at.today.replace(day=1), agreement=_agreement_number(at, picks), minutes=minutes)


def _sealed(at: Occasion, picks: Picks) -> SealedItemForm:
    return SealedItemForm(number=picks.of(f"S-{len(at.letters) + 1}", "S-1"), on=at.today)


def _hand_over(at: Occasion, picks: Picks) -> HandOverForm:
    return HandOverForm(number=picks.among(at.letters[::-1] or ("S-1",)), on=at.today, to_whom="Andris Izdomenieks")


def _leaving(at: Occasion, picks: Picks) -> LeavingForm:
    return LeavingForm(on=at.today, cause=picks.among([each for each in LeavingCause if each is not LeavingCause.UNKNOWN]))


def _correction(at: Occasion, picks: Picks) -> CorrectionForm:
    what = picks.of("code", "new code", "name", "contact")
    fields: dict[str, Any] = {"on": at.today, "evidence": "Dzimšanas apliecība"}
    given, family = at.pupil.name
    if what == "contact":
        fields["contact"] = {"kind": ContactKind.PHONE, "phone": picks.of("20000098", "20000099")}
    elif what == "name":
        fields["pupil"] = person(given, picks.of(f"{family}-Jaunais", family), at.code)
    else:
        mistyped = at.code == at.pupil.mistyped
        code = at.pupil.codes[what == "new code"] if mistyped or what == "new code" else at.pupil.mistyped
        fields |= {"pupil": person(given, family, code), "code_is_new": what == "new code"}
    return CorrectionForm.model_validate(fields)


def _representative(at: Occasion, picks: Picks) -> RepresentativeForm:
    whom = picks.among(at.pupil.represented_by[::-1])
    authority = picks.of(Authority.GUARDIAN, Authority.PARENT)
    return RepresentativeForm.model_validate(
        {"person": person(*whom), "authority": authority, "from_on": at.today, "evidence": "Bāriņtiesas lēmums"}
    )


def _consent(at: Occasion, _: Picks) -> ConsentSupplied:
    return ConsentSupplied(received_on=at.today, by="Andris Izdomenieks")


def _variant(at: Occasion, picks: Picks) -> VariantForm:
    variant = picks.of(Variant.B2, Variant.A2, Variant.A1, Variant.B1, Variant.DIRECT)
    return VariantForm(variant=variant, exception_declared=not picks.rarely(), received_on=at.today, by="Andris Izdomenieks")


def _duplicate(at: Occasion, picks: Picks) -> DuplicateInput:
    return DuplicateInput(
        primary=picks.among(at.cases), cause=DuplicateCause.SAME_PUPIL, supersedes=picks.among((True, False, None))
    )


FillIn = Callable[[Occasion, Picks], Any]
"""How a clerk fills a form in."""

SCHOOL_FORMS: Final[Mapping[str, FillIn]] = MappingProxyType(
    {
        "signature": _signature,
        "consent": _consent,
        "withdraw-consent": _consent,
        "address": _address,
        "incomplete": _incomplete,
        "supplement": _supplement,
        "change-variant": _variant,
        "link-duplicate": _duplicate,
        "reopen": lambda at, _: ReopeningForm(received_on=at.today, by="Zane Izdomeniece"),
        "screen": _screen,
        "evaluate": _evaluate,
        "decide": _decide,
        "notify": _notify,
        "contest": lambda at, picks: ContestInput(on=at.today, term_restored=picks.rarely(), text="Iebildumi"),
        "uphold": lambda at, _: RulingInput(on=at.today, text="Atstāts spēkā"),
        "set-aside": lambda at, _: RulingInput(on=at.today, text="Atcelts"),
        "propose-assistant": _assistant,
        "annex-cv": _cv,
        "conclude": _agreement,
        "amend": _amendment,
        "suspend": _service,
        "resume": _service,
        "end-service": _service,
        "report-hours": _hours,
        "receive-sealed": _sealed,
        "hand-over": _hand_over,
        "withdraw": lambda at, _: WithdrawalForm(received_on=at.today, by="Andris Izdomenieks"),
        "leave": _leaving,
        "correct": _correction,
        "change-representative": _representative,
        "oppose": lambda at, _: OpposingForm(received_on=at.today, by="Zane Izdomeniece", text="Iebilstu"),
    }
)
"""Of each act that takes a form, by the name of its command."""
