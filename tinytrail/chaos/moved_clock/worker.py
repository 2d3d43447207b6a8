"""The worker with a clock that is off; its package has moved it by now."""

from tinytrail.celery import app

__all__ = ["app"]
