"""The pages of hosts: the form, and what became of a proposal, without a browser."""

import logging
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.conf import LazySettings
from django.db import DatabaseError, connection
from django.test import Client

from accounts.tests.builders import make_account, make_website
from analytics.models import Drop
from submissions import calendars, catalog, links, mail, review
from submissions.forms import started, started_at
from submissions.models import Calendar, Mail, Message, Submission
from submissions.tests.builders import make_calendar, make_spam, make_submission
from tinytrail.web import cache

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FILLED = {
    "event_name": "Jazz Night at Le Sunset",
    "date": "2026-03-15",
    "start_time": "20:00",
    "end_time": "23:30",
    "location": "Le Sunset, Paris",
    "arrondissement": "1st",
    "proof_link": "lesunset.com/jazz",
    "genre": "Jazz",
    "price": "15 €",
    "age": "18+",
    "indoor_outdoor": "Indoor",
    "notes": "One.\r\nTwo.",
    "host_email": "Contact@LeSunset.com",
    "website": "",
}
FORM = "/calendar/submit"


@pytest.fixture
def acme() -> Calendar:
    return make_calendar(is_default=True)


def filled(**changes: str) -> dict[str, str]:
    return FILLED | {"started": started(datetime.now(UTC) - timedelta(seconds=30))} | changes


def send(path: str = FORM, **changes: str) -> Any:
    return Client().post(path, filled(**changes))


def status(submission: Submission, step: str = "", data: dict[str, str] | None = None, **options: Any) -> Any:
    """GET the host's page, or POST one of its steps."""
    path = links.status_path(submission) + (f"/{step}" if step else "")
    return Client(**options).post(path, data or {}) if step else Client(**options).get(path)


