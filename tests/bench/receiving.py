"""What receiving an entry costs, against the sum of what nobody can do without: verify, decode, unseal, durable commit.

The durable commit is of what has to be stored of an entry whoever stores it: its row in the letterbook, its personal part, its
event, and how far its channel was received, in tables like a participant's. Against a commit of the bare record it is shown too.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import fastavro

from services.channel.embedded import EmbeddedChannel
from services.channel.port import Channel
from services.post.database import Database
from services.post.keys import KeyRing, OwnKey
from services.post.office import Office
from services.post.receiving import Receiver
from services.post.store import CaseStore
from services.school.application import School
from services.wire.channels import COMMISSION, TRUST_CHANNEL, mailbox_of, to_commission
from services.wire.contents import decode_facts
from services.wire.entry import Sealed, UnverifiedEntry, decode_entry, statement_digest, to_be_signed
from services.wire.hashing import Digest, digest_of
from services.wire.records import event_type
from services.wire.sealing import Part, open_part
from services.wire.signing import verify_signature
from tests.bench.measuring import in_turn, of_pairs, paired, say
from tests.chains import SCHOOL, seal_of
from tests.exchange import Exchange, two_sides
from tests.people import another_pupil, application_form

__all__ = ["Floor", "receiving", "scratch"]

REQUESTS: Final = 300
AT_ONCE: Final = 100
ROUNDS: Final = 5
CHANNEL: Final = to_commission(SCHOOL)


@dataclass(frozen=True, slots=True)
class Floor:
    """The primitives over real records of a channel; ``scratch`` is a database like a participant's: each commit is durable."""

    keys: Mapping[Digest, OwnKey | None]
    scratch: Database

    def alone(self, record: bytes) -> None:
        """Verify, decode, unseal and store one record, with a durable commit of its own."""
        with self.scratch.transaction():
            self._store(self._opened(record))

    def bare(self, record: bytes) -> None:
        """Do the same, and commit the record as it is and nothing else."""
        self._opened(record)
        self.scratch.run("INSERT INTO rows VALUES (?)", record)

    def together(self, records: list[bytes]) -> None:
        """Do the same as ``alone`` with a hundred a commit."""
        for begin in range(0, len(records), AT_ONCE):
            with self.scratch.transaction():
                for record in records[begin : begin + AT_ONCE]:
                    self._store(self._opened(record))

    def _store(self, entry: UnverifiedEntry) -> None:
        statement, run = entry.unverified_statement, self.scratch.run
        digest = statement_digest(entry.statement_bytes)
        place = (entry.channel, statement.epoch, statement.sequence)
        personal = None if entry.raw_personal is None else digest_of(entry.raw_personal)
        run(
            "INSERT INTO entries (channel, epoch, sequence, digest, event_id, own, statement, signature, facts, personal)"
            " VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?)",
            *place,
            digest,
            statement.event_id,
            entry.statement_bytes,
            entry.signature,
            entry.raw_facts,
            personal,
        )
        if personal is not None:
            run("INSERT INTO parts VALUES (?, ?)", personal, entry.raw_personal)
        if isinstance(statement.body, Sealed):
            # A stream of its own, as a request opens a case: its name is as random as that of a case.
            event = (digest.hex()[:32], 1, "", entry.raw_facts, entry.channel, statement.event_id, digest)
            run("INSERT INTO stored_events VALUES (?, ?, ?, ?, ?, ?, ?)", *event)
        run(
            "INSERT INTO tracking VALUES (?, ?) ON CONFLICT (application_name) DO UPDATE SET"
            " notification_id = excluded.notification_id",
            f"{entry.channel}#{statement.epoch}",
            statement.sequence,
        )

    def _opened(self, record: bytes) -> UnverifiedEntry:
        entry = decode_entry(record)
        verify_signature(seal_of("old").certificate.public_key, entry.signature, to_be_signed(entry.statement_bytes))
        body, event_id = entry.unverified_statement.body, entry.unverified_statement.event_id
        key = self.keys.get(body.facts_key) if isinstance(body, Sealed) else None
        if key is not None and entry.raw_facts is not None:
            facts = decode_facts(open_part(key.key, Part.FACTS, entry.raw_facts, channel=entry.channel, event_id=event_id))
            fastavro.schemaless_reader(io.BytesIO(facts.content), event_type(facts.type).facts.parsed, None)
        return entry


