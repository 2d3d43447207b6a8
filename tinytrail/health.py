"""GET /health, for load balancers (contract 2.2).

One thread of the process asks the database, at most once a second, and every request reads its answer: a thousand
requests a second cost what one costs, and a database that hangs holds none of them longer than the patience below.
"""

import logging
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillAsking

from django.conf import settings
from django.db import Error, connections
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from tinytrail.web.openapi import described, record, reply

log = logging.getLogger(__name__)

FRESH_SECONDS = 1.0
PATIENCE_SECONDS = 1.5
# libpq's own limits, so that no asking thread stays behind for good when a server is cut off.
OPTIONS = {"connect_timeout": "2", "tcp_user_timeout": "3000", "options": "-c statement_timeout=2000"}


OPERATION = {
    "operationId": "health",
    "summary": "Whether the server and its database answer",
    "description": "Asked of the database at most once a second, however many ask.",
    "tags": ["operations"],
    "responses": {
        "200": reply(
            "All is well",
            (
                "application/json",
                record(
                    "Healthy",
                    status={"const": "ok"},
                    db={"const": "connected"},
                    version={"type": "string", "description": "Of this server.", "examples": ["0.1.0"]},
                ),
            ),
        ),
        "503": reply(
            "The database does not answer",
            ("application/json", record("Degraded", status={"const": "degraded"}, db={"const": "disconnected"})),
        ),
    },
}


# Nothing can be forged of what is only read; without this a wrong method would be a form's 403.
@described(OPERATION)
@csrf_exempt
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    connected = probe.answers(now=time.monotonic())
    answer = JsonResponse(
        {"status": "ok", "db": "connected", "version": settings.VERSION}
        if connected
        else {"status": "degraded", "db": "disconnected"},
        status=200 if connected else 503,
    )
    answer["Cache-Control"] = "no-store"
    return answer


class Probe:
    """Asks the database in a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked_at = 0.0
        self._answer: Future[bool] | None = None

    def answers(self, *, now: float) -> bool:
        """Whether the database answered within the last second, or does so now. `now` in monotonic seconds."""
        with self._lock:
            if self._answer is None or (self._answer.done() and now - self._asked_at >= FRESH_SECONDS):
                self._asked_at, self._answer = now, Future()
                threading.Thread(target=_ask, args=[self._answer], name="health", daemon=True).start()
            answer, asked_at = self._answer, self._asked_at
        try:
            return answer.result(timeout=max(0.0, asked_at + PATIENCE_SECONDS - now))
        except StillAsking:
            return False


def _ask(answer: Future[bool]) -> None:
    # A connection of its own: one from a pool would come with the pool's patience.
    connection = connections["default"].copy()
    connection.settings_dict["OPTIONS"] = {**connection.settings_dict["OPTIONS"], **OPTIONS, "pool": None}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        answer.set_result(True)
    except (Error, OSError) as error:
        log.warning("The database does not answer: %s", type(error).__name__)
        answer.set_result(False)
    finally:
        connection.close()
        if not answer.done():
            answer.set_result(False)


probe = Probe()
