"""The Celery application of everything that sends or runs tasks. What runs when stands in beat.py."""

import os

from celery import Celery

import tinytrail.sending  # noqa: F401

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tinytrail.settings")

app = Celery("tinytrail")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
