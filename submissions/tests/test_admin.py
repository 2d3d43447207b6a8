"""The review queue in the back office: who sees what, and what a click does."""

import html
import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.tests.builders import make_account, make_root, make_user, make_website
from submissions import batches, review
from submissions.models import Batch, CatalogEvent, Decision, Host, Mail, Submission
from submissions.tests.builders import allow, make_calendar, make_spam, make_submission

pytestmark = pytest.mark.django_db

QUEUE = "/admin/submissions/submission/"
LOG, HOSTS = "/admin/submissions/decision/", "/admin/submissions/host/"
FLAG = {"signal": "links", "sentence": "Two links in the notes.", "evidence": {"links": ["a.example", "b.example"]}}


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def calendar():
    return make_calendar()


@pytest.fixture
def ann(calendar):
    """A moderator of Acme: in the group, in the account of the calendar."""
    user = make_user(calendar.website.account, login="ann")
    user.groups.add(Group.objects.get(name="Moderators"))
    return user


@pytest.fixture
def bob(calendar):
    """Of Acme, and no moderator."""
    return make_user(calendar.website.account, login="bob")


@pytest.fixture
def globex():
    """A moderator of Globex, who must never see anything of Acme's."""
    theirs = make_calendar(make_website(make_account("Globex"), "globex.example"))
    user = make_user(theirs.website.account, login="globex")
    user.groups.add(Group.objects.get(name="Moderators"))
    return user


@pytest.fixture
def root():
    return make_root(login="root")


def office(user):
    client = Client()
    client.force_login(user)
    return client


def text(response):
    return html.unescape(response.content.decode())


def listed(response):
    return [submission.name for submission in response.context["cl"].result_list]


def page_of(submission):
    return f"{QUEUE}{submission.pk}/change/"


def take(browser, submission, step, **given):
    return browser.post(f"{QUEUE}{submission.pk}/step/", {"step": step, **given}, follow=True)


def told(response):
    return [str(message) for message in response.context["messages"]]


def in_days(now, days):
    return now.date() + timedelta(days=days)


def test_it_works(calendar, ann, now):
    """A moderator reviews one after the other, and is told at the end."""
    first = make_submission(calendar, "First", starts_on=in_days(now, 1), created_at=now - timedelta(hours=3))
    second = make_submission(calendar, "Second", starts_on=in_days(now, 2), created_at=now - timedelta(hours=2))
    browser = office(ann)
    assert listed(browser.get(QUEUE)) == ["First", "Second"]
    assert browser.get(f"{QUEUE}next/")["Location"] == page_of(first)
    page = take(browser, first, "accept")
    assert page.redirect_chain == [(page_of(second), 302)]
    assert told(page) == ["“First” is on the calendar."]
    page = take(browser, second, "decline", reason="event_not_relevant", message="Sorry.")
    assert page.redirect_chain == [(QUEUE, 302)]
    assert told(page) == ["“Second” is declined.", "Queue empty, median wait 2 h 30."]
    assert [event.name for event in CatalogEvent.objects.live()] == ["First"]
    assert list(Submission.objects.order_by("name").values_list("status", "review_reason", "reviewed_by")) == [
        ("accepted", "accepted", "admin-panel"),
        ("declined", "event_not_relevant", "admin-panel"),
    ]
    assert {decision.actor for decision in Decision.objects.all()} == {ann}


def test_next_and_previous_lead_along_the_queue_and_say_where_it_ends(calendar, ann, now):
    first, second = (make_submission(calendar, str(days), starts_on=in_days(now, days)) for days in (1, 2))
    browser = office(ann)
    assert browser.get(f"{QUEUE}next/?after={first.pk}")["Location"] == page_of(second)
    assert browser.get(f"{QUEUE}next/?before={second.pk}")["Location"] == page_of(first)
    assert told(browser.get(f"{QUEUE}next/?after={second.pk}", follow=True)) == ["This is the last one in your queue."]
    assert told(browser.get(f"{QUEUE}next/?before={first.pk}", follow=True)) == ["This is the first one in your queue."]
    assert browser.get(f"{QUEUE}next/?after=x")["Location"] == page_of(first)
    review.ask(first.pk, text="Where?", by="admin-panel", now=now)
    assert browser.get(f"{QUEUE}next/?after={first.pk}")["Location"] == page_of(second)


