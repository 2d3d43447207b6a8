"""Everything that an account can have: something of each kind, with words of the test's own in every text.

Tests of isolation look for one account's words in what another is shown; tests of hostile texts look whether the words
come to life. So what is stored goes past the checks of the routes where these would not take such words: what once
came in by an older rule is shown, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote

from django.contrib.admin import site
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group as Rights
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

from accounts import audit
from accounts.clients import create_openpanel_client, create_widget_client
from accounts.models import Account, AuditEntry, OpenPanelClient, User, Website, WidgetToken
from accounts.tests.builders import make_user, make_website
from analytics import drops
from analytics.dashboard import links as shared
from analytics.ids import next_id
from analytics.ingest.hit import Hit
from analytics.models import Drop, Event, Group, Profile, SharedLink
from analytics.rollups.build import build
from analytics.tests.builders import CHROME, load
from analytics.tests.tracking import acted, tell
from analytics.tests.widgets import BEST, INSTANCE, ask
from analytics.vocabulary import Dialect, Type
from submissions import calendars, catalog, links
from submissions.models import Batch, Calendar, CatalogEvent, Decision, Host, Message, Submission
from submissions.tests.builders import make_submission

LONG = 3_000


@dataclass(frozen=True)
class Words:
    """What the account's people and visitors write: the first of the texts that fits in so many characters."""

    texts: tuple[str, ...]
    link: str

    def __call__(self, most: int = LONG) -> str:
        return next((text for text in self.texts if len(text) <= most), self.texts[-1][:most])


@dataclass
class Holdings:
    account: Account
    words: Words
    # May do in the back office whatever a moderator may.
    user: User
    website: Website
    calendar: Calendar
    event: CatalogEvent
    link: SharedLink
    event_link: SharedLink
    # What the back office has a page for, by model.
    rows: dict[type[Model], Model] = field(default_factory=dict)
    submissions: list[Submission] = field(default_factory=list)
    batch: Batch | None = None

    @property
    def tokens(self) -> dict[str, str]:
        """What opens its pages to whoever has it."""
        return {
            "share": shared.token_of(self.link),
            "share of an event": shared.token_of(self.event_link),
            **{f"proposal {n}": links.token_of(one) for n, one in enumerate(self.submissions)},
        }


def make_holdings(account: Account, domain: str, words: Words, *, now: datetime, role: str = "user") -> Holdings:
    user = make_user(account, role=role, login=words(254), email=words(254))
    user.user_permissions.add(*Permission.objects.filter(content_type__app_label__in=["submissions", "analytics"]))
    website = make_website(account, domain, groups=[{"name": words(100), "pattern": "/*"}], excluded=["198.51.100.7"])
    calendar = calendars.change(calendars.of_website(website), name=words(120))
    Calendar.objects.filter(pk=calendar.pk).update(toggled_by=words(254))
    event = make_event(calendar, words, now=now)
    found = Holdings(
        account=account,
        words=words,
        user=User.objects.get(pk=user.pk),
        website=website,
        calendar=calendar,
        event=event,
        link=share(website, words, by=user),
        event_link=share(website, words, by=user, event=event),
    )
    found.user.key = user.key
    found.submissions = make_submissions(found, now=now)
    found.batch = Batch.objects.create(
        actor=found.user,
        action=Batch.Action.DECLINE,
        reason=words(500),
        message=words(LONG),
        submissions=[str(one.pk) for one in found.submissions],
        done=1,
        refused={words(200): 1},
        created_at=now,
    )
    found.rows = dict(make_rows(found, now=now))
    make_history(found)
    make_traffic(found, now=now)
    return found


def share(website: Website, words: Words, *, by: User, event: CatalogEvent | None = None) -> SharedLink:
    return shared.share(website, name=words(120), password="", hosts=[], last_day=None, by=by, event=event)


def make_event(calendar: Calendar, words: Words, *, now: datetime) -> CatalogEvent:
    """A live one of next week, past the catalogue's own checks."""
    day = str((now + timedelta(days=7)).date())
    event = catalog.create(calendar, name="Jazz", date=day, start_time="20:00", location="Paris", now=now)
    texts = {name: words(most) for name, (_, most) in catalog.LENGTHS.items() if name != "url"}
    search = " ".join(texts.values()).casefold()
    CatalogEvent.objects.filter(pk=event.pk).update(**texts, url=words.link, is_featured=True, search_text=search)
    return CatalogEvent.objects.get(pk=event.pk)


def make_submissions(of: Holdings, *, now: datetime) -> list[Submission]:
    """One of each state: pending with a question, declined, accepted."""
    words, payload = of.words, {}
    for name, (_, most) in catalog.LENGTHS.items():
        payload[catalog.CONTRACT_NAMES[name]] = words(most)
    payload |= {"proofLink": words.link, "submittedAt": now.isoformat()}
    flag = {"signal": words(40), "sentence": words(200), "evidence": {words(40): [words(200), words.link]}}
    status = Submission.Status
    told = {"review_reason": words(500), "review_message": words(LONG), "reviewed_by": words(254), "reviewed_at": now}
    made = []
    for more in (
        {"asked_at": now, "looked_at": now, "looked_at_by": of.user},
        {"status": status.DECLINED} | told,
        {"status": status.ACCEPTED, "accepted_event": of.event, "accepted_event_key": of.event.key} | told,
    ):
        # Folded as intake does it, without the words' letters case.
        one = make_submission(
            of.calendar, words(180), email=words(254), created_at=now, flags=[flag], payload=payload, **more
        )
        for author in Message.Author:
            Message.objects.create(submission=one, at=now, author=author, user=of.user, text=words(LONG))
        Decision.objects.create(submission=one, at=now, action="decline", by=words(254), reason=words(500))
        made.append(one)
    return made


