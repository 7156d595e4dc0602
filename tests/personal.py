"""What is personal in the fixtures: names, codes of persons, addresses and numbers of telephones, as one pattern to look for.

Wide on purpose: any code of a person in its form, whoever it would belong to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from ruamel.yaml import YAML

from services.wire.events import Delivery
from tests.commands import ROOT
from tests.people import application_json

__all__ = ["PERSONAL", "WORDS"]

_NAMED: Final = ("given_name", "family_name", "desired_assistant", "by", "phone", "email", "birth_date", "postal_code")
_STREET_ENDS: Final = ","
_KINDS: Final = {each.value for each in Delivery}
"""How something was sent stands under the name under which elsewhere a person stands."""


def _said(form: Any) -> Iterator[str]:  # JSON
    """Yield the texts of a form that are personal, at any depth: of an address its street and house."""
    if isinstance(form, list):
        for each in form:
            yield from _said(each)
    elif isinstance(form, dict):
        yield from (form[name] for name in _NAMED if isinstance(form.get(name), str) and form[name] not in _KINDS)
        if "postal_code" in form:
            yield form["text"].partition(_STREET_ENDS)[0]
        for value in form.values():
            yield from _said(value)


def _words() -> frozenset[str]:
    forms = (YAML(typ="safe").load(path) for path in sorted((ROOT / "demo").glob("*.yaml")))
    texts = {*_said(application_json()), *(text for form in forms for text in _said(form))}
    # A name is looked for in each of its words.
    return frozenset({*texts, *(word for text in texts if not re.search(r"\d", text) for word in text.split())})


WORDS: Final = _words()
PERSONAL: Final = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(WORDS)))}|\d{{6}}-?\d{{5}})(?!\w)")
"""Finds what is personal in a text, and any code of a person."""
