"""The services of docker-compose.yml, run outside of containers: each by its exact command, as its own user, in its own folder.

What an engine would do is done by hand: every path of a container stands beneath one folder, and every service has an address of
its own in 127/8, as it would have one on a network; both are put into commands and environment where the file has a path or the
name of a service. Where this machine lets it, the file system is for reading alone but for the volumes that the service mounts.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.commands import ROOT
from tests.compose.image import LIBRARIES, Image, laid_out
from tests.compose.rules import Document, dockerfile_of, is_ours, volumes_of

__all__ = ["Running"]

_PATIENCE_SECONDS: Final = 240
_STOP_SECONDS: Final = 60
_ALONE: Final = Path(__file__).resolve().parent / "alone.sh"
_TRIED: Final = "import os, pathlib, ssl, sys, cryptography; pathlib.Path(sys.argv[1], 'tried').touch(); print(os.__file__)"


@dataclass
class Running:
    """The services of ``document`` that are ours, beneath ``top``."""

    document: Document
    top: Path
    images: dict[str, Image] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    healthy: list[str] = field(default_factory=list)
    is_hardened: bool = False

    def __post_init__(self) -> None:
        for each in self.ours.values():
            name = each["image"]
            if name not in self.images:
                self.images[name] = laid_out(ROOT / dockerfile_of(self.document, name), self.top)
        # Others run tests on this machine too: these addresses are nobody else's.
        first = [random.randint(1, 254) for _ in range(2)]  # noqa: S311  # no secret
        self.addresses = {name: f"127.{first[0]}.{first[1]}.{place}" for place, name in enumerate(self.ours, start=1)}
        for name, service in self.ours.items():
            for folder in (self.passing(name), *self._mounted(service)):
                folder.mkdir(parents=True, exist_ok=True)
                self._give(folder, service)
        self.is_hardened = self._can_be_hardened()

    @property
    def ours(self) -> dict[str, Document]:
        return {name: each for name, each in self.document["services"].items() if is_ours(each)}

    def volume(self, name: str) -> Path:
        return self.top / "srv" / name

    def passing(self, name: str) -> Path:
        """Return the folder that stands for /tmp of a service."""
        return self.top / "tmp" / name

    def up(self) -> None:
        """Start all, each once those that it depends on are what it waits for; AssertionError with its log if one does not."""
        left = dict(self.ours)
        while left:
            ready = [name for name, each in left.items() if not left.keys() & each.get("depends_on", {}).keys()]
            self._wait_all(
                {other: waits["condition"] for name in ready for other, waits in left[name].get("depends_on", {}).items()}
            )
            for name in ready:
                self.start(name)
            left = {name: each for name, each in left.items() if name not in ready}
        self._wait_all({name: "service_healthy" for name, each in self.ours.items() if each["restart"] != "no"})

    def _wait_all(self, conditions: dict[str, str]) -> None:
        with ThreadPoolExecutor() as pool:
            list(pool.map(self.wait, conditions.keys(), conditions.values()))

    def start(self, name: str) -> None:
        service = self.ours[name]
        image = self.images[service["image"]]
        call = [*service.get("entrypoint", image.entrypoint), *service.get("command", ())]
        with self.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(  # noqa: S603  # the commands of our file
                self._call(name, call),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                **self._where(name),
            )

    def execute(self, name: str, *call: str) -> subprocess.CompletedProcess[bytes]:
        """Run another command in a service, as `docker compose exec` would."""
        return subprocess.run(  # noqa: S603  # our own call
            self._call(name, call),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_PATIENCE_SECONDS,
            **self._where(name),
        )

    def wait(self, name: str, condition: str) -> None:
        until = time.monotonic() + _PATIENCE_SECONDS
        process = self.processes[name]
        if condition == "service_completed_successfully":
            assert process.wait(_PATIENCE_SECONDS) == 0, self.said(name)
        while condition == "service_healthy" and name not in self.healthy:
            assert process.poll() is None, f"{name} has ended: {self.said(name)}"
            assert time.monotonic() < until, f"{name} is not healthy: {self.said(name)}"
            self.check(name)

    def check(self, name: str) -> None:
        """Run the health check of a service once, a moment from now."""
        asked = self.ours[name]["healthcheck"]
        kind, *call = asked["test"]
        assert kind == "CMD"
        # As often as an engine asks while a service starts.
        time.sleep(float(asked["start_interval"].removesuffix("s")))
        if self.execute(name, *call).returncode == 0:
            self.healthy.append(name)

    def stop(self, *names: str) -> dict[str, int]:
        """Ask processes to end as an engine does, and return their exit codes."""
        for name in names:
            self.processes[name].send_signal(signal.SIGTERM)
        return {name: self.processes.pop(name).wait(_STOP_SECONDS) for name in names}

    def end(self) -> None:
        for each in self.processes.values():
            each.kill()
        for each in self.processes.values():
            each.wait()

    def log(self, name: str) -> Path:
        return self.top / f"{name}.log"

    def said(self, name: str) -> str:
        return self.log(name).read_text("utf-8", errors="replace")[-4000:]

    def there(self, text: str, name: str) -> str:
        """Return a word of a command or of the environment as it has to be here: with paths and addresses of this machine."""
        text = text.replace("0.0.0.0:", f"{self.addresses[name]}:")
        for other, address in self.addresses.items():
            text = re.sub(rf"(?<![\w./-]){re.escape(other)}(?=:\d)", address, text)
        return re.sub(r"(?<![\w.-])/(srv|opt)(?=/|$)", rf"{self.top}/\1", text)

    def alone(self, name: str, call: Sequence[str]) -> list[str]:
        """Return a call as one of another user, who may write into the volumes of a service and nowhere else."""
        service = self.ours[name]
        own = [str(self.passing(name)), *(map(str, self._mounted(service, for_writing=True)))]
        user = service["user"] if os.geteuid() == 0 else "-"
        new = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
        seen = [str(path) for each in _hidden() for path in each] if os.geteuid() == 0 else []
        return [*new, "sh", str(_ALONE), str(self.top), user, *seen, "--", *own, "--", *call]

    def _call(self, name: str, call: Sequence[str]) -> list[str]:
        words = [self.there(word, name) for word in call]
        if self.is_hardened:
            return self.alone(name, words)
        # A test run that is killed leaves nothing behind.
        return ["setpriv", "--pdeathsig", "KILL", *words] if shutil.which("setpriv") else words

    def _where(self, name: str) -> dict[str, Any]:
        service = self.ours[name]
        image = self.images[service["image"]]
        given = image.environment | service.get("environment", {})
        own = {key: self.there(value, name) for key, value in given.items()} | {"TMPDIR": str(self.passing(name))}
        return {"env": own, "cwd": self.there(image.folder, name)}

    def _mounted(self, service: Document, *, for_writing: bool = False) -> list[Path]:
        return [self.top / where.lstrip("/") for _, where, is_read in volumes_of(service) if not (for_writing and is_read)]

    def _give(self, folder: Path, service: Document) -> None:
        if os.geteuid() == 0:
            shutil.chown(folder, *map(int, service["user"].split(":")))

    def _can_be_hardened(self) -> bool:
        """Tell whether this machine can: then a service finds its programs, writes into its own folder, and not beside it."""
        if any(shutil.which(each) is None for each in ("unshare", "setpriv", "mount")):
            return False
        python, own = str(self.top / "opt/sarakste/bin/python"), self.volume("school")
        calls = [self.alone("school", [python, "-c", _TRIED, str(each)]) for each in (own, self.top)]
        inside, beside = (
            subprocess.run(call, capture_output=True, check=False, **self._where("school"))  # noqa: S603  # our own call
            for call in calls
        )
        (own / "tried").unlink(missing_ok=True)
        # Its own libraries: a Python that may not look into its folder takes those of another one that it finds.
        finds = inside.stdout.decode().startswith(sys.base_prefix)
        return finds and inside.returncode == 0 and b"ead-only" in beside.stderr


def _hidden() -> list[tuple[Path, Path]]:
    """Return where Python and its libraries stand, if others may not look there: the folder that hides each, and the place."""
    places = (Path(sys.base_prefix), LIBRARIES)
    hiding = [next((up for up in reversed(place.parents) if not up.stat().st_mode & stat.S_IXOTH), None) for place in places]
    return [(up, place) for up, place in zip(hiding, places, strict=True) if up is not None]
