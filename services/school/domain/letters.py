"""Closed letters of the commission that came to the school for a requester: taken in, handed over, never opened (D.5, 18).

Nothing of a letter is kept but the number on its envelope, the days, and to whom it went; not who sent what (A.5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from services.post.history import New
from services.school.domain import refusals_serving
from services.school.domain.allowing import require_application
from services.school.domain.folded import SchoolCase
from services.school.domain.service import Letter
from services.school.input import HandOverForm, SealedItemForm
from services.wire.events import (
    AddressKind,
    SealedItemHandedOver,
    SealedItemHandedOverPersonal,
    SealedItemReceived,
    SealedItemReceivedPersonal,
)
from services.wire.hashing import Digest

__all__ = ["GUARDS", "hand_over_letter", "receive_letter"]


def receive_letter(case: SchoolCase, form: SealedItemForm, numbers: Mapping[Digest, str]) -> tuple[New, ...]:
    """Return the event of a closed letter that came, also after the case is over: what came has to be handed over.

    ``numbers`` are the opened numbers of the letters that came, by the body of their event.
    Raises: NoApplicationError; AddressNotSchoolError; LetterReceivedError.
    """
    _may_receive(case)
    if form.number in numbers.values():
        raise refusals_serving.LetterReceivedError
    return (New(facts=SealedItemReceived(on=form.on), personal=SealedItemReceivedPersonal(number=form.number)),)


def hand_over_letter(case: SchoolCase, form: HandOverForm, numbers: Mapping[Digest, str]) -> tuple[New, ...]:
    """Return the event of a closed letter that was handed over.

    Raises: LetterUnknownError; HandedBeforeReceivedError.
    """
    waiting = _may_hand_over(case)
    letter = next((each for each in waiting if numbers.get(each.body) == form.number), None)
    if letter is None:
        raise refusals_serving.LetterUnknownError
    if form.on < letter.received_on:
        raise refusals_serving.HandedBeforeReceivedError(letter.received_on)
    facts = SealedItemHandedOver(on=form.on, of=letter.body)
    return (New(facts=facts, personal=SealedItemHandedOverPersonal(to_whom=form.to_whom)),)


def _may_receive(case: SchoolCase) -> None:
    require_application(case)
    # A.5: only where the requester chose the school do letters come here, and then in the care of it.
    asked = {each.facts.address for each in case.requests}
    chosen = {case.address.kind} if case.address is not None else set()
    if AddressKind.SCHOOL not in asked | chosen:
        raise refusals_serving.AddressNotSchoolError


def _may_hand_over(case: SchoolCase) -> list[Letter]:
    waiting = [each for each in case.service.letters if each.handed_on is None]
    if not waiting:
        raise refusals_serving.LetterUnknownError
    return waiting


GUARDS: Final[Mapping[str, Callable[[SchoolCase, date], object]]] = {
    "receive-sealed": lambda case, _: _may_receive(case),
    "hand-over": lambda case, _: _may_hand_over(case),
}
"""What each act here asks of a case on a day, before anybody fills in a form."""
