"""What a school can be told no for when persons change, leave or step back; each leaf names the broken rule."""

from __future__ import annotations

from datetime import date

from services.wire.errors import RefusedError

__all__ = [
    "LeftBeforeFiledError",
    "NewCodeFormatError",
    "NoNewCodeError",
    "NoRepresentativeError",
    "NotOfAgeError",
    "NothingChangedError",
    "OfAgeAlreadyError",
    "OfAgeRepresentedError",
    "OpposedAlreadyError",
    "OtherRepresentativeError",
    "PupilUnconfirmedError",
    "RefusedAlreadyError",
    "RepresentativeStandsError",
    "ScreeningNeededError",
    "ServiceRunsError",
    "WithdrawnBeforeFiledError",
]


class RefusedAlreadyError(RefusedError):
    """What was refused is contested or applied for anew, not withdrawn."""

    def __init__(self) -> None:
        super().__init__(
            "The application was refused. The requester can contest that, or apply anew; there is nothing to withdraw."
        )


class ServiceRunsError(RefusedError):
    """A service that runs is ended, its application is not withdrawn any more (D.2)."""

    def __init__(self) -> None:
        super().__init__("An agreement is concluded, so the application is past. End the service with RequesterAsked as cause.")


class WithdrawnBeforeFiledError(RefusedError):
    """Nothing is withdrawn before it was filed."""

    def __init__(self, received_on: date) -> None:
        super().__init__(f"The application came in on {received_on} only. Check the day.")


class NothingChangedError(RefusedError):
    """A correction changes something (D.5, 9)."""

    def __init__(self) -> None:
        super().__init__(
            "All of this stands in the case like this already. Nothing more is needed; or check what was to be corrected."
        )


class NoRepresentativeError(RefusedError):
    """Only who represents the pupil can be corrected; another person is a change of representative (D.5, 19)."""

    def __init__(self) -> None:
        super().__init__(
            "Nobody represents the pupil in this case. Leave out representative, or record a change of representative."
        )


class OtherRepresentativeError(RefusedError):
    """A person is not corrected into another one (D.5, 9 and 19)."""

    def __init__(self) -> None:
        super().__init__(
            "Name and personal code of the representative would both change: that is another person. Record a change of "
            "representative."
        )


class NewCodeFormatError(RefusedError):
    """A code that is given anew is of the new format (PMLP; D.5, 11)."""

    def __init__(self) -> None:
        super().__init__("A new personal code begins with 32 to 39. If the code was mistyped, leave out code_is_new.")


class NoNewCodeError(RefusedError):
    """A new code is another code (D.5, 11)."""

    def __init__(self) -> None:
        super().__init__("The personal code is the one that stands in the case. Write the new one, or leave out code_is_new.")


class RepresentativeStandsError(RefusedError):
    """The same person represents the pupil already."""

    def __init__(self) -> None:
        super().__init__(
            "This person represents the pupil already, by the same authority. Nothing more is needed; correct the "
            "particulars if they are wrong."
        )


class OfAgeRepresentedError(RefusedError):
    """A pupil of age acts alone, unless there is a guardian (D.5, 21)."""

    def __init__(self) -> None:
        super().__init__(
            "The pupil is of age and acts alone. Only a guardian represents them; write Guardian as authority if a court "
            "appointed one."
        )


class NotOfAgeError(RefusedError):
    """On the 18th birthday, and not before, the pupil is the requester (D.5, 21)."""

    def __init__(self, adult_age: int) -> None:
        super().__init__(f"The pupil becomes {adult_age} on a day that has not come. It is recorded on that day.")


class OfAgeAlreadyError(RefusedError):
    """The pupil is the requester already."""

    def __init__(self) -> None:
        super().__init__("The pupil is the requester in this case already. Nothing more is needed.")


class PupilUnconfirmedError(RefusedError):
    """Who is the requester now has to say that the application stands (D.5, 21)."""

    def __init__(self) -> None:
        super().__init__(
            "The pupil came of age and has not confirmed the application. Ask for the pupil's own signature, and record it."
        )


class ScreeningNeededError(RefusedError):
    """A pupil who came of age needs group I or II: the conditions are looked at again (A1.2; D.5, 21)."""

    def __init__(self) -> None:
        super().__init__(
            "The pupil came of age, and the conditions were not found to be met since. Screen eligibility again first."
        )


class OpposedAlreadyError(RefusedError):
    """The same statement is recorded already (D.5, 20)."""

    def __init__(self) -> None:
        super().__init__("A statement of this day is recorded already. Nothing more is needed.")


class LeftBeforeFiledError(RefusedError):
    """A pupil who left before the application was never a pupil here."""

    def __init__(self, received_on: date) -> None:
        super().__init__(f"The application came in on {received_on} only. Check the day.")
