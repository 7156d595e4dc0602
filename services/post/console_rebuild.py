"""The command that makes cases anew, from their events or, with a database of its own beside, from the channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from services.post.console import Config, Json, progress, say
from services.wire.errors import VerificationError

if TYPE_CHECKING:
    from services.post.from_channels import Comparison
    from services.post.office import Office

__all__ = ["add_rebuild"]

_FROM_CHANNELS = "Make all cases once more from nothing but channels and keys, beside the database, and compare them with it."


def add_rebuild(
    app: typer.Typer,
    office_of: Callable[[Path | None, bool], Office],
    again: Callable[[Path | None, Path], Office] | None,
) -> None:
    """Add the command; ``again`` gives an office over an empty database in a folder, where cases can come from channels."""

    @app.command()
    def rebuild(
        config: Config = None,
        from_channels: Annotated[bool, typer.Option("--from-channels", help=_FROM_CHANNELS)] = False,
        as_json: Json = False,
    ) -> None:
        """Make the list of cases anew from their events, and say what was different."""
        from services.post.rebuilding import rebuild as rebuilt

        if from_channels and again is not None:
            _tell(_compared(office_of(config, False), again, config), as_json=as_json)
            return
        with progress("Rebuilding cases") as tell:
            number, different = rebuilt(office_of(config, False), tell)
        text = f"{number} cases rebuilt from their events; {len(different)} were different"
        say(text, as_json=as_json, cases=number, different=different)


def _compared(here: Office, again: Callable[[Path | None, Path], Office], config: Path | None) -> Comparison:
    from services.post.from_channels import compare_with_channels

    # Beside the database: on a disk that may hold what stands in it, and under its rights.
    with TemporaryDirectory(prefix=".rebuild-", dir=here.database.path.parent) as folder, progress("Reading the channels"):
        other = again(config, Path(folder))
        try:
            return compare_with_channels(here, other)
        finally:
            if other.channel is not None:
                other.channel.close()
            other.database.close()


def _tell(found: Comparison, *, as_json: bool) -> None:
    parts = [f"{found.cases} cases made from the channels; {len(found.different)} are different here"]
    if found.unsent:
        parts.append(f"{len(found.unsent)} wait for their way into the log, look again when it is sent")
    if found.behind:
        parts.append(f"{len(found.behind)} have gone on in the log, look again when that is received")
    if found.unread:
        parts.append(f"{len(found.unread)} have something in a channel that is not whole, nothing is said of these")
    parts += [f"not whole: {each.channel}: {each.what}: {each.advice}" for each in found.damaged]
    parts += [f"not said: {case}" for case in found.unread]
    parts += [f"different: {case}" for case in found.different]
    say("\n".join(parts), as_json=as_json, **asdict(found))
    if found.different or found.damaged:
        raise typer.Exit(VerificationError.exit_code)
