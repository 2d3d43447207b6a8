"""experiments: do the arms of `ab_testing` differ in how many of their visitors buy (definitions 32)?"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analytics.reports.base import BadQuestion, Question, Report, first, period_of, rounded, rows
from analytics.reports.exemption import refusal
from analytics.reports.widgets import WHERE
from analytics.rollups.widgets import PERSON

if TYPE_CHECKING:
    from analytics.experiment import Arm, Uplift

NUMBER = re.compile(r"[0-9]{1,18}")
MOST_ARMS = 20
LONGEST_WIDGET = 64
ARM = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
ARMS = {"type": "array", "items": ARM, "maxItems": MOST_ARMS}
SPLIT = {"type": "string", "pattern": "^[1-9][0-9]{0,17}(,[1-9][0-9]{0,17})+$"}

# A visitor's first arm counts; who was in two is left out, and counted.
PARTICIPANTS = f"""
WITH seen AS (
    SELECT person, arm, min(first_at) AS first_at FROM analytics_widgetarm
    WHERE {WHERE} AND (%(widget)s = '' OR widget = %(widget)s)
        AND (%(arms)s::bigint[] IS NULL OR arm = ANY(%(arms)s::bigint[]))
    GROUP BY person, arm
), participant AS (
    SELECT person, min(arm) AS arm, count(*) AS arms, min(first_at) AS first_at FROM seen GROUP BY person
), buyer AS (
    SELECT {PERSON.format("analytics_id")} AS person, max(occurred_at) AS last_at FROM analytics_order
    WHERE website_id = %(website)s AND occurred_at >= %(start)s AND occurred_at < %(end)s + 1 AND analytics_id <> ''
        AND NOT is_excluded AND is_bot = ANY(%(bots)s)
    GROUP BY 1
)
SELECT CASE arms WHEN 1 THEN arm END AS arm, count(*) AS participants,
    count(*) FILTER (WHERE last_at >= first_at) AS conversions
