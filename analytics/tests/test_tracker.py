"""The tracker: how it is served, and what it does in a real browser (contract 2.11)."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page

from analytics.tests.browser import Chromium, Web, unwatched
from analytics.tracker import PACKED, SCRIPT

WEBSITE = "3b241101-e2bb-4255-8caf-4136c566a962"

# -- as it is served --------------------------------------------------------------------------------------------------


def test_it_works(client: Client) -> None:
    answer = client.get("/js/tracker.js")

    assert answer.status_code == 200
    assert answer.content == SCRIPT
    assert answer["Content-Type"] == "application/javascript"
    assert answer["Cache-Control"] == "public, max-age=86400"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_the_served_file_is_built_from_the_source() -> None:
    # There are wheels of the minifier for Linux only.
    tracker_build = pytest.importorskip("analytics.tests.tracker_build")

    assert SCRIPT.decode() == tracker_build.build(), "run python -m analytics.tests.tracker_build"


def test_it_has_at_most_1000_bytes_gzipped_and_only_ascii() -> None:
    assert len(PACKED) <= 1000
    # Without a charset a script is read in the encoding of the page.
    assert SCRIPT.isascii()


def test_head_has_the_same_headers_and_no_body(client: Client) -> None:
    answer = client.head("/js/tracker.js")

    assert answer.content == b""
    assert answer.headers == client.get("/js/tracker.js").headers


def test_both_spellings_answer_alike(client: Client) -> None:
    assert client.get("/js/tracker.js/").content == client.get("/js/tracker.js").content


def test_other_methods_are_refused(client: Client) -> None:
    answer = client.post("/js/tracker.js")

    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD"
    assert answer.json() == {
        "status": "error",
        "error": {"code": "INVALID_PAYLOAD", "message": "There is no POST at this address."},
    }


def test_the_content_depends_on_neither_host_nor_query_nor_cookies(client: Client) -> None:
    plain = client.get("/js/tracker.js")
    client.cookies["session"] = "something"
    other = client.get(
        "/js/tracker.js?host=evil.example&v=2", headers={"host": "localhost", "origin": "https://x.example"}
    )

    assert other.content == plain.content
    assert other.headers == plain.headers


@pytest.mark.parametrize("accept", ["*/*", "text/javascript", "image/avif", ""])
def test_it_is_a_script_whatever_the_browser_accepts(client: Client, accept: str) -> None:
    answer = client.get("/js/tracker.js", headers={"accept": accept})

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/javascript")


def test_it_stands_in_the_openapi_document(client: Client) -> None:
    document = json.loads(client.get("/api/schema", headers={"accept": "application/json"}).content)

    assert list(document["paths"]["/js/tracker.js"]["get"]["responses"]["200"]["content"]) == ["application/javascript"]


def test_it_sets_no_cookie_and_does_not_vary_on_one(client: Client) -> None:
    answer = client.get("/js/tracker.js")

    assert not answer.cookies
    assert answer["Vary"] == "Accept-Encoding"


def test_it_is_packed_for_whom_takes_it(client: Client) -> None:
    answer = client.get("/js/tracker.js", headers={"accept-encoding": "deflate, GZIP ;q=0.8, br"})

    assert answer["Content-Encoding"] == "gzip"
    assert answer["Content-Length"] == str(len(PACKED))
    assert gzip.decompress(answer.content) == SCRIPT


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip; q=0.000, br", "notgzip", "*"])
def test_it_is_not_packed_for_whom_does_not(client: Client, accepted: str) -> None:
    answer = client.get("/js/tracker.js", headers={"accept-encoding": accepted})

    assert "Content-Encoding" not in answer
    assert answer.content == SCRIPT


@pytest.mark.parametrize("accepted", ["", "gzip"])
def test_who_has_it_is_not_sent_it_again(client: Client, accepted: str) -> None:
    first = client.get("/js/tracker.js", headers={"accept-encoding": accepted})
    again = client.get("/js/tracker.js", headers={"accept-encoding": accepted, "if-none-match": first["ETag"]})

    assert again.status_code == 304
    for name in ("ETag", "Cache-Control", "Vary", "Cross-Origin-Resource-Policy"):
        assert again[name] == first[name]


def test_packed_and_plain_are_told_apart(client: Client) -> None:
    plain = client.get("/js/tracker.js")
    again = client.get("/js/tracker.js", headers={"accept-encoding": "gzip", "if-none-match": plain["ETag"]})

    assert again.status_code == 200


# -- in a browser -----------------------------------------------------------------------------------------------------

LONG = '<main style="height: 5000px">long</main>'
LINKS = """
<a id="inside" href="/about">inside</a> <a id="outside" href="http://elsewhere.example/x?y=1#z">out <b>side</b></a>
<a id="nowhere">no address</a> <a id="mail" href="mailto:team@acme.example">mail</a>
"""


def snippet(web: Web, *options: str, host: str = "stats.example", prefix: str = "", query: str = "") -> str:
    """The script tag of the documentation; the tracker it names is what the server serves."""
    web.pages[f"{prefix}/js/tracker.js"] = SCRIPT
    address = web.url(host, f"{prefix}/js/tracker.js{query}")
    return f'<script defer {" ".join(options or [data_id()])} src="{address}"></script>'


def data_id() -> str:
    return f'data-id="{WEBSITE}"'


def page_of(*parts: str, head: str = "", doctype: str = "<!doctype html>") -> str:
    return f"{doctype}<html><head><title>Acme</title>{head}</head><body>{''.join(parts)}</body></html>"


def sent(chromium: Chromium, story: Callable[[Page], object], **options: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """What trackers sent while the story was played, in the order in which they sent it."""

    def play(page: Page) -> list[dict[str, Any]]:
        requests = []
        page.context.on("request", lambda request: requests.append(request))
        story(page)
        # The answer comes after every request that was begun before.
        page.evaluate("0")
        return [json.loads(r.post_data or "") for r in requests if r.url.endswith("/api/v1/collect")]

    return chromium.browse(play, **options)


def kinds(events: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Type and path of each event."""
    return [(event["event_type"], event["path"]) for event in events]


