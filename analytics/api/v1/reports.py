"""ROOM v1, reports: GET /api/v1/reports/<name> (contract 2.9, 2.10)."""

from collections.abc import Mapping

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.dialect import InvalidPayload, NotFound, V1View, path_uuid, success
from accounts.models import Website
from analytics.api.documentation import ReportSchema
from analytics.reports.asking import Parameters, parameters
from analytics.reports.base import BadQuestion, Question, Report, first
from analytics.reports.exemption import suppressed
from analytics.rollups.build import fresh
from tinytrail.web import csv
from tinytrail.web.openapi import Schema


class ReportView(V1View):
    # Given in the URLconf; Django wants the attribute to be there.
    report: Report = None  # type: ignore[assignment]
    # The schema of its data, for the OpenAPI document.
    answer: Schema = None  # type: ignore[assignment]

    schema = ReportSchema()

    def get(self, request: Request) -> Response | HttpResponse:
        now = timezone.now()
        query = dict(request.query_params.lists())
        website_id = path_uuid(required(query, "website_id"), "website_id")
        try:
            asked = parameters(self.report, query, now=now)
        except BadQuestion as bad:
            raise InvalidPayload(str(bad)) from None
        website = Website.objects.visible_to(self.caller).filter(public_id=website_id).first()
        if website is None:
            raise NotFound
        question = asked.question(website, now=now)
        try:
            self.report.examine(question)
        except BadQuestion as bad:
            raise InvalidPayload(str(bad)) from None
        age = made_fresh(question) if self.report.from_rollups else 0
        response = self.respond(asked, question)
        if age:
            # A website too busy for an answer of this moment says how old it is (definitions 24).
            response["Age"] = str(age)
        return response

    def respond(self, asked: Parameters, question: Question) -> Response | HttpResponse:
        data = self.report.answer(question)
        columns = self.report.columns_for(question)
        if asked.format == "json" or not columns:
            said = suppressed(is_withheld=question.is_withheld) if question.least_visitors else {}
            return success(data | said)
        name = f"{self.report.name}-{question.period.start}-{question.period.end}.csv"
        return HttpResponse(
            csv.document(columns, self.report.table(data)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )


def made_fresh(question: Question) -> int:
    """Have the question's days built; the age of the oldest of them in seconds."""
    periods = [question.period, question.comparison] if question.comparison else [question.period]
    return max(fresh(question.website_id, period.start, period.end, now=question.now) for period in periods)


def required(query: Mapping[str, list[str]], name: str) -> str:
    value = first(query, name)
    if not value:
        raise InvalidPayload(f"{name} is required.")
    return value
