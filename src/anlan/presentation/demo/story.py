"""What people report in the demo town, and how each kind of step is usually dealt with."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from anlan.kernel.workdays import Unit

TOPICS = (
    ("fire_exit", 15), ("fire_equipment", 7), ("electrical", 9), ("gas_leak", 3), ("rental_safety", 9),
    ("three_in_one", 3), ("road_hazard", 7), ("parking", 9), ("waste", 12), ("street_order", 7),
    ("construction_site", 4), ("dust_noise", 4), ("outdoor_sign", 3), ("manhole", 3), ("streetlight", 6),
    ("food_safety", 3), ("school_safety", 2), ("enterprise_hazard", 5), ("water_pollution", 2),
)  # fmt: skip
TELLS = {
    "fire_exit": (
        "二楼疏散通道堆满纸箱，只能侧身通过", "安全出口被铁链锁住", "楼梯间停放电动自行车",
        "防火门被杂物顶住，关不上",
    ),
    "fire_equipment": ("灭火器压力表指针在红区", "消火栓箱内没有水带", "应急照明灯不亮"),
    "electrical": ("楼道飞线给电动自行车充电", "配电箱没有门，线头裸露", "一个插座接了三个大功率电器"),
    "gas_leak": ("厨房闻到燃气味，软管老化开裂", "液化气瓶放在地下室"),
    "rental_safety": ("出租房隔成六间，只有一个出口", "房间窗户装了防盗网，没有逃生口", "合租房没有独立式烟感"),
    "three_in_one": ("店铺阁楼住人，楼下堆放布料", "加工作坊里隔出一间住人"),
    "road_hazard": ("路口反光镜破损，拐弯看不见来车", "路面塌陷一个坑，夜里没有警示", "护栏被撞断一截"),
    "parking": ("小区消防车道被私家车占住", "车辆停在盲道上", "货车长期占用应急通道"),
    "waste": ("垃圾桶满溢，污水流到路面", "河边有人倾倒建筑垃圾", "背街小巷垃圾两天没有清运"),
    "street_order": ("夜宵摊占了半条机动车道", "商铺把货摆到人行道上"),
    "construction_site": ("工地临边没有护栏", "脚手架密目网破损", "塔吊下方没有警戒区"),
    "dust_noise": ("工地夜里十一点还在打桩", "渣土车没有盖篷布，一路扬尘"),
    "outdoor_sign": ("三楼广告牌一角松脱，风大时摇晃",),
    "manhole": ("井盖缺失，只用树枝挡着", "井盖松动，车过时翻起"),
    "streetlight": ("整条巷子路灯不亮", "路灯白天常亮"),
    "food_safety": ("餐馆后厨生熟不分", "熟食摊没有防蝇罩"),
    "school_safety": ("校门口减速带磨平", "托管班只有一个出口"),
    "enterprise_hazard": ("抛光车间积尘厚，没有除尘", "喷漆房里堆放溶剂桶", "冲床没有防护罩"),
    "water_pollution": ("排水口流出乳白色污水",),
}  # fmt: skip
RETURNS = ("该路段由属地镇街养护，不属本部门职责", "经现场核实属物业责任，请派住建", "职责清单中此项由综合执法负责")
RESULTS = (
    "已现场清理并责成负责人签收整改要求",
    "已更换到位，试用正常",
    "已修复并设置警示标志",
    "已清运完毕，安排每日两次巡查",
)
REWORKS = ("二楼仍有杂物", "只清了门口，里面没有动", "修好当天又坏了", "警示牌没有补上")
RATINGS = ("satisfied", "fairly", "dissatisfied", "unreached")
FALSE = ("做饭油烟引起，已开窗", "电话核实无险情，误碰按钮", "探测器积尘，已通知清洁")
ANSWERS = ("经查已列入本周维修计划，周四前修好", "已修复，感谢反映", "已约谈经营者并现场整改")


@dataclass(frozen=True, slots=True)
class Habit:
    """How a step is usually left: the act, its chance, and after how many working minutes (from, to)."""

    act: str
    chance: float
    after: tuple[int, int]
    unit: Unit = "working_minutes"


HABITS: dict[tuple[str, str], tuple[Habit, ...]] = {
    ("incident", "collected"): (
        Habit("refuse", 0.03, (10, 90)), Habit("decline", 0.02, (20, 90)), Habit("register", 1, (4, 70)),
    ),
    ("incident", "registered"): (Habit("dispatch", 1, (3, 75)),),
    ("incident", "returned"): (Habit("dispatch", 1, (10, 120)),),
    ("incident", "dispatched"): (
        Habit("return", 0.07, (30, 400)), Habit("hang", 0.008, (400, 1500)), Habit("fix", 0.25, (60, 1500)),
        Habit("accept", 1, (10, 300)),
    ),
    ("incident", "handling"): (
        Habit("ask_extension", 0.06, (300, 900)), Habit("hang", 0.005, (400, 1500)), Habit("fix", 1, (90, 2300)),
    ),
    ("incident", "hung"): (Habit("resume", 1, (1500, 6000)),),
    ("incident", "fed_back"): (Habit("rework", 0.11, (15, 150)), Habit("verify", 1, (10, 150))),
    ("incident", "verified"): (Habit("close", 1, (3, 60)),),
    ("hazard", "found"): (Habit("solved_on_spot", 0.12, (30, 300)), Habit("order", 1, (30, 1300))),
    ("hazard", "ordered"): (
        Habit("ask_extension", 0.05, (1500, 3000)), Habit("escalate", 0.03, (5000, 7000)),
        Habit("rectify", 1, (600, 5200)),
    ),
    ("hazard", "rectified"): (Habit("rework", 0.14, (300, 3000)), Habit("strike_off", 1, (240, 4000))),
    ("fire_alarm", "alarmed"): (
        Habit("false_alarm", 0.62, (1, 9), "minutes"), Habit("confirm", 1, (1, 6), "minutes"),
    ),
    ("fire_alarm", "dispatched"): (Habit("fix", 1, (15, 110), "minutes"),),
    ("fire_alarm", "handled"): (Habit("close", 1, (20, 600), "minutes"),),
    ("request", "received"): (Habit("refuse", 0.03, (30, 300)), Habit("assign", 1, (15, 300))),
    ("request", "returned"): (Habit("assign", 1, (15, 300)),),
    ("request", "assigned"): (Habit("return", 0.04, (60, 500)), Habit("answer", 1, (200, 2300))),
    ("request", "answered"): (Habit("again", 0.06, (100, 800)), Habit("rate", 1, (60, 900))),
}  # fmt: skip


def topic(dice: Random) -> str:
    return dice.choices([key for key, _ in TOPICS], [weight for _, weight in TOPICS])[0]


def habit(procedure: str, step: str, dice: Random, *, done: dict[str, int]) -> Habit | None:
    """What happens next and how soon; nobody asks, returns or hangs twice here."""
    for choice in HABITS.get((procedure, step), ()):
        once = choice.act in ("ask_extension", "return", "hang", "again") and done.get(choice.act, 0)
        if not once and dice.random() < choice.chance:
            return choice
    return None
