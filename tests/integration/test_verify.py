"""Verifying a log with nothing but the root certificate; each damage is named with its place, expected and found."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from services.audit.verify import Finding, Report, open_log
from services.commission.bootstrap import build
from services.post.history import New
from services.post.saving import act
from services.post.viewing import cases
from services.post.worker import Worker
from services.wire.channels import from_commission, record_of, to_commission
from services.wire.entry import decode_entry
from services.wire.errors import ChannelUnavailableError
from services.wire.events import Answer, ConfirmationGiven, ConfirmationGivenPersonal
from services.wire.hashing import digest_of
from tests.chains import ROOT, SCHOOL
from tests.commands import sarakste
from tests.exchange import two_sides
from tests.integration.test_two_sides import answered, asked, examined, recommended
from tests.verifying import verified_file


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return the log of one whole case, with time enough for receipts."""
    exchange = two_sides(tmp_path)
    _, theirs = asked(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    for _ in range(3):
        exchange.settle()
    for member in exchange.members.values():
        member.office.database.close()
    exchange.log.close()
    return tmp_path / "log.sqlite"


def value_at(log: Path, channel: str, position: int) -> bytes:
    with sqlite3.connect(log) as database:
        row = database.execute("SELECT value FROM records WHERE channel = ? AND position = ?", (channel, position)).fetchone()
    database.close()
    return bytes(row[0])


def change(log: Path, channel: str, position: int, how: Callable[[bytes], bytes | None]) -> None:
    new = how(value_at(log, channel, position))
    with sqlite3.connect(log) as database:
        if new is None:
            database.execute("DELETE FROM records WHERE channel = ? AND position = ?", (channel, position))
        else:
            database.execute("UPDATE records SET value = ? WHERE channel = ? AND position = ?", (new, channel, position))
    database.close()


def flip(needle: bytes) -> Callable[[bytes], bytes]:
    def flipped(value: bytes) -> bytes:
        place = value.index(needle) + len(needle) // 2
        return value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]

    return flipped


def only(report: Report) -> Finding:
    assert len(report.findings) == 1, report.findings
    return report.findings[0]


def test_a_log_as_it_was_written_has_no_findings_and_says_where_its_tail_begins(log: Path) -> None:
    report = verified_file(log, ROOT)
    assert report.findings == []
    assert report.participants == 2
    by_name = {each.channel: each for each in report.channels}
    assert by_name[to_commission(SCHOOL)].entries >= 3
    assert 0 < by_name[to_commission(SCHOOL)].receipted <= by_name[to_commission(SCHOOL)].entries
    # A record is pinned by the receipts that name its head, once the counterpart holds these.
    assert 0 < by_name[record_of(SCHOOL)].receipted <= by_name[record_of(SCHOOL)].entries
    assert all(each.tail == each.entries - each.receipted for each in report.channels)


def test_a_flipped_byte_of_the_facts_is_named_with_both_digests(log: Path) -> None:
    entry = decode_entry(value_at(log, to_commission(SCHOOL), 2))
    assert entry.raw_facts is not None
    change(log, to_commission(SCHOOL), 2, flip(entry.raw_facts))
    finding = only(verified_file(log, ROOT))
    assert (finding.channel, finding.sequence) == (to_commission(SCHOOL), 3)
    assert finding.what == "sealed facts do not match their digest"
    assert finding.expected == digest_of(entry.raw_facts).hex()
    assert finding.found != finding.expected
    assert len(finding.found) == 64


def test_a_flipped_byte_of_a_personal_part_is_named(log: Path) -> None:
    entry = decode_entry(value_at(log, record_of(SCHOOL), 1))
    assert entry.raw_personal is not None
    change(log, record_of(SCHOOL), 1, flip(entry.raw_personal))
    finding = only(verified_file(log, ROOT))
    assert (finding.channel, finding.sequence) == (record_of(SCHOOL), 2)
    assert finding.expected == digest_of(entry.raw_personal).hex()


