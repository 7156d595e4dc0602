"""Copy channels from Kafka into a log file with somebody else's tools, for `verify_log.py` to verify.

    python examples/read_kafka.py log.sqlite reader.conf CHANNEL...
        reads with the package `confluent-kafka`; reader.conf has its settings, a `name=value` a line
    kafka-console-consumer.sh ... | python examples/read_kafka.py log.sqlite - CHANNEL END
        takes what the console consumer of Kafka prints, called as docs/integrating.md says; END is the position after the last

Nothing is judged here, and a channel is copied whole or not at all. A record without a value becomes an empty one, or as printed,
`null`: neither is an entry.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, Final

PATIENCE_SECONDS: Final = 30
LINE: Final = re.compile(rb"Offset:([0-9]+)\t((?:[ -\[\]-~]|\\x[0-9A-F]{2})*)\n")
LOG: Final = (
    "PRAGMA application_id = 0x5341524B",
    """CREATE TABLE IF NOT EXISTS records
        (channel TEXT, position INTEGER, appended_at INTEGER, value BLOB, PRIMARY KEY (channel, position))""",
    "CREATE TABLE IF NOT EXISTS ends (channel TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID",
)
"""What makes a file a log: `verify_log.py` reads the records alone, `sarakste verify` wants all three."""
Record = tuple[int, bytes]  # position, value


def fetched(settings: Path, channel: str) -> Iterator[Record]:
    """Return the records that a channel has now, read with confluent-kafka."""
    from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition  # noqa: PLC0415  # for what is printed not needed

    named = dict(line.split("=", 1) for line in settings.read_text("utf-8").splitlines() if "=" in line)
    # The library wants the name of a group and looks for that; who reads by positions has no right to one, and needs none.
    with closing(Consumer(named | {"group.id": "none", "enable.auto.commit": "false", "check.crcs": "true"})) as consumer:
        position, end = consumer.get_watermark_offsets(TopicPartition(channel, 0), timeout=PATIENCE_SECONDS)
        consumer.assign([TopicPartition(channel, 0, position)])
        until = time.monotonic() + PATIENCE_SECONDS
        while position < end:
            message = consumer.poll(1)
            if message is None or ((error := message.error()) and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED):
                if time.monotonic() > until:
                    raise ValueError(f"{channel} ends at {end}, and nothing comes at {position}")
                continue
            if error is not None or (at := message.offset()) is None:
                raise KafkaException(error)
            yield at, message.value() or b""
            position, until = at + 1, time.monotonic() + PATIENCE_SECONDS


def printed(lines: BinaryIO) -> Iterator[Record]:
    r"""Return the records that the console consumer printed, one a line: `\xNN` stands for what is not printable."""
    for line in lines:
        if (found := LINE.fullmatch(line)) is None:
            raise ValueError(f"this is no record: {line[:80]!r}")
        yield int(found[1]), re.sub(rb"\\x(..)", lambda escape: bytes.fromhex(escape[1].decode()), found[2])


def whole(channel: str, records: Iterable[Record], end: int | None = None) -> Iterator[Record]:
    """Return the records, as long as each stands right after the one before: nothing is ever taken out of a channel."""
    after: int | None = None
    for position, value in records:
        if after is not None and position != after:
            raise ValueError(f"{channel}: after {after - 1} comes {position}")
        after = position + 1
        yield position, value
    if end is not None and (after or 0) != end:
        raise ValueError(f"{channel} ends at {end}, and what came at {after or 0}")


def main() -> None:
    match sys.argv[1:]:
        case [path, "-", channel, end] if end.isdecimal():
            found = {channel: whole(channel, printed(sys.stdin.buffer), int(end))}
        case [path, settings, *channels] if channels and settings != "-":
            found = {channel: whole(channel, fetched(Path(settings), channel)) for channel in channels}
        case _:
            sys.exit(__doc__)
    try:
        with closing(sqlite3.connect(path)) as log, log:
            for each in LOG:
                log.execute(each)
            for channel, records in found.items():
                log.executemany("INSERT INTO records VALUES (?, ?, 0, ?)", ((channel, *record) for record in records))
    except Exception as error:  # noqa: BLE001  # whatever a library raises: what is not whole is not copied
        sys.exit(f"nothing was copied: {error}")


if __name__ == "__main__":
    main()
