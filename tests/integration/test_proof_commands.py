"""Proofs as people handle them: made by an auditor's command, carried as files, checked by a stranger's."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.desk.founding import found_exchange
from services.wire.channels import COMMISSION, REGISTRAR
from services.wire.issuing import Validity, make_root, pem
from tests.chains import key_of
from tests.commands import ROOT
from tests.folders import Folders

AUDITOR, OTHER, SCHOOL = "auditor-vk", "auditor-otrais", "school-0099900011"
DAY_SECONDS = 86_400


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an exchange of two auditors on the day after an application was filed, with a checkpoint of each."""
    folder = tmp_path_factory.mktemp("proved") / "exchange"
    list(found_exchange(folder, ["0099900011"], auditors=[AUDITOR, OTHER]))
    folders = Folders(folder)
    folders.start(REGISTRAR, COMMISSION, SCHOOL, AUDITOR, OTHER)
    folders.settle()
    assert folders.run(SCHOOL, "file", folders.form()).code == 0
    folders.settle(seconds=DAY_SECONDS)
    folders.stop(REGISTRAR, COMMISSION, SCHOOL, AUDITOR, OTHER)
    return folder


@pytest.fixture
def folders(worked: Path, tmp_path: Path) -> Folders:
    return Folders.copy(worked, tmp_path / "exchange")


def audit(folders: Folders, name: str, *arguments: object) -> tuple[int, str, str]:
    answer = folders.call("audit", *arguments, "--config", folders.home(name) / "sarakste.toml")
    return answer.code, answer.out, answer.err


def proof(folders: Folders, entry: str = f"{SCHOOL}.record/2") -> Path:
    file = folders.folder / "entry.proof"
    code, out, err = audit(folders, AUDITOR, "prove", entry, "-o", file)
    assert (code, err) == (0, "")
    assert f"check it with `sarakste check {file.name} --root root.pem`" in out
    return file


def test_what_an_auditor_proves_a_stranger_checks_with_the_root_certificate_alone(folders: Folders, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    file, root = alone / "entry.proof", alone / "root.pem"
    file.write_bytes(proof(folders).read_bytes())
    root.write_bytes((folders.folder / "root.pem").read_bytes())
    answer = folders.call("check", file, "--root", root)
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0] == f"entry.proof checks: {SCHOOL}.record at 0/2, a sealed event, with facts beside it"
    assert lines[1].startswith(f"  signed by {SCHOOL} Skola 0099900011, by its clock on ")
    assert lines[3].startswith(f"  {AUDITOR} (Paraugvalsts revīzija) vouches for it on ")
    assert lines[4] == "  not shown: that what it says is true, nor that no key was revoked since then"
    done = subprocess.run(  # noqa: S603  # our own example, as a stranger runs it
        [sys.executable, ROOT / "examples/check_proof.py", file, root], cwd=alone, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"entry.proof checks: {SCHOOL}.record at 0/2, ")
    file.write_bytes(file.read_bytes()[:-1] + b"\x07")
    done = subprocess.run(  # noqa: S603  # as above
        [sys.executable, ROOT / "examples/check_proof.py", file, root], cwd=alone, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "does not check" in done.stdout) == (4, True)


def test_whoever_holds_another_exchanges_root_is_told_that_it_may_be_that(folders: Folders, tmp_path: Path) -> None:
    years = Validity(serial=9, not_before=datetime(2026, 1, 1, tzinfo=UTC), not_after=datetime(2040, 1, 1, tzinfo=UTC))
    root = tmp_path / "root.pem"
    root.write_bytes(pem(make_root(key_of("another root"), name="Cita sakne", validity=years)))
    told = folders.call("check", proof(folders), "--root", root)
    assert (told.code, "it is of another exchange, or it was changed" in told.out) == (4, True)
    found = folders.call("audit", "verify", folders.log, "--root", root)
    assert (found.code, "are of two exchanges" in found.out, "signature is not: it was damaged" in found.out) == (4, True, False)
    # Nobody is known in such a log: not that the auditor lacks.
    heads = folders.call("audit", "heads", "-o", tmp_path / "x", "--source", folders.log, "--root", root, "--auditor", AUDITOR)
    assert (heads.code, "1 finding in this log" in heads.err) == (4, True)


