"""Where a report belongs: by its point, its site, its area code, the post of whoever tells it, or the town."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple

from anlan.intake.channel import Channel
from anlan.intake.reading import Reason, Understood, sentence
from anlan.kernel.geometry import PolygonIndex
from anlan.kernel.text import Refusal, Text
from anlan.places import areas, register, towns
from anlan.places.addresses import Addresses, Known, Likely, addresses, known
from anlan.places.models import Officer
from anlan.places.record import day_of
from anlan.places.scope import posts_of

# A few days are read at once: imports of the past, and today.
_REMEMBERED = 8


class NoTown(Refusal):
    """There is no area yet that a report could belong to."""


class Place(NamedTuple):
    """The area (id and path) and site that a report belongs to, its point, and what was set aside to say so."""

    area: int
    path: str
    site: int | None = None
    lon: float | None = None
    lat: float | None = None
    notes: tuple[Text, ...] = ()


class Around(NamedTuple):
    """The path of the area a point belongs to, and how many metres outside of it the point lies; 0 = it holds it."""

    path: str
    metres: float


@dataclass(frozen=True)
class Tree:
    """The areas of one day: path to id, code to path, and the boundaries by code, deepest areas first."""

    ids: Mapping[str, int]
    paths: Mapping[str, str]
    boundaries: Sequence[PolygonIndex]

    def around(
        self, points: Sequence[tuple[float, float]], *, nearest_m: float = 0.0, below: str = ""
    ) -> list[Around | None]:
        """For each point (WGS-84) the deepest area whose boundary holds it.

        Where areas below that one are drawn and leave the point out, or where no area holds it, the nearest of them
        within `nearest_m` metres; one that lies in `below`, where no area holds it.
        """
        found: list[Around | None] = [None] * len(points)
        for index in self.boundaries:
            left = [number for number, around in enumerate(found) if around is None]
            for number, area in zip(left, index.locate_many([points[n] for n in left]), strict=True):
                found[number] = Around(self.paths[area.code], 0.0) if area else None
        return self._nearest(points, found, nearest_m, below) if nearest_m > 0 else found

    def _nearest(
        self, points: Sequence[tuple[float, float]], held: list[Around | None], nearest_m: float, below: str
    ) -> list[Around | None]:
        found: dict[int, Around] = {}
        above = [around.path if around else below for around in held]
        for index in self.boundaries:
            depth = self.paths[index.codes[0]].count("/")
            left = [
                number for number, around in enumerate(held)
                if number not in found and (around is None or around.path.count("/") < depth)
            ]  # fmt: skip
            for number, near in zip(left, index.near([points[n] for n in left], reach_m=nearest_m), strict=True):
                around = ((self.paths[area.code], area.metres) for area in near)
                first = next((Around(*each) for each in around if each[0].startswith(above[number])), None)
                if first:
                    found[number] = first
        return [found.get(number, around) for number, around in enumerate(held)]

    def trunk(self) -> str:
        """The path of the deepest area that has every other above or below it: the town itself."""
        first, last = min(self.ids), max(self.ids)
        shared = ""
        for path in areas.ancestors(first):
            if last.startswith(path):
                shared = path
        if shared not in self.ids:
            raise NoTown(
                "有几个互不相属的辖区，不知道该登记到哪个：请写明辖区编码。",
                "There are several areas with nothing above them; say which one by its code.",
                field="area",
            )
        return shared


def tree(*, at: datetime) -> Tree:
    """The areas on the day of `at`, kept in memory while they do not change."""
    trees: dict[date, Tree] = register.current().kept("trees", dict)
    day = day_of(at)
    if day not in trees:
        if len(trees) >= _REMEMBERED:
            trees.clear()
        trees[day] = _read(day)
    return trees[day]


def _read(day: date) -> Tree:
    rows = list(areas.at_day(day).values_list("pk", "code", "path"))
    if not rows:
        raise NoTown("还没有建立辖区：请先载入一个城镇。", "There are no areas yet: load a town first.", field="area")
    depths: dict[int, list[tuple[str, Mapping[str, Any]]]] = {}
    for path, boundary in areas.shapes(day):
        depths.setdefault(path.count("/"), []).append((path.rstrip("/").rpartition("/")[2], boundary))
    boundaries = [PolygonIndex(depths[depth]) for depth in sorted(depths, reverse=True)]
    return Tree({path: pk for pk, _, path in rows}, {code: path for _, code, path in rows}, boundaries)


class Locator:
    """Finds the places of the messages of one channel, told by one officer."""

    def __init__(self, channel: Channel, *, by: Officer | None, at: datetime, base: str = "") -> None:
        self.tree = tree(at=at)
        self._column = channel.columns.get("area")
        self._site_column = channel.columns.get("site")
        self._root = self._root_of(channel)
        posts = posts_of(by, at=at) if by else ()
        stands = (path for path in (base, *(post.area.path for post in posts)) if path in self.tree.ids)
        self._post = next(stands, "")
        self._nearest_m, self._least = channel.nearest_m, channel.site_confidence
        self._addresses: dict[str, Addresses] = {}

    @cached_property
    def base(self) -> str:
        """Where a message belongs that says nothing of its place. Raises `NoTown` where nobody can know."""
        return self._post or self._root or self.tree.trunk()

    def _root_of(self, channel: Channel) -> str:
        code = channel.area_default
        if not code and channel.town:
            code = next(area.code for area in towns.town(channel.town).areas if not area.parent)
        if not code:
            return ""
        path = self.tree.paths.get(code)
        if path is None:
            raise NoTown(
                f"渠道「{channel.title.zh}」要登记到辖区 {code}，但还没有这个辖区：请先载入城镇。",
                f"The channel “{channel.title.en}” files under the area {code}, "
                "which is not there yet: load the town first.",
                field="area",
            )
        return path

    def places(self, told: Sequence[tuple[int | None, Understood]]) -> list[Place | Reason]:
        """Where each (row number, message) belongs; a `Reason` when it names an area or a site that is not there."""
        sites = known({message.site_code for _, message in told if message.site_code})
        points = [(m.lon, m.lat) for _, m in told if m.lon is not None and m.lat is not None]
        found = iter(self.tree.around(points, nearest_m=self._nearest_m, below=self._root))
        return [self._place(m, sites, None if m.lon is None else next(found), row_no) for row_no, m in told]

    def _place(
        self, told: Understood, sites: Mapping[str, Known], around: Around | None, row_no: int | None
    ) -> Place | Reason:
        notes: list[Text] = []
        site = sites.get(told.site_code) if told.site_code else None
        if told.site_code and site is None:
            wrong = _no_site(told.site_code, row_no)
            if self._site_column is None or self._site_column.on_bad == "quarantine":
                return Reason("site", "", wrong)
            notes.append(wrong)
        path, aside = self._path(told, site, around, row_no)
        if isinstance(path, str) and site is None and told.address:
            site, says = self._by_address(told.address, path, row_no)
            if site is not None:
                path, aside = self._path(told, site, around, row_no)
            notes += says
        if isinstance(path, Reason):
            return path
        lon, lat = (told.lon, told.lat) if told.lon is not None or site is None else (site.lon, site.lat)
        return Place(self.tree.ids[path], path, site.pk if site else None, lon, lat, (*notes, *aside))

    def _by_address(self, address: str, path: str, row_no: int | None) -> tuple[Known | None, list[Text]]:
        """The site in the area with `path` whose own name or address it is; else a note on those it may mean."""
        if path not in self._addresses:
            self._addresses[path] = addresses(path)
        site = self._addresses[path].exact(address)
        if site is not None:
            return site, [_is_site(site, row_no)]
        likely = self._addresses[path].likely(address, least=self._least)
        return None, [_may_be(likely, row_no)] if likely else []

    def _path(
        self, told: Understood, site: Known | None, around: Around | None, row_no: int | None
    ) -> tuple[str | Reason, list[Text]]:
        notes: list[Text] = []
        if around is not None and around.path.startswith(self._root):
            return around.path, [_near(around.metres, row_no)] if around.metres > 0 else []
        if told.lon is not None and self.tree.boundaries:
            notes.append(_outside(row_no))
        return self._by_code(told, site, notes, row_no), notes

    def _by_code(self, told: Understood, site: Known | None, notes: list[Text], row_no: int | None) -> str | Reason:
        if site is not None and site.area_path in self.tree.ids:
            return site.area_path
        if told.area_code:
            path = self.tree.paths.get(told.area_code)
            if path is not None and path.startswith(self._root):
                return path
            return self._unknown_area(told, notes, row_no)
        if self._column is not None and self._root:
            notes.append(self._filed(told, _BLANK, row_no))
            return self._root
        return self.base

    def _unknown_area(self, told: Understood, notes: list[Text], row_no: int | None) -> str | Reason:
        column = self._column
        wrong = self._filed(told, _UNKNOWN, row_no)
        if column is None or column.on_bad == "quarantine":
            return Reason("area", column.names[0] if column else "", wrong)
        notes.append(wrong)
        return self._root or self.base

    def _filed(self, told: Understood, why: Text, row_no: int | None) -> Text:
        name = self._column.names[0] if self._column else "area"
        return sentence(row_no, name, told.area_told, why)


_BLANK = Text(zh="按全域登记", en="filed under the whole town")
_UNKNOWN = Text(
    zh="没有这个编码的辖区，请核对编码；渠道允许时按全域登记",
    en="there is no area with this code; check it (filed under the whole town where the channel allows it)",
)


def _no_site(code: str, row_no: int | None) -> Text:
    why = Text(
        zh="没有这个编号的场所，请核对二维码或先登记场所",
        en="there is no site with this code; check the sign or register it first",
    )
    return sentence(row_no, "site", code, why)


def _outside(row_no: int | None) -> Text:
    zh, en = _where(row_no)
    return Text(zh=f"{zh}坐标不在任何网格的边界之内。", en=f"{en}the point lies in no area's boundary.")


def _near(metres: float, row_no: int | None) -> Text:
    zh, en = _where(row_no)
    far = max(1, round(metres))
    return Text(
        zh=f"{zh}坐标落在边界之间的空隙或边界之外，已登记到最近的辖区（相距约 {far} 米），请核对。",
        en=f"{en}the point lies between or outside the boundaries; filed under the nearest area, about {far} m away. "
        "Check it.",
    )


def _is_site(site: Known, row_no: int | None) -> Text:
    zh, en = _where(row_no)
    return Text(
        zh=f"{zh}地址与场所「{site.name}」登记的名称或地址相同，已记到这个场所。",
        en=f"{en}the address is the name or address of the site “{site.name}”; it is noted as the site.",
    )


def _may_be(likely: Sequence[Likely], row_no: int | None) -> Text:
    zh, en = _where(row_no)
    named = [(each.site.name, round(each.confidence * 100)) for each in likely]
    sites_zh = "或".join(f"「{name}」（把握 {share}%）" for name, share in named)
    sites_en = " or ".join(f"“{name}” (confidence {share}%)" for name, share in named)
    return Text(
        zh=f"{zh}地址像是场所{sites_zh}，没有自动登记，请核对。",
        en=f"{en}the address looks like the site {sites_en}; it was not set, please check.",
    )


def _where(row_no: int | None) -> tuple[str, str]:
    return (f"第 {row_no} 行", f"Row {row_no}: ") if row_no else ("", "")
