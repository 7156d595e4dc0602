"""The reading rule told as attacks and accidents; each set of records is read in several orders."""

from __future__ import annotations

import random

import pytest

from services.wire.channels import Role
from services.wire.contents import EpochOpened, KeyRevoked, ParticipantAdmitted, Reason
from services.wire.entry import decode_entry, encode_entry
from services.wire.errors import CertificateError
from services.wire.hashing import digest_of
from services.wire.reading import Gap, Reading, ReadingState, read_channel, read_trust
from services.wire.trust import Trust
from tests.chains import CHANNEL, ROOT, SCHOOL, Pen, Seal, registrar_seal, seal_of, trust, trust_pen

OLD, NEW, OTHER = seal_of("old"), seal_of("new"), seal_of("other", organisation="NTRLV-90000000002")


def read(records: list[bytes], under: Trust | None = None) -> Reading:
    """Read a set of records in three orders; one function of the set gives one result."""
    readings = []
    for seed in range(5):
        shuffled = records * 2
        random.Random(seed).shuffle(shuffled)  # noqa: S311  # an order, no secret
        readings.append(read_channel(CHANNEL, shuffled, ROOT, under or trust()))
    told = {(each.channel, each.state, each.place, tuple(entry.digest for entry in each.taken), each.gap) for each in readings}
    assert len(told) == 1
    assert readings[0].channel == CHANNEL
    return readings[0]


def pen() -> tuple[Pen, list[bytes]]:
    writer = Pen(CHANNEL, OLD)
    return writer, [writer.opened()]


def places(reading: Reading) -> list[tuple[int, int]]:
    return [(entry.statement.epoch, entry.statement.sequence) for entry in reading.taken]


def epoch_after(writer: Pen, *, epoch: int = 1, seal: object = NEW) -> EpochOpened:
    return EpochOpened(
        channel=CHANNEL,
        epoch=epoch,
        after_sequence=writer.sequence,
        after_digest=writer.previous,
        certificate=seal.certificate.digest,  # type: ignore[attr-defined]  # a Seal
    )


def test_a_channel_is_its_chain_from_the_genesis() -> None:
    writer, records = pen()
    records += [writer.sealed() for _ in range(5)]
    assert places(read(records)) == [(0, sequence) for sequence in range(1, 7)]


def test_nobody_writes_into_a_channel_that_the_registrar_admitted_for_another_organisation() -> None:
    thief = Pen(CHANNEL, OTHER)
    assert read([thief.opened(), thief.sealed()]).taken == ()


def test_a_channel_of_another_exchange_is_skipped() -> None:
    writer = Pen(CHANNEL, OLD, previous=trust_pen().previous)
    reading = read([writer.opened()])
    assert reading.taken == ()
    assert reading.state is ReadingState.READING


def test_a_record_copied_from_another_channel_is_junk() -> None:
    _, records = pen()
    stranger = Pen(f"{SCHOOL}.to-commission", OLD)
    reading = read([*records, stranger.opened()])
    assert len(reading.taken) == 1
    assert {junk.reason for junk in reading.junk} == {"an entry of another channel"}


def test_an_entry_whose_facts_were_swapped_is_junk_and_leaves_a_gap() -> None:
    writer, records = pen()
    one, two, three = writer.sealed(), writer.sealed(), writer.sealed()
    whole, donor = decode_entry(two), decode_entry(one)
    damaged = encode_entry(whole.statement_bytes, whole.signature, donor.raw_facts, whole.raw_personal)
    reading = read([*records, one, damaged, three])
    assert places(reading) == [(0, 1), (0, 2)]
    assert reading.gap == Gap(epoch=0, sequence=4)
    assert {(junk.sequence, junk.reason) for junk in reading.junk} == {(3, "sealed facts that do not match their digest")}


