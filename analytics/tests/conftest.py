"""Fixtures of more than one module. The batches of the test process end before its database does."""

import pytest

from analytics.ingest import background
from analytics.ingest.grants import grants
from analytics.tests.browser import chromium, web  # noqa: F401


@pytest.fixture(scope="session", autouse=True)
def _batches_end_first(django_db_setup):
    yield
    background.stop()


@pytest.fixture(autouse=True)
def _nobody_is_remembered():
    """What a host or a key stood for in the test before."""
    grants.forget()
