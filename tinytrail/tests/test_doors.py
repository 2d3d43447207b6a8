"""Who is let in where: every route of the site, with every kind of caller (guarantees A1 to A11, A18).

What is particular to one route is said by the tests of its room; here nothing but the map of the site says what is
asked, so that no route can be forgotten.
"""

import re
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import keys
from accounts.models import User, Website
from accounts.removal import remove_account, remove_user
from accounts.tests.builders import make_account, make_root, make_user, make_website, refused
from accounts.tests.conftest import own_counters, quick_passwords  # noqa: F401
from tinytrail.tests.urlmap import EXPRESSIONS, Door, Route, behind, every_route

pytestmark = pytest.mark.django_db(transaction=True)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO")
ANYBODY = Client(raise_request_exception=False)
# What must not be seen from outside.
DOMAIN = "canary-website.example"


@pytest.fixture(autouse=True)
def _without_limit(settings: LazySettings) -> None:
    settings.LIMITS = {**settings.LIMITS, "API_KEY": None, "OPENPANEL_EXPORT": None}


@pytest.fixture
def ann() -> User:
    """Acme's, with a website."""
    user = make_user(make_account("Acme"))
    make_website(user.account, DOMAIN)
    return user


def ask(method: str, address: str, **options: object) -> HttpResponse:
    """With the host: of an address that begins with two slashes the rest would be one."""
    # One client for all of them: each makes the middleware anew. Nothing stays from one call to the next.
    ANYBODY.cookies.clear()
    client = options.pop("client", None) or ANYBODY
    return client.generic(method, f"http://testserver{address}", **options)


def filled(route: Route, user: User) -> str:
    """The address of the route with ids of what the user could mean."""
    website = Website.objects.get()
    ids = {"accounts": user.account_id, "users": user.id, "websites": website.public_id}
    word = route.name.split("/")[2]
    return route.address(id=ids[word]) if route.parameters else f"{route.address()}?website_id={website.public_id}"


def whole(answer: HttpResponse) -> tuple[object, ...]:
    """Everything that a caller sees of an answer."""
    return answer.status_code, answer.content, sorted(answer.headers.items())


# -- every route ------------------------------------------------------------------------------------------------------


def test_the_map_knows_every_kind_of_route() -> None:
    assert {route.door for route in every_route()} == set(Door)
    assert set(EXPRESSIONS) <= {route.pattern for route in every_route()}
    # Both spellings, except where a route is the front page, Django's own, or takes any ending.
    assert len(behind(Door.KEY)) % 2 == 0


def test_nobody_sees_more_of_the_back_office_than_its_door() -> None:
    """A route that is named nowhere in the map is the back office's: whoever adds one has to say what it is."""
    fill = {name: str(uuid4()) for name in ("website", "link", "batch_id")}
    fill |= dict.fromkeys(("tab", "report", "name", "content_type_id", "object_id"), "1")
    for route in behind(Door.SESSION):
        address = route.address(**fill)
        for method in METHODS:
            answer = ask(method, address)
            assert (answer.status_code, answer.content) == (302, b""), (method, address)
            assert answer["Location"].startswith("/admin/login/?next="), (method, address)


def test_nobody_reads_a_clients_events_without_its_secret() -> None:
    for route in behind(Door.SECRET):
        for method in ("GET", "HEAD"):
            assert ask(method, route.address()).status_code == 401, route
        for method in set(METHODS) - {"GET", "HEAD"}:
            answer = ask(method, route.address())
            assert (answer.status_code, answer.json()["error"]) == (404, "Not Found"), (method, route)