def test_a_personal_part_that_was_cut_out_keeps_no_entry_out_and_comes_back_from_another_copy() -> None:
    writer, records = pen()
    whole = writer.sealed()
    entry = decode_entry(whole)
    cut = encode_entry(entry.statement_bytes, entry.signature, entry.raw_facts, None)
    forged = encode_entry(entry.statement_bytes, entry.signature, entry.raw_facts, b"x" * 1104)
    assert read([*records, cut, forged]).taken[1].personal is None
    assert read([*records, cut, forged, whole]).taken[1].personal == entry.raw_personal


def test_a_copy_with_a_broken_signature_does_not_hide_the_genuine_one() -> None:
    writer, records = pen()
    whole = decode_entry(writer.sealed())
    forged = encode_entry(whole.statement_bytes, b"\x30\x06\x02\x01\x01\x02\x01\x01", whole.raw_facts, whole.raw_personal)
    assert places(read([*records, forged])) == [(0, 1)]
    genuine = encode_entry(whole.statement_bytes, whole.signature, whole.raw_facts, whole.raw_personal)
    assert places(read([*records, forged, genuine])) == [(0, 1), (0, 2)]


def test_two_entries_at_one_place_are_a_fork_and_its_proof() -> None:
    writer, records = pen()
    thief = writer.fork("thief")
    reading = read([*records, writer.sealed(), thief.sealed(), thief.sealed(), ahead(OLD, 9)])
    assert reading.gap is None
    assert reading.state is ReadingState.FORKED
    assert places(reading) == [(0, 1)]
    assert len({step.entry.digest for step in reading.undecided}) == 2
    assert len(reading.branches) == 3


def test_a_thief_with_the_old_key_at_an_old_place_convicts_nobody_after_the_rotation() -> None:
    writer, records = pen()
    records.append(writer.sealed())
    thief = writer.fork("thief")
    records += [writer.rotated(NEW), writer.sealed()]
    assert places(read([*records, thief.sealed(), thief.sealed()])) == [(0, 1), (0, 2), (0, 3), (0, 4)]


def test_naming_a_new_certificate_is_not_being_signed_by_it() -> None:
    writer, records = pen()
    thief = writer.fork("thief")
    records += [writer.sealed(), thief.rotated(NEW)]
    assert read(records).state is ReadingState.FORKED


def test_what_a_revoked_key_signed_waits_until_an_unrevoked_one_signs_after_it() -> None:
    writer, records = pen()
    records += [writer.sealed(), writer.rotated(NEW)]
    waiting = read(records, trust(revoked=(OLD,)))
    assert waiting.state is ReadingState.WAITING
    assert waiting.taken == ()
    assert len(read([*records, writer.sealed()], trust(revoked=(OLD,))).taken) == 4


def test_a_hole_in_a_run_that_waits_is_a_gap_and_healing_it_ends_the_waiting() -> None:
    writer, records = pen()
    run = [writer.sealed() for _ in range(5)]
    records += [*run, writer.rotated(NEW), writer.sealed()]
    lost = run[2]
    waiting = read([each for each in records if each is not lost], trust(revoked=(OLD,)))
    assert (waiting.state, waiting.taken) == (ReadingState.WAITING, ())
    assert waiting.gap == Gap(epoch=0, sequence=5)
    healed = read(records, trust(revoked=(OLD,)))
    assert (len(healed.taken), healed.gap) == (8, None)


def test_what_is_missing_before_an_epoch_is_named_by_its_place() -> None:
    writer, records = pen()
    run = [writer.sealed() for _ in range(4)]
    under = trust(revoked=(OLD,), epochs=(epoch_after(writer),))
    for place, missing in enumerate(run, start=2):
        reading = read([*records, *(each for each in run if each is not missing)], under)
        assert (reading.state, reading.gap and reading.gap.sequence) == (ReadingState.WAITING, place)
    whole = decode_entry(run[1])
    forged = encode_entry(whole.statement_bytes, whole.signature[:-1], whole.raw_facts, None)
    assert read([*records, run[0], forged, *run[2:]], under).gap == Gap(epoch=0, sequence=3)


