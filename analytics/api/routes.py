"""Every ingest route, for Django's URLconf and for the front."""

from analytics.api.endpoint import Endpoint
from analytics.api.engagement.endpoints import discovery, engagement
from analytics.api.v1.endpoints import collect

# By path, in the spelling without a trailing slash.
ENDPOINTS: dict[str, Endpoint] = {
    "/api/v1/collect": collect,
    "/api/track": engagement,
    "/api/track/discovery": discovery,
}
# By what the path begins with; the endpoint itself reads the rest.
PREFIXES: dict[str, Endpoint] = {}


def endpoint_at(path: str) -> Endpoint | None:
    """The endpoint that serves a path, in either spelling (D-21); None for all else of the site."""
    endpoint = ENDPOINTS.get(path) or ENDPOINTS.get(path.removesuffix("/"))
    if endpoint is None:
        endpoint = next((point for prefix, point in PREFIXES.items() if path.startswith(prefix)), None)
    return endpoint
