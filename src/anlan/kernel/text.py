"""Words that people read: always Chinese and English, beside each other."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Text(BaseModel):
    """One sentence or name in both languages; `str()` gives the Chinese."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: str
    en: str

    def __str__(self) -> str:
        return self.zh

    def in_(self, language: str) -> str:
        """The words for `language` ("zh…" gives Chinese, anything else English)."""
        return self.zh if language.startswith("zh") else self.en

    def format(self, **values: object) -> Text:
        """Both languages with `{name}` places filled from `values`."""
        return Text(zh=self.zh.format(**values), en=self.en.format(**values))


class Refusal(Exception):
    """What was asked cannot be done; the message tells the person what is wrong and what to do."""

    def __init__(self, zh: str, en: str, *, field: str = "") -> None:
        super().__init__(f"{zh} / {en}")
        self.text = Text(zh=zh, en=en)
        self.field = field