def test_of_several_files_each_is_told_and_one_that_does_not_check_is_found(folders: Folders) -> None:
    good = proof(folders)
    bad, none = folders.folder / "flipped.proof", folders.folder / "none.proof"
    data = bytearray(good.read_bytes())
    data[len(data) // 2] ^= 1
    bad.write_bytes(data)
    none.write_bytes(b"nothing at all\x1b[2J")
    answer = folders.call("check", good, bad, none, folders.folder / "away", "--root", folders.folder / "root.pem")
    assert answer.code == 4
    assert "entry.proof checks: " in answer.out
    for name in ("flipped.proof", "none.proof"):
        assert f"{name} does not check: " in answer.out
    assert "away was not checked: " in answer.out
    assert "\x1b" not in answer.out
    told = folders.call("check", good, bad, "--root", folders.folder / "root.pem", "--json")
    assert (told.code, '"checks": true' in told.out, '"checks": false' in told.out) == (4, True, True)


def test_a_file_that_cannot_be_read_is_a_wrong_call_and_no_finding(folders: Folders) -> None:
    good, large, root = proof(folders), folders.folder / "large", folders.folder / "root.pem"
    large.write_bytes(bytes(1024 * 1024 + 1))
    for file, why in (
        (folders.folder / "away", "cannot be read: No such file"),
        (large, "larger than 1 MiB; nothing that can be given here is"),
    ):
        answer = folders.call("check", file, good, "--root", root)
        assert (answer.code, f"{file.name} was not checked: " in answer.out, why in answer.out) == (2, True, True)
        assert "entry.proof checks: " in answer.out
        # As wherever else it is given.
        code, _, err = audit(folders, AUDITOR, "compare", file)
        assert (code, why in err) == (2, True)
        [told, _] = json.loads(folders.call("check", file, good, "--root", root, "--json").out)
        assert told.keys() == {"checks", "kind", "error", "message", "file"}


def test_entries_of_the_registrar_and_openings_are_proved_too(folders: Folders) -> None:
    for entry, kind in (("registrar.trust/1", "ChannelOpened"), (f"{SCHOOL}.to-commission/1", "ChannelOpened")):
        answer = folders.call("check", proof(folders, entry), "--root", folders.folder / "root.pem", "--json")
        assert answer.json[0]["type"] == kind


def test_what_cannot_be_proved_is_refused_in_a_sentence(folders: Folders) -> None:
    for entry, why in ((f"{SCHOOL}.record/99", "no such entry"), ("nothing", "names no entry")):
        code, _, err = audit(folders, AUDITOR, "prove", entry, "-o", folders.folder / "x")
        assert (code, why in err, (folders.folder / "x").exists()) == (3, True, False)
    code, _, err = audit(folders, SCHOOL, "prove", f"{SCHOOL}.record/2", "-o", folders.folder / "x")
    assert (code, f"name its settings with --config; these are those of {SCHOOL}" in err) == (2, True)


def test_an_entry_is_named_alike_wherever_it_is_asked_for(folders: Folders, tmp_path: Path) -> None:
    root = folders.folder / "root.pem"
    names = (f"{SCHOOL}.record:0/2", f"{SCHOOL}.record:2", f"{SCHOOL}.record/2", f"{SCHOOL}.record/0/2")
    made = set()
    for name in names:
        assert audit(folders, AUDITOR, "prove", name, "-o", tmp_path / "one.proof")[0] == 0
        made.add((tmp_path / "one.proof").read_bytes())
        shown = folders.call("audit", "show", name, "--source", folders.log, "--root", root, "--json").json
        assert (shown["channel"], shown["epoch"], shown["sequence"]) == (f"{SCHOOL}.record", 0, 2)
    assert len(made) == 1
    code, _, err = audit(folders, AUDITOR, "prove", f"{SCHOOL}.record:3/2", "-o", tmp_path / "x")
    assert (code, "is of epoch 0" in err, (tmp_path / "x").exists()) == (3, True, False)
    shown = folders.call("audit", "show", f"{SCHOOL}.record:9/2", "--source", folders.log, "--root", root)
    assert (shown.code, f"Nothing in {SCHOOL}.record claims the place 9/2." in shown.err) == (3, True)
    shown = folders.call("audit", "show", f"{SCHOOL}.record:999", "--source", folders.log, "--root", root)
    assert (shown.code, f"Nothing in {SCHOOL}.record claims the place 999." in shown.err) == (3, True)
    # A digit of another script looks like the place of another entry.
    shown = folders.call("audit", "show", f"{SCHOOL}.record:0/\u0662", "--source", folders.log, "--root", root)
    assert (shown.code, "This names no entry" in shown.err) == (3, True)


def test_auditors_exchange_heads_and_compare_what_they_were_shown(folders: Folders) -> None:
    theirs = folders.folder / "theirs.heads"
    code, out, _ = audit(folders, OTHER, "heads", "-o", theirs)
    assert (code, out) == (0, "theirs.heads: 6 channels\n")
    code, out, _ = audit(folders, AUDITOR, "compare", theirs)
    assert code == 0
    assert out.count("agrees") == 5
    answer = folders.call("check", theirs, "--root", folders.folder / "root.pem")
    assert answer.out.startswith(f"theirs.heads checks: 6 channels; {OTHER} (Paraugvalsts revīzija) vouches for it on ")
    theirs.write_bytes(theirs.read_bytes()[:-1] + b"\x07")
    code, _, err = audit(folders, AUDITOR, "compare", theirs)
    assert (code, err != "") == (4, True)


def test_an_auditor_proves_that_its_checkpoint_begins_with_all_of_an_older_one(folders: Folders) -> None:
    before, file = folders.folder / "before.heads", folders.folder / "both.proof"
    assert audit(folders, AUDITOR, "heads", "-o", before)[0] == 0
    folders.start(SCHOOL, AUDITOR)
    folders.clock.now += 2 * DAY_SECONDS * 1000
    folders.settle()
    folders.stop(SCHOOL, AUDITOR)
    code, out, err = audit(folders, AUDITOR, "consistent", before, "-o", file)
    assert (code, out, err) == (0, "both.proof: 6 channels\n", "")
    answer = folders.call("check", file, "--root", folders.folder / "root.pem")
    assert answer.out.startswith(f"both.proof checks: two checkpoints of {AUDITOR} (Paraugvalsts revīzija)\n  that of ")
    assert answer.out.endswith(", in 6 channels\n")


def test_an_auditor_that_was_shown_another_log_is_found_and_proof_of_it_written(folders: Folders) -> None:
    # The other auditor's letterbook is given another digest in one place, and signs over that, as if the log had shown it.
    folders.start(OTHER)
    database = folders.running[OTHER].office.database
    database.run("DELETE FROM trees")
    database.run("UPDATE entries SET digest = zeroblob(32) WHERE channel = ? AND sequence = 2", f"{SCHOOL}.record")
    folders.clock.now += DAY_SECONDS * 1000
    folders.settle()
    folders.stop(OTHER)
    theirs, split = folders.folder / "theirs.heads", folders.folder / "two-views.proof"
    assert audit(folders, OTHER, "heads", "-o", theirs)[0] == 0
    code, out, _ = audit(folders, AUDITOR, "compare", theirs, "-o", split)
    assert (code, out.count("differs")) == (4, 1)
    answer = folders.call("check", split, "--root", folders.folder / "root.pem")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0] == f"two-views.proof checks: two views of {SCHOOL}.record in epoch 0 that cannot both be right"
    assert {AUDITOR, OTHER} == {line.split()[0] for line in lines[1:3]}
    # Comparing has said the same, and where to look.
    assert f"which of them, the entry {SCHOOL}.record/" in out
    assert out.splitlines()[-1] in answer.out


