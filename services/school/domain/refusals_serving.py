"""What a school can be told no for after its decision; each leaf names the broken rule, its message says what would be right."""

from __future__ import annotations

from datetime import date

from services.wire.errors import RefusedError

__all__ = [
    "AddressNotSchoolError",
    "AgreementBeforeDecisionError",
    "AgreementStandsError",
    "AgreementUnknownError",
    "AssistantUnknownError",
    "BasisLostError",
    "BeforeServiceError",
    "CvAnnexedError",
    "CvMissingError",
    "CvWithoutEvidenceError",
    "DescribedAlreadyError",
    "DutiesMissingError",
    "HandedBeforeReceivedError",
    "HoursOutsideAgreementError",
    "HoursReportedAlreadyError",
    "LetterReceivedError",
    "LetterUnknownError",
    "MoneyReportedAlreadyError",
    "MonthCapError",
    "MonthClosedError",
    "NoAgreementError",
    "NobodyProposedError",
    "NotGrantedError",
    "NotSuspendedError",
    "OpeningBalanceError",
    "OverspentError",
    "ProposedAlreadyError",
    "ResumedBeforeSuspendedError",
    "SchoolNotDescribedError",
    "SignaturesMissingError",
    "SuspendedAlreadyError",
    "TooManyHoursError",
]


class NotGrantedError(RefusedError):
    """An assistant and an agreement come after the decision to grant (A3.4, A3.5)."""

    def __init__(self) -> None:
        super().__init__(
            "The service has not been granted in this case. Decide on the application first; a refusal has to be set "
            "aside before."
        )


class ProposedAlreadyError(RefusedError):
    """The same person stands as proposed already."""

    def __init__(self, assistant: int) -> None:
        super().__init__(f"This person is proposed already, as assistant {assistant}, with the same background. Annex their CV.")


class NobodyProposedError(RefusedError):
    """A CV is somebody's who was proposed (A3.3, A3.7)."""

    def __init__(self) -> None:
        super().__init__("Nobody is proposed as assistant in this case. Propose the person first.")


class AssistantUnknownError(RefusedError):
    """Only a person proposed in this case can be its assistant (A3.3)."""

    def __init__(self, assistant: int) -> None:
        super().__init__(f"There is no assistant {assistant} in this case. Propose the person first, or check the number.")


class CvAnnexedError(RefusedError):
    """The same CV is annexed already."""

    def __init__(self, assistant: int) -> None:
        super().__init__(f"This CV of assistant {assistant} is annexed already. Nothing more is needed.")


class CvMissingError(RefusedError):
    """No agreement without the assistant's CV annexed (A3.7)."""

    def __init__(self, assistant: int) -> None:
        super().__init__(f"The CV of assistant {assistant} is not annexed. Annex it: it has to show work or contact experience.")


class CvWithoutEvidenceError(RefusedError):
    """The CV has to show experience with people with disability (A3.1, A3.7; D.5, 27); the grant stands."""

    def __init__(self, assistant: int) -> None:
        super().__init__(
            f"The CV of assistant {assistant} does not show the experience that is asked for. The decision to grant "
            "stands: ask for a CV that shows it, or propose another person."
        )


class SignaturesMissingError(RefusedError):
    """The agreement is of three: requester, assistant and school (A3.5)."""

    def __init__(self, missing: str) -> None:
        super().__init__(f"The agreement is signed by requester, assistant and school; the signature of {missing} is missing.")


class DutiesMissingError(RefusedError):
    """The agreement says what the assistant does for this pupil (A6.i)."""

    def __init__(self) -> None:
        super().__init__("The agreement names no duty. Name at least one of A to G, or say that others stand in its text.")


class TooManyHoursError(RefusedError):
    """All agreements of a pupil together stay within the hours of a week (A6.h; D.5, 28)."""

    def __init__(self, hours: int, cap: int) -> None:
        super().__init__(
            f"With the other agreements of this pupil that would be {hours} hours a week; {cap} are allowed, {cap} "
            "included. Agree on fewer, or end or amend another agreement first."
        )


class SchoolNotDescribedError(RefusedError):
    """Where the hours depend on the kind of school, it has to be known."""

    def __init__(self) -> None:
        super().__init__(
            "Under these rules the hours depend on the kind of school, which nobody has described. Describe the school first."
        )


class BasisLostError(RefusedError):
    """No new agreement once the recommendation holds no longer (D.5, 12 and 13)."""

    def __init__(self) -> None:
        super().__init__(
            "The recommendation on which the decision rests is over or revoked, or its yes was taken back. "
            "Only a new one, or a new answer of the commission, makes a new agreement possible."
        )


