"""A yes with a basis that does not exist: what only an auditor finds, who may open facts and trusts nobody."""

from __future__ import annotations

from uuid import UUID

import pytest

from services.commission.input import RefusalInput
from services.post.history import New
from services.post.saving import act
from services.wire.channels import COMMISSION, record_of
from services.wire.contents import EpochOpened
from services.wire.entry import body_digest, decode_entry
from services.wire.errors import BasisError
from services.wire.events import Answer, ConfirmationGiven, ConfirmationGivenPersonal, RefusalGround
from services.wire.hashing import Digest, digest_of
from tests.attacks.workshop import FROM, OTHER, RECORD, TO, Workshop
from tests.chains import ROOT, SCHOOL, Pen, seal_of
from tests.integration.test_two_sides import answered, asked, commission, examined, recommended, school
from tests.people import REQUESTED_A2, REQUESTED_PERSONAL, another_pupil
from tests.troubles import raw_event, said_by_registrar, settled
from tests.verifying import verified


def keys(shop: Workshop, *readers: str) -> tuple[bytes, ...]:
    return tuple(key for reader in readers for key in shop.members[reader].office.ring.facts_keys())


def outcome(shop: Workshop, case_id: UUID) -> Digest:
    found = commission(shop).case(case_id).outcome
    assert found is not None
    return found.body


def lied(shop: Workshop, *, mine: UUID, theirs: UUID, answer: Answer, basis: Digest) -> None:
    """Let the commission answer what no clerk can, in reply to a genuine request."""
    request = school(shop).case(mine).request
    assert request is not None
    facts = ConfirmationGiven(answer=answer, wording=1 if answer is Answer.YES else 2, basis=basis)
    new = New(facts=facts, personal=ConfirmationGivenPersonal(official="nobody"), in_reply_to=request.body)
    act(shop.commission.office, theirs, lambda _: (new,), school=SCHOOL)
    settled(shop)


def found(shop: Workshop, what: str, *readers: str) -> tuple[str, str]:
    """Return what was expected and found of the one finding, which stands where the lie stands; a clean log without keys."""
    assert shop.findings() == []
    (finding,) = shop.findings(*keys(shop, *(readers or (COMMISSION,))))
    assert finding.error == BasisError.__name__
    assert what in finding.what
    ends = {channel: len(shop.there[channel]) for channel in (FROM, TO)}
    assert 0 < finding.sequence <= ends[finding.channel]
    return finding.expected, finding.found


def test_an_honest_yes_and_an_honest_no_rest_on_what_is_there(shop: Workshop) -> None:
    for pupil in (1, 2):
        mine, theirs = asked(shop, pupil=another_pupil(pupil))
        examined(shop, theirs)
        if pupil == 1:
            recommended(shop, theirs)
        else:
            refused(shop, theirs)
        answered(shop, theirs)
        assert shop.members[SCHOOL].state(mine) in ("ReadyForDecision", "NegativeAnswer")
    assert shop.findings(*keys(shop, COMMISSION, SCHOOL, OTHER)) == []


def refused(shop: Workshop, theirs: UUID) -> None:
    today = shop.commission.office.today
    commission(shop).refuse(
        theirs, RefusalInput(issued_on=today, grounds=(RefusalGround.NEED_NOT_FOUND,), text="Iemesls ģimenei")
    )


@pytest.mark.parametrize("reader", [COMMISSION, SCHOOL])
@pytest.mark.shows("I4")
def test_a_yes_with_a_basis_that_does_not_exist(shop: Workshop, reader: str) -> None:
    mine, theirs = asked(shop)
    nowhere = digest_of(b"a recommendation that nobody issued")
    lied(shop, mine=mine, theirs=theirs, answer=Answer.YES, basis=nowhere)
    # The school cannot know: it takes the yes. Already the key of this one channel shows the lie.
    assert shop.members[SCHOOL].state(mine) == "ReadyForDecision"
    assert found(shop, "a yes rests on an event that stands nowhere", reader) == (nowhere.hex(), "nothing")
    shop.goes_on(SCHOOL, OTHER)


@pytest.mark.shows("I4")
def test_a_yes_that_rests_on_a_refusal(shop: Workshop) -> None:
    mine, theirs = asked(shop)
    examined(shop, theirs)
    refused(shop, theirs)
    lied(shop, mine=mine, theirs=theirs, answer=Answer.YES, basis=outcome(shop, theirs))
    assert found(shop, "a yes rests on an event of another kind") == ("RecommendationIssued", "RecommendationRefused")