def scroll_to(page: Page, top: str) -> None:
    """Scrolls, and returns when the page has heard of it."""
    page.evaluate(
        "top => new Promise(done => {"
        "  scrollTo({top: eval(top), behavior: 'instant'});"
        "  requestAnimationFrame(() => requestAnimationFrame(done));"
        "})",
        top,
    )


def stay(page: Page) -> None:
    """From now on clicks lead nowhere."""
    page.evaluate("addEventListener('click', event => event.preventDefault())")


WAY = "(document.documentElement.scrollHeight - innerHeight)"


def test_a_page_view_has_the_fields_of_the_contract(chromium: Chromium, web: Web) -> None:
    web.pages["/shop"] = page_of(snippet(web))

    events = sent(
        chromium,
        lambda page: page.goto(
            web.url("acme.example", "/shop?utm_source=mail&q=1#top"), referer="http://globex.example/a"
        ),
        viewport={"width": 1111, "height": 666},
    )

    assert events == [
        {
            "website_id": WEBSITE,
            "event_type": "page_view",
            "url": web.url("acme.example", "/shop?utm_source=mail&q=1"),
            "path": "/shop",
            "referrer": "http://globex.example/a",
            "screen_width": 1111,
            "screen_height": 666,
        }
    ]


def test_it_is_sent_to_the_server_of_the_script_without_a_preflight(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of(snippet(web))

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        web.wait_until(lambda: len(web.collected()) == 1)

    chromium.browse(read)

    first, *_ = [r for r in web.requests if r.method != "GET"]
    assert (first.method, first.host, first.path) == ("POST", "stats.example", "/api/v1/collect")
    assert first.headers["content-type"] == "text/plain;charset=UTF-8"
    assert first.headers["origin"] == web.url("acme.example", "")


@pytest.mark.parametrize(
    ("prefix", "query", "endpoint"),
    [
        ("", "?v=1/2/3", "/api/v1/collect"),
        ("/stats", "", "/stats/api/v1/collect"),
        ("/a/b", "?v=1", "/a/b/api/v1/collect"),
    ],
)
def test_the_endpoint_stands_beside_the_script(
    chromium: Chromium, web: Web, prefix: str, query: str, endpoint: str
) -> None:
    web.pages["/"] = page_of(snippet(web, prefix=prefix, query=query))

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        web.wait_until(lambda: len(web.collected()) == 1)

    chromium.browse(read)

    assert {r.path for r in web.requests if r.method == "POST"} == {endpoint}


def test_a_script_that_comes_late_counts_the_page_at_once(chromium: Chromium, web: Web) -> None:
    snippet(web)
    web.pages["/"] = page_of("no snippet")

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        page.evaluate(
            "([src, id]) => new Promise(done => {"
            "  const script = document.createElement('script');"
            "  Object.assign(script, {src, onload: done});"
            "  script.dataset.id = id;"
            "  document.head.append(script);"
            "})",
            [web.url("stats.example", "/js/tracker.js"), WEBSITE],
        )

    assert kinds(sent(chromium, read)) == [("page_view", "/")]


@pytest.mark.parametrize(
    ("path", "meanwhile"), [("/", ""), ("/moved", "<script>history.replaceState({}, '', '/moved')</script>")]
)
def test_a_page_that_is_still_loading_is_counted_when_it_is_ready(
    chromium: Chromium, web: Web, path: str, meanwhile: str
) -> None:
    # Not deferred: the script runs while the rest of the page is still to come. An image comes last of all.
    script = snippet(web).replace("defer ", "")
    web.pages["/"] = page_of(script, meanwhile, '<img src="/wait-for/seen" alt="">')

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"), wait_until="domcontentloaded")
        web.wait_until(lambda: len(web.collected()) == 1)
        assert page.evaluate("document.readyState") == "interactive"
        page.evaluate("fetch('/seen')")

    assert kinds(sent(chromium, read)) == [("page_view", path)]


@pytest.mark.parametrize(
    ("event", "script"), [("custom", "tinytrail.track('early')"), ("outbound_link", "outside.click()")]
)
def test_what_happens_before_the_page_is_ready_comes_after_its_page_view(
    chromium: Chromium, web: Web, event: str, script: str
) -> None:
    stay = "<script>addEventListener('click', event => event.preventDefault())</script>"
    web.pages["/"] = page_of(snippet(web).replace("defer ", ""), stay, LINKS, f"<script>{script}</script>")

    assert kinds(sent(chromium, lambda page: page.goto(web.url("acme.example")))) == [("page_view", "/"), (event, "/")]


def test_a_page_with_the_snippet_twice_is_counted_once(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of(snippet(web), snippet(web))

    assert kinds(sent(chromium, lambda page: page.goto(web.url("acme.example")))) == [("page_view", "/")]


def test_an_element_of_the_same_name_is_not_the_snippet(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of('<p id="tinytrail">a trail</p>', snippet(web))

    assert kinds(sent(chromium, lambda page: page.goto(web.url("acme.example")))) == [("page_view", "/")]


# Custom events


def test_a_custom_event_has_its_name_and_its_properties(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of(snippet(web))

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        page.evaluate("tinytrail.track('signup', {plan: 'pro', seats: 3, event_name: 'other'})")
        page.evaluate("analytics.track('plain')")

    view, signup, plain = sent(chromium, read)

    assert signup == {
        **view,
        "event_type": "custom",
        "properties": {"plan": "pro", "seats": 3, "event_name": "signup"},
    }
    assert plain == {**view, "event_type": "custom", "properties": {"event_name": "plain"}}


def test_somebody_elses_analytics_is_left_alone(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of("<script>window.analytics = {theirs: true}</script>", snippet(web))

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        assert page.evaluate("window.analytics") == {"theirs": True}
        page.evaluate("tinytrail.track('ours')")

    assert kinds(sent(chromium, read)) == [("page_view", "/"), ("custom", "/")]


def test_properties_that_are_no_json_break_nothing(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of(snippet(web))

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        page.evaluate("tinytrail.track('circular', {window})")
        page.evaluate("tinytrail.track('big', {n: 10n})")
        page.evaluate("tinytrail.track('none', null)")
        page.evaluate("tinytrail.track()")

    assert [event.get("properties") for event in sent(chromium, read)] == [None, {"event_name": "none"}, {}]


# Scrolling


def test_each_quarter_of_the_way_is_sent_once(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of(snippet(web), LONG)

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        for share in (0.2, 0.25, 0.3, 0.1, 0.3, 0.55, 0.74, 0.75, 1, 0, 1):
            page.evaluate("share => tinytrail.track(String(share))", share)
            scroll_to(page, f"Math.ceil({share} * {WAY})")

    events = [e["properties"]["event_name"] if "properties" in e else e["event_type"] for e in sent(chromium, read)]
    assert events == [
        "page_view",
        "0.2",
        "0.25",
        "scroll_25",
        "0.3",
        "0.1",
        "0.3",
        "0.55",
        "scroll_50",
        "0.74",
        "0.75",
        "scroll_75",
        "1",
        "0",
        "1",
    ]


def test_one_leap_to_the_end_passes_every_mark(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of(snippet(web), LONG)

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        scroll_to(page, WAY)

    assert [e["event_type"] for e in sent(chromium, read)] == ["page_view", "scroll_25", "scroll_50", "scroll_75"]


def test_a_page_that_fits_the_window_has_no_marks(chromium: Chromium, web: Web) -> None:
    # It can be scrolled sideways, and has a box of its own that scrolls.
    wide = (
        '<p style="width: 3000px">wide</p><div id="box" style="height: 50px; overflow: auto"><p style="height: 900px">'
    )
    web.pages["/"] = page_of(snippet(web), wide)

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        page.evaluate("box.scrollTo(0, 800)")
        page.evaluate("scrollTo(500, 0)")
        scroll_to(page, "0")
        assert page.evaluate("scrollX") == 500

    assert kinds(sent(chromium, read)) == [("page_view", "/")]


def test_pages_without_a_doctype_have_marks_too(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of(snippet(web), LONG, doctype="")

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        scroll_to(page, "2200")

    assert [e["event_type"] for e in sent(chromium, read)] == ["page_view", "scroll_25", "scroll_50"]


# Outbound links


@pytest.mark.parametrize("click", [{}, {"modifiers": ["Control"]}, {"modifiers": ["Shift"]}, {"button": "middle"}])
def test_a_click_on_a_link_to_another_host_is_sent(chromium: Chromium, web: Web, click: dict[str, Any]) -> None:
    web.pages["/"] = page_of(snippet(web), LINKS)

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        stay(page)
        page.click("#outside b", **click)

    events = sent(chromium, read)

    assert kinds(events) == [("page_view", "/"), ("outbound_link", "/")]
    assert events[1]["properties"] == {"href": "http://elsewhere.example/x?y=1#z"}


def test_so_is_one_by_keyboard(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of(snippet(web), LINKS)

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        stay(page)
        page.focus("#outside")
        page.keyboard.press("Enter")

    assert kinds(sent(chromium, read)) == [("page_view", "/"), ("outbound_link", "/")]


def test_a_reader_who_follows_it_is_gone_only_after_it_is_sent(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of(snippet(web), LINKS)

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        page.click("#outside")
        web.wait_until(lambda: len(web.collected()) == 3)

    chromium.browse(read)

    assert sorted(kinds(web.collected())) == [("close_tab", "/"), ("outbound_link", "/"), ("page_view", "/")]


def test_links_in_components_and_image_maps_count_too(chromium: Chromium, web: Web) -> None:
    component = """<my-link></my-link><script>
      customElements.define("my-link", class extends HTMLElement {
        connectedCallback() {
          this.attachShadow({mode: "open"}).innerHTML = '<a href="http://elsewhere.example/in">deep</a>';
        }
      });
    </script><map name="m"><area shape="rect" coords="0,0,50,50" href="//elsewhere.example/map"></map>
    <img usemap="#m" width="50" height="50" alt="">"""
    web.pages["/"] = page_of(snippet(web), component)

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        stay(page)
        page.click("my-link a")
        page.evaluate("document.querySelector('area').click()")

    hrefs = [event["properties"]["href"] for event in sent(chromium, read)[1:]]
    assert hrefs == ["http://elsewhere.example/in", "http://elsewhere.example/map"]


@pytest.mark.parametrize(
    ("link", "click"), [("inside", {}), ("nowhere", {}), ("mail", {}), ("outside", {"button": "right"})]
)
def test_other_clicks_are_not_sent(chromium: Chromium, web: Web, link: str, click: dict[str, Any]) -> None:
    web.pages["/"] = page_of(snippet(web), LINKS)

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        stay(page)
        page.click(f"#{link}", **click)

    assert kinds(sent(chromium, read)) == [("page_view", "/")]


# Leaving


def test_leaving_a_page_closes_it_once(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of(snippet(web), LINKS)
    web.pages["/about"] = page_of("no snippet")

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        page.click("#inside")
        page.wait_for_url("**/about")
        web.wait_until(lambda: len(web.collected()) == 2)

    chromium.browse(read)

    assert kinds(web.collected()) == [("page_view", "/"), ("close_tab", "/")]


def test_hiding_a_page_closes_it_once(web: Web) -> None:
    # The page is hidden behind a second tab, seen again when that closes, hidden again, and says how much it sent.
    web.pages["/"] = page_of(
        snippet(web),
        """<script>
        let covers = 2, sent = 0;
        const send = navigator.sendBeacon;
        navigator.sendBeacon = (...parts) => { sent++; return send.apply(navigator, parts); };
        document.addEventListener("visibilitychange", () => {
          if (!document.hidden) covers-- > 1 ? open("/cover") : fetch(`/sent/${sent}`);
        });
        addEventListener("load", () => open("/cover"));
        </script>""",
    )
    web.pages["/cover"] = page_of("<script>setTimeout(close)</script>")

    with unwatched(web.url("acme.example")):
        web.wait_until(lambda: web.asked_for("/sent/2") and len(web.collected()) == 2)

    assert sorted(kinds(web.collected())) == [("close_tab", "/"), ("page_view", "/")]


# Single-page applications


def test_a_new_path_is_a_page_view_that_comes_from_the_page_before(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of(snippet(web))

    def read(page: Page) -> None:
        page.goto(web.url("acme.example", "/?q=1"), referer="http://globex.example/")
        page.evaluate("history.pushState({}, '', '/second?q=2')")
        page.evaluate("history.replaceState({}, '', '/third')")

    events = sent(chromium, read)

    assert kinds(events) == [("page_view", "/"), ("page_view", "/second"), ("page_view", "/third")]
    assert [e["url"] for e in events] == [web.url("acme.example", p) for p in ("/?q=1", "/second?q=2", "/third")]
    assert [event["referrer"] for event in events] == [
        "http://globex.example/",
        web.url("acme.example", "/?q=1"),
        web.url("acme.example", "/second?q=2"),
    ]


def test_back_and_forward_are_page_views(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of(snippet(web))

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        page.evaluate("history.pushState({}, '', '/second')")
        page.go_back()
        page.go_forward()

    assert kinds(sent(chromium, read)) == [("page_view", path) for path in ("/", "/second", "/", "/second")]


@pytest.mark.parametrize("method", ["pushState", "replaceState"])
def test_a_state_without_a_new_path_is_none(chromium: Chromium, web: Web, method: str) -> None:
    web.pages["/"] = page_of(snippet(web))

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        page.evaluate(f"history.{method}({{menu: 'open'}}, '')")
        page.evaluate(f"history.{method}({{}}, '', '?sort=price')")
        page.evaluate(f"history.{method}({{}}, '', '#part')")
        assert page.evaluate("location.href") == web.url("acme.example", "/?sort=price#part")
        assert page.evaluate("history.state") == {}

    assert kinds(sent(chromium, read)) == [("page_view", "/")]


def test_every_page_view_has_its_own_marks_and_its_own_end(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of(snippet(web), LONG)
    web.pages["/away"] = page_of("no snippet")

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        scroll_to(page, f"0.3 * {WAY}")
        page.evaluate("dispatchEvent(new Event('pagehide'))")
        page.evaluate("history.pushState({}, '', '/second')")
        scroll_to(page, "0")
        scroll_to(page, f"0.6 * {WAY}")
        web.wait_until(lambda: len(web.collected()) == 6)
        page.goto(web.url("acme.example", "/away"))
        web.wait_until(lambda: len(web.collected()) == 7)

    chromium.browse(read)

    assert sorted(kinds(web.collected())) == [
        ("close_tab", "/"),
        ("close_tab", "/second"),
        ("page_view", "/"),
        ("page_view", "/second"),
        ("scroll_25", "/"),
        ("scroll_25", "/second"),
        ("scroll_50", "/second"),
    ]


@pytest.mark.parametrize(
    ("options", "paths"), [([], ["/"]), (["data-hash"], ["/", "/#/second", "/#/third", "/#/second", "/#/third"])]
)
def test_fragments_are_pages_only_with_data_hash(
    chromium: Chromium, web: Web, options: list[str], paths: list[str]
) -> None:
    web.pages["/"] = page_of(snippet(web, data_id(), *options), '<a id="go" href="#/third?token=1">go</a>')

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        page.evaluate("location.hash = '/second?secret=1'")
        page.click("#go")
        page.evaluate("new Promise(done => { addEventListener('popstate', done); history.back() })")
        page.evaluate("new Promise(done => { addEventListener('popstate', done); history.forward() })")

    events = sent(chromium, read)

    assert kinds(events) == [("page_view", path) for path in paths]
    assert {event["url"] for event in events} == {web.url("acme.example")}


# Prerendered and restored pages


def test_a_prerendered_page_is_counted_once_and_only_when_it_is_shown(web: Web) -> None:
    # The first page waits until the second has run hidden, and then goes there.
    web.pages["/"] = page_of(
        '<script type="speculationrules">{"prerender": [{"urls": ["/next"], "eagerness": "immediate"}]}</script>'
        '<script>fetch("/wait-for/hidden").then(() => { location = "/next" })</script>'
    )
    web.pages["/next"] = page_of(
        snippet(web),
        """<script>
        addEventListener("load", () => {
          tinytrail.track("hidden");
          if (document.prerendering) fetch("/hidden");
        });
        document.addEventListener("prerenderingchange", () => fetch("/shown"));
        </script>""",
    )

    with unwatched(web.url("acme.example")):
        web.wait_until(lambda: len(web.collected()) == 2)

    assert sorted(kinds(web.collected())) == [("custom", "/next"), ("page_view", "/next")]
    steps = [r.path for r in web.requests if r.path in ("/hidden", "/shown", "/api/v1/collect")]
    assert steps[0] == "/hidden"
    assert sorted(steps[1:]) == ["/api/v1/collect", "/api/v1/collect", "/shown"]


def test_a_prerendered_page_that_is_never_shown_is_not_counted(web: Web) -> None:
    web.pages["/"] = page_of(
        '<script type="speculationrules">{"prerender": [{"urls": ["/next"], "eagerness": "immediate"}]}</script>'
        '<script>fetch("/wait-for/hidden").then(() => { location = "/other" })</script>'
    )
    web.pages["/next"] = page_of(snippet(web), "<script>addEventListener('load', () => fetch('/hidden'))</script>")
    web.pages["/other"] = page_of(snippet(web))

    with unwatched(web.url("acme.example")):
        web.wait_until(lambda: len(web.collected()) >= 1)

    assert kinds(web.collected()) == [("page_view", "/other")]


def test_a_page_restored_from_the_cache_is_viewed_anew_and_once(web: Web) -> None:
    # To the second page, back to the first as it was left, and to a third.
    web.pages["/"] = page_of(
        snippet(web),
        """<script>
        addEventListener("pageshow", event => {
          setTimeout(() => { location = event.persisted ? "/third" : "/second" });
        });
        </script>""",
    )
    web.pages["/second"] = page_of("<script>addEventListener('load', () => setTimeout(() => history.back()))</script>")
    web.pages["/third"] = page_of("no snippet")

    with unwatched(web.url("acme.example")):
        web.wait_until(lambda: web.asked_for("/third") and len(web.collected()) == 4)

    once = web.url("acme.example")
    assert sorted((event["event_type"], event["referrer"]) for event in web.collected()) == [
        ("close_tab", ""),
        ("close_tab", once),
        ("page_view", ""),
        ("page_view", once),
    ]


# Counting nothing


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "acme.localhost", "[::1]"])
def test_ones_own_machine_is_not_counted_and_the_console_says_why(chromium: Chromium, web: Web, host: str) -> None:
    web.pages["/"] = page_of(snippet(web))

    events, said = overheard(chromium, lambda page: page.goto(web.url(host)))

    assert events == []
    assert said == ["TinyTrail is off: localhost, no data-local"]


def test_it_is_counted_with_data_local(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of(snippet(web, data_id(), "data-local"))

    events, said = overheard(chromium, lambda page: page.goto(web.url("localhost")))

    assert kinds(events) == [("page_view", "/")]
    assert said == []


@pytest.mark.parametrize("host", ["localhost.example", "mylocalhost", "127.acme.example"])
def test_hosts_that_only_look_like_it_are_counted(chromium: Chromium, web: Web, host: str) -> None:
    web.pages["/"] = page_of(snippet(web))

    assert kinds(sent(chromium, lambda page: page.goto(web.url(host)))) == [("page_view", "/")]


def test_a_page_from_a_file_is_not_counted(chromium: Chromium, web: Web, tmp_path: Any) -> None:  # noqa: ANN401
    file = tmp_path / "page.html"
    file.write_text(page_of(snippet(web)))

    events, said = overheard(chromium, lambda page: page.goto(file.as_uri()))

    assert events == []
    assert said == ["TinyTrail is off: localhost, no data-local"]


@pytest.mark.parametrize("options", [["data-x"], ['data-id=""'], ['type="module"', data_id()]])
def test_without_an_id_nothing_is_counted_and_the_console_says_so(
    chromium: Chromium, web: Web, options: list[str]
) -> None:
    # A module cannot see its own tag.
    web.pages["/"] = page_of(snippet(web, *options), LONG)

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        page.evaluate("tinytrail.track('signup')")
        scroll_to(page, WAY)

    events, said = overheard(chromium, read)

    assert events == []
    assert said == ["TinyTrail is off: no data-id"]


def test_a_page_can_opt_its_reader_out_and_in_again(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of("<script>tinytrailOff = true</script>", snippet(web))

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        page.evaluate("tinytrail.track('unheard')")
        page.evaluate("tinytrailOff = false")
        page.evaluate("tinytrail.track('heard')")

    assert [event["properties"] for event in sent(chromium, read)] == [{"event_name": "heard"}]


# Other browsers


@pytest.mark.parametrize("beacon", ["undefined", "() => false"])
def test_fetch_stands_in_for_the_beacon(chromium: Chromium, web: Web, beacon: str) -> None:
    spy = "const real = fetch; fetch = (url, options) => { kept = options.keepalive; return real(url, options); }"
    web.pages["/"] = page_of(f"<script>navigator.sendBeacon = {beacon}; {spy}</script>", snippet(web))

    def read(page: Page) -> None:
        page.goto(web.url("acme.example"))
        web.wait_until(lambda: len(web.collected()) == 1)
        # Else what is sent while the page is left would be lost with it.
        assert page.evaluate("kept") is True

    chromium.browse(read)

    first, *_ = [r for r in web.requests if r.method != "GET"]
    assert (first.method, first.path) == ("POST", "/api/v1/collect")
    assert first.headers["content-type"] == "text/plain;charset=UTF-8"
    assert kinds(web.collected())[0] == ("page_view", "/")


def test_a_page_without_either_breaks_nothing(chromium: Chromium, web: Web) -> None:
    missing = "<script>navigator.sendBeacon = fetch = URL = Event.prototype.composedPath = undefined</script>"
    web.pages["/"] = page_of(missing, snippet(web), LINKS, LONG)
    errors: list[object] = []

    def read(page: Page) -> None:
        page.on("pageerror", lambda error: errors.append(error))
        page.goto(web.url("acme.example"))
        page.click("#nowhere")
        page.evaluate("tinytrail.track('signup')")
        scroll_to(page, WAY)

    assert sent(chromium, read) == []
    assert errors == []


def test_a_server_that_is_away_breaks_nothing(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of("<script>navigator.sendBeacon = undefined</script>", snippet(web))
    errors: list[object] = []

    def read(page: Page) -> None:
        page.on("pageerror", lambda error: errors.append(error))
        page.context.route("**/collect", lambda route: route.abort())
        with page.expect_event("requestfailed"):
            page.goto(web.url("acme.example"))

    assert kinds(sent(chromium, read)) == [("page_view", "/")]
    assert errors == []


def test_it_works_under_a_strict_policy_that_names_the_server(chromium: Chromium, web: Web) -> None:
    server = web.url("stats.example", "")
    policy = f"default-src 'none'; script-src {server}; connect-src {server}; require-trusted-types-for 'script'"
    web.pages["/"] = page_of(snippet(web), head=f'<meta http-equiv="Content-Security-Policy" content="{policy}">')

    events, said = overheard(chromium, lambda page: page.goto(web.url("acme.example")))

    assert kinds(events) == [("page_view", "/")]
    assert said == []


# Privacy

SPIES = """
window.touched = [];
const spy = (object, name, label) => {
  const found = Object.getOwnPropertyDescriptor(object, name);
  const wrapped = {...found};
  for (const kind of ["get", "set", "value"]) {
    if (typeof found[kind] != "function") continue;
    wrapped[kind] = function (...args) { touched.push(label || name); return found[kind].apply(this, args); };
  }
  Object.defineProperty(object, name, wrapped);
};
spy(Document.prototype, "cookie");
for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches", "name", "screen", "devicePixelRatio"]) {
  if (Object.getOwnPropertyDescriptor(window, name)) spy(window, name);
}
for (const name of ["getItem", "setItem", "removeItem", "key"]) spy(Storage.prototype, name);
for (const name of ["getContext", "toDataURL", "toBlob"]) spy(HTMLCanvasElement.prototype, name);
for (const name of ["userAgent", "language", "languages", "platform", "hardwareConcurrency", "plugins", "mimeTypes"]) {
  spy(Navigator.prototype, name);
}
spy(Document.prototype, "fonts");
for (const api of ["AudioContext", "OfflineAudioContext", "RTCPeerConnection", "SharedWorker", "Worker"]) {
  window[api] = new Proxy(window[api], {construct: () => { touched.push(api); return {}; }});
}
"""


def test_nothing_is_stored_and_nothing_identifies(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of(snippet(web), LINKS, LONG)

    def read(page: Page) -> tuple[list[str], list[str], list[dict[str, Any]]]:
        page.add_init_script(SPIES)
        page.goto(web.url("acme.example"))
        live_through(page)
        touched = page.evaluate("touched")
        # The spies do see.
        page.evaluate("document.cookie; localStorage.length; document.createElement('canvas').getContext('2d')")
        return touched, page.evaluate("touched"), page.context.cookies()

    touched, seen, cookies = chromium.browse(read)

    assert touched == []
    assert seen == ["cookie", "localStorage", "getContext"]
    assert cookies == []


def test_no_third_host_is_asked_for_anything(chromium: Chromium, web: Web) -> None:
    web.pages["/"] = page_of(snippet(web), LINKS, LONG)
    hosts: set[str] = set()

    def read(page: Page) -> None:
        page.context.on("request", lambda request: hosts.add(request.url))
        page.goto(web.url("acme.example"))
        live_through(page)

    chromium.browse(read)

    assert hosts == {
        web.url("acme.example"),
        web.url("stats.example", "/js/tracker.js"),
        web.url("stats.example", "/api/v1/collect"),
    }


def live_through(page: Page) -> None:
    """Everything that makes an event."""
    stay(page)
    scroll_to(page, WAY)
    page.click("#outside")
    page.evaluate("tinytrail.track('signup', {plan: 'pro'})")
    page.evaluate("history.pushState({}, '', '/second')")
    page.evaluate("dispatchEvent(new Event('pagehide'))")


def overheard(chromium: Chromium, story: Callable[[Page], object]) -> tuple[list[dict[str, Any]], list[str]]:
    """What trackers sent during a story, and what the console said. A missing favicon is not news."""
    said: list[str] = []

    def listen(page: Page) -> None:
        page.on("console", lambda message: said.append(message.text))
        story(page)

    events = sent(chromium, listen)
    return events, [text for text in said if "Failed to load resource" not in text]
