"""What every report shares: how it is asked, how numbers are rounded, how rows are read and written as CSV."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar

from django.db import connection

from analytics.reports.exemption import LEAST_VISITORS, UNKNOWN, refusal
from analytics.reports.filters import Filter, over_visits, sides, values_of
from analytics.reports.period import Period


class BadQuestion(Exception):
    """A parameter is missing or wrong; the message says which and what would be right."""


@dataclass(slots=True, frozen=True)
class Question:
    """What is asked of a report, with everything checked."""

    website_id: int
    period: Period
    now: datetime
    comparison: Period | None = None
    include_bots: bool = False
    # Empty: no restriction to a content group.
    content_group: str = ""
    page: int = 1
    per_page: int = 50
    # What the visits counted must have in common.
    filters: tuple[Filter, ...] = ()
    # Of an exempt website: not everything is told.
    is_exempt: bool = False
    # What the report's own `parameters` made of the query.
    extra: Any = None

    @property
    def sql(self) -> dict[str, Any]:
        """The parameters of a statement over roll-ups; WHERE is its condition."""
        return {
            "website": self.website_id,
            "start": self.period.start,
            "end": self.period.end,
            "bots": [False, True] if self.include_bots else [False],
            "group": self.content_group,
            "limit": self.per_page,
            "offset": (self.page - 1) * self.per_page,
        }

    def rows(self, statement: str, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401 (any SQL value)
        """The rows of a statement over roll-ups; with filters the roll-ups are those of the visits that pass them."""
        parameters = self.sql | more
        if not self.filters:
            return rows(statement, parameters)
        tables = over_visits(self.filters, self.content_group, least=self.least_visitors, is_empty=self.is_withheld)
        return rows(tables + statement, parameters | values_of(self.filters))

    @property
    def least_visitors(self) -> int:
        """How many visitors a number needs to be told; 0 where every number is."""
        return LEAST_VISITORS if self.is_exempt and self.filters else 0

    @property
    def is_withheld(self) -> bool:
        """Whether nothing is told of the visits that pass the filters, since they, or those left out, are too few."""
        if not self.least_visitors:
            return False
        found = rows(sides(self.filters), self.sql | values_of(self.filters))[0]
        passing, *left_out = found.values()
        return passing < self.least_visitors or any(0 < few < self.least_visitors for few in left_out)

    def over(self, period: Period) -> "Question":
        return replace(self, period=period)


WHERE = (
    "website_id = %(website)s AND day BETWEEN %(start)s AND %(end)s"
    " AND is_bot = ANY(%(bots)s) AND content_group = %(group)s"
)
PAGE = "LIMIT %(limit)s OFFSET %(offset)s"


class Report:
    """One report. `columns` are the columns of its CSV; a report without any answers in JSON only."""

    name: ClassVar[str]
    columns: ClassVar[tuple[str, ...]] = ()
    # The report's own parameters for the OpenAPI document: name, meaning, and what drf-spectacular knows of types.
    documented: ClassVar[tuple[tuple[str, str, dict[str, Any]], ...]] = ()
    # Whether the answer comes from roll-ups of the period, which are then made fresh before it is asked.
    from_rollups: ClassVar[bool] = True
    # Whether it is asked about days, a page at a time, and answers in CSV, too.
    in_days: ClassVar[bool] = True
    # Whether it counts visits or their events, and so knows content groups and filters.
    of_visits: ClassVar[bool] = True

    def parameters(self, query: Mapping[str, list[str]]) -> Any:  # noqa: ANN401 (each report's own)
        """The report's own parameters, for `Question.extra`. Raises BadQuestion."""
        return None

    def examine(self, question: Question) -> None:
        """Raises BadQuestion for what cannot be asked of this website, or of these days."""
        unknown = [one.dimension for one in question.filters if one.dimension in UNKNOWN]
        if question.is_exempt and unknown:
            raise BadQuestion(refusal(f"{unknown[0]} to filter by"))
        self.check(question)

    def check(self, question: Question) -> None:
        """Raises BadQuestion when the parameters do not go together with the period or the website."""

    def answer(self, question: Question) -> dict[str, Any]:
        """The `data` of the JSON answer."""
        raise NotImplementedError

    def columns_for(self, question: Question) -> tuple[str, ...]:
        return self.columns

    def table(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        """The rows of the CSV, taken from the answer: always the same rows as the JSON page."""
        return list(data["rows"])


def rows(statement: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a statement as dicts by column name."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def for_each(websites: Sequence[int], statement: str, parameters: dict[str, Any]) -> dict[int, list[dict[str, Any]]]:
    """What a report's statement finds, by website: one query for however many, in place of one for each."""
    of_site = statement.replace("%(website)s", "site.id")
    found = rows(
        f"SELECT site.id AS of_website, found.* FROM unnest(%(websites)s::int[]) AS site(id)"
        f" CROSS JOIN LATERAL ({of_site}) AS found",
        parameters | {"websites": list(websites)},
    )
    by_website: dict[int, list[dict[str, Any]]] = {website: [] for website in websites}
    for row in found:
        by_website[row.pop("of_website")].append(row)
    return by_website


def period_of(question: Question) -> dict[str, str]:
    return {"start": str(question.period.start), "end": str(question.period.end)}


def paginated(question: Question, found: list[dict[str, Any]]) -> dict[str, Any]:
    return {"period": period_of(question), "page": question.page, "per_page": question.per_page, "rows": found}


def first(query: Mapping[str, list[str]], name: str) -> str:
    """A parameter's value; an empty one is an absent one (contract D-39)."""
    return (query.get(name) or [""])[0]


def one_of(query: Mapping[str, list[str]], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = first(query, name) or default
    if value not in allowed:
        raise BadQuestion(f"{name} must be one of {', '.join(allowed)}.")
    return value


def rounded(value: Decimal | int, places: int) -> Decimal:
    """Rounded, halves away from zero (definitions 23)."""
    return Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def share(part: int | Decimal, whole: int | Decimal, places: int) -> float:
    """part / whole in percent; 0 when there is no whole."""
    return float(rounded(Decimal(part) * 100 / Decimal(whole), places)) if whole else 0.0


def mean(total: int | Decimal, count: int | Decimal, places: int) -> float:
    """total / count; 0 when there is nothing to take it of."""
    return float(rounded(Decimal(total) / Decimal(count), places)) if count else 0.0


def mean_seconds(microseconds: int | Decimal, count: int | Decimal) -> int:
    """The mean in whole seconds; 0 when there is nothing to take it of."""
    return int(rounded(Decimal(microseconds) / (Decimal(count) * 1_000_000), 0)) if count else 0
