"""What the back office warns of: widgets without pictures."""

from datetime import UTC, timedelta
from typing import Any

from django import template
from django.utils import timezone

from accounts.models import User, Website
from analytics import empty_widgets as cases
from analytics.empty_widgets import EmptyWidget
from analytics.rollups.build import fresh

register = template.Library()


@register.simple_tag(takes_context=True)
def empty_widgets(context: dict[str, Any]) -> list[EmptyWidget]:
    """Those of all websites that the signed-in user may see."""
    user = context["request"].user
    assert isinstance(user, User)  # the admin site lets nobody else pass
    ids = list(Website.objects.visible_to(user).values_list("id", flat=True))
    return cases.empty_widgets(ids, now=timezone.now())


@register.simple_tag
def empty_widgets_of(website: Website) -> list[EmptyWidget]:
    """Those of one website, as of this moment."""
    now = timezone.now()
    today = now.astimezone(UTC).date()
    fresh(website.id, today - timedelta(days=1), today, now=now)
    return cases.empty_widgets([website.id], now=now)
