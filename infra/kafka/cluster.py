"""A cluster of one broker or three on this machine, over TLS with client certificates and access rights: without root.

A broker is found again by what stands in its folder: its settings, its data, its process.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from infra.kafka.jars import HERE, fetched
from infra.kafka.settings import ADMIN, Addresses, Places, Way, broker_settings, random_id
from services.channel.kafka import goodbye
from services.channel.kafka_certificates import Authority

# That a broker does not answer yet is no news while it starts.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)

__all__ = ["ADMIN", "Broker", "BrokerError", "Cluster", "java"]

_READY_TOPIC: Final = "cluster-is-ready"
_DONE: Final = (0, 36)  # made, or there already
_START_SECONDS: Final = 90
_STOP_SECONDS: Final = 15


class BrokerError(Exception):
    """A broker does not start, or does not stop."""


@dataclass
class Broker:
    """One broker: its folder, its number, its ports; at ``way_port`` it takes those who come by way of something else."""

    folder: Path
    node: int
    port: int
    controller_port: int
    home: Path
    directory_id: str
    dies_with_us: bool = False
    way_port: int | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> Path:
        """Its settings file."""
        return self.folder / "server.properties"

    @property
    def is_running(self) -> bool:
        """Whether the process that this started runs."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the process; whether it answers is for the cluster to wait for."""
        with (self.folder / "broker.log").open("ab") as log:
            call = java(self.home, "kafka.Kafka", str(self.settings))
            if self.dies_with_us and shutil.which("setpriv"):
                # A test run that is killed leaves no broker behind.
                call = ["setpriv", "--pdeathsig", "KILL", *call]
            self.process = subprocess.Popen(  # noqa: S603  # our own call
                call, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder, start_new_session=True
            )
        (self.folder / "pid").write_text(str(self.process.pid))

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End the process that this started, by a signal; one that does not heed it is killed."""
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def last_lines(self) -> str:
        """Return the end of what it logged."""
        log = self.folder / "broker.log"
        return "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-20:]) if log.exists() else ""


@dataclass
class Cluster:
    """A cluster in a folder; a ``quick`` one, for tests, notices in a second that a broker is gone, and ends with its maker."""

    folder: Path
    brokers: list[Broker]
    authority: Authority

    @classmethod
    def make(
        cls,
        folder: Path,
        home: Path,
        *,
        nodes: int = 1,
        quick: bool = False,
        first_port: int | None = None,
        ways: Sequence[int] = (),
    ) -> Cluster:
        """Make the folders, certificates and settings of a cluster, and format its brokers.

        ``ways`` are the ports, one a broker, of something that leads clients to its ``way_port``: who comes by one of them is
        told of no other address.
        Raises: BrokerFilesError, BrokerError.
        """
        fetched(home)
        authority = Authority.of(folder / "tls")
        ports = list(range(first_port, first_port + 2 * nodes)) if first_port else _free_ports(2 * nodes + len(ways))
        brokers = [
            Broker(folder / f"broker-{number}", number, ports[2 * number - 2], ports[2 * number - 1], home, random_id(), quick)
            for number in range(1, nodes + 1)
        ]
        for broker, port in zip(brokers, ports[2 * nodes :], strict=False):
            broker.way_port = port
        cluster = cls(folder, brokers, authority)
        certificate = authority.issue("broker", hosts=("localhost", "127.0.0.1"))
        authority.issue(ADMIN)
        identity = random_id()
        for broker, way in zip_longest(brokers, ways):
            cluster._format(broker, certificate, identity, quick=quick, way=way)
        return cluster

    @property
    def servers(self) -> str:
        """Where clients find the cluster: host:port of each broker."""
        return ",".join(f"127.0.0.1:{each.port}" for each in self.brokers)

    def start(self) -> None:
        """Start all brokers and wait until a topic can be made. Raises: BrokerError."""
        for broker in self.brokers:
            broker.start()
        self.wait()

    def wait(self) -> None:
        """Wait until all brokers that run are there and a topic can be made. Raises: BrokerError."""
        asyncio.run(self._wait())

    def stop(self) -> None:
        """Stop all brokers that this started."""
        for broker in self.brokers:
            if broker.process is not None:
                broker.process.send_signal(signal.SIGTERM)
        for broker in self.brokers:
            broker.end()

    def client(self, name: str) -> dict[str, Any]:
        """Return the library's settings for a client; its certificate is made if it is not there."""
        certificate = self.certificate(name)
        context = ssl.create_default_context(cafile=self.authority.certificate)
        context.load_cert_chain(certificate)
        return {"bootstrap_servers": self.servers.split(","), "security_protocol": "SSL", "ssl_context": context}

    def certificate(self, name: str) -> Path:
        """Return the file with a client's key and certificate, issued now if it is not there."""
        path = self.authority.folder / f"{name}.pem"
        return path if path.exists() else self.authority.issue(name)

    def _format(self, broker: Broker, certificate: Path, identity: str, *, quick: bool, way: int | None) -> None:
        broker.folder.mkdir(parents=True)
        controllers = [f"127.0.0.1:{each.controller_port}" for each in self.brokers]
        places = Places(broker.folder / "data", certificate, self.authority.certificate)
        addresses = Addresses(f"127.0.0.1:{broker.port}", controllers[broker.node - 1])
        if way is not None:
            addresses = addresses._replace(way=Way(f"127.0.0.1:{broker.way_port}", f"127.0.0.1:{way}"))
        settings = broker_settings(broker.node, addresses, places, controllers=controllers, quick=quick)
        broker.settings.write_text(settings)
        voters = ",".join(
            f"{each.node}@{where}:{each.directory_id}" for each, where in zip(self.brokers, controllers, strict=True)
        )
        call = java(broker.home, "kafka.tools.StorageTool", "format", "-t", identity, "-c", str(broker.settings))
        done = subprocess.run(  # noqa: S603  # our own call
            [*call, "--initial-controllers", voters], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BrokerError(f"the folder of broker {broker.node} cannot be made ready:\n{done.stdout}{done.stderr}")

    async def _wait(self) -> None:
        until = time.monotonic() + _START_SECONDS
        while True:
            for broker in self.brokers:
                if broker.process is not None and not broker.is_running:
                    raise BrokerError(f"broker {broker.node} has ended:\n{broker.last_lines()}")
            if await self._answers():
                return
            if time.monotonic() > until:
                raise BrokerError(f"the brokers do not answer:\n{self.brokers[0].last_lines()}")
            await asyncio.sleep(0.05)

    async def _answers(self) -> bool:
        admin = AIOKafkaAdminClient(**self.client(ADMIN), request_timeout_ms=3000)
        running = sum(each.is_running for each in self.brokers)
        try:
            await admin.start()
            if len((await admin.describe_cluster())["brokers"]) < running:
                return False
            made = await admin.create_topics([NewTopic(_READY_TOPIC, 1, min(3, running))])
        except (TimeoutError, KafkaError, OSError):
            return False
        else:
            return made.topic_errors[0][1] in _DONE
        finally:
            await admin.close()
            await goodbye()


def java(home: Path, *arguments: str) -> list[str]:
    """Return the call of a class that is among the files; what is logged comes on stderr."""
    return [
        "java",
        "-Xms64m",
        "-Xmx256m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}",
        "-cp",
        f"{home / 'libs'}/*",
        *arguments,
    ]


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()
