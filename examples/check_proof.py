"""Check a proof file of an auditor with the root certificate alone: a second reader, for whoever does not trust the first.

    python examples/check_proof.py FILE root.pem

Written from schemas/README.md and the schemas beside it alone, without code of the product; needs `cryptography`, `fastavro`, and
the folder `schemas` beside this file or beside its folder.

It checks that an auditor whom the registrar admitted has vouched for an entry (a proof), for the heads of all channels (heads),
or for something that another auditor contradicts (a split), and that the entry is what its writer signed. It opens nothing that
is sealed and cannot tell whether what is said is true, nor whether a key was revoked since. It exits with 0 if it checks, with 4
if it does not, with 2 if there is none.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import fastavro
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding
from fastavro.schema import fingerprint, to_parsing_canonical_form

SCHEMAS: Final = {
    f"{path.parent.name}/{path.stem}": fastavro.parse_schema(json.loads(path.read_text("utf-8")))
    for folder in Path(__file__).resolve().parents[:2]
    for path in folder.glob("schemas/*/*.avsc")
}
SIGNED: Final = b"application/vnd.sarakste.statement.v0+avro"
TRUST: Final = "registrar.trust"
CHANNEL: Final = re.compile(r"[a-z][a-z0-9-]{1,47}\.(to-commission|from-commission|record)|registrar\.trust")
FILE_LIMIT, OPEN_LIMIT, STATEMENT_LIMIT, CERTIFICATE_LIMIT, PATH_LIMIT = 1024 * 1024, 262_144, 16_384, 16_384, 128
INTS, LONGS, TIMES = range(2**31), range(2**63), range(253_402_300_800_000)
RANGES: Final = {"epoch": INTS, "channels": INTS, "index": INTS, "sequence": LONGS[1:], "size": LONGS[1:], "written_at": TIMES}
HALF_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 // 2
SEAL_POLICY, REGISTRAR_POLICY = "2.25.210310059382976790741317229060794661868", "2.25.2482531799835540265018831985874075012"
ECDSA: Final = x509.SignatureAlgorithmOID.ECDSA_WITH_SHA256
KNOWN_EXTENSIONS: Final = {"2.5.29.19", "2.5.29.15", "2.5.29.32", "2.5.29.37", "2.5.29.35", "2.5.29.14"}
TLS: Final = {"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0"}
Record = Mapping[str, Any]


def require(rule: object, what: str) -> None:
    if not rule:
        raise ValueError(what)


def h(*data: bytes) -> bytes:
    return sha256(b"".join(data)).digest()


def decode(name: str, data: bytes) -> dict[str, Any]:
    """Return the record that this is the one right encoding of; ValueError if it is of none ("Notation")."""
    again = io.BytesIO()
    try:
        record: Any = fastavro.schemaless_reader(io.BytesIO(data), SCHEMAS[name], None)
        fastavro.schemaless_writer(again, SCHEMAS[name], record)
    except (ValueError, IndexError, EOFError, OverflowError, TypeError, KeyError, MemoryError) as error:
        raise ValueError(f"no {name}") from error
    require(again.getvalue() == data and is_in_range(record), f"{name} is not canonical, or a number is out of range")
    return dict(record)


def encode(name: str, record: Record) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, SCHEMAS[name], record)
    return out.getvalue()


def is_in_range(value: Any, name: str = "") -> bool:
    inner = value.items() if isinstance(value, dict) else [("", each) for each in value] if isinstance(value, list) else []
    return all(is_in_range(each, key) for key, each in inner) and (name not in RANGES or value in RANGES[name])


def extension(found: x509.Certificate, kind: type[x509.ExtensionType]) -> Any:
    return next((each.value for each in found.extensions if isinstance(each.value, kind)), None)


def leaf_of(path: Sequence[bytes], root: bytes, policy: str) -> tuple[Any, str]:
    """Return the key and the organisation of a path to the root ("Certificates"); ValueError if it is none."""
    try:
        require(len(path) in (1, 2) and root not in path, "a path")
        chain = [x509.load_der_x509_certificate(der) for der in (*path, root)]
        leaf, *above = chain
        for der, found, upper in zip((*path, root), chain, (*above, above[-1]), strict=True):
            require(len(der) <= CERTIFICATE_LIMIT and found.public_bytes(Encoding.DER) == der, "one encoding")
            require(der.endswith(b"\0" + found.signature) and found.version is x509.Version.v3, "whole bytes")
            require(found.signature_algorithm_oid == ECDSA and found.serial_number > 0, "its kind")
            require(all(each.oid.dotted_string in KNOWN_EXTENSIONS for each in found.extensions if each.critical), "known")
            constraints, usage = extension(upper, x509.BasicConstraints), extension(upper, x509.KeyUsage)
            require(constraints and constraints.ca and usage and usage.key_cert_sign, "a CA above")
            require(upper.not_valid_before_utc <= leaf.not_valid_before_utc <= upper.not_valid_after_utc, "valid then")
            found.verify_directly_issued_by(upper)
        require(all(extension(cross, x509.BasicConstraints).path_length == 0 for cross in above[:-1]), "path length 0")
        key, usage, constraints = leaf.public_key(), extension(leaf, x509.KeyUsage), extension(leaf, x509.BasicConstraints)
        require(isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1), "P-256")
        require(leaf.not_valid_before_utc <= leaf.not_valid_after_utc and not (constraints and constraints.ca), "a leaf")
        require(usage.content_commitment and not usage.key_cert_sign and not usage.crl_sign, "a seal")
        require(not TLS & {each.dotted_string for each in extension(leaf, x509.ExtendedKeyUsage) or ()}, "not for TLS")
        (organisation,) = leaf.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_IDENTIFIER)
        policies = {each.policy_identifier.dotted_string for each in extension(leaf, x509.CertificatePolicies)}
        require(policies & {SEAL_POLICY, REGISTRAR_POLICY} == {policy}, "its policy")
    except Exception as error:  # whatever a parser of hostile bytes raises, these certificates are simply no path
        raise ValueError("a certificate does not lead to the root for this use") from error
    return key, str(organisation.value)


def writer_of(channel: str) -> str:
    return "commission" if channel.endswith(".from-commission") else channel.partition(".")[0]


def statement_of(signed: Record) -> tuple[dict[str, Any], bytes]:
    """Return a statement and its digest ("Statement", "Signature")."""
    raw = signed["statement"]
    require(len(raw) <= OPEN_LIMIT, "a statement is over its limit")
    statement = decode("wire/Statement", raw)
    require("type" in statement["body"] or len(raw) <= STATEMENT_LIMIT, "a statement is over its limit")
    require(CHANNEL.fullmatch(statement["channel"]), "no channel has this name")
    return statement, h(b"DSSEv1 %d %s %d " % (len(SIGNED), SIGNED, len(raw)), raw)


def content_of(statement: Record, kind: str) -> dict[str, Any]:
    require(statement["body"].get("type") == kind, f"this is no {kind}")
    return decode(f"open/{kind}", statement["body"]["content"])


def require_signed(signed: Record, root: bytes, admitted: Record | None) -> None:
    """Return if an entry is signed by whoever may write its channel; None is the registrar."""
    statement, digest = statement_of(signed)
    key, organisation = leaf_of(tuple(signed["certificates"]), root, SEAL_POLICY if admitted else REGISTRAR_POLICY)
    require(h(signed["certificates"][0]) == statement["certificate"], "it names another certificate")
    if admitted is not None:
        channel, kind = statement["channel"], statement["channel"].partition(".")[2]
        require(organisation == admitted["organisation"], "a seal of another organisation")
        pairs = "Commission" if admitted["id"] == "commission" else "School"
        roles = ("School", "Commission", "Auditor") if kind == "record" else (pairs,)
        require(writer_of(channel) == admitted["id"] and admitted["role"] in roles, "another one writes this channel")
    r, s = utils.decode_dss_signature(signed["signature"])
    require(s <= HALF_ORDER and utils.encode_dss_signature(r, s) == signed["signature"], "not the one form of a signature")
    try:
        key.verify(signed["signature"], digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    except Exception as error:
        raise ValueError("a signature is not by this key") from error


def walk(first: int, last: int, path: Sequence[bytes]) -> list[tuple[bytes, bool]]:
    """Return the hashes beside the way to a root, and whether each stands left of it (RFC 9162, 2.1.3.2 and 2.1.4.2)."""
    found = []
    for each in path:
        require(last, "a path goes on above the root")
        is_left = bool(first & 1) or first == last
        while is_left and not first & 1 and first:
            first, last = first >> 1, last >> 1
        found.append((each, is_left))
        first, last = first >> 1, last >> 1
    require(not last, "a path ends below the root")
    return found


def require_in(root: bytes, size: int, leaf: bytes, index: int, path: Sequence[bytes]) -> None:
    require(0 <= index < size, "a leaf beyond the end of its tree")
    found = h(b"\0", leaf)
    for each, is_left in walk(index, size - 1, path):
        found = h(b"\1", each, found) if is_left else h(b"\1", found, each)
    require(found == root, "a path leads to another root")


def require_begins(root: bytes, size: int, old: bytes, older: int, path: Sequence[bytes]) -> None:
    """Return if the tree of ``size`` leaves begins with all of the one of ``older`` leaves."""
    require(0 < older <= size, "the older tree is empty or larger")
    if older == size:
        require(not path and old == root, "two trees of one size have other roots")
        return
    hashes_beside = [old, *path] if older & (older - 1) == 0 else list(path)
    require(hashes_beside, "a path ends below the root")
    first, last = older - 1, size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    one = other = hashes_beside[0]
    for each, is_left in walk(first, last, hashes_beside[1:]):
        one, other = (h(b"\1", each, one), h(b"\1", each, other)) if is_left else (one, h(b"\1", other, each))
    require(one == old and other == root, "a path leads to another root")


def require_head(head: Record, index: int, path: Sequence[bytes], checkpoint: Record) -> None:
    require(CHANNEL.fullmatch(head["channel"]), "no channel has this name")
    require_in(checkpoint["root"], checkpoint["channels"], encode("proofs/ChannelHead", head), index, path)


def require_under(shown: Record, checkpoint: Record) -> dict[str, Any]:
    """Return the statement of an entry that stands at its place under a checkpoint."""
    statement, digest = statement_of(shown["entry"])
    head = shown["head"]
    require(head["channel"] == statement["channel"] and head["epoch"] >= statement["epoch"], "a head of another channel")
    require(max(len(shown["path"]), len(shown["head_path"])) <= PATH_LIMIT, "a path that no tree has")
    require_in(head["root"], head["size"], digest, statement["sequence"] - 1, shown["path"])
    require_head(head, shown["index"], shown["head_path"], checkpoint)
    return statement


def admission_of(shown: Record, root: bytes, checkpoint: Record) -> dict[str, Any]:
    statement = require_under(shown, checkpoint)
    require(statement["channel"] == TRUST, "an admission is the registrar's")
    require_signed(shown["entry"], root, None)
    return content_of(statement, "ParticipantAdmitted")


def vouched(signed: Record, shown: Record, root: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the checkpoint, and the admission of the auditor who signed it."""
    statement, _ = statement_of(signed)
    checkpoint = content_of(statement, "Checkpoint")
    admitted = admission_of(shown, root, checkpoint)
    require(admitted["role"] == "Auditor" and statement["channel"] == f"{admitted['id']}.record", "not an auditor's record")
    require_signed(signed, root, admitted)
    return checkpoint, admitted


