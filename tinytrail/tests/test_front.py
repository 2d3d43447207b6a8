"""GET /, the front page (contract D-22)."""

import re

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import resolve

from tinytrail import front

TOKEN_REFUSED = {"metadata": {"code": 403, "message": "Forbidden", "version": "v1.0"}}


def test_it_works(client: Client) -> None:
    answer = client.get("/")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert links(answer.content.decode())[:4] == ["/admin/", "/api/schema/docs", "/health", "/calendar"]


def links(page: str) -> list[str]:
    return re.findall(r'<a [^>]*href="([^"]+)"', page)


def test_the_snippet_names_this_server(client: Client) -> None:
    page = client.get("/", headers={"host": "localhost:8000"}).content.decode()

    snippet = re.sub(r"</?mark>", "", re.search(r"<pre><code>(.*)</code></pre>", page)[1])
    assert snippet == (
        '&lt;script defer data-id="YOUR-WEBSITE-ID" src="http://localhost:8000/js/tracker.js"&gt;&lt;/script&gt;'
    )


def test_it_lists_the_routes_that_there_are_and_no_others(client: Client, settings: LazySettings) -> None:
    page = client.get("/").content.decode()
    shown = re.findall(r"<code>(/[^<]*)</code>", page)

    assert {"/js/tracker.js", "/api/v1/collect", "/api/v1/reports/…"} <= set(shown)
    routes = {route.path: route for dialect in front.DIALECTS for route in dialect.routes}
    assert shown == [path for path, route in routes.items() if front.is_served(route)]
    assert not front.is_served(front.Route("GET", "/nothing/here", "", "v1"))
    for path in shown:
        resolve(routes[path].example or path)


@pytest.mark.parametrize("accept", ["application/json", "application/json;q=0.9, text/plain"])
def test_who_takes_only_json_gets_a_status(client: Client, accept: str) -> None:
    answer = client.get("/", headers={"accept": accept})

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == {"status": "ok", "name": "TinyTrail", "documentation": "/api/schema/docs"}


@pytest.mark.parametrize("accept", ["text/html", "text/html, application/json", "application/json, */*", "*/*"])
def test_everybody_else_gets_the_page(client: Client, accept: str) -> None:
    answer = client.get("/", headers={"accept": accept})

    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert answer["Vary"] == "Accept"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
@pytest.mark.parametrize("query", ["auth_token=5df38d", "auth_token=", "a=b&auth_token=x&auth_token=y"])
def test_a_token_belongs_to_the_widgets_and_none_is_known(client: Client, accept: str, query: str) -> None:
    answer = client.get(f"/?{query}", headers={"accept": accept})

    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == TOKEN_REFUSED


def test_it_loads_nothing_but_its_own_files_and_has_nothing_inline(client: Client) -> None:
    answer = client.get("/")
    page = answer.content.decode()

    assert set(re.findall(r'<(?:img|link) [^>]*(?:src|href)="([^"]+)"', page)) == {
        "/static/tinytrail/colors.css",
        "/static/tinytrail/front.css",
        "/static/tinytrail/mark.svg",
    }
    assert not re.search(r"<script|<style|<iframe| style=| on\w+=", page)
    assert "'unsafe-inline'" not in answer["Content-Security-Policy"]


def test_it_sets_no_cookie(client: Client) -> None:
    assert not client.get("/").cookies


def test_head_is_answered_and_post_is_not(client: Client) -> None:
    assert client.head("/").status_code == 200
    assert client.post("/").status_code == 405
