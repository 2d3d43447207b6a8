from django.apps import AppConfig

from tinytrail import checks as checks


class TinytrailConfig(AppConfig):
    name = "tinytrail"
