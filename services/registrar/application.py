"""The registrar's use cases: what it says in ``registrar.trust``. Each is queued, and signed and sent by its worker.

Decides who is on the exchange; that somebody is who they say is found out another way, before. What would have no effect is
refused, and what would stop somebody is refused unless it is said to be meant: nothing is ever taken back from the log.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.post.joining import require_names
from services.post.office import Office
from services.post.saving import queue_open, require_current, require_started
from services.registrar.foresight import Foresight
from services.wire.audience import AUDIENCE
from services.wire.certificates import Certificate
from services.wire.channels import TRUST_CHANNEL, ChannelKind, Role, channel_kind, is_participant_id
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
)
from services.wire.errors import MalformedError, RefusedError
from services.wire.hashing import Digest, genesis_digest
from services.wire.paths import Pathfinder
from services.wire.records import event_type

__all__ = ["Registrar", "StoppingError", "WithoutEffectError"]

_ADMITTED: Final = (Role.SCHOOL, Role.COMMISSION, Role.AUDITOR)
_SCHOOL_ID: Final = re.compile(r"school-[0-9]{10}")


class WithoutEffectError(RefusedError):
    """What was to be said would have no effect, or could never be made good; the message says why."""


class StoppingError(RefusedError):
    """What was to be said would stop somebody; the message says whom, and what to do first."""


@dataclass(frozen=True, slots=True)
class Registrar:
    """The acts of the registrar's operator."""

    office: Office

    @property
    def is_open(self) -> bool:
        """Tell whether ``registrar.trust`` is opened, or its opening waits for the worker."""
        return Foresight(self.office).is_open

    def open(self) -> None:
        """Open ``registrar.trust``: the first act of an exchange."""
        with self.office.database.transaction():
            if self.is_open:
                raise WithoutEffectError("registrar.trust is open already")
            path = self.office.signers.newest.path
            content = ChannelOpened(exchange=self.office.root.digest, writer=self.office.participant, certificates=path)
            queue_open(self.office, TRUST_CHANNEL, content)

    def admit(self, name: str, role: Role, organisation: str, title: str) -> None:
        """Admit a participant."""
        if not is_participant_id(name):
            raise WithoutEffectError(f"{name} is no id: small letters, digits and hyphens, a letter first, 2 to 48 in all")
        if role not in _ADMITTED:
            # An id is admitted once: under a role without channels it would be blocked for ever.
            raise WithoutEffectError("a participant is admitted as School, Commission or Auditor")
        if role is Role.SCHOOL and _SCHOOL_ID.fullmatch(name) is None:
            raise WithoutEffectError(f"{name} is no id of a school: school- and the ten digits of its number in the register")
        require_names(organisation, title)
        self._say(ParticipantAdmitted(id=name, role=role, organisation=organisation, name=title))

    def remove(self, name: str) -> None:
        """Remove a participant; epochs and revocations of its channels and keys follow."""
        self._say(ParticipantRemoved(id=name))

    def publish_schemas(self) -> int:
        """Publish the schemas of this release that are not published yet, and return how many those are."""
        with self.office.database.transaction():
            published = Foresight(self.office).trust().schemas
            missing = [each for each in map(event_type, AUDIENCE) if each.schema not in published]
            for each in missing:
                self._say(SchemaPublished(name=each.name, file=each.file))
        return len(missing)

    def revoke(self, certificate: Certificate, reason: Reason, *, although_current: bool = False) -> None:
        """Revoke the key of a certificate; ``although_current`` also where channels stand still by it until they are mended.

        Raises: WithoutEffectError, StoppingError.
        """
        foresight, key = Foresight(self.office), certificate.key_digest
        if reason is Reason.UNKNOWN:
            raise WithoutEffectError("a key is revoked as Superseded, Lost, Stolen or Left")
        if key in foresight.own_keys:
            raise WithoutEffectError("the registrar signs with this key: first rotate to another, and let the worker bring it in")
        if key in foresight.trust().revoked:
            raise WithoutEffectError("this key is revoked already")
        if not although_current:
            self._require_nobody_stops(certificate, reason)
        self._say(KeyRevoked(key=key, reason=reason))

    def open_epoch(
        self,
        channel: str,
        after_sequence: int,
        after_digest: Digest | None,
        path: Sequence[bytes],
        *,
        although_missing: bool = False,
    ) -> int:
        """Name the last good entry of a channel and the certificate that goes on (its path, leaf first); return the new epoch.

        ``after_digest`` None, with the sequence 0, is for no entry: the channel begins from nothing.

        ``although_missing`` also where the log does not show that entry: whoever holds it has to bring it back.
        Raises: WithoutEffectError, StoppingError.
        """
        try:
            kind = channel_kind(channel)
        except MalformedError as error:
            raise WithoutEffectError(f"{channel}: {error.message}") from None
        if kind is ChannelKind.TRUST:
            raise WithoutEffectError("registrar.trust has no epochs: a stolen registrar key has no cure but a new root")
        if after_sequence < 0:
            raise WithoutEffectError("the last good entry has a sequence of 1 or more; 0 is for none, after the genesis value")
        if (after_digest is None) != (after_sequence == 0):
            raise WithoutEffectError("write `0 genesis` where no entry is good, else the sequence of the last one and its digest")
        foresight = Foresight(self.office)
        epoch = len(foresight.trust().epochs.get(channel, ())) + 1
        content = EpochOpened(
            channel=channel,
            epoch=epoch,
            after_sequence=after_sequence,
            after_digest=after_digest or genesis_digest(self.office.root.digest, channel),
            certificate=self._leaf(channel, path).digest,
        )
        fault = foresight.fault(content)
        if fault:
            raise WithoutEffectError(fault)
        if after_sequence > 0:
            self._require_last_good(content, although_missing=although_missing)
        self._say(content)
        return epoch

    def confirm(self) -> None:
        """Say that there is nothing new; weekly, so that silence can be noticed."""
        self._say(TrustConfirmed())

    def _require_nobody_stops(self, certificate: Certificate, reason: Reason) -> None:
        stopped = Foresight(self.office).stopped_by_revoking(certificate)
        if not stopped:
            return
        # What was signed under a revoked key counts only where a newer key or an epoch vouches for it.
        if reason is Reason.SUPERSEDED:
            first = "first let its owner's worker bring the new key into every channel, or open epochs"
        else:
            first = "first open an epoch of each"
        raise StoppingError(
            f"this key is still current in {', '.join(stopped)}, and they would stand still: {first} (or say --although-current)"
        )

    def _leaf(self, channel: str, path: Sequence[bytes]) -> Certificate:
        trust = Foresight(self.office).trust()
        if trust.writer_of(channel) is None:
            raise WithoutEffectError(f"nobody who is admitted writes {channel}")
        leaf = Pathfinder(channel=channel, root=self.office.root, trust=trust).leaf(path)
        if leaf is None:
            raise WithoutEffectError(
                f"this certificate may not write {channel}: it is another organisation's, or not of this root"
            )
        if leaf.key_digest in trust.revoked:
            raise WithoutEffectError("the key of this certificate is revoked: nobody could go on with it")
        return leaf

    def _require_last_good(self, epoch: EpochOpened, *, although_missing: bool) -> None:
        sequence, follows = Foresight(self.office).places_of(epoch.channel, epoch.after_digest)
        if sequence is not None and sequence != epoch.after_sequence:
            raise WithoutEffectError(f"the entry of this digest stands at {sequence}, not at {epoch.after_sequence}")
        if not follows and not although_missing:
            # Until somebody brings that entry back, nothing of the channel is taken at all.
            raise StoppingError(
                f"the log does not show this entry of {epoch.channel}, or not all before it: the channel would stand still."
                " If an entry is lost for good, name the one before it (or say --although-missing)"
            )

    def _say(self, content: OpenContent) -> None:
        # What would have no effect is refused here, where somebody can still mend it, not in the log for ever.
        require_current(self.office)
        with self.office.database.transaction():
            require_started(self.office)
            fault = Foresight(self.office).fault(content)
            if fault:
                raise WithoutEffectError(fault)
            queue_open(self.office, TRUST_CHANNEL, content)
