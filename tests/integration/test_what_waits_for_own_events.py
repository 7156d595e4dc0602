"""Own events are missing after a restore: what others write on meanwhile waits for them, and is judged when they are back."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from uuid import UUID

import pytest

from services.post.agreeing import agree
from services.post.attention import Trouble
from services.post.awaiting import OWN_BEHIND, OWN_MISPLACED
from services.post.giving_back import give_back
from services.post.history import RejectionCode
from services.post.ring_file import RingFile
from services.post.saving import NOT_COME
from services.post.viewing_recovery import redrive
from services.wire.channels import COMMISSION, Role, commission_case, from_commission, record_of, to_commission
from services.wire.contents import EpochOpened, Held
from services.wire.entry import decode_entry
from services.wire.errors import StoreBehindError
from services.wire.events import Rejected, RejectedCode
from services.wire.hashing import Digest
from tests.chains import SCHOOL, Pen, seal_of
from tests.exchange import COMMISSION_ORGANISATION, Exchange, Member
from tests.integration.test_status import wanted
from tests.integration.test_two_sides import answered, asked, backed_up, examined, recommended, restored, school
from tests.people import application_form
from tests.troubles import (
    closed_restart,
    digest_at,
    epoch_after,
    lying_receipt,
    raw_event,
    raw_log,
    records,
    said_by_registrar,
    settled,
)

OTHER: Final = "school-0000000002"
HOUR: Final = 3_600_000
RECORD: Final = record_of(COMMISSION)
COMMISSION_SEAL: Final = seal_of("commission", organisation=COMMISSION_ORGANISATION).certificate.digest
# The school says that the commission refused something that it never said: whoever judges that refuses it.
NONSENSE = Rejected(code=RejectedCode.WRONG_STATE)


def topics(member: Member, case_id: UUID) -> list[str]:
    return [event.topic for event in member.office.store.stream(case_id).events]


def codes(member: Member) -> list[str]:
    """Return by which rules events were refused; that a receipt contradicts what I hold is kept among them, and none."""
    rules = {each.value for each in RejectionCode}
    return [reason for reason in member.held("refused") if reason in rules]


def without_heads(exchange: Exchange, name: str) -> None:
    """Make the ring file one that knows no heads, as one that was made anew: nothing says how far its channels went."""
    file = RingFile.load(exchange.members[name].office.ring_file.path)
    file.save(file.keys, {})


def forked(exchange: Exchange, name: str) -> None:
    """Let a school contradict itself in its channel, and be away from then on."""
    channel = to_commission(name)
    last = decode_entry(records(exchange, channel)[-1]).unverified_statement
    seal = seal_of("other", organisation="NTRLV-90000000002")
    exchange.log.append(channel, [Pen(channel, seal, 0, last.sequence - 1, last.previous, "twice").confirmed()])
    exchange.members.pop(name)
    settled(exchange)


def goes_on(exchange: Exchange, name: str) -> None:
    """Let the registrar say from where a school's channel goes on."""
    channel, seal = to_commission(name), seal_of("other", organisation="NTRLV-90000000002")
    last = digest_at(exchange, channel, 1)
    said_by_registrar(
        exchange,
        EpochOpened(channel=channel, epoch=1, after_sequence=1, after_digest=last, certificate=seal.certificate.digest),
    )
    exchange.log.append(channel, [Pen(channel, seal, 1, 1, last, "again").opened()])
    settled(exchange)
    if exchange.members[COMMISSION].office.letterbook.standing(channel).state == "off chain":  # type: ignore[union-attr]
        agree(exchange.members[COMMISSION].office, channel)
        settled(exchange)


def cut(exchange: Exchange, channel: str, after: int) -> list[bytes]:
    """Let the log lose the end of a channel, and return what it lost."""
    gone = records(exchange, channel)[after:]
    raw_log(exchange, "DELETE FROM records WHERE channel = ? AND position >= ?", channel, after)
    return gone


def writes_nonsense(exchange: Exchange, theirs: UUID) -> None:
    mine = exchange.members[SCHOOL].office.database.one("SELECT case_id FROM cases WHERE counterpart_case = ?", theirs.hex)
    assert mine is not None
    case_id = bytes.fromhex(mine["case_id"])
    raw_event(exchange, SCHOOL, to_commission(SCHOOL), NONSENSE, case_id=case_id, in_reply_to=Digest(bytes(32)))
    for _ in range(3):
        exchange.members[SCHOOL].work()


