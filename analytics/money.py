"""Money in words: an exact decimal as text, since a JSON number would become a binary fraction on its way."""

from decimal import ROUND_HALF_UP, Decimal

PLACES = Decimal("0.0001")
CENT = Decimal("0.01")


def text(amount: Decimal) -> str:
    """At least two decimal places, and up to four where they say something: 120.50, 0.0125."""
    exact = Decimal(amount).quantize(PLACES, ROUND_HALF_UP)
    cents = exact.quantize(CENT, ROUND_HALF_UP)
    return f"{cents if cents == exact else exact.normalize():f}"