def check_proof(proof: Record, root: bytes) -> str:
    require(proof["admissions"], "nobody admitted the auditor")
    auditor, *others = proof["admissions"]
    checkpoint, admitted = vouched(proof["checkpoint"], auditor, root)
    statement, digest = statement_of(proof["subject"]["entry"])
    writer = writer_of(statement["channel"])
    by = admitted if writer == admitted["id"] else None
    if statement["channel"] != TRUST and by is None:
        require(others, "nobody admitted the writer")
        by = admission_of(others.pop(0), root, checkpoint)
        require(by["id"] == writer, "another one was admitted")
    require(not others, "an admission too many")
    require_signed(proof["subject"]["entry"], root, by)
    body = statement["body"]
    for part in ("facts", "personal"):
        sealed = proof["subject"][part]
        require(sealed is None or ("type" not in body and h(sealed) == body[part]), f"{part} are not those that were signed")
    require_under(proof["subject"], checkpoint)
    place = f"{statement['channel']} at {statement['epoch']}/{statement['sequence']}"
    return f"{place}, {digest.hex()}, signed by {writer}, vouched for by {admitted['id']}"


def check_heads(heads: Record, root: bytes) -> str:
    return f"the heads of {len(heads_of(heads, root))} channels, vouched for by {writer_of(channel_of(heads))}"


