from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class SubmissionsConfig(AppConfig):
    name = "submissions"

    def ready(self) -> None:
        # The back office of this app stands in two modules; Django itself looks for the one named admin.
        autodiscover_modules("admin_catalog")
