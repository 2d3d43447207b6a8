"""The back office's door: who passes, for how long, and the pages before it and beside it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from unfold.sites import UnfoldAdminSite

from accounts import second_step, security, sessions, sign_in
from accounts.forms import OwnPasswordForm
from accounts.models import User

View = Callable[..., HttpResponseBase]


class SignIn(LoginView):
    """The first step, with a password."""

    def form_valid(self, form: Any) -> HttpResponse:  # noqa: ANN401 (sign_in.LoginForm)
        return sign_in.go_on(
            self.request, form.get_user(), how="password", leads_to=self.get_success_url(), now=timezone.now()
        )


class BackOffice(UnfoldAdminSite):
    """Unfold's site. Who has a second factor passes with it only; with TINYTRAIL_REQUIRE_TOTP nobody passes without."""

    login_form = sign_in.LoginForm
    index_title = "Overview"

    def has_permission(self, request: HttpRequest) -> bool:
        if not super().has_permission(request):
            return False
        if getattr(request.user, "otp_device", None) is not None:
            return True
        return isinstance(request.user, User) and not settings.REQUIRE_TOTP and not request.user.has_second_factor

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        guarded: View = super().admin_view(view, cacheable)

        @wraps(guarded)
        def handle(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            sessions.keep(request, now=timezone.now())
            return guarded(request, *args, **kwargs)

        return handle

    def extra_urls(self) -> list[URLPattern]:
        """Unfold's name for the pages of one's own."""
        return [
            path("login/code/", second_step.code, name="sign_in_code"),
            path("login/setup/", second_step.setup, name="sign_in_setup"),
            path("login/setup/qr.svg", second_step.picture, name="sign_in_picture"),
            path("security/", self.admin_view(security.page), name="security"),
            path("security/qr.svg", self.admin_view(security.picture), name="security_picture"),
        ]

    @method_decorator([never_cache, login_not_required])
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        if request.method == "GET" and self.has_permission(request):
            return redirect("admin:index")
        context = {**self.each_context(request), "title": "Sign in", "app_path": request.get_full_path()}
        context |= extra_context or {}
        view = SignIn(extra_context=context, authentication_form=self.login_form, template_name="admin/login.html")
        view.setup(request)
        if request.method == "GET" and super().has_permission(request):
            # Signed in before there was a second factor, or before everybody needed one.
            user = User.objects.get(pk=request.user.pk)
            return sign_in.go_on(request, user, how="session", leads_to=view.get_success_url(), now=timezone.now())
        return view.dispatch(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        view = PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse("admin:password_change_done"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return view(request)
