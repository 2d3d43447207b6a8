"""The back office of the catalogue and the calendars: who sees what, and what a click does."""

import html
import re

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.tests.builders import make_account, make_root, make_user, make_website
from submissions import catalog
from submissions.models import Calendar, CatalogEvent, RetiredKey
from submissions.tests.catalogue import NOW, make_calendar, make_event

pytestmark = pytest.mark.django_db

EVENTS, CALENDARS = "/admin/submissions/catalogevent/", "/admin/submissions/calendar/"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
RIGHTS = ("view", "add", "change", "delete")


@pytest.fixture(autouse=True)
def june(monkeypatch):
    """The views' clock."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def root():
    return make_root(login="root")


@pytest.fixture
def editors():
    """A group with every right over the catalogue."""
    group = Group.objects.create(name="Editors")
    names = [f"{right}_{model}" for right in RIGHTS for model in ("catalogevent", "calendar")]
    group.permissions.set(Permission.objects.filter(codename__in=names))
    return group


@pytest.fixture
def acme(editors):
    """Acme's editor."""
    user = make_user(make_account("Acme"), login="acme@example.test")
    user.groups.add(editors)
    return user


@pytest.fixture
def ours(acme):
    return make_calendar(account=acme.account)


@pytest.fixture
def theirs(ours):
    return make_calendar("globex.example")


def office(user):
    """A browser in which the user is signed in."""
    client = Client()
    client.force_login(user)
    return client


def text(response):
    return html.unescape(response.content.decode())


def listed(response):
    return list(response.context["cl"].result_list)


def event_form(calendar=None, **changes):
    given = dict.fromkeys(catalog.LENGTHS, "")
    given |= {"name": "Jazz Night", "date": "2026-06-20", "start_time": "20:00", "location": "Le Sunset"}
    return given | ({"calendar": calendar.pk} if calendar else {}) | changes


def errors(response):
    return {name: list(found) for name, found in response.context["adminform"].form.errors.items()}


def act(browser, action, *events):
    form = {"action": action, "_selected_action": [event.pk for event in events]}
    return browser.post(EVENTS, form, follow=True)


def test_it_works(acme, ours):
    browser = office(acme)
    page = browser.post(f"{EVENTS}add/", event_form(ours, genre="Jazz", is_featured="on"), follow=True)
    event = CatalogEvent.objects.get()
    assert page.redirect_chain == [(EVENTS, 302)]
    assert (event.name, event.genre, event.is_featured, str(event.starts_on)) == (
        "Jazz Night",
        "Jazz",
        True,
        "2026-06-20",
    )
    assert re.fullmatch(r"evt_[0-9a-f]{16}", event.key)
    assert listed(browser.get(EVENTS)) == [event]
    assert event.name in text(browser.get("/calendar"))


# -- who sees what ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [EVENTS, CALENDARS, f"{EVENTS}add/", f"{EVENTS}import/"])
def test_without_a_group_or_a_login_there_is_nothing(client, page):
    assert client.get(page).status_code == 302
    plain = make_user(make_account("Acme"), login="plain")
    assert office(plain).get(page).status_code == 403
    assert "Published events" not in text(office(plain).get("/admin/"))


@pytest.mark.parametrize("page", [EVENTS, CALENDARS, f"{EVENTS}add/", f"{CALENDARS}add/", f"{EVENTS}import/"])
def test_editors_and_admins_may_open_every_page(acme, ours, root, page):
    make_event(ours)
    assert office(acme).get(page).status_code == 200
    assert office(root).get(page).status_code == 200


def test_the_sidebar_leads_there(acme, ours):
    page = text(office(acme).get("/admin/"))
    assert EVENTS in page
    assert CALENDARS in page


def test_lists_hold_the_own_account_only_and_everything_for_an_admin(acme, ours, theirs, root):
    mine, other = make_event(ours), make_event(theirs, "Theirs")
    assert listed(office(acme).get(EVENTS)) == [mine]
    assert listed(office(acme).get(CALENDARS)) == [ours]
    assert set(listed(office(root).get(EVENTS))) == {mine, other}
    assert listed(office(acme).get(EVENTS, {"q": "theirs"})) == []
    assert "globex.example" not in text(office(acme).get(EVENTS))
    assert listed(office(acme).get(EVENTS, {"calendar": theirs.pk})) == []


