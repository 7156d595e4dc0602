"""Corrections that hide nothing, another representative, the pupil of age, a parent who opposes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.policy.rules import RULES
from services.post.history import BEFORE, New
from services.school.domain import refusals, refusals_changing
from services.school.domain.case import fold
from services.school.domain.changes import particulars_after
from services.school.domain.changing import (
    change_representative,
    come_of_age,
    come_of_age_by_itself,
    correct_particulars,
    record_opposition,
)
from services.school.domain.finding import OF_AGE, of_age_word
from services.school.domain.parts import SchoolState
from services.school.domain.receiving import SchoolDomain
from services.school.input import CorrectionForm, OpposingForm, RepresentativeForm
from services.wire.events import (
    Address,
    AddressKind,
    Answer,
    ApplicationFoundIncomplete,
    ApplicationSupplemented,
    ApplicationWithdrawn,
    Authority,
    ConfirmationGiven,
    CorrectedField,
    DeliveryAddressChanged,
    DeliveryAddressChangedPersonal,
    IdentityNotMatched,
    MissingItem,
    OpposingStatementRecorded,
    OpposingStatementRecordedPersonal,
    Particulars,
    PersonDataCorrected,
    PersonDataCorrectedPersonal,
    PupilCameOfAge,
    PupilCameOfAgePersonal,
    RepresentativeChanged,
    RepresentativeChangedPersonal,
    RequestCorrected,
    RequestCorrectedPersonal,
    Requester,
)
from tests.given_when_then import Told, body, given, received
from tests.people import (
    ADDRESS_CHOSEN,
    ADDRESS_CHOSEN_PERSONAL,
    APPLICATION,
    CONSENT,
    FATHER,
    FILED_A2,
    FILED_PERSONAL,
    HOME,
    PUPIL,
    application_json,
)
from tests.serving import ACTIVE, ASKED, GRANTED, form_of

_BORN = date(2018, 2, 3)
_STANDING = Particulars(pupil=PUPIL, representative=FATHER, contact="+37120000099")
_ON = date(2026, 9, 3)
_WITHDRAWN = ApplicationWithdrawn(received_on=_ON)
_YES = received(ConfirmationGiven(answer=Answer.YES, wording=1, basis=body(99)), answers=4)


def typed(person: str, **changes: Any) -> dict[str, Any]:  # JSON
    """Return a person of the application's form, with whole fields changed."""
    found = {name: value for name, value in application_json()[person].items() if name != "birth_date"}
    return found | changes


def correction(**fields: Any) -> CorrectionForm:
    return form_of(CorrectionForm, {"on": "2026-09-03", "evidence": "Dzimšanas apliecība"} | fields)


def correcting(*events: object, form: CorrectionForm, standing: Particulars = _STANDING) -> Any:  # a When
    return given(fold, *events).when(correct_particulars, form, standing=standing, born_on=_BORN)


def corrected(changed: tuple[CorrectedField, ...], new: Particulars, **personal: Any) -> New:
    kept: dict[str, Any] = {"old_birth_date": None, "new_birth_date": None, "evidence": "Dzimšanas apliecība"} | personal
    return New(
        facts=PersonDataCorrected(changed=changed, on=_ON),
        personal=PersonDataCorrectedPersonal(old=_STANDING, new=new, **kept),
    )


def told(changed: tuple[CorrectedField, ...], new: Particulars) -> New:
    facts = RequestCorrected(changed=changed, basis=BEFORE)
    return New(facts=facts, personal=RequestCorrectedPersonal(old=_STANDING, new=new), in_reply_to=body(4))


_MENDED = replace(_STANDING, pupil=replace(PUPIL, personal_code="32000000022"))
_CODE = correction(pupil=typed("pupil", personal_code="320000-00022"))


@pytest.mark.shows("D5.9")
def test_a_correction_says_what_stood_and_what_is_right() -> None:
    correcting(FILED_A2, form=_CODE).then(corrected((CorrectedField.CODE,), _MENDED))


@pytest.mark.shows("D5.9", "D5.10")
def test_the_commission_is_told_where_it_holds_an_open_request_and_nowhere_else() -> None:
    """E16."""
    made = corrected((CorrectedField.CODE,), _MENDED)
    correcting(*ASKED, form=_CODE).then(made, told((CorrectedField.CODE,), _MENDED))
    correcting(*ASKED, _YES, form=_CODE).then(made)
    correcting(*ACTIVE, form=_CODE).then(made)
    unknown = received(IdentityNotMatched(basis=body(98)), answers=4)
    correcting(*ASKED, unknown, form=_CODE).then(made, told((CorrectedField.CODE,), _MENDED))


