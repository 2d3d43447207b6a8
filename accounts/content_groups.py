"""Content groups: a website's pages by globs on their paths (D-4, D-40).

A pattern is matched from piece to piece, each at the first place it fits, so no pattern takes more than one walk along
the path: a regular expression from a user could take forever.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence

MOST_PATTERNS = 50
LONGEST_PATTERN = 200
LONGEST_NAME = 100

Matcher = Callable[[str], bool]


class ContentGroups:
    """The groups of one website, in order."""

    def __init__(self, groups: Sequence[Mapping[str, str]] = ()) -> None:
        self._groups = [(group["name"], matcher(group["pattern"])) for group in groups]

    def match(self, path: str) -> str | None:
        """The name of the first group with a pattern that is the whole path, None when there is none."""
        for name, matches in self._groups:
            if matches(path):
                return name
        return None


def matcher(pattern: str) -> Matcher:
    """A function that knows paths of the pattern: `*` is any run of characters, also none, all else is literal."""
    head, *middle = pattern.split("*")
    if not middle:
        return pattern.__eq__
    tail = middle.pop()
    pieces = [piece for piece in middle if piece]
    if not pieces and not tail:
        return lambda path: path.startswith(head)

    def matches(path: str) -> bool:
        end = len(path) - len(tail)
        at = len(head)
        if end < at or not path.startswith(head) or not path.endswith(tail):
            return False
        for piece in pieces:
            found = path.find(piece, at, end)
            if found < 0:
                return False
            at = found + len(piece)
        return True

    return matches


def check(groups: object) -> list[dict[str, str]]:
    """The groups as they are kept, trimmed. Raises ValueError with a sentence that names the wrong field."""
    if not isinstance(groups, list):
        raise ValueError('content_groups must be a list, for example [{"name": "Blog", "pattern": "/blog/*"}].')
    if len(groups) > MOST_PATTERNS:
        raise ValueError(f"content_groups must have at most {MOST_PATTERNS} entries.")
    return [checked(group, f"content_groups[{place}]") for place, group in enumerate(groups)]


def checked(group: object, place: str) -> dict[str, str]:
    if not isinstance(group, dict):
        raise ValueError(f'{place} must be an object, for example {{"name": "Blog", "pattern": "/blog/*"}}.')
    return {
        "name": line(group.get("name"), f"{place}.name", LONGEST_NAME),
        "pattern": line(group.get("pattern"), f"{place}.pattern", LONGEST_PATTERN),
    }


def line(value: object, field: str, longest: int) -> str:
    """The text in one line, trimmed. Raises ValueError."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{field} must be a text that is not empty.")
    value = value.strip()
    if len(value) > longest:
        raise ValueError(f"{field} must have at most {longest} characters.")
    if any(is_unprintable(character) for character in value):
        raise ValueError(f"{field} must not hold control characters or halves of characters.")
    return value


def is_unprintable(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs")
