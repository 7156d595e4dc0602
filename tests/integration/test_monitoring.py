"""What Prometheus asks and Grafana shows is what workers and the verifier export: every name and label, and none is forgotten."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from infra.docker.verifying import Page
from services.post.metrics import metrics_page
from services.post.pulse import Pulse
from services.post.status import look
from services.wire.issuing import pem
from tests.chains import seal_of
from tests.commands import ROOT, SCHOOL
from tests.compose.rules import COMPOSE, read
from tests.exchange import two_sides

MONITORING: Final = ROOT / "infra/monitoring"
DASHBOARD: Final = MONITORING / "dashboards/sarakste.json"
FUNCTIONS: Final = {"sum", "max", "time", "by", "or", "label_values"}
FROM_PROMETHEUS: Final = {"instance", "job"}
PROMTOOL: Final = shutil.which("promtool")


def yaml(name: str) -> Any:
    return read((MONITORING / name).read_text("utf-8"))


def remembered(folder: Path, *, findings: int) -> Page:
    """Return the page of a verifier that begins where a report of an earlier one stands."""
    told = {"findings": [{}] * findings, "entries": 7, "channels": ["registrar.trust"], "at": "2026-11-27T16:00:00+00:00"}
    (folder / "report.json").write_text(json.dumps(told))
    page = Page()
    page.remember(folder)
    return page


def test_what_a_verifier_found_is_shown_also_after_it_began_anew_and_nothing_before_its_first_audit(tmp_path: Path) -> None:
    assert b"sarakste_audit" not in generate_latest(Page().registry)
    page = Page()
    page.remember(tmp_path)
    assert b"sarakste_audit" not in generate_latest(page.registry)
    (tmp_path / "report.json").write_text("cut sh")
    page.remember(tmp_path)
    assert b"sarakste_audit" not in generate_latest(page.registry)
    assert b"sarakste_audit_findings 3.0" in generate_latest(remembered(tmp_path, findings=3).registry)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Return what real pages of a worker and of the verifier have: the labels of each metric, by its name."""
    folder = tmp_path_factory.mktemp("exported")
    exchange = two_sides(folder)
    database = exchange.members[SCHOOL].office.database
    (folder / "tls.pem").write_bytes(pem(seal_of("old").certificate.der))
    later = exchange.clock.now + 365 * 86_400_000
    status = look(database, SCHOOL, now=later, lease=folder / "none", tls=folder / "tls.pem")
    pages = metrics_page(status, Pulse()).decode() + generate_latest(remembered(folder, findings=3).registry).decode()
    found: dict[str, set[str]] = {"up": set()}
    for family in text_string_to_metric_families(pages):
        found[family.name] = {label for sample in family.samples for label in sample.labels}
    return found


def rules() -> list[Any]:
    return [rule for group in yaml("rules.yml")["groups"] for rule in group["rules"]]


def queries() -> Iterator[str]:
    """Yield each expression that a rule or the dashboard has."""
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    yield from (each["definition"] for each in dashboard["templating"]["list"])


def names(query: str) -> set[str]:
    """Return every name in an expression that is of a metric: no function, no label, no text."""
    bare = re.sub(r"\{[^}]*\}|\b(?:by|without)\s*\([^)]*\)|,\s*\w+\s*\)", " ", query)
    return set(re.findall(r"[a-zA-Z_]\w*", bare)) - FUNCTIONS


def labels(query: str) -> set[str]:
    """Return every label that an expression names."""
    inside = re.findall(r"\{([^}]*)\}", query)
    grouped = re.findall(r"\bby\s*\(([^)]*)\)", query)
    return {
        *(name for each in inside for name in re.findall(r"(\w+)\s*(?:=|!)", each)),
        *(name.strip() for each in grouped for name in each.split(",")),
    }


