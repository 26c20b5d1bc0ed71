"""What an engine cannot do is marked, strictly: a test so marked that passes is a failure, and the mark has to go.

`notimpl`: the engine could, and we have not written it; `notyet`: we have, and the engine cannot so far; `never`: what
is asked is nothing the engine can have. Each names engines and says why.
"""

from __future__ import annotations

import pytest

MARKS = ("notimpl", "notyet", "never")


def pytest_configure(config: pytest.Config) -> None:
    for mark in MARKS:
        config.addinivalue_line("markers", f"{mark}(engines, reason): see tests/engines/conftest.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name in MARKS:
            for mark in item.iter_markers(name):
                called = getattr(item, "callspec", None)
                if called and called.params.get("engine_name") in mark.args[0]:
                    reason = f"{name}: {mark.kwargs['reason']}"
                    item.add_marker(pytest.mark.xfail(reason=reason, raises=mark.kwargs["raises"], strict=True))
