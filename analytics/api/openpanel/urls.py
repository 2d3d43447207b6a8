"""The routes of ROOM openpanel. An address that ends in a slash makes the vendor's clients ask for //track.

What stands under /track and is nobody's is answered in this dialect's words; the widgets' routes stand before it.
"""

from django.urls import re_path

from analytics.api.openpanel.documentation import preflight
from analytics.api.openpanel.endpoints import nowhere, track, track_device_id
from analytics.api.openpanel.export import ExportView
from analytics.api.views import IngestView
from tinytrail.web.openapi import described
from tinytrail.web.routes import both

urlpatterns = [
    *both("export/events", ExportView.as_view()),
    *both("track", described(preflight(track.name), method="options")(IngestView.serving(track))),
    *both(
        "track/device-id",
        described(preflight(track_device_id.name), method="options")(IngestView.serving(track_device_id)),
    ),
    # Django's path() would take a leading slash for a mistake.
    re_path(r"^[/]track/?$", IngestView.serving(track, is_documented=False)),
    re_path(r"^[/]track/device-id/?$", IngestView.serving(track_device_id, is_documented=False)),
    re_path(r"^[/]?track/", IngestView.serving(nowhere, is_documented=False)),
]
