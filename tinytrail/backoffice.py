"""The back office's frame: whose site it is, and what stands in its sidebar, for which Unfold asks by the names in
settings.UNFOLD.

It is no part of the settings themselves, because those are read by processes that know nothing of Django's URLs and
templates (the supervisor, beat) and stay three times as small without.
"""

from typing import Any

from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


class BackOfficeConfig(AdminConfig):
    """Django's admin, with a door of our own."""

    default_site = "accounts.door.BackOffice"


def favicon(request: HttpRequest) -> str:
    return static("tinytrail/mark.svg")


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    return [
        {
            "title": "What is counted",
            "items": [
                {"title": "Dashboard", "icon": "insights", "link": reverse_lazy("dashboards")},
                page_of("Websites", "language", "accounts_website"),
                page_of("Widget tokens", "widgets", "accounts_widgettoken"),
                page_of("OpenPanel clients", "key_vertical", "accounts_openpanelclient"),
                page_of("Refused requests", "block", "analytics_drop"),
            ],
        },
        {
            "title": "Product",
            "items": [
                page_of("Profiles", "person", "analytics_profile", right="analytics.view_profile"),
                page_of("Groups of people", "groups", "analytics_group", right="analytics.view_group"),
            ],
        },
        {
            "title": "Calendar",
            "items": [
                page_of("Submissions", "inbox", "submissions_submission", right="submissions.view_submission"),
                page_of("Published events", "event", "submissions_catalogevent", right="submissions.view_catalogevent"),
                page_of("Calendars", "calendar_month", "submissions_calendar", right="submissions.view_calendar"),
                {
                    "title": "Calendar numbers",
                    "icon": "monitoring",
                    "link": reverse_lazy("calendar_numbers_all"),
                },
                page_of("Decisions", "fact_check", "submissions_decision", right="submissions.view_decision"),
                page_of("Hosts", "contact_mail", "submissions_host", right="submissions.see_host"),
            ],
        },
        {
            "title": "Who may ask",
            "items": [
                page_of("Accounts", "domain", "accounts_account"),
                page_of("Users and keys", "key", "accounts_user", for_admins=True),
                page_of("Groups", "group", "auth_group", for_admins=True),
                page_of("Audit log", "history", "accounts_auditentry", for_admins=True),
                {"title": "Security", "icon": "shield_lock", "link": reverse_lazy("admin:security")},
            ],
        },
    ]


def page_of(title: str, icon: str, model: str, *, for_admins: bool = False, right: str = "") -> dict[str, Any]:
    """An entry of the sidebar: a model's list, for those who may see it."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{model}_changelist"),
        "permission": lambda request: (
            request.user.has_perm(right) if right else request.user.is_admin or not for_admins
        ),
    }