def test_after_an_epoch_only_the_chain_that_the_registrar_named_and_its_opening_count() -> None:
    writer, records = pen()
    records.append(writer.sealed())
    epoch = epoch_after(writer)
    thief = writer.fork("thief")
    renewed = Pen(CHANNEL, NEW, epoch=1, sequence=writer.sequence, previous=writer.previous)
    records += [thief.sealed(), writer.sealed()]
    under = trust(revoked=(OLD,), epochs=(epoch,))
    assert places(read(records, under)) == [(0, 1), (0, 2)]
    waiting = read(records, under)
    assert (waiting.state, waiting.only_epoch, waiting.is_epoch_reached) == (ReadingState.READING, 1, True)
    records += [renewed.opened(), renewed.sealed()]
    assert places(read(records, under)) == [(0, 1), (0, 2), (1, 3), (1, 4)]


def test_an_epoch_opened_by_a_certificate_that_the_registrar_did_not_name_opens_nothing() -> None:
    writer, records = pen()
    thief = Pen(CHANNEL, seal_of("third"), epoch=1, sequence=writer.sequence, previous=writer.previous)
    assert places(read([*records, thief.opened()], trust(epochs=(epoch_after(writer),)))) == [(0, 1)]


def test_a_later_epoch_overrules_an_earlier_one() -> None:
    writer, records = pen()
    early = writer.fork("")
    records.append(writer.sealed())
    first = epoch_after(writer)
    wrong = Pen(CHANNEL, NEW, epoch=1, sequence=writer.sequence, previous=writer.previous)
    records += [wrong.opened(), wrong.sealed()]
    third = seal_of("third")
    second = epoch_after(early, epoch=2, seal=third)
    right = Pen(CHANNEL, third, epoch=2, sequence=early.sequence, previous=early.previous)
    assert places(read([*records, right.opened()], trust(epochs=(first, second)))) == [(0, 1), (2, 2)]


def test_an_epoch_whose_last_entry_nobody_has_shown_makes_the_channel_wait() -> None:
    writer, records = pen()
    lost = writer.sealed()
    under = trust(epochs=(epoch_after(writer),))
    waiting = read(records, under)
    assert (waiting.state, waiting.only_epoch, waiting.is_epoch_reached) == (ReadingState.WAITING, 1, False)
    assert places(read([*records, lost], under)) == [(0, 1), (0, 2)]


def test_the_opening_of_a_coming_epoch_is_a_gap() -> None:
    writer, records = pen()
    lost = Pen(CHANNEL, NEW, epoch=1, sequence=5, previous=writer.previous)
    assert read([*records, lost.opened()]).gap is None or writer.sequence == 1
    far = Pen(CHANNEL, NEW, epoch=1, sequence=5, previous=trust_pen().previous)
    assert read([*records, far.opened()]).gap == Gap(epoch=1, sequence=6)


def ahead(seal: Seal, sequence: int, epoch: int = 0) -> bytes:
    """Return an entry after one that nobody has: it follows nowhere."""
    return Pen(CHANNEL, seal, epoch, sequence - 1, digest_of(b"an entry that nobody has")).sealed()


def test_a_place_of_an_epoch_that_is_over_is_no_gap() -> None:
    writer, records = pen()
    late = ahead(OLD, 9)
    assert read([*records, late]).gap == Gap(epoch=0, sequence=9)
    assert read([*records, late], trust(epochs=(epoch_after(writer),))).gap is None
    renewed = Pen(CHANNEL, NEW, epoch=1, sequence=writer.sequence, previous=writer.previous)
    assert read([*records, late, renewed.opened()], trust(epochs=(epoch_after(writer),))).gap is None


def test_an_old_place_or_the_last_one_under_a_stolen_key_is_no_gap_and_hides_none() -> None:
    writer, records = pen()
    records += [writer.sealed() for _ in range(4)]
    thefts = [ahead(OLD, sequence) for sequence in (2, 5)]
    assert read([*records, *thefts]).gap is None
    assert read([*thefts, *records, ahead(OLD, 8), ahead(OLD, 7)]).gap == Gap(epoch=0, sequence=7)


