"""What holds of the auditor after quiet: what it opens and what it cannot, what it vouches for, and what it finds.

Who let it in is read from the writers' records in the log, never from what the product made of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from services.audit.heads import ChannelHead, checkpoint_of
from services.audit.log_ledger import LogLedger
from services.audit.proof_files import encode_proof
from services.audit.proofs import check_proof
from services.audit.proving import NotProvableError, prove
from services.audit.tree import leaf_hash, root_of
from services.auditor.application import Auditor
from services.auditor.kept import Kept
from services.auditor.vouching import heads_in
from services.post.access import let_in
from services.post.office import Office, day_of
from services.wire.candidates import Candidate, candidate_of
from services.wire.channels import COMMISSION, TRUST_CHANNEL, channels_of, mailbox_of, record_of, writer_of
from services.wire.contents import Checkpoint, decode_facts, decode_open, decode_personal
from services.wire.entry import Open, Sealed, VerifiedEntry
from services.wire.errors import SealError, VerificationError
from services.wire.events import AccessEnded, AccessGranted, AccessScope
from services.wire.grants import KeyUse, decode_grant, open_grant
from services.wire.sealing import Part, open_part
from tests.auditing import everything_held
from tests.chains import ROOT
from tests.simulation.auditing import ask_for_keys, verify_again
from tests.simulation.invariants import Channels, require
from tests.simulation.quiet import quiet
from tests.simulation.world import AUDITOR, SCHOOLS, World
from tests.verifying import comparable

__all__ = ["bring_keys", "check_auditor"]

_WRITERS: Final = (*SCHOOLS, COMMISSION)


def bring_keys(world: World) -> None:
    """Let the auditor's people ask once more where they were let in and lack keys; and note who knows that it was removed.

    Raises: Broken if the exchange never comes to rest.
    """
    site = world.sites[AUDITOR]
    if site.worker is None:
        return
    lines = Auditor(site.worker.office).keys()
    missing = {writer_of(line.channel) for line in lines if line.missing}
    if any(AUDITOR in let_in(process.office) for name in missing & {*_WRITERS} if (process := world.sites[name].worker)):
        ask_for_keys(world)
        quiet(world)
    if Channels(world).trust.participants[AUDITOR].removed and world.removed_after is None:
        world.removed_after = len(world.kept)


def check_auditor(channels: Channels) -> None:
    """Check what the auditor holds, opens, lacks and vouches for.

    Raises: Broken.
    """
    site = channels.world.sites[AUDITOR]
    assert site.worker is not None
    judge = _Judge(channels, site.worker.office)
    judge.check_nothing_personal()
    judge.check_letters()
    judge.check_what_opens()
    judge.check_what_ended()
    judge.check_what_is_waited_for()
    judge.check_who_lacks_its_keys()
    judge.check_checkpoints()
    judge.check_proof()
    judge.check_verified_again()


@dataclass
class _Judge:
    channels: Channels
    office: Office

    @property
    def world(self) -> World:
        return self.channels.world

    @cached_property
    def keys(self) -> list[bytes]:
        return everything_held(self.office)

    def check_nothing_personal(self) -> None:
        """Nothing that is personal is kept here, and with all keys that are here none of it opens, taken or not (design.md 5)."""
        for table in ("cases", "people", "drafts"):
            require(not self.office.database.all(f"SELECT 1 FROM {table}"), f"{AUDITOR} keeps {table}")  # noqa: S608  # own names
        query = "SELECT 1 FROM parts p WHERE NOT EXISTS (SELECT 1 FROM entries e WHERE e.own = 1 AND e.personal = p.digest)"
        require(not self.office.database.all(query), f"{AUDITOR} keeps what is personal of others")
        uses = {row.key_use for row in self.office.ring.rows() if row.channel not in self.office.own_channels}
        require(uses <= {"FACTS", "ENCRYPTION"}, f"{AUDITOR} holds keys for {uses}")
        for channel in self.channels.readings:
            if channel in self.office.own_channels:
                continue
            for entry in _sealed(self.world, channel):
                opened = self._opened(entry, Part.PERSONAL)
                # The facts key opens the personal part of what belongs to no case: nothing may stand in that.
                is_empty = opened is None or decode_personal(opened).content == b""
                require(is_empty, f"{AUDITOR} opens what is personal in {channel} at {entry.unverified_statement.sequence}")

    def check_letters(self) -> None:
        """No letter to it carries a key of anything but facts."""
        keys = self.office.ring.encryption_keys()
        for letter in self.world.log.records(mailbox_of(AUDITOR)):
            for channel, reading in self.channels.readings.items():
                certificate = reading.place.certificate
                try:
                    grant = decode_grant(letter)
                    assert certificate is not None
                    if grant.header.channel != channel:
                        continue
                    granted = open_grant(grant, certificate.public_key, recipient=AUDITOR, keys=keys)
                except VerificationError:
                    continue
                require(granted.use is KeyUse.FACTS, f"{AUDITOR} was sent a key of {granted.use.value} of {channel}")

    def check_what_opens(self) -> None:
        """Who let it in is read whole; who never did, not at all."""
        removed = self.channels.trust.participants[AUDITOR].removed
        for name in _WRITERS:
            entries = [entry for each in self._channels_of(name) for entry in self.channels.sealed(each)]
            closed = [entry for entry in entries if not self._opens(entry)]
            decided = list(self._decided(name))
            last = decided[-1] if decided else None
            holds = isinstance(last, AccessGranted) and (last.until is None or day_of(self.world.clock) <= last.until)
            if holds and not removed:
                lost = [each for each in closed if not _opens_to_its_writer(self.world, name, each)]
                where = [(each.statement.channel, each.statement.sequence) for each in closed if each not in lost]
                require(not where, f"{AUDITOR} was let in by {name}, and does not open {where[:5]}")
                self.world.happened_in_life("facts that an auditor opens", len(entries))
            if not decided and name not in self._let_in_last:
                require(len(closed) == len(entries), f"{AUDITOR} opens facts of {name}, who never let it in")
                self.world.happened_in_life("facts that nobody let an auditor open", len(entries))

    def check_what_ended(self) -> None:
        """What was saved after its access had ended for good, or when all knew that it was removed, does not open."""
        channels = [channel for name in _WRITERS for channel in self._channels_of(name)]
        where = {entry.body_digest: entry for channel in channels for entry in self.channels.sealed(channel)}
        ended: set[str] = set()
        for number, kept in enumerate(self.world.kept):
            is_lost = kept.event.body in self.world.excused
            is_removed = self.world.removed_after is not None and number >= self.world.removed_after
            entry = where.get(kept.event.body)
            if entry is not None and (kept.site in ended or is_removed):
                what = f"{kept.event.type} of {kept.site} at {entry.statement.channel}/{entry.statement.sequence}"
                require(not self._opens(entry), f"{AUDITOR} opens {what}, after its access had ended")
                self.world.happened_in_life("facts closed after an auditor's access had ended")
            if kept.event.type == AccessEnded.__name__ and not is_lost and number > self._let_in_last.get(kept.site, -1):
                ended.add(kept.site)

    def check_what_is_waited_for(self) -> None:
        """Nobody waits for a facts key that nothing is sealed under: a thief's would be asked for as long as there is a log."""
        query = "SELECT channel, digest FROM held WHERE kind = 'key' AND resolved_at IS NULL"
        for name, site in self.world.sites.items():
            for channel, key in site.worker.office.database.all(query) if site.worker is not None else ():
                needed = any(entry.statement.body.facts_key == key for entry in self.channels.sealed(channel))  # type: ignore[union-attr]  # a sealed body
                require(needed, f"{name} waits for a key of {channel} under which nothing is sealed")

    def check_who_lacks_its_keys(self) -> None:
        """Nobody lacks a key of its record for good: what was lost with its letter is asked for, and comes again."""
        record = record_of(AUDITOR)
        for name in _WRITERS:
            process = self.world.sites[name].worker
            assert process is not None
            query = "SELECT 1 FROM held WHERE kind = 'key' AND channel = ? AND resolved_at IS NULL"
            lacking = process.office.database.all(query, record)
            require(not lacking, f"{name} lacks {len(lacking)} keys of {record}")

    def check_checkpoints(self) -> None:
        """Each checkpoint in its record is over what the log shows, or what an epoch has overruled since."""
        rows = {row["event_id"]: row for row in self.office.database.all("SELECT * FROM checkpoints")}
        for entry in self.channels.taken(record_of(AUDITOR)):
            body = entry.statement.body
            content = decode_open(body) if isinstance(body, Open) else None
            row = rows.get(entry.statement.event_id)
            if not isinstance(content, Checkpoint) or row is None:
                continue
            heads = heads_in(row)
            name = f"the checkpoint at {entry.statement.sequence}"
            require(checkpoint_of(heads) == content, f"{name} is not over the heads that are kept")
            wrong = [head for head in heads if not self._stands(head) and not self._is_overruled(head)]
            require(not wrong, f"{name} is over what does not stand in the log: {wrong}")
            self.world.happened_in_life("a checkpoint that the log bears out")

    def check_proof(self) -> None:
        """An entry under the newest checkpoint is proved to a stranger, and the log alone gives the same proof."""
        kept = Kept(self.office)
        try:
            newest = kept.newest()
        except NotProvableError:
            # Its checkpoints were lost with its database.
            return
        head = self.world.rng.choice([each for each in newest.heads if self._stands(each)])
        name = f"{head.channel}/{self.world.rng.randint(1, head.size)}"
        proof = encode_proof(prove(kept, name))
        require(check_proof(proof, ROOT).by.auditor == AUDITOR, f"the proof of {name} is not the auditor's")
        self.world.happened_in_life("an entry proved under a checkpoint")
        examined = self.channels.examined
        ledger = LogLedger(self.world.log.real, examined, AUDITOR)
        try:
            if ledger.newest().entry.statement != newest.entry.statement:
                return
        except NotProvableError:
            return
        require(encode_proof(prove(ledger, name)) == proof, f"the log gives another proof of {name} than the auditor")
        self.world.happened_in_life("an entry proved from the log alone")

    def check_verified_again(self) -> None:
        """Whoever remembers what it verified amid the faults says the same as who reads all of it now, and misses nothing."""
        again = verify_again(self.world)
        assert again is not None
        for each in again.report.channels:
            # What epochs have put aside since: whoever reads all of it now has never seen it taken.
            each.notes = [note for note in each.notes if not note.startswith("what was seen before at ")]
        mine, other = comparable(again.report), comparable(self.channels.examined.report)
        require(mine == other, f"{AUDITOR} verifies again, and says {mine}, where all that is there says {other}")

    def _stands(self, head: ChannelHead) -> bool:
        digests = [each.digest for each in self.channels.taken(head.channel)[: head.size]]
        return len(digests) == head.size and root_of(map(leaf_hash, digests)) == head.root

    def _is_overruled(self, head: ChannelHead) -> bool:
        """Tell whether an epoch has overruled something up to a head since: what came too late for it, or a thief's branch.

        Where a thief made it hopeless nothing is known.
        """
        if self.channels.is_hopeless and head.channel == TRUST_CHANNEL:
            return True
        later = self.channels.trust.epochs.get(head.channel, ())[head.epoch :]
        is_stolen = any(channel == head.channel for channel, _ in self.world.thefts)
        return any(is_stolen or each.after_sequence < head.size for each in later)

    @cached_property
    def _let_in_last(self) -> dict[str, int]:
        """By whom it was ever let in, and when last; who lets it in once more lets it read also what was sealed meanwhile."""
        granted = AccessGranted.__name__
        return {each.site: number for number, each in enumerate(self.world.kept) if each.event.type == granted}

    def _channels_of(self, name: str) -> Sequence[str]:
        return channels_of(name, self.world.roles[name], SCHOOLS)

    def _decided(self, name: str) -> Iterator[Any]:  # what was said
        """Yield what a participant said of access to all facts, in the order of its record."""
        process = self.world.sites[name].worker
        assert process is not None
        office, admitted = process.office, self.channels.trust.participants[AUDITOR].admitted
        for entry in self.channels.sealed(record_of(name)):
            body = entry.statement.body
            assert isinstance(body, Sealed)
            key = office.ring.get(body.facts_key)
            plain = _opened_by([key.key] if key is not None else [], entry.statement, entry.facts, Part.FACTS)
            if plain is None:
                continue
            frame = decode_facts(plain)
            said = office.book.facts(frame.type, frame.schema, frame.content)
            if isinstance(said, AccessGranted | AccessEnded) and said.scope is AccessScope.FACTS and said.auditor == admitted:
                yield said

    def _opens(self, entry: VerifiedEntry) -> bool:
        plain = _opened_by(self.keys, entry.statement, entry.facts, Part.FACTS)
        return plain is not None and bool(decode_facts(plain).type)

    def _opened(self, entry: Candidate, part: Part) -> bytes | None:
        sealed = entry.facts if part is Part.FACTS else entry.personal
        return _opened_by(self.keys, entry.unverified_statement, sealed, part)


def _sealed(world: World, channel: str) -> Iterator[Candidate]:
    for record in world.log.records(channel):
        found = candidate_of(record, channel)
        if isinstance(found, Candidate) and found.is_sealed:
            yield found


def _opened_by(keys: Sequence[bytes], statement: Any, sealed: bytes | None, part: Part) -> bytes | None:
    for key in keys if sealed is not None else ():
        try:
            return open_part(key, part, sealed or b"", channel=statement.channel, event_id=statement.event_id)
        except SealError:
            continue
    return None


def _opens_to_its_writer(world: World, name: str, entry: VerifiedEntry) -> bool:
    process, body = world.sites[name].worker, entry.statement.body
    assert process is not None
    assert isinstance(body, Sealed)
    return process.office.ring.get(body.facts_key) is not None
