"""What the commission writes to a school: an answer and never a cause."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.wire.hashing import Digest
from services.wire.vocabulary import Answer, ReturnGround

__all__ = [
    "AttendanceRequired",
    "ConfirmationCorrected",
    "ConfirmationCorrectedPersonal",
    "ConfirmationEnded",
    "ConfirmationGiven",
    "ConfirmationGivenPersonal",
    "IdentityNotMatched",
    "RequestClosed",
    "RequestReturned",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationGiven:
    """The commission answers a school; ``wording`` numbers the official sentence."""

    answer: Answer
    wording: int
    basis: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationGivenPersonal:
    """What is personal about ``ConfirmationGiven``."""

    official: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationCorrected:
    """The commission corrects its answer; ``corrects`` is the answer that no longer stands."""

    answer: Answer
    wording: int
    corrects: Digest
    basis: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationCorrectedPersonal:
    """What is personal about ``ConfirmationCorrected``."""

    official: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationEnded:
    """The recommendation behind a yes holds no longer; revoked or expired is the same to a school."""

    ended_on: date
    basis: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceRequired:
    """The pupil has to come to the commission first; a school learns this fact alone."""

    basis: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityNotMatched:
    """The commission finds nobody by what the request says of the pupil."""

    basis: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReturned:
    """The commission returns a request that it cannot take up."""

    grounds: tuple[ReturnGround, ...]
    basis: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestClosed:
    """The commission closes a request without an answer: attendance lapsed, or the request was withdrawn."""

    basis: Digest
