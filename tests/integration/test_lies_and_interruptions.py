"""One liar, one error or one interruption holds nobody else, loses nothing and undoes nothing that nobody agreed to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from services.post.agreeing import agree
from services.post.cases import history_of
from services.post.keys import KeyRing
from services.post.office import Office
from services.post.publishing import sign_once
from services.post.rebuilding import rebuild
from services.post.returning import read_back
from services.post.saving import StartingError, act
from services.post.signing import sign_open
from services.post.viewing import cases, events
from services.post.viewing_recovery import redrive
from services.wire.channels import COMMISSION, Role, commission_case, from_commission, to_commission
from services.wire.contents import (
    EncryptionKeyPublished,
    EpochOpened,
    Held,
    KeyRevoked,
    ParticipantAdmitted,
    ParticipantRemoved,
    Reason,
    TrustConfirmed,
)
from services.wire.entry import Open, body_digest, decode_entry
from services.wire.errors import ChannelUnavailableError, DatabaseBusyError, StoreBehindError
from services.wire.events import Answer, ConfirmationGiven, ConfirmationGivenPersonal, Rejected, RejectedCode
from services.wire.grants import SUITE
from services.wire.hashing import Digest
from tests.chains import SCHOOL, seal_of
from tests.exchange import COMMISSION_ORGANISATION, Exchange
from tests.integration.test_two_sides import answered, asked, backed_up, commission, examined, recommended, restored, school
from tests.people import another_pupil, application_form
from tests.troubles import (
    asked_unread,
    clean,
    closed_restart,
    digest_at,
    epoch_after,
    lying_receipt,
    pen_at,
    raw_event,
    records,
    said_by_registrar,
    settled,
)

OTHER = "school-0000000002"
NOTHING = Digest(bytes(32))


def with_another_school(exchange: Exchange) -> None:
    exchange.admit(OTHER, Role.SCHOOL, seal_of("other", organisation="NTRLV-90000000002"))
    settled(exchange)


def bodies(exchange: Exchange, channel: str) -> list[Digest]:
    found = (decode_entry(record).unverified_statement.body for record in records(exchange, channel))
    return [body_digest(body) for body in found if not isinstance(body, Open)]


def answered_yes(exchange: Exchange) -> tuple[object, object]:
    mine, theirs = asked(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    settled(exchange)
    return mine, theirs


# One liar


def test_an_encryption_key_that_nothing_can_be_sealed_to_is_without_effect(exchange: Exchange) -> None:
    office = exchange.members[SCHOOL].office
    with office.database.transaction():
        sign_open(office, to_commission(SCHOOL), EncryptionKeyPublished(suite=SUITE, public_key=b"\0"))
    settled(exchange)
    mine, _ = answered_yes(exchange)
    assert exchange.members[SCHOOL].state(mine) == "ReadyForDecision"  # type: ignore[arg-type]  # a case
    assert any("encryption key without effect" in alarm for alarm in exchange.members[COMMISSION].alarms)


def test_a_school_cannot_reach_into_another_schools_case_by_the_digest_of_its_answer(exchange: Exchange) -> None:
    with_another_school(exchange)
    _, theirs = answered_yes(exchange)
    member = exchange.members[COMMISSION]
    for reply in (*bodies(exchange, from_commission(SCHOOL)), *bodies(exchange, to_commission(SCHOOL))):
        raw_event(exchange, OTHER, to_commission(OTHER), Rejected(code=RejectedCode.WRONG_STATE), in_reply_to=reply)
    settled(exchange)
    assert member.state(theirs) == "Answered"  # type: ignore[arg-type]  # a case
    stream = member.office.store.stream(theirs)  # type: ignore[arg-type]
    assert OTHER not in {event.channel.partition(".")[0] for event in stream.events}


def test_a_flood_behind_a_stopped_channel_hides_nobody_elses_answer(exchange: Exchange) -> None:
    with_another_school(exchange)
    member = exchange.members[COMMISSION]
    member.office.letterbook.note(from_commission(OTHER), state="stopped")
    answer = ConfirmationGiven(answer=Answer.NO, wording=2, basis=NOTHING)
    for number in range(150):
        case_id = number.to_bytes(16, "big")
        raw_event(exchange, OTHER, to_commission(OTHER), answer, ConfirmationGivenPersonal(official="x"), case_id=case_id)
    settled(exchange, 8)
    mine, _ = answered_yes(exchange)
    assert exchange.members[SCHOOL].state(mine) == "ReadyForDecision"  # type: ignore[arg-type]  # a case
    waiting = member.office.database.all("SELECT DISTINCT channel FROM outgoing")
    assert [row["channel"] for row in waiting] == [from_commission(OTHER)]


def test_a_key_named_for_a_use_that_it_is_not_for_hides_one_part_and_nothing_else(exchange: Exchange) -> None:
    mine, _ = asked(exchange)
    office, member = exchange.members[SCHOOL].office, exchange.members[COMMISSION]
    request = history_of(office, office.store.stream(mine))[-1]
    prekey = next(iter(member.office.ring.encryption_keys()))
    personal = request_personal(exchange, mine)
    raw_event(exchange, SCHOOL, to_commission(SCHOOL), request.facts, personal, case_id=bytes(16), personal_key=prekey)
    settled(exchange)
    theirs = commission_case(UUID(int=0), to_commission(SCHOOL))
    assert [line.personal for line in events(member.office, theirs)] == ["cannot be read"]
    assert rebuild(member.office) == (2, [])


def request_personal(exchange: Exchange, mine: object) -> object:
    from services.post.cases import Opened, open_personal  # noqa: PLC0415  # beside its only use

    office = exchange.members[SCHOOL].office
    opened = open_personal(office, office.store.stream(mine).events[-1])  # type: ignore[arg-type]  # a case
    assert isinstance(opened, Opened)
    return opened.content


def test_the_stream_of_what_belongs_to_no_case_is_nobodys_case(exchange: Exchange) -> None:
    mine, _ = asked(exchange)
    office = exchange.members[SCHOOL].office
    answer = ConfirmationGiven(answer=Answer.NO, wording=2, basis=NOTHING)
    for _ in range(2):
        personal = ConfirmationGivenPersonal(official="x")
        raw_event(exchange, COMMISSION, from_commission(SCHOOL), answer, personal, case_id=office.own_stream.bytes)
        settled(exchange)
    assert [line.case for line in cases(office)] == [str(mine)]
    assert exchange.members[SCHOOL].held("refused") == ["UnknownCase", "UnknownCase"]


def test_a_thiefs_parked_entry_blocks_nothing_once_it_is_undone(exchange: Exchange) -> None:
    asked(exchange)
    settled(exchange)
    channel, member = to_commission(SCHOOL), exchange.members[COMMISSION]
    epoch_place = exchange.members[SCHOOL].office.letterbook.standing(channel)
    assert epoch_place is not None
    thief = pen_at(exchange, channel, SCHOOL, seal_of("old"), "thief")
    exchange.log.append(channel, [thief.sealed(with_personal=False)])
    member.work()
    assert member.held("parked") == ["the facts key is missing"]
    exchange.members[SCHOOL].signing.seals = [seal_of("old"), seal_of("new")]
    said_by_registrar(exchange, opened_after(exchange, channel, 1, epoch_place.place.sequence, "new"))
    said_by_registrar(exchange, KeyRevoked(key=seal_of("old").certificate.key_digest, reason=Reason.STOLEN))
    settled(exchange)
    agree(member.office, channel)
    settled(exchange)
    new, _ = asked(exchange, pupil=another_pupil(2))
    settled(exchange)
    assert member.held("parked") == member.held("missing") == []
    assert member.state(commission_case(new, channel)) == "Received"
    standing = exchange.members[SCHOOL].office.letterbook.standing(channel)
    assert standing is not None
    assert standing.receipted_sequence > epoch_place.place.sequence + 1


def opened_after(exchange: Exchange, channel: str, epoch: int, sequence: int, seal: str) -> EpochOpened:
    return EpochOpened(
        channel=channel,
        epoch=epoch,
        after_sequence=sequence,
        after_digest=digest_at(exchange, channel, sequence),
        certificate=seal_of(seal).certificate.digest,
    )


# One error


@contextmanager
def held_by_another_process(office: Office) -> Iterator[None]:
    office.database.connection.execute("PRAGMA busy_timeout=50")
    lock = sqlite3.connect(office.database.path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        lock.execute("ROLLBACK")
        lock.close()


def test_what_could_not_be_stored_is_received_again(exchange: Exchange) -> None:
    member = exchange.members[COMMISSION]
    first, _ = asked_unread(exchange)
    said_by_registrar(
        exchange, ParticipantAdmitted(id=OTHER, role=Role.SCHOOL, organisation="NTRLV-90000000002", name="another school")
    )
    with held_by_another_process(member.office), pytest.raises(DatabaseBusyError):
        member.receiver.receive_once()
    settled(exchange)
    assert OTHER in member.office.trust.participants
    assert member.state(first) == "Received"
    second, _ = asked_unread(exchange, 3)
    settled(exchange)
    assert member.state(second) == "Received"


def test_a_signing_key_that_is_not_here_holds_one_channel_and_ends_no_worker(exchange: Exchange) -> None:
    _, theirs = asked(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    exchange.settle()
    from services.commission.input import AnswerInput  # noqa: PLC0415  # beside its only use

    member = exchange.members[COMMISSION]
    commission(exchange).answer(theirs, AnswerInput(official="Ilze Paraudziņa"))
    sign_once(member.office)
    member.signing.seals = [seal_of("next", organisation=COMMISSION_ORGANISATION)]
    settled(exchange)
    assert any("signing key that is current" in alarm for alarm in member.alarms)


def test_an_event_whose_keys_are_lost_is_told_and_waits_with_its_case_alone(exchange: Exchange) -> None:
    member = exchange.members[SCHOOL]
    lost, _ = school(exchange).file(application_form())
    member.office.database.run("DELETE FROM keys WHERE key_use = 'CASE'")
    member.office.ring._open.clear()  # noqa: SLF001  # as a process that begins anew
    settled(exchange)
    assert any("its keys are not on the ring" in alarm for alarm in member.alarms)
    other, _ = asked(exchange, pupil=another_pupil(2))
    assert member.state(other) == "AwaitingCommission"
    rows = member.office.database.all("SELECT DISTINCT case_id FROM outgoing")
    assert [row["case_id"] for row in rows] == [lost.hex]


def test_a_standing_trouble_is_told_once_a_day(exchange: Exchange) -> None:
    epoch_after(exchange, to_commission(SCHOOL), SCHOOL, seal_of("stranger"), back=0)
    settled(exchange, 6)
    alarms = exchange.members[SCHOOL].alarms
    assert sum("certificate is not mine" in alarm for alarm in alarms) == 1
    exchange.clock.now += 86_400_000
    settled(exchange, 2)
    assert sum("certificate is not mine" in alarm for alarm in alarms) == 2


# One interruption


@pytest.mark.parametrize("where", ["read_back", "_receive_all"])
def test_a_start_that_is_interrupted_goes_on_at_the_next_one(
    exchange: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    backup = backed_up(exchange, COMMISSION, tmp_path / "backup.sqlite")
    _, theirs = answered_yes(exchange)
    restored(exchange, COMMISSION, backup)
    member, done = exchange.members[COMMISSION], list[object]()

    def interrupted(*arguments: object) -> int:
        if where == "_receive_all" or len(done) == 1:
            raise ChannelUnavailableError("the log is away")
        done.append(arguments)
        return read_back(*arguments)  # type: ignore[arg-type]  # as it was called

    target = "services.post.worker.read_back" if where == "read_back" else "services.post.worker.Worker._receive_all"
    monkeypatch.setattr(target, interrupted)
    with pytest.raises(ChannelUnavailableError):
        member.worker.start()
    monkeypatch.undo()
    with pytest.raises((StartingError, StoreBehindError)):
        act(member.office, UUID(int=5), lambda _: ())
    with pytest.raises((StartingError, StoreBehindError)):
        redrive(member.office)
    member = closed_restart(exchange, COMMISSION)
    member.worker.start()
    assert member.state(theirs) == "Answered"  # type: ignore[arg-type]
    settled(exchange)
    clean(exchange)


def test_a_restore_says_from_when_the_database_was(exchange: Exchange, tmp_path: Path) -> None:
    backup = backed_up(exchange, SCHOOL, tmp_path / "backup.sqlite")
    exchange.clock.now += 3_600_000
    asked(exchange)
    restored(exchange, SCHOOL, backup)
    with pytest.raises(StoreBehindError, match=r"ends at 2026-11-24 \d\d:\d\d"):
        school(exchange).file(application_form())
    member = exchange.members[SCHOOL]
    member.worker.start()
    assert any("this database ended at 2026-11-24" in alarm for alarm in member.alarms)


def test_a_kill_between_a_removal_and_new_facts_keys_leaves_no_old_key_current(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered_yes(exchange)
    said_by_registrar(exchange, ParticipantRemoved(id=SCHOOL))

    def killed(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(KeyRing, "supersede_facts_keys", killed)
    with pytest.raises(KeyboardInterrupt):
        exchange.members[COMMISSION].work()
    monkeypatch.undo()
    member = closed_restart(exchange, COMMISSION)
    member.worker.start()
    query = "SELECT superseded_at FROM keys WHERE key_use = 'FACTS' AND made_here = 1 AND channel = ?"
    assert all(row["superseded_at"] is not None for row in member.office.database.all(query, from_commission(SCHOOL)))


# Who has left, what was undone, what was agreed


def test_a_restore_after_a_participant_was_removed_takes_back_what_was_written_to_it(exchange: Exchange, tmp_path: Path) -> None:
    backup = backed_up(exchange, COMMISSION, tmp_path / "backup.sqlite")
    _, theirs = answered_yes(exchange)
    said_by_registrar(exchange, ParticipantRemoved(id=SCHOOL))
    settled(exchange)
    restored(exchange, COMMISSION, backup)
    exchange.members[COMMISSION].worker.start()
    assert exchange.members[COMMISSION].state(theirs) == "Answered"  # type: ignore[arg-type]  # a case


def test_what_was_written_before_a_removal_is_read_after_it(exchange: Exchange) -> None:
    exchange.members.pop(COMMISSION).office.database.close()
    mine, _ = asked(exchange)
    said_by_registrar(exchange, ParticipantRemoved(id=SCHOOL))
    exchange.enter(COMMISSION, Role.COMMISSION, seal_of("commission", organisation=COMMISSION_ORGANISATION))
    member = exchange.members[COMMISSION]
    member.worker.start()
    settled(exchange)
    assert member.state(commission_case(mine, to_commission(SCHOOL))) == "Received"


@pytest.mark.parametrize("is_receipted", [True, False])
def test_a_restore_from_before_what_an_epoch_undid_accuses_nobody(
    exchange: Exchange, tmp_path: Path, *, is_receipted: bool
) -> None:
    backup = backed_up(exchange, SCHOOL, tmp_path / "backup.sqlite")
    away = None if is_receipted else exchange.members.pop(COMMISSION)
    mine, theirs = asked(exchange)
    settled(exchange)
    channel = to_commission(SCHOOL)
    epoch_after(exchange, channel, SCHOOL, seal_of("old"), back=2 if is_receipted else 1)
    if away is not None:
        exchange.members[COMMISSION] = away
    settled(exchange)
    if is_receipted:
        agree(exchange.members[COMMISSION].office, channel)
        settled(exchange)
    restored(exchange, SCHOOL, backup)
    exchange.members[SCHOOL].worker.start()
    exchange.clock.now += 3_600_000
    settled(exchange)
    assert exchange.members[SCHOOL].state(mine) == "AwaitingCommission"
    assert exchange.members[COMMISSION].state(theirs) == "Received"


def test_a_restore_after_the_counterparts_event_was_undone_keeps_the_order_of_the_case(
    exchange: Exchange, tmp_path: Path
) -> None:
    backup = backed_up(exchange, COMMISSION, tmp_path / "backup.sqlite")
    _, theirs = asked(exchange)
    examined(exchange, theirs)
    settled(exchange)
    channel = to_commission(SCHOOL)
    said_by_registrar(exchange, opened_after(exchange, channel, 1, 2, "stranger"))
    settled(exchange)
    agree(exchange.members[COMMISSION].office, channel)
    settled(exchange)
    restored(exchange, COMMISSION, backup)
    member = exchange.members[COMMISSION]
    member.worker.start()
    assert member.held("misplaced") == ["nothing of its case is left", "nothing of its case is left"]
    assert any("undone or lost" in alarm for alarm in member.alarms)


def test_an_epoch_that_goes_back_to_an_older_branch_says_the_events_of_the_newer_one_again(exchange: Exchange) -> None:
    asked(exchange)
    settled(exchange)
    channel, writer = to_commission(SCHOOL), exchange.members[SCHOOL]
    with writer.office.database.transaction():
        for _ in range(3):
            sign_open(writer.office, channel, TrustConfirmed())
    settled(exchange)
    old = writer.office.letterbook.standing(channel)
    assert old is not None
    said_by_registrar(exchange, opened_after(exchange, channel, 1, 2, "old"))
    for _ in range(3):
        writer.work()
    new, _ = school(exchange).file(application_form(pupil=another_pupil(2)))
    school(exchange).request(new)
    for _ in range(2):
        writer.work()
    said_by_registrar(exchange, opened_after(exchange, channel, 2, old.place.sequence, "old"))
    settled(exchange, 6)
    assert exchange.members[COMMISSION].state(commission_case(new, channel)) == "Received"
    clean(exchange)


def test_an_agreement_is_to_what_was_shown_and_to_nothing_later(exchange: Exchange) -> None:
    _, theirs = asked(exchange)
    channel = to_commission(SCHOOL)
    writer = exchange.members.pop(SCHOOL)
    standing = writer.office.letterbook.standing(channel)
    assert standing is not None
    said_by_registrar(exchange, opened_after(exchange, channel, 1, 2, "stranger"))
    settled(exchange)
    agree(exchange.members[COMMISSION].office, channel)
    said_by_registrar(exchange, opened_after(exchange, channel, 2, standing.place.sequence, "stranger"))
    member = closed_restart(exchange, COMMISSION)
    member.worker.start()
    settled(exchange)
    said_by_registrar(exchange, opened_after(exchange, channel, 3, 2, "stranger"))
    settled(exchange)
    now = member.office.letterbook.standing(channel)
    assert now is not None
    assert now.state == "off chain"
    assert member.state(theirs) == "Received"
    assert not any("as a person agreed" in alarm for alarm in member.alarms)


def test_a_revocation_is_noticed_in_a_channel_where_nothing_came_since_the_process_began(exchange: Exchange) -> None:
    asked(exchange)
    settled(exchange)
    member = closed_restart(exchange, SCHOOL)
    key = seal_of("commission", organisation=COMMISSION_ORGANISATION).certificate.key_digest
    said_by_registrar(exchange, KeyRevoked(key=key, reason=Reason.STOLEN))
    settled(exchange)
    standing = member.office.letterbook.standing(from_commission(SCHOOL))
    assert standing is not None
    assert standing.state == "waiting"
    assert any("stands still" in alarm for alarm in member.alarms)


def test_a_start_under_a_revoked_key_waits_for_the_rotation_and_accuses_nobody(exchange: Exchange) -> None:
    answered_yes(exchange)
    old = seal_of("commission", organisation=COMMISSION_ORGANISATION)
    said_by_registrar(exchange, KeyRevoked(key=old.certificate.key_digest, reason=Reason.SUPERSEDED))
    settled(exchange)
    member = closed_restart(exchange, COMMISSION)
    member.worker.start()
    member.signing.seals.append(seal_of("commission, next", organisation=COMMISSION_ORGANISATION))
    settled(exchange, 6)
    again, _ = asked(exchange, pupil=another_pupil(2))
    assert member.state(commission_case(again, to_commission(SCHOOL))) == "Received"
    standing = exchange.members[SCHOOL].office.letterbook.standing(from_commission(SCHOOL))
    assert standing is not None
    assert standing.state == "reading"
    clean(exchange)


def test_a_stop_is_taken_in_the_middle_of_a_start_and_the_next_one_goes_on(exchange: Exchange, tmp_path: Path) -> None:
    import threading  # noqa: PLC0415  # beside its only use

    backup = backed_up(exchange, SCHOOL, tmp_path / "backup.sqlite")
    mine, _ = answered_yes(exchange)
    restored(exchange, SCHOOL, backup)
    stop = threading.Event()
    stop.set()
    assert exchange.members[SCHOOL].worker.start(stop) is False
    member = closed_restart(exchange, SCHOOL)
    assert member.worker.start(threading.Event()) is True
    assert member.state(mine) == "ReadyForDecision"  # type: ignore[arg-type]  # a case


def test_a_lie_that_an_epoch_overruled_stops_nothing(exchange: Exchange) -> None:
    epoch_after(
        exchange, from_commission(SCHOOL), COMMISSION, seal_of("commission", organisation=COMMISSION_ORGANISATION), back=1
    )
    settled(exchange)
    agree(exchange.members[SCHOOL].office, from_commission(SCHOOL))
    settled(exchange)
    lying_receipt(exchange, Held(channel=from_commission(SCHOOL), epoch=0, sequence=99, digest=NOTHING))
    standing = exchange.members[COMMISSION].office.letterbook.standing(from_commission(SCHOOL))
    assert standing is not None
    assert standing.state == "reading"
