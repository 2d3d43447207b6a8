"""People in the back office and on the command line: seen, exported, erased (guarantee P18; running.md, `show`)."""

import asyncio
import io
import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.removal import remove_website
from accounts.tests.builders import make_root, make_user
from analytics import profiles, retention
from analytics.ingest import outage
from analytics.ingest.grants import grants
from analytics.ingest.hit import Change
from analytics.ingest.row import COLUMNS
from analytics.ingest.writer import keep
from analytics.models import BuiltDay, DirtyDay, Event, Group, Profile, Quarantine
from analytics.rollups.build import build
from analytics.tests.builders import make_account, make_website
from analytics.tests.panel import Panel

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = "/admin/analytics/profile/"
CANARY = "canary@example.test"


@pytest.fixture(autouse=True)
def _nothing_remembered():
    grants.forget()


@pytest.fixture
def account():
    return make_account()


@pytest.fixture
def panel(account):
    return Panel(make_website(account))


@pytest.fixture
def acme(account):
    return make_user(account, login="acme")


@pytest.fixture
def globex():
    return make_user(make_account("Globex"), login="globex")


@pytest.fixture
def joe(panel):
    """A person who has done something."""
    panel.send("identify", {"profileId": "joe", "firstName": "Joe", "email": CANARY, "properties": {"tier": "premium"}})
    panel.send("increment", {"profileId": "joe", "property": "stats.visits", "value": 3})
    panel.send("group", {"id": "org1", "type": "company", "name": "Doe & Sons"})
    panel.send("assign_group", {"groupIds": ["org1"], "profileId": "joe"})
    panel.track("signup", profileId="joe", properties={"plan": "<b>pro</b>"})
    panel.track("login", profileId="joe")
    panel.track("login", profileId="ann")
    return Profile.objects.get(profile_id="joe")


def office(user):
    client = Client()
    client.force_login(user)
    return client


def page(profile, path="change/"):
    return f"{PEOPLE}{profile.pk}/{path}"


def test_the_list_shows_the_people_of_ones_own_websites(acme, globex, joe):
    listed = office(acme).get(PEOPLE).context["cl"].result_list
    assert {person.profile_id for person in listed} == {"joe", "ann"}
    assert list(office(globex).get(PEOPLE).context["cl"].result_list) == []
    assert len(office(make_root(login="root")).get(PEOPLE).context["cl"].result_list) == 2


@pytest.mark.parametrize(
    ("words", "found"), [("joe", {"joe"}), ("canary@", {"joe"}), ("ann", {"ann"}), ("nobody", set())]
)
def test_people_are_found_by_id_name_and_email(acme, joe, words, found):
    listed = office(acme).get(PEOPLE, {"q": words}).context["cl"].result_list
    assert {person.profile_id for person in listed} == found


def test_a_page_shows_what_is_known_and_what_was_done(acme, joe):
    text = office(acme).get(page(joe)).content.decode()
    for word in ("Joe", CANARY, "premium", "stats.visits", "org1", "signup", "login"):
        assert word in text
    # The properties of an event stand in a table as text.
    assert "&lt;b&gt;pro&lt;/b&gt;" in text
    assert "<b>pro</b>" not in text


def test_nobody_writes_there_by_hand(acme, joe):
    assert office(acme).post(page(joe), {"first_name": "Jim"}).status_code == 403
    assert office(acme).get(f"{PEOPLE}add/").status_code == 403
    assert office(acme).post(page(joe, "delete/"), {"post": "yes"}).status_code == 403
    assert Profile.objects.get(pk=joe.pk).first_name == "Joe"


@pytest.mark.parametrize("path", ["change/", "export/", "erase/"])
def test_another_accounts_person_is_not_there(globex, joe, path):
    client = office(globex)
    assert client.get(page(joe, path)).status_code == 404
    assert client.get(f"{PEOPLE}999999/{path}").status_code == 404
    assert client.post(page(joe, "erase/")).status_code == 404
    assert Profile.objects.filter(pk=joe.pk).exists()


@pytest.mark.parametrize("object_id", ["x", "9" * 30, "²"])
def test_what_is_no_id_is_not_there(acme, object_id):
    assert office(acme).get(f"{PEOPLE}{object_id}/export/").status_code == 404


def test_the_list_takes_as_many_queries_for_one_as_for_three(acme, joe, panel, django_assert_max_num_queries):
    client = office(acme)
    client.get(PEOPLE)
    with django_assert_max_num_queries(9):
        client.get(PEOPLE)
    panel.track("login", profileId="eve")
    with django_assert_max_num_queries(9):
        client.get(PEOPLE)


# -- to take away -----------------------------------------------------------------------------------------------------


def test_everything_about_a_person_is_exported(acme, joe):
    answer = office(acme).get(page(joe, "export/"))
    assert answer["Cache-Control"].startswith("no-store")
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"].startswith("attachment")
    told = json.loads(b"".join(answer.streaming_content))
    assert told["profile"]["profileId"] == "joe"
    assert (told["profile"]["firstName"], told["profile"]["email"]) == ("Joe", CANARY)
    assert told["profile"]["properties"] == {"tier": "premium", "stats": {"visits": 3}}
    assert told["groups"] == [{"id": "org1", "type": "company", "name": "Doe & Sons"}]
    assert [event["name"] for event in told["events"]] == ["login", "signup"]
    assert told["events"][1]["properties"] == {"plan": "<b>pro</b>"}
    entry = AuditEntry.objects.get(action="profile.export")
    assert (entry.actor, entry.subject) == (acme.id, str(profiles.public_id(joe)))


