"""Floods: whoever can write junk into a channel, or has a key that was replaced, costs its readers little."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace

import pytest

from services.wire import following, paths
from services.wire.aside import REMEMBERED_LIMIT, REMEMBERED_LIMIT_BYTES
from services.wire.candidates import Candidate
from services.wire.certificates import Certificate, verify_path
from services.wire.channels import TRUST_CHANNEL, writer_of
from services.wire.contents import ChannelOpened, EpochOpened, KeyRevoked, Reason, encode_open
from services.wire.entry import PERSONAL_LIMIT_BYTES, Sealed, decode_entry, encode_entry
from services.wire.hashing import Digest, digest_of
from services.wire.paths import Pathfinder
from services.wire.reading import Reading, ReadingState, judge
from services.wire.signing import verify_digest
from services.wire.trust import NO_TRUST
from tests.chains import CHANNEL, ROOT, Pen, seal_of, trust
from tests.stories import REGISTRARS
from tests.unit.test_following import Reader

OLD, NEW, THIRD = (seal_of(name) for name in ("old", "new", "third"))
OUTSIDER = seal_of("nobody at all", organisation="NTRLV-90000000066")


def forger(salt: str, *, names: Certificate = OLD.certificate, sequence: int = 10**6) -> Pen:
    """Return the pen of somebody without a key, who names a certificate and signs with another key."""
    pen = Pen(CHANNEL, OUTSIDER, 0, sequence, Digest(hashlib.sha256(salt.encode()).digest()), salt)
    pen.seal = replace(OUTSIDER, certificate=names)
    return pen


def forged(count: int, **more: object) -> list[bytes]:
    return [forger(f"forged {number}", **more).sealed(with_personal=False) for number in range(count)]  # type: ignore[arg-type]


def stray(salt: str, sequence: int = 5) -> bytes:
    """Return an entry under the old key, at an old place, that follows nothing."""
    return Pen(CHANNEL, OLD, 0, sequence, Digest(hashlib.sha256(salt.encode()).digest()), salt).sealed()


def large(pen: Pen) -> bytes:
    facts, personal = pen.salt.encode() * 9, bytes(PERSONAL_LIMIT_BYTES)
    return pen.write(Sealed(facts_key=digest_of(b"key"), facts=digest_of(facts), personal=digest_of(personal)), facts, personal)


def weight(aside: Iterable[Candidate]) -> int:
    return sum(len(each.statement_bytes) + len(each.facts or b"") + len(each.personal or b"") for each in aside)


class Counted:
    """What was verified and what was judged since ``begin``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.verified: list[Digest] = []
        self.judged = self.paths = 0
        verify, judging, path = verify_digest, judge, verify_path

        def counting_verify(key: object, signature: bytes, digest: Digest) -> None:
            self.verified.append(digest)
            verify(key, signature, digest)  # type: ignore[arg-type]

        def counting_judge(*arguments: object) -> Reading:
            self.judged += 1
            return judging(*arguments)  # type: ignore[arg-type]

        def counting_path(*arguments: object, **more: object) -> Certificate:
            self.paths += 1
            return path(*arguments, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(paths, "verify_digest", counting_verify)
        monkeypatch.setattr(paths, "verify_path", counting_path)
        monkeypatch.setattr(following, "judge", counting_judge)

    def begin(self) -> None:
        self.verified.clear()
        self.judged = self.paths = 0


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(monkeypatch)


def opened_reader() -> tuple[Reader, Pen]:
    writer, reader = Pen(CHANNEL, OLD), Reader(CHANNEL, trust())
    reader.deliver([writer.opened(), writer.sealed()])
    return reader, writer


def rotated_reader(entries: int) -> tuple[Reader, Pen, Pen]:
    """Return a reader of a channel that rotated long ago, its writer, and a thief with the key before."""
    reader, writer = opened_reader()
    thief = writer.fork("thief")
    reader.deliver([writer.sealed(), writer.rotated(NEW), *(writer.sealed() for _ in range(entries))])
    return reader, writer, thief


def test_forged_entries_with_large_parts_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.wire.aside.REMEMBERED_LIMIT_BYTES", 4 * 1024 * 1024)
    reader, writer = opened_reader()
    for number in range(20):
        reader.deliver([large(forger(f"large {number}", names=(OLD, THIRD)[number % 2].certificate))])
        assert weight(reader.follower.remembered) <= 4 * 1024 * 1024
    assert reader.follower.is_overflowing
    assert 0 < len(reader.follower.remembered) < 20
    reader.deliver([writer.sealed()])
    reader.check()


def test_there_is_a_cap_by_bytes_and_by_records_at_once() -> None:
    assert REMEMBERED_LIMIT * 1024 < REMEMBERED_LIMIT_BYTES < REMEMBERED_LIMIT * PERSONAL_LIMIT_BYTES


def test_beyond_the_cap_what_is_forged_goes_first_and_what_is_genuine_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.wire.aside.REMEMBERED_LIMIT", 10)
    reader, writer = opened_reader()
    missing = writer.sealed()
    behind_it = [writer.sealed() for _ in range(30)]
    rotation = writer.rotated(NEW)
    of_the_new = [writer.sealed() for _ in range(5)]
    reader.deliver(behind_it)
    reader.deliver(forged(50)[:25] + of_the_new + forged(50)[25:])
    assert len(reader.follower.remembered) == 30 + 10
    reader.deliver([missing, rotation])
    reader.check()
    assert len(reader.applied) == 2 + 1 + 30 + 1 + 5


def with_signature(record: bytes, signature: bytes) -> bytes:
    entry = decode_entry(record)
    return encode_entry(entry.statement_bytes, signature, entry.raw_facts, entry.raw_personal)


def test_many_signatures_beside_one_statement_are_capped_and_each_is_verified_once(
    monkeypatch: pytest.MonkeyPatch, counted: Counted
) -> None:
    monkeypatch.setattr("services.wire.aside.REMEMBERED_LIMIT", 10)
    reader, writer = opened_reader()
    true, thiefs = writer.sealed(), forger("x", names=THIRD.certificate).sealed()
    counted.begin()
    for record in (true, thiefs):
        for number in range(30):
            reader.deliver([with_signature(record, hashlib.sha256(bytes([number])).digest())])
    assert sum(len(each.signatures) for each in reader.follower.remembered) <= 10
    # One a record, and none for what names a certificate that nobody has shown.
    assert len(counted.verified) == 30
    reader.deliver([true])
    assert reader.applied[-1] == decode_entry(true).digest


@pytest.mark.parametrize("junk", [b"", b"x", bytes(100), bytes(50_000)])
def test_junk_signatures_put_on_a_waiting_statement_do_not_keep_its_true_one_from_counting(junk: bytes) -> None:
    reader, writer = opened_reader()
    rotation = writer.rotated(NEW)
    later = writer.sealed()
    reader.deliver([with_signature(later, junk), later, with_signature(later, junk + b"y"), with_signature(rotation, junk)])
    reader.deliver([rotation, with_signature(rotation, junk + b"y")])
    reader.check()
    assert len(reader.applied) == 4
    assert not reader.follower.remembered


def test_a_genuine_entry_costs_one_signature_however_many_forgeries_are_remembered(counted: Counted) -> None:
    reader, writer = opened_reader()
    ahead = forged(300)
    # And some that claim to follow the next entry, or to be a rival of one that was taken.
    beside = [forger(f"beside {number}", sequence=number % 3).sealed() for number in range(30)]
    counted.begin()
    reader.deliver(ahead + beside)
    assert len(counted.verified) == len(ahead) + len(beside)
    for _ in range(3):
        entry = writer.sealed()
        counted.begin()
        reader.deliver([entry])
        assert reader.follower.gap is None
        assert counted.verified == [decode_entry(entry).digest]
    assert counted.judged == 0
    reader.check()


def test_what_waits_behind_a_gap_is_verified_once_however_often_the_gap_is_looked_for(counted: Counted) -> None:
    reader, writer = opened_reader()
    missing, behind = writer.sealed(), [writer.sealed() for _ in range(20)]
    counted.begin()
    for record in behind:
        reader.deliver([record])
        assert reader.follower.gap is not None
    reader.deliver([missing])
    assert len(counted.verified) == 21
    reader.check()


def test_forged_openings_leave_nothing_behind_in_what_is_kept_of_paths(counted: Counted) -> None:
    reader, writer = opened_reader()
    junk = []
    for number in range(40):
        paths_of_junk = (bytes([number]) * 200_000,)
        pen = forger(f"opening {number}", names=THIRD.certificate, sequence=0)
        content = ChannelOpened(exchange=ROOT.digest, writer=writer_of(CHANNEL), certificates=paths_of_junk)
        junk.append(pen.write(encode_open(content), None, None))
    reader.deliver(junk)
    assert len(reader.follower.pathfinder._leaves) == 1  # noqa: SLF001  # the writer's own
    counted.begin()
    reader.deliver([writer.sealed()])
    assert counted.paths == 0
    reader.check()


def test_forgeries_do_not_hold_a_start_at_the_beginning_of_the_log() -> None:
    reader, writer = opened_reader()
    reader.deliver([*forged(20), *forged(20, names=THIRD.certificate)])
    assert reader.follower.remembers == 0
    missing, behind = writer.sealed(), writer.sealed()
    reader.deliver([behind])
    assert reader.follower.remembers == 1
    reader.deliver([missing])
    assert reader.follower.remembers == 0


def test_before_a_channel_is_opened_everything_may_be_genuine_and_is_seen_again() -> None:
    writer = Pen(CHANNEL, OLD)
    records = [writer.opened(), writer.sealed()]
    reader = Reader(CHANNEL, NO_TRUST)
    reader.deliver(records)
    assert (reader.applied, reader.follower.remembers) == ([], 2)
    # Only now it is known who may write here.
    reader.retrust(trust())
    reader.check()
    assert (len(reader.applied), reader.follower.remembers) == (2, 0)


def test_what_is_signed_under_a_certificate_that_comes_later_is_genuine_when_it_comes() -> None:
    reader, writer = opened_reader()
    rotation = writer.rotated(NEW)
    later = [writer.sealed(), writer.sealed()]
    reader.deliver([*forged(5, names=NEW.certificate), *later])
    assert reader.follower.gap is None
    reader.deliver([rotation])
    reader.check()
    assert len(reader.applied) == 5
    assert reader.follower.remembers == 0


def test_a_thief_with_a_replaced_key_makes_the_channel_be_judged_once_and_no_more(counted: Counted) -> None:
    reader, writer, thief = rotated_reader(entries=30)
    counted.begin()
    reader.deliver([stray("first")])
    assert counted.judged == 1
    counted.begin()
    records = []
    for number in range(10):
        fork = replace(thief, salt=f"thief {number}")
        first, second = fork.sealed(), fork.sealed()
        # Rivals at an old place, what follows them (or comes before them), and old places that nothing reaches.
        batches = [[second, first] if number % 2 else [second], [first], [stray(f"thief {number}"), writer.sealed()]]
        for batch in batches:
            records += batch
            reader.deliver(batch)
    assert counted.judged == 0
    assert sorted(counted.verified) == sorted({decode_entry(each).digest for each in records})
    reader.check()
    assert reader.follower.state is ReadingState.READING


def test_a_rival_under_a_replaced_key_is_judged_where_nothing_newer_vouches_for_what_is_taken(counted: Counted) -> None:
    reader, writer, _ = rotated_reader(entries=3)
    reader.deliver([stray("first")])
    late = writer.fork("late")
    counted.begin()
    reader.deliver([writer.sealed(), late.sealed()])
    assert counted.judged == 1
    reader.check()
    assert reader.follower.state is ReadingState.FORKED


def test_a_key_that_was_revoked_vouches_for_nothing_against_a_rival_under_the_key_before_it() -> None:
    reader, writer, thief = rotated_reader(entries=2)
    reader.deliver([writer.rotated(OLD), writer.sealed()])
    reader.retrust(trust(revoked=(NEW,)))
    reader.deliver([stray("first")])
    assert len(reader.applied) == 8
    reader.deliver([thief.sealed()])
    reader.check()
    assert reader.follower.state is ReadingState.FORKED


def test_in_the_registrars_channel_a_rival_is_judged_under_the_revocations_of_each_branch() -> None:
    pen = Pen(TRUST_CHANNEL, REGISTRARS[0])
    reader = Reader(TRUST_CHANNEL, NO_TRUST)
    reader.deliver([pen.opened()])
    thief = pen.fork("thief")
    reader.deliver([pen.sealed(), pen.rotated(REGISTRARS[1]), pen.sealed(), pen.rotated(REGISTRARS[0])])
    reader.deliver([pen.open(KeyRevoked(key=REGISTRARS[1].certificate.key_digest, reason=Reason.STOLEN))])
    reader.deliver([replace(thief, sequence=2, previous=Digest(bytes(32))).sealed()])
    assert len(reader.applied) == 6
    reader.deliver([thief.sealed()])
    reader.check()
    assert reader.follower.state is ReadingState.FORKED


def test_two_openings_of_one_epoch_are_judged() -> None:
    reader, writer = opened_reader()
    epoch = EpochOpened(
        channel=CHANNEL,
        epoch=1,
        after_sequence=writer.sequence,
        after_digest=writer.previous,
        certificate=THIRD.certificate.digest,
    )
    reader.retrust(trust(epochs=(epoch,)))
    again = Pen(CHANNEL, THIRD, 1, writer.sequence, writer.previous)
    rival = again.fork("thief")
    reader.deliver([again.opened(), again.sealed(), stray("first", sequence=1)])
    assert len(reader.applied) == 4
    reader.deliver([rival.opened()])
    reader.check()
    assert reader.follower.state is ReadingState.FORKED


def test_a_branch_that_reaches_another_key_is_no_longer_without_effect() -> None:
    reader, _, thief = rotated_reader(entries=3)
    reader.deliver([stray("first"), thief.sealed(), thief.rotated(THIRD)])
    reader.check()
    assert len(reader.applied) == 7
    reader.deliver([thief.sealed()])
    reader.check()
    assert reader.follower.state is ReadingState.FORKED


def test_what_an_epoch_has_left_behind_is_not_judged_again(counted: Counted) -> None:
    reader, writer = opened_reader()
    after, behind = writer.fork(""), writer.fork("thief")
    reader.deliver([after.sealed(), after.sealed()])
    last = after.fork("thief")
    epoch = EpochOpened(
        channel=CHANNEL,
        epoch=1,
        after_sequence=after.sequence,
        after_digest=after.previous,
        certificate=THIRD.certificate.digest,
    )
    reader.retrust(trust(epochs=(epoch,)))
    again = Pen(CHANNEL, THIRD, 1, after.sequence, after.previous)
    reader.deliver([again.opened(), again.sealed()])
    reader.deliver([stray("first", sequence=1)])
    counted.begin()
    reader.deliver([behind.sealed(), last.sealed()])
    reader.deliver([behind.sealed(), last.sealed()])
    assert counted.judged == 0
    reader.check()
    assert len(reader.applied) == 6


def test_a_second_look_holds_no_parts_and_hands_them_out_whole_when_they_are_taken_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judged: list[Candidate] = []

    def seeing(finder: Pathfinder, candidates: dict[Digest, Candidate]) -> Reading:
        judged.extend(candidates.values())
        return judge(finder, candidates)

    monkeypatch.setattr(following, "judge", seeing)
    reader, writer = opened_reader()
    early = writer.fork("")
    reader.deliver([writer.sealed() for _ in range(4)])
    epochs = tuple(
        EpochOpened(
            channel=CHANNEL,
            epoch=number,
            after_sequence=pen.sequence,
            after_digest=pen.previous,
            certificate=THIRD.certificate.digest,
        )
        for number, pen in ((1, early), (2, writer))
    )
    reader.retrust(trust(epochs=epochs[:1]))
    reader.deliver([Pen(CHANNEL, THIRD, 1, early.sequence, early.previous).opened()])
    reader.agree()
    # The registrar overrules itself: the first branch was right, and what is held of it is taken again.
    reader.trust = trust(epochs=epochs)
    update = reader.follower.retrust(reader.trust)
    if update.off_chain is not None:
        del reader.applied[update.off_chain - 1 :]
        update = reader.follower.agree()
    assert {len(each.facts) for each in judged if each.facts is not None} == {0}
    again = [step.entry for step in update.new]
    assert len(again) == 4
    for entry in again:
        assert isinstance(entry.statement.body, Sealed)
        assert digest_of(entry.facts or b"") == entry.statement.body.facts
        assert digest_of(entry.personal or b"") == entry.statement.body.personal


def test_a_second_look_verifies_only_what_is_new(counted: Counted) -> None:
    reader, writer, _ = rotated_reader(entries=30)
    reader.deliver([stray("first")])
    rivals = [writer.fork(f"rival {number}") for number in range(3)]
    records = [each.sealed() for each in rivals]
    counted.begin()
    for record in records:
        reader.deliver([record])
    assert counted.judged >= 1
    assert reader.follower.state is ReadingState.FORKED
    assert sorted(counted.verified) == sorted(decode_entry(each).digest for each in records)
