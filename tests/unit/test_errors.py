"""One exit code a family of errors, and no other."""

from __future__ import annotations

import re

from services.desk.playing import NotAsWrittenError
from services.wire import errors
from services.wire.errors import ExchangeError, SettingsError


def families() -> dict[str, int]:
    return {each.__name__: each.exit_code for each in ExchangeError.__subclasses__() if each.__module__.startswith("services.")}


def below(kind: type[ExchangeError]) -> set[type[ExchangeError]]:
    return {kind}.union(*(below(each) for each in kind.__subclasses__()))


def test_each_family_has_an_exit_code_of_its_own() -> None:
    codes = families()
    assert NotAsWrittenError.__name__ in codes
    assert len(set(codes.values())) == len(codes) == 9
    # 0 is success, 1 what Python leaves with at a bug of ours.
    assert not {0, 1} & set(codes.values())


def test_every_error_leaves_with_the_exit_code_of_its_family() -> None:
    for family in ExchangeError.__subclasses__():
        assert {each.exit_code for each in below(family)} == {family.exit_code}


def test_what_the_command_line_does_not_understand_is_of_the_family_of_settings() -> None:
    assert SettingsError.exit_code == 2  # Typer's own for a wrong call


def test_the_documented_exit_codes_are_those_of_the_program() -> None:
    assert errors.__doc__ is not None
    documented = {int(code) for code in re.findall(r"\b(\d+) [a-z]", errors.__doc__.partition("one exit code a family")[2])}
    assert documented == {*families().values(), 1}
