"""The daily roll-ups of widgets (definitions 29, 32). `analytics.rollups.widgets` says how each is computed.

Visitors stand in them as digests of their analytics_ids, for as long as raw events are kept.
"""

from django.db import models

from analytics.models.event import ByteText


class Scope(models.IntegerChoices):
    """What a label names."""

    ALL = 0
    WIDGET = 1
    STREAM = 2
    CATEGORY = 3
    MEDIA = 4
    # `key:value`; a key has no colon.
    SEGMENT = 5


class WidgetDay(models.Model):
    """What was done with widgets and media."""

    pk = models.CompositePrimaryKey("website_id", "day", "is_bot", "scope", "label")
    website_id = models.IntegerField()
    day = models.DateField()
    is_bot = models.BooleanField()
    scope = models.SmallIntegerField(choices=Scope.choices)
    label = ByteText()
    impressions = models.BigIntegerField()
    # Those of the impressions whose stream was not found.
    empty = models.BigIntegerField()
    interactions = models.BigIntegerField()
    media_renders = models.BigIntegerField()
    media_views = models.BigIntegerField()
    media_clicks = models.BigIntegerField()
    shop_clicks = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.label}"


class WidgetReach(models.Model):
    """Who saw an impression and who interacted: visitors of several days are counted once."""

    pk = models.CompositePrimaryKey("website_id", "day", "is_bot", "scope", "label", "person")
    website_id = models.IntegerField()
    day = models.DateField()
    is_bot = models.BooleanField()
    scope = models.SmallIntegerField(choices=Scope.choices)
    label = ByteText()
    person = models.BigIntegerField()
    saw = models.BooleanField()
    interacted = models.BooleanField()

    def __str__(self) -> str:
        return f"{self.day} {self.label}"


class WidgetArm(models.Model):
    """Who was in which arm of an experiment, and since when."""

    pk = models.CompositePrimaryKey("website_id", "day", "is_bot", "widget", "arm", "person")
    website_id = models.IntegerField()
    day = models.DateField()
    is_bot = models.BooleanField()
    widget = ByteText()
    arm = models.BigIntegerField()
    person = models.BigIntegerField()
    first_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.day} {self.widget} {self.arm}"


class EmptyWidgetDay(models.Model):
    """Widgets that were rendered without their stream."""

    pk = models.CompositePrimaryKey("website_id", "day", "is_bot", "widget")
    website_id = models.IntegerField()
    day = models.DateField()
    is_bot = models.BooleanField()
    widget = ByteText()
    count = models.BigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.day} {self.widget}"