# -- who sees what ----------------------------------------------------------------------------------------------------


def everything(submission, batch):
    """Every page and button of the queue."""
    gets = ["", "next/", "looking/", "measures/", "measures/weeks.csv", "export.csv", f"batch/{batch.pk}/"]
    posts = ["undo/", "batch/", f"batch/{batch.pk}/", f"batch/{batch.pk}/undo/"]
    own = f"{submission.pk}"
    gets += [f"{own}/change/"]
    posts += [f"{own}/step/", f"{own}/look/"]
    return [("get", f"{QUEUE}{page}") for page in gets] + [("post", f"{QUEUE}{page}") for page in posts]


def test_without_a_login_there_is_only_the_sign_in_page(calendar, ann, now):
    submission = make_submission(calendar)
    batch = batches.begin([submission.pk], action="accept", actor=ann, now=now)
    for verb, page in everything(submission, batch):
        answer = getattr(Client(), verb)(page)
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/admin/login/"), page


def test_staff_without_rights_may_not_read_decide_export_or_see_addresses(calendar, ann, bob, now):
    submission = make_submission(calendar)
    batch = batches.begin([submission.pk], action="accept", actor=ann, now=now)
    for verb, page in everything(submission, batch):
        assert getattr(office(bob), verb)(page, {"step": "accept"}).status_code == 403, page
    for page in (LOG, HOSTS):
        assert office(bob).get(page).status_code == 403
    submission.refresh_from_db()
    assert submission.is_pending


def test_who_may_only_read_decides_nothing_exports_nothing_and_sees_no_address(calendar, bob):
    submission = make_submission(calendar, email="canary@example.test")
    reader = office(allow(bob, "view_submission"))
    for page in (QUEUE, page_of(submission), f"{QUEUE}measures/"):
        assert reader.get(page).status_code == 200
        assert "canary" not in text(reader.get(page))
    assert listed(reader.get(QUEUE, {"q": "canary"})) == []
    for verb, page in (
        ("post", f"{QUEUE}{submission.pk}/step/"),
        ("post", f"{QUEUE}{submission.pk}/look/"),
        ("get", f"{QUEUE}next/"),
        ("get", f"{QUEUE}export.csv"),
        ("get", f"{QUEUE}measures/weeks.csv"),
        ("get", HOSTS),
        ("get", LOG),
    ):
        assert getattr(reader, verb)(page, {"step": "accept"}).status_code == 403, page
    assert "Accept and publish" not in text(reader.get(page_of(submission)))
    chosen = {"action": "accept_chosen", "_selected_action": [submission.pk]}
    assert "Accept 1 submissions" not in text(reader.post(QUEUE, chosen, follow=True))


def test_who_may_review_and_not_see_hosts_sees_no_address_anywhere(calendar, bob):
    submission = make_submission(calendar, email="canary@example.test")
    reviewer = office(allow(bob, "review_submission", "export_submission"))
    assert listed(reviewer.get(QUEUE, {"q": "canary"})) == []
    for page in (QUEUE, page_of(submission)):
        assert "canary" not in text(reviewer.get(page))
    assert "canary" not in b"".join(reviewer.get(f"{QUEUE}export.csv").streaming_content).decode()
    assert reviewer.get(HOSTS).status_code == 403


def test_who_may_see_hosts_finds_them_by_address(calendar, ann):
    make_submission(calendar, "Theirs", email="canary@example.test")
    make_submission(calendar, "Another", email="other@example.test")
    answer = office(ann).get(QUEUE, {"q": "CANARY@example"})
    assert listed(answer) == ["Theirs"]
    assert "canary@example.test" in text(answer)


