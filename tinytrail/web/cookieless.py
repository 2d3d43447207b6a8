"""The routes that ignore cookies entirely: what they answer is the same with and without, and none is ever set."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

# API keys, public ids and tokens say who is calling there (guarantees, CORS).
PREFIXES = ("/api/v1/", "/api/event-submissions", "/js/", "/track", "//track", "/export", "/api/track", "/health")


class CookielessMiddleware:
    """Stands before the session's middleware, which else would answer a stale cookie with a deletion of it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # The front page is the same for everybody, and with a token in its query it is a widget's answer.
        if request.path_info == "/" or request.path_info.startswith(PREFIXES):
            request.COOKIES = {}
        return self.get_response(request)