@pytest.mark.shows("D5.10")
def test_after_the_correction_the_commission_is_waited_for_again() -> None:
    unknown = received(IdentityNotMatched(basis=body(98)), answers=4)
    assert given(fold, *ASKED, unknown).case.state is SchoolState.INCOMPLETE
    mended = PersonDataCorrected(changed=(CorrectedField.CODE,), on=_ON)
    sent = replace(received(RequestCorrected(changed=(CorrectedField.CODE,), basis=body(6)), answers=4), own=True)
    assert given(fold, *ASKED, unknown, mended, sent).case.state is SchoolState.AWAITING_COMMISSION


@pytest.mark.shows("D5.10", "D5.19")
@pytest.mark.parametrize("field", [CorrectedField.CONTACT, CorrectedField.REQUESTER, CorrectedField.ADDRESS])
def test_who_was_not_found_is_not_found_by_another_telephone_or_another_guardian(field: CorrectedField) -> None:
    """Before the word that nobody was found, after it, or across it: only what is sought by brings the commission further."""
    unknown = received(IdentityNotMatched(basis=body(98)), answers=4)
    sent = Told(facts=RequestCorrected(changed=(field,), basis=body(6)), answers=4)
    for events in ((unknown, sent), (sent, unknown), (sent, replace(unknown, answers=5))):
        assert given(fold, *ASKED, *events).case.state is SchoolState.INCOMPLETE
    mended = Told(facts=RequestCorrected(changed=(field, CorrectedField.NAME), basis=body(6)), answers=4)
    assert given(fold, *ASKED, unknown, sent, mended).case.state is SchoolState.AWAITING_COMMISSION


@pytest.mark.shows("D5.10")
def test_an_identity_that_the_school_itself_found_wanting_comes_with_the_correction() -> None:
    found = ApplicationFoundIncomplete(missing=(MissingItem.IDENTITY,), due_on=date(2026, 8, 31))
    assert given(fold, *ASKED[:3], found).case.missing == (MissingItem.IDENTITY,)
    for field, missing in ((CorrectedField.CONTACT, (MissingItem.IDENTITY,)), (CorrectedField.CODE, ())):
        mended = PersonDataCorrected(changed=(field,), on=_ON)
        assert given(fold, *ASKED[:3], found, mended).case.missing == missing


@pytest.mark.shows("D5.10", "I8")
def test_word_that_nobody_was_found_says_nothing_of_a_correction_that_it_crossed() -> None:
    """What it answers is what was sought by: the request, or the correction that the commission had heard of."""
    mended = PersonDataCorrected(changed=(CorrectedField.CODE,), on=_ON)
    sent = Told(facts=RequestCorrected(changed=(CorrectedField.CODE,), basis=body(5)), answers=4)
    for answers, state in ((4, SchoolState.AWAITING_COMMISSION), (6, SchoolState.INCOMPLETE)):
        unknown = received(IdentityNotMatched(basis=body(98)), answers=answers)
        history = given(fold, *ASKED, mended, sent, unknown).history
        assert SchoolDomain(lambda _: None).judge(history[:-1], history[-1]) is None
        assert given(fold, *ASKED, mended, sent, unknown).case.state is state
    # Of two corrections the newest counts.
    older = (*ASKED, mended, sent, mended, sent, received(IdentityNotMatched(basis=body(98)), answers=6))
    assert given(fold, *older).case.state is SchoolState.AWAITING_COMMISSION


@pytest.mark.shows("D5.9")
@pytest.mark.parametrize(
    ("form", "changed", "new"),
    [
        (
            correction(pupil=typed("pupil", family_name="Izdomnieks")),
            CorrectedField.NAME,
            replace(_STANDING, pupil=replace(PUPIL, family_name="Izdomnieks")),
        ),
        (
            correction(pupil=typed("pupil", declared_address={"text": "Paraugu iela 3", "postal_code": "LV-1098"})),
            CorrectedField.ADDRESS,
            replace(_STANDING, pupil=replace(PUPIL, declared_address=Address(text="Paraugu iela 3", postal_code="LV-1098"))),
        ),
        (
            correction(representative=typed("representative", given_name="Andrejs")),
            CorrectedField.REQUESTER,
            replace(_STANDING, representative=replace(FATHER, given_name="Andrejs")),
        ),
        (
            correction(representative=typed("representative", personal_code="320000-00033")),
            CorrectedField.REQUESTER,
            replace(_STANDING, representative=replace(FATHER, personal_code="32000000033")),
        ),
        (
            correction(contact={"kind": "Email", "email": "andris@example.lv"}),
            CorrectedField.CONTACT,
            replace(_STANDING, contact="andris@example.lv"),
        ),
        (
            correction(contact={"kind": "Address"}),
            CorrectedField.CONTACT,
            replace(_STANDING, contact=f"{HOME.text}, {HOME.postal_code}"),
        ),
    ],
)
def test_names_addresses_and_contact_are_corrected_alike(form: CorrectionForm, changed: CorrectedField, new: Particulars) -> None:
    correcting(*ASKED, form=form).then(corrected((changed,), new), told((changed,), new))