def test_globex_never_sees_acmes(calendar, ann, globex, now):
    submission = make_submission(calendar, "Secret")
    batch = batches.begin([submission.pk], action="accept", actor=ann, now=now)
    review.decline(make_submission(calendar, "Declined").pk, reason="spam_signal", by="admin-panel", now=now)
    browser = office(globex)
    for state in ("pending", "flagged", "waiting", "auto", "accepted", "declined"):
        assert listed(browser.get(QUEUE, {"state": state})) == []
    for page in (LOG, HOSTS):
        assert list(browser.get(page).context["cl"].result_list) == []
    nowhere = browser.get(f"{QUEUE}550e8400-e29b-41d4-a716-446655440000/change/")
    answers = [browser.get(page_of(submission)), browser.get(f"{QUEUE}batch/{batch.pk}/")]
    answers += [take(browser, submission, "accept"), browser.post(f"{QUEUE}{submission.pk}/look/")]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, nowhere.content)}
    chosen = {"action": "accept_chosen", "_selected_action": [submission.pk]}
    assert "Secret" not in text(browser.post(QUEUE, chosen, follow=True))
    browser.post(f"{QUEUE}batch/", {"verb": "accept", "ids": str(submission.pk)})
    assert b"Secret" not in b"".join(browser.get(f"{QUEUE}export.csv").streaming_content)
    assert json.loads(browser.get(f"{QUEUE}looking/").content) == {}
    assert "Submissions\n" not in text(browser.get(f"{QUEUE}measures/weeks.csv"))
    submission.refresh_from_db()
    assert submission.is_pending


def test_an_admin_sees_every_accounts(calendar, globex, root):
    make_submission(calendar, "Acme's", starts_on=None)
    make_submission(globex.account.websites.get().calendar, "Globex's", starts_on=None)
    assert sorted(listed(office(root).get(QUEUE))) == ["Acme's", "Globex's"]


def test_the_group_of_moderators_has_exactly_these_rights():
    rights = Group.objects.get(name="Moderators").permissions.values_list("content_type__app_label", "codename")
    assert sorted(rights) == [
        ("submissions", "export_submission"),
        ("submissions", "review_submission"),
        ("submissions", "see_host"),
        ("submissions", "view_decision"),
        ("submissions", "view_submission"),
    ]


def test_a_moderator_adds_changes_and_deletes_nothing_by_hand(calendar, ann):
    submission = make_submission(calendar)
    review.ask(submission.pk, text="Where?", by="admin-panel", actor=ann, now=timezone.now())
    browser = office(ann)
    for page in (QUEUE, LOG, HOSTS):
        assert browser.get(f"{page}add/").status_code == 403
        assert browser.post(page, {"action": "delete_selected", "_selected_action": [1]}).status_code in (200, 302)
    for page in (f"{QUEUE}{submission.pk}/delete/", f"{LOG}{Decision.objects.get().pk}/delete/"):
        assert browser.post(page, {"post": "yes"}).status_code == 403
    assert (Submission.objects.count(), Decision.objects.count(), Host.objects.count()) == (1, 1, 1)


def test_every_post_needs_the_token(calendar, ann, now):
    submission = make_submission(calendar)
    batch = batches.begin([submission.pk], action="accept", actor=ann, now=now)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ann)
    for verb, page in everything(submission, batch):
        if verb == "post":
            assert browser.post(page, {"step": "accept"}).status_code == 403, page
            wrong = {"step": "accept", "csrfmiddlewaretoken": "x" * 64}
            assert browser.post(page, wrong).status_code == 403, page
    submission.refresh_from_db()
    assert submission.is_pending


# -- the list ---------------------------------------------------------------------------------------------------------


def test_a_row_answers_the_moderators_questions(calendar, ann, bob, now):
    for status in ("accepted", "accepted", "declined"):
        make_submission(calendar, f"Was {status}", status=status, reviewed_at=now, reviewed_by="admin-panel")
    submission = make_submission(calendar, starts_on=in_days(now, 1), flags=[FLAG], created_at=now - timedelta(hours=9))
    review.look(submission.pk, actor=bob, now=now)
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text(office(ann).get(QUEUE))))
    for answer in (
        "Fête de la Musique",
        "tomorrow",
        "20:00",
        "12 rue Oberkampf, Paris",
        "host@example.test",
        "2 accepted, 1 declined before",
        "Two links in the notes.",
        "9 h 00",
        "bob",
    ):
        assert answer in page, answer


