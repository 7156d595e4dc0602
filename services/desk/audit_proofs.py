"""`sarakste audit prove | heads | compare | consistent`: proofs under an auditor's checkpoint, as files for anybody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.desk.audit_archive import require_one
from services.desk.audit_source import Config, Root_, auditor_of, reached
from services.post.console import Json, as_text, read_file, say, show, write_file
from services.wire.errors import SettingsError, VerificationError

if TYPE_CHECKING:
    from services.audit.grounds import Grounds
    from services.audit.proof_files import Heads
    from services.audit.proving import Ledger
    from services.wire.certificates import Root
    from services.wire.trust import Trust

__all__ = ["register"]

Output = Annotated[Path, typer.Option("--output", "-o", help="The file to write.")]
Entry = Annotated[str, typer.Argument(help="CHANNEL:EPOCH/SEQUENCE, CHANNEL/SEQUENCE, or how its digest begins.")]
FromSource = Annotated[
    Path | None,
    typer.Option("--source", help="A log that is a file, an archive or an exported folder, in which the checkpoint stands."),
]
Auditor = Annotated[str | None, typer.Option("--auditor", help="Whose checkpoint vouches, as the log has it.")]
GivenHeads = Annotated[
    Path | None,
    typer.Option("--heads", help="From a log: what its `audit heads` wrote, if the log does not tell."),
]


def register(app: typer.Typer) -> None:
    """Add the commands prove, heads, compare and consistent, which speak for an auditor's settings or for what a log has."""
    _add_prove(app)
    _add_heads(app)
    _add_compare(app)
    _add_consistent(app)


def _add_prove(app: typer.Typer) -> None:
    @app.command()
    def prove(  # noqa: PLR0913, PLR0917  # each is an option of the command
        entry: Entry,
        output: Output,
        personal: Annotated[bool, typer.Option("--personal", help="With the sealed personal part, if it is here.")] = False,
        source: FromSource = None,
        root: Root_ = None,
        auditor: Auditor = None,
        heads: GivenHeads = None,
        config: Config = None,
        as_json: Json = False,
    ) -> None:
        """Write a small file by which whoever has the root certificate can check an entry, without the log."""
        from services.audit.proof_files import encode_proof
        from services.audit.proving import prove as proved

        with _ledger(_From(source, root, auditor, heads, config)) as found:
            data = encode_proof(proved(found.ledger, entry, with_personal=personal))
            write_file(output, data)
            text = f"{output.name}: {len(data)} bytes; check it with `sarakste check {output.name} --root root.pem`"
            say(text, as_json=as_json, made=output.name, size_bytes=len(data))
            found.tell()


def _add_heads(app: typer.Typer) -> None:
    @app.command()
    def heads(
        output: Output,
        source: FromSource = None,
        root: Root_ = None,
        auditor: Auditor = None,
        config: Config = None,
        as_json: Json = False,
    ) -> None:
        """Write what the newest checkpoint vouches for, channel by channel, for another auditor to compare."""
        from services.audit.proof_files import encode_heads
        from services.audit.proving import heads_of

        with _ledger(_From(source, root, auditor, None, config)) as found:
            made = heads_of(found.ledger)
            write_file(output, encode_heads(made))
            say(f"{output.name}: {len(made.heads)} channels", as_json=as_json, made=output.name, channels=len(made.heads))
            found.tell()


def _add_compare(app: typer.Typer) -> None:
    @app.command()
    def compare(  # noqa: PLR0913, PLR0917  # each is an option of the command
        file: Annotated[Path, typer.Argument(help="What `audit heads` or `audit prove` wrote, of another auditor or before.")],
        output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to write the proof of what differs.")] = None,
        source: FromSource = None,
        root: Root_ = None,
        auditor: Auditor = None,
        heads: GivenHeads = None,
        config: Config = None,
        as_json: Json = False,
    ) -> None:
        """Compare what another checkpoint vouches for, or an entry, with what was read here; leaves with 4 if both cannot be."""
        with _ledger(_From(source, root, auditor, heads, config)) as found:
            _compare(file, output, found, as_json=as_json)


def _add_consistent(app: typer.Typer) -> None:
    @app.command()
    def consistent(  # noqa: PLR0913, PLR0917  # each is an option of the command
        file: Annotated[Path, typer.Argument(help="What `audit heads` wrote before, of this auditor.")],
        output: Output,
        source: FromSource = None,
        root: Root_ = None,
        auditor: Auditor = None,
        heads: GivenHeads = None,
        config: Config = None,
        as_json: Json = False,
    ) -> None:
        """Write the proof that the newest checkpoint begins with all that an older one vouches for."""
        from services.audit.proof_files import decode_heads, encode_consistency
        from services.audit.proofs import check_heads
        from services.audit.proving import consistency_with

        data = read_file(file)
        with _ledger(_From(source, root, auditor, heads, config)) as found:
            by, _ = check_heads(data, found.root)
            if by.auditor != found.ledger.auditor:
                # No checkpoint goes on from another auditor's: a proof of it would check nowhere.
                raise SettingsError(
                    f"{file.name} is of {by.auditor}, and not of {found.ledger.auditor}: `audit compare` is for that"
                )
            made = consistency_with(found.ledger, decode_heads(data))
            write_file(output, encode_consistency(made))
            say(f"{output.name}: {len(made.paths)} channels", as_json=as_json, made=output.name, channels=len(made.paths))
            found.tell()


