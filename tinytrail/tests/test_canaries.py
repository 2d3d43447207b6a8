"""Nothing keeps an address or a user agent, nor a key in clear (guarantees P01 to P07, P17, A13, A60).

One installation lives through everything that it can be asked and that can befall it. All of it is asked by the same
visitor, whose address, browser, mail address, keys and cookies are canaries. Then whatever it has written is searched
for them in every form; and because a search that finds nothing proves nothing, for the same forms planted there.
"""

import contextlib
import hmac
import http.client
import json
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
import pytest

from submissions.tests.proposing import example
from submissions.tests.smtp import mail_server
from tinytrail import embedded
from tinytrail.chaos.installation import Installation, children, wait
from tinytrail.tests import canaries
from tinytrail.tests.canaries import AGENT, EMAIL, IPV4, IPV6, Forms, found_in, found_in_files

PATIENCE_SECONDS = 60.0
BROWSER = f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 {AGENT}"
WIDGET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
# Where a host's or a person's mail address belongs, until it is erased.
OF_PEOPLE = re.compile(r"accounts_user|analytics_profile|analytics_quarantine|submissions_\w+")


class Watched(Installation):
    """Behind a proxy that says for whom it asks, with a mail server, and with lines of log as JSON."""

    mail_port = 0

    def environment(self, name: str = "") -> dict[str, str]:
        return super().environment(name) | {
            "DJANGO_SETTINGS_MODULE": "tinytrail.settings",
            "TINYTRAIL_TRUSTED_PROXIES": "127.0.0.1/32",
            "TINYTRAIL_ALLOWED_HOSTS": "localhost",
            "TINYTRAIL_LOG": "json",
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mail_port}",
        }

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        return super().get(path, {"Host": "localhost", **(headers or {})})

    def superuser(self) -> "psycopg.Connection[tuple[Any, ...]]":
        facts = embedded.database(self.data)
        return psycopg.connect(host=facts["HOST"], user="postgres", dbname=facts["NAME"], autocommit=True)

    def dump(self, *options: str) -> bytes:
        """All that PostgreSQL's own tool has to say."""
        facts = embedded.database(self.data)
        program = embedded.postgres_programs() / "bin/pg_dump"
        where = (f"--host={facts['HOST']}", "--username=postgres", facts["NAME"])
        return subprocess.run([program, "--data-only", *options, *where], stdout=subprocess.PIPE, check=True).stdout

    def rows(self, table: str) -> str:
        with self.connect() as connection:
            return str(connection.execute(f"SELECT array_agg(t::text) FROM {table} t").fetchone())  # type: ignore[arg-type]

    def log(self, name: str) -> str:
        return (self.data / f"{name}.log").read_text(errors="replace")

    @contextlib.contextmanager
    def hanging_postgresql(self) -> Iterator[None]:
        postmaster = self.postmaster()
        assert postmaster is not None
        # The first process first: it starts no other from now on.
        stopped = [process for process in (postmaster, *children(postmaster)) if send(signal.SIGSTOP, process)]
        try:
            yield
        finally:
            for process in stopped:
                send(signal.SIGCONT, process)

    def restart_postgresql(self) -> None:
        """Only when it ends in good order does it write a table that is not logged into its file."""
        before = self.postmaster()
        assert before is not None
        send(signal.SIGINT, before)
        wait(
            lambda: self.postmaster() not in (None, before) and self.is_postgresql_there(),
            PATIENCE_SECONDS,
            "PostgreSQL does not come back",
        )

    @contextlib.contextmanager
    def without(self, table: str) -> Iterator[None]:
        """What needs the table fails, as nobody has foreseen."""
        with self.connect() as connection:
            connection.execute(f"ALTER TABLE {table} RENAME TO {table}_away")  # type: ignore[arg-type]
            yield
            connection.execute(f"ALTER TABLE {table}_away RENAME TO {table}")  # type: ignore[arg-type]