def test_tabs_say_what_a_moderator_means(calendar, ann, now):
    asked = make_submission(calendar, "asked")
    review.ask(asked.pk, text="Where?", by="admin-panel", now=now)
    make_submission(calendar, "flagged", flags=[FLAG])
    make_spam(calendar, "spam")
    make_submission(calendar, "accepted", status="accepted", reviewed_by="admin-panel", reviewed_at=now)
    make_submission(calendar, "declined", status="declined", reviewed_by="admin-panel", reviewed_at=now)
    browser = office(ann)
    found = {
        state: sorted(listed(browser.get(QUEUE, {"state": state})))
        for state in ("pending", "flagged", "waiting", "auto", "accepted", "declined", "no such state")
    }
    assert found == {
        "pending": ["asked", "flagged"],
        "flagged": ["flagged"],
        "waiting": ["asked"],
        "auto": ["spam"],
        "accepted": ["accepted"],
        "declined": ["declined"],
        "no such state": ["asked", "flagged"],
    }


@pytest.mark.parametrize("query", ["fete", "FÊTE", "oberkampf", "host@example"])
def test_a_search_needs_neither_accents_nor_case(calendar, ann, query):
    make_submission(calendar, "Fête")
    make_submission(calendar, "Other", email="x@y.example", payload={"location": "Nantes"})
    assert listed(office(ann).get(QUEUE, {"q": query})) == ["Fête"]


@pytest.mark.parametrize("query", ["\0", "'\"; --", "%", "x" * 5000])
def test_no_search_fails(calendar, ann, query):
    assert office(ann).get(QUEUE, {"q": query}).status_code == 200


@pytest.mark.parametrize(
    "query",
    ["starts_on__year=x", "starts_on__month=99", "starts_on__day=32", "p=x", "p=999", "o=99.-99.x", "all=", "e=1"]
    + ["state=%00", "nothing=1", "host__email=x", "payload__hostEmail__startswith=x", "_to_field=payload"],
)
def test_no_address_of_the_list_fails_or_tells_what_it_should_not(calendar, bob, query):
    make_submission(calendar, email="canary@example.test")
    answer = office(allow(bob, "review_submission")).get(f"{QUEUE}?{query}", follow=True)
    assert answer.status_code in (200, 400)
    assert "canary" not in text(answer)


def test_days_lead_to_the_submissions_of_that_day(calendar, ann, now):
    make_submission(calendar, "this year", starts_on=in_days(now, 1))
    make_submission(calendar, "in years", starts_on=in_days(now, 800))
    year = in_days(now, 800).year
    assert listed(office(ann).get(QUEUE, {"starts_on__year": year})) == ["in years"]


def test_the_list_takes_as_many_queries_for_three_rows_as_for_one(calendar, ann):
    browser = office(ann)

    def queries():
        with CaptureQueriesContext(connection) as found:
            assert browser.get(QUEUE).status_code == 200
        return len(found)

    make_submission(calendar, "1")
    browser.get(QUEUE)
    one = queries()
    make_submission(calendar, "2", email="2@example.test", flags=[FLAG])
    make_submission(calendar, "3", email="3@example.test")
    assert queries() == one


def test_what_else_a_host_proposed_is_counted_once_and_not_for_every_row(calendar, ann, now):
    for number in range(3):
        make_submission(calendar, str(number))
        make_submission(calendar, f"was {number}", status="accepted", reviewed_by="admin-panel", reviewed_at=now)
    browser = office(ann)
    with CaptureQueriesContext(connection) as found:
        assert text(browser.get(QUEUE)).count("3 accepted, 0 declined before") == 3
    counting = [query["sql"] for query in found if "COUNT(" in query["sql"] and '"host_id"' in query["sql"]]
    assert len(counting) == 1
    assert "GROUP BY" in counting[0]
    page = browser.get(QUEUE, {"state": "accepted"})
    assert text(page).count("2 accepted, 0 declined before") == 3


@pytest.mark.parametrize("page", [LOG, HOSTS])
def test_the_log_and_the_hosts_take_as_many_queries_for_three_rows_as_for_one(calendar, ann, now, page):
    browser = office(ann)

    def queries():
        with CaptureQueriesContext(connection) as found:
            assert browser.get(page).status_code == 200
        return len(found)

    def add(email):
        submission = make_submission(calendar, email, email=email)
        review.decline(submission.pk, reason="spam_signal", by="admin-panel", actor=ann, now=now)

    add("1@example.test")
    browser.get(page)
    one = queries()
    add("2@example.test")
    add("3@example.test")
    assert queries() == one


