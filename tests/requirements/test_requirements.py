"""Nothing of the requirement is without a test, no test names what there is not, and the page says which is which."""

from __future__ import annotations

from tests.requirements.shown import PAGE, items, page, shown


def test_every_item_of_the_requirement_is_shown_by_a_test() -> None:
    assert [each.id for each in items() if each.id not in shown()] == []


def test_no_test_shows_what_the_requirement_does_not_say() -> None:
    assert shown().keys() - {each.id for each in items()} == set()


def test_the_page_of_requirements_is_what_the_tests_say_now() -> None:
    assert PAGE.read_text("utf-8") == page()
