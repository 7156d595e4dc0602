"""Mandates: one case, or some events of it, disclosed to one auditor by the keys of single parts, for a purpose and up to a day.

A mandate is an event of its case in my own record, which names each part by its digest; the file with the keys follows from it
and can be made again while it lasts. It ends by its day, by a person, or with the auditor; an end is an event too, recorded once.
What was disclosed was disclosed: an end binds the auditor's program, and no key comes back.
Source: design.md sections 5 and 7; docs/adr/0038-keys-of-single-parts.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from services.post.access import Decision, decisions_of
from services.post.admitted import admitted_auditor
from services.post.cases import open_facts
from services.post.history import New, Recorded, Standing
from services.post.office import Office
from services.post.opening import require_case
from services.post.saving import NotReadyError, Saved, act
from services.post.store import SealedEvent
from services.wire.channels import record_of, writer_of
from services.wire.contents import Facts
from services.wire.disclosures import KEYS_LIMIT, SEALED_LIMIT_BYTES, DisclosedKey, DisclosureHeader, make_disclosure
from services.wire.errors import RefusedError, RingError, VerificationError
from services.wire.events import AccessEnded, AccessGranted, AccessPurpose, AccessScope
from services.wire.grants import prekey_id
from services.wire.hashing import Digest, digest_of
from services.wire.records import event_type
from services.wire.sealing import SALT_BYTES, Part, open_with_part_key, part_key

__all__ = ["Mandate", "Terms", "disclose", "end", "end_file", "is_over", "mandate_file", "mandate_named", "mandates_of"]

_TOPICS: Final = (AccessGranted.__name__, AccessEnded.__name__)
_EPOCH: Final = date(1970, 1, 1)
_LONGEST: Final = timedelta(days=366)
_LEAST_DIGITS: Final = 8


class MandateRefusedError(RefusedError):
    """A mandate cannot be given, or there is none such."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a mandate says: what for, the last day, whether it has what is personal, and of which types of events (none: all)."""

    purpose: AccessPurpose
    until: date
    with_personal: bool = False
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """A mandate of mine: its event, H of whose sealed facts is its name, the case, what it says, and the day of its end."""

    name: Digest
    event: SealedEvent
    auditor: Digest
    purpose: AccessPurpose
    granted_on: date
    until: date
    parts: tuple[Digest, ...]
    ended_on: date | None = None

    @property
    def case_id(self) -> UUID:
        """The case that it belongs to."""
        return self.event.originator_id


def disclose(office: Office, case_id: UUID, auditor: str, terms: Terms) -> Mandate:
    """Give an auditor a mandate for what I wrote in a case, as far as it can be opened; ``mandate_file`` makes the file of it.

    Raises: CaseMissingError; RefusedError if there is no such auditor, it was refused, the last day is over or too far, or
    nothing of this case is meant; NotReadyError while the auditor's encryption key is not known here; what ``act`` raises.
    """
    require_case(office, case_id)
    admission = admitted_auditor(office, auditor).admitted
    _public_key(office, auditor)

    def decide(history: Sequence[Recorded]) -> Sequence[New]:
        # In the transaction that records it: whoever refuses the auditor at this moment is before or after.
        _require_terms(office, auditor, admission, terms)
        meant = list(_parts_meant(office, case_id, history, terms))
        parts = tuple(digest for digest, _ in meant)
        if not parts:
            raise MandateRefusedError(
                "Nothing that was written here in this case is meant, or can be opened: there is nothing to disclose."
            )
        if len(parts) > KEYS_LIMIT:
            told = (
                f"These are {len(parts)} parts, and one mandate names {KEYS_LIMIT} at most: give several, each with some --type."
            )
            raise MandateRefusedError(told)
        if sum(size for _, size in meant) > SEALED_LIMIT_BYTES:
            raise MandateRefusedError(
                "What is personal in this is too large for one file: give several mandates, each with some --type."
            )
        granted = AccessGranted(auditor=admission, scope=AccessScope.PART, purpose=terms.purpose, until=terms.until, parts=parts)
        return [New(facts=granted)]

    [saved] = act(office, case_id, decide, school=_school_of(office, case_id))
    return next(each for each in mandates_of(office) if digest_of(each.event.body) == saved.body)


