"""What README.md and docs/ say is so: links lead somewhere, commands exist, and every example has been run.

A block of `sh` is run here, pasted into one shell after those before it on its page. Any other block, and a command
that cannot be run here, names the test that tries it in a comment above it, which readers do not see:
`<!-- tried by file::test -->`. That the test exists is checked in test_guarantees.py.
"""

import os
import re
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from markdown_it import MarkdownIt

from accounts.tests.builders import make_account
from analytics.tests.servers import ASGI, database, served
from analytics.tests.tracking import make_calendar, make_event
from tinytrail.tests.engines import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TRIED = re.compile(r"<!-- tried by `[^`]+::\w+` -->\s*")
COMMAND = re.compile(r"manage\.py (?P<command>[a-z_]+)(?P<rest>[^|&;\n]*)")
MODULE = re.compile(r"python -m (?P<module>(?:tinytrail|analytics|accounts|submissions)[\w.]*)")
TARGET = re.compile(r"\bmake (?P<target>[a-z]+)\b")
VARIABLE = re.compile(r"\b(TINYTRAIL_[A-Z_]+|DATABASE_URL|REDIS_URL|EMAIL_URL)\b")
# Words of the documents for what each installation has of its own.
ADDRESSES = ("http://127.0.0.1:8000", "https://stats.example.com")


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    is_tried_elsewhere: bool


def blocks_of(document: Path) -> list[Block]:
    tokens = MarkdownIt("commonmark").parse(document.read_text())
    found, before = [], ""
    for token in tokens:
        if token.type == "fence":
            found.append(Block(token.info.strip(), token.content, bool(TRIED.fullmatch(before))))
        before = token.content if token.type == "html_block" else ""
    return found


def named(document: Path) -> str:
    return str(document.relative_to(ROOT))


def is_run_here(block: Block) -> bool:
    return block.language == "sh" and not block.is_tried_elsewhere


def commands_in(text: str) -> Iterator[str]:
    """Inline code and code blocks."""
    yield from re.findall(r"`([^`\n]+)`", text)
    yield from re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)


every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=named)
every_runnable_document = pytest.mark.parametrize(
    "document", [document for document in DOCUMENTS if any(map(is_run_here, blocks_of(document)))], ids=named
)


@every_document
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", document.read_text())
    inside = [link.partition("#") for link in links if not re.match(r"[a-z]+:", link)]
    for path, _, anchor in inside:
        target = document.parent / path if path else document
        assert target.exists(), path
        assert not anchor or anchor in anchors_of(target), f"{path}#{anchor}"


def anchors_of(document: Path) -> set[str]:
    """As GitHub and its like name headings."""
    titles = re.findall(r"^#+ (.+)$", document.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@every_document
def test_commands_exist_and_take_what_they_are_given(document: Path) -> None:
    for text in commands_in(document.read_text()):
        for found in COMMAND.finditer(text):
            assert options_in(found["rest"]) <= options_of(found["command"]), found[0]
        for found in MODULE.finditer(text):
            path = ROOT / found["module"].replace(".", "/")
            assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), found[0]
        for found in TARGET.finditer(text):
            assert f"\n{found['target']}:" in (ROOT / "Makefile").read_text(), found[0]


def options_in(words: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][\w-]*", words))


def options_of(command: str) -> set[str]:
    parser: ArgumentParser = load_command_class(get_commands()[command], command).create_parser("manage.py", command)
    return {option for action in parser._actions for option in action.option_strings}


@every_document
def test_variables_exist(document: Path) -> None:
    assert set(VARIABLE.findall(document.read_text())) - variables() == set()


def variables() -> set[str]:
    """Those that the settings read."""
    code = (ROOT / "tinytrail/settings.py").read_text()
    families = {"secret": "TINYTRAIL_", "limit": "TINYTRAIL_LIMIT_"}
    calls = re.findall(r"\b(secret|limit)\(\s*\"([A-Z_]+)\"", code)
    return set(VARIABLE.findall(code)) | {families[function] + name for function, name in calls}


@every_document
def test_every_example_is_tried(document: Path) -> None:
    blocks = [block for block in blocks_of(document) if not block.is_tried_elsewhere]
    assert [block for block in blocks if block.language != "sh"] == []


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker) -> Iterator[str]:
    with django_db_blocker.unblock(), served(*ASGI) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.django_db(transaction=True)
@every_runnable_document
def test_commands_work_when_pasted(document: Path, server: str, tmp_path: Path) -> None:
    calendar = make_calendar("calendar.example", account=make_account("Globex"))
    event = make_event(calendar)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "manage.py").symlink_to(ROOT / "manage.py")
    (tmp_path / "events.csv").write_text("eventName,date,startTime,location\nFado,2027-01-05,20:00,Le Sunset\n")
    script = "\n".join(block.text for block in blocks_of(document) if is_run_here(block))
    for words, own in {
        **dict.fromkeys(ADDRESSES, server),
        "EVENT-KEY": event.key,
        "WEBSITE-ID": str(calendar.website.public_id),
    }.items():
        script = script.replace(words, own)
    ran = subprocess.run(
        # An answer that is an error ends the script, as it would end the patience of a reader.
        ["bash", "-euo", "pipefail", "-c", f'curl() {{ command curl --fail-with-body "$@"; }}\n{script}'],
        cwd=tmp_path,
        env=os.environ | database() | {"TINYTRAIL_ALLOWED_HOSTS": "127.0.0.1,localhost"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_layout_is_the_one_there_is() -> None:
    (layout,) = (block.text for block in blocks_of(ROOT / "README.md") if block.language == "text")
    above = ""
    for indent, folder in re.findall(r"^( *)(\w+)/ ", layout, re.M):
        assert (ROOT / (above if indent else "") / folder).is_dir(), folder
        above = above if indent else folder
