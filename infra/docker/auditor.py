"""An auditor's copy: what the brokers show of an exchange, copied with a certificate that may only read, and verified.

It holds no key that opens anything and signs nothing. A copy never loses what it once had: what somebody takes out of the
brokers stays in it, and what is put there instead stands beside it.

What one pass copies is not of one moment: a receipt may be copied that names an entry which came after its channel was. The next
pass has it. So a finding counts when two passes found it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from services.audit.report import Finding, Report
from services.audit.verify import channels_in, open_log, verify_log
from services.channel.copying import copy_channels
from services.channel.embedded import EmbeddedChannel
from services.channel.kafka import KafkaAccess, KafkaChannel, goodbye
from services.post.ring import write_durably
from services.wire.certificates import load_root
from services.wire.channels import TRUST_CHANNEL, channel_kind
from services.wire.errors import ChannelUnavailableError, ExchangeError, MalformedError, TransportError, VerificationError

__all__ = ["Audit", "Auditor", "Page", "both"]

_CLIENT: Final = "auditor"
_FIRST_SECONDS: Final = 5.0
"""How soon it is looked again while the registrar has said nothing, or the brokers do not answer."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What one audit showed: the report of the last pass, and the findings that both passes have."""

    report: Report
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Auditor:
    """The copy is ``log.sqlite`` in ``folder``, the last audit ``report.json``; ``root`` is the exchange's root certificate."""

    folder: Path
    access: KafkaAccess
    root: Path

    def audit(self) -> Audit | None:
        """Copy and verify, a second time if something was found; None while the registrar has said nothing.

        Raises: TransportError if the brokers do not answer or the copy cannot be written.
        """
        first = self._pass()
        if first is None:
            return None
        if first.is_clean:
            return Audit(first, ())
        return both(first, self._pass() or first)

    def write(self, audit: Audit) -> None:
        """Write the last audit's report for who reads it."""
        told = asdict(audit.report) | {"findings": list(map(asdict, audit.findings)), "clean": not audit.findings, "at": _now()}
        write_durably(self.folder / "report.json", json.dumps(told, ensure_ascii=False, indent=1).encode())

    def _pass(self) -> Report | None:
        path, names = self.folder / "log.sqlite", asyncio.run(_channels(self.access))
        with (
            closing(KafkaChannel(self.access, client=_CLIENT)) as source,
            closing(EmbeddedChannel(path, clock=lambda: int(time() * 1000))) as target,
        ):
            copy_channels(source, target, names)
            if not target.end(TRUST_CHANNEL):
                return None
        with closing(open_log(path)) as log:
            return verify_log(log, load_root(self.root.read_bytes()), there=channels_in(path))


def both(first: Report, second: Report) -> Audit:
    """Return the audit of two passes, of which one alone proves nothing: it may have caught a receipt without what it names."""
    return Audit(second, [each for each in second.findings if each in first.findings])


async def _channels(access: KafkaAccess) -> list[str]:
    """Return the channels that the brokers show to this certificate; of letters there are none to verify.

    One that they hide is missed by what others say of it, and is a finding.
    Raises: TransportError.
    """
    consumer = AIOKafkaConsumer(**access.settings(_CLIENT))
    try:
        await consumer.start()
        topics = await consumer.topics()
    except (KafkaError, OSError) as error:
        raise ChannelUnavailableError(f"the brokers do not say which channels there are: {type(error).__name__}") from error
    finally:
        await consumer.stop()
        await goodbye()
    return sorted(filter(_is_channel, topics))


def _is_channel(name: str) -> bool:
    try:
        channel_kind(name)
    except MalformedError:
        return False
    return True


_GAUGES: Final = {
    "findings": "What two passes over the copy found.",
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
    access = KafkaAccess(servers=asked.servers, authority=asked.authority, certificate=asked.certificate)
    auditor, page, stop = Auditor(asked.folder, access, asked.root), Page(), threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stop.set())
    try:
        if asked.once:
            return _once(auditor, page)
        page.remember(asked.folder)
        host, _, port = asked.listen.rpartition(":")
        server, thread = start_http_server(int(port), host, registry=page.registry)
        while not stop.wait(_audited(auditor, page, asked.minutes * 60)):
            pass
        server.shutdown()
        thread.join()
    except ExchangeError as error:
        _say("ended", error=str(error))
        return error.exit_code
    return 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.docker.auditor", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder of the copy and of the last report")
    parser.add_argument("--servers", required=True, help="the brokers: host:port,host:port")
    parser.add_argument("--authority", type=Path, required=True, help="certificates (PEM) that brokers are trusted by")
    parser.add_argument("--certificate", type=Path, required=True, help="key and certificate (PEM) of the auditor for TLS")
    parser.add_argument("--root", type=Path, required=True, help="the exchange's root certificate")
    parser.add_argument("--minutes", type=float, default=15.0, help="how long from one audit to the next")
    parser.add_argument("--listen", default="127.0.0.1:9464", help="where Prometheus asks: address:port")
    parser.add_argument("--once", action="store_true", help="audit once, and leave with 4 if something was found")
    return parser.parse_args()


def _once(auditor: Auditor, page: Page) -> int:
    audit = _tried(auditor, page)
    if audit is None:
        return TransportError.exit_code
    return VerificationError.exit_code if audit.findings else 0


def _audited(auditor: Auditor, page: Page, seconds: float) -> float:
    """Audit, and return how many seconds later to do it again."""
    try:
        audit = _tried(auditor, page)
    except TransportError as error:
        _say("waiting", error=str(error))
        return _FIRST_SECONDS
    return seconds if audit else _FIRST_SECONDS


def _tried(auditor: Auditor, page: Page) -> Audit | None:
    audit = auditor.audit()
    if audit is None:
        _say("waiting", error="the registrar has said nothing yet")
        return None
    auditor.write(audit)
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
