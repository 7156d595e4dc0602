"""The port to the expertise files: what every register of them has to say alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from services.commission.expertise import ExpertiseFile, ExpertiseRegister
from services.wire.events import Opinion

__all__ = ["FILES", "RegisterContract"]

FILES: Mapping[str, ExpertiseFile] = {
    "03021829015": ExpertiseFile(opinion_on=date(2024, 2, 3), opinion_until=date(2028, 2, 3)),
    "32000000011": ExpertiseFile(opinion_on=date(2020, 5, 12)),
    "32000000022": ExpertiseFile(),
}


class RegisterContract(ABC):
    """Whoever keeps a register shows these to hold."""

    @abstractmethod
    def register(self, folder: Path, files: Mapping[str, ExpertiseFile]) -> ExpertiseRegister:
        """Return a register that holds these files."""

    @pytest.mark.parametrize("code", FILES)
    def test_a_file_that_is_there_is_found_by_its_code(self, tmp_path: Path, code: str) -> None:
        assert self.register(tmp_path, FILES).look_up(code) == FILES[code]

    @pytest.mark.parametrize("code", ["32000000033", "03021829016", ""])
    def test_nobody_else_is_found(self, tmp_path: Path, code: str) -> None:
        assert self.register(tmp_path, FILES).look_up(code) is None

    def test_nobody_is_found_in_an_empty_register(self, tmp_path: Path) -> None:
        assert self.register(tmp_path, {}).look_up("03021829015") is None

    @pytest.mark.shows("A5.3", "D5.3", "D5.4")
    @pytest.mark.parametrize(
        ("code", "day", "opinion"),
        [
            ("03021829015", date(2024, 2, 2), Opinion.NONE),
            ("03021829015", date(2024, 2, 3), Opinion.VALID),
            ("03021829015", date(2028, 2, 3), Opinion.VALID),
            ("03021829015", date(2028, 2, 4), Opinion.EXPIRED),
            ("32000000011", date(2040, 1, 1), Opinion.VALID),
            ("32000000022", date(2026, 8, 20), Opinion.NONE),
        ],
    )
    def test_an_opinion_counts_from_its_day_to_its_last(self, tmp_path: Path, code: str, day: date, opinion: Opinion) -> None:
        file = self.register(tmp_path, FILES).look_up(code)
        assert file is not None
        assert file.opinion(day) is opinion
