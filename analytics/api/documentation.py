"""How ingest routes and reports stand in the OpenAPI document: made from the endpoint and report objects."""

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from accounts.api.documentation import ALWAYS, WAIT, envelope, refusals
from analytics.reports.asking import COMPARISONS, FORMATS, MOST_PAGES, MOST_PER_PAGE
from analytics.reports.filters import DIMENSIONS, LONGEST_VALUE, MOST_VALUES
from analytics.reports.period import LONGEST_DAYS, NAMES
from analytics.rollups.build import EARLIEST
from tinytrail.web.openapi import TEXT, header

# Each requirement is one way to be let in: scheme -> scopes, of which there are none.
Security = Sequence[Mapping[str, Sequence[str]]]

# What is not named is for everybody.
PUBLIC: Security = ({},)


class EndpointSchema(AutoSchema):
    """Of a view with an `endpoint`, whose `body` is the struct of its request and `answers` says what it replies."""

    view: Any

    def get_operation_id(self) -> str:
        return str(self.view.endpoint.name)

    def get_summary(self) -> str:
        return str(self.view.endpoint.summary)

    def get_description(self) -> str:  # type: ignore[override] # two bases of drf-spectacular's own disagree
        return str(self.view.endpoint.description)

    def get_tags(self) -> list[str]:
        return [self.view.endpoint.dialect.word]

    def get_auth(self) -> list[Any]:
        return list(self.view.endpoint.security)

    def get_request_serializer(self) -> Any:  # noqa: ANN401 (drf-spectacular's own)
        return self.view.endpoint.bodies or None

    def get_examples(self) -> list[OpenApiExample]:
        examples = self.view.endpoint.examples.items()
        return [OpenApiExample(text, value, request_only=True) for text, value in examples]

    def get_override_parameters(self) -> list[Any]:
        return list(self.view.endpoint.parameters)

    def get_response_serializers(self) -> Any:  # noqa: ANN401 (drf-spectacular's own)
        return {
            status: OpenApiResponse(schema or None, description=text)
            for status, (text, schema) in self.view.endpoint.answers.items()
        }


def query(name: str, text: str, **options: Any) -> OpenApiParameter:  # noqa: ANN401 (whatever drf-spectacular takes)
    type_ = str if "enum" in options else dict(TEXT)
    return OpenApiParameter(name, **({"type": type_} | options), description=text)


def number(most: int, default: int | None = None) -> dict[str, Any]:
    """The schema of a whole number from 1."""
    return {"type": "integer", "minimum": 1, "maximum": most} | ({} if default is None else {"default": default})


WEBSITE = query("website_id", "The website's id.", type=OpenApiTypes.UUID, required=True)
PERIOD = [
    query("period", "A named period of UTC days.", enum=NAMES, default="7d"),
    query(
        "start_date",
        f"First day, overrides `period`. Not before {EARLIEST}.",
        type=OpenApiTypes.DATE,
    ),
    query(
        "end_date",
        f"Last day, today when absent; needs `start_date`, and lies at most {LONGEST_DAYS} days after it.",
        type=OpenApiTypes.DATE,
    ),
    query("compare", "What `summary` compares with.", enum=COMPARISONS),
    query("include_bots", "`true` counts bots too; anything else does not.", default="false"),
    query("content_group", "Restricts the report to one content group, by its exact name."),
]
PAGING = [
    query("page", "Of paginated reports.", type=number(MOST_PAGES, 1)),
    query("per_page", "Rows of a page.", type=number(MOST_PER_PAGE, 50)),
    query("format", "CSV comes as an attachment.", enum=FORMATS, default="json"),
]
VALUES = "given several times it is any of the values"
FILTERS = [
    query(
        f"{name}[{dimension}]",
        f"Counts only visits {having} this {dimension}; {VALUES}, `*` stands for any characters, `(none)` for nothing.",
        type={"type": "array", "items": TEXT | {"maxLength": LONGEST_VALUE}, "maxItems": MOST_VALUES},
        explode=True,
    )
    for name, having in (("filter", "with"), ("filter_not", "without"))
    for dimension in DIMENSIONS
]


class ReportSchema(AutoSchema):
    """Of a view with a `report`. What it answers stands in the URLconf, as the report itself does."""

    view: Any

    def get_operation_id(self) -> str:
        return f"report_{self.view.report.name.replace('-', '_')}"

    def get_summary(self) -> str:
        return f"Report: {self.view.report.name}"

    def get_description(self) -> str:  # type: ignore[override] # two bases of drf-spectacular's own disagree
        return " ".join((self.view.report.__doc__ or "").split())

    def get_tags(self) -> list[str]:
        return ["v1"]

    def get_override_parameters(self) -> list[Any]:
        report = self.view.report
        own = [query(name, text, **options) for name, text, options in report.documented]
        common = [*PERIOD, *PAGING]
        if not report.of_visits:
            common = [found for found in common if found.name != "content_group"]
        filters = FILTERS if report.of_visits else []
        return [
            WEBSITE,
            *([*common, *filters] if report.in_days else []),
            *own,
            WAIT,
            *(HEADERS if report.in_days else []),
        ]

    def get_response_serializers(self) -> Any:  # noqa: ANN401 (drf-spectacular's own)
        report = self.view.report
        title = "".join(word.title() for word in report.name.split("-"))
        answers: dict[Any, Any] = {
            200: OpenApiResponse(envelope(f"{title}Answer", self.view.answer), self.get_description())
        }
        if report.in_days:
            answers[(200, "text/csv")] = OpenApiResponse({"type": "string"}, "The rows of the page as CSV.")
        return answers | refusals(400, *ALWAYS, 404)


HEADERS = (
    header("Age", "Seconds, of the answer for a website that is too busy for one of this moment.", 200, required=False),
    header("Content-Disposition", "Of CSV: the name of the file.", 200, required=False),
)
