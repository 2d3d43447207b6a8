"""ROOM widgets from outside: every route and format, what is refused and how (contract 5, guarantees A51 to A61)."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client as Browser
from django.utils import timezone

from accounts.clients import change_widget_client, revoke
from accounts.models import Client
from accounts.removal import remove_website
from analytics.models import Event
from analytics.showing import show
from analytics.tests.builders import CHROME, GOOGLEBOT, make_website
from analytics.tests.widgets import BEST, INSTANCE, address, ask, checkout, dropped, make_token

pytestmark = pytest.mark.django_db(transaction=True)

W = f"/track/widget/{INSTANCE}"
WIDGETS = {"category": f"{W}/category/12", "stream": f"{W}/stream/34", "best": BEST}
WIDGET_ACTIONS = ["render", "move", "upload_click", "filter_click", "view_all"]
MEDIA_ACTIONS = ["render", "view", "move", "click", "close", "play_click", "shop"]
GIF = bytes.fromhex(
    "474946383961 0100010080 0000000000 ffffff 21f904 0100000000 2c 00000000 01000100 00 02 02 4401 00 3b"
)
INVALID = [{"error": "Invalid params"}]


@pytest.fixture
def acme():
    return make_website()


@pytest.fixture
def token(acme):
    return make_token(acme)


def refused(answer, status, message):
    """Whether this is that refusal, which never is a page and never kept."""
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store, no-cache, must-revalidate"
    assert answer["Access-Control-Allow-Origin"] == "*"
    body = {"metadata": {"code": status, "message": message, "version": "v1.0"}}
    return (answer.status_code, answer.json()) == (status, body)


def invalid(answer):
    return (answer.status_code, answer.content) == (400, b'[{"error":"Invalid params"}]')


def test_it_works(token):
    before = datetime.now(UTC)
    answer = ask(f"{BEST}/render.json", token, analytics_id="12345", pics="8")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    body = answer.json()
    assert body["metadata"] == {"code": 200, "message": "OK", "version": "v1.0"}
    assert body["data"]["analytics_id"] == "12345"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{4}", body["data"]["timestamp"])
    told = datetime.fromisoformat(f"{body['data']['timestamp']}00+00:00")
    assert before - timedelta(milliseconds=1) < told < datetime.now(UTC)
    (row,) = show("events", token.website, 0)
    assert (row["name"], row["kind"], row["dialect"], row["is_bot"]) == ("widget_render", "passive", "widgets", False)
    assert row["properties"] == {"instance": INSTANCE, "kind": "best", "pics": 8, "analytics_id": "12345"}
    assert row["client_session"] == "12345"


# -- routes -----------------------------------------------------------------------------------------------------------

ROUTES = [
    *((f"{path}/{action}", f"widget_{action}") for path in WIDGETS.values() for action in WIDGET_ACTIONS),
    (f"{W}/stream/not_found/render", "widget_render"),
    *((f"{path}/media/56/{action}", f"media_{action}") for path in WIDGETS.values() for action in MEDIA_ACTIONS),
]


@pytest.mark.parametrize("ending", ["", ".json", ".gif", "/", ".gif/"])
@pytest.mark.parametrize(("path", "name"), ROUTES)
def test_every_action_of_every_route_is_stored_in_every_format(token, path, name, ending):
    answer = ask(path + ending, token)
    assert answer.status_code == 200
    if ending.startswith(".gif"):
        assert (answer["Content-Type"], answer.content) == ("image/gif", GIF)
    else:
        assert answer.json()["metadata"]["code"] == 200
    event = Event.objects.get()
    assert event.name == name
    kinds = {"category": 12, "stream": 34, "best": None}
    kind = path.split("/")[4]
    expected = None if "not_found" in path else kinds[kind]
    found = event.properties
    assert (found["kind"], found.get("id"), found.get("media")) == (kind, expected, 56 if "/media/" in path else None)


@pytest.mark.parametrize("ending", ["", ".json", ".gif"])
def test_a_checkout_is_stored_in_every_format(token, ending):
    answer = ask(f"/track/transaction/T-1/checkout{ending}", token, ("products[]", "shirt:120.50"))
    assert answer.status_code == 200
    assert answer["Content-Type"] == ("image/gif" if ending == ".gif" else "application/json")
    assert Event.objects.get().name == "checkout"


def test_a_render_is_passive_and_everything_else_interactive(token):
    ask(f"{BEST}/render", token)
    ask(f"{BEST}/media/5/render", token)
    ask(f"{BEST}/move", token)
    ask(f"{BEST}/media/5/shop", token)
    checkout(token, "T-1", "a:1")
    kinds = {row["name"]: row["kind"] for row in show("events", token.website, 0)}
    assert kinds == {
        "widget_render": "passive",
        "media_render": "passive",
        "widget_move": "interactive",
        "media_shop": "interactive",
        "checkout": "interactive",
    }


def test_a_stream_that_was_not_found_needs_no_pics(token):
    assert ask(f"{W}/stream/not_found/render.gif", token, pics=None).status_code == 200
    assert Event.objects.get().properties["not_found"] is True


@pytest.mark.parametrize(
    "path",
    [
        f"{W}/best/media",
        f"{W}/best/media.json",
        f"{W}/best/media/5",
        f"{W}/stream/5",
        f"{W}/stream/5/media",
        f"{W}/stream/5/media/7",
        f"{W}/category/5/render/more",
        f"{W}/nothing/5/render",
        f"{W}/best//render",
        "/track/widget//best/render",
        f"{W}",
        "/track/widget/",
        "/track/widget",
        "/track/transaction",
        "/track/transaction/T-1",
        "/track/transaction/T-1/refund",
        "/track/transaction/T/1/checkout",
        "/track/transaction//checkout",
    ],
)
def test_a_path_of_no_template_is_404(token, path):
    assert refused(ask(path, token), 404, "Not Found")
    assert dropped() == {"unknown_path": 1}


@pytest.mark.parametrize(
    "path",
    [
        f"{W}/best/explode",
        f"{W}/best/Render",
        f"{W}/best/shop",
        f"{W}/best/media/5/upload_click",
        f"{W}/best/media/5/checkout",
        f"{W}/stream/not_found/move",
        f"{W}/stream/not_found/media/5/click",
        f"{W}/category/not_found/render",
        f"{W}/category/x/render",
        f"{W}/category/-5/render",
        f"{W}/category/1.5/render",
        f"{W}/category/9223372036854775808/render",
        f"{W}/category/%D9%A3/render",
        f"{W}/best/media/x/click",
        f"{W}/best/render.png",
        f"{W}/best/render.",
        f"{W}/best/render.JSON",
        f"{W}/best/render.json.gif",
        "/track/widget/a b/best/render",
        "/track/widget/%00/best/render",
        f"/track/widget/{'x' * 65}/best/render",
        "/track/transaction/T-1/checkout.png",
        f"/track/transaction/{'x' * 129}/checkout",
        "/track/transaction/a%00b/checkout",
        "/track/transaction/%20/checkout",
    ],
)
def test_a_part_that_is_wrong_is_400(token, path):
    assert invalid(ask(path, token, ("products[]", "a:1")))
    assert not Event.objects.exists()


def test_the_greatest_numbers_are_taken(token):
    ask(f"{W}/category/9223372036854775807/media/0/view", token)
    found = Event.objects.get().properties
    assert (found["id"], found["media"]) == (9223372036854775807, 0)


# -- tokens (A51) -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [f"{BEST}/render", f"{BEST}/render.gif", "/track/transaction/T/checkout", "/"])
@pytest.mark.parametrize("text", [None, "", "5df38d", "x" * 65, "a%00b", "' OR 1=1", "😀"])
def test_without_a_good_token_there_is_nothing(acme, path, text):
    if path == "/" and text is None:
        return
    query = {} if text is None else {"auth_token": text}
    answer = Browser().get(path, {**query, "analytics_id": "v1", "pics": "1"}, headers={"user-agent": CHROME})
    assert refused(answer, 403, "Forbidden")
    assert dropped() == {"unknown_token" if text else "no_token": 1}


def test_the_token_is_checked_before_anything_else(acme):
    assert refused(ask(f"{W}/nothing", None), 403, "Forbidden")
    assert refused(ask(f"{BEST}/explode", None, analytics_id=None), 403, "Forbidden")
    assert refused(ask(f"{BEST}/media/5/shop", None, redirect_url="https://evil.example/"), 403, "Forbidden")


def test_the_path_is_checked_before_the_query(token):
    assert refused(ask(f"{W}/best/media", token, analytics_id=None), 404, "Not Found")


def test_a_revoked_token_is_none_at_once(token):
    assert ask(f"{BEST}/render", token).status_code == 200
    revoke(token, by=None, now=timezone.now())
    assert refused(ask(f"{BEST}/render", token), 403, "Forbidden")


def test_a_token_ends_with_its_website(token, acme):
    assert ask(f"{BEST}/render", token).status_code == 200
    remove_website(acme, by=None, now=timezone.now())
    assert refused(ask(f"{BEST}/render", token), 403, "Forbidden")


def test_several_tokens_of_one_website_store_for_it(token, acme):
    other = make_token(acme, name="Blog")
    ask(f"{BEST}/render", token)
    ask(f"{BEST}/render", other)
    assert list(Event.objects.values_list("website_id", flat=True)) == [acme.id] * 2


def test_a_token_of_another_kind_is_none(acme):
    client = Client.objects.create(website=acme, kind=Client.Kind.OPENPANEL, token="a" * 64)
    assert refused(ask(f"{BEST}/render", client), 403, "Forbidden")


# -- the query --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [f"{BEST}/render", f"{BEST}/render.gif", f"{BEST}/media/5/view"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"analytics_id": None},
        {"analytics_id": ""},
        {"analytics_id": "  "},
        {"analytics_id": "x" * 129},
        {"analytics_id": "a\0b"},
        {"analytics_id": "a\r\nb"},
        {"pics": None},
        {"pics": ""},
        {"pics": "-1"},
        {"pics": "1.5"},
        {"pics": "many"},
        {"pics": "1e3"},
        {"ab_testing": "B"},
        {"ab_testing": "-1"},
    ],
)
def test_a_parameter_that_is_missing_or_wrong_is_400_in_the_documents_own_words(token, path, wrong):
    answer = ask(path, token, **wrong)
    assert invalid(answer)
    assert answer["Content-Type"] == "application/json"
    assert (Event.objects.count(), sum(dropped().values())) == (0, 1)


def test_invalid_utf8_is_400(token):
    assert invalid(Browser().get(f"{address(f'{BEST}/render', token)}&pics=1&analytics_id=%ED%A0%80"))


def test_an_empty_arm_is_none_and_unknown_parameters_are_ignored(token):
    ask(f"{BEST}/render", token, ab_testing="", colour="red")
    ask(f"{BEST}/render", token, ab_testing="2")
    assert [event.properties.get("ab_testing") for event in Event.objects.order_by("id")] == [None, 2]


def test_the_first_of_several_values_counts(token):
    ask(f"{BEST}/render", token, ("analytics_id", "v2"), ("pics", "9"))
    assert (Event.objects.get().properties["analytics_id"], Event.objects.get().properties["pics"]) == ("v1", 1)


@pytest.mark.parametrize(
    "text",
    [
        "segments[]=country:US&segments[]=section:abc",
        "segments%5B%5D=country:US&segments%5B%5D=section%3Aabc",
        "segments[0]=country:US&segments[1]=section:abc",
        "segments=country:US&segments=section:abc",
        "segment=country:US&segment[]=section:abc",
        "segments=segments[]=country:US&segments[]=section:abc",
        "segments=segments%5B%5D%3Dcountry:US&segments%5B%5D=section:abc",
        "segments[]=country:US&segments[]=section:abc&segments[]=country:US&segments[]=",
    ],
)
def test_segments_are_read_in_every_spelling(token, text):
    answer = Browser().get(f"{address(f'{BEST}/render', token, analytics_id='v1', pics=1)}&{text}")
    assert answer.status_code == 200
    assert Event.objects.get().properties["segments"] == {"country": "US", "section": "abc"}


def test_a_segment_is_split_at_its_first_colon(token):
    ask(f"{BEST}/render", token, ("segments[]", "time:10:30"), ("segments[]", "empty:"))
    assert Event.objects.get().properties["segments"] == {"time": "10:30", "empty": ""}


@pytest.mark.parametrize(
    "pairs",
    [
        ["country:US", "country:FR"],
        ["country"],
        [":US"],
        ["country:a\0b"],
        ["country:US\r\nSet-Cookie: a=b"],
        [f"k{n}:v" for n in range(1000)],
        ["k" * 65 + ":v"],
        ["k:" + "v" * 256],
    ],
)
def test_segments_that_are_wrong_are_400(token, pairs):
    assert invalid(ask(f"{BEST}/render", token, *(("segments[]", pair) for pair in pairs)))
    assert not Event.objects.exists()


# -- what every answer carries ----------------------------------------------------------------------------------------


def answers(token):
    return [
        ask(f"{BEST}/render", token),
        ask(f"{BEST}/render.gif", token),
        ask(f"{BEST}/render", None),
        ask(f"{BEST}/explode", token),
        ask(f"{W}/nothing", token),
        checkout(token, "T-1", "a:1"),
        checkout(token, "T-1", "a:1", currency_code="EUR"),
        ask(f"{BEST}/media/5/shop", token, redirect_url="https://acme.example/"),
        ask("/", token),
        Browser().post(f"{BEST}/render"),
    ]


def test_no_answer_is_ever_kept_or_guessed_and_every_page_may_read_it(token):
    found = answers(token)
    assert [answer.status_code for answer in found] == [200, 200, 403, 400, 404, 200, 409, 302, 200, 405]
    for answer in found:
        assert answer["Cache-Control"] == "no-store, no-cache, must-revalidate"
        assert answer["Pragma"] == "no-cache"
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert [answer.get(name) for name in ("ETag", "Last-Modified", "Expires", "Set-Cookie")] == [None] * 4
        assert "Access-Control-Allow-Credentials" not in answer


def test_the_pixel_may_stand_in_any_page(token):
    answer = ask(f"{BEST}/render.gif", token, headers={"accept": "image/avif"})
    assert len(answer.content) == 43
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_conditional_requests_are_answered_as_any_other(token):
    sent = {"if-none-match": "*", "if-modified-since": "Wed, 01 Jan 2031 00:00:00 GMT"}
    assert ask(f"{BEST}/render.gif", token, headers=sent).status_code == 200
    assert Event.objects.count() == 1


def test_there_is_no_jsonp(token):
    answer = ask(f"{BEST}/render", token, callback="alert")
    assert answer.content.startswith(b'{"metadata"')


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE"])
@pytest.mark.parametrize("path", [f"{BEST}/render", "/track/transaction/T/checkout", "/track/widget/x", "/"])
def test_other_methods_are_405_in_this_rooms_words(token, method, path):
    answer = Browser().generic(method, address(path, token, analytics_id="v1", pics=1))
    assert refused(answer, 405, "Method Not Allowed")
    assert answer["Allow"] == "GET, HEAD, OPTIONS"
    assert dropped() == {"wrong_method": 1}


def test_a_preflight_is_answered_for_any_origin(token):
    answer = Browser().options(f"{BEST}/render", headers={"origin": "https://shop.example"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"


# -- what is answered and not stored ----------------------------------------------------------------------------------


def test_head_is_answered_like_get_and_stores_nothing(token):
    answer = Browser().head(address(f"{BEST}/render.gif", token, analytics_id="v1", pics=1))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/gif")
    shop = address(f"{BEST}/media/5/shop", token, analytics_id="v1", redirect_url="https://acme.example/p")
    assert Browser().head(shop)["Location"] == "https://acme.example/p"
    assert Browser().head(address(f"{BEST}/explode", token)).status_code == 400
    assert (Event.objects.count(), dropped()) == (0, {"head": 2, "unknown_action": 1})


@pytest.mark.parametrize(
    "header",
    [
        {"sec-purpose": "prefetch"},
        {"sec-purpose": "prefetch;prerender"},
        {"purpose": "prefetch"},
        {"purpose": "preview"},
        {"x-moz": "prefetch"},
        {"X-Moz": "Prefetch"},
    ],
)
def test_a_prefetch_is_answered_and_stores_nothing(token, header):
    assert ask(f"{BEST}/render", token, headers=header).status_code == 200
    answer = ask(f"{BEST}/media/5/shop", token, redirect_url="https://acme.example/p", headers=header)
    assert (answer.status_code, answer["Location"]) == (302, "https://acme.example/p")
    assert checkout(token, "T-1", "a:1", headers=header).status_code == 200
    assert (Event.objects.count(), show("orders", token.website, 0), dropped()) == (0, [], {"prefetch": 3})


def test_bots_and_excluded_addresses_are_answered_alike_and_stored_with_their_flag(acme, token):
    ask(f"{BEST}/render", token, headers={"user-agent": GOOGLEBOT})
    acme.excluded_ips = ["127.0.0.1"]
    acme.save()
    change_widget_client(token, name="new")
    assert ask(f"{BEST}/render", token).json()["metadata"]["code"] == 200
    flags = Event.objects.order_by("id").values_list("is_bot", "is_excluded")
    assert list(flags) == [(True, False), (False, True)]


# -- GET / ------------------------------------------------------------------------------------------------------------


def test_the_front_page_with_a_token_says_whether_it_is_good(token):
    answer = Browser().get("/", {"auth_token": token.token})
    assert answer.status_code == 200
    assert answer.json()["metadata"] == {"code": 200, "message": "OK", "version": "v1.0"}
    assert answer.json()["data"]["analytics_id"] is None
    assert Browser().get("/", {"auth_token": token.token, "analytics_id": "v1"}).json()["data"]["analytics_id"] == "v1"
    assert (Event.objects.count(), dropped()) == (0, {})


def test_without_a_token_it_is_the_front_page(token):
    assert Browser().get("/")["Content-Type"] == "text/html; charset=utf-8"
    assert Browser().post("/", {}).status_code == 405


# -- privacy ----------------------------------------------------------------------------------------------------------


def test_who_is_known_by_an_e_mail_address_is_stored_under_another_name_and_stays_one_visitor(token):
    answer = ask(f"{BEST}/render", token, ("segments[]", "user_email:x"), analytics_id="canary@example.test")
    ask(f"{BEST}/move", token, analytics_id="canary@example.test")
    assert answer.json()["data"]["analytics_id"] == "canary@example.test"
    first, second = Event.objects.order_by("id")
    assert first.client_session == second.client_session == first.properties["analytics_id"]
    assert re.fullmatch("[0-9a-f]{64}", first.client_session)
    assert first.properties["segments"] == {"user_email": "*"}


def test_no_token_stands_in_a_log(token, caplog):
    caplog.set_level("DEBUG")
    for answer in answers(token):
        assert answer.status_code
    revoke(token, by=None, now=timezone.now())
    ask(f"{BEST}/render", token)
    assert token.token not in caplog.text
    # And the server writes no lines of its own about what is asked.
    commands = Path(settings.BASE_DIR, "Procfile").read_text() + Path(settings.BASE_DIR, "compose.yaml").read_text()
    assert "granian" in commands
    assert "--access-log" not in commands
