"""The negative privacy table: whatever anybody holds, tried on everything that stands in the log.

What may be opened is written out here, event by event, and taken from no helper of the program: a mistake in one would agree
with itself.
"""

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
from services.wire.channels import COMMISSION, REGISTRAR
from services.wire.contents import decode_facts
from services.wire.entry import Sealed, UnverifiedEntry, decode_entry
from services.wire.errors import SealError
from services.wire.sealing import Part, open_part

# Who may open an event, facts and personal part alike. "school" is the one school whose case
# it is, never another one; the registrar opens nothing.
MAY_OPEN = {
    "ApplicationFiled": {"school"},
    "ConsentRecorded": {"school"},
    "DeliveryAddressChosen": {"school"},
    "InformationRequested": {"school", "commission"},
    "ConfirmationGiven": {"school", "commission"},
    "Rejected": {"school", "commission"},
    "RequestRegistered": {"commission"},
    "ExpertiseFileExamined": {"commission"},
    "IrpIssued": {"commission"},
    "RecommendationIssued": {"commission"},
    "RecommendationRefused": {"commission"},
    "DocumentsDispatched": {"commission"},
}


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


def sealed_entries(demo: Path) -> Iterator[UnverifiedEntry]:
    log = open_log(demo / "demo-exchange" / "log.sqlite")
    schools = ("school-0099900011", "school-0099900022")
    names = [f"{school}.{kind}" for school in schools for kind in ("to-commission", "from-commission", "record")]
    for name in (*names, "commission.record"):
        for record in log.poll({name: 0}, timeout_seconds=0, limit=1000):
            entry = decode_entry(record.value)
            if isinstance(entry.unverified_statement.body, Sealed):
                yield entry
    log.close()


def opened(keys: list[bytes], entry: UnverifiedEntry, part: Part) -> bytes | None:
    """Return what a part says to somebody with these keys, None if none of them opens it."""
    sealed = entry.raw_facts if part is Part.FACTS else entry.raw_personal
    assert sealed is not None
    for key in keys:
        try:
            return open_part(key, part, sealed, channel=entry.channel, event_id=entry.unverified_statement.event_id)
        except SealError:
            continue
    return None


def test_the_table_names_every_event_that_there_is() -> None:
    assert MAY_OPEN.keys() == AUDIENCE.keys()


@pytest.mark.parametrize("part", list(Part))
def test_with_all_that_anybody_holds_nobody_opens_more_than_the_table_says(
    demo: Path, offices: dict[str, Office], part: Part
) -> None:
    keys = {name: everything_held(office) for name, office in offices.items()}
    seen = set()
    for entry in sealed_entries(demo):
        school, kind = entry.channel.split(".")
        writer = "commission" if kind == "from-commission" else school
        said = opened(keys[writer], entry, Part.FACTS)
        assert said is not None
        event = decode_facts(said).type
        readers = {name for name in offices if opened(keys[name], entry, part) is not None}
        assert readers == {school if role == "school" else role for role in MAY_OPEN[event]}, event
        seen.add((event, school))
    assert {event for event, _ in seen} == MAY_OPEN.keys() - {"Rejected"}
    # Of both schools: what one may open the other one may not.
    assert {school for event, school in seen if event == "ConfirmationGiven"} == {"school-0099900011", "school-0099900022"}


def test_the_demonstration_plays_every_event_that_there_is(demo: Path, offices: dict[str, Office]) -> None:
    topics = {
        row["topic"] for office in offices.values() for row in office.database.all("SELECT DISTINCT topic FROM stored_events")
    }
    # Rejected is the answer to what no honest clerk can do.
    assert topics == AUDIENCE.keys() - {"Rejected"}
    assert demo.exists()
