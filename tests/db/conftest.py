"""What several tests over a database ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

import index_town


@pytest.fixture(scope="module")
def editions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of data with an index of the town, published for two months."""
    data = tmp_path_factory.mktemp("data")
    index_town.two_months(data / "index")
    return data
