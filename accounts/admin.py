"""The back office of accounts, users and websites. Admins see all; everybody else their own account and its websites.

What is done here is done by the verbs that the API calls. Nothing here reads or counts events: lists and confirmations
take as many queries for one row as for a thousand.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Count, Exists, F, Model, OuterRef, Q, QuerySet, Subquery, UUIDField, When
from django.db.models.functions import Cast
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts import audit, keys, second_factor
from accounts.exclusion import Exclusions
from accounts.forms import AccountForm, UserForm, WebsiteForm
from accounts.models import Account, AuditEntry, Authenticator, User, Website
from accounts.registration import change_website, register_account, register_website
from accounts.removal import remove_account, remove_user, remove_website

EXCLUDES_EVERYBODY = (
    "The excluded addresses are those of everybody with an IPv4 address, or everybody with an IPv6 address: "
    "none of these visitors is counted."
)


class Refused(Exception):
    """What a verb refused after the form had found nothing wrong: two people asked at once."""


def current_user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the admin site lets nobody else pass
    return request.user


def is_admin(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_staff and request.user.is_admin


class DiscreetAdmin(ModelAdmin):
    """Tells who may see nothing of a model not even which of its rows are there."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        # Django looks for the object first, and so tells who may see none whether it is there.
        if not self.has_view_permission(request):
            raise PermissionDenied
        answer: HttpResponseBase = super().history_view(request, object_id, extra_context)
        return answer


class FewAtOnce:
    """An action is for the rows one has seen: for a page of them, and never for ten thousand others (A77)."""

    list_per_page: int

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase:
        chosen = request.POST.copy()
        if len(chosen.getlist(ACTION_CHECKBOX_NAME)) > self.list_per_page:
            messages.error(request, f"At most {self.list_per_page} at once: choose fewer.")
            return HttpResponseRedirect(request.get_full_path())
        chosen["select_across"] = "0"
        request.POST = chosen  # type: ignore[assignment]
        answer: HttpResponseBase = super().response_action(request, queryset)  # type: ignore[misc] # ModelAdmin's
        return answer


