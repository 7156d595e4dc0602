"""What a school's clerk can be told no for about signatures, what is missing, supplements, and duplicates.

Each leaf names the broken rule, its message says what would be right.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from services.school.domain.words import items_in_words
from services.wire.errors import RefusedError
from services.wire.events import MissingItem

__all__ = [
    "CompletionRunsError",
    "DuplicateOfItselfError",
    "DuplicateSaysMoreError",
    "FirstProceedsError",
    "FoundIncompleteAlreadyError",
    "NoDuplicateError",
    "NotAskedForError",
    "NotFoundIncompleteError",
    "NotMissingError",
    "OtherPupilError",
    "PrimaryEndedError",
    "PrimaryGoesOnError",
    "SignatureOnPaperError",
    "SignatureRecordedError",
    "SuppliedAlreadyError",
    "VariantStandsError",
]


class SignatureOnPaperError(RefusedError):
    """Only an electronic document has a signature that is checked here."""

    def __init__(self) -> None:
        super().__init__(
            "The application came on paper. If its signature is missing, find it incomplete and record what was supplied."
        )


class SignatureRecordedError(RefusedError):
    """The same finding stands, or a valid signature does."""

    def __init__(self) -> None:
        super().__init__("This is recorded already. After a rejected signature, record the one that was supplied in its place.")


class NotMissingError(RefusedError):
    """What is there is not asked for again."""

    def __init__(self, items: Iterable[MissingItem]) -> None:
        super().__init__(f"This is there already: {items_in_words(items)}. Leave it out of what is missing.")


class FoundIncompleteAlreadyError(RefusedError):
    """The requester is told once (domain.md D.5, 1)."""

    def __init__(self, due_on: date) -> None:
        super().__init__(f"The requester has been told this already, and has until {due_on}. Wait, or record what was supplied.")


class NotAskedForError(RefusedError):
    """Only what the application lacks is supplied, or a newer copy of plan and recommendation."""

    def __init__(self, items: Iterable[MissingItem]) -> None:
        super().__init__(f"The application does not lack this: {items_in_words(items)}. Leave it out.")


class SuppliedAlreadyError(RefusedError):
    """The same supplement, word for word, was recorded."""

    def __init__(self) -> None:
        super().__init__("This supplement is recorded already. Go on in the case.")


class NotFoundIncompleteError(RefusedError):
    """A case is closed without examination only where the requester was told what is missing (domain.md E07)."""

    def __init__(self) -> None:
        super().__init__("The requester has not been told what the application lacks, or it lacks nothing any more.")


class CompletionRunsError(RefusedError):
    """A case stays open until its term of completion is over (domain.md E07)."""

    def __init__(self, due_on: date) -> None:
        super().__init__(f"The requester has until the end of {due_on} to supply what is missing. Close the case after that day.")


class DuplicateOfItselfError(RefusedError):
    """A duplicate is of another case."""

    def __init__(self) -> None:
        super().__init__("A case is no duplicate of itself. Name the other case.")


class OtherPupilError(RefusedError):
    """Both applications are about one pupil (domain.md D.5, 5)."""

    def __init__(self) -> None:
        super().__init__("The other case is about another pupil. Compare both personal codes.")


class PrimaryEndedError(RefusedError):
    """The other case has to go on, else nobody decides about the pupil."""

    def __init__(self) -> None:
        super().__init__("The other case has ended or is a duplicate itself. Name the case that goes on.")


class FirstProceedsError(RefusedError):
    """Of two parents' applications the first valid one proceeds (domain.md D.5, 20)."""

    def __init__(self) -> None:
        super().__init__(
            "This application came first, is signed and lacks nothing, and the commission was not asked in the other case:"
            " it goes on. Link the later application to it."
        )


class NoDuplicateError(RefusedError):
    """Only what was linked to another case is reopened."""

    def __init__(self) -> None:
        super().__init__("This application is no duplicate of another: there is nothing to reopen.")


class PrimaryGoesOnError(RefusedError):
    """Of two applications about a pupil one goes on, until it comes to nothing (domain.md D.5, 5 and 20)."""

    def __init__(self) -> None:
        super().__init__(
            "The application of which this one is a duplicate goes on, or the pupil was decided about, or has left."
            " It is reopened only where that one was withdrawn, or closed because it was not completed."
        )


class VariantStandsError(RefusedError):
    """Another route is another one than that which stands (A5.1)."""

    def __init__(self) -> None:
        super().__init__("The application goes this way already. Nothing more is needed, or name another variant.")


class DuplicateSaysMoreError(RefusedError):
    """A later consent or address holds in the earlier case only where the requester says so, and is never lost (D.5, 5)."""

    def __init__(self, items: Iterable[MissingItem]) -> None:
        super().__init__(
            f"This application gives the other case what it lacks, or says it later: {items_in_words(items)}."
            " Ask the requester, and write supersedes: true where it is to hold there, false where not."
        )
