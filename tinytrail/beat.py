"""What runs when, and the application of the process that says so.

Beat sends the names of tasks and runs none. With an application of its own, which loads neither Django nor any task,
it is half as large as a worker.
"""

from typing import Any

from celery import Celery

SCHEDULE: dict[str, dict[str, Any]] = {}

app = Celery("tinytrail", fixups=[], set_as_current=False)
app.config_from_object("tinytrail.settings", namespace="CELERY")
app.conf.beat_schedule = SCHEDULE
