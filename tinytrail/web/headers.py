"""Headers that every answer of Django carries, whatever made it (guarantees, A84)."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
# The back office's Alpine compiles expressions and writes style attributes; no script may stand in a page.
ADMIN_POLICY = f"{POLICY}; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'"

# Pages that search engines may keep; all others are somebody's own (P24).
PUBLIC_PAGES = ("/calendar", "/api/schema")
PRIVATE_PAGES = ("/calendar/proposals",)


def always(is_secure: bool) -> tuple[tuple[str, str], ...]:
    """The headers that Django's middleware adds to an answer with nothing special about it, for who answers without."""
    headers = (
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Content-Security-Policy", POLICY),
        ("X-Frame-Options", "DENY"),
    )
    if not is_secure:
        return headers
    return (("Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}"), *headers)


Handler = Callable[[HttpRequest], HttpResponse]


def security_headers(get_response: Handler) -> Handler:
    """Middleware, the outermost. A view that sets a policy of its own keeps it."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if f"{request.path}/".startswith("/admin/"):
            response.headers.setdefault("Content-Security-Policy", ADMIN_POLICY)
        for name, value in always(bool(settings.SECURE_HSTS_SECONDS) and request.is_secure()):
            # A policy that names those who may frame the page says what this header cannot.
            if name != "X-Frame-Options" or not getattr(response, "xframe_options_exempt", False):
                response.headers.setdefault(name, value)
        if is_private_page(request, response):
            response.headers.setdefault("X-Robots-Tag", "noindex, nofollow")
        if response.status_code == 204:
            # CommonMiddleware gives it a length, which a 204 must not have (RFC 9110, 8.6).
            response.headers.pop("Content-Length", None)
        return response

    return handle


def is_private_page(request: HttpRequest, response: HttpResponse) -> bool:
    path = request.path
    is_public = path == "/" or (path.startswith(PUBLIC_PAGES) and not path.startswith(PRIVATE_PAGES))
    return not is_public and response.headers.get("Content-Type", "").startswith("text/html")


def own_host(get_response: Handler) -> Handler:
    """Middleware: a proxy's forwarded host must be one of ours as the Host header must (A82). It is never used."""

    def handle(request: HttpRequest) -> HttpResponse:
        forwarded = request.headers.get("X-Forwarded-Host")
        if forwarded is not None and not validate_host(split_domain_port(forwarded)[0], settings.ALLOWED_HOSTS):
            raise DisallowedHost("The forwarded host is not in TINYTRAIL_ALLOWED_HOSTS.")
        return get_response(request)

    return handle
