"""Somebody of the cast at their own browser: clicks, reads, and notes whatever goes wrong behind the page."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Request, Response

from settled import PASSWORD, Town


class Person:
    """A browser context of one officer (or of a stranger). `problems` must stay empty."""

    def __init__(
        self, browser: Browser, url: str, town: Town, who: str = "", *,
        width: int = 1440, height: int = 900, lang: str = "zh", scripts: bool = True,
    ) -> None:  # fmt: skip
        self.url, self.town, self.who = url, town, who
        self.context = browser.new_context(
            base_url=url, viewport={"width": width, "height": height}, java_script_enabled=scripts, locale="zh-CN",
            timezone_id="Asia/Shanghai", reduced_motion="reduce",
        )  # fmt: skip
        self.context.set_default_timeout(30_000)
        self.speak(lang)
        self.problems: list[str] = []
        self.asked: list[str] = []
        self.expected: set[int] = set()
        self.page = self.context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(f"{self.page.url}: {error}"))
        self.page.on("request", self._request)
        self.page.on("response", self._response)
        if who:
            self.sign_in()

    def speak(self, lang: str) -> None:
        """The language of the pages from now on."""
        self.context.add_cookies([{"name": "lang", "value": lang, "url": self.url}])

    def _console(self, message: ConsoleMessage) -> None:
        # The browser itself reports an answer that was refused; whether it may be is said by `expected`.
        refused = "Failed to load resource" in message.text and any(str(code) in message.text for code in self.expected)
        if message.type in ("error", "warning") and not refused:
            self.problems.append(f"{self.page.url}: {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("data", "blob"):
            return
        self.asked.append(request.url)
        if parts.hostname != "127.0.0.1":
            self.problems.append(f"{self.page.url}: asked for {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 500 or (response.status >= 400 and response.status not in self.expected):
            self.problems.append(f"{response.request.method} {response.url}: {response.status}")

    def sign_in(self) -> None:
        """Through the door, by the form."""
        self.page.goto("/sign-in/")
        self.page.locator("input[name=username]").fill(self.town.usernames[self.who])
        self.page.locator("input[name=password]").fill(PASSWORD)
        self.page.locator("main form.form-a button[type=submit]").click()
        self.page.wait_for_url(lambda address: "/sign-in/" not in address)

    def go(self, path: str) -> None:
        """Open an address."""
        self.page.goto(path)

    def link(self, words: str) -> Locator:
        """The link with just these words."""
        return self.page.get_by_role("link", name=words, exact=True)

    def button(self, words: str) -> Locator:
        """The button with just these words."""
        return self.page.get_by_role("button", name=words, exact=True)

    def reads(self, selector: str) -> list[str]:
        """The texts of all elements found, each on one line."""
        return [" ".join(text.split()) for text in self.page.locator(selector).all_inner_texts()]

    def leave(self) -> None:
        """Close the browser."""
        self.context.close()
