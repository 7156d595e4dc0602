"""The files that a broker runs from: fetched once by Maven into a cache, each with a checksum that is pinned here."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Final

__all__ = ["HOME", "BrokerFilesError", "fetched"]

HERE: Final = Path(__file__).resolve().parent
HOME: Final = HERE.parents[1] / ".kafka"
"""Where the files and the brokers of `make kafka-up` live; in no repository."""

_COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


class BrokerFilesError(Exception):
    """The files of a broker cannot be had, or are not what they have to be."""


def fetched(home: Path = HOME) -> Path:
    """Return the folder of the files, fetched now if they are not there.

    Raises: BrokerFilesError if there is no Java, Maven does not bring them, or one is not the file that SHA256SUMS names.
    """
    folder = home / "libs"
    needed = ["java"] if folder.is_dir() else ["java", "mvn"]
    if missing := [name for name in needed if shutil.which(name) is None]:
        raise BrokerFilesError(f"a broker needs {' and '.join(missing)}, and there is none in the path")
    if folder.is_dir():
        return folder
    draft = home / "libs.draft"
    shutil.rmtree(draft, ignore_errors=True)
    call = ["mvn", "-B", "-q", "-f", str(HERE / "pom.xml"), _COPY, "-DincludeScope=runtime", f"-DoutputDirectory={draft}"]
    try:
        done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=600)  # noqa: S603  # our own call
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BrokerFilesError(f"Maven does not run: {error}") from error
    if done.returncode:
        raise BrokerFilesError(f"Maven does not bring the files of the broker:\n{done.stdout[-2000:]}")
    _require_known(draft)
    draft.rename(folder)
    return folder


def _require_known(folder: Path) -> None:
    """Return if a folder holds the pinned files and no other: whoever answers for the repository must not choose what runs."""
    lines = (line.split() for line in (HERE / "SHA256SUMS").read_text("ascii").splitlines())
    known = {name: digest for digest, name in lines}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    wrong = sorted(name for name in known.keys() | found.keys() if known.get(name) != found.get(name))
    if wrong:
        raise BrokerFilesError(f"these files of the broker are missing, unknown or not what SHA256SUMS names: {', '.join(wrong)}")
