"""The golden vectors: rebuilt byte for byte, read by another Avro library, verified by another program."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import avro.io as avro_io
import avro.schema as avro_schema
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.audit.verify import open_log, verify_log
from services.channel.embedded import EmbeddedChannel
from services.wire.candidates import Junk, candidate_of
from services.wire.certificates import load_root
from services.wire.channels import from_commission, to_commission
from services.wire.contents import decode_facts, decode_open
from services.wire.entry import Open, decode_entry, to_be_signed
from services.wire.grants import SUITE, decode_grant, open_grant, prekey_id
from services.wire.hashing import Id, pre_authentication_encoding
from services.wire.sealing import Part, key_id, open_part
from services.wire.signing import sign
from tests.chains import SCHOOL, key_of, registrar_seal, seal_of
from tests.vectors.make import COMMISSION_SEAL, ENCRYPTION_KEY, FOLDER, grant_header, made

SEALS = [
    *(registrar_seal(name) for name in ("registrar", "registrar, second")),
    *(seal_of(f"school, {name}") for name in ("first", "second", "third")),
    seal_of(*COMMISSION_SEAL),
    seal_of("auditor", "NTRLV-90000000004"),
]


def vector(name: str) -> Any:
    return json.loads((FOLDER / name).read_text("utf-8"))


def all_records() -> list[tuple[str, bytes]]:
    found = vector("channels.json")["channels"]
    return [(channel, bytes.fromhex(each["record"])) for channel, records in found.items() for each in records]


@pytest.mark.parametrize("name", ["channels.json", "sealed.json", "bad.json"])
def test_the_vectors_are_made_again_byte_for_byte(name: str) -> None:
    assert json.loads(json.dumps(made()[name])) == vector(name)


def test_every_kind_of_open_entry_stands_among_the_vectors() -> None:
    bodies = [decode_entry(record).unverified_statement.body for _, record in all_records()]
    kinds = {body.type for body in bodies if isinstance(body, Open)}
    assert kinds == {path.stem for path in (FOLDER.parent / "open").glob("*.avsc")}
    assert all(decode_open(body) is not None for body in bodies if isinstance(body, Open))


def test_verify_takes_a_log_that_was_made_by_hand_from_the_vectors(tmp_path: Path) -> None:
    log = EmbeddedChannel(tmp_path / "log.sqlite", clock=lambda: 0)
    for channel, record in all_records():
        log.append(channel, [record])
    log.close()
    report = verify_log(open_log(tmp_path / "log.sqlite"), load_root((FOLDER / "root.pem").read_bytes()))
    assert report.findings == []
    entries = {each.channel: each.entries for each in report.channels}
    assert entries[to_commission(SCHOOL)] == 9
    assert sum(entries.values()) == len(all_records())


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


def test_the_sealed_event_opens_with_its_keys_in_its_place() -> None:
    found = {name: bytes.fromhex(value) for name, value in vector("sealed.json").items() if name != "channel"}
    channel, event_id = from_commission(SCHOOL), Id(found["event_id"])
    facts = open_part(found["facts_key"], Part.FACTS, found["sealed_facts"], channel=channel, event_id=event_id)
    assert facts == found["facts"]
    assert decode_facts(facts).personal_key == key_id(found["case_key"]) == found["case_key_id"]
    personal = open_part(found["case_key"], Part.PERSONAL, found["sealed_personal"], channel=channel, event_id=event_id)
    assert personal == found["personal"]


def test_the_grant_opens_with_its_private_key_and_is_framed_and_signed_as_it_stands() -> None:
    told = vector("grant.json")
    grant = decode_grant(bytes.fromhex(told["record"]))
    assert grant.header == grant_header()
    signed = pre_authentication_encoding(b"application/vnd.sarakste.key-grant.v0+avro", grant.grant_bytes)
    assert grant.signature == sign(key_of(COMMISSION_SEAL[0]), signed)
    public = seal_of(*COMMISSION_SEAL).certificate.public_key
    keys = {prekey_id(SUITE, ENCRYPTION_KEY.public_key): ENCRYPTION_KEY}
    opened = open_grant(grant, public, recipient=SCHOOL, keys=keys)
    assert opened.key.hex() == told["key"]


@pytest.mark.parametrize("fault", list(vector("bad.json")))
def test_a_bad_vector_is_no_candidate(fault: str) -> None:
    assert isinstance(candidate_of(bytes.fromhex(vector("bad.json")[fault]), to_commission(SCHOOL)), Junk)
