"""Mandates that this auditor was given: taken in from a file, used, and ended; each of these stands in its record.

A use is recorded before anything is shown. What a mandate is, and whether it is over, follows from this auditor's own record and
from that of its writer; the keys lie sealed in the database, and are gone with the end.
Source: design.md section 7; docs/adr/0038-keys-of-single-parts.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.auditor.disclosed import Disclosed, checked, look_for_end
from services.post.cases import history_of
from services.post.database import Row
from services.post.history import New, Recorded
from services.post.office import Office
from services.post.saving import Saved, act
from services.wire.channels import writer_of
from services.wire.disclosures import DisclosedKey, decode_disclosure, decode_keys, encode_keys, open_disclosure
from services.wire.errors import DisclosureError, RefusedError, RingError
from services.wire.events import AccessEnded, AccessPurpose, AccessScope, AccessUse, AccessUsed
from services.wire.hashing import Digest

__all__ = ["EndingHeld", "HeldMandate", "accept", "end", "held_mandates", "mandate_held", "note_use", "open_mandate"]

_KEY: Final = "MANDATES"
_NONCE_BYTES: Final = 12
_LEAST_DIGITS: Final = 8
_ENDED: Final = "This mandate has ended: nothing is shown under it any more. Its writer can give another one."


class MandateEndedError(RefusedError):
    """A mandate has ended, by its day, by its writer or by this auditor."""

    def __init__(self) -> None:
        super().__init__(_ENDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldMandate:
    """A mandate in the list: ``on`` the day it was taken in, ``uses`` how often it was used, ``keys`` whether these are here."""

    mandate: Digest
    writer: str | None
    purpose: str
    on: date
    until: date
    uses: int
    keys: bool
    ended: date | None


def accept(office: Office, file: bytes) -> Disclosed:
    """Take in the keys of a file, and record that, or that their mandate has ended where the file brings word of it.

    Returned is the mandate with all keys of it that are here: a file adds to those that came before, and takes none away.
    Raises: DisclosureError and MalformedError if the file is not for me, or not what its mandate says; MandateEndedError if the
    mandate has ended, or its day is over; what ``act`` raises.
    """
    found = decode_disclosure(file)
    keys = open_disclosure(found, recipient=office.participant, keys=office.ring.encryption_keys())
    mandate = checked(office, found.header.channel, found.header.mandate, keys)
    if mandate.has_ended:
        _end(office, mandate.name)
        return mandate
    if mandate.until < office.today or look_for_end(office, mandate.channel, mandate.name, mandate.sequence).has_ended:
        raise MandateEndedError
    kept: list[Disclosed] = []
    _say(office, mandate, AccessUse.ACCEPTED, also=lambda: kept.append(_keep(office, mandate)))
    return kept[-1]


def open_mandate(office: Office, text: str) -> Disclosed:
    """Return the mandate whose digest begins as a person wrote it, with its keys, held against the log once more.

    Raises: RefusedError if there is none such here, or it has ended; RingError if its keys do not open any more; DisclosureError.
    """
    EndingHeld().end_once(office)
    row = _row_named(office, text)
    return checked(office, row["channel"], row["name"], _keys_in(office, row))


def note_use(office: Office, mandate: Disclosed, use: AccessUse) -> tuple[Saved, ...]:
    """Record a use, which MUST be done before anything is shown. Raises: MandateEndedError; what ``act`` raises."""
    return _say(office, mandate, use)


def held_mandates(office: Office) -> list[HeldMandate]:
    """Return all mandates that were ever taken in here, as this auditor's record says, by the day."""
    rows = {row["name"]: row["channel"] for row in office.database.all("SELECT name, channel FROM mandates")}
    told = [
        replace(each, writer=writer_of(rows[each.mandate]) if each.mandate in rows else None, keys=each.mandate in rows)
        for each in _said(office).values()
    ]
    return sorted(told, key=lambda each: (each.on, each.mandate))


def mandate_held(office: Office, text: str) -> Digest:
    """Return the mandate whose digest begins so, if its keys are here. Raises: RefusedError."""
    return Digest(_row_named(office, text)["name"])


