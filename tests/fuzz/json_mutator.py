"""Changes one value somewhere in JSON, with words that mean something to whoever reads it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any, Final

from tests.fuzz.target import Raw

__all__ = ["changed_json"]

_PLAIN: Final[tuple[Any, ...]] = (None, True, False, 0, -1, 1, 2**31, 2**63, 1e308, "", " ", "\u200b", "é", "e\u0301", [], {})


def changed_json(data: bytes, words: Sequence[Any], rng: Random, raw: Raw) -> bytes:
    """Return JSON of which one value or key is another; what is no JSON is changed as bytes."""
    try:
        found = json.loads(data)
        return json.dumps(_changed(found, found, words, rng, raw), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return raw(data, len(data) + 64)


def _changed(node: Any, whole: Any, words: Sequence[Any], rng: Random, raw: Raw) -> Any:
    if isinstance(node, (dict, list)) and node and rng.random() < 0.85:  # most often something further inside
        key = rng.choice(list(node) if isinstance(node, dict) else range(len(node)))
        if rng.random() < 0.15:  # now and then the key, not the value
            return _moved(node, key, words, rng)
        items = dict(node) if isinstance(node, dict) else list(node)
        items[key] = _changed(items[key], whole, words, rng, raw)
        return items
    chance = rng.random()
    if isinstance(node, str) and chance < 0.3:
        return raw(node.encode("utf-8", "replace"), len(node) * 4 + 16).decode(errors="ignore")
    if isinstance(node, int) and chance < 0.3:
        return node + rng.choice((-1, 1))
    wrapped = ([node], [node, node], {"type": node}, [None, node], {"type": "array", "items": node})
    return rng.choice((rng.choice(words), rng.choice(words), rng.choice(_PLAIN), _part(whole, rng), rng.choice(wrapped)))


def _moved(node: Any, key: Any, words: Sequence[Any], rng: Random) -> Any:
    if isinstance(node, list):
        return rng.choice([node[:key] + node[key + 1 :], [*node, node[key]], node[::-1]])
    rest = {name: value for name, value in node.items() if name != key}
    if rng.random() < 0.5:  # as often as not it goes without another
        return rest
    return rest | {str(rng.choice([*words, *node])): node[key]}


def _part(node: Any, rng: Random) -> Any:
    """Return any part of the whole."""
    while isinstance(node, (dict, list)) and node and rng.random() < 0.7:  # mostly something small
        node = rng.choice(list(node.values()) if isinstance(node, dict) else node)
    return node
