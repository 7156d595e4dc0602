"""What a school may do up to the commission's answer: file, take consent and address, ask, remind; pure functions of a case.

Decides whether the procedure allows an act; every refusal is a leaf of ``refusals``. Nothing here reads a clock, a key or a
database: days, rule sets and opened personal parts are arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from services.policy.calendar import birthday, full_years
from services.policy.rules import Rules
from services.post.history import BEFORE, New
from services.school.domain import refusals
from services.school.domain.allowing import require_application, require_going_on, require_undecided
from services.school.domain.applications import address_chosen, application_of, check_digit_note, consent_recorded, filed_facts
from services.school.domain.case import SchoolCase
from services.school.domain.changes import particulars_after
from services.school.domain.finding import OF_AGE
from services.school.domain.parts import ASKING, ChosenAddress, Request, SchoolState
from services.school.domain.standing import is_signed, items_there
from services.school.input import AddressSupplied, ApplicationInput, ConsentSupplied
from services.wire.errors import RefusedError
from services.wire.events import (
    Address,
    Application,
    ApplicationFiled,
    ApplicationFiledPersonal,
    ConsentWithdrawn,
    ConsentWithdrawnPersonal,
    DeliveryAddressChanged,
    DeliveryAddressChangedPersonal,
    DeliveryAddressChosenPersonal,
    InformationRequested,
    InformationRequestedPersonal,
    MissingItem,
    Particulars,
    PupilCameOfAge,
    PupilCameOfAgePersonal,
    ReminderSent,
    Requester,
    Variant,
)
from services.wire.hashing import Digest

__all__ = [
    "GUARDS",
    "choose_address",
    "file_application",
    "may_request",
    "record_consent",
    "remind",
    "request_information",
    "withdraw_consent",
]

_STATEMENTS: Final[Mapping[MissingItem, type[RefusedError]]] = {
    MissingItem.EXCEPTION_DECLARATION: refusals.ExceptionNotDeclaredError,
    MissingItem.OPINION_STATEMENT: refusals.OpinionNotStatedError,
    MissingItem.IRP_STATEMENT: refusals.IrpMissingError,
    MissingItem.IRP: refusals.IrpMissingError,
}
_COPIES: Final = frozenset({MissingItem.IRP, MissingItem.RECOMMENDATION_COPY})


def file_application(form: ApplicationInput, *, pupil: int, rules: Rules) -> tuple[New, ...]:
    """Return the events of a new case: the application, and consent and address where the form states them.

    Whoever files for somebody of age represents nobody, unless a court appointed a guardian: the pupil's own signature, consent
    and address are waited for at once, or a guardian's authority (D.5, 21).

    ``pupil`` is the school's running number of the pupil; ``rules`` those that the school goes by.
    Raises: UnderageRequesterError if a pupil applies alone before the age that ``rules`` name.
    """
    # A2.1: until then there is nobody who could complete the application, so it is not merely incomplete.
    if form.requester is Requester.ADULT_PUPIL and full_years(form.pupil.birth_date, form.received_on) < rules.adult_age:
        raise refusals.UnderageRequesterError(rules.adult_age)
    personal = ApplicationFiledPersonal(
        application=application_of(form), birth_date=form.pupil.birth_date, check_digit_note=check_digit_note(form)
    )
    consent, address = form.consent, form.address
    stated = (consent_recorded(consent.received_on, consent.by),) if consent.received_on and consent.by else ()
    chosen = (address_chosen(address, form.received_on),) if address else ()
    return (New(facts=filed_facts(form, pupil), personal=personal), *stated, *chosen, *_of_age(form))


def _of_age(form: ApplicationInput) -> tuple[New, ...]:
    came = birthday(form.pupil.birth_date, OF_AGE)
    is_over = form.requester is Requester.REPRESENTATIVE and came <= form.received_on
    return (New(facts=PupilCameOfAge(), personal=PupilCameOfAgePersonal(on=came)),) if is_over else ()


def record_consent(case: SchoolCase, form: ConsentSupplied) -> tuple[New, ...]:
    """Return the event of a consent that came after the application.

    Raises: ConsentRecordedError if there is one already; as ``require_undecided``.
    """
    _may_consent(case)
    return (consent_recorded(form.received_on, form.by),)


def withdraw_consent(case: SchoolCase, form: ConsentSupplied) -> tuple[New, ...]:
    """Return the event of a consent withdrawn: nothing more is asked, and what was asked stays lawful (domain.md C3).

    Raises: ConsentNotGivenError; as ``require_going_on``.
    """
    _may_withdraw_consent(case)
    return (New(facts=ConsentWithdrawn(received_on=form.received_on), personal=ConsentWithdrawnPersonal(by=form.by)),)


def choose_address(
    case: SchoolCase, form: AddressSupplied, *, standing: DeliveryAddressChosenPersonal | None = None
) -> tuple[New, ...]:
    """Return the event of an address chosen, or chosen anew; once the commission was asked, also what tells it so.

    The address is frozen by the commission's dispatch, of which a school knows nothing: what comes too late is for the commission
    to answer (domain.md I5). ``standing`` is the opened personal part of the choice that stands.
    Raises: AddressUnchangedError; NothingToHoldError; as ``require_going_on``.
    """
    _may_choose_address(case)
    chosen = address_chosen(form, form.confirmed_on)
    request = case.request if case.request is not None and case.request.counts else None
    if request is None and form.dispatch_on_hold:
        raise refusals.NothingToHoldError
    # A repeated command makes no second choice.
    is_held = request is not None and request.is_on_hold
    if _same_choice(case.address, form) and standing == chosen.personal and is_held == form.dispatch_on_hold:
        raise refusals.AddressUnchangedError
    if request is None:
        return (chosen,)
    facts = DeliveryAddressChanged(
        address=form.choice, address_protected=form.protected, dispatch_on_hold=form.dispatch_on_hold, basis=BEFORE
    )
    personal = DeliveryAddressChangedPersonal(address=chosen.personal.address)
    return (chosen, New(facts=facts, personal=personal, in_reply_to=request.body))


def request_information(  # noqa: PLR0913  # what it says, and the two things that forbid it
    case: SchoolCase,
    on: date,
    rules: Rules,
    *,
    application: ApplicationFiledPersonal,
    address: DeliveryAddressChosenPersonal,
    standing: Particulars | None = None,
    is_asked_elsewhere: bool = False,
    is_excluded: bool = False,
) -> tuple[New, ...]:
    """Return the request to the commission, with a copy of the application and nothing else: the plan never leaves the school.

    ``application`` and ``address`` are the opened personal parts of the events that ``case.application_body`` and
    ``case.address.body`` name, ``standing`` is who the case is about now, None if nothing changed since the application; ``on``
    is the day of the request, ``rules`` are those the school goes by. ``is_asked_elsewhere`` says that the commission still owes
    an answer about this pupil in another case, ``is_excluded`` that birth date or school show that nobody is eligible here.
    Raises: a leaf of ``refusals`` for the first thing that is missing.
    """
    filed, body, consent, chosen = may_request(case, on)
    variant = case.variant or filed.variant
    # D.5, 23 and E10: also where nobody has evaluated the conditions.
    if is_excluded:
        raise refusals.NotEligibleToAskError
    if is_asked_elsewhere:
        raise refusals.PupilAskedAboutError
    there = items_there(case)
    facts = InformationRequested(
        variant=variant,
        asks=ASKING[variant],
        requester=case.changes.requester or filed.requester,
        consent_given=True,
        states_opinion=MissingItem.OPINION_STATEMENT in there,
        states_irp=MissingItem.IRP_STATEMENT in there,
        address=chosen.kind,
        address_protected=chosen.protected,
        received_on=filed.received_on,
        due_on=rules.commission_reply_due(on),
        parts=(),
        application=body,
        basis=consent,
    )
    return (New(facts=facts, personal=_request_personal(application.application, address.address, standing)),)


def may_request(case: SchoolCase, on: date) -> tuple[ApplicationFiled, Digest, Digest, ChosenAddress]:
    """Return what a request would rest on: application, its body, consent and address.

    Raises: a leaf of ``refusals`` for the first thing that is missing.
    """
    filed, body = require_application(case)
    require_undecided(case)
    if case.variant not in ASKING:
        raise refusals.VariantNotHandledError
    if items_there(case) >= _COPIES:
        raise refusals.CopiesHeldError
    # Asked before what is missing: after the request something may be found missing too, and it is asked no second time.
    if case.is_asked:
        raise refusals.RequestOpenError
    consent, chosen = _check_whole(case)
    if on < filed.received_on:
        raise refusals.RequestBeforeApplicationError
    return filed, body, consent, chosen


def remind(case: SchoolCase, on: date) -> tuple[New, ...]:
    """Return the reminder of a request whose term is over (domain.md D.5, 15).

    Raises: NothingToRemindError; ReplyNotDueError; RemindedAlreadyError; as ``require_going_on``.
    """
    request = _may_remind(case, on)
    facts = ReminderSent(number=request.reminders + 1, due_on=request.facts.due_on)
    return (New(facts=facts, in_reply_to=request.body),)


def _may_consent(case: SchoolCase) -> None:
    require_undecided(case)
    _require_asking(case)
    if case.consent_body is not None:
        raise refusals.ConsentRecordedError


def _may_withdraw_consent(case: SchoolCase) -> None:
    require_going_on(case)
    if case.consent_body is None:
        raise refusals.ConsentNotGivenError


def _may_choose_address(case: SchoolCase) -> None:
    require_going_on(case)
    _require_asking(case)


def _require_asking(case: SchoolCase) -> None:
    # Where nobody is asked, nobody has to agree to it, and no letter of the commission comes to whatever address.
    if case.variant not in ASKING and case.variant is not Variant.UNKNOWN:
        raise refusals.VariantNotHandledError


def _may_remind(case: SchoolCase, on: date) -> Request:
    require_going_on(case)
    request = case.request
    if request is None or case.state is not SchoolState.AWAITING_COMMISSION:
        raise refusals.NothingToRemindError
    if on <= request.facts.due_on:
        raise refusals.ReplyNotDueError(request.facts.due_on)
    if request.reminded_on == on:
        raise refusals.RemindedAlreadyError
    return request


def _check_whole(case: SchoolCase) -> tuple[Digest, ChosenAddress]:
    """Return consent and address of an application that is whole, signed, and about somebody who fulfils the conditions."""
    # D.5, 25: what is not validly signed is no submission.
    if case.signature_is_valid is False:
        raise refusals.SignatureRejectedError
    missing = case.missing
    for item, error in _STATEMENTS.items():
        if item in missing:
            raise error
    grounds = _check_grounds(case)
    if missing:
        raise refusals.StillMissingError(missing)
    # A2.10 and C2: nothing about a child goes out on an application that nobody is known to have signed.
    if not is_signed(case):
        raise refusals.SignatureNotValidatedError
    # D.5, 23 and E10: zero messages to the commission about somebody who is not eligible.
    if case.state is SchoolState.NOT_ELIGIBLE_AT_INTAKE:
        raise refusals.NotEligibleToAskError
    return grounds


def _check_grounds(case: SchoolCase) -> tuple[Digest, ChosenAddress]:
    """Return what the request rests on: no message to the commission without consent and a chosen address (I2)."""
    if case.consent_body is None:
        raise refusals.ConsentMissingError
    if case.address is None:
        raise refusals.AddressMissingError
    return case.consent_body, case.address


def _same_choice(standing: ChosenAddress | None, form: AddressSupplied) -> bool:
    return standing is not None and (standing.kind, standing.protected) == (form.choice, form.protected)


def _request_personal(application: Application, address: Address, standing: Particulars | None) -> InformationRequestedPersonal:
    # The copy is of what was filed; who is asked about, and who asks, is what stands now (D.5, 9, 19 and 21).
    now = standing or particulars_after(application, ())
    return InformationRequestedPersonal(
        pupil=now.pupil, representative=now.representative, address=address, application=application
    )


GUARDS: Final[Mapping[str, Callable[[SchoolCase, date], object]]] = {
    "consent": lambda case, _: _may_consent(case),
    "withdraw-consent": lambda case, _: _may_withdraw_consent(case),
    "address": lambda case, _: _may_choose_address(case),
    "request": may_request,
    "remind": _may_remind,
}
"""What each act here asks of a case on a day, before anybody fills in a form."""