def receiving(folder: Path) -> None:
    """Compare receiving requests with their primitives: one by one as they arrive, and a hundred at a time on both sides."""
    exchange = _asked(folder)
    office = exchange.members[COMMISSION].office
    keys = {row.key_id: office.ring.get(row.key_id) for row in office.ring.rows()}
    records = [each.value for each in exchange.log.poll({CHANNEL: 0}, timeout_seconds=0, limit=500)]
    begun = len(records) - REQUESTS

    floor = Floor(keys, scratch(folder / "floor.sqlite"))
    single = of_pairs(_one_by_one(exchange, office, folder / "single", floor.alone, records, begun))
    detail = f"{REQUESTS} cases, {1 / single.seconds:,.0f} entries/s"
    say("receive of an entry against verify, decode, unseal, commit", single.ratio, ">= 0.50", detail)

    bare = of_pairs(_one_by_one(exchange, office, folder / "bare", floor.bare, records, begun))
    say("the same, where nothing but the bare record is committed", bare.ratio, "-", f"{1 / bare.seconds:,.0f} entries/s")

    floors = iter([Floor(keys, scratch(folder / f"floor{number}.sqlite")) for number in range(ROUNDS)])
    readers = iter([_another_commission(office, exchange.log, folder / f"batch{number}") for number in range(ROUNDS)])
    batched = paired(lambda: next(floors).together(records), lambda: _received(next(readers)), rounds=ROUNDS)
    detail = f"{len(records) / batched.seconds:,.0f} entries/s"
    say("the same as the first, both committing a hundred at a time", batched.ratio, "-", detail)


def scratch(path: Path) -> Database:
    database = Database(path)
    database.migrate()
    database.run("CREATE TABLE rows (value BLOB)")
    return database


def _asked(folder: Path) -> Exchange:
    """Return an exchange in whose log the requests stand last in their channel, and whose commission has the keys."""
    exchange = two_sides(folder)
    member = exchange.members[SCHOOL]
    school = School(member.office)
    for number in range(REQUESTS):
        case_id, _ = school.file(application_form(pupil=another_pupil(number)))
        school.request(case_id)
    while member.work():
        pass
    # The keys first, as they come: what is timed is the receiving of entries.
    while exchange.members[COMMISSION].receiver.receive_once():
        pass
    return exchange


def _one_by_one(  # what one measurement is of
    exchange: Exchange, office: Office, folder: Path, primitive: Callable[[bytes], None], records: list[bytes], begun: int
) -> Iterator[tuple[float, float]]:
    """Let each request arrive alone, and yield what its primitives and what its receiving took."""
    folder.mkdir()
    log = EmbeddedChannel(folder / "log.sqlite", clock=exchange.clock)
    trust = exchange.log.poll({TRUST_CHANNEL: 0}, timeout_seconds=0, limit=500)
    log.append(TRUST_CHANNEL, [each.value for each in trust])
    log.append(CHANNEL, records[:begun])
    reader = _another_commission(office, log, folder / "commission")
    while reader.receive_once():
        pass
    for number, record in enumerate(records[begun:]):
        log.append(CHANNEL, [record])
        yield in_turn(partial(primitive, record), reader.receive_once, is_second_first=bool(number % 2))
    _require_all(reader)


def _received(reader: Receiver) -> None:
    while reader.receive_once():
        pass
    _require_all(reader)


def _require_all(reader: Receiver) -> None:
    rows = reader.office.database.all("SELECT 1 FROM cases")
    if len(rows) != REQUESTS:
        raise RuntimeError(f"{len(rows)} cases were received, and {REQUESTS} were asked for")


def _another_commission(office: Office, log: Channel, folder: Path) -> Receiver:
    """Return a receiver of the commission whose database knows the keys and the registrar, and nothing of the school."""
    folder.mkdir(parents=True)
    copy = folder / "database.sqlite"
    office.database.connection.execute("VACUUM INTO ?", (str(copy),))
    database = Database(copy)
    for table in ("entries", "channels", "held"):
        database.run(f"DELETE FROM {table} WHERE channel = ?", CHANNEL)  # noqa: S608  # names of ours
    for table in ("stored_events", "parts", "cases", "tracking", "outgoing"):
        database.run(f"DELETE FROM {table}")  # noqa: S608  # names of ours
    ring = KeyRing(database, office.ring.ring, office.clock, os.urandom)
    again = replace(office, database=database, store=CaseStore(database), ring=ring, channel=log, random=os.urandom)
    receiver = Receiver(again)
    # Letters with keys are not what is timed; they have been taken in.
    receiver.mailbox.position = log.end(mailbox_of(office.participant))
    return receiver
