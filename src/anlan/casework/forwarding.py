"""The vocabulary of a forwarding: which cases go on to which other Open311 server. One file each, in `forwarding/`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from anlan.casework.procedure import PROCEDURES
from anlan.intake.topic import TOPICS, lineage
from anlan.kernel import catalogue
from anlan.kernel.catalogue import Catalogue, Declaration, Kind
from anlan.kernel.refusals import unknown
from anlan.kernel.text import Text


class Forwarding(Declaration):
    """Cases that another Open311 server takes care of. Nothing goes there while it is not `active`.

    `endpoint` is its address, up to what stands before `/requests.json`. `topics` maps our topics to its service codes;
    a narrower topic goes as its broader one. With `department` (a key) a case goes once that department leads it,
    without one as soon as it is opened; `areas` (codes) narrow it. The key is never in a file: `key_env` names the
    variable of the environment that holds it. `officer` is the user name of the system account in whose name our side
    is told: of the number there by `when_sent`, of the end there by `when_closed`, acts that neither prove nor close
    anything, their one needed field given as `told_in`. `sends_again`: the other side takes the same request sent twice
    for one, so that what is unclear may simply be sent again.
    """

    title: Text
    active: bool = True
    endpoint: str = Field(pattern=r"^https?://[^\s?#]+$")
    jurisdiction_id: str = ""
    format: Literal["json", "xml"] = "json"
    key_env: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    topics: dict[str, str] = Field(min_length=1)
    areas: tuple[str, ...] = ()
    department: str = ""
    officer: str
    when_sent: str = "note"
    when_closed: str = "note"
    told_in: str = "note"
    sends_again: bool = False
    ask_minutes: int = Field(default=30, ge=1, le=1440)
    most_tries: int = Field(default=10, ge=1, le=100)

    def service_code(self, topic: str) -> str:
        """The other side's code for one of our topics; "" where such cases do not go there."""
        line = lineage(catalogue.current().all(TOPICS), topic) or (topic,)
        return next((self.topics[key] for key in line if key in self.topics), "")


FORWARDING = Kind("forwarding", Forwarding)


def strangers(declared: Forwarding, known: Catalogue) -> Iterator[tuple[str, Text]]:
    """What this forwarding names that nobody declares, or an act by which it would prove or close a case."""
    topics = known.all(TOPICS)
    for key in declared.topics:
        if key not in topics:
            yield "topics", unknown("类别", "topic", key, topics)
    for where, key in (("when_sent", declared.when_sent), ("when_closed", declared.when_closed)):
        found = [(p, p.acts[key]) for p in known.all(PROCEDURES).values() if key in p.acts]
        if not found:
            yield where, unknown("动作", "act", key, {act for p in known.all(PROCEDURES).values() for act in p.acts})
        elif any(act.proves or (act.to in p.steps and p.steps[act.to].final) for p, act in found):
            yield where, PROVES.format(act=key)


PROVES = Text(
    zh="“{act}”是核查或办结，只能由人来做：对方说办完了，还要有人去核实。",
    en="“{act}” proves or closes a case, which only a person may do: what the other side says is done must be checked.",
)
