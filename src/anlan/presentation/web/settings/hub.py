"""The first page of the settings: what can be looked up and kept, as far as one's posts allow."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render

from anlan.kernel.text import Text
from anlan.presentation.permissions import WEB, needs
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.reference import SETTINGS


@dataclass(frozen=True, slots=True)
class Tile:
    """One entry: the address it leads to, its drawing and its words."""

    url: str
    icon: str
    title: Text
    text: Text


GROUPS: tuple[tuple[Text, tuple[Tile, ...]], ...] = (
    (
        Text(zh="地方和责任", en="Places and duties"),
        (
            Tile(
                "areas",
                "areas",
                Text(zh="辖区", en="Areas"),
                Text(zh="从县到网格的树和边界", en="The tree and its boundaries"),
            ),
            Tile(
                "duties",
                "duties",
                Text(zh="责任分工", en="Duties"),
                Text(zh="哪类事由谁负责", en="Who answers for what, where"),
            ),
            Tile(
                "responsible",
                "search",
                Text(zh="今天谁负责", en="Who answers today"),
                Text(zh="按地点和事项查人", en="Look up by place and topic"),
            ),
            Tile(
                "departments",
                "departments",
                Text(zh="部门", en="Departments"),
                Text(zh="可以接办的单位", en="Who can be given a case"),
            ),
            Tile(
                "devices",
                "bell",
                Text(zh="设备", en="Devices"),
                Text(zh="烟感、燃气、水压、电气和报警面板", en="Detectors, gauges and panels"),
            ),
            Tile(
                "parties",
                "parties",
                Text(zh="责任主体", en="Responsible parties"),
                Text(zh="企业、房东、个体户", en="Enterprises, landlords, traders"),
            ),
        ),
    ),
    (
        Text(zh="人员和权限", en="People and permissions"),
        (
            Tile(
                "officers",
                "me",
                Text(zh="人员", en="Officers"),
                Text(zh="谁能登录，担任什么岗位", en="Who signs in, with which posts"),
            ),
            Tile(
                "roles",
                "declared",
                Text(zh="角色", en="Roles"),
                Text(zh="每种岗位能做什么", en="What each kind of post may do"),
            ),
            Tile(
                "tokens",
                "key",
                Text(zh="接入密钥", en="Access keys"),
                Text(zh="给其他系统的钥匙", en="Keys for other systems"),
            ),
            Tile(
                "subscribers",
                "out",
                Text(zh="推送订阅", en="Outgoing feeds"),
                Text(zh="把进展推给热线和上级平台", en="Progress for hotline and superiors"),
            ),
            Tile(
                "clients",
                "key",
                Text(zh="推送接入", en="Incoming channels"),
                Text(zh="热线、督查、警情等系统推来的", en="What hotline, police and others post"),
            ),
        ),
    ),
    (
        Text(zh="运行", en="Running"),
        (
            Tile(
                "doors",
                "inbox",
                Text(zh="门口状态", en="Doors"),
                Text(zh="每个渠道最近来件、待核、延迟", en="Each channel: last message, held, delay"),
            ),
        ),
    ),
    (
        Text(zh="规则", en="Rules"),
        (
            Tile(
                "calendar",
                "calendar",
                Text(zh="工作日历", en="Working calendar"),
                Text(zh="节假日、调休和上班时间", en="Holidays, make-up days, hours"),
            ),
            Tile(
                "forwards",
                "out",
                Text(zh="转送", en="Passed on"),
                Text(zh="送到别的系统的事项", en="Cases that other systems deal with"),
            ),
            Tile(
                "declared",
                "declared",
                Text(zh="已声明的规则", en="Declared rules"),
                Text(zh="流程、渠道、事项、分派", en="Procedures, channels, topics, routing"),
            ),
            Tile(
                "topics_learned",
                "search",
                Text(zh="类别建议", en="Topic suggestions"),
                Text(zh="按文字猜类别，猜得准不准", en="Topics guessed from words, and how well"),
            ),
        ),
    ),
)


@needs("areas.see")
def index(request: Asked) -> HttpResponse:
    """The groups with the entries this person may open."""
    groups = [(title, [tile for tile in tiles if request.reach.may(WEB[tile.url])]) for title, tiles in GROUPS]
    return render(request, "settings/hub.html", {"title": SETTINGS, "groups": [each for each in groups if each[1]]})
