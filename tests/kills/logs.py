"""What the log of a round stands on: a file, or a broker that is killed too.

What asks brokers is done in children: a client has a thread, and a process with a thread must not fork.
"""

from __future__ import annotations

import random
import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from infra.kafka.cluster import ADMIN, Cluster
from infra.kafka.jars import HOME
from services.desk.founding import found_exchange
from services.desk.kafka_ground import KafkaGround
from services.post.building import write_settings
from services.post.settings import KafkaSettings
from services.wire.channels import REGISTRAR
from tests.brokers import Bench
from tests.over_brokers import clear

__all__ = ["NEWCOMERS", "BrokerLog", "FileLog", "started_log"]

NEWCOMERS: Final = ("0099900033", "0099900044")
_UNPROVISIONED: Final = re.compile(
    rf"(the broker has no channel )?school-({'|'.join(NEWCOMERS)})\.\S+"
    r"( may not be \w+ with this certificate: the registrar provisions rights|: the registrar provisions it| can be used again)"
)
_LONGEST_SECONDS: Final = 20.0
_SHORTEST_SECONDS: Final = 5.0


@dataclass(slots=True)
class FileLog:
    """A file in the folder of an exchange."""

    exchange: Path
    breaks: int = 0

    def found(self, schools: tuple[str, ...]) -> None:
        """Found the exchange; in a child."""
        for _ in found_exchange(self.exchange, schools):
            pass

    def way(self, participant: str) -> tuple[str, ...]:  # noqa: ARG002  # brokers have one for each
        """Return the options by which somebody who joins reaches it."""
        return ("--log", str(self.exchange / "log.sqlite"))

    @property
    def provisioning(self) -> tuple[str, ...]:
        """The options by which the registrar gives a newcomer its channels; none where nobody has to."""
        return ()

    @property
    def copying(self) -> tuple[str, ...]:
        """The arguments that copy it into ``log.sqlite``, where it is looked at; none where it is that."""
        return ()

    def is_designed(self, told: str) -> bool:  # noqa: ARG002  # brokers have something
        """Tell whether a person is told this because of what is done here, kills apart."""
        return False

    def break_at_times(self) -> None:
        """Leave it in peace."""


@dataclass(slots=True)
class BrokerLog:
    """A broker of one's own. It is killed and started again from time to time, at moments drawn from ``rng``."""

    exchange: Path
    cluster: Cluster
    rng: random.Random
    breaks: int = 0
    _next: float = field(init=False)

    def __post_init__(self) -> None:
        self._draw()

    def found(self, schools: tuple[str, ...]) -> None:
        """Found the exchange on a broker from which all of an earlier one is taken away; in a child."""
        clear(Bench(self.cluster))
        for _ in found_exchange(self.exchange, schools, ground=KafkaGround(self.cluster.folder, self.exchange)):
            pass

    def way(self, participant: str) -> tuple[str, ...]:
        """Return the options by which somebody who joins reaches it, with a certificate for that."""
        return (*self._servers, "--certificate", str(self.cluster.certificate(participant)))

    @property
    def provisioning(self) -> tuple[str, ...]:
        """The options by which the registrar gives a newcomer its channels."""
        return (*self._servers, "--certificate", str(self.cluster.certificate(ADMIN)))

    @property
    def copying(self) -> tuple[str, ...]:
        """The arguments that copy it into ``log.sqlite``, where it is looked at."""
        places: list[Path] = []
        tls = {"authority": self.cluster.authority.certificate, "certificate": self.cluster.certificate(ADMIN)}
        brokers = KafkaSettings(servers=self.cluster.servers, **tls)
        for name, log in (("brokers", brokers), ("copy", Path("../log.sqlite"))):
            places.append(self.exchange / name)
            places[-1].mkdir()
            write_settings(places[-1], REGISTRAR, root="../root.pem", log=log)
        source, target, registrar = (str(each / "sarakste.toml") for each in (*places, self.exchange / REGISTRAR))
        return ("registrar", "copy-log", source, target, "--config", registrar)

    def is_designed(self, told: str) -> bool:
        """Tell whether a person is told this because of what is done here: a newcomer is admitted before it is provisioned."""
        return _UNPROVISIONED.fullmatch(told) is not None

    def break_at_times(self) -> None:
        """Kill the broker and start it again, if its time has come."""
        if time.monotonic() >= self._next:
            (broker,) = self.cluster.brokers
            broker.end(signal.SIGKILL)
            broker.start()
            self.breaks += 1
            self._draw()

    @property
    def _servers(self) -> tuple[str, ...]:
        return ("--servers", self.cluster.servers, "--authority", str(self.cluster.authority.certificate))

    def _draw(self) -> None:
        self._next = time.monotonic() + self.rng.uniform(_SHORTEST_SECONDS, _LONGEST_SECONDS)


@contextmanager
def started_log(folder: Path) -> Iterator[Cluster]:
    """Start a broker in a folder, and end it. Raises: BrokerError, BrokerFilesError."""
    # What stands there is of an earlier run.
    shutil.rmtree(folder, ignore_errors=True)
    cluster = Cluster.make(folder.resolve(), HOME, quick=True)
    try:
        cluster.start()
        (cluster.folder / "servers").write_text(cluster.servers)
        yield cluster
    finally:
        cluster.stop()
