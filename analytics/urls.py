"""The routes of everything about what happened."""

from django.urls import include, path, re_path

from analytics.tracker import tracker

urlpatterns = [
    re_path(r"^js/tracker\.js/?$", tracker, name="tracker"),
    path("api/v1/", include("analytics.api.v1.urls")),
]