@pytest.mark.shows("D5.9")
def test_the_birth_date_of_the_schools_register_is_corrected_and_never_sent() -> None:
    form = correction(birth_date="2018-03-02")
    made = corrected((CorrectedField.BIRTH_DATE,), _STANDING, old_birth_date=_BORN, new_birth_date=date(2018, 3, 2))
    correcting(*ASKED, form=form).then(made)
    both = correction(birth_date="2018-03-02", pupil=typed("pupil", personal_code="320000-00022"))
    changed = (CorrectedField.CODE, CorrectedField.BIRTH_DATE)
    correcting(*ASKED, form=both).then(
        corrected(changed, _MENDED, old_birth_date=_BORN, new_birth_date=date(2018, 3, 2)),
        told((CorrectedField.CODE,), _MENDED),
    )


@pytest.mark.shows("D5.9")
def test_a_correction_that_changes_nothing_is_none_so_a_repeated_one_makes_no_second_event() -> None:
    correcting(FILED_A2, form=_CODE, standing=_MENDED).refused(refusals_changing.NothingChangedError)
    correcting(FILED_A2, form=correction(birth_date="2018-02-03")).refused(refusals_changing.NothingChangedError)


@pytest.mark.shows("D5.11")
def test_a_code_given_anew_is_of_the_new_format_and_another_one() -> None:
    """E17: both codes name the pupil from then on."""
    new = correction(code_is_new=True, pupil=typed("pupil", personal_code="320000-00022"))
    correcting(*ASKED, form=new).then(corrected((CorrectedField.NEW_CODE,), _MENDED), told((CorrectedField.NEW_CODE,), _MENDED))
    old_format = correction(code_is_new=True, pupil=typed("pupil", personal_code="140917-29013"))
    correcting(FILED_A2, form=old_format).refused(refusals_changing.NewCodeFormatError)
    correcting(FILED_A2, form=new, standing=_MENDED).refused(refusals_changing.NoNewCodeError)


@pytest.mark.shows("D5.9")
def test_who_overrules_the_check_digit_of_an_old_code_is_kept_with_the_evidence() -> None:
    pupil = typed("pupil", personal_code="140917-29014", check_digit_override="Salīdzināts ar pasi")
    new = replace(_STANDING, pupil=replace(PUPIL, personal_code="14091729014"))
    evidence = "Dzimšanas apliecība\npupil: Salīdzināts ar pasi"
    correcting(FILED_A2, form=correction(pupil=pupil)).then(corrected((CorrectedField.CODE,), new, evidence=evidence))


def test_a_representative_is_corrected_and_not_exchanged() -> None:
    other = correction(representative=typed("representative", given_name="Velta", personal_code="320000-00165"))
    correcting(FILED_A2, form=other).refused(refusals_changing.OtherRepresentativeError)
    alone = replace(_STANDING, representative=None)
    correcting(FILED_A2, form=other, standing=alone).refused(refusals_changing.NoRepresentativeError)


def test_contact_by_address_of_a_pupil_who_acts_alone_is_the_pupils() -> None:
    alone = replace(_STANDING, representative=None)
    form = correction(contact={"kind": "Address"})
    (made,) = correct_particulars(given(fold, FILED_A2).case, form, standing=alone, born_on=_BORN)
    assert made.personal.new.contact == f"{HOME.text}, {HOME.postal_code}"


def test_nothing_is_corrected_in_a_case_that_has_ended() -> None:
    correcting(FILED_A2, _WITHDRAWN, form=_CODE).refused(refusals.CaseEndedError)


