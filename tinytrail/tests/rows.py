"""A row of any table, made from the schema alone, so that tests of all tables know those of tomorrow, too."""

import itertools
import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.utils import timezone

from accounts.models import Website

Made = dict[type[models.Model], models.Model]

numbers = itertools.count(1_000)


def make_row(model: type[models.Model], made: Made | None = None, **given: Any) -> Any:
    """A row with a value in every column that needs one, and with every key that would take it along.

    What its keys name is taken from `made`, or made too. A name with `__` in it gives a value to what a key names.
    """
    made = {} if made is None else made
    ahead = {name: value for name, value in given.items() if "__" in name}
    values = {name: value for name, value in given.items() if "__" not in name}
    for field in model._meta.concrete_fields:
        if field.name in values or field.attname in values or not needs_value(field):
            continue
        of_parent = {name.partition("__")[2]: ahead[name] for name in ahead if name.startswith(f"{field.name}__")}
        values[field.attname] = value_of(field, made, of_parent)
    ensure_month(model, values)
    row = model._base_manager.create(**values)
    # Those that the model sets by itself.
    model._base_manager.filter(pk=row.pk).update(**{name: values[name] for name in values if is_automatic(model, name)})
    return row


def needs_value(field: Any) -> bool:
    if isinstance(field, models.ForeignKey):
        return not field.null or field.remote_field.on_delete is models.CASCADE
    if isinstance(field, models.AutoField) or is_automatic(field.model, field.name):
        return False
    # Where it may be empty the row would be nobody's.
    return field.name == "website_id" or not (field.null or field.has_default() or field.has_db_default())


def value_of(field: Any, made: Made, of_parent: dict[str, Any]) -> Any:
    if isinstance(field, models.ForeignKey):
        return parent(field.related_model._meta.concrete_model, made, of_parent).pk
    if field.name == "website_id":
        return parent(Website, made, {}).pk
    if field.choices:
        return field.choices[0][0]
    return plain(field)


def plain(field: models.Field) -> Any:
    number = next(numbers)
    kinds: list[tuple[Any, Any]] = [
        (models.BooleanField, False),
        (models.IntegerField, number % 30_000),
        (models.DecimalField, Decimal(number)),
        (models.JSONField, {}),
        (ArrayField, []),
        (models.UUIDField, uuid.uuid4()),
        (models.BinaryField, str(number).encode()),
        (models.DateTimeField, timezone.now()),
        (models.DateField, timezone.now().date()),
        (models.TimeField, timezone.now().time()),
        (models.CharField, str(number)[-(field.max_length or 9) :]),
        (models.TextField, str(number)),
    ]
    return next(value for kind, value in kinds if isinstance(field, kind))


def parent(model: type[models.Model], made: Made, given: dict[str, Any]) -> models.Model:
    if model not in made or given:
        made[model] = make_row(model, made, **given)
    return made[model]


def is_automatic(model: type[models.Model], name: str) -> bool:
    field = model._meta.get_field(name)
    return getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)


def ensure_month(model: type[models.Model], values: dict[str, Any]) -> None:
    """Events and visits need the partition of their month."""
    moment = values.get("occurred_at") or values.get("day") or timezone.now()
    day = moment.date() if isinstance(moment, datetime) else moment
    if model._meta.db_table in ("analytics_event", "analytics_visit"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT analytics_ensure_month(%s)", [day.replace(day=1)])
