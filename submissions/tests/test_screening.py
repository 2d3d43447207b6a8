"""The signals that flag: one that notices, and what each leaves alone."""

from datetime import date, timedelta

import pytest

from submissions.models import Submission
from submissions.proposal import Proposal
from submissions.screening import SIGNALS, flags
from submissions.tests.builders import NOW, make_calendar, make_submission

pytestmark = pytest.mark.django_db
SOURCE = "a" * 64
DAY = date(2026, 7, 13)
FIELDS = {
    "event_name": "Bal populaire",
    "date": "13 July 2026",
    "start_time": "21h",
    "location": "Place Gambetta, Paris",
    "host_email": "lou@example.test",
    "proof_link": "https://example.com/bal",
}


@pytest.fixture
def calendar():
    return make_calendar()


def screened(calendar, *, source: str = "b" * 64, **fields: str) -> list[dict]:
    return flags(calendar, Proposal(**{**FIELDS, **fields}), source_ip_hash=source, now=NOW)


def names(calendar, **fields: str) -> list[str]:
    return [flag["signal"] for flag in screened(calendar, **fields)]


def test_an_ordinary_proposal_has_no_flags(calendar):
    assert screened(calendar) == []


def test_a_flag_is_a_name_a_sentence_and_its_evidence(calendar):
    assert screened(calendar, date="13 July 2025") == [
        {"signal": "date_in_past", "sentence": "The event is over already.", "evidence": {"date": "2025-07-13"}}
    ]


def test_these_signals_are_declared():
    assert list(SIGNALS) == [
        "near_duplicate",
        "links_in_text",
        "shortened_link",
        "disposable_mail",
        "date_in_past",
        "mixed_scripts",
        "many_from_one_source",
    ]


def test_a_near_duplicate_names_what_it_resembles(calendar):
    make_submission(calendar, "Bal populaire", starts_on=None, payload={"date": "13 July 2026"})
    make_submission(calendar, "Le bal populaire", starts_on=DAY, payload={"location": "place Gambetta"})
    (flag,) = screened(calendar)
    assert flag["signal"] == "near_duplicate"
    assert flag["sentence"] == "Name, place and day agree with another submission."
    assert (flag["evidence"]["name"], flag["evidence"]["found"]) == ("Le bal populaire", 1)


@pytest.mark.parametrize(
    "notes",
    [
        "https://one.example/a https://two.example/b",
        "See https://example.com/other and www.example.net",
        '<a href="https://one.example">x</a>',
        "[url=https://one.example]x[/url]",
    ],
)
def test_several_or_hidden_links_in_the_notes(calendar, notes):
    assert names(calendar, notes=notes) == ["links_in_text"]


@pytest.mark.parametrize(
    "notes",
    [
        "Programme: https://example.com/programme",
        "Again https://example.com/bal and https://www.example.com/bal/, plan: https://example.com/plan",
        "https://www.instagram.com/bal https://www.eventbrite.fr/e/bal https://maps.app.goo.gl/x https://example.org/a",
        "Write to lou@example.test, or to bal@example.org",
    ],
)
def test_ones_own_page_tickets_and_maps_are_welcome(calendar, notes):
    assert names(calendar, notes=notes) == []


@pytest.mark.parametrize("field", ["event_name", "location", "genre", "price", "age", "start_time", "date"])
def test_a_link_anywhere_but_in_the_notes(calendar, field):
    (flag,) = screened(calendar, **{field: "www.one.example"})
    assert flag["signal"] == "links_in_text"
    assert len(flag["evidence"]["fields"]) == 1


@pytest.mark.parametrize("fields", [{"proof_link": "https://bit.ly/x"}, {"notes": "see tinyurl.com/x"}])
def test_a_shortened_link(calendar, fields):
    assert names(calendar, **fields) == ["shortened_link"]


def test_a_disposable_address_shows_its_domain_and_never_itself(calendar):
    (flag,) = screened(calendar, host_email="secret.person@mailinator.com")
    assert (flag["signal"], flag["evidence"]) == ("disposable_mail", {"domain": "mailinator.com"})
    assert "secret.person" not in str(flag)


@pytest.mark.parametrize("text", ["1 June 2026", "30 May - 1 June 2026", "31 May", "soon", "every Friday"])
def test_today_a_range_that_lasts_and_what_cannot_be_read_are_not_past(calendar, text):
    assert names(calendar, date=text) == []


def test_today_is_that_of_the_calendar():
    calendar = make_calendar(time_zone="Pacific/Kiritimati")
    # Noon in UTC is two in the night of the second there.
    assert names(calendar, date="1 June 2026") == ["date_in_past"]


