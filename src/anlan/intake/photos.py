"""Photos: what is uploaded is looked at, never believed; kept by digest, without what it knows of its maker."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from PIL import ExifTags, Image, ImageOps

from anlan.intake import photo_print
from anlan.intake.models import Photo, Report
from anlan.kernel.ids import new_id
from anlan.kernel.text import Refusal
from anlan.ledger import events
from anlan.places.models import Officer

Size = Literal["full", "small"]

LARGEST: Final = 12 * 1024 * 1024
MOST_PIXELS: Final = 50_000_000
FORMATS: Final = ("JPEG", "PNG", "WEBP")
STAGES: Final = ("before", "after")

_SMALL = 480
_QUALITY = 88
_HEAD = 1024
# A camera's clock that is further ahead than this says nothing.
_AHEAD = timedelta(days=1)


class BadPhoto(Refusal):
    """The upload is not a photo that can be kept."""


@dataclass(frozen=True)
class _Taken:
    """What a photo says of itself: when and where."""

    at: datetime | None = None
    lon: float | None = None
    lat: float | None = None


def keep(
    content: bytes,
    name: str,
    *,
    stage: str = "before",
    by: Officer | None,
    at: datetime,
    report: Report | None = None,
) -> Photo:
    """Keep a photo: turned upright, its EXIF read (moment, WGS-84 point) and removed, stored once by sha256.

    `content` is JPEG, PNG or WebP, at most 12 MB and 50 million pixels, whatever `name` says. Raises `BadPhoto`.
    """
    _check_name(name)
    _check_stage(stage)
    picture, taken = _opened(content, at)
    full = _as_jpeg(picture)
    digest = hashlib.sha256(full).hexdigest()
    _store(_file(digest, "full"), full)
    _store(_file(digest, "small"), _as_jpeg(_smaller(picture)))
    with transaction.atomic():
        photo = Photo.objects.create(
            id=new_id(),
            digest=digest,
            mime="image/jpeg",
            size=len(full),
            width=picture.width,
            height=picture.height,
            look=photo_print.to_column(photo_print.of(picture)),
            stage=stage,
            taken_at=taken.at,
            lon=taken.lon,
            lat=taken.lat,
            by=by,
            report=report,
            added_at=at,
        )
        _record(photo, at)
    return photo


def path(photo: Photo, size: Size = "full") -> Path:
    """The JPEG file of `photo`; raises `BadPhoto` when it is not on the disk."""
    found = _file(photo.digest, size)
    if not found.is_file():
        raise BadPhoto(
            "照片文件不在磁盘上：请管理员从备份恢复 media 目录。",
            "The photo's file is not on the disk: let the administrator restore the media folder from a backup.",
        )
    return found


def _record(photo: Photo, at: datetime) -> None:
    events.append(
        events.NewEvent(
            kind="photo.kept",
            subject=photo.pk,
            by=photo.by_id,
            at=at,
            recorded_at=at,
            area_path=photo.report.area_path if photo.report else "",
            data={"digest": photo.digest, "stage": photo.stage},
        )
    )


def _check_name(name: str) -> None:
    if any(mark in name for mark in ("/", "\\", "\x00")) or name.strip() in ("", ".", ".."):
        raise BadPhoto(
            f"文件名“{name[:60]!r}”带有路径，不能接收：请只用文件名，例如 fire_exit.jpg。",
            f"The file name {name[:60]!r} holds a path and is not taken: use a bare name like fire_exit.jpg.",
            field="photos",
        )


def _check_stage(stage: str) -> None:
    if stage not in STAGES:
        raise BadPhoto(
            f"照片阶段只能是 {'、'.join(STAGES)}。", f"A photo's stage is {' or '.join(STAGES)}.", field="stage"
        )


def _opened(content: bytes, at: datetime) -> tuple[Image.Image, _Taken]:
    """The picture, upright and in plain colours, and what its EXIF says."""
    if len(content) > LARGEST:
        size = len(content) / (1 << 20)
        raise BadPhoto(
            f"照片有 {size:.0f} MB，最多 {LARGEST >> 20} MB：请用较低的画质重拍或压缩。",
            f"The photo has {size:.0f} MB, at most {LARGEST >> 20} MB are taken: make it smaller.",
            field="photos",
        )
    if b"<svg" in content[:_HEAD].lower() or content.lstrip()[:5].lower() == b"<?xml":
        raise BadPhoto(
            "这是 SVG 图形，可能带有脚本，不能作为照片：请上传 JPEG、PNG 或 WebP。",
            "This is an SVG drawing, which can carry scripts, not a photo: upload JPEG, PNG or WebP.",
            field="photos",
        )
    try:
        picture = Image.open(io.BytesIO(content), formats=FORMATS)
        _check_pixels(picture)
        taken = _exif(picture, at)
        return _plain(ImageOps.exif_transpose(picture)), taken
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    # Pillow lets whatever a damaged file provokes come through.
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError, EOFError):
        raise BadPhoto(
            "不是能打开的照片：只接收完整的 JPEG、PNG 或 WebP。",
            "This cannot be opened as a photo: only whole JPEG, PNG or WebP files are taken.",
            field="photos",
        ) from None


def _check_pixels(picture: Image.Image) -> None:
    if picture.width * picture.height > MOST_PIXELS:
        raise _too_many_pixels()


def _too_many_pixels() -> BadPhoto:
    most = MOST_PIXELS // 1_000_000
    return BadPhoto(
        f"照片超过 {most * 100} 万像素：请缩小后再传。",
        f"The photo has more than {most} million pixels: make it smaller.",
        field="photos",
    )


def _plain(picture: Image.Image) -> Image.Image:
    """The picture in RGB, what is see-through made white; nothing but its pixels goes on."""
    picture.load()
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        over = picture.convert("RGBA")
        ground = Image.new("RGBA", over.size, "white")
        picture = Image.alpha_composite(ground, over)
    return picture.convert("RGB")


def _smaller(picture: Image.Image) -> Image.Image:
    small = picture.copy()
    small.thumbnail((_SMALL, _SMALL))
    return small


def _as_jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    bare = Image.new("RGB", picture.size)
    bare.paste(picture)
    bare.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()


def _exif(picture: Image.Image, at: datetime) -> _Taken:
    try:
        exif = picture.getexif()
        own, gps = exif.get_ifd(ExifTags.IFD.Exif), exif.get_ifd(ExifTags.IFD.GPSInfo)
        taken_at = _moment(
            str(own.get(ExifTags.Base.DateTimeOriginal, "")), str(own.get(ExifTags.Base.OffsetTimeOriginal, ""))
        )
    except (ValueError, TypeError, KeyError, OSError, SyntaxError, ZeroDivisionError):
        return _Taken()
    if taken_at is not None and taken_at > at + _AHEAD:
        taken_at = None
    lon = _degrees(gps, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, 180.0)
    lat = _degrees(gps, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, 90.0)
    return _Taken(taken_at, lon, lat) if lon is not None and lat is not None else _Taken(taken_at)


def _moment(told: str, offset: str) -> datetime | None:
    """EXIF's `2026:11:02 14:05:09`, in its own offset if it has one, else in the installation's zone."""
    told = told.strip("\x00 ")
    if len(told) < 19:
        return None
    try:
        local = datetime.fromisoformat(f"{told[:10].replace(':', '-')}T{told[11:19]}{offset.strip(chr(0) + ' ')}")
    except ValueError:
        return None
    return local if local.tzinfo else local.replace(tzinfo=timezone.get_default_timezone())


def _degrees(gps: dict[int, object], tag: int, side: int, limit: float) -> float | None:
    parts = gps.get(tag)
    if not isinstance(parts, tuple) or len(parts) != 3:
        return None
    try:
        degrees, minutes, seconds = (float(part) for part in parts)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    value = -value if str(gps.get(side, "")).strip("\x00 ").upper() in ("S", "W") else value
    # A NaN fails this comparison too.
    return value if -limit <= value <= limit else None


def _file(digest: str, size: Size) -> Path:
    if len(digest) != 64 or not all(c in "0123456789abcdef" for c in digest):
        raise ValueError(f"not a digest: {digest!r}")
    ending = ".jpg" if size == "full" else ".small.jpg"
    return Path(settings.MEDIA_ROOT) / "photos" / digest[:2] / f"{digest}{ending}"


def _store(target: Path, content: bytes) -> None:
    """Write whole or not at all; a file under its digest never needs writing twice."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        Path(name).chmod(0o640)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
