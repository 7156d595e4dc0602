"""What a school and the commission write alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.wire.hashing import Digest
from services.wire.vocabulary import AccessPurpose, AccessScope, DeadlineName, RejectedCode

__all__ = [
    "AccessEnded",
    "AccessGranted",
    "DeadlinePassed",
    "RefusalContested",
    "RefusalContestedPersonal",
    "RefusalSetAside",
    "RefusalSetAsidePersonal",
    "RefusalUpheld",
    "RefusalUpheldPersonal",
    "Rejected",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A received event was refused, once and with a closed code."""

    code: RejectedCode


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlinePassed:
    """A term passed; nothing else follows from it by itself (domain.md D.5, 15)."""

    deadline: DeadlineName
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalContested:
    """A refusal was contested."""

    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalContestedPersonal:
    """What is personal about ``RefusalContested``."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalUpheld:
    """A contested refusal stands."""

    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalUpheldPersonal:
    """What is personal about ``RefusalUpheld``."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalSetAside:
    """A contested refusal was set aside, and is to be decided anew."""

    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalSetAsidePersonal:
    """What is personal about ``RefusalSetAside``."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessGranted:
    """An auditor may have keys: ``auditor`` is its admission, ``until`` null where no day ends it. Belongs to no case."""

    auditor: Digest
    scope: AccessScope
    purpose: AccessPurpose
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEnded:
    """An auditor is given no more keys; said of one that is refused, too. Belongs to no case."""

    auditor: Digest
    scope: AccessScope
