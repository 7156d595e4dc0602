"""What a clerk of the commission can be told no for; each leaf names the broken rule, its message says what would be right."""

from __future__ import annotations

from services.wire.errors import RefusedError

__all__ = [
    "AlreadyAnsweredError",
    "AlreadyDecidedError",
    "AlreadyDispatchedError",
    "AlreadyRegisteredError",
    "DateOrderError",
    "DispatchWayError",
    "ExaminedAlreadyError",
    "FormRefusedError",
    "GroundNotShownError",
    "IrpIssuedError",
    "IrpMissingError",
    "IrpNotAskedError",
    "IrpWithoutNeedError",
    "NoFileError",
    "NoRequestError",
    "NotExaminedError",
    "NotRegisteredError",
    "NothingToAnswerError",
    "NothingToDispatchError",
    "OpinionNotValidError",
]


class FormRefusedError(RefusedError):
    """A form has faults; ``lines`` tells them one by one, without what was typed."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self.lines = lines
        super().__init__("\n".join(lines))


class NoRequestError(RefusedError):
    """The case holds no school's request."""

    def __init__(self) -> None:
        super().__init__("There is no request of a school in this case. Check the case number.")


class AlreadyRegisteredError(RefusedError):
    """A request is registered once."""

    def __init__(self) -> None:
        super().__init__("The request is registered already. Go on with the expertise file.")


class NotRegisteredError(RefusedError):
    """Nothing is done on a request before it is registered."""

    def __init__(self) -> None:
        super().__init__("The request is not registered yet. Register it first.")


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


class NothingToDispatchError(RefusedError):
    """Only what was issued is sent."""

    def __init__(self) -> None:
        super().__init__("Nothing has been issued in this case yet, so there is nothing to send.")


class AlreadyDispatchedError(RefusedError):
    """The documents of a case are sent once; sending them again is another act."""

    def __init__(self) -> None:
        super().__init__("The documents of this case have been sent already.")


class DispatchWayError(RefusedError):
    """Documents go to the address that the application chose, and by a way that leads there (guidance, section 5)."""

    def __init__(self) -> None:
        super().__init__("The way does not lead to the chosen address: an e-address takes EAddress, home and school a letter.")


class NothingToAnswerError(RefusedError):
    """No yes without a recommendation issued, no no without one refused."""

    def __init__(self) -> None:
        super().__init__("The recommendation is neither issued nor refused yet, so there is no answer to give.")


class AlreadyAnsweredError(RefusedError):
    """A request is answered once."""

    def __init__(self) -> None:
        super().__init__("The school has its answer already. A changed answer is a correction, not a second answer.")


class DateOrderError(RefusedError):
    """An act is not older than what it rests on."""

    def __init__(self, later: str, earlier: str) -> None:
        super().__init__(f"{later} lies before {earlier}. Check both days.")
