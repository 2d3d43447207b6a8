"""devices: visits by device type, browser, operating system and screen width."""

from typing import Any

from analytics.models.rollups import Dimension
from analytics.reports.base import WHERE, Question, Report, period_of

VISITS = f"""
SELECT dimension, label, sum(visits)::bigint AS visits FROM analytics_dimensionday
WHERE {WHERE} AND dimension = ANY(%(dimensions)s)
GROUP BY dimension, label ORDER BY visits DESC, label
"""
# List -> the dimension it shows, and what the contract calls its label.
LISTS = {
    "device_types": (Dimension.DEVICE, "deviceType"),
    "browsers": (Dimension.BROWSER, "browserFamily"),
    "os_families": (Dimension.OS, "osFamily"),
    "screen_resolutions": (Dimension.SCREEN, "bucket"),
}


class Devices(Report):
    """Visits by device type, browser, operating system and screen width."""

    name = "devices"
    columns = ("deviceType", "visits")

    def answer(self, question: Question) -> dict[str, Any]:
        found = question.rows(VISITS, dimensions=[int(dimension) for dimension, _ in LISTS.values()])
        return {"period": period_of(question)} | {
            name: [{label: row["label"], "visits": row["visits"]} for row in found if row["dimension"] == dimension]
            for name, (dimension, label) in LISTS.items()
        }

    def table(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        return list(data["device_types"])
