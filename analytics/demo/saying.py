"""What browsers, pages and servers of the demo send, room by room."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from analytics.api.engagement.endpoints import discovery, engagement
from analytics.api.openpanel.endpoints import track
from analytics.api.v1.endpoints import collect
from analytics.api.widgets.endpoints import checkout, widget
from analytics.replay import Past
from analytics.traffic import AGENTS, WIDTHS, Chance
from tinytrail.web.call import Call

JSON = {"content-type": "application/json"}


@dataclass(slots=True, frozen=True)
class Browser:
    """Somebody's, with the address it has today and what its pages call the session."""

    address: str
    agent: str
    width: int
    session: str

    @classmethod
    def of(cls, chance: Chance) -> "Browser":
        draw = chance.random.random
        address = f"{20 + int(draw() * 180)}.{int(draw() * 256)}.{int(draw() * 256)}.{int(draw() * 256)}"
        return cls(address, chance.among(AGENTS), chance.among(WIDTHS), f"s-{chance.random.getrandbits(48):012x}")

    def posts(self, path: str, body: dict[str, Any], **headers: str) -> Call:
        return Call("POST", path, "", JSON | {"user-agent": self.agent} | headers, encoded(body), self.address)

    def asks(self, path: str, query: dict[str, Any]) -> Call:
        return Call("GET", path, urlencode(query, doseq=True), {"user-agent": self.agent}, b"", self.address)


def encoded(body: dict[str, Any]) -> bytes:
    return msgspec.json.encode(body)


def page(
    at: datetime,
    browser: Browser,
    website: str,
    domain: str,
    path: str,
    kind: str = "page_view",
    *,
    query: str = "",
    referrer: str = "",
    properties: dict[str, Any] | None = None,
) -> Past:
    """What the tracker sends."""
    body: dict[str, Any] = {
        "website_id": website,
        "event_type": kind,
        "url": f"https://{domain}{path}{f'?{query}' if query else ''}",
        "path": path,
        "referrer": referrer,
        "screen_width": browser.width,
    }
    if properties:
        body["properties"] = properties
    return Past(at, collect, browser.posts("/api/v1/collect", body))


def engaged(at: datetime, browser: Browser, key: str, action: str, source: str, path: str) -> Past:
    body = {"eventKey": key, "actionType": action, "sessionId": browser.session, "source": source, "path": path}
    return Past(at, engagement, browser.posts("/api/track", body))


def looked(at: datetime, browser: Browser, domain: str, **asked: str) -> Past:
    """A search or a filter; `asked` in the contract's words."""
    body = {"sessionId": browser.session, "path": "/", **asked}
    return Past(at, discovery, browser.posts("/api/track/discovery", body, origin=f"https://{domain}"))


def widget_did(at: datetime, browser: Browser, token: str, path: str, **query: Any) -> Past:  # noqa: ANN401 (any value)
    given = {"auth_token": token, "analytics_id": browser.session} | query
    return Past(at, widget, browser.asks(f"/track/widget/{path}", given))


def bought(at: datetime, browser: Browser, token: str, order: str, **query: Any) -> Past:  # noqa: ANN401 (any value)
    given = {"auth_token": token, "analytics_id": browser.session} | query
    return Past(at, checkout, browser.asks(f"/track/transaction/{order}/checkout.gif", given))


def told(at: datetime, browser: Browser, client: str, secret: str, kind: str, payload: dict[str, Any]) -> Past:
    """A call of an OpenPanel client that has the secret."""
    credentials = {"openpanel-client-id": client, "openpanel-client-secret": secret}
    return Past(at, track, browser.posts("/track", {"type": kind, "payload": payload}, **credentials))
