"""What refuses an examination, an attendance, a plan, a recommendation or its refusal; each leaf names the broken rule."""

from __future__ import annotations

from services.wire.errors import RefusedError

__all__ = [
    "AlreadyDecidedError",
    "AttendanceAskedError",
    "AttendanceNotAskedError",
    "AttendanceNotNeededError",
    "AttendanceOverError",
    "CodeChangedError",
    "ExaminedAlreadyError",
    "ExaminedBeforeError",
    "GroundNotShownError",
    "IrpIssuedError",
    "IrpMissingError",
    "IrpNotAskedError",
    "IrpWithoutNeedError",
    "NoFileError",
    "NotAttendedError",
    "NotExaminedError",
    "OpinionIssuedError",
    "OpinionNotValidError",
    "RegisterMissingError",
]


class ExaminedBeforeError(RefusedError):
    """Nothing is decided by a file that was sought by particulars which the school has corrected since (D.5, 9 and 10)."""

    def __init__(self) -> None:
        super().__init__(
            "What the school says of the pupil has changed since the file was examined, and that may be another child's."
            " Examine it again."
        )


class NotExaminedError(RefusedError):
    """The commission decides from the expertise file (guidance, section 5)."""

    def __init__(self) -> None:
        super().__init__("The expertise file has not been examined yet. Record the examination first.")


class NoFileError(RefusedError):
    """Without an expertise file there is nothing to prepare documents from."""

    def __init__(self) -> None:
        super().__init__("No expertise file was found for the pupil: nothing can be issued from it.")


class OpinionNotValidError(RefusedError):
    """A recommendation needs an opinion on the need of special care that is valid on its day (guidance, section 5)."""

    def __init__(self) -> None:
        super().__init__(
            "The expertise file shows no opinion on the need of special care that is valid on that day. "
            "Without it there is no recommendation."
        )


class IrpNotAskedError(RefusedError):
    """The plan is prepared only where it is asked for: variant b.2."""

    def __init__(self) -> None:
        super().__init__("This request asks for a recommendation only: the requester has a rehabilitation plan already (a.2).")


class ExaminedAlreadyError(RefusedError):
    """The newest examination says the same."""

    def __init__(self) -> None:
        super().__init__("This examination is recorded already. Nothing more is needed.")


class IrpIssuedError(RefusedError):
    """One plan is issued in a case."""

    def __init__(self) -> None:
        super().__init__("The rehabilitation plan of this case is issued already.")


class IrpMissingError(RefusedError):
    """In variant b.2 the recommendation rests on the plan that is issued first."""

    def __init__(self) -> None:
        super().__init__("This request asks for a rehabilitation plan too (b.2). Issue the plan first.")


class IrpWithoutNeedError(RefusedError):
    """A plan that names no need of an assistant cannot stand beside a yes (guidance, section 4)."""

    def __init__(self) -> None:
        super().__init__("The rehabilitation plan issued here does not indicate the need of an assistant: it contradicts a yes.")


class AlreadyDecidedError(RefusedError):
    """A recommendation is issued or refused once in a case."""

    def __init__(self) -> None:
        super().__init__("The recommendation of this case is issued or refused already.")


class GroundNotShownError(RefusedError):
    """A ground of refusal agrees with what the examination showed."""

    def __init__(self, ground: str) -> None:
        super().__init__(
            f"The ground {ground} does not agree with what is recorded in this case. Check the examination and the grounds."
        )


class AttendanceNotNeededError(RefusedError):
    """The pupil need not be present if the expertise file shows an opinion (A5.3)."""

    def __init__(self) -> None:
        super().__init__("The expertise file shows a valid opinion on the need of special care: the pupil need not come.")


class AttendanceAskedError(RefusedError):
    """A pupil is asked to come once."""

    def __init__(self) -> None:
        super().__init__("The pupil has been asked to come already.")


class AttendanceNotAskedError(RefusedError):
    """Only a pupil who was asked to come comes, or does not (D.5, 3 and 4)."""

    def __init__(self) -> None:
        super().__init__("The pupil has not been asked to come in this assessment. Record that first.")


class AttendanceOverError(RefusedError):
    """A pupil has either come or not."""

    def __init__(self) -> None:
        super().__init__("It is recorded already whether the pupil came.")


class NotAttendedError(RefusedError):
    """The opinion is issued when the pupil has come (A5.3; D.5, 3)."""

    def __init__(self) -> None:
        super().__init__("The pupil has not come yet, so no opinion can be issued.")


class OpinionIssuedError(RefusedError):
    """One opinion is issued in an assessment."""

    def __init__(self) -> None:
        super().__init__("The opinion is issued already. Go on with the recommendation.")


class RegisterMissingError(RefusedError):
    """Without a register of expertise files a person looks into them."""

    def __init__(self) -> None:
        super().__init__("No register of expertise files is set (expertise in the settings). Look into the file and use examine.")


class CodeChangedError(RefusedError):
    """No file of another person (D.5, 10): what was looked up is of a code that was corrected meanwhile."""

    def __init__(self) -> None:
        super().__init__("The personal code was changed while the register was asked. Nothing was recorded: look up again.")
