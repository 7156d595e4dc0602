"""`sarakste audit mirror`, `export` and `import` as processes, killed at any moment while an exchange is at work."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
import typer.main
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from services.audit.archive_reading import ArchiveChannel
from services.audit.leaving_out import without_personal
from services.channel.embedded import EmbeddedChannel
from services.desk.main import audit
from services.wire.entry import decode_entry
from tests.archives import Copy, values
from tests.chains import ROOT
from tests.commands import ROOT as HERE
from tests.commands import sarakste
from tests.worlds import TO, World

VERIFY = HERE / "examples/verify_log.py"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root.pem"
    path.write_bytes(x509.load_der_x509_certificate(ROOT.der).public_bytes(Encoding.PEM))
    return path


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    made = Copy(tmp_path)
    made.write(World(tmp_path).records)
    return made


def mirroring(copy: Copy, root: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "services.desk", "audit", "mirror", str(copy.archive), "--log", str(copy.log)]
    return subprocess.Popen([*command, "--root", str(root)], cwd=HERE, stderr=subprocess.PIPE, text=True)  # noqa: S603  # ours


def test_a_mirror_that_is_killed_again_and_again_loses_and_doubles_nothing(copy: Copy, root: Path) -> None:
    world, dice = World(copy.folder), random.Random(7)  # noqa: S311  # moments, no secret
    written = list(world.records[TO])
    with closing(EmbeddedChannel(copy.log, clock=lambda: 0)) as log:
        for _ in range(6):
            process = mirroring(copy, root)
            until = time.monotonic() + 0.8 + dice.random() * 0.6
            while time.monotonic() < until:
                records = [world.pens[TO].sealed() for _ in range(20)]
                log.append(TO, records)
                written += records
            process.send_signal(signal.SIGKILL)
            process.communicate()
    said = sarakste("audit", "mirror", copy.archive, "--log", copy.log, "--root", root, "--once", "--json")
    assert said.returncode == 0, said.stderr
    assert copy.values(TO)[1:] == [without_personal(each) for each in written][1:]
    assert json.loads(said.stdout)["personal"] == "left out"


def test_a_mirror_that_is_told_to_stop_stops_and_what_came_meanwhile_is_there(copy: Copy, root: Path) -> None:
    process = mirroring(copy, root)
    until = time.monotonic() + 60
    while not (copy.archive / "channels" / TO).exists() and time.monotonic() < until:
        time.sleep(0.05)
    copy.append({TO: [b"late"]})
    while copy.values(TO)[-1] != b"late" and time.monotonic() < until:
        time.sleep(0.05)
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert copy.values(TO)[-1] == b"late"


def test_a_log_without_a_root_says_that_nobody_is_to_be_trusted_yet(copy: Copy) -> None:
    said = sarakste("audit", "mirror", copy.archive, "--log", copy.log, "--once")
    assert (said.returncode, said.stdout) == (2, "")
    assert "give --root" in said.stderr


def test_an_exported_folder_is_imported_somewhere_else(copy: Copy, root: Path, tmp_path: Path) -> None:
    for command in (
        ("mirror", copy.archive, "--log", copy.log, "--root", root, "--once"),
        ("export", copy.archive, tmp_path / "exported"),
        ("import", tmp_path / "exported", tmp_path / "again"),
    ):
        said = sarakste("audit", *command)
        assert said.returncode == 0, said.stderr
    assert values(ArchiveChannel(tmp_path / "again"), TO) == copy.values(TO)
    assert "nobody has verified them yet" in said.stdout


def strangers(folder: Path, root: Path) -> subprocess.CompletedProcess[str]:
    # From another folder, with neither our code nor our settings: the program, its schemas and two packages.
    command = [sys.executable, str(VERIFY), str(folder), str(root)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=root.parent)  # noqa: S603  # ours


def test_a_stranger_verifies_an_exported_folder_with_the_root_certificate_and_one_program(copy: Copy, root: Path) -> None:
    world = World(copy.folder)
    world.write(TO, 4)
    copy.write(world.records)
    copy.take()
    exported = copy.folder / "exported"
    assert sarakste("audit", "export", copy.archive, exported).returncode == 0
    whole = strangers(exported, root)
    assert (whole.returncode, whole.stdout.splitlines()[-1]) == (0, "0 findings"), whole.stderr
    assert f"{TO}: 5 entries, reading, receipted to 0, head {world.pens[TO].previous.hex()}" in whole.stdout
    path = next((exported / "channels" / TO).glob("*.avro"))
    facts = decode_entry(world.records[TO][2]).raw_facts
    assert facts is not None
    path.write_bytes(path.read_bytes().replace(facts[:32], bytes(32)))
    harmed = strangers(exported, root)
    assert (harmed.returncode, harmed.stdout.splitlines()[-1]) == (4, "1 findings")
    assert f"{TO} at 0/3: sealed facts do not match their digest" in harmed.stdout


def test_every_command_of_the_page_on_archives_is_there() -> None:
    page = (HERE / "docs/archives.md").read_text("utf-8")
    shown = set(re.findall(r"^    sarakste audit (\S+)", page, re.MULTILINE))
    assert shown
    group = typer.main.get_command(audit)
    assert shown <= set(group.list_commands(typer.Context(group)))  # type: ignore[attr-defined]  # a group has commands