class AgreementBeforeDecisionError(RefusedError):
    """An agreement follows the decision (A3.5)."""

    def __init__(self, decided_on: date) -> None:
        super().__init__(f"The agreement would be signed, or begin, before the decision of {decided_on}. Check both days.")


class AgreementStandsError(RefusedError):
    """The same agreement stands already."""

    def __init__(self, number: int) -> None:
        super().__init__(f"Agreement {number} says the same already. Nothing more is needed.")


class AgreementUnknownError(RefusedError):
    """Only an agreement of this case can be amended or reported on."""

    def __init__(self, number: int) -> None:
        super().__init__(f"There is no agreement {number} in this case. Check the number against the events of the case.")


class NoAgreementError(RefusedError):
    """A service that has not begun does not stand still and does not end."""

    def __init__(self) -> None:
        super().__init__(
            "There is no agreement in this case, so no service runs. Conclude the agreement first, or withdraw the application."
        )


class SuspendedAlreadyError(RefusedError):
    """The service stands still already."""

    def __init__(self) -> None:
        super().__init__("The service stands still already. Record the day on which it goes on first.")


class NotSuspendedError(RefusedError):
    """Only a service that stands still goes on."""

    def __init__(self) -> None:
        super().__init__("The service does not stand still. Nothing has to be resumed.")


class ResumedBeforeSuspendedError(RefusedError):
    """A service goes on after it stood still."""

    def __init__(self, on: date) -> None:
        super().__init__(f"The service would go on before {on}, when it was suspended. Check the day.")


class BeforeServiceError(RefusedError):
    """A service does not stand still or end before it begins."""

    def __init__(self, begins: date) -> None:
        super().__init__(f"The service begins on {begins} only. Check the day.")


class HoursReportedAlreadyError(RefusedError):
    """The newest report of a month stands, and says the same."""

    def __init__(self) -> None:
        super().__init__("These hours of this month are reported already. Nothing more is needed.")


class HoursOutsideAgreementError(RefusedError):
    """Hours are worked while the agreement holds, and no more than it agrees on (A6.h)."""

    def __init__(self, number: int, allowed: int) -> None:
        super().__init__(
            f"In this month agreement {number} allows at most {allowed} minutes: for each week that it holds in, the hours"
            " that it names. Check month and minutes."
        )


class MonthCapError(RefusedError):
    """The state pays no more than the normal working hours of a month (MK 695, point 9)."""

    def __init__(self, minutes: int) -> None:
        super().__init__(
            f"With these {minutes} minutes all agreements of the case come to more than the normal working hours of the "
            "month. Check the minutes."
        )


class MoneyReportedAlreadyError(RefusedError):
    """The newest report of a month stands, and says the same."""

    def __init__(self) -> None:
        super().__init__("This money of this month is reported already. Nothing more is needed.")


class OpeningBalanceError(RefusedError):
    """A month opens with what the month reported before it closed with (MK 695, annex 2)."""

    def __init__(self, closing: int) -> None:
        super().__init__(f"The month reported before closed with {closing} cents; this one opens with another sum. Compare both.")


class MonthClosedError(RefusedError):
    """Later months rest on how a month closed."""

    def __init__(self) -> None:
        super().__init__(
            "Later months are reported already and rest on this one. Report the difference in the month in which it was noticed."
        )


class OverspentError(RefusedError):
    """Nobody uses more than there is."""

    def __init__(self) -> None:
        super().__init__("More was used than there was at the beginning and came in together. Check the sums.")


class DescribedAlreadyError(RefusedError):
    """The same description holds on that day already."""

    def __init__(self) -> None:
        super().__init__("The school is described like this already from that day on. Nothing more is needed.")


class AddressNotSchoolError(RefusedError):
    """Closed letters come to the school only where the requester chose so (A.5; D.5, 18)."""

    def __init__(self) -> None:
        super().__init__(
            "The requester did not choose the school's address, so no letter is to be taken in for them here. Return it "
            "to the commission unopened."
        )


class LetterReceivedError(RefusedError):
    """The same letter is recorded already."""

    def __init__(self) -> None:
        super().__init__("A letter of this number is recorded already. Hand it over unopened.")


class LetterUnknownError(RefusedError):
    """Only a letter that came can be handed over."""

    def __init__(self) -> None:
        super().__init__("No letter of this number waits here. Check the number on the envelope; it stays closed.")


class HandedBeforeReceivedError(RefusedError):
    """A letter is handed over after it came."""

    def __init__(self, on: date) -> None:
        super().__init__(f"The letter would be handed over before it came on {on}. Check the day.")
