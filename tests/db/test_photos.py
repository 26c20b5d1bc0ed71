"""Photos: looked at, never believed."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image

from anlan.intake import photo_print, photos, reports
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Photo
from anlan.intake.photos import BadPhoto
from anlan.kernel import catalogue
from anlan.ledger import events
from world import AT, world

pytestmark = pytest.mark.usefixtures("media")


def picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, (200, 30, 30, 128)[: len(mode)]).save(out, kind, **more)
    return out.getvalue()


def exif() -> Image.Exif:
    told = Image.Exif()
    told[ExifTags.Base.Make] = "A maker"
    told[ExifTags.Base.Orientation] = 6
    told.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:03:05 14:05:09"
    gps = told.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "N", (27.0, 1.0, 12.0)
    gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "E", (122.0, 1.0, 12.0)
    return told


def keep(content: bytes, name: str = "a.jpg", **more: Any) -> Photo:
    return photos.keep(content, name, **{"by": None, "at": AT, **more})


def refusal(content: bytes, name: str = "a.jpg", **more: Any) -> BadPhoto:
    with pytest.raises(BadPhoto) as refused:
        keep(content, name, **more)
    assert not Photo.objects.exists()
    assert refused.value.text.en
    return refused.value


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_kept_as_jpeg_with_a_small_one_beside(kind: str) -> None:
    photo = keep(picture(kind, (1000, 500)))
    with Image.open(photos.path(photo)) as full, Image.open(photos.path(photo, "small")) as small:
        assert (full.format, full.size, small.size) == ("JPEG", (1000, 500), (480, 240))
    assert photo.size == photos.path(photo).stat().st_size


def test_when_and_where_are_read_and_everything_else_is_removed() -> None:
    photo = keep(picture(exif=exif()))
    assert photo.taken_at == datetime(2026, 3, 5, 6, 5, 9, tzinfo=UTC)
    assert photo.lon == pytest.approx(122.02)
    assert photo.lat == pytest.approx(27.02)
    with Image.open(photos.path(photo)) as kept:
        assert not kept.getexif()
        assert kept.size == (48, 64), "turned upright"
    assert b"A maker" not in photos.path(photo).read_bytes()


def test_a_clock_far_ahead_says_nothing() -> None:
    told = exif()
    told.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2036:03:05 14:05:09"
    assert keep(picture(exif=told)).taken_at is None


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("told", [b"Exif\x00\x00garbage", b"Exif\x00\x00II*\x00\xff\xff\xff\xff"])
def test_broken_exif_does_not_cost_the_photo(told: bytes) -> None:
    photo = keep(picture(exif=told))
    assert (photo.taken_at, photo.lon) == (None, None)


def test_what_is_see_through_becomes_white() -> None:
    photo = keep(picture("PNG", mode="RGBA"))
    with Image.open(photos.path(photo)) as kept:
        assert kept.mode == "RGB"


def test_the_same_photo_twice_is_one_file() -> None:
    first, second = keep(picture()), keep(picture())
    assert first.pk != second.pk
    assert photos.path(first) == photos.path(second)


def test_a_kept_photo_is_in_the_ledger_by_its_digest() -> None:
    photo = keep(picture(), stage="after")
    [event] = events.history(photo.pk)
    assert (event.kind, event.data) == ("photo.kept", {"digest": photo.digest, "stage": "after"})


def test_a_photo_is_kept_with_its_print() -> None:
    grey = Image.linear_gradient("L").rotate(90).convert("RGB")
    out = io.BytesIO()
    grey.save(out, "PNG")
    look = Photo.objects.get(pk=keep(out.getvalue()).pk).look
    assert look is not None
    assert photo_print.from_column(look) == photo_print.of(grey) == 2**64 - 1
    assert keep(picture()).look is None


def test_thirty_megabytes_are_refused_with_both_numbers() -> None:
    told = refusal(b"\xff\xd8\xff" + b"x" * (30 << 20))
    assert "30 MB" in told.text.zh
    assert "12 MB" in told.text.en


def test_an_svg_with_a_script_is_refused_whatever_it_is_called() -> None:
    for start in (b"", b"\xef\xbb\xbf<?xml version='1.0'?>", b"  <!-- x -->"):
        assert (
            "SVG" in refusal(start + b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>").text.zh
        )


@pytest.mark.parametrize("name", ["../../etc/passwd", "..\\a.jpg", "/a.jpg", "a\x00.jpg", "..", " "])
def test_a_file_name_with_a_path_is_refused(name: str) -> None:
    assert "路径" in refusal(picture(), name).text.zh


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"not a photo", picture()[:200], picture("GIF"), picture("BMP")])
def test_what_is_no_whole_jpeg_png_or_webp_is_refused(content: bytes) -> None:
    assert "JPEG" in refusal(content).text.zh


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked() -> None:
    assert "5000 万像素" in refusal(picture("PNG", (8000, 7000), "L")).text.zh


def test_a_picture_made_to_burst_is_refused() -> None:
    assert "像素" in refusal(picture("PNG", (14000, 14000), "1")).text.zh


def test_a_stage_is_before_or_after() -> None:
    assert "before" in refusal(picture(), stage="later").text.zh


def test_a_photo_whose_file_is_gone_says_so() -> None:
    photo = keep(picture())
    photos.path(photo).unlink()
    with pytest.raises(BadPhoto, match="备份"):
        photos.path(photo)


def test_a_digest_that_is_none_leads_nowhere() -> None:
    with pytest.raises(ValueError, match="not a digest"):
        photos.path(Photo(digest="../../../etc/passwd".ljust(64, "0")))


def test_photos_join_the_report_they_come_with(media: Path) -> None:
    town = world()
    photo = keep(picture(), by=town.grid_worker)
    message = {"client_id": "c-1", "topic": "waste", "description": "垃圾满溢"}
    channel = catalogue.current().get(CHANNELS, "officer_form")
    received = reports.receive(channel, message, by=town.grid_worker, at=town.at, photos=[photo])
    assert received.report is not None
    assert list(received.report.photos.all()) == [photo]
    assert media in photos.path(photo).parents
