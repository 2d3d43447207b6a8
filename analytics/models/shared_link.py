"""SharedLink: the dashboard of a website, or the numbers of one event, for whoever has the link."""

import uuid
from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import Website
from submissions.models import CatalogEvent


class SharedLinkQuerySet(models.QuerySet["SharedLink"]):
    def live(self, now: datetime) -> "SharedLinkQuerySet":
        """Links that open: not revoked, not expired, of websites that were not deleted."""
        alive = self.filter(revoked_at=None, website__in=Website.objects.live())
        return alive.filter(Q(expires_at=None) | Q(expires_at__gt=now))


class SharedLink(models.Model):
    # What the address names; only under the installation's signature (analytics.dashboard.links).
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    website = models.ForeignKey(Website, models.CASCADE, related_name="shared_links")
    # Of one event only, where there is one: then nothing else of the website is shown.
    event = models.ForeignKey(CatalogEvent, models.CASCADE, null=True, blank=True, related_name="shared_links")
    # For whom it is, so that the right one is revoked.
    name = models.CharField(max_length=120)
    # As Django keeps passwords; empty where none is asked for.
    password = models.CharField(max_length=128, blank=True, editable=False)
    # Origins whose pages may show it in a frame.
    hosts = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = SharedLinkQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "id"]

    def __str__(self) -> str:
        return self.name
