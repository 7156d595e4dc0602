"""A log as the commands of `sarakste audit` read it: verified first, with the keys that a participant's settings give."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from services.post.console import as_text, progress, read_file
from services.wire.errors import SettingsError, VerificationError

if TYPE_CHECKING:
    from services.audit.event import Event
    from services.audit.grounds import Grounds
    from services.audit.keys import Keys
    from services.audit.verify import Examined
    from services.channel.port import Channel

__all__ = ["KeysOf", "Personal", "RootFile", "Source", "SourceFile", "file_for", "opened"]

SourceFile = Annotated[Path, typer.Option("--source", help="The log, as a file, or an archive, or an exported folder.")]
RootFile = Annotated[Path, typer.Option("--root", help="The exchange's root certificate.")]
KeysOf = Annotated[
    Path | None,
    typer.Option("--keys-of", help="A participant's settings: what is read is what its keys open; else open entries."),
]
Personal = Annotated[
    bool, typer.Option("--personal", help="Open what is personal too, where the keys of its case are held: never an auditor's.")
]


@dataclass(frozen=True, slots=True)
class Source:
    """A log that was verified, and the keys that it is read with."""

    log: Channel
    examined: Examined
    keys: Keys
    grounds: Grounds
    with_personal: bool = False

    def events(self) -> Iterator[Event]:
        """Return its events in their one order."""
        from services.audit.events import events_of

        return events_of(self.log, self.examined, self.keys, with_personal=self.with_personal)

    def tell(self, *, as_json: bool = False) -> None:
        """Say on stderr what an answer stands on, but where the answer itself says it; leave with a finding's exit code."""
        if not as_json:
            typer.echo(as_text(self.grounds.told), err=True)
        if not self.grounds.is_clean:
            raise typer.Exit(VerificationError.exit_code)


@contextmanager
def opened(source: Path, root: Path, keys_of: Path | None, *, with_personal: bool = False) -> Iterator[Source]:
    """Verify a log, and give it for reading.

    Raises: SettingsError (also where what is personal is asked for without keys), RingError, ChannelUnavailableError.
    """
    from services.audit.archive_reading import ArchiveChannel
    from services.audit.grounds import grounds_of
    from services.audit.verify import channels_in, examine_log, open_log
    from services.audit.verify_archive import examine_archive
    from services.desk.watching import Watched
    from services.wire.certificates import load_root

    if with_personal and keys_of is None:
        raise SettingsError("--personal opens what is personal with the keys of cases: say whose, with --keys-of")
    trusted, keys = load_root(read_file(root)), _keys_of(keys_of, with_personal=with_personal)
    with closing(ArchiveChannel(source) if source.is_dir() else open_log(source)) as log:
        with progress("Verifying") as tell:
            watched, facts = Watched(log, tell), keys.facts.values()
            if source.is_dir():
                examined = examine_archive(source, watched, trusted, facts_keys=facts)
            else:
                examined = examine_log(watched, trusted, there=channels_in(source), facts_keys=facts)
        yield Source(log, examined, keys, grounds_of(examined), with_personal)


@contextmanager
def file_for(path: Path) -> Iterator[BinaryIO]:
    """Give a file for an answer, which is there once it is whole, and which only its owner reads: facts were sealed.

    Raises: SettingsError if it cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        # Nothing that stands there already, as a link that somebody else put there, is written through.
        part.unlink(missing_ok=True)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:  # noqa: PTH123  # with its mode from the first
            yield file
        part.replace(path)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _keys_of(path: Path | None, *, with_personal: bool) -> Keys:
    from services.audit.keys import NO_KEYS, Keys
    from services.post.building import reading_keys_of
    from services.post.settings import load_settings

    if path is None:
        return NO_KEYS
    held = reading_keys_of(load_settings(path), with_cases=with_personal)
    return Keys.of(held.facts, held.cases, held.erased)
