"""A rotation that is damaged or gone: what its writer signed after it shows that, also if nobody has receipted anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.wire.contents import KeyRevoked, Reason
from services.wire.entry import decode_entry
from services.wire.errors import MissingError, SignatureError
from services.wire.issuing import pem
from tests.chains import ROOT, seal_of
from tests.folders import Folders
from tests.integration.test_verify_quickly import with_bad_signature
from tests.worlds import NEW, OLD, RECORD, TO, World, notes, only

CHANNELS = [TO, RECORD]


@pytest.fixture
def world(tmp_path: Path) -> World:
    found = World(tmp_path)
    found.write(TO, 3)
    found.write(RECORD, 3)
    return found


def turn(world: World, channel: str, *, after: int) -> bytes:
    """Let a channel rotate after its four entries, and go on; return the rotation."""
    world.records[channel].append(world.pens[channel].rotated(NEW))
    world.write(channel, after)
    assert world.verified().findings == []
    return world.records[channel][4]


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("after", [1, 3])
def test_a_damaged_signature_of_a_rotation_is_found_by_what_was_signed_after_it(world: World, channel: str, after: int) -> None:
    rotation = turn(world, channel, after=after)
    world.records[channel][4] = with_bad_signature(rotation)
    finding = only(world.verified())
    assert (finding.channel, finding.sequence, finding.error) == (channel, 5, SignatureError.__name__)
    assert finding.what == "a signature is not by the certificate of this channel"


def test_a_rotation_that_is_gone_is_found_where_another_channel_shows_the_certificate(world: World) -> None:
    rotation = turn(world, TO, after=2)
    turn(world, RECORD, after=1)
    world.records[TO].remove(rotation)
    finding = only(world.verified())
    assert (finding.channel, finding.sequence, finding.error) == (TO, 5, MissingError.__name__)
    assert (finding.expected, finding.found) == (decode_entry(rotation).digest.hex(), "nothing")


def test_a_rotation_that_is_damaged_and_the_entry_after_it_gone_is_one_finding(world: World) -> None:
    turn(world, TO, after=3)
    world.records[TO][4] = with_bad_signature(world.records[TO][4])
    del world.records[TO][5]
    finding = only(world.verified())
    assert (finding.channel, finding.sequence) == (TO, 5)


def test_where_the_key_before_was_revoked_meanwhile_it_is_found_behind_all_that_waits(world: World) -> None:
    for channel in CHANNELS:
        turn(world, channel, after=1)
    world.said(KeyRevoked(key=OLD.certificate.key_digest, reason=Reason.SUPERSEDED))
    assert world.verified().findings == []
    world.records[TO][4] = with_bad_signature(world.records[TO][4])
    finding = only(world.verified())
    assert (finding.channel, finding.sequence, finding.error) == (TO, 5, SignatureError.__name__)


def test_a_rotation_that_is_the_last_is_a_note_for_anybody_may_have_made_it(world: World, tmp_path: Path) -> None:
    rotation = turn(world, TO, after=0)
    world.records[TO][4] = with_bad_signature(rotation)
    report = world.verified()
    assert report.findings == []
    assert (report.of(TO).entries, report.of(TO).beside) == (4, 1)
    assert "beside the chain stand 1" in notes(report, TO)
    # For each channel it is said up to where it is proven, and that something stands there that is not.
    folders = Folders(tmp_path)
    answer = folders.call("audit", "verify", folders.log, "--root", written_root(tmp_path))
    line = next(each for each in answer.out.splitlines() if each.startswith(f"  {TO}: "))
    assert line.endswith("nobody has receipted it, so its end can vanish unseen; 1 more stand beside it, unproven")
    as_json = folders.call("audit", "verify", folders.log, "--root", written_root(tmp_path), "--json")
    assert {each["channel"]: each["beside"] for each in json.loads(as_json.out)["channels"]}[TO] == 1


def written_root(folder: Path) -> Path:
    path = folder / "root.pem"
    path.write_bytes(pem(ROOT.der))
    return path


@pytest.mark.parametrize("epoch_first", [True, False])
def test_what_an_epoch_overruled_or_a_revoked_or_foreign_key_signed_convicts_nobody(world: World, *, epoch_first: bool) -> None:
    pen = world.pens[TO]
    if epoch_first:
        # A branch with a damaged turn, which the registrar has ended since.
        world.records[TO] += [with_bad_signature(pen.fork("branch").rotated(NEW))]
        branch = pen.fork("branch")
        branch.rotated(NEW)
        world.records[TO].append(branch.sealed())
        world.said(world.epoch_after(TO))
        world.records[TO].append(world.pens[TO].opened())
        world.write(TO, 2)
    else:
        stolen, foreign = pen.fork("stolen"), pen.fork("foreign")
        for thief, seal in ((stolen, NEW), (foreign, seal_of("foreign", organisation="NTRLV-90000000009"))):
            world.records[TO] += [with_bad_signature(thief.rotated(seal)), thief.sealed()]
        world.said(KeyRevoked(key=NEW.certificate.key_digest, reason=Reason.STOLEN))
        world.write(TO, 2)
    assert world.verified().findings == []
