"""Settings of a participant: one TOML file, and variables of the environment that overrule it.

Read in entrypoints only. A message names the variable and what would be right.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, Field, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from services.wire.errors import SettingsError

__all__ = ["ParticipantSettings", "load_settings"]

_PREFIX: Final = "SARAKSTE_"
_DEFAULT: Final = "sarakste.toml"


def _place(path: Path) -> Path:
    if "\0" in str(path):
        raise PydanticCustomError("path", "no path holds a zero byte; write it again")
    return path


Place = Annotated[Path, AfterValidator(_place)]


class ParticipantSettings(BaseSettings):
    """Who this is, and where its log and root certificate are; relative paths are taken from the file's folder."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="forbid")
    file: ClassVar[Path] = Path(_DEFAULT)

    participant: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,47}$")]
    log: Place
    root: Place
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

    @property
    def folder(self) -> Path:
        """The participant's folder: that of its settings file."""
        return self.file.parent

    def path(self, given: Path) -> Path:
        """Return a path of these settings as it stands from here."""
        return given if given.is_absolute() else self.folder / given


def load_settings(file: Path | None) -> ParticipantSettings:
    """Return the settings in ``file``, else in the file that SARAKSTE_CONFIG names, else in ./sarakste.toml.

    Raises: SettingsError if there is no such file, or a value is missing or wrong.
    """
    chosen = (file or Path(os.environ.get(f"{_PREFIX}CONFIG", _DEFAULT))).resolve()
    if not chosen.is_file():
        raise SettingsError(f"there is no settings file {chosen.name}; give --config FILE or set {_PREFIX}CONFIG")
    kind = type("_Settings", (ParticipantSettings,), {"file": chosen, "__annotations__": {}, "__module__": __name__})
    try:
        found: ParticipantSettings = kind()
    except ValidationError as error:
        lines = (
            f"{_PREFIX}{'_'.join(map(str, each['loc'])).upper()} ({each['loc'][-1]} in {chosen.name}): {each['msg']}"
            for each in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError("; ".join(lines)) from None
    except ValueError as error:
        raise SettingsError(f"{chosen.name} is no TOML: {error}") from None
    return found
