"""Addresses as pictures that a telephone reads."""

from __future__ import annotations

import segno
from django.utils.safestring import SafeString, mark_safe


def drawn(url: str) -> SafeString:
    """An address as a QR code (SVG)."""
    code = segno.make(url, error="m", micro=False)
    return mark_safe(code.svg_inline(scale=4, border=2, svgclass=None, lineclass=None, omitsize=True))  # noqa: S308 - drawn here
