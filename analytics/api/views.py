"""One generic view behind which plain Django serves every ingest route, from the same endpoint objects as the front."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from analytics.api.documentation import EndpointSchema
from analytics.api.endpoint import Endpoint
from analytics.ingest import background
from tinytrail.web import client
from tinytrail.web.call import Call, Reply


class AnyAccept(BaseContentNegotiation):
    """Answers are what the contract says, whatever the caller accepts: an <img> accepts images only."""

    def select_parser(self, request: Request, parsers: Any) -> Any:  # noqa: ANN401 (DRF's signature)
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:  # noqa: ANN401
        return renderers[0], renderers[0].media_type


class IngestView(APIView):
    # Given in the URLconf; Django wants the attribute to be there.
    endpoint: Endpoint = None  # type: ignore[assignment]
    content_negotiation_class = AnyAccept
    # The endpoint says all there is to say in headers.
    default_response_headers: ClassVar[dict[str, str]] = {}

    schema = EndpointSchema()

    @classmethod
    def serving(cls, endpoint: Endpoint, *, is_documented: bool = True) -> Callable[..., HttpResponseBase]:
        """The view of one endpoint, for the URLconf; another spelling of a route stands in no documentation."""
        methods = [method.lower() for method in endpoint.methods]
        options: dict[str, Any] = {} if is_documented else {"schema": None}
        return cls.as_view(endpoint=endpoint, http_method_names=[*methods, "options"], **options)

    def post(self, request: Request, *args: object, **kwargs: object) -> HttpResponse:
        return self.take(request)

    def get(self, request: Request, *args: object, **kwargs: object) -> HttpResponse:
        return self.take(request)

    def head(self, request: Request, *args: object, **kwargs: object) -> HttpResponse:
        return self.take(request)

    def options(self, request: Request, *args: object, **kwargs: object) -> HttpResponse:  # type: ignore[override]
        return as_response(self.endpoint.preflight(as_call(request._request, self.endpoint.body_limit)))

    def http_method_not_allowed(  # type: ignore[override]
        self, request: Request, *args: object, **kwargs: object
    ) -> HttpResponse:
        return self.take(request)

    def take(self, request: Request) -> HttpResponse:
        call = as_call(request._request, self.endpoint.body_limit)
        reading = self.endpoint.take(call, now=timezone.now())
        return as_response(self.endpoint.reply(call, background.submit(reading)))


def as_call(request: HttpRequest, body_limit: int) -> Call:
    return Call(
        method=request.method or "",
        path=request.path,
        query=request.META.get("QUERY_STRING", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body_within(request, body_limit),
        address=client.address(
            request.META.get("REMOTE_ADDR", ""),
            request.META.get("HTTP_X_FORWARDED_FOR", ""),
            settings.TRUSTED_PROXIES,
        ),
    )


def body_within(request: HttpRequest, limit: int) -> bytes | None:
    """The body, None when it is longer than the limit; never more than the limit is read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isascii() or not length.isdigit() or int(length) > limit:
        return None
    # Without a length Django sees no body; the server's own stream knows where a chunked one ends.
    chunked = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
    stream = request.META["wsgi.input"] if chunked else request
    body = stream.read(limit + 1)
    return body if len(body) <= limit else None


def as_response(reply: Reply) -> HttpResponse:
    response = HttpResponse(reply.body, status=reply.status)
    # An answer without a body has no content type.
    del response["Content-Type"]
    for name, value in reply.headers:
        response[name] = value
    return response
