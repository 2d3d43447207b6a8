"""A real browser for tests, and a small web for it to read.

`chromium` is one Chromium for the whole session. Playwright's synchronous interface keeps an event loop running in the
thread that uses it, where Django then refuses its ORM and `asyncio.run` fails for every later test. So it lives in a
thread of its own: a test hands it a story, a function of a page, and asserts in its own thread on what came of it.
"""

import json
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

T = TypeVar("T")

EXECUTABLE = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A headless browser names itself, and is then taken for a bot. Playwright's own option for it does not reach what a
    # page sends while it is left.
    f"--user-agent={USER_AGENT}",
]
# Every name is this machine: pages can have names that are not localhost, and nothing leaves.
EVERY_NAME = "MAP * 127.0.0.1"
# Of a machine with other things to do; a test that succeeds never waits that long.
PATIENCE_SECONDS = 30


class Chromium:
    """Plays stories, each in a fresh context without cookies, storage and cache."""

    def __init__(self, names: str = EVERY_NAME) -> None:
        """`names` says which machine and port a name is, as Chromium's host-resolver-rules."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="chromium")
        self._playwright: Playwright = self._thread.submit(sync_playwright().start).result()
        self._browser: Browser = self._thread.submit(
            self._playwright.chromium.launch,
            executable_path=EXECUTABLE,
            args=[*ARGUMENTS, f"--host-resolver-rules={names}"],
        ).result()

    def browse(
        self,
        story: Callable[[Page], T],
        until: Callable[[], object] = lambda: None,
        **options: Any,  # noqa: ANN401 (Playwright's own options)
    ) -> T:
        """What `story` returns. Options are those of Playwright's `new_context`.

        The page stays open while `until` waits, in the test's own thread: what a page sends while it is left is lost
        when its context is closed too soon.
        """
        context = self._thread.submit(self._browser.new_context, **options).result()
        try:
            told = self._thread.submit(self._play, story, context).result()
            until()
            return told
        finally:
            self._thread.submit(context.close).result()

    def _play(self, story: Callable[[Page], T], context: BrowserContext) -> T:
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        return story(context.new_page())

    def close(self) -> None:
        self._thread.submit(self._browser.close).result()
        self._thread.submit(self._playwright.stop).result()
        self._thread.shutdown()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    needs_chromium()
    browser = Chromium()
    yield browser
    browser.close()


def needs_chromium() -> None:
    if not EXECUTABLE:
        pytest.skip("There is no Chromium on this machine: install one, for example with `apt install chromium`.")


@contextmanager
def unwatched(address: str) -> Iterator[None]:
    """Chromium at an address with nobody driving it: watched pages are never prerendered, hidden or kept for later."""
    needs_chromium()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [
                EXECUTABLE or "",
                *ARGUMENTS,
                f"--host-resolver-rules={EVERY_NAME}",
                "--disable-popup-blocking",
                f"--user-data-dir={profile}",
                address,
            ],
            stderr=subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


@dataclass(frozen=True)
class Request:
    method: str
    host: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Web:
    """All the hosts of a test on one port: serves `pages` by path, takes what trackers send, remembers requests."""

    pages: dict[str, str | bytes] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (WebHandler,), {"web": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True)
        self._thread.start()

    def url(self, host: str, path: str = "/") -> str:
        return f"http://{host}:{self._server.server_port}{path}"

    def collected(self) -> list[dict[str, Any]]:
        """The bodies that trackers sent, in the order of their arrival."""
        return [json.loads(r.body) for r in self.requests if r.method == "POST" and r.path.endswith("/api/v1/collect")]

    def remember(self, request: Request) -> None:
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Waits for a condition on what has arrived."""
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_SECONDS), [(r.method, r.path) for r in self.requests]

    def asked_for(self, path: str) -> bool:
        return any(request.path == path for request in self.requests)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class WebHandler(BaseHTTPRequestHandler):
    web: Web
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.remember(b"")
        path = self.path.partition("?")[0]
        # A page may wait for another: /wait-for/<path> answers when that path has been asked for.
        if path.startswith("/wait-for/"):
            self.web.wait_until(lambda: self.web.asked_for(path.removeprefix("/wait-for")))
        page = self.web.pages.get(path)
        if page is None:
            return self.answer(404, "text/plain", b"")
        body = page.encode() if isinstance(page, str) else page
        self.answer(200, "text/javascript" if path.endswith(".js") else "text/html; charset=utf-8", body)

    def do_POST(self) -> None:
        self.remember(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        self.answer(202, "application/json", b'{"status":"accepted"}')

    def do_OPTIONS(self) -> None:
        self.remember(b"")
        self.answer(204, "text/plain", b"")

    def remember(self, body: bytes) -> None:
        host = re.sub(r":\d+$", "", self.headers.get("Host", ""))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.web.remember(Request(self.command, host, self.path, headers, body))

    def answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin", "*"))
        self.send_header("Access-Control-Allow-Credentials", "true")
        try:
            self.end_headers()
            self.wfile.write(body)
        except ConnectionError:
            # The browser is gone, as it may be after its last word.
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    yield web
    web.close()
