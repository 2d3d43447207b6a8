"""The front: ingest routes answered natively, everything else by Django's WSGI application in threads.

Django's request stack costs several times what taking an event does, so the endpoint objects are asked directly. What
is unusual about a request, such as a host that is not ours, is left to Django, which knows the same endpoints.
"""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from analytics.api.endpoint import Endpoint
from analytics.ingest import bot, device
from analytics.ingest.batches import Batches, end
from analytics.ingest.figures import keep_writing
from tinytrail.web import client
from tinytrail.web.call import Call, Reply
from tinytrail.web.headers import always

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Reader = asyncio.Task[Any]
Headers = tuple[tuple[bytes, bytes], ...]
T = TypeVar("T")

# A body that is not whole by then never will be.
BODY_SECONDS = 30.0
WARM_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"


class Front:
    """The ASGI application of a web process. `endpoint_at` says which endpoint serves a path, if any does."""

    def __init__(self, endpoint_at: Callable[[str, str], Endpoint | None], django: Application) -> None:
        self._endpoint_at = endpoint_at
        self._django = django
        self._batches = Batches(settings.REDIS_URL)
        self._patience = Patience()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        headers = read_headers(scope["headers"])
        endpoint = self._endpoint_at(scope["path"], scope["query_string"].decode("latin-1"))
        is_usual = "x-forwarded-host" not in headers and is_own_host(headers.get("host", ""))
        if endpoint and is_usual:
            await self._take(endpoint, scope, headers, receive, send)
        else:
            await self._leave(scope, headers, receive, send)

    async def _leave(self, scope: Scope, headers: dict[str, str], receive: Receive, send: Send) -> None:
        """Leave a request to Django. Its threads are few, so none of them waits for a body that comes slowly."""
        if "content-length" in headers or "transfer-encoding" in headers:
            try:
                body = await self._read(first_bytes(receive, settings.DATA_UPLOAD_MAX_MEMORY_SIZE))
            except ConnectionError:
                return
            receive = handing_over(body)
        await self._django(scope, receive, send)

    async def _read(self, reading: Coroutine[Any, Any, T]) -> T:
        """What is read of a body. Raises ConnectionError when the caller is gone, or sends for over BODY_SECONDS."""
        reader = self._patience.begin()
        try:
            return await reading
        except asyncio.CancelledError:
            if self._patience.is_over(reader):
                raise ConnectionError from None
            raise
        finally:
            self._patience.end(reader)

    async def _take(
        self, endpoint: Endpoint, scope: Scope, headers: dict[str, str], receive: Receive, send: Send
    ) -> None:
        try:
            body = await self._read(read_body(receive, headers, endpoint.body_limit))
        except ConnectionError:
            return
        peer = scope.get("client")
        call = Call(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers=headers,
            body=body,
            address=client.address(
                peer[0] if peer else "", headers.get("x-forwarded-for", ""), settings.TRUSTED_PROXIES
            ),
        )
        if call.method == "OPTIONS":
            reply = endpoint.preflight(call)
        else:
            reading = endpoint.take(call, now=datetime.now(UTC))
            reply = endpoint.reply(call, await self._batches.submit(reading))
        await answer(send, reply, is_secure=settings.BEHIND_TLS and headers.get("x-forwarded-proto") == "https")

    async def _live(self, receive: Receive, send: Send) -> None:
        """The life of the process: ready before its first request, everybody answered before its end."""
        figures = None
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._batches.start()
                figures = asyncio.create_task(keep_writing(self._batches.current))
                warm()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._batches.stop()
                if figures:
                    await end(figures)
                await send({"type": "lifespan.shutdown.complete"})
                return


class Patience:
    """Cancels tasks that read a body for longer than BODY_SECONDS.

    With one timer for all of them, since asyncio.timeout costs each four microseconds, a twentieth of a call.
    """

    def __init__(self) -> None:
        # In the order in which they began.
        self._since: dict[Reader, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> Reader:
        """The calling task begins to read."""
        reader = asyncio.current_task()
        assert reader is not None  # this is a coroutine's question
        self._since[reader] = time.monotonic()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BODY_SECONDS, self._look)
        return reader

    def end(self, reader: Reader) -> None:
        self._since.pop(reader, None)

    def is_over(self, reader: Reader) -> bool:
        return reader not in self._since

    def _look(self) -> None:
        oldest = time.monotonic() - BODY_SECONDS
        for reader, since in list(self._since.items()):
            if since > oldest:
                break
            del self._since[reader]
            reader.cancel()
        first = next(iter(self._since.values()), None)
        self._timer = None
        if first is not None:
            self._timer = asyncio.get_running_loop().call_later(first - oldest, self._look)


def warm() -> None:
    """What the first request would else wait for; and nothing made so far is ever looked at by the collector again."""
    device.read(WARM_AGENT)
    bot.is_bot(WARM_AGENT)
    gc.collect()
    gc.freeze()


def read_headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Names in lower case; of one that came several times the values with a comma between, as in WSGI."""
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return headers


@lru_cache(maxsize=256)
def is_own_host(host: str) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


async def read_body(receive: Receive, headers: Mapping[str, str], limit: int) -> bytes | None:
    """The body, None when it is longer than the limit; never more than the limit is kept.

    Raises ConnectionError when the caller has gone.
    """
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > limit:
        return None
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        body += bytes(message.get("body", b""))
        if len(body) > limit:
            return None
        if not message.get("more_body"):
            return body


async def first_bytes(receive: Receive, most: int) -> bytes:
    """The body; of one longer than `most` bytes no more than it takes to see that.

    Raises ConnectionError when the caller has gone.
    """
    body = bytearray()
    while len(body) <= most:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return bytes(body)


def handing_over(body: bytes) -> Receive:
    """A `receive` that has the whole body."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def answer(send: Send, reply: Reply, *, is_secure: bool) -> None:
    headers = encoded(reply.headers, is_secure)
    # Without one the server would tell a HEAD nothing, where Django says 0.
    if reply.body or reply.status != 204:
        headers = (*headers, (b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


@lru_cache(maxsize=1024)
def encoded(headers: tuple[tuple[str, str], ...], is_secure: bool) -> Headers:
    """An answer's headers as bytes, with those that every answer carries."""
    every = (*headers, *always(is_secure))
    return tuple((name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in every)
