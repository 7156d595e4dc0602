"""An auditor's archive, verified again and again with the root certificate alone, and what that found on a page for Prometheus.

Another process fills the archive (`sarakste audit mirror`), and this one only reads it; what was verified before is remembered
beside the reports, as `sarakste audit verify --state` does, so that only what is new is read.

What a mirror takes is not of one moment: a receipt may stand there before the entry that it names. The next look brings it. So a
finding counts when two passes found it.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import sleep, time
from typing import Any, Final

from prometheus_client import CollectorRegistry, Gauge, start_http_server

from services.audit.archive_reading import ArchiveChannel
from services.audit.meanings import meaning_of
from services.audit.remembering import Memory
from services.audit.report import Finding, Report
from services.audit.verify import Signatures
from services.audit.verify_archive import verify_archive
from services.post.ring import write_durably
from services.wire.certificates import load_root
from services.wire.channels import TRUST_CHANNEL
from services.wire.errors import ExchangeError, TransportError, VerificationError

__all__ = ["Audit", "Page", "Verifier", "both"]

_FIRST_SECONDS: Final = 5.0
"""How soon it is looked again while nothing is mirrored, or the archive cannot be read."""

_AGAIN_SECONDS: Final = 10.0
"""How long a mirror has to bring what a receipt names, before what is missing is a finding."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What one audit showed: the report of the last pass, and the findings that both passes have."""

    report: Report
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Verifier:
    """Verifies ``archive`` under the certificate ``root``; ``verified`` and ``report.json`` stand in ``folder``."""

    archive: Path
    folder: Path
    root: Path
    again_seconds: float = _AGAIN_SECONDS

    def audit(self) -> Audit | None:
        """Verify, a second time if something was found; None while nothing of the registrar's is mirrored.

        Raises: TransportError if the archive cannot be read or the folder cannot be written; ArchiveError for a memory that was
        edited; RefusedError for one of another exchange.
        """
        # Before anything is read: an archive is a folder with this file.
        if not (self.archive / "archive.json").exists() or not ArchiveChannel(self.archive).end(TRUST_CHANNEL):
            return None
        first, memory = self._pass()
        second = first
        if not first.is_clean:
            sleep(self.again_seconds)
            second, memory = self._pass()
        memory.save(self.folder / "verified")
        return both(first, second)

    def write(self, audit: Audit) -> None:
        """Write the last audit's report for who reads it."""
        findings = [asdict(each) | {"means": meaning_of(each)} for each in audit.findings]
        told = asdict(audit.report) | {"findings": findings, "clean": not audit.findings, "at": _now()}
        write_durably(self.folder / "report.json", json.dumps(told, ensure_ascii=False, indent=1).encode())

    def _pass(self) -> tuple[Report, Memory]:
        trusted = load_root(self.root.read_bytes())
        exchange, signatures = trusted.digest.hex(), Signatures.NEWEST
        memory = Memory.load(self.folder / "verified", exchange) or Memory(exchange, signatures.value)
        memory.ready_for(signatures)
        log = ArchiveChannel(self.archive)
        return verify_archive(self.archive, log, trusted, signatures=signatures, memory=memory), memory


def both(first: Report, second: Report) -> Audit:
    """Return the audit of two passes, of which one alone proves nothing: it may have met a receipt without what it names."""
    return Audit(second, [each for each in second.findings if each in first.findings])


_GAUGES: Final = {
    "findings": "What two passes over the archive found.",
    "entries": "Entries that were verified.",
    "channels": "Channels that were verified.",
    "last_seconds": "When the last audit ended, in seconds since 1970.",
}


class Page:
    """What Prometheus reads: the last audit, and nothing before the first: who has not looked must not say that all is well."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}

    def tell(self, audit: Audit) -> None:
        """Show an audit that has just ended."""
        self._show(len(audit.findings), audit.report.entries, len(audit.report.channels), time())

    def remember(self, folder: Path) -> None:
        """Show the last audit whose report stands in a folder, if there is one: what was found is not gone with a process."""
        try:
            told = json.loads((folder / "report.json").read_bytes())
            ended = datetime.fromisoformat(told["at"]).timestamp()
            self._show(len(told["findings"]), told["entries"], len(told["channels"]), ended)
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            _say(
                "unreadable",
                error=f"report.json is not what an audit writes ({type(error).__name__}); the next one writes it anew",
            )

    def _show(self, *values: float) -> None:
        for (name, text), value in zip(_GAUGES.items(), values, strict=True):
            if name not in self._gauges:
                self._gauges[name] = Gauge(f"sarakste_audit_{name}", text, registry=self.registry)
            self._gauges[name].set(value)


def main() -> int:
    """Audit again and again until told to stop; with --once leave with 4 if something was found."""
    asked = _asked()
    verifier, page, stop = Verifier(asked.archive, asked.folder, asked.root), Page(), threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stop.set())
    try:
        if asked.once:
            return _once(verifier, page)
        page.remember(asked.folder)
        host, _, port = asked.listen.rpartition(":")
        server, thread = start_http_server(int(port), host, registry=page.registry)
        while not stop.wait(_audited(verifier, page, asked.minutes * 60)):
            pass
        server.shutdown()
        thread.join()
    except ExchangeError as error:
        _say("ended", error=str(error))
        return error.exit_code
    return 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.docker.verifying", description=__doc__)
    parser.add_argument("archive", type=Path, help="the archive that a mirror fills")
    parser.add_argument("folder", type=Path, help="the folder of what was verified, and of the last report")
    parser.add_argument("--root", type=Path, required=True, help="the exchange's root certificate")
    parser.add_argument("--minutes", type=float, default=15.0, help="how long from one audit to the next")
    parser.add_argument("--listen", default="127.0.0.1:9464", help="where Prometheus asks: address:port")
    parser.add_argument("--once", action="store_true", help="audit once, and leave with 4 if something was found")
    return parser.parse_args()


def _once(verifier: Verifier, page: Page) -> int:
    audit = _tried(verifier, page)
    if audit is None:
        return TransportError.exit_code
    return VerificationError.exit_code if audit.findings else 0


def _audited(verifier: Verifier, page: Page, seconds: float) -> float:
    """Audit, and return how many seconds later to do it again."""
    try:
        audit = _tried(verifier, page)
    except TransportError as error:
        _say("waiting", error=str(error))
        return _FIRST_SECONDS
    return seconds if audit else _FIRST_SECONDS


def _tried(verifier: Verifier, page: Page) -> Audit | None:
    audit = verifier.audit()
    if audit is None:
        _say("waiting", error="nothing of the registrar's is mirrored yet")
        return None
    verifier.write(audit)
    page.tell(audit)
    _say("audited", entries=audit.report.entries, channels=len(audit.report.channels), findings=len(audit.findings))
    for each in audit.findings:
        _say("found", channel=each.channel, place=f"{each.epoch}/{each.sequence}", what=each.what)
    return audit


def _say(event: str, **values: Any) -> None:
    sys.stderr.write(json.dumps({"time": _now(), "event": event, **values}, ensure_ascii=False) + "\n")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    sys.exit(main())
