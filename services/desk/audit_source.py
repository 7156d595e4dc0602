"""A log as the commands of `sarakste audit` read it: verified first, with the keys that a participant's settings give."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final

import typer

from services.desk.audit_archive import Root_, source_of
from services.post.console import Config, as_text, progress, read_root
from services.wire.errors import SettingsError, VerificationError

if TYPE_CHECKING:
    from services.audit.event import Event
    from services.audit.grounds import Grounds
    from services.audit.keys import Keys
    from services.audit.passing import Signatures
    from services.audit.remembering import Memory
    from services.audit.reports.making import Report
    from services.audit.verify import Examined
    from services.auditor.disclosed import Disclosed
    from services.channel.port import Channel
    from services.post.office import Office
    from services.wire.avro import Schema
    from services.wire.certificates import Root
    from services.wire.events import AccessUse

__all__ = [
    "Config",
    "KeysOf",
    "Mandate",
    "Personal",
    "Reached",
    "Root_",
    "Source",
    "SourceFile",
    "Under",
    "auditor_of",
    "file_for",
    "opened",
    "reached",
    "under",
]

_AUDITOR: Final = "auditor-"

SourceFile = Annotated[
    Path | None,
    typer.Option(
        "--source", help="A log that is a file, an archive, or an exported folder; else the exchange that settings name."
    ),
]
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


def under(mandate: str | None, source: Path | None, config: Path | None, use: AccessUse) -> Under | None:
    """Return under which mandate something is looked at, from the options of a command; None under none.

    Raises: SettingsError if settings are given for nothing: they name the auditor of a mandate, or the exchange.
    """
    if mandate is not None:
        return Under(mandate, config, use)
    if source is not None and config is not None:
        raise SettingsError("--config names the auditor of --mandate; to read with a participant's keys alone, give --keys-of")
    return None


@dataclass(frozen=True, slots=True)
class Reached:
    """A log wherever it is, and whom it is held against; ``folder`` is that of an archive or of an exported one."""

    log: Channel
    root: Root
    there: Callable[[], Iterable[str]]
    folder: Path | None

    def examine(
        self, *, facts_keys: Iterable[bytes] = (), signatures: Signatures | None = None, memory: Memory | None = None
    ) -> Examined:
        """Verify the log, each signature if nothing else is said, and tell on the way how far it is.

        Raises: TransportError if it cannot be read.
        """
        from services.audit.passing import Signatures
        from services.audit.verify import examine_log
        from services.audit.verify_archive import examine_archive
        from services.desk.watching import Watched

        which, keys = signatures or Signatures.EACH, tuple(facts_keys)
        with progress("Verifying") as tell:
            watched = Watched(self.log, tell)
            if self.folder is not None:
                return examine_archive(
                    self.folder, watched, self.root, signatures=which, facts_keys=keys, memory=memory, tell=tell
                )
            return examine_log(watched, self.root, there=self.there(), signatures=which, facts_keys=keys, memory=memory)

    def events(self, examined: Examined, keys: Keys, *, with_personal: bool = False) -> Iterator[Event]:
        """Yield the events of the log, which was just examined, in their one order."""
        from services.audit.events import events_of
        from services.audit.opened_ahead import OpenedAhead

        if self.folder is None:
            yield from events_of(self.log, examined, keys, with_personal=with_personal)
            return
        with OpenedAhead(self.folder, keys) as ahead:
            yield from events_of(self.log, examined, keys, with_personal=with_personal, ahead=ahead)


@contextmanager
def reached(source: Path | None, root: Path | None, config: Path | None) -> Iterator[Reached]:
    """Reach a log: a folder, a file, or where settings say, a file or brokers.

    Raises: SettingsError (also where nothing says whom to trust), ChannelUnavailableError.
    """
    from services.audit.archive_reading import ArchiveChannel

    if source is None or not source.is_dir():
        trusted, log, there = source_of(source, root, config)
        with closing(log):
            yield Reached(log, trusted, there, None)
        return
    if root is None:
        raise SettingsError("a folder alone does not say whom to trust: give --root, the exchange's root certificate")
    with closing(ArchiveChannel(source)) as kept:
        yield Reached(kept, read_root(root), tuple, source)


@dataclass(frozen=True, slots=True)
class Source:
    """A log that was verified, and the keys that it is read with."""

    reached: Reached
    examined: Examined
    keys: Keys
    grounds: Grounds
    with_personal: bool = False

    @property
    def log(self) -> Channel:
        """The log."""
        return self.reached.log

    def events(self) -> Iterator[Event]:
        """Yield its events in their one order."""
        return self.reached.events(self.examined, self.keys, with_personal=self.with_personal)

    def reported(self, make: Callable[[Iterator[Event], Grounds], Report]) -> Report:
        """Make a report of its events, which names the newest checkpoint of each auditor that is over nothing but these."""
        from services.audit.checkpoints import Written
        from services.audit.log_ledger import checkpoints_in

        # The report reads every entry anyway: when each was written needs no reading of its own.
        written = Written.of(self.examined)
        made = make(written.noting(self.events()), self.grounds)
        grounds = replace(self.grounds, checkpoints=checkpoints_in(self.log, self.examined, written))
        return replace(made, grounds=grounds)

    def unknown_types(self) -> dict[str, Schema]:
        """Return the facts' schemas of types that stand published in the log and that this release does not know."""
        from services.wire.records import SchemaBook

        return SchemaBook(self.examined.trust.schemas).unknown_types()

    def tell(self, *, as_json: bool = False) -> None:
        """Say on stderr what an answer stands on, but where the answer itself says it; leave with a finding's exit code."""
        if not as_json:
            if not (self.keys.facts or self.keys.parts):
                # Else nothing found looks like nothing there.
                typer.echo("no key of facts is at hand (--keys-of says whose): only what was never sealed is read", err=True)
            typer.echo(as_text(self.grounds.told), err=True)
        if not self.grounds.is_clean:
            raise typer.Exit(VerificationError.exit_code)


