"""ENDPOINTS: every ingest route by its path, for Django's URLconf and for the front."""

from analytics.api.endpoint import Endpoint
from analytics.api.v1.endpoints import collect

ENDPOINTS: dict[str, Endpoint] = {"/api/v1/collect": collect}
