"""Checkpoints and proofs: what an auditor vouches for once a day, given away as files, and checked with the root alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from examples import check_proof as second
from services.audit import proofs
from services.audit.heads import ChannelHead, checkpoint_of, head_leaf
from services.audit.proof_files import (
    Consistency,
    Proof,
    decode_consistency,
    decode_heads,
    decode_proof,
    decode_split,
    encode_consistency,
    encode_heads,
    encode_proof,
    encode_split,
)
from services.audit.proving import NotProvableError, compare, consistency_with, heads_of, prove
from services.audit.tree import inclusion_proof, leaf_hash, root_of
from services.auditor.kept import Kept
from services.post.office import Office
from services.post.saving import queue_open
from services.wire.certificates import Root, load_root
from services.wire.channels import Role, record_of
from services.wire.contents import Checkpoint, decode_open
from services.wire.entry import Open, decode_entry
from services.wire.errors import (
    CertificateError,
    MalformedError,
    PartError,
    PlaceError,
    ProofError,
    SignatureError,
    VerificationError,
)
from services.wire.hashing import Digest, digest_of
from services.wire.issuing import Validity, make_root, pem
from tests.auditing import AUDITOR, CHANNELS, DAY, ask, audited, next_day
from tests.chains import ROOT, SCHOOL, key_of, seal_of
from tests.exchange import Exchange

YEAR = Validity(serial=1, not_before=datetime(2026, 1, 1, tzinfo=UTC), not_after=datetime(2040, 1, 1, tzinfo=UTC))
TO, BACK, RECORD, THEIRS = CHANNELS
OTHER = "auditor-otrais"
SEALED = f"{RECORD}/2"


def judged(check: Callable[[bytes, Root], Any], data: bytes, root: Root) -> Any:
    """Return what a check gives, whose verdict the second reader has to share."""
    try:
        second.checked(data, root.der)
        is_taken = True
    except ValueError:
        is_taken = False
    try:
        found = check(data, root)
    except VerificationError:
        assert not is_taken, "only the second reader takes this"
        raise
    assert is_taken, "only the first reader takes this"
    return found


def check_proof(data: bytes, root: Root) -> proofs.Proved:
    found: proofs.Proved = judged(proofs.check_proof, data, root)
    return found


def check_heads(data: bytes, root: Root) -> tuple[proofs.Vouching, dict[str, ChannelHead]]:
    found: tuple[proofs.Vouching, dict[str, ChannelHead]] = judged(proofs.check_heads, data, root)
    return found


def check_consistency(data: bytes, root: Root) -> proofs.Consistent:
    found: proofs.Consistent = judged(proofs.check_consistency, data, root)
    return found


def check_split(data: bytes, root: Root) -> tuple[proofs.Vouching, proofs.Vouching, ChannelHead, ChannelHead]:
    found: tuple[proofs.Vouching, proofs.Vouching, ChannelHead, ChannelHead] = judged(proofs.check_split, data, root)
    return found


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    found = audited(tmp_path)
    ask(found)
    next_day(found)
    return found


def auditor(exchange: Exchange, name: str = AUDITOR) -> Office:
    return exchange.members[name].office


def checkpoints(exchange: Exchange, name: str = AUDITOR) -> list[Checkpoint]:
    found = []
    for record in exchange.log.poll({record_of(name): 0}, timeout_seconds=0, limit=1000):
        body = decode_entry(record.value).unverified_statement.body
        content = decode_open(body) if isinstance(body, Open) else None
        if isinstance(content, Checkpoint):
            found.append(content)
    return found


def digests(exchange: Exchange, channel: str) -> list[Digest]:
    return [decode_entry(each.value).digest for each in exchange.log.poll({channel: 0}, timeout_seconds=0, limit=1000)]


def test_once_a_day_an_auditor_signs_one_root_over_all_that_it_has_read(exchange: Exchange) -> None:
    made = checkpoints(exchange)
    assert len(made) == 2
    # Made again from the log alone, by the definition.
    names = ("commission.record", "registrar.trust", BACK, RECORD, TO)
    heads = [
        ChannelHead(channel=each, epoch=0, size=len(found), root=root_of(map(leaf_hash, found)))
        for each in names
        for found in [digests(exchange, each)]
    ]
    assert made[-1] == checkpoint_of(heads)
    for _ in range(3):
        exchange.settle()
    assert len(checkpoints(exchange)) == 2


def test_a_day_on_which_no_worker_ran_has_none_and_the_next_one_vouches_for_everything(exchange: Exchange) -> None:
    member = exchange.members.pop(AUDITOR)
    for number in (2, 3):
        ask(exchange, number)
        next_day(exchange)
    exchange.members[AUDITOR] = member
    exchange.settle()
    exchange.settle()
    assert len(checkpoints(exchange)) == 3
    by, heads = check_heads(encode_heads(heads_of(Kept(auditor(exchange)))), ROOT)
    assert (by.auditor, by.name, by.channels) == (AUDITOR, AUDITOR, 5)
    assert heads[RECORD].size == exchange.log.end(RECORD)


def test_a_tree_that_grew_day_by_day_is_the_tree_of_all_that_is_there(exchange: Exchange) -> None:
    for number in (2, 3, 4):
        ask(exchange, number)
        next_day(exchange)
    _, heads = check_heads(encode_heads(heads_of(Kept(auditor(exchange)))), ROOT)
    for channel in CHANNELS:
        found = digests(exchange, channel)[: heads[channel].size]
        assert heads[channel].root == root_of(map(leaf_hash, found))


@pytest.mark.parametrize("entry", [f"{TO}/3", f"{RECORD}/1", f"{BACK}/2", "registrar.trust/1", "commission.record/1"])
def test_an_entry_is_proved_by_a_small_file_with_the_root_certificate_alone(exchange: Exchange, entry: str) -> None:
    data = encode_proof(prove(Kept(auditor(exchange)), entry))
    found = check_proof(data, ROOT)
    channel, _, sequence = entry.partition("/")
    assert (found.channel, found.sequence) == (channel, int(sequence))
    assert found.digest == digests(exchange, channel)[int(sequence) - 1]
    assert (found.by.auditor, found.has_personal) == (AUDITOR, False)
    assert len(data) < 16 * 1024
    # By its digest it is the same file.
    assert encode_proof(prove(Kept(auditor(exchange)), found.digest.hex())) == data
    assert encode_proof(prove(Kept(auditor(exchange)), found.digest.hex()[:12])) == data


def test_what_cannot_be_proved_is_said_and_why(exchange: Exchange) -> None:
    office = auditor(exchange)
    ask(exchange, 2)
    for entry, why in (
        (f"{RECORD}/{exchange.log.end(RECORD)}", "the next one will"),
        (f"{RECORD}/9999", "no such entry"),
        (f"{record_of(AUDITOR)}/1", f"never over its own record {record_of(AUDITOR)}: of that another auditor proves"),
        ("00" * 32, "no such entry"),
        ("nonsense!", "names no entry"),
        ("abc", "names no entry"),
    ):
        with pytest.raises(NotProvableError, match=why):
            prove(Kept(office), entry)
    with pytest.raises(NotProvableError, match="an auditor keeps none"):
        prove(Kept(office), SEALED, with_personal=True)


def test_before_the_first_checkpoint_nothing_is_proved(tmp_path: Path) -> None:
    found = audited(tmp_path)
    office = auditor(found)
    office.database.run("DELETE FROM checkpoints")
    with pytest.raises(NotProvableError, match="signed no checkpoint yet"):
        prove(Kept(office), f"{TO}/1")


Change = Callable[[Proof], Proof]


def changed(proof: Proof, **values: Any) -> Proof:
    return dataclasses.replace(proof, **values)


def subject(proof: Proof, **values: Any) -> Proof:
    return changed(proof, subject=dataclasses.replace(proof.subject, **values))


def flipped(data: bytes, place: int = -1) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + (data[place + 1 :] if place != -1 else b"")


def resigned(proof: Proof) -> Proof:
    entry = proof.subject.entry
    return subject(proof, entry=dataclasses.replace(entry, signature=flipped(entry.signature)))


LIES: dict[str, tuple[Change, type[VerificationError]]] = {
    "another signature": (resigned, SignatureError),
    "another part": (lambda p: subject(p, facts=flipped(p.subject.facts or b"")), PartError),
    "a personal part of another entry": (lambda p: subject(p, personal=b"another"), PartError),
    "another path": (lambda p: subject(p, path=p.subject.path[:-1]), ProofError),
    "another place in the checkpoint": (lambda p: subject(p, index=p.subject.index ^ 1), ProofError),
    "a head of another channel": (lambda p: subject(p, head=p.admissions[0].head), PlaceError),
    "a head of another size": (
        lambda p: subject(p, head=dataclasses.replace(p.subject.head, size=p.subject.head.size + 1)),
        ProofError,
    ),
    "nobody admitted": (lambda p: changed(p, admissions=()), ProofError),
    "the writer not admitted": (lambda p: changed(p, admissions=p.admissions[:1]), ProofError),
    "the admissions the other way round": (lambda p: changed(p, admissions=p.admissions[::-1]), ProofError),
    "an admission too many": (lambda p: changed(p, admissions=(*p.admissions, p.admissions[0])), ProofError),
    "an entry in the place of the checkpoint": (lambda p: changed(p, checkpoint=p.subject.entry), ProofError),
    "the checkpoint in the place of an admission": (
        lambda p: changed(p, admissions=(dataclasses.replace(p.admissions[0], entry=p.checkpoint), *p.admissions[1:])),
        ProofError,
    ),
    "the certificate of another": (
        lambda p: subject(p, entry=dataclasses.replace(p.subject.entry, certificates=p.checkpoint.certificates)),
        CertificateError,
    ),
    "no certificate": (lambda p: subject(p, entry=dataclasses.replace(p.subject.entry, certificates=())), CertificateError),
}


@pytest.mark.parametrize("name", LIES)
def test_a_proof_with_anything_else_in_it_does_not_check(exchange: Exchange, name: str) -> None:
    change, error = LIES[name]
    lie = encode_proof(change(prove(Kept(auditor(exchange)), SEALED)))
    with pytest.raises(error):
        check_proof(lie, ROOT)


def test_a_proof_of_another_exchange_does_not_check(exchange: Exchange) -> None:
    data = encode_proof(prove(Kept(auditor(exchange)), SEALED))
    strangers = load_root(pem(make_root(key_of("another root"), name="Another exchange", validity=YEAR)))
    with pytest.raises(CertificateError):
        check_proof(data, strangers)


def test_no_byte_of_a_proof_can_be_another_one(exchange: Exchange) -> None:
    data = encode_proof(prove(Kept(auditor(exchange)), SEALED))
    for place in range(0, len(data), 7):
        with pytest.raises(VerificationError):
            check_proof(flipped(data, place) if place + 1 < len(data) else flipped(data), ROOT)
    for wrong in (b"", data[:-1], data + b"\x00", data[:10] + b"\xff" * 40, b"\x00" * (1024 * 1024 + 1)):
        with pytest.raises(MalformedError):
            check_proof(wrong, ROOT)


def test_only_an_auditor_vouches_and_only_in_its_own_record(exchange: Exchange) -> None:
    # A school writes a checkpoint into its record: it is one in form, and vouches for nothing.
    school = exchange.members[SCHOOL].office
    genuine = prove(Kept(auditor(exchange)), SEALED)
    queue_open(school, RECORD, checkpoints(exchange)[-1])
    exchange.settle()
    row = school.database.one("SELECT * FROM entries WHERE channel = ? ORDER BY sequence DESC LIMIT 1", RECORD)
    assert row is not None
    own = dataclasses.replace(
        genuine.checkpoint,
        statement=row["statement"],
        signature=row["signature"],
        certificates=genuine.subject.entry.certificates,
    )
    for admissions in (genuine.admissions, genuine.admissions[1:], genuine.admissions[::-1]):
        with pytest.raises(ProofError, match="not in the record of an admitted auditor"):
            check_proof(encode_proof(changed(genuine, checkpoint=own, admissions=admissions)), ROOT)


# Two auditors.


@pytest.fixture
def two(tmp_path: Path) -> Exchange:
    found = audited(tmp_path)
    found.admit(OTHER, Role.AUDITOR, seal_of("other auditor", "NTRLV-90000000005"))
    ask(found)
    next_day(found)
    return found


def results(office: Office, theirs: bytes) -> dict[str, str]:
    check_heads(theirs, ROOT)
    found, split = compare(Kept(office), decode_heads(theirs))
    assert split is None
    return {each.channel: each.result for each in found}


def test_two_auditors_who_were_shown_one_log_agree_wherever_both_have_read(two: Exchange) -> None:
    theirs = encode_heads(heads_of(Kept(auditor(two, OTHER))))
    found = results(auditor(two), theirs)
    # What each reads of the other it does not read of itself.
    assert found.pop(record_of(AUDITOR)) == "not here"
    assert set(found.values()) == {"agrees"}
    ask(two, 2)
    next_day(two)
    later = encode_heads(heads_of(Kept(auditor(two, OTHER))))
    assert results(auditor(two), theirs)[TO] == "agrees"
    assert results(auditor(two), later)[TO] == "agrees"


def test_that_a_checkpoint_begins_with_all_of_an_older_one_is_proved_by_a_file(exchange: Exchange) -> None:
    before = heads_of(Kept(auditor(exchange)))
    ask(exchange, 2)
    next_day(exchange)
    ask(exchange, 3)
    next_day(exchange)
    data = encode_consistency(consistency_with(Kept(auditor(exchange)), before))
    found = check_consistency(data, ROOT)
    assert (found.channels, found.not_shown) == (tuple(each.channel for each in before.heads), ())
    assert found.newer.at - found.older.at > DAY
    both = decode_consistency(data)
    for lie, error in (
        (dataclasses.replace(both, older=both.newer, newer=both.older), ProofError),
        (dataclasses.replace(both, paths=both.paths[:-1]), ProofError),
        (dataclasses.replace(both, paths=both.paths[::-1]), ProofError),
        (dataclasses.replace(both, older=dataclasses.replace(both.older, heads=both.newer.heads)), ProofError),
    ):
        with pytest.raises(error):
            check_consistency(encode_consistency(lie), ROOT)


def test_checkpoints_of_two_auditors_are_not_consistent_with_each_other(two: Exchange) -> None:
    mine, other = heads_of(Kept(auditor(two))), heads_of(Kept(auditor(two, OTHER)))
    with pytest.raises(ProofError, match="not of one auditor"):
        check_consistency(encode_consistency(Consistency(older=mine, newer=other, paths=())), ROOT)


def test_an_auditor_whose_past_is_another_one_cannot_prove_that_it_is_the_same(two: Exchange) -> None:
    other = decode_heads(shown_another_chain(two, upto=3))
    with pytest.raises(NotProvableError, match="see audit compare"):
        consistency_with(Kept(auditor(two)), other)


def test_a_channel_that_was_begun_anew_is_named_as_not_shown(exchange: Exchange) -> None:
    before = heads_of(Kept(auditor(exchange)))
    ask(exchange, 2)
    next_day(exchange)
    later = consistency_with(Kept(auditor(exchange)), before)
    place = next(number for number, each in enumerate(later.newer.heads) if each.channel == TO)
    heads = list(later.newer.heads)
    heads[place] = dataclasses.replace(heads[place], epoch=1)
    office = auditor(exchange)
    event = queue_open(office, record_of(AUDITOR), checkpoint_of(heads))
    exchange.settle()
    row = office.database.one("SELECT * FROM entries WHERE event_id = ?", event)
    assert row is not None
    signed = dataclasses.replace(before.checkpoint, statement=row["statement"], signature=row["signature"])
    path = inclusion_proof([head_leaf(each) for each in heads], later.newer.admission.index)
    admission = dataclasses.replace(later.newer.admission, head_path=path)
    newer = dataclasses.replace(later.newer, checkpoint=signed, heads=tuple(heads), admission=admission)
    paths = tuple(each for each in later.paths if each.channel != TO)
    found = check_consistency(encode_consistency(Consistency(older=before, newer=newer, paths=paths)), ROOT)
    assert found.not_shown == (TO,)


def test_of_what_one_has_read_further_nothing_is_said_until_the_other_has(two: Exchange) -> None:
    member = two.members.pop(AUDITOR)
    ask(two, 2)
    next_day(two)
    later = encode_heads(heads_of(Kept(auditor(two, OTHER))))
    assert results(member.office, later)[TO] == "longer there"


def test_an_older_checkpoint_of_one_auditor_is_compared_with_a_newer_one_in_the_same_way(exchange: Exchange) -> None:
    before = encode_heads(heads_of(Kept(auditor(exchange))))
    ask(exchange, 2)
    next_day(exchange)
    assert set(results(auditor(exchange), before).values()) == {"agrees"}


def shown_another_chain(two: Exchange, *, upto: int) -> bytes:
    """Return heads that the other auditor signed over another chain of a channel, as if it had been shown that."""
    office = auditor(two, OTHER)
    genuine = heads_of(Kept(office))
    leaves = [leaf_hash(each) for each in digests(two, TO)[: upto - 1]] + [leaf_hash(digest_of(b"another entry"))]
    heads = tuple(
        dataclasses.replace(each, size=upto, root=root_of(leaves)) if each.channel == TO else each for each in genuine.heads
    )
    event = queue_open(office, record_of(OTHER), checkpoint_of(heads))
    two.settle()
    row = office.database.one("SELECT * FROM entries WHERE event_id = ?", event)
    assert row is not None
    signed = dataclasses.replace(genuine.checkpoint, statement=row["statement"], signature=row["signature"])
    # Its admission is proved under this checkpoint: the channel of that is the same in both, and so is its place.
    path = inclusion_proof([head_leaf(each) for each in heads], genuine.admission.index)
    admission = dataclasses.replace(genuine.admission, head_path=path)
    return encode_heads(dataclasses.replace(genuine, checkpoint=signed, heads=heads, admission=admission))


@pytest.mark.parametrize("upto", [2, 3])
def test_two_faces_of_a_writer_are_found_and_the_proof_of_it_can_be_carried_anywhere(two: Exchange, upto: int) -> None:
    theirs = shown_another_chain(two, upto=upto)
    check_heads(theirs, ROOT)
    found, split = compare(Kept(auditor(two)), decode_heads(theirs))
    assert {each.channel for each in found if each.result == "differs"} == {TO}
    assert split is not None
    data = encode_split(split)
    one, other, longer, shorter = check_split(data, ROOT)
    assert (one.auditor, other.auditor) == (AUDITOR, OTHER)
    assert (longer.channel, shorter.channel, shorter.size) == (TO, TO, upto)
    # Nobody is accused by two views that agree.
    for lie in (
        dataclasses.replace(split, shorter=split.longer, root=split.longer.head.root, path=()),
        dataclasses.replace(split, root=split.shorter.head.root),
        dataclasses.replace(split, path=(*split.path, split.root)),
        dataclasses.replace(split, shorter=dataclasses.replace(split.shorter, head=split.longer.head)),
        dataclasses.replace(split, longer=dataclasses.replace(split.longer, checkpoint=split.shorter.checkpoint)),
    ):
        with pytest.raises(VerificationError):
            check_split(encode_split(lie), ROOT)
    assert decode_split(data) == split


def test_files_of_the_three_kinds_are_not_taken_for_each_other(exchange: Exchange) -> None:
    proof, heads = encode_proof(prove(Kept(auditor(exchange)), SEALED)), encode_heads(heads_of(Kept(auditor(exchange))))
    for read, data in ((decode_proof, heads), (decode_heads, proof), (decode_split, proof)):
        with pytest.raises(MalformedError, match="does not begin as a proof of this kind"):
            read(data)


def test_heads_that_are_not_those_of_the_checkpoint_do_not_check(exchange: Exchange) -> None:
    whole = heads_of(Kept(auditor(exchange)))
    for heads, error in (
        (whole.heads[:-1], ProofError),
        (whole.heads[::-1], MalformedError),
        ((*whole.heads, whole.heads[-1]), MalformedError),
        ((dataclasses.replace(whole.heads[0], size=whole.heads[0].size + 1), *whole.heads[1:]), ProofError),
    ):
        with pytest.raises(error):
            check_heads(encode_heads(dataclasses.replace(whole, heads=heads)), ROOT)
