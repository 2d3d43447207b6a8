"""ROOM widgets, its manners: how it answers and how it refuses (contract 5.1)."""

import base64
from datetime import UTC, datetime

from tinytrail.web.call import Refusal, Reply, json_reply

VERSION = "v1.0"
MESSAGES = {
    200: "OK",
    302: "Found",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    429: "Too Many Requests",
    503: "Service Unavailable",
}
RETRY_SECONDS = 5

CORS = (("Access-Control-Allow-Origin", "*"),)
# A cached pixel is a lost event.
UNCACHED = (("Cache-Control", "no-store, no-cache, must-revalidate"), ("Pragma", "no-cache"), *CORS)
# One transparent pixel, in 43 bytes.
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
PIXEL = Reply(200, (("Content-Type", "image/gif"), *UNCACHED, ("Cross-Origin-Resource-Policy", "cross-origin")), GIF)
PREFLIGHT = Reply(
    204,
    (*CORS, ("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS"), ("Access-Control-Max-Age", "86400")),
)


class Refused(Exception):
    """A call is not taken. `reason` is the word it is counted under."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason

    @property
    def refusal(self) -> Refusal:
        return Refusal(error(self.status), self.reason)


def metadata(status: int) -> dict[str, object]:
    return {"code": status, "message": MESSAGES[status], "version": VERSION}


def success(analytics_id: str | None, *, now: datetime, location: str = "") -> Reply:
    """The answer to what was taken; with a location it sends the visitor there."""
    status, headers = (302, (("Location", location),)) if location else (200, ())
    data = {"timestamp": timestamp(now), "analytics_id": analytics_id}
    return json_reply(status, {"metadata": metadata(status), "data": data}, *UNCACHED, *headers)


def error(status: int, *headers: tuple[str, str]) -> Reply:
    """A refusal; 400 is an array without metadata, as the document prints it."""
    body = [{"error": "Invalid params"}] if status == 400 else {"metadata": metadata(status)}
    return json_reply(status, body, *UNCACHED, *headers)


def unavailable() -> Reply:
    return error(503, ("Retry-After", str(RETRY_SECONDS)))


def timestamp(moment: datetime) -> str:
    """UTC with four digits after the point: `2014-06-25 15:19:08.3000`."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 100:04d}"
