"""Lies about who signed: the signature is another, or it is the right one in another form."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from services.wire.channels import COMMISSION, record_of
from services.wire.contents import CertificateRotated, Held, Receipt, encode_open
from services.wire.entry import decode_entry, to_be_signed
from services.wire.errors import ForkError, SignatureError
from services.wire.signing import sign
from tests.attacks.lies import high, longer_der, with_signature
from tests.attacks.workshop import RECORD, SEALS, TO, Workshop
from tests.chains import SCHOOL, Seal, key_of, seal_of
from tests.troubles import settled


def is_a_signature(record: bytes) -> bool:
    """Tell whether ECDSA itself takes the signature of a record that names the school's certificate."""
    entry = decode_entry(record)
    try:
        key_of("old").public_key().verify(entry.signature, to_be_signed(entry.statement_bytes), ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def refused(shop: Workshop, change: Callable[[bytes], bytes], text: str) -> bytes:
    """Let a request stand there under another signature: it is caught, and the genuine one is not hidden by it."""
    case_id, genuine = shop.requested()
    lie = with_signature(genuine, change)
    shop.instead(lie)
    fault = shop.caught(SignatureError, text)
    assert (fault["epoch"], fault["sequence"], fault["raw"]) == (0, decode_entry(genuine).sequence, lie)
    assert fault["found"] == (decode_entry(lie).signature.hex() or "nothing")
    assert shop.commission.state(case_id) == ""
    shop.goes_on()
    shop.shown(genuine)
    assert shop.commission.state(case_id) == "Received"
    return lie


def test_a_forged_signature(shop: Workshop) -> None:
    statement = decode_entry(shop.pen().confirmed()).statement_bytes
    refused(shop, lambda _: sign(key_of("thief"), to_be_signed(statement)), "not by the certificate that the entry names")


def test_a_high_s_signature(shop: Workshop) -> None:
    assert is_a_signature(refused(shop, high, "s in the upper half"))


def test_a_re_encoded_signature(shop: Workshop) -> None:
    refused(shop, longer_der, "not in minimal DER")


def test_a_swapped_signature(shop: Workshop) -> None:
    other = decode_entry(shop.there[TO][0]).signature
    refused(shop, lambda _: other, "not by the certificate that the entry names")


def test_an_empty_signature(shop: Workshop) -> None:
    refused(shop, lambda _: b"", "not DER")


def test_a_signature_by_the_right_key_over_the_statement_without_its_frame(shop: Workshop) -> None:
    case_id, genuine = shop.requested()
    shop.instead(with_signature(genuine, lambda _: sign(key_of("old"), decode_entry(genuine).statement_bytes)))
    shop.caught(SignatureError, "not by the certificate that the entry names")
    assert shop.commission.state(case_id) == ""
    shop.goes_on()


def test_a_twin_beside_the_genuine_entry_is_neither_an_entry_nor_a_fork(shop: Workshop) -> None:
    case_id, genuine = shop.requested()
    shop.instead(genuine, with_signature(genuine, high), genuine)
    assert shop.commission.state(case_id) == "Received"
    assert shop.findings() == []
    shop.goes_on(SCHOOL)


def test_whoever_signs_with_my_key_in_my_channel(shop: Workshop) -> None:
    thief = shop.pen(RECORD)
    shop.there[RECORD].append(thief.confirmed())
    shop.clock.now += 3_600_000
    with pytest.raises(ForkError, match="under my key that I did not write") as caught:
        settled(shop)
    evidence = caught.value.evidence
    assert (evidence.channel, evidence.sequence) == (RECORD, thief.sequence)
    assert evidence.raw == shop.there[RECORD][-1]
    assert (evidence.expected, evidence.found) == ("nothing yet", thief.previous.hex())
    standing = shop.members[SCHOOL].office.letterbook.standing(RECORD)
    assert standing is not None
    assert standing.state == "stopped"
    del shop.members[SCHOOL]
    shop.goes_on()


def test_a_receipt_that_a_stranger_signed_moves_nothing(shop: Workshop) -> None:
    pen = shop.pen(seal=seal_of("stranger"))
    standing = shop.commission.office.letterbook.standing(record_of(COMMISSION))
    own = Held(channel=TO, epoch=pen.epoch, sequence=pen.sequence, digest=pen.previous)
    assert standing is not None
    pen.seal = Seal(pen.seal.key, SEALS[SCHOOL][1].certificate)
    shop.shown(pen.write(encode_open(Receipt(held=(own,), record=standing.place.digest)), None, None))
    shop.caught(SignatureError, "not by the certificate that the entry names")
    shop.goes_on(SCHOOL)


def test_a_rotation_that_a_stranger_signed_makes_nobody_current(shop: Workshop) -> None:
    stranger = seal_of("stranger")
    pen = shop.pen(seal=Seal(stranger.key, SEALS[SCHOOL][1].certificate))
    shop.shown(pen.write(encode_open(CertificateRotated(certificates=(stranger.certificate.der,))), None, None))
    shop.caught(SignatureError, "not by the certificate that the entry names")
    shop.goes_on(SCHOOL)
