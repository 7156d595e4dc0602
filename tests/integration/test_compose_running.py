"""Each command of ours in docker-compose.yml, run as it stands there, outside of containers: three brokers and a whole exchange.

What this does not show: that an engine builds the images and starts them, and what it adds or takes away then.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest

from tests.commands import ROOT
from tests.compose.rules import COMPOSE, read
from tests.compose.running import Running
from tests.people import application_json

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"]), pytest.mark.timeout(900)]

SARAKSTE: Final = "/opt/sarakste/bin/sarakste"
PYTHON: Final = "/opt/sarakste/bin/python"
WORKERS: Final = ("registrar", "commission", "school", "auditor")
AUDITING: Final = ("mirror", "verifier")
PATIENCE_SECONDS: Final = 240
MONITORING: Final = ROOT / "infra/monitoring"
MAY_BE_EMPTY: Final = {"What wants a person", "Channels that want a person", "Held", "Waits for what will pass"}


@pytest.fixture(scope="module")
def running(broker_files: None) -> Iterator[Running]:  # noqa: ARG001  # has them first
    """Let all services of ours run, all of them healthy."""
    # Not in the folder of this run: no other user may look into that.
    top = Path(tempfile.mkdtemp(prefix="sarakste-compose-"))
    top.chmod(0o755)
    found = Running(read(COMPOSE.read_text("utf-8")), top)
    try:
        found.up()
        yield found
    finally:
        found.end()
        shutil.rmtree(top)


def mirror_call(running: Running) -> list[str]:
    return [SARAKSTE, *running.ours["mirror"]["command"]]


def told(running: Running, service: str, *call: str) -> Any:
    done = running.execute(service, SARAKSTE, service, *call, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def verified(running: Running) -> tuple[int, Any]:
    """Let the verifier's command run once, and return its exit code and its report."""
    service = running.ours["verifier"]
    done = running.execute("verifier", *service["entrypoint"], *service["command"], "--once")
    assert done.returncode in {0, 4}, done.stderr
    return done.returncode, json.loads((running.volume("verified") / "report.json").read_bytes())


def test_every_service_that_runs_is_healthy_by_its_own_check(running: Running) -> None:
    assert set(running.healthy) == {"broker-1", "broker-2", "broker-3", *WORKERS, *AUDITING}


def test_an_application_goes_from_the_school_to_the_commission_over_the_three_brokers(running: Running) -> None:
    form = running.top / "form.json"
    form.write_text(json.dumps(application_json()))
    case = told(running, "school", "file", str(form))["case"]
    told(running, "school", "request", case)
    until = time.monotonic() + PATIENCE_SECONDS
    while not (cases := told(running, "commission", "cases")):
        assert time.monotonic() < until, running.said("commission")
    assert [each["state"] for each in cases] == ["Received"]
    for name in WORKERS:
        status = running.execute(name, SARAKSTE, name, "status")
        assert status.returncode == 0, status.stdout


def test_each_channel_has_three_copies_and_a_second_up_changes_nothing(running: Running) -> None:
    def kept() -> dict[Path, str]:
        folders = [running.volume(name) for name in ("authority", "shared", "broker-1", "school", "registrar/registrar")]
        files = [path for folder in folders for path in folder.iterdir() if path.suffix in {".pem", ".key", ".json", ".toml"}]
        assert len(files) > 10
        return {path: sha256(path.read_bytes()).hexdigest() for path in files}

    before = kept()
    for name in ("authority", "provisioning"):
        running.start(name)
        running.wait(name, "service_completed_successfully")
    assert running.said("provisioning").splitlines()[-1] == "0 changes made"
    assert "one copy" not in running.said("provisioning")
    assert kept() == before


def test_the_auditors_archive_has_every_channel_and_is_verified_without_a_key(running: Running) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    wanted = {
        *("registrar.trust", "commission.record", "school-0099900011.record", "auditor-1.record"),
        *("school-0099900011.to-commission", "school-0099900011.from-commission"),
    }
    code, report = verified(running)
    while not wanted <= {each["channel"] for each in report["channels"] if each["entries"]}:
        assert time.monotonic() < until, report
        code, report = verified(running)
    assert (code, report["clean"], report["findings"]) == (0, True, [])
    assert not [path for path in running.volume("archive").rglob("*") if path.suffix in {".key", ".pem"}]


