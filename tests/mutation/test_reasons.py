"""The list of changes that no test notices speaks of code that stands there, and gives a reason for each."""

from __future__ import annotations

import pytest

from tests.mutation.run import GROUPS, REASONS, ROOT, Survivor, explained, judged, named


def words(text: str) -> str:
    return " ".join(text.split())


def test_every_row_is_read_and_says_why() -> None:
    rows = [line for line in REASONS.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert len(explained()) == len(rows) > 0
    assert all(len(reason.split()) > 1 for reason in explained().values())


def test_what_is_explained_still_stands_in_a_file_that_is_changed() -> None:
    files = {path.removesuffix(".py").replace("/", "."): path for group in GROUPS.values() for path in group.files}
    for survivor in explained():
        path = next(path for module, path in files.items() if survivor.where.startswith(f"{module}."))
        assert survivor.before != survivor.after
        assert words(survivor.before) in words((ROOT / path).read_text("utf-8")), survivor


def test_the_files_and_tests_of_every_group_are_there() -> None:
    for group in GROUPS.values():
        assert [path for path in (*group.files, *group.tests) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("results", [{}, {"one": "killed", "two": "not checked"}])
def test_a_run_that_broke_off_does_not_pass_for_one_that_found_nothing(results: dict[str, str]) -> None:
    assert judged({"one": "killed"}) == {"one": "killed"}
    with pytest.raises(RuntimeError, match="broke off"):
        judged(results)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('digest=row["digest"],', 'digest=row["XXdigestXX"],'),
        ('(row["state"], "open")', '(row["state"], "OPEN")'),
        ('sums["digest"]', 'sums["DIGEST"]'),
    ],
)
def test_a_column_of_a_row_in_other_letters_is_the_same_and_nothing_else_is(before: str, after: str) -> None:
    where = "services.post.applying.entry_of"
    assert not Survivor(where=where, before=before, after=after).names_the_same
    assert Survivor(where=where, before='(row["state"], "open")', after='(row["STATE"], "open")').names_the_same


@pytest.mark.parametrize(
    ("mutant", "name"),
    [
        ("services.post.entering.x__enter__mutmut_12", "services.post.entering._enter"),
        ("services.post.mailbox.xǁMailboxǁ_sort__mutmut_6", "services.post.mailbox.Mailbox._sort"),
        ("services.wire.trust.xǁ_Buildingǁ_take__mutmut_6", "services.wire.trust._Building._take"),
    ],
)
def test_a_change_is_named_as_its_function_is_in_the_code(mutant: str, name: str) -> None:
    assert named(mutant) == name
