"""What the commands of all participants share: tables or JSON, a worker's run, and one way to read a file.

No command prints anything personal unless it is asked for it. What others wrote is printed without control characters: a
terminal must not obey them.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

import typer

from services.wire.errors import CertificateError, RefusedError, SettingsError

if TYPE_CHECKING:
    from services.post.office import Office
    from services.wire.certificates import Root

__all__ = [
    "Authority",
    "Client",
    "Config",
    "Json",
    "Limit",
    "Log",
    "Servers",
    "add_certificate",
    "add_common",
    "as_text",
    "case_number",
    "in_words",
    "print_json",
    "progress",
    "read_file",
    "read_root",
    "say",
    "show",
    "write_file",
]

Config = Annotated[Path | None, typer.Option("--config", help="Settings file; else SARAKSTE_CONFIG, else ./sarakste.toml.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, also of an error.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1_000_000, help="Show at most so many, the newest first.")]
Log = Annotated[Path | None, typer.Option("--log", help="The exchange's log, where it is a file; else give --servers.")]
Servers = Annotated[str | None, typer.Option("--servers", help="The brokers of its log: host:port, separated by commas.")]
Authority = Annotated[Path | None, typer.Option("--authority", help="Certificates (PEM) by which brokers are trusted.")]
Client = Annotated[Path | None, typer.Option("--certificate", help="Key and certificate (PEM) for TLS to the brokers.")]

_FILE_LIMIT_BYTES: Final = 1024 * 1024
_UNBOUNDED: Final = 100_000

# Controls, the invisible characters that turn the order of a line around or hide in it, and halves of characters, which no
# terminal's encoding has.
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]")


def print_json(value: Any, *, err: bool = False) -> None:
    """Print a value as one line of JSON, to stderr if ``err``, that a terminal can show without obeying it.

    What JSON has no form for (days, numbers of cases) is printed as its text.
    """
    text = json.dumps(value, ensure_ascii=False, default=str)
    # They stand inside JSON's strings only, where an escape means the same.
    typer.echo(_CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text), err=err)


def say(text: str, *, as_json: bool, **values: Any) -> None:
    """Print a sentence for people, or ``values`` as JSON."""
    if as_json:
        print_json(values)
    else:
        typer.echo(text)


@contextmanager
def progress(what: str, *, shown: bool = True) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr while inside, on a terminal alone; what it gives takes how much was done and how much more was found.

    Gone when it is left: what a command answers stands on stdout, alone.
    """
    if not (shown and sys.stderr.isatty()):
        yield lambda _done, _more: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    # Without redirection: it would send what is printed on stdout to stderr.
    bar = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False)
    with bar:
        task = bar.add_task(what, total=0)

        def advance(done: int, more: int) -> None:
            total = bar.tasks[0].total or 0
            bar.update(task, advance=done, total=total + more)

        yield advance


def as_text(value: Any) -> str:
    """Return a value as text for a terminal; control and invisible characters are shown as ``�``."""
    return _CONTROLS.sub("\ufffd", "" if value is None else str(value))


def show(rows: Sequence[Any], *, as_json: bool, title: str, columns: Iterable[str] = ()) -> None:
    """Print dataclasses as a table of ``columns``, or whole as JSON."""
    plain = [{name: value.hex() if isinstance(value, bytes) else value for name, value in asdict(row).items()} for row in rows]
    if as_json:
        print_json(plain)
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    names = list(columns) or (list(plain[0]) if plain else [])
    table = Table(*names, title=title, title_justify="left")
    for row in plain:
        table.add_row(*(escape(_short(name, row[name])) for name in names))
    console = Console(width=None if Console().is_terminal else 160)
    needed = console.measure(table, options=console.options.update(max_width=_UNBOUNDED))
    if needed.minimum > console.width:
        # Nothing is cut: a number or a name is there to be typed again. A line a row, and the terminal breaks it.
        table.box, console.width = None, needed.maximum
    console.print(table if plain else f"{title}: none")


