"""create_event, import_events and `show catalog` (running.md)."""

import io
import json
import re

import pytest
from django.core.management import CommandError, call_command

from accounts.removal import remove_website
from accounts.tests.builders import make_account, make_website
from submissions.models import Calendar, CatalogEvent
from submissions.tests.catalogue import NOW, make_calendar, make_event

pytestmark = pytest.mark.django_db


def ran(*arguments, **options):
    """The JSON object and the sentence of a command."""
    out, err = io.StringIO(), io.StringIO()
    call_command(*arguments, json=True, stdout=out, stderr=err, **options)
    return json.loads(out.getvalue()), err.getvalue().strip()


@pytest.fixture
def website():
    return make_website(make_account())


def create(website, **changes):
    given = {"name": "Jazz Night", "date": "2026-06-20", "time": "20:00", "location": "Le Sunset"} | changes
    return ran("create_event", website=str(website.public_id), **given)


def test_it_works(website):
    answer, sentence = create(website)
    event = CatalogEvent.objects.get()
    assert answer == {"eventKey": event.key}
    assert re.fullmatch(r"evt_[0-9a-f]{16}", event.key)
    assert sentence == f"Published Jazz Night on 2026-06-20 at 20:00 as {event.key}."
    assert (event.name, str(event.starts_on), str(event.starts_at), event.location, event.is_live) == (
        "Jazz Night",
        "2026-06-20",
        "20:00:00",
        "Le Sunset",
        True,
    )


def test_the_calendar_is_made_when_there_is_none_and_the_first_is_the_default_one(website):
    create(website)
    create(website, name="Another")
    assert Calendar.objects.get().is_default
    assert CatalogEvent.objects.count() == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"date": "20 June 2026"},
        {"date": "2026-02-30"},
        {"date": "20260620"},
        {"time": "8 pm"},
        {"time": "25:00"},
        {"name": ""},
        {"location": "x"},
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_and_nothing_is_made(website, wrong):
    with pytest.raises(CommandError, match=r"\.$"):
        create(website, **wrong)
    assert not CatalogEvent.objects.exists()
    assert not Calendar.objects.exists()


def test_an_unknown_or_deleted_website_is_refused(website):
    remove_website(website, by=None, now=NOW)
    with pytest.raises(CommandError):
        create(website)


# -- import_events ----------------------------------------------------------------------------------------------------


def load(tmp_path, website, text):
    file = tmp_path / "events.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return ran("import_events", str(file), website=str(website.public_id))


HEADER = "eventName,date,startTime,location,price,notes\r\n"


def test_a_file_of_events_is_published(tmp_path, website):
    text = HEADER + 'Jazz Night,2026-06-20,20:00,Le Sunset,15€,"one\ntwo"\r\nTechno,21 June 2026,23h,Rex Club,,\r\n'
    answer, sentence = load(tmp_path, website, text)
    assert answer == {"created": 2, "skipped": 0, "refused": 0, "refusals": [], "ignored": []}
    assert sentence == "Created 2 events, skipped 0 that were there already, refused 0 lines."
    assert list(CatalogEvent.objects.values_list("name", "price", "notes", "starts_on__day", "starts_at__hour")) == [
        ("Jazz Night", "15€", "one\ntwo", 20, 20),
        ("Techno", "", "", 21, 23),
    ]


def test_a_file_loaded_twice_makes_nothing_new(tmp_path, website):
    text = HEADER + "Jazz Night,2026-06-20,20:00,Le Sunset,,\n" * 2
    assert load(tmp_path, website, text)[0]["skipped"] == 1
    answer, _ = load(tmp_path, website, text)
    assert (answer["created"], answer["skipped"]) == (0, 2)
    assert CatalogEvent.objects.count() == 1


def test_a_refused_line_says_why_and_stops_nothing(tmp_path, website):
    lines = [
        b"Jazz Night,2026-06-20,20:00,Le Sunset,,",
        b",2026-06-20,20:00,Le Sunset,,",
        b"Name,2026-06-20,20:00,Le Sunset,,,,,",
        b"",
        b"Latin,2026-06-20,20:00,Caf\xe9,,",
        b'Open,2026-06-20,20:00,"never closed,,',
        b"Techno,2026-06-21,23:00,Rex Club,,",
        b'Notes,2026-06-21,23:00,Rex Club,,"one',
        b'two"',
        b"NUL\0,2026-06-21,23:00,Rex Club,,",
        b"Last,2026-06-22,23:00,Rex Club",
    ]
    answer, _ = load(tmp_path, website, HEADER.encode() + b"\n".join(lines))
    assert list(CatalogEvent.objects.order_by("id").values_list("name", flat=True)) == [
        "Jazz Night",
        "Techno",
        "Notes",
        "Last",
    ]
    assert (answer["created"], answer["skipped"], answer["refused"]) == (4, 0, 5)
    assert [(refusal["line"], refusal["reason"]) for refusal in answer["refusals"]] == [
        (3, "eventName is required."),
        (4, "The line has 9 cells, the first line 6."),
        (6, "location holds characters that cannot be shown."),
        (7, "The line is no CSV: ',' expected after '\"'."),
        (11, "eventName holds characters that cannot be shown."),
    ]


def test_columns_may_be_named_as_in_the_sheet_and_be_parted_otherwise(tmp_path, website):
    text = "\ufeffTitle;Date;Start Time;Location;Categories;Primary URL;Mood\n"
    text += "Jazz Night;2026-06-20;20:00;Le Sunset;Jazz;https://a.example/;fine\n"
    answer, sentence = load(tmp_path, website, text)
    assert (answer["created"], answer["ignored"]) == (1, ["Mood"])
    assert sentence.endswith("These columns mean nothing here: Mood.")
    event = CatalogEvent.objects.get()
    assert (event.name, event.genre, event.url) == ("Jazz Night", "Jazz", "https://a.example/")


def test_the_apostrophe_that_keeps_a_spreadsheet_from_running_a_cell_is_no_part_of_it(tmp_path, website):
    load(tmp_path, website, HEADER + "'=cmd()|calc,2026-06-20,20:00,'s-Hertogenbosch,,\n")
    event = CatalogEvent.objects.get()
    assert (event.name, event.location) == ("=cmd()|calc", "'s-Hertogenbosch")


@pytest.mark.parametrize(
    "text",
    ["", "eventName,date\nx,y\n", "eventName,title,date,startTime,location\n", b"\x89PNG\r\n\x1a\n\0", "x" * 200_000],
)
def test_a_file_that_is_none_is_refused_as_a_whole(tmp_path, website, text):
    with pytest.raises(CommandError, match=r"\.$"):
        load(tmp_path, website, text)


def test_a_file_that_is_not_there_is_refused(website):
    with pytest.raises(CommandError, match="Cannot read /nowhere"):
        ran("import_events", "/nowhere", website=str(website.public_id))


# -- show catalog -----------------------------------------------------------------------------------------------------


def test_show_catalog_gives_the_newest_events_of_a_website():
    acme, globex = make_calendar(), make_calendar("globex.example")
    first, second = make_event(acme), make_event(acme, "Techno")
    make_event(globex)
    answer, _ = ran("show", "catalog", website=str(acme.website.public_id))
    assert answer == {
        "rows": [
            {"eventKey": second.key, "name": "Techno", "date": "2026-06-20"},
            {"eventKey": first.key, "name": "Jazz Night", "date": "2026-06-20"},
        ]
    }
    assert len(ran("show", "catalog", limit=2)[0]["rows"]) == 2
