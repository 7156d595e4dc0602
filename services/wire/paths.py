"""Paths: whether one candidate follows another, and what is current after it (the second step of the reading rule).

Decides about one step of a channel's chain, from the place before: next sequence, right ``previous``, valid signature by
the certificate that is current there. Which of several steps is taken is left to ``reading``.
Source: schemas/README.md, "The reading rule", step 2, and "Trust".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from services.wire.candidates import Candidate, Verdict
from services.wire.certificates import REGISTRAR_POLICY_OID, SEAL_POLICY_OID, Certificate, Root, verify_path
from services.wire.channels import TRUST_CHANNEL, writer_of
from services.wire.contents import CertificateRotated, ChannelOpened, EpochOpened, Held, OpenContent, Receipt, decode_open
from services.wire.entry import Open, VerifiedEntry
from services.wire.errors import CertificateError, Evidence, MalformedError, PlaceError, SignatureError, VerificationError
from services.wire.hashing import Digest, digest_of, genesis_digest
from services.wire.receipts import receipt_fault
from services.wire.signing import verify_digest
from services.wire.trust import Trust, revoked_by

__all__ = ["Pathfinder", "Place", "Step"]

_OPENED: Final = ChannelOpened.__name__
_SHOW_A_CERTIFICATE: Final = frozenset({_OPENED, CertificateRotated.__name__})
_LEAVES_LIMIT: Final = 64
_MARK_BYTES: Final = 16
_NOT_TRIED: Final = b""


class Place(NamedTuple):
    """Where a path has come to: the newest entry on it, and what is current for the next one.

    ``certificates`` are those that were current somewhere on the path, the current one last; ``revoked`` are, in
    ``registrar.trust`` alone, the keys that the path itself revokes.
    """

    epoch: int
    sequence: int
    digest: Digest
    certificates: tuple[Certificate, ...] = ()
    revoked: frozenset[Digest] = frozenset()

    @property
    def certificate(self) -> Certificate | None:
        """The certificate that signs the next entry; None before the channel is opened."""
        return self.certificates[-1] if self.certificates else None


class Step(NamedTuple):
    """One candidate that follows: the verified entry, who signed it, the place after it, and what is wrong with its content.

    What has a ``fault`` keeps its place in the chain and is without effect; a person is told.
    """

    entry: VerifiedEntry
    signer: Certificate
    place: Place
    content: OpenContent | None = None
    fault: VerificationError | None = None


@dataclass(slots=True)
class Pathfinder:
    """Tells which candidates follow which, for one channel under one trust.

    It keeps what it verified, so a path that is looked at again costs no signature; what it answers depends on its
    arguments alone. It knows certificates that were shown to it: those that the root issued to this channel's writer, and so
    never more than were issued.
    """

    channel: str
    root: Root
    trust: Trust
    _signers: dict[tuple[Digest, tuple[bytes, ...]], bytes | None] = field(default_factory=dict)
    _leaves: dict[Digest, Certificate] = field(default_factory=dict)
    _known: dict[Digest, Certificate] = field(default_factory=dict)
    _marks: set[bytes] = field(default_factory=set)

    @property
    def genesis(self) -> Place:
        """The place before the first entry."""
        return Place(epoch=0, sequence=0, digest=genesis_digest(self.root.digest, self.channel))

    @property
    def epochs(self) -> tuple[EpochOpened, ...]:
        """The epochs of this channel that the registrar opened, in their order."""
        return self.trust.epochs.get(self.channel, ())

    def step(self, place: Place, candidate: Candidate) -> Step | None:
        """Return the step from ``place`` to ``candidate``, None if it does not follow there."""
        statement = candidate.unverified_statement
        if statement.sequence != place.sequence + 1 or statement.previous != place.digest:
            return None
        if isinstance(statement.body, Open) and statement.body.type == _OPENED:
            opened = self._opening(place, candidate)
            if opened is not None:
                return opened
        return self._ordinary(place, candidate)

    def signed_by(self, candidate: Candidate, certificate: Certificate) -> bytes | None:
        """Return a signature of ``candidate`` that is valid under ``certificate``, None if it has none."""
        # The certificate is part of what is signed: another one with the same key (a twin) is not what the writer named.
        if candidate.unverified_statement.certificate != certificate.digest:
            return None
        key = (candidate.digest, candidate.signatures)
        signature = self._signers.get(key, _NOT_TRIED)
        if signature is _NOT_TRIED:
            known = self._marked(candidate) if self._marks else None
            signature = self._signers[key] = known or _valid_signature(candidate, certificate)
        return signature

    def weigh(self, candidate: Candidate) -> tuple[Verdict, Candidate]:
        """Return what is known of who signed a candidate; if it is genuine, with the signature alone that makes it so."""
        certificate = self._known.get(candidate.unverified_statement.certificate)
        if certificate is None:
            return Verdict.UNKNOWN, candidate
        signature = self.signed_by(candidate, certificate)
        if signature is None:
            return Verdict.FORGED, candidate
        if len(candidate.signatures) > 1:
            candidate = candidate._replace(signatures=(signature,))
            self._signers[candidate.digest, candidate.signatures] = signature
        return Verdict.GENUINE, candidate

    def know(self, certificates: Iterable[Certificate]) -> None:
        """Know certificates that were current somewhere in this channel."""
        self._known.update((each.digest, each) for each in certificates)

    def learn(self, candidate: Candidate) -> Certificate | None:
        """Return the certificate that an opening or a rotation shows, if it may write this channel and was not known yet.

        Whoever shows it need not have signed anything: what counts is that the root issued it to this writer.
        """
        body = candidate.unverified_statement.body
        if not isinstance(body, Open) or body.type not in _SHOW_A_CERTIFICATE:
            return None
        content, _ = _content(candidate)
        leaf = self.leaf(content.certificates) if isinstance(content, ChannelOpened | CertificateRotated) else None
        if leaf is None or leaf.digest in self._known:
            return None
        self._known[leaf.digest] = leaf
        return leaf

    def check_ahead(
        self, candidates: Sequence[Candidate], certificate: Certificate, threads: Executor | None = None, count: int = 1
    ) -> None:
        """Verify the signatures of ``candidates``, where ``certificate`` is what they name, in a row or in ``count`` threads.

        What is found is kept for ``signed_by``, and changes no answer of it. In a row they cost less than each between other
        work; in threads whoever waits for the processor anyway (an auditor) gains, since a signature is verified without the
        interpreter's lock.
        """
        mine = [each for each in candidates if each.unverified_statement.certificate == certificate.digest]
        shares, run = [mine[start::count] for start in range(count)], threads.map if threads else map
        for share, signatures in zip(shares, run(partial(_valid_signatures, certificate), shares), strict=True):
            for candidate, signature in zip(share, signatures, strict=True):
                self._signers[candidate.digest, candidate.signatures] = signature

    def vouch(self, candidate: Candidate) -> None:
        """Take the one signature of a candidate for valid: the caller verified it, or that of an entry which chains to it.

        What is kept is given back by ``forget``, as after ``check_ahead``.
        """
        self._signers[candidate.digest, candidate.signatures] = candidate.signatures[0]

    def under(self, trust: Trust) -> Pathfinder:
        """Return the pathfinder of the same channel under another trust; signatures are not verified again."""
        other = Pathfinder(channel=self.channel, root=self.root, trust=trust, _signers=self._signers, _marks=self._marks)
        if other.organisation == self.organisation:
            other._known = self._known
        return other

    @property
    def organisation(self) -> str | None:
        """The organisation that may write this channel; None if the trust names none, as for the registrar's own."""
        writer = self.trust.writer_of(self.channel)
        return writer.organisation if writer else None

    def mark(self, candidate: Candidate) -> None:
        """Keep, in few bytes and across ``forget``, which signature of a candidate was found valid, if one was."""
        signature = self._signers.get((candidate.digest, candidate.signatures))
        if signature is not None:
            self._marks.add(_mark(candidate, signature))

    def _marked(self, candidate: Candidate) -> bytes | None:
        return next((each for each in candidate.signatures if _mark(candidate, each) in self._marks), None)

    def forget(self) -> None:
        """Give back what was kept of signatures; called between batches, so that memory does not grow with the channel."""
        self._signers.clear()

    def leaf(self, certificates: Sequence[bytes]) -> Certificate | None:
        """Return the leaf of a path that may write this channel, None if it may not."""
        try:
            return self.require_leaf(certificates)
        except CertificateError:
            return None

    def require_leaf(self, certificates: Sequence[bytes]) -> Certificate:
        """Return the leaf of a path that may write this channel.

        Raises: CertificateError saying why it may not.
        """
        key = digest_of(b"".join(map(digest_of, certificates)))
        # Only what the root issued is kept, and by digest: junk that claims to be a path would stay for ever.
        known = key in self._leaves
        leaf = self._leaves[key] = self._leaves.pop(key) if known else self._verified_leaf(tuple(certificates))
        if len(self._leaves) > _LEAVES_LIMIT:
            del self._leaves[next(iter(self._leaves))]
        return leaf

    def certificate_of(self, candidate: Candidate) -> Certificate | None:
        """Return the certificate that a candidate names, None if nothing in this channel has shown it."""
        return self._known.get(candidate.unverified_statement.certificate)

    def opens_coming_epoch(self, place: Place, candidate: Candidate) -> bool:
        """Tell whether a candidate is the genuine opening of an epoch that this place does not know yet."""
        return candidate.unverified_statement.epoch > place.epoch and self.is_opening(candidate)

    def is_opening(self, candidate: Candidate) -> bool:
        """Tell whether a candidate is an opening that somebody signed who may write this channel, wherever it stands."""
        content, _ = _content(candidate)
        if not isinstance(content, ChannelOpened):
            return False
        leaf = self.leaf(content.certificates)
        return leaf is not None and self.signed_by(candidate, leaf) is not None

    def _rotation_fault(self, content: CertificateRotated, error: CertificateError) -> CertificateError:
        shown = digest_of(content.certificates[0]).hex() if content.certificates else "nothing"
        evidence = Evidence(
            expected=error.evidence.expected or f"a certificate of {self.organisation or 'the registrar'}",
            found=error.evidence.found or shown,
        )
        return CertificateError(f"a rotation to a certificate that may not write here: {error.message}", evidence)

    def _verified_leaf(self, certificates: tuple[bytes, ...]) -> Certificate:
        trust_channel = self.channel == TRUST_CHANNEL
        leaf = verify_path(certificates, self.root, policy=REGISTRAR_POLICY_OID if trust_channel else SEAL_POLICY_OID)
        if trust_channel or leaf.organisation == self.organisation:
            return leaf
        # A genuine seal of another organisation: it may write its own channels, not this one.
        raise CertificateError(
            "a seal of another organisation",
            Evidence(channel=self.channel, expected=self.organisation or "nobody", found=leaf.organisation),
        )

    def _opening(self, place: Place, candidate: Candidate) -> Step | None:
        statement = candidate.unverified_statement
        named = next((each for each in self.epochs if each.epoch == statement.epoch and _is_after(each, place)), None)
        # Nobody opens an epoch but the registrar; only epoch 0 begins by itself, and only a channel.
        if named is None and not (statement.epoch == 0 and place.sequence == 0):
            return None
        content, _ = _content(candidate)
        if not isinstance(content, ChannelOpened):
            return None
        if content.exchange != self.root.digest or content.writer != writer_of(self.channel):
            return None
        leaf = self.leaf(content.certificates)
        if leaf is None or (named is not None and named.certificate != leaf.digest):
            return None
        signature = self.signed_by(candidate, leaf)
        if signature is None:
            return None
        after = place._replace(
            epoch=statement.epoch,
            sequence=statement.sequence,
            digest=candidate.digest,
            certificates=_with(place.certificates, leaf),
        )
        return Step(entry=candidate.verified(signature), signer=leaf, place=after, content=content)

    def _ordinary(self, place: Place, candidate: Candidate) -> Step | None:
        signer, statement = place.certificate, candidate.unverified_statement
        if signer is None or statement.epoch != place.epoch:
            return None
        signature = self.signed_by(candidate, signer)
        if signature is None:
            return None
        if not isinstance(statement.body, Open):
            fields = place.epoch, statement.sequence, candidate.digest, place.certificates, place.revoked
            # As ``Step(…, Place(…))``, without the calls that named tuples' own way takes more: most entries are sealed.
            return tuple.__new__(Step, (candidate.verified(signature), signer, tuple.__new__(Place, fields), None, None))
        fault: VerificationError | None
        content, fault = _content(candidate)
        certificates = place.certificates
        # It stands in its place, so no fault of its content keeps it out; it only changes nothing.
        if isinstance(content, CertificateRotated):
            try:
                certificates = _with(certificates, self.require_leaf(content.certificates))
            except CertificateError as error:
                fault = self._rotation_fault(content, error)
        elif isinstance(content, ChannelOpened):
            epoch = "an epoch that the registrar opened and that begins here"
            fault = PlaceError("an opening that opens nothing", Evidence(expected=epoch, found=f"epoch {statement.epoch}"))
        elif isinstance(content, Receipt):
            own = Held(channel=self.channel, epoch=place.epoch, sequence=place.sequence, digest=place.digest)
            fault = receipt_fault(content, own)
            # Whoever holds what it names would believe, and answer, what its writer cannot mean.
            content = content if fault is None else None
        revoked = revoked_by(content, signer.key_digest) if self.channel == TRUST_CHANNEL else None
        after = Place(
            epoch=place.epoch,
            sequence=statement.sequence,
            digest=candidate.digest,
            certificates=certificates,
            revoked=place.revoked | {revoked} if revoked else place.revoked,
        )
        return Step(entry=candidate.verified(signature), signer=signer, place=after, content=content, fault=fault)


