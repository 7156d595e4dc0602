"""`sarakste check`: proofs of an auditor as files, checked with nothing but the root certificate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from services.post.console import Json, as_text, print_json, read_file, read_root
from services.wire.errors import SettingsError, VerificationError

if TYPE_CHECKING:
    from services.wire.certificates import Root

__all__ = ["register_check"]

TrustedRoot = Annotated[Path, typer.Option("--root", help="The exchange's root certificate.")]

_FAILED: Final = "does not check"
_NOT_READ: Final = "was not checked"
_ROOT: Final = "Certificate"
_UNREAD: Final = SettingsError.__name__.removesuffix("Error")


def register_check(app: typer.Typer) -> None:
    """Add the command check, which needs no settings and no log."""

    @app.command()
    def check(
        files: Annotated[list[Path], typer.Argument(help="Files that an auditor gave.")], root: TrustedRoot, as_json: Json = False
    ) -> None:
        """Check proofs of an auditor with nothing but the root certificate; leaves with 4 where one does not check.

        Where one cannot be read, and the others check, it leaves with 2, as other commands do.
        Two that are of different entries for one place are told: they prove that their writer has signed two chains.
        """
        from services.audit.convicting import forks_among, told_of_fork

        trusted = read_root(root)
        results = {path: _checked(path, trusted) for path in files}
        codes = [each.pop("code", 0) for each in results.values()]
        proofs = {path: found for path, each in results.items() if (found := each.pop("proved", None)) is not None}
        forks = forks_among(list(proofs.values()))
        for path, found in proofs.items():
            results[path]["contradicts"] = [other.name for other, each in proofs.items() if forks_among([found, each])]
        if as_json:
            print_json([each | {"file": path.name} for path, each in results.items()])
        else:
            told = [line for path, each in results.items() for line in _lines(path.name, each)]
            typer.echo("\n".join(map(as_text, [*told, *(line for fork in forks for line in told_of_fork(fork))])))
        # The highest: what does not check is told before what could not be read.
        if code := max(codes):
            raise typer.Exit(code)


def _checked(path: Path, root: Root) -> dict[str, Any]:
    """Return what a file shows, as JSON can say it; of a proof that checks also what was ``proved``, else the exit ``code``."""
    from services.audit.proof_files import kind_of
    from services.audit.proofs import check_consistency, check_heads, check_proof, check_split

    try:
        data = read_file(path)
        match kind_of(data):
            case "Proof":
                proved = check_proof(data, root)
                return {"checks": True, "kind": "proof", **_plain(proved), "proved": proved}
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
        name = type(error).__name__.removesuffix("Error")
        return {"checks": False, "kind": None, "error": name, "message": str(error), "code": error.exit_code}


def _plain(value: Any) -> dict[str, Any]:
    """Return a dataclass as JSON can say it: digests in hexadecimal."""

    def said(found: Any) -> Any:
        if isinstance(found, dict):
            return {name: said(each) for name, each in found.items()}
        return found.hex() if isinstance(found, bytes) else found

    plain: dict[str, Any] = said(asdict(value))
    return plain


def _lines(name: str, result: dict[str, Any]) -> Iterator[str]:
    from services.audit.convicting import told_of_split
    from services.post.office import when_of

    if not result["checks"]:
        yield f"{name} {_NOT_READ if result['error'] == _UNREAD else _FAILED}: {result['message']}"
        if result["error"] == _ROOT:
            yield "  its certificates do not lead to this root: it is of another exchange, or it was changed"
        return

    def vouched(by: dict[str, Any]) -> str:
        return f"{by['auditor']} ({by['name']}) vouches for it on {when_of(by['at'])}"

    match result["kind"]:
        case "proof":
            parts = [part for part in ("facts", "personal") if result[f"has_{part}"]]
            what = result["type"] or f"a sealed event, with {' and '.join(parts) or 'no part'} beside it"
            yield f"{name} checks: {result['channel']} at {result['epoch']}/{result['sequence']}, {what}"
            # Of the registrar, whom nobody admits, no admission tells a name.
            who = f"{result['writer']} {result['writer_name']}".rstrip()
            yield f"  signed by {who}, by its clock on {when_of(result['written_at'])}"
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
            auditors = result["by"][0]["auditor"], result["by"][1]["auditor"]
            yield from (f"  {line}" for line in told_of_split(auditors, longer["channel"], shorter["size"]))
