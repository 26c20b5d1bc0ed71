"""A procedure made ready for the engine: every question it asks of a step or clock, answered once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from anlan.casework.procedure import ANY, Act, Clock, Procedure, Rung

STOP, RUN, PAUSE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Plan:
    """`ops[step]` tells for each clock, in order, whether it runs, pauses or has stopped there; a case that reaches one
    of the steps `registered` has been taken up.
    """

    procedure: Procedure
    first: str
    clock_keys: tuple[str, ...]
    clocks: tuple[Clock, ...]
    ops: dict[str, tuple[int, ...]]
    outcomes: dict[str, str]
    registered: frozenset[str]
    acts: dict[str, Act]
    acts_at: dict[str, tuple[str, ...]]

    def length(self, index: int, topic: str) -> float:
        """The clock's length for a topic, in the clock's unit; a topic's own length comes before the general one."""
        clock = self.clocks[index]
        return clock.by_topic.get(topic, clock.length.n) if clock.by_topic else clock.length.n


# Whether a case is late is counted from history, so the end of a clock that is counted always rings, if to nobody.
_END = Rung.model_construct(at=1.0, before=None, after=None, tell=(), level="")


def _ending(clock: Clock) -> Clock:
    if clock.counts not in ("handle", "close") or any(rung.at == 1.0 for rung in clock.ladder):
        return clock
    return clock.model_copy(update={"ladder": (*clock.ladder, _END)})


def _op(clock: Clock, step: str) -> int:
    return RUN if step in clock.runs else PAUSE if step in clock.pauses else STOP


def _reaches(act: Act, step: str, final: bool) -> bool:
    return step in act.steps or (ANY in act.steps and not final)


@lru_cache(maxsize=256)
def _ready(identity: str, holder: _Holder) -> Plan:
    p = holder.procedure
    return Plan(
        procedure=p,
        first=p.first,
        clock_keys=tuple(p.clocks),
        clocks=tuple(_ending(clock) for clock in p.clocks.values()),
        ops={step: tuple(_op(clock, step) for clock in p.clocks.values()) for step in p.steps},
        outcomes={key: step.outcome for key, step in p.steps.items()},
        registered=frozenset(key for key, step in p.steps.items() if step.stage not in ("intake", "closed")),
        acts=dict(p.acts),
        acts_at={
            key: tuple(name for name, act in p.acts.items() if _reaches(act, key, step.final))
            for key, step in p.steps.items()
        },
    )


class _Holder:
    """Lets a procedure (which holds mappings, so has no hash) be remembered by which object it is."""

    __slots__ = ("procedure",)

    def __init__(self, procedure: Procedure) -> None:
        self.procedure = procedure

    def __hash__(self) -> int:
        return id(self.procedure)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Holder) and other.procedure is self.procedure


def ready(procedure: Procedure) -> Plan:
    """The plan of a procedure, made once for each declaration object."""
    return _ready(procedure.identity, _Holder(procedure))
