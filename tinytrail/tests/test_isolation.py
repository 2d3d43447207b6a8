"""What is another account's is not there: every route that names an object, and every list (guarantees A19, A20, A25,
A27, A28, A30).

Acme asks. Globex has everything that Acme has; so had Gone, whose account was deleted.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.db import connection, connections
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.clients import create_openpanel_client
from accounts.models import Client as Program
from accounts.models import User
from accounts.removal import remove_account
from accounts.tests.builders import make_account, make_root
from accounts.tests.conftest import own_counters, quick_passwords  # noqa: F401
from analytics.reports import REPORTS
from tinytrail.tests.holdings import Holdings, Words, check_models, make_holdings
from tinytrail.tests.pages import ABSENT, FIXED, files, in_one_spelling, named, pages_of_lists
from tinytrail.tests.urlmap import Door, Route, behind

pytestmark = pytest.mark.django_db(transaction=True)

FUNNEL = "&steps[]=/a&steps[]=/b"


@dataclass
class Cast:
    acme: Holdings
    globex: Holdings
    gone: Holdings
    root: User

    def owners(self) -> Iterator[tuple[str, Holdings | None]]:
        """Whose an object may be; None is nobody's at all."""
        yield from (("own", self.acme), ("other", self.globex), ("random", None), ("tombstoned", self.gone))


@pytest.fixture
def cast(settings: LazySettings) -> Cast:
    settings.LIMITS = {**settings.LIMITS, "API_KEY": None, "OPENPANEL_EXPORT": None}
    acme, globex, gone = (a_tenant(name) for name in ("acme", "globex", "gone"))
    for one in (acme, globex, gone):
        check_models(one)
    remove_account(gone.account, by=None, now=timezone.now())
    return Cast(acme, globex, gone, make_root(login="root"))


def a_tenant(name: str) -> Holdings:
    words = Words((f"{name}-canary",), f"https://{name}-canary.example/")
    return make_holdings(make_account(words()), f"{name}-canary.example", words, now=timezone.now())


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def with_key(user: User) -> Client:
    return Client(raise_request_exception=False, headers={"X-API-KEY": user.key})


def whole(answer: HttpResponse, *asked_for: object) -> tuple[int, bytes, str]:
    """All of an answer, without what was asked for, which a redirect may repeat, and without the time of day."""
    head = {name: value for name, value in answer.headers.items() if name != "Expires"}
    for value in map(str, asked_for):
        head["Location"] = head.get("Location", "").replace(value, "ID")
    return answer.status_code, answer.content, str(sorted(head.items()))


