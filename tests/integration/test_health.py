"""The health of a worker over HTTP: what each page says, and that nobody who asks holds a step or learns more."""

from __future__ import annotations

import http.client
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.post import health
from services.post.attention import Trouble
from services.post.health import STEP_LIMIT_SECONDS, Health, View
from services.post.lease import lease
from services.post.pulse import Pulse, WaitsFor
from services.post.settings import load_settings
from services.post.status import Status
from services.wire.channels import COMMISSION, from_commission, to_commission
from services.wire.errors import SettingsError
from tests.chains import SCHOOL
from tests.exchange import Exchange, Member
from tests.folders import Folders
from tests.integration.test_two_sides import asked
from tests.people import another_pupil
from tests.personal import PERSONAL
from tests.troubles import settled
from tests.workers import Workers

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

HOME = "127.0.0.1"
TO, FROM = to_commission(SCHOOL), from_commission(SCHOOL)
PATIENCE_SECONDS = 30


@dataclass
class Now:
    """A machine's running clock that a test moves."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Watched:
    """A school's worker with its endpoint; requests are over after a second."""

    exchange: Exchange
    member: Member
    health: Health
    running: Now

    def get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(HOME, self.health.port, timeout=PATIENCE_SECONDS)
        with closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def metrics(self) -> dict[tuple[str, ...], float]:
        """Return the samples of the page by name and values of labels, as Prometheus' own parser reads them."""
        code, page = self.get("/metrics")
        assert code == 200
        families = list(text_string_to_metric_families(page))
        assert all(family.documentation and family.type == "gauge" for family in families)
        return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}

    def connected(self) -> socket.socket:
        return socket.create_connection((HOME, self.health.port), timeout=PATIENCE_SECONDS)


