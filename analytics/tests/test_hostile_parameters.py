"""Hostile parameters of every report and of the export: texts that are SQL, pages and ranges without end (guarantees
A29, A79, A80).
"""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.clients import create_openpanel_client
from accounts.models import Client as Program
from analytics.models import Event
from analytics.reports import REPORTS
from analytics.reports.filters import DIMENSIONS
from analytics.reports.period import LONGEST_DAYS
from analytics.tests.builders import load, make_key, make_website, noon
from tinytrail.tests.urlmap import Door, behind

pytestmark = pytest.mark.django_db

META = (
    "' OR '1'='1' --",
    "'; DROP TABLE analytics_event; SELECT pg_sleep(10); --",
    "x' UNION SELECT key_cipher FROM accounts_user --",
    "$$;SELECT pg_sleep(10);$$ /* \u2019",
    '" {0} %s %(website)s % _',
    "\\' E'\\x41' \\",
    "((.+)+)+$ [",
    "\x01\x02\x03\x05P",
)
FUNNEL = [("steps[]", "/"), ("steps[]", "/blog")]


@pytest.fixture(autouse=True)
def _without_limit(settings: LazySettings) -> None:
    settings.LIMITS = {**settings.LIMITS, "API_KEY": None, "OPENPANEL_EXPORT": None}


@pytest.fixture
def acme():
    website = make_website()
    moment = noon()
    load(website, *({"at": moment + timedelta(seconds=n), "path": path} for n, path in enumerate(("/", "/blog"))))
    return website


@pytest.fixture
def asking(acme):
    """Asks for a report as Acme's user."""
    client = Client(headers={"X-API-KEY": make_key(acme.account)}, raise_request_exception=False)

    def ask(name: str, *parameters: tuple[str, object]) -> HttpResponse:
        given: dict[str, list[Any]] = {"website_id": [str(acme.public_id)]}
        for key, value in parameters if name != "funnel" else (*FUNNEL, *parameters):
            given.setdefault(key, []).append(value)
        return client.get(f"/api/v1/reports/{name}", given)

    return ask


def texts(name: str) -> list[str]:
    """The parameters of a report that are compared with something stored or named. Filters are the same for all."""
    own = {key for key, _, _ in REPORTS[name].documented}
    filtered = {f"{kind}[{dimension}]" for kind in ("filter", "filter_not") for dimension in DIMENSIONS}
    return sorted({"content_group", "compare", "steps[]"} | own | (filtered if name == "summary" else set()))


def without(text: str, found: Any) -> Any:  # noqa: ANN401 (any JSON value)
    """An answer in which what was asked for is not repeated."""
    if isinstance(found, dict):
        return {key: without(text, value) for key, value in found.items()}
    return [without(text, value) for value in found] if isinstance(found, list) else None if found == text else found


def test_what_is_sql_in_a_parameter_is_text_or_refused(asking):
    """The answer is that to a text which nothing has, or a refusal; no row comes, goes or is shown by it (A79)."""
    before, statuses, nothing = Event.objects.count(), set(), "nothing has this"
    for name in REPORTS:
        for key in texts(name):
            usual = asking(name, (key, nothing))
            for text in META:
                answer = asking(name, (key, text))
                statuses.add(answer.status_code)
                assert answer.status_code == usual.status_code, (name, key, text)
                if answer.status_code == 200:
                    assert without(text, answer.json()) == without(nothing, usual.json()), (name, key, text)
    assert statuses == {200, 400}
    assert Event.objects.count() == before


def test_names_of_parameters_are_not_sql_either(asking):
    usual = asking("pages").content
    for text in META:
        assert asking("pages", (text, "x")).content == usual, text
        assert asking("pages", (f"filter[{text}]", "x")).status_code in (200, 400), text


PAGES = ("0", "-1", "1e9", "abc", "1.5", "+1", " 1", "0x10", "1_000", "٣", "9" * 30, "1000000001")
SIZES = ("0", "-1", "501", "1e2", "abc", "9" * 30)


