from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts import second_factor
from accounts.models import User
from tinytrail.command import TinyCommand


class Command(TinyCommand):
    help = "Turns off the second factor of somebody who has lost both their phone and their recovery codes."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--login", required=True, help="the user's login")

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        user = User.objects.live().filter(login=options["login"]).first()
        if user is None:
            raise CommandError(f"No user with the login {options['login']}.")
        try:
            second_factor.reset(user, by=None)
        except second_factor.Refusal as refusal:
            raise CommandError(str(refusal)) from None
        return f"{user} signs in without a code now.", {"userId": str(user.id)}
