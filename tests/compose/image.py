"""What an image of ours holds, laid out in a folder by its Dockerfile: its files, its user, its environment, its command.

Stands in for an engine, which these tests do not have. The files are those that the Dockerfile copies, our wheel is built from
them and installed; what comes from registries (Python, Java, libraries) is this machine's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cryptography

from infra.kafka.jars import HOME
from tests.commands import ROOT
from tests.compose.dockerfile import Stage, stages

__all__ = ["LIBRARIES", "Image", "laid_out"]

LIBRARIES: Final = Path(cryptography.__file__).parents[1]
"""Where this machine has what an image has from a package index."""

_PIP: Final = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


@dataclass(frozen=True)
class Image:
    """An image whose file system begins at ``top``."""

    top: Path
    entrypoint: Sequence[str]
    environment: dict[str, str]
    user: str
    folder: str


def laid_out(dockerfile: Path, top: Path) -> Image:
    """Lay the files of an image out beneath ``top``, and return how it runs."""
    *before, last = stages(dockerfile.read_text("utf-8"))
    for folder in last.folders:
        _under(top, folder).mkdir(parents=True, exist_ok=True)
    for origin, what, where in last.copies():
        if origin is None:
            _copy(what, where, _under(top, where))
        elif where == "/opt/sarakste":
            _environment(next(each for each in before if each.name == origin), _under(top, where))
        else:
            _under(top, where).parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(HOME / "libs", _under(top, where))
    # The path of an image that says none is that of the image it begins from.
    given = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"} | last.environment
    return Image(top, json.loads(last.last("ENTRYPOINT")), given, last.last("USER"), last.last("WORKDIR"))


def _under(top: Path, path: str) -> Path:
    return top / path.lstrip("/")


def _copy(what: Sequence[str], where: str, target: Path) -> None:
    for pattern in what:
        for path in ROOT.glob(pattern):
            place = target / path.name if where.endswith("/") else target
            place.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(path, place)


def _environment(stage: Stage, where: Path) -> None:
    """Make the environment that the stage before makes: our wheel from what it copies, beside this machine's libraries."""
    build = where.parent / "build"
    for _, what, target in stage.copies():
        _copy(what, target, build / target)
    wheels = build / "wheels"
    made = [*_PIP, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(wheels), str(build)]
    subprocess.run(made, check=True)  # noqa: S603  # our own wheel
    (wheel,) = wheels.glob("*.whl")
    venv.create(where, symlinks=True)
    into = [*_PIP, "--python", str(where / "bin/python"), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(into, check=True)  # noqa: S603  # our own wheel
    (site,) = where.glob("lib/python*/site-packages")
    # A bare line: what points from there to the checkout is not followed from a .pth file.
    (site / "libraries.pth").write_text(f"{LIBRARIES}\n")
    shutil.rmtree(build)
