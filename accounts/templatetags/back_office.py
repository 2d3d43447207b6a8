"""What pages of the back office show beside their own subject."""

from typing import Any

from django import template

from accounts.models import User, Website

register = template.Library()

MOST_WEBSITES = 10


@register.simple_tag(takes_context=True)
def own_websites(context: dict[str, Any]) -> list[Website]:
    """The newest websites that the signed-in user may see, with their accounts."""
    user = context["request"].user
    assert isinstance(user, User)  # the admin site lets nobody else pass
    return list(
        Website.objects.visible_to(user).select_related("account").order_by("-created_at", "-id")[:MOST_WEBSITES]
    )
