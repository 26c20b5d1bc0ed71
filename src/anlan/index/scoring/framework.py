"""The tree of an index: its heads and leaves in order, with every rule that counts at each of them.

`framework(spec, leaves)` puts an index's own columns and the indicators that name it together. What does not fit is
refused with file and key, all of it at once; what is doubtful is told in `notes`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from anlan.index.scoring import pairwise
from anlan.index.scoring.normalise import Direction, Normalising
from anlan.index.scoring.panel import Floats
from anlan.index.scoring.spec import ROOT, Aggregation, Head, IndexSpec, Missing
from anlan.kernel.refusals import unknown
from anlan.kernel.text import Refusal, Text


class Leaf(Protocol):
    """What a framework needs to know of an indicator. Its values stand in the panel's column of its `key`."""

    @property
    def key(self) -> str: ...
    @property
    def title(self) -> Text: ...
    @property
    def parent(self) -> str: ...
    @property
    def weight(self) -> float: ...
    @property
    def better(self) -> Direction: ...
    @property
    def order(self) -> int: ...
    @property
    def department(self) -> str: ...
    @property
    def score(self) -> Normalising | None: ...


@dataclass(frozen=True, slots=True)
class Node:
    """The index itself, a head or a leaf. `parent` and `children` are places in `Framework.nodes`; the index's own
    parent is -1. `leaf` is the leaf's place in `Framework.leaves`, -1 for others. `weight` is as declared."""

    key: str
    title: Text
    parent: int
    children: tuple[int, ...]
    depth: int
    weight: float
    leaf: int
    aggregation: Aggregation
    missing: Missing
    score: Normalising | None
    """How a leaf's values, or a head's figures, are normalised; a head's often are not."""
    places: int | None


@dataclass(frozen=True)
class Framework:
    """The resolved tree. `nodes`: the index itself first, every parent before its children, children in their order.

    `nominal` is the weight of each node in the index, as declared and were nothing missing: the share of its parent
    times the parent's (units: 1 is the whole).
    """

    spec: IndexSpec
    nodes: tuple[Node, ...]
    leaves: tuple[Leaf, ...]
    notes: tuple[Text, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The nodes' keys; the first is the index's own."""
        return tuple(node.key for node in self.nodes)

    @property
    def leaf_nodes(self) -> tuple[int, ...]:
        """Where each leaf stands among the nodes."""
        found = {node.leaf: place for place, node in enumerate(self.nodes) if node.leaf >= 0}
        return tuple(found[leaf] for leaf in range(len(self.leaves)))

    @property
    def weights(self) -> Floats:
        """The nodes' weights as declared."""
        return np.array([node.weight for node in self.nodes])

    @property
    def nominal(self) -> Floats:
        """See above."""
        found = np.ones(len(self.nodes))
        for place, node in enumerate(self.nodes):
            total = sum(self.nodes[child].weight for child in node.children)
            for child in node.children:
                found[child] = found[place] * self.nodes[child].weight / total
        return found

    def place(self, key: str) -> int:
        """Where the node of this key stands. Raises ValueError when there is none."""
        return self.keys.index(key)

    def leaves_under(self, place: int) -> list[int]:
        """The places in `leaves` of all that stands under a node, itself included."""
        node = self.nodes[place]
        if node.leaf >= 0:
            return [node.leaf]
        return [leaf for child in node.children for leaf in self.leaves_under(child)]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: in which declaration (the index's key or a leaf's), in which field."""

    declared: str
    field: str
    reason: Text


class Misframed(Refusal):
    """The parts of an index do not make a tree."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(
            "\n".join(f"{fault.declared}: {fault.field}：{fault.reason.zh}" for fault in faults),
            "\n".join(f"{fault.declared}: {fault.field}: {fault.reason.en}" for fault in faults),
            field=faults[0].field,
        )
        self.faults = tuple(faults)


def framework(spec: IndexSpec, leaves: Iterable[Leaf] = ()) -> Framework:
    """The tree of `spec` with its own columns and `leaves`. Raises Misframed."""
    every: list[Leaf] = [*spec.columns, *leaves]
    faults = list(problems(spec, every[len(spec.columns) :]))
    if faults:
        raise Misframed(faults)
    return _Growing(spec, every).grown()


def problems(spec: IndexSpec, leaves: Iterable[Leaf] = ()) -> Iterator[Fault]:
    """Everything that keeps `spec` and `leaves` from being a tree."""
    every: list[tuple[str, str, Leaf]] = [
        (spec.key, f"columns[{number}]", column) for number, column in enumerate(spec.columns)
    ]
    every += [(leaf.key, "", leaf) for leaf in leaves]
    yield from _doubled(spec, [leaf for _, _, leaf in every])
    yield from _strayed(spec, every)
    yield from _circling(spec)
    yield from _childless(spec, [leaf for _, _, leaf in every])
    yield from _unweighed(spec, [leaf for _, _, leaf in every])
    yield from _misruled(spec, every)