def test_a_no_that_rests_on_a_recommendation(shop: Workshop) -> None:
    mine, theirs = asked(shop)
    examined(shop, theirs)
    recommended(shop, theirs)
    lied(shop, mine=mine, theirs=theirs, answer=Answer.NO, basis=outcome(shop, theirs))
    assert found(shop, "a no rests on an event of another kind") == (
        "RecommendationRefused or RecommendationCorrected",
        "RecommendationIssued",
    )


def test_a_yes_that_rests_on_an_entry_that_is_no_event_of_any_case(shop: Workshop) -> None:
    mine, theirs = asked(shop)
    # The opening of the record stands there, is not sealed, and says nothing of anybody: no key opens what it says.
    opening = decode_entry(shop.there[record_of(COMMISSION)][0]).unverified_statement
    lied(shop, mine=mine, theirs=theirs, answer=Answer.YES, basis=body_digest(opening.body))
    assert found(shop, "a yes rests on an event of another kind") == ("RecommendationIssued", "an open entry")


@pytest.mark.shows("I4")
def test_a_yes_that_rests_on_somebody_elses_recommendation(shop: Workshop) -> None:
    _, first = asked(shop)
    examined(shop, first)
    recommended(shop, first)
    mine, second = asked(shop, pupil=another_pupil(2))
    lied(shop, mine=mine, theirs=second, answer=Answer.YES, basis=outcome(shop, first))
    assert found(shop, "a yes rests on an event of another case") == (second.hex, first.hex)


@pytest.mark.shows("I2")
def test_a_request_without_consent_behind_it(shop: Workshop) -> None:
    asked(shop)
    raw_event(shop, SCHOOL, TO, REQUESTED_A2, REQUESTED_PERSONAL, case_id=UUID(int=5).bytes)
    settled(shop)
    expected, nothing = found(shop, "a request rests on an event that stands nowhere")
    assert expected in (REQUESTED_A2.basis.hex(), REQUESTED_A2.application.hex())
    assert nothing == "nothing"
    shop.goes_on(SCHOOL, OTHER)


def test_a_basis_that_was_cut_out_of_the_record_afterwards(shop: Workshop) -> None:
    mine, theirs = asked(shop)
    examined(shop, theirs)
    recommended(shop, theirs)
    answered(shop, theirs)
    assert shop.members[SCHOOL].state(mine) == "ReadyForDecision"
    record = record_of(COMMISSION)
    basis = outcome(shop, theirs)
    # Cut to before the recommendation: the receipts show that something is gone, the yes what it was.
    del shop.there[record][3:]
    findings = shop.findings(*keys(shop, COMMISSION))
    assert {(each.error, each.channel) for each in findings} >= {("BasisError", FROM)}
    assert basis.hex() in {each.expected for each in findings if each.error == "BasisError"}


def test_a_basis_that_an_epoch_overruled_convicts_nobody(shop: Workshop) -> None:
    asked(shop)
    settled(shop)
    del shop.members[SCHOOL]
    opening = decode_entry(shop.there[RECORD][0])
    seal, epoch = seal_of("new"), Pen(RECORD, seal_of("new"), 1, 1, opening.digest)
    content = EpochOpened(
        channel=RECORD, epoch=1, after_sequence=1, after_digest=opening.digest, certificate=seal.certificate.digest
    )
    said_by_registrar(shop, content)
    shop.there[RECORD][1:] = [epoch.opened()]
    report = verified(shop.log, ROOT, threads=1, facts_keys=keys(shop, COMMISSION))
    assert report.findings == []
    assert "of which an epoch overruled a part since" in "; ".join(report.of(TO).notes)


def test_what_the_keys_do_not_open_convicts_nobody_and_is_counted(shop: Workshop) -> None:
    mine, theirs = asked(shop)
    lied(shop, mine=mine, theirs=theirs, answer=Answer.YES, basis=digest_of(b"nowhere"))
    report = verified(shop.log, ROOT, threads=1, facts_keys=(*keys(shop, OTHER), bytes(32)))
    assert report.findings == []
    assert "open under none of the given keys" in "; ".join(report.of(FROM).notes)
    assert report.of(RECORD).notes == []
