"""A photo's print: 64 bits that stay nearly the same when it is made smaller, lighter or compressed again. Pure.

Each bit says whether a spot of the picture, brought to nine by eight shades of grey, is lighter than the one beside it
(the difference hash). How alike two photos are is in how many bits their prints differ.
"""

from __future__ import annotations

from typing import Final

from PIL import Image

BITS: Final = 64

_ACROSS, _DOWN = 9, 8
# A wall, a night, a thumb on the lens: such pictures are all alike and say nothing.
_LEAST_CONTRAST: Final = 12
_WHOLE: Final = 1 << BITS
_HALF: Final = 1 << (BITS - 1)


def of(picture: Image.Image) -> int | None:
    """The print of a picture; None when it is as good as one colour all over."""
    grey = picture.convert("L").resize((_ACROSS, _DOWN), Image.Resampling.LANCZOS).tobytes()
    if max(grey) - min(grey) < _LEAST_CONTRAST:
        return None
    found = 0
    for row in range(_DOWN):
        for column in range(_ACROSS - 1):
            at = row * _ACROSS + column
            found = found << 1 | (grey[at] < grey[at + 1])
    return found


def to_column(found: int | None) -> int | None:
    """The print as a database keeps it: a whole number of 64 bits with a sign."""
    return found - _WHOLE if found is not None and found >= _HALF else found


def from_column(kept: int) -> int:
    """The print again."""
    return kept % _WHOLE


PARTS: Final = tuple(to_column(0x1111_1111_1111_1111 << place) or 0 for place in range(4))
"""Masks of a print's four parts, each of every fourth bit, as a database keeps them. Spread over the whole picture,
so that a bright sky does not make one part of all photos alike."""
SAME_BITS: Final = len(PARTS) - 1
"""Prints that differ in no more bits than this are of one picture, sent again: one part of them at least is equal, so
that those with an equal part are all there is to compare. (What differs in up to eight is alike: a hint to a person.)
"""
