"""Call and Reply: a request and an answer without a framework.

Endpoints of the ingesting rooms are pure functions between these two, so that the same objects stand behind Django
and behind the ASGI front.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, frozen=True)
class Call:
    """One request, as far as an endpoint may know it.

    `headers` has lower-case names; `body` is None when it was longer than the endpoint's limit; `address` is the
    client's address as `web.client.address` found it, an empty string when there is none.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes | None
    address: str

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(slots=True, frozen=True)
class Reply:
    """One answer: status, headers in order, body."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def with_headers(self, *headers: tuple[str, str]) -> "Reply":
        return Reply(self.status, self.headers + headers, self.body)


@dataclass(slots=True, frozen=True)
class Limit:
    """One limit a call falls under: at most `count` calls in `seconds`, counted by `key` from the first of them."""

    name: str
    key: str
    count: int
    seconds: int


@dataclass(slots=True, frozen=True)
class Memo:
    """Something to remember from call to call: `value`, when nothing is remembered yet.

    It is forgotten so many seconds after the last call that keeps it; the others only look.
    """

    name: str
    key: str
    value: str
    seconds: int
    is_kept: bool = True


@dataclass(slots=True, frozen=True)
class Refusal:
    """Why a call is not stored: the answer, and the reason under which it is counted."""

    reply: Reply
    reason: str
    website_id: int | None = field(default=None)


def json_reply(status: int, data: Any, *headers: tuple[str, str]) -> Reply:  # noqa: ANN401 (any JSON value)
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, (("Content-Type", "application/json"), *headers), body)
