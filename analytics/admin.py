"""The back office: what was refused, for those whose website it was meant for."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from accounts.models import User, Website
from analytics.models import Drop


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
