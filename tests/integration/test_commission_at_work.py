"""The commission's use cases on real databases: other cases of the pupil, personal parts, the register of files, and time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.commission.adapters.expertise_memory import MemoryRegister
from services.commission.application import Commission
from services.commission.domain import refusals
from services.commission.domain.decisions import is_decided_elsewhere
from services.commission.domain.parts import CommissionState
from services.commission.domain.refusals import DecidedElsewhereError
from services.commission.expertise import ExpertiseFile
from services.commission.input import (
    AnswerInput,
    AttendanceInput,
    AttendedInput,
    ClosingInput,
    ContestInput,
    CorrectionInput,
    DeliveryFailureInput,
    DeliveryInput,
    DispatchInput,
    ExaminationInput,
    ExtensionInput,
    HeadDecisionInput,
    IrpInput,
    LapseInput,
    LinkInput,
    LookUpInput,
    OpinionInput,
    RecommendationInput,
    RedispatchInput,
    RefusalInput,
    RegistrationInput,
    ReturnInput,
    RevocationInput,
)
from services.commission.kinship import folded
from services.post.cases import Opened, open_personal
from services.post.history import BEFORE, New
from services.post.opening import CaseMissingError
from services.post.rebuilding import rebuild
from services.post.saving import CaseIncompleteError, act
from services.post.viewing import due, outlook
from services.post.worker import Worker
from services.school.application import School
from services.school.input import LeavingForm, WithdrawalForm
from services.wire.channels import COMMISSION, commission_case, record_of, to_commission
from services.wire.errors import SealError, VerificationError
from services.wire.events import (
    Address,
    AddressKind,
    ApplicationWithdrawn,
    ApplicationWithdrawnPersonal,
    AssessmentCause,
    CorrectedField,
    Delivery,
    DeliveryAddressChanged,
    DeliveryAddressChangedPersonal,
    DeliveryCause,
    ExtensionCause,
    LeavingCause,
    Opinion,
    Particulars,
    PersonDataCorrected,
    PersonDataCorrectedPersonal,
    RefusalGround,
    RequestCorrected,
    RequestCorrectedPersonal,
    RequestWithdrawn,
    ReturnGround,
    RevocationReason,
)
from tests.attacks.workshop import OTHER, Workshop
from tests.chains import SCHOOL
from tests.commission_stories import DIRECT_FORM
from tests.people import ADDRESS_CHOSEN, ADDRESS_CHOSEN_PERSONAL, FATHER, HOME, PUPIL, another_pupil, application_form
from tests.troubles import settled

_OFFICIAL = AnswerInput(official="Ilze Paraudziņa")
_DAY = 86_400_000


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop.founded(tmp_path)


def clerk(shop: Workshop, **files: ExpertiseFile) -> Commission:
    return Commission(shop.commission.office, MemoryRegister({code.removeprefix("c"): file for code, file in files.items()}))


def asked(shop: Workshop, school: str = SCHOOL, pupil: int = 1, **form: Any) -> tuple[UUID, UUID]:
    """Let a school ask about a pupil; return the case's two numbers."""
    desk = School(shop.members[school].office)
    case_id, _ = desk.file(application_form(pupil=another_pupil(pupil), **form))
    desk.request(case_id)
    settled(shop)
    return case_id, commission_case(case_id, to_commission(school))


def registered(shop: Workshop, case_id: UUID, number: int = 1) -> None:
    today = shop.commission.office.today
    clerk(shop).register(case_id, RegistrationInput(register_number=f"R-{number}", received_on=today))


def prepared(shop: Workshop, case_id: UUID, *, days: int | None = None) -> None:
    today, desk = shop.commission.office.today, clerk(shop)
    registered(shop, case_id)
    desk.examine(case_id, ExaminationInput(file_found=True, opinion=Opinion.VALID, examined_on=today))
    until = today + timedelta(days=days) if days is not None else None
    form = RecommendationInput(number="I-1", text="Ieteikums", issued_on=today, valid_from=today, valid_until=until)
    desk.recommend(case_id, form)


def refused(shop: Workshop, case_id: UUID) -> None:
    today, desk = shop.commission.office.today, clerk(shop)
    registered(shop, case_id)
    desk.examine(case_id, ExaminationInput(file_found=True, opinion=Opinion.VALID, examined_on=today))
    desk.refuse(case_id, RefusalInput(issued_on=today, grounds=(RefusalGround.NEED_NOT_FOUND,), text="Pamatojums"))


def sent(shop: Workshop, case_id: UUID) -> None:
    today = shop.commission.office.today
    clerk(shop).dispatch(case_id, DispatchInput(number="S-1", by=Delivery.REGISTERED, sent_on=today))


def told(shop: Workshop, case_id: UUID) -> list[str]:
    """Return what the commission told a school of a case."""
    events = shop.commission.office.store.stream(case_id).events
    return [event.topic for event in events if event.channel.endswith("from-commission")]


def types_of(shop: Workshop, case_id: UUID) -> list[str]:
    return [event.topic for event in shop.commission.office.store.stream(case_id).events]


def says(shop: Workshop, mine: UUID, *news: New, school: str = SCHOOL) -> None:
    """Let a school say something further of its request."""
    act(shop.members[school].office, mine, lambda _: news)
    settled(shop)


def mends_code(shop: Workshop, mine: UUID, school: str) -> None:
    """Let a school correct a personal code that it had mistyped, to that of another child."""
    says_code(shop, mine, "32000000001", "32000000009", CorrectedField.CODE, school=school)


def personal(shop: Workshop, case_id: UUID, topic: str) -> Any:
    office = shop.commission.office
    event = next(each for each in reversed(office.store.stream(case_id).events) if each.topic == topic)
    opened = open_personal(office, event)
    assert isinstance(opened, Opened)
    return opened.content


@pytest.mark.shows("A5.a1", "A5.1", "A5.2")
def test_a_direct_application_is_assessed_sent_and_closed_and_no_school_hears_of_it(shop: Workshop) -> None:
    """Domain E01."""
    desk, today = clerk(shop, c14091729013=ExpertiseFile(opinion_on=shop.commission.office.today)), shop.commission.office.today
    case_id, _ = desk.register_direct(DIRECT_FORM)
    with pytest.raises(refusals.DirectRegisteredError):
        desk.register_direct(DIRECT_FORM)
    again, _ = desk.register_direct(DIRECT_FORM.model_copy(update={"register_number": "R-4"}))
    assert desk.same_pupil(case_id) == [again]
    desk.look_up(case_id, LookUpInput(examined_on=today))
    desk.recommend(case_id, RecommendationInput(number="I-1", text="Ieteikums", issued_on=today, valid_from=today))
    desk.dispatch(case_id, DispatchInput(number="S-1", by=Delivery.IN_PERSON, sent_on=today))
    desk.close(case_id, ClosingInput(cause=AssessmentCause.DISPATCHED))
    settled(shop)
    assert shop.commission.state(case_id) == "Closed: Dispatched"
    assert personal(shop, case_id, "DocumentsDispatched").address.text == "Izdomu iela 7-12, Paraugpilsēta"
    assert told(shop, case_id) == []
    (row,) = shop.commission.office.database.all("SELECT variant, school FROM cases WHERE case_id = ?", case_id.hex)
    assert tuple(row) == ("A1", None)
    assert rebuild(shop.commission.office) == (2, [])


@pytest.mark.shows("A5.3")
def test_the_file_is_looked_up_by_the_code_and_who_looked_still_says_when(shop: Workshop) -> None:
    _, case_id = asked(shop)
    today = shop.commission.office.today
    form = LookUpInput(examined_on=today)
    with pytest.raises(refusals.RegisterMissingError):
        Commission(shop.commission.office).look_up(case_id, form)
    with pytest.raises(refusals.NotRegisteredError):
        clerk(shop).look_up(case_id, form)
    registered(shop, case_id)
    clerk(shop).look_up(case_id, form)
    seen = clerk(shop).case(case_id).examination
    assert seen is not None
    assert (seen.file_found, seen.opinion, seen.examined_on) == (False, Opinion.NONE, today)
    ended = ExpertiseFile(opinion_on=today - timedelta(days=9), opinion_until=today - timedelta(days=1))
    clerk(shop, c32000000001=ended).look_up(case_id, form)
    seen = clerk(shop).case(case_id).examination
    assert seen is not None
    assert (seen.opinion, seen.opinion_until) == (Opinion.EXPIRED, ended.opinion_until)


