"""The registrar's use cases: what it says in ``registrar.trust``. Each is queued, and signed and sent by its worker.

Decides who is on the exchange; that somebody is who they say is found out another way, before.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.post.office import Office
from services.post.saving import queue_open
from services.wire.audience import AUDIENCE
from services.wire.certificates import Certificate
from services.wire.channels import TRUST_CHANNEL, Role, channel_kind, is_participant_id
from services.wire.contents import (
    ChannelOpened,
    EpochOpened,
    KeyRevoked,
    OpenContent,
    ParticipantAdmitted,
    ParticipantRemoved,
    Reason,
    SchemaPublished,
    TrustConfirmed,
    encode_open,
)
from services.wire.entry import body_digest
from services.wire.errors import RefusedError
from services.wire.hashing import Digest, Id, digest_of
from services.wire.records import event_type
from services.wire.trust import Said, fold_trust

__all__ = ["Registrar", "WithoutEffectError"]


class WithoutEffectError(RefusedError):
    """What was to be said would have no effect; the message says why."""


@dataclass(frozen=True, slots=True)
class Registrar:
    """The acts of the registrar's operator."""

    office: Office

    def open(self) -> None:
        """Open ``registrar.trust``: the first act of an exchange."""
        if self.office.letterbook.standing(TRUST_CHANNEL) is not None:
            raise WithoutEffectError("registrar.trust is open already")
        path = self.office.signers.newest.path
        content = ChannelOpened(exchange=self.office.root.digest, writer=self.office.participant, certificates=path)
        queue_open(self.office, TRUST_CHANNEL, content)

    def admit(self, name: str, role: Role, organisation: str, title: str) -> None:
        """Admit a participant."""
        if not is_participant_id(name):
            raise WithoutEffectError(f"{name} is no id: small letters, digits and hyphens, a letter first, 2 to 48 in all")
        self._say(ParticipantAdmitted(id=name, role=role, organisation=organisation, name=title))

    def remove(self, name: str) -> None:
        """Remove a participant; epochs and revocations of its channels and keys follow."""
        self._say(ParticipantRemoved(id=name))

    def publish_schemas(self) -> int:
        """Publish the schemas of this release that are not published yet, and return how many those are."""
        missing = [each for each in map(event_type, AUDIENCE) if each.schema not in self.office.trust.schemas]
        for each in missing:
            self._say(SchemaPublished(name=each.name, file=each.file))
        return len(missing)

    def revoke(self, key: Digest, reason: Reason) -> None:
        """Revoke a key, given as H(SubjectPublicKeyInfo)."""
        self._say(KeyRevoked(key=key, reason=reason))

    def open_epoch(self, channel: str, after_sequence: int, after_digest: Digest, certificate: Certificate) -> int:
        """Name the last good entry of a channel and who goes on; return the new epoch."""
        channel_kind(channel)
        epoch = len(self.office.trust.epochs.get(channel, ())) + 1
        self._say(
            EpochOpened(
                channel=channel,
                epoch=epoch,
                after_sequence=after_sequence,
                after_digest=after_digest,
                certificate=certificate.digest,
            )
        )
        return epoch

    def confirm(self) -> None:
        """Say that there is nothing new; weekly, so that silence can be noticed."""
        self._say(TrustConfirmed())

    def _say(self, content: OpenContent) -> None:
        # What would have no effect is refused here, where somebody can still mend it, not in the log for ever.
        trust = self.office.trust
        fault = _fault(content, set(trust.participants), self.office.root.digest)
        if fault:
            raise WithoutEffectError(fault)
        queue_open(self.office, TRUST_CHANNEL, content)


def _fault(content: OpenContent, known: set[str], root: Digest) -> str | None:
    if isinstance(content, ParticipantAdmitted) and content.id in known:
        return f"{content.id} is admitted already"
    if isinstance(content, ParticipantRemoved) and content.id not in known:
        return f"{content.id} is not admitted"
    if isinstance(content, (ParticipantRemoved, EpochOpened)):
        return None
    said = Said(
        sequence=1, event_id=Id(bytes(16)), body=body_digest(encode_open(content)), signer_key=digest_of(b""), content=content
    )
    faults = fold_trust([said], root).faults
    return faults[0].partition(": ")[2] if faults else None