def test_a_page_that_is_none_is_400_on_every_report(asking):
    for name in REPORTS:
        for key, values in (("page", PAGES), ("per_page", SIZES)):
            for value in values:
                answer = asking(name, (key, value))
                assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_PAYLOAD"), (name, value)
                assert key in answer.json()["error"]["message"]


def test_the_last_page_there_can_be_is_empty_and_costs_no_more_than_the_first(asking):
    """PostgreSQL gives up after two seconds, whatever the machine does besides."""
    for name in REPORTS:
        asking(name)
        with CaptureQueriesContext(connection) as first:
            asking(name, ("per_page", 500))
        with CaptureQueriesContext(connection) as last:
            answer = within_two_seconds(lambda name=name: asking(name, ("page", 1_000_000_000), ("per_page", 500)))
        assert answer.status_code == 200, name
        # Both statements that set and reset the time are the test's own.
        assert len(last) == len(first) + 2, name
        if "rows" in answer.json()["data"]:
            assert answer.json()["data"]["rows"] == [], name


def within_two_seconds(ask: Any) -> HttpResponse:  # noqa: ANN401 (a call without arguments)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '2s'")
        answer = ask()
        cursor.execute("SET LOCAL statement_timeout = 0")
    return answer


def test_a_page_that_is_none_is_400_in_the_export(acme):
    program, secret = create_openpanel_client(acme, right=Program.Right.READ)
    headers = {"openpanel-client-id": str(program.id), "openpanel-client-secret": secret}
    client = Client(headers=headers, raise_request_exception=False)
    for route in behind(Door.SECRET):
        for key, values in (("page", PAGES), ("limit", ("0", "-1", "1001", "1e2", "abc"))):
            for value in values:
                assert client.get(route.address(), {key: value}).status_code == 400, (key, value)
        answer = within_two_seconds(lambda route=route: client.get(route.address(), {"page": 1_000_000, "limit": 1000}))
        assert (answer.status_code, answer.json()["data"]) == (200, [])
        for key in ("event", "profileId", "start", "end", "includes", "projectId"):
            for text in META:
                assert client.get(route.address(), {key: text}).status_code in (200, 400, 403), (key, text)


RANGES = {
    "a hundred years": ("1926-01-01", "2026-01-01"),
    "a hundred years of later days": ("2026-01-01", "2126-01-01"),
    "backwards": ("2026-03-02", "2026-03-01"),
    "backwards into the future": ("2999-01-01", ""),
    "the year 0": ("0000-01-01", "0000-12-31"),
    "the year 1": ("0001-01-01", "0001-12-31"),
    "the year 9999": ("9999-01-01", "9999-12-31"),
    "up to the year 9999": ("2026-01-01", "9999-12-31"),
    "all of time": ("0001-01-01", "9999-12-31"),
    "the year 10000": ("10000-01-01", "10000-12-31"),
    "a day more than can be asked for": (
        "2026-01-01",
        str(noon().date().replace(2026, 1, 1) + timedelta(LONGEST_DAYS)),
    ),
}


@pytest.mark.parametrize("range", RANGES.values(), ids=RANGES.keys())
def test_a_range_without_end_is_refused_before_anything_is_looked_up(asking, range):
    """No event is read for it: besides the key there is no query at all (A80)."""
    for name in REPORTS:
        with CaptureQueriesContext(connection) as asked:
            answer = asking(name, ("start_date", range[0]), ("end_date", range[1]))
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_PAYLOAD"), name
        assert len(asked) == 1, name


def test_the_longest_range_there_is_takes_as_many_queries_as_a_week(asking):
    today = timezone.now().date()
    longest = (("start_date", today - timedelta(LONGEST_DAYS - 1)), ("end_date", today))
    for name in REPORTS:
        asking(name, *longest)
        with CaptureQueriesContext(connection) as week:
            asking(name)
        with CaptureQueriesContext(connection) as ever:
            answer = within_two_seconds(lambda name=name: asking(name, *longest, ("compare", "yoy")))
        assert answer.status_code == 200, name
        # The comparison is asked for, too: at most twice as many, and the two of the test's own.
        assert len(ever) <= 2 * len(week) + 2, name
