"""Is it a program? Crawlers, HTTP libraries, headless browsers, monitors and link previews, by their user agent.

crawlerdetect knows some 1,500 of them. Nearly all its patterns are plain words, which are looked for as such: compiled,
they would cost each process 23 MB. The rest is compiled by ua-parser's engine, whose time grows with the length of the
text: Python's own takes up to 1.2 ms a call and, for a hostile user agent, grows with the square of it (1,000 letters:
62 ms).
"""

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import ua_parser_rs
from crawlerdetect.providers import crawlers, exclusions

from analytics.ingest.hit import Hit

if TYPE_CHECKING:
    from analytics.ingest.website import Site

# In-app browsers reach 500 characters; the length bounds the memo as well, which holds user agents and not whose.
LONGEST = 1024
MOST_REMEMBERED = 8192

# What crawlerdetect does not know: HTTP libraries and load generators, drivers of browsers, agents of AI services.
MORE = (
    r"^(?:urllib3|insomnia|thunder client|k6|vegeta|locust|gatling|artillery|elixir|finch|mint)\b",
    r"\b(?:java-http-client|\w*httpclient|ktor|go-resty|alamofire|\w*powershell|jmeter)\b",
    r"\b(?:playwright|puppeteer|selenium|webdriver|slimerjs|cypress/\d)",
    r"\b(?:anthropic-ai|cohere-ai|google-extended|meta-externalfetcher|cardyb|[a-z]+-user/\d)",
)
# Makers of phones choose the names of their models, and some are called CUBOT, iBuddy or OPPO A33.
MODEL = re.compile(r"(Android[ /][\w.]+; (?:[a-z]{2}[-_][a-zA-Z]{2}; )?)[^;)]*")
# `node`, `w3m/0.5.3`, nothing at all: every browser says more about itself, `Mozilla/5.0` alone is none.
ONE_WORD = re.compile(r"[^\s()]*")
NOTHING = "(?!)"
ESCAPED = re.compile(r"\\[^A-Za-z0-9]")
SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}]")
LOOKS_AROUND = re.compile(r"\(\?<?[=!]")


def bot(hit: Hit, site: "Site") -> dict[str, Any]:
    """A server that reports its own events may well be called `python-requests` (contract 6.7): it is no bot."""
    return {"is_bot": not hit.is_server and is_bot(hit.user_agent)}


def is_bot(user_agent: str) -> bool:
    """Whether the user agent is empty or a program's before which nobody sits (contract 2.4, D-2)."""
    return _is_bot(user_agent[:LONGEST])


@lru_cache(MOST_REMEMBERED)
def _is_bot(user_agent: str) -> bool:
    # The engine takes no lone surrogates.
    text = user_agent.strip().encode(errors="replace").decode()
    if ONE_WORD.fullmatch(text):
        return True
    # The words that browsers use are taken out first: crawlers wear them too.
    rest = browser_words().sub("", MODEL.sub(r"\1", text))
    lower = rest.lower()
    return (
        any(word in lower for word in words())
        or engine().extract(rest) is not None
        or looking_around().search(rest) is not None
    )


@cache
def browser_words() -> re.Pattern[str]:
    return re.compile("|".join(exclusions.data), re.IGNORECASE)


@cache
def words() -> list[str]:
    return [word for pattern in crawlers.data if (word := plain(pattern)) is not None]


def plain(pattern: str) -> str | None:
    """The text that a pattern stands for, in lower case; None when it stands for more than one."""
    if SPECIAL.search(ESCAPED.sub("", pattern)):
        return None
    return ESCAPED.sub(lambda escaped: escaped[0][1], pattern).lower()


@cache
def engine() -> ua_parser_rs.UserAgentExtractor:
    """All other patterns at once, in time proportional to the text; made for user agents, good for any."""
    patterns = [
        pattern.replace(r"\/", "/")
        for pattern in crawlers.data
        if plain(pattern) is None and not LOOKS_AROUND.search(pattern)
    ]
    return ua_parser_rs.UserAgentExtractor(
        (f"(?i){pattern}", "bot", None, None, None, None) for pattern in [*patterns, *MORE]
    )


@cache
def looking_around() -> re.Pattern[str]:
    """The few patterns with look-around, which the engine does not have."""
    patterns = [pattern for pattern in crawlers.data if LOOKS_AROUND.search(pattern)]
    return re.compile("|".join(patterns) or NOTHING, re.IGNORECASE)
