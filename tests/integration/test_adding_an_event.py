"""An event is added in four places: its schema, its value, its row in the audience table, its fold. Here one is added."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.commands import ROOT

SCHEMA = {
    "type": "record",
    "name": "MeetingHeld",
    "namespace": "lv.sarakste.v0",
    "doc": "A school met the requester.",
    "fields": [
        {
            "name": "facts",
            "type": {
                "type": "record",
                "name": "MeetingHeldFacts",
                "fields": [{"name": "on", "type": {"type": "int", "logicalType": "date"}}],
            },
        },
        {
            "name": "personal",
            "type": {"type": "record", "name": "MeetingHeldPersonal", "fields": [{"name": "with_whom", "type": "string"}]},
        },
    ],
}
VALUE = '''

@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingHeld:
    """A school met the requester."""

    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingHeldPersonal:
    """What is personal about ``MeetingHeld``."""

    with_whom: str


__all__ += ["MeetingHeld", "MeetingHeldPersonal"]
'''
STORY = """
from datetime import date
from pathlib import Path
from services.post.cases import Opened, history_of, open_personal
from services.post.history import New
from services.post.saving import act
from services.school.application import School
from services.school.domain.case import fold
from services.wire.channels import COMMISSION
from services.wire.events import MeetingHeld, MeetingHeldPersonal
from tests.chains import ROOT, SCHOOL
from tests.exchange import two_sides
from tests.people import application_form
from tests.verifying import verified

exchange = two_sides(Path("exchange"))
office = exchange.members[SCHOOL].office
case_id, _ = School(office).file(application_form())
met = New(facts=MeetingHeld(on=date(2026, 8, 20)), personal=MeetingHeldPersonal(with_whom="Andris Izdomenieks"))
act(office, case_id, lambda _: [met])
exchange.settle()
stream = office.store.stream(case_id)
assert fold(history_of(office, stream)).withdrawn_on == date(2026, 8, 20)
opened = open_personal(office, stream.events[-1])
assert isinstance(opened, Opened) and opened.content == met.personal
theirs = exchange.members[COMMISSION].office
assert theirs.database.one("SELECT 1 FROM stored_events WHERE topic = 'MeetingHeld'") is None
assert verified(exchange.log, ROOT, threads=1).findings == []
print("told, opened, folded, verified")
"""


def test_an_event_is_added_in_four_places_and_then_lives_like_any_other(tmp_path: Path) -> None:
    for name in ("services", "schemas", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "histories"))
    # 1: the schema.
    (tmp_path / "schemas/events/MeetingHeld.avsc").write_text(json.dumps(SCHEMA, indent=2) + "\n", "utf-8")
    # 2: the value.
    added(tmp_path / "services/wire/events/school_changing.py", VALUE)
    # 3: its row in the audience table.
    put(
        tmp_path / "services/wire/audience.py",
        '        "Rejected": (',
        '        "MeetingHeld": (_SCHOOL_RECORD,),\n        "Rejected": (',
    )
    # 4: the fold. What it changes is nothing that a meeting would change; that it does is what shows here.
    fold = tmp_path / "services/school/domain/case.py"
    put(
        fold,
        "_EVOLVE: Final",
        "def _met(case, facts, _):\n    return replace(case, withdrawn_on=facts.on)\n\n\n_EVOLVE: Final",
    )
    put(fold, "    ApplicationFiled: _filed,\n", "    ApplicationFiled: _filed,\n    MeetingHeld: _met,\n")
    put(fold, "    ApplicationFiled,\n", "    ApplicationFiled,\n    MeetingHeld,\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    (tmp_path / "exchange").mkdir()
    done = subprocess.run(  # noqa: S603  # our own copy
        [sys.executable, "-c", STORY], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout == "told, opened, folded, verified\n", done.stderr


def added(path: Path, text: str) -> None:
    path.write_text(path.read_text("utf-8") + text, "utf-8")


def put(path: Path, place: str, text: str) -> None:
    content = path.read_text("utf-8")
    assert place in content, f"{path.name} has no {place!r}: say here where it is added now"
    path.write_text(content.replace(place, text, 1), "utf-8")
