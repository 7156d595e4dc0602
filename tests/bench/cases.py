"""What a case costs: opening one among few and among many, and replaying a log into the states of its cases."""

from __future__ import annotations

import hashlib
import io
import os
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

import fastavro

from services.post.cases import history_of, open_facts
from services.post.database import Database
from services.post.history import New, Recorded, Standing
from services.post.keys import KeyRing
from services.post.office import Office
from services.post.saving import act
from services.post.store import CaseStore, SealedEvent
from services.school.application import School
from services.school.domain.case import SchoolCase, fold
from services.wire.avro import load_schema
from services.wire.channels import commission_case, from_commission, record_of, to_commission, writer_of
from services.wire.contents import Facts, encode_facts
from services.wire.entry import Sealed, VerifiedEntry
from services.wire.following import Follower
from services.wire.hashing import Digest, Id
from services.wire.paths import Pathfinder
from services.wire.records import event_type
from tests.bench.measuring import paired, say
from tests.chains import SCHOOL
from tests.exchange import Exchange, two_sides
from tests.integration.test_two_sides import answered, examined, recommended
from tests.people import ADDRESS_CHOSEN, ADDRESS_CHOSEN_PERSONAL, another_pupil, application_form

__all__ = ["opening", "replay"]

EVENTS: Final = 20
OPENED_AT_ONCE: Final = 20
CASES: Final = 40
CHANNELS: Final = (record_of(SCHOOL), to_commission(SCHOOL), from_commission(SCHOOL))
EPOCH: Final = date(1970, 1, 1)


def opening(folder: Path) -> None:
    """Compare opening a case of 20 real events (unseal, decode, fold) among 1,000 cases with opening it among 100,000."""
    office = two_sides(folder).members[SCHOOL].office
    case_id, _ = School(office).file(application_form())
    chosen = New(facts=ADDRESS_CHOSEN, personal=ADDRESS_CHOSEN_PERSONAL)
    more = EVENTS - len(office.store.stream(case_id).events)
    act(office, case_id, lambda _: [chosen] * more)
    few, many = (_among(office, folder / f"{size}.sqlite", size) for size in (1_000, 100_000))
    expected = fold(history_of(office, office.store.stream(case_id)))

    def opened(office: Office) -> None:
        for _ in range(OPENED_AT_ONCE):
            history = history_of(office, office.store.stream(case_id))
            assert len(history) == EVENTS
            assert fold(history) == expected

    found = paired(partial(opened, many), partial(opened, few), rounds=61)
    detail = f"{found.ratio * found.seconds / OPENED_AT_ONCE * 1e6:,.0f} µs"
    say("opening a case of 20 events at 100,000 against 1,000 cases", found.ratio, "<= 1.20", detail)


def replay(folder: Path) -> None:
    """Compare replaying a log into case states (read, follow, unseal, fold) with bare fastavro decoding of its events."""
    exchange = two_sides(folder)
    office = exchange.members[SCHOOL].office
    cases = _lived(exchange, office)
    lived = {case_id: fold(history_of(office, office.store.stream(case_id))) for case_id in cases}
    plain = [facts for entry, facts in _opened(office) if facts is not None and entry is not None]
    schema, kinds = load_schema("wire/Facts.avsc").parsed, [event_type(facts.type).facts.parsed for facts in plain]
    encoded = [_encoded(facts) for facts in plain]

    def bare() -> None:
        for (whole, content), kind in zip(encoded, kinds, strict=True):
            fastavro.schemaless_reader(io.BytesIO(whole), schema, None)
            fastavro.schemaless_reader(io.BytesIO(content), kind, None)

    def replayed() -> None:
        assert _states(office) == lived

    found = paired(bare, replayed, rounds=15)
    detail = f"{len(plain) / found.seconds:,.0f} events/s"
    say("bare fastavro decoding against replay into states", found.ratio, "-", detail)