@pytest.mark.shows("D5.10", "D5.11")
@pytest.mark.parametrize(
    ("changed", "expected"),
    [(CorrectedField.CODE, "nothing"), (CorrectedField.NEW_CODE, "the file"), (CorrectedField.NAME, "the file")],
)
def test_a_corrected_code_replaces_the_old_one_and_a_new_code_stands_beside_it(
    shop: Workshop, changed: CorrectedField, expected: str
) -> None:
    """Domain E16, P17: the file may stand under either of two codes, never under a mistyped one."""
    mine, case_id = asked(shop)
    registered(shop, case_id)
    clerk(shop).not_matched(case_id)
    settled(shop)
    assert told(shop, case_id) == ["IdentityNotMatched"]
    old = Particulars(pupil=PUPIL, representative=FATHER, contact="+37120000099")
    new = replace(old, pupil=replace(PUPIL, personal_code="32000000022"))
    corrected = New(
        facts=PersonDataCorrected(changed=(changed,), on=shop.commission.office.today),
        personal=PersonDataCorrectedPersonal(old=old, new=new, old_birth_date=None, new_birth_date=None, evidence="pase"),
    )
    correction = RequestCorrected(changed=(changed,), basis=BEFORE)
    says(shop, mine, corrected, New(facts=correction, personal=RequestCorrectedPersonal(old=old, new=new)))
    assert shop.commission.state(case_id) == "Registered"
    under_old = clerk(shop, c32000000001=ExpertiseFile())
    under_old.look_up(case_id, LookUpInput(examined_on=shop.commission.office.today))
    seen = under_old.case(case_id).examination
    assert seen is not None
    assert seen.file_found == (expected == "the file")


def says_code(shop: Workshop, mine: UUID, old: str, new: str, changed: CorrectedField, *, school: str = SCHOOL) -> None:
    """Let the school say that the pupil's code is another."""
    before = Particulars(pupil=replace(PUPIL, personal_code=old), representative=FATHER, contact="+37120000099")
    after = replace(before, pupil=replace(PUPIL, personal_code=new))
    corrected = New(
        facts=PersonDataCorrected(changed=(changed,), on=shop.commission.office.today),
        personal=PersonDataCorrectedPersonal(old=before, new=after, old_birth_date=None, new_birth_date=None, evidence="pase"),
    )
    correction = RequestCorrected(changed=(changed,), basis=BEFORE)
    told_so = New(facts=correction, personal=RequestCorrectedPersonal(old=before, new=after))
    says(shop, mine, corrected, told_so, school=school)


@pytest.mark.shows("D5.9", "D5.11")
def test_a_new_code_that_was_mistyped_leaves_the_old_one_with_the_pupil(shop: Workshop) -> None:
    """P17 with a slip of the pen: the file stands under the code from before the change, and is the pupil's still."""
    mine, case_id = asked(shop)
    registered(shop, case_id)
    says_code(shop, mine, "32000000001", "33000000045", CorrectedField.NEW_CODE)
    says_code(shop, mine, "33000000045", "33000000044", CorrectedField.CODE)
    desk, today = clerk(shop, c32000000001=ExpertiseFile()), shop.commission.office.today
    desk.look_up(case_id, LookUpInput(examined_on=today))
    seen = desk.case(case_id).examination
    assert seen is not None
    assert seen.file_found
    under_mistyped = clerk(shop, c33000000045=ExpertiseFile())
    under_mistyped.look_up(case_id, LookUpInput(examined_on=today))
    seen = under_mistyped.case(case_id).examination
    assert seen is not None
    assert not seen.file_found


@pytest.mark.shows("D5.6")
def test_two_schools_that_ask_about_one_pupil_get_one_recommendation_and_an_answer_each(shop: Workshop) -> None:
    """Domain E13: neither answer mentions the other school, and one dispatch goes out."""
    _, first = asked(shop)
    _, second = asked(shop, OTHER)
    _, third = asked(shop, OTHER, pupil=2)
    for number, case_id in enumerate((first, second, third), start=1):
        registered(shop, case_id, number)
    desk, today = clerk(shop), shop.commission.office.today
    assert desk.same_pupil(first) == [second]
    with pytest.raises(refusals.NotSamePupilError):
        desk.link(third, LinkInput())
    for wrong in (third, second):
        with pytest.raises(refusals.NotSamePupilError):
            desk.link(second, LinkInput(primary=str(wrong)))
    desk.link(second, LinkInput(primary=str(first)))
    # Whoever others rest on is not linked itself.
    with pytest.raises(refusals.LinkOrderError):
        desk.link(first, LinkInput())
    desk.examine(first, ExaminationInput(file_found=True, opinion=Opinion.VALID, examined_on=today))
    with pytest.raises(refusals.NothingToAnswerError):
        desk.answer(second, _OFFICIAL)
    desk.recommend(first, RecommendationInput(number="I-1", text="Ieteikums", issued_on=today, valid_from=today))
    sent(shop, first)
    desk.answer(first, _OFFICIAL)
    desk.answer(second, _OFFICIAL)
    settled(shop)
    assert told(shop, first) == told(shop, second) == ["ConfirmationGiven"]
    with pytest.raises(refusals.LinkedError):
        sent(shop, second)
    desk.close(second, ClosingInput(cause=AssessmentCause.ANSWERED))
    assert shop.commission.state(second) == "Closed: Answered"
    for school in (SCHOOL, OTHER):
        assert shop.members[school].held("refused") == []


@pytest.mark.shows("D5.6")
@pytest.mark.parametrize("decide", [prepared, refused])
def test_two_requests_about_one_pupil_are_not_decided_twice(shop: Workshop, decide: Callable[[Workshop, UUID], None]) -> None:
    _, first = asked(shop)
    _, second = asked(shop, OTHER)
    _, other_pupil = asked(shop, OTHER, pupil=2)
    prepared(shop, first)
    with pytest.raises(DecidedElsewhereError):
        decide(shop, second)
    clerk(shop).link(second, LinkInput())
    decide(shop, other_pupil)


@pytest.mark.shows("D5.6")
def test_what_came_after_a_decision_or_cannot_be_linked_is_decided_by_itself(shop: Workshop) -> None:
    _, first = asked(shop)
    _, second = asked(shop, OTHER)
    prepared(shop, first)
    registered(shop, second, 2)
    one, other = (folded(shop.commission.office, each) for each in (first, second))
    assert is_decided_elsewhere(other, one)
    assert not is_decided_elsewhere(one, other)
    assert other.registered is not None
    renewed = replace(other, registered=replace(other.registered, received_on=other.registered.received_on + timedelta(days=1)))
    assert not is_decided_elsewhere(renewed, one)
    assert not is_decided_elsewhere(replace(other, linked=one.first), one)
    assert not is_decided_elsewhere(replace(other, registered=None), one)


@pytest.mark.shows("D5.6", "D5.12", "D5.13")
@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_every_school_that_got_a_yes_is_told_when_it_holds_no_longer(shop: Workshop, how: str) -> None:
    _, first = asked(shop)
    _, second = asked(shop, OTHER)
    desk, today = clerk(shop), shop.commission.office.today
    registered(shop, second, 2)
    prepared(shop, first, days=1)
    desk.link(second, LinkInput())
    desk.answer(first, _OFFICIAL)
    desk.answer(second, _OFFICIAL)
    settled(shop)
    if how == "revoked":
        desk.revoke(first, RevocationInput(effective_on=today, reason=RevocationReason.ISSUED_IN_ERROR, text="Atcelts"))
    else:
        shop.clock.now += 3 * _DAY
    settled(shop)
    assert told(shop, first) == told(shop, second) == ["ConfirmationGiven", "ConfirmationEnded"]
    assert shop.commission.state(first) == how.capitalize()
    for school in (SCHOOL, OTHER):
        assert shop.members[school].held("refused") == []
    shop.clock.now += 3 * _DAY
    settled(shop)
    assert told(shop, second) == ["ConfirmationGiven", "ConfirmationEnded"]


