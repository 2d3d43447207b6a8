from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"

    def ready(self) -> None:
        from accounts.changes import changed
        from analytics.ingest.website import sites

        # What this process changed is in force in it at once (D-43).
        changed.connect(lambda sender, **kwargs: sites.forget(), weak=False, dispatch_uid="analytics.sites")
