"""The list of websites with what is counted of them: beneath it, in accounts, nothing knows of numbers."""

from datetime import UTC, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin import WebsiteAdmin
from accounts.models import Website
from analytics.models import BuiltDay
from analytics.reports.base import Question, for_each
from analytics.reports.period import Period
from analytics.reports.timeseries import SITE
from analytics.sparkline import sparkline

DAYS = 14

admin.site.unregister(Website)


@admin.register(Website)
class CountedWebsiteAdmin(WebsiteAdmin):
    """Two queries more for a page of them, however many stand on it."""

    list_display = ("domain", "account", "two_weeks", "events_today", "numbers", "connected", "public_id")

    class Media:
        css: ClassVar = {"all": ["tinytrail/morning.css"]}

    def get_changelist_instance(self, request: HttpRequest) -> Any:  # noqa: ANN401 (Django's ChangeList)
        page = super().get_changelist_instance(request)
        now = timezone.now()
        today = now.astimezone(UTC).date()
        # Today has only begun, and would look like a fall.
        period = Period(today - timedelta(days=DAYS), today - timedelta(days=1))
        ids = [website.id for website in page.result_list]
        days = for_each(ids, SITE, Question(website_id=0, period=period, now=now).sql)
        events = dict(BuiltDay.objects.filter(website_id__in=ids, day=today).values_list("website_id", "events"))
        for website in page.result_list:
            visits = {row["at"]: row["visits"] for row in days[website.id]}
            website.visits = [int(visits.get(day, 0)) for day in period.days]
            website.events_today = events.get(website.id, 0)
        return page

    @admin.display(description="visits of 14 days")
    def two_weeks(self, website: Website) -> SafeString:
        visits: list[int] = website.visits  # type: ignore[attr-defined]
        said = f"Visits of {DAYS} days: between {min(visits):,} and {max(visits):,} a day, {visits[-1]:,} yesterday"
        return sparkline(visits, said)

    @admin.display(description="events today")
    def events_today(self, website: Website) -> str:
        return f"{website.events_today:,}"  # type: ignore[attr-defined]

    @admin.display(description="connection")
    def connected(self, website: Website) -> SafeString:
        return format_html('<a href="{}">Integration</a>', reverse("integration", args=[website.public_id]))
