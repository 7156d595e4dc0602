"""One ciphertext under two keys: AES-GCM by itself takes it under both, as it commits to no key.

The tag of a ciphertext is linear in its blocks, over GF(2^128): one free block is chosen so that the tag is right under both
keys (Dodis, Grubbs, Ristenpart, Woodage: "Fast Message Franking", 2018). Used to show that the commitment is what refuses it.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["colliding_ciphertext", "opens_under"]

_BLOCK: Final = 16
_REDUCTION: Final = 0xE1 << 120
_NONCE: Final = bytes(12)
_END_OF_TEXT: Final = 0x80


def opens_under(key: bytes, ciphertext: bytes) -> bytes:
    """Return what AES-GCM alone makes of a ciphertext; raises InvalidTag where it does not open."""
    return AESGCM(key).decrypt(_NONCE, ciphertext, None)


def colliding_ciphertext(one: bytes, other: bytes, size: int) -> bytes | None:
    """Return a ciphertext that opens under two keys, to texts that are padded strictly; None if these keys have none.

    The last byte of both texts has to be the mark of the padding: one pair of keys in 256 allows it.
    """
    streams = [_keystream(key, size) for key in (one, other)]
    if streams[0][-1] != streams[1][-1]:
        return None
    data = bytearray(streams[0])
    data[-1] ^= _END_OF_TEXT
    hashed, masks = [_hash_key(key) for key in (one, other)], [_mask(key) for key in (one, other)]
    # The first block is free: its power of each hash key is that of the number of blocks after it, with the lengths.
    data[:_BLOCK] = bytes(_BLOCK)
    wanted = _tag(hashed[0], masks[0], data) ^ _tag(hashed[1], masks[1], data)
    power = size // _BLOCK + 1
    factor = _power(hashed[0], power) ^ _power(hashed[1], power)
    data[:_BLOCK] = _times(wanted, _inverse(factor)).to_bytes(_BLOCK, "big")
    return bytes(data) + _tag(hashed[0], masks[0], data).to_bytes(_BLOCK, "big")


def _encrypted(key: bytes, block: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)  # noqa: S305  # a single block, as GCM does


def _keystream(key: bytes, size: int) -> bytes:
    return b"".join(_encrypted(key, _NONCE + number.to_bytes(4, "big")) for number in range(2, size // _BLOCK + 2))


def _hash_key(key: bytes) -> int:
    return int.from_bytes(_encrypted(key, bytes(_BLOCK)), "big")


def _mask(key: bytes) -> int:
    return int.from_bytes(_encrypted(key, _NONCE + b"\x00\x00\x00\x01"), "big")


def _tag(hash_key: int, mask: int, data: bytes | bytearray) -> int:
    value = 0
    for start in range(0, len(data), _BLOCK):
        value = _times(value ^ int.from_bytes(data[start : start + _BLOCK], "big"), hash_key)
    return _times(value ^ len(data) * 8, hash_key) ^ mask


def _times(one: int, other: int) -> int:
    product = 0
    for bit in range(127, -1, -1):
        if other >> bit & 1:
            product ^= one
        one = one >> 1 ^ (_REDUCTION if one & 1 else 0)
    return product


def _power(value: int, exponent: int) -> int:
    product = 1 << 127
    for bit in f"{exponent:b}":
        product = _times(product, product)
        if bit == "1":
            product = _times(product, value)
    return product


def _inverse(value: int) -> int:
    return _power(value, 2**128 - 2)
