"""Drop: how many requests were not stored, by day, dialect and reason. RecentDrop: the same, by five minutes."""

from typing import ClassVar

from django.db import models

from analytics.models.event import ByteText


class Drop(models.Model):
    day = models.DateField()
    # A dialect's name (vocabulary.Dialect, lower case) or `submissions`.
    dialect = models.CharField(max_length=16)
    reason = ByteText()
    # Null where the website is not known.
    website_id = models.IntegerField(null=True)
    count = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "refused request"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["day", "dialect", "reason", "website_id"], name="drop_once", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.dialect} {self.reason}"


class RecentDrop(models.Model):
    """What was counted within five minutes, for who is looking for a mistake just now. Forgotten after a day."""

    # Their beginning.
    at = models.DateTimeField()
    dialect = models.CharField(max_length=16)
    reason = ByteText()
    website_id = models.IntegerField(null=True)
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["at", "dialect", "reason", "website_id"], name="recent_drop_once", nulls_distinct=False
            ),
        ]
        indexes: ClassVar = [
            # A website's last hour and day.
            models.Index(fields=["website_id", "at"], name="recent_drop_of_website"),
        ]

    def __str__(self) -> str:
        return f"{self.at} {self.dialect} {self.reason}"
