"""Certificates: a byte that says how they are read, then each with its length in two bytes."""

from __future__ import annotations

from base64 import b64decode, encodebytes
from random import Random
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from services.wire.certificates import (
    REGISTRAR_POLICY_OID,
    SEAL_POLICY_OID,
    Certificate,
    load_root,
    parse_leaf,
    read_leaf,
    verify_path,
)
from services.wire.errors import CertificateError
from services.wire.hashing import digest_of
from services.wire.issuing import Request, Validity, make_cross, make_request, make_root, make_seal, read_request
from services.wire.signing import sign
from tests.chains import ROOT, ROOT_DER, key_of, registrar_seal, seal_of
from tests.fuzz.der_mutator import changed_der, children, tlv
from tests.fuzz.target import Raw, Target, refused, require

__all__ = ["CERTIFICATES"]

_POLICIES: Final = (SEAL_POLICY_OID, REGISTRAR_POLICY_OID)
_PATH, _ROOT, _REQUEST = range(3)
_ROOT_KEY: Final = key_of("root")
_NEW_ROOT_KEY: Final = key_of("new root")


def _packed(mode: int, *ders: bytes) -> bytes:
    return bytes([mode]) + b"".join(len(der).to_bytes(2, "big") + der for der in ders)


def _unpacked(data: bytes) -> list[bytes]:
    ders: list[bytes] = []
    at = 1
    while at < len(data) and len(ders) < 4:
        size = int.from_bytes(data[at : at + 2], "big")
        ders.append(data[at + 2 : at + 2 + size])
        at += 2 + size
    return ders


def _seeds() -> list[bytes]:
    validity = _validity()
    new_root = make_root(_NEW_ROOT_KEY, name="Jaunā sakne", validity=validity)
    cross = make_cross(_ROOT_KEY, ROOT_DER, new_root, validity=validity)
    request = Request(public_key=key_of("leaf").public_key(), organisation="NTRLV-90000000001", name="Skola")
    under_cross = make_seal(_NEW_ROOT_KEY, cross, request, policy=SEAL_POLICY_OID, validity=validity)
    asked = make_request(key_of("leaf"), organisation="NTRLV-90000000001", name="Skola")
    return [
        _packed(_PATH, seal_of("fuzzed").certificate.der),
        _packed(_PATH, registrar_seal("fuzzed").certificate.der),
        _packed(_PATH, under_cross, cross),
        _packed(_ROOT, ROOT_DER),
        _packed(_ROOT, new_root),
        _packed(_REQUEST, _from_pem(asked)),
    ]


def _validity() -> Validity:
    leaf = ROOT.certificate
    return Validity(serial=9, not_before=leaf.not_valid_before_utc, not_after=leaf.not_valid_after_utc)


def _from_pem(pem: bytes) -> bytes:
    return b64decode(b"".join(pem.splitlines()[1:-1]))


def _to_pem(der: bytes, label: bytes) -> bytes:
    return b"-----BEGIN %b-----\n%b-----END %b-----\n" % (label, encodebytes(der), label)


def _check(data: bytes) -> bool:
    ders = _unpacked(data)
    match data[0] % 3 if data else _PATH:
        case 0:
            return sum(_is_path(ders, policy) for policy in _POLICIES) > 0
        case 1:
            return _is_root(b"".join(ders[:1]))
        case _:
            return _is_request(b"".join(ders[:1]))


def _is_path(ders: list[bytes], policy: str) -> bool:
    try:
        leaf = verify_path(ders, ROOT, policy=policy)
    except CertificateError as error:
        return refused(error)
    require(leaf.der == ders[0] and leaf.digest == digest_of(ders[0]), "a leaf is not its bytes")
    require(leaf == parse_leaf(ders[0]) == read_leaf(_to_pem(ders[0], b"CERTIFICATE")), "a leaf is read in two ways")
    require(len(ders) <= 2 and ROOT_DER not in ders, "a path holds strays")
    require(_others_refuse(leaf, policy), "a leaf is for two uses")
    return True


def _others_refuse(leaf: Certificate, policy: str) -> bool:
    other = next(each for each in _POLICIES if each != policy)
    try:
        verify_path([leaf.der], ROOT, policy=other)
    except CertificateError:
        return True
    return False


def _is_root(der: bytes) -> bool:
    try:
        root = load_root(der)
    except CertificateError as error:
        return refused(error)
    require(root.digest == digest_of(root.der), "a root is not its bytes")
    return True


def _is_request(der: bytes) -> bool:
    try:
        request = read_request(_to_pem(der, b"CERTIFICATE REQUEST"))
    except CertificateError as error:
        return refused(error)
    require(isinstance(request.public_key, ec.EllipticCurvePublicKey), "a request for another kind of key is taken")
    return True


def _mutate(data: bytes, rng: Random, raw: Raw) -> bytes:
    ders = _unpacked(data)
    if not ders or rng.random() < 0.1:
        return raw(data, len(data) + 64)
    if rng.random() < 0.05:
        return _packed(data[0], *ders, rng.choice(ders))
    at = rng.randrange(len(ders))
    keys = {_ROOT: rng.choice((_ROOT_KEY, _NEW_ROOT_KEY)), _REQUEST: key_of("leaf")}
    under = _NEW_ROOT_KEY if len(ders) > 1 and at == 0 else _ROOT_KEY
    ders[at] = _resigned(ders[at], keys.get(data[0] % 3, under), rng, raw)
    return _packed(data[0], *ders)


def _resigned(der: bytes, key: ec.EllipticCurvePrivateKey, rng: Random, raw: Raw) -> bytes:
    """Return a certificate or request that says something else and is signed all the same."""
    try:
        ((_, whole),) = children(der)
        (tag, said), algorithm, (_, signature) = children(whole)
    except ValueError:
        return raw(der, len(der) + 32)
    if rng.random() < 0.1:
        return tlv(0x30, changed_der(whole, rng, raw))
    said = tlv(tag, changed_der(said, rng, raw))
    signature = b"\x00" + sign(key, said) if rng.random() < 0.95 else raw(signature, len(signature) + 8)
    return tlv(0x30, said + tlv(*algorithm) + tlv(0x03, signature))


CERTIFICATES: Final = Target(
    name="certificates",
    about="a path, a root, a request",
    seeds=_seeds,
    check=_check,
    mutate=_mutate,
    limit_bytes=20 * 1024,
)