def read_file(path: Path) -> bytes:
    """Return the content of a file that a person named: a form, a certificate, a request, a proof, a mandate's keys.

    Raises: SettingsError if it cannot be read, or is larger than 1 MiB.
    """
    try:
        with path.open("rb") as file:
            # Never whole first: somebody may name a device, or a film.
            content = file.read(_FILE_LIMIT_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > _FILE_LIMIT_BYTES:
        raise SettingsError(f"{path} is larger than 1 MiB; nothing that can be given here is")
    return content


def read_root(path: Path) -> Root:
    """Return the root certificate in a file that a person named.

    Raises: SettingsError if it cannot be read; CertificateError if it is none, which says of which file.
    """
    from services.wire.certificates import load_root

    try:
        return load_root(read_file(path))
    except CertificateError as error:
        # Several certificates are in play: whoever named another file by mistake has to see which.
        raise CertificateError(f"{path} is no root certificate of an exchange: {error.message}", error.evidence) from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file where a person said.

    Raises: SettingsError if it cannot be written.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}") from error


def case_number(text: str) -> UUID:
    """Return the case that a person named.

    Raises: RefusedError if this is no case number.
    """
    try:
        return UUID(text)
    except ValueError:
        raise RefusedError("This is no case number. It has 32 hexadecimal digits, as the list of cases shows it.") from None


def add_common(
    app: typer.Typer,
    office_of: Callable[[Path | None, bool], Office],
    *,
    has_cases: bool = True,
    states: Callable[[], Sequence[str]] = tuple,
    again: Callable[[Path | None, Path], Office] | None = None,
) -> None:
    """Add the commands that every participant has, those of recovery and backup among them.

    ``states`` gives the states that a case can have here, for who asks for those of one state; ``again`` an office over an
    empty database in a folder, for who makes the cases once more.
    """
    from services.post.console_auditors import add_auditors
    from services.post.console_backup import add_backup
    from services.post.console_cases import add_cases
    from services.post.console_mandates import add_mandates
    from services.post.console_rebuild import add_rebuild
    from services.post.console_recovery import add_recovery
    from services.post.console_status import add_status
    from services.post.console_worker import add_worker

    if has_cases:
        add_cases(app, office_of, states)
        add_rebuild(app, office_of, again)
        add_auditors(app, office_of)
        add_mandates(app, office_of)
        add_certificate(app)
    add_status(app, office_of)
    add_recovery(app, office_of)
    add_backup(app)
    add_worker(app, office_of)

    @app.command()
    def migrate(config: Config = None, as_json: Json = False) -> None:
        """Bring the database to this release's version."""
        from services.post.database import Database
        from services.post.settings import load_settings

        ran = Database(load_settings(config).folder / "database.sqlite").migrate()
        say(f"ran migrations: {', '.join(map(str, ran)) or 'none'}", as_json=as_json, migrations=ran)


def add_certificate(app: typer.Typer) -> None:
    """Add the command by which the first certificate is put in place."""

    @app.command()
    def certificate(
        file: Annotated[Path, typer.Argument(help="The certificate (PEM) that the registrar issued for request.pem.")],
        config: Config = None,
        as_json: Json = False,
    ) -> None:
        """Put the first certificate in place; the next ones go by rotate."""
        from services.post.joining import install_first
        from services.post.settings import load_settings

        found = load_settings(config)
        install_first(found, read_file(file))
        text = (
            "certificate.pem is in place; once the registrar's worker has sent the admission, the worker here opens its channels"
        )
        say(text, as_json=as_json, participant=found.participant, installed=file.name)


def in_words(value: Any) -> Any:
    """Return a yes or no as a word, anything else as it is."""
    return ("yes" if value else "no") if isinstance(value, bool) else value


def _short(name: str, value: Any) -> str:
    text = as_text(in_words(value))
    return text[:12] if name in ("digest", "body", "mandate") else text
