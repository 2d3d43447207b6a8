"""Events of OpenPanel's clients in the reports of their website (definitions 4, 22; D-35)."""

import pytest

from accounts.models import User
from analytics.ingest.grants import grants
from analytics.tests.builders import IPHONE, a_body, collect, data, make_key, make_website
from analytics.tests.panel import Panel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def panel():
    grants.forget()
    return Panel(make_website())


@pytest.fixture
def asked(client, panel):
    """The data of a report of today."""
    key = make_key(panel.website.account, User.Role.USER)

    def ask(name, **parameters):
        return data(client, name, panel.website, key, **{"period": "today"} | parameters)

    return ask


@pytest.fixture(autouse=True)
def _what_happened(client, panel):
    """Ann views two pages, signs up; a server tells that she paid; Ben, of the website's own tracker, signs up, too."""
    view = {"__path": "https://acme.example/", "__referrer": "https://t.co/x"}
    panel.track("screen_view", panel.public, properties=view)
    panel.track("screen_view", panel.public, properties={"__path": "https://acme.example/pricing"})
    panel.track("signup", panel.public, profileId="ann")
    panel.track("paid", profileId="ann")
    panel.track("page_view", panel.public)
    collect(client, a_body(panel.website, event_type="custom", properties={"name": "signup"}), user_agent=IPHONE)


def test_they_are_custom_events_by_their_own_names(asked):
    rows = {row["name"]: row["count"] for row in asked("custom-events")["rows"]}
    assert rows == {"signup": 2, "paid": 1, "page_view": 1}


def test_screen_views_are_page_views_of_a_visit_that_servers_are_no_part_of(asked):
    metrics = {name: numbers["value"] for name, numbers in asked("summary")["metrics"].items()}
    assert (metrics["visits"], metrics["unique_visitors"], metrics["pageviews"]) == (2, 2, 2)
    assert {row["path"]: row["pageviews"] for row in asked("pages")["rows"]} == {"/": 1, "/pricing": 1}


@pytest.mark.parametrize(
    ("steps", "visits"),
    [
        (["/", "signup"], [1, 1]),
        (["page_view", "/pricing", "signup"], [1, 1, 1]),
        (["signup", "page_view"], [2, 1]),
        (["/", "paid"], [1, 0]),
        (["/", "screen_view"], [1, 0]),
    ],
)
def test_a_funnel_knows_them_by_name(asked, steps, visits):
    funnel = asked("funnel", **{"steps[]": steps})["funnel"]
    assert [step["sessions"] for step in funnel] == visits


def test_realtime_counts_them_by_name(asked):
    found = asked("realtime")
    types = {row["eventType"]: row["count"] for row in found["events_by_type"]}
    assert types == {"page_view": 3, "signup": 1, "paid": 1, "custom": 1}
    assert found["top_pages"] == [{"path": "/", "visitors": 1}, {"path": "/pricing", "visitors": 1}]
