"""Whoever tampers with a log is found where it was done, and an honest log is never suspected: the short form of the lab."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.tamper.archives import ARCHIVE_WAYS
from tests.tamper.checkpoints import CHECKPOINT_WAYS
from tests.tamper.harms import Expected, faults_of
from tests.tamper.lab import KINDS, Lab, harmed_run, honest_run


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("lab"), 400)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_tampered_with_is_found_at_its_place(lab: Lab, kind: str) -> None:
    for number in range(3):
        assert harmed_run(lab, lab.folder, kind, number) == []


@pytest.mark.parametrize("kind", ["an archive is edited", "a checkpoint is edited"])
def test_every_way_of_editing_what_an_auditor_keeps_is_found_at_its_place(lab: Lab, kind: str) -> None:
    for turn in range(2 * max(len(ARCHIVE_WAYS), len(CHECKPOINT_WAYS))):
        assert harmed_run(lab, lab.folder, kind, turn * len(KINDS)) == []


def test_honest_logs_in_which_much_happened_are_clean(tmp_path: Path) -> None:
    for number in range(4):
        assert honest_run(tmp_path, number) == []


def test_the_lab_itself_notices_what_is_not_found_or_found_elsewhere(lab: Lab) -> None:
    whole = lab.whole
    assert faults_of(whole, Expected(), whole) == []
    near = Expected(near=("registrar.trust", 2, 3))
    assert [near.allows(("registrar.trust", each)) for each in (1, 2, 3, 4)] == [False, True, True, False]
    assert not near.allows(("school-0099900011.record", 2))
    missed = Expected(places=frozenset({("registrar.trust", 2)}))
    assert faults_of(whole, missed, whole) == ["nothing found at ('registrar.trust', 2)"]
    assert faults_of(whole, Expected(note="nothing such", of="registrar.trust"), whole) != []
    other = replace(whole, channels=[replace(each, head="") for each in whole.channels])
    assert faults_of(other, Expected(), whole) == ["other heads than before"]