@pytest.mark.shows("D5.6", "D5.9", "D5.13")
def test_a_linked_school_is_told_although_its_request_was_mistyped_at_first(shop: Workshop) -> None:
    """The look-up knows a pupil by the code that was registered; a link holds whatever it was."""
    _, first = asked(shop)
    mine, second = asked(shop, OTHER, pupil=9)
    desk, today = clerk(shop), shop.commission.office.today
    registered(shop, second, 2)
    prepared(shop, first)
    old = Particulars(pupil=replace(PUPIL, personal_code="32000000009"), representative=FATHER, contact="+37120000099")
    new = replace(old, pupil=replace(PUPIL, personal_code="32000000001"))
    corrected = New(
        facts=PersonDataCorrected(changed=(CorrectedField.CODE,), on=today),
        personal=PersonDataCorrectedPersonal(old=old, new=new, old_birth_date=None, new_birth_date=None, evidence="pase"),
    )
    correction = RequestCorrected(changed=(CorrectedField.CODE,), basis=BEFORE)
    told_so = New(facts=correction, personal=RequestCorrectedPersonal(old=old, new=new))
    says(shop, mine, corrected, told_so, school=OTHER)
    assert desk.same_pupil(second) == [first]
    desk.link(second, LinkInput())
    desk.answer(second, _OFFICIAL)
    desk.revoke(first, RevocationInput(effective_on=today, reason=RevocationReason.ISSUED_IN_ERROR, text="Atcelts"))
    assert told(shop, second) == ["ConfirmationGiven", "ConfirmationEnded"]


@pytest.mark.shows("D5.6", "D5.13")
def test_a_corrected_answer_reaches_the_school_of_a_linked_case_too(shop: Workshop) -> None:
    _, first = asked(shop)
    _, second = asked(shop, OTHER)
    desk = clerk(shop)
    registered(shop, second, 2)
    prepared(shop, first)
    desk.link(second, LinkInput())
    desk.answer(first, _OFFICIAL)
    desk.answer(second, _OFFICIAL)
    text = CorrectionInput(text="Labojums", answer_changed=False, official="Ilze Paraudziņa")
    desk.correct_recommendation(first, text)
    with pytest.raises(refusals.CorrectedAlreadyError):
        desk.correct_recommendation(first, text)
    assert told(shop, first) == ["ConfirmationGiven"]
    desk.correct_recommendation(first, text.model_copy(update={"answer_changed": True}))
    settled(shop)
    assert told(shop, first) == told(shop, second) == ["ConfirmationGiven", "ConfirmationCorrected"]
    for school in (SCHOOL, OTHER):
        assert shop.members[school].held("refused") == []


@pytest.mark.shows("D5.6", "D5.7")
def test_a_case_whose_earlier_one_ended_without_an_outcome_is_assessed_by_itself(shop: Workshop) -> None:
    """Else its school would wait for ever."""
    first_at_school, first = asked(shop)
    _, second = asked(shop, OTHER)
    desk, today = clerk(shop), shop.commission.office.today
    registered(shop, first)
    registered(shop, second, 2)
    desk.link(second, LinkInput())
    examination = ExaminationInput(file_found=True, opinion=Opinion.VALID, examined_on=today)
    with pytest.raises(refusals.LinkedError):
        desk.examine(second, examination)
    School(shop.members[SCHOOL].office).withdraw(first_at_school, WithdrawalForm(received_on=today, by="Andris Izdomenieks"))
    settled(shop)
    shown = outlook(shop.commission.office, second)
    assert "nothing comes any more of the earlier case on which it rested: examine the file here" in shown.missing
    assert "examine" in {each.act for each in shown.allowed}
    desk.examine(second, examination)
    desk.recommend(second, RecommendationInput(number="I-2", text="Ieteikums", issued_on=today, valid_from=today))
    desk.answer(second, _OFFICIAL)
    settled(shop)
    assert told(shop, second) == ["ConfirmationGiven"]
    assert desk.case(second).state is CommissionState.ANSWERED
    assert shop.members[OTHER].held("refused") == []


def direct_and_linked(shop: Workshop) -> tuple[UUID, UUID]:
    """Enter a direct application whose recommendation was issued, and a school's request of the same pupil linked to it."""
    desk, today = clerk(shop), shop.commission.office.today
    direct = DIRECT_FORM.model_copy(update={"pupil": DIRECT_FORM.pupil.model_copy(update={"personal_code": "32000000001"})})
    first, _ = desk.register_direct(direct)
    _, second = asked(shop, OTHER)
    registered(shop, second, 2)
    desk.examine(first, ExaminationInput(file_found=True, opinion=Opinion.VALID, examined_on=today))
    desk.link(second, LinkInput())
    return first, second


@pytest.mark.shows("D5.6", "D5.13")
def test_the_school_that_rests_on_a_direct_application_is_told_of_its_correction(shop: Workshop) -> None:
    """Nobody is answered in the earlier case itself."""
    first, second = direct_and_linked(shop)
    desk, today = clerk(shop), shop.commission.office.today
    desk.recommend(first, RecommendationInput(number="I-1", text="Ieteikums", issued_on=today, valid_from=today))
    desk.answer(second, _OFFICIAL)
    desk.correct_recommendation(first, CorrectionInput(text="Labojums", answer_changed=True, official="Ilze Paraudziņa"))
    assert personal(shop, second, "ConfirmationCorrected").official == "Ilze Paraudziņa"
    settled(shop)
    assert told(shop, second) == ["ConfirmationGiven", "ConfirmationCorrected"]
    assert shop.members[OTHER].held("refused") == []


def due_in(shop: Workshop, case_id: UUID) -> dict[str, str]:
    """Return what the due list shows of a case."""
    return {line.due: line.due_on for line in due(shop.commission.office) if line.case == str(case_id)}


@pytest.mark.shows("D5.6", "D5.14")
def test_a_linked_case_is_not_closed_on_an_answer_that_was_decided_anew(shop: Workshop) -> None:
    """E09 of a direct application: the linked school's no is corrected first."""
    first, second = direct_and_linked(shop)
    desk, today = clerk(shop), shop.commission.office.today
    desk.refuse(first, RefusalInput(issued_on=today, grounds=(RefusalGround.NEED_NOT_FOUND,), text="Pamatojums"))
    desk.answer(second, _OFFICIAL)
    desk.contest(first, ContestInput(on=today, text="Iebildumi"))
    desk.set_aside(first, HeadDecisionInput(on=today, text="Atcelts"))
    answered = ClosingInput(cause=AssessmentCause.ANSWERED)
    with pytest.raises(refusals.CloseCauseError):
        desk.close(second, answered)
    assert due_in(shop, second) == {}
    desk.recommend(first, RecommendationInput(number="I-1", text="Ieteikums", issued_on=today, valid_from=today))
    with pytest.raises(refusals.CloseCauseError):
        desk.close(second, answered)
    # Lists and show say so, and name the act that heals it; rebuilding from events alone finds the same.
    office = shop.commission.office
    assert due_in(shop, second) == {"AnswerAgain": today.isoformat()}
    assert shop.commission.state(second) == "Linked"
    shown = outlook(office, second)
    assert "the school has an answer that is no longer the right one: answer again" in shown.missing
    assert "answer" in {each.act for each in shown.allowed}
    assert rebuild(office)[1] == []
    desk.answer(second, _OFFICIAL)
    assert due_in(shop, second) == {}
    assert outlook(office, second).missing == ()
    desk.close(second, answered)
    assert told(shop, second) == ["ConfirmationGiven", "ConfirmationCorrected"]
    assert rebuild(office)[1] == []


@pytest.mark.parametrize(
    "happens", ["DELETE FROM parts WHERE digest = ?", "UPDATE parts SET sealed = zeroblob(length(sealed)) WHERE digest = ?"]
)
def test_an_old_case_that_cannot_be_read_any_more_does_not_stand_in_the_way_of_new_ones(shop: Workshop, happens: str) -> None:
    """Lost or damaged: whom the old case is about nobody knows, and the pupil's others are found without it."""
    office, desk = shop.commission.office, clerk(shop)
    old, _ = desk.register_direct(DIRECT_FORM)
    again, _ = desk.register_direct(DIRECT_FORM.model_copy(update={"register_number": "R-4"}))
    assert desk.same_pupil(again) == [old]
    for event in office.store.stream(old).events:
        assert office.database.run(happens, event.sealed.personal) == 1
    third, _ = desk.register_direct(DIRECT_FORM)
    assert desk.same_pupil(third) == [again]
    with pytest.raises(refusals.DirectRegisteredError):
        desk.register_direct(DIRECT_FORM)