def text_of(answer: Any) -> str:
    """The words of a page, as they are read."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_it_works(acme: Calendar) -> None:
    page = Client().get(FORM)
    assert page.status_code == 200
    assert "Propose an event" in text_of(page)

    answer = send()
    submission = Submission.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"{links.status_path(submission)}?done=sent")
    assert (submission.status, submission.host_email, submission.calendar) == ("pending", "contact@lesunset.com", acme)
    assert submission.payload == {
        "eventName": "Jazz Night at Le Sunset",
        "date": "2026-03-15",
        "startTime": "20:00",
        "endTime": "23:30",
        "location": "Le Sunset, Paris",
        "arrondissement": "1st",
        "proofLink": "https://lesunset.com/jazz",
        "genre": "Jazz",
        "price": "15 €",
        "age": "18+",
        "indoorOutdoor": "Indoor",
        "notes": "One.\nTwo.",
        "submittedAt": f"{submission.created_at:%Y-%m-%dT%H:%M:%S}Z",
    }
    assert 30 <= submission.spam_signals["completionSeconds"] < 60


@pytest.mark.parametrize("path", ["/calendar/submit", "/calendar/submit/"])
def test_both_spellings_are_served(acme: Calendar, path: str) -> None:
    assert Client().get(path).status_code == 200
    assert send(path).status_code == 302


def test_another_calendar_has_a_form_of_its_own(acme: Calendar) -> None:
    globex = make_calendar(make_website(make_account("Globex"), "globex.example"))
    path = f"/calendar/{globex.website.public_id}/submit"
    assert links.form_path(globex) == path
    assert links.form_path(acme) == FORM
    assert "globex.example" in text_of(Client().get(path))
    send(path)
    assert Submission.objects.get().calendar == globex


def test_without_a_calendar_there_is_no_form() -> None:
    assert Client().get(FORM).status_code == 404
    assert Client().get(f"/calendar/{uuid4()}/submit").status_code == 404


def test_a_new_installation_takes_proposals_for_its_first_website() -> None:
    website = make_website(make_account())
    assert send().status_code == 302
    assert Submission.objects.get().calendar.website == website


def test_pages_load_nothing_but_their_own_files_and_have_nothing_inline(acme: Calendar) -> None:
    submission = make_submission(acme)
    for answer in (Client().get(FORM), status(submission), Client().get(f"{links.status_path(submission)}/edit")):
        page = answer.content.decode()
        assert set(re.findall(r'<(?:img|link|script) [^>]*(?:src|href)="([^"]+)"', page)) == {
            "/static/tinytrail/colors.css",
            "/static/submissions/proposal.css",
            "/static/tinytrail/mark.svg",
        }
        assert not re.search(r"<script|<style|<iframe| style=| on\w+=", page)
        assert "'unsafe-inline'" not in answer["Content-Security-Policy"]
        assert "no-store" in answer["Cache-Control"]


# -- errors -----------------------------------------------------------------------------------------------------------


def test_errors_stand_beside_their_fields_and_at_the_top_and_all_that_was_typed_stays(acme: Calendar) -> None:
    answer = send(event_name=" J", date="someday", host_email="nobody", notes='<b>"Bring"</b>\r\nfriends')
    page = answer.content.decode()
    assert answer.status_code == 400
    assert 'role="alert" tabindex="-1" autofocus' in page
    assert '<a href="#event_name">Name of the event</a>: Must have at least 2 characters.' in page
    assert '<a href="#host_email">Your e-mail address</a>: Must be an e-mail address' in page
    assert page.count('aria-invalid="true"') == 2
    assert '<p class="error" id="event_name_error">Must have at least 2 characters.</p>' in page
    assert 'aria-describedby="event_name_error"' in page
    # What a date field cannot show is shown as text.
    for typed in (
        'value=" J"',
        'type="text" name="date" value="someday"',
        'value="nobody"',
        "&lt;b&gt;&quot;Bring&quot;",
    ):
        assert typed in page
    assert not Submission.objects.exists()
    assert list(Drop.objects.values_list("dialect", "reason", "count")) == [("submissions", "invalid_field", 1)]


def test_what_is_corrected_keeps_its_start(acme: Calendar) -> None:
    token = started(NOW)
    page = send(event_name="", started=token).content.decode()
    assert f'name="started" value="{token}"' in page


@pytest.mark.parametrize("token", ["", "2026-03-01T12:00:00+00:00", "2026-03-01T12:00:00+00:00|forged", "|", "\0"])
def test_a_forged_start_counts_as_unknown_and_is_not_handed_back(acme: Calendar, token: str) -> None:
    assert started_at(token) == ""
    assert 'name="started" value=""' in send(event_name="", started=token).content.decode()
    send(started=token)
    submission = Submission.objects.get()
    assert (submission.status, submission.spam_signals["completionSeconds"]) == ("pending", None)


@pytest.mark.parametrize("value", ["a\x07b", "\x1b[31m", "\u202eb", "\ufeff"])
def test_characters_that_cannot_be_seen_are_left_out(acme: Calendar, value: str) -> None:
    assert send(event_name=f"Jazz {value}", notes=value).status_code == 302
    assert value not in str(Submission.objects.get().payload)


def test_a_nul_is_an_error_beside_its_field(acme: Calendar) -> None:
    answer = send(event_name="Jazz\0", website="\0")
    assert answer.status_code == 400
    assert "Name of the event : Null characters are not allowed." in text_of(answer)


def test_a_form_that_is_too_large_is_refused(acme: Calendar) -> None:
    assert send(notes="n" * 5_000_000).status_code == 400
    assert send(notes="n" * 500_000).status_code == 400


def test_a_setting_of_ones_own_stays_chosen(acme: Calendar) -> None:
    page = send(event_name="", indoor_outdoor="On the roof").content.decode()
    assert '<option value="On the roof" selected>On the roof</option>' in page


# -- spam, limits, closed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{"website": "x"}, {"started": "now"}], ids=["honeypot", "too fast"])
def test_spam_is_declined_and_sees_the_page_that_everybody_sees(acme: Calendar, changes: dict[str, str]) -> None:
    if "started" in changes:
        changes = {"started": started(datetime.now(UTC))}
    clean, spam = send(), send(event_name="Cheap watches", **changes)
    assert (spam.status_code, spam["Location"].partition("?")[2]) == (302, clean["Location"].partition("?")[2])
    submission = Submission.objects.get(name="Cheap watches")
    assert (submission.status, submission.reviewed_by) == ("declined", "system")
    pages = [text_of(Client().get(answer["Location"])) for answer in (clean, spam)]
    assert pages[0].replace("Jazz Night at Le Sunset", "Cheap watches") == pages[1]


def test_an_hour_later_the_page_says_so_and_offers_an_appeal(acme: Calendar) -> None:
    send(website="x")
    submission = Submission.objects.get()
    with time_machine.travel(submission.created_at + timedelta(minutes=61)):
        page = text_of(status(submission))
        assert "The event was not taken into the calendar: it looked like spam to us." in page
        assert "Ask for another look" in page
        assert status(submission, "appeal", {"text": "My browser filled it in."}).status_code == 302
    submission.refresh_from_db()
    assert submission.is_pending


def test_a_closed_calendar_says_so_and_takes_nothing(acme: Calendar) -> None:
    calendars.close_for_proposals(acme, by="root", now=NOW)
    page = Client().get(FORM)
    assert page.status_code == 200
    assert "No proposals are taken at the moment" in text_of(page)
    assert b"<form" not in page.content
    answer = send()
    assert answer.status_code == 503
    assert b"Jazz Night at Le Sunset" in answer.content
    assert not Submission.objects.exists()
    assert Drop.objects.get().reason == "closed"


@time_machine.travel(NOW, tick=False)
def test_over_a_limit_the_page_says_how_long_to_wait_and_keeps_the_text(acme: Calendar) -> None:
    for number in range(5):
        assert send(event_name=f"Night {number}").status_code == 302
    answer = send(event_name="One more night")
    assert (answer.status_code, answer["Retry-After"]) == (429, "3600")
    assert "Please try again in 1 hour" in text_of(answer)
    assert b"One more night" in answer.content


def test_the_same_event_once_more_is_explained(acme: Calendar) -> None:
    send()
    answer = send(host_email="other@example.com")
    assert answer.status_code == 429
    assert "This event has been proposed already" in text_of(answer)
    assert "in 24 hours" in text_of(answer)


def test_when_nobody_can_count_the_text_stays(acme: Calendar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_closed_until", float("inf"))
    answer = send()
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Nothing could be stored just now" in text_of(answer)
    assert b"Jazz Night at Le Sunset" in answer.content


def test_a_database_that_is_away_is_a_page_of_its_own(acme: Calendar, caplog: pytest.LogCaptureFixture) -> None:
    def broken(execute: Any, sql: str, *rest: Any) -> Any:
        if "submissions_" in sql:
            raise DatabaseError("gone")
        return execute(sql, *rest)

    submission = make_submission(acme)
    with caplog.at_level(logging.CRITICAL), connection.execute_wrapper(broken):
        for answer in (Client().get(FORM), send(), status(submission)):
            assert (answer.status_code, answer["Retry-After"]) == (503, "5")


# -- CSRF (A74) -------------------------------------------------------------------------------------------------------


def test_every_post_needs_its_token(acme: Calendar) -> None:
    submission = make_submission(acme)
    client = Client(enforce_csrf_checks=True)
    paths = [FORM, *(f"{links.status_path(submission)}/{step}" for step in ("edit", "withdraw", "answer", "appeal"))]
    for path in paths:
        assert client.post(path, filled()).status_code == 403
        assert client.post(path, filled(csrfmiddlewaretoken="x" * 64)).status_code == 403
    submission.refresh_from_db()
    assert (submission.status, Submission.objects.count()) == ("pending", 1)


# -- what became of it ------------------------------------------------------------------------------------------------


def test_the_page_is_for_who_has_the_link(acme: Calendar) -> None:
    submission = make_submission(acme)
    answer = status(submission)
    assert answer.status_code == 200
    assert answer["X-Robots-Tag"] == "noindex"
    assert b'<meta name="robots" content="noindex">' in answer.content
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("change", ["cut", "swapped", "bare", "other", "empty"])
def test_a_link_that_is_not_ours_is_404_for_every_page(acme: Calendar, change: str) -> None:
    submission, other = make_submission(acme), make_submission(acme, "Other")
    token, foreign = links.token_of(submission), links.token_of(other)
    wrong = {
        "cut": token[:-1],
        "swapped": f"{token.partition('.')[0]}.{foreign.partition('.')[2]}",
        "bare": submission.pk.hex,
        "other": str(uuid4()),
        "empty": ".",
    }[change]
    for path in ("", "/edit"):
        assert Client().get(f"/calendar/proposals/{wrong}{path}").status_code == 404
    for path in ("/edit", "/withdraw", "/answer", "/appeal"):
        assert Client().post(f"/calendar/proposals/{wrong}{path}", {"text": "x"}).status_code == 404


def test_the_pages_of_a_deleted_website_are_gone(acme: Calendar) -> None:
    submission = make_submission(acme)
    acme.website.deleted_at = NOW
    acme.website.save()
    assert status(submission).status_code == 404


def test_no_address_stands_in_the_page_or_its_link(acme: Calendar) -> None:
    submission = make_submission(acme, email="canary@example.test")
    assert b"canary" not in status(submission).content
    assert "canary" not in links.status_path(submission)


def test_received_then_in_review(acme: Calendar) -> None:
    submission = make_submission(acme)
    assert "Received" in text_of(status(submission))
    submission.looked_at = NOW
    submission.save()
    assert "In review" in text_of(status(submission))


def test_an_accepted_one_leads_to_the_event(acme: Calendar) -> None:
    submission = make_submission(acme)
    event = review.accept(submission.pk, by="root", now=NOW)
    page = status(submission).content.decode()
    assert "Accepted" in page
    assert f'<a href="{links.event_path(event)}">See it there</a>' in page
    assert "Change it" not in page
    assert "Withdraw" not in page
    catalog.cancel(event, now=NOW)
    assert "is not in the calendar any more" in text_of(status(submission))


def test_a_declined_one_says_why_in_words(acme: Calendar) -> None:
    submission = make_submission(acme)
    review.decline(submission.pk, reason="unable_to_verify", message="The page\nis gone.", by="root", now=NOW)
    page = text_of(status(submission))
    assert "The event was not taken into the calendar: we could not verify it with the link that you gave." in page
    assert "The page is gone." in page


def test_a_reason_that_a_moderator_wrote_stands_as_it_was_written(acme: Calendar) -> None:
    submission = make_submission(acme)
    review.decline(submission.pk, reason="<b>No</b> parking", by="root", now=NOW)
    assert b"&lt;b&gt;No&lt;/b&gt; parking" in status(submission).content


def test_a_question_is_shown_and_answered(acme: Calendar) -> None:
    submission = make_submission(acme)
    review.ask(submission.pk, text="Is there a lift?", by="root", now=NOW)
    assert "Is there a lift?" in text_of(status(submission))
    answer = status(submission, "answer", {"text": "Yes."})
    assert answer["Location"] == f"{links.status_path(submission)}?done=answered"
    page = text_of(Client().get(answer["Location"]))
    assert "Your answer has been passed on." in page
    assert "Yes." in page
    assert "Send the answer" not in page


def test_an_empty_answer_is_explained(acme: Calendar) -> None:
    submission = make_submission(acme, asked_at=NOW)
    answer = status(submission, "answer", {"text": " "})
    assert answer.status_code == 409
    assert "Please write something." in text_of(answer)
    assert not Message.objects.exists()


def test_a_pending_one_is_changed_in_a_form_that_holds_it(acme: Calendar) -> None:
    send()
    submission = Submission.objects.get()
    path = f"{links.status_path(submission)}/edit"
    page = Client().get(path).content.decode()
    assert 'type="date" name="date" value="2026-03-15"' in page
    assert "host_email" not in page
    answer = Client().post(path, filled(event_name="Soul Night", date="next Friday"))
    assert answer["Location"] == f"{links.status_path(submission)}?done=changed"
    submission.refresh_from_db()
    assert (submission.name, submission.payload["date"]) == ("Soul Night", "next Friday")
    assert submission.host_email == "contact@lesunset.com"


def test_several_days_are_one_date(acme: Calendar) -> None:
    send(last_day="2026-03-17")
    submission = Submission.objects.get()
    assert (submission.payload["date"], str(submission.starts_on)) == ("2026-03-15 to 2026-03-17", "2026-03-15")
    assert "Sunday 15 March 2026 to Tuesday 17 March 2026, 20:00 to 23:30" in text_of(status(submission))
    page = Client().get(f"{links.status_path(submission)}/edit").content.decode()
    assert 'type="date" name="date" value="2026-03-15"' in page
    assert 'type="date" name="last_day" value="2026-03-17"' in page


def test_the_same_day_twice_is_one_day(acme: Calendar) -> None:
    send(last_day="2026-03-15")
    assert Submission.objects.get().payload["date"] == "2026-03-15"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"last_day": "2026-03-14"}, "Last day : Must not be before the date."),
        ({"date": "", "last_day": "2026-03-17"}, "Date : This field is required."),
        ({"last_day": "x" * 40}, "Date : Must have at most 40 characters."),
    ],
)
def test_days_that_make_no_sense_are_explained(acme: Calendar, changes: dict[str, str], error: str) -> None:
    answer = send(**changes)
    assert answer.status_code == 400
    assert error in text_of(answer)


def test_errors_in_a_change_are_explained(acme: Calendar) -> None:
    submission = make_submission(acme)
    answer = status(submission, "edit", filled(location=""))
    assert answer.status_code == 400
    assert "Where : This field is required." in text_of(answer)


def test_a_pending_one_is_withdrawn(acme: Calendar) -> None:
    submission = make_submission(acme)
    assert status(submission, "withdraw").status_code == 302
    page = text_of(status(submission))
    assert "You took this proposal back." in page
    assert "Ask for another look" not in page


def test_what_is_decided_meanwhile_cannot_be_changed(acme: Calendar) -> None:
    submission = make_submission(acme)
    review.accept(submission.pk, by="root", now=NOW)
    for step, data in (("edit", filled()), ("withdraw", {}), ("appeal", {"text": "x"})):
        answer = status(submission, step, data)
        assert answer.status_code == 409
        assert "That did not work" in text_of(answer)
    assert Client().get(f"{links.status_path(submission)}/edit").status_code == 409


def test_a_second_appeal_is_not_offered(acme: Calendar) -> None:
    submission = make_spam(acme, created_at=NOW)
    status(submission, "appeal", {"text": "I am no robot."})
    review.decline(submission.pk, reason="spam_signal", by="root", now=NOW)
    page = text_of(status(submission))
    assert "Ask for another look" not in page
    assert "this is settled" in page


def test_steps_count_for_the_limit_of_the_address(acme: Calendar, settings: LazySettings) -> None:
    settings.LIMITS = settings.LIMITS | {"SUBMISSION_IP": (1, 600)}
    submission = make_submission(acme, asked_at=NOW)
    assert status(submission, "answer", {"text": ""}).status_code == 409
    for step, data in (("answer", {"text": "My words"}), ("edit", filled(notes="My words"))):
        answer = status(submission, step, data)
        assert answer.status_code == 429
        assert int(answer["Retry-After"]) > 0
        assert b"My words" in answer.content


@pytest.mark.parametrize("step", ["withdraw", "answer", "appeal"])
def test_a_step_is_taken_by_post_alone(acme: Calendar, step: str) -> None:
    submission = make_submission(acme)
    assert Client().get(f"{links.status_path(submission)}/{step}").status_code == 405
    submission.refresh_from_db()
    assert submission.is_pending


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "{{ 7*7 }}{% now 'Y' %}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_text(acme: Calendar, text: str) -> None:
    names = ("event_name", "location", "genre", "price", "age", "notes", "arrondissement", "date", "start_time")
    answer = send(**dict.fromkeys(names, text), host_email="nobody")
    page = send(**dict.fromkeys(names, text[:32])).headers.get("Location", "")
    shown = Client().get(page).content.decode() if page else ""
    for html in (answer.content.decode(), shown):
        assert "<script" not in html
        assert "<img" not in html
        assert 'href="javascript' not in html


def test_the_mail_leads_to_the_page(acme: Calendar, settings: LazySettings) -> None:
    settings.PUBLIC_URL = "http://testserver"
    send()
    link = re.search(r"http://testserver(/calendar/proposals/\S+)", Mail.objects.get().body)
    assert link
    assert Client().get(link[1]).status_code == 200
    assert mail.status_url(Submission.objects.get()) == link[0]
