"""The status of a participant: what waits and since when, what stands still and why, and what of it wants a person."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from services.post.attention import Attention, Trouble, Urgency, attention
from services.post.lease import holder_of, lease
from services.post.status import COUNT_LIMIT, Status, look
from services.school.application import School
from services.wire.channels import COMMISSION, REGISTRAR, TRUST_CHANNEL, from_commission, record_of, to_commission
from services.wire.errors import LeaseError
from services.wire.issuing import pem
from tests.chains import SCHOOL, seal_of
from tests.exchange import Exchange, Member
from tests.folders import Folders
from tests.integration.test_two_sides import asked
from tests.people import another_pupil, application_form
from tests.personal import PERSONAL
from tests.troubles import settled

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
TO, FROM, RECORD = to_commission(SCHOOL), from_commission(SCHOOL), record_of(SCHOOL)


def status_of(member: Member, *, works: bool = True) -> Status:
    office = member.office
    path = office.database.path.with_name("database.lease")
    if not works:
        return look(office.database, office.participant, now=office.clock(), lease=path)
    with lease(path):
        return look(office.database, office.participant, now=office.clock(), lease=path)


def wanted(member: Member, *, works: bool = True) -> dict[Trouble, Attention]:
    """Return what wants a person, but not that the registrar of a test has said its last word long ago."""
    found = {each.trouble: each for each in attention(status_of(member, works=works))}
    return {trouble: each for trouble, each in found.items() if trouble is not Trouble.REGISTRAR_SILENT}


def saved(member: Member) -> UUID:
    """File an application and ask the commission; the worker has not seen it yet."""
    school = School(member.office)
    case_id, _ = school.file(application_form(pupil=another_pupil(7)))
    school.request(case_id)
    return case_id


def test_where_all_is_done_nothing_waits_and_nothing_wants_a_person(exchange: Exchange) -> None:
    asked(exchange)
    settled(exchange)
    exchange.clock.now += HOUR + MINUTE
    settled(exchange)
    for name in (SCHOOL, COMMISSION):
        status = status_of(exchange.members[name])
        assert wanted(exchange.members[name]) == {}
        assert (status.outgoing_since, status.unsent_since, status.unreceipted_since) == (None, None, None)
        assert {each.channel: (each.head, each.own) for each in status.own} == {
            channel: (each.place.sequence, True)
            for channel in exchange.members[name].office.own_channels
            if (each := exchange.members[name].office.letterbook.standing(channel)) is not None
        }
        assert all(each.seen == each.head for each in status.channels)
        assert status.verified_at is not None
        assert status.verified_at >= exchange.clock.now - 2 * HOUR


def test_what_waits_for_a_signature_is_there_with_its_age_and_wants_a_person_after_a_quarter_of_an_hour(
    exchange: Exchange,
) -> None:
    settled(exchange)
    saved_at = exchange.clock.now
    member = exchange.members[SCHOOL]
    saved(member)
    assert status_of(member).outgoing_since == saved_at
    assert sum(each.outgoing for each in status_of(member).own) == len(member.office.database.all("SELECT 1 FROM outgoing")) == 4
    exchange.clock.now += 15 * MINUTE
    assert Trouble.UNSIGNED not in wanted(member)
    exchange.clock.now += MINUTE
    assert wanted(member)[Trouble.UNSIGNED].number == 2
    assert set(wanted(member, works=False)) == {Trouble.NO_WORKER}


def test_what_is_signed_and_not_in_the_log_is_there_with_its_age(exchange: Exchange) -> None:
    settled(exchange)
    member = exchange.members[SCHOOL]
    signed_at = exchange.clock.now
    saved(member)
    exchange.log.append = lambda *_: None  # type: ignore[method-assign]  # a log that takes and loses
    member.work()
    member.office.letterbook.note(TO, shown_sequence=member.office.letterbook.standing(TO).place.sequence - 1)  # type: ignore[union-attr]
    status = status_of(member)
    assert (status.outgoing_since, status.unsent_since) == (None, signed_at)
    exchange.clock.now += 16 * MINUTE
    assert wanted(member)[Trouble.UNSENT].channels == (TO,)


def test_what_nobody_receipts_wants_a_person_after_two_working_days(exchange: Exchange) -> None:
    settled(exchange)
    member = exchange.members[SCHOOL]
    asked_at = exchange.clock.now
    saved(member)
    for _ in range(3):
        member.work()
    assert status_of(member).unreceipted_since == asked_at
    exchange.clock.now += 5 * DAY
    told = wanted(member)[Trouble.UNRECEIPTED]
    assert (told.channels, told.trouble.urgency) == ((TO,), Urgency.TODAY)


@pytest.mark.parametrize(
    ("state", "trouble"),
    [
        ("stopped", Trouble.STOPPED),
        ("forked", Trouble.STOPPED),
        ("waiting", Trouble.STANDS_STILL),
        ("off chain", Trouble.STANDS_STILL),
        ("behind", Trouble.STANDS_STILL),
    ],
)
def test_a_channel_that_stands_still_is_there_with_the_reason(exchange: Exchange, state: str, trouble: Trouble) -> None:
    settled(exchange)
    member = exchange.members[SCHOOL]
    member.office.letterbook.note(FROM, state=state, reason="because of this")
    told = wanted(member)
    assert set(told) == {trouble}
    assert told[trouble].channels == (FROM,)
    assert f"{state} (because of this)" in told[trouble].text
    assert (trouble.urgency is Urgency.NOW) == (state in ("stopped", "forked"))


def test_what_is_held_is_counted_by_kind_and_no_further_than_somebody_needs(exchange: Exchange) -> None:
    settled(exchange)
    member = exchange.members[SCHOOL]
    query = "INSERT INTO held (channel, kind, reason, digest, resolved_at) VALUES (?, ?, '', ?, ?)"
    with member.office.database.transaction():
        for number in range(COUNT_LIMIT + 5):
            member.office.database.run(query, FROM, "refused", number.to_bytes(2), None)
        member.office.database.run(query, FROM, "voided", b"open", None)
        member.office.database.run(query, FROM, "voided", b"over", 1)
    held = status_of(member).held
    assert (held["refused"], held["voided"], held["parked"]) == (COUNT_LIMIT, 1, 0)


def test_what_is_parked_for_a_day_wants_a_person(exchange: Exchange) -> None:
    asked(exchange)
    settled(exchange)
    member = exchange.members[COMMISSION]
    row = member.office.database.one("SELECT digest FROM entries WHERE channel = ? AND facts IS NOT NULL", TO)
    assert row is not None
    query = "INSERT INTO held (channel, kind, reason, digest) VALUES (?, 'parked', 'for a test', ?)"
    member.office.database.run(query, TO, row["digest"])
    assert Trouble.PARKED not in wanted(member)
    exchange.clock.now += DAY
    assert wanted(member)[Trouble.PARKED].channels == (TO,)


def test_what_can_never_be_signed_wants_a_person(exchange: Exchange) -> None:
    settled(exchange)
    member = exchange.members[SCHOOL]
    saved(member)
    member.office.database.run("UPDATE outgoing SET lost = 1 WHERE channel = ?", RECORD)
    assert wanted(member)[Trouble.LOST].channels == (RECORD,)


def test_a_certificate_wants_a_person_a_month_before_it_ends(exchange: Exchange) -> None:
    settled(exchange)
    member = exchange.members[SCHOOL]
    ends = int(seal_of("old").certificate.not_after.timestamp() * 1000)
    assert status_of(member).certificate_ends == ends
    exchange.clock.now = ends - 31 * DAY
    assert Trouble.CERTIFICATE_ENDS not in wanted(member)
    exchange.clock.now = ends - 29 * DAY
    # The registrar of a test signs for years; of the others nobody is told before their certificates have ended.
    assert wanted(member)[Trouble.CERTIFICATE_ENDS].channels == (RECORD, TO)
    assert datetime.fromtimestamp(ends / 1000, UTC).strftime("%Y-%m-%d") in wanted(member)[Trouble.CERTIFICATE_ENDS].text


def test_a_client_certificate_wants_a_person_a_month_before_it_ends(exchange: Exchange, tmp_path: Path) -> None:
    settled(exchange)
    office, file = exchange.members[SCHOOL].office, tmp_path / "tls.pem"

    def seen() -> tuple[int | None, bool]:
        status = look(office.database, SCHOOL, now=exchange.clock.now, lease=tmp_path / "none", tls=file)
        return status.tls_ends, Trouble.TLS_CERTIFICATE_ENDS in {each.trouble for each in attention(status)}

    assert seen() == (None, False)
    file.write_text("this is none")
    assert seen() == (None, False)
    file.write_bytes(b"a key before it\n" + pem(seal_of("old").certificate.der))
    ends = int(seal_of("old").certificate.not_after.timestamp() * 1000)
    assert seen() == (ends, False)
    exchange.clock.now = ends - 29 * DAY
    assert seen() == (ends, True)


def test_a_registrar_that_says_nothing_wants_a_person_after_eight_days(exchange: Exchange) -> None:
    settled(exchange)
    member = exchange.members[SCHOOL]
    heard = status_of(member).trust_at
    assert heard is not None
    exchange.clock.now = heard + 8 * DAY - 1
    assert attention(status_of(member)) == []
    exchange.clock.now += 1
    assert [each.trouble for each in attention(status_of(member))] == [Trouble.REGISTRAR_SILENT]


def test_a_log_that_was_not_looked_at_whole_for_two_days_wants_a_person(exchange: Exchange) -> None:
    exchange.clock.now += HOUR + MINUTE
    settled(exchange)
    exchange.clock.now += 2 * DAY + HOUR
    told = wanted(exchange.members[SCHOOL])
    assert set(told[Trouble.NOT_VERIFIED].channels) == {TRUST_CHANNEL, FROM, TO, RECORD}
    settled(exchange)
    assert Trouble.NOT_VERIFIED not in wanted(exchange.members[SCHOOL])


def test_a_start_that_is_not_over_wants_a_person_after_an_hour(exchange: Exchange) -> None:
    settled(exchange)
    member = exchange.members[SCHOOL]
    member.office.database.run("INSERT INTO said VALUES ('starting', ?)", exchange.clock.now)
    assert status_of(member).starting_since == exchange.clock.now
    assert Trouble.STARTING not in wanted(member)
    exchange.clock.now += HOUR + MINUTE
    assert Trouble.STARTING in wanted(member)


def test_nothing_waits_since_the_future_where_a_clock_was_ahead(exchange: Exchange) -> None:
    settled(exchange)
    exchange.clock.now += 365 * DAY
    saved(exchange.members[SCHOOL])
    exchange.clock.now -= 365 * DAY
    status = status_of(exchange.members[SCHOOL])
    assert status.outgoing_since == status.at


def test_many_channels_of_one_trouble_are_one_thing_to_see(exchange: Exchange) -> None:
    settled(exchange)
    member = exchange.members[COMMISSION]
    for number in range(100):
        query = (
            "INSERT INTO channels (channel, epoch, sequence, digest, certificates, state)"
            " SELECT ?, epoch, sequence, digest, certificates, 'waiting' FROM channels WHERE channel = ?"
        )
        member.office.database.run(query, f"school-{number:03}.to-commission", TO)
    told = wanted(member)[Trouble.STANDS_STILL]
    assert (told.number, len(told.channels)) == (100, 20)
    assert told.text.endswith("; and 80 more channels")


def test_who_looks_takes_no_lease_and_sees_who_has_it(tmp_path: Path) -> None:
    path = tmp_path / "database.lease"
    assert holder_of(path) == (False, None)
    assert not path.exists()
    with lease(path):
        held, process = holder_of(path)
        assert held
        assert process is not None
        with pytest.raises(LeaseError, match=f"process {process}"), lease(path):
            pass
    assert holder_of(path) == (False, None)
    with lease(path):
        pass


def test_nothing_personal_and_no_number_of_a_case_is_in_a_status(exchange: Exchange) -> None:
    asked(exchange)
    case_id = saved(exchange.members[SCHOOL])
    exchange.members[SCHOOL].work()
    exchange.clock.now += 20 * DAY
    for name in (SCHOOL, COMMISSION):
        status = status_of(exchange.members[name], works=False)
        said = json.dumps([asdict(status), [each.text for each in attention(status)]], ensure_ascii=False)
        assert case_id.hex not in said.replace("-", "")
        assert PERSONAL.search(said) is None


def test_the_command_says_the_same_to_a_person_and_to_a_program_and_leaves_with_11_where_somebody_is_wanted(
    folders: Folders,
) -> None:
    for name in (SCHOOL, COMMISSION, REGISTRAR):
        answer = folders.run(name, "status")
        assert (answer.code, "no-worker: no worker runs" in answer.out) == (11, True), answer.err
        told = folders.run(name, "status", "--json")
        assert told.code == 11
        assert [each["trouble"] for each in json.loads(told.out)["attention"]] == ["no-worker"]
        with lease(folders.home(name) / "database.lease"):
            answer = folders.run(name, "status")
            assert (answer.code, answer.out.splitlines()[-1]) == (0, "nothing wants a person"), answer.out


def test_the_command_changes_nothing(folders: Folders) -> None:
    office = folders.office(SCHOOL)
    before = office.database.one("PRAGMA data_version")
    assert folders.run(SCHOOL, "status").code == 11
    after = office.database.one("PRAGMA data_version")
    assert (before is not None, after is not None) == (True, True)
    assert tuple(before or ()) == tuple(after or ())
