"""Clients come into being here, change here and end here, whoever asks: back office or shell.

Every verb raises ValueError with a sentence for what it refuses. What a client may do ends everywhere within a second
of its end: processes that ingest remember it for less.
"""

import secrets
from datetime import datetime

from django.db import transaction

from accounts import audit, changes, domains
from accounts.models import Client, User, Website

LONGEST_NAME = 120
MOST_HOSTS = 50
# The vendor's own tokens are 64 hexadecimal digits, and pages were written for such.
TOKEN_BYTES = 32


@transaction.atomic
def create_widget_client(
    website: Website, *, name: str = "", redirect_hosts: object = None, by: User | None = None
) -> Client:
    """A public token that widgets of the website send with. It only ever writes, so it is kept and shown in clear."""
    client = Client.objects.create(
        website=website,
        kind=Client.Kind.WIDGET,
        name=checked_name(name),
        token=secrets.token_hex(TOKEN_BYTES),
        redirect_hosts=checked_hosts([] if redirect_hosts is None else redirect_hosts),
    )
    audit.record("client.create", client.id, by=by)
    changes.announce()
    return client


@transaction.atomic
def change_widget_client(
    client: Client, *, name: str | None = None, redirect_hosts: object = None, by: User | None = None
) -> Client:
    """Set what is not None, the hosts as a whole."""
    fields = []
    if name is not None:
        client.name = checked_name(name)
        fields.append("name")
    if redirect_hosts is not None:
        client.redirect_hosts = checked_hosts(redirect_hosts)
        fields.append("redirect_hosts")
    client.save(update_fields=fields)
    audit.record("client.change", client.id, by=by)
    changes.announce()
    return client


@transaction.atomic
def revoke(client: Client, *, by: User | None, now: datetime) -> None:
    """From now on nothing is taken from it. The row stays: what it has sent is known by it."""
    client.revoked_at = now
    client.save(update_fields=["revoked_at"])
    audit.record("client.revoke", client.id, by=by)
    changes.announce()


def checked_name(name: str) -> str:
    name = name.strip()
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(f"name must be one line of at most {LONGEST_NAME} characters.")
    return name


def checked_hosts(hosts: object) -> list[str]:
    """Exact host names that a shop link may lead to besides the website's own domain (contract D-9), each once."""
    if not isinstance(hosts, list):
        raise ValueError('redirect_hosts must be a list, for example ["shop.example.com"].')
    if len(hosts) > MOST_HOSTS:
        raise ValueError(f"redirect_hosts must have at most {MOST_HOSTS} entries.")
    return list(dict.fromkeys(checked_host(host, f"redirect_hosts[{place}]") for place, host in enumerate(hosts)))


def checked_host(host: object, place: str) -> str:
    try:
        return domains.check(host)
    except ValueError as error:
        raise ValueError(f"{place}{str(error).removeprefix('domain')}") from None
