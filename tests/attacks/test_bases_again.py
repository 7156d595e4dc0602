"""Looking again at what events rest on, with a file that remembers: only what is new is read, and nothing believed too long."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from services.audit import claims
from services.audit.judged import CLOSED_LINK, KEYS_CAME, NEVER, OTHER_RULES, RECORD_ANEW
from services.audit.remembering import Memory
from services.audit.report import Report
from services.channel.port import Channel
from services.commission.input import LinkInput
from services.wire.channels import COMMISSION, record_of
from services.wire.contents import EpochOpened
from services.wire.entry import body_digest, decode_entry
from services.wire.errors import ArchiveError
from services.wire.events import Answer, RecommendationIssued, RecommendationRefused
from services.wire.hashing import Digest, digest_of, genesis_digest
from tests.attacks.test_bases import keys, lied, outcome, refused
from tests.attacks.test_bases_of_the_procedure import two_requests
from tests.attacks.workshop import FROM, OTHER, RECORD, TO, MemoryLog, Workshop
from tests.chains import ROOT, SCHOOL, Pen, seal_of
from tests.integration.test_two_sides import answered, asked, commission, examined, recommended
from tests.integration.test_verify_again import Counting
from tests.people import another_pupil
from tests.troubles import said_by_registrar, settled
from tests.verifying import comparable, verified_by

THEIRS = record_of(COMMISSION)
NOWHERE = digest_of(b"a recommendation that nobody issued")


@dataclass
class Looking:
    """Somebody who verifies a log with keys now and then; ``read`` is what the last time read of each channel."""

    shop: Workshop
    state: Path
    read: dict[str, int] = field(default_factory=dict)

    def look(self, *readers: str, given: Sequence[bytes] = (), log: Channel | None = None) -> Report:
        memory = Memory.load(self.state, ROOT.digest.hex()) or Memory(ROOT.digest.hex())
        counting = Counting(log or self.shop.log)
        report = verified_by(counting, ROOT, threads=1, facts_keys=given or held(self.shop, *readers), memory=memory)
        memory.save(self.state)
        self.read = counting.read
        return report

    def fresh(self, *readers: str, log: Channel | None = None) -> Report:
        return verified_by(log or self.shop.log, ROOT, threads=1, facts_keys=held(self.shop, *readers))


def held(shop: Workshop, *readers: str) -> tuple[bytes, ...]:
    """Return what somebody holds who was given the keys of these: one that opens nothing, as well."""
    return (*keys(shop, *readers), bytes(32)) if readers else ()


@pytest.fixture
def eye(shop: Workshop, tmp_path: Path) -> Looking:
    return Looking(shop, tmp_path / "verified")


def a_yes(shop: Workshop, number: int) -> None:
    _, theirs = asked(shop, pupil=another_pupil(number))
    examined(shop, theirs)
    recommended(shop, theirs)
    answered(shop, theirs)
    settled(shop)


def lengths(shop: Workshop) -> dict[str, int]:
    return {channel: len(records) for channel, records in shop.there.items()}


def again(report: Report) -> dict[str, str]:
    """Return which channels were read again, and why."""
    return {each.channel: each.read_again for each in report.channels if each.read_again}


def test_a_second_look_reads_what_is_new_and_says_what_a_first_one_would(eye: Looking, shop: Workshop) -> None:
    for number in (1, 2, 3):
        a_yes(shop, number)
    assert eye.look(COMMISSION, SCHOOL).is_clean
    before = lengths(shop)
    a_yes(shop, 4)
    report, after = eye.look(COMMISSION, SCHOOL), lengths(shop)
    assert comparable(report) == comparable(eye.fresh(COMMISSION, SCHOOL))
    assert again(report) == {}
    for channel in (TO, FROM, RECORD, THEIRS):
        # Each new entry twice, for its place and for what it says, and the last one of before, by which the log is known.
        assert eye.read[channel] == 2 * (after[channel] - before[channel]) + 1, channel
    assert eye.look(COMMISSION, SCHOOL).is_clean
    assert [eye.read.get(channel, 0) for channel in (TO, FROM, RECORD, THEIRS)] == [1, 1, 1, 1]


@pytest.mark.parametrize(("number", "told"), [(2, "an event of another case"), (1, "an event of another kind")])
def test_a_new_yes_on_an_old_event_is_held_against_that_one(eye: Looking, shop: Workshop, number: int, told: str) -> None:
    _, refusal = asked(shop, pupil=another_pupil(1))
    examined(shop, refusal)
    refused(shop, refusal)
    _, other = asked(shop, pupil=another_pupil(2))
    examined(shop, other)
    recommended(shop, other)
    mine, theirs = asked(shop, pupil=another_pupil(3))
    settled(shop)
    basis = outcome(shop, refusal if number == 1 else other)
    # An honest yes, so that the first look has something to remember of the record.
    a_yes(shop, 4)
    assert eye.look(COMMISSION).is_clean
    before = lengths(shop)
    lied(shop, mine=mine, theirs=theirs, answer=Answer.YES, basis=basis)
    report = eye.look(COMMISSION)
    (finding,) = report.findings
    assert told in finding.what
    assert comparable(report) == comparable(eye.fresh(COMMISSION))
    if number == 1:
        assert again(report) == {}
        # Of the old record the one event that is named, besides the last one.
        assert eye.read[THEIRS] == 2 * (lengths(shop)[THEIRS] - before[THEIRS]) + 2
    else:
        assert set(again(report).values()) == {"an event rests on one of another case, and what links the two is looked for"}


def test_what_was_found_is_found_each_time_also_after_a_run_that_held_no_keys(eye: Looking, shop: Workshop) -> None:
    mine, theirs = asked(shop)
    lied(shop, mine=mine, theirs=theirs, answer=Answer.YES, basis=NOWHERE)
    for readers in ((COMMISSION,), (COMMISSION,), (), (), (COMMISSION,)):
        assert len(eye.look(*readers).findings) == len(readers)


def test_keys_that_come_later_open_the_lie_that_was_sealed_before(eye: Looking, shop: Workshop) -> None:
    a_yes(shop, 1)
    mine, theirs = asked(shop, pupil=another_pupil(2))
    lied(shop, mine=mine, theirs=theirs, answer=Answer.YES, basis=NOWHERE)
    shut = eye.look(OTHER)
    assert shut.is_clean
    assert "open under none of the given keys" in "; ".join(shut.of(FROM).notes)
    # The school's key opens its answers; what its own requests rest on it opens as well.
    report = eye.look(OTHER, SCHOOL)
    assert [each.channel for each in report.findings] == [FROM]
    assert again(report)[FROM] == KEYS_CAME
    assert comparable(report) == comparable(eye.fresh(OTHER, SCHOOL))


def test_the_key_of_a_record_that_comes_later_is_used_for_what_rests_on_it(eye: Looking, shop: Workshop) -> None:
    _, theirs = asked(shop, pupil=another_pupil(1))
    examined(shop, theirs)
    refused(shop, theirs)
    mine, second = asked(shop, pupil=another_pupil(2))
    lied(shop, mine=mine, theirs=second, answer=Answer.YES, basis=outcome(shop, theirs))
    # The answer opens with the school's key; what it rests on with the commission's alone.
    assert eye.look(SCHOOL).is_clean
    report = eye.look(SCHOOL, COMMISSION)
    assert [each.what for each in report.findings] == ["a yes rests on an event of another kind"]
    assert again(report)[FROM] == KEYS_CAME


def test_what_nobody_looked_at_before_is_looked_at_as_a_whole_and_told(eye: Looking, shop: Workshop) -> None:
    mine, theirs = asked(shop)
    lied(shop, mine=mine, theirs=theirs, answer=Answer.YES, basis=NOWHERE)
    assert eye.look().is_clean
    report = eye.look(COMMISSION)
    assert len(report.findings) == 1
    assert again(report)[FROM] == NEVER


def test_what_rested_on_a_record_is_looked_at_anew_when_an_epoch_overruled_a_part(eye: Looking, shop: Workshop) -> None:
    asked(shop)
    settled(shop)
    assert eye.look(COMMISSION).is_clean
    del shop.members[SCHOOL]
    opening = decode_entry(shop.there[RECORD][0])
    seal = seal_of("new")
    epoch = Pen(RECORD, seal, 1, 1, opening.digest)
    content = EpochOpened(
        channel=RECORD, epoch=1, after_sequence=1, after_digest=opening.digest, certificate=seal.certificate.digest
    )
    said_by_registrar(shop, content)
    shop.there[RECORD][1:] = [epoch.opened()]
    for _ in range(2):
        report = eye.look(COMMISSION)
        assert again(report)[TO] == RECORD_ANEW
        assert "of which an epoch overruled a part since" in "; ".join(report.of(TO).notes)
        assert report.of(TO).notes == eye.fresh(COMMISSION).of(TO).notes
        assert report.is_clean


def test_what_rested_on_a_record_that_is_gone_as_a_whole_is_missed_where_it_is_named(eye: Looking, shop: Workshop) -> None:
    a_yes(shop, 1)
    assert eye.look(COMMISSION).is_clean
    shop.there[THEIRS].clear()
    for _ in range(2):
        report, fresh = eye.look(COMMISSION), eye.fresh(COMMISSION)
        missed = [each for each in report.findings if each.error == "BasisError"]
        assert FROM in {each.channel for each in missed}
        assert missed == [each for each in fresh.findings if each.error == "BasisError"]


def test_what_rested_on_a_record_that_an_epoch_from_its_start_overruled_is_looked_at_before_that_is_begun(
    eye: Looking, shop: Workshop
) -> None:
    a_yes(shop, 1)
    assert eye.look(COMMISSION, SCHOOL).is_clean
    given = held(shop, COMMISSION, SCHOOL)
    genesis, seal = genesis_digest(ROOT.digest, RECORD), seal_of("new")
    content = EpochOpened(channel=RECORD, epoch=1, after_sequence=0, after_digest=genesis, certificate=seal.certificate.digest)
    said_by_registrar(shop, content)
    for _ in range(2):
        report = eye.look(given=given)
        assert report.is_clean
        assert "of which an epoch overruled a part since" in "; ".join(report.of(TO).notes)
        assert report.of(TO).notes == eye.fresh(COMMISSION, SCHOOL).of(TO).notes


def test_what_a_link_excused_is_excused_for_good_and_a_link_that_does_not_open_is_looked_at_again(
    eye: Looking, shop: Workshop
) -> None:
    first, second = two_requests(shop)
    commission(shop).link(second, LinkInput())
    for case_id in (first, second):
        answered(shop, case_id)
    settled(shop)
    # The case that the link names is known by the request, which the key of the school's channel opens.
    theirs = [key for key in keys(shop, COMMISSION) if key not in keys(shop, SCHOOL)]
    for _ in range(2):
        assert eye.look(given=theirs).is_clean
    assert again(eye.look(given=theirs))[f"{OTHER}.from-commission"] == CLOSED_LINK
    assert eye.look(COMMISSION, SCHOOL, OTHER).is_clean
    report = eye.look(COMMISSION, SCHOOL, OTHER)
    assert (report.findings, again(report)) == ([], {})


def test_a_basis_that_was_taken_out_of_an_old_part_meanwhile_is_no_basis_of_anything_new(eye: Looking, shop: Workshop) -> None:
    _, theirs = asked(shop, pupil=another_pupil(1))
    examined(shop, theirs)
    refused(shop, theirs)
    basis = outcome(shop, theirs)
    mine, second = asked(shop, pupil=another_pupil(2))
    a_yes(shop, 3)
    assert eye.look(COMMISSION).is_clean
    lied(shop, mine=mine, theirs=second, answer=Answer.NO, basis=basis)
    there = shop.there[THEIRS]
    place = next(at for at, record in enumerate(there) if body_digest(decode_entry(record).unverified_statement.body) == basis)
    there[place] = there[place][:-1]
    report = eye.look(COMMISSION)
    assert again(report)[THEIRS] == "an event does not stand where it stood"
    assert [(each.channel, each.what) for each in report.findings] == [
        (FROM, f"a no rests on an event that stands nowhere in {THEIRS}")
    ]


@pytest.mark.parametrize("changed", ["_RESTS_ON", "_YES"])
def test_what_was_in_order_by_other_rules_is_judged_again_by_these(
    eye: Looking, shop: Workshop, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    _, refusal = asked(shop, pupil=another_pupil(1))
    examined(shop, refusal)
    refused(shop, refusal)
    mine, theirs = asked(shop, pupil=another_pupil(2))
    lied(shop, mine=mine, theirs=theirs, answer=Answer.YES, basis=outcome(shop, refusal))
    others = {"_RESTS_ON": {}, "_YES": (RecommendationIssued, RecommendationRefused)}
    with monkeypatch.context() as other:
        other.setattr(claims, changed, others[changed])
        # The file of another release has other bytes.
        other.setattr("services.audit.verify.rules", lambda: "00")
        eye.look(COMMISSION)
    report = eye.look(COMMISSION)
    assert again(report)[TO] == OTHER_RULES
    assert len(report.findings) == 1
    assert comparable(report) == comparable(eye.fresh(COMMISSION))
    # By the same rules it stays judged.
    assert TO not in again(eye.look(COMMISSION))


def test_what_does_not_say_by_which_rules_it_was_judged_is_judged_again(eye: Looking, shop: Workshop) -> None:
    a_yes(shop, 1)
    assert eye.look(COMMISSION).is_clean
    said = json.loads(eye.state.read_bytes().partition(b"\n")[2])
    del said["judged"]["rules"]
    write_state(eye.state, said)
    assert again(eye.look(COMMISSION))[FROM] == NEVER


@pytest.mark.parametrize("nonsense", [{"a": 1}, ["x"], "x" * 1_000_000, "\ud800", "\x1b[2J\n0 findings", 7, None])
def test_a_reason_to_look_again_that_no_verification_writes_is_not_believed_and_told_to_nobody(
    eye: Looking, shop: Workshop, nonsense: object
) -> None:
    a_yes(shop, 1)
    assert eye.look(COMMISSION).is_clean
    said = json.loads(eye.state.read_bytes().partition(b"\n")[2])
    undecided = len(said["judged"]["channels"][TO]) - 2
    assert said["judged"]["channels"][TO][undecided] == ""
    said["judged"]["channels"][TO][undecided] = nonsense
    write_state(eye.state, said)
    with pytest.raises(ArchiveError, match="says nothing that a verification writes: it is not believed"):
        eye.look(COMMISSION)


def write_state(path: Path, said: object) -> None:
    """Write a file that remembers, with a right digest: as whoever can write it may."""
    body = json.dumps(said).encode()
    path.write_bytes(b"sarakste-verified-0 " + sha256(body).hexdigest().encode() + b"\n" + body)


@pytest.mark.parametrize("seed", range(8))
def test_bit_by_bit_and_with_keys_that_come_and_go_the_end_is_what_one_look_finds(
    eye: Looking, shop: Workshop, seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311  # parts of a log, no secret
    _, other = asked(shop, pupil=another_pupil(1))
    examined(shop, other)
    refused(shop, other)
    a_yes(shop, 2)
    mine, theirs = asked(shop, pupil=another_pupil(3))
    basis: Digest = dice.choice([NOWHERE, outcome(shop, other)])
    lied(shop, mine=mine, theirs=theirs, answer=Answer.YES, basis=basis)
    a_yes(shop, 4)
    everybody = (COMMISSION, SCHOOL, OTHER)
    ends = dict.fromkeys(shop.there, 0)
    for _ in range(4):
        ends = {channel: dice.randint(end, len(shop.there[channel])) for channel, end in ends.items()}
        ends["registrar.trust"] = len(shop.there["registrar.trust"])
        part = MemoryLog({channel: shop.there[channel][:end] for channel, end in ends.items()})
        eye.look(*some_of(everybody, dice), log=part)
    report = eye.look(*everybody)
    assert len(report.findings) == 1
    assert comparable(report) == comparable(eye.fresh(*everybody))


def some_of(readers: Iterable[str], dice: random.Random) -> list[str]:
    return [each for each in readers if dice.random() < 0.6]
