"""How a website is connected: its keys and lines to paste, what arrived and what was refused, and the newest events."""

from uuid import UUID

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import Client, User, Website
from analytics.integration.arrivals import arrivals, newest
from analytics.integration.lines import of_client, of_website


@require_safe
def integration(request: HttpRequest, website: UUID) -> HttpResponse:
    assert isinstance(request.user, User)  # the admin site lets nobody else pass
    found = Website.objects.visible_to(request.user).filter(public_id=website).first()
    if found is None:
        raise Http404
    now, server = timezone.now(), request.build_absolute_uri("/").rstrip("/")
    clients = list(Client.objects.live().filter(website=found).order_by("kind", "created_at", "id"))
    context = {
        "title": f"Integration of {found.domain}",
        "website": found,
        "lines": of_website(found, server),
        "clients": [(client, of_client(client, server)) for client in clients],
        "spans": arrivals(found, now=now),
        "newest": newest(found, sees_people=request.user.has_perm("analytics.view_profile")),
    }
    return TemplateResponse(request, "admin/integration.html", admin.site.each_context(request) | context)
