"""What an error says of content that was sealed: never the content, since its text goes to logs and to screens."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.wire import avro
from services.wire.contents import Personal, decode_personal, encode_personal
from services.wire.errors import Evidence, GrantError, MalformedError
from services.wire.events import ApplicationFiled
from services.wire.grants import decode_grant, open_grant
from services.wire.hashing import digest_of
from services.wire.records import EventType, encode_event, event_type
from tests.chains import key_of
from tests.people import FILED_A2, FILED_PERSONAL, PUPIL
from tests.vectors.faults import grant_made
from tests.vectors.make import COMMISSION_SEAL, grant_header

SECRETS = (PUPIL.given_name, PUPIL.family_name, PUPIL.personal_code)


def told(error: BaseException) -> str:
    """Return all that is printed of an error, with the errors that it came from."""
    return "".join([str(error), repr(error), *traceback.format_exception(error, limit=0)])


def assert_says_nothing(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text
        assert secret.encode().hex() not in text
        # Not the bytes as Python shows them either, where letters outside ASCII are escaped.
        assert repr(secret.encode())[2:-1] not in text


def kind_and_personal() -> tuple[EventType, bytes]:
    content = encode_event(FILED_A2, FILED_PERSONAL).personal
    assert all(secret.encode() in content for secret in SECRETS)
    return event_type(ApplicationFiled.__name__), content


@pytest.mark.parametrize(
    "damaged", [lambda data: data + b"\x00", lambda data: data[:-1], lambda data: data[:40] + b"\xff" + data[41:]]
)
def test_personal_content_that_does_not_decode_is_not_told_in_the_error(damaged: Callable[[bytes], bytes]) -> None:
    kind, content = kind_and_personal()
    with pytest.raises(MalformedError) as caught:
        avro.decode(kind.personal, damaged(content))
    assert_says_nothing(told(caught.value))
    # Whoever investigates has the bytes all the same.
    assert caught.value.evidence.raw == damaged(content)


def test_a_part_that_is_not_canonical_is_told_by_digests() -> None:
    _, content = kind_and_personal()
    part = encode_personal(Personal(recorded_at=1, content=content))
    with pytest.raises(MalformedError) as caught:
        decode_personal(part + b"\x00")
    assert_says_nothing(told(caught.value))
    evidence = caught.value.evidence
    assert (evidence.expected, evidence.found) == (digest_of(part).hex(), digest_of(part + b"\x00").hex())


def test_a_value_out_of_range_is_not_told_with_what_stands_around_it() -> None:
    def person(born: str) -> avro.Schema:
        fields = [{"name": "code", "type": "string"}, {"name": "born", "type": born}]
        inner = {"type": "record", "name": "Person", "fields": fields}
        return avro.Schema({"type": "record", "name": "Form", "fields": [{"name": "person", "type": ["null", inner]}]})

    # A ``long`` is written as an ``int`` is: in this place it reads, and does not fit.
    data = avro.encode(person("long"), {"person": {"code": PUPIL.personal_code, "born": 2**40}})
    with pytest.raises(MalformedError, match="out of range") as caught:
        avro.decode(person("int"), data)
    assert_says_nothing(told(caught.value))


@given(st.data())
def test_a_flipped_bit_in_personal_content_tells_nobodys_name(data: st.DataObject) -> None:
    kind, content = kind_and_personal()
    flipped = bytearray(content)
    place = data.draw(st.integers(min_value=0, max_value=len(content) - 1))
    flipped[place] ^= 1 << data.draw(st.integers(min_value=0, max_value=7))
    try:
        avro.decode(kind.personal, bytes(flipped))
    except MalformedError as error:
        assert_says_nothing(told(error))


@given(st.text(min_size=1, max_size=400))
def test_what_a_stranger_wrote_is_told_in_one_short_line_that_no_terminal_obeys(written: str) -> None:
    error = MalformedError(f"{written} does not decode", Evidence(channel=written, expected=written, found=written))
    for text in (str(error), error.message):
        assert text.isprintable()
        assert len(text) < 700
    assert error.evidence.found == written


def test_a_grant_for_somebody_whose_name_is_an_escape_code_is_told_without_it() -> None:
    header = replace(grant_header(), recipient="commission\x1b[2J\n" * 500)
    letter = decode_grant(grant_made(header, b"", COMMISSION_SEAL[0]))
    with pytest.raises(GrantError, match="for somebody else") as caught:
        open_grant(letter, key_of(COMMISSION_SEAL[0]).public_key(), recipient="commission", keys={})
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300
