"""docs/privacy.md: what an installation stores of whom, and for how long, made of the models and the words of each app.

The words stand in the apps' `records.py`, what is not about a single table in templates/privacy.md.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from string import Template

from django.apps import apps
from django.conf import settings
from django.db.models import Model

from accounts import records as of_accounts
from analytics import records as of_analytics
from analytics.reports.exemption import LEAST_VISITORS
from submissions import records as of_submissions
from tinytrail.records import SETTINGS, Expires, Forever, Loses, Personal, Rule, Table, Until

FILE = Path(settings.BASE_DIR) / "docs" / "privacy.md"
TEXT = Path(settings.BASE_DIR) / "templates" / "privacy.md"
PARTS = {
    "Visits, purchases and people": of_analytics.TABLES,
    "Proposals and the calendar": of_submissions.TABLES,
    "Accounts and the people who work with them": of_accounts.TABLES,
}
TABLES = {table.model: table for tables in PARTS.values() for table in tables}


def models() -> dict[str, type[Model]]:
    """Every table of the installation that Django knows, by its label."""
    found = apps.get_models(include_auto_created=True)
    return {model._meta.label: model for model in found if not model._meta.proxy and model._meta.managed}


def columns_of(model: type[Model]) -> list[str]:
    """The columns of its table, in their order."""
    return [str(field.column) for field in model._meta.concrete_fields if field.column]


def document() -> str:
    """The whole file."""
    words = Template(TEXT.read_text())
    return words.substitute(tables="\n".join(map(part, PARTS)), least=LEAST_VISITORS)


def part(title: str) -> str:
    return f"## {title}\n\n" + "\n".join(map(section, PARTS[title]))


def section(table: Table) -> str:
    return "\n".join(lines_of(table)) + "\n"


def lines_of(table: Table) -> Iterator[str]:
    yield f"### {table.model}"
    yield ""
    yield f"{table.what}"
    yield ""
    yield f"About: {table.whom.value}. Kept: {'; '.join(map(kept, table.kept))}."
    yield ""
    yield "| Column | Personal | What it is |"
    yield "|---|---|---|"
    for column in columns_of(models()[table.model]):
        words = table.columns[column]
        yield f"| `{column}` | {'yes' if isinstance(words, Personal) else ''} | {words} |"


def kept(rule: Rule) -> str:
    """A rule in words, as part of a sentence."""
    if isinstance(rule, Until):
        return f"until {rule.words}"
    if isinstance(rule, Forever):
        return f"for good: {rule.words}"
    when = rule.words or f"{span(rule.after)} after `{rule.column}`{condition(rule)}"
    if isinstance(rule, Loses):
        return f"without {', '.join(f'`{column}`' for column in rule.columns)} {when}"
    return when if rule.words else f"until {when}"


def span(after: timedelta | str) -> str:
    if isinstance(after, str):
        return f"TINYTRAIL_{after} ({SETTINGS[after]}) days"
    return f"{after.days} days" if after >= timedelta(days=3) else f"{after // timedelta(hours=1)} hours"


def condition(rule: Expires | Loses) -> str:
    return "".join(f", where {name.replace('__', ' ')} is {value}" for name, value in rule.where.items())