def channel_of(heads: Record) -> str:
    return str(statement_of(heads["checkpoint"])[0]["channel"])


def heads_of(heads: Record, root: bytes) -> dict[str, Record]:
    """Return the heads of a checkpoint by channel."""
    checkpoint, _ = vouched(heads["checkpoint"], heads["admission"], root)
    names = [each["channel"] for each in heads["heads"]]
    require(names == sorted(set(names)) and all(map(CHANNEL.fullmatch, names)), "heads are not in their order, each once")
    level = [h(b"\0", encode("proofs/ChannelHead", each)) for each in heads["heads"]]
    require(len(level) == checkpoint["channels"] and root_of(level) == checkpoint["root"], "not the heads of this checkpoint")
    return dict(zip(names, heads["heads"], strict=True))


def check_consistency(both: Record, root: bytes) -> str:
    older, newer = (heads_of(both[each], root) for each in ("older", "newer"))
    auditor = writer_of(channel_of(both["older"]))
    require(auditor == writer_of(channel_of(both["newer"])), "two auditors")
    shown = [name for name in older if name in newer and newer[name]["epoch"] == older[name]["epoch"]]
    require([each["channel"] for each in both["paths"]] == shown, "not the paths of the channels that both have")
    for each in both["paths"]:
        one, other = older[each["channel"]], newer[each["channel"]]
        require_begins(other["root"], other["size"], one["root"], one["size"], each["path"])
    return f"a checkpoint of {auditor} that begins with all of an older one, in {len(shown)} channels"


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root as RFC 9162 defines it, 2.1.1."""
    if len(leaves) < 2:  # noqa: PLR2004  # none, or one that is its own root
        return leaves[0] if leaves else h()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return h(b"\1", root_of(leaves[:split]), root_of(leaves[split:]))


def check_split(split: Record, root: bytes) -> str:
    views = []
    for each in (split["longer"], split["shorter"]):
        checkpoint, admitted = vouched(each["checkpoint"], each["admission"], root)
        require_head(each["head"], each["index"], each["head_path"], checkpoint)
        views.append((each["head"], admitted["id"]))
    (longer, one), (shorter, other) = views
    require((longer["channel"], longer["epoch"]) == (shorter["channel"], shorter["epoch"]), "two channels or epochs")
    require_begins(longer["root"], longer["size"], split["root"], shorter["size"], split["path"])
    require(split["root"] != shorter["root"], "the two views agree")
    sides = f"{one} up to {longer['size']}, {other} up to {shorter['size']}"
    return f"two views of {longer['channel']} that cannot both be right: {sides}"


CHECKS: Final = {"Proof": check_proof, "Heads": check_heads, "Split": check_split, "Consistency": check_consistency}


def checked(data: bytes, root: bytes) -> str:
    """Return what a file shows; ValueError if it does not check."""
    require(len(data) <= FILE_LIMIT, "a file over its limit")
    for name, check in CHECKS.items():
        canonical = to_parsing_canonical_form(SCHEMAS[f"proofs/{name}"])
        header = b"\xc3\x01" + bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO"))
        if data.startswith(header):
            return check(decode(f"proofs/{name}", data[len(header) :]), root)
    raise ValueError("this begins as no proof")


def main(file: Path, pem: Path) -> int:
    try:
        data, root = file.read_bytes(), x509.load_pem_x509_certificate(pem.read_bytes()).public_bytes(Encoding.DER)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{file} or {pem} cannot be read: {error}\n")
        return 2
    try:
        found = checked(data, root)
    except ValueError as error:
        sys.stdout.write(f"{file.name} does not check: {error}\n")
        return 4
    sys.stdout.write(f"{file.name} checks: {found}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])) if SCHEMAS and len(sys.argv) == 3 else __doc__)  # noqa: PLR2004  # with its name
