"""What begins the way to another signing key, what refuses to, and what is sent again of channels that are somebody else's."""

from __future__ import annotations

import pytest

from services.post.signing_folder import load_key, make_key
from services.wire.certificates import read_leaf
from services.wire.channels import COMMISSION, REGISTRAR, record_of, to_commission
from services.wire.issuing import read_request
from tests.commands import SCHOOL
from tests.folders import Folders


def asked(folders: Folders, *arguments: object) -> int:
    return folders.run(SCHOOL, "rotate", "--lost", "--request", folders.folder / "request.pem", *arguments).code


def test_a_key_that_is_here_is_not_lost(folders: Folders) -> None:
    before = {path.name: path.read_bytes() for path in folders.home(SCHOOL).glob("*.[kp]e[ym]")}
    assert asked(folders) == 3
    assert {path.name: path.read_bytes() for path in folders.home(SCHOOL).glob("*.[kp]e[ym]")} == before


def test_a_certificate_for_a_lost_key_goes_by_another_command(folders: Folders) -> None:
    assert asked(folders, folders.home(SCHOOL) / "certificate.pem") == 2


def test_without_a_certificate_nobody_knows_what_to_ask_for(folders: Folders) -> None:
    for name in ("signing.key", "certificate.pem"):
        (folders.home(SCHOOL) / name).unlink()
    assert asked(folders) == 2


@pytest.mark.parametrize("is_damaged", [True, False])
def test_the_request_is_for_a_new_key_of_the_same_organisation_and_stays_the_same(folders: Folders, *, is_damaged: bool) -> None:
    home = folders.home(SCHOOL)
    certificate = (home / "certificate.pem").read_bytes()
    if is_damaged:
        (home / "signing.key").write_bytes(b"damaged")
    else:
        (home / "signing.key").unlink()
    for _ in range(2):
        assert asked(folders) == 0
        request = read_request((folders.folder / "request.pem").read_bytes())
        assert request.organisation == read_leaf(certificate).organisation
        assert request.public_key.public_numbers() == load_key(home / "signing.key").public_key().public_numbers()
    assert (home / "certificate-lost.pem").read_bytes() == certificate
    assert (home / "signing-lost.key").exists() == is_damaged
    assert (home / "signing.key").stat().st_mode & 0o777 == 0o600


def test_a_key_that_was_made_and_not_asked_for_yet_is_the_one_that_is_asked_for(folders: Folders) -> None:
    home = folders.home(SCHOOL)
    made = make_key(home / "signing.key")
    assert asked(folders) == 0
    request = read_request((folders.folder / "request.pem").read_bytes())
    assert request.public_key.public_numbers() == made.public_key().public_numbers()


def test_of_an_own_channel_or_an_unknown_one_nothing_is_given_back(folders: Folders) -> None:
    for channel, name in ((to_commission(SCHOOL), SCHOOL), (record_of(SCHOOL), COMMISSION), (record_of(SCHOOL), REGISTRAR)):
        assert folders.run(name, "give-back", channel).code == 3


def test_what_the_log_shows_is_not_given_back(folders: Folders) -> None:
    assert folders.run(COMMISSION, "give-back", to_commission(SCHOOL), "--json").json["sent"] == 0
