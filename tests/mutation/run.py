"""Changes what decides over acceptance, one small change at a time, and sees whether a test notices: `make mutants`.

A copy of the project is made for each group, so that nothing of the checkout is touched. A survivor is a change that no test of
its group notices. It is either listed with its reason in docs/mutants.md, or it fails the run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["GROUPS", "REASONS", "ROOT", "Group", "Survivor", "explained", "judged", "named"]

ROOT: Final = Path(__file__).resolve().parents[2]
REASONS: Final = ROOT / "docs/mutants.md"
MUTMUT: Final = ROOT / ".venv-mutants/bin/mutmut"
# What a person is told, and SQL: another case of letters changes nothing, anything else breaks at once. What a RuntimeError says
# is for whoever writes this program, and called it wrongly.
_NOT_CHANGED: Final = (r"\.tell\(", r"raise RuntimeError\(", r'"\s?(SELECT|UPDATE|INSERT|DELETE|WHERE|AND|FROM|ON)\b')
# A column of SQLite has one name in whatever case of letters.
_COLUMN: Final = re.compile(r'\b(row|left)\["\w+"\]', re.IGNORECASE)
_RESULT: Final = re.compile(r"^\s+(\S+): (.+)$", re.MULTILINE)
_ROW: Final = re.compile(r"^\| `(?P<where>[^`]+)` \| `(?P<before>.*?)` \| `(?P<after>.*?)` \| (?P<reason>.+) \|$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Files that are changed, and the fast tests that are to notice."""

    files: tuple[str, ...]
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Survivor:
    """A change that no test noticed: its module and function, and the line before and after."""

    where: str
    before: str
    after: str

    @property
    def names_the_same(self) -> bool:
        """Whether it only writes the name of a column in other letters."""
        before, after = (_COLUMN.sub(lambda name: name[0].lower(), text) for text in (self.before, self.after))
        return before == after


GROUPS: Final[dict[str, Group]] = {
    "wire": Group(
        files=("services/wire/reading.py", "services/wire/trust.py", "services/wire/sealing.py"),
        tests=(
            "tests/unit/test_reading.py",
            "tests/unit/test_trust.py",
            "tests/unit/test_sealing.py",
            "tests/unit/test_receipts.py",
            "tests/vectors",
        ),
    ),
    "decoding": Group(
        files=("services/wire/canonical.py", "services/wire/foreign_schema.py"),
        tests=("tests/unit/test_canonical.py", "tests/unit/test_foreign_schema.py", "tests/unit/test_foreign_schema_limits.py"),
    ),
    "policy": Group(
        files=(
            "services/policy/calendar.py",
            "services/policy/eligibility.py",
            "services/policy/hours.py",
            "services/policy/kleene.py",
            "services/policy/providing.py",
            "services/policy/rules.py",
            "services/policy/terms.py",
        ),
        tests=(
            "tests/unit/test_calendar.py",
            "tests/unit/test_eligibility.py",
            "tests/unit/test_hours_and_providing.py",
            "tests/unit/test_rules.py",
            "tests/unit/test_terms.py",
        ),
    ),
    "post": Group(
        files=(
            "services/post/receiving.py",
            "services/post/entering.py",
            "services/post/applying.py",
            "services/post/holding.py",
            "services/post/mailbox.py",
            "services/post/people.py",
        ),
        tests=(
            "tests/integration/test_receiving.py",
            "tests/integration/test_receiving_again.py",
            "tests/integration/test_asking_the_log.py",
            "tests/integration/test_auditors.py",
            "tests/integration/test_closed_channels.py",
            "tests/integration/test_costs.py",
            "tests/integration/test_set_back.py",
            "tests/integration/test_refused_rows.py",
            "tests/integration/test_lies_and_interruptions.py",
            "tests/integration/test_lost_keys.py",
            "tests/integration/test_receipts_and_gaps.py",
            "tests/integration/test_two_sides.py",
            "tests/integration/test_own_channel.py",
            "tests/integration/test_people.py",
            "tests/integration/test_recovery.py",
            "tests/integration/test_rotation_and_epochs.py",
            "tests/integration/test_restores_at_odds.py",
            "tests/attacks/test_certificates.py",
            "tests/attacks/test_claims.py",
            "tests/attacks/test_grants.py",
            "tests/attacks/test_order.py",
            "tests/attacks/test_schemas.py",
            "tests/attacks/test_sealed_parts.py",
            "tests/attacks/test_signatures.py",
        ),
    ),
}


