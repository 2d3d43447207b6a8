"""The web process: the front, with Django's WSGI application behind it, on one port.

Whatever starts it, it does not serve with settings, a PostgreSQL or a Redis that would lose what it accepts.
"""

import sys

from a2wsgi import WSGIMiddleware
from django.core.exceptions import ImproperlyConfigured

from tinytrail.wsgi import application as django

# Imported once Django is set up, which tinytrail.wsgi has done.
from analytics.api.front import Front, Message, Receive, Scope, Send  # isort: skip
from analytics.api.routes import endpoint_at  # isort: skip
from django.db import connection  # isort: skip
from tinytrail.checks import refuse_wrong_installation  # isort: skip
from tinytrail.connections import WEB_THREADS  # isort: skip

try:
    refuse_wrong_installation()
except ImproperlyConfigured as error:
    sys.exit(str(error))
finally:
    # The threads have connections of their own.
    connection.close()

# An answer that is read slowly waits on the event loop for as long as it takes, and holds none of the few threads.
WITHOUT_BOUND = 0
# The two libraries spell the types of one protocol differently.
threads = WSGIMiddleware(django, workers=WEB_THREADS, send_queue_size=WITHOUT_BOUND)  # type: ignore[arg-type]


async def in_threads(scope: Scope, receive: Receive, send: Send) -> None:
    """Granian's `receive` returns what can be awaited and is no coroutine, which a2wsgi needs to read a body."""

    async def received() -> Message:
        return await receive()

    await threads(scope, received, send)  # type: ignore[arg-type]


application = Front(endpoint_at, in_threads)
