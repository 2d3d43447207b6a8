"""issue_session_cookie: a value for the cookie of a calendar's signed-in reader (contract 3.5)."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import validate_email
from django.utils import timezone

from analytics.api.engagement import sign_in
from tinytrail.command import TinyCommand

MOST_DAYS = 3_660


class Command(TinyCommand):
    help = f"Issue a value for the cookie {sign_in.COOKIE}: what its bearer does is recorded as a signed-in reader's."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", metavar="E", required=True)
        parser.add_argument("--days", metavar="N", type=int, default=sign_in.DAYS, help="how long it is valid")

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        email, days = options["email"].strip(), options["days"]
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError("--email must be an e-mail address, for example --email reader@example.com.") from None
        if not 1 <= days <= MOST_DAYS:
            raise CommandError(f"--days must lie between 1 and {MOST_DAYS}.")
        cookie = sign_in.issue(email, secret=settings.SECRET_KEY, now=timezone.now(), days=days)
        if not options["json"]:
            self.stdout.write(cookie)
        return f"The cookie {sign_in.COOKIE} is valid for {days} days.", {"cookie": cookie}