def astray(spec: IndexSpec, leaf: Leaf) -> Iterator[Fault]:
    """Everything that keeps one leaf of another file from its place in the tree of `spec`."""
    yield from (fault for fault in _strayed(spec, [(leaf.key, "", leaf)]) if fault.declared == leaf.key)
    yield from (fault for fault in _misruled(spec, [(leaf.key, "", leaf)]) if fault.declared == leaf.key)


def _doubled(spec: IndexSpec, leaves: Sequence[Leaf]) -> Iterator[Fault]:
    keys = Counter([spec.key, *(head.key for head in spec.heads), *(leaf.key for leaf in leaves)])
    for key, times in keys.items():
        if times > 1:
            reason = Text(
                zh=f"“{key}”用了 {times} 次，每个键只能用一次。",
                en=f"“{key}” is used {times} times; a key names one thing.",
            )
            yield Fault(spec.key, "key", reason)


def _strayed(spec: IndexSpec, every: Sequence[tuple[str, str, Leaf]]) -> Iterator[Fault]:
    heads = [ROOT, *(head.key for head in spec.heads)]
    for number, head in enumerate(spec.heads):
        if head.parent not in heads:
            yield Fault(spec.key, f"heads[{number}].parent", unknown("指标类", "head", head.parent, heads))
    for declared, where, leaf in every:
        field = f"{where}.parent".lstrip(".")
        if leaf.parent not in heads:
            yield Fault(declared, field, unknown("指标类", "head", leaf.parent, heads))
        known = [department.key for department in spec.departments]
        if known and leaf.department and leaf.department not in known:
            reason = unknown("责任部门", "department", leaf.department, known)
            yield Fault(declared, f"{where}.department".lstrip("."), reason)


def _circling(spec: IndexSpec) -> Iterator[Fault]:
    parents = {head.key: head.parent for head in spec.heads}
    told: set[str] = set()
    for number, head in enumerate(spec.heads):
        way = [head.key]
        while parents.get(way[-1]) and parents[way[-1]] not in way:
            way.append(parents[way[-1]])
        if parents.get(way[-1]) == head.key and head.key not in told:
            told.update(way)
            shown = " → ".join([*way, head.key])
            reason = Text(zh=f"上级绕成了圈：{shown}。", en=f"The parents go round in a circle: {shown}.")
            yield Fault(spec.key, f"heads[{number}].parent", reason)


def _childless(spec: IndexSpec, leaves: Sequence[Leaf]) -> Iterator[Fault]:
    parents = {each.parent for each in _parts(spec, leaves)}
    for number, head in enumerate(spec.heads):
        if head.key not in parents:
            reason = Text(zh=f"“{head.key}”下面没有指标。", en=f"There is no indicator under “{head.key}”.")
            yield Fault(spec.key, f"heads[{number}]", reason)
    if not leaves:
        yield Fault(spec.key, "columns", Text(zh="这个指数没有一个指标。", en="This index has no indicator."))


def _unweighed(spec: IndexSpec, leaves: Sequence[Leaf]) -> Iterator[Fault]:
    known = {each.key for each in _parts(spec, leaves)}
    for name, given in spec.weights.sets.items():
        for key in given.keys() - known:
            yield Fault(spec.key, f"weights.sets.{name}", unknown("指标", "head or indicator", key, known))
        if any(weight < 0 for weight in given.values()):
            reason = Text(zh="权重不能小于 0。", en="A weight cannot be below 0.")
            yield Fault(spec.key, f"weights.sets.{name}", reason)
    if spec.weights.use not in {"given", "equal", *spec.weights.sets}:
        names = ["given", "equal", *spec.weights.sets]
        yield Fault(spec.key, "weights.use", unknown("权重", "set of weights", spec.weights.use, names))
    below = {each: set(_under(spec, leaves, each)) for each in [ROOT, *(head.key for head in spec.heads)]}
    for number, table in enumerate(spec.weights.pairwise):
        if set(table.keys) != below.get(table.parent, set()):
            reason = Text(
                zh=f"须把“{table.parent}”的每个下级各写一次：{'、'.join(sorted(below.get(table.parent, ())))}。",
                en=f"Each child of “{table.parent}” must stand once: {', '.join(sorted(below.get(table.parent, ())))}.",
            )
            yield Fault(spec.key, f"weights.pairwise[{number}].keys", reason)
    given = weights(spec, leaves)
    for parent, children in below.items():
        if children and sum(given.get(child, 0.0) for child in children) <= 0:
            reason = Text(
                zh=f"“{parent or spec.key}”各下级的权重之和为 0。",
                en=f"The weights under “{parent or spec.key}” sum to 0.",
            )
            yield Fault(spec.key, "weights", reason)


