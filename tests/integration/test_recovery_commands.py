"""The commands for when something stands still, and a whole rotation by command: request, certificate, every channel."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.commission.bootstrap import build as build_commission
from services.desk.founding import found_exchange
from services.desk.main import app
from services.post import signing_folder
from services.post.office import Office
from services.post.ring import write_durably
from services.post.signing_folder import SigningFolder, load_key, make_key
from services.post.worker import Worker
from services.registrar.bootstrap import build as build_registrar
from services.school.bootstrap import build as build_school
from services.wire.certificates import load_root, read_leaf
from services.wire.channels import COMMISSION, REGISTRAR
from services.wire.errors import CertificateError, MigrationError, RefusedError, SettingsError
from services.wire.issuing import read_request
from tests.verifying import verified_file

SCHOOL = "school-0099900011"
BUILD: dict[str, Callable[[Path], Office]] = {
    REGISTRAR: lambda config: build_registrar(config).office,
    COMMISSION: lambda config: build_commission(config, working=True).office,
    SCHOOL: lambda config: build_school(config, working=True).office,
}


@pytest.fixture
def exchange(tmp_path: Path) -> Path:
    folder = tmp_path / "exchange"
    list(found_exchange(folder, ["0099900011"]))
    return folder


def config(exchange: Path, name: str) -> Path:
    return exchange / name / "sarakste.toml"


def worked(exchange: Path) -> dict[str, Office]:
    """Let a worker of each participant start and do all there is to do."""
    offices = {name: build(config(exchange, name)) for name, build in BUILD.items()}
    workers = [Worker(office) for office in offices.values()]
    for worker in workers:
        worker.start()
    for _ in range(12):
        for worker in workers:
            worker.step()
    return offices


def run(exchange: Path, name: str, *arguments: str) -> Any:  # the runner's result
    kind = "school" if name == SCHOOL else name
    return CliRunner().invoke(app, [kind, *arguments, "--config", str(config(exchange, name))])


def shown(exchange: Path, name: str, *arguments: str) -> list[dict[str, object]]:
    done = run(exchange, name, *arguments, "--json")
    assert done.exit_code == 0, done.output
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def rotated(exchange: Path, name: str, *options: str) -> None:
    folder = exchange / name
    assert run(exchange, name, "rotate", "--request", str(folder / "request.pem")).exit_code == 0
    made = run(exchange, REGISTRAR, "issue", str(folder / "request.pem"), str(folder / "next.pem"), *options)
    assert made.exit_code == 0, made.output
    done = run(exchange, name, "rotate", str(folder / "next.pem"))
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(("name", "options"), [(SCHOOL, ()), (COMMISSION, ()), (REGISTRAR, ("--for-registrar",))])
def test_a_signing_key_is_rotated_by_command_in_every_channel(exchange: Path, name: str, options: tuple[str, ...]) -> None:
    worked(exchange)
    before = read_leaf((exchange / name / "certificate.pem").read_bytes())
    rotated(exchange, name, *options)
    offices = worked(exchange)
    after = read_leaf((exchange / name / "certificate.pem").read_bytes())
    assert after.key_digest != before.key_digest
    office = offices[name]
    for channel in office.own_channels:
        standing = office.letterbook.standing(channel)
        assert standing is not None
        assert standing.place.certificate == after
    revoked = run(exchange, REGISTRAR, "revoke", str(exchange / name / "certificate-old.pem"), "Superseded")
    assert revoked.exit_code == 0, revoked.output
    worked(exchange)
    worked(exchange)
    assert not (exchange / name / "signing-old.key").exists()
    report = verified_file(exchange / "log.sqlite", load_root((exchange / "root.pem").read_bytes()))
    assert report.findings == []


def test_a_second_rotation_waits_until_the_first_is_over(exchange: Path) -> None:
    worked(exchange)
    rotated(exchange, SCHOOL)
    worked(exchange)
    folder = exchange / SCHOOL
    run(exchange, SCHOOL, "rotate", "--request", str(folder / "request.pem"))
    run(exchange, REGISTRAR, "issue", str(folder / "request.pem"), str(folder / "next.pem"))
    done = run(exchange, SCHOOL, "rotate", str(folder / "next.pem"))
    assert isinstance(done.exception, RefusedError)
    assert "last rotation is not over" in str(done.exception)


def test_a_certificate_for_another_key_is_not_put_in_place(exchange: Path) -> None:
    folder = exchange / SCHOOL
    run(exchange, SCHOOL, "rotate", "--request", str(folder / "request.pem"))
    done = run(exchange, SCHOOL, "rotate", str(exchange / COMMISSION / "certificate.pem"))
    assert isinstance(done.exception, RefusedError)
    foreign = run(exchange, SCHOOL, "rotate", str(folder / "signing.key"))
    assert isinstance(foreign.exception, CertificateError)


@pytest.mark.parametrize("step", range(5))
def test_an_interruption_between_the_files_of_a_rotation_loses_no_key(
    exchange: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    worked(exchange)
    folder = exchange / SCHOOL
    run(exchange, SCHOOL, "rotate", "--request", str(folder / "request.pem"))
    run(exchange, REGISTRAR, "issue", str(folder / "request.pem"), str(folder / "next.pem"))
    done: list[Path] = []

    def interrupted(path: Path, content: bytes) -> None:
        if len(done) == step:
            raise KeyboardInterrupt
        done.append(path)
        write_durably(path, content)

    monkeypatch.setattr("services.post.signing_folder.write_durably", interrupted)
    run(exchange, SCHOOL, "rotate", str(folder / "next.pem"))
    monkeypatch.undo()
    office = worked(exchange)[SCHOOL]
    for channel in office.own_channels:
        standing = office.letterbook.standing(channel)
        assert standing is not None
        assert standing.place.certificate == office.signers.newest.certificate
    newest = read_leaf((folder / "next.pem").read_bytes()) if step >= 3 else None  # certificate.pem is the third
    assert newest is None or office.signers.newest.certificate == newest


def certified(exchange: Path) -> bytes:
    """Return the certificate of a school's next key."""
    folder = exchange / SCHOOL
    assert run(exchange, SCHOOL, "rotate", "--request", str(folder / "request.pem")).exit_code == 0
    made = run(exchange, REGISTRAR, "issue", str(folder / "request.pem"), str(folder / "next.pem"))
    assert made.exit_code == 0, made.output
    return (folder / "next.pem").read_bytes()