class ScopedAdmin(FewAtOnce, DiscreetAdmin):
    """Shows what `visible` says. What it leaves out is not there: no page, no redirect that would tell."""

    list_per_page = 100
    list_disable_select_all = True
    show_full_result_count = False
    readonly_on_change: ClassVar[tuple[str, ...]] = ()

    def visible(self, user: User) -> QuerySet[Any]:
        raise NotImplementedError

    def remove(self, row: Any, *, by: User) -> None:  # noqa: ANN401 (the model of the subclass)
        raise NotImplementedError

    def consequence(self, row: Any) -> str:  # noqa: ANN401 (the model of the subclass)
        """What goes with the row, for who is asked whether they are sure."""
        raise NotImplementedError

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.visible(current_user(request)).order_by(*self.get_ordering(request) or self.opts.ordering)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return (*self.readonly_fields, *(self.readonly_on_change if obj else ()))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:  # noqa: ANN401
        if db_field.name == "account":
            kwargs |= {"queryset": Account.objects.live(), "initial": current_user(request).account_id}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    # No pop-ups beside a field to make or change what it names: accounts and groups have pages of their own.
    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:  # noqa: ANN401
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        for right in ("add", "change", "delete", "view"):
            if field is not None and hasattr(field.widget, f"can_{right}_related"):
                setattr(field.widget, f"can_{right}_related", False)
        return field

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponseBase:
        try:
            answer: HttpResponseBase = super().changeform_view(request, object_id, form_url, extra_context)
        except Refused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return answer

    # Django sends who asks for what is not there to the index, with a message that repeats the id.
    def _get_obj_does_not_exist_redirect(self, *args: object) -> HttpResponse:
        raise Http404

    # -- deleting: by the verbs, and without looking for what hangs on a row --

    def get_deleted_objects(
        self, objs: Iterable[Any], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        rows = list(objs)
        lacking = {str(self.opts.verbose_name) for row in rows if not self.has_delete_permission(request, row)}
        sentences = [f"{row}: {self.consequence(row)}" for row in rows]
        return sentences, {str(self.opts.verbose_name_plural): len(rows)}, lacking, []

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.remove(obj, by=current_user(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.remove(row, by=current_user(request))


class AdminsOnly:
    """Rights of what only admins may see, whatever groups say: it decides who may do what."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_admin(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_admin(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_admin(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_admin(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_admin(request)


@admin.register(Website)
class WebsiteAdmin(ScopedAdmin):
    """Websites with the line that counts them."""

    form = WebsiteForm
    list_display: ClassVar[tuple[str, ...]] = ("domain", "account", "numbers", "public_id", "created_at")
    search_fields = ("domain", "public_id", "account__name")
    search_help_text = "Domain, id or account"
    readonly_fields = ("public_id", "created_at")
    readonly_on_change = ("account",)
    ordering: ClassVar = ["domain", "id"]

    def visible(self, user: User) -> QuerySet[Website]:
        return Website.objects.visible_to(user).select_related("account")

    @admin.display(description="numbers")
    def numbers(self, website: Website) -> str:
        return format_html('<a href="{}">Dashboard</a>', reverse("dashboard", args=[website.public_id]))

    def remove(self, row: Website, *, by: User) -> None:
        remove_website(row, by=by, now=timezone.now())

    def consequence(self, row: Website) -> str:
        return "with all its events and reports, for good."

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return tuple(name for name in self.list_display if name != "account" or is_admin(request))

    def get_fieldsets(
        self, request: HttpRequest, obj: Website | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        account = ("account",) if is_admin(request) else ()
        return [
            (None, {"fields": (*account, "domain", *(("public_id", "created_at") if obj else ()))}),
            ("What is counted how", {"fields": ("content_groups", "excluded_ips")}),
            ("Privacy", {"fields": ("mode", "privacy_signals")}),
        ]

    def get_form(self, request: HttpRequest, obj: Website | None = None, **kwargs: Any) -> Any:  # noqa: ANN401
        form = super().get_form(request, obj, **kwargs)
        return type(form.__name__, (form,), {"owner": current_user(request).account})

    def save_form(self, request: HttpRequest, form: WebsiteForm, change: bool) -> Website:
        website: Website = super().save_form(request, form, change)
        given = form.cleaned_data
        try:
            if change:
                verbs = {"content_groups": "groups", "excluded_ips": "excluded", "privacy_signals": "signals"}
                changed = {verbs.get(name, name): given[name] for name in form.changed_data}
                return change_website(website, **changed)
            return register_website(
                website.account,
                domain=given["domain"],
                groups=given["content_groups"],
                excluded=given["excluded_ips"],
                mode=given["mode"],
                signals=given["privacy_signals"],
            )
        except ValueError as error:
            raise Refused(str(error)) from None

    def save_model(self, request: HttpRequest, obj: Website, form: WebsiteForm, change: bool) -> None:
        """Saved in save_form, whose answer is what the page then speaks of."""
        if Exclusions(obj.excluded_ips).covers_everybody:
            self.message_user(request, EXCLUDES_EVERYBODY, messages.WARNING)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Website | None = None,
    ) -> HttpResponse:
        if obj is not None:
            context["snippet"] = format_html(
                '<script defer data-id="{}" src="{}"></script>',
                obj.public_id,
                request.build_absolute_uri(reverse("tracker")),
            )
        answer: HttpResponse = super().render_change_form(request, context, add, change, form_url, obj)
        return answer

    def response_add(self, request: HttpRequest, obj: Website, post_url_continue: str | None = None) -> HttpResponse:
        """To the page with the line to copy, which is what comes next."""
        if "_addanother" not in request.POST and "_popup" not in request.POST:
            self.message_user(request, f"{obj.domain} is ready. Put the line below into its pages.", messages.SUCCESS)
            return redirect("admin:accounts_website_change", obj.pk)
        answer: HttpResponse = super().response_add(request, obj, post_url_continue)
        return answer


@admin.register(Account)
class AccountAdmin(ScopedAdmin):
    """Customers. Others than admins see their own, and change nothing."""

    form = AccountForm
    list_display = ("name", "websites", "users", "created_at")
    search_fields = ("name", "id")
    search_help_text = "Name or id"
    readonly_fields = ("id", "created_at")
    ordering: ClassVar = ["name", "id"]

    def visible(self, user: User) -> QuerySet[Account]:
        accounts = Account.objects.live() if user.is_admin else Account.objects.live().filter(pk=user.account_id)
        return accounts.annotate(
            live_websites=Count("websites", filter=Q(websites__deleted_at=None), distinct=True),
            live_users=Count("users", filter=Q(users__is_active=True), distinct=True),
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_admin(request)

    def has_change_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        return is_admin(request)

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        # Nobody saws off the branch they sit on.
        return is_admin(request) and (obj is None or obj.pk != current_user(request).account_id)

    def remove(self, row: Account, *, by: User) -> None:
        remove_account(row, by=by, now=timezone.now())

    def consequence(self, row: Account) -> str:
        return "with its users, whose keys stop working at once, and its websites with all their events, for good."

    def get_fieldsets(
        self, request: HttpRequest, obj: Account | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        return [(None, {"fields": ("name", "id", "created_at") if obj else ("name",)})]

    def save_form(self, request: HttpRequest, form: AccountForm, change: bool) -> Account:
        account: Account = super().save_form(request, form, change)
        return account if change else register_account(form.cleaned_data["name"])

    def save_model(self, request: HttpRequest, obj: Account, form: AccountForm, change: bool) -> None:
        if change:
            obj.save(update_fields=["name"])

    @admin.display(ordering="live_websites")
    def websites(self, account: Account) -> str:
        return link_to_list("website", account, account.live_websites)  # type: ignore[attr-defined]

    @admin.display(ordering="live_users")
    def users(self, account: Account) -> str:
        return link_to_list("user", account, account.live_users)  # type: ignore[attr-defined]


def link_to_list(model: str, account: Account, count: int) -> str:
    page = reverse(f"admin:accounts_{model}_changelist")
    return format_html('<a href="{}?account__id__exact={}">{}</a>', page, account.id, count)


@admin.register(User)
class UserAdmin(AdminsOnly, ScopedAdmin):
    """People and programs. A key is shown in the message after it was made, and in no page again.

    What is done here is told by the audit log, which holds ids: Django's own log would keep the e-mail of a user who
    is gone.
    """

    form = UserForm
    list_display = ("name", "email", "account", "role", "has_key", "asks_for_code", "created_at")
    list_display_links = ("name",)
    list_filter = ("role",)
    search_fields = ("login", "email", "account__name", "id")
    search_help_text = "Login, e-mail, account or id"
    readonly_fields = ("id", "has_key", "created_at", "last_login")
    readonly_on_change = ("account",)
    ordering: ClassVar = ["login", "email", "id"]
    actions_detail: ClassVar = ["new_key", "reset_second_factor"]

    def visible(self, user: User) -> QuerySet[User]:
        users: QuerySet[User] = User.objects.visible_to(user).select_related("account").defer("key_cipher")
        apps = Authenticator.objects.filter(user=OuterRef("pk"), confirmed=True)
        return users.annotate(has_app=Exists(apps))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_admin(request) and (obj is None or obj.pk != current_user(request).pk)

    def remove(self, row: User, *, by: User) -> None:
        remove_user(row, by=by)

    def consequence(self, row: User) -> str:
        return "the API key and every session of this user end at once."

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        # Who takes their own role away could not give it back.
        own = ("role",) if obj is not None and obj.pk == current_user(request).pk else ()
        return (*super().get_readonly_fields(request, obj), *own)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> list[tuple[str | None, dict[str, Any]]]:
        known = ("id", "has_key", "created_at", "last_login") if obj else ()
        # An empty list to choose from would only be puzzling.
        groups = ("groups",) if Group.objects.exists() else ()
        return [
            (None, {"fields": ("account", "role", "email", *known)}),
            (
                "Signing in to the back office",
                {"fields": ("login", "new_password", *(("remove_password",) if obj else ()), *groups)},
            ),
        ]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:  # noqa: ANN401
        return super().formfield_for_manytomany(
            db_field, request, **kwargs | {"widget": UnfoldAdminCheckboxSelectMultipleWidget()}
        )

    def save_model(self, request: HttpRequest, obj: User, form: UserForm, change: bool) -> None:
        form.apply_password()
        if not change:
            self.show_key(request, obj, keys.renew(obj, by=current_user(request)))
            return
        obj.save(
            update_fields=[name for name in ("email", "role", "login") if name in form.changed_data] + ["password"]
        )
        if obj.pk == current_user(request).pk:
            update_session_auth_hash(request, obj)

    def show_key(self, request: HttpRequest, user: User, key: str) -> None:
        told = format_html(
            "The API key of {} is <code style='user-select:all;overflow-wrap:anywhere'>{}</code> – copy it now, it is "
            "not shown again.",
            user,
            key,
        )
        self.message_user(request, told, messages.WARNING, extra_tags="safe")

    @action(description="Issue a new API key", url_path="new-key", permissions=["change"])
    def new_key(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks first: a link must change nothing, and the old key stops at once."""
        user = get_object_or_404(self.get_queryset(request), pk=self.valid_id(object_id))
        if request.method == "POST":
            self.show_key(request, user, keys.renew(user, by=current_user(request)))
            return redirect("admin:accounts_user_change", user.pk)
        context = {**self.admin_site.each_context(request), "title": "Issue a new API key", "opts": self.opts}
        return TemplateResponse(request, "admin/accounts/user/new_key.html", {**context, "original": user})

    @action(description="Reset the second factor", url_path="reset-second-factor", permissions=["change"])
    def reset_second_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """For somebody who has lost both phone and recovery codes. One's own is turned off with a code."""
        user = get_object_or_404(self.get_queryset(request), pk=self.valid_id(object_id))
        if user.pk == current_user(request).pk:
            return redirect("admin:security")
        if request.method == "POST":
            try:
                second_factor.reset(user, by=current_user(request))
                self.message_user(request, f"{user} signs in without a code now.", messages.SUCCESS)
            except second_factor.Refusal as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
            return redirect("admin:accounts_user_change", user.pk)
        context = {**self.admin_site.each_context(request), "title": "Reset the second factor", "opts": self.opts}
        context["is_required"] = settings.REQUIRE_TOTP
        return TemplateResponse(request, "admin/accounts/user/reset_second_factor.html", {**context, "original": user})

    def valid_id(self, object_id: str) -> object:
        try:
            return self.opts.pk.to_python(object_id)
        except Exception:
            raise Http404 from None

    def log_addition(self, request: HttpRequest, obj: User, message: object) -> None:
        audit.record("user.add", obj.id, by=current_user(request))

    def log_change(self, request: HttpRequest, obj: User, message: object) -> None:
        audit.record("user.change", obj.id, by=current_user(request))

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """The verb has told the audit log."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        page = reverse("admin:accounts_auditentry_changelist")
        return redirect(f"{page}?subject={self.valid_id(object_id)}")

    @admin.display(description="login", ordering="login")
    def name(self, user: User) -> str:
        return user.login or "API only"

    @admin.display(description="has key", boolean=True)
    def has_key(self, user: User) -> bool:
        return user.key_hash is not None

    @admin.display(description="second factor", boolean=True)
    def asks_for_code(self, user: User) -> bool:
        has_app: bool = user.has_app  # type: ignore[attr-defined]
        return has_app


@admin.register(AuditEntry)
class AuditEntryAdmin(AdminsOnly, ScopedAdmin):
    """What was done with secrets and rights. Nobody writes here by hand."""

    list_display = ("at", "action", "who", "whom", "subject")
    list_display_links = None
    list_filter = ("action",)
    search_fields = ("subject", "actor")
    search_help_text = "Id of a user, website or account"
    date_hierarchy = "at"
    ordering: ClassVar = ["-at", "-id"]

    def visible(self, user: User) -> QuerySet[AuditEntry]:
        actor, known = User.objects.filter(pk=OuterRef("actor")), User.objects.filter(pk=OuterRef("subject_id"))
        is_id = When(subject__regex=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", then=Cast("subject", UUIDField()))
        return AuditEntry.objects.annotate(
            login=Subquery(actor.values("login")),
            email=Subquery(actor.values("email")),
            subject_id=Case(is_id),
            subject_login=Subquery(known.values("login")),
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.display(description="by", ordering=F("actor"))
    def who(self, entry: AuditEntry) -> str:
        if entry.actor is None:
            return "nobody signed in" if entry.action.startswith("sign_in.") else "the command line"
        return getattr(entry, "login", None) or getattr(entry, "email", None) or str(entry.actor)

    @admin.display(description="about")
    def whom(self, entry: AuditEntry) -> str:
        """The login of the user whom it is about, of those who are still there."""
        return getattr(entry, "subject_login", None) or ""


admin.site.unregister(Group)
# Their pages would show and take secrets in clear; ours are accounts.security and the user's page.
admin.site.unregister([TOTPDevice, StaticDevice])


@admin.register(Group)
class GroupAdmin(AdminsOnly, FewAtOnce, DjangoGroupAdmin, DiscreetAdmin):  # type: ignore[misc] # Django's is untyped
    """Rights beyond a role's, for example those of moderators."""
