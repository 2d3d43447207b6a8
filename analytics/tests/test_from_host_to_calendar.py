"""The whole way: a host proposes, a moderator accepts with two keys, readers find it, and their click is counted."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.tests.builders import make_user
from analytics.models import Event
from analytics.tests.tracking import engage
from submissions.forms import started
from submissions.models import CatalogEvent, Mail, Submission
from submissions.tests.builders import allow, make_calendar

pytestmark = pytest.mark.django_db(transaction=True)

RIGHTS = ("view_submission", "review_submission", "see_host")


def test_what_a_host_proposes_is_accepted_with_two_keys_and_clicked(chromium, live_server, client):
    calendar = make_calendar(is_default=True)
    ann = allow(make_user(calendar.website.account, login="ann"), *RIGHTS)
    office = Client()
    office.force_login(ann)
    session = office.cookies[settings.SESSION_COOKIE_NAME].value
    a_minute_ago = started(timezone.now() - timedelta(minutes=1))
    filled = {
        "Name of the event": "Jazz Night at Le Sunset",
        "Date": str(timezone.now().date() + timedelta(days=10)),
        "Starts at": "20:00",
        "Where": "Le Sunset, Paris",
        "A link that proves it": "lesunset.com/jazz",
        "Your e-mail address": "contact@lesunset.com",
    }

    def propose(page: Any) -> str:
        page.goto(f"{live_server.url}/calendar/submit")
        page.locator("[name=started]").evaluate("(field, token) => field.value = token", a_minute_ago)
        for label, value in filled.items():
            page.get_by_label(label, exact=True).fill(value)
        page.get_by_role("button", name="Send the proposal").click()
        page.wait_for_url("**/calendar/proposals/*")
        return page.url.removeprefix(live_server.url)

    def accept(page: Any) -> None:
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        page.goto(f"{live_server.url}/admin/submissions/submission/")
        page.keyboard.press("j")
        page.keyboard.press("a")
        page.get_by_text("Queue empty, median wait").wait_for()

    status_page = chromium.browse(propose)
    assert "Jazz Night" not in client.get("/calendar").content.decode()
    chromium.browse(accept)

    event = CatalogEvent.objects.live().get()
    submission = Submission.objects.get()
    assert (submission.status, submission.accepted_event_key) == ("accepted", event.key)
    assert "Jazz Night at Le Sunset" in client.get("/calendar").content.decode()
    assert b"SUMMARY:Jazz Night at Le Sunset" in b"".join(client.get("/calendar.ics"))
    assert event.key in client.get(status_page).content.decode()
    assert [mail.kind for mail in Mail.objects.filter(submission=submission).order_by("id")] == ["received", "accepted"]
    assert engage(client, event, "click").status_code == 202
    assert Event.objects.get(name="click").properties == {"eventKey": event.key}

    decision = submission.decisions.get(action="accept")
    assert (decision.actor, decision.by) == (ann, "admin-panel")
    office.post("/admin/submissions/submission/undo/")
    assert "Jazz Night" not in client.get("/calendar").content.decode()
    assert b"SUMMARY:Jazz Night" not in b"".join(client.get("/calendar.ics"))
