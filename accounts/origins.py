"""The origins that may send for an OpenPanel client without its secret (contract 6.1, D-12).

An entry is one origin, all hosts under a domain (`https://*.example.com`), or `*` for any. Entries and origins are
compared without their scheme and `www.`, as the real service does; unlike its patterns ours are anchored at both ends,
so `app.example.com.evil.net` passes nowhere.
"""

import re
from collections.abc import Iterable

ANY = "*"
MOST_ORIGINS = 100
LONGEST = 255
SCHEME = re.compile(r"^https?://")
# A host name or address with an optional port, after the scheme: what a browser sends, nothing more.
HOST = re.compile(r"(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?")


class Origins:
    """A client's entries, compiled."""

    def __init__(self, entries: Iterable[str] = ()) -> None:
        bare = [without_scheme(entry) for entry in entries]
        self._any = ANY in bare
        self._exact = frozenset(entry.removeprefix("www.") for entry in bare if not entry.startswith(ANY))
        # With the dot: `*.example.com` is what stands under it, not the domain itself.
        self._endings = tuple(entry.removeprefix(ANY) for entry in bare if entry.startswith("*."))

    def __contains__(self, origin: str) -> bool:
        """Whether a request with this `Origin` may send. One without the header never may."""
        if not origin:
            return False
        bare = without_scheme(origin)
        if self._any or bare.removeprefix("www.") in self._exact:
            return True
        # Something before the ending, which with it makes a host: `evil.net/.example.com` is none.
        return bare.endswith(self._endings) and HOST.fullmatch(bare) is not None


def without_scheme(origin: str) -> str:
    return SCHEME.sub("", origin.strip().lower()).removesuffix("/")


def check(origins: object) -> list[str]:
    """The entries in lower case and without a slash at the end, each once. Raises ValueError with a sentence."""
    if not isinstance(origins, list):
        raise ValueError('origins must be a list, for example ["https://app.example.com"].')
    if len(origins) > MOST_ORIGINS:
        raise ValueError(f"origins must have at most {MOST_ORIGINS} entries.")
    return list(dict.fromkeys(checked(entry, f"origins[{place}]") for place, entry in enumerate(origins)))


def checked(entry: object, place: str) -> str:
    text = entry.strip().lower().removesuffix("/") if isinstance(entry, str) else ""
    if not text.isascii():
        raise ValueError(f"{place} must be written in its xn-- form: it holds letters that are not ASCII.")
    if len(text) > LONGEST or not (text == ANY or HOST.fullmatch(SCHEME.sub("", text))):
        raise ValueError(
            f"{place} must be an origin such as https://app.example.com, all hosts under a domain such as "
            "https://*.example.com, or * for any."
        )
    return text
