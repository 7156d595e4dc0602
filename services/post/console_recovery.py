"""Commands for when something stands still: what is held and why, trying again, agreeing, and rotating the signing key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from services.post.console import Config, Json, Limit, read_file, say, show, write_file
from services.wire.errors import SettingsError

if TYPE_CHECKING:
    from services.post.office import Office

__all__ = ["add_recovery"]

_KINDS: Final = ("skipped", "refused", "parked", "voided", "missing", "key", "off chain", "misplaced", "closed")
_HELD_COLUMNS: Final = ("channel", "epoch", "sequence", "kind", "reason", "fault", "case", "resolved")
Kind = Annotated[str | None, typer.Option("--kind", help=f"Only one of {', '.join(_KINDS)}.")]


def add_recovery(app: typer.Typer, office_of: Callable[[Path | None, bool], Office]) -> None:
    """Add the commands channels, held, redrive, give-back, agree and rotate."""
    _add_looking(app, office_of)
    _add_going_on(app, office_of)
    _add_rotate(app, office_of)


def _add_looking(app: typer.Typer, office_of: Callable[[Path | None, bool], Office]) -> None:
    @app.command()
    def channels(config: Config = None, as_json: Json = False) -> None:
        """Show where each channel stands, and why one stands still."""
        from services.post.viewing_recovery import channel_lines

        show(channel_lines(office_of(config, False)), as_json=as_json, title="Channels")

    @app.command()
    def held(config: Config = None, kind: Kind = None, limit: Limit = 100, as_json: Json = False) -> None:
        """Show what was not simply applied: where it stands and why."""
        from services.post.viewing_recovery import held_lines

        if kind is not None and kind not in _KINDS:
            raise SettingsError(f"--kind is nothing that is held; give one of {', '.join(_KINDS)}")
        lines = held_lines(office_of(config, False), kind=kind, limit=limit)
        show(lines, as_json=as_json, title="Held", columns=_HELD_COLUMNS)


def _add_going_on(app: typer.Typer, office_of: Callable[[Path | None, bool], Office]) -> None:
    @app.command()
    def redrive(channel: Annotated[str | None, typer.Argument()] = None, config: Config = None, as_json: Json = False) -> None:
        """Try again to apply what is parked, in its order."""
        from services.post.viewing_recovery import redrive as redriven

        show(redriven(office_of(config, False), channel), as_json=as_json, title="Redriven")

    @app.command("give-back")
    def give_back(channel: str, config: Config = None, as_json: Json = False) -> None:
        """Send again what the log lost of another's channel, from what is held here; its writer has lost it too."""
        from services.post.giving_back import give_back as given_back

        number = given_back(office_of(config, True), channel)
        say(f"{channel}: {number} entries are sent again", as_json=as_json, channel=channel, sent=number)

    @app.command()
    def agree(
        channel: str,
        yes: Annotated[
            bool, typer.Option("--yes", help="Agree; without it the command only shows what would be undone.")
        ] = False,
        config: Config = None,
        as_json: Json = False,
    ) -> None:
        """Show what a settled fork or a new epoch would undo in a channel, and agree to it."""
        from services.post.agreeing import agree as agreed
        from services.post.agreeing import would_undo

        office = office_of(config, False)
        show(would_undo(office, channel), as_json=as_json, title="Undone" if yes else "Would be undone")
        if yes:
            agreed(office, channel)
            typer.echo(f"agreed; the worker reads {channel} on from there", err=True)


def _add_rotate(app: typer.Typer, office_of: Callable[[Path | None, bool], Office]) -> None:
    @app.command()
    def rotate(
        certificate: Annotated[
            Path | None, typer.Argument(help="The next certificate (PEM); left out, a request is made.")
        ] = None,
        request: Annotated[Path, typer.Option("--request", help="Where to write the request.")] = Path("request.pem"),
        lost: Annotated[
            bool, typer.Option("--lost", help="The signing key is lost: ask for another; the registrar opens epochs for it.")
        ] = False,
        config: Config = None,
        as_json: Json = False,
    ) -> None:
        """Ask for the next signing certificate, then bring it into every channel."""
        from services.post.rotation import install_next, request_after_loss, request_next
        from services.post.settings import load_settings

        if lost:
            if certificate is not None:
                raise SettingsError("--lost makes a request; the certificate for it is put in place by the command certificate")
            write_file(request, request_after_loss(load_settings(config)))
            text = (
                f"{request.name}: give it to the registrar with certificate-lost.pem, and what `channels --json` says of your"
                " channels. It issues a certificate, opens an epoch of each channel for it, and revokes the lost key. Put the"
                " certificate in place by the command certificate, then start the worker"
            )
            say(text, as_json=as_json, request=request.name)
            return
        office = office_of(config, True)
        if certificate is not None:
            install_next(office, read_file(certificate))
            text = "the worker now brings the new key into every channel; then the registrar revokes the old one"
            say(text, as_json=as_json, installed=certificate.name)
            return
        write_file(request, request_next(office))
        text = f"{request.name}: give it to the registrar, and what comes back to this command"
        say(text, as_json=as_json, request=request.name)
