"""Evidence: what a receiver keeps of records that are no entries, or not yet, and of letters that are none; it tells people.

Decides how much of it is kept and told: whoever floods a channel or a mailbox must neither fill the disk of whoever reads it nor
hide what else there is to tell.
Source: design.md section 3, "What can become of a record".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.post.holding import EVIDENCE_LIMIT, drop_outlived, keep_evidence
from services.post.office import Office
from services.wire.channels import mailbox_of
from services.wire.errors import CertificateError, ForkError, VerificationError
from services.wire.faults import fault_of, fork_proof, missing_after
from services.wire.following import Follower, Update
from services.wire.hashing import Digest, digest_of

__all__ = ["EvidenceBook"]

_FAULTS_TOLD: Final = 10


@dataclass(slots=True)
class EvidenceBook:
    """Keeps evidence for one receiver; it remembers where nothing is set aside, so that an entry that comes costs no look."""

    office: Office
    _nothing_aside: set[str] = field(default_factory=set)
    _kept_letters: set[Digest] | None = None

    def keep(self, name: str, follower: Follower, update: Update) -> None:
        """Keep the junk of one batch, and what was set aside of it."""
        if update.junk:
            keep_evidence(self.office, name, [(junk.error, None) for junk in update.junk])
            # Without their number: the same trouble is told once, in however many batches a flood of it comes.
            self.office.tell(f"{name}: records were skipped: {update.junk[0].reason}")
        # Beyond the cap nothing is kept, so nothing more is looked at than that either.
        faults = [found for record in update.odd[:EVIDENCE_LIMIT] if (found := fault_of(follower, record)) is not None]
        if faults:
            self._keep_aside(name, faults)
            self.office.tell(f"{name}: records are set aside: {faults[0][0].message}")

    def keep_fork(self, name: str, follower: Follower) -> ForkError | None:
        """Keep the signed entries that contradict each other, and return how one does."""
        proof = fork_proof(follower.undecided)
        self._keep_aside(name, [(error, entry.digest) for entry, error in proof])
        return proof[0][1] if proof else None

    def keep_gap(self, name: str, follower: Follower) -> None:
        """Keep what shows that an entry is missing, and tell who has to send it."""
        error, ahead = missing_after(follower)
        self._keep_aside(name, [(error, ahead)])
        self.office.tell(f"{name} at {error.evidence.sequence}: {error.message}")

    def keep_letters(self, faults: Sequence[VerificationError]) -> None:
        """Keep letters that were not taken in."""
        keep_evidence(self.office, mailbox_of(self.office.participant), [(error, None) for error in faults])
        self._kept_letters = None

    def tell_letters(self, faults: Sequence[VerificationError]) -> None:
        """Tell why letters were not taken in: one line for however many, lest a flood of them hide the rest."""
        for fault in sorted({error.message for error in faults})[:_FAULTS_TOLD]:
            self.office.tell(f"letters were not taken in: {fault}")

    def drop_letters(self, letters: Iterable[bytes]) -> None:
        """Forget what was kept of letters that are taken in by now."""
        mailbox = mailbox_of(self.office.participant)
        if self._kept_letters is None:
            query = "SELECT digest FROM held WHERE channel = ? AND kind = 'skipped' AND fault = ?"
            rows = self.office.database.all(query, mailbox, CertificateError.__name__)
            self._kept_letters = {row["digest"] for row in rows}
        # Nearly always there is none, and then no letter costs a look.
        for digest in self._kept_letters & {digest_of(letter) for letter in letters} if self._kept_letters else ():
            self.office.database.run("DELETE FROM held WHERE channel = ? AND kind = 'skipped' AND digest = ?", mailbox, digest)
            self._kept_letters.discard(digest)

    def drop_outlived(self, name: str) -> None:
        """Forget what was kept of entries that are taken by now."""
        if name not in self._nothing_aside and not drop_outlived(self.office, name):
            self._nothing_aside.add(name)

    def _keep_aside(self, name: str, faults: Sequence[tuple[VerificationError, Digest | None]]) -> None:
        self._nothing_aside.discard(name)
        keep_evidence(self.office, name, faults)