def test_a_page_takes_as_many_queries_for_three_neighbours_as_for_one(calendar, ann, now):
    submission = make_submission(calendar)
    browser = office(ann)

    def queries():
        with CaptureQueriesContext(connection) as found:
            assert browser.get(page_of(submission)).status_code == 200
        return len(found)

    def add(name):
        other = make_submission(calendar, "Fête de la Musique", payload={"notes": name})
        review.record(submission, "edit", by="admin-panel", actor=ann, now=now)
        submission.messages.create(at=now, author="moderator", user=ann, text=name)
        return other

    add("1")
    browser.get(page_of(submission))
    one = queries()
    add("2")
    add("3")
    assert queries() == one


# -- the page of one --------------------------------------------------------------------------------------------------


def test_a_possible_duplicate_stands_beside_it_with_what_agrees(calendar, ann, now):
    submission = make_submission(calendar, created_at=now)
    other = make_submission(calendar, created_at=now, payload={"proofLink": "https://other.example/"})
    page = text(office(ann).get(page_of(submission)))
    assert f'href="{page_of(other)}"' in page
    rows = re.findall(r'<th scope="row">([^<]+)</th>\s*<td>[^<]*</td>\s*<td( class="q-same")?>', page)
    assert [(label, bool(agrees)) for label, agrees in rows] == [
        ("Event", True),
        ("Date", True),
        ("Starts", True),
        ("Place", True),
        ("Proof link", False),
    ]


def test_a_published_duplicate_stands_beside_it_and_not_its_own_event(calendar, ann, now):
    event = review.accept(make_submission(calendar, created_at=now).pk, by="admin-panel", now=now)
    submission = make_submission(calendar, created_at=now)
    assert "On the calendar" in text(office(ann).get(page_of(submission)))
    assert "On the calendar" not in text(office(ann).get(page_of(event.submission)))


def test_the_page_shows_what_was_written_and_what_was_read_of_it(calendar, ann, now):
    submission = make_submission(calendar, starts_on=None, flags=[FLAG], payload={"date": "un de ces jours"})
    page = text(office(ann).get(page_of(submission)))
    for part in ("un de ces jours", "No day could be read of this.", "20:00", "Two links in the notes.", "a.example"):
        assert part in page, part


def test_a_proof_link_is_text_and_a_link_that_gives_nothing_away(calendar, ann):
    submission = make_submission(calendar, payload={"proofLink": "https://exämple.com/a?b=1"})
    page = office(ann).get(page_of(submission)).content.decode()
    assert '<span class="q-text">https://exämple.com/a?b=1</span>' in page
    assert "<strong>xn--exmple-cua.com</strong>" in page
    assert '<a href="https://xn--exmple-cua.com/a?b=1" rel="noopener nofollow noreferrer" target="_blank">' in page


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "ftp://example.com/", "https://user:pw@example.com/"]
)
def test_what_is_no_proper_link_is_text_alone(calendar, ann, link):
    page = office(ann).get(page_of(make_submission(calendar, payload={"proofLink": link}))).content.decode()
    assert f'<span class="q-text">{html.escape(link)}</span>' in page
    assert f'href="{html.escape(link)}' not in page


def test_what_is_over_a_second_moderator_hears_it(calendar, ann, bob):
    submission = make_submission(calendar)
    other = allow(bob, "review_submission")
    office(ann).get(page_of(submission))
    assert "ann has this open now." in text(office(other).get(page_of(submission)))
    heard = office(other).post(f"{QUEUE}{submission.pk}/look/").json()
    assert heard == {"looking": "ann", "status": "pending"}
    assert office(other).get(f"{QUEUE}looking/").json() == {str(submission.pk): "ann"}


@pytest.mark.parametrize("wrong", ["7", "x", "550e8400-e29b-41d4-a716-446655440000", "550e8400"])
def test_what_is_not_there_is_not_found(ann, wrong):
    assert office(ann).get(f"{QUEUE}{wrong}/change/").status_code == 404
    assert office(ann).post(f"{QUEUE}{wrong}/step/", {"step": "accept"}).status_code == 404


def test_an_unknown_step_is_not_found(calendar, ann):
    submission = make_submission(calendar)
    assert take(office(ann), submission, "explode").status_code == 404
    assert office(ann).get(f"{QUEUE}{submission.pk}/step/").status_code == 405


# -- steps ------------------------------------------------------------------------------------------------------------


