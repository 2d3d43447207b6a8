"""Lines to paste: what connects a page, a server or a client to this installation, with its own keys in it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.html import format_html

from accounts.admin_clients import examples
from accounts.models import Client, Website

# What stands for a secret, which is shown once and kept as a digest only.
SECRET = "YOUR-SECRET"


@dataclass(slots=True, frozen=True)
class Line:
    """What it is for, and the text to copy."""

    title: str
    text: str
    note: str = ""


def of_website(website: Website, server: str) -> list[Line]:
    tracker = f"{server}{reverse('tracker')}"
    body = {
        "website_id": str(website.public_id),
        "event_type": "custom",
        "url": f"https://{website.domain}/",
        "path": "/",
        "properties": {"event_name": "signup"},
    }
    return [
        Line("Website id", str(website.public_id)),
        Line(
            "Tracking snippet",
            format_html('<script defer data-id="{}" src="{}"></script>', website.public_id, tracker),
            "Put it into the head of every page. It sets no cookie.",
        ),
        Line(
            "An event of your own, in a page",
            'tinytrail.track("signup", { plan: "pro" })',
            "Once the snippet is in the page.",
        ),
        Line("The same from a shell", curl(f"{server}/api/v1/collect", body)),
    ]


def of_client(client: Client, server: str) -> list[Line]:
    return of_widget(client, server) if client.kind == Client.Kind.WIDGET else of_openpanel(client, server)


def of_widget(client: Client, server: str) -> list[Line]:
    token = Line("Token", str(client.token), "It is public: it stands in pages, and only ever writes.")
    return [token, *(Line(what, line) for what, line in examples(client, server))]


def of_openpanel(client: Client, server: str) -> list[Line]:
    keys = {"openpanel-client-id": str(client.id), "openpanel-client-secret": SECRET}
    body = {"type": "track", "payload": {"name": "signup", "properties": {"plan": "pro"}}}
    return [
        Line("Client id", str(client.id), f"Put its secret for {SECRET}; it was shown when it was issued."),
        Line(
            "JavaScript, in a page",
            'import { OpenPanel } from "@openpanel/web";\n\n'
            f'const op = new OpenPanel({{ clientId: "{client.id}", apiUrl: "{server}", trackScreenViews: true }});\n'
            'op.track("signup", { plan: "pro" });',
            f"Pages on the client’s list of origins need no secret: {', '.join(client.origins) or 'it is empty'}.",
        ),
        Line(
            "Python, on a server",
            "from openpanel import OpenPanel\n\n"
            f'op = OpenPanel(client_id="{client.id}", client_secret="{SECRET}", api_url="{server}")\n'
            'op.track("signup", {"plan": "pro"})',
        ),
        Line("From a shell", curl(f"{server}/track", body, **keys)),
    ]


def curl(address: str, body: Mapping[str, object], **headers: str) -> str:
    given = "".join(
        f" \\\n  -H '{name}: {value}'" for name, value in {"content-type": "application/json", **headers}.items()
    )
    return f"curl {address}{given} \\\n  -d '{json.dumps(body)}'"
