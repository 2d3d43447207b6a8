"""GET /js/tracker.js, the script that counts (contract 2.11).

The answer is made once, when the process starts, and depends on nothing of the request but whether gzip may be used:
not on the host, not on the query (A83), and never on a cookie.
"""

import gzip
import hashlib
from pathlib import Path

from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from analytics.api.views import AnyAccept
from tinytrail.web.errors import envelope
from tinytrail.web.openapi import header

SCRIPT = (Path(__file__).parent / "static/analytics/tracker.min.js").read_bytes()
PACKED = gzip.compress(SCRIPT, compresslevel=9, mtime=0)
# A packed answer is another answer, so it has a tag of its own.
DIGEST = hashlib.sha256(SCRIPT).hexdigest()[:20]
HEADERS = {
    "Cache-Control": "public, max-age=86400",
    # Pages that isolate themselves load nothing of another site without it (D-36).
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Vary": "Accept-Encoding",
}


class TrackerView(APIView):
    """Of the framework it uses only what the OpenAPI document is made from."""

    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="v1_tracker",
        summary="The script that counts a website",
        description='`<script defer data-id="the website\'s id" src="https://stats.example.com/js/tracker.js"></script>`',
        auth=[],
        parameters=[
            header("ETag", "For `If-None-Match`.", 200, 304),
            header("Cache-Control", "For a day.", 200, 304),
        ],
        responses={
            (200, "application/javascript"): OpenApiResponse({"type": "string"}, "The script"),
            304: OpenApiResponse(None, "The one that the caller has is the newest"),
        },
        tags=["v1"],
    )
    def get(self, request: Request) -> HttpResponseBase:
        packed = takes_gzip(request.headers.get("Accept-Encoding", ""))
        response = HttpResponse(PACKED if packed else SCRIPT, content_type="application/javascript", headers=HEADERS)
        response["ETag"] = f'"{DIGEST}-gzip"' if packed else f'"{DIGEST}"'
        if packed:
            response["Content-Encoding"] = "gzip"
        answer = get_conditional_response(request._request, etag=response["ETag"], response=response) or response
        # The browser looks at the policy of a 304, too.
        answer["Cross-Origin-Resource-Policy"] = HEADERS["Cross-Origin-Resource-Policy"]
        return answer

    def http_method_not_allowed(  # type: ignore[override]
        self, request: Request, *args: object, **kwargs: object
    ) -> HttpResponseBase:
        # In the words of the dialect the script belongs to (D-24).
        return JsonResponse(envelope(405, f"There is no {request.method} at this address."), status=405)


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding names gzip, and not with a quality of zero."""
    for coding in accepted.lower().split(","):
        name, _, quality = coding.replace(" ", "").partition(";")
        if name == "gzip":
            return quality.rstrip("0.") != "q="
    return False


tracker = TrackerView.as_view(http_method_names=["get", "head"])
