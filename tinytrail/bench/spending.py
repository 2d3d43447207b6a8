"""What each part of an installation has spent so far: CPU, and bytes of the write-ahead log."""

import os
import resource
from pathlib import Path

import redis
from django.conf import settings
from django.db import connection

from tinytrail.chaos.installation import children


def postgresql_seconds() -> float | None:
    """Seconds of CPU of all of its processes; of one that runs elsewhere nobody knows it here."""
    if not settings.EMBEDDED_DATABASE:
        return None
    lines = (settings.DATA / "postgres/data/postmaster.pid").read_text().split("\n")
    return family_seconds(int(lines[0]))


def redis_seconds() -> float | None:
    if not settings.EMBEDDED_REDIS:
        return None
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        return family_seconds(int(client.info("server")["process_id"]))


def load_seconds() -> float:
    """Of the processes that have sent the load, and have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def family_seconds(process: int) -> float:
    """The process's, its children's that have ended, and its children's that run."""
    own, ended = ticks(process)
    return (own + ended + sum(ticks(child)[0] for child in children(process))) / os.sysconf("SC_CLK_TCK")


def ticks(process: int) -> tuple[int, int]:
    """The CPU of a process, and of its children that have ended; none of a process that has just done so."""
    try:
        words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0, 0
    return int(words[11]) + int(words[12]), int(words[13]) + int(words[14])


def written_bytes() -> int:
    """How long the write-ahead log has become."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn() - '0/0'")
        return int(cursor.fetchone()[0])
