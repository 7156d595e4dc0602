"""The golden vectors: rebuilt byte for byte, read by another Avro library, verified by another program."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import avro.io as avro_io
import avro.schema as avro_schema
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from examples import check_proof as second
from services.audit.proof_files import decode_heads, kind_of
from services.audit.proofs import check_consistency, check_heads, check_proof, check_split
from services.channel.embedded import EmbeddedChannel
from services.wire.audience import AUDIENCE
from services.wire.candidates import Junk, candidate_of
from services.wire.certificates import load_root
from services.wire.channels import COMMISSION, record_of, to_commission
from services.wire.contents import Checkpoint, Receipt, decode_facts, decode_open, decode_personal
from services.wire.disclosures import decode_disclosure, open_disclosure
from services.wire.entry import Open, body_digest, decode_entry, decode_statement, to_be_signed
from services.wire.errors import GrantError, SealError, SignatureError, VerificationError
from services.wire.grants import SUITE, decode_grant, open_grant, prekey_id
from services.wire.hashing import Digest, Id
from services.wire.records import SchemaBook, own_schemas
from services.wire.sealing import Part, open_part, open_with_part_key
from tests.chains import SCHOOL, registrar_seal, seal_of
from tests.vectors.faults import grant_made
from tests.vectors.make import (
    AUDITOR,
    COMMISSION_SEAL,
    ENCRYPTION_KEY,
    FOLDER,
    Exchange,
    disclosure_header,
    disclosure_told,
    grant_header,
    granted,
    made,
)
from tests.vectors.scribe import plain
from tests.verifying import verified_file

SEALS = [
    *(registrar_seal(name) for name in ("registrar", "registrar, second")),
    *(seal_of(f"school, {name}") for name in ("first", "second", "third")),
    seal_of(*COMMISSION_SEAL),
    seal_of("auditor", "NTRLV-90000000004"),
]


CHECKS: dict[str, Callable[..., Any]] = {
    "Proof": check_proof,
    "Heads": check_heads,
    "Split": check_split,
    "Consistency": check_consistency,
}


def vector(name: str) -> Any:
    return json.loads((FOLDER / name).read_text("utf-8"))


BAD = vector("bad.json")


def all_records() -> list[tuple[str, bytes]]:
    found = vector("channels.json")["channels"]
    return [(channel, bytes.fromhex(each["record"])) for channel, records in found.items() for each in records]


@pytest.mark.parametrize("name", ["channels.json", "events.json", "reading.json", "bad.json", "proofs.json"])
def test_the_vectors_are_made_again_byte_for_byte(name: str) -> None:
    assert json.loads(json.dumps(made()[name])) == vector(name)


def test_every_kind_of_open_entry_stands_among_the_vectors() -> None:
    bodies = [decode_entry(record).unverified_statement.body for _, record in all_records()]
    kinds = {body.type for body in bodies if isinstance(body, Open)}
    assert kinds == {path.stem for path in (FOLDER.parent / "open").glob("*.avsc")}
    assert all(decode_open(body) is not None for body in bodies if isinstance(body, Open))


def test_every_type_of_event_stands_among_the_vectors_sealed() -> None:
    assert {each["type"] for each in vector("events.json")} == set(AUDIENCE)


def test_both_receipts_stand_among_the_vectors_with_and_without_a_record() -> None:
    bodies = [decode_entry(record).unverified_statement.body for _, record in all_records()]
    receipts = [decode_open(body) for body in bodies if isinstance(body, Open) and body.type == "Receipt"]
    shapes = {(len(each.held), each.record is not None) for each in receipts if isinstance(each, Receipt)}
    assert shapes == {(3, False), (3, True), (2, False)}


def test_verify_takes_a_log_that_was_made_by_hand_from_the_vectors(tmp_path: Path) -> None:
    log = EmbeddedChannel(tmp_path / "log.sqlite", clock=lambda: 0)
    for channel, record in all_records():
        log.append(channel, [record])
    log.close()
    report = verified_file(tmp_path / "log.sqlite", load_root((FOLDER / "root.pem").read_bytes()))
    assert report.findings == []
    entries = {each.channel: each.entries for each in report.channels}
    # All but one, which the epoch overruled.
    assert sum(entries.values()) == len(all_records()) - 1
    by_name = {each.channel: each for each in report.channels}
    assert by_name[to_commission(SCHOOL)].notes == [
        "beside the chain stand 1 that are not taken: overruled, out of reach, or a stranger's",
        "the personal part of 0/11 is not here",
    ]
    assert by_name[record_of(COMMISSION)].receipted > 0


@pytest.mark.parametrize("name", vector("proofs.json")["files"])
def test_both_readers_take_each_proof_file_with_the_root_alone(name: str) -> None:
    data, root = bytes.fromhex(vector("proofs.json")["files"][name]), load_root((FOLDER / "root.pem").read_bytes())
    assert CHECKS[kind_of(data)](data, root)
    assert second.checked(data, root.der)


@pytest.mark.parametrize("name", vector("proofs.json")["bad"])
def test_neither_reader_takes_a_proof_file_with_a_fault(name: str) -> None:
    data, root = bytes.fromhex(vector("proofs.json")["bad"][name]), load_root((FOLDER / "root.pem").read_bytes())
    with pytest.raises(VerificationError):
        CHECKS[kind_of(data)](data, root)
    with pytest.raises(ValueError, match=r"\w"):
        second.checked(data, root.der)


def test_the_checkpoint_among_the_vectors_is_the_root_over_the_channels_before_it() -> None:
    """Made by the definition alone: no frontier, no code of ours but the record of a head."""

    def h(*data: bytes) -> bytes:
        return hashlib.sha256(b"".join(data)).digest()

    def root_of(leaves: list[bytes]) -> bytes:
        if len(leaves) == 1:
            return leaves[0]
        split = 1 << (len(leaves) - 1).bit_length() - 1
        return h(b"\x01", root_of(leaves[:split]), root_of(leaves[split:]))

    data = bytes.fromhex(vector("proofs.json")["files"]["heads"])
    found = decode_heads(data)
    channels, leaves = vector("channels.json")["channels"], []
    for head in found.heads:
        digests = [bytes.fromhex(each["digest"]) for each in channels[head.channel][: head.size]]
        assert head.root == root_of([h(b"\x00", digest) for digest in digests])
        text, size = head.channel.encode(), head.size
        number = bytes([size << 1]) if size < 64 else bytes([(size << 1 & 0x7F) | 0x80, size >> 6])
        leaves.append(h(b"\x00", bytes([len(text) << 1]), text, b"\x00", number, head.root))
    body = decode_statement(found.checkpoint.statement).body
    assert isinstance(body, Open)
    assert decode_open(body) == Checkpoint(channels=len(leaves), root=Digest(root_of(leaves)))
    assert [each.channel for each in found.heads] == sorted(each for each in channels if each != "auditor-vk.record")


def test_apaches_own_avro_reads_every_entry_and_statement() -> None:
    schemas = {name: avro_schema.parse((FOLDER.parent / f"wire/{name}.avsc").read_text()) for name in ("Entry", "Statement")}

    def read(name: str, data: bytes) -> Any:
        decoder = avro_io.BinaryDecoder(io.BytesIO(data))
        return avro_io.DatumReader(schemas[name]).read(decoder)

    for channel, record in all_records():
        entry = read("Entry", record[10:])
        statement = read("Statement", entry["statement"])
        ours = decode_entry(record)
        assert (statement["channel"], statement["sequence"]) == (channel, ours.sequence)
        assert statement["previous"] == ours.unverified_statement.previous


def test_openssl_verifies_every_signature(tmp_path: Path) -> None:
    assert shutil.which("openssl"), "the openssl command is a part of these tests"
    keys = {seal.certificate.digest: seal for seal in SEALS}
    for number, (_, record) in enumerate(all_records()):
        entry = decode_entry(record)
        key = keys[entry.certificate].key.public_key()
        files = {
            "key.pem": key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "signed": to_be_signed(entry.statement_bytes),
            "signature": entry.signature,
        }
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        command = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "signed"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
        assert done.stdout.strip() == "Verified OK", number


def test_a_digest_is_the_hash_of_what_was_signed_and_nothing_else() -> None:
    for each in vector("channels.json")["channels"]["registrar.trust"]:
        statement = bytes.fromhex(each["statement"])
        framed = b"DSSEv1 42 application/vnd.sarakste.statement.v0+avro %d " % len(statement) + statement
        assert hashlib.sha256(framed).hexdigest() == each["digest"]


def test_every_sealed_event_opens_with_its_keys_in_its_place() -> None:
    book = SchemaBook(own_schemas())
    entries = {(each.channel, each.epoch, each.sequence): each for each in (decode_entry(one) for _, one in all_records())}
    for told in vector("events.json"):
        entry = entries[told["channel"], told["epoch"], told["sequence"]]
        body, event_id = entry.unverified_statement.body, entry.unverified_statement.event_id
        place = {"channel": told["channel"], "event_id": event_id}
        opened = open_part(bytes.fromhex(told["facts_key"]), Part.FACTS, entry.raw_facts or b"", **place)
        assert (opened.hex(), body_digest(body).hex()) == (told["facts"], told["body_digest"])
        facts = decode_facts(opened)
        assert plain(book.facts(facts.type, facts.schema, facts.content)) == told["says"]
        assert (facts.case_id is None) == (told["personal_key"] == told["facts_key"])
        if entry.raw_personal is not None:
            opened = open_part(bytes.fromhex(told["personal_key"]), Part.PERSONAL, entry.raw_personal, **place)
            assert opened.hex() == told["personal"]
            assert plain(book.personal(facts.type, facts.schema, decode_personal(opened).content)) == told["says_personally"]


def test_the_grant_opens_with_its_private_key_and_is_framed_and_signed_as_it_stands() -> None:
    told = vector("grant.json")
    grant = decode_grant(bytes.fromhex(told["record"]))
    assert grant.header == grant_header()
    assert grant_made(grant_header(), grant.sealed, COMMISSION_SEAL[0]).hex() == told["record"]
    public = seal_of(*COMMISSION_SEAL).certificate.public_key
    keys = {prekey_id(SUITE, ENCRYPTION_KEY.public_key): ENCRYPTION_KEY}
    opened = open_grant(grant, public, recipient=SCHOOL, keys=keys)
    assert opened == granted()
    assert (opened.key.hex(), (opened.case_id or b"").hex()) == (told["key"], told["case_id"])


def test_the_disclosure_opens_with_its_private_key_and_holds_keys_that_open_their_parts() -> None:
    told, exchange = vector("disclosure.json"), Exchange()
    found = decode_disclosure(bytes.fromhex(told["file"]))
    assert found.header == disclosure_header(exchange)
    keys = open_disclosure(found, recipient=AUDITOR, keys={found.header.prekey: ENCRYPTION_KEY})
    assert keys == exchange.disclosed_keys
    assert disclosure_told(exchange, bytes.fromhex(told["file"])) == told
    entries = {entry.unverified_statement.event_id: entry for entry in map(decode_entry, exchange.record.records)}
    for each in keys:
        entry = entries[each.event_id]
        sealed = entry.raw_facts if each.part is Part.FACTS else entry.raw_personal
        assert open_with_part_key(each.key, each.part, sealed or b"")


@pytest.mark.parametrize("fault", list(BAD["records"]))
def test_a_bad_record_is_no_candidate(fault: str) -> None:
    assert isinstance(candidate_of(bytes.fromhex(BAD["records"][fault]), BAD["channel"]), Junk)


@pytest.mark.parametrize("fault", list(BAD["sealed"]))
def test_a_bad_part_does_not_open(fault: str) -> None:
    told = BAD["sealed"][fault]
    key, event_id, sealed = (bytes.fromhex(told[name]) for name in ("key", "event_id", "sealed"))
    with pytest.raises(SealError):
        open_part(key, Part(told["part"]), sealed, channel=told["channel"], event_id=Id(event_id))


@pytest.mark.parametrize("fault", list(BAD["grants"]))
def test_a_bad_grant_is_not_taken_in(fault: str) -> None:
    public, keys = seal_of(*COMMISSION_SEAL).certificate.public_key, {prekey_id(SUITE, ENCRYPTION_KEY.public_key): ENCRYPTION_KEY}
    with pytest.raises((GrantError, SignatureError)):
        open_grant(decode_grant(bytes.fromhex(BAD["grants"][fault])), public, recipient=SCHOOL, keys=keys)
