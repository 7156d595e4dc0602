"""A link between two cases of one pupil, and all that is no such link: whom it excuses, and what an auditor cannot know of it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from services.audit.judged import CLOSED_LINK, KEYS_CAME
from services.audit.report import Report
from services.commission.input import ExaminationInput, LinkInput
from services.post.history import New
from services.post.saving import act
from services.wire.channels import COMMISSION, record_of
from services.wire.contents import EpochOpened
from services.wire.entry import body_digest, decode_entry
from services.wire.errors import BasisError
from services.wire.events import Answer, AssessmentLinked, Opinion
from services.wire.hashing import Digest, digest_of
from tests.attacks.test_bases import found, keys, lied, outcome
from tests.attacks.test_bases_again import Looking, again
from tests.attacks.test_bases_of_the_procedure import two_requests
from tests.attacks.workshop import OTHER, TO, Workshop
from tests.chains import ROOT, SCHOOL, Pen, seal_of
from tests.integration.test_two_sides import answered, asked, commission, examined, recommended
from tests.people import another_pupil
from tests.troubles import raw_event, said_by_registrar, settled
from tests.verifying import verified, verified_by

THEIRS = record_of(COMMISSION)
ANSWERS = f"{OTHER}.from-commission"
EVERYBODY = (COMMISSION, SCHOOL, OTHER)


@pytest.fixture
def eye(shop: Workshop, tmp_path: Path) -> Looking:
    return Looking(shop, tmp_path / "verified")


def linked(shop: Workshop) -> None:
    """Let two schools ask about one pupil, and the commission answer both by one assessment."""
    first, second = two_requests(shop)
    commission(shop).link(second, LinkInput())
    for case_id in (first, second):
        answered(shop, case_id)
    settled(shop)


def body_at(shop: Workshop, channel: str, index: int) -> Digest:
    return body_digest(decode_entry(shop.there[channel][index]).unverified_statement.body)


@pytest.mark.parametrize("primary", ["an open entry", "an event of no case"])
@pytest.mark.shows("I4")
def test_a_yes_on_somebody_elses_recommendation_by_a_link_to_what_is_of_no_case(shop: Workshop, primary: str) -> None:
    _, other = asked(shop, pupil=another_pupil(1))
    examined(shop, other)
    recommended(shop, other)
    mine, theirs = asked(shop, pupil=another_pupil(2))
    settled(shop)
    basis = outcome(shop, other)
    if primary == "an event of no case":
        raw_event(shop, COMMISSION, THEIRS, AssessmentLinked(primary=basis))
        settled(shop)
        named = body_at(shop, THEIRS, -1)
    else:
        named = body_at(shop, TO, 0)
    act(shop.commission.office, theirs, lambda _: (New(facts=AssessmentLinked(primary=named)),))
    lied(shop, mine=mine, theirs=theirs, answer=Answer.YES, basis=basis)
    assert found(shop, "a yes rests on an event of another case", *EVERYBODY) == (theirs.hex, other.hex)


def test_a_link_to_a_case_that_no_given_key_opens_convicts_nobody_and_is_told_where_the_answer_stands(shop: Workshop) -> None:
    linked(shop)
    theirs = [key for key in keys(shop, COMMISSION) if key not in keys(shop, SCHOOL)]
    report = verified(shop.log, ROOT, threads=1, facts_keys=theirs)
    assert report.is_clean
    assert CLOSED_LINK in "; ".join(report.of(ANSWERS).notes)
    with_all = verified(shop.log, ROOT, threads=1, facts_keys=keys(shop, *EVERYBODY))
    assert (with_all.findings, with_all.of(ANSWERS).notes) == ([], [])


def overruled(shop: Workshop, channel: str, after: int, *, is_begun: bool) -> None:
    """Let the registrar open an epoch of a channel after some entries; begun or not, what stood behind them counts no more."""
    last, seal = decode_entry(shop.there[channel][after - 1]), seal_of("new")
    said_by_registrar(
        shop,
        EpochOpened(
            channel=channel,
            epoch=1,
            after_sequence=after,
            after_digest=last.digest,
            certificate=seal.certificate.digest,
        ),
    )
    if is_begun:
        shop.there[channel].append(Pen(channel, seal, 1, after, last.digest).opened())


def both(eye: Looking, given: tuple[bytes, ...]) -> Report:
    """Return what a look that goes on says, after holding it against a fresh one."""
    report = eye.look(given=given)
    fresh = verified_by(eye.shop.log, ROOT, threads=1, facts_keys=given)
    assert report.findings == fresh.findings
    assert told(report) == told(fresh)
    return report


def told(report: Report) -> dict[str, list[str]]:
    """Return what is told of each channel, but what only one that looked before can tell."""
    return {each.channel: sorted(note for note in each.notes if "seen before" not in note) for each in report.channels}


@pytest.mark.parametrize("epoch", ["begun", "not begun"])
def test_a_link_to_a_request_that_an_epoch_overruled_convicts_nobody_read_at_once_or_bit_by_bit(
    eye: Looking, shop: Workshop, epoch: str
) -> None:
    linked(shop)
    given = (*keys(shop, *EVERYBODY), bytes(32))
    assert both(eye, given).is_clean
    overruled(shop, TO, 1, is_begun=epoch == "begun")
    for _ in range(2):
        report = both(eye, given)
        assert report.is_clean
        assert "an epoch may have overruled the link or what it names" in "; ".join(report.of(ANSWERS).notes)


def test_a_link_that_an_epoch_of_the_commissions_record_overruled_convicts_nobody(eye: Looking, shop: Workshop) -> None:
    first, second = two_requests(shop)
    settled(shop)
    place = len(shop.there[THEIRS])
    commission(shop).link(second, LinkInput())
    for case_id in (first, second):
        answered(shop, case_id)
    settled(shop)
    given = (*keys(shop, *EVERYBODY), bytes(32))
    assert both(eye, given).is_clean
    overruled(shop, THEIRS, place, is_begun=True)
    report = both(eye, given)
    assert report.is_clean
    assert "an epoch may have overruled the link or what it names" in "; ".join(report.of(ANSWERS).notes)


def test_a_request_that_a_link_names_and_that_was_cut_off_is_missed_where_the_link_is_used(eye: Looking, shop: Workshop) -> None:
    linked(shop)
    given = (*keys(shop, *EVERYBODY), bytes(32))
    assert both(eye, given).is_clean
    assert again(both(eye, given)) == {}
    del shop.there[TO][1:]
    for _ in range(2):
        report = eye.look(given=given)
        lines = [(each.channel, each.what) for each in report.findings]
        assert (ANSWERS, "a yes rests on an event of another case") in lines
        assert lines == [(each.channel, each.what) for each in verified(shop.log, ROOT, facts_keys=given).findings]


def test_a_link_of_last_year_that_no_given_key_opens_convicts_nobody(eye: Looking, shop: Workshop) -> None:
    first, second = two_requests(shop, is_decided=False)
    today = shop.commission.office.today
    commission(shop).examine(first, ExaminationInput(file_found=True, opinion=Opinion.VALID, examined_on=today))
    settled(shop)
    commission(shop).link(second, LinkInput())
    settled(shop)
    before = keys(shop, COMMISSION)
    shop.clock.now += 60 * 86_400_000
    settled(shop)
    recommended(shop, first)
    for case_id in (first, second):
        answered(shop, case_id)
    settled(shop)
    new = tuple(key for key in keys(shop, COMMISSION) if key not in before)
    assert new
    for _ in range(2):
        report = both(eye, new)
        assert report.is_clean
        assert "a link between the two may be among what does not open" in "; ".join(report.of(ANSWERS).notes)
        assert "whether one links two cases is not known" in "; ".join(report.of(THEIRS).notes)
    report = both(eye, (*before, *new))
    assert (report.findings, report.of(ANSWERS).notes) == ([], [])
    assert again(report)[ANSWERS] == KEYS_CAME


@pytest.mark.shows("I4")
def test_a_yes_on_somebody_elses_recommendation_is_found_once_the_record_opens_whole(eye: Looking, shop: Workshop) -> None:
    _, other = asked(shop, pupil=another_pupil(1))
    examined(shop, other)
    settled(shop)
    before = keys(shop, COMMISSION)
    shop.clock.now += 60 * 86_400_000
    settled(shop)
    recommended(shop, other)
    mine, theirs = asked(shop, pupil=another_pupil(2))
    lied(shop, mine=mine, theirs=theirs, answer=Answer.YES, basis=outcome(shop, other))
    settled(shop)
    new = tuple(key for key in keys(shop, COMMISSION) if key not in before)
    assert both(eye, new).is_clean
    assert [each.what for each in both(eye, (*before, *new)).findings] == ["a yes rests on an event of another case"]


@pytest.mark.parametrize("seed", range(8))
def test_whatever_epochs_overrule_an_honest_exchange_is_convicted_of_no_basis_read_at_once_or_bit_by_bit(
    eye: Looking, shop: Workshop, seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311  # channels and places, no secret
    linked(shop)
    given = tuple(key for key in (*keys(shop, *EVERYBODY), bytes(32)) if dice.random() < 0.9)
    for channel in dice.sample([TO, f"{OTHER}.to-commission", record_of(SCHOOL), THEIRS, ANSWERS], 4):
        both(eye, given)
        overruled(shop, channel, dice.randint(1, len(shop.there[channel])), is_begun=dice.random() < 0.5)
    assert [each for each in both(eye, given).findings if each.error == BasisError.__name__] == []


@pytest.mark.shows("I4")
@pytest.mark.parametrize("owner", ["somebody else's channel", "the channel of the case itself"])
def test_a_link_to_nowhere_is_excused_only_by_an_epoch_where_what_it_names_can_have_stood(shop: Workshop, owner: str) -> None:
    """One lost key among hundreds of schools must not let the commission link what it likes to whom it likes."""
    _, other = asked(shop, pupil=another_pupil(1))
    examined(shop, other)
    recommended(shop, other)
    mine, theirs = asked(shop, pupil=another_pupil(2))
    settled(shop)
    basis = outcome(shop, other)
    act(shop.commission.office, theirs, lambda _: (New(facts=AssessmentLinked(primary=digest_of(b"nowhere"))),))
    lied(shop, mine=mine, theirs=theirs, answer=Answer.YES, basis=basis)
    given = keys(shop, *EVERYBODY)
    assert [each.what for each in shop.findings(*given)] == ["a yes rests on an event of another case"]
    channel = TO if owner == "the channel of the case itself" else f"{OTHER}.to-commission"
    overruled(shop, channel, len(shop.there[channel]), is_begun=True)
    found = [each.what for each in verified(shop.log, ROOT, threads=1, facts_keys=given).findings]
    # Of its own school's channel nobody can say what the epoch took away.
    assert found == ([] if channel == TO else ["a yes rests on an event of another case"])
