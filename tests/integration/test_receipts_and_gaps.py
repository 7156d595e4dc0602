"""What a counterpart says of me, and what is missing between what it wrote."""

from __future__ import annotations

import pytest

from services.post.agreeing import NothingToAgreeError, agree, would_undo
from services.post.worker import Worker
from services.wire.channels import COMMISSION, TRUST_CHANNEL, from_commission, to_commission
from services.wire.contents import (
    Held,
)
from services.wire.errors import StoreBehindError
from services.wire.hashing import Digest
from tests.chains import SCHOOL, seal_of
from tests.exchange import COMMISSION_ORGANISATION, Exchange
from tests.integration.test_two_sides import answered, asked, examined, recommended
from tests.troubles import (
    asked_unread,
    epoch_after,
    lying_receipt,
    pen_at,
    raw_log,
    raw_row,
    settled,
    with_lie,
)

_DAY = 86_400_000


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
