"""What every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis

from installation import Installation, Installations

HERE = Path(__file__).parent
SHARED = HERE.parent.parent / "shared"
# Begun first, so that at the end no worker has a long file left while the other is idle.
LONG = {
    "test_api_by_its_description.py", "test_backup.py", "test_facts_whole.py", "test_forwarding_served.py",
    "test_howto.py", "test_killed_server.py", "test_never_500.py", "test_permission_matrix.py",
    "test_reports_at_once.py", "test_resident_private.py", "test_sample_index.py",
}  # fmt: skip

# The deadline is off because the machine is shared: a slow example is not a wrong one.
SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large]
hypothesis.register_profile("dev", max_examples=50, deadline=None, suppress_health_check=SLOW_IS_FINE)
hypothesis.register_profile(
    "ci", max_examples=100, deadline=None, suppress_health_check=SLOW_IS_FINE, derandomize=True, database=None
)
hypothesis.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or "dev")


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    # A good password hash is slow on purpose; tests sign in hundreds of times.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Each test client would first read through every static file; served ones are tested on a real server.
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Every test in tests/db uses the database, each in a transaction that is rolled back; then they are shuffled."""
    for item in items:
        if HERE / "db" in item.path.parents and item.get_closest_marker("django_db") is None:
            item.add_marker(pytest.mark.django_db)
    yield
    items.sort(key=lambda item: item.path.name not in LONG)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of facts and real reports beside the project, which is not part of it."""
    if not SHARED.is_dir():
        pytest.skip("This test reads ../shared, the folder of facts and real reports, and it is not here.")
    return SHARED


@pytest.fixture
def media(tmp_path: Path) -> Iterator[Path]:
    """An empty folder in which this test's photos are kept."""
    before = settings.MEDIA_ROOT
    settings.MEDIA_ROOT = tmp_path / "media"
    yield settings.MEDIA_ROOT
    settings.MEDIA_ROOT = before


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """An empty folder for what is kept in files: this test's facts and editions."""
    before = settings.DATA
    settings.DATA = tmp_path / "data"
    yield settings.DATA
    settings.DATA = before


@pytest.fixture(scope="session")
def installations(tmp_path_factory: pytest.TempPathFactory) -> Installations:
    """Makes installations, each with its own folder and database."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return Installations(tmp_path_factory.mktemp("installations"), worker=worker)


@pytest.fixture
def installation(installations: Installations) -> Iterator[Installation]:
    """A migrated installation for other processes (a server, two writers), removed after the test."""
    made = installations.make()
    yield made
    installations.remove(made)