def mandate_file(office: Office, mandate: Mandate) -> bytes:
    """Return the file for the auditor of a mandate, sealed to its newest encryption key; what was erased since is left out.

    Raises: RefusedError if the mandate has ended or its day is over; NotReadyError; SealError if a part was damaged on the disk.
    """
    if is_over(office, mandate):
        raise MandateRefusedError("This mandate has ended: nothing is disclosed under it any more.")
    meant = set(mandate.parts)
    events = office.store.stream(mandate.case_id).events
    keys = [key for event in events for digest, key in _keys_of(office, event) if digest in meant]
    return _file(office, mandate, [*_facts_key(office, mandate.event), *keys])


def end(office: Office, mandate: Mandate) -> tuple[Saved, ...]:
    """Record that a mandate has ended; nothing if that is recorded already. Raises: what ``act`` raises."""

    def decide(history: Sequence[Recorded]) -> Sequence[New]:
        # Of several who end it, and of a timer that fires once more after a restart, one does. What does not open may be its end.
        ended = any(
            each.own and each.type == AccessEnded.__name__ and (each.facts is None or each.facts.grant == mandate.name)
            for each in history
        )
        return [] if ended else [New(facts=AccessEnded(auditor=mandate.auditor, scope=AccessScope.PART, grant=mandate.name))]

    return act(office, mandate.case_id, decide, school=_school_of(office, mandate.case_id))


def end_file(office: Office, mandate: Mandate) -> bytes:
    """Return a file that tells the auditor that a mandate has ended, for one who holds no key that opens my record.

    Raises: RefusedError if it has not ended; NotReadyError.
    """
    for event in office.store.stream(mandate.case_id).events:
        _, said = _opened(office, event) or (None, None)
        if isinstance(said, AccessEnded) and said.grant == mandate.name:
            return _file(office, mandate, [*_facts_key(office, mandate.event), *_facts_key(office, event)])
    raise MandateRefusedError("This mandate has not ended.")


def mandates_of(office: Office) -> list[Mandate]:
    """Return all mandates that were ever given here, as my own events say, by the day they were recorded on."""
    found: dict[Digest, Mandate] = {}
    ended: dict[Digest, date] = {}
    for event in office.store.of_topics(None, _TOPICS, channel=record_of(office.participant)):
        opened = _opened(office, event)
        if opened is None:
            continue
        frame, content = opened
        on = _EPOCH + timedelta(days=frame.recorded_on)
        if content.scope is not AccessScope.PART:
            continue
        if isinstance(content, AccessGranted):
            mandate = _mandate(event, content, on)
            found |= {mandate.name: mandate} if mandate is not None else {}
        elif content.grant is not None:
            ended.setdefault(content.grant, on)
    told = [replace(each, ended_on=ended.get(name)) for name, each in found.items()]
    return sorted(told, key=lambda each: (each.granted_on, each.name))


def mandate_named(office: Office, text: str) -> Mandate:
    """Return the mandate whose digest begins as a person wrote it. Raises: RefusedError if there is none, or several."""
    found = [each for each in mandates_of(office) if len(text) >= _LEAST_DIGITS and each.name.hex().startswith(text.lower())]
    if len(found) != 1:
        raise MandateRefusedError("No mandate begins so, or several do: give eight or more digits of it, as `mandates` lists it.")
    return found[0]


def is_over(office: Office, mandate: Mandate) -> bool:
    """Tell whether a mandate has ended, or its last day is over by the clock."""
    return mandate.ended_on is not None or mandate.until < office.today


def _require_terms(office: Office, auditor: str, admission: Digest, terms: Terms) -> None:
    decided = decisions_of(office).get(admission)
    if decided is not None and decided.decision is Decision.REFUSED:
        raise MandateRefusedError(f"{auditor} was refused here: whoever is refused is shown nothing, also no single case.")
    if not office.today <= terms.until <= office.today + _LONGEST:
        raise MandateRefusedError(f"A mandate's last day lies between today and {office.today + _LONGEST}.")
    for each in terms.types:
        try:
            event_type(each)
        except VerificationError:
            raise MandateRefusedError("--type names no type of event; `show` lists those of a case.") from None


