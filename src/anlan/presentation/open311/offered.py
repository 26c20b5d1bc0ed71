"""What can be reported here, and what is asked besides."""

from __future__ import annotations

from typing import Any

from anlan.intake.topic import TOPICS, Question, Topic, lineage
from anlan.kernel import catalogue
from anlan.presentation.open311.asked import NotThere
from anlan.presentation.open311.frame import Answer, Call


def topics_of(call: Call) -> dict[str, Topic]:
    """The topics that can be reported here."""
    topics: dict[str, Topic] = catalogue.current().all(TOPICS)
    return call.here.offers(topics)


def find(call: Call, code: str) -> Topic:
    """The topic that is offered under this code."""
    found = topics_of(call).get(code)
    if found is None:
        raise NotThere(
            f"没有 service_code 为“{code[:60]}”的类别，请从 /services 里选。",
            f"The service_code “{code[:60]}” was not found; choose one of /services.",
            field="service_code",
        )
    return found


def every(call: Call) -> Answer:
    """The list of services."""
    return "services", [_service(call, topic) for topic in topics_of(call).values()]


def definition(call: Call, code: str) -> Answer:
    """What is asked of whoever reports such a thing."""
    topic = find(call, code)
    asked = [_attribute(call, question, number) for number, question in enumerate(topic.questions, 1)]
    return "service_definition", {"service_code": topic.key, "attributes": asked}


def _service(call: Call, topic: Topic) -> dict[str, Any]:
    topics: dict[str, Topic] = catalogue.current().all(TOPICS)
    broadest = topics[lineage(topics, topic.key)[-1]]
    words = topic.words.zh if call.language == "zh" else topic.words.en
    return {
        "service_code": topic.key,
        "service_name": call.say(topic.title),
        "description": call.say(topic.summary or topic.title),
        "metadata": bool(topic.questions),
        "type": "realtime" if call.here.answers == "number" else "batch",
        "keywords": ", ".join(words),
        "group": call.say(broadest.title),
    }


def _attribute(call: Call, question: Question, order: int) -> dict[str, Any]:
    return {
        "variable": question.asked,
        "code": question.code,
        "datatype": question.type,
        "required": question.required,
        "datatype_description": call.say(question.hint),
        "order": order,
        "description": call.say(question.title),
        "values": [{"key": value.key, "name": call.say(value.title)} for value in question.values],
    }
