"""The web process with a clock that is off; its package has moved it by now."""

from tinytrail.asgi import application

__all__ = ["application"]
