"""What a worker does by itself when a log, a key, a counterpart or this program itself is not as it should be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from services.audit.verify import verify_log
from services.channel.embedded import EmbeddedChannel
from services.post import applying
from services.post.agreeing import NothingToAgreeError, agree, would_undo
from services.post.cases import Missing, history_of, open_personal
from services.post.history import New
from services.post.office import day_of
from services.post.publishing import send_once, sign_once
from services.post.saving import act
from services.post.signing import receipt_in, sign_open
from services.post.viewing import cases
from services.post.worker import Worker
from services.school.application import School
from services.school.domain.refusals import PupilAskedAboutError
from services.wire.channels import COMMISSION, TRUST_CHANNEL, Role, commission_case, from_commission, record_of, to_commission
from services.wire.contents import (
    EpochOpened,
    Held,
    KeyRevoked,
    ParticipantRemoved,
    Reason,
    Receipt,
)
from services.wire.entry import Open, decode_entry
from services.wire.errors import ForkError, OrderError, StoreBehindError
from services.wire.events import Answer, ConfirmationGiven, ConfirmationGivenPersonal
from services.wire.hashing import Digest, digest_of
from tests.chains import ROOT, SCHOOL, Pen, Seal, seal_of
from tests.exchange import COMMISSION_ORGANISATION, Exchange, FixedSigning, two_sides
from tests.integration.test_two_sides import answered, asked, backed_up, examined, recommended, restored
from tests.people import another_pupil, application_form

_DAY = 86_400_000


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    return two_sides(tmp_path)


def settled(exchange: Exchange, times: int = 4) -> None:
    for _ in range(times):
        exchange.settle()


def clean(exchange: Exchange) -> None:
    assert verify_log(exchange.log, ROOT).findings == []


def records(exchange: Exchange, channel: str) -> list[bytes]:
    found: list[bytes] = []
    position = 0
    while page := exchange.log.poll({channel: position}, timeout_seconds=0, limit=500):
        position = page[-1].position + 1
        found += [record.value for record in page]
    return found


def types(exchange: Exchange, channel: str) -> list[str]:
    bodies = (decode_entry(record).unverified_statement.body for record in records(exchange, channel))
    return [body.type if isinstance(body, Open) else "sealed" for body in bodies]


def raw_log(exchange: Exchange, statement: str, *values: object) -> None:
    """Change the log behind everybody's back."""
    assert isinstance(exchange.log, EmbeddedChannel)
    exchange.log._connection.execute(statement, values)  # noqa: SLF001  # what an attacker or a broken disk does


def said_by_registrar(exchange: Exchange, content: object) -> None:
    exchange.log.append(TRUST_CHANNEL, [exchange.registrar.open(content)])  # type: ignore[arg-type]  # contents of the registrar


def pen_at(exchange: Exchange, channel: str, writer: str, seal: Seal, salt: str) -> Pen:
    standing = exchange.members[writer].office.letterbook.standing(channel)
    assert standing is not None
    place = standing.place
    return Pen(channel, seal, place.epoch, place.sequence, place.digest, salt)


# Rotation


def rotated(exchange: Exchange, name: str = SCHOOL) -> Seal:
    new = seal_of("new")
    exchange.members[name].signing.seals.append(new)
    settled(exchange)
    return new


def test_a_rotation_brings_the_new_key_into_every_channel_with_a_receipt_right_after(exchange: Exchange) -> None:
    asked(exchange)
    rotated(exchange)
    for channel in (to_commission(SCHOOL), record_of(SCHOOL)):
        there = types(exchange, channel)
        place = there.index("CertificateRotated")
        assert there[place + 1] == "Receipt"
        last = decode_entry(records(exchange, channel)[-1]).unverified_statement
        assert last.certificate == seal_of("new").certificate.digest
    clean(exchange)


def test_cases_go_on_after_a_rotation_and_after_the_old_key_is_revoked_it_is_destroyed(exchange: Exchange) -> None:
    mine, theirs = asked(exchange)
    rotated(exchange)
    examined(exchange, theirs)
    assert exchange.members[SCHOOL].signing.destroyed == []
    old = seal_of("old").certificate
    said_by_registrar(exchange, KeyRevoked(key=old.key_digest, reason=Reason.SUPERSEDED))
    settled(exchange)
    assert exchange.members[SCHOOL].signing.destroyed == [old.digest]
    recommended(exchange, theirs)
    answered(exchange, theirs)
    assert exchange.members[SCHOOL].state(mine) == "ReadyForDecision"
    clean(exchange)