@pytest.fixture
def lacking(exchange: Exchange, tmp_path: Path) -> tuple[Exchange, UUID, list[bytes]]:
    """A case whose answer came back after a restore and not what it rests on, while a third party's channel stands still."""
    exchange.admit(OTHER, Role.SCHOOL, seal_of("other", organisation="NTRLV-90000000002"))
    settled(exchange)
    _, theirs = asked(exchange)
    settled(exchange)
    backup, there = backed_up(exchange, COMMISSION, tmp_path / "backup.sqlite"), len(records(exchange, RECORD))
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    settled(exchange)
    forked(exchange, OTHER)
    gone = cut(exchange, RECORD, there)
    without_heads(exchange, COMMISSION)
    restored(exchange, COMMISSION, backup)
    return exchange, theirs, gone


@pytest.mark.parametrize("when", ["during a start", "after it"])
def test_what_comes_in_a_case_that_lacks_own_events_is_judged_when_they_are_back(
    lacking: tuple[Exchange, UUID, list[bytes]], when: str
) -> None:
    exchange, theirs, gone = lacking
    member = exchange.members[COMMISSION]
    if when == "during a start":
        writes_nonsense(exchange, theirs)
    assert member.worker.start()
    if when == "after it":
        writes_nonsense(exchange, theirs)
    settled(exchange)
    assert member.held("misplaced") == [NOT_COME]
    assert any("nobody acts there until it comes" in alarm for alarm in member.alarms)
    assert wanted(member)[Trouble.MISPLACED].channels == (from_commission(SCHOOL),)
    for _ in range(3):
        # Starts are made, and each finds that it is still not to be judged.
        assert member.held("parked") == [OWN_MISPLACED]
        assert topics(member, theirs) == ["InformationRequested"]
        exchange.clock.now += HOUR + 1
        settled(exchange)
    # Nor does a person have it judged.
    acting = closed_restart(exchange, COMMISSION).office
    redrive(acting)
    assert topics(exchange.members[COMMISSION], theirs) == ["InformationRequested"]
    # A new process knows of it too.
    member = closed_restart(exchange, COMMISSION)
    assert member.worker.start()
    settled(exchange)
    assert member.held("parked") == [OWN_MISPLACED]
    exchange.log.append(RECORD, gone)
    exchange.clock.now += HOUR + 1
    settled(exchange)
    assert member.held("parked") == member.held("misplaced") == []
    assert Trouble.MISPLACED not in wanted(member)
    assert member.held("refused") == ["WrongReply"]
    assert topics(member, theirs)[-2:] == ["ConfirmationGiven", "Rejected"]
    assert member.state(theirs) == "Answered"


def test_what_comes_in_a_case_whose_own_events_are_lost_for_good_is_judged_with_what_is_left(
    lacking: tuple[Exchange, UUID, list[bytes]],
) -> None:
    exchange, theirs, _ = lacking
    member = exchange.members[COMMISSION]
    assert member.worker.start()
    writes_nonsense(exchange, theirs)
    settled(exchange)
    assert member.held("parked") == [OWN_MISPLACED]
    goes_on(exchange, OTHER)
    exchange.clock.now += HOUR + 1
    settled(exchange)
    assert member.held("parked") == member.held("misplaced") == []
    assert member.held("refused") == ["WrongReply"]
    assert topics(member, theirs) == ["InformationRequested", "ConfirmationGiven", "Rejected"]


