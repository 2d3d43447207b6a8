"""The page on which somebody who is signed in turns their second factor on and off, and gets new recovery codes."""

from collections.abc import Callable
from typing import Any

import django_otp
from django.conf import settings
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_safe

from accounts import audit, second_factor, vault
from accounts.forms import CodeForm
from accounts.models import Authenticator, User
from tinytrail.web.headers import POLICY

Step = Callable[[HttpRequest, User, str], HttpResponse]


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # the admin site lets nobody else pass
    if request.method != "POST":
        return shown(request, request.user, {"form": CodeForm()})
    step = request.POST.get("step", "")
    if step in WITHOUT_CODE:
        WITHOUT_CODE[step](request.user)
        return redirect("admin:security")
    if step not in WITH_CODE:
        raise Http404
    form = CodeForm(request.POST)
    if form.is_valid():
        try:
            return WITH_CODE[step](request, request.user, form.cleaned_data["code"])
        except second_factor.Refusal as refusal:
            if isinstance(refusal, second_factor.WrongCode):
                audit.record("second_factor.wrong_code", request.user.id, by=request.user)
            form.add_error("code", str(refusal))
    return shown(request, request.user, {"form": form, "asked": step})


@require_safe
def picture(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # the admin site lets nobody else pass
    app = second_factor.unconfirmed(request.user)
    if app is None:
        raise Http404
    return as_picture(app)


def as_picture(app: Authenticator) -> HttpResponse:
    """The QR code, which no cache keeps, as a file of its own: no page needs a style or a script for it."""
    try:
        drawn = second_factor.picture(app)
    except vault.Unreadable:
        raise Http404 from None
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store, private"}
    return HttpResponse(drawn, content_type="image/svg+xml", headers=headers)


# -- the steps --


def begin(user: User) -> None:
    if second_factor.authenticator(user) is None:
        second_factor.begin(user)


def confirm(request: HttpRequest, user: User, code: str) -> HttpResponse:
    codes = second_factor.confirm(user, code)
    # Sessions that were begun without a code end; this one has just seen one.
    django_otp.login(request, second_factor.authenticator(user))
    return shown(request, user, {"codes": codes, "is_new": True})


def renew(request: HttpRequest, user: User, code: str) -> HttpResponse:
    return shown(request, user, {"codes": second_factor.renew_codes(user, code)})


def turn_off(request: HttpRequest, user: User, code: str) -> HttpResponse:
    second_factor.turn_off(user, code)
    messages.success(request, "Signing in asks for no code any more.")
    return redirect("admin:security")


WITHOUT_CODE: dict[str, Callable[[User], None]] = {"begin": begin, "abandon": second_factor.abandon}
WITH_CODE: dict[str, Step] = {"confirm": confirm, "renew": renew, "off": turn_off}


def shown(request: HttpRequest, user: User, context: dict[str, Any]) -> HttpResponse:
    app = second_factor.authenticator(user)
    waiting = None if app else second_factor.unconfirmed(user)
    known: dict[str, Any] = {"title": "Security", "app": app, "is_required": settings.REQUIRE_TOTP}
    if app is not None:
        known["left"] = second_factor.recovery_codes_left(user)
    if waiting is not None:
        known["secret"] = secret_of(waiting)
    return TemplateResponse(request, "admin/security.html", admin.site.each_context(request) | known | context)


def secret_of(app: Authenticator) -> str:
    """Empty where the key-encryption key has been lost meanwhile: then one begins anew."""
    try:
        return second_factor.secret_text(app)
    except vault.Unreadable:
        return ""
