"""Lies in letters: keys that are given again, by another, to another, for another case, or under another key's name."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Final
from uuid import UUID

import pytest

from services.wire import avro, grants
from services.wire.channels import COMMISSION, mailbox_of
from services.wire.entry import decode_entry
from services.wire.errors import CertificateError, GrantError, MalformedError, SignatureError, VerificationError
from services.wire.grants import SUITE, GrantedKey, GrantHeader, KeyUse, decode_grant, make_grant, prekey_id
from services.wire.hashing import Id, digest_of, pre_authentication_encoding
from services.wire.sealing import key_id
from services.wire.signing import sign
from tests.attacks.workshop import FROM, OTHER, SEALS, TO, Workshop
from tests.chains import SCHOOL, Seal, seal_of
from tests.troubles import settled

OLD: Final = SEALS[SCHOOL][1]
KEY: Final = bytes(range(32))
MAILBOX: Final = mailbox_of(COMMISSION)


def public_key(shop: Workshop, reader: str = COMMISSION) -> bytes:
    current = shop.members[reader].office.ring.current_encryption_key()
    assert current is not None
    return current.public_key


def header(shop: Workshop, *, key: bytes = KEY, channel: str = TO, recipient: str = COMMISSION) -> GrantHeader:
    return GrantHeader(
        grant_id=Id(bytes(16)),
        channel=channel,
        certificate=OLD.certificate.digest,
        recipient=recipient,
        prekey=prekey_id(SUITE, public_key(shop)),
        key_id=key_id(key),
        issued_at=shop.clock.now,
    )


def letter(shop: Workshop, granted: GrantedKey, *, seal: Seal = OLD, head: GrantHeader | None = None) -> bytes:
    """Return a letter to the commission, with a header that says what the liar likes, signed by ``seal``."""
    said = head or header(shop, key=granted.key)
    plaintext = avro.encode(avro.load_schema("wire/GrantedKey.avsc"), {**asdict(granted), "use": granted.use.value})
    sealed = grants.encrypt_to(public_key(shop), plaintext, grants._info(said))  # noqa: SLF001  # a liar's tool
    return framed(said, sealed, seal)


def framed(head: GrantHeader, sealed: bytes, seal: Seal) -> bytes:
    grant = avro.encode(avro.load_schema("wire/Grant.avsc"), {"header": asdict(head), "sealed": sealed})
    schema = avro.load_schema("wire/KeyGrant.avsc")
    signed = pre_authentication_encoding(b"application/vnd.sarakste.key-grant.v0+avro", grant)
    letter = {"grant": grant, "signature": sign(seal.key, signed)}
    return avro.single_object_header(schema) + avro.encode(schema, letter)


def facts_key(key: bytes = KEY) -> GrantedKey:
    return GrantedKey(key=key, use=KeyUse.FACTS, case_id=None)


def ring(shop: Workshop, reader: str = COMMISSION) -> list[tuple[object, ...]]:
    rows = shop.members[reader].office.database.all("SELECT key_id, key_use, channel, case_id FROM keys ORDER BY key_id")
    return [tuple(row) for row in rows]


def refused(shop: Workshop, lie: bytes, error: type[VerificationError], text: str) -> None:
    """Let a letter lie in the commission's mailbox: it is caught, no key comes from it, and honest letters are taken in."""
    before = ring(shop)
    shop.shown(lie, channel=MAILBOX)
    if error is CertificateError:
        # It may only be early: its channel's rotation is on the way. Kept at once, it is told when it stays.
        assert [fault["raw"] for fault in shop.faults(COMMISSION, MAILBOX)] == [lie]
        assert not told_of_letters(shop)
        shop.quarter_of_an_hour()
        assert len(told_of_letters(shop)) == 1
    fault = shop.caught(error, text, channel=MAILBOX)
    assert fault["raw"] == lie
    assert ring(shop) == before
    shop.goes_on(SCHOOL, OTHER)
    assert len(ring(shop)) > len(before)


def told_of_letters(shop: Workshop) -> list[str]:
    return [alarm for alarm in shop.commission.alarms if alarm.startswith("letters were not taken in")]


