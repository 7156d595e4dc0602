"""Changes of the persons of a case: particulars corrected, another representative, the pupil of age, a parent who opposes.

Nothing is edited in silence: each correction says what stood before, taken from what stands, and what is right (D.5, 9).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from services.policy.calendar import birthday
from services.post.history import BEFORE, New
from services.school.domain import refusals_changing as refused
from services.school.domain.allowing import require_going_on
from services.school.domain.applications import dispatch_held, person_of
from services.school.domain.changes import born_on_after, particulars_after
from services.school.domain.finding import OF_AGE
from services.school.domain.folded import SchoolCase
from services.school.input import (
    CorrectionForm,
    OpposingForm,
    RepresentativeForm,
)
from services.wire.errors import RefusedError
from services.wire.events import (
    Address,
    ApplicationFiledPersonal,
    Authority,
    CorrectedField,
    OpposingStatementRecorded,
    OpposingStatementRecordedPersonal,
    Particulars,
    Person,
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
from services.wire.hashing import Digest

__all__ = [
    "GUARDS",
    "change_representative",
    "come_of_age",
    "come_of_age_by_itself",
    "correct_particulars",
    "is_under_age",
    "record_opposition",
]

_NEW_CODES: Final = ("32", "39")
_SCHOOLS_OWN: Final = (CorrectedField.BIRTH_DATE,)


def correct_particulars(case: SchoolCase, form: CorrectionForm, *, standing: Particulars, born_on: date) -> tuple[New, ...]:
    """Return the events of a correction: for the school's record, and for the commission where it holds an open request.

    ``standing`` and ``born_on`` are what stands in the case now, opened.
    Raises: as ``require_going_on``; a leaf of ``changing_refusals``.
    """
    require_going_on(case)
    new = _corrected(form, standing)
    changed = _changed(form, standing, new, born_on)
    # D.5, 9; and a command that is repeated finds that all of it stands.
    if not changed:
        raise refused.NothingChangedError
    facts = PersonDataCorrected(changed=changed, on=form.on)
    personal = PersonDataCorrectedPersonal(
        old=standing,
        new=new,
        old_birth_date=born_on if form.birth_date else None,
        new_birth_date=form.birth_date,
        evidence=_evidence(form),
    )
    return (New(facts=facts, personal=personal), *_told(case, standing, new, changed))


def change_representative(
    case: SchoolCase, form: RepresentativeForm, *, standing: Particulars, address: Address | None
) -> tuple[New, ...]:
    """Return the events of another representative, who is the requester from now on and has to say consent and address anew.

    ``standing`` are the particulars now, ``address`` is where the commission was asked to send its letters, None if it was not
    asked: it learns who asks now, and sends none until the new representative has confirmed an address.
    Raises: as ``require_going_on``; OfAgeRepresentedError; RepresentativeStandsError.
    """
    require_going_on(case)
    # D.5, 21: whoever is of age acts alone, unless a court appointed a guardian.
    if case.changes.requester is Requester.ADULT_PUPIL and form.authority is not Authority.GUARDIAN:
        raise refused.OfAgeRepresentedError
    person = person_of(form.person)
    represented = standing.representative
    same = represented is not None and represented.personal_code == person.personal_code
    if same and case.changes.authority is form.authority:
        raise refused.RepresentativeStandsError
    facts = RepresentativeChanged(authority=form.authority, from_on=form.from_on)
    made = New(facts=facts, personal=RepresentativeChangedPersonal(person=person, evidence=form.evidence))
    new = replace(standing, representative=person)
    return (made, *_told(case, standing, new, (CorrectedField.REQUESTER,)), *dispatch_held(case, address))


def come_of_age(
    case: SchoolCase, on: date, *, born_on: date, standing: Particulars, address: Address | None = None
) -> tuple[New, ...]:
    """Return the events of a pupil who is of age on the day ``on``, and the requester from the birthday on (A2.1; D.5, 21).

    From then on the authority of whoever represents the pupil is over, and the commission learns it where it holds an open
    request, and sends no letters to an address that the representative chose; the application waits for the pupil's own
    signature, a request for consent and address to be said anew. ``standing`` is who the case is about until then, ``address``
    where the commission was asked to send its letters, None if it was not asked or that does not open.

    Raises: as ``require_going_on``; OfAgeAlreadyError; NotOfAgeError.
    """
    _may_come_of_age(case)
    came = birthday(born_on, OF_AGE)
    if came > on:
        raise refused.NotOfAgeError(OF_AGE)
    new = replace(standing, representative=None)
    made = New(facts=PupilCameOfAge(), personal=PupilCameOfAgePersonal(on=came))
    return (made, *_told(case, standing, new, (CorrectedField.REQUESTER,)), *dispatch_held(case, address))


def come_of_age_by_itself(case: SchoolCase, day: date, opened: Callable[[Digest], Any]) -> tuple[New, ...]:
    """Return the same for a case that was found by the day, none where it was found in vain.

    By the birth date as it was corrected last; what does not open, and a case that has ended, are left as they are. ``opened``
    gives what is personal about an event by its body, None where it does not open.
    """
    filed, changes = _opened(case, opened)
    if filed is None:
        return ()
    born_on, standing = born_on_after(filed.birth_date, changes), particulars_after(filed.application, changes)
    try:
        return come_of_age(case, day, born_on=born_on, standing=standing, address=_address_asked(case, opened))
    except RefusedError:
        return ()


def is_under_age(case: SchoolCase, day: date, opened: Callable[[Digest], Any]) -> bool:
    """Tell whether it can be read that the pupil is not of age on a day; ``opened`` as above."""
    filed, changes = _opened(case, opened)
    return filed is not None and day < birthday(born_on_after(filed.birth_date, changes), OF_AGE)


def _opened(case: SchoolCase, opened: Callable[[Digest], Any]) -> tuple[ApplicationFiledPersonal | None, list[Any]]:
    filed = opened(case.application_body) if case.application_body is not None else None
    return filed, [opened(body) if body is not None else None for body in case.changes.particulars]


def _address_asked(case: SchoolCase, opened: Callable[[Digest], Any]) -> Address | None:
    asked = opened(case.request.address_told or case.request.body) if case.request is not None else None
    address: Address | None = asked.address if asked is not None else None
    return address


def record_opposition(case: SchoolCase, form: OpposingForm) -> tuple[New, ...]:
    """Return the event of a statement against the application; nothing else follows: no statement is a veto (D.5, 20).

    Raises: as ``require_going_on``; OpposedAlreadyError.
    """
    require_going_on(case)
    if form.received_on in case.changes.opposed_on:
        raise refused.OpposedAlreadyError
    facts = OpposingStatementRecorded(received_on=form.received_on)
    return (New(facts=facts, personal=OpposingStatementRecordedPersonal(by=form.by, text=form.text)),)


def _corrected(form: CorrectionForm, standing: Particulars) -> Particulars:
    representative = standing.representative
    if form.representative is not None:
        if representative is None:
            raise refused.NoRepresentativeError
        corrected = person_of(form.representative)
        # D.5, 19: another person needs authority and evidence of their own.
        if corrected.personal_code != representative.personal_code and _names(corrected) != _names(representative):
            raise refused.OtherRepresentativeError
        representative = corrected
    return Particulars(
        pupil=person_of(form.pupil) if form.pupil else standing.pupil,
        representative=representative,
        contact=_contact(form, standing),
    )


def _evidence(form: CorrectionForm) -> str:
    """Return what was compared, and who overruled the check digit of a code, and by what (C2)."""
    named = {"pupil": form.pupil, "representative": form.representative}
    notes = [f"{who}: {each.check_digit_override}" for who, each in named.items() if each and each.check_digit_override]
    return "\n".join([form.evidence, *notes])


def _contact(form: CorrectionForm, standing: Particulars) -> str:
    if form.contact is None:
        return standing.contact
    home = (standing.representative or standing.pupil).declared_address
    return form.contact.phone or form.contact.email or f"{home.text}, {home.postal_code}"


def _changed(form: CorrectionForm, old: Particulars, new: Particulars, born_on: date) -> tuple[CorrectedField, ...]:
    code_changed = old.pupil.personal_code != new.pupil.personal_code
    if form.code_is_new:
        _check_new_code(new.pupil.personal_code, is_other=code_changed)
    changes = {
        CorrectedField.NAME: _names(old.pupil) != _names(new.pupil),
        CorrectedField.CODE: code_changed and not form.code_is_new,
        CorrectedField.NEW_CODE: code_changed and form.code_is_new,
        CorrectedField.ADDRESS: old.pupil.declared_address != new.pupil.declared_address,
        CorrectedField.REQUESTER: old.representative != new.representative,
        CorrectedField.CONTACT: old.contact != new.contact,
        CorrectedField.BIRTH_DATE: form.birth_date not in (None, born_on),
    }
    return tuple(each for each, is_changed in changes.items() if is_changed)


def _check_new_code(code: str, *, is_other: bool) -> None:
    # D.5, 11: since 01.07.2017 every code that is given is of the new format (PMLP).
    if not _NEW_CODES[0] <= code[:2] <= _NEW_CODES[1]:
        raise refused.NewCodeFormatError
    if not is_other:
        raise refused.NoNewCodeError


def _told(case: SchoolCase, old: Particulars, new: Particulars, changed: tuple[CorrectedField, ...]) -> tuple[New, ...]:
    """Return what the commission is told of a change, where it holds an open request; never the school's own register."""
    theirs = tuple(each for each in changed if each not in _SCHOOLS_OWN)
    request = case.request
    if request is None or not request.is_open or not theirs:
        return ()
    facts, personal = RequestCorrected(changed=theirs, basis=BEFORE), RequestCorrectedPersonal(old=old, new=new)
    return (New(facts=facts, personal=personal, in_reply_to=request.body),)


def _names(person: Person) -> tuple[str, str]:
    return person.given_name, person.family_name


def _may_come_of_age(case: SchoolCase) -> None:
    require_going_on(case)
    if case.changes.requester is Requester.ADULT_PUPIL or case.changes.is_of_age:
        raise refused.OfAgeAlreadyError


GUARDS: Final[Mapping[str, Callable[[SchoolCase, date], object]]] = {
    "correct": lambda case, _: require_going_on(case),
    "change-representative": lambda case, _: require_going_on(case),
    "came-of-age": lambda case, _: _may_come_of_age(case),
    "oppose": lambda case, _: require_going_on(case),
}
"""What each act here asks of a case on a day, before anybody fills in a form."""
