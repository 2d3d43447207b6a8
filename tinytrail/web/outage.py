"""While PostgreSQL does not answer, nobody is told that something is broken: 503, and when to come again (D-26)."""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from tinytrail.web.errors import unavailable

log = logging.getLogger(__name__)

RETRY_SECONDS = 5


class OutageMiddleware:
    """For views that say nothing of it themselves."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, (OperationalError, InterfaceError)):
            return None
        log.warning("The database does not answer: %s", type(exception).__name__)
        answer = unavailable(request)
        answer["Retry-After"] = str(RETRY_SECONDS)
        return answer
