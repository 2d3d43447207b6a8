"""The base of every command: one sentence for people on stderr, and with --json one JSON object on stdout."""

import json
import sys
from argparse import ArgumentParser
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError, connections
from psycopg.errors import UndefinedTable


class Parser(CommandParser):
    """Says what is wrong in one sentence, without the usage text around it."""

    def error(self, message: str) -> NoReturn:
        sentence = f"{message[:1].upper()}{message[1:]}. See --help."
        if self.called_from_command_line:
            self.exit(2, f"{sentence}\n")
        raise CommandError(sentence, returncode=2)


class TinyCommand(BaseCommand):
    """A subclass defines `run`, and `arguments` when it has any. Wrong input is a CommandError with a sentence."""

    def arguments(self, parser: ArgumentParser) -> None:
        """Add the command's own arguments."""

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401 (whatever the arguments are)
        """Do it; return the sentence and the JSON object."""
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print exactly one JSON object on stdout")
        self.arguments(parser)

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401 (whatever the arguments are)
        sentence, data = self.run(**options)
        self.stderr.write(sentence, style_func=str)
        if options["json"]:
            self.stdout.write(json.dumps(data))

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:  # noqa: ANN401
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.__class__ = Parser  # Django names its own class in the middle of this method
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        """As Django's, except that what is wrong is said in a sentence: no exception's name, no usage, no trace."""
        self._called_from_command_line = True
        options = vars(self.create_parser(argv[0], argv[1]).parse_args(argv[2:]))
        try:
            self.execute(*options.pop("args", ()), **options)
        except CommandError as error:
            self.stderr.write(str(error))
            sys.exit(error.returncode)
        except OperationalError as error:
            self.stderr.write(f"The database does not answer: {str(error).splitlines()[0]}")
            sys.exit(1)
        except ProgrammingError as error:
            if not isinstance(error.__cause__, UndefinedTable):
                raise
            self.stderr.write("The database has no tables yet: start it once with `make run`.")
            sys.exit(1)
        finally:
            connections.close_all()
