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
AT = re.compile(r"(@|%(?:25)*40)")
PERSON = re.compile(r"[\w.+'~!*%-]+")
HOST = re.compile(r"[\w-]+(?:(?:\.|%2[Ee])[\w-]++)*(?:\.|%2[Ee])[^\W\d_][\w-]+")
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
    first, *others = AT.split(value)
    clean = [first]
    for at, after in zip(others[::2], others[1::2], strict=True):
        # Backwards from the sign, so that no letter is looked at twice.
        person, host = PERSON.match(clean[-1][::-1]), HOST.match(after)
        if person and host:
            clean[-1] = clean[-1][: -person.end()]
            after, at = after[host.end() :], HIDDEN_EMAIL
        clean.append(at + after)
    return "".join(clean)


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