def faults(query: str, exported: dict[str, set[str]]) -> list[str]:
    unknown = names(query) - exported.keys()
    known = FROM_PROMETHEUS.union(*(exported[name] for name in names(query) - unknown))
    return [*sorted(unknown), *sorted(labels(query) - known)]


def test_every_metric_and_label_of_dashboard_and_rules_is_exported(exported: dict[str, set[str]]) -> None:
    assert len(list(queries())) > 20
    assert {query: found for query in queries() if (found := faults(query, exported))} == {}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sum(sarakste_atention) > 0", ["sarakste_atention"]),
        ('sarakste_attention{urgent="now"} > 0', ["urgent"]),
        ("sum by (instance, color) (sarakste_channels) > 0", ["color"]),
        ("rate(sarakste_channels) > 0", ["rate"]),
    ],
)
def test_a_name_that_nobody_exports_would_be_found(query: str, found: list[str], exported: dict[str, set[str]]) -> None:
    assert faults(query, exported) == found


def test_the_dashboard_shows_every_metric(exported: dict[str, set[str]]) -> None:
    shown = {name for query in queries() for name in names(query)}
    assert exported.keys() - shown == set()


def test_a_legend_names_labels_that_its_metric_has(exported: dict[str, set[str]]) -> None:
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        for target in panel["targets"]:
            known = FROM_PROMETHEUS.union(*(exported[name] for name in names(target["expr"])))
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= known, panel["title"]


def test_the_rules_are_those_that_the_page_for_operators_shows() -> None:
    shown = re.findall(r"- alert: (\w+)\n\s+expr: (.+)\n", (ROOT / "docs/operating.md").read_text("utf-8"))
    assert len(shown) == 3
    assert shown == [(rule["alert"], rule["expr"]) for rule in rules()][:3]


def test_the_page_on_containers_has_each_metric_of_the_verifier(exported: dict[str, set[str]]) -> None:
    table = (ROOT / "docs/compose.md").read_text("utf-8").partition("| metric of the verifier |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", table)) == {name for name in exported if name.startswith("sarakste_audit_")}


def test_prometheus_asks_every_service_that_has_a_page_and_no_other() -> None:
    services = read(COMPOSE.read_text("utf-8"))["services"]
    pages = {name for name, each in services.items() if "0.0.0.0:9464" in json.dumps(each)}
    asked = {
        target for job in yaml("prometheus.yml")["scrape_configs"] for each in job["static_configs"] for target in each["targets"]
    }
    assert asked == {f"{name}:9464" for name in pages}
    assert all("metrics" in services[name]["networks"] for name in (*pages, "prometheus"))


def test_grafana_finds_its_dashboard_and_the_dashboard_its_source() -> None:
    grafana = read(COMPOSE.read_text("utf-8"))["services"]["grafana"]
    mounted = {where: ROOT / what for what, where, *_ in (each.split(":") for each in grafana["volumes"]) if what.startswith(".")}
    provider = yaml("grafana/dashboards/sarakste.yml")["providers"][0]["options"]["path"]
    (source,) = yaml("grafana/datasources/prometheus.yml")["datasources"]
    dashboard = json.loads(next(mounted[provider].iterdir()).read_text("utf-8"))
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {source["uid"]}
    assert f"{provider}/sarakste.json" == grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert {path.name for path in mounted["/etc/grafana/provisioning"].iterdir()} == {"dashboards", "datasources"}
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


@pytest.mark.skipif(PROMTOOL is None, reason="promtool, which comes with Prometheus, is not on this machine")
@pytest.mark.parametrize("call", [("check", "config", "prometheus.yml"), ("test", "rules", "rules.test.yml")], ids=" ".join)
def test_prometheus_own_tool_takes_the_settings_and_the_rules_wake_when_they_have_to(call: tuple[str, ...]) -> None:
    done = subprocess.run([str(PROMTOOL), *call], capture_output=True, text=True, check=False, cwd=MONITORING)  # noqa: S603  # found above
    assert done.returncode == 0, done.stdout + done.stderr