@pytest.mark.parametrize("is_begun_again", [False, True])
def test_a_letter_that_came_before_the_rotation_is_taken_in_after_it_and_nobody_is_called(
    shop: Workshop, *, is_begun_again: bool
) -> None:
    """Its writer was interrupted between the letter, which goes out first, and the entries before it."""
    new = seal_of("new")
    early = letter(shop, facts_key(), seal=new, head=replace(header(shop), certificate=new.certificate.digest))
    shop.shown(early, channel=MAILBOX)
    assert [fault["raw"] for fault in shop.faults(COMMISSION, MAILBOX)] == [early]
    if is_begun_again:
        shop.enter(COMMISSION, *SEALS[COMMISSION])
    shop.there[TO].append(shop.pen(TO).rotated(new))
    while shop.commission.work():
        pass
    assert key_id(KEY) in {row[0] for row in ring(shop)}
    assert shop.faults(COMMISSION, MAILBOX) == []
    shop.clock.now += 1_000_000
    shop.commission.work()
    assert told_of_letters(shop) == []


def test_a_letter_that_stays_is_told_once_and_taken_in_all_the_same_when_its_rotation_comes(shop: Workshop) -> None:
    new = seal_of("new")
    early = letter(shop, facts_key(), seal=new, head=replace(header(shop), certificate=new.certificate.digest))
    shop.shown(early, channel=MAILBOX)
    # Other news come meanwhile, and it is tried again with each.
    for _ in range(4):
        shop.clock.now += 300_000
        shop.goes_on(OTHER)
    # The time runs from when it came, not from when it was tried last.
    assert len(told_of_letters(shop)) == 1
    shop.there[TO].append(shop.pen(TO).rotated(new))
    shop.commission.receiver.mailbox.read_again()
    while shop.commission.work():
        pass
    assert key_id(KEY) in {row[0] for row in ring(shop)}
    assert shop.faults(COMMISSION, MAILBOX) == []


def test_a_flood_of_letters_that_might_be_early_is_told_at_once(shop: Workshop) -> None:
    thief = seal_of("thief")
    heads = [replace(header(shop), certificate=thief.certificate.digest, grant_id=Id(bytes([each]) * 16)) for each in range(150)]
    shop.shown(*(letter(shop, facts_key(), seal=thief, head=each) for each in heads), channel=MAILBOX)
    assert len(shop.faults(COMMISSION, MAILBOX)) == 100
    assert len(told_of_letters(shop)) == 1
    shop.goes_on(SCHOOL, OTHER)


def test_a_grant_replayed_changes_nothing(shop: Workshop) -> None:
    shop.goes_on(SCHOOL)
    before = ring(shop)
    shop.shown(*shop.letters(COMMISSION), *shop.letters(COMMISSION), channel=MAILBOX)
    assert ring(shop) == before
    assert shop.faults(COMMISSION, MAILBOX) == []
    shop.goes_on(SCHOOL)


def test_a_grant_replayed_after_its_key_was_erased(shop: Workshop) -> None:
    shop.goes_on(SCHOOL)
    office = shop.commission.office
    office.database.run("UPDATE keys SET wrapped = NULL, erased_at = ? WHERE key_use = 'CASE' AND channel = ?", 1, TO)
    shop.shown(*shop.letters(COMMISSION), channel=MAILBOX)
    rows = office.database.all("SELECT wrapped FROM keys WHERE key_use = 'CASE' AND channel = ?", TO)
    assert [row["wrapped"] for row in rows] == [None]
    shop.goes_on(SCHOOL)


def test_a_grant_re_signed_by_somebody_without_the_certificate(shop: Workshop) -> None:
    genuine = decode_grant(letter(shop, facts_key()))
    lie = framed(genuine.header, genuine.sealed, seal_of("thief"))
    refused(shop, lie, SignatureError, "not by this key over these bytes")


def test_a_grant_re_signed_under_a_certificate_that_is_not_current(shop: Workshop) -> None:
    thief = seal_of("thief")
    lie = letter(shop, facts_key(), seal=thief, head=replace(header(shop), certificate=thief.certificate.digest))
    refused(shop, lie, CertificateError, "not signed with the certificate that is current in its channel")


