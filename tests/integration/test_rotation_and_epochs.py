"""A new signing key, an epoch that the registrar opens, and what a person agrees to."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.post.agreeing import NothingToAgreeError, agree, would_undo
from services.post.cases import history_of
from services.post.publishing import send_once, sign_once
from services.post.saving import queue_open
from services.post.signing import sign_open
from services.post.worker import Worker
from services.wire.channels import COMMISSION, Role, commission_case, from_commission, record_of, to_commission
from services.wire.contents import (
    EpochOpened,
    KeyRevoked,
    Reason,
    TrustConfirmed,
)
from services.wire.entry import decode_entry
from services.wire.hashing import Digest
from tests.chains import SCHOOL, Seal, seal_of
from tests.exchange import COMMISSION_ORGANISATION, Exchange
from tests.integration.test_two_sides import answered, asked, backed_up, examined, recommended, restored
from tests.people import another_pupil
from tests.troubles import (
    asked_unread,
    clean,
    closed_restart,
    digest_at,
    epoch_after,
    pen_at,
    records,
    said_by_registrar,
    settled,
    types,
)

_DAY = 86_400_000


def killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


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


def test_a_reader_that_meets_a_rotation_and_the_revocation_after_it_at_once_calls_nobody(exchange: Exchange) -> None:
    asked(exchange)
    settled(exchange)
    reader = exchange.members.pop(COMMISSION)
    rotated(exchange)
    said_by_registrar(exchange, KeyRevoked(key=seal_of("old").certificate.key_digest, reason=Reason.SUPERSEDED))
    settled(exchange)
    exchange.members[COMMISSION] = reader
    settled(exchange)
    assert not any("stands still" in alarm for alarm in reader.alarms)
    standing = reader.office.letterbook.standing(to_commission(SCHOOL))
    assert standing is not None
    assert standing.state == "reading"


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
    assert f"{channel} stands still after {undone[-1].sequence}: off chain" in reader.alarms
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


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_receipt_that_an_epoch_undid_by_mistake_counts_again_when_the_next_one_keeps_it(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, *, is_killed: bool
) -> None:
    asked(exchange)
    reader, channel = exchange.members[COMMISSION], to_commission(SCHOOL)
    undone = digest_at(exchange, channel, len(types(exchange, channel)))
    assert types(exchange, channel)[-1] == "Receipt"
    sequence = len(types(exchange, channel))
    epoch_after(exchange, channel, SCHOOL, seal_of("old"), back=1)
    settled(exchange)
    agree(reader.office, channel)
    settled(exchange)
    off = "SELECT 1 FROM held WHERE channel = ? AND kind = 'off chain' AND digest = ?"
    assert reader.office.database.one(off, channel, undone) is not None
    content = EpochOpened(
        channel=channel,
        epoch=2,
        after_sequence=sequence,
        after_digest=undone,
        certificate=seal_of("old").certificate.digest,
    )
    said_by_registrar(exchange, content)
    settled(exchange)
    agree(reader.office, channel)
    if is_killed:
        # After the later entries were undone, and before the receipt is entered again.
        monkeypatch.setattr("services.post.receiving.enter_steps", killed)
        with pytest.raises(KeyboardInterrupt):
            reader.receiver.receive_once()
        monkeypatch.undo()
        reader = closed_restart(exchange, COMMISSION)
    settled(exchange)
    assert reader.office.database.one(off, channel, undone) is None
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


def test_a_rival_that_an_epoch_has_settled_stops_nobody_when_the_channel_is_read_back(exchange: Exchange) -> None:
    """Two copies of one participant wrote at one place; the registrar named this one's entry as the last good one."""
    channel, member = to_commission(SCHOOL), exchange.members[SCHOOL]
    rival = pen_at(exchange, channel, SCHOOL, seal_of("old"), "rival").confirmed()
    asked(exchange)
    exchange.log.append(channel, [rival])
    epoch_after(exchange, channel, SCHOOL, seal_of("old"), back=0)
    settled(exchange)
    exchange.clock.now += 3_600_000
    settled(exchange)
    standing = member.office.letterbook.standing(channel)
    assert standing is not None
    assert (standing.place.epoch, standing.state) == (1, "reading")


