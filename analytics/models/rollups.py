"""The daily roll-ups, and the books about which day was built from what.

`content_group` is a scope, part of every key: empty for all visits, else a group's name and then the visits with at
least one page_view in it (definitions 13). Bots are rows of their own, so that one row set serves every combination.
`analytics.rollups.definitions` says how each table is computed.
"""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from analytics.models.event import ByteText


class Dimension(models.IntegerChoices):
    CHANNEL = 1
    REFERRER = 2
    UTM = 3
    DEVICE = 4
    BROWSER = 5
    OS = 6
    SCREEN = 7
    COUNTRY = 8


class SiteDay(models.Model):
    pk = models.CompositePrimaryKey("website_id", "day", "is_bot", "content_group")
    website_id = models.IntegerField()
    day = models.DateField()
    is_bot = models.BooleanField()
    content_group = ByteText()
    visitors = models.BigIntegerField()
    visits = models.BigIntegerField()
    # Visits with at least one page_view: what bounces are a share of.
    page_visits = models.BigIntegerField()
    bounces = models.BigIntegerField()
    duration_us = models.BigIntegerField()
    pageviews = models.BigIntegerField()
    unique_pageviews = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.content_group}"


class PageDay(models.Model):
    pk = models.CompositePrimaryKey("website_id", "day", "is_bot", "content_group", "path")
    website_id = models.IntegerField()
    day = models.DateField()
    is_bot = models.BooleanField()
    content_group = ByteText()
    path = ByteText()
    # Page_views of the path, within the scope's group where there is one.
    pageviews = models.BigIntegerField()
    unique_pageviews = models.BigIntegerField()
    # Of the scope "all": those page_views that stood in no group.
    ungrouped_pageviews = models.BigIntegerField()
    ungrouped_unique_pageviews = models.BigIntegerField()
    # Visits of the scope with a page_view of the path, in whichever group.
    visits = models.BigIntegerField()
    bounces = models.BigIntegerField()
    duration_us = models.BigIntegerField()
    entries = models.BigIntegerField()
    exits = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.path}"


class DimensionDay(models.Model):
    pk = models.CompositePrimaryKey(
        "website_id", "day", "is_bot", "content_group", "dimension", "label", "utm_medium", "utm_campaign"
    )
    website_id = models.IntegerField()
    day = models.DateField()
    is_bot = models.BooleanField()
    content_group = ByteText()
    dimension = models.SmallIntegerField(choices=Dimension.choices)
    # What the interface shows; for UTM the source, with the medium and campaign beside it, empty where absent.
    label = ByteText()
    utm_medium = ByteText()
    utm_campaign = ByteText()
    visits = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.label}"


class NameDay(models.Model):
    """Custom events by name (definitions 22)."""

    pk = models.CompositePrimaryKey("website_id", "day", "is_bot", "content_group", "name")
    website_id = models.IntegerField()
    day = models.DateField()
    is_bot = models.BooleanField()
    content_group = ByteText()
    name = ByteText()
    count = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


class BuiltDay(models.Model):
    """When a website's day was built, how many stored events it had then, and how long it took."""

    pk = models.CompositePrimaryKey("website_id", "day")
    website_id = models.IntegerField()
    day = models.DateField()
    built_at = models.DateTimeField()
    events = models.BigIntegerField()
    milliseconds = models.IntegerField()
    # Its raw events were removed by retention: it is never built again, its roll-ups stay as they are.
    is_final = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.website_id} {self.day}"


class DirtyDay(models.Model):
    """A note, written in the transaction that stores events, that a website's day has newer events than its build.

    Notes are only added, never updated, so that storing never waits for a build; a build removes those it has seen.
    """

    website_id = models.IntegerField()
    day = models.DateField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["website_id", "day"], name="dirty_day")]

    def __str__(self) -> str:
        return f"{self.website_id} {self.day}"