@dataclass(frozen=True, slots=True)
class _From:
    """What a command was told of where proofs are to come from."""

    source: Path | None
    root: Path | None
    auditor: str | None
    heads: Path | None
    config: Path | None


@dataclass(frozen=True, slots=True)
class _Ledger:
    """What proofs are made from, and whom they are held against; ``grounds`` are those of a log that was verified for it."""

    ledger: Ledger
    root: Root
    grounds: Grounds | None = None

    def tell(self) -> None:
        """Leave as a verification does that found something; what was proved stands for itself."""
        if self.grounds is not None and not self.grounds.is_clean:
            typer.echo(as_text(self.grounds.told), err=True)
            raise typer.Exit(VerificationError.exit_code)


@contextmanager
def _ledger(given: _From) -> Iterator[_Ledger]:
    """Give what proofs are made from: a log, verified now, if one or an auditor was named; else the settings' own letterbook."""
    if given.source is None and given.auditor is None:
        if given.heads or given.root:
            raise SettingsError("--root and --heads go with --source or --auditor: else the settings' own auditor proves")
        from services.auditor.kept import Kept

        office = auditor_of(given.config, "without --source or --auditor an auditor proves from what it has read itself")
        yield _Ledger(Kept(office), office.root)
        return
    from services.audit.grounds import grounds_of
    from services.audit.log_ledger import LogLedger

    require_one(given.source, given.config)
    with reached(given.source, given.root, given.config) as found:
        heads = _heads_in(given.heads, found.root) if given.heads is not None else None
        examined = found.examine()
        grounds = grounds_of(examined)
        auditor = _auditor_of(examined.trust, given.auditor, grounds)
        yield _Ledger(LogLedger(found.log, examined, auditor, heads), found.root, grounds)


def _heads_in(path: Path, root: Root) -> Heads:
    from services.audit.proof_files import decode_heads
    from services.audit.proofs import check_heads

    data = read_file(path)
    check_heads(data, root)
    return decode_heads(data)


def _auditor_of(trust: Trust, named: str | None, grounds: Grounds) -> str:
    """Return whose checkpoints are meant: the one that was named, or the only one there is."""
    from services.wire.channels import Role

    there = sorted(each.id for each in trust.participants.values() if each.role is Role.AUDITOR)
    if named is None and len(there) == 1:
        return there[0]
    if named not in there:
        if not grounds.is_clean:
            # As with the root certificate of another exchange: then nobody is there, whoever is named.
            raise VerificationError(f"the auditors of this log cannot be told: {grounds.told}")
        raise SettingsError(f"--auditor says whose checkpoint is to vouch: {', '.join(there) or 'there is no auditor here'}")
    return named


def _compare(file: Path, output: Path | None, found: _Ledger, *, as_json: bool) -> None:
    """Compare heads or a single entry that somebody gave; where they contradict what is here, write what shows it."""
    from services.audit.proof_files import kind_of

    data = read_file(file)
    is_entry = kind_of(data) == "Proof"
    proof = _compare_entry(data, found, as_json=as_json) if is_entry else _compare_heads(data, found, as_json=as_json)
    if proof is not None:
        if output is not None:
            write_file(output, proof)
        raise typer.Exit(VerificationError.exit_code)
    found.tell()


def _compare_heads(data: bytes, found: _Ledger, *, as_json: bool) -> bytes | None:
    from services.audit.convicting import told_of_split
    from services.audit.proof_files import decode_heads, encode_split
    from services.audit.proofs import check_heads
    from services.audit.proving import compare as compared

    by, _ = check_heads(data, found.root)
    lines, split = compared(found.ledger, decode_heads(data))
    show(lines, as_json=as_json, title="Compared")
    if split is None:
        return None
    if not as_json:
        auditors = found.ledger.auditor, by.auditor
        for line in told_of_split(auditors, split.longer.head.channel, split.shorter.head.size):
            typer.echo(as_text(line))
    return encode_split(split)


def _compare_entry(data: bytes, found: _Ledger, *, as_json: bool) -> bytes | None:
    """Compare one entry; where another one stands at its place here, return the proof of that, which belongs beside the other."""
    from services.audit.convicting import forks_among, told_of_fork
    from services.audit.proof_files import encode_proof
    from services.audit.proofs import check_proof
    from services.audit.proving import compare_entry
    from services.audit.proving import prove as proved

    theirs = check_proof(data, found.root)
    line = compare_entry(found.ledger, theirs)
    show([line], as_json=as_json, title="Compared")
    if line.result != "two entries":
        return None
    mine = encode_proof(proved(found.ledger, f"{theirs.channel}/{theirs.sequence}"))
    if not as_json:
        for fork in forks_among([check_proof(mine, found.root), theirs]):
            typer.echo("\n".join(map(as_text, told_of_fork(fork))))
    return mine
