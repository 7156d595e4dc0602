"""`sarakste audit verify` over a log, an archive and an exported folder: words, JSON, exit codes and a file that remembers."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.audit.meanings import MEANINGS
from services.post.history import New
from services.post.saving import act
from services.wire import errors
from services.wire.channels import COMMISSION
from services.wire.events import Answer as Answered
from services.wire.events import ConfirmationGiven, ConfirmationGivenPersonal
from services.wire.hashing import digest_of
from services.wire.issuing import pem
from tests.archives import Copy
from tests.chains import ROOT
from tests.commands import SCHOOL, sarakste
from tests.folders import Answer, Folders
from tests.worlds import FROM, RECORD, TO, World


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    world = World(tmp_path)
    world.write(TO, 3)
    world.receipt(FROM)
    world.write(TO, 2)
    made = Copy(tmp_path)
    made.write(world.records)
    made.take()
    (tmp_path / "root.pem").write_bytes(pem(ROOT.der))
    return made


def asked(copy: Copy, source: Path, *more: str | Path, code: int = 0) -> dict[str, Any]:
    said = sarakste("audit", "verify", source, "--root", copy.folder / "root.pem", *more, "--json")
    assert said.returncode == code, said.stderr
    return dict(json.loads(said.stdout or said.stderr))


def test_an_archive_is_verified_in_words(copy: Copy) -> None:
    said = sarakste("audit", "verify", copy.archive, "--root", copy.folder / "root.pem")
    assert said.returncode == 0, said.stderr
    lines = said.stdout.splitlines()
    assert f"  {TO}: 6 entries, reading; proven up to entry 4 by a receipt in {FROM}, unproven after (2)" in lines
    assert f"  {RECORD}: 1 entry, reading; nobody has receipted it, so its end can vanish unseen" in lines
    assert "    note: personal parts are not kept here: 5 entries stand without theirs" in lines
    assert any("the newest signature of each stretch was verified" in line and "--thorough" in line for line in lines)
    thorough = sarakste("audit", "verify", copy.archive, "--root", copy.folder / "root.pem", "--thorough")
    assert "every signature was verified" in thorough.stdout


def test_a_log_an_archive_and_an_exported_folder_give_one_result(copy: Copy) -> None:
    exported = copy.folder / "exported"
    assert sarakste("audit", "export", copy.archive, exported).returncode == 0
    results = [asked(copy, source) for source in (copy.log, copy.archive, exported)]
    seen = [
        [(each["channel"], each["entries"], each["head"], each["receipted"], each["receipted_by"]) for each in one["channels"]]
        for one in results
    ]
    assert seen[0] == seen[1] == seen[2]
    assert all(each["clean"] and each["signatures"] == "newest" for each in results)


def test_a_finding_has_place_expected_found_and_what_it_means_and_leaves_with_4(copy: Copy) -> None:
    path = next((copy.archive / "channels" / TO).glob("*.avro"))
    data = bytearray(path.read_bytes())
    data[-60] ^= 1
    path.write_bytes(data)
    found = asked(copy, copy.archive, code=4)
    (finding,) = found["findings"]
    assert finding.keys() >= {"channel", "epoch", "sequence", "error", "what", "expected", "found", "means"}
    assert finding["means"] == MEANINGS[finding["error"]]
    said = sarakste("audit", "verify", copy.archive, "--root", copy.folder / "root.pem")
    assert (said.returncode, MEANINGS[finding["error"]] in said.stdout) == (4, True)


def test_words_of_whoever_made_a_folder_are_told_and_not_obeyed_by_a_terminal(copy: Copy) -> None:
    exported = copy.folder / "exported"
    assert sarakste("audit", "export", copy.archive, exported).returncode == 0
    (exported / "\x1b]0;owned\x07").write_bytes(b"")
    (exported / "closed.jsonl").write_text(
        json.dumps({"channel": "\x1b[2J", "month": "\x1b[1m", "size": 1, "records": 1, "sha256": "\x1b[8m"}) + "\n"
    )
    said = sarakste("audit", "verify", exported, "--root", copy.folder / "root.pem")
    assert said.returncode == 4, said.stderr
    assert "a closed file of the archive is not what it was" in said.stdout
    assert "\x1b" not in said.stdout + said.stderr


def test_a_second_run_with_a_state_says_what_it_did_not_read_again(copy: Copy) -> None:
    state = copy.folder / "verified"
    assert asked(copy, copy.archive, "--state", state)["not_read_again"] == 0
    again = asked(copy, copy.archive, "--state", state)
    # All but the registrar's channel, which is read each time.
    assert again["not_read_again"] == again["entries"] - 3
    said = sarakste("audit", "verify", copy.archive, "--root", copy.folder / "root.pem", "--state", state)
    assert "entries were verified before and not verified again; the files that hold them are the same bytes" in said.stdout
    live = sarakste("audit", "verify", copy.log, "--root", copy.folder / "root.pem", "--state", copy.folder / "other")
    assert live.returncode == 0
    live = sarakste("audit", "verify", copy.log, "--root", copy.folder / "root.pem", "--state", copy.folder / "other")
    assert "not verified again; whether they stand there still was not looked at" in live.stdout


def test_a_state_that_was_edited_is_refused(copy: Copy) -> None:
    state = copy.folder / "verified"
    asked(copy, copy.archive, "--state", state)
    state.write_bytes(state.read_bytes().replace(b'"files"', b'"filed"'))
    assert asked(copy, copy.archive, "--state", state, code=4)["error"] == "Archive"


def test_what_was_found_is_told_although_what_was_verified_cannot_be_remembered(copy: Copy) -> None:
    words = ("audit", "verify", copy.archive, "--root", copy.folder / "root.pem", "--state", copy.folder / "nowhere" / "verified")
    clean = sarakste(*words)
    assert (clean.returncode, "verified cannot be written" in clean.stderr) == (2, True)
    assert "0 findings" in clean.stdout
    path = next((copy.archive / "channels" / TO).glob("*.avro"))
    data = bytearray(path.read_bytes())
    data[-60] ^= 1
    path.write_bytes(data)
    for more in ((), ("--json",)):
        said = sarakste(*words, *more)
        assert (said.returncode, "verified cannot be written" in said.stderr) == (4, True)
        assert MEANINGS["ArchiveError"] in said.stdout
        # Nothing is remembered, so no digest of it is told.
        assert "is remembered under" not in said.stdout
    assert json.loads(said.stdout)["state_digest"] is None


def test_the_exchange_that_settings_name_is_verified_with_their_root(copy: Copy) -> None:
    settings = copy.folder / "sarakste.toml"
    settings.write_text('participant = "auditor-vk"\nlog = "log.sqlite"\nroot = "root.pem"\n')
    said = sarakste("audit", "verify", "--config", settings, "--json")
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["clean"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "{log}"),
        ("mirror", "another", "--once", "--log", "{log}"),
        ("heads", "--output", "heads", "--source", "{log}"),
    ],
    ids=lambda each: each[0],
)
def test_settings_that_would_be_ignored_beside_a_log_are_refused(copy: Copy, arguments: tuple[str, ...]) -> None:
    call = [each.format(log=copy.log) for each in arguments]
    said = sarakste("audit", *call, "--root", copy.folder / "root.pem", "--config", "elsewhere.toml", folder=copy.folder)
    assert (said.returncode, "leave one of them out" in said.stderr) == (2, True), said.stderr


@pytest.mark.parametrize("what", ["folder", "file", "nothing"])
def test_what_is_no_archive_and_no_log_says_so(copy: Copy, what: str) -> None:
    (copy.folder / "folder").mkdir()
    (copy.folder / "file").write_bytes(b"a letter" * 100)
    said = asked(copy, copy.folder / what, code=5 if what == "file" else 2)
    assert said["message"]
    bare = sarakste("audit", "verify", copy.archive)
    assert (bare.returncode, "give --root" in bare.stderr) == (2, True)


@pytest.mark.parametrize(
    "command",
    [("verify",), ("audit", "verify"), ("audit", "mirror", "into", "--log"), ("audit", "query", "SELECT 1", "--source")],
)
def test_a_log_that_is_not_there_is_a_wrong_call_and_no_log_that_does_not_answer(copy: Copy, command: tuple[str, ...]) -> None:
    os.mkfifo(copy.folder / "pipe")
    for name, told in (("missing", "there is nothing at "), ("pipe", "pipe is no file")):
        said = sarakste(*command, copy.folder / name, "--root", copy.folder / "root.pem", home=copy.folder)
        assert said.returncode == 2
        assert told in said.stderr
    assert not (copy.folder / "into").exists()


def test_every_kind_of_finding_has_its_meaning() -> None:
    named = {name for name in MEANINGS if issubclass(getattr(errors, name), errors.VerificationError)}
    assert named == MEANINGS.keys()
    assert len(set(MEANINGS.values())) == len(MEANINGS)


def test_a_file_that_remembers_is_believed_by_its_digest_alone(copy: Copy) -> None:
    state = copy.folder / "verified"
    digest = asked(copy, copy.archive, "--state", state)["state_digest"]
    again = asked(copy, copy.archive, "--state", state, "--state-digest", digest)
    assert (again["clean"], again["not_read_again"] > 0) == (True, True)
    said = sarakste("audit", "verify", copy.archive, "--root", copy.folder / "root.pem", "--state", state)
    assert f"is remembered under the digest {again['state_digest']}" in said.stdout
    other = asked(copy, copy.archive, "--state", state, "--state-digest", "00" * 32, code=4)
    assert "not the file of the digest that was given" in other["message"]
    alone = asked(copy, copy.archive, "--state-digest", digest, code=2)
    assert "name it with --state" in alone["message"]


def test_with_keys_too_only_what_is_new_is_looked_at_and_what_is_looked_at_again_is_told(folders: Folders) -> None:
    archive, root = folders.folder / "archive", folders.folder / "root.pem"
    assert folders.call("audit", "mirror", archive, "--log", folders.log, "--root", root, "--once").code == 0
    for source in (archive, folders.log):
        state = folders.folder / f"verified-{source.name}"

        def run(name: str, *words: object, source: Path = source, state: Path = state) -> Answer:
            keys = folders.home(name) / "sarakste.toml"
            return folders.call("audit", "verify", source, "--root", root, "--keys-of", keys, "--state", state, *words)

        assert run(SCHOOL, "--json").json["not_read_again"] == 0
        again = run(SCHOOL, "--json").json
        assert again["not_read_again"] > 0
        assert {each["read_again"] for each in again["channels"]} == {""}
        # The commission's keys open what rests on its record.
        told = run(COMMISSION).out
        assert f"{SCHOOL}.from-commission was read again, for what events rest on: keys that came since open" in told
        assert "was read again" not in run(COMMISSION).out


def test_an_answer_to_a_request_that_nobody_made_is_found_with_keys_also_by_a_run_that_goes_on(folders: Folders) -> None:
    archive, root = folders.folder / "archive", folders.folder / "root.pem"
    folders.everybody()
    office = folders.running[COMMISSION].office
    theirs = UUID(next(iter(folders.states(COMMISSION))))
    facts = ConfirmationGiven(answer=Answered.NO, wording=2, basis=digest_of(b"nothing"))
    lie = New(facts=facts, personal=ConfirmationGivenPersonal(official="nobody"), in_reply_to=digest_of(b"no request"))
    act(office, theirs, lambda _: (lie,), school=SCHOOL)
    folders.settle()
    assert folders.call("audit", "mirror", archive, "--log", folders.log, "--root", root, "--once").code == 0
    keys, state = folders.home(COMMISSION) / "sarakste.toml", folders.folder / "verified"
    assert folders.call("audit", "verify", archive, "--root", root).code == 0, "whoever opens nothing sees nothing"
    for source, more in ((archive, ("--state", state)), (archive, ("--state", state)), (folders.log, ())):
        told = folders.call("audit", "verify", source, "--root", root, "--keys-of", keys, *more)
        assert told.code == 4
        assert "ConfirmationGiven answers a request that stands nowhere" in told.out
        assert MEANINGS["OrderError"] in told.out
    assert "answers a request that stands nowhere" in folders.call("verify", folders.log, "--root", root, "--keys-of", keys).out
