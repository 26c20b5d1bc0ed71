"""One real server and one real browser for all tests of the pages; every person has a browser of their own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from index_served import Published, pack, publish
from installation import Installations
from person import Person
from serving import served
from settled import settle
from site_served import Pictures, Site, Visit

NOWHERE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="session")
def site(installations: Installations) -> Iterator[Site]:
    """The small town of `world`, where something has happened, served with its loops until the last test has ended."""
    installation = installations.make()
    town = settle(installation, cases=40)
    with served(installation) as server:
        yield Site(installation, town, server.url)
    installations.remove(installation)


@pytest.fixture(scope="session")
def published(installations: Installations, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """The small town with two published months of a small index; made once, for it takes a while."""
    with pytest.MonkeyPatch.context() as patched:
        folder = pack(tmp_path_factory.mktemp("pack"))
        patched.setenv("ANLAN_PACKS", str(folder))
        installation = installations.make()
        town, months = publish(installation)
    yield Published(installation, town, months, folder)
    installations.remove(installation)


@pytest.fixture(scope="module")
def index_site(published: Published, installations: Installations) -> Iterator[Site]:
    """A copy of that town, served."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("ANLAN_PACKS", str(published.pack))
        installation = installations.copy(published.installation)
        with served(installation) as server:
            yield Site(installation, published.town, server.url)
        installations.remove(installation)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The system's Chromium, without a way to anywhere but loopback."""
    found = os.environ.get("ANLAN_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("No Chromium is here; scripts/browser says how to install one.")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=[*QUIET, NOWHERE])
        yield started
        started.close()


@pytest.fixture
def visit(site: Site, browser: Browser) -> Iterator[Visit]:
    """Gives people of the cast their own browsers; at the end nothing may have gone wrong in any of them."""
    people: list[Person] = []

    def come(who: str = "", **how: object) -> Person:
        person = Person(browser, site.url, site.town, who, **how)  # type: ignore[arg-type]
        people.append(person)
        return person

    yield come
    wrong = [problem for person in people for problem in person.problems]
    for person in people:
        person.leave()
    assert wrong == []


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    """Makes photos that can be told apart, by their colour."""
    from PIL import Image

    def make(colour: str) -> Path:
        file = tmp_path / f"{colour}.jpg"
        Image.new("RGB", (640, 480), colour).save(file, "JPEG")
        return file

    return make