def test_pages_of_another_account_are_not_found(acme, ours, theirs):
    event = make_event(theirs)
    browser = office(acme)
    for page in ("change", "delete", "history"):
        assert browser.get(f"{EVENTS}{event.pk}/{page}/").status_code == 404
    assert browser.get(f"{CALENDARS}{theirs.pk}/change/").status_code == 404
    assert browser.post(f"{EVENTS}{event.pk}/change/", event_form(name="Taken")).status_code == 404
    act(browser, "cancel", event)
    event.refresh_from_db()
    assert (event.name, event.cancelled_at) == ("Jazz Night", None)


def test_nobody_publishes_on_the_calendar_of_another_account(acme, ours, theirs):
    answer = office(acme).post(f"{EVENTS}add/", event_form(theirs))
    assert list(errors(answer)) == ["calendar"]
    file = SimpleUploadedFile("a.csv", b"eventName,date,startTime,location\nJazz,2026-06-20,20:00,Sunset\n")
    office(acme).post(f"{EVENTS}import/", {"calendar": theirs.pk, "file": file})
    assert not CatalogEvent.objects.exists()


# -- events -----------------------------------------------------------------------------------------------------------


def test_an_edit_keeps_the_key_and_what_it_does_not_name(acme, ours):
    event = make_event(ours, price="5")
    browser = office(acme)
    browser.post(f"{EVENTS}{event.pk}/change/", event_form(name="Another", price="5", location="Le Sunset, Paris"))
    edited = CatalogEvent.objects.get()
    assert (edited.key, edited.name, edited.slug, edited.price) == (event.key, "Another", "another", "5")


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "x"), ("date", ""), ("url", "javascript:alert(1)"), ("url", "https://u:p@a.example/"), ("location", "")],
)
def test_what_cannot_be_published_is_said_beside_its_field(acme, ours, field, value):
    answer = office(acme).post(f"{EVENTS}add/", event_form(ours, **{field: value}))
    assert list(errors(answer)) == [field]
    assert not CatalogEvent.objects.exists()


def test_the_page_says_what_was_understood_of_the_date(acme, ours):
    event, unread = make_event(ours, end_time="23:00"), make_event(ours, date="some day")
    assert "Saturday 20 June 2026, 20:00 to Saturday 20 June 2026, 23:00" in text(
        office(acme).get(f"{EVENTS}{event.pk}/change/")
    )
    assert "No day was understood" in text(office(acme).get(f"{EVENTS}{unread.pk}/change/"))


def test_actions_call_the_verbs_and_say_what_was_done(acme, ours):
    event, other = make_event(ours), make_event(ours)
    browser = office(acme)
    assert "2 events are cancelled." in text(act(browser, "cancel", event, other))
    event.refresh_from_db()
    assert event.cancelled_at == NOW
    assert "1 event is on again." in text(act(browser, "restore", event))
    act(browser, "feature", event)
    event.refresh_from_db()
    assert (event.cancelled_at, event.is_featured) == (None, True)
    act(browser, "unfeature", event)
    event.refresh_from_db()
    assert not event.is_featured


def test_who_may_only_look_changes_nothing(ours, acme):
    acme.groups.clear()
    acme.user_permissions.set(Permission.objects.filter(codename="view_catalogevent"))
    event = make_event(ours)
    browser = office(acme)
    assert browser.get(EVENTS).status_code == 200
    act(browser, "cancel", event)
    assert browser.post(f"{EVENTS}{event.pk}/change/", event_form(name="Taken")).status_code == 403
    assert browser.get(f"{EVENTS}import/").status_code == 403
    event.refresh_from_db()
    assert (event.name, event.cancelled_at) == ("Jazz Night", None)


def test_deleting_takes_it_off_and_keeps_its_key_from_others(acme, ours):
    event = make_event(ours)
    page = office(acme).get(f"{EVENTS}{event.pk}/delete/")
    assert "cancel it instead" in text(page)
    office(acme).post(f"{EVENTS}{event.pk}/delete/", {"post": "yes"})
    assert not CatalogEvent.objects.exists()
    assert RetiredKey.objects.get().key == event.key