def test_no_file_is_written_that_would_check_nowhere_of_what_another_auditor_vouches_for(folders: Folders) -> None:
    theirs, both = folders.folder / "theirs.heads", folders.folder / "both.proof"
    assert audit(folders, OTHER, "heads", "-o", theirs)[0] == 0
    code, _, err = audit(folders, AUDITOR, "consistent", theirs, "-o", both)
    assert (code, f"theirs.heads is of {OTHER}, and not of {AUDITOR}" in err, both.exists()) == (2, True, False)
    assert audit(folders, OTHER, "consistent", theirs, "-o", both)[0] == 0
    assert folders.call("check", both, "--root", folders.folder / "root.pem").code == 0


def test_an_entry_that_another_auditor_proved_is_compared_alone(folders: Folders) -> None:
    code, out, _ = audit(folders, OTHER, "compare", proof(folders))
    assert (code, "agrees" in out) == (0, True)


def test_from_an_archive_the_same_is_proved_without_the_auditors_folder(folders: Folders, tmp_path: Path) -> None:
    root, archive = folders.folder / "root.pem", tmp_path / "archive"
    assert folders.call("audit", "mirror", archive, "--log", folders.log, "--root", root, "--once").code == 0
    own = proof(folders).read_bytes()
    kept, theirs, both = (tmp_path / name for name in ("kept.proof", "kept.heads", "both.proof"))
    given = ("--source", archive, "--root", root, "--auditor", AUDITOR)
    assert folders.call("audit", "prove", f"{SCHOOL}.record/2", "-o", kept, *given).code == 0
    assert kept.read_bytes() == own
    assert folders.call("audit", "heads", "-o", theirs, *given).out == "kept.heads: 6 channels\n"
    assert folders.call("audit", "consistent", theirs, "-o", both, *given).code == 0
    assert folders.call("audit", "compare", theirs, *given[:-1], OTHER).code == 0
    assert folders.call("check", kept, theirs, both, "--root", root).code == 0
    # With its heads as a file too; whose they are has to be said where there are several auditors.
    again = folders.call("audit", "prove", f"{SCHOOL}.record/2", "-o", kept, *given, "--heads", theirs)
    assert (again.code, kept.read_bytes() == own) == (0, True)
    unsaid = folders.call("audit", "heads", "-o", theirs, *given[:-2])
    assert (unsaid.code, f"{OTHER}, {AUDITOR}" in unsaid.err) == (2, True)
    stray = folders.call("audit", "prove", f"{SCHOOL}.record/2", "-o", kept, "--heads", theirs)
    assert (stray.code, "go with --source" in stray.err) == (2, True)