@pytest.mark.parametrize(
    "elsewhere", [{"REMOTE_ADDR": "203.0.113.9"}, {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, {"HTTP_FORWARDED": "for=::1"}]
)
def test_what_is_internal_is_not_there_for_who_asks_from_elsewhere(elsewhere: dict[str, str]) -> None:
    nothing = whole(ask("GET", "/nothing", **elsewhere))
    for route in behind(Door.NETWORK):
        assert whole(ask("GET", route.address(), **elsewhere)) == nothing, route


def test_no_route_describes_itself_to_who_asks_for_its_options() -> None:
    """DRF would: with the names of its parsers, its renderers and the view."""
    for route in every_route():
        answer = ask("OPTIONS", route.address(**dict.fromkeys(route.parameters, str(uuid4()))))
        assert answer.status_code < 500, route
        assert b"renders" not in answer.content, route


def test_a_link_that_is_not_ours_opens_nothing() -> None:
    answers = {}
    for route in behind(Door.LINK):
        for token in ("x", "a.b.c", str(uuid4()), "%00", "%ff", "x" * 2_000):
            answer = ask("GET", route.address(token=token, tab="pages"))
            assert answer.status_code in (404, 405, 410), (route, token)
            answers.setdefault((route.pattern, answer.status_code), set()).add(answer.content)
    assert {len(bodies) for bodies in answers.values()} == {1}


def test_only_health_says_which_version_this_is(settings: LazySettings) -> None:
    """And no answer says what it is made with, or shows a trace (A85)."""
    settings.VERSION = "7.7.77"
    assert ask("GET", "/health").json()["version"] == settings.VERSION
    values = dict.fromkeys({name for route in every_route() for name in route.parameters}, str(uuid4()))
    made_with = re.compile(rb"django|granian|python/|postgres|traceback", re.IGNORECASE)
    for route in {route.name: route for route in every_route()}.values():
        for method in ("GET", "DELETE"):
            answer = ask(method, route.address(**values))
            head = str(sorted(answer.headers.items())).encode()
            assert answer.status_code < 500, (method, route)
            assert b"Server" not in head, route
            assert made_with.search(head) is None, (method, route)
            if route.name != "health":
                assert settings.VERSION.encode() not in head + answer.content, (method, route)
            if answer.status_code >= 400:
                assert made_with.search(answer.content) is None, (method, route)


# -- the key ----------------------------------------------------------------------------------------------------------


def strangers(user: User) -> dict[str, dict[str, object]]:
    """Callers who have no key of ours, or have it in the wrong place: the options of a request of each."""
    deactivated, deleted, orphaned = make_user(), make_user(), make_user()
    User.objects.filter(pk=deactivated.pk).update(is_active=False)
    remove_user(deleted, by=None)
    remove_account(orphaned.account, by=None, now=timezone.now())
    key = user.key
    other = "a" if key[-1] != "a" else "b"
    given = {
        "empty": "",
        "blank": " ",
        "tab": "\t",
        "10 KB": "x" * 10_240,
        "NUL": f"{key}\0",
        "only NUL": "\0",
        "not ASCII": "tt_\xe9",
        "not Latin-1": "tt_\U0001f600",
        "never issued": "tt_" + "0" * 43,
        "two, the wrong one last": f"{key},tt_wrong",
        "two, the wrong one first": f"tt_wrong,{key}",
        "twice the same": f"{key}, {key}",
        "in the other case": key.swapcase(),
        "with another last character": key[:-1] + other,
        "without its last character": key[:-1],
        "with a blank before it": f" {key}",
        "in quotes": f'"{key}"',
        "of a user who was deactivated": deactivated.key,
        "of a user who was deleted": deleted.key,
        "of a user of a deleted account": orphaned.key,
    }
    bearer = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {key}"})
    basic = Client(raise_request_exception=False, headers={"Authorization": f"Basic {key}", "X-API": key})
    cookie = Client(raise_request_exception=False)
    for name in ("X-API-KEY", "api_key", "session"):
        cookie.cookies[name] = key
    office = Client(raise_request_exception=False)
    office.force_login(make_root(login="root"))
    return {name: {"headers": {"X-API-KEY": value}} for name, value in given.items()} | {
        "in Authorization": {"client": bearer},
        "in another header": {"client": basic},
        "in cookies": {"client": cookie},
        "a session of the back office": {"client": office},
        "in the query": {"QUERY": f"X-API-KEY={key}&x_api_key={key}&api_key={key}&key={key}"},
        "in the body": {"BODY": f'{{"X-API-KEY": "{key}", "api_key": "{key}"}}'},
    }


@pytest.mark.parametrize("route", behind(Door.KEY), ids=lambda route: route.pattern)
def test_without_a_good_key_in_its_header_every_route_says_the_same(route: Route, ann: User) -> None:
    address = filled(route, ann)
    callers = strangers(ann)
    for method in (*route.methods, "HEAD", "OPTIONS"):
        nobody = ask(method, address)
        assert method == "HEAD" or refused(nobody, 401, "UNAUTHORIZED")
        assert (nobody.status_code, nobody["WWW-Authenticate"]) == (401, "X-API-KEY")
        for name, options in callers.items():
            options = dict(options)
            query, body = options.pop("QUERY", ""), options.pop("BODY", "")
            joined = f"{address}{'&' if '?' in address else '?'}{query}" if query else address
            answer = ask(method, joined, data=str(body), content_type="application/json", **options)
            assert whole(answer) == whole(nobody), (method, name)
    assert Website.objects.live().count() == 1


def test_a_key_over_its_limit_that_ends_is_as_any_other_that_is_none(ann: User, settings: LazySettings) -> None:
    settings.LIMITS = {**settings.LIMITS, "API_KEY": (1, 86_400)}
    answers = [ask("GET", "/api/v1/websites", headers={"X-API-KEY": ann.key}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    remove_user(ann, by=None)
    ended, never = (
        whole(ask("GET", "/api/v1/websites", headers={"X-API-KEY": key})) for key in (ann.key, "tt_" + "0" * 43)
    )
    assert ended == never
    assert ended[0] == 401


def test_looking_up_a_key_is_the_same_work_however_much_of_it_is_right(ann: User) -> None:
    """Nothing is compared with the key itself: what is looked up is a digest, in one query (guarantee A12)."""

    def work(key: str) -> tuple[list[str], bytes]:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            keys.find(key)
        found = keys.digest(key)
        return [query["sql"].replace(found.hex(), "DIGEST") for query in asked.captured_queries], found

    almost = [ann.key[:length] + keys.new_secret("")[: len(ann.key) - length] for length in (0, 3, 20, 40, 45)]
    works = [work(key) for key in (ann.key, *almost)]
    statements = {tuple(statements) for statements, _ in works}
    assert len(statements) == 1
    (statement,) = statements.pop()
    assert "DIGEST" in statement
    assert ann.key not in statement
    # A digest has nothing in common with that of a key which begins alike.
    first = {digest[:2] for _, digest in works}
    assert len(first) > 1


# -- the role ---------------------------------------------------------------------------------------------------------


def test_a_users_key_is_403_on_every_route_that_is_not_for_users(ann: User) -> None:
    checked = 0
    for route in behind(Door.KEY):
        for method in route.methods:
            answer = ask(method, filled(route, ann), headers={"X-API-KEY": ann.key})
            if route.is_for_users:
                assert answer.status_code != 403, (method, route)
            else:
                assert refused(answer, 403, "FORBIDDEN"), (method, route)
                checked += 1
            User.objects.filter(pk=ann.pk).update(is_active=True)
            Website.objects.update(deleted_at=None)
    assert checked >= 16


# -- methods ----------------------------------------------------------------------------------------------------------


def test_no_header_or_field_overrides_the_method(ann: User) -> None:
    root = make_root()
    override = dict.fromkeys(("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"), "DELETE")
    for route in behind(Door.KEY):
        if "DELETE" not in route.methods:
            continue
        address = f"{filled(route, ann)}?_method=DELETE"
        answer = ask(
            "POST",
            address,
            data="_method=DELETE",
            content_type="application/x-www-form-urlencoded",
            headers=override | {"X-API-KEY": root.key},
        )
        assert refused(answer, 405, "INVALID_PAYLOAD"), route
    assert User.objects.live().filter(pk=ann.pk).exists()
    assert Website.objects.live().filter(domain=DOMAIN).exists()


def test_what_a_route_does_not_take_is_405_in_the_envelope_and_shows_nothing(ann: User) -> None:
    root = make_root()
    for route in behind(Door.KEY):
        taken = {*route.methods, *({"HEAD"} if "GET" in route.methods else ())} - {"OPTIONS"}
        for method in sorted(set(METHODS) - taken):
            answer = ask(method, filled(route, ann), headers={"X-API-KEY": root.key, "X-Canary": "canary-header"})
            if method == "HEAD":
                assert (answer.status_code, answer.content) == (405, b""), route
            else:
                assert refused(answer, 405, "INVALID_PAYLOAD"), (method, route)
            assert DOMAIN.encode() not in answer.content
            # TRACE would send back what a proxy has added.
            assert b"canary" not in answer.content
            assert set(answer["Allow"].replace(" ", "").split(",")) == taken, (method, route)


def test_head_shows_no_more_than_the_headers_of_get(ann: User) -> None:
    for route in behind(Door.KEY):
        if "GET" not in route.methods or not route.is_for_users:
            continue
        get, head = (ask(method, filled(route, ann), headers={"X-API-KEY": ann.key}) for method in ("GET", "HEAD"))
        assert (head.status_code, head.content) == (get.status_code, b""), route
        assert sorted(head.headers.items()) == sorted(get.headers.items()), route


# -- paths ------------------------------------------------------------------------------------------------------------


def spellings(address: str) -> set[str]:
    """Other ways to write a path, which a proxy or a server may take for the same."""
    path, mark, query = address.partition("?")
    parts = path.split("/")
    last = parts[-1] or parts[-2]
    return {
        f"{spelling}{mark}{query}"
        for spelling in (
            f"/{path}",
            f"//{path}",
            path.replace("/", "//"),
            f"{path}//",
            f"{path}/.",
            f"{path}/./",
            f"/.{path}",
            f"/%2e{path}",
            f"/x/..{path}",
            f"/x/%2e%2e{path}",
            f"/health/..{path}",
            f"/health/%2e%2e{path}",
            f"/js/%2e%2e%2f{path[1:]}",
            path.replace("/", "/%2e/"),
            f"/{path[1:].replace('/', '%2f')}",
            f"/{path[1:].replace('/', chr(92))}",
            path.upper(),
            path.title(),
            path.replace(last, last.swapcase()),
            path.replace(last, f"%{ord(last[0]):02x}{last[1:]}"),
            f"{path};x=1",
            f"{path}%00",
            f"{path}%20",
            f"{path}.json",
            f"{path}%3fwebsite_id=1",
        )
    }


def test_no_spelling_of_a_path_gets_past_its_door(ann: User) -> None:
    """What is spelled in another way is another address, or has the same door."""
    website = Website.objects.get()
    fill = {"website": website.public_id, "link": uuid4(), "batch_id": uuid4(), "tab": "pages", "report": "x"}
    fill |= {"name": "x", "content_type_id": 1, "object_id": website.pk}
    addresses = {filled(route, ann) for route in behind(Door.KEY) if route.pattern == route.name}
    # Pages of objects stand below those of their lists.
    addresses |= {route.address(**fill) for route in behind(Door.SESSION) if "object_id" not in route.parameters}
    for address in sorted(addresses):
        for spelling in spellings(address):
            answer = ask("GET", spelling)
            assert answer.status_code in (302, 401, 404, 405), spelling
            assert answer.status_code != 302 or answer["Location"].startswith("/admin/login/"), spelling
            assert DOMAIN.encode() not in answer.content


def test_no_spelling_of_a_path_raises_a_role(ann: User) -> None:
    for route in behind(Door.KEY):
        if route.is_for_users:
            continue
        for spelling in spellings(filled(route, ann)):
            answer = ask("GET", spelling, headers={"X-API-KEY": ann.key})
            assert answer.status_code in (403, 404, 405), spelling
