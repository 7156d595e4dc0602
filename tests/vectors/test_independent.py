"""The specification says enough: a reader that knows nothing of ours reads the vectors, and refuses the bad ones."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import avro.schema
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, x25519
from cryptography.hazmat.primitives.serialization import Encoding

from examples.verify_log import TRUST, Reading, Report, Trust, read_record
from tests.vectors import independent
from tests.vectors.independent import (
    SCHEMAS,
    WIRE,
    BadError,
    decode,
    digest,
    encode,
    pae,
    unseal,
    vector,
)

ROOT = x509.load_pem_x509_certificate((SCHEMAS / "vectors/root.pem").read_bytes()).public_bytes(Encoding.DER)
CHANNELS = {
    name: [bytes.fromhex(each["record"]) for each in records] for name, records in vector("channels.json")["channels"].items()
}
BAD = vector("bad.json")
FILES = {path.stem: independent.schema(f"proofs/{path.stem}") for path in (SCHEMAS / "proofs").glob("Disclos*.avsc")}
SUITE = b"MLKEM768_X25519-HKDF_SHA256-AES_256_GCM"


def test_it_imports_nothing_of_ours() -> None:
    tree = ast.parse(Path(independent.__file__).read_text("utf-8"))
    names = {each.module or "" for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)}
    names |= {one.name for each in ast.walk(tree) if isinstance(each, ast.Import) for one in each.names}
    assert not {name for name in names if name.partition(".")[0] in ("services", "tests", "examples", "fastavro")}


@pytest.fixture(scope="module")
def report() -> Report:
    return Report(CHANNELS, ROOT)


@pytest.mark.parametrize("channel", CHANNELS)
def test_it_takes_what_stands_in_the_channels(channel: str, report: Report) -> None:
    told = vector("channels.json")["channels"][channel]
    reading = report.readings[channel]
    missed = {each["digest"] for each in told} - {each.digest.hex() for each in reading.taken}
    assert reading.state == "reading"
    assert len(missed) == (1 if channel.endswith("to-commission") else 0)
    assert {each["digest"] for each in told} == {each.hex() for each in reading.candidates}
    assert report.findings == {}


@pytest.mark.parametrize("told", vector("reading.json"), ids=lambda told: told["name"])
def test_it_reads_each_set_of_records_as_the_rule_says(told: dict[str, Any]) -> None:
    registrar = Reading(TRUST, map(bytes.fromhex, told["trust"]), ROOT, Trust())
    trust = Trust(registrar.said(), ROOT)
    reading = Reading(told["channel"], map(bytes.fromhex, told["records"]), ROOT, trust)
    assert (reading.state, [each.digest.hex() for each in reading.taken]) == (told["state"], told["taken"])
    assert (reading.missing({}) is None) == (told["gap"] is None)


def entries(channel: str) -> dict[tuple[int, int], tuple[dict[str, Any], dict[str, Any]]]:
    """Return the entries and statements of a channel by their places, as Apache's package decodes them."""
    found = [decode(WIRE["Entry"], record[10:]) for record in CHANNELS[channel]]
    pairs = [(entry, decode(WIRE["Statement"], entry["statement"])) for entry in found]
    return {(statement["epoch"], statement["sequence"]): (entry, statement) for entry, statement in pairs}


@pytest.mark.parametrize("told", vector("events.json"), ids=lambda told: f"{told['channel']} {told['sequence']}")
def test_it_opens_every_sealed_event(told: dict[str, Any], report: Report) -> None:
    said = report.readings[TRUST].said()
    schemas = {digest(says["file"]): says["file"] for each, says in said if each.type == "SchemaPublished"}
    entry, statement = entries(told["channel"])[told["epoch"], told["sequence"]]
    key, event_id = bytes.fromhex(told["facts_key"]), statement["event_id"]
    assert digest(encode(WIRE["Sealed"], statement["body"])).hex() == told["body_digest"]
    facts = decode(WIRE["Facts"], unseal("facts", entry["facts"], key, told["channel"], event_id))
    source = json.loads(schemas[facts["schema"]])
    assert facts["type"] == told["type"] == source["name"]
    assert plain(decode(part(source, 0), facts["content"])) == told["says"]
    if entry["personal"] is not None:
        key = bytes.fromhex(told["personal_key"])
        personal = decode(WIRE["Personal"], unseal("personal", entry["personal"], key, told["channel"], event_id))
        assert plain(decode(part(source, 1), personal["content"])) == told["says_personally"]


