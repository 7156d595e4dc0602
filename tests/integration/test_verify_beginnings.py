"""A log whose first entries were attacked, or that belongs to somebody else, is never called clean."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from services.audit.verify import channels_in
from services.wire.certificates import load_root
from services.wire.channels import COMMISSION, TRUST_CHANNEL, Role, record_of
from services.wire.contents import ParticipantAdmitted
from services.wire.entry import decode_entry
from services.wire.errors import ChannelUnavailableError, RootError
from services.wire.hashing import digest_of, genesis_digest
from services.wire.issuing import Validity, make_root
from tests.chains import ROOT, Pen, Seal, key_of, seal_of
from tests.worlds import COMMISSIONS, FROM, NEW, OLD, RECORD, TO, World, notes, only

AUDITOR: Final = record_of("auditor-vk")
AUDITORS: Final = seal_of("auditor", organisation="NTRLV-90000000005")
SEALS: Final[dict[str, Seal]] = {TO: OLD, FROM: COMMISSIONS, RECORD: OLD, record_of(COMMISSION): COMMISSIONS, AUDITOR: AUDITORS}
EVERY: Final = (TRUST_CHANNEL, *SEALS)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a log in which nobody has receipted anything, so that no receipt says what is missing."""
    made = World(tmp_path)
    admission = ParticipantAdmitted(
        id="auditor-vk", role=Role.AUDITOR, organisation=AUDITORS.certificate.organisation, name="Valsts kontrole"
    )
    made.records[TRUST_CHANNEL].append(made.pens[TRUST_CHANNEL].open(admission))
    made.pens[AUDITOR] = Pen(AUDITOR, AUDITORS)
    made.records[AUDITOR] = [made.pens[AUDITOR].opened()]
    for channel in SEALS:
        made.write(channel, 3)
    assert made.verified().is_clean
    return made


def flipped(record: bytes, part: Callable[[bytes], bytes]) -> bytes:
    place = record.index(part(record)) + len(part(record)) // 2
    return record[:place] + bytes([record[place] ^ 1]) + record[place + 1 :]


PARTS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "framing": lambda record: record[:8],
    "previous": lambda record: decode_entry(record).unverified_statement.previous,
    "event id": lambda record: decode_entry(record).unverified_statement.event_id,
    "certificate": lambda record: decode_entry(record).statement_bytes[-200:],
    "signature": lambda record: decode_entry(record).signature[-20:],
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("channel", EVERY)
def test_a_flipped_byte_of_a_first_entry_is_found_in_every_channel(world: World, channel: str, part: str) -> None:
    first = world.records[channel][0]
    world.records[channel][0] = flipped(first, PARTS[part])
    finding = only(world.verified())
    assert (finding.channel, finding.epoch, finding.sequence) == (channel, 0, 1)
    if channel == TRUST_CHANNEL:
        genesis = genesis_digest(ROOT.digest, TRUST_CHANNEL).hex()
        assert finding.expected == f"an opening after the genesis digest of this root, {genesis}"
    elif part != "signature":
        assert finding.expected == decode_entry(first).digest.hex()
    assert finding.found != "nothing"


@pytest.mark.parametrize("channel", EVERY)
def test_a_first_entry_that_was_deleted_is_found_in_every_channel(world: World, channel: str) -> None:
    first = decode_entry(world.records[channel].pop(0))
    report = world.verified()
    finding = only(report)
    assert (finding.channel, finding.epoch, finding.sequence, finding.found) == (channel, 0, 1, "nothing")
    assert channel == TRUST_CHANNEL or finding.expected == first.digest.hex()
    assert "beside the chain stand 3 that are not taken: overruled, out of reach, or a stranger's" in notes(report, channel)


def test_a_head_cut_from_all_channels_of_one_writer_at_once_is_found_in_each(world: World) -> None:
    for channel in (TO, RECORD):
        del world.records[channel][0]
    assert {each.channel for each in world.verified().findings} == {TO, RECORD}