def test_letters_with_keys_are_signed_with_what_is_current_in_their_channel(exchange: Exchange) -> None:
    rotated(exchange)
    _, theirs = asked(exchange)
    assert exchange.members[COMMISSION].state(theirs) == "Received"
    assert exchange.members[COMMISSION].held("parked") == []


def test_after_a_restart_what_the_registrar_says_next_is_heard(exchange: Exchange) -> None:
    exchange.members[SCHOOL].office.database.close()
    exchange.enter(SCHOOL, Role.SCHOOL, seal_of("old"))
    said_by_registrar(exchange, KeyRevoked(key=Digest(bytes(32)), reason=Reason.STOLEN))
    settled(exchange)
    assert Digest(bytes(32)) in exchange.members[SCHOOL].office.trust.revoked


# Epochs and agreeing


def epoch_after(exchange: Exchange, channel: str, writer: str, seal: Seal, *, back: int) -> None:
    """Let the registrar name the entry ``back`` places before the writer's head as the last good one."""
    office = exchange.members[writer].office
    standing = office.letterbook.standing(channel)
    assert standing is not None
    sequence = standing.place.sequence - back
    found = office.letterbook.digest_at(channel, sequence)
    assert found is not None
    epoch = standing.place.epoch + 1
    said_by_registrar(
        exchange,
        EpochOpened(
            channel=channel,
            epoch=epoch,
            after_sequence=sequence,
            after_digest=found[1],
            certificate=seal.certificate.digest,
        ),
    )