def test_what_was_receipted_before_own_events_were_lost_for_good_is_not_judged_again(
    exchange: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request and what rested on it are lost with the record; that the request was held then, a receipt of mine says."""
    backup, there = backed_up(exchange, COMMISSION, tmp_path / "backup.sqlite"), len(records(exchange, RECORD))
    _, theirs = asked(exchange)
    settled(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    settled(exchange)
    cut(exchange, RECORD, there)
    without_heads(exchange, COMMISSION)
    restored(exchange, COMMISSION, backup)
    epoch = EpochOpened(
        channel=RECORD,
        epoch=1,
        after_sequence=there,
        after_digest=digest_at(exchange, RECORD, there),
        certificate=COMMISSION_SEAL,
    )
    said_by_registrar(exchange, epoch)
    member = exchange.members[COMMISSION]
    monkeypatch.setattr(type(member.office.domain), "judge", lambda *_: RejectionCode.WRONG_STATE)
    assert member.worker.start()
    settled(exchange)
    assert topics(member, theirs) == ["InformationRequested", "ConfirmationGiven"]
    assert member.held("refused") == []


@pytest.mark.parametrize("is_given_back", [True, False], ids=["given back", "lost for good"])
def test_what_a_counterpart_writes_waits_while_it_holds_more_of_my_channel_than_i(
    exchange: Exchange, tmp_path: Path, *, is_given_back: bool
) -> None:
    """Log and database are behind: an answer must not be refused because the request to which it is one is missing here."""
    channel, commission = to_commission(SCHOOL), exchange.members[COMMISSION].office
    mine, _ = school(exchange).file(application_form())
    settled(exchange)
    backup, there = backed_up(exchange, SCHOOL, tmp_path / "backup.sqlite"), len(records(exchange, channel))
    theirs = commission_case(mine, channel)
    school(exchange).request(mine)
    settled(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    settled(exchange)
    cut(exchange, channel, there)
    without_heads(exchange, SCHOOL)
    restored(exchange, SCHOOL, backup)
    member = exchange.members[SCHOOL]
    with pytest.raises(StoreBehindError):
        member.worker.start()
    agree(member.office, channel)
    assert member.worker.start()
    for _ in range(3):
        member.work()
        exchange.clock.now += HOUR + 1
    assert set(member.held("parked")) == {OWN_BEHIND}
    assert topics(member, mine) == ["ApplicationFiled", "ConsentRecorded", "DeliveryAddressChosen"]
    last = there
    if is_given_back:
        give_back(commission, channel)
        last = len(records(exchange, channel))
    epoch = EpochOpened(
        channel=channel,
        epoch=1,
        after_sequence=last,
        after_digest=digest_at(exchange, channel, last),
        certificate=seal_of("old").certificate.digest,
    )
    said_by_registrar(exchange, epoch)
    for _ in range(3):
        settled(exchange)
        exchange.clock.now += HOUR + 1
    assert member.held("parked") == []
    if is_given_back:
        assert codes(member) == []
        assert member.state(mine) == "ReadyForDecision"
    else:
        assert codes(member) == ["WrongReply"]
        assert member.state(mine) == "ReadyToRequest"


def test_an_answer_in_a_case_that_has_not_begun_to_come_back_waits_and_belongs_to_it(exchange: Exchange, tmp_path: Path) -> None:
    record = record_of(SCHOOL)
    office = exchange.members[SCHOOL].office
    office.letterbook.note(record, state="stopped", reason="as after somebody else wrote there")
    backup, there = backed_up(exchange, SCHOOL, tmp_path / "backup.sqlite"), len(records(exchange, record))
    office.letterbook.note(record, state="reading", reason=None)
    mine, theirs = asked(exchange)
    settled(exchange)
    gone = cut(exchange, record, there)
    without_heads(exchange, SCHOOL)
    restored(exchange, SCHOOL, backup)
    member = exchange.members[SCHOOL]
    assert member.worker.start()
    assert member.held("misplaced") == [NOT_COME]
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    settled(exchange)
    assert member.held("parked") == [OWN_MISPLACED]
    exchange.log.append(record, gone)
    exchange.clock.now += HOUR + 1
    settled(exchange)
    assert member.held("parked") == member.held("misplaced") == member.held("refused") == []
    assert member.state(mine) == "ReadyForDecision"


def test_a_channel_that_stood_still_in_the_backup_and_goes_on_in_the_log_goes_on_after_a_restore(
    exchange: Exchange, tmp_path: Path
) -> None:
    channel = from_commission(SCHOOL)
    lying_receipt(exchange, Held(channel=channel, epoch=0, sequence=99, digest=Digest(bytes(32))))
    backup = backed_up(exchange, COMMISSION, tmp_path / "backup.sqlite")
    epoch_after(exchange, channel, COMMISSION, seal_of("commission", organisation=COMMISSION_ORGANISATION), back=0)
    settled(exchange)
    restored(exchange, COMMISSION, backup)
    member = exchange.members[COMMISSION]
    assert member.worker.start()
    settled(exchange)
    standing = member.office.letterbook.standing(channel)
    assert standing is not None
    assert standing.state == "reading"
    mine, theirs = asked(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    assert exchange.members[SCHOOL].state(mine) == "ReadyForDecision"
