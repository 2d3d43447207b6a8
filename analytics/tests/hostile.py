"""Hostile input, for every dialect: what is nearly right, and then broken in the ways that are known to hurt.

`EXAMPLES` is how many of them a test sends; with HOSTILE_EXAMPLES in the environment (`make hostile`) it is another
number, and other ones each time.
"""

import asyncio
import codecs
import gc
import gzip
import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote, unquote

from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from analytics.api.front import Front
from analytics.api.routes import endpoint_at
from analytics.api.widgets import documentation
from analytics.api.widgets.dialect import GIF
from analytics.vocabulary import Dialect
from tinytrail.wsgi import application as django

LONG = "HOSTILE_EXAMPLES"
EXAMPLES = int(os.environ.get(LONG, 2_000))
# So many at once share a batch, and so a transaction.
TOGETHER = 20
CALLER = "203.0.113.9"
PIECE = 65_536
PLAYED = settings(
    max_examples=EXAMPLES // TOGETHER,
    deadline=None,
    database=None,
    derandomize=LONG not in os.environ,
    # Calls are told one by one as they fail, and to make a smaller batch of them takes minutes.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

# -- what is broken ---------------------------------------------------------------------------------------------------


def nested(opening: bytes, closing: bytes, levels: int) -> bytes:
    return opening * levels + b"1" + closing * levels


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


MEBIBYTE = 2**20
# As texts: of paths, of names, of anything.
TEXTS = [
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "\udfff\ud800",
    "😀" * 70,
    "\u202etxt.exe\u2066",
    "\u200f\u2028\u2029\ufeff",
    "\r\nSet-Cookie: a=b",
    "\x7f\x85",
    "/../../etc/passwd",
    "/..%2f..%2f%00",
    "/%00%0d%0aX: y",
    "//evil.example/\\@x",
    "/" + "a" * 2_048,
    "/" + "é" * 2_049,
    "https://[::1",
    "https://acme.example:99999999/",
    "http://\ufeff\u2100.example",
    "javascript:alert(1)",
    "__proto__",
    "constructor",
    "$where",
    "a.b.c",
    "a" * 5_000,
    "canary@example.test",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "%s%n{0}{{7*7}}${7*7}",
    "1e999",
    "NaN",
    "9" * 40,
    "-1",
    "true",
    "null",
    "2026-02-30",
    "0000-00-00T99:99:99Z",
    "00000000-0000-0000-0000-000000000000",
]
# What stands for a value, and need not be JSON.
VALUES = [
    *map(as_json, TEXTS),
    *(b"true", b"false", b"null", b"[]", b"{}", b"0", b"-0", b"-0.0", b"-1", b"1.5", b"1e2", b"1e-400"),
    *(b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1e308", b"01", b"+1", b"0x10", b".5", b"undefined"),
    *(b"9007199254740993", b"-9007199254740993", b"9223372036854775808", b"18446744073709551616", b"9" * 5_000),
    *(b'"a\x00b"', b'"a\nb"', b'"\xff\xfe"', b'"\xed\xa0\x80"', b'"\xc0\x80"', b'"\\u00"', b'"\\x41"', b'"', b"'a'"),
    *(nested(b'{"a":', b"}", 31), nested(b'{"a":', b"}", 33), nested(b"[", b"]", 33), nested(b"[", b"]", 1_000)),
    *(nested(b'{"a":', b"}", 1_000), b"[" * 1_000, b'{"a":1,"a":2,"a":null}', b"[1,]", b"{,}", b'{"a"}'),
    b'{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}},"$where":"1","":""}',
    b'{"profileId":{"$gt":""}}',
    as_json({"email": "canary@example.test", "a": [{"password": "x"}] * 40}),
    as_json(["country:US"] * 60),
    as_json({str(number): number for number in range(300)}),
]
NAMES = [*map(as_json, TEXTS), b"a", b"1", b"null", b'"\xff"', b"{}"]
# Too long for most draws, and so drawn seldom.
HUGE = [
    as_json({str(number): number for number in range(200_000)}),
    b'{"' + b"k" * MEBIBYTE + b'":1}',
    as_json("x" * MEBIBYTE),
    nested(b"[", b"]", 100_000),
    b"9" * MEBIBYTE,
    b'"' + b"\\u0000" * 10_000 + b'"',
]
WAYS = ("value", "value", "value", "name", "drop", "more", "twice")
# What nobody has thought of.
FREE = st.one_of(
    *(st.none() for _ in range(6)),
    st.text(st.characters(), max_size=12).map(as_json),
    st.floats(allow_nan=False, allow_infinity=False).map(as_json),
    st.integers().map(as_json),
    st.binary(max_size=12),
)
# One draw decides many things, for drawing is what takes the time.
CHANCE = st.integers(0, 2**24 - 1)


class Choice:
    """One number as many choices. Zero is the first option of all."""

    def __init__(self, number: int) -> None:
        # Small numbers are drawn far more often than great ones; this leaves no two alike, and spreads them.
        for factor in (0x85EBCA6B, 0xC2B2AE35):
            number = (number ^ number >> 15) * factor & 0xFFFFFFFF
        self._number = number ^ number >> 16

    def among(self, options: Any) -> Any:
        self._number, place = divmod(self._number, len(options))
        return options[place]


@dataclass
class Container:
    """An object or a list, in which names may come twice and values need not be JSON."""

    is_list: bool
    # Names, empty in lists, and what they stand for: bytes or another container.
    items: list[list[Any]] = field(default_factory=list)

    def __bytes__(self) -> bytes:
        if self.is_list:
            return b"[" + b",".join(bytes(value) for _, value in self.items) + b"]"
        return b"{" + b",".join(name + b":" + bytes(value) for name, value in self.items) + b"}"

    def everything(self) -> Iterator["Container"]:
        yield self
        for _, value in self.items:
            if isinstance(value, Container):
                yield from value.everything()


def tree(value: Any) -> "Container | bytes":
    if isinstance(value, dict):
        return Container(False, [[as_json(name), tree(inner)] for name, inner in value.items()])
    if isinstance(value, list):
        return Container(True, [[b"", tree(inner)] for inner in value])
    return as_json(value)


def broken(good: dict[str, Any], breaks: list[int], free: bytes | None) -> bytes:
    """A good body, broken once for each of the numbers; the first time with the free value, if there is one."""
    body = tree(good)
    assert isinstance(body, Container)
    for number in breaks:
        choice = Choice(number)
        way, value, name = choice.among(WAYS), choice.among(VALUES), choice.among(NAMES)
        container = choice.among(list(body.everything()))
        value, free = free or value, None
        items = container.items
        place = choice.among(range(len(items) or 1))
        if way == "more" or not items:
            items.append([name, value])
        elif way == "value":
            items[place][1] = value
        elif way == "name":
            items[place][0] = name
        elif way == "twice":
            items.append([items[place][0], value])
        else:
            del items[place]
    return bytes(body)


# The body as a whole. Most stay as they are.
WHOLES: dict[str, Callable[[bytes], bytes]] = {
    "BOM": lambda body: codecs.BOM_UTF8 + body,
    "two BOMs": lambda body: codecs.BOM_UTF8 * 2 + body,
    "UTF-16": lambda body: body.decode(errors="replace").encode("utf-16"),
    "UTF-32": lambda body: body.decode(errors="replace").encode("utf-32"),
    "UTF-7": lambda body: body.decode(errors="replace").encode("utf-7"),
    "Latin-1": lambda body: body[:-1] + ',"é":"é"}'.encode("latin-1"),
    "gzip": gzip.compress,
    "cut off": lambda body: body[: len(body) // 2],
    "without its last byte": lambda body: body[:-1],
    "in a list": lambda body: b"[" + body + b"]",
    "as a text": lambda body: as_json(body.decode("latin-1")),
    "twice": lambda body: body * 2,
    "and more": lambda body: body + b" x",
    "with a NUL behind it": lambda body: body + b"\0",
    "with space around it": lambda body: b" \r\n\t" + body + b"\n ",
    "a form": lambda body: b"data=" + body,
    "single quotes": lambda body: body.replace(b'"', b"'"),
    "comments": lambda body: b"/* */" + body,
    "nothing": lambda body: b"",
}
TOPS = [b"null", b"true", b"0", b'"x"', b"[]", b"{}", b"NaN", b"-", b"\xff", nested(b"[", b"]", 1_000), *HUGE]

# -- what is sent with it ---------------------------------------------------------------------------------------------

HEADERS: dict[str, list[str]] = {
    "content-type": [
        *(
            "text/plain",
            "text/plain;charset=utf-16",
            "application/json; charset=klingon",
            'application/json; charset="',
        ),
        *("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "/", ";" * 200, "é/ü"),
        *("APPLICATION/JSON; CHARSET=UTF-8", "application/json;charset=utf-8;charset=utf-16"),
    ],
    "content-encoding": ["gzip", "identity", "br, gzip", "é", ""],
    "user-agent": ["", " ", "curl/8.5.0", "x" * 20_000, "\xff\xfe" * 50, "Mozilla/5.0 (" + "(" * 2_000, "é bot"],
    "origin": ["null", "https://" + "a" * 5_000, "https://[", "http://evil.example:x", "é", "", "*", "//", "file://"],
    "referer": ["https://[", "é" * 200, ""],
    "cookie": ["a=b; " * 500, "oooc_user_session=a.b.c", "oooc_user_session=e30.W10.", "=;=;", "é=ü"],
    "x-forwarded-for": ["203.0.113.7", "unknown", '"[::1]:99999"', "fe80::1%eth0", ", ,,", "1" * 5_000, "é"],
    "x-client-ip": ["203.0.113.7", "::ffff:10.0.0.1", "1.2.3.4.5", "é"],
    "forwarded": ["for=", 'for="[2001:db8::1]:x"', "for=é" * 500, "by=;for=_hidden"],
    # No two calls with one of those that are taken: the second would be the first.
    "idempotency-key": ["x" * 256, " "],
    "sec-purpose": ["prefetch", "prefetch;prerender", "é"],
    "sec-gpc": ["1", "é"],
    "dnt": ["1", ""],
    "accept": ["image/avif", "é", "*/*;q=é", ""],
    "accept-language": ["é" * 1_000, ";q=9"],
    "x-http-method-override": ["GET", "DELETE"],
    "access-control-request-headers": ["é", "x" * 5_000],
    "openpanel-client-id": ["", "é", "00000000-0000-0000-0000-000000000000", "x" * 5_000],
    "openpanel-client-secret": ["", "é", "sec_wrong", "x" * 5_000],
    "x-api-key": ["", "é", "tt_wrong", "x" * 10_240, "tt_\0"],
}
HEADER = [(name, value) for name, values in HEADERS.items() for value in values]


def more_headers(choice: Choice) -> dict[str, str]:
    """None for most calls."""
    return dict([choice.among(HEADER)]) if choice.among(range(4)) == 3 else {}


@dataclass(frozen=True)
class Sent:
    """A request as it goes out; of one in chunks no length is told."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    is_chunked: bool = False

    def __repr__(self) -> str:
        body = self.body if len(self.body) < 2_000 else self.body[:2_000] + b"..."
        return f"{self.method} {self.path}?{self.query[:2_000]} {self.headers} {body!r}"


def together(call: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(call, min_size=TOGETHER, max_size=TOGETHER)


KINDS = ("nearly",) * 30 + tuple(WHOLES) + ("top",) * 6 + ("too long", "holding")


def posts(
    path: str,
    goods: list[dict[str, Any]],
    limit: int,
    headers: list[dict[str, str]],
    *,
    method: str = "POST",
    breaks: Sequence[int] = range(4),
) -> st.SearchStrategy[Sent]:
    """Calls of a route that takes such bodies, of so many bytes; `headers` are those of callers who would be taken.

    `breaks` is how often one may be broken.
    """

    def sent(number: int, how: tuple[int, int, int], free: bytes | None) -> Sent:
        choice = Choice(number)
        kind, good, common = choice.among(KINDS), choice.among(goods), choice.among(headers)
        body = broken(good, list(how)[: choice.among(breaks)], free)
        if kind in WHOLES:
            body = WHOLES[kind](body)
        elif kind == "top":
            body = Choice(how[2]).among(TOPS)
        elif kind == "too long":
            body = body.ljust(limit + 1)
        elif kind == "holding":
            body = body[:-1] + b',"more":' + Choice(how[2]).among(HUGE) + b"}"
        return Sent(
            method,
            path,
            "",
            {"content-type": "application/json"} | common | more_headers(choice),
            body,
            is_chunked=choice.among((False, True)),
        )

    return st.builds(sent, CHANCE, st.tuples(CHANCE, CHANCE, CHANCE), FREE)


def wandering(path: str, headers: list[dict[str, str]]) -> st.SearchStrategy[Sent]:
    """Calls of a route that is asked by headers alone."""

    def sent(numbers: tuple[int, int]) -> Sent:
        first, second = map(Choice, numbers)
        more = more_headers(first) | more_headers(second)
        return Sent("GET", path, "", first.among(headers) | more, b"")

    return st.builds(sent, st.tuples(CHANCE, CHANCE))


# Bytes of a query that no browser would write.
RAW = ["%", "%zz", "%00", "%ff", "%ed%a0%80", "%0d%0aX:%20y", "%u0041", "+", "&", "=", ";", "[]", "é", "%25%30%30", "#"]
RAW_TEXTS = [*(quote(text, errors="surrogatepass") for text in TEXTS), *RAW]
RAW_FREE = st.one_of(
    *(st.none() for _ in range(6)),
    st.text(st.characters(), max_size=8).map(lambda text: quote(text, errors="surrogatepass")),
)


def queries(paths: list[str], goods: list[list[tuple[str, str]]]) -> st.SearchStrategy[Sent]:
    """Calls of a route that is asked by its address: paths with parts replaced, parameters broken."""

    def sent(number: int, breaks: tuple[int, int, int], free: str | None) -> Sent:
        choice = Choice(number)
        method, path = choice.among(("GET",) * 9 + ("HEAD",)), choice.among(paths)
        query = broken_query(choice.among(goods), list(breaks)[: choice.among(range(4))], free)
        if choice.among(range(4)) == 3:
            path = broken_path(path, Choice(breaks[2]))
        if path == "/" and not endpoint_at(path, query):
            # Without it this is the front page.
            query += "&auth_token="
        return Sent(method, path, query, more_headers(choice), b"")

    return st.builds(sent, CHANCE, st.tuples(CHANCE, CHANCE, CHANCE), RAW_FREE)


def broken_query(good: list[tuple[str, str]], breaks: list[int], free: str | None) -> str:
    pairs = [[quote(name), quote(value)] for name, value in good]
    for number in breaks:
        choice = Choice(number)
        way, value, name = choice.among((*WAYS, "thousand")), choice.among(RAW_TEXTS), choice.among(RAW_TEXTS)
        value, free = free or value, None
        place = choice.among(range(len(pairs) or 1))
        if way == "more" or not pairs:
            pairs.append([name, value])
        elif way == "value":
            pairs[place][1] = value
        elif way == "name":
            pairs[place][0] = name
        elif way == "twice":
            pairs.append([pairs[place][0], value])
        elif way == "thousand":
            pairs += [[pairs[place][0], str(n)] for n in range(1_000)]
        else:
            del pairs[place]
    return "&".join(map("=".join, pairs)).encode("latin-1", "replace").decode("latin-1")


def broken_path(path: str, choice: Choice) -> str:
    pieces = path.split("/")
    # What decides which route it is stays.
    if len(pieces) > 3:
        pieces[choice.among(range(3, len(pieces)))] = choice.among(RAW_TEXTS)
    return unquote("/".join(pieces), errors="replace")


# -- who answers ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class InProcess:
    """The web server in this process: the front, and plain Django behind its WSGI interface."""

    def __init__(self) -> None:
        self._front = Front(endpoint_at, left_to_django)
        self._loop = asyncio.new_event_loop()

    def ask_front(self, calls: list[Sent]) -> list[Answer]:
        """All at once."""

        async def asked() -> list[Answer]:
            return list(await asyncio.gather(*(self._asked(call) for call in calls)))

        return self._loop.run_until_complete(asked())

    async def _asked(self, call: Sent) -> Answer:
        messages: list[Any] = []
        pieces = [call.body[start : start + PIECE] for start in range(0, len(call.body), PIECE)] or [b""]

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

        async def send(message: Any) -> None:
            messages.append(message)

        scope = {
            "type": "http",
            "method": call.method,
            "path": call.path,
            "query_string": call.query.encode("latin-1"),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent_headers(call).items()],
            "client": (CALLER, 50_000),
        }
        await self._front(scope, receive, send)
        start, content = messages
        headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(start["status"], headers, content["body"])

    @staticmethod
    def ask_django(call: Sent) -> Answer:
        headers = sent_headers(call)
        started: list[Any] = []
        environ = {
            "REQUEST_METHOD": call.method,
            # As WSGI has it: bytes, one a letter.
            "PATH_INFO": call.path.encode(errors="replace").decode("latin-1"),
            "QUERY_STRING": call.query,
            "REMOTE_ADDR": CALLER,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "CONTENT_TYPE": headers.pop("content-type", ""),
            "CONTENT_LENGTH": headers.pop("content-length", ""),
            "wsgi.input": io.BytesIO(call.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.url_scheme": "http",
        } | {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        content = django(environ, lambda *start: started.append(start))
        body = b"".join(content)
        content.close()
        ((status, answered),) = started
        return Answer(int(status.split()[0]), {name.lower(): value for name, value in answered}, body)

    @contextmanager
    def running(self) -> Iterator["InProcess"]:
        messages: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        said: asyncio.Queue[Any] = asyncio.Queue()

        async def tell(what: str) -> None:
            await messages.put({"type": f"lifespan.{what}"})
            assert (await said.get())["type"] == f"lifespan.{what}.complete"

        life = self._loop.create_task(self._front({"type": "lifespan"}, messages.get, said.put))
        self._loop.run_until_complete(tell("startup"))
        # As Django's own test client does: they would close the connection in which the test's transaction is.
        for signal in (request_started, request_finished):
            signal.disconnect(close_old_connections)
        try:
            yield self
        finally:
            for signal in (request_started, request_finished):
                signal.connect(close_old_connections)
            self._loop.run_until_complete(tell("shutdown"))
            self._loop.run_until_complete(life)
            self._loop.close()
            # The front has told the collector to look at nothing that was there when it started.
            gc.unfreeze()


def sent_headers(call: Sent) -> dict[str, str]:
    length = {} if call.is_chunked else {"content-length": str(len(call.body))}
    chunked = {"transfer-encoding": "chunked"} if call.is_chunked else {}
    return {"host": "localhost"} | length | chunked | call.headers


async def left_to_django(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError(f"The front has left {scope['path']!r} to Django.")


# -- how it has to be answered ----------------------------------------------------------------------------------------

# Of all routes of the room together, for which of them a path is a question of its own.
WIDGETS = documentation.ANSWERS | documentation.FOUND | documentation.CONFLICT


def has_documented_form(call: Sent, answer: Answer) -> None:
    """The status and the body are among those that the OpenAPI document has for the route."""
    endpoint = endpoint_at(call.path, call.query)
    assert endpoint
    answers = WIDGETS if endpoint.dialect is Dialect.WIDGETS else endpoint.answers
    assert answer.status in answers, (call, answer)
    assert "set-cookie" not in answer.headers, (call, answer)
    if answer.headers.get("content-type") == "image/gif":
        assert (answer.status, answer.body) == (200, GIF)
    elif call.method != "HEAD":
        fits(answers[answer.status][1], call, answer)


def fits(schema: dict[str, Any], call: Sent, answer: Answer) -> None:
    if not schema:
        assert answer.body == b"", (call, answer)
        return
    assert answer.headers["content-type"] == "application/json", (call, answer)
    error = next(validator(json.dumps(schema, default=list)).iter_errors(json.loads(answer.body)), None)
    assert error is None, (call, answer, error)


@cache
def validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema))
