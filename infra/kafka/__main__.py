"""`python -m infra.kafka up`: a cluster on this machine in `.kafka/cluster`; `down` ends it, `demo` plays over it."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Final

from infra.kafka.cluster import ADMIN, BrokerError, Cluster
from infra.kafka.jars import HOME, BrokerFilesError, fetched

_FOLDER: Final = HOME / "cluster"
_FIRST_PORT: Final = 19092
_STOP_SECONDS: Final = 20


def main() -> int:
    """Do what the command line asks for; 1 if that cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m infra.kafka", description=__doc__)
    parser.add_argument("what", choices=["fetch", "up", "down"])
    parser.add_argument("--nodes", type=int, choices=[1, 3], default=1)
    asked = parser.parse_args()
    try:
        match asked.what:
            case "fetch":
                _say(f"the files of the broker are in {fetched()}")
            case "up":
                _up(asked.nodes)
            case _:
                _down()
    except (BrokerFilesError, BrokerError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _up(nodes: int) -> None:
    if _running():
        raise BrokerError(f"a cluster runs already; end it first: {_pids()}")
    # What stood there was a cluster of development, and is begun anew.
    shutil.rmtree(_FOLDER, ignore_errors=True)
    began = time.monotonic()
    cluster = Cluster.make(_FOLDER, HOME, nodes=nodes, first_port=_FIRST_PORT)
    cluster.start()
    (_FOLDER / "servers").write_text(cluster.servers)
    _say(f"{nodes} broker{'s' if nodes > 1 else ''} at {cluster.servers} after {time.monotonic() - began:.1f} s")
    _say(f"an administrator's certificate: {cluster.certificate(ADMIN)}; trusted by {cluster.authority.certificate}")


def _down() -> None:
    for pid in _running():
        os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + _STOP_SECONDS
    while _running() and time.monotonic() < until:
        time.sleep(0.1)
    for pid in _running():
        os.kill(pid, signal.SIGKILL)
    _say("no broker runs")


def _pids() -> list[int]:
    return [int(path.read_text()) for path in _FOLDER.glob("broker-*/pid")]


def _running() -> list[int]:
    """Return the processes of brokers that were started here; another program that got the number of one is none."""
    return [pid for pid in _pids() if _is_broker(pid)]


def _is_broker(pid: int) -> bool:
    try:
        return b"kafka.Kafka" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