def test_filters_tell_upcoming_past_cancelled_and_featured_apart(acme, ours):
    upcoming = make_event(ours, is_featured=True)
    past = make_event(ours, date="2026-05-01")
    cancelled = catalog.cancel(make_event(ours), now=NOW)
    browser = office(acme)
    for chosen, found in (("upcoming", upcoming), ("past", past), ("cancelled", cancelled)):
        assert listed(browser.get(EVENTS, {"when": chosen})) == [found]
    assert listed(browser.get(EVENTS, {"is_featured__exact": "1"})) == [upcoming]


def test_a_list_takes_as_many_queries_for_one_event_as_for_ten(acme, ours, django_assert_max_num_queries):
    make_event(ours)
    browser = office(acme)
    browser.get(EVENTS)
    with django_assert_max_num_queries(50) as one:
        browser.get(EVENTS)
    for number in range(9):
        make_event(ours, f"Night {number}")
    with django_assert_max_num_queries(50) as ten:
        browser.get(EVENTS)
    assert len(ten) == len(one)


def test_hostile_texts_are_shown_as_texts(acme, ours):
    texts = dict.fromkeys(("name", "location", "genre", "notes"), HOSTILE)
    event = make_event(ours, **texts)
    browser = office(acme)
    for page in (
        EVENTS,
        f"{EVENTS}?q=script",
        *(f"{EVENTS}{event.pk}/{name}/" for name in ("change", "delete", "history")),
    ):
        answer = browser.get(page).content.decode()
        assert "<img src=x" not in answer
        assert "<script>alert" not in answer


# -- the file of events -----------------------------------------------------------------------------------------------


def upload(browser, calendar, data):
    return browser.post(f"{EVENTS}import/", {"calendar": calendar.pk, "file": SimpleUploadedFile("events.csv", data)})


def test_a_file_is_imported_and_the_page_says_what_came_of_it(acme, ours):
    line = b"Jazz,2026-06-20,20:00,Sunset\n"
    data = b"eventName,date,startTime,location\n" + line + b"<b>x,,20:00,Sunset\n" + line
    page = upload(office(acme), ours, data)
    assert "Created 1 event, skipped 1 that was there already, refused 1 line." in text(page)
    assert "Line 3: date is required." in text(page)
    assert CatalogEvent.objects.get().calendar == ours


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", b"\x00\xff", b"x" * 500_001])
def test_a_file_that_is_none_is_refused_with_a_sentence(acme, ours, data):
    page = upload(office(acme), ours, data)
    assert page.status_code == 200
    assert page.context["form"].errors["file"]
    assert not CatalogEvent.objects.exists()


# -- calendars --------------------------------------------------------------------------------------------------------


def test_a_calendar_is_made_for_a_website_that_has_none(acme, ours):
    website = make_website(acme.account, "second.example")
    form = {"website": website.pk, "name": "Second", "time_zone": "Europe/Paris", "is_open": "on"}
    office(acme).post(f"{CALENDARS}add/", form)
    made = Calendar.objects.get(website=website)
    assert (made.name, made.time_zone, made.is_open, made.is_default) == ("Second", "Europe/Paris", True, False)


def test_a_calendar_is_not_made_for_the_website_of_another_account(acme, ours):
    website = make_website(make_account("Globex"), "globex.example")
    answer = office(acme).post(f"{CALENDARS}add/", {"website": website.pk, "name": "Taken", "time_zone": "UTC"})
    assert list(errors(answer)) == ["website"]


def test_the_switch_closes_and_opens_and_remembers_who(acme, ours):
    browser = office(acme)
    form = {"name": "acme.example", "time_zone": "UTC"}
    browser.post(f"{CALENDARS}{ours.pk}/change/", form)
    ours.refresh_from_db()
    assert (ours.is_open, ours.toggled_at, ours.toggled_by) == (False, NOW, "acme@example.test")
    browser.post(f"{CALENDARS}{ours.pk}/change/", form | {"is_open": "on"})
    ours.refresh_from_db()
    assert ours.is_open


def test_another_name_alone_toggles_nothing(acme, ours):
    office(acme).post(f"{CALENDARS}{ours.pk}/change/", {"name": "Other", "time_zone": "UTC", "is_open": "on"})
    ours.refresh_from_db()
    assert (ours.name, ours.is_open, ours.toggled_at) == ("Other", True, None)


def test_a_calendar_is_not_deleted_by_itself(acme, ours):
    assert office(acme).post(f"{CALENDARS}{ours.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Calendar.objects.exists()
