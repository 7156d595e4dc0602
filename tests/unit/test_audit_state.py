"""The file of an earlier verification, made by somebody who can compute its digest."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from services.audit.remembering import Memory, Remembered
from services.wire.errors import ArchiveError

SAID = {"exchange": "00", "signatures": "each", "heads": {}, "channels": {}, "files": {}}
CHANNEL = "school-0099900011.record"
WRONG = [
    {"channels": {CHANNEL: [1 << 70, "", {}]}},
    {"channels": {CHANNEL: [-1, "", {}]}},
    {"heads": {CHANNEL: [-(1 << 70), ""]}},
    {"heads": {CHANNEL: [0, ""]}},
    {"files": {f"{CHANNEL}/2026-11": [-1, ""]}},
    {"judged": {"rules": ""}},
    {"judged": {"channels": {CHANNEL: [1 << 70, 0, 0, 0, [], ""]}, "records": {}, "rules": ""}},
    {"judged": {"channels": {CHANNEL: [1, 1, 0, 0, ["no digest"], ""]}, "records": {}, "rules": ""}},
    {"judged": {"channels": {}, "records": {CHANNEL: [1, "", [1 << 70]]}, "rules": ""}},
    {"judged": {"channels": {}, "records": {CHANNEL: [1, "AA==", [0, 1]]}, "rules": ""}},
]


@pytest.mark.parametrize("body", [b"{}", b"[]", b"no JSON", b"[" * 100_000])
def test_a_state_with_a_right_digest_that_says_nothing_is_refused_in_words(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"sarakste-verified-0 " + sha256(body).hexdigest().encode() + b"\n" + body)
    with pytest.raises(ArchiveError, match="it is not believed"):
        Memory.load(path, "00")


@pytest.mark.parametrize("wrong", WRONG)
def test_a_state_with_a_number_that_counts_nothing_is_refused_before_a_log_is_asked_for_it(
    tmp_path: Path, wrong: dict[str, Any]
) -> None:
    body = json.dumps(SAID | wrong).encode()
    path = tmp_path / "state"
    path.write_bytes(b"sarakste-verified-0 " + sha256(body).hexdigest().encode() + b"\n" + body)
    with pytest.raises(ArchiveError, match="it is not believed"):
        Memory.load(path, "00")


def test_of_a_channel_whose_state_has_a_number_without_end_nothing_is_believed() -> None:
    said = {"left_out": float("inf"), "digests": "", "notes": [], "notes_untold": 0}
    memory = Memory("00", channels={CHANNEL: Remembered(1, "", said)})
    assert memory.resumed(CHANNEL, leaves_out=False) is None
