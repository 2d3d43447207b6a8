"""Fixtures of more than one module."""

from analytics.tests.browser import chromium, web  # noqa: F401