@contextmanager
def opened(
    source: Path | None,
    root: Path | None,
    config: Path | None,
    keys_of: Path | None,
    *,
    with_personal: bool = False,
    mandate: Under | None = None,
) -> Iterator[Source]:
    """Verify a log, and give it for reading; under a mandate once that is found in it, and its use is recorded.

    Raises: SettingsError (also where what is personal is asked for without keys), RingError, ChannelUnavailableError;
    RefusedError and DisclosureError where nothing may be read under the mandate.
    """
    from services.audit.grounds import grounds_of

    if with_personal and keys_of is None and mandate is None:
        raise SettingsError("--personal opens what is personal with the keys of cases: say whose, with --keys-of, or a --mandate")
    reading = _Mandated.of(mandate, keys_of) if mandate is not None else None
    with reached(source, root, config) as found:
        keys = reading.keys if reading is not None else _keys_of(keys_of, with_personal=with_personal)
        examined = found.examine(facts_keys=keys.facts.values())
        if reading is not None:
            reading.record(found.log, examined)
        yield Source(found, examined, keys, grounds_of(examined), with_personal)


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
        from services.auditor.mandates import open_mandate

        if keys_of is not None:
            raise SettingsError("--mandate reads with the keys of the auditor that has it: leave --keys-of out")
        office = auditor_of(under.config, "--mandate is used by the auditor that has it")
        mandate = open_mandate(office, under.mandate)
        held = Keys.of(office.ring.facts_keys(), erased=office.ring.erased())
        return cls(office, mandate, under.use, replace(held, parts=mandate.keys))

    def record(self, log: Channel, examined: Examined) -> None:
        from services.audit.mandates import require_mandate
        from services.auditor.mandates import note_use

        require_mandate(log, examined, self.keys, self.mandate.channel, self.mandate.name)
        note_use(self.office, self.mandate, self.use)


def auditor_of(config: Path | None, why: str) -> Office:
    """Return the auditor that settings name; ``why`` says to a person what it is wanted for.

    Raises: SettingsError, also where they are those of somebody else; what building it raises.
    """
    from services.auditor.bootstrap import build
    from services.post.settings import load_settings

    participant = load_settings(config).participant
    if not participant.startswith(_AUDITOR):
        raise SettingsError(f"{why}: name its settings with --config; these are those of {participant}")
    return build(config).office


@contextmanager
def file_for(path: Path) -> Iterator[BinaryIO]:
    """Give a file for an answer, which is there once it is whole, and which only its owner reads: facts were sealed.

    Raises: SettingsError if it cannot be written, or something else than a file stands there.
    """
    if not path.name:
        raise SettingsError(f"{path} names a folder and no file")
    part = path.with_name(f".{path.name}.part")
    try:
        # The file takes the place of what stands there: a device would be gone for everybody, and so would a link.
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise SettingsError(f"{path} is a folder, a link or a device, and no file to write")
        # Nothing that stands there already, as a link that somebody else put there, is written through.
        part.unlink(missing_ok=True)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:  # noqa: PTH123  # with its mode from the first
            yield file
        part.replace(path)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _keys_of(path: Path | None, *, with_personal: bool) -> Keys:
    from services.audit.keys import NO_KEYS, Keys
    from services.post.building import reading_keys_of
    from services.post.settings import load_settings

    if path is None:
        return NO_KEYS
    held = reading_keys_of(load_settings(path), with_cases=with_personal)
    return Keys.of(held.facts, held.cases, held.erased)