@pytest.mark.shows("D5.6", "D5.13", "D5.14")
def test_a_linked_case_that_is_damaged_on_the_disk_keeps_no_other_from_its_acts(shop: Workshop) -> None:
    first, second = direct_and_linked(shop)
    desk, office, today = clerk(shop), shop.commission.office, shop.commission.office.today
    _, other = asked(shop, pupil=3)
    _, damaged = asked(shop, OTHER, pupil=3)
    registered(shop, other, 3)
    registered(shop, damaged, 4)
    desk.link(damaged, LinkInput())
    (row,) = office.database.all("SELECT * FROM stored_events WHERE originator_id = ? AND originator_version = 2", damaged.hex)
    flipped = bytes(row["state"][:-1]) + bytes([row["state"][-1] ^ 1])
    query = "UPDATE stored_events SET state = ? WHERE originator_id = ? AND originator_version = 2"
    office.database.run(query, flipped, damaged.hex)
    with pytest.raises(SealError):
        desk.case(damaged)
    desk.refuse(first, RefusalInput(issued_on=today, grounds=(RefusalGround.NEED_NOT_FOUND,), text="Pamatojums"))
    desk.answer(second, _OFFICIAL)
    desk.contest(first, ContestInput(on=today, text="Iebildumi"))
    desk.set_aside(first, HeadDecisionInput(on=today, text="Atcelts"))
    desk.recommend(first, RecommendationInput(number="I-1", text="Ieteikums", issued_on=today, valid_from=today))
    assert due_in(shop, second) == {"AnswerAgain": today.isoformat()}
    desk.revoke(first, RevocationInput(effective_on=today, reason=RevocationReason.ISSUED_IN_ERROR, text="Atcelts"))


@pytest.mark.shows("D5.6", "D5.7")
def test_what_comes_in_a_linked_case_does_not_wait_for_an_earlier_one_that_was_damaged_on_the_disk(shop: Workshop) -> None:
    _, first = asked(shop)
    mine, second = asked(shop, OTHER)
    registered(shop, first, 1)
    registered(shop, second, 2)
    desk, office = clerk(shop), shop.commission.office
    desk.link(second, LinkInput())
    (row,) = office.database.all("SELECT * FROM stored_events WHERE originator_id = ? AND originator_version = 2", first.hex)
    flipped = bytes(row["state"][:-1]) + bytes([row["state"][-1] ^ 1])
    query = "UPDATE stored_events SET state = ? WHERE originator_id = ? AND originator_version = 2"
    office.database.run(query, flipped, first.hex)
    School(shop.members[OTHER].office).withdraw(mine, WithdrawalForm(received_on=office.today, by="Andris Izdomenieks"))
    settled(shop)
    assert shop.commission.held("parked") == []
    assert shop.commission.state(second) == "Withdrawn"
    # Whoever would decide by the earlier one is told.
    with pytest.raises(SealError):
        desk.answer(second, _OFFICIAL)


def test_who_rests_on_a_case_is_found_without_reading_all_that_ever_happened(shop: Workshop) -> None:
    database = shop.commission.office.database
    asked = "SELECT DISTINCT originator_id FROM stored_events WHERE topic = 'AssessmentLinked' ORDER BY originator_id"
    (plan,) = database.all(f"EXPLAIN QUERY PLAN {asked}")
    assert "stored_events_by_topic" in plan["detail"]
    assert "SEARCH" in plan["detail"]


@pytest.mark.shows("D5.17")
def test_a_lost_letter_goes_out_again_under_its_number(shop: Workshop) -> None:
    """Domain E19."""
    mine, case_id = asked(shop)
    prepared(shop, case_id)
    sent(shop, case_id)
    desk, today = clerk(shop), shop.commission.office.today
    desk.answer(case_id, _OFFICIAL)
    desk.delivery_failed(case_id, DeliveryFailureInput(on=today, cause=DeliveryCause.REPORTED_MISSING))
    desk.redispatch(case_id, RedispatchInput(by=Delivery.REGISTERED, sent_on=today, duplicate=True))
    assert personal(shop, case_id, "Redispatched").number == "S-1"
    desk.deliver_confirmed(case_id, DeliveryInput(on=today, cause=DeliveryCause.RECEIPT_SIGNED))
    settled(shop)
    topics = [event.topic for event in shop.commission.office.store.stream(case_id).events]
    assert topics.count("RecommendationIssued") == 1
    assert shop.members[SCHOOL].state(mine) == "ReadyForDecision"


def meanwhile(shop: Workshop, happens: Callable[[], object]) -> None:
    """Let something be saved after a clerk's command began, just before its transaction reads anything."""
    database = shop.commission.office.database

    def once() -> None:
        database.guard(lambda: None)
        happens()

    database.guard(once)


def corrected_code(shop: Workshop, mine: UUID) -> None:
    """Let the school say that the pupil's code was mistyped."""
    old = Particulars(pupil=PUPIL, representative=FATHER, contact="+37120000099")
    new = replace(old, pupil=replace(PUPIL, personal_code="32000000022"))
    corrected = New(
        facts=PersonDataCorrected(changed=(CorrectedField.CODE,), on=shop.commission.office.today),
        personal=PersonDataCorrectedPersonal(old=old, new=new, old_birth_date=None, new_birth_date=None, evidence="pase"),
    )
    correction = RequestCorrected(changed=(CorrectedField.CODE,), basis=BEFORE)
    says(shop, mine, corrected, New(facts=correction, personal=RequestCorrectedPersonal(old=old, new=new)))


def moved_to_a_shelter(shop: Workshop, mine: UUID, house: int = 1) -> Address:
    shelter = Address(text=f"Citas ielas {house}", postal_code="LV-1099")
    moved = DeliveryAddressChanged(address=AddressKind.HOME, address_protected=True, dispatch_on_hold=False, basis=BEFORE)
    chosen = New(facts=ADDRESS_CHOSEN, personal=ADDRESS_CHOSEN_PERSONAL)
    says(shop, mine, chosen, New(facts=moved, personal=DeliveryAddressChangedPersonal(address=shelter)))
    return shelter


def test_the_file_of_a_mistyped_code_is_not_recorded_although_the_correction_came_while_it_was_looked_up(shop: Workshop) -> None:
    """D.5, 10: it is somebody else's."""
    mine, case_id = asked(shop)
    registered(shop, case_id)

    class Slow(MemoryRegister):
        def look_up(self, personal_code: str) -> ExpertiseFile | None:
            if personal_code == "32000000001":
                corrected_code(shop, mine)
            return super().look_up(personal_code)

    desk = Commission(shop.commission.office, Slow({"32000000001": ExpertiseFile()}))
    with pytest.raises(refusals.CodeChangedError):
        desk.look_up(case_id, LookUpInput(examined_on=shop.commission.office.today))
    desk.look_up(case_id, LookUpInput(examined_on=shop.commission.office.today))
    seen = desk.case(case_id).examination
    assert seen is not None
    assert not seen.file_found


@pytest.mark.shows("I5")
@pytest.mark.parametrize("again", [False, True])
def test_a_letter_goes_to_the_address_that_came_while_it_was_written(shop: Workshop, *, again: bool) -> None:
    mine, case_id = asked(shop)
    prepared(shop, case_id)
    if again:
        sent(shop, case_id)
        moved_to_a_shelter(shop, mine)
    shelters: list[Address] = []
    meanwhile(shop, lambda: shelters.append(moved_to_a_shelter(shop, mine, house=2)))
    if again:
        today = shop.commission.office.today
        clerk(shop).redispatch(case_id, RedispatchInput(by=Delivery.REGISTERED, sent_on=today, duplicate=False))
    else:
        sent(shop, case_id)
    letter, case = personal(shop, case_id, "Redispatched" if again else "DocumentsDispatched"), clerk(shop).case(case_id)
    assert case.dispatch is not None
    assert case.address is not None
    assert case.dispatch.facts.address_from == case.address.body
    assert [letter.address] == shelters


def test_no_school_gets_a_yes_on_a_recommendation_that_is_revoked_while_the_answer_is_written(shop: Workshop) -> None:
    """D.3: no yes without a recommendation that holds, also where it is that of the earlier case."""
    _, first = asked(shop)
    _, second = asked(shop, OTHER)
    prepared(shop, first)
    registered(shop, second, 2)
    desk, today = clerk(shop), shop.commission.office.today
    desk.link(second, LinkInput())
    over = RevocationInput(effective_on=today, reason=RevocationReason.ISSUED_IN_ERROR, text="Atcelts")
    meanwhile(shop, lambda: desk.revoke(first, over))
    with pytest.raises(refusals.NothingToAnswerError):
        desk.answer(second, _OFFICIAL)


