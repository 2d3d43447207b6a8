"""The cookie of a signed-in reader, and the command that issues one (contract 3.5)."""

import io
import json
from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from analytics.api.engagement import sign_in
from analytics.models import Event
from analytics.tests.tracking import discover, engage, make_calendar, make_event

pytestmark = pytest.mark.django_db(transaction=True)

CLAIMS = {"email": "canary@example.test", "v": 1, "iss": "oooc-fete-finder", "aud": "oooc-fete-finder:user"}


@pytest.fixture
def jazz():
    return make_event(make_calendar())


def issued(*arguments):
    out = io.StringIO()
    call_command("issue_session_cookie", *arguments, "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())["cookie"]


def token(*, secret=None, algorithm="HS256", **changes):
    claims = CLAIMS | {"exp": timezone.now() + timedelta(days=1)} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, settings.SECRET_KEY if secret is None else secret, algorithm=algorithm)


def is_recorded_as_signed_in(client, jazz, cookies):
    answer = engage(client, jazz, HTTP_COOKIE=cookies)
    assert (answer.status_code, answer.content) == (202, b'{"success":true}')
    return Event.objects.latest("id").is_authenticated


def test_an_issued_cookie_makes_both_kinds_of_calls_authenticated(client, jazz):
    cookies = f"theme=dark; oooc_user_session={issued('--email', 'Canary@Example.test')}; x=y"
    assert is_recorded_as_signed_in(client, jazz, cookies)
    discover(client, "search", searchQuery="jazz", HTTP_COOKIE=cookies)
    assert list(Event.objects.values_list("is_authenticated", flat=True)) == [True, True]


def test_it_is_the_real_services_token():
    claims = jwt.decode(
        issued("--email", "Canary@Example.test"),
        settings.SECRET_KEY,
        algorithms=["HS256"],
        audience="oooc-fete-finder:user",
        issuer="oooc-fete-finder",
    )
    assert (claims["email"], claims["v"]) == ("canary@example.test", 1)
    assert claims["exp"] - claims["iat"] == 30 * 24 * 3600


def test_it_is_valid_for_the_days_it_was_issued_for(client, jazz, time_machine):
    time_machine.move_to(timezone.now())
    cookies = f"oooc_user_session={issued('--email', 'canary@example.test', '--days', '2')}"
    time_machine.shift(timedelta(days=1, hours=23))
    assert is_recorded_as_signed_in(client, jazz, cookies)
    time_machine.shift(timedelta(hours=2))
    assert not is_recorded_as_signed_in(client, jazz, cookies)


def test_who_is_signed_in_is_stored_nowhere(client, jazz):
    assert is_recorded_as_signed_in(client, jazz, f"oooc_user_session={token()}")
    assert "canary" not in json.dumps(list(Event.objects.values("properties", "client_session", "profile", "path")))


FORGED = {
    "another secret": {"secret": "x" * 64},
    "another algorithm": {"algorithm": "HS512"},
    "no signature": {"algorithm": "none", "secret": ""},
    "another issuer": {"iss": "elsewhere"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "oooc-fete-finder:admin"},
    "no audience": {"aud": None},
    "no end": {"exp": None},
    "an end in the past": {"exp": 1_700_000_000},
    "no e-mail": {"email": None},
    "an empty e-mail": {"email": " "},
    "a number for an e-mail": {"email": 7},
    "another version": {"v": 2},
    "no version": {"v": None},
    "true for the version": {"v": True},
}


@pytest.mark.parametrize("changes", FORGED.values(), ids=FORGED)
def test_a_forged_or_expired_cookie_is_anonymous(client, jazz, changes):
    assert not is_recorded_as_signed_in(client, jazz, f"oooc_user_session={token(**changes)}")


@pytest.mark.parametrize(
    "value",
    ["", "x", "a.b.c", "..", "W" * 5_000, "W1tb" * 1_000 + ".e30.e30", "\u00e9.e30.e30", "eyJhbGciOiJub25lIn0.e30."],
)
def test_a_cookie_that_is_no_token_is_anonymous(client, jazz, value):
    assert not is_recorded_as_signed_in(client, jazz, f"oooc_user_session={value}")


def test_other_cookies_say_nothing(client, jazz):
    assert not is_recorded_as_signed_in(client, jazz, f"session={token()}; oooc_user_session_2={token()}")
    assert sign_in.is_signed_in(f"a=b,oooc_user_session={token()}", secret=settings.SECRET_KEY)


@pytest.mark.parametrize("arguments", [["--email", "nobody"], ["--email", "a@b.example", "--days", "0"]])
def test_a_wrong_argument_is_refused_with_a_sentence(arguments):
    with pytest.raises(CommandError, match="--(email|days) must"):
        issued(*arguments)
