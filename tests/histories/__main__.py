"""`make record-history`: live the story with this release, and keep what it leaves behind under its version."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import sqlite3
import sys
import tempfile
import tomllib
from contextlib import closing
from pathlib import Path

from tests.chains import ROOT
from tests.commands import ROOT as PROJECT
from tests.histories.story import lived
from tests.histories.telling import HISTORIES, told, verdict
from tests.verifying import verified


def main() -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    if re.search(rf"^## \[?{re.escape(version)}\b", (PROJECT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE):
        sys.exit(f"version {version} is released: its history stays as it is, and the next version gets one of its own")
    target = HISTORIES / version
    with tempfile.TemporaryDirectory() as folder:
        exchange = lived(Path(folder))
        expected = {
            "now": exchange.clock.now,
            "log": verdict(verified(exchange.log, ROOT)),
            "participants": {name: told(member.office) for name, member in exchange.members.items()},
        }
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        _pack(Path(folder) / "log.sqlite", target / "log.sqlite.gz")
        for name in exchange.members:
            (target / name).mkdir()
            _pack(Path(folder) / name / "database.sqlite", target / name / "database.sqlite.gz")
            for file in ("ring.file", "ring.key"):
                shutil.copyfile(Path(folder) / name / file, target / name / file)
    (target / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")
    size = sum(each.stat().st_size for each in target.rglob("*") if each.is_file())
    sys.stdout.write(f"{target.relative_to(PROJECT)}: {size // 1024} KiB\n")


def _pack(path: Path, target: Path) -> None:
    """Copy a database as one file, without what only its last process knew, and without a time in it."""
    whole = path.with_suffix(".whole")
    with closing(sqlite3.connect(path)) as database:
        database.execute("VACUUM INTO ?", (str(whole),))
    target.write_bytes(gzip.compress(whole.read_bytes(), mtime=0))


if __name__ == "__main__":
    main()
