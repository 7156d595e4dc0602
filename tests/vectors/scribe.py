"""Writes one channel of the golden vectors: sealed entries with fixed keys and salts, and what they hold in clear beside them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import Enum
from typing import Any

from services.wire.contents import Facts, Personal, encode_facts, encode_personal
from services.wire.entry import Sealed, body_digest
from services.wire.hashing import Digest, Id, digest_of
from services.wire.records import encode_event
from services.wire.sealing import Part, key_id, seal
from tests.chains import Pen
from tests.vectors.samples import Event

__all__ = ["Scribe", "secret"]

_SAVED_AT = 1_790_000_000_000
_SAVED_ON = (date(2026, 9, 21) - date(1970, 1, 1)).days


def secret(name: str) -> bytes:
    """Return 32 bytes that follow from a name: a key or a salt."""
    return hashlib.sha256(name.encode()).digest()


@dataclass
class Scribe:
    """A pen with the keys of its channel. ``told`` is what each sealed entry says; ``body`` is of the last event."""

    pen: Pen
    records: list[bytes] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    body: Digest = field(default=Digest(b""))

    @property
    def facts_key(self) -> bytes:
        return secret(f"facts key of {self.pen.channel}")

    def case_key(self, case_id: Id) -> bytes:
        return secret(f"case key of {self.pen.channel} {case_id.hex()}")

    def seal(
        self,
        event: Event,
        *,
        case: Id | None,
        after: Digest | None = None,
        reply: Digest | None = None,
        with_personal: bool = True,
    ) -> Digest:
        """Write one event, and return the digest of its body."""
        encoded, event_id = encode_event(*event), Id(self.pen.next_event_id)
        personal_key = self.case_key(case) if case else self.facts_key
        facts = encode_facts(
            Facts(
                type=encoded.type,
                schema=encoded.schema,
                case_id=case,
                after=after,
                in_reply_to=reply,
                recorded_on=_SAVED_ON,
                personal_key=key_id(personal_key) if case else None,
                content=encoded.facts,
            )
        )
        personal = encode_personal(Personal(recorded_at=_SAVED_AT, content=encoded.personal))
        place = {"channel": self.pen.channel, "event_id": event_id}
        sealed = (
            seal(self.facts_key, Part.FACTS, facts, salt=secret(f"facts salt {event_id.hex()}"), **place),  # type: ignore[arg-type]  # a place
            seal(personal_key, Part.PERSONAL, personal, salt=secret(f"personal salt {event_id.hex()}"), **place),  # type: ignore[arg-type]  # a place
        )
        body = Sealed(facts_key=key_id(self.facts_key), facts=digest_of(sealed[0]), personal=digest_of(sealed[1]))
        self.records.append(self.pen.write(body, sealed[0], sealed[1] if with_personal else None))
        self.body = body_digest(body)
        self.told.append(
            {
                "channel": self.pen.channel,
                "epoch": self.pen.epoch,
                "sequence": self.pen.sequence,
                "body_digest": self.body.hex(),
                "facts_key": self.facts_key.hex(),
                "personal_key": personal_key.hex(),
                "facts": facts.hex(),
                "personal": personal.hex() if with_personal else None,
                "type": encoded.type,
                "says": plain(event[0]),
                "says_personally": plain(event[1]) if with_personal else None,
            }
        )
        return self.body


def plain(value: Any) -> Any:
    """Return an event's part as JSON: symbols by name, days as ISO dates, digests in hexadecimal."""
    return json.loads(json.dumps(asdict(value), default=_told)) if value is not None else {}


def _told(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value.hex()
