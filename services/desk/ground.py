"""What the log of an exchange stands on, for who founds one or looks into one: a file beside it, or brokers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.audit.verify import open_log
from services.channel.port import Channel
from services.post.settings import KafkaSettings
from services.registrar.bootstrap import FILE
from services.wire.trust import Participant

__all__ = ["FileGround", "Ground"]


class Ground(Protocol):
    """Where the log is, and how it is reached."""

    @property
    def name(self) -> str:
        """What a person knows it by."""
        ...

    def settings(self, participant: str) -> Path | KafkaSettings:
        """Return what a participant's settings say of the log: a path from its folder, or how it reaches the brokers."""
        ...

    def prepare(self, participants: Sequence[Participant]) -> None:
        """Make ready what has to be there before anybody writes."""
        ...

    def look(self) -> AbstractContextManager[Channel]:
        """Open the log to look into it."""
        ...

    def copy(self) -> Path:
        """Return a file that holds all records of the log: the log itself where that is a file."""
        ...

    def close(self) -> None:
        """Give back what looking has opened."""
        ...


@dataclass(frozen=True, slots=True)
class FileGround:
    """The embedded log in the folder of an exchange."""

    folder: Path

    @property
    def name(self) -> str:
        """The path of the file, from the folder above the exchange."""
        return f"{self.folder.name}/log.sqlite"

    def settings(self, participant: str) -> Path:  # noqa: ARG002  # the Protocol's
        """Return the path from any participant's folder."""
        return FILE

    def prepare(self, participants: Sequence[Participant]) -> None:
        """Do nothing: the file is made by who writes first."""

    def look(self) -> AbstractContextManager[Channel]:
        """Open the file for reading alone."""
        return closing(open_log(self.copy()))

    def copy(self) -> Path:
        """Return the file itself."""
        return self.folder / "log.sqlite"

    def close(self) -> None:
        """Do nothing: each look closes the file."""
