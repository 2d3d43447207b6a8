"""ROOM widgets: whose token it is."""

import re
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from accounts.models import Client
from analytics.ingest.grants import Grant, Kind
from analytics.ingest.website import FIELDS, as_site, rows

# What could be a token; nothing else is looked up.
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(slots=True, frozen=True)
class Permit(Grant):
    """A token's website, the client it belongs to, and the hosts that its shop links may lead to."""

    client: UUID
    redirect_hosts: frozenset[str]


class Tokens(Kind):
    """Calls that name a widget's public token."""

    async def load(
        self, connection: psycopg.AsyncConnection[Any], keys: Collection[Hashable]
    ) -> Mapping[Hashable, Grant]:
        wanted = Client.objects.live().filter(kind=Client.Kind.WIDGET, token__in=keys)
        columns = ("token", "id", "redirect_hosts", *(f"website__{field}" for field in FIELDS))
        found = await rows(connection, wanted.values_list(*columns))
        return {token: Permit(as_site(*website), client, frozenset(hosts)) for token, client, hosts, *website in found}


tokens = Tokens()
