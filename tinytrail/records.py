"""The words in which each app says what it stores: its `records.py` has one Table for each of its models.

`tinytrail.privacy` makes docs/privacy.md of them; tests hold them to the schema, and every rule to what happens when
the clock is moved.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any

# Settings that count days, with what they are unless an operator sets them.
SETTINGS = {"RETENTION_DAYS": 400, "PROFILE_RETENTION_DAYS": 400, "BACKUP_DAYS": 90}


class Whom(Enum):
    """Whom a table is about."""

    VISITORS = "visitors of websites"
    PEOPLE = "people whom a product has told of"
    BUYERS = "buyers"
    HOSTS = "hosts who propose events"
    STAFF = "people who work with this installation"
    NOBODY = "nobody"


class Personal(str):
    """The words of a column that says something about one person, under whatever name."""


@dataclass(frozen=True)
class Expires:
    """The row goes when what `column` says is so long ago: a time, or the setting that counts the days."""

    column: str
    after: timedelta | str
    # Only rows with these values.
    where: Mapping[str, Any] = field(default_factory=dict)
    # When that is said otherwise than by the column and the time.
    words: str = ""


@dataclass(frozen=True)
class Loses:
    """The row stays, and these columns are emptied when what `column` says is so long ago."""

    columns: tuple[str, ...]
    column: str
    after: timedelta | str
    where: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""


@dataclass(frozen=True)
class Until:
    """The row goes with something that happens, and not with time."""

    words: str


@dataclass(frozen=True)
class Forever:
    """The row stays for as long as its website, or the installation. The words say why that is right."""

    words: str


Rule = Expires | Loses | Until | Forever


@dataclass(frozen=True)
class Table:
    """A model in words: whom its rows are about, what they are for, and each column."""

    model: str
    whom: Whom
    what: str
    columns: Mapping[str, str]
    kept: tuple[Rule, ...]
