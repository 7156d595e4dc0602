"""What the fuzzer begins with and what it once found, checked again without it, on every platform."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from services.commission.acts import ACTS as COMMISSION_COMMANDS
from services.school.acts import EVERY_ACT
from services.wire.errors import MalformedError, RefusedError
from tests.fuzz.acts import ROWS
from tests.fuzz.target import FindingError, Raw, refused
from tests.fuzz.targets import TARGETS, load_target

REGRESSIONS = Path(__file__).parent / "regressions"


def plain(rng: Random) -> Raw:
    """Return a stand-in for the fuzzer's own change: another byte, or some more."""

    def change(data: bytes, limit: int) -> bytes:
        changed, at = bytearray(data), rng.randint(0, len(data))
        changed[at : at + rng.randint(0, 1)] = rng.randbytes(rng.randint(0, 2))
        return bytes(changed[:limit])

    return change


@pytest.mark.parametrize("name", TARGETS)
def test_what_a_target_begins_with_is_as_documented_and_some_of_it_is_taken(name: str) -> None:
    target = load_target(name)
    seeds = target.seeds()
    assert sum(target.check(seed) for seed in seeds) > 0
    assert max(map(len, seeds)) <= target.limit_bytes


def test_every_act_of_both_sides_that_takes_a_form_is_fuzzed_by_itself() -> None:
    """A row added to a table of acts is here without being named; each begins with a form that is read."""
    rows = [(side, name) for side, name, _ in ROWS]
    both = (("school", EVERY_ACT), ("commission", COMMISSION_COMMANDS))
    assert rows == [(side, name) for side, table in both for name, act in table.items() if act.form is not None]
    assert {rows[seed[0]] for seed in load_target("acts").seeds()} == set(rows)


@pytest.mark.filterwarnings("ignore:Parsed a serial", "ignore:Attribute's length")  # what the parser of certificates says
@pytest.mark.parametrize("name", TARGETS)
def test_changed_inputs_get_past_the_shell_and_end_as_documented(name: str) -> None:
    target, rng = load_target(name), Random(2026)  # noqa: S311  # nothing is kept secret by it
    seeds = target.seeds()
    changed = [target.mutate(rng.choice(seeds), rng, plain(rng)) for _ in range(300)]
    fresh = [each for each in changed if each not in seeds and len(each) <= target.limit_bytes]
    taken = sum(target.check(each) for each in fresh)
    # Were the shell not mended, next to nothing would be taken; were nothing altered, all would be.
    assert len(fresh) > 50
    assert len(fresh) // 20 < taken < len(fresh)


@pytest.mark.filterwarnings("ignore:Parsed a serial", "ignore:Attribute's length")  # as above
@pytest.mark.parametrize("path", sorted(REGRESSIONS.glob("*/*")), ids=lambda path: f"{path.parent.name}: {path.name}")
def test_what_the_fuzzer_once_found_ends_as_documented(path: Path) -> None:
    assert load_target(path.parent.name).check(path.read_bytes()) in (True, False)


@pytest.mark.parametrize("text", ["\x1b[2J", "one\ntwo", "x" * 1000])
def test_an_error_that_commands_a_terminal_or_fills_a_log_is_a_finding(text: str) -> None:
    assert refused(MalformedError("a record is over its limit")) is False
    with pytest.raises(FindingError, match="RefusedError tells"):
        refused(RefusedError(text))
