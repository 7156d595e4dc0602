"""docker-compose.yml and the images' files are valid and as hardened as they say; none of them was read by an engine here."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import typer.main

from infra.kafka.jars import HOME
from services.desk.main import app
from tests.commands import ROOT
from tests.compose.dockerfile import faults, stages
from tests.compose.rules import COMPOSE, Document, dockerfile_of, is_ours, own_faults, read, schema_faults, volumes_of

TEXT: Final = COMPOSE.read_text("utf-8")
PAGE: Final = (ROOT / "docs/compose.md").read_text("utf-8")
SHOWN: Final = re.findall(r"^    docker compose (.+)$", PAGE, re.MULTILINE)
ENGINELESS: Final = shutil.which("docker-compose")
DOCKERFILES: Final = sorted((ROOT / "infra/docker").glob("*.Dockerfile"))


def ignoring(dockerfile: Path) -> str:
    return dockerfile.with_name(f"{dockerfile.name}.dockerignore").read_text("utf-8")


@pytest.fixture
def document() -> Document:
    return read(TEXT)


def test_it_is_valid_by_the_schema_of_the_compose_specification(document: Document) -> None:
    assert schema_faults(document) == []


def test_the_schema_looks_into_it(document: Document) -> None:
    document["services"]["school"]["portz"] = ["9464"]
    document["services"]["registrar"]["cap_drop"] = "ALL"
    document["volums"] = {}
    found = schema_faults(document)
    assert any("portz" in each for each in found)
    assert any("$.services.registrar.cap_drop" in each for each in found)
    assert any("volums" in each for each in found)


@pytest.mark.skipif(ENGINELESS is None, reason="docker-compose, which needs no engine to read it, is not on this machine")
def test_compose_itself_takes_it_and_refuses_a_harmed_one() -> None:
    harmed = TEXT.replace("condition: service_healthy", "condition: service_happy")
    codes = []
    for text in (TEXT, harmed):
        call = [str(ENGINELESS), "--project-directory", str(ROOT), "--file", "-", "config", "--quiet"]
        codes.append(subprocess.run(call, input=text, text=True, capture_output=True, check=False).returncode)  # noqa: S603  # found above
    assert codes == [0, 1]


def test_every_service_is_hardened_watched_and_pinned(document: Document) -> None:
    assert own_faults(document) == []


def test_it_has_all_that_an_exchange_needs(document: Document) -> None:
    workers = ("registrar", "commission", "school", "auditor")
    assert set(document["services"]) == {
        *("authority", "broker-1", "broker-2", "broker-3", "provisioning"),
        *workers,
        *("mirror", "verifier", "prometheus", "grafana"),
    }
    assert all(document["services"][each]["command"] == [each, "worker"] for each in workers)


HARMS: Final[dict[str, tuple[str, str, Any]]] = {
    "runs as root": ("school", "user", "0:0"),
    "may write into its image": ("broker-2", "read_only", False),
    "has no folder for what is passing": ("school", "tmpfs", []),
    "has more rights than it needs": ("grafana", "cap_add", ["NET_ADMIN"]),
    "may get more rights than it has": ("prometheus", "security_opt", []),
    "has no health check": ("commission", "healthcheck", {"disable": True}),
    "is not pinned": ("grafana", "image", "grafana/grafana:latest"),
    "is no version of an image of ours": ("mirror", "image", "sarakste:latest"),
    "has a secret in its environment": ("grafana", "environment", {"GF_SECURITY_ADMIN_PASSWORD": "admin"}),
    "nothing says when it is started again": ("registrar", "restart", "no way"),
    "nobody waits until it is done": ("school", "restart", "no"),
    "and not on what it has to be": ("school", "depends_on", {"postgres": {"condition": "service_healthy"}}),
    "sees the keys of the authority": ("school", "volumes", ["authority:/srv/authority:ro"]),
    "of the machine": ("prometheus", "volumes", ["./infra/monitoring/prometheus.yml:/etc/prometheus/prometheus.yml"]),
    "from other machines": ("grafana", "ports", ["3000:3000"]),
    "of networks is used by nobody": ("grafana", "networks", ["elsewhere"]),
}


@pytest.mark.parametrize("fault", HARMS)
def test_a_harmed_file_is_found(document: Document, fault: str) -> None:
    service, name, value = HARMS[fault]
    document["services"][service][name] = value
    assert any(fault in each for each in own_faults(document))


def test_an_image_of_ours_has_the_version_of_the_project_and_the_broker_that_of_its_files(document: Document) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    kafka = re.search(r"<kafka.version>(.+)</kafka.version>", (ROOT / "infra/kafka/pom.xml").read_text("utf-8"))
    assert kafka is not None
    images = {each["image"] for each in document["services"].values() if is_ours(each)}
    assert images == {f"sarakste:{version}", f"sarakste-broker:{kafka[1]}"}


def test_a_folder_that_a_volume_is_mounted_over_is_made_in_the_image_for_its_user(document: Document) -> None:
    for name, service in document["services"].items():
        if is_ours(service):
            stage = stages((ROOT / dockerfile_of(document, service["image"])).read_text("utf-8"))[-1]
            assert {where for _, where, _ in volumes_of(service)} <= set(stage.folders), name
            assert service["user"] == stage.last("USER"), name


def test_each_image_of_ours_is_built_by_one_service_which_waits_for_no_other_that_needs_it(document: Document) -> None:
    """Several that build one image at once each want to name it, and the first start fails."""
    builders = {name: each["image"] for name, each in document["services"].items() if "build" in each}
    assert builders == {"authority": "sarakste:0.1.0", "broker-1": "sarakste-broker:4.3.1"}
    assert "depends_on" not in document["services"]["authority"]


def test_the_dockerfiles_are_two() -> None:
    assert [each.name for each in DOCKERFILES] == ["broker.Dockerfile", "sarakste.Dockerfile"]


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda each: each.name)
def test_a_dockerfile_is_pinned_not_root_and_brings_nothing_unchecked(dockerfile: Path) -> None:
    assert faults(dockerfile.read_text("utf-8"), ignoring(dockerfile)) == []


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("python:3.13.16-slim-trixie", "python:latest", "is not pinned"),
        ("python:3.13.16-slim-trixie", "python", "is not pinned"),
        ("python:3.13.16-slim-trixie", "python:3", "is not pinned"),
        ("USER 10001:10001\n", "", "is not root"),
        ("USER 10001:10001\n", "USER 0:0\n", "is not root"),
        ("WORKDIR /srv\n", "RUN curl -s example.org/install | sh\n", "is read by a shell"),
        ("WORKDIR /srv\n", "ADD services /srv\n", "brings what nobody checks"),
        ("WORKDIR /srv\n", 'RUN ["pip", "install", "--index-url", "https://example.org", "x"]\n', "names an address"),
        ('"--require-hashes", ', "", "has no hash"),
        ("COPY services services\n", "COPY servicez services\n", "is not there"),
        ("COPY services services\n", "COPY tests services\n", "the engine is not given it"),
    ],
)
def test_a_harmed_dockerfile_is_found(before: str, after: str, fault: str) -> None:
    dockerfile = ROOT / "infra/docker/sarakste.Dockerfile"
    text = dockerfile.read_text("utf-8")
    assert before in text
    assert any(fault in each for each in faults(text.replace(before, after), ignoring(dockerfile)))


def checked(folder: Path) -> int:
    call = ["sh", str(ROOT / "infra/docker/check-files.sh"), str(ROOT / "infra/kafka/SHA256SUMS"), str(folder)]
    return subprocess.run(call, capture_output=True, check=False).returncode  # noqa: S603  # our own call


@pytest.mark.usefixtures("broker_files")
def test_the_files_of_a_broker_are_checked_while_its_image_is_built(tmp_path: Path) -> None:
    for path in (HOME / "libs").iterdir():
        (tmp_path / path.name).symlink_to(path)
    assert checked(tmp_path) == 0
    (tmp_path / "another.jar").write_bytes(b"one more")
    assert checked(tmp_path) != 0
    (tmp_path / "another.jar").unlink()
    jar = next(tmp_path.iterdir())
    jar.unlink()
    assert checked(tmp_path) != 0
    jar.write_bytes(b"something else")
    assert checked(tmp_path) != 0


def test_the_page_names_every_service(document: Document) -> None:
    table = PAGE.partition("| service |")[2].partition("\n\n")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    assert set(re.findall(r"`([a-z0-9-]+)`", "".join(cells))) == set(document["services"])


@pytest.mark.parametrize("shown", SHOWN)
def test_a_command_of_the_page_is_of_a_service_and_of_our_program(shown: str, document: Document) -> None:
    what, *words = shown.split()
    assert what in {"up", "ps", "exec", "run", "logs"}
    named = [word for word in words if word in document["services"]]
    if what in {"exec", "run"}:
        call = words[words.index(named[0]) + 1 :]
        # Where it is run, the image's own entry point is the program.
        assert (call[0] == "sarakste") is (what == "exec")
        group, command = call[what == "exec" :][:2]
        found = typer.main.get_command(app).commands[group]  # type: ignore[attr-defined]  # a group has them
        assert command in found.commands
