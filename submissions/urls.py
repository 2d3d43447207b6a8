"""The routes of the calendar: what hosts propose."""

from django.urls import include, path

from submissions import views
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
]
