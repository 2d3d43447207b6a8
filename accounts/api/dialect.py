"""ROOM v1, its manners: a key in X-API-KEY, two roles, one limit a key, and an envelope around every answer.

Checks run in the order of contract 2.1: route, key (401), limit (429), role (403), id in the path (400), resource
(404), body and query (400).
"""

import logging
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import msgspec
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest
from django.http.request import UnreadablePostError
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import keys, limits
from accounts.api.documentation import V1Schema
from accounts.models import User
from tinytrail.web import body
from tinytrail.web.errors import envelope

log = logging.getLogger(__name__)

T = TypeVar("T")

MOST_BODY_BYTES = 256 * 1024
RETRY_SECONDS = 5
CHARSETS = ("", "utf-8", "utf8")
UUID_SHAPE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
OBJECT: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])


# -- what views say ---------------------------------------------------------------------------------------------------


class InvalidPayload(exceptions.APIException):
    """400, with a sentence that says which field and what would be right."""

    status_code = 400


class NotFound(exceptions.NotFound):
    """404. There is only one sentence, so that nobody learns whether somebody else has it."""

    default_detail = "Not found."


class BodyTooLarge(exceptions.APIException):
    status_code = 413


class Unavailable(exceptions.APIException):
    """503: the database is away, and comes back."""

    status_code = 503
    default_detail = "The database does not answer. Please try again."


def success(data: object, status: int = 200) -> Response:
    """The envelope around `data`, any JSON value."""
    return Response({"status": "success", "data": data}, status=status)


def timestamp(moment: datetime) -> str:
    """`2026-01-15T10:30:00.000Z`"""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def path_uuid(text: str, name: str = "id") -> UUID:
    """A UUID in its usual form, in either case; braces, `urn:uuid:` and bare digits are not it (A25).

    Raises InvalidPayload.
    """
    if not UUID_SHAPE.fullmatch(text):
        raise InvalidPayload(f"{name} must be a UUID, for example 550e8400-e29b-41d4-a716-446655440000.")
    return UUID(text)


# -- who is calling ---------------------------------------------------------------------------------------------------


class KeyAuthentication(BaseAuthentication):
    """The key counts in the X-API-KEY header only. Two such headers arrive joined by a comma, which no key holds."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        key = request.META.get("HTTP_X_API_KEY", "")
        if not key:
            return None
        user = keys.find(key)
        if user is None:
            # The same words as for no key: nothing says whether it ever existed (A18).
            raise exceptions.NotAuthenticated
        return user, None

    def authenticate_header(self, request: Request) -> str:
        # Without this DRF turns every 401 into a 403.
        return "X-API-KEY"


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = KeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-KEY",
            "description": "A user's key. Keys of admins may do everything; others read their own account's websites.",
        }


# -- how it is read and answered --------------------------------------------------------------------------------------


class JsonAlways(BaseContentNegotiation):
    """Neither Accept nor ?format= changes anything."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type or ""


class JsonObject(BaseParser):
    """A JSON object of at most 256 KiB that PostgreSQL can hold (contract 1.2, 1.3), or a refusal."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,  # noqa: ANN401 (DRF's signature)
        media_type: str | None = None,
        parser_context: Any = None,  # noqa: ANN401 (DRF's signature)
    ) -> dict[str, Any]:
        check_encoding(parser_context["request"]._request)
        try:
            raw = stream.read(MOST_BODY_BYTES + 1)
        except UnreadablePostError:
            raise InvalidPayload("The body ended too early.") from None
        if len(raw) > MOST_BODY_BYTES:
            raise BodyTooLarge(f"The body must have at most {MOST_BODY_BYTES} bytes.")
        try:
            data = body.decode(OBJECT, raw) if raw else {}
            body.check_free_form(data, "The body")
        except body.BadBody as error:
            raise InvalidPayload(str(error)) from None
        return data


def check_encoding(request: HttpRequest) -> None:
    """No content type is JSON as well; any other is a mistake worth telling."""
    charset = (request.content_params or {}).get("charset", "").lower()
    if request.content_type not in ("", "application/json") or charset not in CHARSETS:
        raise exceptions.UnsupportedMediaType("", "The body must be application/json in UTF-8.")
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise exceptions.UnsupportedMediaType("", "The body must not be compressed.")


class V1View(APIView):
    """The base of every protected view of API v1. `admin_only` keeps users out with 403."""

    admin_only: ClassVar[bool] = False

    http_method_names = ("get", "post", "patch", "delete", "head")
    authentication_classes = (KeyAuthentication,)
    permission_classes = ()
    throttle_classes = ()
    content_negotiation_class = JsonAlways
    parser_classes = (JsonObject,)
    renderer_classes = (JSONRenderer,)
    schema = V1Schema()

    @property
    def caller(self) -> User:
        user = self.request.user
        assert isinstance(user, User)  # check_permissions let nobody else pass
        return user

    def check_permissions(self, request: Request) -> None:
        if not isinstance(request.user, User):
            raise exceptions.NotAuthenticated
        # A preflight spends no limit.
        if request.method != "OPTIONS" and (
            wait := limits.retry_after("API_KEY", bytes(request.user.key_hash or b"").hex())
        ):
            raise exceptions.Throttled(wait)
        if self.admin_only and not request.user.is_admin:
            raise exceptions.PermissionDenied

    def read(self, shape: type[T]) -> T:
        """The request's body as a msgspec struct. Unknown fields are ignored, null is absent (D-16)."""
        given = {name: value for name, value in dict(self.request.data).items() if value is not None}
        try:
            return msgspec.convert(given, shape)
        except msgspec.ValidationError as error:
            raise InvalidPayload(f"{str(error).replace('$.', '')}.") from None

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        return refusal


# -- how it refuses ---------------------------------------------------------------------------------------------------


def refusal(error: Exception, context: dict[str, Any]) -> Response:
    """The envelope of any exception. What nobody foresaw is logged, and answered without detail."""
    known = as_known(error)
    if known is None:
        log.error("%s in %s", type(error).__name__, type(context["view"]).__name__, exc_info=error)
        return Response(envelope(500, "Something went wrong."), status=500)
    answer = Response(envelope(known.status_code, sentence(known)), status=known.status_code)
    if isinstance(known, exceptions.Throttled):
        answer["Retry-After"] = str(known.wait)  # type: ignore[attr-defined] # missing in the stubs
    if isinstance(known, Unavailable):
        answer["Retry-After"] = str(RETRY_SECONDS)
    if header := getattr(known, "auth_header", None):
        answer["WWW-Authenticate"] = header
    return answer


def as_known(error: Exception) -> exceptions.APIException | None:
    if isinstance(error, exceptions.APIException):
        return error
    if isinstance(error, Http404):
        return NotFound()
    if isinstance(error, (OperationalError, InterfaceError)):
        log.warning("The database does not answer: %s", type(error).__name__)
        return Unavailable()
    return None


SENTENCES = {
    401: "A valid API key is required in the X-API-KEY header.",
    403: "This needs an API key with the role admin.",
    429: "Too many requests with this API key.",
}


def sentence(error: exceptions.APIException) -> str:
    return SENTENCES.get(error.status_code) or str(error.detail)
