"""The code of docs/openpanel.md works when pasted, and so do the four commands of the vendor's own document."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from analytics.ingest.grants import grants
from analytics.models import Event, Profile
from analytics.tests.browser import Chromium, Web
from analytics.tests.builders import make_website
from analytics.tests.panel import Panel
from analytics.tests.published import NODE, npm_clients  # noqa: F401
from analytics.tests.servers import ASGI, served

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = (Path(settings.BASE_DIR) / "docs" / "openpanel.md").read_text("utf-8")
# As document 004 has it.
SEED = """curl -X POST https://api.openpanel.dev/track \\
-H "Content-Type: application/json" \\
-H "openpanel-client-id: YOUR_CLIENT_ID" \\
-H "openpanel-client-secret: YOUR_CLIENT_SECRET" \\
-d '{}'"""
PAYLOADS = [
    '{\n"type": "track",\n"payload": {\n"name": "my_event",\n"properties": {\n"foo": "bar"\n}\n}\n}',
    '{\n"type": "identify",\n"payload": {\n"profileId": "123",\n"firstName": "Joe",\n"lastName": "Doe",\n'
    '"email": "joe@doe.com",\n"properties": {\n"tier": "premium"\n}\n}\n}',
    '{\n"type": "increment",\n"payload": {\n"profileId": "1",\n"property": "visits",\n"value": 1\n}\n}',
    '{\n"type": "decrement",\n"payload": {\n"profileId": "1",\n"property": "visits",\n"value": 1\n}\n}',
]


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), served(*ASGI) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def panel():
    grants.forget()
    return Panel(make_website(), right="root")


def pasted(code, server, panel):
    """With only address and credentials changed."""
    code = code.replace("https://stats.example.com", server).replace("https://api.openpanel.dev", server)
    return code.replace("YOUR_CLIENT_ID", str(panel.client.id)).replace("YOUR_CLIENT_SECRET", panel.secret)


def in_shell(command):
    if not shutil.which("curl"):
        pytest.skip("There is no curl on this machine.")
    ended = subprocess.run(["sh", "-c", f"{command} --silent --fail"], capture_output=True, text=True, timeout=30)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_vendors_own_commands_work_with_only_host_and_credentials_changed(server, panel):
    for payload in PAYLOADS:
        assert "deviceId" in in_shell(pasted(SEED.replace("{}", payload), server, panel))
    assert (Event.objects.get().name, Event.objects.get().properties) == ("my_event", {"foo": "bar"})
    joe = Profile.objects.get(profile_id="123")
    assert (joe.first_name, joe.last_name, joe.email) == ("Joe", "Doe", "joe@doe.com")
    assert joe.properties == {"tier": "premium"}
    assert Profile.objects.get(profile_id="1").properties == {"visits": 0}


def test_the_commands_of_the_page_work(server, panel):
    commands = [block for block in blocks("sh") if block.startswith("curl")]
    told = [in_shell(pasted(command.strip(), server, panel)) for command in commands]
    assert len(told) == 3
    assert '"totalCount": 1' in told[2]
    assert Profile.objects.get().properties == {"visits": 1}


def test_the_code_for_node_works(server, panel, npm_clients):  # noqa: F811
    (code,) = blocks("js")
    command = [NODE, "--input-type=module", "-"]
    subprocess.run(command, cwd=npm_clients, input=pasted(code, server, panel), text=True, check=True, timeout=60)
    assert (Event.objects.get().name, Event.objects.get().properties) == ("signed_up", {"plan": "pro"})
    assert Profile.objects.get().properties == {"tier": "premium", "visits": 1}


def test_the_code_for_python_works(server, panel):
    (code,) = blocks("python")
    wait = "\nimport asyncio\nasyncio.run_coroutine_threadsafe(asyncio.sleep(0), op.loop).result()\n"
    subprocess.run([sys.executable, "-c", pasted(code, server, panel) + wait], check=True, timeout=60)
    assert (Event.objects.get().name, Event.objects.get().properties) == ("signed_up", {"plan": "pro"})
    assert Profile.objects.get().properties == {"tier": "premium", "visits": 2}


def test_the_code_for_pages_works(chromium: Chromium, web: Web, server, npm_clients):  # noqa: F811
    folder = npm_clients / "node_modules/@openpanel"
    grants.forget()
    panel = Panel(make_website(), origins=[web.url("app.acme.example", "")])
    imports = '<script type="importmap">{"imports":{"@openpanel/sdk":"/sdk.js","@openpanel/web":"/web.js"}}</script>'
    web.pages |= {
        "/": imports + pasted(blocks("html")[0], server, panel),
        "/sdk.js": (folder / "sdk/dist/index.js").read_bytes(),
        "/web.js": (folder / "web/dist/index.js").read_bytes(),
    }

    def story(page):
        page.goto(web.url("app.acme.example"))
        page.wait_for_function("window.op && op.getSessionId()")

    chromium.browse(story)
    assert (Event.objects.get().name, Event.objects.get().path) == ("screen_view", "/")
