"""The routes of the dashboard: behind the back office's door, and under shared links."""

from django.contrib import admin
from django.views.decorators.http import require_safe

from analytics.dashboard import event, sharing, views
from analytics.dashboard.documentation import EXPORT
from analytics.dashboard.place import for_link, for_user
from tinytrail.web.openapi import described
from tinytrail.web.routes import both

urlpatterns = [
    *both("dashboard", admin.site.admin_view(require_safe(views.front)), "dashboards"),
    *both("dashboard/<uuid:website>", for_user(require_safe(views.board)), "dashboard"),
    *both("dashboard/<uuid:website>/list/<slug:tab>", for_user(require_safe(views.listed)), "dashboard_list"),
    *both("dashboard/<uuid:website>/csv/<slug:tab>", for_user(require_safe(views.exported)), "dashboard_csv"),
    *both("dashboard/<uuid:website>/arrival", for_user(require_safe(views.arrived)), "dashboard_arrival"),
    *both("dashboard/<uuid:website>/links", for_user(sharing.shared), "dashboard_links"),
    *both("dashboard/<uuid:website>/links/<uuid:link>/revoke", for_user(sharing.revoked), "dashboard_revoke"),
    *both("share/<str:token>", for_link(views.board, event.page), "share"),
    *both("share/<str:token>/list/<slug:tab>", for_link(views.listed), "share_list"),
    *both("share/<str:token>/csv/<slug:tab>", described(EXPORT)(for_link(views.exported, event.exported)), "share_csv"),
]
