"""How ingest routes and reports stand in the OpenAPI document: made from the endpoint and report objects."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from accounts.api.documentation import REFUSAL, REFUSALS, inlined
from analytics.reports.asking import COMPARISONS, FORMATS, MOST_PER_PAGE
from analytics.reports.filters import DIMENSIONS
from analytics.reports.period import NAMES


class EndpointSchema(AutoSchema):
    """Of a view with an `endpoint`, whose `body` is the struct of its request and `answers` says what it replies."""

    view: Any

    def get_operation_id(self) -> str:
        return str(self.view.endpoint.name)

    def get_summary(self) -> str:
        return str(self.view.endpoint.summary)

    def get_tags(self) -> list[str]:
        return [self.view.endpoint.dialect.word]

    def get_request_serializer(self) -> Any:  # noqa: ANN401 (drf-spectacular's own)
        body = self.view.endpoint.body
        if body is None:
            return None
        return {"application/json": body if isinstance(body, dict) else inlined(body)}

    def get_override_parameters(self) -> list[Any]:
        return list(self.view.endpoint.parameters)

    def get_response_serializers(self) -> Any:  # noqa: ANN401 (drf-spectacular's own)
        return {
            status: OpenApiResponse(schema or None, description=text)
            for status, (text, schema) in self.view.endpoint.answers.items()
        }


def query(name: str, text: str, **options: Any) -> OpenApiParameter:  # noqa: ANN401 (whatever drf-spectacular takes)
    return OpenApiParameter(name, **({"type": str} | options), description=text)


WEBSITE = query("website_id", "The website's id.", type=OpenApiTypes.UUID, required=True)
COMMON = [
    query("period", "A named period of UTC days.", enum=NAMES, default="7d"),
    query("start_date", "First day, overrides `period`.", type=OpenApiTypes.DATE),
    query("end_date", "Last day, today when absent; needs `start_date`.", type=OpenApiTypes.DATE),
    query("compare", "What `summary` compares with.", enum=COMPARISONS),
    query("include_bots", "`true` counts bots too.", enum=["true", "false"], default="false"),
    query("content_group", "Restricts the report to one content group, by its exact name."),
    query("page", "Of paginated reports.", type=int, default=1),
    query("per_page", f"At most {MOST_PER_PAGE}.", type=int, default=50),
    query("format", "CSV comes as an attachment.", enum=FORMATS, default="json"),
]


VALUES = "given several times it is any of the values"
FILTERS = [
    query(
        f"{name}[{dimension}]",
        f"Counts only visits {having} this {dimension}; {VALUES}, `*` stands for any characters, `(none)` for nothing.",
        many=True,
        explode=True,
    )
    for name, having in (("filter", "with"), ("filter_not", "without"))
    for dimension in DIMENSIONS
]


class ReportSchema(AutoSchema):
    """Of a view with a `report`."""

    view: Any

    def get_operation_id(self) -> str:
        return f"report_{self.view.report.name.replace('-', '_')}"

    def get_summary(self) -> str:
        return f"Report: {self.view.report.name}"

    def get_description(self) -> str:  # type: ignore[override] # two bases of drf-spectacular's own disagree
        return (self.view.report.__doc__ or "").strip()

    def get_tags(self) -> list[str]:
        return ["v1"]

    def get_override_parameters(self) -> list[Any]:
        report = self.view.report
        own = [query(name, text, **options) for name, text, options in report.documented]
        common = COMMON if report.of_visits else [found for found in COMMON if found.name != "content_group"]
        filters = FILTERS if report.of_visits else []
        return [WEBSITE, *([*common, *filters] if report.in_days else []), *own]

    def get_response_serializers(self) -> Any:  # noqa: ANN401 (drf-spectacular's own)
        envelope = {
            "type": "object",
            "properties": {"status": {"const": "success"}, "data": {"type": "object"}},
            "required": ["status", "data"],
        }
        refusals = {status: OpenApiResponse(REFUSAL, text) for status, text in REFUSALS.items() if status != 403}
        answers: dict[Any, Any] = {200: OpenApiResponse(envelope, self.get_description())}
        if self.view.report.in_days:
            answers[(200, "text/csv")] = OpenApiTypes.STR
        return answers | refusals
