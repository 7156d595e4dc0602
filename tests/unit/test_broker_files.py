"""The files of a broker are fetched when they are not there, and again when others are pinned; what is not pinned never runs."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from infra.kafka.jars import BrokerFilesError, fetched

BROKER, TOOLS = "broker-1.jar", "tools-1.jar"
MAVEN = """#!/bin/sh
for each; do case "$each" in -DoutputDirectory=*) mkdir -p "${each#*=}" && cp "$0.brings"/* "${each#*=}";; esac; done
"""


class Repository:
    """What a stand-in for Maven brings, and what is pinned."""

    def __init__(self, folder: Path) -> None:
        self.home, self.sums, self._brings = folder / "home", folder / "SHA256SUMS", folder / "bin/mvn.brings"
        self._brings.mkdir(parents=True)
        self.home.mkdir()
        for name, text in (("mvn", MAVEN), ("java", "#!/bin/sh\n")):
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)

    def brings(self, name: str, *, text: str = "") -> None:
        (self._brings / name).write_text(text or name)

    def brings_no(self, name: str) -> None:
        (self._brings / name).unlink()

    def pins(self, *names: str) -> None:
        self.sums.write_text("".join(f"{sha256(name.encode()).hexdigest()}  {name}\n" for name in names))

    def names(self) -> list[str]:
        return sorted(path.name for path in fetched(self.home, sums=self.sums).iterdir())


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    made = Repository(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    made.brings(BROKER)
    made.pins(BROKER)
    return made


def test_what_is_there_is_not_fetched_again(repository: Repository) -> None:
    assert repository.names() == [BROKER]
    repository.brings("unknown.jar")
    assert repository.names() == [BROKER]


def test_others_are_fetched_when_others_are_pinned_and_those_before_go(repository: Repository) -> None:
    repository.names()
    repository.brings(TOOLS)
    repository.pins(BROKER, TOOLS)
    assert repository.names() == [BROKER, TOOLS]
    repository.brings_no(BROKER)
    repository.pins(TOOLS)
    assert repository.names() == [TOOLS]


def test_one_that_is_missing_unknown_or_another_comes_never_to_where_a_broker_runs_from(repository: Repository) -> None:
    repository.pins(TOOLS)
    repository.brings(TOOLS, text="something else")
    with pytest.raises(BrokerFilesError, match=f"not what SHA256SUMS names: {BROKER}, {TOOLS}$"):
        repository.names()
    assert not (repository.home / "libs").exists()
