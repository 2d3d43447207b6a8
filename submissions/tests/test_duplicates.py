"""Near duplicates: name, place and day of what is published and of what was lately proposed."""

from datetime import date, timedelta

import pytest

from accounts.tests.builders import make_account, make_website
from submissions import catalog
from submissions.duplicates import MOST_SHOWN, duplicates_of, same_as
from submissions.models import Submission
from submissions.proposal import Proposal
from submissions.tests.builders import NOW, make_calendar, make_submission

pytestmark = pytest.mark.django_db
FIELDS = {
    "event_name": "Fête de la Musique",
    "date": "21 June 2026",
    "start_time": "20:00",
    "location": "12 rue Oberkampf, Paris",
    "host_email": "another@example.test",
    "proof_link": "https://example.com/event",
}


@pytest.fixture
def calendar():
    return make_calendar()


def proposal(**fields: str) -> Proposal:
    return Proposal(**{**FIELDS, **fields})


def is_known(calendar, **fields: str) -> bool:
    return bool(same_as(calendar, proposal(**fields), now=NOW))


def test_it_works(calendar):
    known = make_submission(calendar)
    (match,) = same_as(calendar, proposal(event_name="fete de la musique !"), now=NOW)
    assert (match.submission_id, match.event_id) == (known.pk, None)
    assert (match.score, match.agrees) == (100, ("name", "location", "date"))


@pytest.mark.parametrize(
    "fields",
    [
        {"event_name": "FÊTE DE LA MUSIQUE 2026"},
        {"event_name": "★ La fête de la musique ★"},
        {"location": "Bar Chez Lou - 12, rue Oberkampf, 75011 Paris"},
        {"date": "Dim 21 juin"},
        {"date": "٢١ يونيو ٢٠٢٦"},
        {"date": "20-21 June 2026"},
        {"start_time": "18:00"},
    ],
)
def test_the_same_event_in_other_words(calendar, fields):
    make_submission(calendar)
    assert is_known(calendar, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"event_name": "Dictée géante"},
        {"location": "Place Flora Tristan, Paris"},
        {"location": "Paris"},
        {"date": "22 June 2026"},
        {"date": "21 June 2027"},
        {"date": "soon"},
    ],
)
def test_another_name_place_or_day_is_another_event(calendar, fields):
    make_submission(calendar)
    assert not is_known(calendar, **fields)


@pytest.mark.parametrize("name", ["سوق رمضاني للمأكولات", "🔥🔥🔥", "太極拳免費體驗課", "Вечер поэзии"])
def test_names_of_any_script_are_compared(calendar, name):
    make_submission(calendar, name)
    assert is_known(calendar, event_name=name)
    assert not is_known(calendar, event_name="عرض فيلم")


def test_a_second_show_of_the_same_host_is_another_event(calendar):
    make_submission(calendar, email="Host@example.test")
    assert is_known(calendar, host_email="host@example.test")
    assert not is_known(calendar, host_email="host@example.test", start_time="22:00")


def test_without_a_day_the_words_for_it_must_be_the_same(calendar):
    make_submission(calendar, starts_on=None, payload={"date": "Every Friday"})
    assert is_known(calendar, date="every friday")
    assert not is_known(calendar, date="every saturday")


def test_what_is_on_the_calendar_counts_for_as_long_as_it_lasts(calendar):
    event = catalog.create(
        calendar, name="Salon du livre", date="20-22 June 2026", start_time="10h", location="Halle Pajol", now=NOW
    )
    fields = {"event_name": "Le salon du livre", "location": "Halle Pajol", "date": "21 June 2026"}
    (match,) = same_as(calendar, proposal(**fields), now=NOW)
    assert (match.event_id, match.submission_id) == (event.pk, None)
    catalog.cancel(event, now=NOW)
    assert not is_known(calendar, **fields)


def test_an_accepted_submission_counts_once_as_its_event(calendar):
    accepted = make_submission(calendar, status=Submission.Status.ACCEPTED)
    accepted.accepted_event = catalog.publish(accepted, now=NOW)
    accepted.save()
    (match,) = same_as(calendar, proposal(), now=NOW)
    assert (match.event_id, match.submission_id) == (accepted.accepted_event.pk, None)


@pytest.mark.parametrize("reason", [Submission.SPAM_SIGNAL, Submission.WITHDRAWN])
def test_spam_and_what_was_taken_back_do_not_speak_against_a_host(calendar, reason):
    make_submission(calendar, status=Submission.Status.DECLINED, review_reason=reason)
    assert not is_known(calendar)


def test_what_a_moderator_declined_is_remembered(calendar):
    make_submission(calendar, status=Submission.Status.DECLINED, review_reason="event_not_relevant")
    assert is_known(calendar)


def test_after_ninety_days_it_is_forgotten(calendar):
    make_submission(calendar, created_at=NOW - timedelta(days=91))
    assert not is_known(calendar)


def test_another_calendar_and_the_submission_itself_do_not_count(calendar):
    other = make_calendar(make_website(make_account("Globex"), "globex.example"))
    own = make_submission(calendar)
    make_submission(other)
    assert same_as(calendar, proposal(), now=NOW, besides=own.pk) == []


def test_beside_a_submission_stand_the_likeliest_first_and_what_agrees(calendar):
    submission = make_submission(calendar, email="another@example.test")
    next_day = make_submission(calendar, "Fête de la Musique", starts_on=date(2026, 6, 22))
    elsewhere = make_submission(calendar, payload={"location": "Place Flora Tristan"})
    make_submission(calendar, "Dictée géante")
    event = catalog.create(
        calendar, name="Fete de la musique", date="21/06/2026", start_time="20h", location="12 rue Oberkampf", now=NOW
    )
    found = duplicates_of(submission, now=NOW)
    assert [(one.event, one.submission, one.agrees) for one in found] == [
        (event, None, ("name", "location", "date")),
        (None, next_day, ("name", "location")),
        (None, elsewhere, ("name", "date")),
    ]
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert all(0 <= one.score <= 100 for one in found)


def test_an_accepted_submission_is_no_duplicate_of_its_own_event(calendar):
    submission = make_submission(calendar, status=Submission.Status.ACCEPTED)
    submission.accepted_event = catalog.publish(submission, now=NOW)
    submission.save()
    assert duplicates_of(submission, now=NOW) == []


@pytest.mark.parametrize("count", [1, 3, 40])
def test_it_takes_the_same_few_queries_beside_any_number(calendar, count, django_assert_num_queries):
    submission = make_submission(calendar)
    for _ in range(count):
        make_submission(calendar)
    submission = Submission.objects.select_related("calendar", "host").get(pk=submission.pk)
    with django_assert_num_queries(3):
        found = duplicates_of(submission, now=NOW)
    assert len(found) == min(count, MOST_SHOWN)