def _parts_meant(office: Office, case_id: UUID, history: Sequence[Recorded], terms: Terms) -> Iterator[tuple[Digest, int]]:
    """Yield the digests of the parts that are meant, each with how much of a file its sealed part takes."""
    events = office.store.stream(case_id).events
    for event, recorded in zip(events, history, strict=True):
        # What the counterpart wrote is its to disclose; and who was shown what is no part of a case.
        is_meant = recorded.own and recorded.standing is Standing.ACCEPTED and event.topic not in _TOPICS
        if is_meant and (not terms.types or event.topic in terms.types):
            found = _keys_of(office, event)
            yield from (
                (digest, len(key.sealed or b"")) for digest, key in found if key.part is Part.FACTS or terms.with_personal
            )


def _keys_of(office: Office, event: SealedEvent) -> Iterator[tuple[Digest, DisclosedKey]]:
    """Yield the keys of the parts of an own event, as far as they can be opened, each with the digest of its sealed part."""
    opened = _opened(office, event) if writer_of(event.channel) == office.participant else None
    if opened is None:
        return
    frame, _ = opened
    for key in _facts_key(office, event):
        yield event.sealed.facts, key
    # Where nothing is personal there is nothing to disclose, though such a part says who entered it.
    sealed = office.letterbook.part(event.sealed.personal) if event_type(event.topic).personal_class is not None else None
    key_of_case = office.ring.get(frame.personal_key) if frame.personal_key is not None else None
    if sealed is not None and key_of_case is not None:
        yield event.sealed.personal, _part_key(key_of_case.key, Part.PERSONAL, event, sealed)


def _facts_key(office: Office, event: SealedEvent) -> Iterator[DisclosedKey]:
    key = office.ring.get(event.sealed.facts_key)
    if key is not None and event.facts is not None:
        yield _part_key(key.key, Part.FACTS, event, event.facts)


def _part_key(key: bytes, part: Part, event: SealedEvent, sealed: bytes) -> DisclosedKey:
    opener = part_key(key, part, channel=event.channel, event_id=event.event_id, salt=sealed[:SALT_BYTES])
    # Whoever receives it can only say that it does not fit; here it shows which disk was wrong.
    open_with_part_key(opener, part, sealed)
    carried = sealed if part is Part.PERSONAL else None
    return DisclosedKey(channel=event.channel, event_id=event.event_id, part=part, key=opener, sealed=carried)


def _file(office: Office, mandate: Mandate, keys: Sequence[DisclosedKey]) -> bytes:
    auditor = next(each.id for each in office.trust.participants.values() if each.admitted == mandate.auditor)
    admitted_auditor(office, auditor)
    suite, public_key = _public_key(office, auditor)
    header = DisclosureHeader(
        mandate=mandate.name,
        channel=record_of(office.participant),
        recipient=auditor,
        prekey=prekey_id(suite, public_key),
    )
    return make_disclosure(header, keys, public_key=public_key)


def _public_key(office: Office, auditor: str) -> tuple[str, bytes]:
    row = office.database.one("SELECT suite, public_key FROM peers WHERE participant = ?", auditor)
    if row is None:
        raise NotReadyError(
            f"The encryption key of {auditor} is not known here yet: its worker publishes it, and the one here reads it."
        )
    return row["suite"], row["public_key"]


def _opened(office: Office, event: SealedEvent) -> tuple[Facts, Any] | None:
    """Return the facts of an event, None where they do not open here."""
    try:
        frame = open_facts(office, event.channel, event.event_id, event.sealed.facts_key, event.facts or b"")
        return None if frame is None else (frame, office.book.facts(frame.type, frame.schema, frame.content))
    except (RingError, VerificationError):
        return None


def _mandate(event: SealedEvent, content: AccessGranted, on: date) -> Mandate | None:
    if content.until is None:
        return None
    return Mandate(
        # Not by its body, which the next event of the case names to its reader, and auditors' records this name to all.
        name=event.sealed.facts,
        event=event,
        auditor=content.auditor,
        purpose=content.purpose,
        granted_on=on,
        until=content.until,
        parts=content.parts,
    )


def _school_of(office: Office, case_id: UUID) -> str | None:
    row = office.database.one("SELECT school FROM cases WHERE case_id = ?", case_id.hex)
    return row["school"] if row is not None else None
