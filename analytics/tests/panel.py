"""OpenPanel calls for tests, as the vendor's clients make them."""

import json
from typing import Any

from django.test import Client as HttpClient

from accounts.clients import create_openpanel_client
from accounts.models import Client, Website
from analytics.tests.builders import CHROME

ORIGIN = "https://app.acme.example"
SERVER = "python-requests/2.34.2"


class Panel:
    """A client of a website, with its secret and one allowed origin."""

    def __init__(self, website: Website, *, right: str = "write", origins: list[str] | None = None) -> None:
        self.website = website
        self.client, self.secret = create_openpanel_client(
            website, right=right, origins=[ORIGIN] if origins is None else origins
        )

    @property
    def trusted(self) -> dict[str, str]:
        """The headers of a server, which has the secret."""
        return {
            "openpanel-client-id": str(self.client.id),
            "openpanel-client-secret": self.secret,
            "user-agent": SERVER,
        }

    @property
    def public(self) -> dict[str, str]:
        """The headers of a browser, which has none."""
        return {"openpanel-client-id": str(self.client.id), "origin": ORIGIN, "user-agent": CHROME}

    def send(self, type_: str, payload: Any, headers: dict[str, str] | None = None, **more: Any) -> Any:
        return post({"type": type_, "payload": payload} | more, self.trusted if headers is None else headers)

    def track(self, name: str = "signup", headers: dict[str, str] | None = None, **payload: Any) -> Any:
        return self.send("track", {"name": name, **payload}, headers)


def post(body: Any, headers: dict[str, str], *, path: str = "/track") -> Any:
    """`body` as JSON, or as it is when it is bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json"} | headers
    # With the host: of an address that begins with two slashes the rest would be one.
    return HttpClient().generic(
        "POST", f"http://testserver{path}", raw, content_type=headers.pop("content-type"), headers=headers
    )


def make_panel(website: Website, **options: Any) -> Panel:
    return Panel(website, **options)


def client_of(panel: Panel) -> Client:
    return Client.objects.get(pk=panel.client.pk)
