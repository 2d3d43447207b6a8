"""The front answers OpenPanel's calls as Django does, byte by byte, and stores the same rows and people."""

import json

import pytest
from django.forms import model_to_dict

from analytics.models import Group, Profile
from analytics.tests import test_front
from analytics.tests.builders import CHROME, GOOGLEBOT, make_website
from analytics.tests.panel import ORIGIN, Panel
from analytics.tests.servers import ASGI, WSGI, served

pytestmark = pytest.mark.django_db(transaction=True)

# Limits count, and so no two answers would be alike.
OFF = {"TINYTRAIL_LIMIT_OPENPANEL": "off"}


@pytest.fixture(scope="module")
def ports(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), served(*ASGI, **OFF) as front, served(*WSGI, **OFF) as django:
        yield front, django


@pytest.fixture
def panel():
    return Panel(make_website())


def people():
    """Who there is, without times; then nobody."""
    fields = ["profile_id", "first_name", "last_name", "email", "avatar", "properties", "groups"]
    found = [model_to_dict(person, fields=fields) for person in Profile.objects.order_by("profile_id")]
    found += [model_to_dict(group, fields=["group_id", "type", "name", "properties"]) for group in Group.objects.all()]
    Profile.objects.all().delete()
    Group.objects.all().delete()
    return found


def same(ports, calls):
    """Asserts that both servers answer, store and know the same; what the first did."""
    front, django = ports
    found = []
    for port in (front, django):
        answers = [test_front.asked(port, **{"path": "/track"} | call) for call in calls]
        found.append((answers, test_front.stored(), people()))
    for one, other in zip(found[0][0], found[1][0], strict=True):
        assert one == other
    assert found[0] == found[1]
    return found[0]


def bodies():
    def body(type_, **payload):
        return json.dumps({"type": type_, "payload": payload}).encode()

    return [
        body("track", name="my_event", properties={"foo": "bar", "email": "canary@example.test"}, profileId="123"),
        body("track", name="screen_view", properties={"__path": "https://acme.example/a?utm_source=x", "__title": "A"}),
        body("track", name="revenue", properties={"__revenue": 1000}),
        body("track", name="past", properties={"__timestamp": 0}),
        body("track", name="device", properties={"__deviceId": "d"}),
        body("identify", profileId="123", firstName="Joe", email="joe@doe.com", properties={"tier": {"a": 1}}, x=1),
        body("increment", profileId="1", property="a.b"),
        body("increment", profileId="123", property="tier"),
        body("decrement", profileId="1", property="a.b", value=2.5),
        body("group", id="g", type="t", name="n"),
        body("assign_group", groupIds=["g"]),
        body("replay", payload="x" * 1_500_000),
        body("alias", profileId="1", alias="2"),
        body("unknown"),
        b"",
        b"{",
        b"[]",
        b'{"type":"track","payload":{"name":"\\u0000"}}',
        b'{"type":"track","payload":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b"x" * (3 * 1024 * 1024 + 1),
    ]


def test_good_and_hostile_bodies_are_answered_alike(ports, panel):
    headers = {"Content-Type": "application/json"} | panel.trusted
    answers, (rows, drops), known = same(ports, [{"body": body, "headers": headers} for body in bodies()])
    assert [status for status, _, _ in answers] == [200] * 3 + [400] + [200] * 3 + [400] + [200] * 4 + [400] * 7 + [413]
    assert (len(rows), len(known)) == (4, 4)
    # The chunk of a replay is answered well, and counted as not kept.
    assert sum(count for *_, count in drops) == 11


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": ORIGIN},
        {"Origin": ORIGIN, "User-Agent": GOOGLEBOT},
        {"Origin": "https://evil.example"},
        {"Origin": ORIGIN, "x-client-ip": "203.0.113.7"},
        {"Origin": ORIGIN, "Content-Type": "text/plain"},
        {"Origin": ORIGIN, "Content-Encoding": "gzip"},
        {"Origin": ORIGIN, "Idempotency-Key": "x" * 300},
        {"Origin": ORIGIN, "Cookie": "session=x"},
    ],
)
def test_headers_of_every_kind_are_answered_alike(ports, panel, headers):
    body = json.dumps({"type": "track", "payload": {"name": "x", "profileId": "1"}}).encode()
    common = {"Content-Type": "application/json", "User-Agent": CHROME, "openpanel-client-id": str(panel.client.id)}
    same(ports, [{"body": body, "headers": common | headers}])


@pytest.mark.parametrize("method", ["OPTIONS", "GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE"])
@pytest.mark.parametrize("path", ["/track", "/track/device-id", "/track/nowhere"])
def test_every_method_is_answered_alike(ports, panel, method, path):
    headers = panel.public | {"Access-Control-Request-Headers": "x-own"}
    same(ports, [{"method": method, "path": path, "headers": headers}])


@pytest.mark.parametrize(
    "path",
    ["/track/", "//track", "//track/", "/track?x=1", "/track//", "/Track", "//track/x", "/trackx", "/track/device-id/"],
)
def test_every_spelling_of_the_path_is_answered_alike(ports, panel, path):
    body = json.dumps({"type": "track", "payload": {"name": "x"}}).encode()
    headers = {"Content-Type": "application/json"} | panel.trusted
    same(ports, [{"path": path, "body": body, "headers": headers}])


def test_who_asks_not_to_be_tracked_is_answered_alike(ports):
    panel = Panel(make_website(privacy_signals="drop"))
    headers = panel.public | {"content-type": "application/json", "sec-gpc": "1"}
    calls = [{"body": body, "headers": headers} for body in bodies()[:7]]
    answers, (rows, drops), known = same(ports, calls)
    assert (rows, known) == ([], [])
    assert ("openpanel", "privacy_signal", 6) in drops
    assert {body for status, _, body in answers if status == 200} == {b'{"deviceId":"","sessionId":""}'}