def test_for_another_reason_the_typed_text_is_the_reason(calendar, ann):
    submission = make_submission(calendar)
    page = take(office(ann), submission, "decline", reason="other", other="")
    assert told(page) == ["For another reason, write the reason itself."]
    take(office(ann), submission, "decline", reason="other", other="The hall is closed")
    submission.refresh_from_db()
    assert submission.review_reason == "The hall is closed"


def test_a_refusal_leads_back_to_the_page_with_its_sentence(calendar, ann, now):
    submission = make_submission(calendar)
    review.accept(submission.pk, by="Marie", now=now)
    page = take(office(ann), submission, "decline", reason="spam_signal")
    assert page.redirect_chain == [(page_of(submission), 302)]
    assert told(page) == ["Submission already reviewed: Submission is already accepted"]


def test_what_the_host_changed_since_the_page_was_made_is_not_decided(calendar, ann, now):
    submission = make_submission(calendar, edited_at=now)
    seen_at = (now - timedelta(minutes=1)).isoformat()
    for step in ("accept", "decline", "correct"):
        page = take(office(ann), submission, step, reason="spam_signal", seen_at=seen_at)
        assert "has changed it since" in told(page)[0]


@pytest.mark.parametrize("hostile", ["\0", "a\0b", "x" * 100_000, "\u202e", "' OR 1=1 --", "{{ 7 }}"])
def test_no_text_of_a_moderator_fails(calendar, ann, hostile):
    given = {"reason": hostile, "other": hostile, "message": hostile, "text": hostile, "seen_at": hostile}
    given |= {"notes": hostile, "date": hostile, "ids": hostile, "verb": "decline"}
    for step in ("correct", "ask", "decline", "reopen", "accept", "skip"):
        submission = make_submission(calendar)
        assert take(office(ann), submission, step, **given).status_code == 200
    assert office(ann).post(f"{QUEUE}batch/", given).status_code == 404
    given["ids"] = str(submission.pk)
    assert office(ann).post(f"{QUEUE}batch/", given, follow=True).status_code == 200


def test_asking_sends_a_question_and_opens_the_next(calendar, ann, now):
    submission, other = make_submission(calendar, "Asked", starts_on=in_days(now, 1)), make_submission(calendar)
    page = take(office(ann), submission, "ask", text="Which hall?")
    assert page.redirect_chain == [(page_of(other), 302)]
    assert Mail.objects.get().kind == "question"
    assert "Which hall?" in text(office(ann).get(page_of(submission)))


def test_a_skipped_one_comes_last_and_undoing_brings_it_back(calendar, ann, now):
    first = make_submission(calendar, "First", starts_on=in_days(now, 1))
    make_submission(calendar, "Second", starts_on=in_days(now, 2))
    browser = office(ann)
    take(browser, first, "skip")
    assert listed(browser.get(QUEUE)) == ["Second", "First"]
    assert browser.post(f"{QUEUE}undo/")["Location"] == page_of(first)
    assert listed(browser.get(QUEUE)) == ["First", "Second"]


def test_undo_takes_the_last_step_back_and_then_the_one_before(calendar, ann, now):
    first, second = make_submission(calendar, "First"), make_submission(calendar, "Second")
    browser = office(ann)
    take(browser, first, "accept")
    take(browser, second, "decline", reason="spam_signal")
    assert told(browser.post(f"{QUEUE}undo/", follow=True)) == ["Undone: “Second” declined."]
    assert told(browser.post(f"{QUEUE}undo/", follow=True)) == ["Undone: “First” accepted."]
    assert told(browser.post(f"{QUEUE}undo/", follow=True)) == ["There is nothing to undo."]
    assert set(Submission.objects.values_list("status", flat=True)) == {"pending"}
    assert not CatalogEvent.objects.exists()


def test_what_cannot_be_undone_any_more_says_so_and_the_step_before_can(calendar, ann, now):
    first, second = make_submission(calendar, "First"), make_submission(calendar, "Second")
    browser = office(ann)
    take(browser, first, "accept")
    take(browser, second, "decline", reason="spam_signal")
    review.reopen(second.pk, by="Marie", now=now)
    assert told(browser.post(f"{QUEUE}undo/", follow=True)) == [
        "Something has happened to it since: this is not the last decision any more."
    ]
    assert told(browser.post(f"{QUEUE}undo/", follow=True)) == ["Undone: “First” accepted."]


