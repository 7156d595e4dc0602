"""Foresight: what would become of something that the registrar is about to say.

Judges by everything that stands in ``registrar.trust``, everything that waits to be signed, and what the log shows of the
channels it touches: in the log for ever stands only what has an effect, and nobody is stopped by an oversight.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from services.post.office import Office
from services.post.signing import signer_in
from services.wire.avro import decode, load_schema
from services.wire.candidates import Candidate, candidate_of, gather, gather_found
from services.wire.certificates import Certificate
from services.wire.channels import TRUST_CHANNEL, Role, channels_of
from services.wire.contents import ChannelOpened, OpenContent, Reason, decode_open, encode_open
from services.wire.entry import Open, body_digest
from services.wire.hashing import Digest, Id, digest_of
from services.wire.paths import Pathfinder
from services.wire.reading import judge, said
from services.wire.trust import NO_TRUST, Said, Trust, fold_trust

__all__ = ["Foresight"]

_READ_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Foresight:
    """What is said and queued, and what the log shows, of one office."""

    office: Office

    @property
    def is_open(self) -> bool:
        """Tell whether ``registrar.trust`` is opened, or will be by what is queued."""
        return self.office.letterbook.standing(TRUST_CHANNEL) is not None or any(
            isinstance(each.content, ChannelOpened) for each in self._said()
        )

    @property
    def own_keys(self) -> tuple[Digest, ...]:
        """The keys under which what is queued may be signed: the current one, and the one that it is rotated to."""
        current = signer_in(self.office, TRUST_CHANNEL)
        signers = [self.office.signers.newest, *([current] if current else [])]
        return tuple(each.certificate.key_digest for each in signers)

    def trust(self) -> Trust:
        """Return what is trusted once all that is queued is said."""
        return fold_trust(self._said(), self.office.root.digest)

    def fault(self, content: OpenContent) -> str | None:
        """Return why saying this next would have no effect, None if it has one."""
        before = self._said()
        body = body_digest(encode_open(content))
        # No event has had this id: sixteen bytes that nobody else draws.
        event_id = Id(self.office.random(16))
        sequence = before[-1].sequence + 1 if before else 1
        new = Said(sequence=sequence, event_id=event_id, body=body, signer_key=self._signer_key(), content=content)
        mine = f"{TRUST_CHANNEL} at {sequence}: "
        faults = fold_trust([*before, new], self.office.root.digest).faults
        return next((each.removeprefix(mine) for each in faults if each.startswith(mine)), None)

    def places_of(self, channel: str, digest: Digest) -> tuple[int | None, bool]:
        """Return the sequence of an entry that the log shows, None if it shows none, and whether it follows from the first."""
        candidates = self._candidates(channel)
        found = candidates.get(digest)
        if found is None:
            return None, False
        reading = judge(self._pathfinder(channel, self.trust()), candidates)
        follows = digest in reading.branches or any(step.entry.digest == digest for step in reading.steps)
        return found.sequence, follows

    def stopped_by_revoking(self, certificate: Certificate) -> tuple[str, ...]:
        """Return the channels of a certificate's organisation that would stand still if its key were revoked now."""
        trust = self.trust()
        revoked = MappingProxyType({**trust.revoked, certificate.key_digest: Reason.UNKNOWN})
        return tuple(
            channel
            for channel in _channels(trust, certificate.organisation)
            if self._loses(channel, trust, replace(trust, revoked=revoked))
        )

    def _loses(self, channel: str, before: Trust, after: Trust) -> bool:
        candidates, finder = self._candidates(channel), self._pathfinder(channel, before)
        return len(judge(finder.under(after), candidates).steps) < len(judge(finder, candidates).steps)

    def _pathfinder(self, channel: str, trust: Trust) -> Pathfinder:
        return Pathfinder(channel=channel, root=self.office.root, trust=trust)

    def _candidates(self, channel: str) -> dict[Digest, Candidate]:
        looked_at = (candidate_of(record, channel) for record in self._records(channel))
        found, _ = gather_found(each.without_parts() if isinstance(each, Candidate) else each for each in looked_at)
        return found

    def _records(self, channel: str) -> Iterator[bytes]:
        position, log = 0, self.office.channel
        while log is not None and (page := log.poll({channel: position}, timeout_seconds=0, limit=_READ_AT_ONCE)):
            position = page[-1].position + 1
            yield from (record.value for record in page)

    def _said(self) -> list[Said]:
        office = self.office
        candidates, _ = gather(office.letterbook.records(TRUST_CHANNEL), TRUST_CHANNEL)
        finder = Pathfinder(channel=TRUST_CHANNEL, root=office.root, trust=NO_TRUST)
        everything = [said(step) for step in judge(finder, candidates).steps]
        rows = office.database.all("SELECT event_id, body FROM outgoing WHERE channel = ? ORDER BY id", TRUST_CHANNEL)
        first = everything[-1].sequence + 1 if everything else 1
        signer_key = self._signer_key()
        for sequence, row in enumerate(rows, start=first):
            body = decode(load_schema("wire/Open.avsc"), row["body"])
            content = decode_open(Open(type=body["type"], content=body["content"]))
            everything.append(
                Said(
                    sequence=sequence,
                    event_id=Id(row["event_id"]),
                    body=digest_of(row["body"]),
                    signer_key=signer_key,
                    content=content,
                )
            )
        return everything

    def _signer_key(self) -> Digest:
        # In a process that acts only nobody knows. Only the revocation of one's own key goes by it, and none is ever queued.
        return self.own_keys[-1] if self.office.signing is not None else Digest(bytes(32))


def _channels(trust: Trust, organisation: str) -> Iterator[str]:
    schools = tuple(each.id for each in trust.participants.values() if each.role is Role.SCHOOL)
    for each in trust.participants.values():
        if each.organisation == organisation and each.role is not Role.REGISTRAR:
            yield from channels_of(each.id, each.role, schools)
