"""Profile: one person known by an id of the caller's own, within one website (definitions 33). Group: theirs.

Rows are written by a function of the database alone (migration 0012), in the transaction of the events they came with.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from analytics.models.event import ByteText


class Profile(models.Model):
    website_id = models.IntegerField()
    profile_id = ByteText()
    first_name = models.TextField(null=True)  # noqa: DJ001 (null is not known; empty says nothing, and is never stored)
    last_name = models.TextField(null=True)  # noqa: DJ001 (as above)
    email = models.TextField(null=True)  # noqa: DJ001 (as above)
    avatar = models.TextField(null=True)  # noqa: DJ001 (as above)
    properties = models.JSONField(default=dict)
    # Ids of groups, which need not exist.
    groups = ArrayField(ByteText(), default=list)
    created_at = models.DateTimeField()
    # To the minute: an event a second later is no news.
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["website_id", "profile_id"], name="profile_once"),
        ]
        indexes: ClassVar = [
            # For the list in the back office, newest first.
            models.Index(fields=["website_id", "-last_seen_at"], name="profile_newest"),
        ]

    def __str__(self) -> str:
        return " ".join(name for name in (self.first_name, self.last_name) if name) or self.profile_id


class Group(models.Model):
    website_id = models.IntegerField()
    group_id = ByteText()
    type = models.TextField()
    name = models.TextField()
    properties = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["website_id", "group_id"], name="group_once"),
        ]

    def __str__(self) -> str:
        return self.name
