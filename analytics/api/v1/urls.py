"""The routes of ROOM v1 that are about what happened. Both spellings of each, without a redirect (contract D-21)."""

from analytics.api.v1.aggregate import AggregateView
from analytics.api.v1.documentation import ANSWERS, PREFLIGHT
from analytics.api.v1.endpoints import collect
from analytics.api.v1.reports import ReportView
from analytics.api.views import IngestView
from analytics.reports import REPORTS
from tinytrail.web.openapi import described
from tinytrail.web.routes import both

urlpatterns = [
    *both("collect", described(PREFLIGHT, method="options")(IngestView.serving(collect))),
    *both("admin/aggregate", AggregateView.as_view()),
    *(
        route
        for name, report in REPORTS.items()
        for route in both(f"reports/{name}", ReportView.as_view(report=report, answer=ANSWERS[name]))
    ),
]
