from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from accounts.models import User
from accounts.sign_in import sign_in_link
from tinytrail.command import TinyCommand


class Command(TinyCommand):
    help = "Prints a link that signs a user in to the back office, once and within 24 hours."

    def arguments(self, parser: ArgumentParser) -> None:
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--login", help="the user's login")
        who.add_argument("--email", help="the user's e-mail label")
        parser.add_argument(
            "--base-url",
            default=f"http://{settings.HOST}:{settings.PORT}",
            help="address of this installation (default: %(default)s)",
        )

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        login, email = options["login"], options["email"]
        users = User.objects.live().filter(login__isnull=False)
        found = list((users.filter(login=login) if login else users.filter(email=email))[:2])
        if not found:
            raise CommandError(f"No user {login or email} with a login for the back office.")
        if len(found) > 1:
            raise CommandError(f"More than one user with the e-mail {email}: name one by --login.")
        link = sign_in_link(found[0], options["base_url"])
        return f"Sign in: {link}", {"link": link}
