"""What the files of an exchange say: everything that people are shown of it, as plain values."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

from services.audit.report import Report
from services.post.office import Office
from services.post.viewing import cases, contents, draft_times, events

__all__ = ["HISTORIES", "told", "verdict"]

HISTORIES = Path(__file__).resolve().parent


def told(office: Office) -> dict[str, Any]:
    """Return what one participant's database says: cases with events and contents, drafts, what is held, where channels stand."""
    held = "SELECT channel, kind, reason FROM held WHERE resolved_at IS NULL ORDER BY channel, kind, id"
    return {
        "cases": [_case(office, line) for line in map(asdict, cases(office))],
        "drafts": [asdict(line) for line in draft_times(office)],
        "held": [list(row) for row in office.database.all(held)],
        "channels": {channel: _standing(office, channel) for channel in sorted(office.own_channels)},
    }


def verdict(report: Report) -> dict[str, Any]:
    """Return what a verification of the log says."""
    channels = {each.channel: [each.state, each.entries, each.head, each.receipted] for each in report.channels}
    return {"channels": channels, "findings": [asdict(each) for each in report.findings]}


def _case(office: Office, line: dict[str, Any]) -> dict[str, Any]:
    number = UUID(line["case"])
    return line | {
        "events": [asdict(each) for each in events(office, number)],
        "contents": [asdict(each) for each in contents(office, number)],
    }


def _standing(office: Office, channel: str) -> list[Any] | None:
    found = office.letterbook.standing(channel)
    return [found.place.epoch, found.place.sequence, found.place.digest.hex(), found.state] if found else None