def test_in_what_waits_a_place_that_is_reached_is_no_gap() -> None:
    writer, records = pen()
    records += [writer.sealed() for _ in range(4)]
    waiting = read([*records, ahead(OLD, 3)], trust(revoked=(OLD,)))
    assert (waiting.state, waiting.gap) == (ReadingState.WAITING, None)
    assert read([*records, ahead(OLD, 3), ahead(OLD, 9)], trust(revoked=(OLD,))).gap == Gap(epoch=0, sequence=9)


@pytest.mark.parametrize("sequence", [0, 2])
def test_before_an_epoch_whose_opening_waits_nothing_is_missing(sequence: int) -> None:
    writer, records = Pen(CHANNEL, OLD), list[bytes]()
    if sequence:
        records = [writer.opened(), writer.sealed()]
    renewed = Pen(CHANNEL, NEW, epoch=1, sequence=writer.sequence, previous=writer.previous)
    reading = read([*records, renewed.opened()], trust(revoked=(NEW,), epochs=(epoch_after(writer),)))
    assert (reading.state, len(reading.taken), reading.gap) == (ReadingState.WAITING, sequence, None)


def test_two_entries_under_a_revoked_key_wait_and_two_that_are_vouched_for_are_a_fork() -> None:
    writer, records = pen()
    records.append(writer.rotated(NEW))
    thief, third = writer.fork("thief"), seal_of("third")
    records += [writer.sealed(), thief.sealed()]
    assert read(records, trust(revoked=(NEW,))).state is ReadingState.WAITING
    records += [writer.rotated(third), writer.sealed(), thief.rotated(third), thief.sealed()]
    assert read(records, trust(revoked=(NEW,))).state is ReadingState.FORKED


def test_of_the_gaps_behind_all_branches_that_wait_the_lowest_is_looked_for() -> None:
    writer, records = pen()
    records.append(writer.rotated(NEW))
    longer = writer.fork("longer")
    records += [writer.sealed(), *(longer.sealed() for _ in range(3)), ahead(NEW, 5), ahead(NEW, 9)]
    waiting = read(records, trust(revoked=(NEW,)))
    assert (waiting.state, len(waiting.undecided)) == (ReadingState.WAITING, 2)
    assert waiting.gap == Gap(epoch=0, sequence=5)


def test_where_all_that_an_epoch_rests_on_is_missing_or_is_of_another_beginning_the_first_place_is_named() -> None:
    writer, records = pen()
    under = trust(epochs=(epoch_after(writer),))
    assert read([], under).gap == Gap(epoch=0, sequence=1)
    foreign = Pen(CHANNEL, OLD, previous=trust_pen().previous)
    begun = [foreign.opened(), foreign.sealed()]
    assert read([*records, *begun], trust(epochs=(epoch_after(foreign),))).gap == Gap(epoch=0, sequence=1)


def test_a_thiefs_branch_that_nothing_vouches_for_takes_no_vouching_from_what_lies_before_both() -> None:
    writer, records = pen()
    thief = writer.fork("thief")
    rest = [writer.rotated(NEW), writer.sealed()]
    stolen = [thief.sealed(), thief.sealed()]
    for order in ([*records, *rest, *stolen], [*records, *stolen, *rest]):
        assert places(read_channel(CHANNEL, order, ROOT, trust(revoked=(OLD,)))) == [(0, 1), (0, 2), (0, 3)]


def test_a_place_ahead_that_somebody_only_claims_is_no_gap() -> None:
    _, records = pen()
    liar = Pen(CHANNEL, OTHER, sequence=5, previous=trust_pen().previous)
    assert read([*records, liar.sealed()]).gap is None


def test_a_rotation_to_another_organisations_certificate_changes_nothing_and_keeps_its_place() -> None:
    writer, records = pen()
    stolen = writer.fork("")
    records += [writer.rotated(OTHER)]
    stolen.sequence, stolen.previous = writer.sequence, writer.previous
    reading = read([*records, stolen.sealed(), writer.sealed()])
    assert places(reading) == [(0, 1), (0, 2), (0, 3)]
    fault = reading.steps[1].fault
    assert isinstance(fault, CertificateError)
    assert fault.message == "a rotation to a certificate that may not write here: a seal of another organisation"


