"""Lies about sealed parts: moved to another event, part or channel, under another key, or under two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import pytest

from services.post.cases import open_facts, open_personal
from services.post.signing import Draft, sign_body
from services.post.viewing import events
from services.wire.channels import commission_case
from services.wire.contents import encode_facts
from services.wire.entry import Sealed, UnverifiedEntry, decode_entry
from services.wire.errors import MalformedError, SealError, VerificationError
from services.wire.events import Answer, ConfirmationGiven, ConfirmationGivenPersonal
from services.wire.hashing import Id, digest_of
from services.wire.sealing import Part, open_part, part_key, seal
from tests.attacks.collision import colliding_ciphertext, opens_under
from tests.attacks.workshop import FROM, RECORD, TO, Workshop
from tests.chains import SCHOOL
from tests.troubles import raw_event, settled

EVENT: Final = Id(b"another event id")


@dataclass(frozen=True, slots=True)
class Liar:
    """The school's worker, which signs whatever parts it is told to as an event of its own."""

    shop: Workshop

    def key(self, channel: str = TO) -> bytes:
        office = self.shop.members[SCHOOL].office
        return office.ring.facts_key(channel, office.today.year).key

    def request(self) -> tuple[UUID, UnverifiedEntry]:
        """Return a case of the commission's and the honest request that it began with."""
        case_id, record = self.shop.requested()
        settled(self.shop)
        return case_id, decode_entry(record)

    def says(self, facts: bytes, personal: bytes, *, event_id: Id = EVENT, channel: str = TO) -> None:
        office = self.shop.members[SCHOOL].office
        facts_key = office.ring.facts_key(channel, office.today.year)
        office.letterbook.keep_part(digest_of(personal), personal)
        body = Sealed(facts_key=facts_key.key_id, facts=digest_of(facts), personal=digest_of(personal))
        with office.database.transaction():
            sign_body(office, Draft(channel=channel, event_id=event_id, body=body, facts=facts))
        settled(self.shop)


def unreadable(shop: Workshop, case_id: UUID, before: int, text: str, error: type[VerificationError] = SealError) -> None:
    """Hold a lie to be refused as unreadable, once, with the case as it was and the channel going on."""
    fault = shop.caught(error, "Unreadable", told=text)
    assert fault["kind"] == "refused"
    assert shop.commission.office.store.version(case_id) == before
    sent = [entry for entry in map(decode_entry, shop.there[FROM]) if isinstance(entry.unverified_statement.body, Sealed)]
    assert len(sent) == 1, "it is answered once"
    shop.goes_on(SCHOOL)


def test_facts_moved_from_another_event(shop: Workshop) -> None:
    liar = Liar(shop)
    case_id, honest = liar.request()
    before = shop.commission.office.store.version(case_id)
    liar.says(honest.raw_facts or b"", honest.raw_personal or b"")
    unreadable(shop, case_id, before, "not sealed for this place under this key")


def test_a_personal_part_in_the_place_of_facts(shop: Workshop) -> None:
    liar = Liar(shop)
    case_id, _ = liar.request()
    before = shop.commission.office.store.version(case_id)
    part = seal(liar.key(), Part.PERSONAL, b"a name", channel=TO, event_id=EVENT, salt=bytes(32))
    liar.says(part, part)
    unreadable(shop, case_id, before, "not sealed for this place under this key")


def test_facts_moved_from_another_channel(shop: Workshop) -> None:
    liar = Liar(shop)
    case_id, _ = liar.request()
    before = shop.commission.office.store.version(case_id)
    elsewhere = seal(liar.key(), Part.FACTS, b"facts of the record", channel=RECORD, event_id=EVENT, salt=bytes(32))
    liar.says(elsewhere, bytes(1104))
    unreadable(shop, case_id, before, "not sealed for this place under this key")


def test_facts_under_a_key_that_is_for_something_else(shop: Workshop) -> None:
    liar = Liar(shop)
    case_id, honest = liar.request()
    before = shop.commission.office.store.version(case_id)
    office, body = shop.members[SCHOOL].office, honest.unverified_statement.body
    assert isinstance(body, Sealed)
    row = office.database.one("SELECT key_id FROM keys WHERE channel = ? AND key_use = 'CASE' AND made_here = 1", TO)
    assert row is not None
    case_key = office.ring.get(row["key_id"])
    assert case_key is not None
    facts = seal(case_key.key, Part.FACTS, b"facts", channel=TO, event_id=EVENT, salt=bytes(32))
    with office.database.transaction():
        lie = Sealed(facts_key=case_key.key_id, facts=digest_of(facts), personal=digest_of(b""))
        sign_body(office, Draft(channel=TO, event_id=EVENT, body=lie, facts=facts))
    settled(shop)
    unreadable(shop, case_id, before, "under a key that is not for them")


