"""GET /export/events: what was stored of a client's website, for clients that may read (contract 6.8)."""

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import limits
from accounts.models import Client, Website
from accounts.origins import Origins
from analytics.api.documentation import number as number_from_1
from analytics.api.documentation import query
from analytics.api.openpanel.credentials import ClientGrant, Credentials, credentials_of
from analytics.api.openpanel.documentation import READING, REFUSAL
from analytics.api.openpanel.endpoints import RETRY_STORAGE_SECONDS, STATUSES
from analytics.api.openpanel.identity import device_id_of
from analytics.api.views import AnyAccept
from analytics.ingest.website import FIELDS, as_site
from analytics.models import Event, Profile
from analytics.vocabulary import BROWSERS, DEVICES, SYSTEMS, Device, Dialect
from tinytrail.web.call import Call
from tinytrail.web.openapi import TEXT, record, retry_after

log = logging.getLogger(__name__)

PER_PAGE, MOST_PER_PAGE = 50, 1_000
LARGEST_PAGE = 1_000_000
INCLUDES = ("profile",)
MOMENT = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}
COUNT = {"type": "integer", "minimum": 0}
NAME = {"type": ["string", "null"]}
PROFILE = record(
    "ExportedProfile",
    id={"type": "string"},
    **dict.fromkeys(("firstName", "lastName", "email", "avatar"), NAME),
    properties={"type": "object"},
    groups={"type": "array", "items": {"type": "string"}},
)
EVENT: dict[str, Any] = record(
    "ExportedEvent",
    "profile",
    id={"type": "string"},
    name={"type": "string"},
    projectId={"type": "string", "format": "uuid"},
    profileId=NAME,
    deviceId={"type": "string"},
    createdAt={"type": "string", "format": "date-time"},
    properties={"type": "object"},
    **dict.fromkeys(("path", "referrer", "country", "region", "city", "browser", "os", "device"), NAME),
    profile={"anyOf": [PROFILE, {"type": "null"}], "description": "With `includes=profile`."},
)
ANSWER = record(
    "ExportedEvents",
    meta=record("ExportedPage", **dict.fromkeys(("count", "totalCount", "pages", "current"), COUNT)),
    data={"type": "array", "items": EVENT},
)


class Refused(Exception):
    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status, self.error = status, error


@dataclass(frozen=True)
class Asked:
    """The question, its values checked. `end` is not in it any more."""

    start: datetime | None
    end: datetime | None
    names: tuple[str, ...]
    profile: str
    page: int
    limit: int
    with_profiles: bool

    def of(self, website: Website) -> QuerySet[Event]:
        found = Event.objects.filter(
            website_id=website.id, dialect=Dialect.OPENPANEL, is_bot=False, is_excluded=False
        ).order_by("-occurred_at", "-id")
        if self.start:
            found = found.filter(occurred_at__gte=self.start)
        if self.end:
            found = found.filter(occurred_at__lt=self.end)
        if self.names:
            found = found.filter(name__in=self.names)
        return found.filter(profile=self.profile) if self.profile else found


