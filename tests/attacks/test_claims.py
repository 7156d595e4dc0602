"""Lies in what is said: answers to nothing, other people's cases, receipts of what was never sent, a registrar with two faces."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.post.history import New
from services.post.saving import act
from services.post.viewing_recovery import held_lines
from services.wire.channels import COMMISSION, TRUST_CHANNEL, Role, commission_case, from_commission, to_commission
from services.wire.contents import ChannelOpened, Held, ParticipantAdmitted, SchemaPublished
from services.wire.entry import decode_entry, encode_entry
from services.wire.errors import FacesError, ForkError, StoreBehindError
from services.wire.events import Answer, ConfirmationGiven, ConfirmationGivenPersonal, Rejected, RejectedCode
from services.wire.hashing import Digest, digest_of
from tests.attacks.workshop import FROM, OTHER, SEALS, TO, MemoryLog, Window, Workshop
from tests.chains import ROOT, SCHOOL, Pen, registrar_seal, seal_of
from tests.integration.test_two_sides import asked, rogue_answer, school
from tests.troubles import digest_at, lying_receipt, raw_event, records, settled
from tests.verifying import verified

NOTHING = Digest(bytes(32))


def refusals(shop: Workshop, reader: str, channel: str) -> list[str]:
    """Return the codes with which a reader refused entries of a channel, each kept whole with what was expected and found."""
    rows = shop.members[reader].office.database.all(
        "SELECT h.reason, h.expected, h.found, h.fault, e.statement FROM held h"
        " JOIN entries e ON e.channel = h.channel AND e.digest = h.digest"
        " WHERE h.channel = ? AND h.kind = 'refused' ORDER BY h.id",
        channel,
    )
    there = [decode_entry(record).statement_bytes for record in records(shop, channel)]
    for row in rows:
        assert row["statement"] in there
        assert row["expected"]
        assert row["found"]
        # A rule says no to it: nothing is wrong with its bytes, and nobody is accused.
        assert row["fault"] is None
    return [row["reason"] for row in rows]


@pytest.mark.shows("D5.16")
def test_an_answer_to_a_request_never_made(shop: Workshop) -> None:
    mine, theirs = asked(shop)
    rogue_answer(shop, theirs, NOTHING)
    assert refusals(shop, SCHOOL, FROM) == ["WrongReply"]
    assert shop.members[SCHOOL].state(mine) == "AwaitingCommission"
    shop.settle()
    types = [event.topic for event in shop.commission.office.store.stream(theirs).events]
    assert types.count("Rejected") == 1, "it is answered once"
    # The answer to what was asked is taken after it.
    request = school(shop).case(mine).request
    assert request is not None
    rogue_answer(shop, theirs, request.body)
    assert shop.members[SCHOOL].state(mine) == "ReadyForDecision"
    shop.goes_on(SCHOOL, OTHER)


def test_a_second_answer_that_turns_a_yes_into_a_no(shop: Workshop) -> None:
    mine, theirs = asked(shop)
    request = school(shop).case(mine).request
    assert request is not None
    rogue_answer(shop, theirs, request.body)
    facts = ConfirmationGiven(answer=Answer.NO, wording=2, basis=NOTHING)
    new = New(facts=facts, personal=ConfirmationGivenPersonal(official="nobody"), in_reply_to=request.body)
    act(shop.commission.office, theirs, lambda _: (new,), school=SCHOOL)
    settled(shop)
    assert refusals(shop, SCHOOL, FROM) == ["WrongState"]
    assert shop.members[SCHOOL].state(mine) == "ReadyForDecision"
    shop.goes_on(SCHOOL, OTHER)


@pytest.mark.parametrize("as_whose", ["the school's number", "the commission's number"])
def test_another_schools_case(shop: Workshop, as_whose: str) -> None:
    mine, theirs = asked(shop)
    number = mine if as_whose == "the school's number" else theirs
    before = shop.commission.office.store.version(theirs)
    body = digest_at(shop, FROM, 2)
    raw_event(shop, OTHER, to_commission(OTHER), Rejected(code=RejectedCode.WRONG_STATE), case_id=number.bytes, in_reply_to=body)
    settled(shop)
    assert refusals(shop, COMMISSION, to_commission(OTHER)) == ["UnknownCase"]
    assert shop.commission.office.store.version(theirs) == before
    assert shop.commission.office.store.version(commission_case(number, to_commission(OTHER))) == 0
    shop.goes_on(SCHOOL, OTHER)


def test_an_answer_of_another_schools_case_shows_that_school_nothing(shop: Workshop) -> None:
    mine, theirs = asked(shop)
    channel = from_commission(OTHER)
    answer = ConfirmationGiven(answer=Answer.YES, wording=1, basis=NOTHING)
    raw_event(shop, COMMISSION, channel, answer, ConfirmationGivenPersonal(official="nobody"), case_id=theirs.bytes)
    settled(shop)
    assert refusals(shop, OTHER, channel) == ["UnknownCase"]
    assert shop.members[OTHER].state(mine) == ""
    assert shop.members[SCHOOL].state(mine) == "AwaitingCommission"
    shop.goes_on(SCHOOL, OTHER)


def test_a_receipt_that_claims_more_than_was_sent(shop: Workshop) -> None:
    lying_receipt(shop, Held(channel=FROM, epoch=0, sequence=99, digest=NOTHING))
    (row,) = shop.faults(COMMISSION)
    lie = decode_entry(next(each for each in records(shop, TO) if decode_entry(each).sequence == row["sequence"]))
    assert (row["fault"], row["raw"]) == (StoreBehindError.__name__, lie.statement_bytes)
    assert f"{FROM} at 0/99" in row["reason"]
    assert (row["expected"], row["found"]) == (NOTHING.hex(), "nothing")
    standings = {channel: shop.commission.office.letterbook.standing(channel) for channel in (FROM, from_commission(OTHER))}
    assert {name: standing and standing.state for name, standing in standings.items()} == {
        FROM: "stopped",
        from_commission(OTHER): "reading",
    }
    assert any(f"{FROM} is stopped" in alarm for alarm in shop.commission.alarms)
    # What was decided for the liar is kept and not written where it may be wrong; its requests are read all the same.
    before = len(records(shop, FROM))
    _, theirs = asked(shop)
    rogue_answer(shop, theirs, NOTHING)
    assert len(records(shop, FROM)) == before
    assert shop.commission.office.database.one("SELECT 1 FROM outgoing WHERE channel = ?", FROM) is not None
    shop.goes_on(SCHOOL, OTHER)


def test_a_receipt_of_another_entry_than_was_sent(shop: Workshop) -> None:
    lying_receipt(shop, Held(channel=FROM, epoch=0, sequence=1, digest=NOTHING))
    (row,) = shop.faults(COMMISSION)
    assert (row["fault"], row["expected"], row["found"]) == (
        ForkError.__name__,
        NOTHING.hex(),
        digest_at(shop, FROM, 1).hex(),
    )
    shop.goes_on(SCHOOL, OTHER)
    findings = shop.findings()
    assert [(each.error, each.channel, each.sequence) for each in findings] == [("ForkError", FROM, 1)]


def two_faces(shop: Workshop) -> dict[str, Pen]:
    """Let the registrar say one thing to the school and another to everybody else, at one place of its channel."""
    faces = {SCHOOL: shop.registrar.fork("to the school"), COMMISSION: shop.registrar.fork("to all others")}
    other = MemoryLog({TRUST_CHANNEL: list(shop.there[TRUST_CHANNEL])})
    shop.members[SCHOOL].office.channel = Window(shop.log, {TRUST_CHANNEL: other})
    admitted = ParticipantAdmitted(id="school-0000000009", role=Role.SCHOOL, organisation="NTRLV-90000000008", name="Slepena")
    other.append(TRUST_CHANNEL, [faces[SCHOOL].open(admitted)])
    shop.there[TRUST_CHANNEL].append(faces[COMMISSION].confirmed())
    settled(shop)
    # A request and an answer, so that each receipts something of the other's.
    _, theirs = asked(shop)
    rogue_answer(shop, theirs, NOTHING)
    settled(shop)
    return faces


def test_a_registrar_that_shows_two_faces_is_found_when_two_participants_compare(shop: Workshop) -> None:
    faces = two_faces(shop)
    # Each finds it in the other's receipt, and has the registrar's own signature under what it was shown itself.
    for reader, channel, other in ((COMMISSION, TO, SCHOOL), (SCHOOL, FROM, COMMISSION)):
        fault = next(each for each in shop.faults(reader, channel) if each["fault"] == FacesError.__name__)
        assert f"{channel} has a receipt of another entry" in fault["reason"]
        assert f"{TRUST_CHANNEL} at 0/{faces[reader].sequence}" in fault["reason"]
        assert (fault["expected"], fault["found"]) == (faces[reader].previous.hex(), faces[other].previous.hex())
        assert fault["raw"] in [decode_entry(each).statement_bytes for each in records(shop, channel)]
        assert any("two faces" in alarm for alarm in shop.members[reader].alarms)
    shop.goes_on(SCHOOL, OTHER)


def test_a_registrar_that_shows_two_faces_is_found_by_whoever_verifies(shop: Workshop) -> None:
    faces = two_faces(shop)
    (finding,) = shop.findings()
    assert (finding.error, finding.channel, finding.sequence) == ("FacesError", TRUST_CHANNEL, faces[SCHOOL].sequence)
    assert (finding.expected, finding.found) == (faces[SCHOOL].previous.hex(), faces[COMMISSION].previous.hex())


HIDDEN = to_commission("school-0000000099")


def test_a_hidden_channel_is_read_by_nobody_and_found_by_whoever_verifies(shop: Workshop) -> None:
    pen = Pen(HIDDEN, seal_of("hidden", organisation="NTRLV-90000000099"))
    opened = pen.opened()
    shop.shown(opened, pen.sealed(), channel=HIDDEN)
    shop.there["commission.secret"] = [b"a name that no channel has"]
    assert shop.commission.office.letterbook.standing(HIDDEN) is None
    report = verified(shop.log, ROOT, threads=1, there=tuple(shop.there))
    (finding,) = report.findings
    assert (finding.error, finding.channel, finding.epoch, finding.sequence) == ("HiddenChannelError", HIDDEN, 0, 1)
    assert (finding.expected, finding.found) == ("an admission of its writer", decode_entry(opened).digest.hex())
    unread = {each.channel: each.notes for each in report.channels if each.state == "unread"}
    assert set(unread) == {HIDDEN, "(a name that no channel has)"}
    assert all("nobody whom the registrar admitted writes this channel" in notes[0] for notes in unread.values())
    shop.goes_on(SCHOOL, OTHER)


def forged_openings() -> dict[str, bytes]:
    """Return what would open the hidden channel if it were signed, issued, placed and meant as it should be."""
    stranger, organisation = seal_of("hidden", organisation="NTRLV-90000000099"), "NTRLV-90000000099"
    unsigned = decode_entry(Pen(HIDDEN, stranger).opened())
    content = ChannelOpened(exchange=ROOT.digest, writer=SCHOOL, certificates=(stranger.certificate.der,))
    return {
        "signed by nobody": encode_entry(unsigned.statement_bytes, b"\x30\x06\x02\x01\x01\x02\x01\x01", None, None),
        "under the registrar's kind of certificate": Pen(HIDDEN, registrar_seal("hidden")).opened(),
        "not the first entry": Pen(HIDDEN, stranger, sequence=3).opened(),
        "of another writer": Pen(HIDDEN, stranger).open(content),
        "of another channel": Pen(to_commission("school-0000000098"), stranger).opened(),
        "no opening": Pen(HIDDEN, seal_of("hidden", organisation=organisation)).sealed(),
    }


@pytest.mark.parametrize("forgery", list(forged_openings()))
def test_junk_in_a_channel_that_is_nobodys_is_told_and_is_no_finding(shop: Workshop, forgery: str) -> None:
    """Whoever can write to a log at all could otherwise spoil every verification of it."""
    shop.there[HIDDEN] = [b"junk", forged_openings()[forgery]]
    report = verified(shop.log, ROOT, threads=1, there=tuple(shop.there))
    assert report.findings == []
    assert [each.channel for each in report.channels if each.state == "unread"] == [HIDDEN]


def test_a_channel_hidden_by_cutting_off_the_admission_of_its_writer(shop: Workshop) -> None:
    shop.goes_on(SCHOOL, OTHER)
    names = [f"{OTHER}.{kind}" for kind in ("to-commission", "from-commission", "record")]
    start = next(at for at, record in enumerate(shop.there[TRUST_CHANNEL]) if OTHER.encode() in record)
    cut = shop.there[TRUST_CHANNEL][start:]
    del shop.there[TRUST_CHANNEL][start:]
    report = verified(shop.log, ROOT, threads=1, there=tuple(shop.there))
    unread = {each.channel for each in report.channels if each.state == "unread"}
    assert unread >= set(names)
    # The first school's own receipts show what was cut off.
    (finding,) = (each for each in report.findings if each.channel == TRUST_CHANNEL)
    assert (finding.error, finding.sequence, finding.found) == ("MissingError", start + 1, "nothing")
    # Who has read it already is cut off from nothing.
    shop.goes_on(SCHOOL, OTHER)
    shop.there[TRUST_CHANNEL] += cut
    assert shop.findings() == []


def test_a_flood_of_claims_is_kept_in_few_lines(shop: Workshop) -> None:
    schema = SchemaPublished(name="", file=b"no schema")
    pen = replace(shop.registrar, salt="junk")
    pen.seal = SEALS[SCHOOL][1]
    shop.shown(*[pen.open(schema) for _ in range(300)], channel=TRUST_CHANNEL)
    lines = [line for line in held_lines(shop.commission.office, limit=1000) if line.channel == TRUST_CHANNEL]
    assert len(lines) == 100
    assert {line.fault for line in lines} == {"CertificateError"}
    assert all(len(line.digest) == len(digest_of(b"")) for line in lines)
    shop.goes_on(SCHOOL, OTHER)