def _among(office: Office, copy: Path, size: int) -> Office:
    """Return an office over a copy of this one's database in which ``size`` cases stand beside what is there."""
    office.database.connection.execute("VACUUM INTO ?", (str(copy),))
    database = Database(copy)
    store = CaseStore(database)
    for begin in range(0, size, 1000):
        with database.transaction():
            store.append([_filler(case) for case in range(begin, begin + 1000)])
            for case in range(begin, begin + 1000):
                row = (hashlib.sha256(b"%d" % case).digest(), to_commission(SCHOOL), UUID(int=case).bytes, bytes(60), 1000 + case)
                database.run("INSERT INTO keys VALUES (?, 'CASE', ?, ?, NULL, 0, 0, 1, ?, NULL, NULL, ?)", *row)
                database.run("INSERT INTO cases VALUES (?, ?, NULL, 'Received', 'A2', NULL, NULL, 1)", *_names(case))
    ring = KeyRing(database, office.ring.ring, office.clock, os.urandom)
    return replace(office, database=database, store=store, ring=ring)


def _names(case: int) -> tuple[str, str]:
    return UUID(int=case).hex, commission_case(UUID(int=case), to_commission(SCHOOL)).hex


def _filler(case: int) -> SealedEvent:
    seed = hashlib.sha512(b"%d" % case).digest()
    return SealedEvent(UUID(int=case), 1, "ApplicationFiled", CHANNELS[0], Id(seed[:16]), (seed * 2)[:96], (seed * 10)[:592])


def _lived(exchange: Exchange, office: Office) -> list[UUID]:
    """Let cases be filed, asked, examined and answered, and return them."""
    school, cases = School(office), []
    for number in range(CASES):
        case_id, _ = school.file(application_form(pupil=another_pupil(number)))
        school.request(case_id)
        cases.append(case_id)
    exchange.settle()
    for case_id in cases:
        theirs = commission_case(case_id, to_commission(SCHOOL))
        examined(exchange, theirs)
        recommended(exchange, theirs)
        answered(exchange, theirs)
    return cases


def _opened(office: Office) -> list[tuple[VerifiedEntry, Facts | None]]:
    """Read the school's three channels from the log by the reading rule, and open the facts of what is taken."""
    found = []
    for channel in CHANNELS:
        finder = Pathfinder(channel=channel, root=office.root, trust=office.trust)
        follower, _ = Follower.at(finder, load=list, holds=lambda _: False)
        for entry in _taken(office, channel, follower):
            body, event_id = entry.statement.body, entry.statement.event_id
            if isinstance(body, Sealed) and entry.facts is not None:
                found.append((entry, open_facts(office, channel, event_id, body.facts_key, entry.facts)))
    return found


def _taken(office: Office, channel: str, follower: Follower) -> list[VerifiedEntry]:
    taken: list[VerifiedEntry] = []
    position, log = 0, office.channel
    while log is not None and (page := log.poll({channel: position}, timeout_seconds=0, limit=500)):
        position = page[-1].position + 1
        taken += [step.entry for step in follower.offer(record.value for record in page).new]
    return taken


def _states(office: Office) -> dict[UUID, SchoolCase]:
    """Return the state of every case, from the log alone."""
    own: dict[UUID, dict[Digest | None, Recorded]] = {}
    received: dict[UUID, deque[Recorded]] = {}
    for entry, facts in _opened(office):
        if facts is None or facts.case_id is None:
            continue
        event = _recorded(office, entry, facts)
        if event.own:
            own.setdefault(UUID(bytes=facts.case_id), {})[event.after] = event
        else:
            received.setdefault(UUID(bytes=facts.case_id), deque()).append(event)
    return {
        case_id: fold(_in_order(events, received.get(commission_case(case_id, to_commission(SCHOOL)), deque())))
        for case_id, events in own.items()
    }


def _in_order(own: dict[Digest | None, Recorded], received: deque[Recorded]) -> Sequence[Recorded]:
    """Return a case's events in their order: the own one that comes after the last, else the next received one."""
    stream: list[Recorded] = []
    while (following := own.get(stream[-1].body if stream else None)) is not None or received:
        stream.append(following or received.popleft())
    return stream


def _recorded(office: Office, entry: VerifiedEntry, facts: Facts) -> Recorded:
    writer = writer_of(entry.statement.channel)
    return Recorded(
        facts=office.book.facts(facts.type, facts.schema, facts.content),
        type=facts.type,
        body=entry.body_digest,
        channel=entry.statement.channel,
        writer=writer,
        own=writer == office.participant,
        after=facts.after,
        in_reply_to=facts.in_reply_to,
        recorded_on=EPOCH + timedelta(days=facts.recorded_on),
        standing=Standing.ACCEPTED,
    )


def _encoded(facts: Facts) -> tuple[bytes, bytes]:
    return encode_facts(facts), facts.content
