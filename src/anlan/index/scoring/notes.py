"""What must be told beside the figures of an index, counted by node and period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from anlan.kernel.text import Text

What = Literal["constant", "empty", "imputed", "treated", "screened", "reweighted", "unscored"]
SAID: Final[dict[str, Text]] = {
    "constant": Text(
        zh="“{key}”{period}：{units} 个单位数值全部相同，按声明的规则取值。",
        en="“{key}”, {period}: all {units} values are alike; they got what is declared for that.",
    ),
    "empty": Text(zh="“{key}”{period}：没有一个单位有数。", en="“{key}”, {period}: no unit has a value."),
    "imputed": Text(
        zh="“{key}”{period}：插补了 {units} 个单位。", en="“{key}”, {period}: filled in for {units} units."
    ),
    "treated": Text(
        zh="“{key}”{period}：处理离群值，{units} 个单位的数值改变。",
        en="“{key}”, {period}: values of {units} units were changed as outliers.",
    ),
    "screened": Text(
        zh="“{key}”{period}：{units} 个单位数据太少，不评分。",
        en="“{key}”, {period}: {units} units have too little to be scored.",
    ),
    "reweighted": Text(
        zh="“{key}”{period}：{units} 个单位有下级缺分，按声明的规则计算。",
        en="“{key}”, {period}: {units} units lack a score below it; the declared rule was followed.",
    ),
    "unscored": Text(
        zh="“{key}”{period}：{units} 个单位虽有下级得分，按规则不能得分。",
        en="“{key}”, {period}: {units} units have no score though something below it has.",
    ),
}


@dataclass(frozen=True, slots=True)
class Note:
    """What happened at the node `key` in `period`, to how many units."""

    what: What
    key: str
    period: str
    units: int

    @property
    def text(self) -> Text:
        """It in words."""
        return SAID[self.what].format(key=self.key, period=self.period, units=self.units)
