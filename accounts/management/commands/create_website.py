from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from accounts.models import Account
from accounts.registration import register_account, register_website
from tinytrail.command import TinyCommand


class Command(TinyCommand):
    help = "Creates a website, and the account when there is none of that name."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", required=True, help="name of the account")
        parser.add_argument("--domain", required=True, help="for example example.com")

    @transaction.atomic
    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        name = options["account"]
        try:
            owner = Account.objects.live().filter(name=name.strip()).first() or register_account(name)
            website = register_website(owner, domain=options["domain"])
        except ValueError as error:
            raise CommandError(str(error)) from None
        return (
            f"Created the website {website.domain} of {owner.name} with the id {website.public_id}.",
            {"websiteId": str(website.public_id)},
        )
