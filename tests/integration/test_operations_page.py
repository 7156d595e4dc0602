"""The pages for operators say what is so: each line of the table of losses is a drill, and what else a page shows is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any, Final

import pytest
import typer.main

from services.desk.main import app
from services.post.attention import Trouble
from services.post.metrics import metrics_page
from services.post.pulse import Pulse
from services.post.status import look
from services.wire.audience import AUDIENCE
from services.wire.channels import ChannelKind
from services.wire.issuing import pem
from tests.chains import seal_of
from tests.commands import ROOT, SCHOOL
from tests.drills import DRILLS, OPERATIONS, losses, not_run
from tests.exchange import two_sides
from tests.integration import (
    test_restore_drills,
    test_restore_drills_beyond,
    test_restore_drills_keys_lost,
    test_restore_drills_log,
    test_restore_drills_signing,
)

MODULES: Final = (
    test_restore_drills,
    test_restore_drills_beyond,
    test_restore_drills_keys_lost,
    test_restore_drills_log,
    test_restore_drills_signing,
)

OPERATING: Final = (ROOT / "docs/operating.md").read_text("utf-8")
PAGES: Final = OPERATIONS + OPERATING + (ROOT / "docs/cluster.md").read_text("utf-8")
SHOWN: Final = sorted({*re.findall(r"^ {4,7}(sarakste .+)$", PAGES, re.MULTILINE), *re.findall(r"`(sarakste \w+ .+?)`", PAGES)})


def test_each_line_of_the_table_is_tried_out_by_a_drill_and_each_drill_has_a_line() -> None:
    assert sorted(DRILLS) == sorted(losses())
    assert len(losses()) > 30
    for name in DRILLS.values():
        assert any(hasattr(module, name) for module in MODULES), name


def test_a_drill_that_did_not_run_what_its_line_says_would_be_found() -> None:
    cell = "`restore --from-log --keys-lost`, moves `ring.key`, `registrar open-epoch` after `0 genesis`, `agree CHANNEL --yes`"
    ran = [("sarakste", "school", "restore", "--from-log"), ("sarakste", "registrar", "open-epoch", "a.record", "0")]
    assert not_run(cell, ran) == [{"restore", "--from-log", "--keys-lost"}, {"agree", "--yes"}]
    ran += [("sarakste", "school", "restore", "--keys-lost", "--from-log"), ("sarakste", "commission", "agree", "b", "--yes")]
    assert not_run(cell, ran) == []


def test_what_comes_back_with_all_keys_lost_is_what_somebody_else_may_read() -> None:
    table = OPERATIONS.partition("| event | written by |")[2].partition("\n\n")[0]
    told = {
        event: comes.startswith("comes back")
        for events, comes in re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| [^|]+ \| (.+) \|$", table, re.MULTILINE)
        for event in re.findall(r"`(\w+)`", events)
    }
    assert told == {event: all(kind is not ChannelKind.RECORD for _, kind in places) for event, places in AUDIENCE.items()}


def first_cells(heading: str) -> list[str]:
    """Return what stands between backticks in the first column of a table of docs/operating.md."""
    table = OPERATING.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return [name for cell in re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE) for name in re.findall(r"`([^`]+)`", cell)]


def test_the_page_has_each_trouble_with_how_soon_somebody_has_to_look() -> None:
    told = re.findall(r"^\| `([a-z-]+)` \| (now|today) \|", OPERATING, re.MULTILINE)
    assert told == [(each.value, each.urgency.value) for each in Trouble]


def test_the_page_has_each_metric_and_no_other(tmp_path: Path) -> None:
    exchange = two_sides(tmp_path)
    member = exchange.members[SCHOOL]
    (tmp_path / "tls.pem").write_bytes(pem(seal_of("old").certificate.der))
    status = look(member.office.database, SCHOOL, now=exchange.clock.now, lease=tmp_path / "none", tls=tmp_path / "tls.pem")
    page = metrics_page(status, Pulse()).decode()
    named = set(re.findall(r"^# TYPE (\S+) gauge$", page, re.MULTILINE))
    assert set(first_cells("metric")) == named
    assert set(re.findall(r"\bsarakste_\w+", OPERATING)) == named


def test_the_page_has_each_event_that_is_logged_and_no_other() -> None:
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "services").rglob("*.py"))
    # What is told for who is curious is no line of a worker.
    logged = set(re.findall(r'"event": "([a-z-]+)"', sources)) - {"told"}
    assert set(first_cells("`event`")) == logged | {"note", "library"}


@pytest.mark.parametrize("shown", SHOWN)
def test_a_command_of_the_page_is_one_of_the_program(shown: str) -> None:
    found: Any = typer.main.get_command(app)
    words = shlex.split(shown)[1:]
    while words and hasattr(found, "commands"):
        found = found.commands[words.pop(0)]
    known = {option for each in found.params for option in each.opts}
    assert {word for word in words if word.startswith("--")} <= known
    places = [each for each in found.params if not each.opts[0].startswith("-")]
    assert len([word for word in words if not word.startswith("--")]) <= len(places) + sum(
        word.startswith("--") for word in words
    )
