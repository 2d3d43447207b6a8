"""docs/operations.md says of every variable, metric and secret what there is to say, and of nothing else."""

import re

import pytest
from django.test import Client

from tinytrail.tests.composed import compose, interpolated, new_names
from tinytrail.tests.engines import ROOT
from tinytrail.tests.test_documents import variables

TEXT = (ROOT / "docs/operations.md").read_text()
CODE = (ROOT / "tinytrail/settings.py").read_text()
DEFAULT = re.compile(r'\b(?:text|number|switch|networks)\(\s*"([A-Z_]+)"(?:, ("[^"]*"|\d[\d_]*))?')
LIMIT = re.compile(r'\blimit\("([A-Z_]+)", "([^"]+)"\)')
# Unset, they depend on where it runs or on another variable.
DEPENDING = {"TINYTRAIL_DATA": ".data", "TINYTRAIL_LOG": "plain"}


def section(title: str) -> str:
    return TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def described() -> dict[str, str]:
    """The variables of the table with their defaults."""
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\| [^|]+ \|$", section("Environment"), re.M)
    return {name: default.strip("` ") for name, default in rows}


def stated() -> dict[str, str]:
    """What the settings say."""
    switches = set(re.findall(r'switch\("([A-Z_]+)"\)', CODE))
    found = {name: default.strip('"').replace("_", "") for name, default in DEFAULT.findall(CODE)}
    found |= dict.fromkeys(switches, "0") | DEPENDING
    return found | {f"TINYTRAIL_LIMIT_{name}": default for name, default in LIMIT.findall(CODE)}


def test_every_variable_is_described_and_no_other() -> None:
    # A name that ends in an underscore is the beginning of several.
    read = {name for name in variables() if not name.endswith("_")}
    assert set(described()) == read | {"HOST", "PORT"}


def test_defaults_are_those_of_the_settings() -> None:
    defaults = stated()
    wrong = {name: default for name, default in described().items() if default != defaults.get(name, "")}
    assert wrong == {}
    assert len(defaults) > 30


def test_the_secrets_are_those_that_compose_needs() -> None:
    made = re.search(r"for name in ([\w\s\\]+); do", section("Installing with Docker Compose"))
    assert made is not None
    assert re.findall(r"\w+", made[1]) == new_names()


def test_the_subnet_is_that_of_compose() -> None:
    (front,) = compose()["networks"]["front"]["ipam"]["config"]
    assert interpolated(front["subnet"], {}) in section("Installing with Docker Compose")


@pytest.mark.django_db
def test_every_metric_is_described_and_no_other(client: Client) -> None:
    served = {
        line.split()[2].removeprefix("tinytrail_")
        for line in client.get("/metrics").text.splitlines()
        if "# TYPE" in line
    }
    rows = re.findall(r"^\| (`.*?) \| [^|]+ \|$", section("Monitoring").partition("Worth a call")[0], re.M)
    names = {name for row in rows for name in re.findall(r"`(\w+)`", row.partition(" by ")[0])}
    # Seen only once beat has sent a task.
    assert names == served | {"beat_silent_seconds"}


def test_alerts_ask_for_metrics_that_there_are() -> None:
    table, _, alerts = section("Monitoring").partition("Worth a call")
    assert {name for name in re.findall(r"tinytrail_(\w+)", alerts) if f"`{name}`" not in table} == set()