def test_school_and_commission_let_the_auditor_in_who_opens_their_facts_and_vouches_for_what_it_read(running: Running) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    channels = ("school-0099900011.record", "school-0099900011.to-commission")
    while not all(
        line["keys"] and not line["missing"] for line in told(running, "auditor", "keys") if line["channel"] in channels
    ):
        assert time.monotonic() < until, running.said("auditor")
    commission = running.execute("commission", SARAKSTE, "commission", "auditors", "--json")
    assert [each["decision"] for each in json.loads(commission.stdout)] == ["approved"]
    # With those keys its people ask the archive what nobody without them can.
    asked = ("audit", "query", "SELECT count(*) AS number FROM ApplicationFiled", "--source", "/srv/archive/exchange", "--json")
    given = ("--root", "/srv/shared/root.pem", "--keys-of", "/srv/auditor/sarakste.toml")
    done = running.execute("auditor", SARAKSTE, *asked, *given)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == [[1]]
    heads = running.execute("auditor", SARAKSTE, "audit", "heads", "--output", "/srv/auditor/now.heads")
    assert heads.returncode == 0, heads.stderr


def test_prometheus_would_read_the_pages_of_all_workers_and_of_the_verifier(running: Running) -> None:
    fetch = "import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1]).read().decode())"
    for name, metric in (*((each, "sarakste_started 1.0") for each in WORKERS), ("verifier", "sarakste_audit_findings 0.0")):
        # As on a network: from another service, by the address of this one.
        done = running.execute("registrar", PYTHON, "-c", fetch, f"http://{running.addresses[name]}:9464/metrics")
        assert metric in done.stdout.decode(), done.stderr


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus is not on this machine")
def test_prometheus_finds_all_of_them_by_its_settings_and_answers_what_the_dashboard_asks(
    running: Running, tmp_path: Path
) -> None:
    service = running.document["services"]["prometheus"]
    own = {"/etc/prometheus": str(tmp_path), "/prometheus": str(tmp_path / "data")}
    for name in ("prometheus.yml", "rules.yml"):
        text = (MONITORING / name).read_text("utf-8")
        # Asked sooner, so that nobody waits half a minute.
        (tmp_path / name).write_text(running.there(text.replace("scrape_interval: 30s", "scrape_interval: 1s"), "verifier"))
    command = [re.sub(r"(?<==)(/etc/prometheus|/prometheus)", lambda found: own[found[0]], word) for word in service["command"]]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{free.getsockname()[1]}"
    with (tmp_path / "log").open("wb") as log:
        # Another port than the image's own, which somebody may use here.
        process = subprocess.Popen(["prometheus", *command, f"--web.listen-address={where}"], stdout=log, stderr=log)  # noqa: S603, S607
    try:
        up = asked_of_prometheus(where, 'sum(up{job=~"sarakste.*"})', wanted="5")
        assert up[0]["value"][1] == "5"
        dashboard = json.loads((MONITORING / "dashboards/sarakste.json").read_text("utf-8"))
        found = {
            panel["title"]: asked_of_prometheus(where, target["expr"].replace("$instance", ".*"))
            for panel in dashboard["panels"]
            for target in panel["targets"]
        }
        # What waits, is held or wants a person is empty where nothing does.
        assert {title for title, answer in found.items() if not answer} <= MAY_BE_EMPTY
        assert len(found["Started"]) == len(WORKERS)
    finally:
        process.terminate()
        process.wait()


