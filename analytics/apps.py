from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class AnalyticsConfig(AppConfig):
    name = "analytics"

    def ready(self) -> None:
        # The admin finds admin.py by itself.
        autodiscover_modules("admin_websites")
        from accounts.changes import changed
        from analytics import drops
        from analytics.ingest.grants import grants
        from submissions import catalog
        from tinytrail.web.refusals import refused

        # What this process changed is in force in it at once (D-43).
        changed.connect(lambda sender, **kwargs: grants.forget(), weak=False, dispatch_uid="analytics.grants")
        refused.connect(
            lambda sender, dialect, reason, day, website_id, **kwargs: drops.count(
                dialect, reason, day=day, website_id=website_id
            ),
            weak=False,
            dispatch_uid="analytics.drops",
        )
        # An event is trackable as soon as it is published, and no longer once it is cancelled (contract 3.2).
        catalog.changed.connect(lambda sender, **kwargs: grants.forget(), weak=False, dispatch_uid="analytics.grants")