def with_moved_part(shop: Workshop, case: UUID | None) -> tuple[UUID, SealError]:
    """Let the school repeat its request under the key of its case, with the part of the first; ``case`` is another one."""
    liar = Liar(shop)
    case_id, honest = liar.request()
    office, reader = shop.members[SCHOOL].office, shop.commission.office
    first = reader.store.stream(case_id).events[0]
    facts = open_facts(reader, TO, first.event_id, first.sealed.facts_key, first.facts or b"")
    assert facts is not None
    lie = facts._replace(case_id=Id(case.bytes) if case else facts.case_id)
    sealed = seal(liar.key(), Part.FACTS, encode_facts(lie), channel=TO, event_id=EVENT, salt=office.random(32))
    moved = honest.raw_personal or b""
    liar.says(sealed, moved)
    assert lie.case_id is not None
    theirs = commission_case(UUID(bytes=lie.case_id), TO)
    (event,) = (each for each in reader.store.stream(theirs).events if each.event_id == EVENT)
    with pytest.raises(SealError) as caught:
        open_personal(reader, event)
    evidence = caught.value.evidence
    assert evidence.raw == moved
    assert evidence.expected != evidence.found
    assert [line.personal for line in events(reader, theirs)].count("cannot be read") == 1
    assert shop.commission.state(case_id) == "Received"
    shop.goes_on(SCHOOL)
    return theirs, caught.value


def test_a_personal_part_moved_from_another_event(shop: Workshop) -> None:
    _, error = with_moved_part(shop, None)
    assert "not sealed for this place under this key" in error.message
    assert shop.commission.held("refused") == ["WrongState"]


def test_a_personal_part_moved_from_another_case(shop: Workshop) -> None:
    theirs, error = with_moved_part(shop, UUID(int=77))
    assert "under a key that is not for it" in error.message
    # Its facts are right: the case goes on without what is personal about it.
    assert shop.commission.state(theirs) == "Received"


def test_one_ciphertext_under_two_keys(shop: Workshop) -> None:
    liar = Liar(shop)
    case_id, _ = liar.request()
    before = shop.commission.office.store.version(case_id)
    real, other = liar.key(), bytes(range(32))
    for number in range(4096):
        salt = number.to_bytes(32, "big")
        keys = [part_key(key, Part.FACTS, channel=TO, event_id=EVENT, salt=salt) for key in (real, other)]
        ciphertext = colliding_ciphertext(keys[0], keys[1], 512)
        if ciphertext is not None:
            break
    assert ciphertext is not None
    texts = [opens_under(key, ciphertext) for key in keys]
    assert texts[0] != texts[1], "the attack is real: AES-GCM opens it under both"
    committed = salt + digest_of(b"sarakste/v0/commitment\x00" + keys[1]) + ciphertext
    assert open_part(other, Part.FACTS, committed, channel=TO, event_id=EVENT) == texts[1][:-1]
    liar.says(committed, bytes(1104))
    unreadable(shop, case_id, before, "not sealed for this place under this key")


def test_one_ciphertext_under_two_keys_opens_where_it_is_committed_to_and_is_no_event(shop: Workshop) -> None:
    liar = Liar(shop)
    case_id, _ = liar.request()
    before = shop.commission.office.store.version(case_id)
    sealed = seal(liar.key(), Part.FACTS, b"whatever decrypts is no event by that", channel=TO, event_id=EVENT, salt=bytes(32))
    liar.says(sealed, bytes(1104))
    unreadable(shop, case_id, before, "Facts", MalformedError)


def test_a_key_id_with_another_key(shop: Workshop) -> None:
    liar = Liar(shop)
    case_id, _ = liar.request()
    before = shop.commission.office.store.version(case_id)
    # The statement names the facts key that the commission holds, and the facts are sealed under another.
    liar.says(seal(bytes(range(32)), Part.FACTS, b"facts", channel=TO, event_id=EVENT, salt=bytes(32)), bytes(1104))
    unreadable(shop, case_id, before, "not sealed for this place under this key")


def test_an_event_that_its_writer_may_not_write(shop: Workshop) -> None:
    liar = Liar(shop)
    case_id, honest = liar.request()
    before = shop.commission.office.store.version(case_id)
    answer = ConfirmationGiven(answer=Answer.YES, wording=1, basis=honest.digest)
    raw_event(shop, SCHOOL, TO, answer, ConfirmationGivenPersonal(official="nobody"), case_id=UUID(int=5).bytes)
    settled(shop)
    assert shop.commission.held("refused") == ["NotYours"]
    assert shop.commission.office.store.version(case_id) == before
    shop.goes_on(SCHOOL)
