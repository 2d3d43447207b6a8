"""Clients come into being here, change here and end here, whoever asks: back office or shell.

Every verb raises ValueError with a sentence for what it refuses. What a client may do ends everywhere within a second
of its end: processes that ingest remember it for less.
"""

import secrets
from datetime import datetime

from django.db import transaction

from accounts import audit, changes, domains, erasures, vault
from accounts import origins as origin_list
from accounts.models import Client, Erasure, User, Website

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
def create_openpanel_client(
    website: Website,
    *,
    name: str = "",
    right: str = Client.Right.WRITE,
    origins: object = None,
    by: User | None = None,
) -> tuple[Client, str]:
    """A client and its secret, which is returned this once and kept as its HMAC only."""
    if right not in Client.Right.values:
        raise ValueError("right must be write, read or root.")
    client = Client(
        website=website,
        kind=Client.Kind.OPENPANEL,
        name=checked_name(name),
        right=right,
        origins=origin_list.check([] if origins is None else origins),
    )
    secret = give_secret(client)
    client.save()
    audit.record("client.create", client.id, by=by)
    changes.announce()
    return client, secret


@transaction.atomic
def change_openpanel_client(
    client: Client,
    *,
    name: str | None = None,
    right: str | None = None,
    origins: object = None,
    by: User | None = None,
) -> Client:
    """Set what is not None, the origins as a whole."""
    fields = []
    if name is not None:
        client.name = checked_name(name)
        fields.append("name")
    if right is not None:
        if right not in Client.Right.values:
            raise ValueError("right must be write, read or root.")
        client.right = right
        fields.append("right")
    if origins is not None:
        client.origins = origin_list.check(origins)
        fields.append("origins")
    client.save(update_fields=fields)
    audit.record("client.change", client.id, by=by)
    changes.announce()
    return client


@transaction.atomic
def renew_secret(client: Client, *, by: User | None) -> str:
    """A new secret, returned this once; the old one stops working."""
    secret = give_secret(client)
    client.save(update_fields=["secret_hash"])
    audit.record("client.renew_secret", client.id, by=by)
    erasures.note(Erasure.Kind.CLIENT_SECRET, client.id)
    changes.announce()
    return secret


def give_secret(client: Client) -> str:
    secret = vault.new_secret("sec_")
    client.secret_hash = vault.digest(secret)
    return secret


@transaction.atomic
def revoke(client: Client, *, by: User | None, now: datetime) -> None:
    """From now on nothing is taken from it. The row stays: what it has sent is known by it."""
    client.revoked_at = now
    client.save(update_fields=["revoked_at"])
    audit.record("client.revoke", client.id, by=by)
    erasures.note(Erasure.Kind.CLIENT, client.id)
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
