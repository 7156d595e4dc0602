"""What can go wrong, in one tree; every other package raises leaves of it.

    ExchangeError
    ├── RefusedError        a rule said no; the user can act (never retried by itself)
    ├── VerificationError   bytes are not what they claim; never retried, always with evidence
    │   ├── MalformedError          not canonical, out of range, over a limit, unreadable content
    │   ├── PlaceError              an entry stands where it does not belong: another channel's, or another one is taken there
    │   ├── PartError               a part is not the one that its statement names
    │   ├── SignatureError          not signed by the certificate it names, or not strictly
    │   ├── CertificateError        not a certificate this exchange trusts for that use, or not the current one
    │   ├── RevokedError            under a revoked key, and nothing newer vouches for it
    │   ├── MissingError            a place is empty although something later shows that it was not
    │   ├── RepeatError             an event id stands for another event already
    │   ├── SealError               a sealed part does not open here
    │   ├── SchemaError             a schema that is unknown or unsafe
    │   │   └── FactsRuleError      a schema whose facts could hold what is personal
    │   ├── GrantError              a key grant that must not be imported
    │   ├── DisclosureError         keys of single parts that must not be taken in, or a mandate that does not stand in the log
    │   ├── ForkError               a channel contradicts itself, or somebody else has my signature
    │   ├── FacesError              the registrar has told two participants two things at one place
    │   ├── RootError               a log of another exchange, or another exchange's root
    │   ├── HiddenChannelError      a channel that was opened, and whose writer the registrar never admitted
    │   ├── ProofError              a proof does not show what it says
    │   ├── BasisError              an event rests on one that is not there, or is of another kind or case
    │   ├── ArchiveError            a file of an archive is not what it was when it was written
    │   ├── StoreBehindError        a counterpart has receipted entries of mine that I lack
    │   └── OrderError              two own events of one case claim the same predecessor
    ├── TransportError      a channel or a disk; ``retriable`` says whether waiting helps
    │   ├── ChannelUnavailableError
    │   │   └── ChannelClosedError  one channel takes or gives nothing now; the others go on
    │   │       ├── ChannelMissingError
    │   │       ├── ChannelForbiddenError
    │   │       ├── ChannelLimitError
    │   │       ├── ChannelDamagedError
    │   │       ├── ChannelSilentError
    │   │       └── ReplicasMissingError
    │   ├── RecordTooLargeError
    │   ├── DatabaseBusyError
    │   ├── DatabaseError
    │   └── DiskError
    ├── ConflictError       somebody else changed the same thing first; look again and repeat
    ├── RingError           no ring key opens the key ring or the ring file
    ├── LeaseError          another worker of this participant is active
    ├── MigrationError      the database is not at the version that this program needs
    └── SettingsError       a setting is missing or wrong; names the variable

What a person reads is made from these in the entrypoints, one exit code a family (``exit_code``): 2 settings and calls that
are wrong (also what the command line itself does not understand), 3 refused, 4 verification, 5 transport, 6 conflict, 7 ring,
8 lease, 9 migration, 10 a rehearsal that did not go as written. 1 is left to our own bugs.
Misuse by our own code is ``ValueError`` or ``RuntimeError``, never one of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

__all__ = [
    "ArchiveError",
    "BasisError",
    "CertificateError",
    "ChannelClosedError",
    "ChannelDamagedError",
    "ChannelForbiddenError",
    "ChannelLimitError",
    "ChannelMissingError",
    "ChannelSilentError",
    "ChannelUnavailableError",
    "ConflictError",
    "DatabaseBusyError",
    "DatabaseError",
    "DisclosureError",
    "DiskError",
    "Evidence",
    "ExchangeError",
    "FacesError",
    "FactsRuleError",
    "ForkError",
    "GrantError",
    "HiddenChannelError",
    "LeaseError",
    "MalformedError",
    "MigrationError",
    "MissingError",
    "OrderError",
    "PartError",
    "PlaceError",
    "ProofError",
    "RecordTooLargeError",
    "RefusedError",
    "RepeatError",
    "ReplicasMissingError",
    "RevokedError",
    "RingError",
    "RootError",
    "SchemaError",
    "SealError",
    "SettingsError",
    "SignatureError",
    "StoreBehindError",
    "TransportError",
    "VerificationError",
]

_MESSAGE_LIMIT: Final = 300
_SHOWN_LIMIT: Final = 100


def _one_line(text: str, limit: int) -> str:
    """Return a text as one line of at most ``limit`` characters in which nothing is left that a terminal obeys.

    What is shown of a stranger's bytes is whatever that stranger wrote: a name of 16 KiB, a line of its own, an escape code.
    """
    if len(text) <= limit and text.isprintable():
        return text
    shown = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(each if each.isprintable() else "\ufffd" for each in shown)


class ExchangeError(Exception):
    """The root of everything this project raises on purpose; never raised itself."""

    exit_code: ClassVar[int] = 1


class RefusedError(ExchangeError):
    """A rule said no. Leaves name the broken rule; the message says what would be right."""

    exit_code: ClassVar[int] = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What somebody needs to check a verification error without trusting who reports it.

    ``expected`` and ``found`` are short texts (hexadecimal for digests); ``raw`` the offending bytes as they were read.
    """

    channel: str | None = None
    epoch: int | None = None
    sequence: int | None = None
    expected: str | None = None
    found: str | None = None
    raw: bytes | None = None

    def __str__(self) -> str:
        place = _one_line(self.channel or "", _SHOWN_LIMIT)
        if self.sequence is not None:
            place += f" at {self.epoch or 0}/{self.sequence}"
        parts = [place] if place else []
        if self.expected is not None:
            parts.append(f"expected {_one_line(self.expected, _SHOWN_LIMIT)}")
        if self.found is not None:
            parts.append(f"found {_one_line(self.found, _SHOWN_LIMIT)}")
        return ", ".join(parts)


