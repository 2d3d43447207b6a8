"""What the first page of the back office shows."""

from typing import Any

from django import template
from django.utils import timezone

from accounts.models import User
from tinytrail import morning as mornings

register = template.Library()


@register.simple_tag(takes_context=True)
def morning(context: dict[str, Any]) -> mornings.Morning:
    """Of the signed-in user's websites."""
    user = context["request"].user
    assert isinstance(user, User)  # the admin site lets nobody else pass
    return mornings.morning(user, now=timezone.now())
