from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import ProgrammingError, connection

from tinytrail import roles
from tinytrail.command import TinyCommand


class Command(TinyCommand):
    help = (
        "Roles of PostgreSQL for web server, worker and reports, which can change no table: prints the statements that "
        "make them, or applies them. Run by the owner of the tables."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--apply",
            action="store_true",
            help="make those that have a password in the environment, and grant all that exist what they may do",
        )

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        if options["apply"]:
            names = applied()
            return f"Granted: {', '.join(names) or 'nobody, there are no such roles'}.", {"roles": names}
        connection.ensure_connection()
        said = [statement.as_string(connection.connection) for statement in roles.statements()]
        if not options["json"]:
            self.stdout.write("".join(f"{statement};\n" for statement in said))
        return "Give each role a password: \\password NAME in psql.", {"statements": said}


def applied() -> list[str]:
    try:
        return roles.apply()
    except ProgrammingError as error:
        raise CommandError(f"The roles cannot be made by this user: {str(error).splitlines()[0]}.") from None
