"""Whoever has the log proves what an auditor vouched for in it, with no database and no key of that auditor."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.audit import checkpoints
from services.audit.events import events_of
from services.audit.log_ledger import LogLedger, checkpoints_in
from services.audit.proof_files import Heads, encode_consistency, encode_heads, encode_proof
from services.audit.proofs import check_consistency, check_heads, check_proof
from services.audit.proving import Ledger, NotProvableError, compare, consistency_with, heads_of, prove
from services.auditor.kept import Kept
from services.post.office import Office
from services.wire.channels import Role, record_of
from tests.attacks.workshop import MemoryLog
from tests.audited import examined_log, mixed_up
from tests.auditing import AUDITOR, CHANNELS, DAY, ask, audited, next_day
from tests.chains import ROOT, SCHOOL, seal_of
from tests.exchange import Exchange
from tests.integration.test_verify_again import Counting

OTHER = "auditor-otrais"
TO, BACK, RECORD, THEIRS = CHANNELS
ENTRIES = (f"{RECORD}/2", f"{TO}/1", "registrar.trust/1", f"{THEIRS}/1")


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    found = audited(tmp_path)
    ask(found, 1)
    next_day(found)
    return found


def office(exchange: Exchange, name: str = AUDITOR) -> Office:
    return exchange.members[name].office


def from_log(exchange: Exchange, given: Heads | None = None, *, auditor: str = AUDITOR) -> Ledger:
    return LogLedger(exchange.log, examined_log(exchange.log), auditor, given)


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_log_gives_the_very_proof_that_the_auditor_itself_gives(exchange: Exchange, entry: str) -> None:
    ask(exchange, 2)
    made = encode_proof(prove(from_log(exchange), entry))
    assert made == encode_proof(prove(Kept(office(exchange)), entry))
    assert check_proof(made, ROOT).by.auditor == AUDITOR


def test_heads_are_found_again_and_what_came_since_is_not_among_them(exchange: Exchange) -> None:
    ask(exchange, 2)
    made = encode_heads(heads_of(from_log(exchange)))
    assert made == encode_heads(heads_of(Kept(office(exchange))))
    check_heads(made, ROOT)
    beyond = len(examined_log(exchange.log).watches[TO].digests)
    with pytest.raises(NotProvableError, match="No checkpoint vouches"):
        prove(from_log(exchange), f"{TO}/{beyond}")


def test_that_one_checkpoint_begins_with_all_of_another_is_proved_from_the_log(exchange: Exchange) -> None:
    before = heads_of(from_log(exchange))
    ask(exchange, 2)
    next_day(exchange)
    data = encode_consistency(consistency_with(from_log(exchange), before))
    assert data == encode_consistency(consistency_with(Kept(office(exchange)), before))
    assert TO in check_consistency(data, ROOT).channels


def test_what_an_auditor_read_by_a_clock_that_is_behind_or_ahead_is_found_too(exchange: Exchange) -> None:
    ask(exchange, 2)
    member = exchange.members[AUDITOR]
    for skew in (-DAY // 2, DAY // 2):
        ahead = member.office.clock() + DAY + skew
        exchange.clock.now += DAY
        # By its own clock the auditor signs long before, or after, what it has read was written.
        object.__setattr__(member.office, "clock", lambda ahead=ahead: ahead)
        exchange.settle()
        exchange.settle()
        found = heads_of(from_log(exchange))
        assert encode_heads(found) == encode_heads(heads_of(Kept(office(exchange))))


def test_where_the_log_does_not_tell_how_far_was_read_the_auditors_own_heads_do(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = heads_of(Kept(office(exchange)))
    monkeypatch.setattr(checkpoints.Written, "heads_of", lambda *_, **__: None)
    with pytest.raises(NotProvableError, match="give them with --heads"):
        prove(from_log(exchange), ENTRIES[0])
    check_proof(encode_proof(prove(from_log(exchange, given), ENTRIES[0])), ROOT)


def test_heads_of_another_auditor_vouch_for_nothing_here(tmp_path: Path) -> None:
    two = audited(tmp_path)
    two.admit(OTHER, Role.AUDITOR, seal_of("other auditor", "NTRLV-90000000005"))
    ask(two, 1)
    next_day(two)
    theirs = heads_of(from_log(two, auditor=OTHER))
    with pytest.raises(NotProvableError, match=f"those of {OTHER}"):
        prove(from_log(two, theirs), ENTRIES[0])
    found, split = compare(from_log(two), theirs)
    assert split is None
    assert {each.result for each in found if each.channel != record_of(AUDITOR)} == {"agrees"}


def test_whoever_is_no_auditor_or_has_signed_nothing_proves_nothing(exchange: Exchange) -> None:
    with pytest.raises(NotProvableError, match="is no auditor"):
        heads_of(from_log(exchange, auditor=SCHOOL))
    unsigned = MemoryLog()
    for channel in ("registrar.trust", *CHANNELS, record_of(AUDITOR)):
        records = exchange.log.poll({channel: 0}, timeout_seconds=0, limit=1 if channel == record_of(AUDITOR) else 1_000)
        unsigned.append(channel, [each.value for each in records])
    with pytest.raises(NotProvableError, match="No checkpoint of"):
        heads_of(LogLedger(unsigned, examined_log(unsigned), AUDITOR))
    for entry, why in (("nothing", "names no entry"), (f"{RECORD}/99", "no such entry"), ("0" * 8, "no such entry")):
        with pytest.raises(NotProvableError, match=why):
            prove(from_log(exchange), entry)


def test_whoever_has_read_all_events_knows_when_they_were_written_and_finds_the_checkpoints(exchange: Exchange) -> None:
    ask(exchange, 2)
    # In any order, some of it twice, junk between: what is taken, and when it was written, is the same.
    log = Counting(mixed_up(exchange.log, ("registrar.trust", *CHANNELS, record_of(AUDITOR)), seed=7))
    examined = examined_log(log)
    written = checkpoints.Written.of(examined)
    assert len(list(written.noting(events_of(log, examined)))) >= sum(map(len, written.times.values()))
    assert written == checkpoints.written_in(log, examined)
    (found,) = checkpoints_in(log, examined, written)
    newest = LogLedger(log, examined, AUDITOR).newest().entry.said
    assert (found.auditor, found.sequence) == (AUDITOR, newest.sequence)


def test_of_the_log_no_other_channel_is_read_for_them(exchange: Exchange) -> None:
    log = Counting(exchange.log)
    examined = examined_log(log)
    written = checkpoints.written_in(log, examined)
    log.read.clear()
    assert checkpoints_in(log, examined, written)
    assert log.read.keys() == {record_of(AUDITOR)}
