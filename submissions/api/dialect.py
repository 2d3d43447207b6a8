"""ROOM event-submissions, its manners: no key, JSON in and out, and a body in one shape for whatever is refused.

Checks run in the order of contract 4.2; every refusal is counted.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest
from django.http.request import UnreadablePostError
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from submissions import failures, limits
from submissions.intake import Closed, TooMany, count_refusal
from submissions.models import Calendar
from submissions.proposal import Invalid
from tinytrail.web import body, client

log = logging.getLogger(__name__)

MOST_BODY_BYTES = 64 * 1024
RETRY_SECONDS = 5
# On all answers, as the calendar's other routes have them (contract 3.1).
NO_STORE = {
    "Cache-Control": "private, no-store, no-cache, max-age=0, must-revalidate, proxy-revalidate",
    "Pragma": "no-cache",
    "Expires": "0",
}
OBJECT: msgspec.json.Decoder[Any] = msgspec.json.Decoder()

CLOSED = "Event submissions are temporarily closed."
DETAILS = "Invalid submission details"
MEDIA_TYPE = "Unsupported media type"
METHOD = "Method not allowed"
PAYLOAD = "Invalid request payload"
RECEIVED = "Thanks, your event submission has been received for review."
TOO_LARGE = "Request body too large"
TOO_MANY = "Too many submissions. Please try again shortly."
UNAVAILABLE = "Submission service unavailable"


class Refusal(exceptions.APIException):
    """An answer that is no success: what it says, and the reason under which it is counted."""

    def __init__(
        self, status: int, error: str, reason: str, *, issues: list[str] | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(error)
        self.status_code = status
        self.body: dict[str, object] = {"success": False, "error": error}
        if issues is not None:
            self.body["issues"] = issues
        self.reason = reason
        self.retry_after = retry_after


def unavailable(reason: str) -> Refusal:
    return Refusal(503, UNAVAILABLE, reason, retry_after=RETRY_SECONDS)


class JsonAlways(BaseContentNegotiation):
    """Neither Accept nor ?format= changes anything."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type or ""


class SubmissionApiView(APIView):
    """The base of the room's views. `calendar` is set once it is known, for the counts."""

    http_method_names = ("post",)
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    content_negotiation_class = JsonAlways
    renderer_classes = (JSONRenderer,)

    calendar: Calendar | None = None

    def finalize_response(self, request: Request, response: Any, *args: object, **kwargs: object) -> Any:  # noqa: ANN401 (DRF's signature)
        answer = super().finalize_response(request, response, *args, **kwargs)
        for name, value in NO_STORE.items():
            answer[name] = value
        return answer

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        return refusal


def refusal(error: Exception, context: dict[str, Any]) -> Response:
    """The answer to any exception. What nobody foresaw is logged, and answered without detail."""
    view: SubmissionApiView = context["view"]
    known = as_known(error)
    if known is None:
        failures.note(log, error, where=type(view).__name__)
        known = unavailable("storage_unavailable")
    count_refusal(known.reason, calendar=view.calendar, now=timezone.now())
    answer = Response(known.body, status=known.status_code)
    if known.retry_after is not None:
        answer["Retry-After"] = str(known.retry_after)
    return answer


def as_known(error: Exception) -> Refusal | None:
    if isinstance(error, Refusal):
        return error
    if isinstance(error, exceptions.MethodNotAllowed):
        return Refusal(405, METHOD, "wrong_method")
    if isinstance(error, Closed):
        return Refusal(503, CLOSED, "closed")
    if isinstance(error, TooMany):
        return Refusal(429, TOO_MANY, error.reason, retry_after=error.retry_after)
    if isinstance(error, limits.Unavailable):
        return unavailable("limiter_unavailable")
    if isinstance(error, Invalid):
        issues = [f"{field}: {sentence}" for field, sentence in error.issues.items()]
        return Refusal(400, DETAILS, "invalid_field", issues=issues)
    return None


def address_of(request: HttpRequest) -> str:
    return client.address(
        request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""), settings.TRUSTED_PROXIES
    )


def check_media_type(request: HttpRequest) -> None:
    if "application/json" not in request.META.get("CONTENT_TYPE", "").lower():
        raise Refusal(415, MEDIA_TYPE, "unsupported_media_type")


def fields_of(request: HttpRequest) -> dict[str, Any]:
    """The body's fields. Raises Refusal for what is no JSON object that PostgreSQL could hold (contract 1.2)."""
    raw = raw_body(request)
    try:
        fields = body.decode(OBJECT, raw)
        if isinstance(fields, dict):
            for value in fields.values():
                if isinstance(value, dict | list):
                    body.check_free_form(value, "The body", depth=2)
    except body.BadBody:
        raise Refusal(400, PAYLOAD, "malformed_json") from None
    if not isinstance(fields, dict):
        raise Invalid({"body": "Must be a JSON object."})
    return fields


def raw_body(request: HttpRequest) -> bytes:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isascii() and length.isdigit() and int(length[:20]) > MOST_BODY_BYTES:
        raise Refusal(413, TOO_LARGE, "too_large")
    try:
        raw = request.read(MOST_BODY_BYTES + 1)
    except UnreadablePostError:
        raise Refusal(400, PAYLOAD, "malformed_json") from None
    if len(raw) > MOST_BODY_BYTES:
        raise Refusal(413, TOO_LARGE, "too_large")
    return raw
