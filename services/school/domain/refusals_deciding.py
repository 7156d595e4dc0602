"""What people at a school can be told no for when they judge, decide, notify, and when a refusal is contested.

Each leaf names the broken rule, its message says what would have to be true.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from services.school.domain.words import items_in_words, reasons_in_words
from services.wire.errors import RefusedError
from services.wire.events import EligibilityReason, EvaluatedKind, MissingItem

__all__ = [
    "BasisEndedError",
    "ContestLateError",
    "ContestedAlreadyError",
    "DateOrderError",
    "DocumentMissingError",
    "EvaluatedAlreadyError",
    "GroundNotFoundError",
    "InstructionMissingError",
    "IrpCopyOutstandingError",
    "NoDecisionError",
    "NobodyToNotifyError",
    "NotContestedError",
    "NotEligibleError",
    "NotEvaluatedError",
    "NotReadyToDecideError",
    "NotRefusedError",
    "NotScreenedError",
    "NotifiedAlreadyError",
    "ProtectedAddressError",
    "RecommendationMissingError",
    "RulesNotInForceError",
    "ScreenedAlreadyError",
]


class DateOrderError(RefusedError):
    """Nothing is dated before what it rests on."""

    def __init__(self, what: str, earlier: date) -> None:
        super().__init__(f"{what} is of {earlier}, and this would be dated before it. Check both days.")


class RulesNotInForceError(RefusedError):
    """The rules that the setting names are none for this day, or the case was judged by rules that are not here."""

    def __init__(self, why: str) -> None:
        super().__init__(f"No rules to judge by: {why}. Check the setting rules, or use a newer release.")


class ScreenedAlreadyError(RefusedError):
    """The same facts were evaluated as of the same day."""

    def __init__(self) -> None:
        super().__init__("The conditions were evaluated on these facts as of this day already. Go on in the case.")


class DocumentMissingError(RefusedError):
    """Only what came can be evaluated (A3.4)."""

    def __init__(self, kinds: Iterable[EvaluatedKind]) -> None:
        named = ", ".join(kind.value for kind in kinds)
        super().__init__(f"These documents are not here: {named}. Record them as supplied, or leave them out.")


class EvaluatedAlreadyError(RefusedError):
    """The same evaluation stands."""

    def __init__(self) -> None:
        super().__init__("The same evaluation stands already. Go on in the case.")


class NotReadyToDecideError(RefusedError):
    """The school decides after all documents came and were evaluated (A3.4; domain.md D.2)."""

    def __init__(self, state: str, items: Iterable[MissingItem]) -> None:
        lacks = items_in_words(items)
        super().__init__(f"There is nothing to decide yet: the case is {state}{f' and lacks {lacks}' if lacks else ''}.")


class NotEvaluatedError(RefusedError):
    """Nothing is granted before the documents were evaluated (A3.4; domain.md D.2, guards)."""

    def __init__(self) -> None:
        super().__init__("The documents have not been evaluated, or not all of them. Evaluate them all first.")


class IrpCopyOutstandingError(RefusedError):
    """The setting asks for the plan's copy before a decision (domain.md A.5, gaps)."""

    def __init__(self) -> None:
        super().__init__(
            "This school decides in b.2 only with a copy of the plan. Ask the requester, record it, and evaluate it."
        )


class RecommendationMissingError(RefusedError):
    """Nothing is granted without the commission's yes, or a copy of its recommendation (A2.9, A4.5)."""

    def __init__(self) -> None:
        super().__init__("There is neither a yes of the commission nor a copy of its recommendation.")


class BasisEndedError(RefusedError):
    """A recommendation that is over or revoked carries no grant (domain.md D.5, 12 and 13)."""

    def __init__(self) -> None:
        super().__init__("The recommendation was revoked or is over on the day of the decision. A new one is needed.")


class NotScreenedError(RefusedError):
    """The conditions are evaluated at filing and again at the decision (domain.md A.1)."""

    def __init__(self) -> None:
        super().__init__("The conditions have not been evaluated as of the day of the application. Do that first.")


class NotEligibleError(RefusedError):
    """Both evaluations have to say that the pupil is eligible (domain.md A.1)."""

    def __init__(self, as_of: date, reasons: Iterable[EligibilityReason]) -> None:
        super().__init__(f"The conditions are not fulfilled as of {as_of}: {reasons_in_words(reasons)}.")


class GroundNotFoundError(RefusedError):
    """The only reason to refuse is that a condition is not met, and it has to be found so (A3.6)."""

    def __init__(self, ground: str) -> None:
        super().__init__(
            f"Nothing in this case shows {ground}. Refuse for conditions alone that were evaluated and are not fulfilled,"
            " or for the commission's no."
        )


class InstructionMissingError(RefusedError):
    """A refusal says how it can be contested (domain.md D.5, 14)."""

    def __init__(self) -> None:
        super().__init__("A refusal needs the instruction how to contest it. Write it in the form or in the school's settings.")


class NoDecisionError(RefusedError):
    """There is no decision that stands."""

    def __init__(self) -> None:
        super().__init__("No decision stands in this case. Decide first.")


class NotifiedAlreadyError(RefusedError):
    """The term to contest runs from one day of notification."""

    def __init__(self) -> None:
        super().__init__("How this decision was notified is recorded already.")


class NobodyToNotifyError(RefusedError):
    """Of a death or a departure nothing is written to anybody (domain.md D.5, 30)."""

    def __init__(self) -> None:
        super().__init__("The case was closed because the pupil died or left the country: no letter is sent any more.")


class NotRefusedError(RefusedError):
    """Only a refusal is contested."""

    def __init__(self) -> None:
        super().__init__("No refusal stands in this case, so there is nothing to contest.")


class ContestedAlreadyError(RefusedError):
    """A refusal is contested once."""

    def __init__(self) -> None:
        super().__init__("This refusal has been contested already.")


class ContestLateError(RefusedError):
    """A refusal is contested within its term, unless the term is restored (Administrative Procedure Law, section 79)."""

    def __init__(self, due_on: date) -> None:
        super().__init__(f"The term to contest ended on {due_on}. If it was restored, write term_restored as true.")


class NotContestedError(RefusedError):
    """Only a contested refusal is upheld or set aside."""

    def __init__(self) -> None:
        super().__init__("No refusal is under contest in this case.")


class ProtectedAddressError(RefusedError):
    """What goes to a protected address is given to the addressee alone (domain.md C3; D.5, 19)."""

    def __init__(self) -> None:
        super().__init__(
            "The requester's address is protected, and an ordinary letter may be opened by others: send it registered, by"
            " e-address, or hand it over in person."
        )
