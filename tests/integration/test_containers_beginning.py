"""What is done once for containers goes on where it was interrupted, renews what ends, and makes nothing twice."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509

from infra.docker.authority import make_authority
from infra.docker.founding import School, found_exchange
from infra.docker.verifying import both
from services.audit.report import Finding, Report
from services.channel.kafka_certificates import Authority
from services.registrar.bootstrap import participants_of
from services.wire.errors import SettingsError
from tests.commands import ROOT

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

SERVERS: Final = ["broker-1:9092", "broker-2:9092", "broker-3:9092"]
EVERYBODY: Final = ["auditor-1", "commission", "school-0099900011"]
MAPLE: Final = School("0099900011", "NTRLV-99990000011", "Paraugu vidusskola")


@pytest.fixture
def founded(tmp_path: Path) -> Path:
    found(tmp_path)
    return tmp_path


def found(folder: Path) -> None:
    make_authority(folder, SERVERS)
    found_exchange(folder, ",".join(SERVERS), MAPLE)


def files(folder: Path) -> dict[str, str]:
    """Return what stands beneath a folder, but for databases, which change by being looked into."""
    paths = [path for path in folder.rglob("*") if path.is_file() and ".sqlite" not in path.name]
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in paths}


def admitted(folder: Path) -> list[str]:
    return [each.id for each in participants_of(folder / "registrar/registrar/sarakste.toml")]


def test_a_second_time_changes_nothing(founded: Path) -> None:
    before = files(founded)
    found(founded)
    assert files(founded) == before
    assert sorted(admitted(founded)) == EVERYBODY


@pytest.mark.parametrize(
    "lacking",
    [
        ["school/certificate.pem"],
        ["school/certificate.pem", "commission/certificate.pem", "commission/tls.pem"],
        ["commission/sarakste.toml", "commission/certificate.pem", "commission/request.pem"],
        ["shared/root.pem", "school/sarakste.toml", "school/certificate.pem"],
        ["broker-2/tls.pem", "broker-2/voters", "authority/admin.pem"],
        ["auditor/sarakste.toml", "auditor/certificate.pem", "auditor/request.pem"],
    ],
)
def test_an_interrupted_founding_is_taken_up_where_it_ended(founded: Path, lacking: list[str]) -> None:
    before = files(founded)
    # As it stood before the last step: the root's key in the registrar's folder, and something not made yet.
    (founded / "authority/root.key").rename(founded / "registrar/registrar/root.key")
    for each in lacking:
        (founded / each).unlink()
    found(founded)
    after = files(founded)
    assert after.keys() == before.keys()
    assert {name for name in before if after[name] != before[name]} <= set(lacking)
    assert sorted(admitted(founded)) == EVERYBODY


def test_the_roots_key_does_not_stay_where_a_worker_sees_it_also_after_an_interruption(founded: Path) -> None:
    kept, seen = founded / "authority/root.key", founded / "registrar/registrar/root.key"
    seen.write_bytes(kept.read_bytes())
    found(founded)
    assert kept.exists()
    assert not seen.exists()


@pytest.mark.parametrize(("holder", "path"), [("school-0099900011", "school/tls.pem"), ("broker", "broker-3/tls.pem")])
def test_a_certificate_for_tls_that_ends_soon_is_made_anew_for_the_same_name(founded: Path, holder: str, path: str) -> None:
    authority = Authority(founded / "authority")
    authority.issue(holder, hosts=("broker-3",), days=30).rename(founded / path)
    before = files(founded)
    found(founded)
    after = files(founded)
    assert {name for name in after if after[name] != before[name]} == {path}
    made = x509.load_pem_x509_certificate((founded / path).read_bytes())
    assert made.subject.rfc4514_string() == f"CN={holder}"
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days > 365


def test_school_and_commission_let_the_auditor_in_also_where_they_were_interrupted_before_they_said_so(founded: Path) -> None:
    settings = [founded / name / "sarakste.toml" for name in ("school", "commission")]
    said = [path.read_text("utf-8") for path in settings]
    assert all(tomllib.loads(text)["approve_auditors"] == "always" for text in said)
    (founded / "authority/root.key").rename(founded / "registrar/registrar/root.key")
    for path, text in zip(settings, said, strict=True):
        path.write_text(text.partition("\n")[2], "utf-8")
    found(founded)
    assert [path.read_text("utf-8") for path in settings] == said
    assert "approve_auditors" not in (founded / "auditor/sarakste.toml").read_text("utf-8")


def test_a_cluster_that_was_begun_with_three_brokers_is_not_taken_for_one_of_two(founded: Path) -> None:
    with pytest.raises(SettingsError, match="begun with 3 brokers, and 2 are given"):
        make_authority(founded, SERVERS[:2])


def test_a_wrong_school_is_said_by_an_exit_code_and_a_sentence(tmp_path: Path) -> None:
    make_authority(tmp_path, SERVERS)
    names = ("--school", "99", "--organisation", MAPLE.organisation, "--name", MAPLE.name)
    call = [sys.executable, "-m", "infra.docker.beginning", "exchange", str(tmp_path), ",".join(SERVERS), *names]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S603  # our own program
    assert done.returncode == SettingsError.exit_code
    assert "ten digits" in done.stderr
    assert "Traceback" not in done.stderr


def finding(channel: str, sequence: int) -> Finding:
    said = {"error": "GapError", "what": "an entry is missing", "expected": "aa", "found": "nothing"}
    return Finding(channel=channel, epoch=0, sequence=sequence, **said)


def test_what_one_pass_of_an_audit_found_and_the_next_did_not_is_no_finding() -> None:
    late, lasting, new = finding("commission.record", 4), finding("commission.record", 2), finding("commission.record", 5)
    first, second = Report(exchange="", findings=[late, lasting]), Report(exchange="", findings=[lasting, new])
    assert both(first, second).findings == [lasting]
    assert both(first, second).report is second


@contextmanager
def page(code: int) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code)
            self.end_headers()
            self.wfile.write(b"no step has begun\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}/healthz"
        server.shutdown()


def asked(where: str) -> tuple[int, str]:
    call = [sys.executable, "-m", "infra.docker.healthy", where]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S603  # our own program
    return done.returncode, done.stdout + done.stderr


def test_a_health_check_fails_where_the_page_says_no_and_where_nobody_answers() -> None:
    with page(200) as where:
        assert asked(where) == (0, "200 no step has begun\n")
    with page(503) as where:
        assert asked(where) == (1, "503 no step has begun\n")
    code, said = asked(where)
    assert code == 1
    assert "does not answer" in said
