"""What logs must not keep (guarantee A88)."""

import io
import logging

import pytest
from django.conf import settings
from django.test import Client

from tinytrail.web.logs import WithoutSecretPaths


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Forbidden: /calendar/proposals/abc.def/edit", "Forbidden: /calendar/proposals/…/edit"),
        ("Forbidden: /sign-in/abc.def/", "Forbidden: /sign-in/…/"),
        ("Not Found: /calendar/submit", "Not Found: /calendar/submit"),
    ],
)
def test_a_path_that_is_a_secret_is_cut(said: str, kept: str) -> None:
    kind, path = said.split(": ")
    record = logging.LogRecord("django.request", logging.ERROR, "", 1, "%s: %s", (kind, path), None)
    assert WithoutSecretPaths().filter(record)
    assert record.getMessage() == kept


def test_every_handler_cuts_them() -> None:
    assert [handler["filters"] for handler in settings.LOGGING["handlers"].values()] == [["without_secret_paths"]]


def test_a_refused_form_leaves_no_link_in_the_log() -> None:
    log, kept = logging.getLogger("django.security.csrf"), io.StringIO()
    handler = logging.StreamHandler(kept)
    handler.addFilter(WithoutSecretPaths())
    log.addHandler(handler)
    try:
        answer = Client(enforce_csrf_checks=True).post("/calendar/proposals/canary.token/withdraw")
    finally:
        log.removeHandler(handler)
    assert answer.status_code == 403
    assert "/calendar/proposals/…/withdraw" in kept.getvalue()
    assert "canary" not in kept.getvalue()