def end(office: Office, mandate: Digest) -> tuple[Saved, ...]:
    """Use a mandate no more: record its end, once, and destroy its keys. Raises: what ``act`` raises."""
    return _end(office, mandate)


@dataclass(slots=True)
class EndingHeld:
    """Ends the mandates whose day is over, or whose writer says that they have ended; called by the worker in each step.

    So do all of an auditor that was removed: brokers may take nothing more of it, so a use would be seen by nobody.
    """

    _looked: tuple[int, date, bool] | None = field(default=None)
    _read: dict[bytes, tuple[int, int, tuple[int, int]]] = field(default_factory=dict)

    def end_once(self, office: Office) -> int:
        """Record the ends that are due, once each, destroy the keys under them, and return how many ends were recorded."""
        rows = office.database.all("SELECT * FROM mandates")
        ended = {Digest(row["name"]) for row in rows if self._writer_ended(office, row)}
        now = office.store.version(office.own_stream), office.today, _is_removed(office)
        if self._looked == now and not ended:
            return 0
        said = _said(office)
        is_over = {each.mandate for each in said.values() if each.until < office.today or _is_removed(office)}
        due = [each.mandate for each in said.values() if each.ended is None and each.mandate in is_over | ended]
        # A database from before an end has its keys again; the end comes back from the log.
        due += [mandate for row in rows if (mandate := Digest(row["name"])) in said and said[mandate].ended is not None]
        try:
            done = sum(bool(_end(office, each)) for each in due)
        except RefusedError as error:
            # As while a start is under way: it is as due afterwards, and nothing is shown under it meanwhile.
            office.tell(f"the end of a mandate is not recorded yet: {error}")
            return 0
        self._looked = None if due else now
        return done

    def _writer_ended(self, office: Office, row: Row) -> bool:
        """Tell whether a mandate's record says that it has ended; it is read again where more, a key or a schema came."""
        standing = office.letterbook.standing(row["channel"])
        if standing is None:
            return False
        place, before = standing.place, self._read.get(row["name"])
        opens = office.ring.held_facts_keys(row["channel"]), len(office.trust.schemas)
        now = place.epoch, place.sequence, opens
        if now == before:
            return False
        since: int = row["looked"]
        if before is not None and (before[0], before[2]) == (now[0], now[2]):
            # Neither came: what did not open when it was read opens now as little.
            since = max(since, before[1])
        elif place.epoch:
            # What was looked through may have been begun anew since, and have grown beyond that place again.
            since = min(since, office.letterbook.begun_at(row["channel"], place.epoch) - 1)
        looked = look_for_end(office, row["channel"], row["name"], since)
        if looked.has_ended:
            return True
        self._read[row["name"]] = now
        if since <= row["looked"] != looked.upto:
            office.database.run("UPDATE mandates SET looked = ? WHERE name = ?", looked.upto, row["name"])
        return False


def _say(office: Office, mandate: Disclosed, use: AccessUse, *, also: Callable[[], None] | None = None) -> tuple[Saved, ...]:
    used = AccessUsed(grant=mandate.name, purpose=mandate.purpose, until=mandate.until, use=use)

    def decide(history: Sequence[Recorded]) -> Sequence[New]:
        # In the transaction that records it: whoever ends it at this moment is before or after, never beside. A day that stands
        # in this record was there already, wherever the clock was set since.
        today = max((each.recorded_on for each in _own(history)), default=office.today)
        if mandate.until < max(today, office.today) or _is_removed(office) or _is_ended(history, mandate.name):
            raise MandateEndedError
        return [New(facts=used)]

    return act(office, None, decide, also=also)


