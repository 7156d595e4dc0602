"""What events share of persons and addresses; all of it personal."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "Address",
    "Application",
    "Assistant",
    "Particulars",
    "Person",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An address as it was declared; personal."""

    text: str
    postal_code: str
    varis_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person as the form names them (A2.4, A2.5); personal."""

    given_name: str
    family_name: str
    personal_code: str
    declared_address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """The application form as it was filed; personal."""

    pupil: Person
    representative: Person | None
    desired_assistant: str | None
    contact: str
    delivery_address: Address | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """Who a case is about, as the form says it; personal."""

    pupil: Person
    representative: Person | None
    contact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assistant:
    """A person who assists; personal."""

    given_name: str
    family_name: str
    personal_code: str
