"""What is not told of an exempt website: what it does not keep, and filtered numbers of a few visitors (P14).

A filter narrows a report down, in the end to one visit from one country with one kind of device to one page. So a
filtered report is withheld as a whole when too few visitors pass, or when a filter leaves out too few, who could
else be told by subtraction; and its lists are without the rows of too few. Visitors are those of definitions 8.
"""

from typing import Any

LEAST_VISITORS = 5
# Dimensions that an exempt website does not know.
UNKNOWN = frozenset({"channel", "utm_source", "utm_medium", "utm_campaign"})


def refusal(what: str) -> str:
    return f"This website is exempt and keeps no {what}: see docs/privacy.md."


def suppressed(*, is_withheld: bool) -> dict[str, Any]:
    """What a filtered answer says of what is left out of it."""
    return {"suppressed": {"least_visitors": LEAST_VISITORS, "all": is_withheld}}
