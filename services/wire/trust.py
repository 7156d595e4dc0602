"""Trust: what the registrar's channel, read to its end, says about participants, schemas, keys and epochs.

A pure fold over contents that ``reading`` took from ``registrar.trust``, in their order. It decides which of them have an
effect; one that has none stays in the log, is named in ``faults`` and alarms a person. Nobody else's word counts here.
Source: schemas/README.md, "Trust".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from services.wire.channels import (
    COMMISSION,
    REGISTRAR,
    TRUST_CHANNEL,
    ChannelKind,
    Role,
    channel_kind,
    is_participant_id,
    school_of,
    writer_of,
)
from services.wire.contents import (
    EpochOpened,
    KeyRevoked,
    OpenContent,
    ParticipantAdmitted,
    ParticipantRemoved,
    Reason,
    SchemaPublished,
)
from services.wire.errors import MalformedError, SchemaError
from services.wire.foreign_schema import check_schema
from services.wire.hashing import Digest, Id, digest_of, genesis_digest

__all__ = ["NO_TRUST", "Participant", "Said", "Trust", "fold_trust", "revoked_by"]

_PREFIXES: Final = {Role.SCHOOL: "school-", Role.AUDITOR: "auditor-"}
_NAMES: Final = {Role.COMMISSION: COMMISSION, Role.REGISTRAR: REGISTRAR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """An organisation that was admitted; ``admitted`` is the body digest of its admission."""

    id: str
    role: Role
    organisation: str
    name: str
    admitted: Digest
    removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One taken entry of ``registrar.trust``: its content (None: unknown type or wrong content) and who signed it."""

    sequence: int
    event_id: Id
    body: Digest
    signer_key: Digest
    content: OpenContent | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What is trusted, after ``sequence`` entries. ``epochs`` are those with an effect, a channel's in their order."""

    sequence: int = 0
    participants: Mapping[str, Participant] = field(default_factory=lambda: MappingProxyType({}))
    schemas: Mapping[Digest, bytes] = field(default_factory=lambda: MappingProxyType({}))
    revoked: Mapping[Digest, Reason] = field(default_factory=lambda: MappingProxyType({}))
    epochs: Mapping[str, tuple[EpochOpened, ...]] = field(default_factory=lambda: MappingProxyType({}))
    faults: tuple[str, ...] = ()

    def writer_of(self, channel: str) -> Participant | None:
        """Return who may write a channel, None if nobody admitted may: unknown, or admitted as something else.

        A removed participant keeps what it wrote: epochs and revocations end its channels, not its removal.
        """
        kind = channel_kind(channel)
        writer = self.participants.get(writer_of(channel))
        if writer is None or kind is ChannelKind.TRUST:
            return None
        if kind is ChannelKind.RECORD:
            return writer if writer.role in (Role.SCHOOL, Role.COMMISSION, Role.AUDITOR) else None
        school = self.participants.get(school_of(channel))
        if school is None or school.role is not Role.SCHOOL:
            return None
        expected = Role.SCHOOL if kind is ChannelKind.TO_COMMISSION else Role.COMMISSION
        return writer if writer.role is expected else None

    def of_role(self, role: Role) -> tuple[str, ...]:
        """Return the ids of the participants of a role that are still there."""
        return tuple(each.id for each in self.participants.values() if each.role is role and not each.removed)


NO_TRUST: Final = Trust()


def fold_trust(said: Iterable[Said], root: Digest) -> Trust:
    """Return what is trusted after these entries of ``registrar.trust``; ``root`` is H of the root certificate."""
    building = _Building(root)
    sequence = 0
    for each in said:
        sequence = each.sequence
        fault = building.take(each)
        if fault:
            building.faults.append(f"{TRUST_CHANNEL} at {each.sequence}: {fault}")
    return Trust(
        sequence=sequence,
        participants=MappingProxyType(building.participants),
        schemas=MappingProxyType(building.schemas),
        revoked=MappingProxyType(building.revoked),
        epochs=MappingProxyType({channel: tuple(epochs) for channel, epochs in building.epochs.items()}),
        faults=tuple(building.faults),
    )


