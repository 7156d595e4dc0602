"""A log as the commands of `sarakste audit` read it: verified first, with the keys that a participant's settings give."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
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
    from services.auditor.disclosed import Disclosed
    from services.channel.port import Channel
    from services.post.office import Office
    from services.wire.events import AccessUse

__all__ = ["KeysOf", "Mandate", "Personal", "RootFile", "Source", "SourceFile", "Under", "file_for", "opened", "under"]

SourceFile = Annotated[Path, typer.Option("--source", help="The log, as a file, or an archive, or an exported folder.")]
RootFile = Annotated[Path, typer.Option("--root", help="The exchange's root certificate.")]
KeysOf = Annotated[
    Path | None,
    typer.Option("--keys-of", help="A participant's settings: what is read is what its keys open; else open entries."),
]
Personal = Annotated[
    bool,
    typer.Option(
        "--personal", help="Open what is personal too, where a key of it is held: an auditor has none but under a mandate."
    ),
]
Mandate = Annotated[
    str | None,
    typer.Option("--mandate", help="Also with the keys of single parts under this mandate; the use is recorded first."),
]


@dataclass(frozen=True, slots=True)
class Under:
    """A mandate under which something is looked at: how it is named, the auditor's settings, and what is done."""

    mandate: str
    config: Path | None
    use: AccessUse


def under(mandate: str | None, config: Path | None, use: AccessUse) -> Under | None:
    """Return under which mandate something is looked at, from the options of a command; None under none.

    Raises: SettingsError if settings are given for nothing.
    """
    if mandate is None and config is not None:
        raise SettingsError("--config names the auditor of --mandate; to read with a participant's keys alone, give --keys-of")
    return Under(mandate, config, use) if mandate is not None else None


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
def opened(
    source: Path, root: Path, keys_of: Path | None, *, with_personal: bool = False, mandate: Under | None = None
) -> Iterator[Source]:
    """Verify a log, and give it for reading; under a mandate once that is found in it, and its use is recorded.

    Raises: SettingsError (also where what is personal is asked for without keys), RingError, ChannelUnavailableError;
    RefusedError and DisclosureError where nothing may be read under the mandate.
    """
    from services.audit.archive_reading import ArchiveChannel
    from services.audit.grounds import grounds_of
    from services.audit.verify import channels_in, examine_log, open_log
    from services.audit.verify_archive import examine_archive
    from services.desk.watching import Watched
    from services.wire.certificates import load_root

    if with_personal and keys_of is None and mandate is None:
        raise SettingsError("--personal opens what is personal with the keys of cases: say whose, with --keys-of, or a --mandate")
    reading = _Mandated.of(mandate, keys_of) if mandate is not None else None
    trusted = load_root(read_file(root))
    keys = reading.keys if reading is not None else _keys_of(keys_of, with_personal=with_personal)
    with closing(ArchiveChannel(source) if source.is_dir() else open_log(source)) as log:
        with progress("Verifying") as tell:
            watched, facts = Watched(log, tell), keys.facts.values()
            if source.is_dir():
                examined = examine_archive(source, watched, trusted, facts_keys=facts, tell=tell)
            else:
                examined = examine_log(watched, trusted, there=channels_in(source), facts_keys=facts)
        if reading is not None:
            reading.record(log, examined)
        yield Source(log, examined, keys, grounds_of(examined), with_personal)


@dataclass(frozen=True, slots=True)
class _Mandated:
    """An auditor that reads under a mandate: what it opens with, and its record, which says so before anything is shown."""

    office: Office
    mandate: Disclosed
    use: AccessUse
    keys: Keys

    @classmethod
    def of(cls, under: Under, keys_of: Path | None) -> _Mandated:
        from services.audit.keys import Keys
        from services.auditor.bootstrap import build
        from services.auditor.mandates import open_mandate

        if keys_of is not None:
            raise SettingsError("--mandate reads with the keys of the auditor that has it: leave --keys-of out")
        office = build(under.config).office
        mandate = open_mandate(office, under.mandate)
        held = Keys.of(office.ring.facts_keys(), erased=office.ring.erased())
        return cls(office, mandate, under.use, replace(held, parts=mandate.keys))

    def record(self, log: Channel, examined: Examined) -> None:
        from services.audit.mandates import require_mandate
        from services.auditor.mandates import note_use

        require_mandate(log, examined, self.keys, self.mandate.channel, self.mandate.body)
        note_use(self.office, self.mandate, self.use)


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
