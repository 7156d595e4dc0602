"""Certificates for the way to the brokers: whoever asks keeps its key, and what is good stays."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from typer.testing import CliRunner

from services.channel.kafka_certificates import Authority, issue_clients
from services.desk.founding import found_exchange
from services.desk.main import app
from services.wire.channels import COMMISSION, REGISTRAR
from services.wire.errors import CertificateError, SettingsError
from tests.integration.test_recovery_commands import config

MAPLE, BIRCH = "school-0099900011", "school-0099900022"
Key = ec.EllipticCurvePrivateKey


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.of(tmp_path / "tls")


def request(authority: Authority, name: str, *, subject: str | None = None, key: Key | None = None) -> Key:
    mine = key or ec.generate_private_key(ec.SECP256R1())
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, each) for each in (subject or name).split("+")]
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(parts)).sign(mine, hashes.SHA256())
    (authority.folder / f"{name}.request.pem").write_bytes(made.public_bytes(Encoding.PEM))
    return mine


def issued(authority: Authority, *names: str, **options: bool) -> dict[str, tuple[str | None, bool]]:
    return {each.name: (each.file, each.is_new) for each in issue_clients(authority, names, **options)}


def certificate(authority: Authority, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((authority.folder / f"{name}.certificate.pem").read_bytes())


def test_a_request_gets_a_certificate_under_its_name_for_a_client_and_no_key_is_made(authority: Authority) -> None:
    key = request(authority, MAPLE)
    assert issued(authority, MAPLE) == {MAPLE: (f"{MAPLE}.certificate.pem", True)}
    made = certificate(authority, MAPLE)
    made.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate.read_bytes()))
    assert (made.subject.rfc4514_string(), made.public_key()) == (f"CN={MAPLE}", key.public_key())
    purposes = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert sorted(path.name for path in authority.folder.glob("*.key")) == ["ca.key"]
    # With the key that never left its owner, this is what a participant's settings name.
    own = authority.folder / "own.pem"
    own.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM))
    ssl.create_default_context(cafile=authority.certificate).load_cert_chain(own)


def test_a_second_time_nothing_is_made_and_a_request_for_a_new_key_gets_a_new_certificate(authority: Authority) -> None:
    request(authority, MAPLE)
    issued(authority, MAPLE)
    before = certificate(authority, MAPLE)
    assert issued(authority, MAPLE)[MAPLE][1] is False
    assert certificate(authority, MAPLE) == before
    key = request(authority, MAPLE)
    assert issued(authority, MAPLE)[MAPLE][1] is True
    assert certificate(authority, MAPLE).public_key() == key.public_key()


def test_a_certificate_that_soon_runs_out_is_made_anew_for_the_same_key(authority: Authority) -> None:
    key = request(authority, MAPLE)
    old = authority.sign(MAPLE, key.public_key(), days=59)
    (authority.folder / f"{MAPLE}.certificate.pem").write_bytes(old)
    assert issued(authority, MAPLE)[MAPLE][1] is True
    assert certificate(authority, MAPLE).not_valid_after_utc > datetime.now(UTC) + timedelta(days=300)


def test_who_did_not_ask_gets_none_and_a_key_is_made_only_where_that_is_said(authority: Authority) -> None:
    assert issued(authority, MAPLE) == {MAPLE: (None, False)}
    assert issued(authority, MAPLE, make_keys=True, plan=True) == {MAPLE: (f"{MAPLE}.pem", True)}
    assert not (authority.folder / f"{MAPLE}.pem").exists()
    assert issued(authority, MAPLE, make_keys=True) == {MAPLE: (f"{MAPLE}.pem", True)}
    ssl.create_default_context(cafile=authority.certificate).load_cert_chain(authority.folder / f"{MAPLE}.pem")
    assert issued(authority, MAPLE, make_keys=True) == {MAPLE: (f"{MAPLE}.pem", False)}


def _other_name(authority: Authority) -> None:
    request(authority, MAPLE, subject="admin")


def _two_names(authority: Authority) -> None:
    request(authority, MAPLE, subject=f"{MAPLE}+admin")


def _no_request(authority: Authority) -> None:
    (authority.folder / f"{MAPLE}.request.pem").write_bytes(b"nothing")


def _another_curve(authority: Authority) -> None:
    request(authority, MAPLE, key=ec.generate_private_key(ec.SECP384R1()))


def _another_key(authority: Authority) -> None:
    """Put another key into a request, whose signature then does not fit."""
    theirs, mine = request(authority, BIRCH), request(authority, MAPLE)
    place = authority.folder / f"{MAPLE}.request.pem"
    der = x509.load_pem_x509_csr(place.read_bytes()).public_bytes(Encoding.DER)
    numbers = [key.public_key().public_numbers() for key in (mine, theirs)]
    old, new = (b"".join(each.to_bytes(32, "big") for each in (number.x, number.y)) for number in numbers)
    assert old in der
    place.write_bytes(x509.load_der_x509_csr(der.replace(old, new)).public_bytes(Encoding.PEM))


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (_other_name, f"its subject has to be CN={MAPLE} alone"),
        (_two_names, f"its subject has to be CN={MAPLE} alone"),
        (_no_request, "holds no certificate request"),
        (_another_curve, "not for a key on the curve P-256"),
        (_another_key, "not signed by its own key"),
    ],
)
def test_a_request_for_another_name_or_key_is_refused(authority: Authority, made: Callable[[Authority], None], text: str) -> None:
    made(authority)
    with pytest.raises(CertificateError, match=text):
        issue_clients(authority, [MAPLE])
    assert not (authority.folder / f"{MAPLE}.certificate.pem").exists()


def test_a_folder_without_an_authority_is_none_and_none_is_made_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="holds no authority of a cluster"):
        issue_clients(Authority(tmp_path), [MAPLE])
    assert list(tmp_path.iterdir()) == []


def test_the_registrar_issues_them_by_command_for_everybody_who_is_there(tmp_path: Path, authority: Authority) -> None:
    folder = tmp_path / "exchange"
    list(found_exchange(folder, ["0099900011", "0099900022"]))
    settings = str(config(folder, REGISTRAR))
    assert CliRunner().invoke(app, ["registrar", "remove", BIRCH, "--config", settings]).exit_code == 0
    request(authority, MAPLE)

    def command(*options: str) -> Any:
        done = CliRunner().invoke(
            app, ["registrar", "client-certificates", str(authority.folder), *options, "--config", settings]
        )
        assert done.exit_code == 0, done.exception
        return done.stdout

    assert f"{MAPLE}: {MAPLE}.certificate.pem would be made" in command("--plan")
    found = {each["name"]: (each["file"], each["is_new"]) for each in json.loads(command("--json"))["certificates"]}
    assert found == {REGISTRAR: (None, False), COMMISSION: (None, False), MAPLE: (f"{MAPLE}.certificate.pem", True)}
    printed = command()
    assert f"{COMMISSION}: no certificate, for {COMMISSION}.request.pem is not there" in printed
    assert f"{MAPLE}: {MAPLE}.certificate.pem is kept" in printed
