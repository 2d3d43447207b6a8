"""The back office: what was refused, and the people that products tell of, for those whose website it is."""

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Model, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from redis.exceptions import RedisError
from unfold.admin import ModelAdmin
from unfold.decorators import action

from accounts.admin import ScopedAdmin, current_user
from accounts.models import User, Website
from analytics import profiles
from analytics.models import Drop, Group, Profile
from analytics.vocabulary import Type

# Events on a person's page, and characters of each one's properties.
MOST_SHOWN = 100
LONGEST_SHOWN = 500


@admin.register(Drop)
class DropAdmin(ModelAdmin):
    """Requests that were not stored, by day and reason (contract D-25). Nobody writes here by hand."""

    list_display = ("day", "dialect", "reason", "domain", "count")
    list_filter = ("dialect", "reason")
    list_display_links = None
    date_hierarchy = "day"
    ordering: ClassVar = ["-day", "-count", "id"]
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and request.user.is_staff

    def has_view_permission(self, request: HttpRequest, obj: Drop | None = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Drop | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Drop | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Drop]:
        """Admins see all, others those of their own websites."""
        domain = Website.objects.filter(id=OuterRef("website_id")).values("domain")
        drops: QuerySet[Drop] = super().get_queryset(request).annotate(website_domain=Subquery(domain))
        assert isinstance(request.user, User)  # has_view_permission let nobody else pass
        if request.user.is_admin:
            return drops
        return drops.filter(website_id__in=Website.objects.visible_to(request.user).values("id"))

    @admin.display(description="website", ordering="website_domain")
    def domain(self, drop: Drop) -> str:
        return getattr(drop, "website_domain", None) or "not known"


@admin.register(Profile)
class ProfileAdmin(ScopedAdmin):
    """People, as the calls of OpenPanel's clients tell of them. Nobody writes here by hand: what is wrong is told again
    by who told it, and who is to be forgotten is erased.
    """

    list_display = ("name", "profile_id", "email", "domain", "belongs_to", "first_seen_at", "last_seen_at")
    list_display_links = ("name", "profile_id")
    search_fields = ("profile_id", "first_name", "last_name", "email")
    search_help_text = "Id, name or e-mail"
    date_hierarchy = "last_seen_at"
    ordering: ClassVar = ["-last_seen_at", "-id"]
    actions_detail: ClassVar = ["export", "erase"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_view_permission(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # Only by erasing, which leaves no trace in Django's own log either.
        return False

    def has_erase_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return current_user(request).has_perm("analytics.delete_profile")

    def visible(self, user: User) -> QuerySet[Profile]:
        domain = Website.objects.filter(id=OuterRef("website_id")).values("domain")
        return profiles.visible_to(user).annotate(website_domain=Subquery(domain))

    def get_fieldsets(
        self, request: HttpRequest, obj: Profile | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        seen = ("created_at", "first_seen_at", "last_seen_at")
        return [
            (None, {"fields": ("profile_id", "first_name", "last_name", "email", "domain", "belongs_to", *seen)}),
            ("Counters", {"fields": ("counters",)}),
            ("Properties", {"fields": ("everything_known",)}),
            (f"What they did last (the newest {MOST_SHOWN})", {"fields": ("events",)}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("domain", "belongs_to", "counters", "everything_known", "events")

    @admin.display(description="name", ordering="first_name")
    def name(self, profile: Profile) -> str:
        return " ".join(part for part in (profile.first_name, profile.last_name) if part) or "not known"

    @admin.display(description="website", ordering="website_domain")
    def domain(self, profile: Profile) -> str:
        return str(getattr(profile, "website_domain", ""))

    @admin.display(description="groups")
    def belongs_to(self, profile: Profile) -> str:
        return ", ".join(profile.groups)

    @admin.display(description="numbers")
    def counters(self, profile: Profile) -> str:
        return table(("Name", "Value"), sorted(profiles.counters(profile.properties)))

    @admin.display(description="properties")
    def everything_known(self, profile: Profile) -> str:
        rows = [
            (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            for name, value in sorted(profile.properties.items())
        ]
        return table(("Name", "Value"), rows)

    @admin.display(description="events")
    def events(self, profile: Profile) -> str:
        rows = [
            (
                f"{event.occurred_at:%Y-%m-%d %H:%M:%S}",
                event.name or Type(event.type).name.lower(),
                event.path,
                json.dumps(event.properties, ensure_ascii=False)[:LONGEST_SHOWN] if event.properties else "",
            )
            for event in profiles.events_of(profile)[:MOST_SHOWN]
        ]
        return table(("Time (UTC)", "Event", "Path", "Properties"), rows)

    @action(description="Export as JSON", url_path="export", permissions=["view"])
    def export(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Everything about the person, for them to have."""
        profile = self.found(request, object_id)
        profiles.record_export(profile, by=current_user(request))
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="profile-{profile.pk}.json"',
        }
        return StreamingHttpResponse(profiles.everything(profile), content_type="application/json", headers=headers)

    @action(description="Erase", url_path="erase", permissions=["erase"])
    def erase(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Asks first: nothing brings a person back."""
        profile = self.found(request, object_id)
        if request.method == "POST":
            try:
                gone = profiles.erase(profile, by=current_user(request))
            except RedisError:
                sentence = "Redis does not answer, and may hold events of this person: nothing was erased. Try again."
                self.message_user(request, sentence, messages.ERROR)
                return redirect("admin:analytics_profile_change", profile.pk)
            self.message_user(request, f"The person is erased, with {gone:,} events.", messages.SUCCESS)
            return redirect("admin:analytics_profile_changelist")
        context = {**self.admin_site.each_context(request), "title": "Erase a person", "opts": self.opts}
        return TemplateResponse(request, "admin/analytics/profile/erase.html", {**context, "original": profile})

    def found(self, request: HttpRequest, object_id: str) -> Profile:
        if not object_id.isdecimal() or len(object_id) > 18:
            raise Http404
        profile: Profile = get_object_or_404(self.get_queryset(request), pk=object_id)
        return profile


def table(head: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    """A small table; a sentence when there is nothing in it."""
    if not rows:
        return "None."
    cell = "<td class='px-3 py-1 align-top' style='overflow-wrap:anywhere'>{}</td>"
    return format_html(
        "<table class='w-full text-left'><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        format_html_join("", "<th scope='col' class='px-3 py-1'>{}</th>", ((name,) for name in head)),
        format_html_join("", "<tr>{}</tr>", ((format_html_join("", cell, ((one,) for one in row)),) for row in rows)),
    )


@admin.register(Group)
class GroupAdmin(ScopedAdmin):
    """Companies, teams and the like that people belong to."""

    list_display = ("name", "type", "group_id", "domain", "changed_at")
    search_fields = ("name", "group_id", "type")
    search_help_text = "Name, id or type"
    ordering: ClassVar = ["name", "id"]
    fields = ("name", "type", "group_id", "domain", "properties", "created_at", "changed_at")
    readonly_fields = ("domain",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_view_permission(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def visible(self, user: User) -> QuerySet[Group]:
        domain = Website.objects.filter(id=OuterRef("website_id")).values("domain")
        websites = Website.objects.visible_to(user).values("id")
        return Group.objects.filter(website_id__in=websites).annotate(website_domain=Subquery(domain))

    @admin.display(description="website", ordering="website_domain")
    def domain(self, group: Group) -> str:
        return str(getattr(group, "website_domain", ""))
