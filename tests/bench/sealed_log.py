"""An archive of sealed events as participants write them, as large as one likes: cases of ten events in three channels.

A school files an application, asks the commission, hears its answer, concludes an agreement and reports hours for six months.
Facts
are sealed under real facts keys, personal parts are left out, as in every archive; receipts stand between.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from services.audit.archive import Archive
from services.audit.keys import Keys
from services.audit.leaving_out import without_personal
from services.wire.channels import TRUST_CHANNEL, commission_case
from services.wire.contents import Facts, SchemaPublished, encode_facts
from services.wire.entry import Sealed, body_digest
from services.wire.events import HoursReported
from services.wire.hashing import Digest, Id, digest_of
from services.wire.records import encode_event, own_schemas
from services.wire.sealing import SALT_BYTES, Part, key_id, seal
from tests.chains import ROOT
from tests.vectors.samples import plain
from tests.worlds import FROM, RECORD, TO, World

__all__ = ["KEYS", "LARGEST", "archive_of_events"]

LARGEST: Final = RECORD
"""The channel with the most entries: eight of ten."""
_EVENTS_A_CASE: Final = 10
_CASES_AT_ONCE: Final = 100
_TAKEN_AT: Final = 1_795_000_000_000
_EPOCH_DAY: Final = date(1970, 1, 1)
_FIRST_DAY: Final = date(2026, 9, 1)
_MONTHS: Final = tuple(date(2026 + (8 + each) // 12, (8 + each) % 12 + 1, 1) for each in range(6))
_KEYS: Final = {channel: sha256(f"facts key of {channel}".encode()).digest() for channel in (RECORD, TO, FROM)}
KEYS: Final = Keys.of(_KEYS.values())
"""What opens the facts."""


def archive_of_events(folder: Path, entries: int) -> Path:
    """Write an archive with about so many entries."""
    school = _School(World(folder))
    with Archive.open(folder / "archive", ROOT.digest, lambda _: None) as archive:
        for records in school.written(max(1, entries // _EVENTS_A_CASE)):
            for channel, some in records.items():
                placed = [(without_personal(each), school.placed.get(channel, 0) + at) for at, each in enumerate(some)]
                archive.append(channel, placed, taken_at=_TAKEN_AT)
                school.placed[channel] = school.placed.get(channel, 0) + len(some)
    return folder / "archive"


@dataclass
class _School:
    world: World
    placed: dict[str, int] = field(default_factory=dict)

    def written(self, cases: int) -> Iterator[dict[str, list[bytes]]]:
        """Yield what is written, some cases at a time."""
        trust = self.world.pens[TRUST_CHANNEL]
        published = [trust.open(SchemaPublished(name="", file=file)) for file in own_schemas().values()]
        self.world.records[TRUST_CHANNEL] += published
        for first in range(0, cases, _CASES_AT_ONCE):
            for number in range(first, min(first + _CASES_AT_ONCE, cases)):
                self._case(number)
            self.world.receipt(TO, record=self.world.pens[RECORD].previous)
            self.world.receipt(FROM)
            yield self.world.records
            self.world.records = {channel: [] for channel in self.world.records}

    def _case(self, number: int) -> None:
        case, day = UUID(int=number + 1), _FIRST_DAY + timedelta(days=number % 100)
        application, consent = digest_of(b"application %d" % number), digest_of(b"consent %d" % number)
        self._write(RECORD, case, day, "ApplicationFiled", pupil=number, received_on=day)
        due: dict[str, Any] = {
            "received_on": day,
            "due_on": day + timedelta(days=14),
            "application": application,
            "basis": consent,
        }
        asked = self._write(TO, case, day, "InformationRequested", **due)
        common = commission_case(case, TO)
        answered_on = day + timedelta(days=number % 20)
        self._write(FROM, common, answered_on, "ConfirmationGiven", in_reply_to=asked, basis=digest_of(b"basis %d" % number))
        self._write(RECORD, case, answered_on, "AgreementConcluded", agreement=number, assistant=number % 1000, from_on=day)
        for month in _MONTHS:
            hours: dict[str, Any] = {"month": month, "agreement": number, "minutes": 600 + number % 600}
            self._write(RECORD, case, month + timedelta(days=31), HoursReported.__name__, **hours)

    def _write(self, channel: str, case: UUID, day: date, name: str, *, in_reply_to: Digest | None = None, **said: Any) -> Digest:
        facts, personal = plain(name)
        encoded, pen = encode_event(replace(facts, **said), personal), self.world.pens[channel]
        framed = Facts(
            type=name,
            schema=encoded.schema,
            case_id=Id(case.bytes),
            after=None,
            in_reply_to=in_reply_to,
            recorded_on=(day - _EPOCH_DAY).days,
            personal_key=digest_of(b"a case key"),
            content=encoded.facts,
        )
        key, event_id = _KEYS[channel], Id(pen.next_event_id)
        salt = sha256(event_id).digest()[:SALT_BYTES]
        sealed = seal(key, Part.FACTS, encode_facts(framed), channel=channel, event_id=event_id, salt=salt)
        body = Sealed(facts_key=key_id(key), facts=digest_of(sealed), personal=digest_of(event_id))
        self.world.records[channel].append(pen.write(body, sealed, None))
        return body_digest(body)