_VELTA = replace(FATHER, given_name="Velta", family_name="Jaunaizbildne", personal_code="32000000165")
_GUARDIAN = RepresentativeChanged(authority=Authority.GUARDIAN, from_on=_ON)
_CHANGED = New(facts=_GUARDIAN, personal=RepresentativeChangedPersonal(person=_VELTA, evidence="Bāriņtiesas lēmums Nr. 1-6/12"))
_HELD = New(
    facts=DeliveryAddressChanged(address=AddressKind.HOME, address_protected=False, dispatch_on_hold=True, basis=BEFORE),
    personal=DeliveryAddressChangedPersonal(address=HOME),
    in_reply_to=body(4),
)


def another(**changes: Any) -> RepresentativeForm:
    velta = typed("representative", given_name="Velta", family_name="Jaunaizbildne", personal_code="320000-00165")
    fields = {
        "person": velta,
        "authority": "Guardian",
        "from_on": "2026-09-03",
        "evidence": "Bāriņtiesas lēmums Nr. 1-6/12",
    }
    return form_of(RepresentativeForm, fields | changes)


def replacing(*events: object, form: RepresentativeForm, standing: Particulars = _STANDING, address: Any = None) -> Any:
    return given(fold, *events).when(change_representative, form, standing=standing, address=address)


@pytest.mark.shows("D5.19")
def test_another_guardian_is_the_requester_and_says_consent_and_address_anew() -> None:
    replacing(FILED_A2, CONSENT, ADDRESS_CHOSEN, form=another()).then(_CHANGED)
    case = given(fold, FILED_A2, CONSENT, ADDRESS_CHOSEN, _GUARDIAN).case
    assert (case.consent_body, case.address) == (None, None)
    assert set(case.missing) == {MissingItem.CONSENT, MissingItem.ADDRESS}
    assert (case.changes.requester, case.changes.authority) == (Requester.REPRESENTATIVE, Authority.GUARDIAN)


@pytest.mark.shows("D5.19", "I5")
def test_where_the_commission_was_asked_it_learns_who_asks_now_and_sends_nothing_to_the_former_address() -> None:
    """E20: also after its answer, for its letters may still be on their way."""
    new = replace(_STANDING, representative=_VELTA)
    replacing(*ASKED, form=another(), address=HOME).then(_CHANGED, told((CorrectedField.REQUESTER,), new), _HELD)
    replacing(*ASKED, _YES, form=another(), address=HOME).then(_CHANGED, _HELD)


@pytest.mark.shows("D5.19", "I5")
def test_what_is_held_is_the_address_that_stands_now_and_stays_protected() -> None:
    """The family had moved to a shelter after the request: the first address must not come back by the hold."""
    moved = DeliveryAddressChanged(address=AddressKind.E_ADDRESS, address_protected=True, dispatch_on_hold=False, basis=body(5))
    case = given(fold, *ASKED, Told(facts=moved, answers=4)).case
    held = change_representative(case, another(), standing=_STANDING, address=HOME)[-1].facts
    assert held == replace(moved, dispatch_on_hold=True, basis=BEFORE)


@pytest.mark.shows("D5.19")
def test_a_new_guardian_signs_nothing_again_that_was_granted() -> None:
    case = given(fold, *GRANTED, _GUARDIAN).case
    assert case.state is SchoolState.GRANTED
    assert MissingItem.SIGNATURE not in case.lacking


def test_whoever_represents_already_is_no_change_but_another_authority_is() -> None:
    father = another(person=typed("representative"), authority="Parent")
    replacing(FILED_A2, form=father).refused(refusals_changing.RepresentativeStandsError)
    guardian = another(person=typed("representative"))
    facts = New(facts=_GUARDIAN, personal=RepresentativeChangedPersonal(person=FATHER, evidence=_CHANGED.personal.evidence))
    replacing(FILED_A2, form=guardian).then(facts)
    alone = replace(_STANDING, representative=None)
    replacing(FILED_A2, form=another(), standing=alone).then(_CHANGED)


@pytest.mark.shows("D5.21")
def test_a_pupil_of_age_is_represented_by_a_guardian_alone() -> None:
    came = PupilCameOfAge()
    alone = replace(_STANDING, representative=None)
    replacing(FILED_A2, came, form=another(authority="Parent"), standing=alone).refused(refusals_changing.OfAgeRepresentedError)
    replacing(FILED_A2, came, form=another(), standing=alone).then(_CHANGED)


def aging(*events: object, on: date, born_on: date = _BORN, address: Any = None) -> Any:  # a When
    return given(fold, *events).when(come_of_age, on, born_on=born_on, standing=_STANDING, address=address)


