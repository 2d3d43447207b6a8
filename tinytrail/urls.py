"""The map of the site. Each dialect's routes stand in its own room; both spellings of every route are served."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts.sign_in import sign_in
from tinytrail.front import root
from tinytrail.health import health
from tinytrail.metrics import metrics
from tinytrail.web.routes import both

# Else DRF answers OPTIONS with a description of its own, for which the page of the documentation has no template.
SAFE = ["get", "head"]

urlpatterns = [
    path("", root, name="front"),
    *both("health", health, "health"),
    *both("metrics", metrics, "metrics"),
    *both("sign-in/<str:token>", sign_in, "sign_in"),
    path("admin/", include("analytics.calendar.urls")),
    path("admin/", include("analytics.integration.urls")),
    path("admin/", admin.site.urls),
    path("admin", admin.site.admin_view(admin.site.index)),
    path("api/v1/", include("accounts.api.urls")),
    path("", include("submissions.urls")),
    path("", include("analytics.urls")),
    *both("api/schema", SpectacularAPIView.as_view(http_method_names=SAFE), "schema"),
    *both(
        "api/schema/docs", SpectacularSwaggerSplitView.as_view(url_name="schema", http_method_names=SAFE), "schema_docs"
    ),
]
handler400 = "tinytrail.web.errors.bad_request"
handler403 = "tinytrail.web.errors.permission_denied"
handler404 = "tinytrail.web.errors.not_found"
handler500 = "tinytrail.web.errors.server_error"
