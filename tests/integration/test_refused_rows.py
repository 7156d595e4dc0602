"""What is noted of an event that is refused: its code, what was expected and what was found; and how it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest

from services.post.cases import history_of
from services.wire.channels import COMMISSION, TRUST_CHANNEL, from_commission
from services.wire.contents import Facts, encode_facts
from services.wire.entry import Sealed, decode_entry
from services.wire.events import Answer, ConfirmationGiven, ConfirmationGivenPersonal, Rejected, RejectedCode
from services.wire.grants import GrantedKey, KeyUse
from services.wire.hashing import Digest, Id, digest_of
from services.wire.records import encode_event
from services.wire.sealing import Part, key_id, seal
from tests.chains import SCHOOL
from tests.exchange import Exchange
from tests.integration.test_receiving import request_of
from tests.integration.test_two_sides import asked
from tests.people import REQUESTED_A2, REQUESTED_PERSONAL
from tests.troubles import raw_event, records, settled

FROM = from_commission(SCHOOL)
NOTHING = Digest(bytes(32))
_YES = ConfirmationGiven(answer=Answer.YES, wording=1, basis=NOTHING)
_SIGNED = ConfirmationGivenPersonal(official="x")
_NOBODYS = UUID(int=77)


@dataclass
class Liar:
    """The commission's worker, which says to the school whatever it likes; ``mine`` is the school's case."""

    exchange: Exchange
    mine: UUID
    theirs: UUID

    def answers(self, reply: Digest | None, case_id: UUID | None) -> None:
        identity = case_id.bytes if case_id else None
        raw_event(self.exchange, COMMISSION, FROM, _YES, _SIGNED, case_id=identity, in_reply_to=reply)
        settled(self.exchange)

    def asks(self) -> None:
        raw_event(self.exchange, COMMISSION, FROM, REQUESTED_A2, REQUESTED_PERSONAL, case_id=self.theirs.bytes)
        settled(self.exchange)

    @property
    def request(self) -> Digest:
        return request_of(self.exchange.members[SCHOOL].office, self.mine)

    def noted(self, *, in_case: bool = True) -> tuple[object, ...]:
        """Return what the school notes of what it refused last, beside which entry that is and whether it stands in its case."""
        query = "SELECT * FROM held WHERE kind = 'refused' ORDER BY id DESC LIMIT 1"
        row = self.exchange.members[SCHOOL].office.database.one(query)
        said = [entry for entry in map(decode_entry, records(self.exchange, FROM)) if entry.raw_facts is not None][-1]
        assert row is not None
        assert (row["channel"], row["event_id"], row["digest"]) == (FROM, said.unverified_statement.event_id, said.digest)
        office = self.exchange.members[SCHOOL].office
        stream_id = self.mine if in_case else office.own_stream
        assert row["case_id"] == stream_id.hex
        assert office.store.stream(stream_id).events[-2].event_id == row["event_id"]
        assert (row["record"], row["fault"], row["epoch"], row["sequence"]) == (None, None, None, None)
        return row["reason"], row["expected"], row["found"]


@pytest.fixture
def liar(exchange: Exchange) -> Liar:
    return Liar(exchange, *asked(exchange))


def test_an_answer_in_a_case_that_is_not_known(liar: Liar) -> None:
    liar.answers(NOTHING, _NOBODYS)
    assert liar.noted(in_case=False) == ("UnknownCase", "a case that is known here", _NOBODYS.hex)


def test_an_answer_in_no_case(liar: Liar) -> None:
    liar.answers(liar.request, None)
    assert liar.noted(in_case=False) == ("UnknownCase", "a case that is known here", "no case")


def test_an_event_that_is_not_its_writers(liar: Liar) -> None:
    liar.asks()
    assert liar.noted() == ("NotYours", "an event that commission writes here", "InformationRequested")


@pytest.mark.shows("D5.16")
@pytest.mark.parametrize(("reply", "found"), [(NOTHING, f"one to {NOTHING.hex()}"), (None, "one to nothing")])
def test_an_answer_to_what_was_not_asked(liar: Liar, reply: Digest | None, found: str) -> None:
    liar.answers(reply, liar.theirs)
    assert liar.noted() == ("WrongReply", "an answer to what was said in this case", found)


def test_a_second_answer(liar: Liar) -> None:
    for _ in range(2):
        liar.answers(liar.request, liar.theirs)
    assert liar.noted() == ("WrongState", "an event that may come in the state of its case", "ConfirmationGiven")


def test_an_answer_that_cannot_be_read(liar: Liar) -> None:
    def beyond_its_enum(plaintext: bytes) -> bytes:
        content = encode_event(_YES, _SIGNED).facts
        return plaintext.replace(content, b"\x7e" + content[1:])

    raw_event(liar.exchange, COMMISSION, FROM, _YES, _SIGNED, case_id=liar.theirs.bytes, spoil_facts=beyond_its_enum)
    settled(liar.exchange)
    office = liar.exchange.members[SCHOOL].office
    row = office.database.one("SELECT * FROM held WHERE kind = 'refused'")
    assert row is not None
    assert (row["reason"], row["case_id"], row["fault"]) == ("Unreadable", liar.mine.hex, "MalformedError")
    assert [event.topic for event in office.store.stream(liar.mine).events[-2:]] == ["ConfirmationGiven", "Rejected"]


def test_one_event_too_many(liar: Liar, monkeypatch: pytest.MonkeyPatch) -> None:
    school = liar.exchange.members[SCHOOL]
    limit = school.office.store.version(liar.mine)
    monkeypatch.setattr("services.post.applying._EVENTS_A_CASE", limit)
    before = school.office.database.one("SELECT * FROM cases WHERE case_id = ?", liar.mine.hex)
    liar.answers(liar.request, liar.theirs)
    assert liar.noted() == ("TooMany", f"<= {limit} events of a case", f"one more of {liar.theirs.hex}")
    assert school.state(liar.mine) == "AwaitingCommission"
    assert before == school.office.database.one("SELECT * FROM cases WHERE case_id = ?", liar.mine.hex)


def test_a_refused_event_is_answered_with_its_code_and_by_its_digest(liar: Liar) -> None:
    liar.answers(NOTHING, liar.theirs)
    office = liar.exchange.members[SCHOOL].office
    refused, answer = history_of(office, office.store.stream(liar.mine))[-2:]
    assert (answer.facts, answer.in_reply_to) == (Rejected(code=RejectedCode.WRONG_REPLY), refused.body)


def test_a_sealed_word_of_the_registrars_reaches_into_no_case(liar: Liar) -> None:
    exchange, key = liar.exchange, bytes(range(32))
    office = exchange.members[SCHOOL].office
    office.ring.take(TRUST_CHANNEL, GrantedKey(key=key, use=KeyUse.FACTS, case_id=None), made_here=False)
    encoded = encode_event(Rejected(code=RejectedCode.WRONG_STATE))
    facts = Facts(
        type=encoded.type,
        schema=encoded.schema,
        case_id=None,
        after=None,
        in_reply_to=liar.request,
        recorded_on=20_000,
        personal_key=None,
        content=encoded.facts,
    )
    event_id = Id(exchange.registrar.next_event_id)
    sealed = seal(key, Part.FACTS, encode_facts(facts), channel=TRUST_CHANNEL, event_id=event_id, salt=bytes(32))
    body = Sealed(facts_key=key_id(key), facts=digest_of(sealed), personal=digest_of(b"nothing"))
    exchange.log.append(TRUST_CHANNEL, [exchange.registrar.write(body, sealed, None)])
    settled(exchange)
    row = office.database.one("SELECT reason, case_id FROM held WHERE kind = 'refused'")
    assert row is not None
    assert tuple(row) == ("NotYours", office.own_stream.hex)
    assert exchange.members[SCHOOL].state(liar.mine) == "AwaitingCommission"