@pytest.mark.shows("I5", "D5.19")
def test_a_letter_goes_to_the_address_that_was_chosen_since(shop: Workshop) -> None:
    mine, case_id = asked(shop)
    prepared(shop, case_id)
    shelter = Address(text="Citas ielas 1", postal_code="LV-1099")
    chosen = New(facts=ADDRESS_CHOSEN, personal=ADDRESS_CHOSEN_PERSONAL)
    moved = DeliveryAddressChanged(address=AddressKind.HOME, address_protected=True, dispatch_on_hold=True, basis=BEFORE)
    says(shop, mine, chosen, New(facts=moved, personal=DeliveryAddressChangedPersonal(address=shelter)))
    with pytest.raises(refusals.DispatchOnHoldError):
        sent(shop, case_id)
    moved = replace(moved, dispatch_on_hold=False)
    says(shop, mine, chosen, New(facts=moved, personal=DeliveryAddressChangedPersonal(address=shelter)))
    sent(shop, case_id)
    assert personal(shop, case_id, "DocumentsDispatched").address == shelter


@pytest.mark.shows("I5", "D5.6", "D5.19", "D5.30")
def test_the_one_letter_waits_for_the_school_of_a_linked_case_and_goes_where_the_requester_confirms(shop: Workshop) -> None:
    """E13: the guardian changed, and the second school alone knows of it."""
    _, first = asked(shop)
    theirs, second = asked(shop, OTHER)
    desk, today = clerk(shop), shop.commission.office.today
    registered(shop, second, 2)
    prepared(shop, first)
    desk.link(second, LinkInput())
    shelter = Address(text="Citas ielas 1", postal_code="LV-1099")
    moved = DeliveryAddressChanged(address=AddressKind.HOME, address_protected=True, dispatch_on_hold=True, basis=BEFORE)
    chosen = New(facts=ADDRESS_CHOSEN, personal=ADDRESS_CHOSEN_PERSONAL)
    says(shop, theirs, chosen, New(facts=moved, personal=DeliveryAddressChangedPersonal(address=shelter)), school=OTHER)
    said = outlook(shop.commission.office, first)
    assert [each for each in said.missing if str(second) in each]
    assert "dispatch" not in {each.act for each in said.allowed}
    assert not [each for each in outlook(shop.commission.office, second).missing if str(first) in each]
    with pytest.raises(refusals.DispatchOnHoldError):
        sent(shop, first)
    letter = DispatchInput(number="S-1", by=Delivery.REGISTERED, sent_on=today, address_confirmed_on=today, address_of=second.hex)
    with pytest.raises(refusals.NoSuchAddressError):
        desk.dispatch(first, letter.model_copy(update={"address_of": str(first)}))
    # What it holds is where nothing goes any more.
    with pytest.raises(refusals.NoSuchAddressError):
        desk.dispatch(first, letter)
    told_anew = New(facts=replace(moved, dispatch_on_hold=False), personal=DeliveryAddressChangedPersonal(address=shelter))
    says(shop, theirs, chosen, told_anew, school=OTHER)
    desk.dispatch(first, letter)
    assert personal(shop, first, "DocumentsDispatched").address == shelter
    assert not [each for each in outlook(shop.commission.office, first).missing if str(second) in each]
    # It did not come, and is held anew: sent again to where this case says, by who confirmed it.
    says(shop, theirs, chosen, New(facts=moved, personal=DeliveryAddressChangedPersonal(address=shelter)), school=OTHER)
    desk.delivery_failed(first, DeliveryFailureInput(on=today, cause=DeliveryCause.RETURNED))
    again = RedispatchInput(by=Delivery.REGISTERED, sent_on=today, duplicate=False)
    with pytest.raises(refusals.DispatchOnHoldError):
        desk.redispatch(first, again)
    desk.redispatch(first, again.model_copy(update={"address_confirmed_on": today}))
    assert personal(shop, first, "Redispatched").address == HOME


def holds(shop: Workshop, mine: UUID, school: str) -> None:
    """Let a school ask to send nothing: who applied with it says that the guardian is another now."""
    shelter = Address(text="Citas ielas 1", postal_code="LV-1099")
    moved = DeliveryAddressChanged(address=AddressKind.HOME, address_protected=True, dispatch_on_hold=True, basis=BEFORE)
    chosen = New(facts=ADDRESS_CHOSEN, personal=ADDRESS_CHOSEN_PERSONAL)
    says(shop, mine, chosen, New(facts=moved, personal=DeliveryAddressChangedPersonal(address=shelter)), school=school)


@pytest.mark.shows("I5", "D5.6", "D5.19")
@pytest.mark.parametrize("looked_at", ["not yet", "registered"])
def test_a_letter_waits_for_the_school_of_a_request_about_the_pupil_that_nobody_has_linked_yet(
    shop: Workshop, looked_at: str
) -> None:
    """The guardian changed; the second school alone knows, and no clerk has looked at its request, or not linked it."""
    _, first = asked(shop)
    theirs, second = asked(shop, OTHER)
    holds(shop, theirs, OTHER)
    prepared(shop, first)
    if looked_at == "registered":
        registered(shop, second, 2)
    desk, office = clerk(shop), shop.commission.office
    assert desk.same_pupil(first) == [second]
    (said,) = (each for each in outlook(office, first).missing if str(second) in each)
    assert "which has this pupil's code and is not linked, asks to send nothing for now" in said
    assert "dispatch" not in {each.act for each in outlook(office, first).allowed}
    with pytest.raises(refusals.DispatchOnHoldError):
        sent(shop, first)
    today = office.today
    desk.dispatch(first, DispatchInput(number="S-1", by=Delivery.REGISTERED, sent_on=today, address_confirmed_on=today))
    assert personal(shop, first, "DocumentsDispatched").address == HOME
    letter = desk.case(first).dispatch
    assert letter is not None
    assert letter.facts.address_confirmed_on == today
    assert not [each for each in outlook(office, first).missing if str(second) in each]
    assert rebuild(office)[1] == []


@pytest.mark.shows("D5.9", "D5.10", "D5.19")
def test_a_letter_waits_for_who_has_the_code_until_today_and_for_nobody_who_had_it_by_mistake(shop: Workshop) -> None:
    _, first = asked(shop, pupil=9)
    theirs, second = asked(shop, OTHER)
    holds(shop, theirs, OTHER)
    prepared(shop, first)
    desk, office = clerk(shop), shop.commission.office
    assert desk.same_pupil(first) == []
    mends_code(shop, theirs, OTHER)
    assert desk.same_pupil(first) == [second]
    with pytest.raises(refusals.DispatchOnHoldError):
        sent(shop, first)
    # Whose code was written by mistake is another child.
    _, other = asked(shop)
    prepared(shop, other)
    desk.dispatch(other, DispatchInput(number="S-2", by=Delivery.REGISTERED, sent_on=office.today))
    assert rebuild(office)[1] == []


@pytest.mark.shows("D5.19")
def test_a_request_whose_key_comes_late_is_found_by_its_pupil_from_then_on(shop: Workshop) -> None:
    _, first = asked(shop)
    # The key of this school's facts is here; that of the case alone is late.
    asked(shop, OTHER, pupil=2)
    before = len(shop.letters(COMMISSION))
    theirs, _ = School(shop.members[OTHER].office).file(application_form(pupil=another_pupil(1)))
    School(shop.members[OTHER].office).request(theirs)
    while shop.members[OTHER].work():
        pass
    second, office = commission_case(theirs, to_commission(OTHER)), shop.commission.office
    late = shop.letters(COMMISSION)[before:]
    del shop.letters(COMMISSION)[before:]
    while shop.commission.work():
        pass
    assert types_of(shop, second) == ["InformationRequested"]
    assert clerk(shop).same_pupil(first) == []
    shop.letters(COMMISSION).extend(late)
    settled(shop)
    assert clerk(shop).same_pupil(first) == [second]
    assert rebuild(office)[1] == []


