"""The routes of ROOM v1 that are about what happened. Both spellings of each, without a redirect (contract D-21)."""

from django.urls import re_path

from analytics.api.v1.aggregate import AggregateView
from analytics.api.v1.endpoints import collect
from analytics.api.v1.reports import ReportView
from analytics.api.views import IngestView
from analytics.reports import REPORTS

urlpatterns = [
    re_path(r"^collect/?$", IngestView.as_view(endpoint=collect), name="collect"),
    re_path(r"^admin/aggregate/?$", AggregateView.as_view(), name="aggregate"),
    *[
        re_path(rf"^reports/{name}/?$", ReportView.as_view(report=report), name=f"report-{name}")
        for name, report in REPORTS.items()
    ],
]