@pytest.mark.shows("D5.21", "A2.1")
@pytest.mark.parametrize(
    ("born_on", "birthday"),
    [
        (date(2008, 10, 2), date(2026, 10, 2)),
        # Who was born on 29 February is of age on 1 March where there is no such day.
        (date(2008, 2, 29), date(2026, 3, 1)),
    ],
)
def test_on_the_eighteenth_birthday_and_not_before_the_pupil_is_the_requester(born_on: date, birthday: date) -> None:
    made = New(facts=PupilCameOfAge(), personal=PupilCameOfAgePersonal(on=birthday))
    aging(FILED_A2, on=birthday, born_on=born_on).then(made)
    aging(*GRANTED, on=date(2026, 12, 31), born_on=born_on).then(made)
    # Whom the commission writes to is another person now.
    alone = told((CorrectedField.REQUESTER,), replace(_STANDING, representative=None))
    aging(*ASKED, on=birthday, born_on=born_on).then(made, alone)
    # And nothing goes to the address that a representative chose, also after the answer.
    aging(*ASKED, on=birthday, born_on=born_on, address=HOME).then(made, alone, _HELD)
    aging(*ASKED, _YES, on=birthday, born_on=born_on, address=HOME).then(made, _HELD)
    day_before = date.fromordinal(birthday.toordinal() - 1)
    aging(*ASKED, on=day_before, born_on=born_on).refused(refusals_changing.NotOfAgeError, "18")


@pytest.mark.shows("D5.21")
def test_from_the_birthday_on_the_case_waits_for_the_pupils_own_signature_consent_and_address() -> None:
    came = PupilCameOfAge()
    case = given(fold, FILED_A2, CONSENT, ADDRESS_CHOSEN, came).case
    assert case.changes.requester is Requester.ADULT_PUPIL
    assert case.changes.needs_screening
    assert set(case.missing) == {MissingItem.SIGNATURE, MissingItem.CONSENT, MissingItem.ADDRESS}
    assert case.state is SchoolState.INCOMPLETE
    answered = given(fold, *ASKED, came, _YES)
    assert answered.case.state is SchoolState.INCOMPLETE
    signed = ApplicationSupplemented(
        supplied=(MissingItem.SIGNATURE,), received_on=date(2026, 10, 5), recommendation_until=None, parts=()
    )
    assert given(fold, *ASKED, came, _YES, signed).case.state is SchoolState.READY_FOR_DECISION


@pytest.mark.shows("D5.21")
def test_a_pupil_comes_of_age_once_and_an_adult_who_applied_alone_never() -> None:
    came = PupilCameOfAge()
    aging(FILED_A2, came, on=date(2026, 10, 3), born_on=date(2008, 10, 2)).refused(refusals_changing.OfAgeAlreadyError)
    guardian = aging(FILED_A2, came, _GUARDIAN, on=date(2026, 10, 3), born_on=date(2008, 10, 2))
    guardian.refused(refusals_changing.OfAgeAlreadyError)
    alone = replace(FILED_A2, requester=Requester.ADULT_PUPIL)
    aging(alone, on=date(2026, 10, 3), born_on=date(2006, 5, 12)).refused(refusals_changing.OfAgeAlreadyError)
    aging(FILED_A2, _WITHDRAWN, on=date(2026, 10, 3), born_on=date(2008, 10, 2)).refused(refusals.CaseEndedError)


@pytest.mark.shows("D5.9", "D5.19", "D5.21")
def test_who_a_case_is_about_is_what_was_filed_and_all_that_changed_since_in_order() -> None:
    mended = PersonDataCorrectedPersonal(old=_STANDING, new=_MENDED, old_birth_date=None, new_birth_date=None, evidence="Pase")
    changed = RepresentativeChangedPersonal(person=_VELTA, evidence="Lēmums")
    assert particulars_after(APPLICATION, []) == _STANDING
    assert particulars_after(APPLICATION, [mended, changed]) == replace(_MENDED, representative=_VELTA)
    assert particulars_after(APPLICATION, [changed, mended]) == _MENDED
    assert particulars_after(APPLICATION, [changed, None]) == replace(_STANDING, representative=None)
    events = (FILED_A2, PersonDataCorrected(changed=(CorrectedField.CODE,), on=_ON), _GUARDIAN, PupilCameOfAge())
    assert given(fold, *events).case.changes.particulars == (body(2), body(3), None)


