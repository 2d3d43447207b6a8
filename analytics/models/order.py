"""Order: what one purchase brought. Filled by the function `analytics_take_orders` with the checkouts of a batch.

Its key begins with the website, like that of every fact. Whose it is, is told by the analytics_id alone, which
retention takes away; the amounts stay.
"""

from typing import ClassVar

from django.db import models

from analytics.models.event import ByteText


class Order(models.Model):
    """One transaction of one token (definitions 30)."""

    pk = models.CompositePrimaryKey("website_id", "client_id", "transaction")
    website_id = models.IntegerField()
    client_id = models.UUIDField()
    transaction = ByteText()
    analytics_id = ByteText()
    currency = models.CharField(max_length=3)
    # Of its first call.
    occurred_at = models.DateTimeField()
    total = models.DecimalField(max_digits=24, decimal_places=4)
    line_count = models.IntegerField()
    # The page of the purchase, without its query.
    referrer = ByteText()
    segments = models.JSONField()
    # Of a bot, or an excluded address, as long as nobody else has said the same.
    is_bot = models.BooleanField(db_default=False)
    is_excluded = models.BooleanField(db_default=False)

    class Meta:
        indexes: ClassVar = [
            # Reports and `show orders`: a website's orders of some days.
            models.Index(fields=["website_id", "occurred_at"], name="order_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.transaction} {self.total} {self.currency}"


class OrderLine(models.Model):
    """A product of an order, with its amount."""

    pk = models.CompositePrimaryKey("website_id", "client_id", "transaction", "number")
    website_id = models.IntegerField()
    client_id = models.UUIDField()
    transaction = ByteText()
    number = models.IntegerField()
    # What the call that brought it has in common with its repeats (contract D-31).
    call = models.CharField(max_length=32)
    product = ByteText()
    amount = models.DecimalField(max_digits=16, decimal_places=4)

    def __str__(self) -> str:
        return f"{self.product} {self.amount}"