FROM participant LEFT JOIN buyer USING (person) GROUP BY 1 ORDER BY 1
"""


@dataclass(slots=True, frozen=True)
class Design:
    """What is compared: of which widget, which arms, against which control, shared out how."""

    widget: str
    arms: list[int] | None
    control: int | None
    split: list[int] | None


class Experiments(Report):
    """Visitors, buyers and conversion of each arm, its uplift over the control with a 95 % interval and the probability
    that it is better; whether the split is sound; and a verdict, or why there is none. A verdict is right 95 times of
    100 for a period that was chosen beforehand: who looks every day and stops at the first one is wrong more often.
    Content groups and filters do not restrict it."""

    name = "experiments"
    of_visits = False
    documented = (
        ("widget", "One widget only.", {}),
        ("arms[]", "These arms only.", {"type": ARMS, "explode": True}),
        ("control", "The arm that others are compared with; the smallest when absent.", {"type": ARM}),
        (
            "split",
            "How visitors were shared out, in the order of the arms: `90,10`; equally when absent.",
            {"type": SPLIT},
        ),
    )
    columns = (
        *("arm", "isControl", "participants", "conversions", "conversionRate"),
        *("uplift", "upliftLow", "upliftHigh", "probabilityBetter"),
    )

    def parameters(self, query: Mapping[str, list[str]]) -> Design:
        arms = [text for text in (*query.get("arms[]", []), *query.get("arms", [])) if text]
        control = [first(query, "control")] if first(query, "control") else []
        split = first(query, "split").split(",") if first(query, "split") else []
        if not all(NUMBER.fullmatch(text) for text in (*arms, *control)) or len(arms) > MOST_ARMS:
            raise BadQuestion(f"arms[] and control must be whole numbers, and at most {MOST_ARMS}.")
        if not all(NUMBER.fullmatch(text.strip()) and int(text) for text in split) or len(split) == 1:
            raise BadQuestion("split must be whole numbers with commas between, for example 90,10.")
        return Design(
            first(query, "widget")[:LONGEST_WIDGET],
            sorted({int(arm) for arm in arms}) or None,
            int(control[0]) if control else None,
            [int(weight) for weight in split] or None,
        )

    def check(self, question: Question) -> None:
        if question.is_exempt:
            raise BadQuestion(refusal("experiments"))

    def answer(self, question: Question) -> dict[str, Any]:
        # Not at the top: it would cost every web process 43 MB (measured), and experiments are asked for rarely.
        from analytics import experiment

        design: Design = question.extra
        found = rows(PARTICIPANTS, question.sql | {"widget": design.widget, "arms": design.arms})
        arms = {r["arm"]: experiment.Arm(r["participants"], r["conversions"]) for r in found if r["arm"] is not None}
        control = design.control if design.control in arms else min(arms, default=None)
        uplifts = {
            arm: experiment.uplift(arms[control], result, comparisons=len(arms) - 1)
            for arm, result in arms.items()
            if control is not None and arm != control
        }
        weights = design.split if design.split and len(design.split) == len(arms) else [1] * len(arms)
        p = experiment.split_p([arm.participants for arm in arms.values()], weights)
        verdict, reason = decided(arms, uplifts, p, is_split_known=not design.split or len(design.split) == len(arms))
        better = {
            arm: experiment.probability_better(arms[control], arms[arm]) for arm in uplifts if control is not None
        }
        return {
            "period": period_of(question),
            "widget": design.widget or "*",
            "control": control,
            "arms": [
                row(arm, result, uplifts.get(arm), better.get(arm), is_control=arm == control)
                for arm, result in arms.items()
            ],
            "contaminated": sum(r["participants"] for r in found if r["arm"] is None),
            "sample_ratio": {"p": places(p, 6), "mismatch": p < experiment.MISMATCH},
            "verdict": verdict,
            "reason": reason,
        }

    def table(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        return list(data["arms"])


def decided(
    arms: Mapping[int, "Arm"], uplifts: Mapping[int, "Uplift | None"], p: float, *, is_split_known: bool
) -> tuple[dict[str, Any] | None, str | None]:
    """The verdict, or else why there is none."""
    from analytics.experiment import FEWEST_CONVERSIONS, MISMATCH

    conversions = sum(arm.conversions for arm in arms.values())
    if len(arms) < 2:
        return None, "There are not two arms to compare."
    if not is_split_known:
        return None, f"split names another number of arms than the {len(arms)} there are."
    if p < MISMATCH:
        return None, "The arms are not as large as they should be: something decides who is counted where."
    if conversions < FEWEST_CONVERSIONS:
        return None, f"{conversions} conversions are too few: a verdict needs {FEWEST_CONVERSIONS}."
    certain = {arm: found for arm, found in uplifts.items() if found and found.is_certain}
    if not certain:
        return None, "No difference can be told from chance."
    best = max(certain, key=lambda arm: certain[arm].value)
    if certain[best].value > 0:
        return {"arm": best, "is": "better"}, None
    worst = min(certain, key=lambda arm: certain[arm].value)
    return {"arm": worst, "is": "worse"}, None


def row(number: int, arm: "Arm", uplift: "Uplift | None", better: float | None, *, is_control: bool) -> dict[str, Any]:
    return {
        "arm": number,
        "isControl": is_control,
        "participants": arm.participants,
        "conversions": arm.conversions,
        "conversionRate": places(arm.rate * 100, 2),
        "uplift": places(uplift.value * 100, 2) if uplift else None,
        "upliftLow": places(uplift.low * 100, 2) if uplift else None,
        "upliftHigh": places(uplift.high * 100, 2) if uplift else None,
        "probabilityBetter": places(better, 4) if better is not None else None,
    }


def places(value: float, count: int) -> float:
    return float(rounded(Decimal(str(value)), count))
