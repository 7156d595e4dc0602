"""What an auditor writes to its record, sealed: readable by all, and about no case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.wire.hashing import Digest
from services.wire.vocabulary import AccessPurpose, AccessUse, ReportName

__all__ = ["AccessUsed", "ReplayRun", "ReportIssued"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessUsed:
    """Keys of a mandate were taken in or used: ``grant`` is its ``AccessGranted``, whose purpose and last day are repeated."""

    grant: Digest
    purpose: AccessPurpose
    until: date
    use: AccessUse


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportIssued:
    """A report of a period, both days counted, was issued: ``result`` is H of the file's bytes."""

    report: ReportName
    from_on: date
    until: date
    result: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRun:
    """What a policy model would have said was issued: ``policy`` is H of the model's file, ``result`` of the bytes that say it.

    ``rule_set`` is the model's number, ``heads`` the one digest of the heads of all channels that it stands on.
    """

    rule_set: int
    policy: Digest
    heads: tuple[Digest, ...]
    result: Digest
