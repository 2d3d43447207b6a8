"""Event: a stored hit. Narrow, partitioned by month, without foreign keys.

`id` is a 63-bit time-ordered number (analytics.ids) and not a UUIDv7: the key holds `occurred_at` already, so eight
bytes are enough to tell events of one instant apart, and a page view is sixteen bytes smaller with its index.
The order of the columns is the order on disk: eight-byte columns first, text last.
"""

from typing import ClassVar

from django.db import models

from analytics.vocabulary import Device, Dialect, Screen, Type


class ByteText(models.TextField):  # type: ignore[type-arg] # not subscriptable at run time
    """Text compared byte by byte (definitions 23), which is also the fastest way to compare it."""

    def __init__(self, **options: object) -> None:
        options["db_collation"] = "C"
        super().__init__(**options)  # type: ignore[arg-type]

    def deconstruct(self) -> tuple[str, str, list[object], dict[str, object]]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("db_collation", None)
        return name, path, list(args), kwargs


class Event(models.Model):
    pk = models.CompositePrimaryKey("website_id", "occurred_at", "id")
    occurred_at = models.DateTimeField()
    id = models.BigIntegerField()
    # The first eight bytes of the visitor's daily HMAC, as a signed number.
    visitor = models.BigIntegerField()
    website_id = models.IntegerField()
    type = models.SmallIntegerField(choices=[(t.value, t.name) for t in Type])
    dialect = models.SmallIntegerField(choices=[(d.value, d.name) for d in Dialect])
    device = models.SmallIntegerField(choices=[(d.value, d.name) for d in Device])
    screen = models.SmallIntegerField(choices=[(s.value, s.name) for s in Screen])
    channel = models.SmallIntegerField()
    # Numbers of vocabulary.BROWSERS and vocabulary.SYSTEMS.
    browser = models.SmallIntegerField()
    os = models.SmallIntegerField()
    is_bot = models.BooleanField()
    is_excluded = models.BooleanField()
    is_authenticated = models.BooleanField()
    # Sent by a server or with a past time: counted as an event, never part of a visit (definitions 4).
    is_server = models.BooleanField()
    path = ByteText()
    referrer = ByteText(null=True)  # the referrer's host without www
    name = ByteText(null=True)  # of vocabulary.NAMED, and of what another dialect calls a page view
    content_group = ByteText(null=True)
    utm_source = ByteText(null=True)
    utm_medium = ByteText(null=True)
    utm_campaign = ByteText(null=True)
    properties = models.JSONField(null=True)
    # What the client calls its session, and whose profile it is, where the dialect has such words.
    client_session = ByteText(null=True)
    profile = ByteText(null=True)
    # From the client's address, where a file of places is configured: ISO 3166 code, then names.
    country = ByteText(null=True)
    region = ByteText(null=True)
    city = ByteText(null=True)

    class Meta:
        # Made by hand in its migration: Django does not know partitions.
        db_table = "analytics_event"
        ordering: ClassVar = ["occurred_at", "id"]

    def __str__(self) -> str:
        return f"{Type(self.type).name} {self.path}"