def _valid_signatures(certificate: Certificate, candidates: Sequence[Candidate]) -> list[bytes | None]:
    return [_valid_signature(each, certificate) for each in candidates]


def _valid_signature(candidate: Candidate, certificate: Certificate) -> bytes | None:
    for signature in candidate.signatures:
        try:
            # The digest was computed from the statement's bytes when the record was decoded.
            verify_digest(certificate.public_key, signature, candidate.digest)
        except SignatureError:
            continue
        return signature
    return None


def _mark(candidate: Candidate, signature: bytes) -> bytes:
    # The certificate stands in what the digest is of. Half a digest: only who has the key could look for two that collide.
    return digest_of(candidate.digest + signature)[:_MARK_BYTES]


def _is_after(epoch: EpochOpened, place: Place) -> bool:
    return epoch.after_sequence == place.sequence and epoch.after_digest == place.digest


def _with(certificates: tuple[Certificate, ...], leaf: Certificate) -> tuple[Certificate, ...]:
    return (*(each for each in certificates if each.digest != leaf.digest), leaf)


def _content(candidate: Candidate) -> tuple[OpenContent | None, MalformedError | None]:
    body = candidate.unverified_statement.body
    if not isinstance(body, Open):
        return None, None
    try:
        return decode_open(body), None
    except MalformedError as error:
        found = digest_of(body.content).hex()
        evidence = Evidence(expected=f"canonical content of {body.type}", found=found, raw=body.content)
        return None, MalformedError(f"{body.type} with wrong content: {error.message}", evidence)
