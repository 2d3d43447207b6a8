"""funnel: how many visits took the steps in order (definitions 20)."""

from collections.abc import Mapping
from typing import Any

from analytics.reports.base import BadQuestion, Question, Report, period_of, share
from analytics.reports.exemption import refusal
from analytics.rollups.visits import funnel_patterns

MOST_STEPS = 20
LONGEST_STEP = 2048
STEP = {"type": "string", "maxLength": LONGEST_STEP, "pattern": r"^[^\u0000]*[!-~][^\u0000]*$"}
STEPS = {"type": "array", "items": STEP, "minItems": 2, "maxItems": MOST_STEPS}

VISITS = """
FROM analytics_visit
WHERE website_id = %(website)s AND day BETWEEN %(start)s AND %(end)s AND is_bot = ANY(%(bots)s)
    AND (%(group)s = '' OR %(group)s = ANY(content_groups))
    AND steps LIKE %(step_0)s
"""


class Funnel(Report):
    """How many visits took the steps in order."""

    name = "funnel"
    documented = (("steps[]", "A path, or an event; in order.", {"type": STEPS, "explode": True, "required": True}),)
    columns = ("step", "sessions", "conversion_rate")

    def parameters(self, query: Mapping[str, list[str]]) -> list[str]:
        steps = [*query.get("steps[]", []), *query.get("steps", [])]
        if not 2 <= len(steps) <= MOST_STEPS:
            raise BadQuestion(f"steps[] must be given 2 to {MOST_STEPS} times.")
        if any(not step.strip() or len(step) > LONGEST_STEP for step in steps):
            raise BadQuestion(f"Each of steps[] must be a path or an event, of at most {LONGEST_STEP} characters.")
        return steps

    def check(self, question: Question) -> None:
        if question.is_exempt:
            raise BadQuestion(refusal("funnels"))

    def answer(self, question: Question) -> dict[str, Any]:
        steps: list[str] = question.extra
        patterns = {f"step_{n}": pattern for n, pattern in enumerate(funnel_patterns(steps))}
        # Nested, so that a visit that missed a step is not asked about the next.
        reached = "1"
        for n in range(len(steps) - 1, 0, -1):
            reached = f"CASE WHEN steps LIKE %(step_{n})s THEN {n + 1 if reached == '1' else reached} ELSE {n} END"
        counts = {
            row["reached"]: row["visits"]
            for row in question.rows(f"SELECT {reached} AS reached, count(*) AS visits {VISITS} GROUP BY 1", **patterns)
        }
        return {"period": period_of(question), "funnel": conversion(steps, counts)}

    def table(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        return list(data["funnel"])


def conversion(steps: list[str], counts: dict[int, int]) -> list[dict[str, Any]]:
    """The funnel from how many visits reached exactly so many steps."""
    found: list[dict[str, Any]] = []
    for number, step in enumerate(steps, start=1):
        sessions = sum(visits for reached, visits in counts.items() if reached >= number)
        rate = share(sessions, found[-1]["sessions"], 2) if found else 100
        found.append({"step": step, "sessions": sessions, "conversion_rate": rate})
    return found
