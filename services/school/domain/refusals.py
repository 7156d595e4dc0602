"""What a school's clerk can be told no for, from filing to the request; each leaf names the broken rule.

What makes an application complete is in ``refusals_completing``, what concerns the decision in ``refusals_deciding``. Every
message says what would be right.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from services.school.domain.words import items_in_words
from services.wire.errors import RefusedError
from services.wire.events import MissingItem

__all__ = [
    "AddressMissingError",
    "AddressUnchangedError",
    "CaseEndedError",
    "ConsentMissingError",
    "ConsentNotGivenError",
    "ConsentRecordedError",
    "CopiesHeldError",
    "DecidedAlreadyError",
    "ExceptionNotDeclaredError",
    "FiledAlreadyError",
    "FormRefusedError",
    "IrpMissingError",
    "NoApplicationError",
    "NotEligibleToAskError",
    "NothingToHoldError",
    "NothingToRemindError",
    "OpinionNotStatedError",
    "PupilAskedAboutError",
    "RemindedAlreadyError",
    "ReplyNotDueError",
    "RequestBeforeApplicationError",
    "RequestOpenError",
    "SignatureNotValidatedError",
    "SignatureRejectedError",
    "StillMissingError",
    "UnderageRequesterError",
    "VariantNotHandledError",
]


class FormRefusedError(RefusedError):
    """A form has faults; ``lines`` tells them one by one, without what was typed."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self.lines = lines
        super().__init__("\n".join(lines))


class UnderageRequesterError(RefusedError):
    """Only a pupil of full age applies alone (guidance, section 2)."""

    def __init__(self, adult_age: int) -> None:
        super().__init__(f"The pupil is not {adult_age} yet on the day of receipt: a legal representative has to apply.")


class FiledAlreadyError(RefusedError):
    """The same application, word for word, is a case already."""

    def __init__(self, case_id: UUID) -> None:
        super().__init__(f"This application is filed already: it is case {case_id}. Go on there.")


class NoApplicationError(RefusedError):
    """The case holds no application."""

    def __init__(self) -> None:
        super().__init__("There is no application in this case. Enter the application first, or check the case number.")


class ConsentRecordedError(RefusedError):
    """The consent is there already."""

    def __init__(self) -> None:
        super().__init__("The consent is recorded already. Nothing more is needed.")


class ConsentMissingError(RefusedError):
    """The commission is never asked without the requester's consent (guidance, section 5)."""

    def __init__(self) -> None:
        super().__init__("The requester has not agreed that the school asks the commission. Record a signed consent first.")


class AddressMissingError(RefusedError):
    """The commission is never asked before the requester chose where its documents go (guidance, section 5)."""

    def __init__(self) -> None:
        super().__init__(
            "The requester has not chosen where the commission sends its documents. Record the choice: home, school or e-address."
        )


class VariantNotHandledError(RefusedError):
    """Only the ways through the school ask the commission: a.2 and b.2."""

    def __init__(self) -> None:
        super().__init__("The school asks the commission in variants a.2 and b.2 only; this case has another one.")


class ExceptionNotDeclaredError(RefusedError):
    """The way through the school is open in the exceptional case only (guidance, section 5)."""

    def __init__(self) -> None:
        super().__init__(
            "The application does not say that applying to the commission oneself is too hard. "
            "Ask the requester, or let them apply to the commission."
        )


class OpinionNotStatedError(RefusedError):
    """Both ways through the school state that there is an opinion on the need of special care (guidance, section 5)."""

    def __init__(self) -> None:
        super().__init__(
            "The application does not state that there is an opinion on the need of special care. Ask the requester."
        )


class IrpMissingError(RefusedError):
    """Variant a.2 states that the rehabilitation plan is there, and its copy is attached (guidance, section 5)."""

    def __init__(self) -> None:
        super().__init__(
            "Variant a.2 needs the individual rehabilitation plan: stated in the application, with a copy for the school. "
            "Without a plan the variant is b.2."
        )


