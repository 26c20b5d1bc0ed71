"""What the forms of reporting share: the numbers that clients give."""

from __future__ import annotations

from uuid import UUID


def number_of(given: str) -> str:
    """The client's own number, when it is one of ours (a UUID); else nothing."""
    try:
        return str(UUID(given))
    except ValueError:
        return ""
