"""What is published and how it changes (contracts 4.7 and 4.8)."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time

import pytest
from django.db import connections, transaction

from accounts.removal import remove_website
from submissions import calendars, catalog
from submissions.catalog import Unpublishable
from submissions.models import Calendar, CatalogEvent, RetiredKey
from submissions.tests.catalogue import NOW, make_calendar, make_event, make_submission

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme():
    return make_calendar()


@pytest.fixture
def changes():
    """The keys that `changed` was sent with."""
    keys = []

    def receiver(sender, key, **_):
        keys.append(key)

    catalog.changed.connect(receiver)
    yield keys
    catalog.changed.disconnect(receiver)


def version(calendar):
    return Calendar.objects.get(pk=calendar.pk).version


def test_it_works(acme):
    event = catalog.publish(make_submission(acme), now=NOW)
    event.refresh_from_db()
    assert re.fullmatch(r"evt_[0-9a-f]{16}", event.key)
    assert event.slug == "jazz-night-at-le-sunset"
    assert {field: getattr(event, field) for field in catalog.LENGTHS} == {
        "name": "Jazz Night at Le Sunset",
        "date": "2026-06-15",
        "start_time": "20:00",
        "end_time": "23:30",
        "location": "Le Sunset, 60 Rue des Lombards, 75001 Paris",
        "arrondissement": "1st",
        "genre": "Jazz",
        "price": "15€",
        "age": "18+",
        "setting": "indoor",
        "notes": "Featuring local and international artists",
        "url": "https://www.lesunset.example/events/jazz-night",
    }
    day = date(2026, 6, 15)
    assert (event.starts_on, event.ends_on, event.starts_at, event.ends_at) == (day, day, time(20), time(23, 30))
    assert (event.is_live, event.is_featured) == (True, False)


def test_nothing_of_the_host_is_published(acme):
    event = catalog.publish(make_submission(acme), now=NOW)
    assert "contact@" not in " ".join(str(value) for value in vars(event).values())


def test_what_was_left_out_is_empty(acme):
    submission = make_submission(acme)
    for name in ("endTime", "genre", "price", "age", "indoorOutdoor", "notes", "arrondissement"):
        del submission.payload[name]
    event = catalog.publish(submission, now=NOW)
    assert (event.end_time, event.ends_at, event.genre, event.notes) == ("", None, "", "")


def test_a_range_of_days_is_read(acme):
    event = make_event(acme, date="20-22 June 2026")
    assert (event.starts_on, event.ends_on) == (date(2026, 6, 20), date(2026, 6, 22))


def test_a_day_that_nobody_can_read_is_published_as_written(acme):
    event = make_event(acme, date="soon", start_time="late")
    assert (event.date, event.starts_on, event.ends_on, event.starts_at) == ("soon", None, None, None)


def test_a_date_without_a_year_is_read_from_the_day_it_was_written(acme):
    submission = make_submission(acme, date="3 June")
    event = catalog.publish(submission, now=datetime(2027, 3, 1, tzinfo=UTC))
    assert event.starts_on == date(2026, 6, 3)


def test_the_search_text_is_folded_and_holds_what_is_shown(acme):
    event = make_event(acme, "Fête Électro", genre="Techno", arrondissement="11e", notes="Chez  Zoé")
    assert event.search_text == "fete electro 2026-06-20 le sunset, paris 11e techno chez zoe"


# -- keys -------------------------------------------------------------------------------------------------------------


def test_two_events_that_are_alike_have_two_keys(acme):
    assert make_event(acme).key != make_event(acme).key


def test_keys_are_unique_over_all_calendars(acme):
    assert make_event(acme).key != make_event(make_calendar("globex.example")).key


def test_a_key_is_made_of_the_content_alone(acme):
    key = make_event(acme).key
    CatalogEvent.objects.all().delete()
    assert make_event(make_calendar("globex.example")).key == key


def test_no_edit_changes_the_key(acme):
    event = make_event(acme)
    edited = catalog.edit(event, name="Another Night", date="2026-07-01", location="Elsewhere", now=NOW)
    assert (edited.key, edited.slug) == (event.key, "another-night")


def test_the_key_of_an_event_that_was_taken_off_is_nobody_elses(acme):
    event = make_event(acme)
    catalog.unpublish(event, now=NOW)
    assert make_event(acme).key != event.key
    assert not CatalogEvent.objects.filter(key=event.key).exists()


def test_a_submission_published_once_more_has_its_old_key(acme):
    submission = make_submission(acme)
    event = catalog.publish(submission, now=NOW)
    submission.accepted_event, submission.accepted_event_key = event, event.key
    submission.save()
    catalog.unpublish(event, now=NOW)
    submission.refresh_from_db()
    assert submission.accepted_event is None
    again = catalog.publish(submission, now=NOW)
    assert again.key == event.key
    assert not RetiredKey.objects.exists()


def test_it_has_it_also_when_the_submission_has_forgotten_it_and_changed(acme):
    submission = make_submission(acme)
    event = catalog.publish(submission, now=NOW)
    submission.accepted_event, submission.accepted_event_key = event, event.key
    submission.save()
    catalog.unpublish(event, now=NOW)
    submission.accepted_event_key = ""
    submission.payload["eventName"] = "Another name"
    assert catalog.publish(submission, now=NOW).key == event.key


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_get_twenty_keys():
    calendar = make_calendar()

    def made(_):
        try:
            return make_event(calendar).key
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        keys = set(threads.map(made, range(20)))
    assert len(keys) == 20
    assert version(calendar) == 21


# -- changes ----------------------------------------------------------------------------------------------------------


def test_every_change_raises_the_version_and_is_told_after_the_commit(
    acme, changes, django_capture_on_commit_callbacks
):
    before = version(acme)
    with django_capture_on_commit_callbacks(execute=True):
        event = make_event(acme)
        catalog.edit(event, price="Free", now=NOW)
        catalog.cancel(event, now=NOW)
        catalog.restore(event, now=NOW)
        catalog.feature(event, True, now=NOW)
        catalog.unpublish(event, now=NOW)
        assert changes == []
    assert version(acme) == before + 6
    assert changes == [event.key] * 6


def test_what_changes_nothing_raises_nothing(acme):
    event = catalog.cancel(make_event(acme), now=NOW)
    before = version(acme)
    catalog.cancel(event, now=NOW)
    catalog.feature(event, False, now=NOW)
    catalog.restore(make_event(acme), now=NOW)
    assert version(acme) == before + 1  # of the event made here


def test_a_change_that_is_rolled_back_leaves_nothing(acme, changes):
    before = version(acme)

    def fail():
        make_event(acme)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        transaction.atomic(fail)()
    assert (version(acme), CatalogEvent.objects.count(), changes) == (before, 0, [])


def test_a_cancelled_event_is_live_no_more_until_it_is_restored(acme):
    event = make_event(acme)
    assert catalog.cancel(event, now=NOW).cancelled_at == NOW
    assert not CatalogEvent.objects.live().exists()
    catalog.restore(event, now=NOW)
    assert CatalogEvent.objects.live().get() == event


def test_an_edit_reads_the_time_anew_only_when_it_says_another(acme):
    event = make_event(acme, date="20 June")
    later = datetime(2027, 3, 1, tzinfo=UTC)
    assert catalog.edit(event, price="5", now=later).starts_on == date(2026, 6, 20)
    edited = catalog.edit(event, date="21 June", end_time="23:00", now=later)
    assert (edited.starts_on, edited.ends_at) == (date(2027, 6, 21), time(23))


def test_an_edit_takes_nothing_back_that_somebody_else_has_changed(acme):
    event = make_event(acme)
    catalog.cancel(event, now=NOW)
    edited = catalog.edit(event, price="5", now=NOW)
    assert edited.cancelled_at == NOW


def test_the_day_ends_at_five_in_the_morning_there(acme):
    paris = calendars.change(acme, time_zone="Europe/Paris")
    assert catalog.today_of(paris, datetime(2026, 6, 21, 2, 59, tzinfo=UTC)) == date(2026, 6, 20)
    assert catalog.today_of(paris, datetime(2026, 6, 21, 3, 0, tzinfo=UTC)) == date(2026, 6, 21)


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name", ""),
        ("name", "x"),
        ("name", "x" * 181),
        ("name", "Jazz\0Night"),
        ("name", "Jazz\ud800"),
        ("date", " "),
        ("date", "x" * 41),
        ("start_time", ""),
        ("location", "x"),
        ("notes", "x" * 3001),
        ("url", "javascript:alert(1)"),
        ("url", "data:text/html,x"),
        ("url", "ftp://example.com/"),
        ("url", "https://user:pw@example.com/"),
        ("url", "https://"),
        ("url", "https://exa mple.com/"),
        ("url", "https://example.com\\@evil.test"),
        ("url", "http://[::1"),
        ("url", "https://example.com:port/"),
    ],
)
def test_what_cannot_be_shown_is_refused_and_names_its_field(acme, field, text):
    with pytest.raises(Unpublishable, match=r"\.$") as refusal:
        make_event(acme, **{field: text})
    assert refusal.value.field == field
    assert not CatalogEvent.objects.exists()


def test_a_submission_that_cannot_be_published_changes_nothing(acme):
    before = version(acme)
    with pytest.raises(Unpublishable):
        catalog.publish(make_submission(acme, proofLink="javascript:alert(1)"), now=NOW)
    assert version(acme) == before


def test_nothing_is_published_for_a_deleted_website(acme):
    submission = make_submission(acme)
    remove_website(acme.website, by=None, now=NOW)
    with pytest.raises(Unpublishable):
        catalog.publish(submission, now=NOW)


@pytest.mark.parametrize(
    "name", ["ليلة الجاز", "🎷 Jazz 👩‍👩‍👧", "می‌خواهم", "<script>alert(1)</script>", "''; DROP TABLE x"]
)
def test_any_text_that_people_write_is_published_as_it_is(acme, name):
    assert CatalogEvent.objects.get(pk=make_event(acme, name).pk).name == name


def test_space_is_collapsed_and_marks_that_turn_a_page_around_are_dropped(acme):
    event = make_event(acme, "  Jazz \u202e Night ", notes=" one\r\n  two  three \n\n four ")
    assert (event.name, event.notes) == ("Jazz Night", "one\ntwo three\n\nfour")


def test_a_link_has_one_spelling(acme):
    assert make_event(acme, url="Exämple.com").url == "https://xn--exmple-cua.com/"
