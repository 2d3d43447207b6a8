"""What logs say, and what they must not keep (guarantees P03, P17, A88, A89)."""

import io
import json
import logging
import subprocess
import sys

import pytest
from celery.signals import setup_logging
from django.conf import settings
from django.core import mail
from django.test import Client
from psycopg.errors import UniqueViolation

from tinytrail import beat, celery
from tinytrail.tests.engines import ROOT, clean_environment
from tinytrail.web.logs import Json, Plain, WithoutSecretPaths, scrubbed

ADDRESS = "canary@example.test"
KEY = "tt_" + "a1B2" * 10 + "xyz"
LINES = [Plain(), Json()]


def a_record(message: str, *args: object, error: BaseException | None = None, **more: object) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("analytics.ingest", logging.ERROR, "", 1, message, args, info)
    record.created = 1_789_000_000.5
    record.__dict__ |= more
    return record


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    """The error as it comes out of a function that had something in its hands."""
    held = ADDRESS
    try:
        raise error from cause
    except Exception as caught:
        assert held
        return caught


# -- lines ------------------------------------------------------------------------------------------------------------


def test_a_plain_line_says_when_how_bad_who_and_what() -> None:
    assert Plain().format(a_record("Stored %d events.", 3)).endswith(" ERROR analytics.ingest: Stored 3 events.")


def test_a_path_with_a_line_break_in_it_makes_no_line_of_its_own() -> None:
    text = Plain().format(a_record("Internal Server Error: %s", "/\r\n2026-11-21 ERROR forged"))
    assert text.endswith(": Internal Server Error: /\\r\\n2026-11-21 ERROR forged")


def test_a_json_line_is_one_object_whatever_the_message() -> None:
    line = Json().format(a_record('Two\nlines, "quoted"', status_code=500))
    told = json.loads(line)
    assert "\n" not in line
    assert told.pop("process") > 0
    assert told == {
        "time": "2026-09-10T00:26:40.500Z",
        "level": "ERROR",
        "logger": "analytics.ingest",
        "message": 'Two\nlines, "quoted"',
        "status": 500,
    }


@pytest.mark.parametrize(("setting", "formatter"), [("", "Plain"), ("plain", "Plain"), ("json", "Json")])
def test_a_setting_chooses_between_the_two(setting: str, formatter: str, tmp_path: object) -> None:
    program = "from tinytrail import settings; print(settings.LOGGING['formatters'])"
    environment = clean_environment(TINYTRAIL_DATA=tmp_path, TINYTRAIL_LOG=setting)
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert said == f"{{'line': {{'()': 'tinytrail.web.logs.{formatter}'}}}}\n"


def test_worker_and_beat_write_the_same_lines() -> None:
    listening = {reference for _, reference in setup_logging.receivers}
    assert {celery.log_like_everybody, beat.log_like_everybody} <= listening


# -- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", LINES, ids=["plain", "json"])
def test_an_error_is_told_by_its_class_and_the_lines_it_passed(line: logging.Formatter) -> None:
    error = raised(ValueError(f"bad {ADDRESS}"), raised(UniqueViolation(f"Key (email)=({ADDRESS}) exists")))
    text = line.format(a_record("It failed", error=error))
    assert "ValueError" in text
    assert "psycopg.errors.UniqueViolation 23505" in text
    assert text.index("UniqueViolation") < text.rindex("ValueError")
    assert ", in raised" in text
    # Neither its message nor what a variable held.
    assert ADDRESS not in text
    assert "bad" not in text


@pytest.mark.parametrize("line", LINES, ids=["plain", "json"])
def test_a_sentence_that_quotes_the_error_names_its_class_instead(line: logging.Formatter) -> None:
    error = raised(ValueError("a browser called CanaryUA/7.7"))
    text = line.format(a_record("Task %s raised unexpected: %r", "build_day", error, error=error))
    assert "Task build_day raised unexpected: ValueError" in text
    assert "CanaryUA" not in text


def test_another_handlers_words_for_the_error_are_not_repeated() -> None:
    record = a_record("It failed", error=raised(ValueError(ADDRESS)))
    assert ADDRESS in logging.Formatter().format(record)
    assert ADDRESS not in Plain().format(record)


def test_no_error_is_mailed() -> None:
    logging.getLogger("django.request").error("It failed", exc_info=raised(ValueError(ADDRESS)))
    assert mail.outbox == []
    assert settings.ADMINS == []
    assert [handler for handler in logging.getLogger("django").handlers if "Email" in type(handler).__name__] == []


# -- what is cut ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"To {ADDRESS}: no answer", "To *@*: no answer"),
        (f"<{ADDRESS}>", "<*@*>"),
        (f"The key {KEY} is unknown", "The key tt_… is unknown"),
        ("sec_" + "x" * 43, "sec_…"),
        ("token " + "0f" * 32, "token …"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJlbWFpbCI6.c2lnbmF0dXJl", "…"),
        ("GET /track?auth_token=canary&x=1 failed", "GET /track?… failed"),
        ("from 203.0.113.77 and 2001:db8::77, via [2001:db8::78]:443", "from * and *, via [*]:443"),
        ("::ffff:203.0.113.77", "*"),
        # What an operator has to read stays.
        ("127.0.0.1 and ::1", "127.0.0.1 and ::1"),
        ("at 2026-11-21 10:30:00 in /srv/app.py:12", "at 2026-11-21 10:30:00 in /srv/app.py:12"),
        (
            "The API key of user 0193a1c2-0000-7000-8000-000000000001",
            "The API key of user 0193a1c2-0000-7000-8000-000000000001",
        ),
        ("Is this fine? Yes.", "Is this fine? Yes."),
    ],
)
def test_what_could_name_somebody_or_open_something_is_cut_from_every_line(said: str, kept: str) -> None:
    assert scrubbed(said) == kept
    assert Plain().format(a_record(said)).endswith(f": {kept}")
    assert json.loads(Json().format(a_record(said)))["message"] == kept


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
    handlers = settings.LOGGING["handlers"].values()
    assert [(handler["filters"], handler["formatter"]) for handler in handlers] == [(["without_secret_paths"], "line")]


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