@pytest.mark.shows("D5.30", "D5.6")
@pytest.mark.parametrize("cause", [LeavingCause.DIED, LeavingCause.LEFT_COUNTRY])
def test_a_letter_waits_where_the_school_of_a_request_that_nobody_linked_tells_that_the_pupil_died_or_left(
    shop: Workshop, cause: LeavingCause
) -> None:
    """It holds the letters and withdraws its request in one act."""
    _, first = asked(shop)
    theirs, second = asked(shop, OTHER)
    prepared(shop, first)
    other = shop.members[OTHER].office
    School(other).leave(theirs, LeavingForm(on=other.today, cause=cause))
    settled(shop)
    assert [each for each in outlook(shop.commission.office, first).missing if str(second) in each]
    with pytest.raises(refusals.DispatchOnHoldError):
        sent(shop, first)


@pytest.mark.shows("D5.6", "D5.11", "D5.19")
def test_a_letter_waits_for_a_request_under_the_new_code_that_a_linked_case_alone_tells(shop: Workshop) -> None:
    _, first = asked(shop)
    theirs, second = asked(shop, OTHER)
    says_code(shop, theirs, "32000000001", "32000000009", CorrectedField.NEW_CODE, school=OTHER)
    third_of_school, third = asked(shop, pupil=9)
    holds(shop, third_of_school, SCHOOL)
    prepared(shop, first)
    registered(shop, second, 2)
    clerk(shop).link(second, LinkInput())
    assert [each for each in outlook(shop.commission.office, first).missing if str(third) in each]
    with pytest.raises(refusals.DispatchOnHoldError):
        sent(shop, first)


@pytest.mark.shows("D5.11", "D5.19")
def test_a_letter_waits_for_a_request_one_of_whose_corrections_does_not_open(shop: Workshop) -> None:
    """A new code does not end the old one, and what the request says opens."""
    office = shop.commission.office
    _, first = asked(shop)
    theirs, second = asked(shop, OTHER)
    says_code(shop, theirs, "32000000001", "32000000045", CorrectedField.NEW_CODE, school=OTHER)
    part = office.store.stream(second).events[-1].sealed.personal
    holds(shop, theirs, OTHER)
    prepared(shop, first)
    office.database.run("DELETE FROM parts WHERE digest = ?", part)
    with pytest.raises(refusals.DispatchOnHoldError):
        sent(shop, first)


def test_a_request_that_is_no_longer_taken_and_was_registered_unread_breaks_no_other_case(shop: Workshop) -> None:
    """An epoch puts it off the chain; of whom the case is nobody can say then."""
    _, first = asked(shop)
    prepared(shop, first)
    asked(shop, OTHER, pupil=2)
    before, desk = len(shop.letters(COMMISSION)), School(shop.members[OTHER].office)
    theirs, _ = desk.file(application_form(pupil=another_pupil(1)))
    desk.request(theirs)
    while shop.members[OTHER].work():
        pass
    second, office = commission_case(theirs, to_commission(OTHER)), shop.commission.office
    late = shop.letters(COMMISSION)[before:]
    del shop.letters(COMMISSION)[before:]
    while shop.commission.work():
        pass
    registered(shop, second, 2)
    shop.letters(COMMISSION).extend(late)
    settled(shop)
    event = office.store.stream(second).events[0]
    office.database.run(
        "INSERT INTO held (channel, kind, reason, case_id, event_id, digest) VALUES (?, 'voided', 'no longer taken', ?, ?, ?)",
        event.channel,
        second.hex,
        event.event_id,
        bytes(32),
    )
    assert outlook(office, second)
    assert clerk(shop).same_pupil(first) == []
    sent(shop, first)


@pytest.mark.shows("D5.19")
def test_a_key_that_opens_no_more_keeps_no_letter_of_another_case(shop: Workshop, tmp_path: Path) -> None:
    """One key of a school's facts was damaged on the disk: nobody knows any more of whom its requests are."""
    office = shop.commission.office
    _, first = asked(shop)
    _, second = asked(shop, OTHER)
    prepared(shop, first)
    assert clerk(shop).same_pupil(first) == [second]
    damaged = "UPDATE keys SET wrapped = zeroblob(length(wrapped)) WHERE key_use = 'FACTS' AND channel = ?"
    office.database.run(damaged, to_commission(OTHER))
    # Its processes begin anew, and hold nothing in memory.
    copy = shop.copied(tmp_path / "copy")
    assert clerk(copy).same_pupil(first) == []
    sent(copy, first)


@pytest.mark.shows("D5.3", "D5.9", "D5.10")
def test_a_school_hears_nothing_again_of_a_summons_that_was_made_by_a_mistyped_code(shop: Workshop) -> None:
    _, first = asked(shop)
    theirs, second = asked(shop, OTHER)
    registered(shop, first)
    registered(shop, second, 2)
    summoned(shop, first)
    summoned(shop, second)
    clerk(shop).link(second, LinkInput())
    settled(shop)
    assert told(shop, second) == ["AttendanceRequired"] * 2
    mends_code(shop, theirs, OTHER)
    shop.settle(seconds=120)
    settled(shop)
    assert told(shop, second) == ["AttendanceRequired"] * 2


def test_requests_of_a_database_from_before_are_found_by_their_pupil_after_its_next_start(shop: Workshop) -> None:
    _, first = asked(shop)
    _, second = asked(shop, OTHER)
    office = shop.commission.office
    office.database.run("DELETE FROM people")
    office.database.run("DELETE FROM said WHERE name LIKE 'look-up%'")
    assert clerk(shop).same_pupil(first) == []
    assert Worker(office).start()
    assert clerk(shop).same_pupil(first) == [second]
    assert rebuild(office)[1] == []
    # Once: the next start finds them noted.
    office.database.run("DELETE FROM people")
    assert Worker(office).start()
    assert clerk(shop).same_pupil(first) == []


@pytest.mark.shows("D5.6", "D5.19")
def test_no_letter_goes_out_while_own_events_of_another_request_about_the_pupil_are_to_come_back(shop: Workshop) -> None:
    _, first = asked(shop)
    _, second = asked(shop, OTHER)
    prepared(shop, first)
    not_whole(shop, second)
    with pytest.raises(CaseIncompleteError):
        sent(shop, first)
    whole_again(shop)
    sent(shop, first)


@pytest.mark.shows("D5.6", "D5.19")
@pytest.mark.parametrize("trouble", ["not whole", "damaged"])
def test_no_letter_goes_out_while_a_hold_in_a_linked_case_cannot_be_read(shop: Workshop, trouble: str) -> None:
    """The guardian changed, and the word of it waits, or the disk damaged it: the letter would go to the former one."""
    first, second = linked_pair(shop, is_prepared=True)
    desk, office, today = clerk(shop), shop.commission.office, shop.commission.office.today
    _, other = asked(shop, OTHER, pupil=3)
    if trouble == "not whole":
        not_whole(shop, second)
    else:
        office.database.run(
            "UPDATE stored_events SET state = zeroblob(length(state)) WHERE originator_id = ? AND originator_version = 2",
            second.hex,
        )
    expected: type[Exception] = CaseIncompleteError if trouble == "not whole" else VerificationError
    with pytest.raises(expected):
        sent(shop, first)
    assert "DocumentsDispatched" not in types_of(shop, first)
    # The letters of other pupils wait for nothing.
    prepared(shop, other)
    desk.dispatch(other, DispatchInput(number="S-2", by=Delivery.REGISTERED, sent_on=today))


@pytest.mark.shows("D5.13", "D5.14")
def test_a_refusal_that_is_set_aside_ends_in_a_corrected_yes(shop: Workshop) -> None:
    """Domain E09, variant."""
    mine, case_id = asked(shop)
    refused(shop, case_id)
    sent(shop, case_id)
    desk, today = clerk(shop), shop.commission.office.today
    desk.answer(case_id, _OFFICIAL)
    settled(shop)
    assert shop.members[SCHOOL].state(mine) == "NegativeAnswer"
    desk.contest(case_id, ContestInput(on=today, text="Iebildumi"))
    desk.set_aside(case_id, HeadDecisionInput(on=today, text="Atcelts"))
    desk.recommend(case_id, RecommendationInput(number="I-1", text="Ieteikums", issued_on=today, valid_from=today))
    desk.answer(case_id, _OFFICIAL)
    settled(shop)
    assert told(shop, case_id) == ["ConfirmationGiven", "ConfirmationCorrected"]
    assert shop.members[SCHOOL].state(mine) == "ReadyForDecision"
    assert shop.members[SCHOOL].held("refused") == []