def test_the_log_of_another_root_is_not_clean(world: World) -> None:
    years = Validity(serial=9, not_before=datetime(2026, 1, 1, tzinfo=UTC), not_after=datetime(2030, 1, 1, tzinfo=UTC))
    other = load_root(make_root(key_of("another root"), name="Cita sakne", validity=years))
    finding = only(world.verified(root=other))
    assert (finding.channel, finding.sequence) == (TRUST_CHANNEL, 1)
    assert finding.what == "nothing of this log can be verified: the registrar's channel is not of this root"
    # By its kind people are told what it means: here nobody's signature was damaged.
    assert finding.error == RootError.__name__
    assert genesis_digest(other.digest, TRUST_CHANNEL).hex() in finding.expected
    assert genesis_digest(ROOT.digest, TRUST_CHANNEL).hex() in finding.found


def test_an_empty_log_is_not_clean(world: World) -> None:
    world.records.clear()
    finding = only(world.verified())
    assert (finding.channel, finding.sequence, finding.found) == (TRUST_CHANNEL, 1, "nothing")


def test_a_log_whose_registrar_holds_only_junk_is_not_clean(world: World) -> None:
    world.records[TRUST_CHANNEL] = [b"junk"]
    finding = only(world.verified())
    assert (finding.channel, finding.found) == (TRUST_CHANNEL, digest_of(b"junk").hex())


def test_strangers_in_a_channel_that_is_not_open_yet_convict_nobody_of_a_missing_opening(world: World) -> None:
    liar = Pen(TO, seal_of("liar", organisation="NTRLV-90000000009"), sequence=1)
    world.records[TO] = [liar.sealed(), liar.sealed()]
    report = world.verified()
    assert report.is_clean
    assert notes(report, TO) == "beside the chain stand 2 that are not taken: overruled, out of reach, or a stranger's"


def test_a_channel_that_rotated_is_recognised_by_the_certificate_that_it_carries(world: World) -> None:
    world.records[AUDITOR].append(world.pens[AUDITOR].rotated(seal_of("next", organisation=AUDITORS.certificate.organisation)))
    world.write(AUDITOR)
    first = decode_entry(world.records[AUDITOR].pop(0))
    finding = only(world.verified())
    assert (finding.channel, finding.sequence, finding.expected) == (AUDITOR, 1, first.digest.hex())


def test_the_missing_opening_of_an_epoch_is_found_at_its_place_and_not_behind_what_it_overruled(world: World) -> None:
    pen = world.pens[RECORD]
    world.said(world.epoch_after(RECORD, seal=OLD))
    world.write(RECORD, 3)
    world.pens[RECORD] = Pen(RECORD, OLD, 1, sequence=4, previous=decode_entry(world.records[RECORD][3]).digest)
    assert pen.sequence == 7
    opening = decode_entry(world.pens[RECORD].opened())
    world.write(RECORD, 2)
    finding = only(world.verified())
    assert (finding.channel, finding.epoch, finding.sequence) == (RECORD, 1, 5)
    assert finding.expected == opening.digest.hex()


@pytest.mark.parametrize("is_thief_first", [True, False])
def test_what_is_found_does_not_depend_on_the_page_in_which_a_rival_stands(world: World, *, is_thief_first: bool) -> None:
    thief = world.pens[RECORD].fork("thief")
    stolen = [thief.sealed() for _ in range(250)]
    begun = len(world.records[RECORD])
    world.write(RECORD, 250)
    world.records[RECORD].append(world.pens[RECORD].rotated(NEW))
    world.write(RECORD, 2)
    genuine = world.records[RECORD][begun:]
    world.records[RECORD][begun:] = [*stolen, *genuine] if is_thief_first else [*genuine, *stolen]
    report = world.verified()
    assert report.is_clean
    assert report.of(RECORD).head == world.pens[RECORD].previous.hex()


def test_a_channel_that_nobody_writes_any_more_is_told_where_the_admissions_were_cut_off(world: World) -> None:
    del world.records[TRUST_CHANNEL][1:]
    world.records["school-0099900011.mailbox"] = [b"a letter"]
    world.records["\x1b[2Jcommission.record"] = [b"a name that would clear a terminal"]
    report = world.verified()
    assert report.participants == 0
    untold = {each.channel for each in report.channels} ^ {*EVERY, "(a name that no channel has)"}
    assert untold == set()
    assert all("nobody whom the registrar admitted writes this channel" in notes(report, each) for each in SEALS)


def test_a_log_that_is_none_has_no_names(tmp_path: Path) -> None:
    (tmp_path / "log.sqlite").write_bytes(b"no database at all, but long enough to look like one" * 20)
    with pytest.raises(ChannelUnavailableError):
        channels_in(tmp_path / "log.sqlite")
