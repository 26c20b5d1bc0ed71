"""Where the endpoint is and what it speaks: the file by which clients find it."""

from __future__ import annotations

from datetime import UTC, datetime

from anlan.intake import jurisdiction
from anlan.intake.jurisdiction import JURISDICTIONS
from anlan.intake.topic import TOPICS
from anlan.kernel import catalogue
from anlan.presentation.open311.frame import ROOT, Answer, Call
from anlan.presentation.open311.spark import CONTENT_TYPES

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"


def discovery(call: Call) -> Answer:
    """The discovery document; it needs no jurisdiction."""
    changed = _changed()
    url = call.request.build_absolute_uri(ROOT)
    endpoint = {
        "specification": SPECIFICATION,
        "url": url,
        "changeset": changed,
        "type": call.here.type,
        "formats": [form.partition(";")[0] for form in CONTENT_TYPES.values()],
    }
    return "discovery", {
        "changeset": changed,
        "contact": call.say(call.here.contact),
        "key_service": call.say(call.here.key_service),
        "endpoints": [endpoint],
    }


def _changed() -> str:
    """When what is offered last changed: the newest of the files that declare it."""
    known = catalogue.current()
    files = [known.origin(JURISDICTIONS, key) for key in jurisdiction.every()]
    files += [known.origin(TOPICS, key) for key in known.all(TOPICS)]
    newest = max(file.stat().st_mtime for file in files)
    return datetime.fromtimestamp(newest, UTC).isoformat(timespec="seconds")
