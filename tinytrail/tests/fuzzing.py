"""Calls that schemathesis makes up from the OpenAPI document, and what the server makes of them.

They reach the ASGI application of a web process, in this process: the front for what it takes natively, Django in one
thread for the rest. There is data to ask about, and one key, client and token that may ask.

All checks of schemathesis are on: no server error; status, content type, headers and body as documented; what breaks
the document refused, what keeps to it taken; no door open without its key; 405 with Allow for other methods; nothing
found that was deleted. `is_allowed` names what the contract demands in spite of a check.
"""

import gc
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import schemathesis
from a2wsgi import WSGIMiddleware
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.test import Client as Browser
from django.utils import timezone
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.transport import Response
from schemathesis.engine import events, from_schema
from schemathesis.generation.case import Case
from schemathesis.hooks import HookContext
from schemathesis.openapi.checks import RejectedPositiveData, UnsupportedMethodResponse
from schemathesis.python.asgi import shutdown_lifespans

from accounts import keys
from accounts.models import Account, Client, User, Website
from accounts.tests.builders import make_user
from analytics.api.front import Front, Message, Receive, Scope, Send
from analytics.api.routes import endpoint_at
from analytics.dashboard import links
from analytics.tests.builders import CHROME, load, make_account, make_website
from analytics.tests.panel import Panel
from analytics.tests.widgets import INSTANCE, ask, checkout, make_token
from submissions import calendars
from submissions.tests.catalogue import make_event
from tinytrail.web.body import GREATEST_INTEGER

SHOP = "pay.acme.example"
REDIRECTS = [f"https://{SHOP}/a?b=c", "https://shop.acme.example/"]
# As the document's own examples have it, for an account as for a website.
WEBSITE = ACCOUNT = "550e8400-e29b-41d4-a716-446655440000"
METRICS_TOKEN = "of-the-fuzz-test"
OTHER_ACCOUNTS = 10
MANY = 10


