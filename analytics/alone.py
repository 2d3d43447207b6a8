"""What only one process at a time may do, over all hosts: a lock of PostgreSQL's, gone with the connection."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# Any numbers, as long as nothing else locks them.
DRAIN = 7_203_115_440_918
PURGE = 7_203_115_440_919


@contextmanager
def alone(lock: int) -> Iterator[bool]:
    """Whether nobody else is inside such a block just now; who is told no has to leave it at that."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock])
        (got,) = cursor.fetchone()
        try:
            yield got
        finally:
            if got:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])