@pytest.fixture
def watched(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.setattr(health, "_SAME_SECONDS", -1.0)
    member, running = exchange.members[SCHOOL], Now()
    member.worker.pulse = Pulse(running)
    folder = member.office.database.path.parent
    view = View(folder=folder, participant=SCHOOL, pulse=member.worker.pulse, clock=exchange.clock)
    with lease(folder / "database.lease"), Health((HOME, 0), view, request_seconds=1.0) as endpoint:
        yield Watched(exchange, member, endpoint, running)


def test_a_worker_is_ready_once_its_start_is_over(watched: Watched) -> None:
    assert watched.get("/readyz") == (503, "not ready: the start is not over, the lease is not held\n")
    assert watched.member.worker.start()
    assert watched.get("/readyz") == (200, "ready\n")
    assert watched.get("/healthz") == (200, "working\n")


def test_a_worker_in_which_no_step_begins_is_not_healthy_whatever_a_clock_says(watched: Watched) -> None:
    watched.member.worker.start()
    watched.exchange.clock.now += 10 * 365 * 86_400_000
    assert watched.get("/healthz")[0] == 200
    watched.running.seconds += STEP_LIMIT_SECONDS
    assert watched.get("/healthz") == (503, "no step has begun for 600 seconds\n")
    watched.member.work()
    assert watched.get("/healthz")[0] == 200


@pytest.mark.parametrize("waits_for", list(WaitsFor))
def test_a_worker_that_waits_is_healthy_and_not_ready(watched: Watched, waits_for: WaitsFor) -> None:
    watched.member.worker.start()
    watched.member.worker.pulse.waits_for = waits_for
    assert watched.get("/readyz") == (503, f"not ready: it waits for the {waits_for.value}\n")
    assert watched.get("/healthz")[0] == 200
    assert watched.metrics()["sarakste_waits_for", waits_for.value] == 1


def test_a_worker_that_another_one_took_over_from_is_not_ready(watched: Watched) -> None:
    watched.member.worker.start()
    watched.member.office.database.run("UPDATE said SET name = 'worker another' WHERE name LIKE 'worker %'")
    assert watched.get("/readyz") == (503, "not ready: the lease is not held\n")
    assert watched.metrics()["sarakste_lease_held",] == 0


@pytest.mark.parametrize("harm", ["gone", "older", "no database"])
def test_a_database_that_does_not_answer_is_said_and_the_rest_too(watched: Watched, harm: str) -> None:
    watched.member.worker.start()
    office = watched.member.office
    if harm == "older":
        office.database.run("PRAGMA user_version=0")
    else:
        office.database.close()
        for path in office.database.path.parent.glob("database.sqlite*"):
            path.unlink()
        if harm == "no database":
            office.database.path.write_text("this is none")
    assert watched.get("/readyz") == (503, "not ready: the database does not answer\n")
    found = watched.metrics()
    assert found["sarakste_database_answers",] == 0
    assert found["sarakste_started",] == 1
    assert ("sarakste_outgoing_events",) not in found
    assert office.database.path.exists() == (harm != "gone")


def test_the_page_of_metrics_says_what_the_status_says(watched: Watched) -> None:
    watched.member.worker.start()
    asked(watched.exchange)
    settled(watched.exchange)
    found = watched.metrics()
    assert found["sarakste_database_answers",] == found["sarakste_lease_held",] == found["sarakste_started",] == 1
    assert found["sarakste_channels", "reading"] == 4
    assert found["sarakste_outgoing_events",] == found["sarakste_outgoing_age_seconds",] == 0
    assert found["sarakste_unseen_entries",] == found["sarakste_unseen_age_seconds",] == 0
    assert found["sarakste_unreceipted_channels",] == 0
    assert found["sarakste_held", "parked"] == 0
    assert found["sarakste_certificate_days_left",] > 365
    assert {key[1] for key in found if key[0] == "sarakste_attention"} == {each.value for each in Trouble}
    assert not [key for key in found if key[0] == "sarakste_channel_trouble"]


def test_a_stopped_channel_old_events_and_an_ending_certificate_are_on_the_page(watched: Watched) -> None:
    watched.member.worker.start()
    settled(watched.exchange)
    office = watched.member.office
    office.letterbook.note(FROM, state="stopped", reason="a reason that is in no label")
    office.database.run(
        "INSERT INTO outgoing (channel, event_id, body, saved_at) VALUES (?, x'01', x'', ?)", TO, watched.exchange.clock.now
    )
    watched.exchange.clock.now = 1_893_456_000_000 - 86_400_000
    found = watched.metrics()
    assert found["sarakste_channels", "stopped"] == 1
    assert found["sarakste_attention", "stopped", "now"] == 1
    assert found["sarakste_channel_trouble", FROM, "stopped"] == 1
    assert found["sarakste_outgoing_age_seconds",] > 86_400
    assert found["sarakste_channel_trouble", TO, "unsigned"] == 1
    assert found["sarakste_certificate_days_left",] == 1
    assert found["sarakste_attention", "certificate-ends", "today"] == 2
    assert "a reason" not in watched.get("/metrics")[1]


def test_a_thousand_channels_that_stand_still_make_no_longer_page(watched: Watched) -> None:
    database = watched.member.office.database
    sizes = []
    for number in range(1000):
        query = (
            "INSERT INTO channels (channel, epoch, sequence, digest, certificates, state)"
            " SELECT ?, epoch, sequence, digest, certificates, 'waiting' FROM channels WHERE channel = ?"
        )
        with database.transaction():
            database.run(query, f"school-{number:010}.to-commission", TO)
        if number in (100, 999):
            sizes.append(len(watched.metrics()))
    assert sizes[0] == sizes[1] < 200


def test_nothing_personal_and_no_number_of_a_case_is_on_any_page(watched: Watched) -> None:
    watched.member.worker.start()
    case_id, _ = asked(watched.exchange)
    asked(watched.exchange, pupil=another_pupil(2))
    watched.exchange.clock.now += 30 * 86_400_000
    for path in ("/metrics", "/healthz", "/readyz"):
        page = watched.get(path)[1]
        assert case_id.hex not in page.replace("-", "")
        assert str(case_id) not in page
        assert PERSONAL.search(page) is None


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /secret-path HTTP/1.1\r\n\r\n",
        b"POST /metrics HTTP/1.1\r\nContent-Length: 11\r\n\r\nsecret-path",
        b"secret-path /metrics HTTP/1.1\r\n\r\n",
        b"GET /metrics?secret-path HTTP/1.1\r\n\r\n",
        b"GET /metrics HTTP/secret-path\r\n\r\n",
        b"secret-path\r\n\r\n",
        b"GET /" + b"secret-path" * 10_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"secret-path: 1\r\n" * 1000 + b"\r\n",
    ],
)
def test_nothing_of_a_request_is_said_back_or_written_down(
    watched: Watched, request_bytes: bytes, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    answer = b""
    with watched.connected() as client:
        try:
            client.sendall(request_bytes)
            client.shutdown(socket.SHUT_WR)
            while data := client.recv(65536):
                answer += data
        except OSError:
            pass  # it was closed before all of the request was read
    assert b"secret" not in answer
    assert b"200 OK" not in answer
    out, err = capfd.readouterr()
    assert (out, err, caplog.text) == ("", "", "")
    assert watched.get("/healthz")[0] == 200


def test_slow_clients_hold_no_step_and_their_room_is_free_again(watched: Watched) -> None:
    watched.member.worker.start()
    slow = [watched.connected() for _ in range(20)]
    for each in slow:
        each.sendall(b"GET /met")
    began = time.monotonic()
    assert watched.member.work() >= 0
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        # Those who hold a place are sent away, one letter at a time or not.
        try:
            assert watched.get("/healthz")[0] == 200
            break
        except (ConnectionError, http.client.HTTPException):
            assert time.monotonic() < until
            time.sleep(0.05)
    assert time.monotonic() - began < PATIENCE_SECONDS
    for each in slow:
        each.close()


def test_many_who_ask_at_once_are_answered_by_one_look_and_hold_no_step(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_SAME_SECONDS", 60.0)
    looks, gate, whole = list[int](), threading.Event(), View.status

    def slow(view: View) -> Status:
        looks.append(1)
        gate.wait(PATIENCE_SECONDS)
        return whole(view)

    monkeypatch.setattr(View, "status", slow)
    watched.member.worker.start()
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(watched.get("/metrics")[0])) for _ in range(4)]
    for each in threads:
        each.start()
    while not looks:
        time.sleep(0.01)
    # All of them wait for the look; the worker goes on.
    asked(watched.exchange)
    settled(watched.exchange)
    assert answers == []
    gate.set()
    for each in threads:
        each.join()
    assert (answers, len(looks)) == ([200] * 4, 1)


