"""The Celery application of everything that sends or runs tasks. What runs when stands in beat.py."""

import os
from logging.config import dictConfig

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings

from tinytrail import sending  # noqa: F401

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tinytrail.settings")

app = Celery("tinytrail")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def log_like_everybody(**_: object) -> None:
    """Celery would write lines of its own kind, with the arguments and errors of tasks in them."""
    dictConfig(settings.LOGGING)


setup_logging.connect(log_like_everybody, weak=False)
