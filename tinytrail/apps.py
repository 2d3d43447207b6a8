from django.apps import AppConfig

# Every process of Django's knows the Celery application: without it a task would be sent to no broker. The package's
# own __init__ stays empty, so that the supervisor and the keepers of the engines load neither Celery nor Django.
from tinytrail import celery as celery
from tinytrail import checks as checks


class TinytrailConfig(AppConfig):
    name = "tinytrail"
