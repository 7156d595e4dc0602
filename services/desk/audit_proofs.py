"""`sarakste audit prove | heads | compare | consistent` and `sarakste check`: proofs as files of an auditor, for anybody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from services.post.console import Config, Json, as_text, print_json, read_file, say, show, write_file
from services.wire.errors import SettingsError, VerificationError

if TYPE_CHECKING:
    from services.post.office import Office
    from services.wire.certificates import Root

__all__ = ["register", "register_check"]

Output = Annotated[Path, typer.Option("--output", "-o", help="The file to write.")]
Entry = Annotated[str, typer.Argument(help="CHANNEL/SEQUENCE, or the entry's digest in hexadecimal.")]
TrustedRoot = Annotated[Path, typer.Option("--root", help="The exchange's root certificate.")]

_FAILED: Final = "does not check"


def register(app: typer.Typer) -> None:
    """Add the commands prove, heads, compare and consistent, which speak for an auditor's settings."""

    @app.command()
    def prove(
        entry: Entry,
        output: Output,
        personal: Annotated[bool, typer.Option("--personal", help="With the sealed personal part, if it is here.")] = False,
        config: Config = None,
        as_json: Json = False,
    ) -> None:
        """Write a small file by which whoever has the root certificate can check an entry, without the log."""
        from services.audit.proof_files import encode_proof
        from services.auditor.proving import prove as proved

        data = encode_proof(proved(_office(config), entry, with_personal=personal))
        write_file(output, data)
        text = f"{output.name}: {len(data)} bytes; check it with `sarakste check {output.name} --root root.pem`"
        say(text, as_json=as_json, made=output.name, size_bytes=len(data))

    @app.command()
    def heads(output: Output, config: Config = None, as_json: Json = False) -> None:
        """Write what the newest checkpoint vouches for, channel by channel, for another auditor to compare."""
        from services.audit.proof_files import encode_heads
        from services.auditor.proving import heads_of

        found = heads_of(_office(config))
        write_file(output, encode_heads(found))
        say(f"{output.name}: {len(found.heads)} channels", as_json=as_json, made=output.name, channels=len(found.heads))

    @app.command()
    def compare(
        file: Annotated[Path, typer.Argument(help="What `audit heads` wrote, of another auditor or of this one before.")],
        output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to write the proof of two views.")] = None,
        config: Config = None,
        as_json: Json = False,
    ) -> None:
        """Compare what another checkpoint vouches for with what was read here; leaves with 4 where they cannot both be right."""
        _compare(file, output, _office(config), as_json=as_json)

    @app.command()
    def consistent(
        file: Annotated[Path, typer.Argument(help="What `audit heads` wrote before, of this auditor.")],
        output: Output,
        config: Config = None,
        as_json: Json = False,
    ) -> None:
        """Write the proof that the newest checkpoint begins with all that an older one vouches for."""
        from services.audit.proof_files import decode_heads, encode_consistency
        from services.audit.proofs import check_heads
        from services.auditor.proving import consistency_with

        office, data = _office(config), read_file(file)
        check_heads(data, office.root)
        found = consistency_with(office, decode_heads(data))
        write_file(output, encode_consistency(found))
        say(f"{output.name}: {len(found.paths)} channels", as_json=as_json, made=output.name, channels=len(found.paths))


def register_check(app: typer.Typer) -> None:
    """Add the command check, which needs no settings and no log."""

    @app.command()
    def check(
        files: Annotated[list[Path], typer.Argument(help="Files that an auditor gave.")], root: TrustedRoot, as_json: Json = False
    ) -> None:
        """Check proofs of an auditor with nothing but the root certificate; leaves with 4 where one does not check."""
        from services.wire.certificates import load_root

        trusted = load_root(read_file(root))
        results = [_checked(each, trusted) for each in files]
        if as_json:
            print_json([each | {"file": path.name} for path, each in zip(files, results, strict=True)])
        else:
            for path, each in zip(files, results, strict=True):
                typer.echo("\n".join(as_text(line) for line in _lines(path.name, each)))
        if not all(each["checks"] for each in results):
            raise typer.Exit(VerificationError.exit_code)


