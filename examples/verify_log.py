"""Verify a log of Sarakste with its root certificate and nothing else: a second reader, for whoever does not trust the first.

    python examples/verify_log.py log.sqlite root.pem      or the folder of an archive, as it was exported, in place of the log

Written from schemas/README.md and the schemas beside it alone, without code of the product; needs `cryptography`, `fastavro`, and
the folder `schemas` beside this file or beside its folder. It checks that each channel is what its one writer signed, whole and
in order, under certificates that lead to the root and belong to whom the registrar admitted; that sealed parts are those that
were signed; that what participants receipted is there. It opens nothing that is sealed, so it cannot tell whether events make
sense or are true; nor does it look at mailboxes, published schemas, or what is no finding (junk, repeats, times that go back).
It exits with 0 for a clean log, with 4 for another, with 2 if there is none.
"""

from __future__ import annotations

import io
import json
import re
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

import fastavro
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SCHEMAS: Final = {
    f"{path.parent.name}/{path.stem}": fastavro.parse_schema(json.loads(path.read_text("utf-8")))
    for folder in Path(__file__).resolve().parents[:2]
    for path in folder.glob("schemas/*/*.avsc")
}
TRUST: Final = "registrar.trust"
PAIRS: Final = {"to-commission": "from-commission", "from-commission": "to-commission"}
NAME: Final = "(?!(commission|registrar)$)[a-z][a-z0-9-]{1,47}"
ADMISSION: Final = f"Commission commission|Registrar registrar|(School (?=school-)|Auditor (?=auditor-)|Unknown ){NAME}"
CHANNEL: Final = re.compile(r"[a-z][a-z0-9-]{1,47}\.(to-commission|from-commission|record)")
HEADER: Final = bytes.fromhex("c3014c18af8a4ceac146")
SIGNED: Final = b"application/vnd.sarakste.statement.v0+avro"
RECORD_LIMIT, OPEN_LIMIT, STATEMENT_LIMIT, CERTIFICATE_LIMIT = 655_360, 262_144, 16_384, 16_384
FACTS_LIMIT, PERSONAL_LIMIT = 8_192 + 80, 524_288 + 80
INTS, LONGS, TIMES = range(2**31), range(2**63), range(253_402_300_800_000)
RANGES: Final = {"epoch": INTS, "channels": INTS, "sequence": LONGS[1:], "after_sequence": LONGS, "written_at": TIMES}
HALF_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 // 2
SEAL_POLICY, REGISTRAR_POLICY = "2.25.210310059382976790741317229060794661868", "2.25.2482531799835540265018831985874075012"
ECDSA: Final = x509.SignatureAlgorithmOID.ECDSA_WITH_SHA256
KNOWN_EXTENSIONS: Final = {"2.5.29.19", "2.5.29.15", "2.5.29.32", "2.5.29.37", "2.5.29.35", "2.5.29.14"}
TLS: Final = {"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0"}
RECORDS: Final = """SELECT channel, coalesce(CAST(value AS BLOB), x'') FROM records WHERE typeof(channel) = 'text'
    AND channel NOT GLOB '*[^-.a-z0-9]*' AND typeof(position) = 'integer' AND position >= 0 ORDER BY channel, position"""
Place = tuple[str, int, int, bytes]  # channel, epoch, sequence, digest
Anchors = Sequence[tuple[int, bytes]]  # sequences with the digests that belong there


def require(*rules: object) -> None:
    if not all(rules):
        raise ValueError("not as the specification says")


def genesis(root: bytes, channel: str) -> bytes:
    return sha256(b"sarakste/v0/genesis\0" + sha256(root).digest() + channel.encode()).digest()


def decode(name: str, data: bytes) -> dict[str, Any]:
    """Return the record that this is the one right encoding of; ValueError if it is of none ("Notation")."""
    again = io.BytesIO()
    try:
        record: Any = fastavro.schemaless_reader(io.BytesIO(data), SCHEMAS[name], None)
        fastavro.schemaless_writer(again, SCHEMAS[name], record)
    except (ValueError, IndexError, EOFError, OverflowError, TypeError, KeyError) as error:
        raise ValueError(f"no {name}") from error
    require(again.getvalue() == data, is_in_range(record))
    return dict(record)