def installed(exchange: Path) -> SigningFolder:
    signing = SigningFolder(exchange / SCHOOL)
    signing.install(certified(exchange), load_root((exchange / "root.pem").read_bytes()))
    return signing


def die_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Let the process be killed before the write or removal of this number."""
    done: list[None] = []

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            if len(done) == step:
                raise KeyboardInterrupt
            done.append(None)
            return real(*arguments)

        return call

    for name in ("write_durably", "_overwrite"):
        monkeypatch.setattr(f"services.post.signing_folder.{name}", counted(getattr(signing_folder, name)))
    monkeypatch.setattr(Path, "unlink", counted(Path.unlink))


@pytest.mark.parametrize("step", range(8))
def test_a_rotation_that_is_killed_anywhere_can_be_finished_and_the_next_request_is_for_a_new_key(
    exchange: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    folder = exchange / SCHOOL
    first = SigningFolder(folder)().newest.certificate
    pem, root = certified(exchange), load_root((exchange / "root.pem").read_bytes())
    die_at(monkeypatch, step)
    try:
        SigningFolder(folder).install(pem, root)
    except KeyboardInterrupt:
        assert step < 7
    monkeypatch.undo()
    signing = SigningFolder(folder)
    if signing().newest.certificate == first:
        signing.install(pem, root)
    assert signing().newest.certificate == read_leaf(pem)
    assert [each.certificate for each in signing().older] == [first]
    asked = read_request(signing.request()).public_key.public_numbers()
    assert asked not in {each.public_key.public_numbers() for each in (first, read_leaf(pem))}
    assert load_key(folder / "signing.key").public_key().public_numbers() == read_leaf(pem).public_key.public_numbers()
    assert [each.certificate for each in signing().older] == [first]


@pytest.mark.parametrize("step", range(4))
def test_a_destruction_that_is_killed_anywhere_leaves_a_folder_that_signs_and_can_be_done_again(
    exchange: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    folder = exchange / SCHOOL
    key = (folder / "signing.key").read_bytes()
    signing = installed(exchange)
    newest, (older,) = signing().newest.certificate, signing().older
    die_at(monkeypatch, step)
    try:
        signing.destroy(older.certificate.digest)
    except KeyboardInterrupt:
        assert step < 3
    monkeypatch.undo()
    signing = SigningFolder(folder)
    assert signing().newest.certificate == newest
    for each in signing().older:
        signing.destroy(each.certificate.digest)
    assert SigningFolder(folder)().older == ()
    assert not [path.name for path in folder.glob("*.key") if path.read_bytes() == key]
    installed(exchange)


def test_a_signing_key_is_overwritten_where_it_lay_and_not_only_renamed_over(exchange: Path, tmp_path: Path) -> None:
    folder = exchange / SCHOOL
    os.link(folder / "signing.key", tmp_path / "first")
    signing = installed(exchange)
    os.link(folder / "signing-old.key", tmp_path / "copy")
    signing.destroy(signing().older[0].certificate.digest)
    for name in ("first", "copy"):
        assert set((tmp_path / name).read_bytes()) == {0}
    assert not (folder / "signing-old.key").exists()
    assert not (folder / "certificate-old.pem").exists()


def test_a_rotation_that_was_killed_before_its_key_was_in_place_leaves_no_old_key_when_it_is_destroyed(
    exchange: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = exchange / SCHOOL
    key = (folder / "signing.key").read_bytes()
    signing, pem, root = SigningFolder(folder), certified(exchange), load_root((exchange / "root.pem").read_bytes())
    die_at(monkeypatch, 3)
    with pytest.raises(KeyboardInterrupt):
        signing.install(pem, root)
    monkeypatch.undo()
    signing.destroy(signing().older[0].certificate.digest)
    assert not [path.name for path in folder.glob("*.key") if path.read_bytes() == key]
    assert SigningFolder(folder)().older == ()


@pytest.mark.parametrize("name", ["signing-old.key", "signing-next.key"])
@pytest.mark.parametrize(("content", "told"), [(b"torn", 1), (bytes(200), 0)], ids=["damaged", "overwritten, then killed"])
def test_an_old_or_next_key_that_cannot_be_read_keeps_nobody_from_signing(
    exchange: Path, name: str, content: bytes, told: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A damaged one is told; what a kill leaves of a destroyed one is nothing for a person, and goes by itself."""
    newest = installed(exchange)().newest.certificate
    (exchange / SCHOOL / name).write_bytes(content)
    again = SigningFolder(exchange / SCHOOL)
    assert again().newest.certificate == newest
    assert [record.getMessage() for record in caplog.records] == [f"left aside: {name} holds no private key"] * told
    assert (exchange / SCHOOL / name).exists() == bool(told)
    read_request(again.request())