def test_a_refusal_that_is_upheld_stands(shop: Workshop) -> None:
    _, case_id = asked(shop)
    refused(shop, case_id)
    desk, today = clerk(shop), shop.commission.office.today
    desk.contest(case_id, ContestInput(on=today, text="Iebildumi"))
    assert shop.commission.state(case_id) == "Contested"
    desk.uphold(case_id, HeadDecisionInput(on=today, text="Atstāts spēkā"))
    assert shop.commission.state(case_id) == "Refused"


@pytest.mark.shows("D5.3", "D5.4")
def test_a_school_learns_that_attendance_is_needed_and_nothing_of_why(shop: Workshop) -> None:
    mine, case_id = asked(shop, variant="B2", states_irp=False, attachments=[])
    registered(shop, case_id)
    desk, today = clerk(shop), shop.commission.office.today
    desk.extend_term(case_id, ExtensionInput(until=today + timedelta(days=90), cause=ExtensionCause.EXPERTISE_AWAITED))
    desk.examine(case_id, ExaminationInput(file_found=False, opinion=Opinion.NONE, examined_on=today))
    desk.require_attendance(case_id, AttendanceInput(sent_on=today, letter="Lūdzam ierasties"))
    settled(shop)
    assert shop.members[SCHOOL].state(mine) == "OnHoldAttendance"
    desk.attended(case_id, AttendedInput(on=today))
    desk.issue_opinion(case_id, OpinionInput(on=today))
    desk.issue_irp(case_id, IrpInput(number="P-1", text="Plāns", issued_on=today, indicates_need=True))
    desk.recommend(case_id, RecommendationInput(number="I-1", text="Ieteikums", issued_on=today, valid_from=today))
    desk.answer(case_id, _OFFICIAL)
    settled(shop)
    assert shop.members[SCHOOL].state(mine).startswith("ReadyForDecision")


@pytest.mark.shows("A5.3", "D5.3", "D5.6")
@pytest.mark.parametrize("is_linked_first", [True, False])
def test_both_schools_that_asked_about_a_pupil_learn_that_attendance_is_needed(shop: Workshop, *, is_linked_first: bool) -> None:
    """And have the time that the assessment needs: neither is told of the other."""
    mine, first = asked(shop)
    theirs, second = asked(shop, OTHER)
    desk, today = clerk(shop), shop.commission.office.today
    registered(shop, first)
    registered(shop, second, 2)
    if is_linked_first:
        desk.link(second, LinkInput())
    desk.extend_term(first, ExtensionInput(until=today + timedelta(days=90), cause=ExtensionCause.EXPERTISE_AWAITED))
    desk.examine(first, ExaminationInput(file_found=False, opinion=Opinion.NONE, examined_on=today))
    desk.require_attendance(first, AttendanceInput(sent_on=today, letter="Lūdzam ierasties"))
    if not is_linked_first:
        desk.link(second, LinkInput())
    settled(shop)
    assert shop.members[SCHOOL].state(mine) == shop.members[OTHER].state(theirs) == "OnHoldAttendance"
    assert told(shop, first) == told(shop, second) == ["AttendanceRequired"]
    until = (today + timedelta(days=90)).isoformat()
    assert due_in(shop, first)["CommissionTerm"] == due_in(shop, second)["CommissionTerm"] == until
    with pytest.raises(refusals.LinkedError):
        desk.require_attendance(second, AttendanceInput(sent_on=today, letter="Lūdzam ierasties"))
    desk.attended(first, AttendedInput(on=today))
    desk.issue_opinion(first, OpinionInput(on=today))
    desk.recommend(first, RecommendationInput(number="I-1", text="Ieteikums", issued_on=today, valid_from=today))
    desk.answer(first, _OFFICIAL)
    desk.answer(second, _OFFICIAL)
    settled(shop)
    assert shop.members[SCHOOL].state(mine) == shop.members[OTHER].state(theirs) == "ReadyForDecision"
    assert told(shop, first) == told(shop, second) == ["AttendanceRequired", "ConfirmationGiven"]
    assert shop.members[SCHOOL].held("refused") == shop.members[OTHER].held("refused") == []
    assert rebuild(shop.commission.office) == (2, [])


def not_whole(shop: Workshop, case_id: UUID) -> None:
    """Let own events of a case wait for their place, as after a restore while a channel stands still."""
    query = "INSERT INTO held (channel, kind, reason, case_id) VALUES (?, 'misplaced', 'what came before it has not come yet', ?)"
    shop.commission.office.database.run(query, record_of(COMMISSION), case_id.hex)


def whole_again(shop: Workshop) -> None:
    shop.commission.office.database.run("DELETE FROM held WHERE kind = 'misplaced'")
    # The pause after which what is due by itself is tried again.
    shop.settle(seconds=120)
    settled(shop)


def linked_pair(shop: Workshop, *, is_prepared: bool = False) -> tuple[UUID, UUID]:
    """Let two schools ask about a pupil, and return the earlier case and the one that is linked to it."""
    _, first = asked(shop)
    _, second = asked(shop, OTHER)
    registered(shop, second, 2)
    if is_prepared:
        prepared(shop, first)
    else:
        registered(shop, first)
    clerk(shop).link(second, LinkInput())
    settled(shop)
    return first, second


def summoned(shop: Workshop, case_id: UUID) -> None:
    desk, today = clerk(shop), shop.commission.office.today
    desk.examine(case_id, ExaminationInput(file_found=False, opinion=Opinion.NONE, examined_on=today))
    desk.require_attendance(case_id, AttendanceInput(sent_on=today, letter="Lūdzam ierasties"))


@pytest.mark.shows("D5.3", "D5.6", "D5.15")
@pytest.mark.parametrize("lacking", ["earlier", "linked"])
def test_nothing_is_written_in_a_linked_case_while_either_lacks_own_events_and_the_act_in_the_earlier_does_not_wait(
    shop: Workshop, lacking: str
) -> None:
    """What its school is owed follows by itself, once, when both are whole."""
    first, second = linked_pair(shop)
    desk, today = clerk(shop), shop.commission.office.today
    if lacking == "linked":
        not_whole(shop, second)
    else:
        # Nobody acts in the earlier one then: it comes back without the word that it owes.
        shop.commission.office.after_saving = None
    until = today + timedelta(days=90)
    desk.extend_term(first, ExtensionInput(until=until, cause=ExtensionCause.EXPERTISE_AWAITED))
    summoned(shop, first)
    if lacking == "earlier":
        not_whole(shop, first)
    settled(shop)
    assert told(shop, second) == []
    assert "TermExtended" not in types_of(shop, second)
    assert "WordOwed" in due_in(shop, second)
    assert rebuild(shop.commission.office)[1] == []
    whole_again(shop)
    assert told(shop, second) == ["AttendanceRequired"]
    assert types_of(shop, second).count("TermExtended") == 1
    assert "WordOwed" not in due_in(shop, second)
    assert due_in(shop, second)["CommissionTerm"] == until.isoformat()
    assert not shop.members[OTHER].held("refused")


@pytest.mark.shows("D5.6", "D5.15")
def test_a_term_of_a_linked_case_passes_while_the_earlier_one_lacks_own_events(shop: Workshop) -> None:
    first, second = linked_pair(shop)
    not_whole(shop, first)
    shop.clock.now += 60 * _DAY
    shop.settle(seconds=120)
    settled(shop)
    assert types_of(shop, second).count("DeadlinePassed") == 1


@pytest.mark.shows("D5.3", "D5.6")
def test_a_summons_whose_word_to_a_linked_school_was_lost_is_told_to_it_by_itself(shop: Workshop) -> None:
    """The disk was lost between the entries of one act: the summons had gone out, and the word had not."""
    first, second = linked_pair(shop)
    office = shop.commission.office
    office.after_saving, follows = None, office.after_saving
    summoned(shop, first)
    office.after_saving = follows
    assert "WordOwed" in due_in(shop, second)
    settled(shop)
    assert told(shop, second) == ["AttendanceRequired"]
    # The day is over once more, and nothing is told twice.
    shop.clock.now += 2 * _DAY
    settled(shop)
    assert told(shop, second) == ["AttendanceRequired"]
    assert rebuild(office)[1] == []