def _misruled(spec: IndexSpec, every: Sequence[tuple[str, str, Leaf]]) -> Iterator[Fault]:
    peers = spec.peers
    rules: list[tuple[str, str, Normalising]] = [(spec.key, "score", spec.score)]
    rules += [(declared, f"{where}.score".lstrip("."), leaf.score) for declared, where, leaf in every if leaf.score]
    for number, head in enumerate(spec.heads):
        rules += [(spec.key, f"heads[{number}].score", own) for own in (head.score, head.children) if own]
    for declared, field, rule in rules:
        if rule.within and rule.within not in peers:
            yield Fault(declared, f"{field}.within", unknown("同类组", "group of peers", rule.within, peers))
    for number, head in enumerate(spec.heads):
        if head.score and head.score.over != "period" and not head.score.absolute:
            reason = Text(zh="指标类只能在本期内标准化。", en="A head can be normalised within its own period only.")
            yield Fault(spec.key, f"heads[{number}].score.over", reason)
    if spec.imputing and spec.imputing.within and spec.imputing.within not in peers:
        yield Fault(spec.key, "imputing.within", unknown("同类组", "group of peers", spec.imputing.within, peers))
    for declared, where, leaf in every:
        if leaf.score and _contrary(leaf.score, leaf.better):
            low, high = leaf.score.low, leaf.score.high
            reason = Text(
                zh=f"better 是 {leaf.better}，与 low（0 分处）{low:g}、high（满分处）{high:g} 矛盾。",
                en=f"`better` is {leaf.better}, yet no points are at {low:g} and full ones at {high:g}.",
            )
            yield Fault(declared, f"{where}.score".lstrip("."), reason)


def _contrary(rule: Normalising, better: Direction) -> bool:
    """Whether the goalposts stand the other way round than `better` says."""
    if rule.method != "goalposts" or rule.low is None or rule.high is None:
        return False
    return (rule.low < rule.high) != (better == "up")


def _under(spec: IndexSpec, leaves: Sequence[Leaf], parent: str) -> list[str]:
    return [each.key for each in _parts(spec, leaves) if each.parent == parent]


def weights(spec: IndexSpec, leaves: Sequence[Leaf]) -> dict[str, float]:
    """The weight of every head and leaf by key, by the rule of the index."""
    found = {each.key: each.weight for each in _parts(spec, leaves)}
    if spec.weights.use == "equal":
        found = dict.fromkeys(found, 1.0)
    found.update({k: w for k, w in spec.weights.sets.get(spec.weights.use, {}).items() if k in found})
    for table in spec.weights.pairwise:
        found.update(zip(table.keys, pairwise.weigh(table).weights.tolist(), strict=True))
    return found


class _Growing:
    """A tree being put together from parts that fit."""

    def __init__(self, spec: IndexSpec, leaves: Sequence[Leaf]) -> None:
        self.spec, self.leaves = spec, leaves
        self.weights = weights(spec, leaves)
        self.rows = sorted(_parts(spec, leaves), key=lambda each: each.order)
        self.numbers: Mapping[str, int] = {leaf.key: number for number, leaf in enumerate(leaves)}
        self.nodes: list[Node] = []

    def grown(self) -> Framework:
        spec = self.spec
        root = Node(spec.key, spec.title, -1, (), 0, 1.0, -1, self._depth(0), spec.missing, None, spec.places)
        self._add(root, ROOT, None)
        return Framework(spec, tuple(self.nodes), tuple(self.leaves), tuple(pairwise.doubts(spec.weights.pairwise)))

    def _depth(self, depth: int) -> Aggregation:
        return self.spec.by_depth[depth] if depth < len(self.spec.by_depth) else self.spec.aggregation

    def _add(self, node: Node, key: str, rule: Normalising | None) -> int:
        """The node with all that stands under `key`; `rule` is how leaves under it without one are scored."""
        here = len(self.nodes)
        self.nodes.append(node)
        children = []
        for each in self.rows if node.leaf < 0 else ():
            if each.parent == key:
                below = each.children or rule if isinstance(each, Head) else None
                children.append(self._add(self._node(each, here, node.depth + 1, rule), each.key, below))
        self.nodes[here] = replace(node, children=tuple(children))
        return here

    def _node(self, each: Head | Leaf, parent: int, depth: int, rule: Normalising | None) -> Node:
        spec, weight = self.spec, self.weights[each.key]
        if isinstance(each, Head):
            own, missing = each.aggregation or self._depth(depth), each.missing or spec.missing
            return Node(each.key, each.title, parent, (), depth, weight, -1, own, missing, each.score, each.places)
        found, leaf = each.score or rule or spec.score, self.numbers[each.key]
        return Node(
            each.key, each.title, parent, (), depth, weight, leaf, self._depth(depth), spec.missing, found, None
        )


def _parts(spec: IndexSpec, leaves: Sequence[Leaf]) -> list[Head | Leaf]:
    return [*spec.heads, *leaves]
