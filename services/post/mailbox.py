"""The mailbox: letters with keys, as one receiver takes them in.

Decides when a letter is tried again. Letters travel beside the channels: one that is signed with the certificate of a rotation
may be here long before the rotation, where its writer was interrupted between the two. So a letter under a certificate that is
not current is kept at once, tried again whenever something came, and told only if it stays; taken in after all, it is kept no
more.
Source: design.md section 7, "Grants are mail, not storage".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, TypeAlias

from services.channel.port import Record
from services.post.evidence import EvidenceBook
from services.post.granting import take_grants
from services.post.holding import EVIDENCE_LIMIT
from services.post.office import Office, is_over
from services.wire.errors import CertificateError, VerificationError

__all__ = ["Mailbox"]

_STAYS: Final = 900_000

_Faults: TypeAlias = dict[bytes, VerificationError]


@dataclass(slots=True)
class Mailbox:
    """``position`` is where the next batch begins; each process begins at the first letter that is there.

    ``opened`` are the channels that got a new key, until whoever reads them has looked at what is parked there.
    ``_early`` are letters that may only be early: since when (milliseconds since 1970), and what is wrong with them till now.
    """

    office: Office
    evidence: EvidenceBook
    position: int = 0
    opened: set[str] = field(default_factory=set)
    _left: list[bytes] = field(default_factory=list)
    _early: dict[bytes, tuple[int, VerificationError]] = field(default_factory=dict)

    def read_again(self) -> None:
        """Read from the first letter with the next batch: one may have been passed over."""
        self.position = 0

    def take(self, records: Sequence[Record]) -> None:
        """Take letters in before the channels of their batch are read."""
        self.position = records[-1].position + 1
        # Left until they are tried: if the database is away now, they are with the next batch.
        self._left += [record.value for record in records]
        self._left = list(self._try(self._left))

    def try_again(self, *, has_news: bool) -> None:
        """Try once more what did not fit, where the channels have news."""
        if self._left or (has_news and self._early):
            faults = self._try(list(dict.fromkeys((*self._early, *self._left))))
            self._left = []
            self._sort(faults)
        now = self.office.clock()
        stay = [letter for letter, (since, _) in self._early.items() if is_over(now, since, _STAYS)]
        self.evidence.tell_letters([self._early.pop(letter)[1] for letter in stay])

    def _try(self, letters: Collection[bytes]) -> _Faults:
        faults = dict(take_grants(self.office, letters, self.opened))
        self.evidence.drop_letters(letter for letter in letters if letter not in faults)
        return faults

    def _sort(self, faults: _Faults) -> None:
        """Keep what is wrong with letters, and tell it at once unless they may only be early."""
        self.evidence.keep_letters([error for letter, error in faults.items() if letter not in self._early])
        now, before = self.office.clock(), self._early
        early = (each for each in faults.items() if isinstance(each[1], CertificateError))
        # Beyond the cap none is taken for early: a flood of them is told at once. Those from before come first.
        self._early = {letter: before.get(letter, (now, error)) for letter, error in islice(early, EVIDENCE_LIMIT)}
        self.evidence.tell_letters([error for letter, error in faults.items() if letter not in self._early])