def test_a_grant_for_another_channel_than_its_signers(shop: Workshop) -> None:
    lie = letter(shop, facts_key(), head=replace(header(shop), channel=f"{OTHER}.to-commission"))
    refused(shop, lie, CertificateError, "not signed with the certificate that is current in its channel")


def test_a_grant_for_another_recipient(shop: Workshop) -> None:
    refused(shop, letter(shop, facts_key(), head=header(shop, recipient=OTHER)), GrantError, "for somebody else")


def test_a_grant_sealed_for_another_header(shop: Workshop) -> None:
    genuine = decode_grant(letter(shop, facts_key()))
    refused(shop, framed(replace(genuine.header, grant_id=Id(b"another header!!")), genuine.sealed, OLD), GrantError, "not open")


def test_a_grant_to_a_key_that_is_nobodys(shop: Workshop) -> None:
    lie = letter(shop, facts_key(), head=replace(header(shop), prekey=digest_of(b"nobody's")))
    refused(shop, lie, GrantError, "sealed to a key that is not mine or is gone")


def test_a_grant_with_a_key_id_of_another_key(shop: Workshop) -> None:
    lie = letter(shop, facts_key(), head=header(shop, key=bytes(32)))
    refused(shop, lie, GrantError, "holds another key than it names")


def test_a_grant_of_half_a_case(shop: Workshop) -> None:
    lie = letter(shop, GrantedKey(key=KEY, use=KeyUse.CASE, case_id=None))
    refused(shop, lie, GrantError, "a case exactly when")


def granted_case_key(shop: Workshop) -> GrantedKey:
    """Return the key of a case of the school's, which the commission holds."""
    shop.goes_on(SCHOOL)
    office = shop.members[SCHOOL].office
    row = office.database.one("SELECT key_id FROM keys WHERE key_use = 'CASE' AND channel = ? AND made_here = 1", TO)
    assert row is not None
    key = office.ring.get(row["key_id"])
    assert key is not None
    assert key.case_id is not None
    return GrantedKey(key=key.key, use=KeyUse.CASE, case_id=Id(key.case_id))


def test_a_grant_of_a_held_key_for_another_case(shop: Workshop) -> None:
    lie = replace(granted_case_key(shop), case_id=Id(UUID(int=9).bytes))
    refused(shop, letter(shop, lie), GrantError, "known here for another use")


def test_a_grant_of_a_held_key_for_another_use(shop: Workshop) -> None:
    lie = facts_key(granted_case_key(shop).key)
    refused(shop, letter(shop, lie), GrantError, "known here for another use")


def test_a_grant_that_plants_a_key_under_my_name(shop: Workshop) -> None:
    lie = letter(shop, facts_key(), head=replace(header(shop), channel=FROM))
    refused(shop, lie, GrantError, "a key is given back that nothing of mine was sealed under")


@pytest.mark.parametrize("change", [lambda record: record + b"\x00", lambda record: record[:-1], lambda record: record[:40]])
def test_a_grant_that_is_cut_or_goes_on(shop: Workshop, change: object) -> None:
    lie: bytes = change(letter(shop, facts_key()))  # type: ignore[operator]  # one of the above
    refused(shop, lie, MalformedError, "KeyGrant")


def test_a_grant_over_its_limit_and_what_is_no_grant(shop: Workshop) -> None:
    refused(shop, letter(shop, facts_key()) + bytes(20_000), GrantError, "over the limit of a grant")
    entry = shop.there[TO][0]
    shop.shown(entry, channel=MAILBOX)
    assert [fault["raw"] for fault in shop.faults(COMMISSION, MAILBOX)][1:] == [entry]
    assert decode_entry(entry).channel == TO


def test_a_flood_of_letters_is_capped_and_told_in_few_lines(shop: Workshop) -> None:
    letters = [make_grant(OLD.key, header(shop, recipient=OTHER), facts_key(), public_key=public_key(shop)) for _ in range(150)]
    shop.shown(*letters, channel=MAILBOX)
    assert len(shop.faults(COMMISSION, MAILBOX)) == 100
    assert sum("letters were not taken in" in alarm for alarm in shop.commission.alarms) == 1
    settled(shop)
    shop.goes_on(SCHOOL, OTHER)