class Application:
    """The ASGI application as `tinytrail.asgi` puts it together, with one thread whose database connection ends."""

    def __init__(self) -> None:
        self.threads = WSGIMiddleware(WSGIHandler(), workers=1)  # type: ignore[arg-type] # as in tinytrail.asgi
        self.front = Front(endpoint_at, self.in_thread)

    async def in_thread(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def received() -> Message:
            return await receive()

        await self.threads(scope, received, send)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Its client has a name in place of an address.
        await self.front({**scope, "client": ("203.0.113.9", 50000)}, receive, send)

    def within(self, function: Callable[[], Any]) -> Any:  # noqa: ANN401 (whatever the function returns)
        """What the function returns in the thread that Django runs in."""
        return self.threads.executor.submit(function).result()

    def close(self) -> None:
        shutdown_lifespans()
        self.within(connections.close_all)
        self.threads.executor.shutdown()
        # A web process keeps what it has made for good; this one ends tests.
        gc.unfreeze()


@contextmanager
def application() -> Iterator[Application]:
    served = Application()
    try:
        yield served
    finally:
        served.close()


class World:
    """What there is to ask about: Acme's website with visits, a widget, an OpenPanel client, a calendar and a link."""

    def __init__(self) -> None:
        acme = Account.objects.create(id=ACCOUNT, name="Acme")
        root = User(account=acme, role=User.Role.ADMIN)
        self.key = keys.issue(root)
        self.website = make_website(acme, public_id=WEBSITE)
        self.panel = Panel(self.website, right=Client.Right.ROOT)
        self.token = make_token(self.website, redirect_hosts=[SHOP])
        today = timezone.now().date()
        calendar = calendars.of_website(self.website)
        self.event = make_event(calendar, date=str(today + timedelta(days=7)), now=timezone.now())
        link = links.share(self.website, name="For Bob", password="", hosts=[], last_day=None, by=root)
        self.link = links.token_of(link)
        self.history()
        # By kind, their ids.
        self.others: dict[str, list[str]] = {"account": [], "user": [], "website": []}
        for number in range(OTHER_ACCOUNTS):
            self.others["account"].append(str(make_account(f"Other {number}").id))
            account = make_account(f"Third {number}")
            self.others["user"].append(str(make_user(account, login=f"u{number}@example.test").id))
            self.others["website"].append(str(make_website(account, f"third-{number}.example").public_id))

    @property
    def panel_headers(self) -> dict[str, str]:
        return {
            "openpanel-client-id": str(self.panel.client.id),
            "openpanel-client-secret": self.panel.secret,
        }

    def is_standing(self) -> bool:
        """Whether nobody has deleted what the calls are about: they would all be answered, and mean nothing."""
        return keys.find(self.key) is not None and Website.objects.live().filter(public_id=WEBSITE).exists()

    def history(self) -> None:
        now = timezone.now()
        for hours in (30, 20, 1):
            at, path = now - timedelta(hours=hours), f"/{hours}"
            load(self.website, {"at": at, "path": path, "url": f"https://acme.example{path}?utm_source=mail"})
            load(self.website, {"at": at + timedelta(seconds=9), "event_type": "signup", "screen_width": 1280})
        self.panel.track(profileId="123", properties={"plan": "pro"})
        self.panel.send("identify", {"profileId": "123", "firstName": "Joe"})
        widget = f"/track/widget/{INSTANCE}/stream/7"
        segments = (("segments[]", "country:US"),)
        ask(f"{widget}/render", self.token, *segments, ab_testing="1")
        ask(f"{widget}/media/5/click", self.token, *segments, ab_testing="1")
        checkout(self.token, "A-1", "shirt:12.50", analytics_id="v1")


@dataclass(slots=True)
class Finding:
    """What a check found wrong, how often, and one call that shows it."""

    operation: str
    check: str
    title: str
    message: str
    call: str
    answer: str
    times: int = 1

    def __str__(self) -> str:
        found = f"{self.operation}: {self.check}, {self.times} times: {self.title}"
        return "\n".join([found, self.message, self.call, self.answer])


@dataclass(slots=True)
class Run:
    """What a run did: how many calls of each operation, what was answered, and what was wrong."""

    calls: Counter[str] = field(default_factory=Counter)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    findings: dict[tuple[str, ...], Finding] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    @property
    def operations(self) -> set[str]:
        return {*self.calls}

    @property
    def succeeded(self) -> set[str]:
        """The operations of which a call was answered with what was asked for."""
        return {operation for operation, status in self.statuses if status < 400}

    @property
    def by_status(self) -> dict[int, int]:
        found: Counter[int] = Counter()
        for (_, status), times in self.statuses.items():
            found[status] += times
        return dict(sorted(found.items()))

    def join(self, other: "Run") -> None:
        self.calls += other.calls
        self.statuses += other.statuses
        self.findings |= other.findings
        self.errors += other.errors

    def note(self, event: events.ScenarioFinished) -> None:
        for id_, interaction in event.recorder.interactions.items():
            operation = event.recorder.cases[id_].value.operation.label
            self.calls[operation] += 1
            if interaction.response is not None:
                self.statuses[operation, interaction.response.status_code] += 1
        for id_, checks in event.recorder.checks.items():
            for check in checks:
                if check.failure_info is not None:
                    self.add(check.name, check.failure_info.failure, check.failure_info.code_sample, event, id_)

    def add(self, check: str, failure: Failure, call: str, event: events.ScenarioFinished, id_: str) -> None:
        operation = event.recorder.cases[id_].value.operation.label
        kind = (operation, check, failure.title, failure.message[:200])
        if kind in self.findings:
            self.findings[kind].times += 1
            return
        interaction = event.recorder.interactions.get(id_)
        response = interaction.response if interaction else None
        answer = f"{response.status_code} {response.content[:300]!r}" if response is not None else "no answer"
        self.findings[kind] = Finding(operation, check, failure.title, failure.message, call, answer)


# -- what no document can say ------------------------------------------------------------------------------------------

# Rules that bind several parameters, or that ask what there is. Who breaks one is told so, in these words.
BEYOND_A_SCHEMA = re.compile(
    "|".join(
        [
            r"end_date needs a start_date\.",
            r"start_date must not be after end_date\.",
            r"The dates must lie between .* days apart\.",
            r"interval=hour takes at most 7 days\.",
            r"unique_visitors are not counted by path",
            r"At least one of domain, content_groups and excluded_ips is required\.",
            r"account_id must be the id of an account\.",
            r"The account has a website .* already\.",
            # Grammars of which a pattern would be unreadable.
            r"excluded_ips\[\d+\] must be an address",
            r"proofLink: Must be an HTTP\(S\) URL",
            r"payload\.email must be an e-mail address\.",
            r"payload\.value must be a number .* with at most 15 decimals\.",
        ]
    )
)


def is_allowed(failure: Failure, case: Case, response: Response) -> bool:
    """Whether the contract demands what a check finds wrong. Every exception says which part of it."""
    tags = {*case.operation.definition.raw["tags"]}
    if isinstance(failure, UnsupportedMethodResponse):
        # In the vendor's words there is no such route (contract 1.1).
        if "openpanel" in tags:
            return response.status_code == 404
        # The form for a link's password is posted there, so that the token of a form comes first.
        return "sharing" in tags and response.status_code == 403
    if isinstance(failure, AcceptedNegativeData):
        # What trimming takes away is nobody's fault (contract 5.1).
        if "widgets" in tags and any(
            isinstance(text, str) and text != text.strip() for text in (case.query or {}).values()
        ):
            return True
        if repeats_a_parameter(case):
            return True
        # Always 202, whatever came (contract 3.1). And nothing in a reader's question is wrong (submissions.browsing).
        return bool(tags & {"engagement", "discovery", "calendar"})
    if isinstance(failure, RejectedPositiveData) and response.status_code == 400:
        query = dict(case.query or {})
        if any(rule(case.body, query) for rule in BEYOND_ALL_SCHEMAS):
            return True
        said = response.content.decode()
        # A beacon's text is JSON, which the document says in words.
        if case.media_type == "text/plain":
            return "The body is not valid JSON." in said
        return BEYOND_A_SCHEMA.search(said) is not None
    return False


def repeats_a_parameter(case: Case) -> bool:
    """One that is no list counts once, as it is sent by links that were put together carelessly (contract 5.1)."""
    given = case.operation.definition.raw.get("parameters", [])
    lists = {parameter["name"] for parameter in given if parameter.get("schema", {}).get("type") == "array"}
    return any(isinstance(value, list) and name not in lists for name, value in (case.query or {}).items())


def cannot_be_stored(body: object, query: Mapping[str, Any]) -> bool:
    """NUL characters and integers beyond 2^53, which are texts and numbers to a schema (contract 1.2, D-27)."""
    if isinstance(body, dict):
        return any(cannot_be_stored(inner, query) for inner in (*body, *body.values()))
    if isinstance(body, list):
        return any(cannot_be_stored(inner, query) for inner in body)
    return "\0" in body if isinstance(body, str) else isinstance(body, int) and abs(body) > GREATEST_INTEGER


def is_spelled_as_a_fraction(body: object, query: Mapping[str, Any]) -> bool:
    """30.0, which is an integer to JSON Schema."""
    return any(isinstance(value, float) for value in query.values())


def leads_to_a_foreign_host(body: object, query: Mapping[str, Any]) -> bool:
    """Redirects lead to hosts of the website's or the token's own (D-9)."""
    return query.get("redirect_url", REDIRECTS[0]) not in REDIRECTS


def repeats_a_segment(body: object, query: Mapping[str, Any]) -> bool:
    """A segment has one value (contract 5.1)."""
    given = query.get("segments[]")
    names = [pair.partition(":")[0].strip() for pair in given] if isinstance(given, list) else []
    return len(names) != len(set(names))


BEYOND_ALL_SCHEMAS = (cannot_be_stored, is_spelled_as_a_fraction, leads_to_a_foreign_host, repeats_a_segment)


def is_blamed(context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    return not is_allowed(failure, case, response)


# -- a run ------------------------------------------------------------------------------------------------------------

# Known values stand in so many of ten calls, so that calls come beyond the first 404.
KNOWN = {
    "query.website_id": 9,
    "body.website_id": 8,
    "path.website": 8,
    "path.key": 8,
    "body.eventKey": 8,
    "path.token": 8,
    "path.tab": 8,
    "query.projectId": 8,
    "body.account_id": 5,
    "body.proofLink": 8,
    # Only known ones are right.
    "query.redirect_url": 10,
    "query.currency_code": 10,
}
# What may be deleted and changed: never the caller's own.
OTHERS = {
    "delete_account": "account",
    "delete_user": "user",
    "show_api_key": "user",
    "delete_website": "website",
    "change_website": "website",
}
PHASES = ("examples", "coverage", "fuzzing", "stateful")


def fuzz(application: Application, world: World, *phases: str, examples: int, is_outage: bool = False) -> Run:
    """Calls of every operation of the document, so many made up for each; the same in every run."""
    schema = schemathesis.openapi.from_dict(document(), config=config(world, phases, examples, is_outage))
    schema.app = application
    schema.hooks.register_hook_with_name(is_blamed, "filter_failure")
    run = Run()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            run.note(event)
        elif isinstance(event, events.NonFatalError):
            run.errors.append(f"{event.label}: {event.value}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    return run


def document() -> dict[str, Any]:
    found: dict[str, Any] = Browser().get("/api/schema", headers={"accept": "application/json"}).json()
    return found


def operations() -> set[str]:
    return {f"{method.upper()} {path}" for path, item in document()["paths"].items() for method in item}


def config(world: World, phases: tuple[str, ...], examples: int, is_outage: bool) -> SchemathesisConfig:
    values = {
        "query.website_id": [WEBSITE],
        "body.website_id": [WEBSITE],
        "path.website": [WEBSITE],
        "path.key": [world.event.key],
        "body.eventKey": [world.event.key],
        "path.token": [world.link],
        "path.tab": ["totals", "chart", "pages"],
        "query.projectId": [WEBSITE],
        "body.account_id": world.others["account"],
        "body.proofLink": ["example.com/jazz", "https://example.com/jazz?night=1"],
        "query.redirect_url": REDIRECTS,
        "query.currency_code": ["EUR", "usd", "JPY"],
    }
    # Coverage knows no dictionaries.
    pinned = (
        ("query.website_id", "query.currency_code", "path.website", "path.key", "path.token", "path.tab")
        if "coverage" in phases
        else ()
    )
    return SchemathesisConfig.from_dict(
        {
            "seed": 20261121,
            # OpenPanel's two schemes belong together, of which it would send one: they go with every call.
            "headers": {"User-Agent": CHROME} | world.panel_headers,
            "auth": {
                "openapi": {
                    "ApiKey": {"api_key": world.key},
                    "WidgetToken": {"api_key": world.token.token},
                    "MetricsToken": {"bearer": METRICS_TOKEN},
                }
            },
            "dictionaries": {name: {"values": known} for name, known in (values | world.others).items()},
            "parameters": {
                name: values[name][0] if name in pinned else {"dictionary": name, "probability": of_ten / 10}
                for name, of_ten in KNOWN.items()
            },
            "operations": [
                {
                    "include-operation-id": operation,
                    "parameters": {"path.id": {"dictionary": kind, "probability": 0.5}},
                }
                for operation, kind in OTHERS.items()
            ],
            "generation": {
                "max-examples": examples,
                "deterministic": True,
                "no-shrink": True,
                "with-security-parameters": False,
            },
            "checks": {
                "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", *(["503"] if is_outage else [])]}
            },
            "continue-on-failure": True,
            # A few calls are the same whatever changes in the code; many are made up from its words, too.
            "analysis": {"constants": {"enabled": examples > MANY}},
            # Ids that answers name are the caller's own, too, and would be deleted.
            "phases": {
                name: {"enabled": name in phases, "extra-data-sources": {"responses": False}} for name in PHASES[:3]
            }
            | {"stateful": {"enabled": "stateful" in phases}},
        }
    )
