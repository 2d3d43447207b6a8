"""What Celery runs, and when (architecture, Reports and freshness)."""

import pytest
from django.conf import settings

from analytics import tasks
from analytics.models import BuiltDay, Event
from analytics.tests.builders import load, make_website, noon
from tinytrail.beat import SCHEDULE
from tinytrail.celery import app

pytestmark = pytest.mark.django_db


def test_every_scheduled_task_exists():
    scheduled = {entry["task"] for entry in SCHEDULE.values()}
    app.loader.import_default_modules()  # as a worker does
    ours = {name for name in app.tasks if name.startswith(("accounts.", "analytics.", "submissions.", "tinytrail."))}
    assert scheduled == ours - {"analytics.tasks.build_day"}


def test_tasks_take_json_only():
    assert (app.conf.accept_content, app.conf.task_serializer) == (["json"], "json")


def test_no_task_is_handed_out_again_while_it_may_still_run():
    with app.connection_for_read() as broker:
        assert broker.default_channel.visibility_timeout == 12 * 3600


def test_a_build_task_builds_its_day():
    acme = make_website()
    load(acme, {"at": noon()})
    tasks.build_day(acme.id, str(noon().date()))
    assert BuiltDay.objects.get().events == 1


def test_yesterday_is_built_after_midnight():
    load(make_website(), {"at": noon()}, {"at": noon(2)})
    tasks.build_yesterday()
    assert BuiltDay.objects.get().day == noon().date()


def test_retention_salts_partitions_and_removal_run_without_anything_to_do():
    tasks.prune()
    tasks.purge_deleted()
    tasks.rotate_salts()
    tasks.ensure_partitions()
    assert (Event.objects.count(), settings.RETENTION_DAYS) == (0, 400)
