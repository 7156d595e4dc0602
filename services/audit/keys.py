"""Keys for reading: what somebody who reads a log holds, and what it had and destroyed.

An auditor holds facts keys alone, and under a mandate the keys of single parts; a school or the commission has the keys of its
cases too. Who gives them is for the desk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.wire.disclosures import DisclosedKey
from services.wire.hashing import Digest
from services.wire.sealing import key_id

__all__ = ["NO_KEYS", "Keys"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Facts keys and case keys by their ids, keys of single parts by the parts' digests, and the ids of keys erased here."""

    facts: Mapping[Digest, bytes] = field(default_factory=dict)
    cases: Mapping[Digest, bytes] = field(default_factory=dict)
    parts: Mapping[Digest, DisclosedKey] = field(default_factory=dict)
    erased: frozenset[Digest] = frozenset()

    @classmethod
    def of(cls, facts: Iterable[bytes], cases: Iterable[bytes] = (), erased: Iterable[bytes] = ()) -> Keys:
        """Return the keys as they are looked up."""
        return cls(
            facts={key_id(key): key for key in facts},
            cases={key_id(key): key for key in cases},
            erased=frozenset(map(Digest, erased)),
        )


NO_KEYS = Keys()
"""Who holds none reads open entries, and that there are sealed ones."""
