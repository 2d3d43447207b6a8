"""What is logged of a failure: what the database says of a row may hold an address."""

import logging

from django.db import DatabaseError, InterfaceError

STORAGE = (DatabaseError, InterfaceError)


def note(log: logging.Logger, error: Exception, *, where: str) -> None:
    """Log an error; one of the database by its class and PostgreSQL's own code alone."""
    if isinstance(error, STORAGE):
        log.error("%s %s in %s", type(error).__name__, getattr(error.__cause__, "sqlstate", None) or "", where)
    else:
        log.error("%s in %s", type(error).__name__, where, exc_info=error)
