"""`sarakste audit`: keeping an archive of an exchange, and moving it by disk."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.post.console import Config, Json, as_text, progress, read_root, say
from services.wire.errors import SettingsError, TransportError

if TYPE_CHECKING:
    from services.audit.mirroring import Mirror
    from services.channel.port import Channel
    from services.wire.certificates import Root

__all__ = ["Root_", "register", "require_file", "require_one", "source_of"]

Root_ = Annotated[Path | None, typer.Option("--root", help="The exchange's root certificate; settings name it already.")]
Log = Annotated[Path | None, typer.Option("--log", help="The exchange's log, where it is a file; else settings say where it is.")]

_LOOK_SECONDS = 1.0
_AGAIN_SECONDS = 5.0
_WHOLE_SECONDS = 60.0


def register(app: typer.Typer) -> None:
    """Add the commands that keep and move archives."""
    app.command()(mirror)
    app.command(name="export")(export)
    app.command(name="import")(import_)


def mirror(
    archive: Annotated[Path, typer.Argument(help="The archive's folder; it is made if it is not there.")],
    log: Log = None,
    root: Root_ = None,
    config: Config = None,
    once: Annotated[bool, typer.Option("--once", help="Take what there is, and leave.")] = False,
    as_json: Json = False,
) -> None:
    """Follow all channels of an exchange into ARCHIVE, without their personal parts, until told to stop (Ctrl-C or SIGTERM)."""
    from services.audit.archive import Archive
    from services.audit.mirroring import Mirror
    from services.desk.watching import Watched
    from services.post.building import milliseconds

    told: list[str] = []
    stop = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stop.set())
    require_one(log, config)
    trusted, source, there = source_of(log, root, config)
    with (
        closing(source),
        Archive.open(archive, trusted.digest, partial(_tell, told, as_json=as_json)) as opened,
        progress("Mirroring", shown=once) as bar,
    ):
        following = Mirror(Watched(source, bar), opened, trusted, milliseconds, opened.told, there)
        if once:
            following.catch_up()
        else:
            _follow(following, stop)
    text = f"{following.taken} records of {len(following.channels)} channels were added; personal parts are left out"
    say(text, as_json=as_json, taken=following.taken, channels=len(following.channels), personal="left out", told=told)


def export(
    archive: Annotated[Path, typer.Argument(help="An archive, as `audit mirror` keeps one.")],
    folder: Annotated[Path, typer.Argument(help="The folder to make.")],
    as_json: Json = False,
) -> None:
    """Copy ARCHIVE into a new FOLDER, for somebody else to verify."""
    from services.audit.moving import export_archive

    records = export_archive(archive, folder)
    say(f"{records} records were copied; export.json names each file with its SHA-256", as_json=as_json, records=records)


def import_(
    folder: Annotated[Path, typer.Argument(help="What `audit export` made, or another archive.")],
    archive: Annotated[Path, typer.Argument(help="The archive that takes it in; it is made if it is not there.")],
    as_json: Json = False,
) -> None:
    """Take what an exported FOLDER holds, and ARCHIVE lacks, into ARCHIVE; one that is not there is made."""
    from services.audit.archive import Archive
    from services.audit.archive_layout import exchange_of
    from services.audit.moving import import_archive
    from services.post.building import milliseconds
    from services.wire.hashing import Digest

    told: list[str] = []
    exchange = Digest(bytes.fromhex(exchange_of(folder)))
    with (
        Archive.open(archive, exchange, partial(_tell, told, as_json=as_json)) as opened,
        progress("Importing") as bar,
    ):
        taken = import_archive(folder, opened, bar, now=milliseconds())
    text = f"{taken} records were added; nobody has verified them yet: `sarakste audit verify` does"
    say(text, as_json=as_json, taken=taken, told=told)


def _follow(following: Mirror, stop: threading.Event) -> None:
    looked = -math.inf
    while not stop.is_set():
        try:
            # What is new shows itself; that something is gone, or a channel can be read again, shows when it is looked for.
            if time.monotonic() - looked > _WHOLE_SECONDS or following.wait(_LOOK_SECONDS):
                following.catch_up()
                looked = time.monotonic()
        except TransportError as error:
            if not error.retriable:
                raise
            following.told(f"{error}; it is tried again")
            stop.wait(_AGAIN_SECONDS)


def _tell(told: list[str], text: str, *, as_json: bool) -> None:
    told.append(text)
    if not as_json:
        typer.echo(as_text(text), err=True)


def require_one(log: Path | None, config: Path | None) -> None:
    """Return if not both a log and settings say what is read: one of them would be ignored. Raises: SettingsError."""
    if log is not None and config is not None:
        raise SettingsError("a log and --config both say what is read here: leave one of them out")


def require_file(log: Path) -> None:
    """Return if a log that a person named is a file; one that settings name may be away for a while, and then does not answer.

    Raises: SettingsError.
    """
    if not log.exists():
        raise SettingsError(f"there is nothing at {log}")
    if not log.is_file():
        # A pipe would be waited for, and a folder is taken by those who read archives alone.
        what = "a folder; `sarakste audit verify` reads archives" if log.is_dir() else "no file"
        raise SettingsError(f"{log} is {what}")


def source_of(log: Path | None, root: Path | None, config: Path | None) -> tuple[Root, Channel, Callable[[], Iterable[str]]]:
    """Return the root, the log, and what gives the names in it where somebody can tell."""
    from services.audit.verify import channels_in, open_log
    from services.post.building import open_log as open_theirs
    from services.post.settings import load_settings

    if log is not None:
        if root is None:
            raise SettingsError("a log alone does not say whom to trust: give --root, the exchange's root certificate")
        require_file(log)
        return read_root(root), open_log(log), partial(channels_in, log)
    settings = load_settings(config)
    trusted = read_root(root or settings.path(settings.root))
    if settings.log is not None:
        path = settings.path(settings.log)
        return trusted, open_log(path), partial(channels_in, path)
    return trusted, open_theirs(settings), tuple