def test_a_database_that_is_held_keeps_nobody_waiting_for_the_pulse(watched: Watched) -> None:
    watched.member.worker.start()
    path = watched.member.office.database.path
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert watched.get("/healthz")[0] == 200
        # Whoever writes keeps out no one who reads.
        assert watched.get("/readyz")[0] == 200


def free_port() -> int:
    with closing(socket.create_server((HOME, 0))) as found:
        return int(found.getsockname()[1])


def test_a_worker_can_be_asked_where_its_settings_say_and_nowhere_by_default(folders: Folders) -> None:
    port, settings = free_port(), folders.home(COMMISSION) / "sarakste.toml"
    assert load_settings(settings).health is None
    settings.write_text(settings.read_text() + f'\n[health]\nlisten = "{HOME}:{port}"\n')
    workers = Workers(folders.folder)
    workers.start(COMMISSION)
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            connection = http.client.HTTPConnection(HOME, port, timeout=PATIENCE_SECONDS)
            with closing(connection):
                try:
                    connection.request("GET", "/readyz")
                    if connection.getresponse().read() == b"ready\n":
                        break
                except ConnectionError:
                    pass
            assert time.monotonic() < until
            time.sleep(0.05)
        assert json.loads(folders.run(COMMISSION, "status", "--json").out)["lease"]["held"]
    finally:
        assert workers.stop() == [0]


def test_an_address_that_is_in_use_is_told_as_a_setting_that_is_wrong(folders: Folders) -> None:
    settings = folders.home(COMMISSION) / "sarakste.toml"
    with closing(socket.create_server((HOME, 0))) as other:
        address = f"{HOME}:{other.getsockname()[1]}"
        settings.write_text(settings.read_text() + f'\n[health]\nlisten = "{address}"\n')
        answer = folders.run(COMMISSION, "worker")
    assert (answer.code, "SARAKSTE_HEALTH__LISTEN" in answer.err, address in answer.err) == (2, True, True), answer.err


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("localhost:9464", "pattern"),
        ("9464", "pattern"),
        ("127.0.0.1", "pattern"),
        ("127.0.0.256:9464", "no such address"),
        ("127.0.0.1:0", "from 1 to 65535"),
        ("127.0.0.1:65536", "from 1 to 65535"),
        ("0.0.0.0:9464", "allow_insecure_network"),
        ("[::]:9464", "allow_insecure_network"),
    ],
)
def test_an_address_that_is_none_or_that_others_reach_is_refused(
    folders: Folders, monkeypatch: pytest.MonkeyPatch, value: str, told: str
) -> None:
    monkeypatch.setenv("SARAKSTE_HEALTH__LISTEN", value)
    with pytest.raises(SettingsError, match=f"SARAKSTE_HEALTH.*{told}"):
        load_settings(folders.home(SCHOOL) / "sarakste.toml")


def test_who_says_so_may_be_asked_by_other_machines(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARAKSTE_HEALTH__LISTEN", "[::]:9464")
    monkeypatch.setenv("SARAKSTE_HEALTH__ALLOW_INSECURE_NETWORK", "true")
    found = load_settings(Path(folders.home(SCHOOL) / "sarakste.toml")).health
    assert found is not None
    assert found.address == ("::", 9464)