def revoked_by(content: OpenContent | None, signer_key: Digest) -> Digest | None:
    """Return the key that an entry of ``registrar.trust`` revokes, None if it revokes none.

    The registrar cannot revoke the key it signs with: that entry would vouch against itself.
    """
    return content.key if isinstance(content, KeyRevoked) and content.key != signer_key else None


class _Building:
    def __init__(self, root: Digest) -> None:
        self.root = root
        self.participants: dict[str, Participant] = {}
        self.schemas: dict[Digest, bytes] = {}
        self.revoked: dict[Digest, Reason] = {}
        self.epochs: dict[str, list[EpochOpened]] = {}
        self.faults: list[str] = []
        self.bodies: dict[Id, Digest] = {}

    def take(self, said: Said) -> str | None:
        """Let one entry take effect, or return why it has none."""
        first = self.bodies.get(said.event_id)
        if first is not None:
            # What was said already is entered and nothing more; two events under one id are one too many.
            return None if first == said.body else "an event id that stands for another event already"
        self.bodies[said.event_id] = said.body
        return self._take(said)

    def _take(self, said: Said) -> str | None:
        match said.content:
            case ParticipantAdmitted() as content:
                return self._admit(content, said.body)
            case ParticipantRemoved() as content:
                return self._remove(content)
            case SchemaPublished() as content:
                return self._publish(content)
            case KeyRevoked() as content:
                return self._revoke(content, said.signer_key)
            case EpochOpened() as content:
                return self._open_epoch(content)
            case _:
                return None

    def _admit(self, content: ParticipantAdmitted, body: Digest) -> str | None:
        if not is_participant_id(content.id):
            return "an id that no participant can have"
        # A second admission could give a channel to another organisation.
        if content.id in self.participants:
            return f"{content.id} is admitted already"
        fixed = _NAMES.get(content.role)
        # Channels follow from roles and names; a school called "commission" would write the commission's channels.
        if (fixed and content.id != fixed) or (not fixed and content.id in _NAMES.values()):
            return f"{content.id} is no id for this role"
        if not content.id.startswith(_PREFIXES.get(content.role, "")):
            return f"{content.id} is no id for this role"
        self.participants[content.id] = Participant(
            id=content.id, role=content.role, organisation=content.organisation, name=content.name, admitted=body
        )
        return None

    def _remove(self, content: ParticipantRemoved) -> str | None:
        found = self.participants.get(content.id)
        if found is None or found.removed:
            return "nobody of this id is here to be removed"
        self.participants[content.id] = Participant(
            id=found.id,
            role=found.role,
            organisation=found.organisation,
            name=found.name,
            admitted=found.admitted,
            removed=True,
        )
        return None

    def _publish(self, content: SchemaPublished) -> str | None:
        try:
            check_schema(content.file)
        except SchemaError as error:
            return error.message
        self.schemas[digest_of(content.file)] = content.file
        return None

    def _revoke(self, content: KeyRevoked, signer_key: Digest) -> str | None:
        if revoked_by(content, signer_key) is None:
            return "the registrar cannot revoke the key it signs with"
        self.revoked.setdefault(content.key, content.reason)
        return None

    def _open_epoch(self, content: EpochOpened) -> str | None:
        try:
            trust = channel_kind(content.channel) is ChannelKind.TRUST
        except MalformedError as error:
            return error.message
        if trust:
            return "the trust channel has no epochs"
        before = self.epochs.get(content.channel, [])
        if content.epoch != len(before) + 1:
            return f"the next epoch of {content.channel} is {len(before) + 1}"
        if content.after_sequence == 0 and content.after_digest != genesis_digest(self.root, content.channel):
            return "an epoch after nothing begins at the genesis value"
        self.epochs.setdefault(content.channel, []).append(content)
        return None
