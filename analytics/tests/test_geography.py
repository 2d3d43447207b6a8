"""Country, region and city of an address (contract 6.7; settings TINYTRAIL_GEOIP)."""

import json
import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.tests.test_commands import run
from analytics.ingest import geography
from analytics.ingest.geography import NOWHERE, Place, place
from analytics.ingest.grants import grants
from analytics.models import Event
from analytics.tests.builders import a_body, collect, make_website
from analytics.tests.hits import a_hit, a_site
from analytics.tests.panel import Panel
from analytics.tests.places import ENTRIES, LIMA, OSLO, PARIS, write_places
from tinytrail import checks


@pytest.fixture
def mmdb(tmp_path, settings, monkeypatch):
    settings.GEOIP = write_places(tmp_path / "places.mmdb")
    monkeypatch.setattr(geography, "places", geography.Places())
    return settings.GEOIP


def found(address):
    return geography.geography(a_hit(address=address), a_site())


def test_an_address_has_a_country_a_region_and_a_city(mmdb):
    assert found("203.0.113.9") == {"country": "FR", "region": "Île-de-France", "city": "Paris"}


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("198.51.100.1", Place("NO", None, "Oslo")),
        ("2001:db8::7", Place("PE", "Lima Province", "Lima")),
        ("192.0.2.1", NOWHERE),
        ("10.0.0.1", NOWHERE),
        ("", NOWHERE),
    ],
)
def test_what_the_file_does_not_say_is_unknown(mmdb, address, where):
    assert found(address) == where._asdict()


def test_without_a_file_there_is_no_place(settings):
    settings.GEOIP = ""
    assert found("203.0.113.9") == NOWHERE._asdict()


def test_a_file_of_ipv4_knows_nothing_of_ipv6(tmp_path, settings, monkeypatch):
    settings.GEOIP = write_places(tmp_path / "four.mmdb", {"203.0.113.0/24": PARIS}, ip_version=4)
    monkeypatch.setattr(geography, "places", geography.Places())
    assert found("2001:db8::7") == NOWHERE._asdict()
    assert found("203.0.113.9")["city"] == "Paris"


@pytest.mark.parametrize(
    ("record", "where"),
    [
        (None, NOWHERE),
        ([], NOWHERE),
        ("FR", NOWHERE),
        ({}, NOWHERE),
        ({"country": "France"}, NOWHERE),
        ({"country": 7, "city": 7, "subdivisions": 7}, NOWHERE),
        ({"country": {"iso_code": None}, "subdivisions": [], "city": {"names": {}}}, NOWHERE),
        ({"country_code": "fr", "country": "France"}, Place("FR")),
        ({"city": "x" * 300}, Place(city="x" * 255)),
        (PARIS, Place("FR", "Île-de-France", "Paris")),
        (OSLO, Place("NO", None, "Oslo")),
        (LIMA, Place("PE", "Lima Province", "Lima")),
    ],
)
def test_records_of_several_makers_are_read_and_no_record_is_an_error(record, where):
    assert place(record) == where


def test_a_newer_file_is_taken_while_the_server_runs(mmdb, tmp_path, monkeypatch):
    assert found("203.0.113.9")["city"] == "Paris"
    newer = write_places(tmp_path / "newer.mmdb", {"203.0.113.0/24": OSLO})
    os.utime(newer, (1, 1))
    os.replace(newer, mmdb)
    assert found("203.0.113.9")["city"] == "Paris"
    monkeypatch.setattr(geography, "LOOK_AGAIN_SECONDS", 0)
    assert found("203.0.113.9")["city"] == "Oslo"


def test_a_file_that_is_spoilt_while_the_server_runs_leaves_the_older_one_in_force(mmdb, tmp_path, monkeypatch):
    assert found("203.0.113.9")["city"] == "Paris"
    monkeypatch.setattr(geography, "LOOK_AGAIN_SECONDS", 0)
    spoilt = tmp_path / "spoilt"
    spoilt.write_bytes(b"no places")
    os.replace(spoilt, mmdb)
    assert found("203.0.113.9")["city"] == "Paris"
    os.unlink(mmdb)
    assert found("203.0.113.9")["city"] == "Paris"


