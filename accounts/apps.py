from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        # The admin finds admin.py by itself.
        autodiscover_modules("admin_clients")
