from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"

    def ready(self) -> None:
        from accounts.changes import changed
        from analytics.ingest.grants import grants

        # What this process changed is in force in it at once (D-43).
        changed.connect(lambda sender, **kwargs: grants.forget(), weak=False, dispatch_uid="analytics.grants")
