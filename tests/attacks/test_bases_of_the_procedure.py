"""What each event of the procedure may rest on: an honest one is no finding, one on an event of another kind is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from services.commission.application import Commission
from services.commission.input import (
    AttendanceInput,
    DirectInput,
    ExaminationInput,
    LapseInput,
    LinkInput,
    RegistrationInput,
    RevocationInput,
)
from services.post.history import BEFORE, New
from services.post.saving import act
from services.school.application import School
from services.wire.channels import COMMISSION, commission_case, to_commission
from services.wire.errors import BasisError
from services.wire.events import (
    AddressKind,
    Answer,
    ApplicationWithdrawn,
    ApplicationWithdrawnPersonal,
    AssessmentCause,
    AssessmentClosed,
    AssessmentLinked,
    AttendanceRequested,
    AttendanceRequestedPersonal,
    AttendanceRequired,
    Authority,
    CaseClosed,
    ClosingCause,
    ConfirmationCorrected,
    ConfirmationCorrectedPersonal,
    ConfirmationEnded,
    ConfirmationGiven,
    ConfirmationGivenPersonal,
    CorrectedField,
    DeliveryAddressChanged,
    DeliveryAddressChangedPersonal,
    IdentityNotMatched,
    LeavingCause,
    Opinion,
    OpinionIssued,
    Particulars,
    PersonDataCorrected,
    PersonDataCorrectedPersonal,
    PupilCameOfAge,
    PupilCameOfAgePersonal,
    PupilLeftSchool,
    RecommendationCorrected,
    RecommendationCorrectedPersonal,
    RecommendationExpired,
    RecommendationIssued,
    RecommendationIssuedPersonal,
    RecommendationRefused,
    RecommendationRefusedPersonal,
    RecommendationRevoked,
    RecommendationRevokedPersonal,
    RefusalGround,
    RepresentativeChanged,
    RepresentativeChangedPersonal,
    RequestClosed,
    RequestCorrected,
    RequestCorrectedPersonal,
    RequestReturned,
    RequestWithdrawn,
    ReturnGround,
    RevocationReason,
    SchoolDecisionMadePersonal,
)
from services.wire.hashing import Digest, digest_of
from tests.attacks.test_bases import keys
from tests.attacks.workshop import OTHER, Workshop
from tests.chains import SCHOOL
from tests.commission_stories import DIRECT_FORM
from tests.integration.test_two_sides import answered, asked, examined, recommended
from tests.judged import REFUSED as REFUSED_BY_SCHOOL
from tests.people import ADDRESS_CHOSEN, ADDRESS_CHOSEN_PERSONAL, FATHER, HOME, PUPIL, another_pupil, application_form
from tests.troubles import settled

_DAY = date(2026, 8, 26)
_SOME = digest_of(b"an event of the record")
_PARTICULARS = Particulars(pupil=PUPIL, representative=FATHER, contact="+37120000099")


def _changed(answer: Answer) -> New:
    facts = ConfirmationCorrected(answer=answer, wording=1 if answer is Answer.YES else 2, corrects=_SOME, basis=BEFORE)
    return New(facts=facts, personal=ConfirmationCorrectedPersonal(official="Ilze Paraudziņa"))


def _correction() -> New:
    facts = RequestCorrected(changed=(CorrectedField.NAME,), basis=BEFORE)
    return New(facts=facts, personal=RequestCorrectedPersonal(old=_PARTICULARS, new=_PARTICULARS))


def _moved() -> New:
    facts = DeliveryAddressChanged(address=AddressKind.HOME, address_protected=False, dispatch_on_hold=False, basis=BEFORE)
    return New(facts=facts, personal=DeliveryAddressChangedPersonal(address=HOME))


_ISSUED = New(
    facts=RecommendationIssued(issued_on=_DAY, valid_from=_DAY, valid_until=None, parts=()),
    personal=RecommendationIssuedPersonal(number="I-1", text="Ieteikums"),
)
_REFUSED = New(
    facts=RecommendationRefused(issued_on=_DAY, grounds=(RefusalGround.NEED_NOT_FOUND,)),
    personal=RecommendationRefusedPersonal(text="Pamatojums"),
)
_CORRECTED = New(
    facts=RecommendationCorrected(corrects=_SOME, answer_changed=True), personal=RecommendationCorrectedPersonal(text="Labojums")
)
_REVOKED = New(
    facts=RecommendationRevoked(of=_SOME, effective_on=_DAY, reason=RevocationReason.SET_ASIDE),
    personal=RecommendationRevokedPersonal(text="Atcelts"),
)
_EXPIRED = New(facts=RecommendationExpired(of=_SOME, on=_DAY))
_SUMMONED = New(facts=AttendanceRequested(sent_on=_DAY), personal=AttendanceRequestedPersonal(letter="Lūdzam ierasties"))
_CLOSED = New(facts=AssessmentClosed(cause=AssessmentCause.WITHDRAWN))
_ANOTHER = New(facts=OpinionIssued(on=_DAY, until=None))

_OF_COMMISSION: list[tuple[Callable[[], New], tuple[New, ...]]] = [
    (lambda: _changed(Answer.YES), (_ISSUED,)),
    (lambda: _changed(Answer.NO), (_REFUSED, _CORRECTED)),
    (lambda: New(facts=ConfirmationEnded(ended_on=_DAY, basis=BEFORE)), (_REVOKED, _EXPIRED)),
    (lambda: New(facts=AttendanceRequired(basis=BEFORE)), (_SUMMONED,)),
    (lambda: New(facts=RequestClosed(basis=BEFORE)), (_CLOSED,)),
]

_WITHDRAWN = New(facts=ApplicationWithdrawn(received_on=_DAY), personal=ApplicationWithdrawnPersonal(by="Andris Izdomenieks"))
_LEFT = New(facts=PupilLeftSchool(on=_DAY, cause=LeavingCause.TRANSFERRED))
_OF_AGE = New(facts=PupilCameOfAge(), personal=PupilCameOfAgePersonal(on=_DAY))
_REPRESENTED = New(
    facts=RepresentativeChanged(authority=Authority.GUARDIAN, from_on=_DAY),
    personal=RepresentativeChangedPersonal(person=FATHER, evidence="lēmums"),
)
_PERSON = New(
    facts=PersonDataCorrected(changed=(CorrectedField.NAME,), on=_DAY),
    personal=PersonDataCorrectedPersonal(
        old=_PARTICULARS, new=_PARTICULARS, old_birth_date=None, new_birth_date=None, evidence="pase"
    ),
)
_CHOSEN = New(facts=ADDRESS_CHOSEN, personal=ADDRESS_CHOSEN_PERSONAL)

_SCHOOL_REFUSED = New(
    facts=REFUSED_BY_SCHOOL,
    personal=SchoolDecisionMadePersonal(number="L-1", reasons="Pamatojums", instruction="Mēneša laikā domei"),
)
_NOT_COMPLETED = New(facts=CaseClosed(on=_DAY, cause=ClosingCause.NOT_SUPPLEMENTED))

_OF_SCHOOL: list[tuple[Callable[[], New], tuple[New, ...]]] = [
    (lambda: New(facts=RequestWithdrawn(basis=BEFORE)), (_WITHDRAWN, _LEFT, _SCHOOL_REFUSED, _NOT_COMPLETED)),
    (_correction, (_PERSON, _REPRESENTED, _OF_AGE)),
    (_moved, (_CHOSEN, _REPRESENTED, _OF_AGE, _LEFT)),
]


def _pairs(table: Any) -> list[tuple[Callable[[], New], New]]:
    return [(message, basis) for message, bases in table for basis in bases]


def _said(shop: Workshop, *news: New, by: str) -> list[Any]:
    """Let a side say this in a case, whatever its rules would say, and return what a stranger with the facts keys finds."""
    mine, theirs = asked(shop)
    case_id, school = (theirs, SCHOOL) if by == COMMISSION else (mine, None)
    act(shop.members[by].office, case_id, lambda _: news, school=school)
    settled(shop)
    return shop.findings(*keys(shop, COMMISSION, SCHOOL, OTHER))


@pytest.mark.parametrize(("message", "basis"), _pairs(_OF_COMMISSION))
def test_what_the_commission_says_rests_on_its_record(shop: Workshop, message: Callable[[], New], basis: New) -> None:
    assert _said(shop, basis, message(), by=COMMISSION) == []


@pytest.mark.parametrize("message", [message for message, _ in _OF_COMMISSION])
def test_what_the_commission_says_on_an_event_of_another_kind_is_found(shop: Workshop, message: Callable[[], New]) -> None:
    (finding,) = _said(shop, _ANOTHER, message(), by=COMMISSION)
    assert finding.error == BasisError.__name__
    assert "rests on an event of another kind" in finding.what
    assert finding.found == "OpinionIssued"


@pytest.mark.parametrize("kind", [IdentityNotMatched, RequestReturned])
def test_a_return_and_a_search_in_vain_rest_on_the_registration(shop: Workshop, kind: type) -> None:
    mine, theirs = asked(shop)
    clerk = Commission(shop.commission.office)
    (registered,) = clerk.register(theirs, RegistrationInput(register_number="R-17", received_on=shop.commission.office.today))
    grounds = {"grounds": (ReturnGround.UNSIGNED,)} if kind is RequestReturned else {}
    act(shop.commission.office, theirs, lambda _: (New(facts=kind(basis=registered.body, **grounds)),), school=SCHOOL)
    settled(shop)
    assert shop.findings(*keys(shop, COMMISSION, SCHOOL)) == []
    lie = (_ANOTHER, New(facts=kind(basis=BEFORE, **grounds)))
    act(shop.commission.office, theirs, lambda _: lie, school=SCHOOL)
    settled(shop)
    (finding,) = shop.findings(*keys(shop, COMMISSION, SCHOOL))
    assert (finding.expected, finding.found) == ("RequestRegistered", "OpinionIssued")
    assert mine != theirs


@pytest.mark.parametrize(("message", "basis"), _pairs(_OF_SCHOOL))
def test_what_a_school_says_further_rests_on_its_record(shop: Workshop, message: Callable[[], New], basis: New) -> None:
    assert _said(shop, basis, message(), by=SCHOOL) == []


@pytest.mark.parametrize("message", [message for message, _ in _OF_SCHOOL])
def test_what_a_school_says_on_an_event_of_another_kind_is_found(shop: Workshop, message: Callable[[], New]) -> None:
    another = _OF_AGE if isinstance(message().facts, RequestWithdrawn) else _NOT_COMPLETED
    (finding,) = _said(shop, another, message(), by=SCHOOL)
    assert "rests on an event of another kind" in finding.what


@pytest.mark.shows("D5.6", "I4")
def test_the_answer_of_a_linked_case_rests_on_the_recommendation_of_the_earlier(shop: Workshop) -> None:
    """Domain E13; and when it is revoked, both schools are told, and neither of the other."""
    first, second = two_requests(shop)
    clerk, today = Commission(shop.commission.office), shop.commission.office.today
    clerk.link(second, LinkInput())
    answered(shop, first)
    answered(shop, second)
    everybody = (COMMISSION, SCHOOL, OTHER)
    assert shop.findings(*keys(shop, *everybody)) == []
    clerk.revoke(first, RevocationInput(effective_on=today, reason=RevocationReason.ISSUED_IN_ERROR, text="Atcelts"))
    settled(shop)
    assert (shop.commission.state(first), clerk.case(second).ended_told) == ("Revoked", True)
    assert shop.findings(*keys(shop, *everybody)) == []
    # Without the key of what the link names nobody is convicted.
    assert shop.findings(*keys(shop, COMMISSION)) == []


@pytest.mark.shows("D5.3", "D5.6")
def test_a_word_of_attendance_in_a_linked_case_rests_on_the_summons_of_the_earlier_also_where_it_is_linked_anew(
    shop: Workshop,
) -> None:
    """The earlier case ends without an outcome, and the later one is linked to a third."""
    first, second = two_requests(shop, is_decided=False)
    clerk, today = Commission(shop.commission.office), shop.commission.office.today
    clerk.link(second, LinkInput())
    clerk.require_attendance(first, AttendanceInput(sent_on=today, letter="Lūdzam ierasties"))
    clerk.attendance_lapsed(first, LapseInput(on=today))
    person = {"given_name": "Jānis", "family_name": "Paraugs", "personal_code": another_pupil(7)["personal_code"]}
    home = {"text": "Izdomu iela 7", "postal_code": "LV-1099"}
    person_of_age = DirectInput.model_validate(
        {
            **DIRECT_FORM.model_dump(),
            "received_on": today,
            "pupil": {**person, "declared_address": home},
        }
    )
    third, _ = clerk.register_direct(person_of_age)
    clerk.link(second, LinkInput(primary=str(third)))
    settled(shop)
    assert clerk.case(second).linked == clerk.case(third).first
    assert shop.findings(*keys(shop, COMMISSION, SCHOOL, OTHER)) == []
    # Of the summons of a case to which it never was linked nobody may tell it.
    lie = New(facts=AttendanceRequired(basis=_summons(shop, first)))
    act(shop.commission.office, third, lambda _: (lie,), school=SCHOOL)
    settled(shop)
    findings = shop.findings(*keys(shop, COMMISSION, SCHOOL, OTHER))
    assert [each.what for each in findings] == ["a word of attendance rests on an event of another case"]


@pytest.mark.parametrize("primary", [digest_of(b"nowhere"), None])
def test_a_link_to_something_else_excuses_nothing(shop: Workshop, primary: Any) -> None:
    first, second = two_requests(shop)
    clerk = Commission(shop.commission.office)
    outcome, other = clerk.case(first).outcome, clerk.case(second)
    assert outcome is not None
    assert other.request is not None
    # To nowhere, or to the case itself.
    linked = New(facts=AssessmentLinked(primary=primary or other.request.body))
    facts = ConfirmationGiven(answer=Answer.YES, wording=1, basis=outcome.body)
    lie = New(facts=facts, personal=ConfirmationGivenPersonal(official="nobody"), in_reply_to=other.request.body)
    act(shop.commission.office, second, lambda _: (linked, lie), school=OTHER)
    settled(shop)
    findings = shop.findings(*keys(shop, COMMISSION, SCHOOL, OTHER))
    assert [each.what for each in findings] == ["a yes rests on an event of another case"]


def _summons(shop: Workshop, case_id: UUID) -> Digest:
    summons = Commission(shop.commission.office).case(case_id).attendance
    assert summons is not None
    return summons.body


def two_requests(shop: Workshop, *, is_decided: bool = True) -> tuple[UUID, UUID]:
    """Let two schools ask about one pupil, and the commission recommend in the first case; return its numbers of both.

    Not decided: its file is examined, and shows no opinion.
    """
    found = []
    for name in (SCHOOL, OTHER):
        school = School(shop.members[name].office)
        case_id, _ = school.file(application_form(pupil=another_pupil(7)))
        school.request(case_id)
        found.append(commission_case(case_id, to_commission(name)))
    settled(shop)
    first, second = found
    if is_decided:
        examined(shop, first)
        recommended(shop, first)
    else:
        clerk, today = Commission(shop.commission.office), shop.commission.office.today
        clerk.register(first, RegistrationInput(register_number="R-1", received_on=today))
        clerk.examine(first, ExaminationInput(file_found=False, opinion=Opinion.NONE, examined_on=today))
    form = RegistrationInput(register_number="R-2", received_on=shop.commission.office.today)
    Commission(shop.commission.office).register(second, form)
    return first, second
