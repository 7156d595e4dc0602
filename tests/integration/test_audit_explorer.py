"""Looking at single cases, events and entries: timelines, searches, and every check of one entry with what came out."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.audit.checks import Outcome, Shown, show_entry
from services.audit.event import Standing
from services.audit.keys import NO_KEYS, Keys
from services.audit.verify import Examined, examine_log
from services.desk.audit_source import Reached
from services.wire.channels import COMMISSION, record_of, to_commission
from services.wire.contents import KeyRevoked, Reason
from services.wire.entry import decode_entry
from services.wire.errors import RefusedError
from services.wire.events import Answer, ConsentRecorded, ConsentRecordedPersonal
from tests.attacks.test_bases import lied
from tests.attacks.workshop import MemoryLog, Workshop
from tests.audited import examined_log, keys_of
from tests.chains import ROOT, SCHOOL, seal_of
from tests.commands import SCHOOL as FIRST_SCHOOL
from tests.folders import OTHER_SCHOOL, Folders
from tests.folders import Answer as Said
from tests.integration.test_two_sides import asked, examined
from tests.troubles import raw_event, settled
from tests.worlds import COMMISSIONS, FROM, NEW, TO, World


def called(folders: Folders, command: str, *more: object, keys: str | None = COMMISSION) -> Said:
    given = ["--keys-of", folders.home(keys) / "sarakste.toml"] if keys else []
    return folders.call("audit", command, *more, "--source", folders.log, "--root", folders.folder / "root.pem", *given)


def events(folders: Folders, *more: object, keys: str | None = COMMISSION) -> list[dict[str, str]]:
    found: list[dict[str, str]] = called(folders, "search", *more, "--json", keys=keys).json["events"]
    return found


def test_a_case_is_told_from_its_beginning_by_either_sides_number_of_it(folders: Folders) -> None:
    (case, *_) = {each["case"] for each in events(folders, "--type", "RecommendationIssued")}
    theirs = called(folders, "timeline", case, "--json").json["events"]
    names = [each["event"] for each in theirs]
    assert names[0] == "InformationRequested"
    assert names.index("RecommendationIssued") < names.index("ConfirmationGiven")
    (school,) = {each["channel"].partition(".")[0] for each in theirs} - {COMMISSION}
    mine = called(folders, "timeline", case, "--json", keys=school).json["events"]
    assert mine[0]["event"] == "ApplicationFiled"
    numbers = [each["case"] for each in folders.run(school, "cases", "--json").json]
    assert mine in [called(folders, "timeline", each, "--json", keys=school).json["events"] for each in numbers]
    assert "InformationRequested" in called(folders, "timeline", case).out
    assert called(folders, "timeline", "no-case").code == 3


def test_what_nobody_can_have_written_is_not_searched_as_if_nothing_had_happened(folders: Folders) -> None:
    for words, code, told in (
        (("--type", "ConfirmationsGiven"), 3, "perhaps ConfirmationGiven"),
        (("--type", "confirmation"), 3, "no such type of event"),
        (("--school", FIRST_SCHOOL.removeprefix("school-")), 3, "an id is as school-0099900011"),
        (("--school", COMMISSION), 3, "No school of this id"),
        (("--from", "2026-12-01", "--until", "2026-11-01"), 2, "--from lies after --until"),
    ):
        said = called(folders, "search", *words)
        assert (said.code, said.out, told in said.err) == (code, "", True), said.err
    # One that is known, and of which there is none here, is no mistake.
    assert called(folders, "search", "--type", "KeyRevoked").out == "Events: none\n"


def test_a_search_that_shows_not_all_says_so(folders: Folders) -> None:
    every = called(folders, "search", "--json").json
    some = called(folders, "search", "--limit", "3", "--json").json
    assert (every["more"], some["more"], len(some["events"])) == (False, True, 3)
    left = len(every["events"]) - 3
    assert f"the first 3; there are {left} more: --limit" in called(folders, "search", "--limit", "3").out
    assert "more: --limit" not in called(folders, "search").out


def test_a_log_that_lost_what_was_verified_says_so_although_enough_was_found_before(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    examine = Reached.examine

    def then_lost(self: Reached, **how: Any) -> Examined:
        found = examine(self, **how)
        with sqlite3.connect(folders.log) as database:
            database.execute("DELETE FROM records WHERE channel = ? AND position >= 5", (record_of(COMMISSION),))
        database.close()
        return found

    monkeypatch.setattr(Reached, "examine", then_lost)
    said = called(folders, "search", "--limit", "3")
    assert (said.code, said.out) == (5, ""), said.err
    assert "was there and is not any more" in said.err


def test_whoever_gives_no_keys_is_told_that_what_is_sealed_was_not_read(folders: Folders) -> None:
    told = "no key of facts is at hand (--keys-of says whose)"
    (case, *_) = {each["case"] for each in events(folders, "--type", "RecommendationIssued")}
    assert called(folders, "timeline", case, keys=None).err.startswith(told)
    assert told not in called(folders, "timeline", case).err


def test_a_search_by_type_school_and_day(folders: Folders) -> None:
    mine = events(folders, "--school", FIRST_SCHOOL)
    assert {each["channel"] for each in mine} >= {to_commission(FIRST_SCHOOL), record_of(COMMISSION)}
    assert not {each["channel"] for each in mine} & {to_commission(OTHER_SCHOOL), record_of(OTHER_SCHOOL)}
    day = mine[-1]["on"]
    assert events(folders, "--from", day, "--until", day, "--type", "ConfirmationGiven")
    assert events(folders, "--until", "2020-01-01") == []
    assert events(folders, "--from", "2999-01-01") == []
    assert len(events(folders, "--limit", 3)) == 3
    assert {each["opening"] for each in events(folders, "--school", FIRST_SCHOOL, keys=None)} == {"open", "no key"}


def test_an_entry_is_shown_with_each_check_and_what_its_facts_say(folders: Folders) -> None:
    (line, *_) = events(folders, "--type", "ConfirmationGiven")
    shown = called(folders, "show", line["digest"][:12], "--json").json
    assert (shown["channel"], shown["sequence"], shown["digest"]) == (line["channel"], line["sequence"], line["digest"])
    assert shown["facts"]["answer"] in ("Yes", "No")
    assert {each["outcome"] for each in shown["checks"]} <= {"holds", "not known"}
    by_place = called(folders, "show", f"{line['channel']}:{line['epoch']}/{line['sequence']}")
    assert by_place.code == 0
    assert "holds  signature: by the key of this certificate" in by_place.out
    assert "answer = " in by_place.out
    assert "stands on" in by_place.err


def test_an_entry_that_fails_a_check_leaves_as_a_verification_does(folders: Folders) -> None:
    source = folders.folder / "flipped.sqlite"
    report = json.loads(folders.call("verify", source, "--root", folders.folder / "root.pem", "--json").out)
    place = report["findings"][0]
    entry = f"{place['channel']}:{place['epoch']}/{place['sequence']}"
    shown = folders.call("audit", "show", entry, "--source", source, "--root", folders.folder / "root.pem")
    assert shown.code == 4
    assert "fails" in shown.out
    assert "1 finding" in shown.err


def outcomes(shown: Shown) -> dict[str, Outcome]:
    return {each.check: each.outcome for each in shown.checks}


def memory(world: World) -> MemoryLog:
    return MemoryLog({name: list(records) for name, records in world.records.items()})


def shown(log: MemoryLog, entry: str, keys: Keys = NO_KEYS) -> Shown:
    return show_entry(log, examined_log(log), keys, entry)


def said(found: Shown, check: str) -> str:
    return next(each.said for each in found.checks if each.check == check)


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write(TO, 3)
    return made


def test_each_way_to_name_an_entry_and_what_is_none(world: World) -> None:
    log = memory(world)
    digest = decode_entry(world.records[TO][2]).digest.hex()
    assert shown(log, f"{TO}:3") == shown(log, f"{TO}:0/3") == shown(log, digest) == shown(log, digest[:8])
    for wrong, why in (
        ("third", "named by its place"),
        (f"{TO}:9", "Nothing in"),
        (f"{TO}:1/3", "Nothing in"),
        ("school-0000000009.record:1", "no verified channel"),
        ("00000000", "No entry"),
    ):
        with pytest.raises(RefusedError, match=why):
            shown(log, wrong)


def test_an_open_entry_and_a_sealed_one_without_its_personal_part(world: World) -> None:
    world.records[TO].append(world.pens[TO].sealed(with_personal=False))
    log = memory(world)
    assert outcomes(shown(log, f"{TO}:1")) == dict.fromkeys(
        ("framing", "canonical", "channel", "parts", "certificate", "signature", "previous", "place"), Outcome.HOLDS
    ) | {"receipt": Outcome.UNKNOWN}
    assert "genesis" in said(shown(log, f"{TO}:1"), "previous")
    assert outcomes(shown(log, f"{TO}:5"))["personal"] is Outcome.UNKNOWN
    assert outcomes(shown(log, f"{TO}:5"))["opening"] is Outcome.UNKNOWN


def test_a_record_that_is_no_entry_says_what_was_expected_and_found(world: World) -> None:
    record = world.records[TO][2]
    facts = decode_entry(record).raw_facts
    assert facts is not None
    world.records[TO][2] = record.replace(facts, bytes([facts[0] ^ 1]) + facts[1:])
    found = shown(memory(world), f"{TO}:3")
    assert outcomes(found) == {"record": Outcome.FAILS}
    assert "sealed facts that do not match their digest: expected" in said(found, "record")
    assert (found.event, found.facts) == (None, None)


def test_a_damaged_personal_part_is_told_with_both_digests(world: World) -> None:
    record = world.records[TO][2]
    personal = decode_entry(record).raw_personal
    assert personal is not None
    world.records[TO][2] = record.replace(personal, bytes([personal[0] ^ 1]) + personal[1:])
    found = shown(memory(world), f"{TO}:3")
    assert outcomes(found)["personal"] is Outcome.FAILS
    assert outcomes(found)["place"] is Outcome.HOLDS


def test_a_forged_entry_ends_with_its_signature_and_is_told_beside_the_true_one(world: World) -> None:
    thief = replace(world.pens[TO], seal=seal_of("thief"))
    forged = thief.sealed()
    world.records[TO].append(forged)
    found = shown(memory(world), f"{TO}:5")
    assert outcomes(found)["certificate"] is Outcome.FAILS
    assert "place" not in outcomes(found)
    own = replace(world.pens[TO])
    damaged = bytearray(own.sealed())
    signature = decode_entry(bytes(damaged)).signature
    world.records[TO][-1] = bytes(damaged).replace(signature, decode_entry(world.records[TO][1]).signature)
    assert outcomes(shown(memory(world), f"{TO}:5"))["signature"] is Outcome.FAILS
    world.write(TO)
    both = shown(memory(world), f"{TO}:5")
    assert outcomes(both)["place"] is Outcome.HOLDS


def test_two_records_that_claim_one_place_are_counted(world: World) -> None:
    thief = replace(world.pens[TO], seal=seal_of("thief"), salt="thief")
    world.write(TO)
    world.records[TO].append(thief.sealed())
    found = shown(memory(world), f"{TO}:5")
    assert (found.beside, outcomes(found)["place"]) == (1, Outcome.HOLDS)


def test_what_waits_and_what_is_voided_has_no_place(tmp_path: Path) -> None:
    world = World(tmp_path)
    epoch = world.epoch_after(TO)
    world.write(TO)
    world.write(FROM)
    world.said(epoch, KeyRevoked(key=COMMISSIONS.certificate.key_digest, reason=Reason.SUPERSEDED))
    pen = replace(world.pens[TO], seal=NEW, epoch=1, sequence=epoch.after_sequence, previous=epoch.after_digest, salt="new")
    world.records[TO] += [pen.opened()]
    log = memory(world)
    voided, waits = shown(log, f"{TO}:0/2"), shown(log, f"{FROM}:2")
    assert "voided" in said(voided, "place")
    assert "waits" in said(waits, "place")
    assert "revoked since (Superseded)" in said(waits, "certificate")
    assert {voided.event and voided.event.standing, waits.event and waits.event.standing} == {Standing.VOIDED, Standing.WAITS}
    assert outcomes(waits)["previous"] is Outcome.UNKNOWN


def test_a_lie_about_what_an_event_rests_on_fails_there(tmp_path: Path) -> None:
    shop = Workshop.founded(tmp_path)
    mine, theirs = asked(shop)
    examined(shop, theirs)
    lied(shop, mine=mine, theirs=theirs, answer=Answer.YES, basis=decode_entry(shop.there[TO][0]).digest)
    keys = keys_of(shop, SCHOOL, COMMISSION)
    found = examine_log(shop.log, ROOT, threads=1, facts_keys=keys.facts.values())
    (finding,) = found.report.findings
    entry = show_entry(shop.log, found, keys, f"{finding.channel}:{finding.epoch}/{finding.sequence}")
    assert outcomes(entry)["basis"] is Outcome.FAILS
    assert outcomes(entry)["in reply to"] is Outcome.HOLDS


def test_an_event_where_its_writer_may_not_write_it_fails_there(tmp_path: Path) -> None:
    shop = Workshop.founded(tmp_path)
    consent = ConsentRecorded(received_on=shop.members[SCHOOL].office.today)
    raw_event(shop, SCHOOL, TO, consent, ConsentRecordedPersonal(by="nobody"), case_id=bytes(16))
    settled(shop)
    log = shop.log
    assert isinstance(log, MemoryLog)
    found = next(
        entry
        for number in range(1, len(log.records[TO]) + 1)
        if (entry := shown(log, f"{TO}:{number}", keys_of(shop, SCHOOL))).event is not None
        and entry.event.type == "ConsentRecorded"
    )
    assert outcomes(found)["audience"] is Outcome.FAILS
    assert "misplaced" in said(found, "place")
