"""Two auditors who were shown two chains: who can have made that, what shows who it was, and what is proved by bytes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from services.audit.convicting import forks_among, told_of_fork, told_of_split
from services.audit.heads import ChannelHead, checkpoint_of
from services.audit.log_ledger import LogLedger
from services.audit.proof_files import encode_proof, encode_split
from services.audit.proofs import Proved, check_proof, check_split
from services.audit.proving import Ledger, NotProvableError, compare, compare_entry, heads_of, prove
from services.audit.tree import leaf_hash, root_of
from services.audit.verify import examine_log
from services.wire.channels import Role, record_of
from services.wire.contents import ParticipantAdmitted
from services.wire.entry import decode_entry
from services.wire.issuing import pem
from tests.attacks.workshop import MemoryLog
from tests.audited import examined_log
from tests.chains import ROOT, SCHOOL, Pen, seal_of
from tests.folders import Folders
from tests.worlds import NEW, TO, World

FIRST, SECOND = "auditor-vk", "auditor-otrais"
SEALS = {FIRST: seal_of("auditor", "NTRLV-90000000004"), SECOND: seal_of("other auditor", "NTRLV-90000000005")}


def common(folder: Path) -> World:
    """Return a world whose registrar has admitted two auditors, and whose school has written three entries."""
    world = World(folder)
    registrar = world.pens["registrar.trust"]
    for name, seal in SEALS.items():
        content = ParticipantAdmitted(id=name, role=Role.AUDITOR, organisation=seal.certificate.organisation, name=name)
        world.records["registrar.trust"].append(registrar.open(content))
    world.write(TO, 3)
    return world


def vouched(world: World, auditor: str, *shown: bytes) -> Ledger:
    """Return what an auditor proves from that was shown some more entries of the school, and vouches for them."""
    log = MemoryLog({channel: list(records) for channel, records in world.records.items()})
    log.append(TO, shown)
    pen, other = Pen(record_of(auditor), SEALS[auditor]), SECOND if auditor == FIRST else FIRST
    log.append(pen.channel, [pen.opened()])
    log.append(record_of(other), [Pen(record_of(other), SEALS[other]).opened()])
    heads = [
        ChannelHead(channel=channel, epoch=0, size=len(watch.digests), root=root_of(map(leaf_hash, watch.digests)))
        for channel, watch in examined_log(log).watches.items()
        if channel != pen.channel
    ]
    log.append(pen.channel, [pen.open(checkpoint_of(heads))])
    return LogLedger(log, examine_log(log, ROOT, threads=1), auditor)


@pytest.fixture
def views(tmp_path: Path) -> tuple[Ledger, Ledger]:
    """Let the school show one auditor two entries more, and the other one that is not the first of these."""
    world = common(tmp_path)
    pen = world.pens[TO]
    rival = pen.fork("another face").sealed()
    return vouched(world, FIRST, pen.sealed(), pen.sealed()), vouched(world, SECOND, rival)


def proved(ledger: Ledger, sequence: int) -> Proved:
    return check_proof(encode_proof(prove(ledger, f"{TO}/{sequence}")), ROOT)


def test_a_writer_of_two_chains_is_convicted_by_two_proofs_of_one_place(views: tuple[Ledger, Ledger]) -> None:
    one, other = views
    _, split = compare(one, heads_of(other))
    assert split is not None
    *_, shorter = check_split(encode_split(split), ROOT)
    # The split says where to look: the last place that both have.
    assert shorter.size == 5
    (fork,) = forks_among([proved(one, shorter.size), proved(other, shorter.size)])
    assert fork.has_one_key
    told = "\n".join(told_of_fork(fork))
    assert fork.one.digest.hex() in told
    assert fork.other.digest.hex() in told
    assert f"one key signed both: {SCHOOL} has shown two chains, or somebody else has its key" in told
    assert "neither the log nor an auditor can make such a signature" in told


def test_what_both_were_shown_alike_convicts_nobody(views: tuple[Ledger, Ledger]) -> None:
    one, other = views
    assert forks_among([proved(one, 4), proved(other, 4), proved(one, 5), proved(one, 6)]) == []


def test_an_auditor_that_vouches_for_what_was_never_written_has_no_entry_of_it_to_show(tmp_path: Path) -> None:
    world = common(tmp_path)
    genuine = heads_of(vouched(world, SECOND))
    lie = [
        replace(each, root=root_of([leaf_hash(b"never")] * each.size)) if each.channel == TO else each for each in genuine.heads
    ]
    pen = Pen(record_of(SECOND), SEALS[SECOND])
    log = MemoryLog({channel: list(records) for channel, records in world.records.items()})
    log.append(pen.channel, [pen.opened(), pen.open(checkpoint_of(lie))])
    with pytest.raises(NotProvableError, match="cannot be found from this log"):
        prove(LogLedger(log, examined_log(log), SECOND), f"{TO}/4")
    signed = replace(genuine.checkpoint, statement=decode_entry(log.records[pen.channel][1]).statement_bytes)
    given = replace(genuine, checkpoint=signed, heads=tuple(lie))
    with pytest.raises(NotProvableError, match="is not here as that checkpoint has it"):
        prove(LogLedger(log, examined_log(log), SECOND, given), f"{TO}/4")


def test_an_entry_that_somebody_proved_is_compared_with_what_stands_here(views: tuple[Ledger, Ledger]) -> None:
    one, other = views
    results = [compare_entry(one, proved(other, place)).result for place in (3, 5)]
    assert results == ["agrees", "two entries"]
    assert compare_entry(other, proved(one, 6)).result == "not here"
    assert compare_entry(other, replace(proved(one, 5), epoch=1)).result == "other epoch"


def test_two_keys_of_a_writer_are_told_apart_from_one(tmp_path: Path) -> None:
    world = common(tmp_path)
    pen = world.pens[TO]
    rotating = pen.fork("rotated")
    one = vouched(world, FIRST, pen.sealed(), pen.sealed())
    other = vouched(world, SECOND, rotating.rotated(NEW), rotating.sealed())
    (first,) = forks_among([proved(one, 5), proved(other, 5)])
    (second,) = forks_among([proved(one, 6), proved(other, 6)])
    assert (first.has_one_key, second.has_one_key) == (True, False)
    assert "registrar.trust says what was revoked" in "\n".join(told_of_fork(second))


def test_of_two_views_it_is_said_who_signed_what_and_who_cannot_have_done_it() -> None:
    told = "\n".join(told_of_split((FIRST, SECOND), TO, 5))
    assert f"the first is signed by {FIRST}, the second by {SECOND}: neither can say that it is not its own" in told
    assert "it can hold entries back, and sign none" in told
    assert f"so {SCHOOL}, or who has its key, has signed two chains; or one of the two vouches for what it was not shown" in told
    assert f"the entry {TO}/5 shows" in told
    alone = "\n".join(told_of_split((FIRST, FIRST), "registrar.trust", 7))
    assert f"both are signed by {FIRST}" in alone
    assert "so registrar, or who has its key" in alone


def test_whoever_checks_two_proofs_together_is_told_what_they_prove(views: tuple[Ledger, Ledger], tmp_path: Path) -> None:
    root, split, folders = tmp_path / "root.pem", tmp_path / "two.views", Folders(tmp_path)
    root.write_bytes(pem(ROOT.der))
    for name, ledger in zip(("one.proof", "other.proof"), views, strict=True):
        (tmp_path / name).write_bytes(encode_proof(prove(ledger, f"{TO}/5")))
    answer = folders.call("check", tmp_path / "one.proof", tmp_path / "other.proof", "--root", root)
    assert (answer.code, f"{TO} at 0/5: two entries for one place" in answer.out) == (0, True)
    as_json = folders.call("check", tmp_path / "one.proof", tmp_path / "other.proof", "--root", root, "--json")
    assert [each["contradicts"] for each in json.loads(as_json.out)] == [["other.proof"], ["one.proof"]]
    alone = folders.call("check", tmp_path / "one.proof", "--root", root, "--json")
    assert json.loads(alone.out)[0]["contradicts"] == []
    found = compare(views[0], heads_of(views[1]))[1]
    assert found is not None
    split.write_bytes(encode_split(found))
    assert "neither can say that it is not its own" in folders.call("check", split, "--root", root).out
