"""A sealed part opens in its place, under its key, and nowhere else."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from services.wire import sealing
from services.wire.errors import Evidence, SealError
from services.wire.hashing import Id
from services.wire.sealing import Part

KEY = b"k" * 32
OTHER_KEY = b"o" * 32
SALT = b"s" * 32
EVENT = Id(b"e" * 16)
CHANNEL = "school-0099900011.to-commission"
parts = st.sampled_from(Part)


def sealed(plaintext: bytes, part: Part = Part.FACTS, salt: bytes = SALT) -> bytes:
    return sealing.seal(KEY, part, plaintext, channel=CHANNEL, event_id=EVENT, salt=salt)


@given(st.binary(max_size=3000), parts, st.binary(min_size=32, max_size=32))
def test_what_was_sealed_opens_in_its_place(plaintext: bytes, part: Part, salt: bytes) -> None:
    closed = sealed(plaintext, part, salt)
    assert sealing.open_part(KEY, part, closed, channel=CHANNEL, event_id=EVENT) == plaintext


def test_the_layout_is_salt_commitment_ciphertext_as_specified() -> None:
    context = b"sarakste/v0/facts\x00" + CHANNEL.encode() + b"\x00" + EVENT + SALT
    opener = hmac.digest(KEY, context, "sha256")
    commitment = hashlib.sha256(b"sarakste/v0/commitment\x00" + opener).digest()
    ciphertext = AESGCM(opener).encrypt(bytes(12), b"fact\x80" + bytes(507), None)
    assert sealed(b"fact") == SALT + commitment + ciphertext


def test_a_key_id_is_the_mac_of_its_label() -> None:
    assert sealing.key_id(KEY) == hmac.digest(KEY, b"sarakste/v0/key-id", "sha256")


channels = st.sampled_from([CHANNEL, CHANNEL[:-1], "school-0099900022.to-commission"]) | st.text("abc-.", max_size=9)
places = st.tuples(
    st.sampled_from([KEY, OTHER_KEY]), parts, channels, st.sampled_from([EVENT]) | st.binary(min_size=16, max_size=16)
)


@settings(max_examples=400)
@given(places, st.none() | places, st.integers(0, 2000))
def test_a_part_opens_in_its_place_under_its_key_and_nowhere_else(
    place: tuple[bytes, Part, str, bytes], other: tuple[bytes, Part, str, bytes] | None, size: int
) -> None:
    key, part, channel, event = place
    closed = sealing.seal(key, part, bytes(size), channel=channel, event_id=Id(event), salt=SALT)
    key, part, channel, event = other = other or place
    if other == place:
        assert sealing.open_part(key, part, closed, channel=channel, event_id=Id(event)) == bytes(size)
        return
    with pytest.raises(SealError):
        sealing.open_part(key, part, closed, channel=channel, event_id=Id(event))


def test_a_part_moved_to_another_event_channel_or_part_says_so() -> None:
    closed = sealed(bytes(700), Part.PERSONAL)
    for part, channel, event in (
        (Part.FACTS, CHANNEL, EVENT),
        (Part.PERSONAL, "school-0099900022.to-commission", EVENT),
        (Part.PERSONAL, CHANNEL, Id(b"f" * 16)),
    ):
        with pytest.raises(SealError, match="not sealed for this place"):
            sealing.open_part(KEY, part, closed, channel=channel, event_id=event)


def test_another_key_does_not_open_a_part_and_both_commitments_are_told() -> None:
    closed, others = sealed(b"x"), sealing.part_key(OTHER_KEY, Part.FACTS, channel=CHANNEL, event_id=EVENT, salt=SALT)
    with pytest.raises(SealError, match=r"^a part is not sealed for this place under this key") as caught:
        sealing.open_part(OTHER_KEY, Part.FACTS, closed, channel=CHANNEL, event_id=EVENT)
    expected = hashlib.sha256(b"sarakste/v0/commitment\x00" + others).hexdigest()
    assert caught.value.evidence == Evidence(expected=expected, found=closed[32:64].hex(), raw=closed)


def test_a_damaged_ciphertext_under_a_whole_commitment_is_refused() -> None:
    closed = sealed(b"x")
    damaged = closed[:-1] + bytes([closed[-1] ^ 1])
    with pytest.raises(SealError, match=r"^a sealed part is damaged \(") as caught:
        sealing.open_part(KEY, Part.FACTS, damaged, channel=CHANNEL, event_id=EVENT)
    found = hashlib.sha256(damaged).hexdigest()
    assert caught.value.evidence == Evidence(expected="what was sealed under this key", found=found, raw=damaged)


def test_a_disclosed_part_key_opens_that_part_and_no_other() -> None:
    opener = sealing.part_key(KEY, Part.FACTS, channel=CHANNEL, event_id=EVENT, salt=SALT)
    assert sealing.open_with_part_key(opener, Part.FACTS, sealed(b"one")) == b"one"
    with pytest.raises(SealError, match="not sealed for this place"):
        sealing.open_with_part_key(opener, Part.FACTS, sealed(b"two", salt=b"t" * 32))


@given(st.integers(0, len(sealed(b"x")) - 1), st.integers(1, 255))
def test_no_byte_of_a_sealed_part_can_change(place: int, change: int) -> None:
    damaged = bytearray(sealed(b"x"))
    damaged[place] ^= change
    with pytest.raises(SealError):
        sealing.open_part(KEY, Part.FACTS, bytes(damaged), channel=CHANNEL, event_id=EVENT)


@pytest.mark.parametrize("size", [0, 79, 80, 591, 593, 80 + 1536, 80 + 16384])
def test_a_size_that_no_sealed_part_has_is_refused(size: int) -> None:
    with pytest.raises(SealError, match=r"^a sealed part has no size that a sealed part can have") as caught:
        sealing.open_part(KEY, Part.FACTS, bytes(size), channel=CHANNEL, event_id=EVENT)
    steps = "80 bytes more than 512 times a power of two"
    assert caught.value.evidence == Evidence(expected=steps, found=str(size), raw=bytes(size))


@pytest.mark.parametrize(
    ("part", "length", "size"),
    [
        (Part.FACTS, 0, 512),
        (Part.FACTS, 511, 512),
        (Part.FACTS, 512, 1024),
        (Part.PERSONAL, 1023, 1024),
        (Part.PERSONAL, 1024, 2048),
    ],
)
def test_sizes_show_in_steps_alone(part: Part, length: int, size: int) -> None:
    assert len(sealed(bytes(length), part)) == size + 80


@pytest.mark.parametrize(("part", "limit"), [(Part.FACTS, 8 * 1024), (Part.PERSONAL, 512 * 1024)])
def test_a_part_over_its_limit_is_not_sealed(part: Part, limit: int) -> None:
    largest = sealed(bytes(limit - 1), part)
    assert len(largest) == limit + 80
    assert sealing.open_part(KEY, part, largest, channel=CHANNEL, event_id=EVENT) == bytes(limit - 1)
    with pytest.raises(ValueError, match=f"limited to {limit - 1} bytes"):
        sealed(bytes(limit), part)


@pytest.mark.parametrize("padded", [bytes(512), b"x\x80".ljust(1024, b"\x00"), b"x\x80\x01".ljust(512, b"\x00")])
def test_a_padding_that_is_not_the_strict_one_is_refused(padded: bytes) -> None:
    opener = sealing.part_key(KEY, Part.FACTS, channel=CHANNEL, event_id=EVENT, salt=SALT)
    commitment = hashlib.sha256(b"sarakste/v0/commitment\x00" + opener).digest()
    closed = SALT + commitment + AESGCM(opener).encrypt(bytes(12), padded, None)
    with pytest.raises(SealError, match=r"^a part is not padded strictly \(") as caught:
        sealing.open_part(KEY, Part.FACTS, closed, channel=CHANNEL, event_id=EVENT)
    found = hashlib.sha256(closed).hexdigest()
    assert caught.value.evidence == Evidence(expected="the one padding of its text", found=found, raw=closed)


@pytest.mark.parametrize(("key", "event", "salt"), [(b"k", EVENT, SALT), (KEY, Id(b"e"), SALT), (KEY, EVENT, b"s")])
def test_a_key_event_or_salt_of_a_wrong_length_is_our_own_bug(key: bytes, event: Id, salt: bytes) -> None:
    with pytest.raises(ValueError, match=r"^a key has 32 bytes, an event id 16, a salt 32$"):
        sealing.part_key(key, Part.FACTS, channel=CHANNEL, event_id=event, salt=salt)
