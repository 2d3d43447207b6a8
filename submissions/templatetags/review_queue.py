"""What the first page of the back office says about the queue."""

from dataclasses import asdict
from typing import Any

from django import template
from django.utils import timezone

from accounts.models import User
from submissions import measures, queue
from submissions.models import Calendar, Submission

register = template.Library()


@register.simple_tag(takes_context=True)
def review_queue(context: dict[str, Any]) -> dict[str, Any] | None:
    """The counters of the signed-in user's queue; None for who may not review, or has no calendar."""
    user = context["request"].user
    assert isinstance(user, User)  # the admin site lets nobody else pass
    if not user.has_perm("submissions.review_submission") or not Calendar.objects.visible_to(user).exists():
        return None
    now = timezone.now()
    found = queue.waiting(Submission.objects.visible_to(user), now=now, today=now.date())
    oldest = measures.in_words(now - found.oldest_at) if found.oldest_at else ""
    return {**asdict(found), "oldest": oldest}
