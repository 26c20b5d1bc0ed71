"""Six hundred sites of the demo town, spread over its grids."""

from __future__ import annotations

from datetime import datetime
from random import Random

from shapely.geometry import Point, shape

from anlan.places import sites
from anlan.places.models import Area, Party, Site

KINDS = (
    ("rental_house", "出租房", 30), ("shopfront", "店铺", 22), ("restaurant", "饭店", 10), ("factory", "工坊", 8),
    ("warehouse", "仓库", 5), ("old_estate", "小区", 5), ("high_rise", "高层", 4), ("school", "学校", 3),
    ("hotel", "旅馆", 4),
    ("market", "市场", 2), ("training_institute", "培训中心", 3), ("construction_site", "工地", 4),
)  # fmt: skip
STREETS = ("福田里", "望潮路", "听松街", "拾贝巷", "澜桥路", "青石弄", "盐仓街", "灯塔路", "槐树里", "渔港路")
WORDS = ("海风", "晨光", "四季", "如意", "长乐", "同心", "小桥", "云水", "东篱", "白鹭", "金穗", "南浦")


def build(at: datetime, dice: Random, *, count: int, operator: Party | None) -> list[Site]:
    """`count` sites, each at a point inside its grid."""
    grids = list(Area.objects.filter(level="grid").order_by("code"))
    shapes = {grid.pk: shape(grid.boundary) for grid in grids}
    made = []
    kinds = [kind for kind in KINDS for _ in range(kind[2])]
    for number in range(count):
        grid, (kind, word, _) = grids[number % len(grids)], dice.choice(kinds)
        lon, lat = _inside(shapes[grid.pk], dice)
        address = f"{dice.choice(STREETS)} {dice.randint(1, 180)} 号"
        name = address.replace(" ", "") + "出租房" if kind == "rental_house" else f"{dice.choice(WORDS)}{word}"
        site = sites.create(
            name=name, kind=kind, area=grid, address=address, code=f"QL{number + 1:05d}", lon=lon, lat=lat,
            operator=operator if kind in ("factory", "warehouse") and number % 5 == 0 else None, by=None, at=at,
        )  # fmt: skip
        made.append(site)
    return made


def _inside(polygon: object, dice: Random) -> tuple[float, float]:
    west, south, east, north = polygon.bounds  # type: ignore[attr-defined]
    while True:
        point = Point(dice.uniform(west, east), dice.uniform(south, north))
        if polygon.contains(point):  # type: ignore[attr-defined]
            return round(point.x, 6), round(point.y, 6)