def make_rows(of: Holdings, *, now: datetime) -> Iterator[tuple[type[Model], Model]]:
    """One row for each model that has pages in the back office; a model that is missing here fails `check_models`."""
    words, website = of.words, of.website
    seen = {"created_at": now, "first_seen_at": now, "last_seen_at": now}
    properties = {words(60): words(200), "nested": {words(60): [words(200), words.link]}}
    token = create_widget_client(website, name=words(120))
    program, _ = create_openpanel_client(website, name=words(120))
    audit.record("user.change", of.user.id, by=of.user)
    drops.count("v1", words(60), day=now.date(), website_id=website.id)
    yield Account, of.account
    yield User, of.user
    yield AuditEntry, AuditEntry.objects.filter(actor=of.user.id).latest("at")
    yield Rights, Rights.objects.create(name=words(150 - 12) + str(of.account.id)[:12])
    yield Website, website
    yield WidgetToken, WidgetToken.objects.get(pk=token.pk)
    yield OpenPanelClient, OpenPanelClient.objects.get(pk=program.pk)
    yield Calendar, of.calendar
    yield CatalogEvent, of.event
    yield Submission, of.submissions[0]
    yield Decision, Decision.objects.filter(submission=of.submissions[0]).latest("at")
    yield Host, Host.objects.get(calendar=of.calendar)
    yield Drop, Drop.objects.get(website_id=website.id)
    yield (
        Profile,
        Profile.objects.create(
            website_id=website.id,
            profile_id=words(255),
            first_name=words(255),
            last_name=words(255),
            email=words(255),
            avatar=words.link,
            properties=properties,
            groups=[words(255)],
            **seen,
        ),
    )
    yield (
        Group,
        Group.objects.create(
            website_id=website.id,
            group_id=words(255),
            type=words(255),
            name=words(255),
            properties=properties,
            created_at=now,
            changed_at=now,
        ),
    )


def check_models(of: Holdings) -> None:
    """Whoever registers a model has to say in `make_rows` what an account has of it."""
    registered = set(site._registry)
    assert set(of.rows) == registered, registered ^ set(of.rows)


def make_history(of: Holdings) -> None:
    """What Django's own log says of each row."""
    LogEntry.objects.bulk_create(
        LogEntry(
            user=of.user,
            content_type=ContentType.objects.get_for_model(model, for_concrete_model=False),
            object_id=str(row.pk),
            object_repr=of.words(200),
            action_flag=CHANGE,
            change_message=of.words(LONG),
        )
        for model, row in of.rows.items()
    )


def make_traffic(of: Holdings, *, now: datetime) -> None:
    """Visits, readers of the calendar, widgets and a product's users: yesterday, and a few minutes ago."""
    words, website = of.words, of.website
    utm = {name: words(255) for name in ("utm_source", "utm_medium", "utm_campaign")}
    properties = {words(60): words(200), "href": words.link}
    for number, at in enumerate((now - timedelta(days=1), now - timedelta(minutes=5))):
        who = {"ip": f"203.0.113.{number + 20}"}
        path = f"/{words(500)}"
        load(
            website,
            {"at": at, "path": path, "referrer": f"https://{words(100)}/", "properties": properties} | utm | who,
            {"at": at, "event_type": "custom", "path": path, "properties": {"event_name": words(100)} | properties}
            | who,
            {"at": at, "event_type": "outbound_link", "path": path, "properties": properties} | who,
            now=now,
        )
        tell(
            website,
            acted(at, "click", event=of.event.key, source=words(80), session=words(100)),
            acted(at, "outbound_click", event=of.event.key, source=words(80)),
            acted(at, "search", search=words(200), matches=0),
            acted(at, "filter_apply", group="genre", value=words(120), matches=0),
            *products(of, at),
        )
    # A host that is none is not taken for a referrer.
    Event.objects.filter(website_id=website.id, type=Type.PAGE_VIEW).update(referrer=words(100))
    token = of.rows[WidgetToken]
    segments = [("segments[]", f"{words(60).replace(':', ' ')}:{words(200)}")]
    person = words(120)
    ask(f"{BEST}/render", token, *segments, analytics_id=person)
    ask(f"{BEST}/media/5/click", token, *segments, analytics_id=person)
    ask(f"/track/widget/{INSTANCE}/stream/not_found/render", token, *segments, analytics_id=person, pics=None)
    bought = [("products[]", f"{words(200)}:12.50"), *segments]
    ask(f"/track/transaction/{quote(words(100).replace('/', ''))}/checkout", token, *bought, analytics_id=person)
    for day in {now.date(), (now - timedelta(days=1)).date()}:
        build(website.id, day, now=now)


def products(of: Holdings, at: datetime) -> list[Hit]:
    """What a product tells of the person, and of somebody whose row was never made."""
    words = of.words
    return [
        Hit(
            dialect=Dialect.OPENPANEL,
            id=next_id(),
            occurred_at=at,
            address="192.0.2.9",
            user_agent=CHROME,
            type=Type.OTHER,
            name=words(255),
            path=f"/{words(500)}",
            properties={words(60): words(200)},
            profile=profile,
            client_session=words(100),
            given={"country": "FR", "region": words(60), "city": words(60)},
        )
        for profile in (words(255), f"{words(200)} 2")
    ]
