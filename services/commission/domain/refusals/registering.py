"""What refuses taking up, returning, linking, extending and closing; each leaf names the broken rule."""

from __future__ import annotations

from services.wire.errors import RefusedError

__all__ = [
    "AlreadyBegunError",
    "AlreadyRegisteredError",
    "CloseCauseError",
    "DecidedElsewhereError",
    "DirectRegisteredError",
    "LinkAsksError",
    "LinkOrderError",
    "LinkedAlreadyError",
    "NotMatchedAlreadyError",
    "NotRegisteredError",
    "NotSamePupilError",
    "NotSentError",
    "ReturnGroundError",
    "TermNotLongerError",
    "TermNotRunningError",
    "TermTooLongError",
]


class AlreadyRegisteredError(RefusedError):
    """A request is registered once."""

    def __init__(self) -> None:
        super().__init__("The request is registered already. Go on with the expertise file.")


class NotRegisteredError(RefusedError):
    """Nothing is done on a request before it is registered."""

    def __init__(self) -> None:
        super().__init__("The request is not registered yet. Register it first.")


class AlreadyBegunError(RefusedError):
    """A direct application begins a case; it is not added to one."""

    def __init__(self) -> None:
        super().__init__("This case has begun already. A direct application gets a case of its own.")


class DirectRegisteredError(RefusedError):
    """The same direct application, under the same number, is entered once."""

    def __init__(self) -> None:
        super().__init__(
            "An application of this pupil is entered under this register number already. Compare the number with the register."
        )


class ReturnGroundError(RefusedError):
    """A direct application brings no copy and no consent, so nothing can be wrong with them (D.3; A.5, a.1 and b.1)."""

    def __init__(self) -> None:
        super().__init__(
            "NoApplicationCopy and NoConsent are about a school's request: a direct application has neither. Name another ground."
        )


class NotMatchedAlreadyError(RefusedError):
    """A school is told once that nobody was found."""

    def __init__(self) -> None:
        super().__init__("The school has been told already that nobody was found by its request. Wait for its correction.")


class NotSamePupilError(RefusedError):
    """Only requests about one person are linked (D.5, 6 and 10: no fishing by names)."""

    def __init__(self) -> None:
        super().__init__(
            "There is no earlier case of the same pupil under that number: the personal codes of both have to be the same."
        )


class DecidedElsewhereError(RefusedError):
    """Two requests about one pupil have one assessment and one recommendation (D.5, 6; E13)."""

    def __init__(self) -> None:
        super().__init__(
            "Another request about this pupil was decided since this one came. See same-pupil, and link this one to it."
        )


class LinkedAlreadyError(RefusedError):
    """A case is linked once."""

    def __init__(self) -> None:
        super().__init__("This case is linked already.")


class LinkOrderError(RefusedError):
    """The earlier valid application is the one that is assessed and dispatched (E13)."""

    def __init__(self) -> None:
        super().__init__(
            "The other case came later and is not decided, has ended, or is linked itself. Link the later one to the earlier."
        )


class LinkAsksError(RefusedError):
    """A yes in b.2 needs the plan too, so the assessment has to include it (D.3)."""

    def __init__(self) -> None:
        super().__init__("This request asks for a rehabilitation plan, and the earlier one does not. Assess this one by itself.")


class TermTooLongError(RefusedError):
    """The term is one month from receipt, and four at most (APL section 64; L-9)."""

    def __init__(self) -> None:
        super().__init__("The term ends at the latest four months after the receipt of the request. Write an earlier day.")


class TermNotLongerError(RefusedError):
    """An extension ends later than the term that it extends."""

    def __init__(self) -> None:
        super().__init__("The term runs to that day or longer already. Write a later day.")


class TermNotRunningError(RefusedError):
    """Whoever has answered and sent everything needs no more time."""

    def __init__(self) -> None:
        super().__init__("The commission has done what was asked: no term runs any more.")


class CloseCauseError(RefusedError):
    """An assessment is closed for the cause that its case shows (D.3)."""

    def __init__(self) -> None:
        super().__init__(
            "The case does not show that cause. Compare it with what has happened, and answer or send first what is open."
        )


class NotSentError(RefusedError):
    """What was issued is sent to the family before the assessment is closed (A.5, step 4)."""

    def __init__(self) -> None:
        super().__init__("What was issued has not been sent yet. Record the dispatch first.")
