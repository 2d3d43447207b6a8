"""The routes of everything about what happened."""

from django.urls import include, path

from analytics.tracker import tracker
from tinytrail.web.routes import both

urlpatterns = [
    *both("js/tracker.js", tracker, "tracker"),
    path("api/v1/", include("analytics.api.v1.urls")),
]
