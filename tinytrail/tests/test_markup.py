"""What is written by others is escaped everywhere: nothing switches that off outside a reviewed list (guarantees, A64).

Markup is made by templates and `format_html`, and in a browser by nodes and their text.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
FOLDERS = ("tinytrail", "accounts", "submissions", "analytics", "templates")
# Mails are plain text.
KINDS = (".py", ".html", ".js", ".svg")
UNESCAPED = re.compile(
    # Python
    r"mark_safe|SafeString|SafeText|SafeData|html_safe|__html__|is_safe\s*=|[\"']safe[\"']|autoescape\s*="
    # Templates
    r"|\{%\s*autoescape\s+off|\|\s*safe(seq)?\b|\{%\s*filter\s+safe|x-html|hx-on"
    r"|\bon(?:click|load|error|submit|change|input|focus|blur|toggle|key\w+|mouse\w+|pointer\w+)\s*="
    # Scripts
    r"|innerHTML|outerHTML|insertAdjacentHTML|document\.write\b|createContextualFragment|setHTMLUnsafe|srcdoc"
    r"|DOMParser|\beval\(|new Function\b|javascript:"
)
# Where it may stand, how often, and why that is no hole.
REVIEWED = {
    # Types of functions that return what format_html made; neither makes any.
    ("analytics/sparkline.py", "SafeString"): 2,
    ("analytics/admin_websites.py", "SafeString"): 3,
    # JSON in which nothing can end its element, of a type that no browser runs.
    ("submissions/views_calendar.py", "__html__"): 1,
    # Parts of the dashboard's own page, as the server sends them: escaped by their templates.
    ("analytics/static/board/board.js", "DOMParser"): 1,
    # Unfold shows a message with this tag as it is: both are made by format_html, of a name and a key.
    ("accounts/admin.py", '"safe"'): 1,
    ("accounts/admin_clients.py", '"safe"'): 1,
}


def found_in(text: str) -> list[str]:
    return [match[0] for match in UNESCAPED.finditer(text)]


def sources() -> Iterator[tuple[str, str]]:
    """Our own files, by name: without tests, which write hostile texts, and what others wrote."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if path.suffix in KINDS and "/tests/" not in name and "/migrations/" not in name:
                yield name, path.read_text()


def test_nothing_unescaped_stands_outside_the_reviewed_list() -> None:
    seen: dict[tuple[str, str], int] = {}
    for name, text in sources():
        for words in found_in(text):
            seen[name, words] = seen.get((name, words), 0) + 1
    assert seen == REVIEWED


def test_it_looks_at_templates_scripts_and_code() -> None:
    names = {name for name, _ in sources()}
    assert {"templates/front.html", "analytics/static/board/board.js", "accounts/admin.py"} <= names
    assert len(names) > 200


@pytest.mark.parametrize(
    "line",
    [
        "from django.utils.safestring import mark_safe",
        "return SafeString(text)",
        "{{ event.name|safe }}",
        "{{ event.name | safe }}",
        "{{ names|safeseq|join:', ' }}",
        "{% autoescape off %}",
        "{% filter safe %}",
        "Engine(autoescape=False)",
        "node.innerHTML = name",
        "node.insertAdjacentHTML('beforeend', name)",
        "document.write(name)",
        "frame.srcdoc = name",
        '<a href="#" onclick="go()">',
        '<a href="javascript:go()">',
        '<p x-html="name">',
    ],
)
def test_it_would_be_found(line: str) -> None:
    assert found_in(line)
