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
    """An auditor may have keys: ``auditor`` is its admission, ``until`` the last day, null where no day ends it.

    Of scope ``FACTS`` it belongs to no case. Of scope ``PART`` it is a mandate for parts of the case it belongs to: ``parts`` are
    the digests of these sealed parts, as statements name them, and ``until`` is there.
    """

    auditor: Digest
    scope: AccessScope
    purpose: AccessPurpose
    until: date | None
    parts: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEnded:
    """An auditor is given no more keys; said of one that is refused, too. Belongs to no case.

    Of scope ``PART`` a mandate has ended, whose ``AccessGranted`` is ``grant``: in the writer's record it belongs to that case.
    """

    auditor: Digest
    scope: AccessScope
    grant: Digest | None = None
