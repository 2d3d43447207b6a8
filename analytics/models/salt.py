"""Salt: the secret of one UTC day, without which a visitor key says nothing."""

from django.db import models


class Salt(models.Model):
    # The table is unlogged: a deleted row of a logged one would survive in the write-ahead log.
    day = models.DateField(primary_key=True)
    value = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return str(self.day)
