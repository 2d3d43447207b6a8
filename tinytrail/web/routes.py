"""Both spellings of every route, with and without a trailing slash, and no redirect (contract D-21)."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, path

View = Callable[..., HttpResponseBase]


def both(route: str, view: View, name: str | None = None) -> list[URLPattern]:
    """Two patterns for a route, which is given without its slash. Links are made in that spelling."""
    return [path(f"{route}/", view), path(route, view, name=name)]


def one_spelling(endpoints: list[tuple[str, str, str, Any]], **_: object) -> list[tuple[str, str, str, Any]]:
    """For drf-spectacular's PREPROCESSING_HOOKS: the OpenAPI document lists a route once."""
    paths = {endpoint[0] for endpoint in endpoints}
    return [endpoint for endpoint in endpoints if not endpoint[0].endswith("/") or endpoint[0][:-1] not in paths]
