"""Every ingest route, for Django's URLconf and for the front."""

from analytics.api.endpoint import Endpoint
from analytics.api.engagement.endpoints import discovery, engagement
from analytics.api.openpanel.endpoints import nowhere, track, track_device_id
from analytics.api.v1.endpoints import collect
from analytics.api.widgets import endpoints as widgets

# By path, in the spelling without a trailing slash.
ENDPOINTS: dict[str, Endpoint] = {
    "/api/v1/collect": collect,
    "/api/track": engagement,
    "/api/track/discovery": discovery,
    "/track": track,
    "//track": track,
    "/track/device-id": track_device_id,
    "//track/device-id": track_device_id,
    **widgets.ENDPOINTS,
}
# By what the path begins with, the longer before the shorter; the endpoint itself reads the rest.
PREFIXES: dict[str, Endpoint] = {
    **widgets.PREFIXES,
    "/track/": nowhere,
    "//track/": nowhere,
}


def endpoint_at(path: str, query: str = "") -> Endpoint | None:
    """The endpoint that serves a path, in either spelling (D-21); None for all else of the site.

    The query decides only at /, which is the front page's and, with a token, the widgets' (D-22).
    """
    if widgets.is_greeting(path, query):
        return widgets.greeting
    endpoint = ENDPOINTS.get(path) or ENDPOINTS.get(path.removesuffix("/"))
    if endpoint is None:
        endpoint = next((point for prefix, point in PREFIXES.items() if path.startswith(prefix)), None)
    return endpoint
