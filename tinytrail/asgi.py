"""The web process: the front, with Django's WSGI application behind it, on one port."""

from a2wsgi import WSGIMiddleware

from tinytrail.wsgi import application as django

# Imported once Django is set up, which tinytrail.wsgi has done.
from analytics.api.front import Front  # isort: skip
from analytics.api.routes import ENDPOINTS  # isort: skip

THREADS = 4

# The two libraries spell the types of one protocol differently.
application = Front(ENDPOINTS, WSGIMiddleware(django, workers=THREADS))  # type: ignore[arg-type]
