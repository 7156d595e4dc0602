"""Which test shows which item: markers are read from the sources, and scenarios say it themselves."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML

__all__ = ["PAGE", "Item", "items", "page", "shown"]

_ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = _ROOT / "docs/requirements.md"
_TITLES: Final = {
    "A1": "Who may apply (guidance, section 1)",
    "A2": "How to apply (section 2)",
    "A3": "The assistant, and the school's decision (section 3)",
    "A4": "The individual rehabilitation plan (section 4)",
    "A5": "How plan and recommendation are obtained (section 5)",
    "A6": "Activities and volume (section 6)",
    "D5": "Cases at the edges",
    "I": "What holds in every history",
    "L": "What reports tell (Regulation No. 695, annex 2)",
    "B1": "The policy models of the working group of 18.10.2016",
    "B4": "Replay under a policy model",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item of the requirement: its number, the sentence of its source if it has one, and what it says."""

    id: str
    group: str
    source: str | None
    says: str


def items() -> list[Item]:
    """Return the items in their order."""
    found = tomllib.loads((Path(__file__).parent / "items.toml").read_text("utf-8"))
    return [
        Item(group=group, source=None, **each) if "source" not in each else Item(group=group, **each)
        for group, listed in found.items()
        for each in listed
    ]


@cache
def shown() -> dict[str, list[str]]:
    """Return the tests and scenarios that show an item, by its number, in the order of their names."""
    found: dict[str, list[str]] = {}
    for path in sorted((_ROOT / "tests").rglob("test_*.py")):
        for item, name in _marked(ast.parse(path.read_text("utf-8"))):
            found.setdefault(item, []).append(f"{path.relative_to(_ROOT / 'tests').as_posix()}: {name}")
    for path in sorted((_ROOT / "tests/scenarios").glob("*.yaml")):
        for item in YAML(typ="safe").load(path.read_text("utf-8")).get("shows", ()):
            found.setdefault(item, []).append(f"scenarios/{path.name}")
    return found


def page() -> str:
    """Return docs/requirements.md as it has to be now."""
    lines = [
        "# The requirement, item by item",
        "",
        "Made by `python -m tests.requirements` from `tests/requirements/items.toml` and the marks of the tests; a test",
        "fails where an item has none. Sentences in Latvian are those of the guidance.",
    ]
    by_item, group = shown(), None
    for each in items():
        if each.group != group:
            group = each.group
            lines += ["", f"## {_TITLES[group]}"]
        lines += ["", f"### {each.id}", ""]
        if each.source:
            lines += [f"„{each.source}”", ""]
        lines += [each.says.replace("|", "\\|"), ""]
        lines += [f"- `{test}`" for test in by_item.get(each.id, ["nothing shows it"])]
    return "\n".join(lines) + "\n"


def _marked(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.shows":
                    yield from ((ast.literal_eval(each), node.name) for each in decorator.args)
