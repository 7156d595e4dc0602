"""Settings of a participant: one TOML file, and variables of the environment that overrule it.

Read in entrypoints only. A message names the variable and what would be right.
"""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from services.wire.errors import SettingsError

__all__ = ["HealthSettings", "KafkaSettings", "LoggingSettings", "ParticipantSettings", "SchoolSettings", "load_settings"]

_PREFIX: Final = "SARAKSTE_"
_DEFAULT: Final = "sarakste.toml"
_LAST_PORT: Final = 65535
_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST: Final = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")


def _place(path: Path) -> Path:
    if "\0" in str(path):
        raise PydanticCustomError("path", "no path holds a zero byte; write it again")
    return path


Place = Annotated[Path, AfterValidator(_place)]


def _servers(text: str) -> str:
    for each in text.split(","):
        host, _, port = each.rpartition(":")
        if _HOST.fullmatch(host) is None or not port.isascii() or not port.isdecimal() or not 0 < int(port) <= _LAST_PORT:
            raise PydanticCustomError("servers", "write host:port of each broker, separated by commas, as broker-1:9092")
    return text


class KafkaSettings(BaseModel):
    """How the brokers are reached: ``servers`` are host:port, separated by commas.

    ``authority`` holds the certificates by which brokers are trusted, ``certificate`` this participant's key and certificate for
    TLS; both or, for brokers without TLS, none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    servers: Annotated[str, AfterValidator(_servers)]
    authority: Place | None = None
    certificate: Place | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.authority is None) != (self.certificate is None):
            raise PydanticCustomError("tls", "give authority and certificate, or, for brokers without TLS, neither")
        return self


class HealthSettings(BaseModel):
    """Where a worker can be asked how it is: ``listen`` is an address and a port, ``127.0.0.1:9464`` or ``[::1]:9464``.

    Who asks is not asked who he is: an address that other machines reach needs ``allow_insecure_network``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    listen: Annotated[str, StringConstraints(pattern=r"^([0-9.]{7,15}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}$")]
    allow_insecure_network: bool = False

    @property
    def address(self) -> tuple[str, int]:
        """The address and the port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    @model_validator(mode="after")
    def _there_and_near(self) -> Self:
        host, port = self.address
        try:
            is_near = ipaddress.ip_address(host).is_loopback
        except ValueError:
            raise PydanticCustomError("listen", "there is no such address; 127.0.0.1 is this machine") from None
        if not 0 < port <= _LAST_PORT:
            raise PydanticCustomError("listen", "a port is a number from 1 to 65535")
        if not is_near and not self.allow_insecure_network:
            raise PydanticCustomError("listen", "other machines could ask too; set allow_insecure_network if they may")
        return self


class LoggingSettings(BaseModel):
    """How a worker logs: ``json``, a line an object; ``text``, a sentence; ``auto``, text on a terminal and JSON elsewhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["auto", "json", "text"] = "auto"


class SchoolSettings(BaseModel):
    """What a school settles for itself in the procedure; of no meaning to other participants.

    ``rules`` names the rule set that new cases are judged by, None the one that this product goes by. ``contest_instruction`` is
    the sentence on how to contest a refusal, which depends on who founded the school. ``require_irp_copy_before_decision`` asks
    in variant b.2 for a copy of the plan before the school decides. ``strict_experience`` asks of an assistant for work and
    contact experience with people with disability; without it one of both is enough. ``escalation_contact`` is to
    whom the school turns where the commission owes an answer after a reminder too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: str | None = None
    contest_instruction: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = None
    require_irp_copy_before_decision: bool = False
    strict_experience: bool = False
    escalation_contact: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None


class ParticipantSettings(BaseSettings):
    """Who this is, and where its log and root certificate are; relative paths are taken from the file's folder.

    The log is a file (``log``) or stands on brokers (the table ``kafka``). ``expertise`` is the commission's register of
    expertise files, a CSV file or a SQLite database; without it a person looks into the files. ``clerk`` is the reference of
    whoever works with it, never a name; what they enter says so. ``approve_auditors`` says at a school and the
    commission whether a person decides which auditor is given facts keys, or whoever the registrar admits is.
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid")
    file: ClassVar[Path] = Path(_DEFAULT)

    approve_auditors: Literal["ask", "always"] = "ask"
    participant: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,47}$")]
    log: Place | None = None
    kafka: KafkaSettings | None = None
    health: HealthSettings | None = None
    logging: LoggingSettings = LoggingSettings()
    school: SchoolSettings = SchoolSettings()
    clerk: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")] | None = None
    root: Place
    expertise: Place | None = None
    busy_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the library's signature
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the environment before the file; nothing else is read."""
        return (env_settings, TomlConfigSettingsSource(settings_cls, cls.file))

    @model_validator(mode="after")
    def _one_log(self) -> Self:
        if (self.log is None) == (self.kafka is None):
            raise PydanticCustomError("log", "give log, the path of a file, or the table kafka, and not both")
        return self

    @property
    def folder(self) -> Path:
        """The participant's folder: that of its settings file."""
        return self.file.parent

    @property
    def tls(self) -> Path | None:
        """The file of the client certificate for brokers, None without one."""
        return self.path(self.kafka.certificate) if self.kafka is not None and self.kafka.certificate is not None else None

    def path(self, given: Path) -> Path:
        """Return a path of these settings as it stands from here."""
        return given if given.is_absolute() else self.folder / given


def load_settings(file: Path | None) -> ParticipantSettings:
    """Return the settings in ``file``, else in the file that SARAKSTE_CONFIG names, else in ./sarakste.toml.

    Raises: SettingsError if there is no such file, or a value is missing or wrong.
    """
    # Not Path.resolve: before Python 3.13 that has an error of its own for links that lead in a circle.
    chosen = Path(os.path.realpath(file or os.environ.get(f"{_PREFIX}CONFIG", _DEFAULT)))
    if chosen.is_symlink():
        raise SettingsError(f"{file or chosen.name} is a link that leads in a circle, to no settings file")
    if chosen.is_dir():
        raise SettingsError(f"{chosen.name} is a folder, and no settings file: name the file in it, as {chosen.name}/{_DEFAULT}")
    if not chosen.is_file():
        how = "" if file is not None else f"; give --config FILE or set {_PREFIX}CONFIG"
        raise SettingsError(f"there is no settings file {file or chosen.name}{how}")
    kind = type("_Settings", (ParticipantSettings,), {"file": chosen, "__annotations__": {}, "__module__": __name__})
    try:
        found: ParticipantSettings = kind()
    except ValidationError as error:
        lines = (
            f"{_PREFIX}{'__'.join(map(str, each['loc'])).upper()} ({each['loc'][-1]} in {chosen.name}): {each['msg']}"
            if each["loc"]
            else f"{_PREFIX}LOG (log in {chosen.name}): {each['msg']}"
            for each in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError("; ".join(lines)) from None
    except ValueError as error:
        raise SettingsError(f"{chosen.name} is no TOML: {error}") from None
    return found