def test_what_the_system_declined_is_reopened(calendar, ann):
    spam = make_spam(calendar)
    browser = office(ann)
    assert "Reopen" in text(browser.get(page_of(spam)))
    page = take(browser, spam, "reopen")
    assert page.redirect_chain == [(page_of(spam), 302)]
    assert listed(browser.get(QUEUE)) == [spam.name]


def test_a_correction_stays_on_the_page(calendar, ann):
    submission = make_submission(calendar, starts_on=None)
    page = take(office(ann), submission, "correct", date="2026-12-24", eventName=submission.name)
    assert page.redirect_chain == [(page_of(submission), 302)]
    assert told(page) == ["Corrected: date."]
    assert "Thursday 24 December 2026" in text(page)


# -- many at once -----------------------------------------------------------------------------------------------------


def confirmed(browser, page):
    found = dict(re.findall(r'name="(verb|ids)" value="([^"]*)"', page.content.decode()))
    return browser.post(f"{QUEUE}batch/", found | {"reason": "spam_signal"}, follow=True)


def test_many_are_declined_with_two_clicks_and_undone_with_one(calendar, ann):
    chosen = [make_submission(calendar, f"Spam {number}").pk for number in range(3)]
    make_submission(calendar, "Genuine")
    browser = office(ann)
    page = browser.post(QUEUE, {"action": "decline_chosen", "_selected_action": chosen})
    assert "Decline 3 submissions" in text(page)
    assert Submission.objects.pending().count() == 4
    assert told(confirmed(browser, page)) == ["3 declined."]
    assert listed(browser.get(QUEUE)) == ["Genuine"]
    assert told(browser.post(f"{QUEUE}undo/", follow=True)) == ["3 undone."]
    assert Submission.objects.pending().count() == 4


def test_what_is_chosen_across_all_pages_is_what_was_there_at_the_click(calendar, ann):
    first = [make_submission(calendar, f"Event {number}") for number in range(2)]
    browser = office(ann)
    chosen = {"action": "accept_chosen", "select_across": "1", "_selected_action": [first[0].pk]}
    page = browser.post(QUEUE, chosen)
    make_submission(calendar, "Too late")
    confirmed(browser, page)
    assert listed(browser.get(QUEUE)) == ["Too late"]


def test_a_large_batch_goes_on_in_steps_and_shows_how_far_it_got(calendar, ann, now):
    ids = [make_submission(calendar, f"Event {number}").pk for number in range(batches.STEP + 1)]
    browser = office(ann)
    page = browser.post(f"{QUEUE}batch/", {"verb": "accept", "ids": ",".join(map(str, ids))}, follow=True)
    batch = Batch.objects.get()
    assert page.redirect_chain == [(f"{QUEUE}batch/{batch.pk}/", 302)]
    assert "100 of 101" in text(page)
    assert told(browser.post(f"{QUEUE}batch/{batch.pk}/", follow=True)) == ["101 accepted."]


def test_nobody_goes_on_with_anothers_batch(calendar, ann, bob, now):
    batch = batches.begin([make_submission(calendar).pk], action="accept", actor=ann, now=now)
    other = office(allow(bob, "review_submission"))
    assert other.get(f"{QUEUE}batch/{batch.pk}/").status_code == 404
    assert other.post(f"{QUEUE}batch/{batch.pk}/").status_code == 404
    assert other.post(f"{QUEUE}batch/{batch.pk}/undo/").status_code == 404


@pytest.mark.parametrize(
    "given", [{}, {"verb": "accept"}, {"verb": "explode", "ids": "7"}, {"verb": "accept", "ids": "x,y"}]
)
def test_a_batch_of_nothing_is_not_found(ann, given):
    assert office(ann).post(f"{QUEUE}batch/", given).status_code == 404


def test_more_than_ten_thousand_are_refused_without_touching_one(calendar, ann):
    submission = make_submission(calendar)
    clone(submission, batches.MOST)
    browser = office(ann)
    chosen = {"action": "accept_chosen", "select_across": "1", "_selected_action": [submission.pk]}
    assert told(browser.post(QUEUE, chosen, follow=True)) == ["At most 10,000 at once: choose fewer."]
    assert Submission.objects.pending().count() == batches.MOST + 1


