"""How the data files of this package are read: TOML, checked whole, and refused with the place of what is wrong.

Decides about form alone: which keys there are, and of which type; whether a number is the law's is for whoever writes the file.
The files are part of the package, so nothing is read here that does not come with the code.
"""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from typing import Annotated, Final, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

__all__ = ["STRICT", "DataError", "Text", "data_names", "parse_data", "read_text"]

T = TypeVar("T")

STRICT: Final = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
"""Of every dataclass that a file is read into: nothing is converted, no unknown key is let through."""

Text = Annotated[str, Field(min_length=1)]
"""A text that says something; a source that is empty is none."""

_WORDS: Final = {
    "unexpected_keyword_argument": "is not a key here; remove it or correct its name",
    "missing": "is missing; write it",
    "string_too_short": "is empty; write it",
}


class DataError(ValueError):
    """A data file of this package that cannot be read: ``file: key: what is wrong; what would be right``, one line a fault."""

    def __init__(self, name: str, faults: list[str]) -> None:
        super().__init__("\n".join(f"{name}: {fault}" for fault in faults))


def data_names(folder: str) -> tuple[str, ...]:
    """Return the TOML files of a folder of this package, ``folder/name.toml``, in the order of their names."""
    entries = files("services.policy").joinpath(folder).iterdir()
    return tuple(sorted(f"{folder}/{entry.name}" for entry in entries if entry.name.endswith(".toml")))


def read_text(name: str) -> str:
    """Return the text of a data file of this package."""
    return files("services.policy").joinpath(*name.split("/")).read_text("utf-8")


def parse_data(name: str, text: str, kind: TypeAdapter[T]) -> T:
    """Return what TOML ``text`` holds; ``name`` is the file that an error names.

    Raises: DataError if it is not TOML, lacks a key, has an unknown one, or a value of another type.
    """
    try:
        # By way of JSON, the one form in which strict reading still takes a text for a day or a symbol.
        as_json = json.dumps(tomllib.loads(text), default=str)
        return kind.validate_json(as_json)
    except tomllib.TOMLDecodeError as error:
        raise DataError(name, [f"is not TOML: {error}"]) from None
    except ValidationError as error:
        raise DataError(name, [_fault(each["loc"], each["type"], each["msg"]) for each in error.errors()]) from None


def _fault(location: tuple[int | str, ...], kind: str, message: str) -> str:
    place = ".".join(str(part) for part in location) or "file"
    return f"{place}: {_WORDS.get(kind, message)}"
