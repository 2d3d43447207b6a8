"""What could name a person is taken out before anything is stored (guarantees P11, P12).

All of it takes time in proportion to the text, whatever the text is.
"""

import re
from functools import lru_cache
from itertools import pairwise
from typing import Any

HIDDEN = "*"
HIDDEN_EMAIL = "*@*"
# As deep as objects of the contracts may be nested (D-34). What lies deeper is not looked at, so it is not kept.
DEEPEST = 32

# Control characters, marks that turn the direction of writing, and the two line separators: nothing one can read.
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
# Halves of characters have no UTF-8, and PostgreSQL refuses them.
HALVES = re.compile("[\ud800-\udfff]")
# What an e-mail address is made of: `+` may be written %2B, an umlaut %C3%A4, and `react@18.2.0` is none.
AT = r"(@|%(?:25)*40)"
# No host has more labels.
HOST = r"[\w-]++(?:(?:\.|%2[Ee])[\w-]++){0,127}(?:\.|%2[Ee])[^\W\d_][\w-]+"
AT_HOST = re.compile(AT + HOST)
PERSON = re.compile(r"[\w.+'~!*%-]+")
LONG = 40
RUN = re.compile(rf"(?<![A-Za-z0-9])[A-Za-z0-9]{{{LONG},}}+")
# Where a word of a name ends: userEmail, EMAILAddress, user-email2.
WORD_ENDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z]+")
SECRETS = frozenset({"email", "emails", "phone", "phones", "token", "password", "passwords"})
LONGEST_NAME = 200


def path(value: str) -> str:
    """The path without query and fragment, its e-mail addresses as `*@*`, parts that look like tokens as `*`.

    A part looks like a token when 40 or more letters and digits, some of each, stand together in it.
    """
    value = text(value.partition("?")[0].partition("#")[0])
    if len(value) >= LONG and RUN.search(value):
        value = "/".join(HIDDEN if is_token(part) else part for part in value.split("/"))
    return value


def search(value: str) -> str:
    """What somebody searched for, as a path whose parts are words (guarantee P12)."""
    value = text(value)
    if len(value) >= LONG and RUN.search(value):
        value = " ".join(HIDDEN if is_token(word) else word for word in value.split(" "))
    return value


def is_token(part: str) -> bool:
    return any(not run.isalpha() and not run.isdigit() for run in RUN.findall(part))


def text(value: str) -> str:
    """A name, a search or the like: whole characters in one line, none of them invisible, no e-mail addresses."""
    if not value.isprintable():
        value = HALVES.sub("\ufffd", UNSEEN.sub("", value))
    return without_emails(value)


def without_emails(value: str) -> str:
    if "@" not in value and "%" not in value:
        return value
    clean, left, end = [], "", 0
    # Signs without a host, of which a hostile text has a million, are left to the expression.
    for found in AT_HOST.finditer(value):
        before = left + value[end : found.start()]
        # Backwards from the sign, so that no letter is looked at twice.
        if person := PERSON.match(before[::-1]):
            clean.append(before[: -person.end()] + HIDDEN_EMAIL[:-1])
            # The last star may be the person of a sign that follows.
            left, end = HIDDEN_EMAIL[-1], found.end()
        else:
            clean.append(before + found[1])
            left, end = "", found.end(1)
    return "".join(clean) + left + value[end:]


def properties(values: dict[str, Any]) -> dict[str, Any]:
    """The properties without e-mail addresses, and with `*` for what is called email, phone, token or password.

    Texts keep their line breaks. Returns the same object when there is nothing to take out.
    """
    return of_dict(values, 1)


def of_dict(values: dict[str, Any], depth: int) -> dict[str, Any]:
    clean = {
        prose(name): HIDDEN if value is not None and names_secret(name[:LONGEST_NAME]) else of_any(value, depth)
        for name, value in values.items()
    }
    return values if clean == values else clean


def of_list(values: list[Any], depth: int) -> list[Any]:
    clean = [of_any(value, depth) for value in values]
    return values if clean == values else clean


def of_any(value: Any, depth: int) -> Any:  # noqa: ANN401 (any JSON value)
    if isinstance(value, str):
        return prose(value)
    if not isinstance(value, dict | list):
        return value
    if depth == DEEPEST:
        return HIDDEN
    return of_dict(value, depth + 1) if isinstance(value, dict) else of_list(value, depth + 1)


def prose(value: str) -> str:
    """A text of any length and shape, as PostgreSQL takes it, no e-mail addresses."""
    if not value.isprintable():
        value = HALVES.sub("\ufffd", value.replace("\0", ""))
    return without_emails(value)


@lru_cache(4096)
def names_secret(name: str) -> bool:
    """Whether one of the name's words is a secret's: `user_email`, `userEmail`, `e-mail`; not `microphone`."""
    words = [word.lower() for word in WORD_ENDS.split(name)]
    return not SECRETS.isdisjoint(words) or ("e", "mail") in pairwise(words)


def clipped(text: str, characters: int, size: int) -> str:
    """At most so many characters and bytes: an index row of PostgreSQL has room for 2,700 bytes."""
    text = text[:characters]
    if len(text) * 4 <= size or text.isascii():
        return text
    return text.encode()[:size].decode(errors="ignore")