def explained() -> dict[Survivor, str]:
    """Return the survivors that docs/mutants.md lists, with their reasons."""
    rows = _ROW.finditer(REASONS.read_text("utf-8"))
    plain = ({name: text.replace("\\|", "|") for name, text in row.groupdict().items()} for row in rows)
    return {Survivor(where=row["where"], before=row["before"], after=row["after"]): row["reason"] for row in plain}


def main(names: Iterable[str]) -> int:
    """Run groups; return 1 if a change survived that has no reason."""
    known, unknown = explained(), list[Survivor]()
    for name in names:
        folder = _copied(name)
        subprocess.run([MUTMUT, "run"], cwd=folder, env=_environment(), check=False)  # noqa: S603  # our own environment
        results = judged(_results(folder))
        counts = {kind: list(results.values()).count(kind) for kind in sorted(set(results.values()))}
        survivors = [_survivor(folder, mutant) for mutant, kind in results.items() if kind in ("survived", "no tests")]
        unknown += [each for each in survivors if each not in known and not each.names_the_same]
        sys.stdout.write(f"\n{name}: {len(results)} changes; {counts}; {len(set(survivors) & known.keys())} with a reason\n")
    for each in sorted(set(unknown)):
        cells = " | ".join(f"`{text.replace('|', chr(92) + '|')}`" for text in (each.where, each.before, each.after))
        sys.stdout.write(f"| {cells} | |\n")
    return int(bool(unknown))


def judged(results: dict[str, str]) -> dict[str, str]:
    """Return the verdict on each change, if there is one on every change.

    Raises: RuntimeError if there is none: a run that broke off must not pass for one that found nothing.
    """
    if not results or "not checked" in results.values():
        raise RuntimeError(f"the run broke off: {list(results.values()).count('not checked')} of {len(results)} were not judged")
    return results


def _environment() -> dict[str, str]:
    """Return what the tests run under: the plugin beside this file, what it remembers, and a folder in memory if there is one."""
    memory = Path("/dev/shm")  # noqa: S108  # what stands there is of tests alone
    ours = {"PYTHONPATH": str(Path(__file__).parent), "MUTANTS_NOTICED": str(ROOT / ".mutants/noticed.txt")}
    return os.environ | ours | ({"TMPDIR": str(memory)} if memory.is_dir() else {})


def _copied(name: str) -> Path:
    folder = ROOT / ".mutants" / name
    shutil.rmtree(folder, ignore_errors=True)
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603  # git, wherever it is
    for path in listed.stdout.splitlines():
        if (ROOT / path).is_file():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, folder / path)
    group = GROUPS[name]
    settings = {
        "source_paths": ["services"],
        "only_mutate": list(group.files),
        # Whatever tests import or read besides.
        "also_copy": sorted({path.partition("/")[0] for path in listed.stdout.splitlines()} - {"services"}),
        "pytest_add_cli_args_test_selection": list(group.tests),
        # A change that never ends is noticed by the test that hangs, not by the time limit of all tests together.
        "pytest_add_cli_args": ["-p", "likely_first", "--timeout=20"],
        "do_not_mutate_patterns": list(_NOT_CHANGED),
    }
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n[tool.mutmut]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items()))
    return folder


def _results(folder: Path) -> dict[str, str]:
    told = subprocess.run([MUTMUT, "results", "--all", "true"], cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603  # as above
    return dict(_RESULT.findall(told.stdout))


def _survivor(folder: Path, mutant: str) -> Survivor:
    told = subprocess.run([MUTMUT, "show", mutant], cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603  # as above
    lines = [line for line in told.stdout.splitlines() if not line.startswith(("---", "+++"))]
    before, after = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    return Survivor(where=named(mutant), before=before, after=after)


def named(mutant: str) -> str:
    """Return the name of the function that a change is of, as it stands in the code."""
    module, _, function = re.sub(r"__mutmut_\d+$", "", mutant).rpartition(".")
    return f"{module}.{function[2:].replace('ǁ', '.')}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or GROUPS))