class VerificationError(ExchangeError):
    """Bytes are not what they claim to be. Never retried; ``evidence`` goes to whoever investigates."""

    exit_code: ClassVar[int] = 4

    def __init__(self, message: str, evidence: Evidence | None = None) -> None:
        self.message = _one_line(message, _MESSAGE_LIMIT)
        self.evidence = evidence or Evidence()
        shown = str(self.evidence)
        super().__init__(f"{self.message} ({shown})" if shown else self.message)


class MalformedError(VerificationError):
    """Not canonical, out of range, over a limit, or content that its schema does not read."""


class PlaceError(VerificationError):
    """An entry stands where it does not belong: copied from another channel, or where another entry is taken."""


class PartError(VerificationError):
    """A part is missing, too large, or not the one whose digest the statement names."""


class SignatureError(VerificationError):
    """The signature is not strict, or not by the key it must be by."""


class CertificateError(VerificationError):
    """Not a certificate that this exchange trusts for this use, or not the one that is current at this place."""


class RevokedError(VerificationError):
    """An entry under a revoked key that nothing under another key vouches for: it waits."""


class MissingError(VerificationError):
    """Nothing that is taken stands at a place, although a later entry, an epoch or a receipt shows that something did."""


class RepeatError(VerificationError):
    """An event id that stands for another event already; the second one is without effect."""


class SealError(VerificationError):
    """A sealed part does not open: another key, another place, or damaged."""


class SchemaError(VerificationError):
    """A schema that is unknown, or unsafe to load."""


class FactsRuleError(SchemaError):
    """A schema whose facts could hold what is personal: they are kept for years, and never erased."""


class GrantError(VerificationError):
    """A key grant that must not be imported."""


class DisclosureError(VerificationError):
    """Keys of single parts that must not be taken in, or a mandate that does not stand in its writer's record."""


class ForkError(VerificationError):
    """A channel contradicts itself, or somebody else has my signature: a person is called."""


class FacesError(VerificationError):
    """The registrar has shown another participant another entry at one place of its channel."""


class ProofError(VerificationError):
    """A proof does not show what it says: a path that leads elsewhere, or one of two views that are no two views."""


class RootError(VerificationError):
    """The registrar's channel of a log follows from another root than the one that it is held against."""


class HiddenChannelError(VerificationError):
    """A channel that its writer opened under this root, although the registrar's channel admits no such writer."""


class BasisError(VerificationError):
    """An event names another as what it rests on, and that one is not there, or is of another kind or of another case."""


class ArchiveError(VerificationError):
    """A file of an archive, or of a folder that was exported, is not what it was when it was closed or written."""


class StoreBehindError(VerificationError):
    """A counterpart has receipted entries of mine that my database lacks."""


class OrderError(VerificationError):
    """Two own events of one case name the same predecessor."""


class TransportError(ExchangeError):
    """A channel or a disk failed; nothing is known to be wrong with the data."""

    exit_code: ClassVar[int] = 5
    retriable: ClassVar[bool] = True


class ChannelUnavailableError(TransportError):
    """The log does not answer now."""


class ChannelClosedError(ChannelUnavailableError):
    """The log answers, and one channel of it takes or gives nothing now; the others go on. Its leaves say why."""


class ChannelMissingError(ChannelClosedError):
    """The log has no such channel: the registrar provisions it."""


class ChannelForbiddenError(ChannelClosedError):
    """The client's certificate has no right to do that in a channel: the registrar provisions rights."""


class ChannelLimitError(ChannelClosedError):
    """A channel was provisioned with a lower limit than the wire's: larger records wait until that is mended."""


class ChannelDamagedError(ChannelClosedError):
    """What a broker answers of a channel is no frames of records: its disk, or what stands between, is at fault."""


class ChannelSilentError(ChannelClosedError):
    """The one broker that has a channel does not answer here, and others do: a way that is broken, mostly."""


class ReplicasMissingError(ChannelClosedError):
    """Too few copies of a channel are there to store anything durably; what was sent waits until they are back."""


class RecordTooLargeError(TransportError):
    """A record is over the limit of the wire; checked before anything is sent."""

    retriable: ClassVar[bool] = False


class DatabaseBusyError(TransportError):
    """Another process held the database for longer than the busy timeout; try again."""


class DatabaseError(TransportError):
    """The database is damaged, is none, or is one of something else; the message says which."""

    retriable: ClassVar[bool] = False


class DiskError(TransportError):
    """A disk is full, may not be written or fails; nothing of what was begun stands, and it goes on when that is mended."""


class ConflictError(ExchangeError):
    """Somebody else changed the same thing first, several times over; look again and repeat."""

    exit_code: ClassVar[int] = 6


class RingError(ExchangeError):
    """No ring key that still exists opens the key ring or the ring file."""

    exit_code: ClassVar[int] = 7


class LeaseError(ExchangeError):
    """Another worker of this participant is active."""

    exit_code: ClassVar[int] = 8


class MigrationError(ExchangeError):
    """The database is not at the version that this program needs; the message names the command."""

    exit_code: ClassVar[int] = 9


class SettingsError(ExchangeError):
    """A setting is missing or wrong; the message names the variable and what would be right."""

    exit_code: ClassVar[int] = 2
