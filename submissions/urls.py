"""The routes of the calendar: what hosts propose, and what was published."""

from django.urls import include, path

from submissions import views, views_calendar
from tinytrail.web.routes import both

urlpatterns = [
    path("api/", include("submissions.api.urls")),
    *both("calendar/submit", views.proposal_form, "proposal_form"),
    *both("calendar/<uuid:website_id>/submit", views.proposal_form, "calendar_proposal_form"),
    *both("calendar/proposals/<str:token>", views.status, "proposal_status"),
    *both("calendar/proposals/<str:token>/edit", views.edit, "proposal_edit"),
    *both("calendar/proposals/<str:token>/withdraw", views.withdraw, "proposal_withdraw"),
    *both("calendar/proposals/<str:token>/answer", views.answer, "proposal_answer"),
    *both("calendar/proposals/<str:token>/appeal", views.appeal, "proposal_appeal"),
    *both("calendar", views_calendar.calendar_page, "default_calendar"),
    *both("calendar.json", views_calendar.calendar_json),
    *both("calendar.ics", views_calendar.calendar_ics),
    *both("calendar.rss", views_calendar.calendar_rss),
    *both("calendar/<uuid:website>", views_calendar.calendar_page, "calendar"),
    *both("calendar/<uuid:website>.json", views_calendar.calendar_json),
    *both("calendar/<uuid:website>.ics", views_calendar.calendar_ics),
    *both("calendar/<uuid:website>.rss", views_calendar.calendar_rss),
    *both("calendar/<uuid:website>/<str:key>/event.ics", views_calendar.event_ics, "calendar_event_ics"),
    *both("calendar/<uuid:website>/<str:key>/<slug:slug>", views_calendar.event_page, "calendar_event"),
    *both("calendar/<uuid:website>/<str:key>", views_calendar.event_page),
]