def test_a_newest_key_that_cannot_be_read_is_told_and_the_old_one_does_not_sign_in_its_place(exchange: Path) -> None:
    installed(exchange)
    folder = exchange / SCHOOL
    whole = (folder / "signing.key").read_bytes()
    (folder / "signing.key").write_bytes(bytes(200))
    with pytest.raises(SettingsError, match=r"signing\.key holds no private key"):
        SigningFolder(folder)()
    make_key(folder / "signing.key")
    with pytest.raises(SettingsError, match="no certificate"):
        SigningFolder(folder)()
    (folder / "signing.key").write_bytes(whole)
    assert SigningFolder(folder)().older != ()


def test_a_key_that_stands_nowhere_else_is_not_written_over(exchange: Path) -> None:
    """Somebody put certificates and keys in place by hand, and left the next key where it was."""
    signing = installed(exchange)
    folder = exchange / SCHOOL
    newest = (folder / "signing.key").read_bytes()
    (folder / "signing-next.key").write_bytes(newest)
    make_key(folder / "signing.key")
    by_hand = (folder / "signing.key").read_bytes()
    with pytest.raises(RefusedError, match="is in use"):
        signing.request()
    assert (folder / "signing.key").read_bytes() == by_hand


def test_channels_and_what_is_held_are_shown(exchange: Path) -> None:
    offices = worked(exchange)
    log = offices[COMMISSION].channel
    assert log is not None
    log.append(f"{SCHOOL}.to-commission", [b"junk"])
    worked(exchange)
    lines = shown(exchange, COMMISSION, "channels")
    assert {line["state"] for line in lines} == {"reading"}
    assert f"{SCHOOL}.to-commission" in {line["channel"] for line in lines}
    (held,) = shown(exchange, COMMISSION, "held", "--kind", "skipped")
    assert held["channel"] == f"{SCHOOL}.to-commission"
    assert shown(exchange, COMMISSION, "redrive") == []


def test_agreeing_where_nothing_stands_still_is_refused(exchange: Path) -> None:
    worked(exchange)
    done = run(exchange, COMMISSION, "agree", f"{SCHOOL}.to-commission")
    assert isinstance(done.exception, RefusedError)


def test_a_command_where_the_database_is_gone_says_so_and_makes_no_empty_one(exchange: Path) -> None:
    for left in (exchange / SCHOOL).glob("database.sqlite*"):
        left.unlink()
    done = run(exchange, SCHOOL, "cases")
    assert isinstance(done.exception, MigrationError)
    assert "put a backup back with the command restore" in str(done.exception)
    assert not (exchange / SCHOOL / "database.sqlite").exists()
    assert run(exchange, SCHOOL, "migrate").exit_code == 0
    assert shown(exchange, SCHOOL, "cases") == []
