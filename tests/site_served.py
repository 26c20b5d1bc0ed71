"""What the tests of the pages speak of: a town that is served, and how people and photos are had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from installation import Installation
from person import Person
from settled import Town


@dataclass(frozen=True, slots=True)
class Site:
    """A town that is served at `url`."""

    installation: Installation
    town: Town
    url: str


Visit = Callable[..., Person]
"""Gives somebody of the cast a browser, signed in: `visit("triage", width=390, lang="en", scripts=False)`."""
Pictures = Callable[[str], Path]
"""Makes a photo of one colour."""
