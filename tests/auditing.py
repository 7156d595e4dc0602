"""An exchange with an auditor, and what its process can open of all that stands in the log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from services.post.office import Office
from services.school.application import School
from services.wire.channels import COMMISSION, Role
from services.wire.contents import decode_facts, decode_personal
from services.wire.entry import Sealed, UnverifiedEntry, decode_entry
from services.wire.errors import SealError
from services.wire.sealing import Part, open_part
from tests.chains import SCHOOL, Seal, seal_of
from tests.exchange import Exchange, two_sides
from tests.people import another_pupil, application_form

__all__ = [
    "AUDITOR",
    "AUDITOR_SEAL",
    "CHANNELS",
    "DAY",
    "ask",
    "audited",
    "everything_held",
    "next_day",
    "opened_by",
    "sealed_entries",
]

AUDITOR: Final = "auditor-vk"
DAY: Final = 86_400_000
AUDITOR_SEAL: Final[Seal] = seal_of("auditor", "NTRLV-90000000004")
CHANNELS: Final = (f"{SCHOOL}.to-commission", f"{SCHOOL}.from-commission", f"{SCHOOL}.record", f"{COMMISSION}.record")


def audited(folder: Path) -> Exchange:
    """Return an exchange of one school, the commission and an auditor, of whom nobody has decided anything."""
    exchange = two_sides(folder)
    exchange.admit(AUDITOR, Role.AUDITOR, AUDITOR_SEAL)
    exchange.settle()
    exchange.settle()
    return exchange


def ask(exchange: Exchange, number: int = 1) -> None:
    """Let the school ask the commission about a pupil of this number."""
    school = School(exchange.members[SCHOOL].office)
    case, _ = school.file(application_form(pupil=another_pupil(number)))
    school.request(case)
    exchange.settle()
    exchange.settle()


def next_day(exchange: Exchange) -> None:
    """Let a day pass, on which auditors publish a checkpoint."""
    exchange.clock.now += DAY
    exchange.settle()
    exchange.settle()


def everything_held(office: Office) -> list[bytes]:
    """Return every key of a ring, whatever it is for; of an encryption key each 32 bytes of its private half."""
    held = [office.ring.get(row.key_id) for row in office.ring.rows()]
    keys = [each.key for each in held if each is not None]
    return [key[place : place + 32] for key in keys for place in range(0, len(key), 32)]


def sealed_entries(exchange: Exchange) -> Iterator[UnverifiedEntry]:
    """Yield all sealed entries of the log, with both their parts."""
    for name in CHANNELS:
        for record in exchange.log.poll({name: 0}, timeout_seconds=0, limit=1000):
            entry = decode_entry(record.value)
            if isinstance(entry.unverified_statement.body, Sealed):
                yield entry


def opened_by(exchange: Exchange, name: str) -> dict[str, list[str]]:
    """Return the types of the events whose facts somebody can open, by channel; of what is personal nothing may open.

    The facts key opens the personal part of what belongs to no case: nothing may stand in that.
    """
    keys = everything_held(exchange.members[name].office)
    found: dict[str, list[str]] = {}
    for entry in sealed_entries(exchange):
        personal = _opened(keys, entry, Part.PERSONAL)
        assert personal is None or decode_personal(personal).content == b"", entry.channel
        facts = _opened(keys, entry, Part.FACTS)
        if facts is not None:
            found.setdefault(entry.channel, []).append(decode_facts(facts).type)
    return found


def _opened(keys: list[bytes], entry: UnverifiedEntry, part: Part) -> bytes | None:
    sealed = entry.raw_facts if part is Part.FACTS else entry.raw_personal
    assert sealed is not None
    for key in keys:
        try:
            return open_part(key, part, sealed, channel=entry.channel, event_id=entry.unverified_statement.event_id)
        except SealError:
            continue
    return None