def _office(config: Path | None) -> Office:
    from services.auditor.bootstrap import build

    return build(config).office


def _compare(file: Path, output: Path | None, office: Office, *, as_json: bool) -> None:
    from services.audit.proof_files import decode_heads, encode_split
    from services.audit.proofs import check_heads
    from services.auditor.proving import compare as compared

    data = read_file(file)
    check_heads(data, office.root)
    found, split = compared(office, decode_heads(data))
    show(found, as_json=as_json, title="Compared")
    if split is None:
        return
    if output is not None:
        write_file(output, encode_split(split))
    raise typer.Exit(VerificationError.exit_code)


def _checked(path: Path, root: Root) -> dict[str, Any]:
    from services.audit.proof_files import kind_of
    from services.audit.proofs import check_consistency, check_heads, check_proof, check_split

    try:
        data = read_file(path)
        match kind_of(data):
            case "Proof":
                return {"checks": True, "kind": "proof", **_plain(check_proof(data, root))}
            case "Heads":
                by, heads = check_heads(data, root)
                return {"checks": True, "kind": "heads", "by": _plain(by), "heads": [_plain(each) for each in heads.values()]}
            case "Consistency":
                consistent = _plain(check_consistency(data, root))
                return {"checks": True, "kind": "consistency", **consistent}
            case _:
                one, other, longer, shorter = check_split(data, root)
                sides = {"longer": _plain(longer), "shorter": _plain(shorter)}
                return {"checks": True, "kind": "split", "by": [_plain(one), _plain(other)], **sides}
    except (VerificationError, SettingsError) as error:
        return {"checks": False, "kind": None, "error": type(error).__name__.removesuffix("Error"), "message": str(error)}


def _plain(value: Any) -> dict[str, Any]:
    """Return a dataclass as JSON can say it: digests in hexadecimal."""

    def said(found: Any) -> Any:
        if isinstance(found, dict):
            return {name: said(each) for name, each in found.items()}
        return found.hex() if isinstance(found, bytes) else found

    plain: dict[str, Any] = said(asdict(value))
    return plain


def _lines(name: str, result: dict[str, Any]) -> Iterator[str]:
    from services.post.office import when_of

    if not result["checks"]:
        yield f"{name} {_FAILED}: {result['message']}"
        return

    def vouched(by: dict[str, Any]) -> str:
        return f"{by['auditor']} ({by['name']}) vouches for it on {when_of(by['at'])}"

    match result["kind"]:
        case "proof":
            parts = [part for part in ("facts", "personal") if result[f"has_{part}"]]
            what = result["type"] or f"a sealed event, with {' and '.join(parts) or 'no part'} beside it"
            yield f"{name} checks: {result['channel']} at {result['epoch']}/{result['sequence']}, {what}"
            yield f"  signed by {result['writer']} {result['writer_name']}, by its clock on {when_of(result['written_at'])}"
            yield f"  digest {result['digest']}"
            yield f"  {vouched(result['by'])}, with {result['by']['channels']} channels"
            yield "  not shown: that what it says is true, nor that no key was revoked since then"
        case "heads":
            yield f"{name} checks: {len(result['heads'])} channels; {vouched(result['by'])}"
        case "consistency":
            older, newer, left = result["older"], result["newer"], result["not_shown"]
            yield f"{name} checks: two checkpoints of {older['auditor']} ({older['name']})"
            told = f"that of {when_of(newer['at'])} begins with all of that of {when_of(older['at'])}"
            yield f"  {told}, in {len(result['channels'])} channels"
            if left:
                yield f"  not shown: {', '.join(left)}, begun anew or left out since"
        case _:
            longer, shorter = result["longer"], result["shorter"]
            yield f"{name} checks: two views of {longer['channel']} in epoch {longer['epoch']} that cannot both be right"
            yield f"  {vouched(result['by'][0])}, up to {longer['size']}"
            yield f"  {vouched(result['by'][1])}, up to {shorter['size']}, with another entry among them"
            yield "  so its writer has shown two chains, or one of the two vouches for what it was not shown"