@pytest.mark.shows("D5.20")
def test_a_parent_who_opposes_is_recorded_and_stops_nothing() -> None:
    form = form_of(OpposingForm, {"received_on": "2026-09-03", "by": "Zane Izdomeniece", "text": "Nepiekrītu."})
    facts = OpposingStatementRecorded(received_on=_ON)
    personal = OpposingStatementRecordedPersonal(by="Zane Izdomeniece", text="Nepiekrītu.")
    given(fold, *ASKED).when(record_opposition, form).then(New(facts=facts, personal=personal))
    for events, state in ((ASKED, SchoolState.AWAITING_COMMISSION), (GRANTED, SchoolState.GRANTED), (ACTIVE, SchoolState.ACTIVE)):
        opposed = given(fold, *events, facts)
        assert opposed.case.state is state
        opposed.when(record_opposition, form).refused(refusals_changing.OpposedAlreadyError)
    given(fold, FILED_A2, _WITHDRAWN).when(record_opposition, form).refused(refusals.CaseEndedError)


def happening(*events: object, day: date, personal: dict[int, object]) -> tuple[New, ...]:
    """Return what a day makes in a case, where the bodies that open are named by their events' numbers."""
    opened = {body(number): content for number, content in personal.items()}
    return come_of_age_by_itself(given(fold, *events).case, day, opened.get)


@pytest.mark.shows("D5.21")
def test_on_the_day_it_happens_by_itself_by_the_birth_date_that_was_corrected_last() -> None:
    filed = replace(FILED_PERSONAL, birth_date=date(2008, 10, 2))
    came = (New(facts=PupilCameOfAge(), personal=PupilCameOfAgePersonal(on=date(2026, 10, 2))),)
    assert happening(FILED_A2, day=date(2026, 10, 2), personal={1: filed}) == came
    assert happening(FILED_A2, came[0].facts, day=date(2026, 10, 2), personal={1: filed}) == ()
    asked = happening(*ASKED, day=date(2026, 10, 2), personal={1: filed, 3: ADDRESS_CHOSEN_PERSONAL})
    assert [type(each.facts) for each in asked] == [PupilCameOfAge, RequestCorrected, DeliveryAddressChanged]
    mended = PersonDataCorrected(changed=(CorrectedField.BIRTH_DATE,), on=_ON)
    other = PersonDataCorrected(changed=(CorrectedField.NAME,), on=_ON)
    kept = PersonDataCorrectedPersonal(
        old=_STANDING, new=_STANDING, old_birth_date=date(2008, 10, 2), new_birth_date=date(2008, 12, 2), evidence="Pase"
    )
    personal = {1: filed, 2: kept, 3: replace(kept, new_birth_date=None)}
    assert happening(FILED_A2, mended, other, day=date(2026, 10, 2), personal=personal) == ()
    late = (New(facts=PupilCameOfAge(), personal=PupilCameOfAgePersonal(on=date(2026, 12, 2))),)
    assert happening(FILED_A2, mended, other, day=date(2026, 12, 2), personal=personal) == late


def test_a_day_makes_nothing_in_a_case_that_holds_no_application_or_does_not_open() -> None:
    assert happening(day=date(2026, 10, 2), personal={}) == ()
    assert happening(FILED_A2, day=date(2026, 10, 2), personal={}) == ()
    happened = SchoolDomain(lambda _: None).on_day(given(fold, FILED_A2).history, date(2036, 2, 3), {body(1): FILED_PERSONAL}.get)
    assert happened == (New(facts=PupilCameOfAge(), personal=PupilCameOfAgePersonal(on=date(2036, 2, 3))),)
    assert SchoolDomain(lambda _: None).words_of(date(2036, 2, 3)) == (of_age_word(date(2036, 2, 3)),)


@pytest.mark.shows("A2.1")
def test_every_rule_set_takes_the_same_age_for_full_age() -> None:
    assert {rules.adult_age for rules in RULES} == {OF_AGE}


@pytest.mark.shows("D5.19")
def test_what_is_held_is_the_address_that_was_told_last_and_stays_protected() -> None:
    """The hold must not tell the commission that a shelter is an ordinary home."""
    chosen = replace(ADDRESS_CHOSEN, address=AddressKind.SCHOOL, address_protected=True)
    told = DeliveryAddressChanged(address=AddressKind.SCHOOL, address_protected=True, dispatch_on_hold=False, basis=body(5))
    case = given(fold, *ASKED, chosen, Told(facts=told, answers=4)).case
    (*_, held) = change_representative(case, another(), standing=_STANDING, address=HOME)
    assert held.facts == replace(told, dispatch_on_hold=True, basis=BEFORE)