def test_the_registrars_channel_says_who_may_write() -> None:
    registrar = trust_pen()
    admission = ParticipantAdmitted(id=SCHOOL, role=Role.SCHOOL, organisation="NTRLV-90000000001", name="Skola")
    again = ParticipantAdmitted(id=SCHOOL, role=Role.SCHOOL, organisation="NTRLV-66666666666", name="Cita skola")
    records = [registrar.opened(), registrar.open(admission), registrar.open(again)]
    reading, found = read_trust(records, ROOT)
    assert len(reading.taken) == 3
    assert found.participants[SCHOOL].organisation == "NTRLV-90000000001"
    assert found.faults == (f"registrar.trust at 3: {SCHOOL} is admitted already",)


def test_the_registrar_begins_an_epoch_after_nothing_by_the_genesis_of_its_own_exchange() -> None:
    registrar, start = trust_pen(), Pen(CHANNEL, NEW)
    _, found = read_trust([registrar.opened(), registrar.open(epoch_after(start))], ROOT)
    assert [each.epoch for each in found.epochs[CHANNEL]] == [1]


class Repeating(Pen):
    """A pen that gives every event the same id."""

    @property
    def next_event_id(self) -> bytes:
        return b"one id for all.."


def test_in_the_registrars_channel_an_event_id_stands_for_one_event() -> None:
    registrar = Repeating("registrar.trust", registrar_seal("registrar"))
    names = ("school-1", "school-2")
    one, two = (ParticipantAdmitted(id=name, role=Role.SCHOOL, organisation="NTRLV-1", name=name) for name in names)
    opened = trust_pen()
    records = [opened.opened()]
    registrar.sequence, registrar.previous = opened.sequence, opened.previous
    records += [registrar.open(one), registrar.open(one), registrar.open(two)]
    _, found = read_trust(records, ROOT)
    assert set(found.participants) == {"school-1"}
    assert found.faults == ("registrar.trust at 4: an event id that stands for another event already",)


def test_a_participants_seal_never_opens_the_registrars_channel() -> None:
    thief = Pen("registrar.trust", OLD)
    assert read_trust([thief.opened()], ROOT)[0].taken == ()


def test_the_registrar_cannot_revoke_the_key_it_signs_with() -> None:
    registrar = trust_pen()
    own = KeyRevoked(key=registrar.seal.certificate.key_digest, reason=Reason.LOST)
    reading, found = read_trust([registrar.opened(), registrar.open(own)], ROOT)
    assert len(reading.taken) == 2
    assert not found.revoked


def test_each_branch_of_the_registrars_channel_is_judged_under_the_revocations_it_carries() -> None:
    registrar = trust_pen()
    records = [registrar.opened()]
    thief = registrar.fork("thief")
    old = registrar.seal
    records += [registrar.rotated(registrar_seal("registrar, second"))]
    records += [registrar.open(KeyRevoked(key=old.certificate.key_digest, reason=Reason.STOLEN))]
    second = KeyRevoked(key=registrar.seal.certificate.key_digest, reason=Reason.STOLEN)
    reading, found = read_trust([*records, thief.open(second), thief.confirmed()], ROOT)
    assert [entry.digest for entry in reading.taken] == [decode_entry(record).digest for record in records]
    assert set(found.revoked) == {old.certificate.key_digest}


@pytest.mark.parametrize("sequence", [0, 3])
def test_an_epoch_may_begin_after_nothing_at_all(sequence: int) -> None:
    writer, records = pen()
    records += [writer.sealed() for _ in range(sequence)]
    start = Pen(CHANNEL, NEW, epoch=1)
    under = trust(epochs=(epoch_after(start),))
    assert places(read([*records, start.opened()], under)) == [(1, 1)]
