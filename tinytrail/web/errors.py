"""Errors that no room answers: the envelope of API v1 under /api/v1/, a small page elsewhere. No detail, no trace."""

import base64
import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.html import format_html

# The closed list of contract 2.1, with the statuses of D-24.
CODES = {
    400: "INVALID_PAYLOAD",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "INVALID_PAYLOAD",
    413: "INVALID_PAYLOAD",
    415: "INVALID_PAYLOAD",
    429: "RATE_LIMITED",
    500: "INTERNAL_ERROR",
    503: "INTERNAL_ERROR",
}

STYLE = (
    "body{font:1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1.5rem;color-scheme:light dark}"
    "h1{font-size:1.4rem}code{overflow-wrap:anywhere}"
)
PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<meta name="robots" content="noindex"><title>{title}</title><style>{style}</style>'
    "<main><h1>{title}</h1><p>{text}</p></main></html>"
)
# The one inline style is named by its hash, so that no other passes.
PAGE_POLICY = "default-src 'self'; style-src 'sha256-{}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


def envelope(status: int, message: str) -> dict[str, Any]:
    """The body of a refusal in API v1."""
    return {"status": "error", "error": {"code": CODES[status], "message": message}}


def page(status: int, title: str, text: str) -> HttpResponse:
    """A small page that needs no template, no static file and no database. `text` may hold safe HTML."""
    style_hash = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return HttpResponse(
        format_html(PAGE, title=title, style=STYLE, text=text),
        status=status,
        headers={"Content-Security-Policy": PAGE_POLICY.format(style_hash), "Cache-Control": "no-store"},
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 400, "Bad request", "The server does not understand this request.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 403, "Not allowed", "You may not do this. Reload the page before and try again.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 404, "Not found", "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    return _answer(request, 500, "Something went wrong", "The error has been logged. Please try again later.")


def unavailable(request: HttpRequest) -> HttpResponse:
    return _answer(request, 503, "Please try again in a moment", "The database does not answer just now.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return permission_denied(request, PermissionError())


def _answer(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    # `path` is what was asked for: with a bad Host header nothing has been resolved.
    if f"{request.path}/".startswith("/api/v1/"):
        return JsonResponse(envelope(status, text), status=status)
    return page(status, title, text)
