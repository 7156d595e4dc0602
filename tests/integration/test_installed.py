"""The wheel, installed into an empty environment of its own: it works from any folder, and nothing of the checkout is near."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it, and a folder far from the checkout."""

    wheel: Path
    environment: Path
    folder: Path

    def run(self, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [str(self.environment / "bin" / program), *map(str, arguments)]
        clean = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "COLUMNS": "120"}
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder, env=clean)  # noqa: S603


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    built = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(built, check=True)  # noqa: S603
    (wheel,) = folder.glob("*.whl")
    environment = folder / "environment"
    venv.create(environment, symlinks=True)
    into = [*PIP, "--python", str(environment / "bin/python"), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(into, check=True)  # noqa: S603
    # The libraries, as a bare line: what points from there to the checkout is not followed from a .pth file.
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    away = folder / "away"
    away.mkdir()
    return Installed(wheel, environment, away)


def test_the_wheel_holds_every_schema_migration_rule_set_and_story(installed: Installed) -> None:
    inside = set(zipfile.ZipFile(installed.wheel).namelist())
    assert {f"services/_schemas/{path.relative_to(ROOT / 'schemas')}" for path in (ROOT / "schemas").rglob("*.avsc")} <= inside
    assert {f"services/_demo/{path.name}" for path in (ROOT / "demo").glob("*.yaml")} <= inside
    assert {f"services/post/migrations/{path.name}" for path in (ROOT / "services/post/migrations").glob("*.sql")} <= inside
    policy = ROOT / "services/policy"
    assert {f"services/policy/{path.relative_to(policy).as_posix()}" for path in policy.rglob("*.toml")} <= inside
    assert not any(name.startswith("tests/") for name in inside)


def test_nothing_of_the_checkout_is_imported(installed: Installed) -> None:
    program = (
        "import json, sys; from services.desk import demo;"
        " print(json.dumps([demo.__file__, *map(str, demo.scripts()), *sys.path]))"
    )
    found = json.loads(installed.run("python", "-I", "-c", program).stdout)
    site = sysconfig.get_path("purelib")
    assert len([path for path in found if "_demo" in path]) == 3
    assert all(not Path(path).is_relative_to(ROOT) or Path(path).is_relative_to(site) for path in found)
    assert Path(found[0]).is_relative_to(installed.environment)


def test_the_installed_command_founds_verifies_and_rehearses_from_another_folder(installed: Installed) -> None:
    assert "rehearse" in installed.run("sarakste", "--help").stdout
    made = installed.run("sarakste", "init", "x", "--school", "0099900011")
    assert made.returncode == 0, made.stderr
    verified = installed.run("sarakste", "verify", "x/log.sqlite", "--root", "x/root.pem", "--json")
    assert json.loads(verified.stdout)["clean"]
    story = next(installed.environment.glob("lib/python*/site-packages/services/_demo/a2-yes.yaml"))
    rehearsed = installed.run("sarakste", "rehearse", story)
    assert rehearsed.stdout.endswith("everything was as written\n"), rehearsed.stderr