@pytest.mark.parametrize("field", ["event_name", "location", "genre", "notes"])
def test_words_in_disguise(calendar, field):
    (flag,) = screened(calendar, **{field: "Big C\u0430sin\u043e"})
    assert (flag["signal"], flag["evidence"]) == ("mixed_scripts", {"words": ["C\u0430sin\u043e"]})


def test_more_than_one_address_may_propose_in_an_hour(calendar):
    for number in range(5):
        assert names(calendar, source=SOURCE) == []
        make_submission(calendar, f"Event {number}", email="lou@example.test")
    (flag,) = screened(calendar, source=SOURCE)
    assert flag["signal"] == "many_from_one_source"
    assert flag["evidence"] == {"submissions": 6, "e-mail addresses": 1}


def test_three_addresses_of_one_source_in_an_hour(calendar):
    make_submission(calendar, email="one@example.test")
    assert names(calendar, source=SOURCE) == []
    make_submission(calendar, email="two@example.test")
    (flag,) = screened(calendar, source=SOURCE)
    assert flag["evidence"] == {"submissions": 3, "e-mail addresses": 3}
    assert "example.test" not in str(flag)


def test_after_an_hour_from_elsewhere_or_at_another_calendar_they_do_not_count(calendar):
    for number in range(8):
        make_submission(calendar, email=f"h{number}@example.test", created_at=NOW - timedelta(hours=1))
    assert names(calendar, source=SOURCE) == []
    assert names(calendar, source="c" * 64) == []


def test_a_submission_does_not_count_against_its_own_edit(calendar):
    submissions = [make_submission(calendar, f"Event {number}", email="lou@example.test") for number in range(5)]
    found = flags(calendar, Proposal(**FIELDS), source_ip_hash=SOURCE, now=NOW, besides=submissions[0].pk)
    assert found == []


# The same evening in four scripts, for what is written to be judged and not the language it is written in.
WRITTEN = {
    "English": ("Night market on the square", "Thirty stalls, music from 9 pm, bring a friend."),
    "French": ("Marché nocturne sur la place", "Trente étals, musique dès 21 h, venez à deux."),
    "Arabic": ("سوق ليلي في الساحة", "ثلاثون كشكا، وموسيقى من التاسعة مساء، أحضر صديقا."),
    "emoji": ("🌙🛍️🎶", "🛍️✖️3️⃣0️⃣ 🎶🕘 👯"),
}
LINKS = "https://one.example/a {} https://two.example/b"


@pytest.mark.parametrize("language", WRITTEN)
def test_texts_of_every_script_are_judged_alike(calendar, language):
    name, notes = WRITTEN[language]
    assert names(calendar, event_name=name, notes=notes) == []
    assert names(calendar, event_name=name, notes=LINKS.format(notes)) == ["links_in_text"]
    assert names(calendar, event_name=f"{name} www.one.example", notes=notes) == ["links_in_text"]
    assert names(calendar, event_name=name, notes=f"{notes} https://bit.ly/x") == ["shortened_link"]
    assert names(calendar, event_name=name, notes=f"{notes} C\u0430sino") == ["mixed_scripts"]
    make_submission(calendar, name, starts_on=DAY, payload={"location": FIELDS["location"]})
    assert names(calendar, event_name=name.upper(), notes=notes) == ["near_duplicate"]


@pytest.mark.parametrize("text", ["\ud800", "\u202e", "a" * 3000, "[" * 3000, "\x7f", "٪" * 500])
def test_hostile_texts_are_screened_like_others(calendar, text):
    assert names(calendar, notes=text) == []


@pytest.mark.parametrize("count", [1, 3, 30])
def test_it_takes_three_queries_beside_any_number(calendar, count, django_assert_num_queries):
    for number in range(count):
        make_submission(calendar, f"Bal {number}", starts_on=DAY)
    with django_assert_num_queries(3):
        screened(calendar, source=SOURCE)


def test_ten_thousand_waiting_ones_are_not_all_read(calendar, django_assert_num_queries):
    first = make_submission(calendar, "Bal populaire", starts_on=DAY)
    fields = {field.attname: getattr(first, field.attname) for field in Submission._meta.fields if field.name != "id"}
    Submission.objects.bulk_create((Submission(**fields) for _ in range(10_000)), batch_size=2000)
    with django_assert_num_queries(3) as queries:
        screened(calendar)
    assert all(" LIMIT " in query["sql"] for query in queries)
