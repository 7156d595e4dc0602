"""What the registrar says stands for ever: what would have no effect, or stops somebody by an oversight, is refused before."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.audit.verify import open_log
from services.desk.founding import found_exchange
from services.desk.main import app
from services.registrar.application import StoppingError, WithoutEffectError
from services.registrar.bootstrap import build as build_registrar
from services.wire.channels import COMMISSION, REGISTRAR, TRUST_CHANNEL, Role, record_of, to_commission
from services.wire.entry import decode_entry
from services.wire.errors import CertificateError, RefusedError, SettingsError, StoreBehindError
from tests.integration.test_recovery_commands import SCHOOL, config, rotated, run, worked

NOBODY = "school-0099900033"
TO, RECORD = to_commission(SCHOOL), record_of(SCHOOL)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("founded") / "exchange"
    list(found_exchange(folder, ["0099900011"]))
    for office in worked(folder).values():
        office.database.close()
    return folder


@pytest.fixture
def exchange(founded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(founded, tmp_path / "exchange"))


def queued(exchange: Path) -> int:
    office = build_registrar(config(exchange, REGISTRAR)).office
    return len(office.database.all("SELECT 1 FROM outgoing"))


def say(exchange: Path, *arguments: object) -> BaseException | None:
    """Give a command of the registrar, and return what it was refused by."""
    done = run(exchange, REGISTRAR, *map(str, arguments))
    found: BaseException | None = done.exception
    assert (found is None) == (done.exit_code == 0), done.output
    return found


def refused(exchange: Path, *arguments: object) -> RefusedError:
    before = queued(exchange)
    found = say(exchange, *arguments)
    assert isinstance(found, RefusedError), found
    assert queued(exchange) == before
    return found


def certificate(exchange: Path, name: str) -> Path:
    return exchange / name / "certificate.pem"


def entries(exchange: Path, channel: str) -> list[str]:
    with closing(open_log(exchange / "log.sqlite")) as log:
        return [decode_entry(each.value).digest.hex() for each in log.poll({channel: 0}, timeout_seconds=0, limit=100)]


@pytest.mark.parametrize(
    "arguments",
    [
        (NOBODY, "Unknown", "NTRLV-0099900033", "Skola"),
        ("registrar", "Registrar", "NTRLV-90000000009", "Reģistrs"),
        ("auditor-vk", "School", "NTRLV-0099900033", "Skola"),
        ("commission", "School", "NTRLV-0099900033", "Skola"),
        ("commission-2", "Commission", "NTRLV-0099900033", "Otra komisija"),
        (SCHOOL, "School", "NTRLV-0099900011", "Skola"),
        ("Skola", "School", "NTRLV-0099900033", "Skola"),
    ],
)
def test_an_admission_without_effect_or_that_blocks_an_id_for_ever_is_refused(exchange: Path, arguments: tuple[str, ...]) -> None:
    assert isinstance(refused(exchange, "admit", *arguments), WithoutEffectError)


@pytest.mark.parametrize("names", [("", "Skola"), ("NTRLV-0099900033", " ")])
def test_an_admission_without_identifier_or_name_is_refused_as_it_is_when_somebody_joins(
    exchange: Path, names: tuple[str, str]
) -> None:
    before = queued(exchange)
    assert isinstance(say(exchange, "admit", NOBODY, "School", *names), SettingsError)
    assert queued(exchange) == before


def test_nobody_is_admitted_twice_or_removed_twice_before_the_worker_has_run(exchange: Path) -> None:
    admission = ("admit", NOBODY, "School", "NTRLV-0099900033", "Skola")
    assert say(exchange, *admission) is None
    assert "admitted already" in str(refused(exchange, *admission))
    assert say(exchange, "remove", NOBODY) is None
    refused(exchange, "remove", NOBODY)
    refused(exchange, "remove", "school-0099900044")


def test_schemas_are_published_once_also_before_the_worker_has_run(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["registrar", "init", str(tmp_path / "new"), "NTRLV-90000000009", "Reģistrs"])
    assert done.exit_code == 0, done.output
    before = queued(tmp_path / "new")
    assert say(tmp_path / "new", "publish-schemas") is None
    assert queued(tmp_path / "new") == before
    with pytest.raises(WithoutEffectError):
        build_registrar(config(tmp_path / "new", REGISTRAR)).open()


@pytest.mark.parametrize("names", [("", "Reģistrs"), ("NTRLV-90000000009", "")])
def test_an_exchange_is_not_founded_by_a_registrar_without_a_name(tmp_path: Path, names: tuple[str, str]) -> None:
    done = CliRunner().invoke(app, ["registrar", "init", str(tmp_path / "new"), *names])
    assert isinstance(done.exception, SettingsError)
    assert not (tmp_path / "new").exists()


def test_an_epoch_without_effect_is_refused(exchange: Path) -> None:
    theirs, last = certificate(exchange, SCHOOL), entries(exchange, RECORD)[-1]
    number = len(entries(exchange, RECORD))
    for channel, sequence, digest, path in (
        (TRUST_CHANNEL, 3, entries(exchange, TRUST_CHANNEL)[2], theirs),
        (record_of(NOBODY), 3, last, theirs),
        (f"{SCHOOL}.mailbox", number, last, theirs),
        (RECORD, number + 1, last, theirs),
        (RECORD, number, last, certificate(exchange, COMMISSION)),
        (RECORD, 0, last, theirs),
    ):
        assert isinstance(refused(exchange, "open-epoch", channel, sequence, digest, path), WithoutEffectError)
    assert "64 hexadecimal digits" in str(refused(exchange, "open-epoch", RECORD, number, "aaaa", theirs))
    assert isinstance(say(exchange, "open-epoch", RECORD, number, last, exchange / "log.sqlite"), CertificateError)


def test_an_epoch_after_an_entry_that_the_log_does_not_show_is_said_only_if_it_is_meant(exchange: Path) -> None:
    epoch = ("open-epoch", RECORD, 3, "aa" * 32, certificate(exchange, SCHOOL))
    error = refused(exchange, *epoch)
    assert isinstance(error, StoppingError)
    assert "does not show this entry" in str(error)
    assert say(exchange, *epoch, "--although-missing") is None


def test_an_epoch_goes_on_after_an_entry_that_the_log_shows_and_the_next_one_is_counted_before_the_worker_has_run(
    exchange: Path,
) -> None:
    digests = entries(exchange, TO)
    for sequence in (2, 1):
        assert say(exchange, "open-epoch", TO, sequence, digests[sequence - 1], certificate(exchange, SCHOOL)) is None
    trust = build_registrar(config(exchange, REGISTRAR)).office.trust
    assert trust.epochs == {}
    worked(exchange)
    trust = build_registrar(config(exchange, REGISTRAR)).office.trust
    assert [(each.epoch, each.after_sequence) for each in trust.epochs[TO]] == [(1, 2), (2, 1)]
    assert trust.faults == ()


def test_the_registrar_does_not_revoke_the_key_it_signs_with_nor_the_one_it_is_about_to(exchange: Path) -> None:
    own = certificate(exchange, REGISTRAR)
    assert isinstance(refused(exchange, "revoke", own, "Lost"), WithoutEffectError)
    rotated(exchange, REGISTRAR, "--for-registrar")
    assert isinstance(refused(exchange, "revoke", own, "Superseded"), WithoutEffectError)
    assert isinstance(refused(exchange, "revoke", own.with_name("certificate-old.pem"), "Superseded"), WithoutEffectError)


def test_a_key_that_is_superseded_too_early_would_stop_its_owner_and_is_refused_by_the_names_of_the_channels(
    exchange: Path,
) -> None:
    rotated(exchange, COMMISSION)
    # The worker has not run: the old key is still current everywhere.
    old = exchange / COMMISSION / "certificate-old.pem"
    error = refused(exchange, "revoke", old, "Superseded")
    assert isinstance(error, StoppingError)
    assert f"{SCHOOL}.from-commission, {record_of(COMMISSION)}" in str(error)
    assert "let its owner's worker bring the new key into every channel" in str(error)
    worked(exchange)
    assert say(exchange, "revoke", old, "Superseded") is None
    assert isinstance(refused(exchange, "revoke", old, "Superseded"), WithoutEffectError)


def test_a_lost_key_is_revoked_after_the_epochs_of_its_channels(exchange: Path) -> None:
    lost = exchange / "lost.pem"
    shutil.copy(certificate(exchange, SCHOOL), lost)
    rotated(exchange, SCHOOL)
    assert isinstance(refused(exchange, "revoke", lost, "Unknown"), WithoutEffectError)
    for channel, left in ((TO, RECORD), (RECORD, None)):
        error = refused(exchange, "revoke", lost, "Lost")
        assert "first open an epoch of each" in str(error)
        digests = entries(exchange, channel)
        assert say(exchange, "open-epoch", channel, len(digests), digests[-1], certificate(exchange, SCHOOL)) is None
        assert left is None or left in str(refused(exchange, "revoke", lost, "Lost"))
    assert say(exchange, "revoke", lost, "Lost") is None


def test_a_key_that_is_current_is_revoked_if_that_is_meant(exchange: Path) -> None:
    stolen = certificate(exchange, SCHOOL)
    assert isinstance(refused(exchange, "revoke", stolen, "Stolen"), StoppingError)
    assert say(exchange, "revoke", stolen, "Stolen", "--although-current") is None
    # What is revoked goes on nowhere.
    last = entries(exchange, TO)
    assert isinstance(refused(exchange, "open-epoch", TO, len(last), last[-1], stolen), WithoutEffectError)


@pytest.mark.parametrize(
    ("name", "organisation"),
    [("school-12", "NTRLV-90000000012"), ("school-0099900066", "no id at all"), ("school-00999000661", "NTRLV-90000000012")],
)
def test_nobody_is_admitted_who_could_never_join(exchange: Path, name: str, organisation: str) -> None:
    with pytest.raises((RefusedError, SettingsError)):
        build_registrar(config(exchange, REGISTRAR)).admit(name, Role.SCHOOL, organisation, "Skola")


def test_a_registrar_with_a_restored_database_says_nothing_before_a_start(exchange: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup.sqlite"
    registrar = build_registrar(config(exchange, REGISTRAR))
    registrar.office.database.connection.execute("VACUUM INTO ?", (str(backup),))
    registrar.admit("school-0099900055", Role.SCHOOL, "NTRLV-90000000055", "Skola")
    worked(exchange)
    registrar.office.database.close()
    for leftover in (exchange / REGISTRAR).glob("database.sqlite*"):
        leftover.unlink()
    (exchange / REGISTRAR / "database.sqlite").write_bytes(backup.read_bytes())
    with pytest.raises(StoreBehindError, match="older than the ring file"):
        build_registrar(config(exchange, REGISTRAR)).admit("school-0099900055", Role.SCHOOL, "NTRLV-90000000055", "Skola")