class RequestOpenError(RefusedError):
    """At most one request of a case is before the commission, and an answered one is not asked again."""

    def __init__(self) -> None:
        super().__init__("The commission has been asked in this case already. Wait for its answer, or read the answer that came.")


class PupilAskedAboutError(RefusedError):
    """At most one request about a pupil is before the commission, whatever the number of applications (invariant I3)."""

    def __init__(self) -> None:
        super().__init__(
            "The commission has been asked about this pupil in another case and has not answered yet. Wait for that answer."
        )


class RequestBeforeApplicationError(RefusedError):
    """A request is not older than what it rests on."""

    def __init__(self) -> None:
        super().__init__("The request would be dated before the application was received. Check the day of receipt.")


class CaseEndedError(RefusedError):
    """Nothing is done in a case that has ended (domain.md D.2)."""

    def __init__(self, state: str, *, is_left_alone: bool = False) -> None:
        next_step = "Its requester is to be asked: reopen or withdraw it" if is_left_alone else "The requester can apply anew"
        super().__init__(f"This case has ended ({state}). {next_step}.")


class DecidedAlreadyError(RefusedError):
    """What a decision rests on is not changed under it."""

    def __init__(self) -> None:
        super().__init__("The school has decided in this case. Only a refusal that is set aside makes room for another decision.")


class ConsentNotGivenError(RefusedError):
    """There is no consent that could be withdrawn."""

    def __init__(self) -> None:
        super().__init__("No consent stands in this case, so none can be withdrawn.")


class AddressUnchangedError(RefusedError):
    """The same choice of address stands already."""

    def __init__(self) -> None:
        super().__init__(
            "This choice of address stands already, and the commission knows it if it was asked. Nothing more is needed."
        )


class NothingToHoldError(RefusedError):
    """Letters are held back only where the commission was asked for them."""

    def __init__(self) -> None:
        super().__init__(
            "The commission has not been asked, so it has nothing to hold back. Leave dispatch_on_hold out, or write false."
        )


class SignatureRejectedError(RefusedError):
    """What is not signed validly is no submission (domain.md D.5, 25; guidance, section 2)."""

    def __init__(self) -> None:
        super().__init__(
            "The application is not validly signed. Ask for a qualified signature with a time stamp, or one on paper."
        )


class SignatureNotValidatedError(RefusedError):
    """An electronic application counts as signed once its signature was validated (domain.md C2)."""

    def __init__(self) -> None:
        super().__init__("The application came electronically, and no validation of its signature is recorded. Record it first.")


class StillMissingError(RefusedError):
    """Something that was asked for has not come."""

    def __init__(self, items: Iterable[MissingItem]) -> None:
        super().__init__(f"The application lacks {items_in_words(items)}. Record what was supplied first.")


class NotEligibleToAskError(RefusedError):
    """The commission is not asked about somebody who does not fulfil the conditions (domain.md D.5, 23; E10)."""

    def __init__(self) -> None:
        super().__init__("The conditions are not fulfilled by what is known of pupil and school. Evaluate them anew, or decide.")


class CopiesHeldError(RefusedError):
    """Who has plan and recommendation has nothing to ask the commission for."""

    def __init__(self) -> None:
        super().__init__(
            "Copies of plan and recommendation are there: nothing is to be asked. Evaluate the documents and decide."
        )


class NothingToRemindError(RefusedError):
    """Only a request that the commission still has to answer is reminded of."""

    def __init__(self) -> None:
        super().__init__(
            "The commission owes no answer here: it was not asked, has answered, or waits for the pupil or the school."
        )


class ReplyNotDueError(RefusedError):
    """Nobody is reminded before the term is over (domain.md D.5, 15)."""

    def __init__(self, due_on: date) -> None:
        super().__init__(f"The commission has until the end of {due_on} to answer. Remind it after that day.")


class RemindedAlreadyError(RefusedError):
    """One reminder a day is enough."""

    def __init__(self) -> None:
        super().__init__("The commission was reminded today already.")
