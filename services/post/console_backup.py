"""Commands that back up and restore a participant's folder; what they say is written for whoever has just lost something."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from services.post.console import Config, Json, say
from services.wire.errors import SettingsError

if TYPE_CHECKING:
    from services.post.backing_up import Backup
    from services.post.restoring import Restored

__all__ = ["add_backup"]

_HOLDS: Final = {
    "database.sqlite": "cases, letterbook and keys; what is personal and every key in it is sealed",
    "ring.file": "all keys, sealed, and how far your channels went",
    "sarakste.toml": "the settings",
    "certificate.pem": "your certificate; public",
    "root.pem": "the exchange's root certificate; public",
}
_LACKS: Final = {
    "ring.key": "opens all of this. Keep one copy on a medium of its own, in a safe, and never beside a backup",
    "signing.key": "signs in your name. Keep it as the ring key, or not at all: if it is lost, another one is certified",
    "the log": "belongs to the exchange, and holds no key",
}


def add_backup(app: typer.Typer) -> None:
    """Add the commands backup and restore."""
    _add_backup(app)
    _add_restore(app)


def _add_backup(app: typer.Typer) -> None:
    @app.command()
    def backup(
        folder: Annotated[Path, typer.Argument(help="The folder to make; one that is there is never written over.")],
        config: Config = None,
        as_json: Json = False,
    ) -> None:
        """Copy database and ring file as they are at this moment, while everything runs, without any key that opens them."""
        from services.post.backing_up import back_up
        from services.post.building import milliseconds
        from services.post.settings import load_settings

        made = back_up(load_settings(config), folder, clock=milliseconds)
        text = "\n".join(_backup_lines(folder, made))
        say(text, as_json=as_json, participant=made.participant, made=folder.name, files=list(made.files), left_out=list(_LACKS))


def _add_restore(app: typer.Typer) -> None:
    @app.command()
    def restore(
        folder: Annotated[Path | None, typer.Argument(help="A backup that `backup` made; or give --from-log.")] = None,
        from_log: Annotated[
            bool, typer.Option("--from-log", help="There is no backup: begin with an empty database, which the log fills.")
        ] = False,
        keys_lost: Annotated[
            bool,
            typer.Option(
                "--keys-lost",
                help="No better ring key or ring file will come: ask others for the keys they have, and go on without the rest.",
            ),
        ] = False,
        config: Config = None,
        as_json: Json = False,
    ) -> None:
        """Put a backup in the place of what was lost; the next start of the worker takes back what the log holds."""
        from services.post.building import milliseconds
        from services.post.restoring import restore as restored
        from services.post.settings import load_settings

        if (folder is None) != from_log:
            raise SettingsError("give either a backup, or --from-log where there is none")
        done = restored(load_settings(config), folder, keys_lost=keys_lost, clock=milliseconds)
        text = "\n".join(_restored_lines(done, keys_lost=keys_lost))
        say(
            text,
            as_json=as_json,
            participant=done.participant,
            ends_at=done.ends_at,
            ring_file=done.ring_file,
            new_ring_key=done.has_new_ring_key,
            set_aside=done.set_aside,
        )


def _backup_lines(folder: Path, made: Backup) -> list[str]:
    from services.post.office import when_of

    return [
        f"{folder.name}: {made.participant} as it was at {when_of(made.made_at)}",
        *(f"  in it      {name:<16} {_HOLDS[name]}" for name in made.files),
        *(f"  not in it  {name:<16} {what}" for name, what in _LACKS.items()),
    ]


def _restored_lines(done: Restored, *, keys_lost: bool) -> list[str]:
    from services.post.office import when_of

    is_empty = not done.ends_at
    what = "an empty database" if is_empty else f"the database, which ends at {when_of(done.ends_at)},"
    lines = [f"{done.participant}: {what} is in place; ring file: {done.ring_file}"]
    if done.has_new_ring_key:
        lines.append("  ring.key is new: copy it to a medium of its own now")
    if done.set_aside:
        lines.append(f"  what stood there before is in {done.set_aside}; delete it when all is well")
    since = "What had reached no log" if is_empty else "What was saved after that and had reached no log"
    lines += [
        "  Now start the worker. It takes back what the log holds, in its order; until that is over, nothing can be done here.",
        f"  {since} is lost, and so are drafts: enter it again.",
    ]
    if keys_lost:
        lines.append(
            "  Keys that others were given are asked back from them. What stands in your own record under keys that are lost"
            " (applications, consents, addresses; register, plans, recommendations) never opens again."
        )
    return lines
