"""What goes wrong in an exchange, in a few words: for tests of recovery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from services.channel.embedded import EmbeddedChannel
from services.post.signing import Draft, receipt_in, sign_body, sign_open
from services.school.application import School
from services.wire.channels import TRUST_CHANNEL, Role, commission_case, from_commission, to_commission
from services.wire.contents import (
    EpochOpened,
    Facts,
    Held,
    Personal,
    Receipt,
    encode_facts,
    encode_personal,
)
from services.wire.entry import Open, Sealed, decode_entry
from services.wire.hashing import Digest, Id, digest_of
from services.wire.records import encode_event
from services.wire.sealing import Part, seal
from tests.chains import ROOT, SCHOOL, Pen, Seal, seal_of
from tests.exchange import COMMISSION_ORGANISATION, Exchange, Member
from tests.people import another_pupil, application_form
from tests.verifying import verified

__all__ = [
    "asked_unread",
    "clean",
    "closed_restart",
    "digest_at",
    "epoch_after",
    "lying_receipt",
    "pen_at",
    "raw_event",
    "raw_log",
    "raw_row",
    "records",
    "said_by_registrar",
    "settled",
    "types",
    "with_lie",
]


def settled(exchange: Exchange, times: int = 4) -> None:
    for _ in range(times):
        exchange.settle()


def clean(exchange: Exchange) -> None:
    assert verified(exchange.log, ROOT).findings == []


def records(exchange: Exchange, channel: str) -> list[bytes]:
    found: list[bytes] = []
    position = 0
    while page := exchange.log.poll({channel: position}, timeout_seconds=0, limit=500):
        position = page[-1].position + 1
        found += [record.value for record in page]
    return found


def types(exchange: Exchange, channel: str) -> list[str]:
    bodies = (decode_entry(record).unverified_statement.body for record in records(exchange, channel))
    return [body.type if isinstance(body, Open) else "sealed" for body in bodies]


def raw_log(exchange: Exchange, statement: str, *values: object) -> None:
    """Change the log behind everybody's back."""
    assert isinstance(exchange.log, EmbeddedChannel)
    exchange.log._connection.execute(statement, values)  # noqa: SLF001  # what an attacker or a broken disk does


def said_by_registrar(exchange: Exchange, content: object) -> None:
    exchange.log.append(TRUST_CHANNEL, [exchange.registrar.open(content)])  # type: ignore[arg-type]  # contents of the registrar


def pen_at(exchange: Exchange, channel: str, writer: str, seal: Seal, salt: str) -> Pen:
    standing = exchange.members[writer].office.letterbook.standing(channel)
    assert standing is not None
    place = standing.place
    return Pen(channel, seal, place.epoch, place.sequence, place.digest, salt)


def epoch_after(exchange: Exchange, channel: str, writer: str, seal: Seal, *, back: int) -> None:
    """Let the registrar name the entry ``back`` places before the writer's head as the last good one."""
    office = exchange.members[writer].office
    standing = office.letterbook.standing(channel)
    assert standing is not None
    sequence = standing.place.sequence - back
    found = office.letterbook.digest_at(channel, sequence)
    assert found is not None
    epoch = standing.place.epoch + 1
    said_by_registrar(
        exchange,
        EpochOpened(
            channel=channel,
            epoch=epoch,
            after_sequence=sequence,
            after_digest=found[1],
            certificate=seal.certificate.digest,
        ),
    )


def digest_at(exchange: Exchange, channel: str, sequence: int) -> Digest:
    return next(
        entry.digest for entry in map(decode_entry, records(exchange, channel)) if entry.unverified_statement.sequence == sequence
    )


def lying_receipt(exchange: Exchange, lie: Held) -> None:
    """Let the school's worker sign a receipt whose line about one channel is not true."""
    office = exchange.members[SCHOOL].office
    with office.database.transaction():
        sign_open(office, to_commission(SCHOOL), with_lie(exchange, lie))
    settled(exchange)


def with_lie(exchange: Exchange, lie: Held) -> Receipt:
    office = exchange.members[SCHOOL].office
    standing = office.letterbook.standing(from_commission(SCHOOL))
    assert standing is not None
    honest = receipt_in(office, to_commission(SCHOOL), upto=standing.place.sequence)
    assert lie.channel in [line.channel for line in honest.held]
    return replace(honest, held=tuple(lie if line.channel == lie.channel else line for line in honest.held))


def asked_unread(exchange: Exchange, pupil: int = 2) -> tuple[UUID, UUID]:
    """Let the school ask while the commission does not read; return the commission's case first."""
    member = exchange.members[SCHOOL]
    case_id, _ = School(member.office).file(application_form(pupil=another_pupil(pupil)))
    School(member.office).request(case_id)
    member.work()
    member.work()
    return commission_case(case_id, to_commission(SCHOOL)), case_id


def raw_row(exchange: Exchange, channel: str, position: int) -> bytes:
    (found,) = exchange.log.poll({channel: position}, timeout_seconds=0, limit=1)
    return found.value


def closed_restart(exchange: Exchange, name: str) -> Member:
    """End a participant's process and begin a new one over its files."""
    exchange.members[name].office.database.close()
    seal = seal_of("old") if name == SCHOOL else seal_of("commission", organisation=COMMISSION_ORGANISATION)
    return exchange.enter(name, Role.SCHOOL if name == SCHOOL else Role.COMMISSION, seal)


def raw_event(  # noqa: PLR0913  # each is something that a liar may choose
    exchange: Exchange,
    name: str,
    channel: str,
    facts: object,
    personal: object = None,
    *,
    case_id: bytes | None = None,
    after: Digest | None = None,
    in_reply_to: Digest | None = None,
    personal_key: Digest | None = None,
    spoil: bytes = b"",
    spoil_facts: Callable[[bytes], bytes] = bytes,
) -> None:
    """Let a participant's worker sign whatever facts it likes in a channel of its own."""
    office = exchange.members[name].office
    encoded, event_id = encode_event(facts, personal), Id(office.random(16))
    with office.database.transaction():
        facts_key = office.ring.facts_key(channel, office.today.year)
        case_key = office.ring.case_key(channel, UUID(bytes=case_id)) if case_id else facts_key
        said = Facts(
            type=encoded.type,
            schema=encoded.schema,
            case_id=Id(case_id) if case_id else None,
            after=after,
            in_reply_to=in_reply_to,
            recorded_on=20_000,
            personal_key=(personal_key or case_key.key_id) if case_id else None,
            content=encoded.facts,
        )
        told = encode_personal(Personal(recorded_at=exchange.clock.now, content=encoded.personal + spoil))
        place = {"channel": channel, "event_id": event_id}
        sealed = seal(facts_key.key, Part.FACTS, spoil_facts(encode_facts(said)), salt=office.random(32), **place)  # type: ignore[arg-type]  # a place
        part = seal(case_key.key, Part.PERSONAL, told, salt=office.random(32), **place)  # type: ignore[arg-type]
        office.letterbook.keep_part(digest_of(part), part)
        body = Sealed(facts_key=facts_key.key_id, facts=digest_of(sealed), personal=digest_of(part))
        sign_body(office, Draft(channel=channel, event_id=event_id, body=body, facts=sealed))
