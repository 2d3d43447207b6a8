"""Django as a WSGI application: everything that is not an ingest route."""

import io
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.wsgi import get_wsgi_application

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tinytrail.settings")

# More than any body that a route of Django's takes (contract 1.3); the route then says what it thinks of the size.
MOST_CHUNKED_BYTES = 4 * 1024 * 1024

django = get_wsgi_application()


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Django reads no further than Content-Length says. A chunked body has none, and would seem empty."""
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() and not environ.get("CONTENT_LENGTH"):
        body = environ["wsgi.input"].read(MOST_CHUNKED_BYTES)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
    return django(environ, start_response)
