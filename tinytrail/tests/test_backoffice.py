"""What every page of the back office and the dashboard has in common, whatever it shows (guarantees, A74, A75, A77).

Routes and models are not named here, but looped over, so that none can be forgotten.
"""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils.html import escape

from accounts.admin import FewAtOnce
from accounts.models import User, Website
from accounts.tests.builders import make_account, make_root, make_user, make_website
from submissions.models import CatalogEvent, Submission
from submissions.tests.builders import make_calendar, make_submission
from tinytrail.tests.urlmap import Door, Route, every_route

pytestmark = pytest.mark.django_db

# Callers without a browser's session, for whom a form's token means nothing.
PROGRAMS = {Door.INGEST, Door.KEY, Door.SECRET}
# The same, of a route that everybody may ask.
PROPOSALS = "api/event-submissions"
ADDRESS = "host-canary@example.test"


def office(user: User, **options: object) -> Client:
    client = Client(**options)
    client.force_login(user)
    return client


def address(route: Route) -> str:
    return route.address(**dict.fromkeys(route.parameters, str(uuid4())))


# -- forgery ----------------------------------------------------------------------------------------------------------


def pages() -> list[Route]:
    """Every route that a browser with a session may be led to by another site."""
    return [route for route in every_route() if route.door not in PROGRAMS and route.name != PROPOSALS]


def is_exempt(route: Route) -> bool:
    return bool(getattr(route.view, "csrf_exempt", False))


def test_every_post_without_the_token_or_with_a_wrong_one_is_refused() -> None:
    browser = office(make_root(login="root"), enforce_csrf_checks=True)
    browser.get("/admin/accounts/website/add/")
    assert browser.cookies["csrf"].value
    routes = pages()
    assert {"admin/", "admin/login/", "admin/security/", "dashboard/<uuid:website>/links"} <= {
        r.pattern for r in routes
    }
    forged = ({}, {"csrfmiddlewaretoken": "x" * 64}, {"csrfmiddlewaretoken": "é"})
    statuses = {route.pattern: {browser.post(address(route), form).status_code for form in forged} for route in routes}
    assert statuses == {route.pattern: {405} if is_exempt(route) else {403} for route in routes}
    # What is exempt takes no post at all, and is neither the back office's nor the dashboard's.
    assert not any(is_exempt(route) for route in routes if route.door is Door.SESSION)


def test_nor_with_a_token_in_a_post_from_another_site() -> None:
    browser = office(make_root(login="root"), enforce_csrf_checks=True)
    browser.get("/admin/accounts/website/add/")
    form = {"csrfmiddlewaretoken": browser.cookies["csrf"].value}
    page = "/admin/accounts/account/add/"
    assert browser.post(page, form, headers={"origin": "https://evil.example"}).status_code == 403
    assert browser.post(page, form, headers={"origin": "null"}).status_code == 403
    # The control: the same post from a page of ours is read.
    assert browser.post(page, form | {"name": "Initech"}, headers={"origin": "http://testserver"}).status_code == 302


# -- rights -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def ann() -> User:
    """Acme's, in no group: what every login may do is done to the own account only."""
    return make_user(make_account("Acme"), login="ann")


@pytest.fixture
def submission(ann: User) -> Submission:
    return make_submission(make_calendar(make_website(ann.account)), email=ADDRESS)


def lists() -> dict[str, str]:
    """The page of every model of the back office."""
    models = [model._meta for model in admin.site._registry]
    return {meta.label: f"/admin/{meta.app_label}/{meta.model_name}/" for meta in models}


def test_without_a_group_staff_reach_the_lists_of_their_own_account_and_no_other(ann: User) -> None:
    browser = office(ann)
    found = {label: browser.get(page).status_code for label, page in lists().items()}
    own = {"Account", "Website", "WidgetToken", "OpenPanelClient"}
    open_to_all = {f"accounts.{name}" for name in own} | {"analytics.Drop", "analytics.Profile", "analytics.Group"}
    assert {label for label, status in found.items() if status == 200} == open_to_all
    assert {status for label, status in found.items() if label not in open_to_all} == {403}


def refused(answer: HttpResponse) -> bool:
    return answer.status_code in (403, 404)


def test_without_a_group_staff_approve_nothing_export_nothing_and_read_no_address(
    ann: User, submission: Submission
) -> None:
    browser = office(ann)
    queue = "/admin/submissions/submission/"
    batch = {"verb": "accept", "ids": str(submission.pk)}
    posts = {
        f"{queue}{submission.pk}/step/": {"step": "accept"},
        f"{queue}{submission.pk}/look/": {},
        f"{queue}batch/": batch,
        f"{queue}undo/": {},
        queue: {"action": "accept_chosen", "_selected_action": [submission.pk]},
    }
    assert all(refused(browser.post(page, form)) for page, form in posts.items())
    reads = [f"{queue}{submission.pk}/change/", f"{queue}export.csv", f"{queue}measures/waiting.csv", f"{queue}next/"]
    assert all(refused(browser.get(page)) for page in reads)
    submission.refresh_from_db()
    assert (submission.status, CatalogEvent.objects.count()) == (Submission.Status.PENDING, 0)
    for route in every_route():
        if route.door is Door.SESSION:
            given = dict.fromkeys(route.parameters, str(submission.pk))
            given |= {"website": Website.objects.get().public_id} if "website" in given else {}
            answer = browser.get(route.address(**given))
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            assert ADDRESS.encode() not in content, route
    # The control: somebody with the rights reads it on the same page.
    group = Group.objects.create(name="All rights")
    group.permissions.set(Permission.objects.all())
    ann.groups.add(group)
    browser = office(User.objects.get(pk=ann.pk))
    assert escape(ADDRESS) in browser.get(reads[0]).content.decode()
    assert browser.post(f"{queue}{submission.pk}/step/", {"step": "accept"}).status_code == 302
    assert CatalogEvent.objects.count() == 1


# -- many rows --------------------------------------------------------------------------------------------------------


def test_every_action_is_for_one_page_of_rows_or_is_done_in_steps() -> None:
    """Of the models that have actions at all; those of the queue of submissions have a bound of their own (batches)."""
    request = RequestFactory().get("/admin/")
    request.user = make_root(login="root")
    acting = {model._meta.label: page for model, page in admin.site._registry.items() if page.get_actions(request)}
    assert {"accounts.Website", "submissions.Submission", "auth.Group"} <= set(acting)
    assert all(isinstance(page, FewAtOnce) and page.list_per_page <= 100 for page in acting.values())
    assert not any(page.list_editable for page in admin.site._registry.values())


def test_of_ten_thousand_rows_an_action_takes_a_page(django_assert_max_num_queries: Any) -> None:
    root = make_root(login="root")
    ids = [
        website.pk
        for website in Website.objects.bulk_create(
            Website(account=root.account, domain=f"{number}.example") for number in range(10_000)
        )
    ]
    browser, page = office(root), "/admin/accounts/website/"
    action = {"action": "delete_selected", "select_across": "1", "post": "yes"}

    def left() -> int:
        return Website.objects.live().count()

    answer = browser.post(page, action | {"_selected_action": ids[:101]}, follow=True)
    assert ("At most 100 at once: choose fewer." in answer.content.decode(), left()) == (True, 10_000)
    # More than that no form may have at all (DATA_UPLOAD_MAX_NUMBER_FIELDS).
    assert browser.post(page, action | {"_selected_action": ids}).status_code == 400
    assert left() == 10_000
    with django_assert_max_num_queries(1_500):
        browser.post(page, action | {"_selected_action": ids[:100]})
    assert left() == 9_900
