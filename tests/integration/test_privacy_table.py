"""The negative privacy table: whatever anybody holds, tried on everything that stands in the log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.audit.verify import open_log
from services.commission.bootstrap import build as build_commission
from services.post.office import Office
from services.registrar.bootstrap import build as build_registrar
from services.school.bootstrap import build as build_school
from services.wire.audience import AUDIENCE
from services.wire.channels import COMMISSION, REGISTRAR, paired_channel, school_of, writer_of
from services.wire.entry import Sealed, UnverifiedEntry, decode_entry
from services.wire.errors import SealError
from services.wire.sealing import Part, open_part


@pytest.fixture(scope="module")
def offices(demo: Path) -> dict[str, Office]:
    folder = demo / "demo-exchange"
    made = {
        COMMISSION: build_commission(folder / COMMISSION / "sarakste.toml").office,
        REGISTRAR: build_registrar(folder / REGISTRAR / "sarakste.toml", working=False).office,
    }
    for name in ("school-0099900011", "school-0099900022"):
        made[name] = build_school(folder / name / "sarakste.toml").office
    return made


def everything_held(office: Office) -> list[bytes]:
    """Return every key of a ring, whatever it is for; of an encryption key each 32 bytes of its private half."""
    held = [office.ring.get(row.key_id) for row in office.ring.rows()]
    keys = [each.key for each in held if each is not None]
    return [key[place : place + 32] for key in keys for place in range(0, len(key), 32)]


def sealed_entries(demo: Path) -> Iterator[tuple[UnverifiedEntry, Sealed]]:
    log = open_log(demo / "demo-exchange" / "log.sqlite")
    schools = ("school-0099900011", "school-0099900022")
    names = [f"{school}.{kind}" for school in schools for kind in ("to-commission", "from-commission", "record")]
    for name in (*names, "commission.record"):
        for record in log.poll({name: 0}, timeout_seconds=0, limit=1000):
            entry = decode_entry(record.value)
            if isinstance(entry.unverified_statement.body, Sealed):
                yield entry, entry.unverified_statement.body
    log.close()


def opens(keys: list[bytes], entry: UnverifiedEntry, part: Part, sealed: bytes) -> bool:
    for key in keys:
        try:
            open_part(key, part, sealed, channel=entry.channel, event_id=entry.unverified_statement.event_id)
        except SealError:
            continue
        return True
    return False


def may_know(channel: str) -> set[str]:
    """Return who may know what stands in a channel: its writer, and in a pair the other side. Nobody else."""
    return {writer_of(channel)} | ({COMMISSION, school_of(channel)} if paired_channel(channel) else set())


@pytest.mark.parametrize("part", list(Part))
def test_with_all_that_anybody_holds_nobody_opens_more_than_the_table_says(
    demo: Path, offices: dict[str, Office], part: Part
) -> None:
    keys = {name: everything_held(office) for name, office in offices.items()}
    seen = 0
    for entry, _ in sealed_entries(demo):
        sealed = entry.raw_facts if part is Part.FACTS else entry.raw_personal
        assert sealed is not None
        readers = {name for name in offices if opens(keys[name], entry, part, sealed)}
        assert readers == may_know(entry.channel)
        seen += 1
    assert seen >= 25


def test_the_demonstration_plays_every_event_that_there_is(demo: Path, offices: dict[str, Office]) -> None:
    topics = {
        row["topic"] for office in offices.values() for row in office.database.all("SELECT DISTINCT topic FROM stored_events")
    }
    # Rejected is the answer to what no honest clerk can do.
    assert topics == AUDIENCE.keys() - {"Rejected"}
    assert demo.exists()
