"""What runs when, and the application of the process that says so.

Beat sends the names of tasks and runs none. With an application of its own, which loads neither Django nor any task,
it is half as large as a worker.
"""

from logging.config import dictConfig
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging

# `sending` says of each task when it was sent, and leaves the mark of beat.
from tinytrail import sending, settings  # noqa: F401

# Times are UTC. Every task may run twice or late: each says itself what there is to do.
SCHEDULE: dict[str, dict[str, Any]] = {
    "build what has newer events": {"task": "analytics.tasks.build_dirty_days", "schedule": 20.0},
    "build the day that ended": {"task": "analytics.tasks.build_yesterday", "schedule": crontab(hour="0", minute="5")},
    "store what waits": {"task": "analytics.tasks.drain_outage", "schedule": 30.0},
    "rotate salts": {"task": "analytics.tasks.rotate_salts", "schedule": crontab(minute="*/10")},
    "make partitions": {"task": "analytics.tasks.ensure_partitions", "schedule": crontab(minute="15")},
    "remove what is deleted": {"task": "analytics.tasks.purge_deleted", "schedule": 60.0},
    "remove what is old": {"task": "analytics.tasks.prune", "schedule": crontab(hour="2", minute="30")},
    "send mail": {"task": "submissions.tasks.send_mail", "schedule": 30.0},
    "keep the journal of erasures": {"task": "tinytrail.tasks.keep_journal", "schedule": crontab(minute="25")},
    "forget what was done": {"task": "accounts.tasks.prune", "schedule": crontab(hour="2", minute="40")},
    "forget hosts": {"task": "submissions.tasks.prune", "schedule": crontab(hour="2", minute="45")},
}

app = Celery("tinytrail", fixups=[], set_as_current=False)
app.config_from_object("tinytrail.settings", namespace="CELERY")
app.conf.beat_schedule = SCHEDULE


def log_like_everybody(**_: object) -> None:
    dictConfig(settings.LOGGING)


setup_logging.connect(log_like_everybody, weak=False)