@pytest.mark.shows("D5.6", "D5.12", "D5.13")
def test_an_answer_in_a_linked_case_that_lacks_own_events_is_corrected_by_an_official_and_its_end_told_by_itself(
    shop: Workshop,
) -> None:
    _, first = asked(shop)
    _, second = asked(shop, OTHER)
    prepared(shop, first)
    registered(shop, second, 2)
    desk, today = clerk(shop), shop.commission.office.today
    desk.link(second, LinkInput())
    desk.answer(first, _OFFICIAL)
    desk.answer(second, _OFFICIAL)
    not_whole(shop, second)
    desk.correct_recommendation(first, CorrectionInput(text="Labojums", answer_changed=True, official="Ilze Paraudziņa"))
    settled(shop)
    assert told(shop, first) == ["ConfirmationGiven", "ConfirmationCorrected"]
    assert told(shop, second) == ["ConfirmationGiven"]
    assert "AnswerAgain" in due_in(shop, second)
    whole_again(shop)
    desk.answer(second, _OFFICIAL)
    assert told(shop, second) == ["ConfirmationGiven", "ConfirmationCorrected"]
    again = RecommendationInput(number="I-2", text="Ieteikums", issued_on=today, valid_from=today)
    correction = CorrectionInput(text="Vēlreiz", answer_changed=True, official="Ilze Paraudziņa", recommendation=again)
    desk.correct_recommendation(first, correction)
    not_whole(shop, second)
    desk.revoke(first, RevocationInput(effective_on=today, reason=RevocationReason.ISSUED_IN_ERROR, text="Atcelts"))
    settled(shop)
    assert told(shop, second)[2:] == ["ConfirmationCorrected"]
    whole_again(shop)
    assert told(shop, second)[2:] == ["ConfirmationCorrected", "ConfirmationEnded"]


@pytest.mark.shows("A5.3", "D5.3", "D5.6", "D5.9", "D5.10")
@pytest.mark.parametrize("mistyped", ["the earlier request", "the linked one"])
def test_a_school_hears_nothing_of_another_child_whose_code_was_typed_by_mistake(shop: Workshop, mistyped: str) -> None:
    """Two were linked by one code, and then a school corrects its own: nobody knows any more that they are of one child."""
    mine, first = asked(shop)
    theirs, second = asked(shop, OTHER)
    desk, today = clerk(shop), shop.commission.office.today
    registered(shop, first)
    registered(shop, second, 2)
    desk.link(second, LinkInput())
    mends_code(shop, *((mine, SCHOOL) if mistyped == "the earlier request" else (theirs, OTHER)))
    desk.examine(first, ExaminationInput(file_found=False, opinion=Opinion.NONE, examined_on=today))
    desk.require_attendance(first, AttendanceInput(sent_on=today, letter="Lūdzam ierasties"))
    desk.attended(first, AttendedInput(on=today))
    desk.issue_opinion(first, OpinionInput(on=today))
    desk.recommend(first, RecommendationInput(number="I-1", text="Ieteikums", issued_on=today, valid_from=today))
    with pytest.raises(refusals.NothingToAnswerError):
        desk.answer(second, _OFFICIAL)
    with pytest.raises(refusals.NotSamePupilError):
        desk.link(second, LinkInput())
    allowed = {each.act for each in outlook(shop.commission.office, second).allowed}
    assert "examine" in allowed
    assert "answer" not in allowed
    desk.examine(second, ExaminationInput(file_found=True, opinion=Opinion.VALID, examined_on=today))
    desk.refuse(second, RefusalInput(issued_on=today, grounds=(RefusalGround.NEED_NOT_FOUND,), text="Pamatojums"))
    desk.answer(first, _OFFICIAL)
    desk.answer(second, _OFFICIAL)
    settled(shop)
    assert told(shop, first) == ["AttendanceRequired", "ConfirmationGiven"]
    assert told(shop, second) == ["ConfirmationGiven"]
    assert (shop.members[SCHOOL].state(mine), shop.members[OTHER].state(theirs)) == ("ReadyForDecision", "NegativeAnswer")
    assert rebuild(shop.commission.office) == (2, [])


@pytest.mark.shows("D5.6", "D5.9", "D5.10")
def test_one_pupil_gets_no_second_recommendation_because_the_first_was_asked_for_under_a_mistyped_code(shop: Workshop) -> None:
    mine, first = asked(shop)
    _, second = asked(shop, OTHER, pupil=9)
    desk, today = clerk(shop), shop.commission.office.today
    registered(shop, second, 2)
    mends_code(shop, mine, SCHOOL)
    prepared(shop, first)
    assert desk.same_pupil(second) == [first]
    desk.examine(second, ExaminationInput(file_found=True, opinion=Opinion.VALID, examined_on=today))
    with pytest.raises(DecidedElsewhereError):
        desk.recommend(second, RecommendationInput(number="I-2", text="Ieteikums", issued_on=today, valid_from=today))


@pytest.mark.shows("D5.6", "D5.9")
def test_two_requests_that_a_corrected_code_still_gives_one_pupil_are_linked_once_more(shop: Workshop) -> None:
    """Both schools had the child's code wrong, in the same way, and both correct it."""
    mine, first = asked(shop)
    theirs, second = asked(shop, OTHER)
    desk = clerk(shop)
    registered(shop, second, 2)
    prepared(shop, first)
    desk.link(second, LinkInput())
    mends_code(shop, mine, SCHOOL)
    mends_code(shop, theirs, OTHER)
    assert (desk.same_pupil(first), desk.same_pupil(second)) == ([second], [first])
    desk.link(second, LinkInput())
    desk.answer(second, _OFFICIAL)
    today = shop.commission.office.today
    desk.revoke(first, RevocationInput(effective_on=today, reason=RevocationReason.ISSUED_IN_ERROR, text="Atcelts"))
    assert told(shop, second) == ["ConfirmationGiven", "ConfirmationEnded"]


@pytest.mark.parametrize("told_of", ["RequestReturned", "RequestClosed"])
def test_a_request_that_is_over_may_be_made_again_in_the_same_case(shop: Workshop, told_of: str) -> None:
    mine, case_id = asked(shop)
    registered(shop, case_id)
    desk, today = clerk(shop), shop.commission.office.today
    if told_of == "RequestReturned":
        desk.return_request(case_id, ReturnInput(grounds=(ReturnGround.NO_APPLICATION_COPY,)))
    else:
        desk.examine(case_id, ExaminationInput(file_found=True, opinion=Opinion.NONE, examined_on=today))
        desk.require_attendance(case_id, AttendanceInput(sent_on=today, letter="Lūdzam ierasties"))
        desk.attendance_lapsed(case_id, LapseInput(on=today))
    settled(shop)
    assert told(shop, case_id)[-1] == told_of
    School(shop.members[SCHOOL].office).request(mine)
    settled(shop)
    assert shop.commission.state(case_id) in ("Received", "FileChecked")
    assert shop.commission.held("refused") == []
    registered(shop, case_id, 2)


@pytest.mark.shows("D5.7")
def test_a_withdrawn_request_is_closed_after_what_was_issued_is_sent(shop: Workshop) -> None:
    """Domain E14: the withdrawal found the recommendation issued."""
    mine, case_id = asked(shop)
    prepared(shop, case_id)
    withdrawn = New(
        facts=ApplicationWithdrawn(received_on=shop.commission.office.today),
        personal=ApplicationWithdrawnPersonal(by="Andris Izdomenieks"),
    )
    says(shop, mine, withdrawn, New(facts=RequestWithdrawn(basis=BEFORE)))
    desk = clerk(shop)
    with pytest.raises(refusals.WithdrawnError):
        desk.answer(case_id, _OFFICIAL)
    sent(shop, case_id)
    desk.close(case_id, ClosingInput(cause=AssessmentCause.WITHDRAWN))
    settled(shop)
    assert told(shop, case_id) == ["RequestClosed"]
    assert shop.commission.state(case_id) == "Closed: Withdrawn"


@pytest.mark.shows("D5.15")
def test_a_term_passes_and_a_late_answer_is_still_given(shop: Workshop) -> None:
    mine, case_id = asked(shop)
    prepared(shop, case_id)
    shop.clock.now += 40 * _DAY
    settled(shop)
    topics = [event.topic for event in shop.commission.office.store.stream(case_id).events]
    assert topics.count("DeadlinePassed") == 1
    clerk(shop).answer(case_id, _OFFICIAL)
    settled(shop)
    assert shop.members[SCHOOL].state(mine).startswith("ReadyForDecision")


def test_there_is_no_case_of_a_wrong_number(shop: Workshop) -> None:
    with pytest.raises(CaseMissingError):
        clerk(shop).same_pupil(UUID(int=5))