# -- files ------------------------------------------------------------------------------------------------------------


def test_submissions_are_a_file_that_no_cache_keeps(calendar, ann):
    make_submission(calendar, "=1+1", flags=[FLAG], payload={"notes": 'A "line"\nand another', "price": "-4.08"})
    answer = office(ann).get(f"{QUEUE}export.csv")
    content = b"".join(answer.streaming_content).decode()
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Disposition"] == 'attachment; filename="submissions-pending.csv"'
    header, row = content.split("\r\n", 1)
    assert header.startswith("id,status,eventName,date,startTime")
    assert header.endswith(",hostEmail")
    for cell in (",'=1+1,", '"A ""line""\nand another"', ",links,", ",'-4.08,", ",host@example.test\r\n"):
        assert cell in row, cell


@pytest.mark.parametrize("name", ["waiting", "totals", "precision", "weeks", "reasons"])
def test_every_measure_is_a_file_that_no_cache_keeps(calendar, ann, name):
    answer = office(ann).get(f"{QUEUE}measures/{name}.csv")
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Type"] == "text/csv; charset=utf-8"


def test_there_is_no_file_of_another_name(ann):
    assert office(ann).get(f"{QUEUE}measures/secrets.csv").status_code == 404


def test_the_measures_explain_themselves(calendar, ann, now):
    make_submission(calendar, created_at=now - timedelta(hours=9))
    spam = make_spam(calendar, created_at=now)
    review.reopen(spam.pk, by="admin-panel", now=now)
    page = text(office(ann).get(f"{QUEUE}measures/"))
    assert "9 h 00" in page
    assert "1 of 1 overturned" in page


# -- the first page, the log and the hosts ----------------------------------------------------------------------------


def test_the_first_page_counts_what_waits(calendar, ann, bob, now):
    make_submission(calendar, starts_on=in_days(now, 1), flags=[FLAG], created_at=now - timedelta(hours=9))
    make_spam(calendar, created_at=now)
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text(office(ann).get("/admin/"))))
    for part in ("1 waiting", "oldest 9 h 00", "1 starts tomorrow", "1 flagged", "1 declined by system this week"):
        assert part in page, part
    assert "waiting" not in text(office(bob).get("/admin/"))


def test_the_sidebar_leads_to_the_queue_for_those_who_may_see_it(ann, bob):
    assert f'href="{QUEUE}"' in text(office(ann).get("/admin/"))
    assert f'href="{QUEUE}"' not in text(office(bob).get("/admin/"))


def test_the_log_says_who_did_what(calendar, ann, now):
    review.decline(make_submission(calendar).pk, reason="spam_signal", by="admin-panel", actor=ann, now=now)
    page = text(office(ann).get(LOG))
    assert "ann (admin-panel)" in page
    assert "spam_signal" in page


def test_a_host_is_forgotten_after_a_question_and_the_log_holds_no_address(calendar, ann):
    submission = make_submission(calendar, email="canary@example.test")
    host = submission.host
    browser = office(ann)
    chosen = {"action": "erase_chosen", "_selected_action": [host.pk]}
    assert "Erase 1 address?" in text(browser.post(HOSTS, chosen))
    assert Host.objects.exists()
    browser.post(HOSTS, chosen | {"sure": "1"})
    submission.refresh_from_db()
    assert (submission.host, Host.objects.exists()) == (None, False)
    assert "canary" not in str(list(Decision.objects.values())) + text(browser.get(LOG))
    assert [decision.action for decision in Decision.objects.all()] == ["erase"]


def test_a_moderator_forgets_no_host_of_another_account(calendar, ann, globex):
    make_submission(calendar, email="both@example.test")
    theirs = make_submission(globex.account.websites.get().calendar, email="both@example.test")
    host = calendar.hosts.get()
    office(ann).post(HOSTS, {"action": "erase_chosen", "_selected_action": [host.pk, theirs.host.pk], "sure": "1"})
    assert list(Host.objects.all()) == [theirs.host]


def clone(submission, times):
    columns = [field.column for field in Submission._meta.concrete_fields if field.column != "id"]
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO submissions_submission (id, {names}) SELECT gen_random_uuid(), {names}"
            " FROM submissions_submission, generate_series(1, %s) WHERE id = %s",
            [times, submission.pk],
        )