def is_in_range(value: Any, name: str = "") -> bool:
    """Tell whether all numbers are within their ranges, which encoding again does not notice."""
    inner = value.items() if isinstance(value, dict) else [("", each) for each in value] if isinstance(value, list) else []
    return all(is_in_range(each, key) for key, each in inner) and (name not in RANGES or value in RANGES[name])


class Leaf(NamedTuple):
    """A certificate that signs: H of it, H of its key, and what it says."""

    digest: bytes
    key: bytes
    public_key: Any
    organisation: str
    policy: str


def extension(found: x509.Certificate, kind: type[x509.ExtensionType]) -> Any:
    return next((each.value for each in found.extensions if isinstance(each.value, kind)), None)


@lru_cache(maxsize=1000)
def leaf_of(path: tuple[bytes, ...], root: bytes) -> Leaf | None:
    """Return the leaf of a path to the root, None if these certificates are no such path ("Certificates")."""
    try:
        require(len(path) in (1, 2), root not in path)
        leaf, *above = chain = [x509.load_der_x509_certificate(der) for der in (*path, root)]
        for der, found, upper in zip((*path, root), chain, (*above, above[-1]), strict=True):
            require(len(der) <= CERTIFICATE_LIMIT, found.public_bytes(Encoding.DER) == der, der.endswith(b"\0" + found.signature))
            require(found.version is x509.Version.v3, found.signature_algorithm_oid == ECDSA, found.serial_number > 0)
            require(*(each.oid.dotted_string in KNOWN_EXTENSIONS for each in found.extensions if each.critical))
            constraints, usage = extension(upper, x509.BasicConstraints), extension(upper, x509.KeyUsage)
            require(constraints, constraints.ca, usage, usage.key_cert_sign)
            require(upper.not_valid_before_utc <= leaf.not_valid_before_utc <= upper.not_valid_after_utc)
            found.verify_directly_issued_by(upper)
        require(*(extension(cross, x509.BasicConstraints).path_length == 0 for cross in above[:-1]))
        key, usage, constraints = leaf.public_key(), extension(leaf, x509.KeyUsage), extension(leaf, x509.BasicConstraints)
        require(isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1))
        require(leaf.not_valid_before_utc <= leaf.not_valid_after_utc, not (constraints and constraints.ca))
        require(usage.content_commitment, not usage.key_cert_sign, not usage.crl_sign)
        require(not TLS & {each.dotted_string for each in extension(leaf, x509.ExtendedKeyUsage) or ()})
        (organisation,) = leaf.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_IDENTIFIER)
        policies = {each.policy_identifier.dotted_string for each in extension(leaf, x509.CertificatePolicies)}
        (policy,) = policies & {SEAL_POLICY, REGISTRAR_POLICY}
        info = sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
        return Leaf(sha256(path[0]).digest(), info, key, str(organisation.value), policy)
    except Exception:  # noqa: BLE001  # whatever a parser of hostile bytes raises, these certificates are simply no path
        return None


