"""What every command has in common, beside what the commands' own tests show."""

import pytest
from django.db import connection

from analytics.management.commands.show import Command

pytestmark = pytest.mark.django_db(transaction=True)


def test_without_tables_a_command_says_what_makes_them(capsys: pytest.CaptureFixture[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET search_path TO nowhere")
    with pytest.raises(SystemExit) as ended:
        Command().run_from_argv(["manage.py", "show", "drops", "--json"])
    assert ended.value.code == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", "The database has no tables yet: start it once with `make run`.\n")