def part(source: dict[str, Any], index: int) -> Any:
    return avro.schema.parse(json.dumps({"namespace": source["namespace"], **source["fields"][index]["type"]}))


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=lambda each: each.hex() if isinstance(each, bytes) else each.isoformat()))


@pytest.mark.parametrize("fault", BAD["records"])
def test_it_refuses_each_bad_record(fault: str) -> None:
    assert isinstance(read_record(bytes.fromhex(BAD["records"][fault]), BAD["channel"], 0), tuple)


@pytest.mark.parametrize("fault", BAD["sealed"])
def test_it_opens_no_bad_part(fault: str) -> None:
    told = BAD["sealed"][fault]
    key, event_id, sealed = (bytes.fromhex(told[name]) for name in ("key", "event_id", "sealed"))
    with pytest.raises(BadError):
        unseal(told["part"], sealed, key, told["channel"], event_id)


def test_it_takes_the_grant_in(report: Report) -> None:
    told = vector("grant.json")
    record = bytes.fromhex(told["record"])
    assert record.startswith(bytes.fromhex("c3019046074a95a5fa7e"))
    letter = decode(WIRE["KeyGrant"], record[10:])
    grant = decode(WIRE["Grant"], letter["grant"])
    header = grant["header"]
    leaf = report.readings[header["channel"]].head.leaf
    assert leaf is not None
    signed = pae(b"application/vnd.sarakste.key-grant.v0+avro", letter["grant"])
    leaf.public_key.verify(letter["signature"], signed, ec.ECDSA(hashes.SHA256()))
    kem = mlkem.MLKEM768PrivateKey.from_seed_bytes(bytes.fromhex(told["seed"]))
    point = x25519.X25519PrivateKey.from_private_bytes(bytes.fromhex(told["scalar"]))
    public = kem.public_key().public_bytes_raw() + point.public_key().public_bytes_raw()
    assert header["prekey"] == digest(SUITE + b"\0" + public)
    suite = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    info = b"sarakste/v0/key-grant\0" + encode(WIRE["GrantHeader"], header)
    opened = suite.decrypt(grant["sealed"], hpke.MLKEM768X25519PrivateKey(kem, point), info=info)
    held = decode(WIRE["GrantedKey"], opened)
    assert (held["key"].hex(), held["use"], held["case_id"].hex()) == (told["key"], "CASE", told["case_id"])


def test_it_reads_the_disclosure_and_finds_the_mandate_and_each_part_by_its_commitment() -> None:
    told = vector("disclosure.json")
    file = bytes.fromhex(told["file"])
    assert file.startswith(bytes.fromhex("c3019b9ba0d39a831a77"))
    disclosure = decode(FILES["Disclosure"], file[10:])
    header = disclosure["header"]
    kem = mlkem.MLKEM768PrivateKey.from_seed_bytes(bytes.fromhex(told["seed"]))
    point = x25519.X25519PrivateKey.from_private_bytes(bytes.fromhex(told["scalar"]))
    suite = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    info = b"sarakste/v0/disclosure\0" + encode(FILES["DisclosureHeader"], header)
    opened = suite.decrypt(disclosure["sealed"], hpke.MLKEM768X25519PrivateKey(kem, point), info=info)
    keys = decode(FILES["DisclosedKeys"], opened)["keys"]
    sealed = {statement["event_id"]: (entry, statement["body"]) for entry, statement in entries(header["channel"]).values()}
    own = sealed[keys[0]["event_id"]][1]
    assert own["facts"] == header["mandate"]
    body = digest(encode(WIRE["Sealed"], own)).hex()
    mandate = next(each for each in vector("events.json") if each["body_digest"] == body)
    assert mandate["says"]["parts"] == [sealed[each["event_id"]][1][each["part"].lower()].hex() for each in keys[1:]]
    for each in keys:
        part_of = sealed[each["event_id"]][0][each["part"].lower()]
        assert part_of[32:64] == digest(b"sarakste/v0/commitment\0" + each["key"])
