"""How a message proves who sent it, and when."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from anlan.intake.signing import is_signed, moment, sign
from anlan.intake.wire import Signature

SCHEME = Signature()


def proven(given: str, *secrets: str, nonce: str = "n1") -> bool:
    return is_signed(given, secrets, SCHEME, timestamp="1772416200", nonce=nonce, body=b"{}")


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ("1772416200", datetime(2026, 3, 2, 1, 50, tzinfo=UTC)),
        ("1772416200000", datetime(2026, 3, 2, 1, 50, tzinfo=UTC)),
        ("99999999999", datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC)),
        ("100000000000", datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
        ("17724162000000", None),
        ("-1", None),
        ("1e9", None),
        ("", None),
    ],
)
def test_a_moment_is_in_seconds_or_milliseconds(told: str, named: datetime | None) -> None:
    assert moment(told) == named


def test_a_signature_may_have_blanks_around_it_and_be_made_with_any_of_the_secrets() -> None:
    made = sign("old", SCHEME, timestamp="1772416200", nonce="n1", body=b"{}")
    assert proven(f" {made} ", "new", "old")
    assert proven(made, "old", "new")
    assert not proven(made, "new")
    assert not proven(made, "old", nonce="n2")