def test_whoever_takes_part_proves_from_the_log_that_its_settings_name(folders: Folders, tmp_path: Path) -> None:
    own, kept = proof(folders).read_bytes(), tmp_path / "kept.proof"
    assert audit(folders, SCHOOL, "prove", f"{SCHOOL}.record/2", "-o", kept, "--auditor", AUDITOR)[0] == 0
    assert kept.read_bytes() == own


@pytest.mark.shows("L.4")
def test_a_report_names_the_checkpoints_that_its_log_holds_and_each_can_be_proved(folders: Folders, tmp_path: Path) -> None:
    root, wide = folders.folder / "root.pem", ("--from", "2020-01-01", "--until", "2040-12-31")
    made = folders.call("audit", "report", "variants", *wide, "--source", folders.log, "--root", root)
    assert made.code == 0, made.err
    (line,) = [each for each in made.out.splitlines() if each.startswith("about,checkpoints,")]
    for name in (AUDITOR, OTHER):
        heads = tmp_path / f"{name}.heads"
        assert audit(folders, name, "heads", "-o", heads)[0] == 0
        told = folders.call("check", heads, "--root", root, "--json").json[0]["by"]
        assert f"{name} 0/" in line
        assert told["root"] in line
    without = folders.call("audit", "replay", "--under", "lm-2016-m1", *wide, "--source", folders.log, "--root", root)
    assert line in without.out.splitlines()
