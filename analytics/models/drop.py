"""Drop: how many requests were not stored, by day, dialect and reason."""

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
