"""When tasks were sent: each says so itself, and beat leaves a mark whenever it has sent one.

From both, `manage.py doctor` and the metrics tell how long something has waited for a consumer that is up and consumes
nothing (guarantee F33). Imported by beat, which loads neither Django nor tasks.
"""

import contextlib
import json
import time
from datetime import UTC, datetime
from typing import Any

import redis
from celery.signals import after_task_publish, beat_init, before_task_publish

from tinytrail import settings

# Celery's own name for the list in which tasks wait.
QUEUE = "celery"
MARK = "tinytrail:beat"
SENT_AT = "sent_at"
PATIENCE: dict[str, Any] = {"socket_timeout": 2, "socket_connect_timeout": 2, "retry": None}


@before_task_publish.connect  # type: ignore[untyped-decorator] # Celery's own
def say_when(headers: dict[str, Any], **_: object) -> None:
    """In every process that sends: Celery itself does not tell how old a task is."""
    headers[SENT_AT] = time.time()


@beat_init.connect  # type: ignore[untyped-decorator] # as above
def leave_marks(**_: object) -> None:
    """In beat alone."""
    leave_mark()
    after_task_publish.connect(leave_mark)


def leave_mark(**_: object) -> None:
    # A Redis that is away cannot take the task either, and says so itself.
    with contextlib.suppress(redis.RedisError), redis.Redis.from_url(settings.REDIS_URL, **PATIENCE) as client:
        client.set(MARK, time.time())


# -- for who asks ------------------------------------------------------------------------------------------------------


def tasks(client: "redis.Redis") -> tuple[int, datetime | None]:
    """How many tasks no worker has taken yet, and when the oldest of them was sent; None when none waits."""
    oldest = client.lindex(QUEUE, -1)
    waiting = int(client.llen(QUEUE))
    sent_at = json.loads(oldest)["headers"].get(SENT_AT) if oldest else None
    return waiting, datetime.fromtimestamp(sent_at, UTC) if sent_at else None


def beat_at(client: "redis.Redis") -> datetime | None:
    """When beat last sent a task; None when this Redis has never heard of one."""
    mark = client.get(MARK)
    return datetime.fromtimestamp(float(mark), UTC) if mark else None
