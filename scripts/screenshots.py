"""Makes docs/images/*.png from the demo town: `make screenshots`. Builds the town in a folder of its own, unless
ANLAN_DATA names one that is built; some minutes, and nothing but loopback.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).resolve().parent.parent
IMAGES = HERE / "docs/images"
PASSWORD = "anlan-demo-2026"  # noqa: S105 - the invented town's, told to everybody
MINUTES = 20


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: who looks at which address, how wide, in which language. With `row` the first row of the list
    that bears these words is opened.
    """

    name: str
    who: str
    path: str
    width: int = 1440
    height: int = 900
    lang: str = "zh"
    row: str = ""


SHOTS = (
    Shot("desk", "paiqian1", "/inbox/"),
    Shot("case", "paiqian1", "/cases/?step=fed_back", height=1200, row="SJ-"),
    Shot("figures", "lingdao1", "/figures/", height=1100),
    Shot("procedure", "admin", "/settings/declared/procedures/incident@2026.1/", height=1000),
    Shot("phone", "wangge1", "/inbox/", width=390, height=844),
    Shot("desk-en", "paiqian1", "/inbox/", lang="en"),
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def demo_town() -> Iterator[str]:
    """The address of the demo town, served until the pictures are taken."""
    kept = os.environ.get("ANLAN_DATA")
    data = Path(kept) if kept else Path(tempfile.mkdtemp(prefix="anlan-pictures-"))
    environment = os.environ | {"ANLAN_DATA": str(data), "ANLAN_PACKS": str(HERE / "packs/qinglan")}
    port = free_port()
    command = [str(Path(sys.executable).with_name("anlan")), "demo", "--port", str(port)]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/sign-in/", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()
        if not kept:
            shutil.rmtree(data, ignore_errors=True)


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60 * MINUTES
    while time.monotonic() < until:
        if server.poll() is not None:
            raise SystemExit("演示县没有建成。 / The demo town could not be built.")
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own server on loopback
                return
        except OSError:
            time.sleep(1)
    raise SystemExit("演示县没有应答。 / The demo town does not answer.")


def signed_in(browser: Browser, url: str, shot: Shot) -> Page:
    context = browser.new_context(
        base_url=url, viewport={"width": shot.width, "height": shot.height}, reduced_motion="reduce",
        timezone_id="Asia/Shanghai", locale="zh-CN" if shot.lang == "zh" else "en-GB",
    )  # fmt: skip
    context.add_cookies([{"name": "lang", "value": shot.lang, "url": url}])
    page = context.new_page()
    page.goto("/sign-in/")
    page.locator("input[name=username]").fill(shot.who)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main form.form-a button[type=submit]").click()
    page.wait_for_url(lambda address: "/sign-in/" not in address)
    return page


def take(browser: Browser, url: str, shot: Shot) -> None:
    """Take one picture, in few colours so that it stays small."""
    page = signed_in(browser, url, shot)
    page.goto(shot.path)
    if shot.row:
        row = page.locator("main [data-row]", has_text=shot.row).locator("a.lead")
        page.goto(str(row.first.get_attribute("href")))
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(600)  # charts draw themselves after the page has come
    file = IMAGES / f"{shot.name}.png"
    page.screenshot(path=file)
    Image.open(file).convert("RGB").quantize(200, dither=Image.Dither.NONE).save(file, optimize=True)
    page.context.close()


def main() -> None:
    found = os.environ.get("ANLAN_CHROMIUM") or shutil.which("chromium")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with demo_town() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        for shot in SHOTS:
            take(browser, url, shot)
        browser.close()


if __name__ == "__main__":
    main()
