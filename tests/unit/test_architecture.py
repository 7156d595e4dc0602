"""The tree is the architecture: arrows between packages point one way only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALLOWED: dict[str, frozenset[str]] = {
    "wire": frozenset(),
    "policy": frozenset(),
    "channel": frozenset(),  # and services.wire.errors, below
    "post": frozenset({"wire", "channel"}),
    "audit": frozenset({"wire", "channel", "policy"}),
    "school": frozenset({"post", "policy", "wire"}),
    "commission": frozenset({"post", "policy", "wire"}),
    "registrar": frozenset({"post", "policy", "wire"}),
    "auditor": frozenset({"post", "policy", "wire", "audit"}),
}
PARTICIPANTS = frozenset({"school", "commission", "registrar", "auditor"})
IMPURE = frozenset({"time", "random", "secrets", "os", "sqlite3", "socket", "asyncio"})


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def arrow_allowed(package: str, file: Path, target: str) -> bool:
    other = target.split(".")[1] if "." in target else package
    if package in (other, "desk"):
        return other != "desk" or package == "desk"
    if package == "channel":
        return target.startswith("services.wire.errors")
    if other == "channel" and package in PARTICIPANTS:
        return file.name == "bootstrap.py"
    return other in ALLOWED[package]


def faults(root: Path) -> list[str]:
    found = []
    for path in sorted((root / "services").rglob("*.py")):
        parts = path.relative_to(root / "services").parts
        if len(parts) == 1:
            continue
        for target in imports(path):
            if target.startswith("services.") and not arrow_allowed(parts[0], path, target):
                found.append(f"{'/'.join(parts)} imports {target}")
            if target.split(".")[0] == "fastavro" and parts[0] != "wire":
                found.append(f"{'/'.join(parts)} imports {target}")
            if "domain" in parts and target.split(".")[0] in IMPURE:
                found.append(f"{'/'.join(parts)} imports {target}")
    return found


def test_no_arrow_points_up_or_sideways() -> None:
    assert faults(ROOT) == []


def test_the_check_finds_a_wire_that_knows_the_post_and_a_domain_with_a_clock(tmp_path: Path) -> None:
    (tmp_path / "services/wire").mkdir(parents=True)
    (tmp_path / "services/school/domain").mkdir(parents=True)
    (tmp_path / "services/wire/entry.py").write_text("from services.post import store\n")
    (tmp_path / "services/school/domain/case.py").write_text("import time\nimport services.commission\n")
    assert {line.split(" imports ")[1] for line in faults(tmp_path)} == {
        "services.post",
        "services.post.store",
        "time",
        "services.commission",
    }
