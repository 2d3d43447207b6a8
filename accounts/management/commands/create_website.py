from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from accounts.models import Account, Website
from accounts.registration import register_account, register_website
from tinytrail.command import TinyCommand


class Command(TinyCommand):
    help = "Creates a website, and the account when there is none of that name."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", required=True, help="name of the account")
        parser.add_argument("--domain", required=True, help="for example example.com")
        parser.add_argument("--mode", choices=Website.Mode.values, help="how much is kept: see docs/privacy.md")
        parser.add_argument(
            "--privacy-signals",
            choices=Website.PrivacySignals.values,
            help="what becomes of visits with Sec-GPC: 1 or DNT: 1",
        )

    @transaction.atomic
    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        name = options["account"]
        try:
            owner = Account.objects.live().filter(name=name.strip()).first() or register_account(name)
            website = register_website(
                owner, domain=options["domain"], mode=options["mode"], signals=options["privacy_signals"]
            )
        except ValueError as error:
            raise CommandError(str(error)) from None
        return (
            f"Created the website {website.domain} of {owner.name} with the id {website.public_id}.",
            {"websiteId": str(website.public_id)},
        )
