"""What a school's case waits for after its decision, and what a clerk has to know of its persons, in words for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from services.school.domain.folded import SchoolCase
from services.school.domain.parts import ENDED
from services.wire.events import MissingItem

__all__ = ["awaited"]

_LEFT_ALONE: Final = (
    "the application of which this one is a duplicate was withdrawn, or closed because it was not completed:"
    " ask its requester whether this one stands, and reopen or withdraw it"
)


def awaited(case: SchoolCase) -> Iterator[str]:
    """Yield what is to be done next, each as a sentence."""
    if any(letter.handed_on is None for letter in case.service.letters):
        yield "a closed letter of the commission waits to be handed over, unopened"
    if case.left_alone_on is not None:
        yield _LEFT_ALONE
    if case.state in ENDED:
        return
    yield from _persons(case)
    if case.decision is not None and not case.decision.is_refusal and not case.service.agreements:
        yield _next_step(case)


def _persons(case: SchoolCase) -> Iterator[str]:
    if case.changes.is_of_age and MissingItem.SIGNATURE in case.lacking:
        yield "the pupil came of age and has not signed the application yet"
    if case.changes.needs_screening:
        yield "the pupil came of age: the conditions are to be evaluated again, with the group of disability"
    if case.request is not None and case.request.is_on_hold:
        yield "the commission sends no letters: the requester is to confirm an address"
    if case.changes.opposed_on:
        yield "a parent opposes the application; that stops nothing, and the decision is to answer it"


def _next_step(case: SchoolCase) -> str:
    if not case.service.proposals:
        return "an assistant is to be proposed"
    if all(proposal.cv is None for proposal in case.service.proposals):
        return "the CV of the assistant is to be annexed"
    return "the agreement of requester, assistant and school is to be concluded"
