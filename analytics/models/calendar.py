"""What readers did on the calendar, day by day: events of it, and what was searched and filtered for.

Bots are rows of their own, as in the other roll-ups. `analytics.rollups.definitions` says how each table is computed.
"""

from django.db import models

from analytics.models.event import ByteText


class EngagementDay(models.Model):
    """How often readers did something with an event, by where they did it from. Kept like every roll-up."""

    pk = models.CompositePrimaryKey("website_id", "day", "is_bot", "event_key", "action", "source")
    website_id = models.IntegerField()
    day = models.DateField()
    is_bot = models.BooleanField()
    event_key = ByteText()
    action = ByteText()
    # Empty when the client named none.
    source = ByteText()
    count = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.event_key} {self.action}"


class EngagementSession(models.Model):
    """What one session did with an event on a day, so that sessions of any range can be told apart.

    A client's session outlives a day, and with it could somebody be followed: these rows go with the raw events.
    """

    pk = models.CompositePrimaryKey("website_id", "day", "is_bot", "event_key", "session")
    # Eight bytes of a digest of what the client calls its session; the visitor key where it has no word for it.
    session = models.BigIntegerField()
    website_id = models.IntegerField()
    day = models.DateField()
    is_bot = models.BooleanField()
    event_key = ByteText()
    clicks = models.IntegerField()
    outbound_clicks = models.IntegerField()
    calendar_syncs = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.event_key}"


class DiscoveryDay(models.Model):
    """What was searched and filtered for, and how many events that matched when it was received (definitions 26)."""

    pk = models.CompositePrimaryKey("website_id", "day", "is_bot", "action", "filter_group", "value")
    website_id = models.IntegerField()
    day = models.DateField()
    is_bot = models.BooleanField()
    action = ByteText()
    # Empty of a search.
    filter_group = ByteText()
    # Of a search the query without accents, so that two spellings of one thing are one row.
    value = ByteText()
    count = models.BigIntegerField()
    # How many of them matched nothing, and how many one or two.
    gaps = models.BigIntegerField()
    thin = models.BigIntegerField()
    # Null of what is matched against nothing: a filter that was cleared.
    least_matches = models.BigIntegerField(null=True)
    last_matches = models.BigIntegerField(null=True)
    # When that was: a day has two rows where bots looked for the same.
    last_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.day} {self.filter_group} {self.value}"
