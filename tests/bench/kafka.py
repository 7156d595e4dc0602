"""`make bench-kafka`: what the exchange costs over a real broker, beside what its parts cost bare, in one run.

Workers are processes of their own, as in life; acts are done here. Nothing here fails: a busy machine must not break a build.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.kafka.cluster import Cluster
from infra.kafka.jars import HOME
from tests.bench.draining import draining
from tests.bench.round_trips import round_trips

__all__ = ["main"]


@contextmanager
def brokers(folder: Path) -> Iterator[Cluster]:
    """Give a cluster of one broker, over TLS, which ends when this is left."""
    cluster = Cluster.make(folder, HOME, quick=True)
    try:
        cluster.start()
        (folder / "servers").write_text(cluster.servers)
        yield cluster
    finally:
        cluster.stop()


def main() -> None:
    """Measure what the command line names: ``round-trips``, ``draining``, or both."""
    wanted = sys.argv[1:] or ["round-trips", "draining"]
    with tempfile.TemporaryDirectory() as folder, brokers(Path(folder) / "cluster") as cluster:
        if "round-trips" in wanted:
            round_trips(cluster, Path(folder) / "trips")
        if "draining" in wanted:
            draining(cluster, Path(folder) / "draining")


if __name__ == "__main__":
    main()
