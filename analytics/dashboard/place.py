"""Where a page of the dashboard stands: behind the back office's door, or under a shared link."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_safe

from accounts import limits
from accounts.models import User, Website
from analytics.dashboard import links
from analytics.models import SharedLink
from tinytrail.web import client
from tinytrail.web.headers import POLICY

COOKIE = "share"


@dataclass(slots=True, frozen=True)
class Place:
    website: Website
    # The address of the page; lists and files stand below it.
    root: str
    user: User | None = None
    link: SharedLink | None = None

    @property
    def is_shared(self) -> bool:
        return self.link is not None


PlaceView = Callable[..., HttpResponseBase]


def for_user(view: PlaceView) -> Callable[..., HttpResponseBase]:
    """The view of a website that the signed-in user may see; for others it is not there."""

    @wraps(view)
    def handle(request: HttpRequest, website: UUID, **rest: str) -> HttpResponseBase:
        assert isinstance(request.user, User)  # the admin site lets nobody else pass
        found = Website.objects.visible_to(request.user).filter(public_id=website).first()
        if found is None:
            raise Http404
        return view(request, Place(found, reverse("dashboard", args=[website]), user=request.user), **rest)

    guarded: Callable[..., HttpResponseBase] = admin.site.admin_view(handle)
    return guarded


def for_link(view: PlaceView, of_event: PlaceView | None = None) -> Callable[..., HttpResponseBase]:
    """The view of a shared link's website, for whoever has the link and, where it has one, knows its password.

    A link of one event shows `of_event` instead, and nothing where there is none.
    """

    @wraps(view)
    @never_cache
    @csrf_protect
    def handle(request: HttpRequest, token: str, **rest: str) -> HttpResponseBase:
        link = links.link_of(token, now=timezone.now())
        if link is None:
            raise Http404
        root = reverse("share", args=[token])
        if link.password and not links.is_pass(link, request.COOKIES.get(COOKIE, "")):
            return as_shared(ask(request, link, root), link)
        shown = of_event if link.event else view
        if shown is None:
            raise Http404
        answer = require_safe(shown)(request, Place(link.website, root, link=link), **rest)
        return as_shared(answer, link)

    return handle


def ask(request: HttpRequest, link: SharedLink, root: str) -> HttpResponse:
    """The form for the password; with the right one the page, and a note of that in the browser."""
    problem = ""
    if request.method == "POST":
        problem = refusal(request, link)
        if not problem:
            answer = redirect(root)
            answer.set_cookie(
                COOKIE,
                links.pass_for(link),
                max_age=links.OPEN_FOR,
                path=root,
                secure=settings.BEHIND_TLS,
                httponly=True,
                samesite="Lax",
            )
            return answer
    status = 403 if problem else 200
    return render(request, "dashboard/password.html", {"problem": problem, "root": root}, status=status)


def refusal(request: HttpRequest, link: SharedLink) -> str:
    """Why the password does not open the link; empty when it does. Wrong ones are limited like those of logins."""
    address = client.address(
        request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", ""), settings.TRUSTED_PROXIES
    )
    keys = [f"share {link.pk}", f"address {client.neighbourhood(address)}"]
    with limits.one_at_a_time("LOGIN", keys):
        if any(limits.is_used_up("LOGIN", key) for key in keys):
            return "Too many attempts. Please wait a quarter of an hour."
        if links.is_right(link, request.POST.get("password", "")):
            return ""
        for key in keys:
            limits.retry_after("LOGIN", key)
    return "This is not the password of this link."


def as_shared(answer: HttpResponseBase, link: SharedLink) -> HttpResponseBase:
    """No search engine keeps it, and only pages of the hosts named with the link may frame it."""
    answer["X-Robots-Tag"] = "noindex, nofollow"
    if link.hosts:
        ancestors = " ".join(("'self'", *link.hosts))
        answer["Content-Security-Policy"] = POLICY.replace("frame-ancestors 'none'", f"frame-ancestors {ancestors}")
        answer.xframe_options_exempt = True  # type: ignore[attr-defined] # Django's own word for it
    return answer
