"""The file of an earlier verification, made by somebody who can compute its digest."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from services.audit.remembering import Memory
from services.wire.errors import ArchiveError


@pytest.mark.parametrize("body", [b"{}", b"[]", b"no JSON", b"[" * 100_000])
def test_a_state_with_a_right_digest_that_says_nothing_is_refused_in_words(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"sarakste-verified-0 " + sha256(body).hexdigest().encode() + b"\n" + body)
    with pytest.raises(ArchiveError, match="it is not believed"):
        Memory.load(path, "00")
