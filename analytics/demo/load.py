"""Loading the demo: all of it or nothing, and once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.clients import create_openpanel_client, create_widget_client
from accounts.models import Account, Website
from accounts.origins import Origins
from accounts.registration import register_account, register_website
from analytics.api.openpanel.credentials import ClientGrant, clients
from analytics.api.widgets.tokens import Permit, tokens
from analytics.demo import readers, shop
from analytics.demo.city import City, build_city
from analytics.demo.saying import Browser, engaged, page, widget_did
from analytics.ingest.calendar import CalendarGrant, Copy, as_live, calendars, catalog_events
from analytics.ingest.grants import Grant, Kind, Source
from analytics.ingest.website import FIELDS, Site, as_site, websites
from analytics.models import Event
from analytics.replay import Past, replay
from analytics.rollups.build import build, dirty_days
from analytics.traffic import Chance
from submissions.filters import COLUMNS
from submissions.live import upcoming

ACCOUNT, CITY, SHOP = "Demo", "demo.example", "shop.demo.example"
GROUPS = [{"name": "Events", "pattern": "/events/*"}, {"name": "Articles", "pattern": "/blog/*"}]
SHOP_GROUPS = [{"name": "Products", "pattern": "/prints*"}, {"name": "Till", "pattern": "/checkout*"}]
EXAMPLE_HOST = "venues.example"
# A day's searches are matched against what was upcoming in that week.
COPY_DAYS = 7
CITY_DAYS, SHOP_DAYS = 365, 60

Watch = Callable[[str, int, int], Any]


@dataclass(slots=True, frozen=True)
class Loaded:
    city: Website
    shop: Website
    # 0 when everything was there already.
    stored: int


def load(
    *,
    now: datetime,
    city_days: int = CITY_DAYS,
    shop_days: int = SHOP_DAYS,
    watch: Watch = lambda what, done, total: None,
) -> Loaded:
    """Make the demo's account, websites and a year of data. `watch` is told what is done of how much."""
    account = Account.objects.live().filter(name=ACCOUNT).first()
    if found := account and already(account):
        return found
    with transaction.atomic():
        account = account or register_account(ACCOUNT)
        city_site = website_of(account, CITY, GROUPS)
        shop_site = website_of(account, SHOP, SHOP_GROUPS)
        city = build_city(city_site, weeks=city_days // 7, today=now.astimezone(UTC).date(), now=now)
        token = create_widget_client(shop_site, name="Picture wall", redirect_hosts=[EXAMPLE_HOST])
        client, secret = create_openpanel_client(shop_site, name="Shop app")
        store = shop.Shop(shop_site, str(token.token), str(client.id), secret)
        said = [
            *readers.visits(city, days=city_days, now=now),
            *shop.calls(store, days=shop_days, now=now),
            *mistakes(city, store, now=now),
        ]
        known = Known(city, store)
        total = len(said)
        tally = replay(said, grant_of=known.grant_of, now=now, progress=lambda more: watch("loading", more, total))
    build_days(city_site, shop_site, now=now, watch=watch)
    return Loaded(city_site, shop_site, tally.stored)


def already(account: Account) -> Loaded | None:
    sites = {site.domain: site for site in Website.objects.live().filter(account=account, domain__in=(CITY, SHOP))}
    if len(sites) == 2 and Event.objects.filter(website_id=sites[CITY].id).exists():
        return Loaded(sites[CITY], sites[SHOP], 0)
    return None


def website_of(account: Account, domain: str, groups: list[dict[str, str]]) -> Website:
    found = Website.objects.live().filter(account=account, domain=domain).first()
    return found or register_website(account, domain=domain, groups=groups)


def build_days(*sites: Website, now: datetime, watch: Watch) -> None:
    today = now.astimezone(UTC).date()
    first = today - timedelta(days=CITY_DAYS + 1)
    days = [(site.id, day) for site in sites for day in dirty_days(site.id, first, today)]
    for website_id, day in days:
        build(website_id, day, now=now)
        watch("building", 1, len(days))


def mistakes(city: City, store: shop.Shop, *, now: datetime) -> Iterator[Past]:
    """What every installation sees: an old event's page, a typing error in a token, a page with another's snippet."""
    browser = Browser.of(Chance(3))
    for minutes in (5, 17, 190, 800):
        at = now - timedelta(minutes=minutes)
        yield engaged(at, browser, "evt_0000000000000000", "click", "list", "/events/gone")
        yield widget_did(at, browser, store.token, "home-wall/category/3/render.gif", pics="many")
    for minutes in (9, 240):
        at = now - timedelta(minutes=minutes)
        yield page(at, browser, str(UUID(int=7)), city.calendar.website.domain, "/")
        yield widget_did(at, browser, "not-a-token", "home-wall/category/3/render.gif", pics=8)


class Known:
    """Whom the demo's calls are for, as it was on their days."""

    def __init__(self, city: City, store: shop.Shop) -> None:
        self._city = city
        self._site, self._shop = site_of(city.calendar.website), site_of(store.website)
        self._keys = {event.key for event in city.events}
        client = store.website.clients.get(pk=store.client_id)
        token = store.website.clients.get(token=store.token)
        self._permits: dict[Any, Grant] = {
            store.token: Permit(self._shop, token.id, frozenset(token.redirect_hosts)),
            client.id: ClientGrant(self._shop, client.right, bytes(client.secret_hash or b""), Origins(client.origins)),
        }
        self._sites = {site.public_id: site for site in (self._site, self._shop)}
        self._copies: dict[date, Copy] = {}
        self._of: dict[Kind, Callable[[Any, datetime], Grant | None]] = {
            websites: self._website,
            catalog_events: lambda key, at: Grant(self._site) if key in self._keys else None,
            calendars: lambda key, at: CalendarGrant(self._site, self._copy(at.date())),
            tokens: lambda key, at: self._permits.get(key),
            clients: lambda key, at: self._permits.get(key),
        }

    def grant_of(self, source: Source, at: datetime) -> Grant | None:
        return self._of[source.kind](source.key, at)

    def _website(self, public_id: UUID, at: datetime) -> Grant | None:
        site = self._sites.get(public_id.bytes)
        return Grant(site) if site else None

    def _copy(self, day: date) -> Copy:
        """What was upcoming then, of what the calendar has by now."""
        week = date.fromordinal(day.toordinal() - day.toordinal() % COPY_DAYS)
        if week not in self._copies:
            soon = upcoming(self._city.calendar.id, week).filter(
                starts_on__lte=week + timedelta(days=readers.AHEAD_DAYS)
            )
            self._copies[week] = Copy(self._city.calendar.version, week, as_live(soon.values_list(*COLUMNS)))
        return self._copies[week]


def site_of(website: Website) -> Site:
    return as_site(*(getattr(website, name) for name in FIELDS))
