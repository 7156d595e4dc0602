"""The quick way of verifying says what the thorough one and the rule itself say, but for what it says it does not look at."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit.verify import Report, Signatures, open_log
from services.channel.embedded import EmbeddedChannel
from services.wire.channels import TRUST_CHANNEL
from services.wire.entry import decode_entry, encode_entry
from services.wire.errors import SignatureError
from services.wire.reading import read_channel, read_trust
from tests.chains import ROOT
from tests.harms import harmed_world
from tests.verifying import verified_by
from tests.worlds import NEW, RECORD, World, only


def with_bad_signature(record: bytes) -> bytes:
    entry = decode_entry(record)
    signature = entry.signature[:-1] + bytes([entry.signature[-1] ^ 1])
    return encode_entry(entry.statement_bytes, signature, entry.raw_facts, entry.raw_personal)


def report_of(world: World, signatures: Signatures | None, page: int = 200) -> Report:
    path = world.folder / "log.sqlite"
    path.unlink(missing_ok=True)
    log = EmbeddedChannel(path, clock=lambda: 0)
    for channel, records in world.records.items():
        log.append(channel, records)
    log.close()
    return verified_by(open_log(path), ROOT, signatures=signatures, page=page)


@settings(max_examples=20, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_the_quick_way_takes_what_the_rule_takes(seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = harmed_world(Path(folder), seed)
        quick = report_of(world, Signatures.NEWEST, page=1 + random.Random(seed).randrange(40))  # noqa: S311  # a page, no secret
        thorough = report_of(world, Signatures.EACH)
    _, trust = read_trust(world.records[TRUST_CHANNEL], ROOT)
    for each in thorough.channels:
        if each.state == "unread":
            continue
        oracle = read_channel(each.channel, world.records.get(each.channel, []), ROOT, trust)
        mine = (each.entries, each.head, each.state)
        assert mine == (len(oracle.steps), oracle.taken[-1].digest.hex() if oracle.steps else "", oracle.state.value)
        # A damaged signature inside a stretch is what the quick way says that it does not look at: then it takes more.
        other = quick.of(each.channel)
        assert (other.entries, other.head, other.state) == mine or other.entries > each.entries
        if other.entries > each.entries:
            assert [one for one in thorough.findings if one.channel == each.channel and one.error == SignatureError.__name__]


def test_a_signature_damaged_inside_a_stretch_is_found_by_the_thorough_way_alone(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write(RECORD, 9)
    world.records[RECORD][4] = with_bad_signature(world.records[RECORD][4])
    assert report_of(world, Signatures.NEWEST).is_clean
    for signatures in (Signatures.EACH, None):
        finding = only(report_of(world, signatures))
        assert (finding.channel, finding.sequence, finding.error) == (RECORD, 5, SignatureError.__name__)


@pytest.mark.parametrize("signatures", [Signatures.NEWEST, Signatures.EACH, None])
def test_a_signature_damaged_at_the_end_of_a_certificates_run_is_found_in_every_way(
    tmp_path: Path, signatures: Signatures | None
) -> None:
    world = World(tmp_path)
    world.write(RECORD, 3)
    world.records[RECORD].append(world.pens[RECORD].rotated(NEW))
    world.write(RECORD, 3)
    world.records[RECORD][3] = with_bad_signature(world.records[RECORD][3])
    finding = only(report_of(world, signatures))
    assert (finding.channel, finding.sequence, finding.error) == (RECORD, 4, SignatureError.__name__)


def test_a_forged_statement_inside_a_stretch_is_found_in_every_way_whoever_signs_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write(RECORD, 9)
    thief = World(tmp_path).pens[RECORD].fork("thief")
    forged = [thief.opened(), *(thief.sealed() for _ in range(9))]
    world.records[RECORD][4] = with_bad_signature(forged[4])
    for signatures in (Signatures.NEWEST, Signatures.EACH, None):
        finding = only(report_of(world, signatures))
        assert (finding.channel, finding.sequence) == (RECORD, 5)


def test_the_report_says_which_signatures_were_verified_and_whose_receipt_proves_how_much(tmp_path: Path) -> None:
    world = World(tmp_path)
    to, back = "school-0099900011.to-commission", "school-0099900011.from-commission"
    world.write(to, 3)
    world.receipt(back)
    world.write(to, 2)
    report = report_of(world, Signatures.NEWEST)
    assert report.signatures == "newest"
    mine = report.of(to)
    assert (mine.receipted, mine.receipted_by, mine.tail) == (4, back, 2)
