"""Fixtures of more than one module."""

from accounts.tests.conftest import own_counters, quick_passwords  # noqa: F401
from analytics.tests.browser import chromium  # noqa: F401
