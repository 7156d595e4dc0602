"""An exchange in which an auditor is given a mandate, and files of keys as honest and other people make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from services.audit.event import Event
from services.audit.keys import Keys
from services.auditor.disclosed import Disclosed
from services.auditor.mandates import accept
from services.post.auditors import approve
from services.post.cases import open_facts
from services.post.mandates import Mandate, Terms, disclose, mandate_file, mandate_named
from services.post.office import Office
from services.school.application import School
from services.wire.channels import COMMISSION
from services.wire.disclosures import (
    DisclosedKey,
    DisclosureHeader,
    decode_disclosure,
    make_disclosure,
    open_disclosure,
)
from services.wire.entry import Sealed, decode_entry
from services.wire.events import AccessPurpose
from services.wire.grants import SUITE, prekey_id
from tests.audited import audited as events_in
from tests.auditing import AUDITOR, audited
from tests.chains import SCHOOL
from tests.exchange import Exchange
from tests.people import another_pupil, application_form

__all__ = ["Mandated", "said_in"]


@dataclass
class Mandated:
    """An exchange with an auditor; ``case`` is the school's first case, which was asked about."""

    exchange: Exchange
    case: UUID

    @classmethod
    def new(cls, folder: Path, *, approved: bool = True) -> Mandated:
        exchange = audited(folder)
        school = School(exchange.members[SCHOOL].office)
        if approved:
            for name in (SCHOOL, COMMISSION):
                approve(exchange.members[name].office, AUDITOR)
        case, _ = school.file(application_form(pupil=another_pupil(1)))
        school.request(case)
        found = cls(exchange, case)
        found.settle()
        return found

    def office(self, name: str) -> Office:
        return self.exchange.members[name].office

    def settle(self) -> None:
        for _ in range(4):
            self.exchange.settle(seconds=6)

    def days(self, number: int) -> None:
        self.exchange.clock.now += number * 86_400_000
        self.settle()

    def another_case(self) -> UUID:
        case, _ = School(self.office(SCHOOL)).file(application_form(pupil=another_pupil(2)))
        self.settle()
        return case

    def terms(self, *, days: int = 10, personal: bool = False, types: tuple[str, ...] = ()) -> Terms:
        until: date = self.office(SCHOOL).today + timedelta(days=days)
        return Terms(purpose=AccessPurpose.COMPLAINT, until=until, with_personal=personal, types=types)

    def given(self, terms: Terms | None = None, *, case: UUID | None = None, writer: str = SCHOOL) -> Mandate:
        """Let a writer give a mandate, and the letters arrive."""
        office = self.office(writer)
        given = disclose(office, case or self.case, AUDITOR, terms or self.terms())
        self.settle()
        return mandate_named(office, given.name.hex())

    def file(self, mandate: Mandate, *, writer: str = SCHOOL) -> bytes:
        return mandate_file(self.office(writer), mandate)

    def accepted(self, terms: Terms | None = None) -> Disclosed:
        found = accept(self.office(AUDITOR), self.file(self.given(terms)))
        self.settle()
        return found

    def keys_in(self, file: bytes) -> tuple[DisclosedKey, ...]:
        ring = self.office(AUDITOR).ring
        return open_disclosure(decode_disclosure(file), recipient=AUDITOR, keys=ring.encryption_keys())

    def forged(
        self,
        file: bytes,
        change: Callable[[Sequence[DisclosedKey]], Sequence[DisclosedKey]] = tuple,
        **header: Any,
    ) -> bytes:
        """Return a file that somebody sealed to the auditor's key, with other keys or another header: its key is public."""
        key = self.office(AUDITOR).ring.current_encryption_key()
        assert key is not None
        said = replace(decode_disclosure(file).header, prekey=prekey_id(SUITE, key.public_key))
        said = replace(said, **header)
        assert isinstance(said, DisclosureHeader)
        return make_disclosure(said, change(self.keys_in(file)), public_key=key.public_key)

    def read(self, mandate: Disclosed | None = None, *, keys: Keys | None = None) -> list[Event]:
        """Return all events of the log, as the auditor reads them under a mandate, or without one."""
        ring = self.office(AUDITOR).ring
        held = keys or Keys.of(ring.facts_keys())
        return events_in(self.exchange.log, replace(held, parts=mandate.keys if mandate is not None else {}), with_personal=True)


def said_in(mandated: Mandated, channel: str, *types: str, reader: str | None = None) -> list[object]:
    """Return what sealed events of some types in a channel say, opened by its writer, or by who reads it: all have to open."""
    office = mandated.office(reader or channel.partition(".")[0])
    found = []
    for record in mandated.exchange.log.poll({channel: 0}, timeout_seconds=0, limit=1000):
        entry = decode_entry(record.value)
        body = entry.unverified_statement.body
        if isinstance(body, Sealed):
            frame = open_facts(office, channel, entry.unverified_statement.event_id, body.facts_key, entry.raw_facts or b"")
            assert frame is not None
            if frame.type in types:
                found.append(office.book.facts(frame.type, frame.schema, frame.content))
    return found
