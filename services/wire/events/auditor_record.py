"""What an auditor writes to its record, sealed: readable by all, and about no case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.wire.hashing import Digest
from services.wire.vocabulary import AccessPurpose, AccessUse

__all__ = ["AccessUsed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessUsed:
    """Keys of a mandate were taken in or used: ``grant`` is its ``AccessGranted``, whose purpose and last day are repeated."""

    grant: Digest
    purpose: AccessPurpose
    until: date
    use: AccessUse
