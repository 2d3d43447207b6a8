"""What a proposal is read from: each field with its bounds (contract 4.1), and how it is stored (4.6)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from submissions.proposal import FIELDS, Invalid, Proposal
from submissions.tests.proposing import EXAMPLE


def read(**changes: Any) -> Proposal:
    return Proposal.read(EXAMPLE | changes)


def issue(**changes: Any) -> dict[str, str]:
    """The issues of the example with these fields in place of its own."""
    try:
        read(**changes)
    except Invalid as error:
        return dict(error.issues)
    return {}


def test_it_works() -> None:
    proposal = read()
    assert (proposal.event_name, proposal.start_time, proposal.indoor_outdoor) == (
        "Jazz Night at Le Sunset",
        "20:00",
        "indoor",
    )
    assert proposal.proof_link == EXAMPLE["proofLink"]


BOUNDS = [
    (field.name, field.least, field.most) for field in FIELDS.values() if field.name not in ("hostEmail", "proofLink")
]


@pytest.mark.parametrize(("name", "least", "most"), BOUNDS)
def test_each_text_is_as_long_as_the_contract_allows_after_trimming(name: str, least: int, most: int) -> None:
    for length in {least or 1, most}:
        assert issue(**{name: f"  {'é' * length}\t\n"}) == {}
    assert issue(**{name: "é" * (most + 1)}) == {name: f"Must have at most {most} characters."}
    if least > 1:
        assert issue(**{name: "é" * (least - 1)}) == {name: f"Must have at least {least} characters."}


def test_an_emoji_is_one_character() -> None:
    assert issue(arrondissement="🎷" * 32) == {}
    assert issue(arrondissement="🎷" * 33) != {}


@pytest.mark.parametrize("name", [field.name for field in FIELDS.values() if not field.least])
@pytest.mark.parametrize("value", [None, "", "   "], ids=["null", "empty", "blank"])
def test_an_optional_text_may_be_missing_and_is_then_not_stored(name: str, value: str | None) -> None:
    assert name not in read(**{name: value}).payload(datetime.now(UTC))


@pytest.mark.parametrize("name", [field.name for field in FIELDS.values()])
@pytest.mark.parametrize("value", [1, True, 1.5, [], {}, ["x"]], ids=str)
def test_what_is_no_text_is_an_issue(name: str, value: object) -> None:
    assert issue(**{name: value}) == {name: "Must be a string."}


def test_white_space_collapses_and_line_breaks_stay_in_the_notes_alone() -> None:
    proposal = read(eventName=" Jazz\r\n \t Night ", notes=" One \r\n\r\n  two   three \u2003four ")
    assert proposal.event_name == "Jazz Night"
    assert proposal.notes == "One\n\ntwo three four"


def test_control_characters_and_marks_that_turn_text_around_are_left_out() -> None:
    assert read(eventName="\ufeffJa\x07zz\x1b \u202eNight\x9f").event_name == "Jazz Night"
    # Those that join letters are part of the text.
    assert read(eventName="می\u200cخواهم 👩\u200d🎤").event_name == "می\u200cخواهم 👩\u200d🎤"


def test_of_a_text_that_cannot_be_seen_nothing_is_left() -> None:
    assert issue(eventName="\x07\x08\u202e") == {"eventName": "This field is required."}


# -- the address ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "address"),
    [
        (" Contact@LeSunset.COM ", "contact@lesunset.com"),
        ("jean+jazz@example.co.uk", "jean+jazz@example.co.uk"),
        ("o'neill@example.com", "o'neill@example.com"),
        ("_x-y.z@sub.example-1.org", "_x-y.z@sub.example-1.org"),
        ("x@example.xn--p1ai", "x@example.xn--p1ai"),
        ("x" * 242 + "@example.com", "x" * 242 + "@example.com"),
    ],
)
def test_an_address_is_kept_in_lower_case(given: str, address: str) -> None:
    assert read(hostEmail=given).host_email == address


@pytest.mark.parametrize(
    "given",
    [
        "nobody",
        "@example.com",
        "x@",
        "x@localhost",
        "x@192.0.2.1",
        "x@[192.0.2.1]",
        '"x y"@example.com',
        ".x@example.com",
        "x.@example.com",
        "x..y@example.com",
        "é@example.com",
        "x@fête.example",
        "x@-example.com",
        "x@example.com.",
        "x@example..com",
        "x y@example.com",
        "x@example.com, y@example.com",
        "X <x@example.com>",
        "x@example.com\nBcc: y@example.com",
        "x@example.com\r\nBcc: y@example.com",
        "x\u2028@example.com",
    ],
)
def test_what_is_no_address_is_an_issue(given: str) -> None:
    assert issue(hostEmail=given) == {"hostEmail": "Must be an e-mail address, for example host@example.com."}


def test_an_address_has_at_most_254_characters() -> None:
    assert issue(hostEmail="x" * 243 + "@example.com") == {"hostEmail": "Must have at most 254 characters."}


# -- the link ---------------------------------------------------------------------------------------------------------


def test_a_link_is_stored_in_one_spelling_and_needs_no_scheme() -> None:
    assert read(proofLink=" Instagram.com/Jazz ").proof_link == "https://instagram.com/Jazz"
    assert issue(proofLink="javascript:alert(1)") == {
        "proofLink": "Must be an HTTP(S) URL, for example https://example.com/event."
    }


def test_a_link_has_at_most_2000_characters_before_and_after() -> None:
    start = "https://example.com/"
    assert issue(proofLink=start + "x" * 1980) == {}
    assert issue(proofLink=start + "x" * 1981) == {"proofLink": "Must have at most 2000 characters."}
    # It grows when its letters are written as a browser sends them.
    assert "proofLink" in issue(proofLink=start + "é" * 1980)


# -- as it is stored --------------------------------------------------------------------------------------------------


def test_the_payload_has_the_contracts_keys_without_the_address() -> None:
    payload = read(genre="", notes=None).payload(datetime(2026, 3, 1, 12, 30, 15, 999_999, tzinfo=UTC))
    assert payload == {
        "eventName": "Jazz Night at Le Sunset",
        "date": "2026-03-15",
        "startTime": "20:00",
        "location": "Le Sunset, 60 Rue des Lombards, 75001 Paris",
        "proofLink": "https://www.lesunset.com/events/jazz-night-march",
        "endTime": "23:30",
        "price": "15€",
        "age": "18+",
        "indoorOutdoor": "indoor",
        "arrondissement": "1st",
        "submittedAt": "2026-03-01T12:30:15Z",
    }
