"""A reader written from schemas/README.md, the schemas and the vectors alone: it imports nothing of ours.

It decodes with Apache's own Avro package, and knows hashes, ECDSA, X.509, AES-GCM and HPKE from a library. It is slow, small
and no part of the product: it shows that the specification says enough.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import avro.io
import avro.schema
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SEAL, REGISTRAR = "2.25.210310059382976790741317229060794661868", "2.25.2482531799835540265018831985874075012"
STATEMENT = b"application/vnd.sarakste.statement.v0+avro"
ENTRY_MARK = bytes.fromhex("c3014c18af8a4ceac146")
TRUST = "registrar.trust"


class BadError(Exception):
    """These bytes are not what they claim to be."""


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def pae(kind: bytes, payload: bytes) -> bytes:
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def schema(name: str) -> Any:
    return avro.schema.parse((SCHEMAS / f"{name}.avsc").read_text())


def encode(parsed: Any, value: Any) -> bytes:
    out = io.BytesIO()
    avro.io.DatumWriter(parsed).write(value, avro.io.BinaryEncoder(out))
    return out.getvalue()


def decode(parsed: Any, data: bytes) -> Any:
    try:
        value = avro.io.DatumReader(parsed).read(avro.io.BinaryDecoder(io.BytesIO(data)))
        again = encode(parsed, value)
    except Exception as error:
        raise BadError(str(error)) from error
    if again != data:
        raise BadError("not canonical")
    return value


WIRE = {path.stem: schema(f"wire/{path.stem}") for path in (SCHEMAS / "wire").glob("*.avsc")}
OPEN = {path.stem: schema(f"open/{path.stem}") for path in (SCHEMAS / "open").glob("*.avsc")}


@dataclass
class Candidate:
    digest: bytes
    statement: dict[str, Any]
    signatures: set[bytes]
    facts: bytes | None
    personal: bytes | None

    @property
    def said(self) -> tuple[str, Any]:
        """Type and content of an open entry; None where the content is wrong or the type unknown."""
        body = self.statement["body"]
        try:
            return body.get("type", ""), decode(OPEN[body["type"]], body["content"])
        except (KeyError, BadError):
            return body.get("type", ""), None


def candidate(record: bytes, channel: str) -> Candidate:
    if len(record) > 640 * 1024 or not record.startswith(ENTRY_MARK):
        raise BadError("no entry")
    entry = decode(WIRE["Entry"], record[10:])
    statement = decode(WIRE["Statement"], entry["statement"]) if len(entry["statement"]) <= 256 * 1024 else None
    if statement is None or statement["channel"] != channel:
        raise BadError("too long, or of another channel")
    in_range = (
        statement["epoch"] in range(2**31)
        and statement["sequence"] >= 1
        and statement["written_at"] in range(253_402_300_800_000)
    )
    body, facts, personal = statement["body"], entry["facts"], entry["personal"]
    if "type" in body:
        fits = facts is personal is None
    else:
        fits = len(entry["statement"]) <= 16 * 1024 and facts is not None and len(facts) <= 8 * 1024 + 80
        fits = fits and digest(facts) == body["facts"]
        whole = personal is not None and len(personal) <= 512 * 1024 + 80 and digest(personal) == body["personal"]
        personal = personal if whole else None
    if not (in_range and fits):
        raise BadError("out of range, or parts that do not match")
    return Candidate(digest(pae(STATEMENT, entry["statement"])), statement, {entry["signature"]}, facts, personal)


def is_signed(key: Any, hashed: bytes, signature: bytes) -> bool:
    try:
        r, s = utils.decode_dss_signature(signature)
        if utils.encode_dss_signature(r, s) != signature or s > ORDER // 2:
            return False
        key.verify(signature, hashed, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    except (ValueError, InvalidSignature):
        return False
    return True


def leaf_of(path: Sequence[bytes], root: x509.Certificate, policy: str) -> tuple[x509.Certificate, str] | None:
    """Return the leaf of a path and its organisation; the vectors hold no hostile certificates, so not all is checked."""
    try:
        certificates = [*map(x509.load_der_x509_certificate, path), root]
        leaf = certificates[0]
        for below, above in pairwise(certificates):
            below.verify_directly_issued_by(above)
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        found = leaf.extensions.get_extension_for_class(x509.CertificatePolicies).value
        (organisation,) = leaf.subject.get_attributes_for_oid(x509.ObjectIdentifier("2.5.4.97"))
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return None
    named = {each.policy_identifier.dotted_string for each in found} & {SEAL, REGISTRAR}
    fits = named == {policy} and usage.content_commitment and not usage.key_cert_sign and len(path) in (1, 2)
    return (leaf, str(organisation.value)) if fits else None


@dataclass
class Trust:
    organisations: dict[str, str] = field(default_factory=dict)
    revoked: set[bytes] = field(default_factory=set)
    epochs: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    schemas: dict[bytes, bytes] = field(default_factory=dict)


@dataclass
class Place:
    digest: bytes
    sequence: int = 0
    epoch: int = -1
    leaf: x509.Certificate | None = None
    signer: bytes = b""
    parent: Place | None = None
    said: tuple[str, Any] = ("", None)

    @property
    def path(self) -> list[Place]:
        return [*self.parent.path, self] if self.parent else []


class Reader:
    """The reading rule over the records of one channel."""

    def __init__(self, channel: str, records: Iterable[bytes], root: x509.Certificate, trust: Trust | None) -> None:
        self.channel, self.root, self.trust = channel, root, trust or Trust()
        who, _, kind = channel.partition(".")
        self.writer = "commission" if kind == "from-commission" else who
        self.exchange = digest(root.public_bytes(Encoding.DER))
        self.found: dict[bytes, Candidate] = {}
        for record in records:
            try:
                each = candidate(record, channel)
            except BadError:
                continue
            known = self.found.setdefault(each.digest, each)
            known.signatures |= each.signatures
            known.personal = known.personal or each.personal
        self.epochs = self.trust.epochs[channel]
        self.genesis = Place(digest(b"sarakste/v0/genesis\0" + self.exchange + channel.encode()))
        self.children: dict[bytes, list[Place]] = defaultdict(list)
        self.tree = {self.genesis.digest: self.genesis}
        places = [self.genesis]
        while places:
            place = places.pop()
            for each in self.found.values():
                after = self._step(place, each) if each.statement["previous"] == place.digest else None
                if after:
                    self.children[place.digest].append(after)
                    self.tree[after.digest] = after
                    places.append(after)

    def _may_write(self, path: Sequence[bytes]) -> x509.Certificate | None:
        found = leaf_of(path, self.root, REGISTRAR if self.channel == TRUST else SEAL)
        mine = found and (self.channel == TRUST or self.trust.organisations.get(self.writer) == found[1])
        return found[0] if found and mine else None

    def _signed(self, each: Candidate, leaf: x509.Certificate) -> bool:
        named = digest(leaf.public_bytes(Encoding.DER)) == each.statement["certificate"]
        return named and any(is_signed(leaf.public_key(), each.digest, one) for one in each.signatures)

    def _opener(self, each: Candidate) -> x509.Certificate | None:
        kind, content = each.said
        if kind != "ChannelOpened" or content is None:
            return None
        leaf = self._may_write(content["certificates"])
        fits = content["exchange"] == self.exchange and content["writer"] == self.writer
        return leaf if leaf and fits and self._signed(each, leaf) else None

    def _step(self, place: Place, each: Candidate) -> Place | None:
        said, at = each.statement, (place.sequence, place.digest)
        if said["sequence"] != place.sequence + 1:
            return None
        named = [
            one for one in self.epochs if one["epoch"] == said["epoch"] and (one["after_sequence"], one["after_digest"]) == at
        ]
        leaf = self._opener(each)
        begins = named[0]["certificate"] == said["certificate"] if named else said["epoch"] == 0 == place.sequence
        if leaf is None or not begins:
            if place.leaf is None or said["epoch"] != place.epoch or not self._signed(each, place.leaf):
                return None
            leaf = place.leaf
        info = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        signer, (kind, content) = digest(info), each.said
        if kind == "CertificateRotated" and content:
            leaf = self._may_write(content["certificates"]) or leaf
        return Place(each.digest, said["sequence"], said["epoch"], leaf, signer, place, each.said)

    def _tips(self, place: Place) -> Iterator[Place]:
        below = self.children[place.digest]
        yield from (tip for each in below for tip in self._tips(each)) if below else [place]

    def _revoked(self, tip: Place) -> set[bytes]:
        said = [(each.said[1]["key"], each.signer) for each in tip.path if each.said[0] == "KeyRevoked" and each.said[1]]
        return {key for key, signer in said if key != signer} if self.channel == TRUST else self.trust.revoked

    def _reaches(self, place: Place) -> bool:
        return any(
            each.signer not in {place.signer, *self._revoked(tip)}
            for tip in self._tips(place)
            for each in tip.path
            if each.sequence > place.sequence
        )

    def judge(self) -> tuple[str, list[Place]]:
        """Return the state and what is taken."""
        place, turn = self.genesis, None
        if self.epochs:
            last = self.epochs[-1]
            turn, place = last["epoch"], self.tree.get(last["after_digest"], Place(b"", -1))
            if place.sequence != last["after_sequence"]:
                return "waiting", []
        while options := [each for each in self.children[place.digest] if turn in (None, each.epoch)]:
            good = [each for each in options if self._reaches(each)]
            fresh = [each for each in options if any(each.signer not in self._revoked(tip) for tip in self._tips(each))]
            if len(options) == 1 and (good or fresh):
                good = options
            if len(good) != 1:
                return "forked" if good or (fresh and len(options) > 1) else "waiting", place.path
            place, turn = good[0], None
        return "reading", place.path


def trusted(reader: Reader) -> Trust:
    """Fold what is taken of the registrar's channel; the vectors admit nobody twice or under a wrong id."""
    trust = Trust()
    for place in reader.judge()[1]:
        match place.said:
            case ("ParticipantAdmitted", dict() as content):
                trust.organisations.setdefault(content["id"], content["organisation"])
            case ("KeyRevoked", dict() as content) if content["key"] != place.signer:
                trust.revoked.add(content["key"])
            case ("SchemaPublished", dict() as content):
                trust.schemas[digest(content["file"])] = content["file"]
            case ("EpochOpened", dict() as content):
                trust.epochs[content["channel"]].append(content)
    return trust


def unseal(part: str, sealed: bytes, key: bytes, channel: str, event_id: bytes) -> bytes:
    """Open a sealed part in its place."""
    start = b"sarakste/v0/" + part.encode() + b"\0" + channel.encode() + b"\0"
    opener = hmac.digest(key, start + event_id + sealed[:32], "sha256")
    if digest(b"sarakste/v0/commitment\0" + opener) != sealed[32:64]:
        raise BadError("not sealed for this place")
    try:
        padded = AESGCM(opener).decrypt(bytes(12), sealed[64:], None)
    except Exception as error:
        raise BadError("damaged") from error
    plaintext, size = padded.rstrip(b"\0")[:-1], 512 if part == "facts" else 1024
    while size < len(plaintext) + 1:
        size *= 2
    if padded != (plaintext + b"\x80").ljust(size, b"\0"):
        raise BadError("not padded strictly")
    return plaintext


def vector(name: str) -> Any:
    return json.loads((SCHEMAS / "vectors" / name).read_text("utf-8"))
