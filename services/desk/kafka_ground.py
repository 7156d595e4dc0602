"""The log of an exchange on the brokers of a cluster whose authority is at hand, as `make kafka-up` starts one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.channel.copying import copy_channels
from services.channel.embedded import EmbeddedChannel
from services.channel.kafka import KafkaAccess, KafkaChannel
from services.channel.kafka_certificates import Authority
from services.channel.port import Channel
from services.post.building import milliseconds
from services.post.settings import KafkaSettings
from services.registrar.bootstrap import provisioning
from services.registrar.provisioning import wanted_for
from services.wire.errors import SettingsError
from services.wire.trust import Participant

__all__ = ["KafkaGround"]

_ADMIN: Final = "admin"


@dataclass(slots=True)
class KafkaGround:
    """A cluster in ``cluster``: the file ``servers``, and ``tls`` with its authority and an administrator's certificate.

    ``folder`` is that of the exchange; a copy of the log is made in it when somebody asks for one.
    Raises: SettingsError if no cluster is there.
    """

    cluster: Path
    folder: Path
    _channels: list[str] = field(default_factory=list)
    _open: KafkaChannel | None = None

    def __post_init__(self) -> None:
        if not (self.cluster / "servers").is_file():
            raise SettingsError(f"no brokers were started in {self.cluster}: `make kafka-up` starts them")

    @property
    def servers(self) -> str:
        """Where the brokers are."""
        return (self.cluster / "servers").read_text("ascii").strip()

    @property
    def name(self) -> str:
        """The brokers' addresses."""
        return f"the brokers at {self.servers}"

    def settings(self, participant: str) -> KafkaSettings:
        """Return how a participant reaches the brokers, with a certificate that is made for it now.

        Whoever shows an exchange has all its keys at hand anyway; in life each participant makes its own.
        """
        made = self._authority.issue(participant)
        return KafkaSettings(servers=self.servers, authority=self._authority.certificate.resolve(), certificate=made.resolve())

    def prepare(self, participants: Sequence[Participant]) -> None:
        """Provision topics and rights for the participants. Raises: TransportError."""
        wanted = wanted_for(participants, 1)
        self._channels = sorted(wanted.topics)
        access = {"authority": self._authority.certificate, "certificate": self._admin}
        provisioning(participants, servers=self.servers, **access).provision()

    def look(self) -> AbstractContextManager[Channel]:
        """Reach the brokers as their administrator; the connection is kept for the next look."""
        if self._open is None:
            access = KafkaAccess(servers=self.servers, authority=self._authority.certificate, certificate=self._admin)
            self._open = KafkaChannel(access, client=_ADMIN)
        return nullcontext(self._open)

    def close(self) -> None:
        """Give the connection back."""
        if self._open is not None:
            self._open.close()

    def copy(self) -> Path:
        """Copy all that the brokers hold into a file in the exchange's folder, in place of an earlier copy."""
        path = self.folder / "log.sqlite"
        for each in self.folder.glob("log.sqlite*"):
            each.unlink()
        with self.look() as source, closing(EmbeddedChannel(path, clock=milliseconds)) as target:
            copy_channels(source, target, self._channels)
        return path

    @property
    def _authority(self) -> Authority:
        return Authority(self.cluster / "tls")

    @property
    def _admin(self) -> Path:
        return self.cluster / "tls" / f"{_ADMIN}.pem"
