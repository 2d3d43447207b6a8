"""The device and the session that every answer names (contract 6.3, 6.7).

Both are hashes that change with the UTC day: the device's of the visitor key, the session's of who calls and of the
half hour in which the visit began. A session is remembered in Redis, under a hash, for as long as a visit may pause;
without Redis it is that of the call's own half hour, so that all processes still agree.
"""

import hmac
from datetime import datetime
from functools import cache

from django.conf import settings

from analytics.ingest.hit import Hit
from analytics.rollups.visits import GAP_SECONDS
from tinytrail.web.call import Memo

ID_BYTES = 16


def device_id(hit: Hit) -> str:
    """32 hexadecimal digits, of an enriched hit."""
    return device_id_of(hit.columns["visitor"])


def device_id_of(visitor: int) -> str:
    """The same of what is stored."""
    return digest(f"device|{visitor}")


def session(client_id: str, who: str, *, now: datetime, is_visiting: bool) -> Memo:
    """The session of a caller: a new one, if none is remembered. Only what makes or extends a visit keeps it alive.

    Two visits of one caller never begin in the same half hour, which is why it is enough to name a new one.
    """
    key = digest(f"visit|{now.date()}|{client_id}|{who}")
    half_hour = int(now.timestamp()) // GAP_SECONDS
    return Memo("session", key, digest(f"session|{key}|{half_hour}"), GAP_SECONDS, is_visiting)


def digest(text: str) -> str:
    return hmac.digest(secret(), text.encode("utf-8", "surrogatepass"), "sha256")[:ID_BYTES].hex()


@cache
def secret() -> bytes:
    return settings.SECRET_KEY.encode()
