"""The pages of a calendar's numbers, behind the back office's door."""

from django.contrib import admin

from analytics.calendar import views
from tinytrail.web.routes import both

urlpatterns = [
    *both("calendar-numbers", admin.site.admin_view(views.calendars), "calendar_numbers_all"),
    *both("calendar-numbers/<uuid:website>", admin.site.admin_view(views.numbers), "calendar_numbers"),
    *both(
        "calendar-numbers/<uuid:website>/<slug:report>.csv", admin.site.admin_view(views.export), "calendar_numbers_csv"
    ),
]
