"""What a person would find wrong with a page that is open: what axe finds, and what is wider than the screen."""

from __future__ import annotations

import hashlib
import os
import re
from functools import cache
from pathlib import Path

import axe_playwright_python

from person import Person

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async (tags) => {
  const found = await axe.run(document, {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]});
  return found.violations.map((v) => [v.id, v.help, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200))]);
}"""
OVER = """async () => {
  const until = performance.now() + 3000;
  let over;
  do {
    await new Promise(requestAnimationFrame);
    over = document.documentElement.scrollWidth - window.innerWidth;
  } while (over > 0 && performance.now() < until);
  return over;
}"""
"""By how much a page is too wide: a chart takes the width of a smaller window a moment later."""
DESK, PHONE = (1440, 900), (390, 844)
# Looks do not depend on the database: on PostgreSQL it is enough that every page opens.
ON_POSTGRES = os.environ.get("ANLAN_TEST_DATABASE", "").startswith("postgres")
LANGUAGES = ("zh",) if ON_POSTGRES else ("zh", "en")
WIDTHS = (DESK,) if ON_POSTGRES else (DESK, PHONE)
CHANGING = re.compile(r'name="(csrfmiddlewaretoken|key|client_id)" value="[^"]*"|X-CSRFToken[^}]*')

seen: set[str] = set()
"""What axe has looked at already: most pages are the same for everybody who may open them."""


@cache
def _unfold() -> str:
    return "() => document.querySelectorAll('main details').forEach((each) => { each.open = true; })"


def looked_at(person: Person, lang: str) -> list[str]:
    """What is wrong with the page that is open, at every width, with everything unfolded."""
    person.page.evaluate(_unfold())
    person.page.wait_for_load_state("load")
    person.page.evaluate("() => document.fonts.ready.then(() => true)")
    wrong = []
    for width, height in WIDTHS:
        person.page.set_viewport_size({"width": width, "height": height})
        if width == PHONE[0]:
            over = person.page.evaluate(OVER)
            wrong += [f"{width}: {over} px too wide"] if over > 0 else []
        wrong += [f"{width}: {problem}" for problem in axe(person, f"{lang} {width}")]
    person.page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    return [f"{lang} {person.page.url} {problem}" for problem in wrong]


def axe(person: Person, look: str) -> list[str]:
    """What axe finds, unless it has seen the same page in the same look."""
    open_now = person.page.locator("main, dialog[open], .offcanvas.show, .dropdown-menu.show").all()
    shown = CHANGING.sub("", " ".join(part.inner_html() for part in open_now))
    mark = hashlib.sha256(f"{look} {shown}".encode()).hexdigest()
    if mark in seen:
        return []
    seen.add(mark)
    if not person.page.evaluate("() => Boolean(window.axe)"):
        person.page.evaluate(AXE)
    return [f"{rule}: {words} {nodes}" for rule, words, nodes in person.page.evaluate(RUN, TAGS)]
