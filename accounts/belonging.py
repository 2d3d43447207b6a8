"""What belongs to an account or a website, found in the schema, so that a new table cannot be forgotten."""

from collections.abc import Collection, Iterator
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models.functions import Cast

from accounts.models import AuditEntry, User


def paths_to(owner: type[models.Model]) -> dict[type[models.Model], str]:
    """Every model whose rows go with a row of `owner`, with the shortest look-up that leads there."""
    found: dict[type[models.Model], str] = {owner: "pk"}
    queue = [owner]
    while queue:
        goal = queue.pop(0)
        for model, field in owned_by(goal):
            if model not in found:
                found[model] = field if goal is owner else f"{field}__{found[goal]}"
                queue.append(model)
    return found


def owned_by(owner: type[models.Model]) -> Iterator[tuple[type[models.Model], str]]:
    """The models with a key that goes with the owner's row, and the name of the key."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy:
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and field.remote_field.on_delete is models.CASCADE:
                # A key of a proxy is one of its table.
                target = field.related_model._meta.concrete_model
                if target is owner:
                    yield model, field.name


@transaction.atomic
def forget_doings(owner: models.Model) -> None:
    """Remove from the logs what was done with a row and everything that goes with it, whoever did it; and the sessions
    of users who go with it.

    That it was removed stays in the audit log until its own retention, under an id that then means nobody.
    """
    for model, path in paths_to(type(owner)).items():
        if model is LogEntry:
            continue
        # By way of the base manager: others leave out what is deleted.
        rows = model._base_manager.filter(**{path: owner.pk}).order_by()
        LogEntry.objects.filter(content_type__in=kinds_of(model), object_id__in=texts(rows, "pk")).delete()
        if name := subject_of(model):
            audited = AuditEntry.objects.filter(subject__in=texts(rows, name))
            audited.exclude(action__endswith=".remove").delete()
        if model is User:
            end_sessions({str(pk) for pk in rows.values_list("pk", flat=True)})


def kinds_of(model: type[models.Model]) -> list[ContentType]:
    """What the back office's log calls a model and its proxies, whose rows it logs under their own names."""
    same = [found for found in apps.get_models() if found._meta.concrete_model is model]
    return list(ContentType.objects.get_for_models(*same, for_concrete_models=False).values())


def subject_of(model: type[models.Model]) -> str:
    """The column by which the audit log names the model's rows; empty where it does not."""
    if any(field.name == "public_id" for field in model._meta.concrete_fields):
        return "public_id"
    return "pk" if isinstance(model._meta.pk, models.UUIDField) else ""


def texts(rows: models.QuerySet[Any], name: str) -> models.QuerySet[Any, Any]:
    """The values of a column as the logs write them."""
    found: models.QuerySet[Any, Any] = rows.annotate(as_text=Cast(name, models.TextField())).values("as_text")
    return found


def end_sessions(user_ids: Collection[str]) -> None:
    """Remove the sessions of these users. Whose one is, is written in it: there are as many as people are signed in."""
    if not user_ids:
        return
    sessions = Session.objects.all().iterator()
    ended = [session.pk for session in sessions if session.get_decoded().get(SESSION_KEY) in user_ids]
    Session.objects.filter(pk__in=ended).delete()
