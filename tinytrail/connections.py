"""How many connections to PostgreSQL an installation takes at most (guarantee F13).

There is no pool that could grow: each of these has one connection or none, and whoever gets none behaves as if
PostgreSQL were away.
"""

from django.db.backends.base.base import BaseDatabaseWrapper

# Threads of a web process that run Django.
WEB_THREADS = 4
# Beside them: the writer, the drain of what has waited, and the question behind /health.
PER_WEB_PROCESS = WEB_THREADS + 3
# As Procfile says.
WORKER_THREADS = 2
# Commands, a migration, a backup.
BY_HAND = 5

LIMITS = """
SELECT least(
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true), '0')::int,
    nullif((SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user), -1),
    nullif((SELECT datconnlimit FROM pg_database WHERE datname = current_database()), -1)
)
"""


def most(web_processes: int) -> int:
    """What this host's web server and one worker take, and what is left for people."""
    return web_processes * PER_WEB_PROCESS + WORKER_THREADS + BY_HAND


def allowed(connection: BaseDatabaseWrapper) -> int:
    """What the server allows this user in this database."""
    with connection.cursor() as cursor:
        cursor.execute(LIMITS)
        return int(cursor.fetchone()[0])