def shows(answer: HttpResponse, *others: Holdings) -> bool:
    """Whether anything of somebody else's stands in an answer."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    head = str(sorted(answer.headers.items())).encode()
    return any(one.words().encode() in part for one in others for part in (body, head))


def rows_of_everybody() -> dict[str, object]:
    """A digest of every table but those in which the asking itself leaves something."""
    own = {"django_session", "accounts_auditentry", "django_admin_log"}
    found = {}
    with connection.cursor() as cursor:
        for table in sorted({model._meta.db_table for model in apps.get_models()} - own):
            cursor.execute(f"SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {table} t")
            found[table] = cursor.fetchone()
    return found


# -- objects of the back office ---------------------------------------------------------------------------------------

# Nobody but admins sees any of them: whose they are makes no difference to a user.
FOR_ADMINS = {"accounts/user", "accounts/auditentry", "auth/group"}


def routes_of_objects() -> list[Route]:
    return [route for route in behind(Door.SESSION) if set(route.parameters) - set(FIXED)]


def test_an_object_of_another_account_is_as_one_that_is_not_there(cast: Cast) -> None:
    """Every route of the back office that names an object, read and written."""
    ann = signed_in(cast.acme.user)
    before = rows_of_everybody()
    for route in routes_of_objects():
        for method, body in (("get", {}), ("post", {"post": "yes", "step": "accept", "name": "x"})):
            answers = {}
            for whose, holdings in cast.owners():
                if whose != "own":
                    values = named(route, holdings, cast.acme)
                    answer = getattr(ann, method)(route.address(**values), body)
                    answers[whose] = whole(answer, *values.values())
                    assert not shows(answer, cast.globex, cast.gone), (method, route, whose)
            assert answers["other"] == answers["random"] == answers["tombstoned"], (method, route)
            assert answers["other"][0] in (302, 403, 404, 405), (method, route)
    assert rows_of_everybody() == before


def test_the_same_routes_show_what_is_ones_own(cast: Cast) -> None:
    """So that nothing above is refused because everything is."""
    ann, hidden = signed_in(cast.acme.user), set()
    for route in routes_of_objects():
        answer = ann.get(route.address(**named(route, cast.acme, cast.acme)))
        assert not shows(answer, cast.globex, cast.gone), route
        if answer.status_code != 200 and "change" in route.pattern:
            hidden.add(route.pattern)
    assert hidden == {f"admin/{name}/<path:object_id>/change/" for name in FOR_ADMINS}


def test_what_another_account_shares_with_nobody_opens_nothing(cast: Cast) -> None:
    """Links of a deleted account are like links that were never made."""
    anybody = Client(raise_request_exception=False)
    for route in behind(Door.LINK):
        answers = set()
        for token in (*cast.gone.tokens.values(), "never-made"):
            answer = anybody.get(route.address(token=token, tab="pages"))
            answers.add(whole(answer))
            assert not shows(answer, cast.gone)
        assert len(answers) == 1, route
        assert answers.pop()[0] in (404, 405, 410), route


def test_the_public_pages_of_a_deleted_account_are_as_those_that_never_were(cast: Cast) -> None:
    anybody = Client(raise_request_exception=False)
    for route in behind(Door.NOTHING):
        if not {"website", "website_id"} & set(route.parameters):
            continue
        answers = set()
        for holdings in (cast.gone, None):
            values = {"key": cast.gone.event.key, "slug": "jazz"}
            values |= dict.fromkeys(("website", "website_id"), holdings.website.public_id if holdings else ABSENT)
            answer = anybody.get(route.address(**values))
            answers.add((answer.status_code, answer.content))
            assert not shows(answer, cast.gone)
        assert len(answers) == 1, route
        assert answers.pop()[0] == 404, route


# -- objects of the API -----------------------------------------------------------------------------------------------


def api_ids(of: Holdings | None) -> dict[str, object]:
    if of is None:
        return dict.fromkeys(("accounts", "users", "websites"), ABSENT)
    return {"accounts": of.account.id, "users": of.user.id, "websites": of.website.public_id}


def object_calls() -> Iterator[tuple[str, Callable[[Holdings | None], str]]]:
    """Every method of every route of the API that names an object, and its address by owner."""
    for route in behind(Door.KEY):
        word = route.name.split("/")[2]
        for method in route.methods:
            if route.parameters:
                yield method, lambda of, route=route, word=word: route.address(id=api_ids(of)[word])
            elif word == "reports":
                query = FUNNEL if "funnel" in route.name else ""
                for format_ in ("json", "csv"):
                    yield (
                        method,
                        lambda of, route=route, more=f"{query}&format={format_}": (
                            f"{route.address()}?website_id={api_ids(of)['websites']}{more}"
                        ),
                    )


def test_the_api_says_the_same_of_anothers_and_of_no_object_at_all(cast: Cast) -> None:
    """Byte by byte, headers included: reports as JSON and as CSV, whatever the method (A19, A20, A28)."""
    ann, checked = with_key(cast.acme.user), 0
    before = rows_of_everybody()
    for method, address in object_calls():
        answers = {}
        for whose, holdings in cast.owners():
            if whose == "own":
                continue
            answer = ann.generic(method, address(holdings), b'{"domain": "taken.example"}', "application/json")
            answers[whose] = whole(answer)
        assert answers["other"] == answers["random"] == answers["tombstoned"], (method, address(None))
        assert answers["other"][0] in (403, 404), (method, address(None))
        checked += answers["other"][0] == 404
    # Both methods of a website, and each report in two formats, in two spellings.
    assert checked == 4 + 4 * len(REPORTS)
    assert rows_of_everybody() == before


def test_an_admin_is_told_the_same_of_a_deleted_object_and_of_none(cast: Cast) -> None:
    root = with_key(cast.root)
    for method, address in object_calls():
        answers = set()
        for holdings in (cast.gone, None):
            answer = root.generic(method, address(holdings), b'{"domain": "new.example"}', "application/json")
            answers.add(whole(answer))
        assert len(answers) == 1, (method, address(None))
        assert answers.pop()[0] == 404, (method, address(None))


def test_a_program_is_told_the_same_of_anothers_project_and_of_none(cast: Cast) -> None:
    for right, refused in ((Program.Right.ROOT, 404), (Program.Right.READ, 403)):
        program, secret = create_openpanel_client(cast.acme.website, right=right)
        headers = {"openpanel-client-id": str(program.id), "openpanel-client-secret": secret}
        client = Client(headers=headers)
        for route in behind(Door.SECRET):
            answers = set()
            for whose, holdings in cast.owners():
                answer = client.get(route.address(), {"projectId": holdings.website.public_id if holdings else ABSENT})
                assert not shows(answer, cast.globex, cast.gone)
                if whose == "own":
                    assert (answer.status_code, shows(answer, cast.acme)) == (200, True)
                else:
                    answers.add(whole(answer))
            assert [answer[0] for answer in answers] == [refused], route


IDS = ["1", "x", "-1", "9" * 40, "{%s}", "urn:uuid:%s", "%s%%20", "%s%%00", "%%00", "%%ff", "%%F0%%9F%%98%%80"]


# What Django's own converters and the database could stumble over.
HARDEST = {"9" * 40, "{%s}", "%%00"}


def test_what_is_no_id_is_refused_by_the_api_and_finds_nothing_in_the_back_office(cast: Cast) -> None:
    """In braces or as a URN an id is none (A25)."""
    root, office = with_key(cast.root), signed_in(cast.root)
    before = rows_of_everybody()
    for shape in IDS:
        id = shape % cast.acme.website.public_id if "%s" in shape else shape % ()
        for route in in_one_spelling(Door.KEY):
            for method in route.methods:
                if route.parameters or "reports" in route.name:
                    address = route.address(id=id) + ("" if route.parameters else f"?website_id={id}{FUNNEL}")
                    answer = root.generic(method, address, b"{}", "application/json")
                    assert answer.status_code == 400, (method, address)
                    assert answer.json()["error"]["code"] == "INVALID_PAYLOAD"
        for route in in_one_spelling(Door.SESSION, Door.NOTHING, Door.LINK) if shape in HARDEST else ():
            if route.parameters:
                address = route.address(**dict.fromkeys(route.parameters, id))
                for ask in (office.get, office.post):
                    assert ask(address).status_code in (302, 400, 403, 404, 405, 410), address
    assert rows_of_everybody() == before


# -- lists and totals -------------------------------------------------------------------------------------------------


def test_no_list_and_no_export_shows_anything_of_another_account(cast: Cast) -> None:
    ann, own = signed_in(cast.acme.user), 0
    for address in (*pages_of_lists(cast.acme), *files(cast.acme)):
        answer = ann.get(address)
        assert answer.status_code in (200, 302, 400, 403, 404, 405), address
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        for other in (cast.globex, cast.gone):
            assert other.words().encode() not in body, address
            assert str(other.website.public_id).encode() not in body, address
        own += cast.acme.words().encode() in body
    assert own >= 40


def reports_of(of: Holdings, client: Client) -> dict[str, bytes]:
    found = {}
    for name in REPORTS:
        for format_ in ("json", "csv"):
            query = f"?website_id={of.website.public_id}&format={format_}{FUNNEL}"
            found[f"{name} {format_}"] = client.get(f"/api/v1/reports/{name}{query}").content
    return found


def test_no_total_counts_what_happened_elsewhere(cast: Cast) -> None:
    """The same numbers as before another account did just the same."""
    ann = with_key(cast.acme.user)
    before = reports_of(cast.acme, ann)
    a_tenant("initech")
    assert reports_of(cast.acme, ann) == before
    listed = ann.get("/api/v1/websites").json()["data"]
    assert [website["id"] for website in listed] == [str(cast.acme.website.public_id)]


def test_reports_asked_at_once_are_each_accounts_own(cast: Cast) -> None:
    """A28 asks one after the other; here both ask for the same reports all the time (A27)."""
    expected = {one.words(): reports_of(one, with_key(one.user)) for one in (cast.acme, cast.globex)}
    assert all(
        one.words().encode() in b"".join(expected[one.words()].values())
        and other.words().encode() not in b"".join(expected[one.words()].values())
        for one, other in ((cast.acme, cast.globex), (cast.globex, cast.acme))
    )
    together = threading.Barrier(6)
    wrong: list[tuple[str, str]] = []

    def keep_asking(of: Holdings) -> None:
        client = with_key(of.user)
        together.wait()
        try:
            for _ in range(2):
                answers: dict[str, Any] = reports_of(of, client)
                wrong.extend((of.words(), name) for name in answers if answers[name] != expected[of.words()][name])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=keep_asking, args=[one]) for one in (cast.acme, cast.globex) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
