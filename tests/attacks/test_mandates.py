"""Attacks on mandates: keys that are not those of a mandate, a mandate that is none, and a use where there is none any more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.audit.mandates import require_mandate
from services.audit.opening import Opening
from services.auditor.mandates import accept, held_mandates, open_mandate
from services.post import mandates as program
from services.post.cases import history_of
from services.post.mandates import disclose, end, mandate_file, mandates_of
from services.wire.channels import Role, record_of
from services.wire.disclosures import DisclosedKey, decode_disclosure, make_disclosure, open_disclosure
from services.wire.errors import DisclosureError, MalformedError, RefusedError, RingError
from services.wire.grants import SUITE, prekey_id
from services.wire.sealing import Part, PartKey
from tests.attacks.workshop import MemoryLog
from tests.audited import examined_log, keys_of
from tests.auditing import AUDITOR
from tests.chains import SCHOOL, seal_of
from tests.mandates import Mandated

RECORD, TO, THEIRS = f"{SCHOOL}.record", f"{SCHOOL}.to-commission", "commission.record"


@pytest.fixture
def exchange(tmp_path: Path) -> Mandated:
    return Mandated.new(tmp_path)


def test_a_file_for_another_auditor_is_refused(exchange: Mandated) -> None:
    file = exchange.file(exchange.given())
    for wrong in (exchange.forged(file, recipient="auditor-jauns"), file[:-1] + bytes([file[-1] ^ 1])):
        with pytest.raises(DisclosureError, match=r"for somebody else|was changed or damaged"):
            accept(exchange.office(AUDITOR), wrong)


def test_a_mandate_of_another_auditor_whose_keys_somebody_seals_to_me_is_refused(exchange: Mandated) -> None:
    exchange.exchange.admit("auditor-jauns", Role.AUDITOR, seal_of("another", "NTRLV-90000000005"))
    exchange.settle()
    exchange.settle()
    school = exchange.office(SCHOOL)
    disclose(school, exchange.case, "auditor-jauns", exchange.terms())
    exchange.settle()
    [given] = mandates_of(school)
    other = exchange.exchange.members["auditor-jauns"].office
    found = decode_disclosure(mandate_file(school, given))
    keys = open_disclosure(found, recipient="auditor-jauns", keys=other.ring.encryption_keys())
    mine = exchange.office(AUDITOR).ring.current_encryption_key()
    assert mine is not None
    header = replace(found.header, recipient=AUDITOR, prekey=prekey_id(SUITE, mine.public_key))
    with pytest.raises(DisclosureError, match="none for this auditor"):
        accept(exchange.office(AUDITOR), make_disclosure(header, keys, public_key=mine.public_key))
    assert held_mandates(exchange.office(AUDITOR)) == []


def test_a_mandate_that_stands_in_no_record_is_refused(exchange: Mandated) -> None:
    file = exchange.file(exchange.given())
    header: dict[str, Any]
    for header in ({"mandate": bytes(32)}, {"channel": THEIRS}, {"channel": record_of(AUDITOR)}):
        with pytest.raises(DisclosureError, match=r"does not stand in|given by a school or the commission"):
            accept(exchange.office(AUDITOR), exchange.forged(file, **header))
    header = {"channel": TO}
    with pytest.raises(DisclosureError, match="stands in a record"):
        accept(exchange.office(AUDITOR), exchange.forged(file, **header))
    header = {"channel": "nowhere"}
    with pytest.raises(MalformedError, match="no channel has this name"):
        accept(exchange.office(AUDITOR), exchange.forged(file, **header))


def test_another_end_or_purpose_cannot_be_said_for_it_stands_in_the_record_alone(exchange: Mandated) -> None:
    given = exchange.given(exchange.terms(days=1))
    file = exchange.file(given)
    exchange.days(3)
    # The file says no day at all; whoever sends it later sends one of a mandate that is over.
    with pytest.raises(RefusedError, match="has ended"):
        accept(exchange.office(AUDITOR), file)
    with pytest.raises(RefusedError, match="has ended"):
        exchange.file(given)


def other_case_keys(exchange: Mandated) -> tuple[DisclosedKey, ...]:
    """Return keys of another case, as another mandate gives them."""
    other = exchange.given(exchange.terms(personal=True), case=exchange.another_case())
    return tuple(each for each in exchange.keys_in(exchange.file(other)) if each.event_id != other.event.event_id)


def test_keys_of_another_case_in_a_file_of_this_one_are_refused(exchange: Mandated) -> None:
    more = other_case_keys(exchange)
    file = exchange.file(exchange.given())
    with pytest.raises(DisclosureError, match="does not name"):
        accept(exchange.office(AUDITOR), exchange.forged(file, lambda keys: (*keys, more[0])))


def test_a_mandate_whose_writer_names_parts_of_two_cases_is_refused(exchange: Mandated, monkeypatch: pytest.MonkeyPatch) -> None:
    school, other = exchange.office(SCHOOL), exchange.another_case()
    both = program._parts_meant  # noqa: SLF001  # a liar's program

    def named(*given: Any) -> Any:
        yield from both(*given)
        yield from both(school, other, history_of(school, school.store.stream(other)), given[-1])

    with monkeypatch.context() as patch:
        patch.setattr(program, "_parts_meant", named)
        given = exchange.given()
    more = [key for event in school.store.stream(other).events for _, key in program._keys_of(school, event)]  # noqa: SLF001  # as above
    file = exchange.forged(exchange.file(given), lambda keys: (*keys, *[each for each in more if each.part is Part.FACTS]))
    with pytest.raises(DisclosureError, match="of another case than its mandate's"):
        accept(exchange.office(AUDITOR), file)


def test_a_key_that_was_swapped_with_another_is_refused_or_opens_nothing(exchange: Mandated) -> None:
    file = exchange.file(exchange.given(exchange.terms(personal=True)))

    def swapped(part: Part) -> bytes:
        def change(keys: Sequence[DisclosedKey]) -> list[DisclosedKey]:
            found = list(keys)
            one, two = [place for place, each in enumerate(found) if each.part is part][1:3]
            found[one], found[two] = replace(found[one], key=found[two].key), replace(found[two], key=found[one].key)
            return found

        return exchange.forged(file, change)

    for part in Part:
        with pytest.raises(DisclosureError, match="does not fit the part"):
            accept(exchange.office(AUDITOR), swapped(part))
    # Without the parts beside their keys nothing shows here whether these fit.
    without = exchange.forged(swapped(Part.PERSONAL), lambda keys: [replace(each, sealed=None) for each in keys])
    with pytest.raises(DisclosureError, match="came without that part"):
        accept(exchange.office(AUDITOR), without)


def personal_parts(exchange: Mandated) -> list[Opening]:
    """Return how the personal parts of the case open under the one mandate that is here, with what its command finds."""
    [line] = held_mandates(exchange.office(AUDITOR))
    mandate = open_mandate(exchange.office(AUDITOR), line.mandate.hex())
    return [each.personal_opening for each in exchange.read(mandate) if each.case_id == exchange.case]


def test_a_file_of_less_that_whoever_holds_the_keys_of_facts_can_make_takes_nothing_away(exchange: Mandated) -> None:
    exchange.accepted(exchange.terms(personal=True))
    before = personal_parts(exchange)
    assert before.count(Opening.OPENED) == 4
    whole = exchange.file(mandates_of(exchange.office(SCHOOL))[0])
    less: list[Callable[[Sequence[DisclosedKey]], Sequence[DisclosedKey]]] = [
        # All that another auditor can compute, and the mandate alone, by which it is known.
        lambda keys: [each for each in keys if each.part is Part.FACTS],
        lambda keys: keys[:1],
    ]
    for change in less:
        found = accept(exchange.office(AUDITOR), exchange.forged(whole, change))
        assert len(found.keys) == 9
        assert personal_parts(exchange) == before


def test_a_file_of_wrong_keys_leaves_those_that_are_here(exchange: Mandated) -> None:
    exchange.accepted(exchange.terms(personal=True))
    before = personal_parts(exchange)
    whole = exchange.file(mandates_of(exchange.office(SCHOOL))[0])

    def nobodys(keys: Sequence[DisclosedKey]) -> list[DisclosedKey]:
        wrong = PartKey(bytes(32))
        return [replace(each, key=wrong, sealed=None) if each.part is Part.PERSONAL else each for each in keys]

    with pytest.raises(DisclosureError, match="came without that part"):
        accept(exchange.office(AUDITOR), exchange.forged(whole, nobodys))
    assert personal_parts(exchange) == before


def test_a_file_of_more_adds_to_what_came_before(exchange: Mandated) -> None:
    whole = exchange.file(exchange.given(exchange.terms(personal=True)))
    accept(exchange.office(AUDITOR), exchange.forged(whole, lambda keys: [each for each in keys if each.part is Part.FACTS]))
    assert personal_parts(exchange).count(Opening.OPENED) == 0
    assert len(accept(exchange.office(AUDITOR), whole).keys) == 9
    assert personal_parts(exchange).count(Opening.OPENED) == 4


def test_keys_that_do_not_open_any_more_do_not_stand_in_the_way_of_a_new_file(exchange: Mandated) -> None:
    mandate = exchange.accepted(exchange.terms(personal=True))
    auditor = exchange.office(AUDITOR)
    auditor.database.run("UPDATE mandates SET sealed = zeroblob(100)")
    with pytest.raises(RingError, match="take its file in again"):
        open_mandate(auditor, mandate.name.hex())
    accept(auditor, exchange.file(mandates_of(exchange.office(SCHOOL))[0]))
    assert personal_parts(exchange).count(Opening.OPENED) == 4


def test_another_personal_part_beside_a_key_is_refused(exchange: Mandated) -> None:
    def other(keys: Sequence[DisclosedKey]) -> list[DisclosedKey]:
        sealed = [each.sealed for each in keys if each.sealed is not None]
        return [replace(each, sealed=sealed[-1]) if each.sealed is not None else each for each in keys]

    file = exchange.file(exchange.given(exchange.terms(personal=True)))
    with pytest.raises(DisclosureError, match="is not the one that its mandate names"):
        accept(exchange.office(AUDITOR), exchange.forged(file, other))


def test_a_key_of_a_channel_that_the_writer_does_not_write_is_refused(exchange: Mandated) -> None:
    def moved(keys: Sequence[DisclosedKey]) -> list[DisclosedKey]:
        first, *rest = keys
        return [first, replace(rest[0], channel=f"{SCHOOL}.from-commission"), *rest[1:]]

    file = exchange.file(exchange.given())
    with pytest.raises(DisclosureError, match="that the mandate's writer does not write"):
        accept(exchange.office(AUDITOR), exchange.forged(file, moved))

    def elsewhere(keys: Sequence[DisclosedKey]) -> list[DisclosedKey]:
        first, *rest = keys
        return [first, replace(rest[0], channel=TO if rest[0].channel == RECORD else RECORD), *rest[1:]]

    with pytest.raises(DisclosureError, match="does not name"):
        accept(exchange.office(AUDITOR), exchange.forged(file, elsewhere))


def test_a_key_opens_its_part_in_its_own_place_alone(exchange: Mandated) -> None:
    mandate = exchange.accepted(exchange.terms(personal=True))
    wrong = {digest: replace(key, channel=TO if key.channel == RECORD else RECORD) for digest, key in mandate.keys.items()}
    read = exchange.read(replace(mandate, keys=wrong))
    assert {each.personal_opening for each in read if each.case_id == exchange.case} == {Opening.NO_KEY, Opening.NOTHING}


def test_a_key_that_nobody_made_is_refused(exchange: Mandated) -> None:
    file = exchange.file(exchange.given())
    nothing = PartKey(bytes(32))
    with pytest.raises(DisclosureError, match="does not fit the part"):
        accept(exchange.office(AUDITOR), exchange.forged(file, lambda keys: [replace(each, key=nothing) for each in keys]))


def test_without_the_mandates_own_facts_there_is_no_mandate(exchange: Mandated) -> None:
    file = exchange.file(exchange.given())
    with pytest.raises(DisclosureError, match="does not stand in"):
        accept(exchange.office(AUDITOR), exchange.forged(file, lambda keys: keys[1:]))


def test_a_log_that_ends_before_the_mandate_or_says_its_end_is_not_read_under_it(exchange: Mandated) -> None:
    mandate = exchange.accepted()
    log, keys = exchange.exchange.log, keys_of(exchange.exchange, AUDITOR)
    require_mandate(log, examined_log(log), keys, mandate.channel, mandate.name)
    older = MemoryLog()
    for channel in ("registrar.trust", TO, f"{SCHOOL}.from-commission", RECORD, THEIRS):
        records = [each.value for each in log.poll({channel: 0}, timeout_seconds=0, limit=1000)]
        older.append(channel, records[: mandate.sequence - 1] if channel == RECORD else records)
    with pytest.raises(DisclosureError, match="does not stand in this log"):
        require_mandate(older, examined_log(older), keys, mandate.channel, mandate.name)
    end(exchange.office(SCHOOL), mandates_of(exchange.office(SCHOOL))[0])
    exchange.settle()
    with pytest.raises(RefusedError, match="By this log the mandate has ended"):
        require_mandate(log, examined_log(log), keys, mandate.channel, mandate.name)