def send(number: int, process: int) -> bool:
    """Whether the process was still there to get the signal."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)
        return True
    return False


@dataclass
class Visitor:
    """Asks for somebody far away, through the proxy, with everything that could give them away."""

    port: int
    address: str
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self,
        status: int,
        method: str,
        path: str,
        body: object = None,
        *,
        form: Mapping[str, str] | None = None,
        **headers: str,
    ) -> str:
        """The answer's text. It has this status, or the story is another one."""
        raw = urlencode(form).encode() if form else b"" if body is None else json.dumps(body).encode()
        sent = {
            "Host": "localhost",
            "X-Forwarded-For": self.address,
            "X-Forwarded-Proto": "https",
            "User-Agent": BROWSER,
            "Referer": "https://localhost/",
            "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, raw, sent)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        assert answer.status == status, (method, path, answer.status, text[:500])
        return text

    def post(self, status: int, path: str, body: object, **headers: str) -> str:
        return self.ask(status, "POST", path, body, **headers)

    def fill_in(self, status: int, path: str, **fields: str) -> str:
        """A form of a page, with the token that came with it."""
        page = self.ask(200, "GET", path)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token, path
        return self.ask(status, "POST", path, form={"csrfmiddlewaretoken": token[1], **fields})


def play(here: Watched, visitor: Visitor, secrets: dict[str, str]) -> None:
    """Every dialect, by those who behave and by those who do not."""
    for chapter in (browse, read, propose, shop, use, manage):
        chapter(here, visitor, secrets)


def a_view(site: str, path: str, **more: object) -> dict[str, object]:
    url = f"https://acme.example{path}?mail={EMAIL}#x"
    return {"website_id": site, "event_type": "page_view", "url": url, "path": path, **more}


def browse(here: Watched, visitor: Visitor, secrets: dict[str, str]) -> None:
    page = a_view(here.website, f"/u/{EMAIL}", referrer=f"https://search.example/?q={quote(EMAIL)}", screen_width=1440)
    noted = {"name": "signup", "email": EMAIL, "note": f"I am {EMAIL}"}
    for _ in range(2):
        visitor.post(202, "/api/v1/collect", page, Idempotency_Key="canary-1")
    visitor.post(202, "/api/v1/collect", page | {"event_type": "custom", "properties": noted})
    visitor.post(204, "/api/v1/collect", page, User_Agent=f"Googlebot/2.1 {AGENT}")
    visitor.post(400, "/api/v1/collect", {"website_id": f"{EMAIL} {IPV4}"})
    visitor.ask(200, "GET", f"/js/tracker.js?mail={EMAIL}")


def read(here: Watched, visitor: Visitor, secrets: dict[str, str]) -> None:
    """The calendar, by somebody who is signed in there."""
    reader = {"Cookie": f"oooc_user_session={secrets['reader']}", "Origin": "https://acme.example"}
    click = {"eventKey": secrets["event"], "actionType": "click", "sessionId": EMAIL, "path": f"/?mail={EMAIL}"}
    visitor.post(202, "/api/track", click, **reader)
    search = {"actionType": "search", "searchQuery": f"write to {EMAIL}", "sessionId": "s-1"}
    visitor.post(202, "/api/track/discovery", search, **reader)
    visitor.ask(200, "GET", f"/calendar?mail={EMAIL}", **reader)


def propose(here: Watched, visitor: Visitor, secrets: dict[str, str]) -> None:
    """As a host, who sends spam as well, and what nobody takes."""
    visitor.post(200, "/api/event-submissions", example(hostEmail=EMAIL, notes=f"Write to {EMAIL}"))
    spam = example(hostEmail=EMAIL, eventName="Cheap watches", honeypot="x")
    visitor.post(200, "/api/event-submissions", spam)
    visitor.post(400, "/api/event-submissions", {"hostEmail": EMAIL})


def shop(here: Watched, visitor: Visitor, secrets: dict[str, str]) -> None:
    """With a widget, and a token that is right or wrong."""
    token, best = f"auth_token={secrets['token']}&analytics_id=v1", f"/track/widget/{WIDGET}/best"
    visitor.ask(200, "GET", f"{best}/render?{token}&pics=1")
    visitor.ask(200, "GET", f"{best}/media/5/shop.gif?{token}&segments%5B%5D=mail:{EMAIL}")
    visitor.ask(200, "GET", f"/track/transaction/T-1/checkout?{token}&products%5B%5D=5:19.90")
    visitor.ask(403, "GET", f"{best}/render?auth_token={secrets['token']}x")


def use(here: Watched, visitor: Visitor, secrets: dict[str, str]) -> None:
    """A product, whose server says whose address it is."""
    server = {"openpanel_client_id": secrets["client"], "openpanel_client_secret": secrets["secret"]}
    reserved = {"__path": f"https://acme.example/?mail={EMAIL}", "__ip": visitor.address}
    for kind, payload in (
        ("identify", {"profileId": "p-1", "email": EMAIL, "properties": {"tier": "gold"}}),
        ("track", {"name": "signup", "profileId": "p-1", "properties": reserved}),
        ("increment", {"profileId": "p-1", "property": "visits"}),
    ):
        visitor.post(200, "/track", {"type": kind, "payload": payload}, x_client_ip=visitor.address, **server)
    visitor.ask(200, "GET", "/track/device-id", x_client_ip=visitor.address, **server)
    visitor.ask(200, "GET", f"/export/events?profileId=p-1&mail={EMAIL}", **server)
    wrong = server | {"openpanel_client_secret": f"{secrets['secret']}x"}
    visitor.post(401, "/track", {"type": "track", "payload": {"name": "x"}}, **wrong)


def manage(here: Watched, visitor: Visitor, secrets: dict[str, str]) -> None:
    """As the owner's programs do."""
    key, day = secrets["key"], f"{datetime.now(UTC):%Y-%m-%d}"
    query = f"website_id={here.website}&start_date={day}&end_date={day}&mail={EMAIL}&key={key}"
    visitor.ask(200, "GET", f"/api/v1/reports/summary?{query}", X_API_KEY=key)
    visitor.ask(200, "GET", f"/api/v1/reports/pages?{query}&format=csv", X_API_KEY=key)
    visitor.ask(401, "GET", f"/api/v1/reports/summary?{query}", X_API_KEY=f"{key}x")
    visitor.ask(404, "GET", f"/nowhere/{EMAIL}?key={key}")
    visitor.ask(400, "GET", f"/health?mail={EMAIL}", Host=EMAIL)


def sign_in(here: Watched, visitor: Visitor, told: "Told") -> None:
    """The back office, by a wrong password and by a link; a new key, which is shown once."""
    visitor.fill_in(200, "/admin/login/", username=EMAIL, password=told.secrets["key"])
    visitor.ask(302, "GET", told.secrets["link"])
    user = json.loads(visitor.ask(200, "GET", "/api/v1/users", X_API_KEY=told.secrets["admin"]))["data"][-1]["id"]
    shown = visitor.ask(302, "POST", f"/admin/accounts/user/{user}/new-key/", form=csrf(visitor))
    assert shown == ""
    page = visitor.ask(200, "GET", f"/admin/accounts/user/{user}/change/")
    told.secrets["new key"] = re.findall(r"tt_\w{20,}", page)[0]
    pages = [f"/admin/accounts/user/{user}/change/", "/admin/accounts/user/", "/admin/accounts/auditentry/", "/admin/"]
    told.pages_with_key = [path for path in pages if told.secrets["new key"] in visitor.ask(200, "GET", path)]
    told.secrets["session"] = visitor.cookies["__Host-session"]


def csrf(visitor: Visitor) -> dict[str, str]:
    return {"csrfmiddlewaretoken": visitor.cookies["__Host-csrf"]}


def fail(here: Watched, visitor: Visitor, secrets: dict[str, str]) -> None:
    """What nobody has foreseen: in a page, in the API, in a task, in a batch, in the calendar."""
    key, site = secrets["key"], here.website
    with here.without("analytics_siteday"):
        visitor.ask(500, "GET", f"/api/v1/reports/summary?website_id={site}&period=today&mail={EMAIL}", X_API_KEY=key)
    with here.without("analytics_widgetarm"):
        here.run("-c", SEND_TASK)
        wait(lambda: "UndefinedTable" in here.log("worker"), PATIENCE_SECONDS, "No task has failed")
    with here.without("submissions_host"):
        visitor.post(503, "/api/event-submissions", example(hostEmail=EMAIL, eventName="Another"))
    with here.without("analytics_group"):
        visitor.ask(500, "GET", f"/admin/analytics/group/?q={EMAIL}")
    with here.connect() as connection:
        connection.execute("ALTER TABLE analytics_event ADD CONSTRAINT forbidden CHECK (path <> '/poison') NOT VALID")
        visitor.post(202, "/api/v1/collect", a_view(site, "/poison"))
        connection.execute("ALTER TABLE analytics_event DROP CONSTRAINT forbidden")
        assert connection.execute("SELECT count(*) FROM analytics_quarantine").fetchone() == (1,)


SEND_TASK = """
import json, django
django.setup()
from analytics.tasks import prune
prune.delay()
print(json.dumps({}))
"""


def endure(here: Watched, visitor: Visitor, told: "Told") -> None:
    """PostgreSQL hangs: what is accepted waits in Redis, where it is looked at."""
    with here.hanging_postgresql():
        for number in range(3):
            visitor.post(202, "/api/v1/collect", a_view(here.website, f"/outage/{number}/{EMAIL}"))
        assert here.waiting()
        with here.redis() as client:
            told.outage["Redis"] = found_in(b"".join(canaries.everything_in(client)), told.canaries)
        told.outage["append-only file"] = found_in_files(here.data / "redis", told.canaries)
    wait(lambda: here.waiting() == 0, PATIENCE_SECONDS, "What waited was not stored")
    wait(here.is_healthy, PATIENCE_SECONDS, "The web server does not answer")


# -- what is looked at ------------------------------------------------------------------------------------------------


def places(here: Watched, needles: Forms) -> dict[str, list[str]]:
    """Everything that the installation has written, by its name, with the needles found in it."""
    with here.superuser() as connection:
        # What only memory holds comes into the files.
        connection.execute("CHECKPOINT")
    with here.redis() as client:
        kept = b"\n".join(canaries.everything_in(client))
    return {
        "dump": found_in(here.dump(), needles),
        "data files": found_in_files(here.data / "postgres/data/base", needles),
        "write-ahead log": found_in_files(here.data / "postgres/data/pg_wal", needles),
        "Redis": found_in(kept, needles),
        "append-only file": found_in_files(here.data / "redis", needles),
        "logs": found_in(b"".join(logs(here).values()), needles),
    }


def logs(here: Watched) -> dict[str, bytes]:
    """Of every process: what runs by itself, and PostgreSQL and Redis."""
    return {path.name: path.read_bytes() for path in sorted(here.data.glob("*.log*"))}


def plant(here: Watched, needles: Forms) -> None:
    """Every needle in every place, as somebody could have put it there."""
    with here.superuser() as connection:
        connection.execute("CREATE TABLE planted (content bytea, said text)")
        for needle in needles.values():
            said = needle.decode() if needle.isascii() else None
            connection.execute("INSERT INTO planted VALUES (%s, %s)", [needle, said])
    with here.redis() as client:
        for number, needle in enumerate(needles.values()):
            client.set(f"planted {number}", needle)
    with (here.data / "web.log").open("ab") as log:
        log.write(b"\n".join(needles.values()))


def tables_with(here: Watched, text: str) -> set[str]:
    """The tables in whose rows the text stands, in any case of its letters."""
    with here.connect() as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {
            table
            for (table,) in tables
            if connection.execute(
                f"SELECT count(*) FROM {table} t WHERE t::text ILIKE %s",
                [f"%{text}%"],  # type: ignore[arg-type]
            ).fetchone()
            != (0,)
        }


# -- salts ------------------------------------------------------------------------------------------------------------

# A moved clock: it is half an hour past the end of today.
ROTATE = """
import json, django
django.setup()
from datetime import timedelta
from django.utils import timezone
from analytics.ingest.visitor import rotate
tomorrow = timezone.now().replace(hour=0, minute=31) + timedelta(days=1)
print(json.dumps({"destroyed": rotate(now=tomorrow)}))
"""


def salts(here: Watched) -> dict[str, bytes]:
    with here.connect() as connection:
        return {str(day): bytes(value) for day, value in connection.execute("SELECT day, value FROM analytics_salt")}


def salt_forms(salt: bytes) -> dict[str, bytes]:
    return {"salt": salt, "salt in hex": salt.hex().encode()}


# -- the attack of P07 ------------------------------------------------------------------------------------------------


def keys_of(secrets: Mapping[str, bytes], address: str, agent: str, website: str) -> dict[str, int]:
    """Visitor keys of somebody known, by the secret they were made with; as analytics.ingest.visitor makes them."""
    who = address.encode() + b"\0" + agent.encode() + b"\0" + bytes.fromhex(website.replace("-", ""))
    return {
        name: int.from_bytes(hmac.digest(secret, who, "sha256")[:8], "big", signed=True)
        for name, secret in secrets.items()
    }


def guesses(here: Watched, day: str) -> dict[str, bytes]:
    """What a thief can make of the installation's secrets and of a day."""
    found = {"none": b"", "day": day.encode()}
    for name in ("secret_key", "pepper", "kek"):
        secret = (here.data / "secrets" / name).read_text().encode()
        found |= {name: secret, f"{name} as bytes": bytes.fromhex(secret.decode())}
        for known in list(found):
            found[f"{name} of the day"] = hmac.digest(secret, day.encode(), "sha256")
            found[f"{name} and the day, after {known}"] = secret + day.encode()
    return found


def attack(here: Watched, file: Path, found: Mapping[str, int]) -> set[str]:
    """With which of the guesses somebody is found again in a backup, restored on another machine."""
    with here.superuser() as connection:
        connection.execute("CREATE DATABASE thief TEMPLATE template0")
    facts = embedded.database(here.data)
    programs = embedded.postgres_programs() / "bin"
    where = (f"--host={facts['HOST']}", "--username=postgres", "--dbname=thief")
    subprocess.run([programs / "pg_restore", "--no-owner", *where, file], check=True)
    with psycopg.connect(host=facts["HOST"], user="postgres", dbname="thief") as stolen:
        assert stolen.execute("SELECT count(*) FROM analytics_salt").fetchone() == (0,)
        events = stolen.execute("SELECT count(*) FROM analytics_event").fetchone()
        assert events is not None
        assert events[0] > 5
        seen = {
            key for table in ("event", "visit") for (key,) in stolen.execute(f"SELECT visitor FROM analytics_{table}")
        }
    return {name for name, key in found.items() if key in seen}


# -- the story --------------------------------------------------------------------------------------------------------


@dataclass
class Told:
    """What the story has left behind."""

    secrets: dict[str, str]
    canaries: dict[str, bytes] = field(default_factory=dict)
    in_clear: dict[str, bytes] = field(default_factory=dict)
    # By place: the needles found there, and those that were found once they had been planted.
    found: dict[str, list[str]] = field(default_factory=dict)
    planted: dict[str, list[str]] = field(default_factory=dict)
    outage: dict[str, list[str]] = field(default_factory=dict)
    logs: dict[str, bytes] = field(default_factory=dict)
    tables_with_mail: set[str] = field(default_factory=set)
    pages_with_key: list[str] = field(default_factory=list)
    salt_before: dict[str, list[str]] = field(default_factory=dict)
    salt_after: dict[str, list[str]] = field(default_factory=dict)
    salt_days: int = 0
    salt_in_backup: list[str] = field(default_factory=list)
    broken_by: set[str] = field(default_factory=set)


# Commands one after another in one process, whose start takes longer than they do.
COMMANDS = """
import io, json, sys, django
django.setup()
from django.core.management import call_command
answers = []
for words in json.loads(sys.argv[1]):
    out = io.StringIO()
    call_command(*words, json=True, stdout=out, stderr=io.StringIO())
    answers.append(json.loads(out.getvalue()))
print(json.dumps(answers))
"""


def prepared(here: Watched) -> dict[str, str]:
    """What the story needs to begin: keys, tokens, cookies, links, an event, and a calendar that is open."""
    site, when = here.website, f"{datetime.now(UTC):%Y-%m-%d}"
    event = ["create_event", "--website", site, "--name", "Jazz", "--date", when, "--time", "23:00"]
    commands = [
        ["create_api_user", "--account", "Root", "--role", "admin"],
        ["create_client", "--website", site, "--kind", "widget"],
        ["create_client", "--website", site, "--kind", "openpanel", "--right", "root"],
        ["issue_session_cookie", "--email", EMAIL],
        ["sign_in_link", "--login", "owner", "--base-url", ""],
        [*event, "--location", "Paris"],
        ["submissions", "--open"],
    ]
    answers = here.run("-c", COMMANDS, json.dumps(commands))
    admin, widget, panel, cookie, link, jazz, _ = answers
    return {
        "key": here.key,
        "admin": admin["apiKey"],
        "token": widget["authToken"],
        "client": panel["clientId"],
        "secret": panel["clientSecret"],
        "reader": cookie["cookie"],
        "link": link["link"],
        "event": jazz["eventKey"],
    }


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    with tempfile.TemporaryDirectory(prefix="canaries-") as folder, mail_server() as mails:
        Watched.mail_port = mails.port
        mails.refused.add(EMAIL)
        with Watched(Path(folder) / "data") as here:
            yield tell(here)


def tell(here: Watched) -> Told:
    told = Told(prepared(here))
    v4, v6 = (Visitor(here.port, address) for address in (IPV4, IPV6))
    keys = [(here.data / "secrets" / name).read_text() for name in ("secret_key", "pepper", "kek")]
    for name, text in (("address", IPV4), ("address 6", IPV6), ("browser", AGENT), ("whole browser", BROWSER)):
        told.canaries |= canaries.forms(name, text, keys)
    play(here, v4, told.secrets)
    sign_in(here, v4, told)
    fail(here, v4, told.secrets)
    endure(here, v6, told)
    wait(lambda: "could not be sent" in here.log("worker"), PATIENCE_SECONDS, "No mail has failed")
    told.in_clear = {
        f"{name} {form}": needle
        for name in ("key", "admin", "new key", "secret")
        for form, needle in canaries.forms(name, told.secrets[name]).items()
    }
    backup = here.data.parent / "backup"
    here.manage("backup", str(backup))
    needles = told.canaries | told.in_clear
    told.found = places(here, needles)
    told.logs = logs(here)
    told.tables_with_mail = tables_with(here, EMAIL)
    look_at_salts(here, told, backup)
    plant(here, needles)
    told.planted = places(here, needles)
    return told


def look_at_salts(here: Watched, told: Told, backup: Path) -> None:
    day, salt = next(iter(salts(here).items()))
    guessed = keys_of({"the salt": salt, **guesses(here, day)}, IPV4, BROWSER, here.website)
    told.broken_by = attack(here, backup, guessed)
    told.salt_in_backup = found_in(backup.read_bytes() + restored(backup), salt_forms(salt))
    # Nobody is left who remembers it.
    here.stop()
    here.restart_postgresql()
    told.salt_before = places(here, salt_forms(salt))
    here.run("-c", ROTATE)
    told.salt_days = len(salts(here))
    here.restart_postgresql()
    told.salt_after = places(here, salt_forms(salt))


def restored(backup: Path) -> bytes:
    """What a backup would say to PostgreSQL."""
    return subprocess.run(
        [embedded.postgres_programs() / "bin/pg_restore", "--file=-", backup], stdout=subprocess.PIPE, check=True
    ).stdout


# -- what must hold ---------------------------------------------------------------------------------------------------

NOWHERE = {"dump": [], "data files": [], "write-ahead log": [], "Redis": [], "append-only file": [], "logs": []}


def test_no_address_and_no_browser_is_anywhere_in_any_form(told: Told) -> None:
    assert {place: set(found) & set(told.canaries) for place, found in told.found.items()} == dict.fromkeys(
        NOWHERE, set()
    )


def test_none_waits_in_the_outage_stream(told: Told) -> None:
    assert told.outage == {"Redis": [], "append-only file": []}


def test_no_key_or_secret_is_anywhere_in_clear(told: Told) -> None:
    assert {place: set(found) & set(told.in_clear) for place, found in told.found.items()} == dict.fromkeys(
        NOWHERE, set()
    )


def test_the_search_finds_each_of_them_in_each_place_once_it_is_there(told: Told) -> None:
    """Else the tests above would prove nothing."""
    needles = told.canaries | told.in_clear
    texts = {name for name, needle in needles.items() if needle.isascii()}
    assert len(texts) > 100
    # A dump spells bytes in hex, for which there is a needle of its own.
    assert texts - set(told.planted.pop("dump")) == set()
    assert {place: set(needles) - set(found) for place, found in told.planted.items()} == {
        place: set() for place in NOWHERE if place != "dump"
    }


def test_a_mail_address_is_in_no_log_no_event_and_no_address_of_a_page(told: Told) -> None:
    assert {table for table in told.tables_with_mail if not OF_PEOPLE.fullmatch(table)} == set()
    # It was there to be kept.
    assert {"submissions_host", "analytics_profile"} <= told.tables_with_mail
    needles = canaries.forms("mail", EMAIL)
    assert {name: found_in(log, needles) for name, log in told.logs.items()} == dict.fromkeys(told.logs, [])


def test_no_secret_cookie_or_token_is_in_a_log(told: Told) -> None:
    assert {"session", "reader", "token", "key", "secret"} <= set(told.secrets)
    needles = {name: secret.encode() for name, secret in told.secrets.items() if name not in ("client", "event")}
    assert {name: found_in(log, needles) for name, log in told.logs.items()} == dict.fromkeys(told.logs, [])


def test_requests_are_not_logged_nor_is_any_query(told: Told) -> None:
    web = told.logs["web.log"].decode()
    assert "/api/v1/collect" not in web
    for log in told.logs.values():
        assert re.findall(rb"/[\w/]*\?\w+=", log) == []


def test_every_process_has_something_to_say_and_says_it_as_json(told: Told) -> None:
    assert set(told.logs) == {"beat.log", "postgres.log", "redis.log", "web.log", "worker.log"}
    for name, word in (("web.log", "Internal Server Error: /admin/"), ("worker.log", "analytics.tasks.prune")):
        lines = [json.loads(line) for line in told.logs[name].decode().splitlines() if line.startswith("{")]
        failures = [line for line in lines if word in line["message"] and "error" in line]
        assert failures
        assert {(line["level"], line["trace"].count("UndefinedTable")) for line in failures} == {("ERROR", 1)}


def test_a_new_key_is_shown_once(told: Told) -> None:
    assert re.fullmatch(r"tt_[0-9A-Za-z]{43}", told.secrets["new key"])
    assert told.pages_with_key == []


def test_a_salt_that_is_destroyed_is_in_no_file_and_never_was_in_the_log_or_a_backup(told: Told) -> None:
    # Before it is, it is where salts are kept, and a dump that does not leave that table out shows it.
    assert told.salt_before == NOWHERE | {"data files": ["salt"], "dump": ["salt in hex"]}
    assert told.salt_in_backup == []
    assert told.salt_after == NOWHERE
    assert told.salt_days == 1


def test_a_backup_and_every_secret_of_the_installation_find_nobody_again(told: Told) -> None:
    # With the salt, which is not in it, the same attack succeeds.
    assert told.broken_by == {"the salt"}
