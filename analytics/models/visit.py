"""Visit: one row per visit with all its facts, derived from a day's events and rebuilt with them."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from analytics.models.event import ByteText


class Visit(models.Model):
    pk = models.CompositePrimaryKey("website_id", "day", "visitor", "started_at", "is_bot")
    started_at = models.DateTimeField()
    visitor = models.BigIntegerField()
    # Microseconds: means are rounded once, from the exact sum.
    duration_us = models.BigIntegerField()
    website_id = models.IntegerField()
    day = models.DateField()
    pageviews = models.IntegerField()
    # Different paths among the pageviews.
    pages = models.IntegerField(db_default=0)
    events = models.IntegerField()
    device = models.SmallIntegerField()
    screen = models.SmallIntegerField()
    channel = models.SmallIntegerField()
    browser = models.SmallIntegerField()
    os = models.SmallIntegerField()
    is_bot = models.BooleanField()
    is_bounce = models.BooleanField()
    referrer = ByteText(null=True)
    utm_source = ByteText(null=True)
    utm_medium = ByteText(null=True)
    utm_campaign = ByteText(null=True)
    country = ByteText(null=True)
    # Null for a visit without a page_view.
    entry = ByteText(null=True)
    exit = ByteText(null=True)
    # The content groups of its page_views.
    content_groups = ArrayField(ByteText(), null=True)
    # Its events in order, as rollups.visits writes and the funnel reads them.
    steps = ByteText()

    class Meta:
        # Made by hand in its migration: Django does not know partitions.
        db_table = "analytics_visit"
        ordering: ClassVar = ["day", "started_at"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} {self.entry or ''}"
