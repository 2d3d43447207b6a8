"""What a host proposes: read from anybody's words, normalised, and as it is stored (contract 4.1 and 4.3)."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from submissions.models import Submission
from submissions.prooflink import normalised
from submissions.text import collapsed


@dataclass(frozen=True)
class Field:
    """A field as the contract names and bounds it; lengths in code points, after trimming. Least 0 is optional."""

    name: str
    least: int
    most: int


# By our own names, in the contract's order, which is that of the issues.
FIELDS: Mapping[str, Field] = {
    "event_name": Field("eventName", 2, 180),
    "date": Field("date", 1, 40),
    "start_time": Field("startTime", 1, 40),
    "location": Field("location", 2, 240),
    "host_email": Field("hostEmail", 1, 254),
    "proof_link": Field("proofLink", 1, 2000),
    "end_time": Field("endTime", 0, 40),
    "genre": Field("genre", 0, 120),
    "price": Field("price", 0, 80),
    "age": Field("age", 0, 80),
    "indoor_outdoor": Field("indoorOutdoor", 0, 80),
    "notes": Field("notes", 0, 3000),
    "arrondissement": Field("arrondissement", 0, 32),
}
# The address stands with the host and not in the payload, so that retention removes it in one place.
OUTSIDE = "host_email"
# Line breaks mean something in these.
MULTILINE = ("notes",)

REQUIRED = "This field is required."
NO_TEXT = "Must be a string."
NO_ADDRESS = "Must be an e-mail address, for example host@example.com."
NO_LINK = "Must be an HTTP(S) URL, for example https://example.com/event."

# The pattern of the original service: ASCII, no quoted local part, no leading or double dot, no bare host, no IP
# address. Top-level domains in their xn-- form pass, too.
ADDRESS = re.compile(
    r"(?!\.)(?!.*\.\.)[A-Za-z0-9_'+\-.]*[A-Za-z0-9_+\-]"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+(?:[A-Za-z]{2,}|xn--[A-Za-z0-9-]+)",
    re.ASCII,
)
# Marks that turn the direction of all that follows them, and the byte order mark. Those that join letters stay.
HARMFUL = frozenset(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF]))


class Invalid(Exception):
    """A proposal that cannot be taken: a sentence for each field that is wrong, by the contract's name, in order."""

    def __init__(self, issues: Mapping[str, str]) -> None:
        super().__init__(", ".join(issues))
        self.issues = issues


@dataclass(frozen=True)
class Proposal:
    """The fields of a proposal, normalised; each empty when absent."""

    event_name: str
    date: str
    start_time: str
    location: str
    host_email: str
    proof_link: str
    end_time: str = ""
    genre: str = ""
    price: str = ""
    age: str = ""
    indoor_outdoor: str = ""
    notes: str = ""
    arrondissement: str = ""

    @classmethod
    def read(cls, given: Mapping[str, Any], *, without_address: bool = False) -> "Proposal":
        """From a mapping with the contract's keys; others are ignored, null is absent (D-16). Raises Invalid.

        `without_address` is for a change by a host who is known.
        """
        read: dict[str, str] = {OUTSIDE: ""} if without_address else {}
        issues: dict[str, str] = {}
        for attribute, field in FIELDS.items():
            if attribute in read:
                continue
            try:
                read[attribute] = value_of(attribute, field, given.get(field.name))
            except ValueError as error:
                issues[field.name] = str(error)
        if issues:
            raise Invalid(issues)
        return cls(**read)

    @classmethod
    def of(cls, submission: Submission) -> "Proposal":
        """As it was stored; the address is empty once retention has removed it."""
        stored = {attribute: submission.wrote(field.name) for attribute, field in FIELDS.items()}
        return cls(**(stored | {OUTSIDE: submission.host_email}))

    def payload(self, submitted_at: datetime) -> dict[str, str]:
        """What is stored (contract 4.6): the contract's keys without the empty ones, and without the address."""
        filled = {FIELDS[name].name: value for name, value in asdict(self).items() if value and name != OUTSIDE}
        return filled | {"submittedAt": f"{submitted_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"}


def is_address(text: str) -> bool:
    """Whether mail can be sent there, and nothing else can be done with it (guarantee A67)."""
    return len(text) <= FIELDS["host_email"].most and ADDRESS.fullmatch(text) is not None


def value_of(attribute: str, field: Field, given: object) -> str:
    """A field normalised. Raises ValueError with a sentence."""
    if given is None:
        given = ""
    if not isinstance(given, str):
        raise ValueError(NO_TEXT)
    text = shown(given).strip()
    if not text and field.least:
        raise ValueError(REQUIRED)
    if len(text) < field.least:
        raise ValueError(f"Must have at least {field.least} characters.")
    if len(text) > field.most:
        raise ValueError(f"Must have at most {field.most} characters.")
    if attribute == "host_email":
        if not is_address(text):
            raise ValueError(NO_ADDRESS)
        return text.lower()
    if attribute == "proof_link":
        return link_of(text, field.most)
    return "\n".join(map(collapsed, text.splitlines())) if attribute in MULTILINE else collapsed(text)


def link_of(text: str, most: int) -> str:
    link = normalised(text)
    if link is None:
        raise ValueError(NO_LINK)
    # What is published is the normalised one.
    if len(link) > most:
        raise ValueError(f"Must have at most {most} characters, counted as {link[:24]}…")
    return link


def shown(text: str) -> str:
    """Without what cannot be seen and does harm: control characters, and marks that turn the text around them."""
    return "".join(
        char
        for char in text.replace("\r\n", "\n").replace("\r", "\n")
        if char in "\n\t" or (unicodedata.category(char) != "Cc" and char not in HARMFUL)
    )
