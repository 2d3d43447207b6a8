"""The Celery application, and the one place where it stands what runs when."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tinytrail.settings")

app = Celery("tinytrail")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Times are UTC. Every task may run twice or late: each says itself what there is to do.
app.conf.beat_schedule = {
    "build what has newer events": {"task": "analytics.tasks.build_dirty_days", "schedule": 20.0},
    "build the day that ended": {"task": "analytics.tasks.build_yesterday", "schedule": crontab(hour="0", minute="5")},
    "rotate salts": {"task": "analytics.tasks.rotate_salts", "schedule": crontab(minute="*/10")},
    "make partitions": {"task": "analytics.tasks.ensure_partitions", "schedule": crontab(minute="15")},
    "remove what is deleted": {"task": "analytics.tasks.purge_deleted", "schedule": 60.0},
    "remove what is old": {"task": "analytics.tasks.prune", "schedule": crontab(hour="2", minute="30")},
}