def camel(column):
    first, *others = column.split("_")
    return first + "".join(map(str.title, others))


def test_no_column_is_left_out_of_an_export(joe):
    """Nor one of tomorrow."""
    told = json.loads(b"".join(profiles.everything(joe)))
    of_person = {field.column for field in Profile._meta.concrete_fields} - {"id", "website_id"}
    assert set(told["profile"]) == set(map(camel, of_person))
    assert set(told["events"][0]) == set(map(camel, COLUMNS)) - {"websiteId", "profile"}


# -- to forget --------------------------------------------------------------------------------------------------------


def dump():
    """Every row of every table, as text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        text = ""
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT t::text FROM {table} t")
            text += "".join(row for (row,) in cursor.fetchall())
    return text


def test_erasing_asks_first_and_then_leaves_nothing_in_any_table(acme, panel):
    who = "canary-77"
    panel.send("identify", {"profileId": who, "email": CANARY, "properties": {"note": who}})
    panel.track(f"event-{who}", profileId=who, properties={"note": who})
    panel.track("signup", profileId="ann")
    profile = Profile.objects.get(profile_id=who)
    event = Event.objects.get(profile=who)
    from_stream(panel, who)
    keep(row_of(panel, who), "as a test wants it")
    assert who in dump()
    client = office(acme)
    assert "for good" in client.get(page(profile, "erase/")).content.decode()
    assert Profile.objects.filter(pk=profile.pk).exists()
    answer = client.post(page(profile, "erase/"))
    assert answer.url == PEOPLE
    client.get(PEOPLE)
    left = dump()
    for word in (who, CANARY, who.encode().hex(), event.name):
        assert word not in left
    assert client.get(page(profile)).status_code == 404
    assert list(Profile.objects.values_list("profile_id", flat=True)) == ["ann"]
    assert Event.objects.count() == 1
    entry = AuditEntry.objects.get(action="profile.erase")
    assert (entry.actor, entry.subject) == (acme.id, str(panel.website.public_id))


def row_of(panel, who):
    data = {"does": "seen", "website": panel.website.id, "id": who, "at": timezone.now().isoformat()}
    change = Change("profile", json.dumps(data).encode(), is_repeatable=True)
    return outage.Row(panel.website.id, timezone.now(), b"", change=change)


def from_stream(panel, who):
    """Leaves an event of the person in the outage stream, as it waits there while PostgreSQL is away."""

    async def put():
        stream = outage.Stream(settings.REDIS_URL)
        await stream.put([row_of(panel, who)], {})
        await stream.close()

    asyncio.run(put())


def test_the_days_of_the_erased_are_counted_anew_and_final_ones_stay(panel, joe):
    today = timezone.now().date()
    build(panel.website.id, today, now=timezone.now())
    DirtyDay.objects.all().delete()
    profiles.erase(joe, by=None)
    assert set(DirtyDay.objects.values_list("day", flat=True)) == {today}
    ann = Profile.objects.get(profile_id="ann")
    DirtyDay.objects.all().delete()
    BuiltDay.objects.filter(day=today).update(is_final=True)
    profiles.erase(ann, by=None)
    assert not DirtyDay.objects.exists()


def test_somebody_else_in_quarantine_stays(panel, joe):
    keep(row_of(panel, "joeline"), "as a test wants it")
    profiles.erase(joe, by=None)
    assert Quarantine.objects.count() == 1


def test_who_comes_back_is_known_from_then_on(panel, joe):
    profiles.erase(joe, by=None)
    panel.track("login", profileId="joe")
    again = Profile.objects.get(profile_id="joe")
    assert (again.first_name, again.properties) == (None, {})
    assert timezone.now() - again.first_seen_at < timedelta(minutes=1)


def test_people_and_groups_go_with_their_website(panel, joe):
    remove_website(panel.website, by=None, now=timezone.now())
    retention.purge_deleted()
    assert (Profile.objects.count(), Group.objects.count(), Event.objects.count()) == (0, 0, 0)


# -- show -------------------------------------------------------------------------------------------------------------


def test_show_profiles_tells_the_newest_first(panel, joe):
    out = io.StringIO()
    call_command("show", "profiles", "--json", website=str(panel.website.public_id), stdout=out, stderr=io.StringIO())
    rows = json.loads(out.getvalue())["rows"]
    assert {row["profileId"] for row in rows} == {"joe", "ann"}
    assert next(row for row in rows if row["profileId"] == "joe") == {
        "profileId": "joe",
        "firstName": "Joe",
        "lastName": None,
        "email": CANARY,
        "properties": {"tier": "premium", "stats": {"visits": 3}},
    }


# -- groups -----------------------------------------------------------------------------------------------------------


def test_groups_are_listed_and_shown_to_their_own_account(acme, globex, joe):
    groups = "/admin/analytics/group/"
    (group,) = office(acme).get(groups).context["cl"].result_list
    assert "Doe &amp; Sons" in office(acme).get(f"{groups}{group.pk}/change/").content.decode()
    assert list(office(globex).get(groups).context["cl"].result_list) == []
    assert office(globex).get(f"{groups}{group.pk}/change/").status_code == 404
