"""Reading over real brokers with tools that are not ours, called word for word as docs/integrating.md says."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.kafka.cluster import Cluster, java
from infra.kafka.jars import HOME
from services.wire.issuing import pem
from tests.chains import ROOT as EXCHANGE_ROOT
from tests.commands import ROOT, SCHOOL, sarakste

__all__ = ["READERS", "Desk"]

PAGE: Final = (ROOT / "docs/integrating.md").read_text("utf-8")
CLASSES: Final = {
    "kafka-get-offsets.sh": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-console-consumer.sh": "org.apache.kafka.tools.consumer.ConsoleConsumer",
}
CONFLUENT: Final = f"read_kafka.py log.sqlite reader.conf registrar.trust {SCHOOL}.to-commission"
READERS: Final = ("confluent-kafka", "console consumer")
Verdict = tuple[int, set[tuple[str, ...]], set[tuple[str, ...]]]
"""How a verifier leaves, what it says of each channel, and what it finds."""


@dataclass(frozen=True)
class Desk:
    """The folder of somebody who has a certificate of the brokers, the root, and the commands of the page."""

    folder: Path
    cluster: Cluster

    def prepare(self, client: str) -> None:
        """Lay out the files that the page names, for a client with this name."""
        shutil.copy(self.cluster.certificate(client), self.folder / "reader.pem")
        shutil.copy(self.cluster.authority.certificate, self.folder / "ca.pem")
        (self.folder / "root.pem").write_bytes(pem(EXCHANGE_ROOT.der))
        for name, lines in re.findall(r"In `(reader\.\w+)`:\n\n((?:    .+\n)+)", PAGE):
            (self.folder / name).write_text(self._here(re.sub("^    ", "", lines, flags=re.MULTILINE)))

    def read(self, reader: str, *channels: str) -> None:
        """Read channels into ``log.sqlite``. Raises: AssertionError with what a tool said that left with an error."""
        if reader == "confluent-kafka":
            self._python(command(CONFLUENT).replace(CONFLUENT.partition("reader.conf ")[2], " ".join(channels)))
            return
        for channel in channels:
            told = self._java(command("kafka-get-offsets.sh").replace("registrar.trust", channel)).decode().strip()
            end = told.removeprefix(f"{channel}:0:")
            assert end.isdecimal(), told
            self.consume(channel, int(end))

    def consume(self, channel: str, end: int) -> None:
        """Read a channel with the console consumer into ``log.sqlite``, as far as it has to come."""
        consuming, _, taking = command("kafka-console-consumer.sh").replace("registrar.trust", channel).partition(" | ")
        self._python(taking.replace(" 42", f" {end}"), printed=self._java(consuming.replace(" 42 ", f" {end} ")))

    def verdicts(self) -> tuple[Verdict, Verdict]:
        """Return what the second reader says of ``log.sqlite``, and what our command says."""
        _, program, *arguments = shlex.split(command("verify_log.py log.sqlite"))
        call = [sys.executable, str(ROOT / program), *arguments]
        second = subprocess.run(call, capture_output=True, text=True, check=False, cwd=self.folder)  # noqa: S603  # our own call
        channels = re.findall(r"^(\S+): (\d+) entries, (\w+), receipted to (\d+), head (\w+)$", second.stdout, re.MULTILINE)
        findings = re.findall(r"^(\S+) at (\d+)/(\d+): (.+)\n  expected (.*)\n  found    (.*)$", second.stdout, re.MULTILINE)
        ours = sarakste("verify", "log.sqlite", "--root", "root.pem", "--json", folder=self.folder)
        report = json.loads(ours.stdout)
        return (
            (second.returncode, set(channels), set(findings)),
            (
                ours.returncode,
                {_texts(each, "channel entries state receipted head") for each in report["channels"]},
                {_texts(each, "channel epoch sequence what expected found") for each in report["findings"]},
            ),
        )

    def _here(self, text: str) -> str:
        return text.replace("broker-1:9092", self.cluster.servers)

    def _java(self, called: str) -> bytes:
        name, *arguments = shlex.split(self._here(called))
        return self._run(java(HOME, CLASSES[name], *arguments)).stdout

    def _python(self, called: str, printed: bytes = b"") -> None:
        _, program, *arguments = shlex.split(called)
        self._run([sys.executable, str(ROOT / program), *arguments], printed)

    def _run(self, call: list[str], printed: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(call, input=printed, capture_output=True, check=False, cwd=self.folder, timeout=120)  # noqa: S603
        assert done.returncode == 0, done.stderr.decode()
        return done


def _texts(said: dict[str, Any], names: str) -> tuple[str, ...]:
    return tuple(str(said[name]) for name in names.split())


def command(naming: str) -> str:
    """Return the one command of the page that names this."""
    (found,) = (line.strip() for line in PAGE.splitlines() if line.startswith("    ") and naming in line)
    return found
