from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from accounts.models import Account, User
from accounts.registration import register_account, register_user
from tinytrail.command import TinyCommand


class Command(TinyCommand):
    help = "Creates a user with an API key, and the account when there is none of that name."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", required=True, help="name of the account")
        parser.add_argument("--role", required=True, choices=User.Role.values)
        parser.add_argument("--email", help="a label")

    @transaction.atomic
    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        name, role = options["account"], options["role"]
        try:
            owner = Account.objects.live().filter(name=name.strip()).first() or register_account(name)
            user, key = register_user(owner, role=role, email=options["email"])
        except ValueError as error:
            raise CommandError(str(error)) from None
        return (
            f"Created a user of {owner.name} with the role {role}. The API key is {key}",
            {"accountId": str(owner.id), "userId": str(user.id), "apiKey": key},
        )
