"""Whom a call is for, and whether it may send: a verified secret, or an origin on the client's list (contract 6.1)."""

import hmac
import re
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from accounts import vault
from accounts.models import Client
from accounts.origins import Origins
from analytics.ingest.grants import Grant, Kind
from analytics.ingest.website import FIELDS, as_site, rows
from tinytrail.web.call import Call

# As the real service has it: lower case, with hyphens.
CLIENT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Older clients of the vendor's call themselves by its first name.
ID_HEADERS = ("openpanel-client-id", "mixan-client-id")
SECRET_HEADERS = ("openpanel-client-secret", "mixan-client-secret")
LONGEST_SECRET = 255


@dataclass(slots=True, frozen=True)
class Credentials:
    """What a call says of itself. Empty where it says nothing."""

    client_id: str
    secret: str
    origin: str

    @property
    def key(self) -> UUID | None:
        """The client's id, None when it cannot be one."""
        return UUID(self.client_id) if CLIENT_ID.fullmatch(self.client_id) else None


@dataclass(slots=True, frozen=True)
class ClientGrant(Grant):
    """A live client with its website."""

    right: str
    secret_hash: bytes
    origins: Origins

    def is_secret(self, secret: str) -> bool:
        """Compared in constant time; a secret is long enough to need no slow hash."""
        return len(secret) <= LONGEST_SECRET and hmac.compare_digest(vault.digest(secret), self.secret_hash)


class Clients(Kind):
    """Calls that name an OpenPanel client by its id."""

    async def load(
        self, connection: psycopg.AsyncConnection[Any], keys: Collection[Hashable]
    ) -> Mapping[Hashable, Grant]:
        found = (
            Client.objects.live()
            .filter(kind=Client.Kind.OPENPANEL, id__in=[key for key in keys if isinstance(key, UUID)])
            .values_list("id", "right", "secret_hash", "origins", *(f"website__{name}" for name in FIELDS))
        )
        return {
            id_: ClientGrant(as_site(*site), right, bytes(secret_hash or b""), Origins(origins))
            for id_, right, secret_hash, origins, *site in await rows(connection, found)
        }


def credentials_of(call: Call, client_id: object = None, secret: object = None) -> Credentials:
    """From the headers, else from what stands in the body (contract 6.1)."""
    return Credentials(
        client_id=in_headers(call, ID_HEADERS) or text(client_id),
        secret=in_headers(call, SECRET_HEADERS) or text(secret),
        origin=call.headers.get("origin", "").strip(),
    )


def in_headers(call: Call, names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := call.headers.get(name, "").strip())), "")


def text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def is_verified(grant: ClientGrant, given: Credentials) -> bool | None:
    """True with the right secret, False with an allowed origin and no secret, None when the call may not send.

    A wrong secret is refused even where the origin alone would do (D-12): somebody believes to be trusted.
    """
    if given.secret:
        return True if grant.is_secret(given.secret) else None
    return False if given.origin in grant.origins else None


clients = Clients()
