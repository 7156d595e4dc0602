"""What refuses an act of the commission whatever it is: faults of forms, days out of order, cases that are over."""

from __future__ import annotations

from services.wire.errors import RefusedError

__all__ = [
    "ClosedError",
    "DateOrderError",
    "FormRefusedError",
    "LinkedError",
    "NoRequestError",
    "NoSchoolError",
    "NotIdentifiedError",
    "WithdrawnError",
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


class DateOrderError(RefusedError):
    """An act is not older than what it rests on."""

    def __init__(self, later: str, earlier: str) -> None:
        super().__init__(f"{later} lies before {earlier}. Check both days.")


class NoSchoolError(RefusedError):
    """Whoever applies to the commission is its only addressee: no school is told anything (A.5, a.1 and b.1)."""

    def __init__(self) -> None:
        super().__init__(
            "The requester applied to the commission directly: no school waits for anything. Send the documents to them."
        )


class ClosedError(RefusedError):
    """A closed assessment is taken up again by a new request alone (D.3)."""

    def __init__(self) -> None:
        super().__init__("The assessment is closed. It goes on only with a new request.")


class WithdrawnError(RefusedError):
    """Nothing more is decided on a request that was withdrawn; what was issued before stays valid (D.5, 7)."""

    def __init__(self) -> None:
        super().__init__(
            "The school has withdrawn this request. Send what was issued already, then close the assessment as Withdrawn."
        )


class NotIdentifiedError(RefusedError):
    """Nothing is examined while nobody knows of whom the request is (D.5, 10)."""

    def __init__(self) -> None:
        super().__init__(
            "Nobody was found by what the request says of the pupil. Wait for the correction, or close as NotIdentified."
        )


class LinkedError(RefusedError):
    """Two requests about one pupil have one assessment and one recommendation (D.5, 6)."""

    def __init__(self) -> None:
        super().__init__(
            "This case is linked to an earlier one of the same pupil: the assessment is made there, and only the answer here."
        )