def test_a_receipt_for_a_rival_that_an_epoch_has_settled_stops_nobody(exchange: Exchange) -> None:
    channel, member = to_commission(SCHOOL), exchange.members[SCHOOL]
    rival = pen_at(exchange, channel, SCHOOL, seal_of("old"), "rival").confirmed()
    # The commission takes the rival's and receipts it; then the registrar decides for the other, which nobody has seen yet.
    exchange.log.append(channel, [rival])
    del exchange.members[SCHOOL]
    settled(exchange)
    exchange.members[SCHOOL] = member
    with member.office.database.transaction():
        sign_open(member.office, channel, TrustConfirmed())
    epoch_after(exchange, channel, SCHOOL, seal_of("old"), back=0)
    settled(exchange)
    agree(exchange.members[COMMISSION].office, channel)
    settled(exchange)
    mine, theirs = asked(exchange)
    settled(exchange)
    standing = member.office.letterbook.standing(channel)
    assert standing is not None
    assert (standing.place.epoch, standing.state) == (1, "reading")
    assert exchange.members[COMMISSION].state(theirs) == "Received"
    assert member.state(mine) == "AwaitingCommission"


def test_whoever_has_read_that_an_epoch_overrules_its_record_names_no_head_of_it_until_it_begins_anew(exchange: Exchange) -> None:
    _, theirs = asked(exchange)
    examined(exchange, theirs)
    settled(exchange)
    new, member = seal_of("commission, new", organisation=COMMISSION_ORGANISATION), exchange.members[COMMISSION]
    asked_unread(exchange)
    member.work()
    exchange.clock.now += 2_000
    # A receipt is due at the moment at which the registrar begins both channels anew, and one of them comes first.
    member.signing.seals.append(new)
    for channel in (from_commission(SCHOOL), record_of(COMMISSION)):
        epoch_after(exchange, channel, COMMISSION, new, back=1)
    settled(exchange)
    clean(exchange)


def test_a_rotation_waits_where_an_epoch_is_ahead(exchange: Exchange) -> None:
    asked(exchange)
    exchange.members[SCHOOL].signing.seals.append(seal_of("new"))
    epoch_after(exchange, to_commission(SCHOOL), SCHOOL, seal_of("new"), back=1)
    epoch_after(exchange, record_of(SCHOOL), SCHOOL, seal_of("new"), back=1)
    settled(exchange)
    clean(exchange)
    assert types(exchange, record_of(SCHOOL)).count("ChannelOpened") == 2
    assert "CertificateRotated" not in types(exchange, record_of(SCHOOL))


def test_a_receipt_of_a_branch_that_an_epoch_ruled_out_stops_nobody_and_is_no_finding(exchange: Exchange, tmp_path: Path) -> None:
    _, theirs = asked(exchange)
    channel, member = from_commission(SCHOOL), exchange.members[COMMISSION]
    # A thief is quicker: the school takes and receipts what the commission did not write, and then writes at the same place.
    thief = pen_at(exchange, channel, COMMISSION, member.signing.seals[-1], "thief")
    exchange.log.append(channel, [thief.confirmed()])
    exchange.members[SCHOOL].work()
    exchange.clock.now += 2_000
    exchange.members[SCHOOL].work()
    backup = backed_up(exchange, COMMISSION, tmp_path / "backup.sqlite")
    queue_open(member.office, channel, TrustConfirmed())
    sign_once(member.office)
    send_once(member.office)
    new = seal_of("commission, new", organisation=COMMISSION_ORGANISATION)
    member.signing.seals.append(new)
    epoch_after(exchange, channel, COMMISSION, new, back=0)
    settled(exchange)
    agree(exchange.members[SCHOOL].office, channel)
    settled(exchange)
    clean(exchange)
    restored(exchange, COMMISSION, backup)
    member = exchange.members[COMMISSION]
    member.signing.seals.append(new)
    member.worker.start()
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    settled(exchange)
    clean(exchange)
