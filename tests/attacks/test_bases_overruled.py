"""What an epoch excuses, and what it does not: whoever says that a key was lost takes back no lie of before."""

from __future__ import annotations

import pytest

from services.audit.overruled import epochs_said
from services.audit.verify import examine_log
from services.post.signing import Draft, sign_body, sign_open
from services.wire.channels import COMMISSION, record_of, to_commission
from services.wire.contents import EpochOpened, Held
from services.wire.entry import body_digest, decode_entry
from services.wire.events import Answer, RecommendationIssued, RecommendationIssuedPersonal
from services.wire.hashing import digest_of
from tests.attacks.test_bases import keys, lied
from tests.attacks.test_bases_again import NOWHERE, a_yes
from tests.attacks.workshop import FROM, OTHER, Workshop
from tests.chains import ROOT, SCHOOL, Pen, seal_of
from tests.integration.test_two_sides import asked, examined
from tests.troubles import raw_event, said_by_registrar, settled, with_lie
from tests.verifying import verified

THEIRS = record_of(COMMISSION)
EVERYBODY = (COMMISSION, SCHOOL, OTHER)


def lost(shop: Workshop, after: int) -> EpochOpened:
    """Let the registrar open an epoch of the commission's record after an entry, and somebody begin it."""
    last, seal = decode_entry(shop.there[THEIRS][after - 1]), seal_of("new")
    content = EpochOpened(
        channel=THEIRS, epoch=1, after_sequence=after, after_digest=last.digest, certificate=seal.certificate.digest
    )
    said_by_registrar(shop, content)
    shop.there[THEIRS][after:] = [Pen(THEIRS, seal, 1, after, last.digest).opened()]
    return content


def test_a_commission_that_says_it_lost_its_key_takes_back_no_lie_of_before(shop: Workshop) -> None:
    mine, theirs = asked(shop)
    lied(shop, mine=mine, theirs=theirs, answer=Answer.YES, basis=NOWHERE)
    # A receipt in the same channel names a head of the record, written after the lie; that head stands, and nothing before it.
    a_yes(shop, 2)
    given = keys(shop, *EVERYBODY)
    before = shop.findings(*given)
    assert [each.channel for each in before] == [FROM]
    lost(shop, len(shop.there[THEIRS]))
    assert verified(shop.log, ROOT, threads=1, facts_keys=given).findings == before


def test_an_answer_whose_record_an_epoch_cut_off_with_what_it_rests_on_convicts_nobody(shop: Workshop) -> None:
    """Also with receipts after it: the heads that they name were cut off likewise."""
    before = len(shop.there[THEIRS])
    a_yes(shop, 1)
    a_yes(shop, 2)
    given = keys(shop, *EVERYBODY)
    lost(shop, before)
    report = verified(shop.log, ROOT, threads=1, facts_keys=given)
    assert report.findings == []
    assert "of which an epoch overruled a part since" in "; ".join(report.of(FROM).notes)


def test_an_epoch_that_the_registrar_says_once_more_was_opened_where_it_was_said_first(shop: Workshop) -> None:
    content = lost(shop, len(shop.there[THEIRS]))
    first = len(shop.there["registrar.trust"])
    said_by_registrar(shop, content)
    examined = examine_log(shop.log, ROOT, threads=1)
    assert epochs_said(examined.watches, examined.trust) == {THEIRS: [first]}


def test_a_false_receipt_about_the_place_of_a_lie_does_not_hide_the_lie(shop: Workshop) -> None:
    mine, theirs = asked(shop)
    lied(shop, mine=mine, theirs=theirs, answer=Answer.YES, basis=NOWHERE)
    (lie,) = shop.findings(*keys(shop, COMMISSION))
    held = Held(channel=FROM, epoch=0, sequence=lie.sequence, digest=digest_of(b"something else"))
    office = shop.members[SCHOOL].office
    with office.database.transaction():
        sign_open(office, to_commission(SCHOOL), with_lie(shop, held))
    settled(shop)
    found = shop.findings(*keys(shop, COMMISSION))
    assert lie in found
    assert [each.error for each in found if each.sequence == lie.sequence] == ["ForkError", "BasisError"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.shows("I4")
def test_a_yes_that_went_before_its_recommendation_was_written(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """The body of a sealed event can be named before the event stands anywhere, and be written when somebody asks for it."""
    mine, theirs = asked(shop)
    examined(shop, theirs)
    office, made = shop.commission.office, list[Draft]()
    facts = RecommendationIssued(issued_on=office.today, valid_from=office.today, valid_until=None, parts=())
    with monkeypatch.context() as only_made:
        only_made.setattr("tests.troubles.sign_body", lambda _, draft: made.append(draft))
        raw_event(shop, COMMISSION, THEIRS, facts, RecommendationIssuedPersonal(number="1", text="I"), case_id=theirs.bytes)

    def written() -> None:
        with office.database.transaction():
            sign_body(office, made[0])
        settled(shop)

    if when == "before":
        written()
    lied(shop, mine=mine, theirs=theirs, answer=Answer.YES, basis=body_digest(made[0].body))
    # What the commission says in the same channel meanwhile names the head of its record as it stood.
    a_yes(shop, 2)
    if when == "after":
        written()
    findings = verified(shop.log, ROOT, threads=1, facts_keys=keys(shop, *EVERYBODY)).findings
    assert [(each.channel, each.what) for each in findings] == (
        [(FROM, "a yes rests on an event that was written after it")] if when == "after" else []
    )