@pytest.mark.django_db(transaction=True)
def test_events_of_every_dialect_are_stored_with_their_place(mmdb, client, settings):
    grants.forget()
    website = make_website()
    panel = Panel(website)
    collect(client, a_body(website), REMOTE_ADDR="203.0.113.9")
    device = panel.trusted | {"user-agent": panel.public["user-agent"]}
    panel.track("device", device | {"x-client-ip": "203.0.113.9"})
    panel.track("server", panel.trusted | {"x-client-ip": "198.51.100.1"})
    panel.track("payload", panel.trusted, properties={"__ip": "2001:db8::7"})
    panel.track("forged", panel.public | {"x-client-ip": "203.0.113.9"})
    places = {event.name: Place(event.country, event.region, event.city) for event in Event.objects.all()}
    assert places == {
        None: Place("FR", "Île-de-France", "Paris"),
        "device": Place("FR", "Île-de-France", "Paris"),
        "server": Place("NO", None, "Oslo"),
        "payload": Place("PE", "Lima Province", "Lima"),
        "forged": NOWHERE,
    }


@pytest.mark.django_db(transaction=True)
def test_where_a_server_stands_is_nobodys_place(mmdb, settings):
    grants.forget()
    panel = Panel(make_website())
    body = json.dumps({"type": "track", "payload": {"name": "x"}})
    Client(REMOTE_ADDR="203.0.113.9").post("/track", body, "application/json", headers=panel.trusted)
    assert Event.objects.get().country is None


# -- the command and the start ----------------------------------------------------------------------------------------


def test_the_command_says_what_the_file_holds(mmdb):
    sentence, told = run("geoip", "--address", "203.0.113.9", "--address", "10.0.0.1", "--json")
    assert sentence.splitlines()[0].startswith(f"{mmdb} is Test-City of ")
    assert sentence.splitlines()[0].endswith("with cities.")
    assert sentence.splitlines()[1:] == ["203.0.113.9: Paris, Île-de-France, FR.", "10.0.0.1: not in it."]
    assert told["addresses"]["203.0.113.9"] == {"country": "FR", "region": "Île-de-France", "city": "Paris"}
    assert (told["path"], told["kind"], told["hasCities"]) == (mmdb, "Test-City", True)
    assert told["networks"] >= len(ENTRIES)


def refused(*words, **options):
    with pytest.raises(CommandError) as error:
        call_command(*words, **options)
    return str(error.value)


def test_the_command_says_what_is_wrong(tmp_path, settings, mmdb):
    spoilt = tmp_path / "spoilt"
    spoilt.write_bytes(b"no places")
    assert refused("geoip", file=str(spoilt)) == f"{spoilt} is no MMDB file, or a damaged one."
    assert refused("geoip", file=str(tmp_path / "none")) == f"There is no file {tmp_path / 'none'}."
    assert refused("geoip", file=mmdb, address=["nonsense"]) == "nonsense is no IP address."
    settings.GEOIP = ""
    assert refused("geoip", file="").startswith("No file of places is configured. Set TINYTRAIL_GEOIP")


def test_a_path_without_a_file_stops_the_start_with_a_sentence():
    command = [sys.executable, "-c", "import tinytrail.settings"]
    environment = os.environ | {"TINYTRAIL_GEOIP": "/nowhere/places.mmdb"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ended.returncode != 0
    assert ended.stderr.strip().splitlines()[-1].endswith("there is no file /nowhere/places.mmdb.")


def test_a_file_that_is_no_mmdb_is_found_before_the_server_serves(tmp_path, settings, mmdb):
    assert checks.places_are_readable(None) == []
    spoilt = tmp_path / "spoilt"
    spoilt.write_bytes(b"no places")
    settings.GEOIP = str(spoilt)
    (finding,) = checks.places_are_readable(None)
    assert finding.msg == f"TINYTRAIL_GEOIP names a file that is no MMDB: {spoilt}."
    settings.GEOIP = ""
    assert checks.places_are_readable(None) == []
