"""The tracker served by one's own site, as docs/tracker.md says: its lines for nginx, in a real nginx."""

import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from analytics.models import Event
from analytics.tests.browser import PATIENCE_SECONDS, USER_AGENT
from analytics.tests.builders import a_body, make_website
from analytics.tests.servers import ASGI, served
from tinytrail.chaos.installation import free_port
from tinytrail.tests.engines import ROOT

pytestmark = pytest.mark.django_db(transaction=True)

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/bin")


@contextmanager
def nginx(lines: str, folder: Path) -> Iterator[str]:
    """The address of a site with these lines."""
    if not NGINX:
        pytest.skip("There is no nginx on this machine: install one, for example with `apt install nginx-light`.")
    port = free_port()
    paths = "".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy"))
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}"
        f"http {{ access_log off; {paths} server {{ listen 127.0.0.1:{port}; {lines} }} }}"
    )
    # Its own folders are made by the user that starts it.
    process = subprocess.Popen([NGINX, "-p", str(folder), "-e", f"{folder}/start.log", "-c", f"{folder}/nginx.conf"])
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(address, process, folder)
        yield address
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def wait_for(address: str, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    patience = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{address}/trail/js/t.js", timeout=5).close()
            return
        except OSError:
            assert process.poll() is None, (folder / "start.log").read_text()
            assert time.monotonic() < patience
            time.sleep(0.02)


def test_ones_own_site_passes_on_the_tracker_and_what_it_sends(tmp_path: Path) -> None:
    (lines,) = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs/tracker.md").read_text(), re.DOTALL)
    website = make_website()
    with served(*ASGI, TINYTRAIL_TRUSTED_PROXIES="127.0.0.1", TINYTRAIL_ALLOWED_HOSTS="127.0.0.1") as port:
        server = f"http://127.0.0.1:{port}"
        with nginx(lines.replace("https://stats.example.com", server), tmp_path) as site:
            script = urllib.request.urlopen(f"{site}/trail/js/t.js").read()
            assert script == urllib.request.urlopen(f"{server}/js/tracker.js").read()
            statuses = [sent(site, website, forged) for forged in range(11)]
    # Ten page views of one path a minute: an address that the reader forges is not theirs, nor is the proxy's.
    assert statuses == [202] * 10 + [429]
    assert Event.objects.count() == 10


def sent(site: str, website: object, number: int) -> int:
    body = json.dumps(a_body(website)).encode()
    headers = {"User-Agent": USER_AGENT, "X-Forwarded-For": f"192.0.2.{number}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{site}/trail/api/v1/collect", body, headers)
    try:
        return int(urllib.request.urlopen(request).status)
    except urllib.error.HTTPError as refused:
        return refused.code
