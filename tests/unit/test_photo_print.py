"""The print of a photo stays when the photo is made smaller or compressed again, and differs from another's."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageOps

from anlan.intake import photo_print


def scene(seed: int = 1) -> Image.Image:
    """A picture with a hundred and sixty spots of grey, drawn from a number."""
    spots = bytes((seed * 7919 + place * place * 104_729 + place * 31) % 251 for place in range(160))
    return Image.frombytes("L", (16, 10), spots).resize((640, 400), Image.Resampling.BICUBIC).convert("RGB")


def apart(one: Image.Image, two: Image.Image) -> int:
    a, b = photo_print.of(one), photo_print.of(two)
    assert a is not None
    assert b is not None
    return (a ^ b).bit_count()


def compressed(picture: Image.Image, quality: int) -> Image.Image:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return Image.open(io.BytesIO(out.getvalue()))


@pytest.mark.parametrize("seed", range(5))
def test_a_photo_sent_on_is_still_the_same(seed: int) -> None:
    first = scene(seed)
    assert apart(first, first.resize((213, 133))) <= 4
    assert apart(first, compressed(first, 30)) <= 4
    assert apart(first, ImageEnhance.Brightness(first).enhance(0.8)) <= 4


@pytest.mark.parametrize("seed", range(5))
def test_another_photo_is_another(seed: int) -> None:
    assert apart(scene(seed), scene(seed + 10)) > 16
    assert apart(scene(seed), ImageOps.mirror(scene(seed))) > 16


def test_a_picture_of_one_colour_has_no_print() -> None:
    assert photo_print.of(Image.new("RGB", (64, 48), "teal")) is None
    assert photo_print.of(Image.new("RGB", (1, 1), "white")) is None


def test_a_picture_growing_lighter_to_the_right_is_all_ones() -> None:
    assert photo_print.of(Image.linear_gradient("L").rotate(90)) == 2**64 - 1
    assert photo_print.of(Image.linear_gradient("L").rotate(-90)) == 0


@given(st.integers(0, 2**64 - 1))
def test_a_print_comes_back_from_the_database_as_it_went(found: int) -> None:
    kept = photo_print.to_column(found)
    assert kept is not None
    assert -(2**63) <= kept < 2**63
    assert photo_print.from_column(kept) == found