def test_a_lost_key_ends_with_an_epoch_in_which_the_writer_goes_on(exchange: Exchange) -> None:
    mine, theirs = asked(exchange)
    new = seal_of("new")
    for channel in (to_commission(SCHOOL), record_of(SCHOOL)):
        epoch_after(exchange, channel, SCHOOL, new, back=0)
    said_by_registrar(exchange, KeyRevoked(key=seal_of("old").certificate.key_digest, reason=Reason.LOST))
    exchange.members[SCHOOL].signing.seals = [new]
    settled(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    assert exchange.members[SCHOOL].state(mine) == "ReadyForDecision"
    second, _ = asked(exchange, pupil=another_pupil(2))
    assert exchange.members[COMMISSION].state(commission_case(second, to_commission(SCHOOL))) == "Received"
    clean(exchange)


def test_an_epoch_that_undoes_something_stops_its_reader_until_a_person_agrees(exchange: Exchange) -> None:
    mine, theirs = asked(exchange)
    reader, channel = exchange.members[COMMISSION], to_commission(SCHOOL)
    epoch_after(exchange, channel, SCHOOL, seal_of("old"), back=2)
    settled(exchange)
    undone = would_undo(reader.office, channel)
    assert [each.event for each in undone] == ["InformationRequested", ""]
    assert undone[0].case == str(theirs)
    assert any("stands still" in alarm for alarm in reader.alarms)
    agree(reader.office, channel)
    settled(exchange)
    # The writer has signed the same event anew in the new epoch: it counts again, in its old place.
    assert reader.state(theirs) == "Received"
    history = history_of(reader.office, reader.office.store.stream(theirs))
    assert [each.standing.value for each in history] == ["accepted"]
    assert types(exchange, channel).count("sealed") == 2
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    assert exchange.members[SCHOOL].state(mine) == "ReadyForDecision"
    clean(exchange)


def test_there_is_nothing_to_agree_to_in_a_channel_that_is_read_as_usual(exchange: Exchange) -> None:
    with pytest.raises(NothingToAgreeError):
        agree(exchange.members[COMMISSION].office, to_commission(SCHOOL))


def test_until_the_event_is_signed_anew_an_undone_one_is_not_folded(exchange: Exchange) -> None:
    _, theirs = asked(exchange)
    reader, channel = exchange.members[COMMISSION], to_commission(SCHOOL)
    epoch_after(exchange, channel, SCHOOL, seal_of("stranger"), back=2)
    settled(exchange)
    agree(reader.office, channel)
    settled(exchange)
    history = history_of(reader.office, reader.office.store.stream(theirs))
    assert [each.standing.value for each in history] == ["voided"]
    assert any("certificate is not mine" in alarm for alarm in exchange.members[SCHOOL].alarms)


def test_a_database_restored_from_before_an_epoch_takes_the_epoch_back_and_opens_no_second_one(
    exchange: Exchange, tmp_path: Path
) -> None:
    mine, theirs = asked(exchange)
    backup = backed_up(exchange, SCHOOL, tmp_path / "backup.sqlite")
    epoch_after(exchange, to_commission(SCHOOL), SCHOOL, seal_of("old"), back=2)
    settled(exchange)
    agree(exchange.members[COMMISSION].office, to_commission(SCHOOL))
    settled(exchange)
    restored(exchange, SCHOOL, backup)
    Worker(exchange.members[SCHOOL].office).start()
    settled(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    assert exchange.members[SCHOOL].state(mine) == "ReadyForDecision"
    assert types(exchange, to_commission(SCHOOL)).count("ChannelOpened") == 2
    clean(exchange)


# My own channel, read back


def test_a_log_that_was_rolled_back_gets_again_what_it_lost(exchange: Exchange) -> None:
    asked(exchange)
    settled(exchange)
    channel = to_commission(SCHOOL)
    before = records(exchange, channel)
    raw_log(exchange, "DELETE FROM records WHERE channel = ? AND position >= 2", channel)
    raw_log(exchange, "UPDATE ends SET position = 2 WHERE channel = ?", channel)
    assert len(records(exchange, channel)) == 2
    exchange.clock.now += 3_600_000
    settled(exchange, 8)
    assert set(before) <= set(records(exchange, channel))
    clean(exchange)


def test_a_database_and_a_log_that_both_lost_their_ends_are_not_written_to_again(exchange: Exchange, tmp_path: Path) -> None:
    backup = backed_up(exchange, SCHOOL, tmp_path / "backup.sqlite")
    mine, theirs = asked(exchange)
    channel = record_of(SCHOOL)
    raw_log(exchange, "DELETE FROM records WHERE channel = ? AND position >= 1", channel)
    raw_log(exchange, "UPDATE ends SET position = 1 WHERE channel = ?", channel)
    restored(exchange, SCHOOL, backup)
    with pytest.raises(StoreBehindError, match="older than the ring file"):
        Worker(exchange.members[SCHOOL].office).start()
    # All have lost these entries: only the registrar can begin anew.
    said_by_registrar(
        exchange,
        EpochOpened(
            channel=channel,
            epoch=1,
            after_sequence=1,
            after_digest=digest_at(exchange, channel, 1),
            certificate=seal_of("old").certificate.digest,
        ),
    )
    restored(exchange, SCHOOL, backup)
    exchange.members[SCHOOL].worker.start()
    settled(exchange)
    again, _ = asked(exchange, pupil=another_pupil(2))
    assert exchange.members[SCHOOL].state(again) == "AwaitingCommission"
    assert exchange.members[SCHOOL].state(mine) == ""
    assert exchange.members[SCHOOL].held("misplaced") == ["nothing of its case is left"]
    assert exchange.members[COMMISSION].state(theirs) == "Received"


def digest_at(exchange: Exchange, channel: str, sequence: int) -> Digest:
    return next(
        entry.digest for entry in map(decode_entry, records(exchange, channel)) if entry.unverified_statement.sequence == sequence
    )


def test_a_log_that_was_emptied_and_written_to_again_gets_everything_again(exchange: Exchange) -> None:
    asked(exchange)
    exchange.clock.now += 3_600_000
    settled(exchange)
    channel = record_of(SCHOOL)
    before = records(exchange, channel)
    raw_log(exchange, "DELETE FROM records WHERE channel = ?", channel)
    raw_log(exchange, "UPDATE ends SET position = 0 WHERE channel = ?", channel)
    asked(exchange, pupil=another_pupil(2))
    exchange.clock.now += 3_600_000
    settled(exchange, 8)
    assert set(before) <= set(records(exchange, channel))
    clean(exchange)


def test_a_damaged_record_and_a_part_that_was_cut_out_are_sent_again(exchange: Exchange) -> None:
    asked(exchange)
    settled(exchange)
    channel = to_commission(SCHOOL)
    whole = records(exchange, channel)
    place = types(exchange, channel).index("sealed")
    raw_log(exchange, "UPDATE records SET value = ? WHERE channel = ? AND position = ?", whole[place][:-7000], channel, place)
    exchange.clock.now += 3_600_000
    settled(exchange, 8)
    assert whole[place] in records(exchange, channel)
    assert any("sent again" in alarm for alarm in exchange.members[SCHOOL].alarms)


def test_reading_back_sends_nothing_where_nothing_is_missing(exchange: Exchange) -> None:
    asked(exchange)
    settled(exchange)
    channels = (to_commission(SCHOOL), record_of(SCHOOL), from_commission(SCHOOL), record_of(COMMISSION))
    before = {channel: len(records(exchange, channel)) for channel in channels}
    for _ in range(3):
        exchange.clock.now += 3_600_000
        settled(exchange)
    assert {channel: len(records(exchange, channel)) for channel in channels} == before


def test_whoever_writes_with_my_key_while_i_run_is_found(exchange: Exchange) -> None:
    thief = pen_at(exchange, record_of(SCHOOL), SCHOOL, seal_of("old"), "thief")
    exchange.log.append(record_of(SCHOOL), [thief.confirmed()])
    exchange.clock.now += 3_600_000
    with pytest.raises(ForkError, match="that I did not write") as caught:
        settled(exchange)
    assert caught.value.evidence.channel == record_of(SCHOOL)


def test_junk_and_forgeries_in_my_channel_convict_nobody(exchange: Exchange) -> None:
    stranger = pen_at(exchange, record_of(SCHOOL), SCHOOL, seal_of("stranger"), "forged")
    exchange.log.append(record_of(SCHOOL), [stranger.confirmed(), b"junk"])
    exchange.clock.now += 3_600_000
    settled(exchange)
    clean(exchange)


# What a counterpart says of me


def lying_receipt(exchange: Exchange, lie: Held) -> None:
    """Let the school's worker sign a receipt whose line about one channel is not true."""
    office = exchange.members[SCHOOL].office
    with office.database.transaction():
        sign_open(office, to_commission(SCHOOL), with_lie(exchange, lie))
    settled(exchange)


def with_lie(exchange: Exchange, lie: Held) -> Receipt:
    office = exchange.members[SCHOOL].office
    standing = office.letterbook.standing(from_commission(SCHOOL))
    assert standing is not None
    honest = receipt_in(office, to_commission(SCHOOL), upto=standing.place.sequence)
    assert lie.channel in [line.channel for line in honest.held]
    return replace(honest, held=tuple(lie if line.channel == lie.channel else line for line in honest.held))


def test_a_receipt_that_claims_more_than_was_sent_stops_one_channel_and_the_rest_goes_on(exchange: Exchange) -> None:
    other = "school-0000000002"
    exchange.admit(other, Role.SCHOOL, seal_of("other", organisation="NTRLV-90000000002"))
    settled(exchange)
    lying_receipt(exchange, Held(channel=from_commission(SCHOOL), epoch=0, sequence=99, digest=Digest(bytes(32))))
    member = exchange.members[COMMISSION]
    standing = member.office.letterbook.standing(from_commission(SCHOOL))
    assert standing is not None
    assert standing.state == "stopped"
    assert any("is stopped" in alarm for alarm in member.alarms)
    before = len(records(exchange, from_commission(SCHOOL)))
    _, theirs = asked(exchange)
    assert member.state(theirs) == "Received"
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    # Nothing more is written where it may be wrong; what was decided is kept, and everybody else is served.
    assert len(records(exchange, from_commission(SCHOOL))) == before
    assert member.office.database.one("SELECT 1 FROM outgoing WHERE channel = ?", from_commission(SCHOOL)) is not None
    other_own = member.office.letterbook.standing(from_commission(other))
    assert other_own is not None
    assert other_own.state == "reading"


def test_the_registrar_restores_a_stopped_channel_by_an_epoch(exchange: Exchange) -> None:
    lying_receipt(exchange, Held(channel=from_commission(SCHOOL), epoch=0, sequence=99, digest=Digest(bytes(32))))
    mine, theirs = asked(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    assert exchange.members[SCHOOL].state(mine) == "AwaitingCommission"
    seal = seal_of("commission", organisation=COMMISSION_ORGANISATION)
    epoch_after(exchange, from_commission(SCHOOL), COMMISSION, seal, back=0)
    settled(exchange)
    assert exchange.members[SCHOOL].state(mine) == "ReadyForDecision"


def test_a_start_ends_when_a_receipt_knows_more_of_me_than_i_do_until_a_person_says_go_on(exchange: Exchange) -> None:
    member, name = exchange.members[SCHOOL], to_commission(SCHOOL)
    pen = pen_at(exchange, name, SCHOOL, seal_of("old"), "")
    lie = Held(channel=from_commission(SCHOOL), epoch=0, sequence=99, digest=Digest(bytes(32)))
    receipt = with_lie(exchange, lie)
    member.office.database.close()
    exchange.log.append(name, [pen.open(receipt)])
    office = exchange.members[COMMISSION].office
    with pytest.raises(StoreBehindError, match="that this database lacks"):
        Worker(office).start()
    assert would_undo(office, from_commission(SCHOOL)) == []
    agree(office, from_commission(SCHOOL))
    Worker(office).start()
    with pytest.raises(NothingToAgreeError, match="registrar opens an epoch"):
        agree(office, from_commission(SCHOOL))


def test_a_registrar_that_shows_two_faces_is_found_by_comparing_receipts(exchange: Exchange) -> None:
    lying_receipt(exchange, Held(channel=TRUST_CHANNEL, epoch=0, sequence=3, digest=Digest(bytes(32))))
    alarms = exchange.members[COMMISSION].alarms
    assert any("two faces" in alarm and "registrar.trust at 0/3" in alarm for alarm in alarms)


def test_what_a_receipt_says_of_a_registrar_i_have_not_read_yet_is_compared_later(exchange: Exchange) -> None:
    standing = exchange.members[COMMISSION].office.letterbook.standing(TRUST_CHANNEL)
    assert standing is not None
    ahead = standing.place.sequence + 1
    lying_receipt(exchange, Held(channel=TRUST_CHANNEL, epoch=0, sequence=ahead, digest=Digest(bytes(32))))
    alarms = exchange.members[COMMISSION].alarms
    assert not any("two faces" in alarm for alarm in alarms)
    exchange.log.append(TRUST_CHANNEL, [exchange.registrar.confirmed()])
    settled(exchange)
    assert any("two faces" in alarm for alarm in exchange.members[COMMISSION].alarms)


# Gaps


def test_a_place_that_is_missing_is_looked_for_again_from_the_start_and_told(exchange: Exchange) -> None:
    asked(exchange)
    channel = to_commission(SCHOOL)
    reader = exchange.members[COMMISSION]
    sent = exchange.log.end(channel)
    second, _ = asked_unread(exchange)
    hidden = raw_row(exchange, channel, sent)
    raw_log(exchange, "DELETE FROM records WHERE channel = ? AND position = ?", channel, sent)
    exchange.clock.now += 2000
    third, _ = asked_unread(exchange, 3)
    for _ in range(3):
        reader.work()
    assert reader.state(third) == ""
    exchange.clock.now += 1_000_000
    reader.work()
    assert any("an entry is missing" in alarm for alarm in reader.alarms)
    raw_log(exchange, "INSERT INTO records VALUES (?, ?, 0, ?)", channel, sent, hidden)
    for _ in range(4):
        exchange.clock.now += 3_600_000
        reader.work()
    assert reader.state(second) == reader.state(third) == "Received"


def asked_unread(exchange: Exchange, pupil: int = 2) -> tuple[UUID, UUID]:
    """Let the school ask while the commission does not read; return the commission's case first."""
    member = exchange.members[SCHOOL]
    case_id, _ = School(member.office).file(application_form(pupil=another_pupil(pupil)))
    School(member.office).request(case_id)
    member.work()
    member.work()
    return commission_case(case_id, to_commission(SCHOOL)), case_id


def raw_row(exchange: Exchange, channel: str, position: int) -> bytes:
    (found,) = exchange.log.poll({channel: position}, timeout_seconds=0, limit=1)
    return found.value


# Errors of this program, deadlines, keys, silence


def test_an_error_of_ours_parks_one_case_and_the_channel_goes_on(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = exchange.members[COMMISSION]
    judge = reader.office.domain.judge
    failing: list[Digest] = []

    def broken(history: object, incoming: object) -> object:
        failing.append(incoming.body)  # type: ignore[attr-defined]  # a Recorded
        if incoming.body == failing[0]:  # type: ignore[attr-defined]
            raise KeyError("a bug")
        return judge(history, incoming)  # type: ignore[arg-type]

    monkeypatch.setattr(reader.office.domain, "judge", broken)
    _, theirs = asked(exchange)
    second, _ = asked(exchange, pupil=another_pupil(2))
    assert reader.held("parked") == ["internal-error"]
    assert reader.state(theirs) == ""
    assert reader.state(commission_case(second, to_commission(SCHOOL))) == "Received"
    assert any("KeyError in this program" in alarm for alarm in reader.alarms)
    monkeypatch.undo()
    assert applying.redrive_channel(reader.office, to_commission(SCHOOL)) == 1
    assert reader.state(theirs) == "Received"


def test_a_deadline_fires_once_after_its_day_and_the_case_waits_on(exchange: Exchange) -> None:
    mine, theirs = asked(exchange)
    office = exchange.members[SCHOOL].office
    (due,) = office.database.all("SELECT due_on, fired_at FROM deadlines")
    assert due["fired_at"] is None
    while day_of(exchange.clock.now).isoformat() <= due["due_on"]:
        assert office.database.one("SELECT 1 FROM deadlines WHERE fired_at IS NOT NULL") is None
        exchange.clock.now += _DAY
        exchange.settle()
    (fired,) = office.database.all("SELECT fired_at FROM deadlines")
    assert fired["fired_at"] is not None
    assert [line.overdue for line in cases(office)] == [True]
    assert exchange.members[SCHOOL].state(mine) == "AwaitingCommission"
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    # A late yes is fully valid, and nothing is due any more.
    assert exchange.members[SCHOOL].state(mine) == "ReadyForDecision"
    assert office.database.all("SELECT 1 FROM deadlines") == []


def test_the_same_pupil_is_asked_about_once_at_a_time_and_keeps_its_number(exchange: Exchange) -> None:
    _, theirs = asked(exchange)
    clerk = School(exchange.members[SCHOOL].office)
    other, _ = clerk.file(application_form(pupil=another_pupil(7)))
    again, _ = clerk.file(application_form())
    with pytest.raises(PupilAskedAboutError):
        clerk.request(again)
    numbers = [clerk.case(case_id).application.pupil for case_id in (other, again)]  # type: ignore[union-attr]  # both are filed
    assert numbers == [2, 1]
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    clerk.request(again)


def test_a_case_key_that_never_came_is_asked_for_and_parks_nothing(exchange: Exchange) -> None:
    reader = exchange.members[COMMISSION].office
    _, theirs = asked(exchange)
    reader.database.run("DELETE FROM keys WHERE key_use = 'CASE' AND made_here = 0")
    reader.database.run("DELETE FROM stored_events WHERE originator_id = ?", theirs.hex)
    for table in ("cases", "held", "deadlines"):
        reader.database.run(f"DELETE FROM {table}")  # noqa: S608  # names of ours
    channel = to_commission(SCHOOL)
    reader.database.run("DELETE FROM entries WHERE channel = ?", channel)
    reader.database.run("DELETE FROM channels WHERE channel = ?", channel)
    reader.database.run("DELETE FROM tracking")
    # The letters are gone too.
    raw_log(exchange, "DELETE FROM records WHERE channel = ?", "commission.mailbox")
    exchange.enter(COMMISSION, Role.COMMISSION, seal_of("commission", organisation=COMMISSION_ORGANISATION))
    member = exchange.members[COMMISSION]
    exchange.settle()
    assert member.state(theirs) == "Received"
    assert open_personal(member.office, member.office.store.stream(theirs).events[0]) is Missing.NOT_YET
    settled(exchange, 6)
    # What was granted a moment ago is not granted again at once: its letter should be there still.
    exchange.clock.now += 3_600_000
    settled(exchange)
    opened = open_personal(member.office, member.office.store.stream(theirs).events[0])
    assert not isinstance(opened, Missing)
    assert member.held("key") == []


def test_a_key_of_mine_that_i_lost_is_given_back_by_whoever_holds_it(exchange: Exchange, tmp_path: Path) -> None:
    backup = backed_up(exchange, SCHOOL, tmp_path / "backup.sqlite")
    mine, _ = asked(exchange)
    member = exchange.members[SCHOOL]
    lost = member.office.database.one("SELECT key_id FROM keys WHERE key_use = 'CASE' AND channel = ?", to_commission(SCHOOL))
    assert lost is not None
    keys = tuple(row for row in member.office.ring.rows() if row.key_id != lost["key_id"])
    member.office.ring_file.save(keys, member.office.ring_file.heads)
    restored(exchange, SCHOOL, backup)
    member = exchange.members[SCHOOL]
    member.worker.start()
    assert any("without its case key" in alarm for alarm in member.alarms)
    request = next(each for each in member.office.store.stream(mine).events if each.topic == "InformationRequested")
    assert open_personal(member.office, request) is Missing.NOT_YET
    settled(exchange, 6)
    assert not isinstance(open_personal(member.office, request), Missing)
    assert member.held("key") == []


def test_after_somebody_left_new_facts_are_sealed_under_a_new_key(exchange: Exchange) -> None:
    other = "school-0000000002"
    exchange.admit(other, Role.SCHOOL, seal_of("other", organisation="NTRLV-90000000002"))
    settled(exchange)
    asked(exchange)
    office = exchange.members[COMMISSION].office
    office.database.run("INSERT OR IGNORE INTO grants SELECT key_id, ?, ?, 0 FROM keys WHERE key_use = 'FACTS'", other, bytes(32))
    said_by_registrar(exchange, ParticipantRemoved(id=other))
    settled(exchange)
    rows = office.database.all("SELECT superseded_at FROM keys WHERE key_use = 'FACTS' AND made_here = 1")
    assert all(row["superseded_at"] is not None for row in rows)


def test_two_own_events_after_the_same_one_end_a_start(exchange: Exchange, tmp_path: Path) -> None:
    """Two copies of one database wrote: the same case goes on twice, in two channels."""
    _, theirs = asked(exchange)
    examined(exchange, theirs)
    exchange.settle()
    backup = backed_up(exchange, COMMISSION, tmp_path / "before.sqlite")
    heads = dict(exchange.members[COMMISSION].office.ring_file.heads)
    recommended(exchange, theirs)
    exchange.settle()
    # As if nobody had noticed that the database is an older one: it answers, in another channel than the first copy did.
    restored(exchange, COMMISSION, backup)
    office = exchange.members[COMMISSION].office
    office.ring_file.save(office.ring_file.keys, heads)
    office.ring.start(office.ring_file)
    request = digest_of(office.store.stream(theirs).events[0].body)
    answer = ConfirmationGiven(answer=Answer.NO, wording=2, basis=request)
    new = New(facts=answer, personal=ConfirmationGivenPersonal(official="Ilze Paraudziņa"), in_reply_to=request)
    act(office, theirs, lambda _: (new,), school=SCHOOL)
    sign_once(office)
    send_once(office)
    restored(exchange, COMMISSION, backup)
    with pytest.raises(OrderError, match="follow the same one"):
        Worker(exchange.members[COMMISSION].office).start()


def test_people_are_told_of_silence_and_of_certificates_that_end(exchange: Exchange) -> None:
    exchange.clock.now += 8 * _DAY
    settled(exchange, 1)
    assert any("registrar.trust has said nothing" in alarm for alarm in exchange.members[SCHOOL].alarms)
    ends = seal_of("old").certificate.not_after - timedelta(days=20)
    exchange.clock.now = int(ends.timestamp() * 1000)
    settled(exchange, 1)
    assert any("certificate of school-0099900011 ends on" in alarm for alarm in exchange.members[SCHOOL].alarms)


def test_nobody_receipting_for_two_working_days_is_told(exchange: Exchange) -> None:
    commission = exchange.members.pop(COMMISSION)
    asked_unread(exchange)
    exchange.clock.now += 5 * _DAY
    settled(exchange, 1)
    assert any("nobody has receipted" in alarm for alarm in exchange.members[SCHOOL].alarms)
    assert not any("receipted" in alarm for alarm in commission.alarms)


def test_fixed_signing_is_what_the_port_asks_for() -> None:
    signing = FixedSigning(seal_of("old"), seal_of("new"))
    assert signing().newest.certificate == seal_of("new").certificate
    assert signing().of(seal_of("old").certificate.digest) is not None
    assert signing().of(seal_of("third").certificate.digest) is None


def test_what_is_filed_before_the_channels_are_opened_waits_and_is_signed_after_their_opening(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    exchange.admit(SCHOOL, Role.SCHOOL, seal_of("old"))
    office = exchange.members[SCHOOL].office
    office.database.run("DELETE FROM outgoing")
    School(office).file(application_form())
    exchange.admit(COMMISSION, Role.COMMISSION, seal_of("commission", organisation=COMMISSION_ORGANISATION))
    settled(exchange)
    assert types(exchange, record_of(SCHOOL)) == ["ChannelOpened", "sealed", "sealed", "sealed"]
    clean(exchange)
