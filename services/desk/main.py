"""`sarakste`: one command for everybody; one exit code a family of errors.

A command's own imports stand inside it, so that ``--help`` waits for nothing. Exit codes are those of
``services.wire.errors``: a call that the command line does not understand belongs to the settings' family (2), and 1 is left
to our own bugs.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from services.auditor.entrypoints.cli import app as auditor
from services.commission.entrypoints.cli import app as commission
from services.desk import audit_archive, audit_check, audit_proofs, audit_queries, audit_verify
from services.post.console import Json, as_text, print_json, progress, read_root, say
from services.registrar.entrypoints.cli import app as registrar
from services.school.entrypoints.cli import app as school
from services.wire.errors import ExchangeError, RefusedError, TransportError, VerificationError

__all__ = ["app", "main"]

_NO_RULE: Final = "Refused"
"""The name of a refusal that is no rule of the procedure's: its sentence says all."""

app = typer.Typer(
    help="Signed, sealed and event-sourced correspondence between schools and the State Medical Commission.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(school, name="school")
app.add_typer(commission, name="commission")
app.add_typer(registrar, name="registrar")
app.add_typer(auditor, name="auditor")
audit = typer.Typer(
    help="For those who trust nobody: keep, verify and ask copies of an exchange's logs, prove entries, compare auditors.",
    no_args_is_help=True,
)
audit_archive.register(audit)
audit_verify.register(audit)
audit_queries.register(audit)
audit_proofs.register(audit)
audit_check.register_check(app)
app.add_typer(audit, name="audit")


@app.command()
def init(
    folder: Path,
    school: Annotated[list[str], typer.Option("--school", help="Ten-digit school number; give it once a school.")],
    auditor_id: Annotated[
        list[str] | None, typer.Option("--auditor", help="An auditor's id, as auditor-vk; give it once an auditor.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a whole exchange in FOLDER: registrar, commission, schools and auditors, each with keys of its own."""
    from services.desk.founding import found_exchange

    made = []
    for each in found_exchange(folder, school, auditors=auditor_id or ()):
        made.append(asdict(each))
        if not as_json:
            typer.echo(str(each))
    if as_json:
        print_json({"made": made})


@app.command()
def verify(
    log: Path,
    root: Annotated[Path, typer.Option("--root", help="The exchange's root certificate.")],
    keys_of: Annotated[
        Path | None,
        typer.Option(
            "--keys-of", help="A participant's settings: with its facts keys, look at what events say of each other too."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Verify a whole log with nothing but the root certificate."""
    from services.audit.events import events_of
    from services.audit.keys import Keys
    from services.audit.sequences import look_at_sequences
    from services.audit.verify import channels_in, examine_log, open_log
    from services.desk.watching import Watched
    from services.post.building import facts_keys_of
    from services.post.settings import load_settings

    trusted = read_root(root)
    audit_archive.require_file(log)
    keys = facts_keys_of(load_settings(keys_of)) if keys_of is not None else ()
    with progress("Verifying") as tell:
        watched = Watched(open_log(log), tell)
        examined = examine_log(watched, trusted, there=channels_in(log), facts_keys=keys)
        if keys:
            look_at_sequences(examined, events_of(watched, examined, Keys.of(keys)))
    report = examined.report
    if as_json:
        print_json(asdict(report) | {"clean": report.is_clean})
    else:
        for channel in report.channels:
            tail = f"receipted to {channel.receipted}" if channel.receipted else "nobody has receipted it"
            typer.echo(f"  {channel.channel}: {channel.entries} entries, {channel.state}, {tail}")
            for note in channel.notes:
                typer.echo(f"    note: {note}")
        typer.echo(f"{report.entries} entries of {report.participants} participants, {report.counted}")
        for finding in report.findings:
            typer.echo(f"FOUND {finding.channel} at {finding.epoch}/{finding.sequence}: {finding.what}")
            typer.echo(f"  expected {finding.expected}")
            typer.echo(f"  found    {finding.found}")
    if not report.is_clean:
        raise typer.Exit(VerificationError.exit_code)


@app.command()
def rehearse(script: Path, as_json: Json = False) -> None:
    """Play a scripted story on a throw-away exchange with a clock of its own."""
    import tempfile

    from services.desk.rehearsing import Rehearsal
    from services.desk.script import read_script

    story = read_script(script)
    played = []
    if not as_json:
        typer.echo(as_text(story.title))
    # Lines that come one by one on a terminal need no bar beside them.
    told = not as_json and sys.stdout.isatty()
    with tempfile.TemporaryDirectory(prefix="sarakste-") as folder, progress("Rehearsing", shown=not told) as tell:
        tell(0, len(story.steps))
        for each in Rehearsal(story, Path(folder) / "exchange").play():
            played.append(asdict(each))
            tell(1, 0)
            if not as_json:
                typer.echo(as_text(each))
    say("everything was as written", as_json=as_json, title=story.title, steps=played)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument()] = Path("demo-exchange"),
    cluster: Annotated[
        Path | None, typer.Option("--cluster", help="Over the brokers that `make kafka-up` started in this folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Play the main job with separate processes, and leave the exchange to play with; with --json it is told on stderr."""
    from services.desk.demo import play

    ground = None
    if cluster is not None:
        from services.desk.kafka_ground import KafkaGround

        ground = KafkaGround(cluster, folder)
    report = play(folder, ground=ground, on_stderr=as_json)
    if as_json:
        print_json(report)


def main() -> None:
    """Run the command; say what went wrong in a sentence, and leave with its family's exit code."""
    _write_text()
    try:
        # By its name also where it runs as a module: messages and shell completion go by it. Who asked for JSON gets what the
        # command line itself does not understand from here too, not in a box for people.
        code = app(prog_name="sarakste", standalone_mode=not _asks_for_json())
    except ExchangeError as error:
        _leave(type(error).__name__.removesuffix("Error"), str(error), error.exit_code)
    except OSError as error:
        # A disk that no adapter of ours stands before, as when a folder is made.
        named = Path(error.filename).name if isinstance(error.filename, str) else "a file"
        _leave("Transport", f"{named}: {error.strerror}", TransportError.exit_code)
    except typer.TyperException as error:
        _leave("Usage", error.format_message(), error.exit_code)
    except typer.Abort:
        _leave("Aborted", "stopped before it was done", 1)
    sys.exit(code)


def _write_text() -> None:
    """Let what is printed for other programs be UTF-8, whatever the encoding of this place is; a terminal shows what it can."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")


def _asks_for_json() -> bool:
    return "--json" in sys.argv[1:]


def _leave(name: str, message: str, exit_code: int) -> NoReturn:
    # Before any command has read its options: who asked for JSON gets it here too, and stdout stays empty.
    if _asks_for_json():
        print_json({"error": name, "message": message, "exit_code": exit_code}, err=True)
    else:
        # The rule is what people look up and what a rehearsal names. Of a form each line is a fault of its own.
        if exit_code == RefusedError.exit_code and name != _NO_RULE:
            message = f"{name}:\n{message}" if "\n" in message else f"{name}: {message}"
        # A script or a log that somebody else wrote may have a word in it that a terminal would obey.
        typer.echo("\n".join(map(as_text, message.splitlines())), err=True)
    sys.exit(exit_code)