def _end(office: Office, mandate: Digest) -> tuple[Saved, ...]:
    me = office.trust.participants[office.participant].admitted

    def decide(history: Sequence[Recorded]) -> Sequence[New]:
        # Of a mandate that was never taken in nothing is said; of any other its end is, once.
        is_known = any(isinstance(each.facts, AccessUsed) and each.facts.grant == mandate for each in _own(history))
        if not is_known or _is_ended(history, mandate):
            return []
        return [New(facts=AccessEnded(auditor=me, scope=AccessScope.PART, grant=mandate))]

    def forget() -> None:
        office.database.run("DELETE FROM mandates WHERE name = ?", mandate)

    return act(office, None, decide, also=forget)


def _is_removed(office: Office) -> bool:
    me = office.trust.participants.get(office.participant)
    return me is not None and me.removed


def _is_ended(history: Iterable[Recorded], mandate: Digest) -> bool:
    return any(isinstance(each.facts, AccessEnded) and each.facts.grant == mandate for each in _own(history))


def _own(history: Iterable[Recorded]) -> Iterable[Recorded]:
    return (each for each in history if each.own)


def _said(office: Office) -> dict[Digest, HeldMandate]:
    """Return the mandates that this auditor's own record tells of, without what is not told there."""
    found: dict[Digest, HeldMandate] = {}
    for each in _own(history_of(office, office.store.stream(office.own_stream))):
        match each.facts:
            case AccessUsed(grant=grant, purpose=purpose, until=until, use=use):
                known = found.setdefault(grant, _new(grant, purpose, until, each.recorded_on))
                is_use = use is not AccessUse.ACCEPTED
                found[grant] = replace(known, uses=known.uses + is_use)
            case AccessEnded(grant=grant) if grant in found:
                found[grant] = replace(found[grant], ended=found[grant].ended or each.recorded_on)
            case _:
                pass
    return found


def _new(mandate: Digest, purpose: AccessPurpose, until: date, on: date) -> HeldMandate:
    return HeldMandate(mandate=mandate, writer=None, purpose=purpose.value, on=on, until=until, uses=0, keys=False, ended=None)


def _keep(office: Office, mandate: Disclosed) -> Disclosed:
    """Keep the keys of a mandate beside those that are here of it, and return it with all of them.

    Whoever holds the facts keys of the writer can make a file for me, of right keys, with no personal part: in place of the
    others it would take these away.
    """
    before = office.database.one("SELECT * FROM mandates WHERE name = ?", mandate.name)
    held = _held(office, before) if before is not None else ()
    whole = checked(office, mandate.channel, mandate.name, (*held, *mandate.keys.values()))
    nonce = office.random(_NONCE_BYTES)
    keys = encode_keys(whole.keys.values())
    sealed = nonce + AESGCM(office.ring.local_key(_KEY)).encrypt(nonce, keys, mandate.name)
    query = "INSERT OR REPLACE INTO mandates VALUES (?, ?, ?, ?)"
    office.database.run(query, mandate.name, mandate.channel, mandate.sequence, sealed)
    return whole


def _held(office: Office, row: Row) -> Iterable[DisclosedKey]:
    """Return the keys of a mandate that are here and still hold, none where an older ring or an epoch has overtaken them."""
    try:
        return checked(office, row["channel"], row["name"], _keys_in(office, row)).keys.values()
    except (DisclosureError, RingError):
        # A new file is what heals that: what came before may not stand in its way.
        return ()


def _keys_in(office: Office, row: Row) -> tuple[DisclosedKey, ...]:
    sealed: bytes = row["sealed"]
    try:
        opened = AESGCM(office.ring.local_key(_KEY)).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], row["name"])
    except InvalidTag as error:
        raise RingError("the keys of this mandate do not open any more: take its file in again, or have it made anew") from error
    return decode_keys(opened)


def _row_named(office: Office, text: str) -> Row:
    rows = office.database.all("SELECT * FROM mandates")
    found = [row for row in rows if len(text) >= _LEAST_DIGITS and row["name"].hex().startswith(text.lower())]
    if len(found) == 1:
        return found[0]
    if any(each.ended and each.mandate.hex().startswith(text.lower()) for each in _said(office).values()):
        raise MandateEndedError
    raise RefusedError(
        "No mandate whose keys are here begins so: `auditor mandates` lists them, `auditor accept` takes a file in."
    )