class ExportView(APIView):
    http_method_names = ("get", "head")
    content_negotiation_class = AnyAccept
    # Of an answer that is nobody else's.
    headers_always: ClassVar[dict[str, str]] = {"Cache-Control": "no-store"}

    @extend_schema(
        operation_id="openpanel_export_events",
        summary="The events of a website, newest first",
        tags=["openpanel"],
        auth=list(READING),  # type: ignore[arg-type] # its types know names only, and it takes requirements
        parameters=[
            query("projectId", "The website; the client's own when absent.", type=OpenApiTypes.UUID),
            query("profileId", "Only what this person did."),
            query(
                "event",
                "Only events of this name; may be repeated.",
                type={"type": "array", "items": TEXT},
                explode=True,
            ),
            query("start", "A day or a time; what happened then or later.", type=MOMENT),
            query("end", "A day, which is in it, or a time; what happened until then.", type=MOMENT),
            query("page", "Counted from 1.", type=number_from_1(LARGEST_PAGE, 1)),
            query("limit", "Events of a page.", type=number_from_1(MOST_PER_PAGE, PER_PAGE)),
            query("includes", "`profile` adds what is known of the person.", enum=INCLUDES),
            retry_after(429, 503),
        ],
        responses={
            200: OpenApiResponse(ANSWER, "Events and how many there are"),
            400: OpenApiResponse(REFUSAL, "A parameter is wrong"),
            401: OpenApiResponse(REFUSAL, "No client of that id and secret that may read"),
            403: OpenApiResponse(REFUSAL, "Not the client's own project, or one that is exempt"),
            404: OpenApiResponse(REFUSAL, "No such project"),
            429: OpenApiResponse(REFUSAL, "Too many calls of this client; `Retry-After` says how long to wait"),
            503: OpenApiResponse(REFUSAL, "The database does not answer; `Retry-After` says when to try again"),
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        try:
            return self.answered(request._request)
        except (OperationalError, InterfaceError) as error:
            log.warning("The database does not answer: %s", type(error).__name__)
            answer = refusal(503, STATUSES[503], "The database does not answer. Please try again.")
            answer["Retry-After"] = str(RETRY_STORAGE_SECONDS)
            return answer

    def http_method_not_allowed(  # type: ignore[override]
        self, request: Request, *args: object, **kwargs: object
    ) -> HttpResponseBase:
        # As of every other route of this dialect.
        return refusal(404, "Not Found", f"There is no {request.method} at this address.")

    def answered(self, request: HttpRequest) -> HttpResponseBase:
        try:
            client = reader(request)
            if wait := limits.retry_after("OPENPANEL_EXPORT", str(client.id)):
                answer = refusal(429, "Too Many Requests", "You have exceeded the rate limit for this endpoint.")
                answer["Retry-After"] = str(wait)
                return answer
            asked = question(request)
            website = project(client, request.GET.get("projectId") or request.GET.get("project_id") or "")
            if website.mode == Website.Mode.EXEMPT:
                raise Refused(403, "Forbidden", "The project is exempt: single events are not told (docs/privacy.md).")
        except Refused as refused:
            return refusal(refused.status, refused.error, str(refused))
        return JsonResponse(page_of(asked, website), headers=self.headers_always)


def refusal(status: int, error: str, message: str) -> JsonResponse:
    return JsonResponse({"status": status, "error": error, "message": message}, status=status)


def reader(request: HttpRequest) -> Client:
    """The client, when its secret is right and it may read. An origin is not enough: anybody can write one."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    given: Credentials = credentials_of(Call("GET", request.path, "", headers, b"", ""))
    clients = Client.objects.live().filter(kind=Client.Kind.OPENPANEL).select_related("website")
    found = clients.filter(id=given.key).first() if given.key else None
    if found is not None and given.secret:
        site = as_site(*(getattr(found.website, name) for name in FIELDS))
        grant = ClientGrant(site, found.right, bytes(found.secret_hash or b""), Origins())
        if grant.is_secret(given.secret) and found.right != Client.Right.WRITE:
            return found
    raise Refused(401, "Unauthorized", "Needs the id and the secret of a client of type read or root.")


def project(client: Client, asked: str) -> Website:
    """The client's own website; to a root client also the others of its account."""
    try:
        wanted = UUID(asked) if asked else client.website.public_id
    except ValueError:
        raise Refused(400, "Bad Request", "projectId must be the id of a website.") from None
    if wanted == client.website.public_id:
        return client.website
    if client.right != Client.Right.ROOT:
        raise Refused(403, "Forbidden", "This client reads its own project only.")
    found = Website.objects.live().filter(account=client.website.account_id, public_id=wanted).first()
    if found is None:
        raise Refused(404, "Not Found", "There is no such project.")
    return found


def question(request: HttpRequest) -> Asked:
    includes = [word for text in request.GET.getlist("includes") for word in text.split(",") if word]
    if any(word not in INCLUDES for word in includes):
        raise Refused(400, "Bad Request", "includes must be profile, or absent.")
    names = tuple(name for name in request.GET.getlist("event") if name)
    profile = request.GET.get("profileId", "")
    if any("\0" in text for text in (*names, profile)):
        raise Refused(400, "Bad Request", "A parameter holds a NUL character.")
    return Asked(
        start=moment(request, "start"),
        end=moment(request, "end", is_end=True),
        names=names,
        profile=profile,
        page=number(request, "page", 1, LARGEST_PAGE),
        limit=number(request, "limit", PER_PAGE, MOST_PER_PAGE),
        with_profiles=bool(includes),
    )


def number(request: HttpRequest, name: str, default: int, most: int) -> int:
    text = request.GET.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= most):
        raise Refused(400, "Bad Request", f"{name} must be a whole number from 1 to {most}.")
    return int(text)


def moment(request: HttpRequest, name: str, *, is_end: bool = False) -> datetime | None:
    """A day or a time, in UTC unless it says otherwise. The day of an end is in it."""
    text = request.GET.get(name, "")
    if not text:
        return None
    try:
        if len(text) == 10:
            day = datetime.combine(date.fromisoformat(text), time(), UTC)
            return day + timedelta(days=1) if is_end else day
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if timezone.is_naive(found) else found.astimezone(UTC)
    except (ValueError, OverflowError):
        sentence = f"{name} must be a day or a time, for example 2026-03-18 or 2026-03-18T09:30:00Z."
        raise Refused(400, "Bad Request", sentence) from None


def page_of(asked: Asked, website: Website) -> dict[str, Any]:
    found = asked.of(website)
    total = found.count()
    first = (asked.page - 1) * asked.limit
    events = list(found[first : first + asked.limit]) if first < total else []
    people = known_people(website, events) if asked.with_profiles else None
    return {
        "meta": {
            "count": len(events),
            "totalCount": total,
            "pages": -(-total // asked.limit),
            "current": asked.page,
        },
        "data": [in_words(event, website, people) for event in events],
    }


def known_people(website: Website, events: list[Event]) -> dict[str, dict[str, Any]]:
    ids = {event.profile for event in events if event.profile}
    return {
        person.profile_id: {
            "id": person.profile_id,
            "firstName": person.first_name,
            "lastName": person.last_name,
            "email": person.email,
            "avatar": person.avatar,
            "properties": person.properties,
            "groups": person.groups,
        }
        for person in Profile.objects.filter(website_id=website.id, profile_id__in=ids)
    }


def in_words(event: Event, website: Website, people: dict[str, dict[str, Any]] | None) -> dict[str, Any]:
    found = {
        "id": str(event.id),
        "name": event.name,
        "projectId": str(website.public_id),
        "profileId": event.profile,
        "deviceId": device_id_of(event.visitor),
        "createdAt": event.occurred_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "properties": event.properties or {},
        "path": event.path,
        "referrer": event.referrer,
        "country": event.country,
        "region": event.region,
        "city": event.city,
        "browser": None if event.is_server else BROWSERS[event.browser],
        "os": None if event.is_server else SYSTEMS[event.os],
        "device": "server" if event.is_server else DEVICES[Device(event.device)],
    }
    return found if people is None else found | {"profile": people.get(event.profile or "")}