def test_a_flipped_byte_of_a_statement_is_named(log: Path) -> None:
    entry = decode_entry(value_at(log, to_commission(SCHOOL), 2))
    change(log, to_commission(SCHOOL), 2, flip(entry.unverified_statement.event_id))
    finding = only(verified_file(log, ROOT))
    assert (finding.channel, finding.sequence) == (to_commission(SCHOOL), 3)
    assert finding.expected == entry.digest.hex()


def test_a_flipped_byte_of_a_signature_is_named(log: Path) -> None:
    entry = decode_entry(value_at(log, to_commission(SCHOOL), 2))
    change(log, to_commission(SCHOOL), 2, flip(entry.signature[-20:]))
    finding = only(verified_file(log, ROOT))
    assert (finding.channel, finding.sequence) == (to_commission(SCHOOL), 3)
    assert finding.what == "a signature is not by the certificate of this channel"


def test_a_deleted_entry_is_missing(log: Path) -> None:
    entry = decode_entry(value_at(log, to_commission(SCHOOL), 2))
    change(log, to_commission(SCHOOL), 2, lambda _: None)
    finding = only(verified_file(log, ROOT))
    assert (finding.what, finding.sequence, finding.expected) == ("an entry is missing", 3, entry.digest.hex())


def test_a_receipted_end_of_a_channel_cannot_vanish(log: Path) -> None:
    with sqlite3.connect(log) as database:
        database.execute("DELETE FROM records WHERE channel = ? AND position >= 2", (from_commission(SCHOOL),))
    database.close()
    finding = only(verified_file(log, ROOT))
    assert (finding.channel, finding.sequence, finding.found) == (from_commission(SCHOOL), 3, "nothing")


def test_junk_and_repeats_are_notes(log: Path) -> None:
    with sqlite3.connect(log) as database:
        value = value_at(log, to_commission(SCHOOL), 1)
        for position, each in ((900, b"junk"), (901, value)):
            database.execute("INSERT INTO records VALUES (?, ?, 0, ?)", (to_commission(SCHOOL), position, each))
    database.close()
    report = verified_file(log, ROOT)
    assert report.is_clean
    assert any("skipped" in note for each in report.channels for note in each.notes)


def test_what_is_no_log_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "empty.sqlite").write_bytes(b"")
    for name in ("empty.sqlite", "missing.sqlite"):
        with pytest.raises(ChannelUnavailableError):
            open_log(tmp_path / name)


def test_a_yes_that_rests_on_nothing_is_found_by_whoever_verifies_with_the_commissions_keys(demo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "exchange"
    shutil.copytree(demo / "demo-exchange", folder)
    config = folder / "commission" / "sarakste.toml"
    clerk = build(config, working=True)
    case_id, nowhere = UUID(cases(clerk.office)[0].case), digest_of(b"nowhere")
    facts = ConfirmationGiven(answer=Answer.YES, wording=1, basis=nowhere)
    lie = New(facts=facts, personal=ConfirmationGivenPersonal(official="nobody"), in_reply_to=nowhere)
    act(clerk.office, case_id, lambda _: (lie,), school=SCHOOL)
    worker = Worker(clerk.office)
    worker.start()
    while worker.step():
        pass
    clerk.office.database.close()
    command = ("verify", folder / "log.sqlite", "--root", folder / "root.pem", "--json")
    assert sarakste(*command).returncode == 0
    done = sarakste(*command, "--keys-of", config)
    assert done.returncode == 4
    # It rests on nothing, and answers nothing.
    found = {each["error"]: each for each in json.loads(done.stdout)["findings"]}
    assert found.keys() == {"BasisError", "OrderError"}
    for finding in found.values():
        assert (finding["channel"], finding["expected"], finding["found"]) == (from_commission(SCHOOL), nowhere.hex(), "nothing")
