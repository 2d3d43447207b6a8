"""`manage.py roles`; what the roles may and may not do is tried in test_compose.py."""

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection

from tinytrail import roles

pytestmark = pytest.mark.django_db


def test_where_there_are_no_roles_nothing_is_granted_and_nothing_taken(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("roles", apply=True)
    assert capsys.readouterr().err == "Granted: nobody, there are no such roles.\n"


def test_what_is_closed_is_a_column_that_there_is() -> None:
    for model, columns in roles.CLOSED.items():
        assert model in roles.REPORTED
        assert columns <= {field.name for field in model._meta.concrete_fields}


@pytest.mark.django_db
def test_a_user_who_may_make_no_roles_is_told_so(settings: LazySettings) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone()[0]:
            pytest.skip("The user of DATABASE_URL may make roles.")
    settings.ROLE_PASSWORDS = {"web": "0123456789abcdef"}
    with pytest.raises(CommandError, match="The roles cannot be made by this user: permission denied"):
        call_command("roles", apply=True)
