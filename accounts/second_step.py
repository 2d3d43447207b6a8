"""The second step of signing in: the code, or, where everybody needs one, setting up the app that shows it.

Nobody is signed in here yet, so that no other page is open between the steps.
"""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import audit, second_factor, vault
from accounts.forms import CodeForm
from accounts.models import Authenticator
from accounts.security import as_picture
from accounts.sign_in import enter, half_signed_in


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    half = half_signed_in(request, now=now)
    if half is None or second_factor.authenticator(half.user) is None:
        return redirect("admin:login")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            device = second_factor.check(half.user, form.cleaned_data["code"])
        except second_factor.Refusal as refusal:
            if isinstance(refusal, second_factor.WrongCode):
                audit.record("sign_in.wrong_code", half.user.id, by=None)
            form.add_error("code", str(refusal))
        else:
            how = "code" if isinstance(device, Authenticator) else "recovery_code"
            return enter(request, half.user, how=how, device=device, leads_to=half.leads_to, now=now)
    return shown(request, "admin/sign_in_code.html", {"title": "Second step", "form": form})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """The app is set up, the recovery codes are shown once, and the user is in."""
    now = timezone.now()
    half = half_signed_in(request, now=now)
    app = second_factor.unconfirmed(half.user) if half else None
    if half is None or app is None or half.user.has_second_factor:
        return redirect("admin:login")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = second_factor.confirm(half.user, form.cleaned_data["code"])
        except second_factor.Refusal as refusal:
            form.add_error("code", str(refusal))
        else:
            app = second_factor.authenticator(half.user)
            enter(request, half.user, how=half.how, device=app, leads_to=half.leads_to, now=now)
            context = {"title": "Recovery codes", "codes": codes, "leads_to": half.leads_to}
            return shown(request, "admin/sign_in_setup.html", context)
    try:
        secret = second_factor.secret_text(app)
    except vault.Unreadable:
        return redirect("admin:login")
    return shown(request, "admin/sign_in_setup.html", {"title": "Second factor", "form": form, "secret": secret})


@never_cache
@require_safe
def picture(request: HttpRequest) -> HttpResponse:
    half = half_signed_in(request, now=timezone.now())
    app = second_factor.unconfirmed(half.user) if half else None
    if app is None:
        raise Http404
    return as_picture(app)


def shown(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(request, template, admin.site.each_context(request) | context)