def asked_of_prometheus(where: str, query: str, *, wanted: str = "") -> Any:
    """Return what Prometheus answers; if a value is wanted, once it is that."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        connection = http.client.HTTPConnection(where, timeout=PATIENCE_SECONDS)
        with closing(connection), suppress(OSError):
            connection.request("GET", f"/api/v1/query?query={quote(query)}")
            answer = json.load(connection.getresponse())
            assert answer["status"] == "success", answer
            found = answer["data"]["result"]
            if not wanted or (found and found[0]["value"][1] == wanted):
                return found
        assert time.monotonic() < until, f"{query} is never {wanted}"
        time.sleep(0.2)


def test_no_key_of_the_authority_of_the_root_or_of_another_is_seen_by_a_service_that_runs(running: Running) -> None:
    volumes = {path.name: path for path in (running.top / "srv").iterdir()}
    keys = {name: {path.name for path in folder.rglob("*.key")} for name, folder in volumes.items()}
    assert keys.pop("authority") == {"ca.key", "root.key"}
    own = {"ring.key", "signing.key"}
    assert keys == {name: own if name in WORKERS else set() for name in keys}
    kept = [path.read_bytes() for path in volumes["authority"].glob("*.key")]
    for name, folder in volumes.items():
        for path in folder.rglob("*"):
            if name != "authority" and path.is_file():
                assert not any(key in path.read_bytes() for key in kept), path
    private = [path for folder in volumes.values() for path in (*folder.rglob("*.key"), *folder.rglob("tls.pem"))]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_nobody_writes_beside_the_own_volumes_and_nobody_is_root(running: Running) -> None:
    if not running.is_hardened:
        pytest.skip("this machine does not let a program run as another user over a file system that is for reading alone")
    # Each test of this file ran so; here a service tries.
    for where in ("/srv/shared/root.pem", "/srv/commission/sarakste.toml"):
        # They are files of the same user: nothing else keeps it from them.
        assert b"ead-only" in running.execute("school", "/usr/bin/touch", where).stderr, where
    assert running.execute("school", "/usr/bin/touch", "/opt/sarakste/another").returncode != 0
    assert running.execute("school", "/usr/bin/touch", "/srv/school/own").returncode == 0
    status = Path(f"/proc/{running.processes['school'].pid}/status").read_text("ascii")
    assert "NoNewPrivs:\t1" in status
    if running.top.stat().st_uid == 0:
        assert "Uid:\t10001\t10001\t10001\t10001" in status
        assert "CapEff:\t0000000000000000" in status


def test_all_end_by_themselves_when_they_are_told_to_and_go_on_afterwards(running: Running) -> None:
    assert running.stop(*WORKERS, *AUDITING) == dict.fromkeys((*WORKERS, *AUDITING), 0)
    running.healthy.remove("school")
    running.start("school")
    running.wait("school", "service_healthy")
    assert running.stop("school") == {"school": 0}


def test_an_archive_keeps_what_somebody_took_out_of_the_brokers_and_one_that_is_begun_later_shows_it(running: Running) -> None:
    """As the administrator of the brokers could: the beginning of a channel is gone before a second archive is begun."""
    channel = "school-0099900011.record"
    gone = {"partitions": [{"topic": channel, "partition": 0, "offset": 2}], "version": 1}
    (running.passing("broker-1") / "gone.json").write_text(json.dumps(gone))
    command = ("org.apache.kafka.tools.DeleteRecordsCommand", "--bootstrap-server", "broker-1:9092")
    files = ("--command-config", "/srv/broker-1/client.properties", "--offset-json-file")
    libs = running.there("/opt/kafka/libs/*", "broker-1")
    done = running.execute("broker-1", "java", "-cp", libs, *command, *files, str(running.passing("broker-1") / "gone.json"))
    assert done.returncode == 0, done.stderr
    assert running.execute("mirror", *mirror_call(running), "--once").returncode == 0
    assert verified(running)[0] == 0, "an archive that has it keeps it"
    shutil.rmtree(running.volume("archive") / "exchange")
    (running.volume("verified") / "verified").unlink()
    assert running.execute("mirror", *mirror_call(running), "--once").returncode == 0
    code, report = verified(running)
    assert (code, report["clean"]) == (4, False)
    assert {each["channel"] for each in report["findings"]} == {channel}
