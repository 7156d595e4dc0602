"""The people and schools of the domain's scenarios (E.0): none of their codes can belong to a living person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["ABOUT_OTHERS", "PEOPLE", "SCHOOLS", "People"]

SCHOOLS: Final = {"0099900011", "0099900022", "0099900033", "0099900044"}


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The pupil of a scenario, and who may apply for the pupil with which code; nobody for a pupil of age."""

    pupil: str
    born: str
    codes: tuple[str, ...]
    requesters: Mapping[str, str]


def of(pupil: str, born: str, *codes: str, **requesters: str) -> People:
    named = {name.replace("_", " "): code for name, code in requesters.items()}
    return People(pupil=pupil, born=born, codes=codes, requesters=named)


PEOPLE: Final = {
    "E01": of("Elza Paraudziņa", "2017-09-14", "140917-29013", Ilze_Paraudziņa="120451-09017"),
    "E02": of("Roberts Izdomenieks", "2018-02-03", "030218-29015", Andris_Izdomenieks="230862-09018"),
    "E03": of("Marta Testkalne", "2017-07-25", "250717-29028", Santa_Testkalne="050748-09017"),
    "E04": of("Jēkabs Mēģinājs", "2018-03-11", "110318-29019", Juris_Mēģinājs="171155-09028"),
    "E05": of("Anna Paraugliepa", "2018-08-07", "070818-29015", Kristīne_Paraugliepa="090370-09019"),
    "E06": of("Oskars Tēlotājs", "2006-05-12", "320000-00011"),
    "E07": of("Paula Iedomāne", "2017-12-12", "121217-29016", Inese_Iedomāne="281066-09012"),
    "E08": of("Emīls Fiktīvais", "2017-07-31", "310717-29010", Māris_Fiktīvais="140744-09018"),
    "E09": of("Dita Neesmalīte", "2017-09-02", "020917-29015", Sarmīte_Neesmalīte="020258-09017"),
    "E10": of("Oto Sapnītis", "2017-11-28", "281117-29019", Viesturs_Sapnītis="210639-09012"),
    "E11": of("Tomass Mazparaugs", "2019-09-30", "300919-29015", Gita_Mazparauga="300453-09018"),
    # The other parents are of our own making.
    "E12": of(
        "Ernests Divkārtējs", "2019-08-01", "010819-29019", Normunds_Divkārtējs="060957-09028", Agnese_Divkārtēja="320000-00288"
    ),
    "E13": of(
        "Luīze Divskolniece", "2018-05-22", "220518-29028", Zane_Divskolniece="131268-09028", Pāvils_Divskolnieks="320000-00244"
    ),
    "E14": of("Kārlis Atsaucējs", "2019-07-05", "050719-29013", Aigars_Atsaucējs="180946-09015"),
    "E15": of("Odrija Pārcēlāja", "2019-06-15", "150619-29019", Lauma_Pārcēlāja="251041-09010"),
    # First as it is mistyped.
    "E16": of("Elīna Kļūdiņa", "2012-03-30", "320000-00023", Dzintars_Kļūdiņš="110363-09012"),
    "E17": of("Markuss Maiņkods", "2017-10-14", "141017-29018", "330000-00044", Baiba_Maiņkoda="040576-09019"),
    "E18": of("Haralds Gaidītājs", "2011-01-20", "320000-00033", Ivars_Gaidītājs="320000-00132"),
    "E19": of("Viktorija Pastniece", "2014-06-08", "320000-00066", Ginta_Pastniece="320000-00143"),
    "E20": of("Līva Aizbildne", "2016-02-19", "320000-00077", Agris_Aizbildnis="320000-00154"),
    "E21": of("Rihards Pilngadnieks", "2008-10-02", "320000-00088", Aija_Pilngadniece="320000-00176"),
    "E22": of("Sofija Termiņa", "2013-04-27", "320000-00099", Ojārs_Termiņš="320000-00187"),
    "E23": of("Gustavs Palīgmeklis", "2015-12-16", "320000-00110", Daina_Palīgmekle="320000-00201"),
    "E24": of("Estere Stundiņa", "2010-09-09", "320000-00121", Uldis_Stundiņš="320000-00209"),
    # A family of our own making, by the rule of the others.
    "E25": of("Nora Divdomīte", "2015-11-11", "320000-00255", Anta_Divdomīte="320000-00266", Arvis_Divdomis="320000-00277"),
    "mistyped": of("Elza Paraudziņa", "2017-09-14", "140917-29013", "140917-29014", Ilze_Paraudziņa="120451-09017"),
}
"""By the scenario; a twin is about the same people."""

ABOUT_OTHERS: Final = {"E16-check-digit": "mistyped"}
"""Twins that are about other people than their scenario."""
