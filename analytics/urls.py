"""The routes of everything about what happened."""

from django.urls import include, path

from analytics.api.engagement.endpoints import discovery, engagement
from analytics.api.views import IngestView
from analytics.tracker import tracker
from tinytrail.web.routes import both

urlpatterns = [
    *both("js/tracker.js", tracker, "tracker"),
    path("api/v1/", include("analytics.api.v1.urls")),
    *both("api/track", IngestView.serving(engagement)),
    *both("api/track/discovery", IngestView.serving(discovery)),
    path("", include("analytics.dashboard.urls")),
    path("", include("analytics.api.widgets.urls")),
    # Last: it answers for whatever stands under /track and is nobody's.
    path("", include("analytics.api.openpanel.urls")),
]
