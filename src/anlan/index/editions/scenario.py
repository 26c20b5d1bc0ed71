"""What would be if a weight were another: the scores of an edition, put together anew up the tree.

The leaves' scores stay as they were published; only how much they count changes. Nothing is published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from anlan.index.editions.loaded import Scores
from anlan.index.scoring.composite import effective, raised
from anlan.index.scoring.framework import Framework
from anlan.index.scoring.groups import Labels, grouped
from anlan.index.scoring.panel import Floats
from anlan.kernel.text import Refusal


class NotAWeight(Refusal):
    """A share of the whole that the node cannot have."""

    def __init__(self, most: float) -> None:
        super().__init__(
            f"权重要大于等于 0%、小于 {most:.1%}（它的上级在总分里所占的份额）。",
            f"The weight must be at least 0 % and less than {most:.1%}, which is what its head has of the whole.",
            field="weight",
        )


@dataclass(frozen=True)
class Scenario:
    """The index of every area as it is (`now`) and as it would be (`then`), before lines; units: areas of the scores.

    `framework` has the weights that were asked; `weights` is nodes × areas, what each node would count.
    """

    framework: Framework
    now: Floats
    then: Floats
    weights: Floats


def reweighted(frame: Framework, key: str, share: float) -> Framework:
    """The tree in which the node `key` has `share` of the whole (0 to 1); its siblings keep their proportions.

    Raises NotAWeight, and ValueError where there is no such node or it is the index itself.
    """
    place = frame.place(key)
    parent = frame.nodes[place].parent
    if parent < 0:
        raise ValueError(f"{key} is the index itself")
    most = float(frame.nominal[parent])
    others = sum(frame.nodes[child].weight for child in frame.nodes[parent].children if child != place)
    if not 0 <= share < most or not others:
        raise NotAWeight(most)
    part = share / most
    nodes = list(frame.nodes)
    nodes[place] = replace(nodes[place], weight=others * part / (1 - part))
    return replace(frame, nodes=tuple(nodes))


def what_if(scores: Scores, changes: Mapping[str, float], *, labels: Labels) -> Scenario:
    """The index were the named nodes to have these shares of the whole, one change after the other.

    `labels` is what is told of the areas, in their order. Raises NotAWeight.
    """
    frame = scores.framework
    for key, share in changes.items():
        frame = reweighted(frame, key, share)
    then, made = _raised(frame, scores, labels)
    return Scenario(frame, _raised(scores.framework, scores, labels)[0], then, effective(frame, made))


def _raised(frame: Framework, scores: Scores, labels: Labels) -> tuple[Floats, Floats]:
    made = np.ascontiguousarray(scores.score.T)
    groups = {key: grouped(peers, labels, scores.paths) for key, peers in frame.spec.peers.items()}
    raised(frame, made, scores.paths, groups, "")
    return made[0], made