@dataclass(eq=False, kw_only=True)
class Entry:
    """A candidate; ``content`` is what an open one of a known type says, ``flaw`` is H of its personal part.

    Once it follows, it has a ``parent``, the ``key`` that signed it, the ``leaf`` that is current after it, and all ``leaves``
    that were; ``revoked`` is what counts as revoked for it, ``later`` are unrevoked keys that sign something below it.
    """

    digest: bytes
    type: str | None = None
    content: dict[str, Any] | None = None
    place: Place = ("", 0, 0, b"")
    previous: bytes = b""
    certificate: bytes = b""
    channel: str = ""
    epoch: int = 0
    sequence: int = 0
    written_at: int = 0
    event_id: bytes = b""
    body: dict[str, Any] = field(default_factory=dict)
    signatures: dict[bytes, None] = field(default_factory=dict)  # in their order
    is_whole: bool = True
    flaw: bytes | None = None
    parent: Entry | None = None
    leaf: Leaf | None = None
    leaves: dict[bytes, Leaf] = field(default_factory=dict)
    key: bytes = b""
    children: list[Entry] = field(default_factory=list)
    revoked: frozenset[bytes] = frozenset()
    later: frozenset[bytes] = frozenset()

    def is_by(self, leaf: Leaf | None) -> bool:
        """Tell whether it names this leaf, which signed it, and in the one form of a signature ("Signature")."""
        if leaf and leaf.digest == self.certificate:
            for signature in self.signatures:
                with suppress(InvalidSignature, ValueError):
                    leaf.public_key.verify(signature, self.digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
                    r, s = utils.decode_dss_signature(signature)
                    if s <= HALF_ORDER and utils.encode_dss_signature(r, s) == signature:
                        return True
        return False


def read_record(value: bytes, channel: str, after: int) -> Entry | tuple[int, str, str, str]:
    """Return what a record is ("The reading rule", step 1), else of which place it is the rest, what it is, expected, found."""
    try:
        require(len(value) <= RECORD_LIMIT, value.startswith(HEADER))
        raw, signature, facts, personal = decode("wire/Entry", value[len(HEADER) :]).values()
        require(len(raw) <= OPEN_LIMIT)
        digest = sha256(b"DSSEv1 %d %s %d %s" % (len(SIGNED), SIGNED, len(raw), raw)).digest()
        entry = Entry(digest=digest, signatures={signature: None}, **decode("wire/Statement", raw))
        entry.type, entry.place = entry.body.get("type"), (channel, entry.epoch, entry.sequence, digest)
        require(entry.type is not None or len(raw) <= STATEMENT_LIMIT)
    except ValueError:
        return after + 1, "an entry cannot be read", "", sha256(value).hexdigest()
    is_open, body, kind, h_facts = entry.type is not None, entry.body, f"open/{entry.type}", sha256(facts or b"")
    if entry.channel == channel and not is_open and facts is not None and h_facts.digest() != body["facts"]:
        return entry.sequence, "sealed facts do not match their digest", body["facts"].hex(), h_facts.hexdigest()
    is_entry = facts is personal is None if is_open else facts is not None and len(facts) <= FACTS_LIMIT
    if entry.channel != channel or not is_entry:
        return entry.sequence, "a record is no entry", "", sha256(value).hexdigest()
    with suppress(ValueError):
        entry.content = decode(kind, body["content"]) if kind in SCHEMAS else None
    if not is_open:
        entry.flaw = None if personal is None else sha256(personal).digest()
        entry.is_whole = entry.flaw == body["personal"] and len(personal) <= PERSONAL_LIMIT
    return entry


class Trust:
    """What the registrar said ("Trust"); an epoch is kept with its place in registrar.trust."""

    def __init__(self, said: Iterable[tuple[Entry, dict[str, Any]]] = (), root: bytes = b"") -> None:
        self.participants, self.revoked = dict[str, dict[str, Any]](), set[bytes]()
        self.epochs: dict[str, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
        for entry, content in said:
            if entry.type == "ParticipantAdmitted" and re.fullmatch(ADMISSION, f"{content['role']} {content['id']}"):
                self.participants.setdefault(content["id"], content)
            elif entry.type == "KeyRevoked" and content["key"] != entry.key:
                self.revoked.add(content["key"])
            elif entry.type == "EpochOpened" and CHANNEL.fullmatch(content["channel"]):
                known, begins = self.epochs[content["channel"]], genesis(root, content["channel"])
                if content["epoch"] == len(known) + 1 and (content["after_sequence"] > 0 or content["after_digest"] == begins):
                    known.append((entry.sequence, content))
        roles = {name: each["role"] for name, each in self.participants.items()}
        schools = [name for name, role in roles.items() if role == "School"]
        self.writers = {f"{name}.record": name for name, role in roles.items() if role in ("School", "Commission", "Auditor")}
        self.writers |= {f"{school}.to-commission": school for school in schools} | {TRUST: "registrar"}
        self.writers |= {f"{school}.from-commission": name for school in schools for name in roles if name == "commission"}


def way_back(within: Mapping[bytes, Entry], to: int, sequence: int, digest: bytes) -> bytes | None:
    """Return the digest at the place ``to``, going back from one behind it; None if the chain breaks off before."""
    while sequence > to and (each := within.get(digest)) and each.sequence == sequence:
        sequence, digest = sequence - 1, each.previous
    return digest if sequence == to else None


class Reading:
    """What a channel is: ``taken`` and ``state``, what ``hangs`` untaken at its end, and what follows nowhere ``aside``."""

    def __init__(self, channel: str, records: Iterable[bytes], root: bytes, trust: Trust) -> None:
        self.channel, self.root, self.trust, (name, _, kind) = channel, root, trust, channel.partition(".")
        self.writer, self.epochs = "commission" if kind == "from-commission" else name, [one for _, one in trust.epochs[channel]]
        self.due = {tuple(map(each.get, ("epoch", "after_sequence", "after_digest", "certificate"))) for each in self.epochs}
        self.damages, self.candidates, after = dict[int, tuple[str, str, str]](), dict[bytes, Entry](), 0
        for value in records:
            if isinstance(found := read_record(value, channel, after), tuple):
                self.damages.setdefault(found[0], found[1:])
                continue
            known, after = self.candidates.setdefault(found.digest, found), found.sequence
            known.signatures |= found.signatures
            known.is_whole, known.flaw = known.is_whole or found.is_whole, known.flaw or found.flaw
        self.start = Entry(digest=genesis(root, channel), revoked=frozenset(trust.revoked))
        self.tree = {each.digest: each for each in self._grow()}
        self.taken, self.options, self.only_epoch, self.is_reached = list[Entry](), self.start.children, 0, True
        self.receipted, self.state, self.head = 0, self._walk(), self.taken[-1] if self.taken else self.start
        self.hangs = [] if self.state == "reading" else list(self.options)
        for each in self.hangs:
            self.hangs += each.children
        self.end = min([self.head, *self.hangs], key=lambda each: (-each.sequence, each.digest))
        self.aside = sorted((each for each in self.candidates.values() if each.parent is None), key=lambda each: each.place[2:])

    def _grow(self) -> list[Entry]:
        """Return the tree of what follows, each after what it follows (step 2)."""
        after: dict[bytes, list[Entry]] = defaultdict(list)
        for each in self.candidates.values():
            after[each.previous].append(each)
        tree = [self.start]
        for place in tree:
            for each in after[place.digest]:
                is_next = each.epoch == place.epoch and each.is_by(place.leaf)
                signer = self._opener(place, each) or (place.leaf if is_next else None)
                if signer and each.sequence == place.sequence + 1:
                    each.parent, each.key = place, signer.key
                    each.leaf = (each.type == "CertificateRotated" and self.shown(each)) or signer
                    each.leaves = place.leaves | {each.leaf.digest: each.leaf}
                    says = each.content if self.channel == TRUST and each.type == "KeyRevoked" else None
                    each.revoked = place.revoked | ({says["key"]} - {each.key} if says else set())
                    place.children.append(each)
                    tree.append(each)
        # Which unrevoked keys sign something below; what is revoked for an entry is what all paths through it revoke.
        for each in reversed(tree):
            if each.children:
                each.revoked = frozenset.intersection(*(child.revoked for child in each.children))
            each.later = each.later.union(*(child.later | ({child.key} - child.revoked) for child in each.children))
        return tree

    def _opener(self, place: Entry, each: Entry) -> Leaf | None:
        """Return the leaf by which an entry opens an epoch at a place, None if it opens none there."""
        is_due = (each.epoch, place.sequence, place.digest, each.certificate) in self.due or each.epoch == 0 == place.sequence
        says = is_due and self.is_opening(each) and each.content
        fits = says and (says["exchange"], says["writer"]) == (sha256(self.root).digest(), self.writer)
        return self.shown(each) if fits else None

    def shown(self, each: Entry) -> Leaf | None:
        """Return the certificate that an opening or a rotation shows, if it may write this channel."""
        content = each.content if each.type in ("ChannelOpened", "CertificateRotated") else None
        leaf = leaf_of(tuple(content["certificates"]), self.root) if content else None
        mine = self.trust.participants.get(self.writer, {}).get("organisation")
        # Whom nobody admitted may be of any organisation: what it opened is hidden all the same.
        may = leaf and (leaf.policy == REGISTRAR_POLICY if self.channel == TRUST else leaf[3:] == (mine or leaf[3], SEAL_POLICY))
        return leaf if may else None

    def is_opening(self, each: Entry) -> bool:
        return each.type == "ChannelOpened" and each.is_by(self.shown(each))

    def _walk(self) -> str:
        """Choose what is taken, and return the state (steps 3 to 5)."""
        if self.epochs:
            last = self.epochs[-1]
            after = self.tree.get(last["after_digest"])
            if after is None or after.sequence != last["after_sequence"]:
                self.is_reached = False
                return "waiting"
            self.only_epoch, self.options = last["epoch"], [each for each in after.children if each.epoch == last["epoch"]]
            while after.parent:
                self.taken.append(after)
                after = after.parent
            self.taken.reverse()
        while self.options:
            fresh = [each for each in self.options if each.key not in each.revoked]
            chosen = [each for each in self.options if each.later - {each.key}] or (fresh if len(self.options) == 1 else [])
            if len(chosen) != 1:
                return "forked" if chosen or fresh else "waiting"
            self.taken += chosen
            self.options, self.only_epoch = chosen[0].children, 0
        return "reading"

    def missing(self, known: Mapping[bytes, Leaf]) -> tuple[int, int, Anchors, Entry | None] | None:
        """Return the place that is missing, if there is a gap (step 6) or a turn, with its anchors, and what it is behind."""
        if not self.is_reached:
            last = self.epochs[-1]
            epoch, sequence, digest = last["epoch"] - 1, last["after_sequence"], last["after_digest"]
            if digest in self.tree:
                return None
            while (each := self.candidates.get(digest)) and each.parent is None and each.sequence == sequence:
                epoch, sequence, digest = each.epoch, sequence - 1, each.previous
            sequence += digest in self.tree or sequence == 0
            return epoch, sequence, [(last["after_sequence"], last["after_digest"])], None
        ends = sorted([e for e in self.hangs if not e.children] or [self.head], key=lambda e: (-e.sequence, e.digest))
        may_turn = ends[0].parent and not self.only_epoch
        new = {key: leaf for key, leaf in known.items() if may_turn and leaf.key not in self.trust.revoked}
        for end, leaves in [(end, end.leaves) for end in ends] + [(end, new) for end in ends]:
            epoch = self.only_epoch or end.epoch
            later = [e for e in self.aside if e.epoch >= epoch and e.sequence > end.sequence and e.previous != end.digest]
            # What the channel's writer signed, as far as the path to its end shows, or else a turn that is damaged or gone.
            ahead = [e for e in later if e.is_by(leaves.get(e.certificate)) or (e.epoch > end.epoch and self.is_opening(e))]
            if ahead:
                return epoch, end.sequence + 1, [(each.sequence - 1, each.previous) for each in ahead], end
        return None

    def said(self) -> list[tuple[Entry, dict[str, Any]]]:
        """Return what open entries say, in order; a repeated event id says nothing more."""
        first = {each.event_id: each for each in reversed(self.taken)}
        return [(each, each.content) for each in self.taken if first[each.event_id] is each and each.content is not None]

    def stands_at(self, epoch: int, sequence: int, anchors: Anchors, end: Any = None, found: str = "nothing") -> tuple[Any, ...]:
        """Return a missing place, what stands there, expected and found; ``anchors`` are places with their right digests."""
        within = {each.digest: each for each in self.aside if each.epoch >= epoch}
        right = next(filter(None, (way_back(within, sequence, *anchor) for anchor in anchors)), None)
        if (each := within.get(right or b"")) and each.sequence == sequence:
            if end and end.parent and each.epoch == end.epoch and each.previous != end.digest:  # the end has another's place
                return self.stands_at(end.epoch, end.sequence, [(end.sequence, each.previous)], None, end.digest.hex())
            by = "a certificate that may open" if each.type == "ChannelOpened" else "the certificate of"
            by = f"a signature is not by {by} this channel"
            return epoch, sequence, by, "a valid signature", next(iter(each.signatures)).hex()
        wanted = right.hex() if right else "an entry"
        if rest := self.damages.get(sequence):
            return epoch, sequence, rest[0], rest[1] or wanted, rest[2]
        found = next((each.digest.hex() for each in within.values() if each.sequence == sequence), found)
        return epoch, sequence, f"an entry is {'missing' if found == 'nothing' else 'not what was signed'}", wanted, found

    def receipts(self) -> Iterator[tuple[Entry, list[Place], bytes | None]]:
        """Yield the receipts of the right form, with their lines and the head of a record ("Receipts")."""
        name, _, kind = self.channel.partition(".")
        order = ([f"{name}.{PAIRS[kind]}"] if kind in PAIRS else []) + [self.channel] + [TRUST] * (self.channel != TRUST)
        for each, content in self.said():
            if each.type == "Receipt" and each.parent:
                lines = [(line["channel"], line["epoch"], line["sequence"], line["digest"]) for line in content["held"]]
                is_ordered = [line[0] for line in lines] == [one for one in order if one in {line[0] for line in lines}]
                if is_ordered and (self.channel, *each.parent.place[1:]) in lines and (kind in PAIRS or not content["record"]):
                    yield each, lines, content["record"]


class Report:
    """All channels of a log, up to where others hold them, and what was found ("Verifying a log")."""

    def __init__(self, records: Mapping[str, list[bytes]], root: bytes) -> None:
        first = Reading(TRUST, records.get(TRUST, []), root, Trust())
        trust = Trust(first.said(), root)
        others = [Reading(each, records.get(each, []), root, trust) for each in trust.writers if each != TRUST]
        self.readings = {each.channel: each for each in (first, *others)}
        self.findings: dict[tuple[str, int], tuple[Any, ...]] = {}
        for reading in self.readings.values():
            self._conclude(reading)
        self._compare()
        strays = records.keys() - self.readings if all(channel != TRUST for channel, _ in self.findings) else ()
        for hidden in (Reading(name, records[name], root, Trust()) for name in filter(CHANNEL.fullmatch, strays)):
            if found := sorted(each.digest.hex() for each in hidden.start.children):
                self._find(hidden, 0, 1, "a channel whose writer was never admitted", "an admission of its writer", found[0])

    def _find(self, reading: Reading, epoch: int, sequence: int, *told: str) -> None:
        self.findings.setdefault((reading.channel, sequence), (epoch, *told))

    def _conclude(self, reading: Reading) -> None:
        """Find what a channel shows by itself."""
        if reading.state == "forked":
            one, other = sorted(reading.options, key=lambda each: each.digest)[:2]
            what = "the channel contradicts itself: two signed entries stand at one place"
            self._find(reading, one.epoch, one.sequence, what, one.digest.hex(), other.digest.hex())
        elif missing := reading.missing(self._known(reading, reading.aside)):
            self._find(reading, *reading.stands_at(*missing))
        elif not reading.taken and reading.channel == TRUST:
            *_, what, _, found = reading.stands_at(0, 1, [(each.sequence - 1, each.previous) for each in reading.aside])
            others = sorted(each.previous.hex() for each in reading.aside if each.sequence == 1)
            right = reading.start.digest.hex()
            if others and right not in others:
                what, found = "the registrar's channel is not of this root", f"an entry after {others[0]}"
            expected = f"an opening after the genesis digest of this root, {right}"
            self._find(reading, 0, 1, f"nothing of this log can be verified: {what}", expected, found)
        elif not reading.taken and reading.state == "reading" and (behind := self._behind(reading)):
            self._find(reading, *reading.stands_at(reading.only_epoch, 1, [(one.sequence - 1, one.previous) for one in behind]))
        for each in reading.taken:
            if each.flaw and not each.is_whole:
                what = "a personal part does not match its digest"
                self._find(reading, each.epoch, each.sequence, what, each.body["personal"].hex(), each.flaw.hex())

    def _behind(self, reading: Reading) -> list[Entry]:
        """Return what stands behind a missing first place and is genuine, as far as anybody can tell without that entry."""
        behind = [each for each in reading.aside if each.sequence > 1 and each.epoch >= reading.only_epoch]
        known = self._known(reading, behind)
        return [each for each in behind if not known or each.is_by(known.get(each.certificate))]

    def _known(self, reading: Reading, shows: list[Entry]) -> dict[bytes, Leaf]:
        """Return the certificates of a channel's writer: what entries show, and what was current in its other channels."""
        same = [one for one in self.readings.values() if one.writer == reading.writer and one is not reading]
        shown = {leaf.digest: leaf for leaf in map(reading.shown, shows) if leaf}
        return shown | {key: leaf for one in same for each in (one.head, *one.hangs) for key, leaf in each.leaves.items()}

    def _compare(self) -> None:
        """Find what receipts name and is not there, and note up to where others hold each channel."""
        beyond, heads, pins = list[Place](), list[Place](), []
        for channel, reading in sorted(self.readings.items()):
            for receipt, lines, head in reading.receipts():
                knew = max((line[2] for line in lines if line[0] == TRUST), default=0)
                beyond += [line for line in lines if channel != line[0] in self.readings and not self._holds(line, knew)]
                if head and (record := self.readings.get(f"{reading.writer}.record")):
                    there = {each.digest: each.sequence for each in (*record.taken, *record.hangs)}
                    if head in there:
                        pins.append((reading, receipt.sequence, record, min(there[head], len(record.taken))))
                    elif knew >= max((said for said, _ in record.trust.epochs[record.channel]), default=0):
                        heads.append((record.channel, 0, record.end.sequence + 1, head))
        for channel, _, sequence, digest in (*heads, *sorted(beyond, key=lambda line: (line[0], line[2], line[3]))):
            reading, end = self.readings[channel], self.readings[channel].end
            if self.findings.get((channel, end.sequence), ("",))[-1] != end.digest.hex():
                self._find(reading, *reading.stands_at(reading.head.epoch, end.sequence + 1, [(sequence, digest)], end))
        for reading, sequence, record, place in pins:
            # Until somebody else holds the receipt, its writer can take it back together with its record.
            if sequence <= reading.receipted:
                record.receipted = max(record.receipted, place)

    def _holds(self, line: Place, knew: int) -> bool:
        """Tell whether a channel has something where a receipt names an entry, or an epoch decided about what was there."""
        channel, epoch, sequence, digest = line
        reading = self.readings[channel]
        there = [each for each in (*reading.taken, *reading.hangs) if each.sequence == sequence]
        there.sort(key=lambda each: (each.place != line, each.digest != digest, each.digest))
        later = {said: each["after_sequence"] < sequence for said, each in reading.trust.epochs[channel] if each["epoch"] > epoch}
        is_overruled = any(later.values()) or knew < max(later, default=0)
        if there and there[0].place == line:
            reading.receipted = max(reading.receipted, min(sequence, len(reading.taken)))
        elif there and not is_overruled:
            other, is_same = there[0], there[0].digest == digest
            kind, *told = ("epoch", str(epoch), str(other.epoch)) if is_same else ("entry", digest.hex(), other.digest.hex())
            self._find(reading, epoch, sequence, f"a receipt names another {kind} than stands here", *told)
        return bool(there) or is_overruled


def records_in(source: Path) -> dict[str, list[bytes]]:
    records = defaultdict[str, list[bytes]](list)
    for path in filter(Path.is_file, sorted(source.glob("channels/*/*.avro"))):  # what a damaged one no longer shows is missing
        with path.open("rb") as file, suppress(Exception):
            rows: Any = fastavro.reader(file)
            records[path.parent.name].extend(each["value"] for each in rows)
    if source.stat() and not source.is_dir():
        for channel, value in sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True).execute(RECORDS):
            records[channel].append(value)
    return records


def main(source: Path, pem: Path) -> int:
    try:
        records, root = records_in(source), x509.load_pem_x509_certificate(pem.read_bytes()).public_bytes(Encoding.DER)
    except (OSError, ValueError, sqlite3.Error) as error:
        print(f"{source} or {pem} cannot be read: {error}", file=sys.stderr)
        return 2
    report = Report(records, root)
    for name, each in report.readings.items():
        print(f"{name}: {len(each.taken)} entries, {each.state}, receipted to {each.receipted}, head {each.head.digest.hex()}")
    for (channel, sequence), (epoch, *finding) in report.findings.items():
        print("{} at {}/{}: {}\n  expected {}\n  found    {}".format(channel, epoch, sequence, *finding))
    print(f"{len(report.findings)} findings")
    return 4 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])) if SCHEMAS and len(sys.argv) == 3 else __doc__)  # noqa: PLR2004  # with its name
