"""The files that a broker runs from: fetched once by Maven into a cache, each with a checksum that is pinned here."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = ["HOME", "BrokerFilesError", "fetched"]

HERE: Final = Path(__file__).resolve().parent
HOME: Final = HERE.parents[1] / ".kafka"
"""Where the files and the brokers of `make kafka-up` live; in no repository."""

_COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


class BrokerFilesError(Exception):
    """The files of a broker cannot be had, or are not what they have to be."""


def fetched(home: Path = HOME, *, sums: Path = HERE / "SHA256SUMS") -> Path:
    """Return the folder of the files, fetched now if they are not there or are those of another version of ``sums``.

    Raises: BrokerFilesError if there is no Java, Maven does not bring them, or one is not the file that ``sums`` names.
    """
    folder = home / "libs"
    known = _known(sums)
    # A version stands in a file's name. What the files hold was looked at when they came.
    is_there = folder.is_dir() and {path.name for path in folder.iterdir()} == known.keys()
    needed = ["java"] if is_there else ["java", "mvn"]
    if missing := [name for name in needed if shutil.which(name) is None]:
        raise BrokerFilesError(f"a broker needs {' and '.join(missing)}, and there is none in the path")
    if is_there:
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
    _require(draft, known)
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)
    return folder


def _known(sums: Path) -> dict[str, str]:
    """Return the pinned files by name, each with its digest in hexadecimal."""
    lines = (line.split() for line in sums.read_text("ascii").splitlines())
    return {name: digest for digest, name in lines}


def _require(folder: Path, known: Mapping[str, str]) -> None:
    """Return if a folder holds the pinned files and no other: whoever answers for the repository must not choose what runs."""
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    wrong = sorted(name for name in known.keys() | found.keys() if known.get(name) != found.get(name))
    if wrong:
        raise BrokerFilesError(f"these files of the broker are missing, unknown or not what SHA256SUMS names: {', '.join(wrong)}")
