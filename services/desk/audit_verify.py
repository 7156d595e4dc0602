"""`sarakste audit verify`: an archive, an exported folder or a live exchange, in words or as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.desk.audit_archive import require_one
from services.desk.audit_source import Config, Root_, reached
from services.post.console import Json, as_text, print_json
from services.wire.errors import SettingsError, VerificationError

if TYPE_CHECKING:
    from services.audit.passing import Signatures
    from services.audit.remembering import Memory
    from services.audit.report import ChannelReport, Report
    from services.wire.certificates import Root

__all__ = ["register"]

_EACH = "every signature was verified"
_NEWEST = (
    "the newest signature of each stretch was verified, and vouches for the statements before it; parts were hashed. A signature"
    " that was damaged inside a stretch does not show like this: --thorough verifies each"
)


def register(app: typer.Typer) -> None:
    """Add the command that verifies."""
    app.command()(verify)


def verify(  # noqa: PLR0913, PLR0917  # each is an option of the command
    source: Annotated[Path | None, typer.Argument(help="An archive, an exported folder, or a log that is a file.")] = None,
    root: Root_ = None,
    config: Config = None,
    thorough: Annotated[bool, typer.Option("--thorough", help="Verify every signature, and not the newest alone.")] = False,
    state: Annotated[
        Path | None, typer.Option("--state", help="A file that remembers what was verified: then only what is new is read.")
    ] = None,
    state_digest: Annotated[
        str | None,
        typer.Option("--state-digest", help="The digest that was told of that file, kept elsewhere: any other file is refused."),
    ] = None,
    keys_of: Annotated[
        Path | None,
        typer.Option(
            "--keys-of", help="A participant's settings: with its facts keys, look at what events say of each other too."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Verify SOURCE, or the exchange that settings name, with nothing but the root certificate."""
    from services.audit.keys import Keys
    from services.audit.passing import Signatures
    from services.audit.sequences import look_at_sequences
    from services.post.building import facts_keys_of
    from services.post.settings import load_settings

    require_one(source, config)
    keys = facts_keys_of(load_settings(keys_of)) if keys_of is not None else ()
    signatures = Signatures.EACH if thorough else Signatures.NEWEST
    with reached(source, root, config) as found:
        remembered = _Remembered(state, state_digest)
        memory = remembered.memory(found.root, signatures)
        examined = found.examine(signatures=signatures, facts_keys=keys, memory=memory)
        if keys:
            look_at_sequences(examined, found.events(examined, Keys.of(keys)))
        report = examined.report
        is_folder = found.folder is not None
    digest, unsaved = remembered.saved(memory)
    _tell(report, digest, as_json=as_json, is_folder=is_folder)
    if unsaved is not None and report.is_clean:
        raise unsaved
    if unsaved is not None:
        # What was found goes before a full disk: whoever acts on exit codes must not take it for a fault of the settings.
        typer.echo(as_text(unsaved), err=True)
    if not report.is_clean:
        raise typer.Exit(VerificationError.exit_code)


@dataclass(frozen=True, slots=True)
class _Remembered:
    """The file that remembers, and its digest where somebody kept that."""

    path: Path | None
    digest: str | None

    def memory(self, root: Root, signatures: Signatures) -> Memory | None:
        from services.audit.remembering import Memory

        if self.path is None:
            if self.digest is not None:
                raise SettingsError("--state-digest is of a file that remembers: name it with --state")
            return None
        memory = Memory.load(self.path, root.digest.hex(), self.digest)
        if memory is None:
            return Memory(root.digest.hex(), signatures.value)
        memory.ready_for(signatures)
        return memory

    def saved(self, memory: Memory | None) -> tuple[str | None, SettingsError | None]:
        """Write what is remembered, and return its digest, or why it cannot be written: what was found is told all the same."""
        if memory is None or self.path is None:
            return None, None
        try:
            return memory.save(self.path), None
        except SettingsError as error:
            return None, error


def _tell(report: Report, digest: str | None, *, as_json: bool, is_folder: bool) -> None:
    from services.audit.meanings import meaning_of

    again = sum(each.not_read_again for each in report.channels)
    if as_json:
        findings = [asdict(each) | {"means": meaning_of(each)} for each in report.findings]
        print_json(
            asdict(report) | {"findings": findings, "clean": report.is_clean, "not_read_again": again, "state_digest": digest}
        )
        return
    for channel in report.channels:
        entries = f"{channel.entries} {'entry' if channel.entries == 1 else 'entries'}"
        typer.echo(f"  {channel.channel}: {entries}, {channel.state}; {_proven(channel)}")
        for note in channel.notes:
            typer.echo(f"    note: {as_text(note)}")
    typer.echo(f"{report.entries} entries of {report.participants} participants, {report.counted}")
    typer.echo(_EACH if report.signatures == "each" else _NEWEST)
    if again:
        same = "the files that hold them are the same bytes" if is_folder else "whether they stand there still was not looked at"
        typer.echo(f"{again} entries were verified before and not verified again; {same}")
        for channel in (each for each in report.channels if each.read_again):
            typer.echo(f"  {channel.channel} was read again, for what events rest on: {channel.read_again}")
    if digest is not None:
        typer.echo(
            f"what was verified is remembered under the digest {digest}: kept elsewhere, it is what --state-digest asks for"
        )
    for finding in report.findings:
        # Names of files and digests that an exported folder tells of are its maker's words.
        typer.echo(as_text(f"FOUND {finding.channel} at {finding.epoch}/{finding.sequence}: {finding.what}"))
        typer.echo(as_text(f"  expected {finding.expected}"))
        typer.echo(as_text(f"  found    {finding.found}"))
        typer.echo(f"  {meaning_of(finding)}")


def _proven(channel: ChannelReport) -> str:
    """Say up to where others hold a channel, and by whose word; what stands beside its chain is proven by nobody."""
    beside = f"; {channel.beside} more stand beside it, unproven" if channel.beside else ""
    if not channel.receipted:
        unseen = "nobody has receipted it, so its end can vanish unseen" if channel.entries else "nothing to prove"
        return f"{unseen}{beside}"
    proven = f"proven up to entry {channel.receipted} by a receipt in {channel.receipted_by}"
    return f"{proven}, unproven after ({channel.tail}){beside}" if channel.tail else f"{proven}, its last{beside}"
