"""The page of a website's integration, behind the back office's door."""

from django.contrib import admin

from analytics.integration import views
from tinytrail.web.routes import both

urlpatterns = both("integration/<uuid:website>", admin.site.admin_view(views.integration), "integration")
